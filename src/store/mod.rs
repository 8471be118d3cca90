//! The store: SQL, one file per noun.
//!
//! Invariants. A use case reads or writes inside one [`Tx`], which is one snapshot or one atomic
//! change. Each query is written once, for SQLite and PostgreSQL alike, beside the method that runs
//! it, with `$1…$n` in order of first appearance (SQLite numbers names that way). Rows never leave
//! this folder: methods take and return values of the domain. A row that cannot become such a value
//! is [`Corrupt`], never a default and never a panic.
//!
//! Only `engine/` knows a driver. There is deliberately no repository trait: a second
//! implementation would drift, and the second engine is a second folder entry instead.

mod assignment;
mod change;
mod copy;
mod credential;
mod engine;
mod funnel;
mod idempotency_key;
mod list;
mod lock;
mod look;
mod panelist;
mod participant;
mod project;
mod publication;
mod question;
mod response;
mod screener;
mod secret;
mod session;
mod sql;
mod submission;
mod tenant;
mod verdict;

use std::path::{Path, PathBuf};

use crate::domain::error::Result;

pub use change::ChangeFilter;
pub use copy::{ColumnKind, CopyProgress, TABLES, Table, TableDigest, compare};
pub use engine::{Checkpoints, Corrupt, Location, Row};
pub use list::{Ledger, Length, List, Paging, Scope};
pub use response::{
    EarlierFilter, Numbered, QuestionCache, ResponseFilter, ResponseSpan, ResponseWalk, Room,
};
pub use session::SessionFilter;
pub use sql::{Arg, Sql};
pub use submission::SubmissionFilter;

/// A database, open. The lanes in which work runs are in `engine/`, because each engine has its own.
#[derive(Debug)]
pub struct Store {
    engine: engine::Engine,
    spool_folder: PathBuf,
}

impl Store {
    /// Opens the database, creating and migrating it as needed.
    pub async fn open(location: &Location) -> Result<Self> {
        Self::open_with(location, Checkpoints::Own).await
    }

    /// The same, with checkpoints as the operator decides.
    pub async fn open_with(location: &Location, checkpoints: Checkpoints) -> Result<Self> {
        let engine = engine::Engine::open(location, checkpoints).await?;
        Ok(Self { engine, spool_folder: location.spool_folder() })
    }

    /// See [`Location::spool_folder`].
    #[must_use]
    pub fn spool_folder(&self) -> &Path {
        &self.spool_folder
    }

    /// The same, for whoever wants it alone: refused while a server has it open.
    pub async fn open_alone(location: &Location) -> Result<Self> {
        engine::Engine::refuse_servers(location).await?;
        Self::open(location).await
    }

    /// Reads a page: inline, or as a scan if it takes long.
    pub async fn page<T, F>(&self, share: &str, length: Length, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        match length {
            Length::Short => self.read(work).await,
            Length::Long => self.scan(share, work).await,
        }
    }
}

/// One snapshot or one atomic change in progress.
#[derive(Debug)]
pub struct Tx {
    connection: engine::Connection,
    pending: list::Pending,
}

impl Tx {
    fn new(connection: engine::Connection) -> Self {
        Self { connection, pending: list::Pending::default() }
    }

    /// Runs a statement and says how many rows it changed.
    pub async fn exec(&mut self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<u64> {
        self.connection.exec(sql.into(), args).await
    }

    /// Runs a statement that changes at most one row; `false` if it changed none.
    pub(super) async fn exec_one(&mut self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<bool> {
        Ok(self.exec(sql, args).await? == 1)
    }

    /// Analyzes the tables on PostgreSQL after they have grown. It plans by the statistics that it has,
    /// and would scan a whole table that it takes for a small one. SQLite's plans do not depend on
    /// sizes.
    pub async fn analyze(&mut self) -> Result<()> {
        if self.connection.is_only_writer() {
            return Ok(());
        }
        let tables = "ANALYZE projects, screeners, publications, questions, options, participants,
            assignments, sessions, responses, submissions, list_totals, list_marks, changes";
        self.exec(tables, &[]).await.map(|_| ())
    }

    /// The first row, if there is one.
    pub async fn one<T: Send>(
        &mut self,
        sql: impl Into<Sql>,
        args: &[Arg<'_>],
        mut map: impl FnMut(&mut Row<'_>) -> Result<T> + Send,
    ) -> Result<Option<T>> {
        let mut first = None;
        self.scan(sql, args, |row| {
            if first.is_none() {
                first = Some(map(row)?);
            }
            Ok(())
        })
        .await?;
        Ok(first)
    }

    /// Every row; for results whose size is bounded.
    pub async fn all<T: Send>(
        &mut self,
        sql: impl Into<Sql>,
        args: &[Arg<'_>],
        mut map: impl FnMut(&mut Row<'_>) -> Result<T> + Send,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.scan(sql, args, |row| {
            rows.push(map(row)?);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// Hands over row after row without collecting them.
    pub async fn scan(
        &mut self,
        sql: impl Into<Sql>,
        args: &[Arg<'_>],
        each: impl FnMut(&mut Row<'_>) -> Result<()> + Send,
    ) -> Result<()> {
        self.connection.scan(sql.into(), args, each).await
    }
}
