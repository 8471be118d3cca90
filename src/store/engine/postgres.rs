//! PostgreSQL: a small pool; every write is a transaction of its own.

use std::panic::AssertUnwindSafe;
use std::str::FromStr as _;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{Connection, driver_error};
use crate::domain::error::{Error, Kind, Result};
use crate::store::Tx;

/// More connections make hot counters slower, not faster.
const POOL_MAX_CONNECTIONS: u32 = 8;
/// How long a caller waits for a connection before it is told to come back.
const ACQUIRE_DEADLINE_SECONDS: u64 = 5;

#[derive(Debug)]
pub(in crate::store) struct Postgres {
    pool: PgPool,
}

/// Under what name this program's connections are listed by the server.
const APPLICATION_NAME: &str = "screenerd";

/// Refuses a database to which another process of this program is connected.
pub(super) async fn refuse_servers(url: &str) -> Result<()> {
    let options = PgConnectOptions::from_str(url).map_err(driver_error)?;
    let mut connection = options.connect().await.map_err(driver_error)?;
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
        let taken = "Another screenerd process has the PostgreSQL database open.";
        return Err(Error::new(Kind::Unavailable, taken));
    }
    Ok(())
}

impl Postgres {
    pub(super) async fn open(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)
            .map_err(driver_error)?
            .application_name(APPLICATION_NAME);
        let pool = PgPoolOptions::new()
            .max_connections(POOL_MAX_CONNECTIONS)
            .acquire_timeout(Duration::from_secs(ACQUIRE_DEADLINE_SECONDS))
            .connect_with(options)
            .await
            .map_err(driver_error)?;
        sqlx::migrate!("src/store/migrations/postgres")
            .run(&pool)
            .await
            .map_err(Error::internal)?;
        Ok(Self { pool })
    }

    pub(in crate::store) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
        T: Send,
    {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work).await
    }

    pub(in crate::store) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
        T: Send,
    {
        // As on SQLite, where a write does not run on its caller's stack: a panic is an error.
        let panicked = || Err(Error::internal("a write panicked"));
        self.run("BEGIN", async |tx| {
            AssertUnwindSafe(work(tx)).catch_unwind().await.unwrap_or_else(|_| panicked())
        })
        .await
    }

    async fn run<T, F>(&self, begin: &'static str, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
        T: Send,
    {
        let connection = self.pool.acquire().await.map_err(driver_error)?;
        let mut guard =
            CloseUnlessFinished { tx: Some(Tx { connection: Connection::Postgres(connection) }) };
        let Some(tx) = guard.tx.as_mut() else { unreachable!("it was put there just now") };
        tx.connection.control(begin).await?;
        match work(tx).await {
            Ok(value) => {
                tx.connection.control("COMMIT").await?;
                guard.tx = None;
                Ok(value)
            }
            Err(error) => {
                // Why it failed is worth more to the caller than why it could not be undone; what
                // was not undone is, when the connection closes.
                if tx.connection.control("ROLLBACK").await.is_ok() {
                    guard.tx = None;
                }
                Err(error)
            }
        }
    }

    pub(in crate::store) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection whose transaction was left open, because its caller went away, must not go back to
/// the pool.
struct CloseUnlessFinished {
    tx: Option<Tx>,
}

impl Drop for CloseUnlessFinished {
    fn drop(&mut self) {
        if let Some(Tx { connection: Connection::Postgres(mut connection) }) = self.tx.take() {
            connection.close_on_drop();
        }
    }
}
