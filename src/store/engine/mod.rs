//! The two drivers. Only `sqlite/` and `postgres.rs` know theirs.

mod migrations;
mod postgres;
mod row;
mod sqlite;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sqlx::error::DatabaseError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Arguments as _, AssertSqlSafe, Connection as _, Postgres};

use super::{Arg, Locks, Seq, Sql, Store, Tx, WriteTx};
use crate::domain::error::{Error, Kind, Result, io_cause};
use crate::meter::{Readings, StoreMeter};
use row::RawRow;

pub use row::{Corrupt, Row};
pub(super) use row::{read_int, read_opt_time, read_text};

/// The location of a database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Location {
    /// A file of the embedded engine.
    Sqlite(PathBuf),
    /// The address of a PostgreSQL server.
    Postgres(String),
}

impl Location {
    /// Reads `sqlite://FILE` or `postgres://…`.
    pub fn parse(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            if path.is_empty() || path.contains(['?', '#']) || path == ":memory:" {
                return Err("Must name a file behind sqlite://.".into());
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err("Must be sqlite://FILE or postgres://USER@HOST/NAME.".into())
    }

    /// Returns the PostgreSQL server whose identity nothing verifies, if it is on another machine.
    #[must_use]
    pub fn unverified_server(&self) -> Option<String> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(url) => postgres::unverified_server(url),
        }
    }

    /// Returns the canonical location: the path of a file is absolute and without symbolic links.
    /// The files next to a database are named after this path.
    pub fn resolved(&self) -> Result<Self> {
        match self {
            Self::Sqlite(path) => sqlite::resolve(path).map(Self::Sqlite),
            Self::Postgres(_) => Ok(self.clone()),
        }
    }

    /// Returns the name for errors: the path of a file, or the name and server of a database,
    /// without a password.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(url) => postgres::name(url),
        }
    }

    /// Returns the file of the embedded engine, if this is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// Returns the folder for the server's temporary files: the folder of the database file, which
    /// has room for them, or the system's folder if there is no file.
    #[must_use]
    pub fn spool_folder(&self) -> PathBuf {
        match self.file().map(Path::parent) {
            None => std::env::temp_dir(),
            Some(Some(parent)) if !parent.as_os_str().is_empty() => parent.to_owned(),
            Some(_) => PathBuf::from("."),
        }
    }
}

/// The process that checkpoints and truncates the write-ahead log of the embedded engine.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Checkpoints {
    /// This process.
    #[default]
    Own,
    /// A tool that replicates the log, such as Litestream. Frames that it has not read must stay.
    External,
}

impl Checkpoints {
    /// Reads `own` or `external`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "own" => Ok(Self::Own),
            "external" => Ok(Self::External),
            _ => Err("Must be own or external.".into()),
        }
    }
}

#[derive(Debug)]
pub(super) enum Engine {
    Sqlite(Box<sqlite::Sqlite>),
    Postgres(postgres::Postgres),
}

impl Engine {
    /// Refuses a database that a server has open. For a file this is a no-op, because its lock file
    /// is checked when it is opened.
    pub(super) async fn refuse_servers(location: &Location) -> Result<()> {
        match location {
            Location::Sqlite(_) => Ok(()),
            Location::Postgres(url) => postgres::refuse_servers(url).await,
        }
    }

    pub(super) async fn open(
        location: &Location,
        checkpoints: Checkpoints,
        meter: Arc<StoreMeter>,
    ) -> Result<Self> {
        match location {
            Location::Sqlite(path) => {
                let sqlite = sqlite::Sqlite::open(path, checkpoints, meter).await?;
                Ok(Self::Sqlite(Box::new(sqlite)))
            }
            Location::Postgres(url) => {
                postgres::Postgres::open(url, meter).await.map(Self::Postgres)
            }
        }
    }
}

/// The lanes of a store.
impl Store {
    /// Runs reads against one snapshot.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
        T: Send,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.readers.read(work).await,
            Engine::Postgres(postgres) => Box::pin(postgres.read(work)).await,
        }
    }

    /// Runs a read of one statement, which requires no snapshot of its own.
    pub async fn look_up<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Clone + Send,
        T: Send,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.readers.read(work).await,
            Engine::Postgres(postgres) => postgres.look_up(work).await,
        }
    }

    /// Runs long reads against one snapshot, in a lane where shares (usually tenants) take turns.
    /// Dropping the future interrupts the running statement, on PostgreSQL by closing its
    /// connection.
    ///
    /// The work may await the transaction only: SQLite refuses work that waits for anything else.
    pub async fn scan<T, F>(&self, share: &str, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.scans.run(share, work).await,
            Engine::Postgres(postgres) => Box::pin(postgres.scan(share, work)).await,
        }
    }

    /// Runs the reads of an export against one snapshot. They run inline, so the caller provides a
    /// thread that may block. On SQLite a reader keeps the snapshot for as long as the export
    /// reads. On PostgreSQL exports have connections of their own.
    pub async fn export<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
        T: Send,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.readers.read(work).await,
            Engine::Postgres(postgres) => Box::pin(postgres.export(work)).await,
        }
    }

    /// Runs one atomic change, and returns after it is durable.
    ///
    /// The locks are acquired before the work begins, which first reads and then puts. If the
    /// caller leaves before the change has begun, it never begins. The work may await the
    /// transaction only: SQLite refuses and undoes work that waits for anything else.
    pub async fn write<T, F>(&self, locks: Locks, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut WriteTx) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(locks, work).await,
            Engine::Postgres(postgres) => Box::pin(postgres.write(locks, work)).await,
        }
    }

    /// Runs one atomic change that may take long and change most of the database, in bounded
    /// memory. It locks exclusively: other writes wait for a short one and are refused during a
    /// long one, while reads continue. On PostgreSQL this applies to the tenants that it has
    /// locked, and its changes are on the server's disk until COMMIT.
    pub async fn write_alone<T, F>(&self, locks: Locks, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut WriteTx) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write_alone(locks, work).await,
            Engine::Postgres(postgres) => Box::pin(postgres.write_alone(locks, work)).await,
        }
    }

    /// Finishes all running work and closes every connection. SQLite finishes queued writes, too;
    /// on PostgreSQL, writes that wait for their turn are refused.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close().await,
        }
    }
}

/// The gauges of a store.
impl Store {
    /// Returns how many writes wait for their turn.
    #[must_use]
    pub fn waiting_writes(&self) -> usize {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.waiting_writes(),
            Engine::Postgres(postgres) => postgres.waiting_writes(),
        }
    }

    /// Returns how many reads run, by lane.
    #[must_use]
    pub fn running_reads(&self) -> Readings {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.running_reads(),
            Engine::Postgres(postgres) => postgres.busy_connections(),
        }
    }
}

/// A connection inside a transaction.
///
/// Futures of PostgreSQL's driver are boxed. Otherwise every future that runs a statement would
/// have room for them, and SQLite's calls, which never wait, would move that room, too.
#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(PoolConnection<Postgres>),
}

/// Returns a statement with its arguments.
fn query(sql: Sql, args: &[Arg<'_>]) -> Query<'static, Postgres, PgArguments> {
    let mut bound = PgArguments::default();
    for arg in args {
        // Encoding these types cannot fail. The request limits bound their sizes.
        let _ = match *arg {
            Arg::Text(value) => bound.add(value),
            Arg::Int(value) => bound.add(value),
            Arg::Real(value) => bound.add(value),
            Arg::Blob(value) => bound.add(value),
            Arg::Seq(Seq::Known(value)) => bound.add(value),
            // A kept statement contains its number instead. This one fails.
            Arg::Seq(Seq::Kept { .. }) => bound.add(None::<i64>),
        };
    }
    sqlx::query_with(AssertSqlSafe(sql), bound)
}

impl Connection {
    /// Returns whether a transaction of this connection excludes all other writers.
    pub(super) fn is_only_writer(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(_) => false,
        }
    }

    pub(super) async fn exec(&mut self, sql: Sql, args: &[Arg<'_>]) -> Result<u64> {
        match self {
            Self::Sqlite(driver) => sqlite::exec(driver, &sql, args),
            Self::Postgres(driver) => {
                let done = Box::pin(query(sql, args).execute(&mut **driver)).await;
                Ok(done.map_err(driver_error)?.rows_affected())
            }
        }
    }

    pub(super) async fn scan(
        &mut self,
        sql: Sql,
        args: &[Arg<'_>],
        mut each: impl FnMut(&mut Row<'_>) -> Result<()> + Send,
    ) -> Result<()> {
        match self {
            Self::Sqlite(driver) => sqlite::scan(driver, &sql, args, each),
            Self::Postgres(driver) => {
                let rows = async {
                    let mut rows = query(sql, args).fetch(&mut **driver);
                    while let Some(row) = rows.try_next().await.map_err(driver_error)? {
                        each(&mut Row::new(RawRow::Postgres(&row)))?;
                    }
                    Ok(())
                };
                Box::pin(rows).await
            }
        }
    }

    /// Runs a statement that returns one row, with `columns` counts after its first column.
    pub(super) async fn counts(
        &mut self,
        sql: String,
        args: &[Arg<'_>],
        (columns, is_prepared): (usize, bool),
    ) -> Result<Vec<u64>> {
        let Self::Postgres(driver) = self else {
            return Err(Error::internal("this engine keeps no statements"));
        };
        let statement = query(sql.into(), args).persistent(is_prepared);
        let row = statement.fetch_one(&mut **driver).await.map_err(driver_error)?;
        let mut row = Row::new(RawRow::Postgres(&row));
        row.skip_id();
        let count = |_| Ok(u64::try_from(row.int()?).unwrap_or_default());
        (0..columns).map(count).collect()
    }

    /// Runs statements without arguments, in one packet.
    async fn simple(&mut self, sql: &str) -> Result<()> {
        let Self::Postgres(driver) = self else {
            return Err(Error::internal("this engine sends no packets"));
        };
        let statements = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        statements.execute(&mut **driver).await.map_err(driver_error).map(|_| ())
    }

    /// Returns whether the server still responds.
    async fn is_alive(&mut self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(driver) => driver.ping().await.is_ok(),
        }
    }
}

/// SQLite's codes for temporary failures: busy, locked, memory, interrupt, I/O, full, cannot open.
const UNAVAILABLE_SQLITE: [i32; 7] = [5, 6, 7, 9, 10, 13, 14];
/// PostgreSQL's classes and codes for it: lost connections (08), a read-only database such as a
/// standby or one short of disk (25006), a transaction that was idle for too long (25P03),
/// serialization failures and deadlocks (40), out of resources (53), a lock timeout (55P03),
/// shut-downs (57), I/O (58).
const UNAVAILABLE_POSTGRES: [&str; 8] = ["08", "25006", "25P03", "40", "53", "55P03", "57", "58"];

fn is_unavailable(error: &sqlx::Error) -> bool {
    let Some(database) = error.as_database_error() else {
        return matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
        );
    };
    database.code().is_some_and(|code| {
        // SQLite's codes are numbers of up to four digits, PostgreSQL's have five characters.
        let sqlite = code.parse::<i32>().ok().filter(|_| code.len() < 5);
        sqlite.is_some_and(|code| UNAVAILABLE_SQLITE.contains(&(code & 0xff)))
            || code.len() == 5 && UNAVAILABLE_POSTGRES.iter().any(|class| code.starts_with(class))
    })
}

/// PostgreSQL's code for a lock that was not acquired in time.
const LOCK_TIMEOUT: &str = "55P03";

fn driver_error(error: sqlx::Error) -> Error {
    if error.as_database_error().and_then(DatabaseError::code).is_some_and(|it| it == LOCK_TIMEOUT)
    {
        let detail = "Another write, such as an import, holds a lock that this write needs. Try \
                      again later.";
        return Error::new(Kind::Unavailable, detail).caused_by(error);
    }
    if is_unavailable(&error) { unavailable(error) } else { Error::internal(error) }
}

/// Returns the error of a database that cannot be opened, with its name and the cause.
fn cannot_open(name: impl Display, why: impl Display) -> Error {
    Error::new(Kind::Unavailable, format!("cannot open {name}: {why}"))
}

/// The reason for refusing a database with other tables: this program would add its own to them.
const FOREIGN: &str = "it is the database of another program";

/// Returns a driver's error as text that may follow the name of a database.
fn driver_words(error: &sqlx::Error) -> String {
    if let sqlx::Error::Io(error) = error {
        io_cause(error)
    } else if let sqlx::Error::Database(error) = error {
        error.message().to_owned()
    } else {
        error.to_string()
    }
}

fn sqlite_error(error: rusqlite::Error) -> Error {
    let code = error.sqlite_error().map(|error| error.extended_code & 0xff);
    let not_now = code.is_some_and(|code| UNAVAILABLE_SQLITE.contains(&code));
    if not_now { unavailable(error) } else { Error::internal(error) }
}

fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Kind::Unavailable, "The database cannot serve this now. Try again later.")
        .caused_by(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_sqlite_is_temporary_by_its_kind_in_whatever_detail() {
        let kind = |code| {
            let error = rusqlite::ffi::Error::new(code);
            sqlite_error(rusqlite::Error::SqliteFailure(error, None)).kind()
        };
        // Busy, busy with a snapshot, a read that failed, full.
        for code in [5, 517, 266, 13] {
            assert_eq!(kind(code), Kind::Unavailable, "{code}");
        }
        // A unique constraint, a damaged file.
        for code in [2067, 11] {
            assert_eq!(kind(code), Kind::Internal, "{code}");
        }
    }
}
