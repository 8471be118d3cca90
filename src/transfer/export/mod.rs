//! Responses as a file, streamed in pieces, for all callers of an export. `columns` has the columns
//! of every form.
//!
//! | form | |
//! |---|---|
//! | NDJSON | an item of the list on each line; see `ndjson` |
//! | CSV | a header, then a line for each item; see `csv` |
//! | Parquet | the same columns; see `parquet` |

mod answer_json;
mod columns;
mod csv;
mod lines;
mod ndjson;
mod parquet;
#[cfg(test)]
mod slow_client_tests;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use serde::Serializer as _;

use self::lines::Lines;
use crate::app::{Chunk, Export, Piece};
use crate::domain::answer::Selected;
use crate::domain::error::Result;
use crate::domain::export::Format;
use crate::domain::response::ScreenerResponse;
pub(crate) use answer_json::{AnswerBody, OptionBody, type_names};

/// The start of a CSV file for spreadsheets that assume another encoding.
pub const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// Encodes rows as bytes.
pub(crate) trait Encode: Send + 'static {
    /// Returns the bytes that these rows add to the file. An empty list of rows ends the file.
    fn encode(&mut self, rows: Vec<ScreenerResponse>) -> Result<Vec<u8>>;
}

/// Returns the encoder of a form.
pub(crate) fn encoder(format: Format) -> Box<dyn Encode> {
    match format {
        Format::Ndjson => Box::new(Lines::<ndjson::Ndjson>::default()),
        Format::Csv => Box::new(Lines::<csv::Csv>::default()),
        Format::Parquet => Box::new(parquet::Parquet::default()),
    }
}

/// The size of a chunk, and the minimum memory of a client that reads nothing.
const CHUNK_MAX_BYTES: usize = 128 * 1024;

/// Returns the file of an export, in chunks.
#[must_use]
pub fn file(export: Export, format: Format) -> BoxStream<'static, Result<Chunk>> {
    let mut encoder = encoder(format);
    let chunks = export.parts(move |piece: Piece| {
        let rows: Vec<_> = piece.into_iter().map(|(_, row)| row).collect();
        let count = rows.len();
        Ok(cut(&encoder.encode(rows)?, count))
    });
    chunks.boxed()
}

/// Splits encoded rows into at least one chunk, which may be empty. Each is a copy, so that none
/// keeps the others in memory.
fn cut(bytes: &[u8], rows: usize) -> Vec<Chunk> {
    let mut chunks: Vec<_> = bytes
        .chunks(CHUNK_MAX_BYTES)
        .map(|bytes| Chunk { bytes: Bytes::copy_from_slice(bytes), rows: 0 })
        .collect();
    match chunks.first_mut() {
        Some(first) => first.rows = rows,
        None => chunks.push(Chunk { bytes: Bytes::new(), rows }),
    }
    chunks
}

/// Adds chosen options as a JSON array.
fn add_options(json: &mut Vec<u8>, selected: &[Selected]) -> serde_json::Result<()> {
    serde_json::Serializer::new(json).collect_seq(selected.iter().map(OptionBody::from))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::answer::Answer;
    use crate::domain::id::{
        AssignmentId, PageId, ParticipantId, PublicationId, QuestionId, ScreenerId, SessionId,
    };
    use crate::domain::participant::ExternalUid;
    use crate::domain::question::QuestionKind;
    use crate::domain::response::{Asked, Origin};

    #[test]
    fn a_long_file_is_cut_and_an_empty_chunk_is_told() {
        let cut = |length: usize| -> Vec<(usize, usize)> {
            cut(&vec![0; length], 7).iter().map(|chunk| (chunk.bytes.len(), chunk.rows)).collect()
        };
        assert_eq!(cut(0), [(0, 7)]);
        assert_eq!(cut(CHUNK_MAX_BYTES), [(CHUNK_MAX_BYTES, 7)]);
        let long = [(CHUNK_MAX_BYTES, 7), (CHUNK_MAX_BYTES, 0), (1, 0)];
        assert_eq!(cut(2 * CHUNK_MAX_BYTES + 1), long);
    }

    pub(crate) fn row(number: usize, kind: QuestionKind, answer: Answer) -> ScreenerResponse {
        let origin = Origin {
            session: SessionId::parse(&format!("scses_{number}")).expect("an id"),
            screener: ScreenerId::parse("scr_1").expect("an id"),
            publication: PublicationId::parse("scpub_1").expect("an id"),
            participant: ParticipantId::parse("ptp_1").expect("an id"),
            external_uid: ExternalUid::parse(&format!("crm-{number}"))
                .ok()
                .filter(|_| number.is_multiple_of(2)),
            assignment: AssignmentId::parse("scpar_1").expect("an id"),
        };
        let asked = Asked {
            page: PageId::parse("scp_1").expect("an id"),
            question: QuestionId::parse("scq_1").expect("an id"),
            prompt: "What?".into(),
            kind,
        };
        let (origin, asked) = (Arc::new(origin), Arc::new(asked));
        ScreenerResponse { origin, asked, answer: Arc::new(answer) }
    }
}
