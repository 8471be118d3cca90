//! A separate database for each test, on either engine.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;
use screenerd::store::{Location, Locks, Store};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tempfile::TempDir;

/// The variable with the URL of a PostgreSQL server on which tests may create databases.
const POSTGRES_VARIABLE: &str = "SCREENERD_TEST_POSTGRES";

/// The engine of a test's database.
#[derive(Clone)]
pub(crate) enum Backend {
    /// A file in a temporary folder.
    Sqlite,
    /// A new database of this server.
    Postgres(Box<PgConnectOptions>),
}

impl Backend {
    /// Returns the server in the environment. Without one, prints a line past the output capture,
    /// so that such a run is not mistaken for one on both engines.
    ///
    /// The path of the calling test contains `postgres`, so that `cargo test postgres` runs exactly
    /// the tests that a run without a server leaves out.
    pub(crate) fn postgres(left_out: &str) -> Option<Self> {
        let thread = std::thread::current();
        let test = thread.name().expect("a test asks for PostgreSQL on its own thread");
        // Tests that run one at a time all run on the main thread.
        assert!(test == "main" || test.contains("postgres"), "{test}: its path must name postgres");
        if let Ok(url) = std::env::var(POSTGRES_VARIABLE) {
            let options = url.parse().expect("the variable holds the URL of a PostgreSQL server");
            return Some(Self::Postgres(Box::new(options)));
        }
        say(&format!("PostgreSQL tests left out: {POSTGRES_VARIABLE} is not set ({left_out})"));
        None
    }

    /// The number of concurrent writes of a tenant. Further ones wait.
    pub(crate) fn parallel_writes(&self) -> usize {
        match self {
            Self::Sqlite => 1,
            Self::Postgres(_) => 6,
        }
    }
}

/// Prints a line even if the test passes.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("the standard error stream is open");
}

/// A test's database: the store, and access that bypasses it.
pub(crate) struct Database {
    store: Option<Store>,
    pub(crate) backend: Backend,
    pub(crate) location: Location,
}

impl Database {
    async fn open(backend: Backend, location: Location) -> Self {
        let mut database = Self { store: None, backend, location };
        database.reopen().await;
        database
    }

    /// Returns the open store.
    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().expect("a test does not use the store between closing and reopening")
    }

    /// Closes the store and releases the file.
    pub(crate) async fn close(&mut self) {
        if let Some(store) = self.store.take() {
            store.close().await;
        }
    }

    /// Closes the store, if it is open, and opens it again.
    pub(crate) async fn reopen(&mut self) {
        self.close().await;
        self.store = Some(Store::open(&self.location).await.expect("the database opens"));
    }

    /// Changes at least one row without the store.
    pub(crate) async fn edit(&self, sql: &str) {
        let changed = match &self.location {
            Location::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                let mut raw = SqliteConnection::connect_with(&options).await.expect("it connects");
                let done = raw.execute(AssertSqlSafe(sql)).await.expect("the edit runs");
                raw.close().await.expect("the connection closes");
                // A write of the store itself makes readers open a new snapshot at once.
                if let Some(store) = &self.store {
                    store.write(Locks::none(), async |_| Ok(())).await.expect("the store writes");
                }
                done.rows_affected()
            }
            Location::Postgres(url) => {
                // Otherwise PostgreSQL refuses changes of lists as those of an old server.
                let options: PgConnectOptions = url.parse().expect("a URL");
                let options = options.options([("screenerd.locks", "declared")]);
                let mut raw = PgConnection::connect_with(&options).await.expect("it connects");
                let done = raw.execute(AssertSqlSafe(sql)).await.expect("the edit runs");
                raw.close().await.expect("the connection closes");
                done.rows_affected()
            }
        };
        assert!(changed > 0, "nothing was changed by {sql}");
    }
}

/// A place for one database, removed after the test.
enum Place {
    Folder(TempDir),
    Server(Box<PgConnectOptions>, String),
}

impl Place {
    async fn make(backend: &Backend) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // A test that was killed leaves its database, and its process id is used again.
        static PROCESS: LazyLock<u64> =
            LazyLock::new(|| RandomState::new().build_hasher().finish());
        match backend {
            Backend::Sqlite => Self::Folder(TempDir::new().expect("a temporary folder is made")),
            Backend::Postgres(options) => {
                let number = COUNT.fetch_add(1, Ordering::Relaxed);
                let name = format!("screenerd_test_{:x}_{number}", *PROCESS);
                control(options, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
                Self::Server(options.clone(), name)
            }
        }
    }

    fn location(&self) -> Location {
        match self {
            Self::Folder(folder) => Location::Sqlite(folder.path().join("store.db")),
            Self::Server(options, name) => {
                let url = options.as_ref().clone().database(name).to_url_lossy();
                Location::Postgres(url.to_string())
            }
        }
    }

    async fn remove(self) {
        match self {
            Self::Folder(folder) => folder.close().expect("the temporary folder is removed"),
            Self::Server(options, name) => {
                // Forced, because a failed test may have left connections.
                control(&options, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }
}

async fn control(options: &PgConnectOptions, sql: &str) {
    let mut connection =
        PgConnection::connect_with(options).await.expect("the PostgreSQL server answers");
    connection.execute(AssertSqlSafe(sql)).await.expect("the role may create and drop databases");
    connection.close().await.expect("the connection closes");
}

/// Runs one test on a database of its own.
pub(crate) fn run(backend: &Backend, test: impl AsyncFnOnce(&mut Database)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime is built");
    let outcome = runtime.block_on(async {
        let place = Place::make(backend).await;
        let tested = async {
            let mut database = Database::open(backend.clone(), place.location()).await;
            test(&mut database).await;
            database.close().await;
        };
        let outcome = AssertUnwindSafe(tested).catch_unwind().await;
        place.remove().await;
        outcome
    });
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}
