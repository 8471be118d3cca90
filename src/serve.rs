//! The composition root: store, use cases, transports, health, shutdown.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::net::{TcpListener, TcpSocket, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, Service, ServiceExt as _};

use crate::app::{App, Environment, Location, Operator};
use crate::config;
use crate::connect::{self, Connect};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::link::Links;
use crate::domain::time::Timestamp;
use crate::lane::Lane;
use crate::net::{Cors, Dispatch, Drained, limits};
use crate::receive::Receiver;
use crate::{grpc, net, pages, pb, rest, transfer};

/// The admin service as HTTP: cloned for every connection.
pub trait AdminHttp<B>:
    Service<
        http::Request<B>,
        Response = http::Response<grpc::Bounded>,
        Error = Infallible,
        Future: Send + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<B, S> AdminHttp<B> for S where
    S: Service<
            http::Request<B>,
            Response = http::Response<grpc::Bounded>,
            Error = Infallible,
            Future: Send + 'static,
        > + Clone
        + Send
        + Sync
        + 'static
{
}

/// The clock and the random source of the operating system.
#[must_use]
pub fn system_environment() -> Environment {
    Environment { now: Arc::new(now), random: Arc::new(random) }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the clock")]
fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
}

/// How often the server tidies up. What it forgets is kept for days, so an hour more does not matter.
const HOUSEKEEPING_SECONDS: u64 = 60 * 60;

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    #[expect(clippy::disallowed_methods, reason = "the one place that asks for randomness")]
    getrandom::fill(&mut bytes).expect("the operating system has a random source");
    bytes
}

/// Opens the database of a command that does not serve.
pub async fn open_store(location: &Location) -> Result<Arc<App>> {
    let links = Links::new("http://127.0.0.1");
    App::open(location, system_environment(), links, None).await.map(Arc::new)
}

/// The socket on which the owner of a database file takes commands.
#[must_use]
pub fn admin_socket(location: &Location) -> Option<PathBuf> {
    location.file().map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".sock");
        PathBuf::from(name)
    })
}

/// The folder that a file stands in.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The folder in which an import is received: beside the database file, where there is room for it.
fn spool(location: &Location) -> PathBuf {
    location.file().map_or_else(std::env::temp_dir, folder_of)
}

/// The admin service of a command that opened the database itself.
#[must_use]
pub fn admin_in_process(app: Arc<App>, location: &Location) -> impl AdminHttp<tonic::body::Body> {
    // Nobody asks for the health of a command.
    let (_, ready) = watch::channel(true);
    admin(app, spool(location), ready, CancellationToken::new())
}

fn admin<B>(
    app: Arc<App>,
    spool: PathBuf,
    ready: watch::Receiver<bool>,
    shutdown: CancellationToken,
) -> impl AdminHttp<B>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError> + Send + 'static,
{
    let importing = Arc::clone(&app);
    let importer: grpc::Importer = Arc::new(move |file, trust_links| {
        let app = Arc::clone(&importing);
        Box::pin(async move {
            let reader = std::io::BufReader::new(file);
            transfer::import_lines(&app, &Operator::trusted(), reader, trust_links).await
        })
    });
    let files = grpc::Files { importer, exporter: Arc::new(rest::export::file), spool };
    grpc::admin_service(app, files, ready, shutdown)
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    app: Arc<App>,
    ready: watch::Sender<bool>,
    shutdown: CancellationToken,
    public: JoinHandle<Drained>,
    admin: Option<(JoinHandle<Drained>, PathBuf)>,
    /// Holds the throw-away database of a demo as long as it is open.
    _demo: Option<tempfile::TempDir>,
}

/// Starts a server with the system's clock and random source.
pub async fn start(config: &config::Serve) -> Result<Running> {
    start_with(config, system_environment()).await
}

/// Starts a server.
pub async fn start_with(config: &config::Serve, environment: Environment) -> Result<Running> {
    if config.demo && !config.listen.ip().is_loopback() {
        return Err(Error::invalid_field(
            "--listen",
            "The keys of --demo are public: it listens on loopback only.",
        ));
    }
    allow_open_files();
    let (location, demo_folder) = locate(config)?;
    let listener = listen(config.listen)?;
    let address = listener.local_addr().map_err(Error::internal)?;
    let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    if config.public_url.is_none() && address.ip().is_unspecified() {
        tracing::warn!("links begin with {public_url}, which nobody can open: set --public-url");
    }
    let secret = config.panelist_secret()?;
    let app = App::open(&location, environment, Links::new(&public_url), secret).await?;
    let app = Arc::new(app);
    if config.demo {
        load_demo(&app).await?;
    }
    let (ready, is_ready) = watch::channel(false);
    let shutdown = CancellationToken::new();
    let admin = match admin_socket(&location) {
        Some(path) => {
            let listener = listen_on_socket(&path)?;
            let spool = spool(&location);
            let service = admin(Arc::clone(&app), spool, is_ready.clone(), shutdown.clone());
            let serving = net::serve(listener, service, shutdown.clone());
            Some((tokio::spawn(serving), path))
        }
        None => None,
    };
    let lane = Lane::new("transcode").map_err(Error::internal)?;
    let public = serve_public(listener, config, &app, lane, &is_ready, &shutdown);
    tokio::spawn(keep_house(Arc::clone(&app), shutdown.clone()));
    ready.send_replace(true);
    tracing::info!(net.address = %address, "serving");
    Ok(Running { address, app, ready, shutdown, public, admin, _demo: demo_folder })
}

/// Raises the limit of open files as far as it goes: every connection is one, and the databases
/// need theirs, too. The usual soft limit of 1024 is a relic of `select`.
fn allow_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(error.internal = %error, "the limit of open files stays as it is");
    }
}

/// Listens with a backlog as long as the list of connections: with a shorter one, a crowd that
/// arrives at once is met with resets.
fn listen(address: SocketAddr) -> Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let backlog = u32::try_from(limits::CONNECTIONS_MAX).unwrap_or(u32::MAX);
    let listening = socket.and_then(|socket| {
        // A restart must not wait for the connections of the last run to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(backlog)
    });
    listening.map_err(|error| {
        Error::new(Kind::Unavailable, format!("{address} cannot be listened on.")).caused_by(error)
    })
}

/// Where the data is; a demo without a database of its own gets a throw-away one.
fn locate(config: &config::Serve) -> Result<(Location, Option<tempfile::TempDir>)> {
    match &config.database {
        Some(location) => Ok((location.clone(), None)),
        None if config.demo => {
            let folder = tempfile::Builder::new()
                .prefix("screenerd-demo-")
                .tempdir()
                .map_err(Error::internal)?;
            Ok((Location::Sqlite(folder.path().join("demo.db")), Some(folder)))
        }
        None => Ok((Location::Sqlite(PathBuf::from("screenerd.db")), None)),
    }
}

async fn load_demo(app: &App) -> Result<()> {
    let operator = Operator::trusted();
    if !app.list_tenants(&operator).await?.is_empty() {
        return Err(Error::invalid_field(
            "--database",
            "The keys of --demo are public: it takes a new database only.",
        ));
    }
    transfer::demo::load(app, &operator).await.map(|_| ())
}

/// Binds a socket that only this user can open. It is made inside a private folder and then moved
/// into place, so that there is no moment at which others could open it. A stale one is replaced:
/// whoever comes here holds the lock of the database file.
fn listen_on_socket(path: &Path) -> Result<UnixListener> {
    let failed = |error: std::io::Error| {
        Error::new(Kind::Unavailable, format!("{} cannot be listened on.", path.display()))
            .caused_by(error)
    };
    let private = tempfile::Builder::new().prefix(".s").tempdir_in(folder_of(path));
    let private = private.map_err(failed)?;
    let unfinished = private.path().join("s");
    let listener = UnixListener::bind(&unfinished).map_err(failed)?;
    let owner_only = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&unfinished, owner_only).map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)?;
    Ok(listener)
}

/// Serves gRPC, Connect, REST and pages on one address.
fn serve_public(
    listener: TcpListener,
    config: &config::Serve,
    app: &Arc<App>,
    lane: Lane,
    is_ready: &watch::Receiver<bool>,
    shutdown: &CancellationToken,
) -> JoinHandle<Drained> {
    let deadline = Duration::from_millis(limits::REQUEST_DEADLINE_MAX_MS);
    let receiver = Receiver::new(limits::RECEIVE_BUDGET_BYTES);
    let gate = grpc::Gate::new(Arc::clone(app), receiver.clone());
    let (ready, stopping) = (is_ready.clone(), shutdown.clone());
    let grpc = grpc::service(Arc::clone(app), gate.clone(), ready, stopping, deadline);
    let settings = connect::Settings {
        refuse: Arc::new(grpc::refusals(Arc::clone(app))),
        admit: admit(gate),
        lane: Arc::new(lane),
        deadline_max: deadline,
    };
    let connect = Connect::new(grpc.clone(), settings);
    let ready = is_ready.clone();
    let rest = rest::router(rest::Gateway {
        app: Arc::clone(app),
        descriptor: pb::DESCRIPTOR,
        ready: Arc::new(move || *ready.borrow()),
        body_max_bytes: limits::REST_BODY_MAX_BYTES,
        receiver: receiver.clone(),
        deadline,
    });
    let rest = rest.merge(pages::router(Arc::clone(app), receiver));
    // Pages cannot speak gRPC itself, so it goes without.
    let service = Dispatch::new(
        grpc.map_request(connect::native),
        Cors::new(connect, &config.cors_origins, |_| true),
        Cors::new(rest, &config.cors_origins, rest::is_for_browsers),
    );
    tokio::spawn(net::serve(listener, service, shutdown.clone()))
}

/// Judges the credentials of calls that do not come as gRPC.
fn admit(gate: grpc::Gate) -> connect::Admit {
    Arc::new(move |mut parts| {
        let gate = gate.clone();
        Box::pin(async move {
            let terms = gate.admit(&mut parts).await?;
            Ok((parts, terms))
        })
    })
}

/// Forgets what has been kept long enough, now and then. What fails is tried again the next time.
async fn keep_house(app: Arc<App>, shutdown: CancellationToken) {
    let period = Duration::from_secs(HOUSEKEEPING_SECONDS);
    let mut hours = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    while shutdown.run_until_cancelled(hours.tick()).await.is_some() {
        if let Err(error) = app.forget_request_ids().await {
            let internal = error.internal_text().unwrap_or_else(|| error.detail().to_owned());
            tracing::warn!(error.internal = internal, "request ids could not be forgotten");
        }
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The use cases it serves.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Whether nobody has made a tenant yet.
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.app.list_tenants(&Operator::trusted()).await?.is_empty())
    }

    /// Stops it: not ready, no new connections, requests in flight finish or are cut off at the
    /// drain deadline, what is queued is written, the database is closed.
    pub async fn stop(self) {
        tracing::info!("stopping");
        self.ready.send_replace(false);
        self.shutdown.cancel();
        // A serving task ends in a panic only if the server itself is broken; the store is closed
        // all the same.
        let drained = self.public.await.unwrap_or_default();
        if let Some((admin, socket)) = self.admin {
            let _ = admin.await;
            let _ = std::fs::remove_file(socket);
        }
        self.app.close().await;
        tracing::info!(net.finished = drained.finished, net.aborted = drained.aborted, "stopped");
    }
}
