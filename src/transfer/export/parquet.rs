//! Parquet: the columns of CSV, typed. Absent values are null, and texts are as they were typed.
//!
//! Rows are buffered until they fill a row group, which is then written column by column. Repeated
//! values go into dictionaries. The file is compressed with Snappy.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::columns::{COLUMNS, Column, Part, Source};
use super::{Encode, add_options};
use crate::domain::answer::{Answer, Value};
use crate::domain::error::{Error, Result};
use crate::domain::response::ScreenerResponse;

/// The most rows of a row group: enough to compress and to scan well.
const GROUP_MAX_ROWS: usize = 32 * 1024;
/// The size at which a row group ends early. A group is in memory, and several times while it is
/// written.
const GROUP_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Returns the type of a column, in the notation of a Parquet schema.
fn type_of(source: Source) -> &'static str {
    match source {
        Source::Asked(_) | Source::Origin(_) => "REQUIRED BYTE_ARRAY {} (STRING)",
        Source::OriginIfAny(_) | Source::Answer(Part::Text(_)) => "OPTIONAL BYTE_ARRAY {} (STRING)",
        Source::Answer(Part::Number(_)) => "OPTIONAL DOUBLE {}",
        Source::Answer(Part::Options(_)) => "OPTIONAL BYTE_ARRAY {} (JSON)",
    }
}

/// The Parquet encoder.
#[derive(Default)]
pub(super) struct Parquet {
    writer: Option<SerializedFileWriter<Vec<u8>>>,
    rows: Vec<ScreenerResponse>,
    /// The bytes of the answers of these rows.
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
            write_group(&mut writer, &self.rows)?;
            self.rows.clear();
            self.bytes = 0;
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
    match answer.value() {
        Value::Text(text) => text.len(),
        Value::Options(selected) => selected.iter().map(|it| it.text.len()).sum(),
        Value::Number(_) | Value::Nothing => 0,
    }
}

fn begin() -> Result<SerializedFileWriter<Vec<u8>>, ParquetError> {
    let field = |column: Column| type_of(column.source).replace("{}", column.name) + ";";
    let fields = COLUMNS.map(field).join(" ");
    let schema = parse_message_type(&format!("message screener_responses {{ {fields} }}"))?;
    let mut properties = WriterProperties::builder()
        .set_created_by("screenerd".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    for column in COLUMNS.iter().filter(|column| !column.repeats) {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column.name), false);
    }
    SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties.build()))
}

fn write_group(
    writer: &mut SerializedFileWriter<Vec<u8>>,
    rows: &[ScreenerResponse],
) -> Result<()> {
    let origins = Shared::of(rows, |row| &row.origin);
    let asked = Shared::of(rows, |row| &row.asked);
    let mut columns = || -> Result<(), ParquetError> {
        let mut group = writer.next_row_group()?;
        for column in &COLUMNS {
            match column.source {
                Source::Asked(text) => asked.write(&mut group, text)?,
                Source::Origin(text) => origins.write(&mut group, text)?,
                Source::OriginIfAny(text) => origins.write_opt(&mut group, text)?,
                Source::Answer(Part::Text(text)) => {
                    let add = |cells: &mut Vec<u8>, text: &str| {
                        cells.extend(text.as_bytes());
                        Ok(())
                    };
                    Cells::of(rows, text, add)?.write(&mut group)?;
                }
                Source::Answer(Part::Number(number)) => write_numbers(&mut group, rows, number)?,
                Source::Answer(Part::Options(options)) => {
                    Cells::of(rows, options, add_options)?.write(&mut group)?;
                }
            }
        }
        group.close().map(|_| ())
    };
    columns().map_err(Error::internal)
}

/// Values that rows share: each distinct one, and its index for every row.
struct Shared<'r, T> {
    distinct: Vec<&'r Arc<T>>,
    of_rows: Vec<usize>,
}

impl<'r, T> Shared<'r, T> {
    fn of(
        rows: &'r [ScreenerResponse],
        shared: impl Fn(&'r ScreenerResponse) -> &'r Arc<T>,
    ) -> Self {
        let (mut distinct, mut places): (Vec<&'r Arc<T>>, _) = (Vec::new(), HashMap::new());
        let mut of_rows = Vec::with_capacity(rows.len());
        let mut place = 0;
        for row in rows {
            let one = shared(row);
            let is_at = |place: &usize| distinct.get(*place).is_some_and(|it| Arc::ptr_eq(it, one));
            // Usually the same session or question repeats, or the next or the first one follows.
            place = [place, place + 1, 0].into_iter().find(is_at).unwrap_or_else(|| {
                *places.entry(Arc::as_ptr(one)).or_insert_with(|| {
                    distinct.push(one);
                    distinct.len() - 1
                })
            });
            of_rows.push(place);
        }
        Self { distinct, of_rows }
    }

    /// Writes the next column. Rows with the same value share it.
    fn write(
        &self,
        group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
        text: impl Fn(&'r T) -> &'r str,
    ) -> Result<(), ParquetError> {
        let values: Vec<_> = self.distinct.iter().map(|it| ByteArray::from(text(it))).collect();
        let values: Vec<_> = self.of_rows.iter().map(|place| values[*place].clone()).collect();
        write_bytes(group, &values, None)
    }

    fn write_opt(
        &self,
        group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
        text: impl Fn(&'r T) -> Option<&'r str>,
    ) -> Result<(), ParquetError> {
        let distinct = self.distinct.iter().map(|it| text(it).map(ByteArray::from));
        let distinct: Vec<Option<ByteArray>> = distinct.collect();
        let cells = || self.of_rows.iter().map(|place| &distinct[*place]);
        let levels: Vec<_> = cells().map(|cell| i16::from(cell.is_some())).collect();
        let mut values = Vec::with_capacity(levels.len());
        values.extend(cells().flatten().cloned());
        write_bytes(group, &values, Some(&levels))
    }
}

/// A column of texts that rows do not share, one after the other.
#[derive(Default)]
struct Cells {
    bytes: Vec<u8>,
    /// The ends of the present texts.
    ends: Vec<usize>,
    levels: Vec<i16>,
}

impl Cells {
    /// Collects the output of `add` for a part of each answer, if present.
    fn of<T: ?Sized>(
        rows: &[ScreenerResponse],
        part: fn(&Answer) -> Option<&T>,
        add: impl Fn(&mut Vec<u8>, &T) -> serde_json::Result<()>,
    ) -> Result<Self, ParquetError> {
        let mut cells = Self::default();
        for row in rows {
            let part = part(&row.answer);
            cells.levels.push(i16::from(part.is_some()));
            if let Some(part) = part {
                add(&mut cells.bytes, part)
                    .map_err(|error| ParquetError::External(error.into()))?;
                cells.ends.push(cells.bytes.len());
            }
        }
        Ok(cells)
    }

    fn write(self, group: &mut SerializedRowGroupWriter<'_, Vec<u8>>) -> Result<(), ParquetError> {
        let (bytes, mut begin) = (Bytes::from(self.bytes), 0);
        let cell = |end| ByteArray::from(bytes.slice(mem::replace(&mut begin, end)..end));
        let values: Vec<_> = self.ends.into_iter().map(cell).collect();
        write_bytes(group, &values, Some(&self.levels))
    }
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

fn write_numbers(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    rows: &[ScreenerResponse],
    number: fn(&Answer) -> Option<f64>,
) -> Result<(), ParquetError> {
    let numbers = || rows.iter().map(|row| number(&row.answer));
    let levels: Vec<_> = numbers().map(|number| i16::from(number.is_some())).collect();
    let values: Vec<_> = numbers().flatten().collect();
    let mut column = next_column(group.next_column()?)?;
    column.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
    column.close()
}

/// Returns the next column, which must exist by the schema.
fn next_column<T>(column: Option<T>) -> Result<T, ParquetError> {
    column.ok_or_else(|| ParquetError::General("the schema has fewer columns".to_owned()))
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;

    use super::super::tests::row;
    use super::*;
    use crate::domain::answer::Selected;
    use crate::domain::id::OptionId;
    use crate::domain::question::QuestionKind;

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
