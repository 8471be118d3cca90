//! `export`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;
use tempfile::NamedTempFile;
use tonic::Streaming;

use super::Failure;
use super::admin::{self, Creates};
use super::output::{print_summary, printable, progress_bar};
use crate::app::Location;
use crate::client::{Refused, call};
use crate::pb::screener::v1 as pb;
use crate::transfer::export::BYTE_ORDER_MARK;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The form of the file; docs/export.md describes them.
    #[arg(long, env = "SCREENERD_FORMAT", value_enum)]
    format: Format,

    /// The tenant; not needed where there is only one.
    #[arg(long, env = "SCREENERD_TENANT", value_name = "ID")]
    tenant: Option<String>,

    /// Only answers of this screener.
    #[arg(long, env = "SCREENERD_SCREENER", value_name = "ID")]
    screener: Option<String>,

    /// Only answers of this publication.
    #[arg(long, env = "SCREENERD_PUBLICATION", value_name = "ID")]
    publication: Option<String>,

    /// Only answers of this session; may be repeated.
    #[arg(long = "session", env = "SCREENERD_SESSION", value_name = "ID")]
    sessions: Vec<String>,

    /// Only answers of this screener participant; may be repeated.
    #[arg(long = "participant", env = "SCREENERD_PARTICIPANT", value_name = "ID")]
    participants: Vec<String>,

    /// Begin a CSV file with a byte order mark, by which Excel knows that it is UTF-8.
    #[arg(long, env = "SCREENERD_BOM")]
    bom: bool,

    /// Write this file, which appears when it is whole; otherwise the standard output.
    #[arg(long, short, env = "SCREENERD_OUTPUT", value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Ndjson,
    Csv,
    Parquet,
}

impl From<Format> for pb::ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Ndjson => Self::Ndjson,
            Format::Csv => Self::Csv,
            Format::Parquet => Self::Parquet,
        }
    }
}

fn one(id: Option<String>) -> Option<pb::IdEqFilter> {
    id.map(|id| pb::IdEqFilter { eq: Some(id) })
}

fn some(ids: Vec<String>) -> Option<pb::IdEqInFilter> {
    (!ids.is_empty())
        .then_some(pb::IdEqInFilter { eq: None, r#in: Some(pb::IdList { values: ids }) })
}

pub(super) async fn run(args: Args, database: &Location, as_json: bool) -> Result<(), Failure> {
    let Args { format, tenant, screener, publication, sessions, participants, bom, output } = args;
    if bom && !matches!(format, Format::Csv) {
        return Err(Failure("--bom: for CSV only: add --format csv.".into()));
    }
    let mark = if bom { BYTE_ORDER_MARK } else { &[] };
    let request = pb::ExportRequest {
        tenant_id: tenant,
        format: pb::ExportFormat::from(format).into(),
        filter: Some(pb::ScreenerResponseFilter {
            screener_id: one(screener),
            screener_publication_id: one(publication),
            screener_session_id: some(sessions),
            screener_participant_id: some(participants),
        }),
    };
    let mut admin = admin::connect(database, Creates::No).await?;
    let written = match call(admin.client.export(request)).await {
        Ok(parts) => write(parts, mark, output.as_deref()).await,
        Err(refused) => Err(refused.into()),
    };
    admin.close().await;
    let rows = written?;
    let Some(path) = output else { return Ok(()) };
    let path = path.display().to_string();
    let text = format!("{rows} responses written to {}.", printable(&path));
    print_summary(&text, &json!({ "responses": rows, "file": path }), as_json)
}

/// Writes the file, and says how many rows it has.
async fn write(
    parts: Streaming<pb::ExportResponse>,
    mark: &[u8],
    path: Option<&Path>,
) -> Result<i64, Failure> {
    let Some(path) = path else {
        let failed = |error: io::Error| Failure(format!("the output: {error}"));
        return receive(parts, mark, &mut io::stdout().lock(), failed).await;
    };
    let failed = |error: io::Error| Failure(format!("{}: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Under another name until it is whole; for its owner only, because it holds answers.
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    let rows = receive(parts, mark, &mut file, failed).await?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(rows)
}

async fn receive(
    mut parts: Streaming<pb::ExportResponse>,
    mark: &[u8],
    output: &mut impl Write,
    failed: impl Fn(io::Error) -> Failure,
) -> Result<i64, Failure> {
    let progress = progress_bar("reading", "{human_pos}/{human_len} responses");
    let mut rows = 0;
    output.write_all(mark).map_err(&failed)?;
    while let Some(part) = parts.message().await.map_err(Refused::from)? {
        rows = part.rows_read();
        progress.set_length(u64::try_from(part.rows_total()).unwrap_or(0));
        progress.set_position(u64::try_from(rows).unwrap_or(0));
        output.write_all(&part.chunk).map_err(&failed)?;
    }
    output.flush().map_err(&failed)?;
    progress.finish_and_clear();
    Ok(rows)
}
