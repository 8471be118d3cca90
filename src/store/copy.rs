//! A whole database, copied from one store into another, of either engine.
//!
//! Every table is read in batches, in the order of its primary key, which is the same on both
//! engines. The digest of all rows is computed on the way. The copy is then read back, and must
//! have the same rows and the same digest.

mod tables;

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::engine::read_int;
use super::sql::RowArgs;
use super::{Arg, Locks, Row, Store, Tx, WriteTx};
use crate::domain::error::{Error, Kind, Result};

pub use tables::{ColumnKind, TABLES, Table};

/// Rows of a batch, which are read together and written in one transaction.
const BATCH_ROWS: usize = 1024;
/// Rows of one INSERT: with the widest table it has 2240 arguments, far below the limits of the
/// engines.
const INSERT_ROWS: usize = 64;

/// A summary of a table's content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableDigest {
    /// The name of the table.
    pub table: &'static str,
    /// The number of its rows.
    pub rows: u64,
    /// SHA-256 of all rows in the order of their keys; the same on both engines.
    pub digest: [u8; 32],
}

/// The progress of a copy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CopyProgress {
    /// The current table.
    pub table: &'static str,
    /// The number of rows that have been copied or read back.
    pub done: u64,
    /// The number of rows to copy and to read back.
    pub total: u64,
}

/// The value of a cell.
#[derive(Clone, Debug)]
enum Cell {
    Null,
    Text(String),
    Int(i64),
    Real(f64),
    Blob(Vec<u8>),
}

impl Cell {
    fn read(row: &mut Row<'_>, kind: ColumnKind) -> Result<Self> {
        Ok(match kind {
            ColumnKind::Text => row.opt_text()?.map_or(Self::Null, Self::Text),
            ColumnKind::Int => row.opt_int()?.map_or(Self::Null, Self::Int),
            ColumnKind::Real => row.opt_real()?.map_or(Self::Null, Self::Real),
            ColumnKind::Blob => Self::Blob(row.blob()?),
        })
    }

    /// Returns the cell as an argument. PostgreSQL requires the type of a NULL, too.
    fn arg(&self, kind: ColumnKind) -> Arg<'_> {
        match self {
            Self::Text(text) => Arg::Text(Some(text)),
            Self::Int(number) => Arg::Int(Some(*number)),
            Self::Real(number) => Arg::Real(Some(*number)),
            Self::Blob(bytes) => Arg::Blob(bytes),
            Self::Null => match kind {
                ColumnKind::Int => Arg::Int(None),
                ColumnKind::Real => Arg::Real(None),
                ColumnKind::Text | ColumnKind::Blob => Arg::Text(None),
            },
        }
    }

    /// Adds the cell to a digest, in a form that no other cell has.
    fn digest(&self, digest: &mut Sha256) {
        let mut bytes = |tag: u8, bytes: &[u8]| {
            digest.update([tag]);
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        };
        match self {
            Self::Null => bytes(0, &[]),
            Self::Text(text) => bytes(1, text.as_bytes()),
            Self::Int(number) => bytes(2, &number.to_be_bytes()),
            // Adding zero turns a negative zero, which SQLite does not store, into a positive one.
            Self::Real(number) => bytes(3, &(number + 0.0).to_be_bytes()),
            Self::Blob(blob) => bytes(4, blob),
        }
    }
}

type Cells = Vec<Cell>;

/// The digest of a table while its rows are read.
struct Digesting {
    table: &'static str,
    rows: u64,
    digest: Sha256,
}

impl Digesting {
    fn new(table: &Table) -> Self {
        Self { table: table.name, rows: 0, digest: Sha256::new() }
    }

    fn add(&mut self, batch: &[Cells]) {
        for cell in batch.iter().flatten() {
            cell.digest(&mut self.digest);
        }
        self.rows += batch.len() as u64;
    }

    fn finish(self) -> TableDigest {
        let Self { table, rows, digest } = self;
        TableDigest { table, rows, digest: digest.finalize().into() }
    }
}

impl Table {
    fn column_names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    fn key_names(&self) -> String {
        let names: Vec<_> = self.columns[..self.key].iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// Returns the statement that reads the next rows: the first ones, or those after a key.
    fn select(&self, is_first: bool) -> String {
        let Self { name, key, .. } = self;
        let (columns, keys) = (self.column_names(), self.key_names());
        let mut sql = format!("SELECT {columns} FROM {name}");
        let behind = if is_first { 0 } else { *key };
        if !is_first {
            let places: Vec<_> = (1..=behind).map(|place| format!("${place}")).collect();
            // Writing to a String cannot fail.
            let _ = write!(sql, " WHERE ({keys}) > ({})", places.join(", "));
        }
        let _ = write!(sql, " ORDER BY {keys} LIMIT ${}", behind + 1);
        sql
    }
}

impl Tx {
    async fn count_rows(&mut self, table: &Table) -> Result<u64> {
        let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) FROM {}", table.name);
        let count = self.one(sql, &[], read_int).await?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    async fn is_empty_table(&mut self, table: &Table) -> Result<bool> {
        let sql = format!("SELECT CAST(1 AS BIGINT) FROM {} LIMIT 1", table.name);
        Ok(self.one(sql, &[], read_int).await?.is_none())
    }

    /// Returns the rows after `last`, or the first ones.
    async fn rows_behind(&mut self, table: &Table, last: Option<&Cells>) -> Result<Vec<Cells>> {
        let keys = last.into_iter().flatten().take(table.key).zip(table.columns);
        let mut args: Vec<_> = keys.map(|(cell, (_, kind))| cell.arg(*kind)).collect();
        args.push(Arg::Int(i64::try_from(BATCH_ROWS).ok()));
        self.all(table.select(last.is_none()), &args, |row| {
            row.of(table.name);
            table.columns.iter().map(|(_, kind)| Cell::read(row, *kind)).collect()
        })
        .await
    }

    /// Reads a whole table, and calls `each` with every batch.
    async fn each_batch<F>(&mut self, table: &Table, mut each: F) -> Result<TableDigest>
    where
        F: AsyncFnMut(Vec<Cells>) -> Result<()>,
    {
        let (mut digesting, mut last) = (Digesting::new(table), None);
        loop {
            let batch = self.rows_behind(table, last.as_ref()).await?;
            let Some(end) = batch.last() else { return Ok(digesting.finish()) };
            last = Some(end.clone());
            digesting.add(&batch);
            each(batch).await?;
        }
    }
}

impl WriteTx {
    async fn add_rows(&mut self, table: &Table, rows: &[Cells]) -> Result<()> {
        for rows in rows.chunks(INSERT_ROWS) {
            let mut values = RowArgs::new(&[]);
            for row in rows {
                let cells = row.iter().zip(table.columns);
                let args: Vec<_> = cells.map(|(cell, (_, kind))| cell.arg(*kind)).collect();
                values.push(&args);
            }
            let (name, columns) = (table.name, table.column_names());
            let sql = format!("INSERT INTO {name} ({columns}) VALUES {}", values.placeholders);
            self.exec(sql, &values.args).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Returns the digest of every table, read in one snapshot.
    pub async fn digests(
        &self,
        each: &mut (dyn FnMut(&'static str, u64) + Send),
    ) -> Result<Vec<TableDigest>> {
        self.read(async |tx| {
            let mut digests = Vec::new();
            for table in TABLES {
                let digest = tx
                    .each_batch(table, async |batch| {
                        each(table.name, batch.len() as u64);
                        Ok(())
                    })
                    .await?;
                digests.push(digest);
            }
            Ok(digests)
        })
        .await
    }

    /// Copies every row into an empty database, and reads the copy back. Returns the digests of the
    /// tables.
    ///
    /// The source is read in one snapshot. If the copy fails, the rows written so far stay.
    pub async fn copy_to(
        &self,
        target: &Self,
        mut progress: impl FnMut(CopyProgress) + Send,
    ) -> Result<Vec<TableDigest>> {
        target.refuse_rows().await?;
        let (mut done, mut total) = (0, 0);
        let mut each = |table, rows, total| {
            done += rows;
            progress(CopyProgress { table, done, total });
        };
        let copied = self
            .read(async |tx| {
                for table in TABLES {
                    total += 2 * tx.count_rows(table).await?;
                }
                let mut digests = Vec::new();
                for table in TABLES {
                    let add = async |batch: Vec<Cells>| {
                        let rows = batch.len() as u64;
                        let add = async move |tx: &mut WriteTx| tx.add_rows(table, &batch).await;
                        target.write(Locks::none(), add).await?;
                        each(table.name, rows, total);
                        Ok(())
                    };
                    digests.push(tx.each_batch(table, add).await?);
                }
                Ok(digests)
            })
            .await?;
        let read_back = target.digests(&mut |table, rows| each(table, rows, total)).await?;
        compare(&copied, &read_back)?;
        Ok(copied)
    }

    async fn refuse_rows(&self) -> Result<()> {
        self.read(async |tx| {
            for table in TABLES {
                if !tx.is_empty_table(table).await? {
                    let reason = format!("It is not empty: the table {} has rows.", table.name);
                    return Err(Error::invalid_field("to", reason));
                }
            }
            Ok(())
        })
        .await
    }
}

/// Fails at the first table in which two databases differ.
pub fn compare(source: &[TableDigest], copy: &[TableDigest]) -> Result<()> {
    for (source, copy) in source.iter().zip(copy) {
        let TableDigest { table, rows, digest } = source;
        let what = if *rows != copy.rows {
            format!("it has {} rows instead of {rows}", copy.rows)
        } else if *digest != copy.digest {
            "its rows have another digest".to_owned()
        } else {
            continue;
        };
        let detail = format!("The copy differs from the source in the table {table}: {what}.");
        return Err(Error::new(Kind::Internal, detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_from_key_to_key_with_placeholders_in_order() {
        let table = Table {
            name: "t",
            key: 2,
            columns: &[("a", ColumnKind::Text), ("b", ColumnKind::Int), ("c", ColumnKind::Real)],
        };
        assert_eq!(table.select(true), "SELECT a, b, c FROM t ORDER BY a, b LIMIT $1");
        let next = "SELECT a, b, c FROM t WHERE (a, b) > ($1, $2) ORDER BY a, b LIMIT $3";
        assert_eq!(table.select(false), next);
    }

    #[test]
    fn no_two_rows_have_one_digest() {
        let of = |cells: &[Cell]| {
            let mut digesting = Digesting::new(&TABLES[0]);
            digesting.add(&[cells.to_vec()]);
            digesting.finish().digest
        };
        let text = |text: &str| Cell::Text(text.to_owned());
        let rows = [
            of(&[text("a"), text("bc")]),
            of(&[text("ab"), text("c")]),
            of(&[text(""), text("abc")]),
            of(&[Cell::Null, text("abc")]),
            of(&[Cell::Int(1)]),
            of(&[Cell::Real(1.0)]),
            of(&[Cell::Blob(vec![1])]),
        ];
        for (place, row) in rows.iter().enumerate() {
            assert!(!rows[..place].contains(row), "{place}");
        }
        assert_eq!(of(&[Cell::Real(0.0)]), of(&[Cell::Real(-0.0)]));
    }
}
