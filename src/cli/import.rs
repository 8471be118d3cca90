//! `import`

use std::fs::{File, FileType};
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;

use indicatif::ProgressBar;
use tokio_stream::wrappers::ReceiverStream;

use serde_json::json;

use super::admin::{self, Creates};
use super::failure::{Failure, Typed};
use super::output::{print_summary, progress_bar};
use crate::app::Location;
use crate::config;
use crate::pb::screener::v1 as pb;
use pb::import_request::Part;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The NDJSON file; docs/import.md describes it.
    file: PathBuf,

    /// Accept answers over the links of imported sessions. Only for files whose session ids and
    /// slugs cannot be guessed.
    #[arg(long, env = "SCREENERD_TRUST_LINKS", value_parser = config::flag)]
    trust_links: bool,
}

/// The bytes of the file per message.
const CHUNK_BYTES: usize = 256 * 1024;

/// Returns the kind of a path that is not a regular file: it has no length and cannot be reread.
/// Opening a FIFO would even wait for a writer.
fn other_kind(kind: FileType) -> Option<&'static str> {
    let kinds = [
        (kind.is_dir(), "a folder"),
        (kind.is_fifo(), "a FIFO"),
        (kind.is_socket(), "a socket"),
        (kind.is_block_device() || kind.is_char_device(), "a device"),
    ];
    kinds.into_iter().find_map(|(is_so, name)| is_so.then_some(name))
}

pub(super) async fn run(args: Args, database: &Location, as_json: bool) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::to_read(&args.file, &error);
    let metadata = std::fs::metadata(&args.file).map_err(failed)?;
    if let Some(kind) = other_kind(metadata.file_type()) {
        let path = args.file.display();
        return Err(Failure::new(format!(
            "cannot read {path}: it is {kind}. Import a regular file."
        )));
    }
    let bytes = metadata.len();
    let file = File::open(&args.file).map_err(failed)?;
    let mut admin = admin::connect(database, Creates::Yes).await?;
    let progress = progress_bar("reading", "{bytes}/{total_bytes}");
    progress.set_length(bytes);
    let (sender, parts) = tokio::sync::mpsc::channel(4);
    let reading = {
        let progress = progress.clone();
        let options = pb::ImportOptions {
            trust_links: Some(args.trust_links),
            size_bytes: Some(i64::try_from(bytes).unwrap_or(i64::MAX)),
        };
        tokio::task::spawn_blocking(move || {
            let options = Part::Options(options);
            send_file(file, options, &sender, &progress)
        })
    };
    let answer = admin.client.import(ReceiverStream::new(parts)).await;
    // A file that shrinks while it is read does not have its size any more.
    let path = args.file.display().to_string();
    let fields = [("options.size_bytes", path.as_str())];
    let answer = admin.take(answer, &Typed { fields: &fields, subject: "" });
    admin.close().await;
    progress.finish_and_clear();
    let read = reading.await.map_err(|error| Failure::new(error.to_string()))?;
    // A file that cannot be read to its end is why the server refuses what it received.
    let answer = match (answer, read) {
        (Err(_), Err(error)) => return Err(failed(error)),
        (answer, _) => answer?,
    };
    let (read, written, unchanged) =
        (answer.records_read(), answer.records_written(), answer.records_unchanged());
    let text = format!("{read} records read: {written} written, {unchanged} unchanged.");
    let json = json!({ "read": read, "written": written, "unchanged": unchanged });
    print_summary(&text, &json, as_json)
}

/// Sends the file in chunks. Stops silently if the server no longer reads, because the response of
/// the server then states the reason.
fn send_file(
    mut file: File,
    options: Part,
    sender: &tokio::sync::mpsc::Sender<pb::ImportRequest>,
    progress: &ProgressBar,
) -> std::io::Result<()> {
    let send = |part| sender.blocking_send(pb::ImportRequest { part: Some(part) }).is_ok();
    let mut is_open = send(options);
    while is_open {
        let mut chunk = vec![0; CHUNK_BYTES];
        let length = file.read(&mut chunk)?;
        if length == 0 {
            progress.set_message("writing");
            break;
        }
        chunk.truncate(length);
        progress.inc(length as u64);
        is_open = send(Part::Chunk(chunk));
    }
    Ok(())
}
