//! Parquet: the columns of CSV, typed. What is not there is null, and texts are as they were typed.
//!
//! Rows are kept until they make a row group, which is then written column by column. Ids that
//! every row shares go into dictionaries; the file is compressed with Snappy.

use std::mem;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::{COLUMNS, Encode, options_json};
use crate::domain::error::{Error, Result};
use crate::domain::response::{Answer, ScreenerResponse};
use crate::rest::spot::type_names;

/// A row group has so many rows at most: large enough to compress and to scan well.
const GROUP_MAX_ROWS: usize = 32 * 1024;
/// A row group ends early where answers are long, because it is held in memory.
const GROUP_MAX_BYTES: usize = 8 * 1024 * 1024;

/// The columns whose values seldom repeat nearby, so that a dictionary of them would only cost.
const WITHOUT_DICTIONARY: [&str; 7] = [
    "screenerSessionId",
    "participantId",
    "externalParticipantUid",
    "screenerParticipantId",
    "answerText",
    "answerNumber",
    "answerOptions",
];

/// The type of a column, as a Parquet schema writes it.
fn type_of(column: &str) -> &'static str {
    match column {
        "externalParticipantUid" | "answerText" => "OPTIONAL BYTE_ARRAY {} (STRING)",
        "answerNumber" => "OPTIONAL DOUBLE {}",
        "answerOptions" => "OPTIONAL BYTE_ARRAY {} (JSON)",
        _ => "REQUIRED BYTE_ARRAY {} (STRING)",
    }
}

/// The encoder.
#[derive(Default)]
pub(super) struct Parquet {
    writer: Option<SerializedFileWriter<Vec<u8>>>,
    rows: Vec<ScreenerResponse>,
    /// What the answers of these rows take.
    bytes: usize,
}

impl Encode for Parquet {
    fn encode(&mut self, rows: Vec<ScreenerResponse>) -> Result<Vec<u8>> {
        let ended = rows.is_empty();
        self.bytes += rows.iter().map(|row| length_of(&row.answer)).sum::<usize>();
        self.rows.extend(rows);
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => begin().map_err(Error::internal)?,
        };
        let is_full = self.rows.len() >= GROUP_MAX_ROWS || self.bytes >= GROUP_MAX_BYTES;
        if is_full || ended && !self.rows.is_empty() {
            self.bytes = 0;
            write_group(&mut writer, &mem::take(&mut self.rows))?;
        }
        if ended {
            writer.finish().map_err(Error::internal)?;
        }
        writer.flush().map_err(Error::internal)?;
        let written = mem::take(writer.inner_mut());
        self.writer = Some(writer);
        Ok(written)
    }
}

fn length_of(answer: &Answer) -> usize {
    match answer {
        Answer::Text(text) => text.len(),
        Answer::SingleSelect(selected) => selected.text.len(),
        Answer::MultiSelect(selected) => selected.iter().map(|it| it.text.len()).sum(),
        Answer::Numeric(_) | Answer::Skipped => 0,
    }
}

fn begin() -> Result<SerializedFileWriter<Vec<u8>>, ParquetError> {
    let fields = COLUMNS.map(|column| type_of(column).replace("{}", column) + ";").join(" ");
    let schema = parse_message_type(&format!("message screener_responses {{ {fields} }}"))?;
    let mut properties = WriterProperties::builder()
        .set_created_by("screenerd".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    for column in WITHOUT_DICTIONARY {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties.build()))
}

fn write_group(
    writer: &mut SerializedFileWriter<Vec<u8>>,
    rows: &[ScreenerResponse],
) -> Result<()> {
    let options: Vec<_> =
        rows.iter().map(|row| options_json(&row.answer)).collect::<Result<_>>()?;
    let mut columns = || -> Result<(), ParquetError> {
        let mut group = writer.next_row_group()?;
        texts(&mut group, rows, |row| type_names(row.kind).0)?;
        texts(&mut group, rows, |row| type_names(row.kind).1)?;
        texts(&mut group, rows, |row| row.session.as_str())?;
        texts(&mut group, rows, |row| row.page.as_str())?;
        texts(&mut group, rows, |row| row.question.as_str())?;
        texts(&mut group, rows, |row| row.screener.as_str())?;
        texts(&mut group, rows, |row| row.publication.as_str())?;
        texts(&mut group, rows, |row| row.participant.as_str())?;
        opt_texts(&mut group, rows.iter().map(|row| row.external_uid.as_deref()))?;
        texts(&mut group, rows, |row| row.assignment.as_str())?;
        texts(&mut group, rows, |row| &row.prompt)?;
        opt_texts(&mut group, rows.iter().map(|row| text_of(&row.answer)))?;
        numbers(&mut group, rows)?;
        opt_texts(&mut group, options.iter().map(Option::as_deref))?;
        group.close().map(|_| ())
    };
    columns().map_err(Error::internal)
}

fn text_of(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Text(text) => Some(text),
        Answer::Numeric(_) | Answer::SingleSelect(_) | Answer::MultiSelect(_) | Answer::Skipped => {
            None
        }
    }
}

/// Writes the next column; consecutive rows that say the same share the value.
fn texts<'r>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    rows: &'r [ScreenerResponse],
    text: impl Fn(&'r ScreenerResponse) -> &'r str,
) -> Result<(), ParquetError> {
    let mut values: Vec<ByteArray> = Vec::with_capacity(rows.len());
    for row in rows {
        let text = text(row);
        let value = match values.last() {
            Some(last) if last.data() == text.as_bytes() => last.clone(),
            Some(_) | None => ByteArray::from(text),
        };
        values.push(value);
    }
    write_bytes(group, &values, None)
}

fn opt_texts<'r>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    texts: impl Iterator<Item = Option<&'r str>>,
) -> Result<(), ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for text in texts {
        levels.push(i16::from(text.is_some()));
        values.extend(text.map(ByteArray::from));
    }
    write_bytes(group, &values, Some(&levels))
}

fn write_bytes(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[ByteArray],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let mut column = next_column(group.next_column()?)?;
    column.typed::<ByteArrayType>().write_batch(values, levels, None)?;
    column.close()
}

fn numbers(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    rows: &[ScreenerResponse],
) -> Result<(), ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for row in rows {
        let number = match &row.answer {
            Answer::Numeric(number) => Some(*number),
            Answer::Text(_)
            | Answer::SingleSelect(_)
            | Answer::MultiSelect(_)
            | Answer::Skipped => None,
        };
        levels.push(i16::from(number.is_some()));
        values.extend(number);
    }
    let mut column = next_column(group.next_column()?)?;
    column.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
    column.close()
}

/// There are as many columns as the schema has.
fn next_column<T>(column: Option<T>) -> Result<T, ParquetError> {
    column.ok_or_else(|| ParquetError::General("the schema has fewer columns".to_owned()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;

    use super::*;
    use crate::domain::id::{
        AssignmentId, OptionId, PageId, ParticipantId, PublicationId, QuestionId, ScreenerId,
        SessionId,
    };
    use crate::domain::publication::QuestionKind;
    use crate::domain::response::Selected;

    fn row(number: usize, kind: QuestionKind, answer: Answer) -> ScreenerResponse {
        ScreenerResponse {
            session: SessionId::parse(&format!("scses_{number}")).expect("an id"),
            page: PageId::parse("scp_1").expect("an id"),
            question: QuestionId::parse("scq_1").expect("an id"),
            screener: ScreenerId::parse("scr_1").expect("an id"),
            publication: PublicationId::parse("scpub_1").expect("an id"),
            participant: ParticipantId::parse("ptp_1").expect("an id"),
            external_uid: number.is_multiple_of(2).then(|| format!("crm-{number}")),
            assignment: AssignmentId::parse("scpar_1").expect("an id"),
            prompt: "What?".into(),
            kind,
            answer,
        }
    }

    fn rows() -> Vec<ScreenerResponse> {
        let selected = Selected {
            option: OptionId::parse("sco_1").expect("an id"),
            text: "A".to_owned(),
            write_in: None,
        };
        vec![
            row(0, QuestionKind::Text, Answer::Text("=1+1".to_owned())),
            row(1, QuestionKind::Numeric, Answer::Numeric(5.5)),
            row(2, QuestionKind::SingleSelect, Answer::SingleSelect(selected)),
            row(3, QuestionKind::Text, Answer::Skipped),
        ]
    }

    fn file(pieces: Vec<Vec<ScreenerResponse>>) -> SerializedFileReader<Bytes> {
        let mut encoder = Parquet::default();
        let mut bytes = Vec::new();
        for piece in pieces.into_iter().chain([Vec::new()]) {
            bytes.extend(encoder.encode(piece).expect("it is encoded"));
        }
        SerializedFileReader::new(Bytes::from(bytes)).expect("it is Parquet")
    }

    #[test]
    fn texts_numbers_options_and_nothing_are_read_back() {
        let file = file(vec![rows()]);
        let read = file.get_row_iter(None).expect("rows");
        let read: Vec<_> = read.map(|row| row.expect("a row")).collect();
        assert_eq!(read.len(), 4);
        assert_eq!(read[0].get_string(11).expect("a text"), "=1+1", "as it was typed");
        assert_eq!(read[0].get_string(8).expect("a text"), "crm-0");
        assert_eq!(read[1].get_double(12).map_err(|it| it.to_string()), Ok(5.5));
        let options = read[2].get_column_iter().nth(13).map(|(_, field)| field.to_string());
        assert!(options.is_some_and(|it| it.contains("isWriteIn")));
        let last: Vec<String> =
            read[3].get_column_iter().skip(11).map(|(_, field)| field.to_string()).collect();
        assert_eq!(last, ["null", "null", "null"]);
    }

    #[test]
    fn long_answers_end_a_row_group_early_and_nothing_is_a_file_too() {
        let long = || row(0, QuestionKind::Text, Answer::Text("x".repeat(GROUP_MAX_BYTES / 2)));
        let file_of = file(vec![vec![long()], vec![long()], vec![long()]]);
        assert_eq!(file_of.metadata().num_row_groups(), 2);
        assert_eq!(file_of.metadata().file_metadata().num_rows(), 3);
        assert_eq!(file(Vec::new()).metadata().file_metadata().num_rows(), 0);
    }
}
