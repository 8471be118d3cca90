//! `AdminService/Export`: a tenant's responses as a file.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use tonic::Status;

use super::convert::{saturated_i64, wire_words, word};
use super::refusal::Refusals;
use super::response::response_filter;
use super::rpcs;
use crate::app::{App, Chunk, Export, Operator, ResponseFilter};
use crate::domain::error::{Result, Violations};
use crate::domain::export::Format;
use crate::domain::id::TenantId;
use crate::pb::screener::v1;

/// Encodes the file of an export.
pub type Exporter = Arc<dyn Fn(Export, Format) -> BoxStream<'static, Result<Chunk>> + Send + Sync>;

/// The response stream: the parts of the file, with the counts for a progress bar.
pub(super) type Parts = BoxStream<'static, Result<v1::ExportResponse, Status>>;

pub(super) async fn export(
    app: &Arc<App>,
    exporter: &Exporter,
    message: v1::ExportRequest,
) -> Result<Parts> {
    let (tenant, format, filter) = query(message)?;
    let export = app.export_responses_of(&Operator::trusted(), tenant, &filter, format).await?;
    let (total, mut read) = (export.total(), 0);
    let parts = exporter(export, format).map_ok(move |Chunk { bytes, rows }| {
        read += rows as u64;
        let (rows_read, rows_total) = (Some(saturated_i64(read)), Some(total));
        v1::ExportResponse { chunk: bytes.into(), rows_read, rows_total }
    });
    let rpc = rpcs::find("/screener.v1.AdminService/Export");
    Ok(Refusals(Arc::clone(app)).end(parts, rpc))
}

fn query(message: v1::ExportRequest) -> Result<(Option<TenantId>, Format, ResponseFilter)> {
    let v1::ExportRequest { tenant_id, format, filter } = message;
    let mut violations = Violations::new();
    let tenant = tenant_id.and_then(|id| violations.keep("tenant_id", TenantId::parse(&id)));
    let format = violations.keep("format", parse_format(format));
    let filter = response_filter(filter, &mut violations);
    let format = violations.finish_with(format)?;
    Ok((tenant, format, filter))
}

wire_words!(Format => ExportFormat { Ndjson, Csv, Parquet });

fn parse_format(number: i32) -> Result<Format, String> {
    word::<_, v1::ExportFormat>(Format::ALL, number, "Required: NDJSON, CSV or Parquet.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_with_a_request_is_named() {
        let message = v1::ExportRequest {
            tenant_id: Some(String::new()),
            format: 9,
            filter: Some(v1::ScreenerResponseFilter {
                screener_id: Some(v1::IdEqFilter { eq: Some(String::new()) }),
                ..v1::ScreenerResponseFilter::default()
            }),
        };
        let refused = query(message).expect_err("a refusal");
        let fields: Vec<_> = refused.violations().iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, ["tenant_id", "format", "filter.screener_id.eq"]);
    }
}
