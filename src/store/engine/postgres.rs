//! PostgreSQL: small pools, and a transaction for every write.
//!
//! The network makes round trips to the server expensive. The locks of a write are sent with its
//! BEGIN, and all its changes are one statement before its COMMIT. A read of one statement has no
//! transaction.
//!
//! A write never runs twice: once its first statement was sent, only the caller knows whether a
//! retry makes sense. Only its beginning is retried, which has had no effect yet. A look-up, which
//! changes nothing, runs again on another connection if its own is dead.

mod transaction;
mod turns;
mod url;

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use tokio::time::Instant;

use super::{Connection, FOREIGN, cannot_open, driver_error, migrations, unavailable};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::TenantId;
use crate::meter::{Readings, StoreMeter, count};
use crate::store::{Locks, TABLES, Tx, WriteTx};
use transaction::{CloseUnlessFinished, Transaction};
use turns::{Limits, Turns};
use url::{name_of, not_opened, read_url};

pub(super) use url::{name, unverified_server};

/// Connections of reads. Waiting writes do not delay credentials and pages.
const READ_MAX_CONNECTIONS: u32 = 8;
/// Connections of writes. More would make the counts of a tenant slower.
const WRITE_MAX_CONNECTIONS: u32 = 16;
/// The most connections of one tenant's writes. While one write commits, the next one can wait at
/// the tenant's counts, even over a slow network.
const TENANT_WRITE_MAX_CONNECTIONS: usize = 6;
/// The most connections with which a tenant's writes wait for locks of other processes. During an
/// import, the rest is left to other tenants, unless it writes to eight or more.
const TENANT_LOCKING_MAX_CONNECTIONS: usize = 2;
/// Read connections for long reads. The rest is for short ones.
const SCAN_MAX_CONNECTIONS: usize = 6;
/// The most read connections for one tenant's long reads.
const TENANT_SCAN_MAX_CONNECTIONS: usize = 3;
/// The most prepared statements of a connection: the shapes of frequent writes. Each takes memory
/// of PostgreSQL in each connection.
const STATEMENTS_MAX: usize = 128;
/// Connections of exports, which take long: one for each concurrent export of a server, opened on
/// demand, so that exports never make other callers wait for a connection.
const EXPORT_MAX_CONNECTIONS: u32 = 8;
/// How long an idle connection of exports stays open. Most servers export seldom.
const EXPORT_IDLE_MAX: Duration = Duration::from_secs(10);
/// How long a caller waits for its turn and a connection: half the maximum duration of a request.
const ACQUIRE_DEADLINE: Duration = Duration::from_secs(15);

/// How long the end of a read may take. Its connection is lost then.
const READ_END_MAX: Duration = Duration::from_secs(2);
/// How long the server waits for its connections when it stops. Those that a lost network holds up
/// end with the process.
const CLOSE_MAX: Duration = Duration::from_secs(1);
/// How long an attempt to connect may take that learns why the database cannot be reached.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How long a connection waits for a lock: no longer than a caller waits for a response.
const LOCK_WAIT_MAX_MS: u64 = 10_000;
/// How long a transaction may be idle. This bounds how long the locks of a disconnected server can
/// block others.
const TRANSACTION_SILENCE_MAX_MS: u64 = 30_000;
/// How long a statement may continue, or wait for a lock, after its connection was closed because
/// its caller left.
const DEPARTURE_CHECK_MS: u64 = 200;

/// The start of a write. Regardless of the role's default, a write sees all commits before it got
/// its locks.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// The end of a write that may have ignored the failure of a statement. A plain COMMIT would roll
/// back without an error, and the driver does not report which it was. Any other statement fails in
/// a failed transaction.
const CHECK_AND_COMMIT: &str = "SELECT 1; COMMIT";

#[derive(Debug)]
pub(in crate::store) struct Postgres {
    reads: PgPool,
    writes: PgPool,
    exports: PgPool,
    turns: Turns,
    scan_turns: Turns,
    meter: Arc<StoreMeter>,
}

/// The application name under which the server lists this program's connections.
const APPLICATION_NAME: &str = "screenerd";

/// Refuses a database to which another process of this program is connected.
pub(super) async fn refuse_servers(url: &str) -> Result<()> {
    let options = read_url(url)?;
    let mut connection = connect(&options).await.map_err(|error| not_opened(&options, &error))?;
    let others: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()",
    )
    .bind(APPLICATION_NAME)
    .fetch_one(&mut connection)
    .await
    .map_err(driver_error)?;
    connection.close().await.map_err(driver_error)?;
    if others > 0 {
        return Err(cannot_open(name_of(&options), "another screenerd process has it open"));
    }
    Ok(())
}

impl Postgres {
    pub(super) async fn open(url: &str, meter: Arc<StoreMeter>) -> Result<Self> {
        let options = read_url(url)?.application_name(APPLICATION_NAME);
        // Waits are visible in the database, so statements need no log.
        let options = options.disable_statement_logging().statement_cache_capacity(STATEMENTS_MAX);
        migrate(options.clone()).await?;
        let pool_options = PgPoolOptions::new()
            .acquire_timeout(ACQUIRE_DEADLINE)
            // BEGIN detects dead connections as well, and is sent anyway.
            .test_before_acquire(false)
            .after_connect(|connection, _| Box::pin(admit(connection)));
        let exports = pool_options
            .clone()
            .max_connections(EXPORT_MAX_CONNECTIONS)
            .idle_timeout(EXPORT_IDLE_MAX)
            .connect_lazy_with(options.clone());
        let writes = pool_options
            .clone()
            .max_connections(WRITE_MAX_CONNECTIONS)
            .connect_lazy_with(options.clone());
        let reads = pool_options
            .max_connections(READ_MAX_CONNECTIONS)
            // An idle server keeps one connection, by which `refuse_servers` detects it.
            .min_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(|error| not_opened(&options, &error))?;
        let turns = Turns::new(Limits {
            all: WRITE_MAX_CONNECTIONS as usize,
            tenant: TENANT_WRITE_MAX_CONNECTIONS,
            locking: TENANT_LOCKING_MAX_CONNECTIONS,
        });
        // Scans lock nothing.
        let scan_turns = Turns::new(Limits {
            all: SCAN_MAX_CONNECTIONS,
            tenant: TENANT_SCAN_MAX_CONNECTIONS,
            locking: TENANT_SCAN_MAX_CONNECTIONS,
        });
        Ok(Self { reads, writes, exports, turns, scan_turns, meter })
    }

    pub(super) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
        T: Send,
    {
        read(&self.reads, async { Ok(()) }, work).await
    }

    /// Runs a long read in its tenant's turn.
    pub(super) async fn scan<T, F>(&self, share: &str, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
        T: Send,
    {
        let locks = Locks::none();
        read(&self.reads, self.scan_turns.take(share, &locks), work).await
    }

    /// Runs a read of one statement. If its connection is dead, another one runs it.
    pub(super) async fn look_up<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Clone + Send,
        T: Send,
    {
        let mut dead = 0;
        loop {
            let connection = self.reads.acquire().await.map_err(driver_error)?;
            let tx = Tx::new(Connection::Postgres(connection));
            let mut open = CloseUnlessFinished { tx, is_finished: false };
            let done = work.clone()(&mut open.tx).await;
            open.is_finished = match &done {
                Err(error) if error.kind() == Kind::Unavailable => {
                    open.tx.connection().is_alive().await
                }
                Ok(_) | Err(_) => true,
            };
            if open.is_finished || dead == READ_MAX_CONNECTIONS {
                return done;
            }
            dead += 1;
        }
    }

    /// Runs a read on a connection of exports.
    pub(super) async fn export<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
        T: Send,
    {
        read(&self.exports, async { Ok(()) }, work).await
    }

    pub(super) async fn write<T, F>(&self, locks: Locks, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut WriteTx) -> Result<T> + Send,
        T: Send,
    {
        self.run_write(WriteTx::kept, locks, work).await
    }

    pub(super) async fn write_alone<T, F>(&self, locks: Locks, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut WriteTx) -> Result<T> + Send,
        T: Send,
    {
        self.run_write(WriteTx::at_once, locks, work).await
    }

    async fn run_write<T, F>(
        &self,
        make: fn(Connection, Locks) -> WriteTx,
        locks: Locks,
        work: F,
    ) -> Result<T>
    where
        F: AsyncFnOnce(&mut WriteTx) -> Result<T> + Send,
        T: Send,
    {
        // The first statements are one packet.
        let begin = match locks.statement() {
            Some(locks) => format!("{BEGIN_WRITE}; {locks}"),
            None => BEGIN_WRITE.to_owned(),
        };
        let queued = Instant::now();
        let opened = async {
            let tenant = locks.tenant().map_or("", TenantId::as_str);
            let mut turn = self.turns.take(tenant, &locks).await?;
            let open = begin_with(&self.writes, &begin, |it| make(it, locks.clone())).await;
            turn.locked();
            open.map(|open| (turn, open))
        };
        let opened = tokio::time::timeout(ACQUIRE_DEADLINE, opened).await;
        // Also of a write that waited in vain.
        self.meter.waited(queued.elapsed());
        let (_turn, mut open) = opened.map_err(unavailable)??;
        let work_from = Instant::now();
        // As on SQLite, a panic in a write becomes an error.
        let panicked = || Err(Error::internal("a write panicked"));
        let done = async {
            let value = work(&mut open.tx).await?;
            open.tx.finish().await.map(|is_sound| (value, is_sound))
        };
        let done = AssertUnwindSafe(done).catch_unwind().await.unwrap_or_else(|_| panicked());
        let committed = open.end(match done {
            Ok((_, true)) => "COMMIT",
            Ok((_, false)) => CHECK_AND_COMMIT,
            Err(_) => "ROLLBACK",
        });
        let committed = committed.await;
        let (value, _) = done?;
        if let Err(error) = committed {
            self.meter.commit_failed();
            return Err(in_doubt(error));
        }
        self.meter.committed(1, work_from.elapsed());
        open.tx.acts.count(&self.meter);
        Ok(value)
    }

    /// Returns how many writes wait for their turn.
    pub(super) fn waiting_writes(&self) -> usize {
        self.turns.waiting()
    }

    /// Returns how many connections of each pool are busy.
    pub(super) fn busy_connections(&self) -> Readings {
        let pools = [("read", &self.reads), ("write", &self.writes), ("export", &self.exports)];
        let busy = |pool: &PgPool| (pool.size() as usize).saturating_sub(pool.num_idle());
        pools.map(|(name, pool)| (name, count(busy(pool)))).into()
    }

    pub(super) async fn close(&self) {
        let pools = [&self.exports, &self.writes, &self.reads].map(PgPool::close);
        if tokio::time::timeout(CLOSE_MAX, join_all(pools)).await.is_err() {
            tracing::warn!("connections to PostgreSQL did not end in time");
        }
    }
}

/// Runs a read in its turn, which ends with its transaction.
async fn read<T, F, G>(
    pool: &PgPool,
    turn: impl Future<Output = Result<G>> + Send,
    work: F,
) -> Result<T>
where
    F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
    T: Send,
    G: Send + 'static,
{
    const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    let opened = async {
        let turn = turn.await?;
        begin_with(pool, BEGIN, Tx::new).await.map(|open| (turn, open))
    };
    let opened = tokio::time::timeout(ACQUIRE_DEADLINE, opened).await;
    let (turn, mut open) = opened.map_err(unavailable)??;
    let done = work(&mut open.tx).await;
    // The caller does not wait for the end: its rows are valid even if the connection is lost now,
    // and if the work failed, its error is more useful than that of the COMMIT.
    tokio::spawn(async move {
        // If it fails or takes too long, the connection closes.
        let _ = tokio::time::timeout(READ_END_MAX, open.end("COMMIT")).await;
        drop(open);
        drop(turn);
    });
    done
}

/// Begins a transaction. Discards connections that died in the pool, one after the other. After a
/// failover, all of them are dead.
async fn begin_with<T: Transaction>(
    pool: &PgPool,
    statement: &str,
    make: impl Fn(Connection) -> T,
) -> Result<CloseUnlessFinished<T>> {
    let mut dead = 0;
    loop {
        let connection = pool.acquire().await.map_err(driver_error)?;
        let tx = make(Connection::Postgres(connection));
        let mut open = CloseUnlessFinished { tx, is_finished: false };
        let Err(error) = open.tx.connection().simple(statement).await else { return Ok(open) };
        // A lock timeout is no sign of a dead connection.
        if dead == pool.options().get_max_connections() || open.tx.connection().is_alive().await {
            return Err(error);
        }
        dead += 1;
    }
}

/// Connects once, for a bounded time: a server that accepts connections may never respond.
async fn connect(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    let silent = || io::Error::new(io::ErrorKind::TimedOut, "it does not respond");
    let connected = tokio::time::timeout(CONNECT_MAX, options.connect()).await;
    connected.map_err(|_| silent())?
}

/// Migrates the schema. Servers that start at the same time migrate one after the other, without a
/// timeout, because the migrator locks the database.
async fn migrate(options: PgConnectOptions) -> Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        // Migrations may write to lists without declared locks.
        .after_connect(|connection, _| {
            let declared = sqlx::raw_sql("SET screenerd.locks = 'declared'");
            Box::pin(async move { connection.execute(declared).await.map(|_| ()) })
        })
        .acquire_timeout(ACQUIRE_DEADLINE)
        .connect_with(options.clone())
        .await;
    let pool = match pool {
        Ok(pool) => pool,
        // The pool retries until its deadline, and does not return the cause.
        Err(sqlx::Error::PoolTimedOut) => {
            let error = connect(&options).await.err().unwrap_or(sqlx::Error::PoolTimedOut);
            return Err(not_opened(&options, &error));
        }
        Err(error) => return Err(not_opened(&options, &error)),
    };
    let migrated = match is_foreign(&pool).await {
        Ok(true) => Err(cannot_open(name_of(&options), FOREIGN)),
        Ok(false) => {
            let migrated = migrations::OF_POSTGRES.run(&pool).await;
            migrated.map_err(|error| migrations::not_migrated(name_of(&options), &error))
        }
        Err(error) => Err(not_opened(&options, &error)),
    };
    pool.close().await;
    migrated
}

/// Returns whether another program has migrated the schema, or tables with our names exist without
/// a migration. Other tables are allowed: programs may share a schema.
async fn is_foreign(pool: &PgPool) -> sqlx::Result<bool> {
    let tables = "SELECT tablename::TEXT FROM pg_tables
        WHERE schemaname = current_schema() AND tablename = ANY($1)";
    let mut ours: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    ours.push("_sqlx_migrations");
    let found: Vec<String> = sqlx::query_scalar(tables).bind(ours).fetch_all(pool).await?;
    if !found.iter().any(|name| name == "_sqlx_migrations") {
        return Ok(!found.is_empty());
    }
    let first = "SELECT checksum FROM _sqlx_migrations ORDER BY version LIMIT 1";
    let first: Option<Vec<u8>> = sqlx::query_scalar(first).fetch_optional(pool).await?;
    Ok(first.map_or(found.len() > 1, |checksum| {
        !migrations::is_ours(&migrations::OF_POSTGRES, &checksum)
    }))
}

/// Configures a new connection. Refuses a standby, where reads would miss acknowledged writes. A
/// primary that becomes a standby restarts, which closes its connections.
///
/// There is no `statement_timeout`: it would also end the wait of a COMMIT for the standby.
/// PostgreSQL would then report a commit that a failover may lose.
async fn admit(connection: &mut PgConnection) -> sqlx::Result<()> {
    let session = format!(
        "SET lock_timeout = {LOCK_WAIT_MAX_MS};
         SET client_min_messages = error;
         SET screenerd.locks = 'declared';
         SET idle_in_transaction_session_timeout = {TRANSACTION_SILENCE_MAX_MS};
         SET client_connection_check_interval = {DEPARTURE_CHECK_MS};
         SELECT pg_is_in_recovery()"
    );
    let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(session))).await?;
    if row.try_get(0)? {
        return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "it is a standby").into());
    }
    Ok(())
}

/// Maps the error of a failed COMMIT. The response may have been lost, so the outcome is unknown.
fn in_doubt(error: Error) -> Error {
    if error.kind() != Kind::Unavailable {
        return error;
    }
    let detail = "The connection to the database was lost during the commit, so the outcome is \
                  unknown. Read the data first, or retry under the same request id.";
    Error::new(Kind::Unavailable, detail).caused_by(error)
}
