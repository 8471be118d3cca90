//! `export`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;
use tempfile::NamedTempFile;
use tonic::{Status, Streaming};

use super::admin::{self, Admin, Creates};
use super::failure::{Failure, Typed};
use super::output::{print_summary, printable, progress_bar};
use crate::app::Location;
use crate::config;
use crate::pb::screener::v1 as pb;
use crate::transfer::export::BYTE_ORDER_MARK;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The format of the file; docs/export.md describes each.
    #[arg(long, env = "SCREENERD_FORMAT", value_enum)]
    format: Format,

    /// The tenant. Optional if the database has only one.
    #[arg(long, env = "SCREENERD_TENANT", value_name = "ID")]
    tenant: Option<String>,

    /// Only answers of this screener.
    #[arg(long, env = "SCREENERD_SCREENER", value_name = "ID")]
    screener: Option<String>,

    /// Only answers of this publication.
    #[arg(long, env = "SCREENERD_PUBLICATION", value_name = "ID")]
    publication: Option<String>,

    /// Only answers of this session; repeat it for several.
    #[arg(long = "session", env = "SCREENERD_SESSION", value_name = "ID")]
    sessions: Vec<String>,

    /// Only answers of this screener participant; repeat it for several.
    #[arg(long = "participant", env = "SCREENERD_PARTICIPANT", value_name = "ID")]
    participants: Vec<String>,

    /// Begin a CSV file with a byte order mark, which Excel needs to read UTF-8.
    #[arg(long, env = "SCREENERD_BOM", value_parser = config::flag)]
    bom: bool,

    /// The file to write, which appears when it is complete. Without it: the standard output.
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

/// The flags of fields in refusals.
const FIELDS: &[(&str, &str)] = &[
    ("tenant_id", "--tenant"),
    ("filter.screener_id", "--screener"),
    ("filter.screener_publication_id", "--publication"),
    ("filter.screener_session_id", "--session"),
    ("filter.screener_participant_id", "--participant"),
];

pub(super) async fn run(args: Args, database: &Location, as_json: bool) -> Result<(), Failure> {
    let Args { format, tenant, screener, publication, sessions, participants, bom, output } = args;
    if bom && !matches!(format, Format::Csv) {
        return Err(Failure::of_line("--bom: Only for CSV. Add --format csv."));
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
    let subject = request.tenant_id.as_ref().map(|id| format!("--tenant {id}")).unwrap_or_default();
    let typed = Typed { fields: FIELDS, subject: &subject };
    let mut admin = admin::connect(database, Creates::No).await?;
    let written = async {
        // Fail before the call if the file cannot be created: the call is recorded as an export.
        let file = output.as_deref().map(unfinished).transpose()?;
        let answer = admin.client.export(request).await;
        let parts = admin.take(answer, &typed)?;
        write(&admin, parts, &typed, mark, output.as_deref().zip(file)).await
    };
    let written = written.await;
    admin.close().await;
    let rows = written?;
    let Some(path) = output else { return Ok(()) };
    let path = path.display().to_string();
    let text = format!("{rows} responses written to {}.", printable(&path));
    print_summary(&text, &json!({ "responses": rows, "file": path }), as_json)
}

/// Creates the file under a temporary name, which it keeps until it is complete. Only its owner can
/// open it, because it will contain answers.
fn unfinished(path: &Path) -> Result<NamedTempFile, Failure> {
    // The new file replaces the old one, but must not replace a device or a pipe.
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        let why = io::Error::other("it is no regular file");
        return Err(Failure::to_write(path, &why));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
    made.map_err(|error| Failure::to_write(path, &error))
}

/// Writes the file, and returns the number of its rows.
async fn write(
    admin: &Admin,
    parts: Streaming<pb::ExportResponse>,
    typed: &Typed<'_>,
    mark: &[u8],
    file: Option<(&Path, NamedTempFile)>,
) -> Result<i64, Failure> {
    let refused = |status: &Status| admin.refused(status, typed);
    let Some((path, mut file)) = file else {
        let mut output = io::stdout().lock();
        return receive(parts, refused, mark, &mut output, |it| Failure::to_print(&it)).await;
    };
    let failed = |error: io::Error| Failure::to_write(path, &error);
    let rows = receive(parts, refused, mark, &mut file, failed).await?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(rows)
}

async fn receive(
    mut parts: Streaming<pb::ExportResponse>,
    refused: impl Fn(&Status) -> Failure,
    mark: &[u8],
    output: &mut impl Write,
    failed: impl Fn(io::Error) -> Failure,
) -> Result<i64, Failure> {
    let progress = progress_bar("reading", "{human_pos}/{human_len} responses");
    let mut rows = 0;
    output.write_all(mark).map_err(&failed)?;
    while let Some(part) = parts.message().await.map_err(|status| refused(&status))? {
        rows = part.rows_read();
        progress.set_length(u64::try_from(part.rows_total()).unwrap_or(0));
        progress.set_position(u64::try_from(rows).unwrap_or(0));
        output.write_all(&part.chunk).map_err(&failed)?;
    }
    output.flush().map_err(&failed)?;
    progress.finish_and_clear();
    Ok(rows)
}
