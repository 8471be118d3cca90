//! The store: SQL, one file per noun.
//!
//! Invariants. A use case reads inside one [`Tx`], which is one snapshot, or writes inside one
//! [`WriteTx`], which is one atomic change. Each query is written once, for SQLite and PostgreSQL,
//! in the method that runs it, with `$1…$n` in order of first appearance (SQLite numbers names that
//! way). Rows never leave this folder: methods accept and return values of the domain. A row that
//! cannot become such a value is [`Corrupt`], never a default and never a panic.
//!
//! Only `engine/` knows a driver. There is deliberately no repository trait: a second
//! implementation would drift. The second engine is a second entry in the folder instead.

mod answering;
mod assignment;
mod change;
mod compose;
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
mod write;

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::error::{Error, Result};
use crate::meter::StoreMeter;

use change::Acts;

pub use answering::{Answering, StoredAnswer};
pub use change::ChangeFilter;
pub use copy::{ColumnKind, CopyProgress, TABLES, Table, TableDigest, compare};
pub use engine::{Checkpoints, Corrupt, Location, Row};
pub use funnel::{Noted, Standing};
pub use list::{Length, List, Paging, Scope};
pub use lock::Locks;
pub use response::{
    Dropping, EarlierFilter, Numbered, QuestionCache, ResponseFilter, ResponseSpan, ResponseWalk,
    Room,
};
pub use session::SessionFilter;
pub use sql::{Arg, Seq, Sql};
pub use submission::SubmissionFilter;

/// An open database. Its lanes for work are in `engine/`, because each engine has its own.
#[derive(Debug)]
pub struct Store {
    engine: engine::Engine,
    spool_folder: PathBuf,
}

impl Store {
    /// Opens the database, creating and migrating it as needed.
    pub async fn open(location: &Location) -> Result<Self> {
        Self::open_with(location, Checkpoints::Own, Arc::default()).await
    }

    /// Opens the database with checkpoints as the operator decides, and a meter.
    pub async fn open_with(
        location: &Location,
        checkpoints: Checkpoints,
        meter: Arc<StoreMeter>,
    ) -> Result<Self> {
        let engine = engine::Engine::open(location, checkpoints, meter).await?;
        Ok(Self { engine, spool_folder: location.spool_folder() })
    }

    /// See [`Location::spool_folder`].
    #[must_use]
    pub fn spool_folder(&self) -> &Path {
        &self.spool_folder
    }

    /// Opens the database for exclusive use. Refused while a server has it open.
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

/// A snapshot in progress, or the reads of an atomic change.
#[derive(Debug)]
pub struct Tx {
    connection: engine::Connection,
    /// Whether its write has begun to put, and refuses further statements at once.
    is_put: bool,
}

/// An atomic change in progress, which reads like any [`Tx`].
#[derive(Debug)]
pub struct WriteTx {
    tx: Tx,
    ledger: list::Ledger,
    locks: Locks,
    acts: Acts,
    /// Whether statements that run at once are refused after the first put.
    is_in_order: bool,
}

impl Deref for WriteTx {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl DerefMut for WriteTx {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }
}

impl WriteTx {
    /// Creates a write that buffers its puts until it ends.
    fn kept(connection: engine::Connection, locks: Locks) -> Self {
        let ledger = list::Ledger::Kept(list::Kept::default());
        Self { tx: Tx::new(connection), ledger, locks, acts: Acts::default(), is_in_order: true }
    }

    /// Creates a write that runs its puts at once.
    fn at_once(connection: engine::Connection, locks: Locks) -> Self {
        let ledger = list::Ledger::Counted(list::Pending::default());
        Self { tx: Tx::new(connection), ledger, locks, acts: Acts::default(), is_in_order: false }
    }

    /// Begins a piece of work with these locks. Unless it is alone, it puts after all its reads.
    fn begin_piece(&mut self, locks: Locks, is_alone: bool) {
        self.locks = locks;
        self.is_in_order = !is_alone;
        self.begin_work();
    }

    /// Accepts reads again: the puts so far belong to another piece of work.
    fn begin_work(&mut self) {
        self.tx.is_put = false;
    }
}

impl Tx {
    fn new(connection: engine::Connection) -> Self {
        Self { connection, is_put: false }
    }

    /// Returns the first row, if any.
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

    /// Returns all rows. For results of bounded size only.
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

    /// Passes each row to `each` without collecting them.
    pub async fn scan(
        &mut self,
        sql: impl Into<Sql>,
        args: &[Arg<'_>],
        each: impl FnMut(&mut Row<'_>) -> Result<()> + Send,
    ) -> Result<()> {
        self.expect_nothing_put()?;
        self.connection.scan(sql.into(), args, each).await
    }

    /// Refuses, in debug builds, a statement after a put: not every engine would let it see the
    /// put, or run both in this order.
    fn expect_nothing_put(&self) -> Result<()> {
        if cfg!(debug_assertions) && self.is_put {
            return Err(Error::internal("a write reads or runs a statement after it has put"));
        }
        Ok(())
    }
}
