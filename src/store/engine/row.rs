//! Rows, read column by column.

use std::fmt;

use sqlx::{Column as _, Decode, Postgres, Row as _, Type};

use crate::domain::error::{Error, Result};
use crate::domain::time::Timestamp;

/// A stored row that cannot become a value of the domain.
#[derive(Debug)]
pub struct Corrupt {
    table: &'static str,
    column: String,
    row: String,
    reason: String,
}

impl Corrupt {
    /// Names the corrupt column and the reason.
    pub fn new(
        table: &'static str,
        column: impl Into<String>,
        row: impl fmt::Display,
        reason: impl fmt::Display,
    ) -> Self {
        let (row, reason) = (row.to_string(), reason.to_string());
        Self { table, column: column.into(), row, reason }
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, column, row, reason } = self;
        write!(f, "corrupt row {row} of {table}, column {column}: {reason}")
    }
}

impl std::error::Error for Corrupt {}

/// A row of a driver.
pub(super) enum RawRow<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r sqlx::postgres::PgRow),
}

impl<'r> RawRow<'r> {
    fn get<T>(&self, column: usize) -> Result<Option<T>, String>
    where
        T: rusqlite::types::FromSql + Type<Postgres> + for<'d> Decode<'d, Postgres>,
    {
        match self {
            Self::Sqlite(row) => row.get(column).map_err(|error| error.to_string()),
            Self::Postgres(row) => row.try_get(column).map_err(|error| error.to_string()),
        }
    }

    /// Returns a text without copying it.
    fn str(&self, column: usize) -> Result<Option<&'r str>, String> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(column).map_err(|error| error.to_string())?;
                value.as_str_or_null().map_err(|error| error.to_string())
            }
            Self::Postgres(row) => row.try_get(column).map_err(|error| error.to_string()),
        }
    }

    fn column_name(&self, column: usize) -> String {
        match self {
            Self::Sqlite(row) => row.as_ref().column_name(column).ok().map(str::to_owned),
            Self::Postgres(row) => row.columns().get(column).map(|it| it.name().to_owned()),
        }
        .unwrap_or_else(|| column.to_string())
    }
}

/// A row whose columns are read in the order of the statement's column list.
pub struct Row<'r> {
    raw: RawRow<'r>,
    table: &'static str,
    next: usize,
}

impl<'r> Row<'r> {
    pub(super) fn new(raw: RawRow<'r>) -> Self {
        Self { raw, table: "query", next: 0 }
    }

    /// Sets the table of the next columns, for the error of a corrupt row.
    pub(in crate::store) fn of(&mut self, table: &'static str) -> &mut Self {
        self.table = table;
        self
    }

    /// Skips the first column, which only identifies the row.
    pub(in crate::store) fn skip_id(&mut self) -> &mut Self {
        self.next += 1;
        self
    }

    /// Skips columns without information.
    pub(in crate::store) fn pass(&mut self, columns: usize) {
        self.next += columns;
    }

    /// Returns the error for the column read last. The first column identifies the row.
    pub(in crate::store) fn corrupt(&self, reason: impl fmt::Display) -> Error {
        let column = self.next.saturating_sub(1);
        let row = self.raw.get::<String>(0).ok().flatten().unwrap_or_else(|| "?".into());
        let column = self.raw.column_name(column);
        Error::internal(Corrupt::new(self.table, column, row, reason))
    }

    fn take<T>(&mut self, read: impl FnOnce(&RawRow<'r>, usize) -> Result<T, String>) -> Result<T> {
        let column = self.next;
        self.next += 1;
        read(&self.raw, column).map_err(|reason| self.corrupt(reason))
    }

    fn present<T>(&mut self, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.corrupt("unexpected NULL"))
    }

    /// Reads the next column as a text.
    pub fn text(&mut self) -> Result<String> {
        let value = self.opt_text()?;
        self.present(value)
    }

    /// Reads the next column as a text, without copying it.
    pub fn str(&mut self) -> Result<&'r str> {
        let value = self.opt_str()?;
        self.present(value)
    }

    /// Reads the next column as a text or `NULL`, without copying it.
    pub fn opt_str(&mut self) -> Result<Option<&'r str>> {
        self.take(RawRow::str)
    }

    /// Reads the next column as a text or `NULL`.
    pub fn opt_text(&mut self) -> Result<Option<String>> {
        self.take(RawRow::get)
    }

    /// Reads the next column as an integer.
    pub fn int(&mut self) -> Result<i64> {
        let value = self.opt_int()?;
        self.present(value)
    }

    /// Reads the next column as an integer or `NULL`.
    pub fn opt_int(&mut self) -> Result<Option<i64>> {
        self.take(RawRow::get)
    }

    /// Reads the next column as a number.
    pub fn real(&mut self) -> Result<f64> {
        let value = self.opt_real()?;
        self.present(value)
    }

    /// Reads the next column as a number or `NULL`.
    pub fn opt_real(&mut self) -> Result<Option<f64>> {
        self.take(RawRow::get)
    }

    /// Reads the next column as bytes or `NULL`.
    pub fn opt_blob(&mut self) -> Result<Option<Vec<u8>>> {
        self.take(RawRow::get)
    }

    /// Reads the next column as bytes.
    pub fn blob(&mut self) -> Result<Vec<u8>> {
        let value = self.opt_blob()?;
        self.present(value)
    }

    /// Reads the next column as 0 or 1.
    pub fn flag(&mut self) -> Result<bool> {
        let value = self.opt_flag()?;
        self.present(value)
    }

    /// Reads the next column as 0, 1 or `NULL`.
    pub fn opt_flag(&mut self) -> Result<Option<bool>> {
        match self.opt_int()? {
            None => Ok(None),
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            Some(_) => Err(self.corrupt("neither 0 nor 1")),
        }
    }

    /// Reads the next column as a timestamp.
    pub fn time(&mut self) -> Result<Timestamp> {
        self.int().map(Timestamp::from_micros)
    }

    /// Reads the next column as a timestamp or `NULL`.
    pub fn opt_time(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.opt_int()?.map(Timestamp::from_micros))
    }

    /// Reads the next column as a text that the domain parses, such as an id.
    pub fn parse<T>(&mut self, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T> {
        let text = self.str()?;
        parse(text).map_err(|reason| self.corrupt(reason))
    }

    /// Reads the next column as a text that the domain parses, or `NULL`.
    pub fn opt_parse<T>(
        &mut self,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>> {
        let parsed = self.opt_str()?.map(parse).transpose();
        parsed.map_err(|reason| self.corrupt(reason))
    }
}

/// Reads a single integer. A method of [`Row`] itself would not fit every lifetime.
pub(in crate::store) fn read_int(row: &mut Row<'_>) -> Result<i64> {
    row.int()
}

/// Reads a single text.
pub(in crate::store) fn read_text(row: &mut Row<'_>) -> Result<String> {
    row.text()
}

/// Reads a single timestamp or `NULL`.
pub(in crate::store) fn read_opt_time(row: &mut Row<'_>) -> Result<Option<Timestamp>> {
    row.opt_time()
}
