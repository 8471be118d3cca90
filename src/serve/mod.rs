//! The composition root: store, use cases, transports, health, shutdown.

mod admin;
mod demo;
mod environment;
mod files;
mod housekeeping;
mod listener;
mod operations;
mod socket;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::app::{App, Environment, Location, Operator, Settings};
use crate::config;
use crate::connect::{self, Connect};
use crate::domain::error::{Error, Result};
use crate::domain::link::Links;
use crate::lane::Lane;
use crate::meter::Metered;
use crate::net::{Cors, Dispatch, Drained, Leftovers, Port, Tls, limits};
use crate::receive::Receiver;
use crate::{grpc, net, pages, pb, rest};

use operations::Operations;

pub use admin::admin_in_process;
pub use environment::system_environment;
pub use socket::{Address, admin_socket};

/// Opens the database of a command that does not serve.
pub async fn open_store(location: &Location) -> Result<Arc<App>> {
    App::open(Settings::new(location.clone(), system_environment())).await.map(Arc::new)
}

/// A running server.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    location: Location,
    app: Arc<App>,
    ready: watch::Sender<bool>,
    shutdown: CancellationToken,
    public: JoinHandle<Drained>,
    operations: Option<Operations>,
    admin: Option<(JoinHandle<Drained>, PathBuf)>,
    /// Keeps the temporary database of a demo until the server has stopped.
    _demo: Option<tempfile::TempDir>,
}

/// Starts a server with the system's clock and random source.
pub async fn start(config: &config::Serve) -> Result<Running> {
    start_with(config, system_environment()).await
}

/// Starts a server.
pub async fn start_with(config: &config::Serve, environment: Environment) -> Result<Running> {
    config.check()?;
    listener::allow_open_files();
    let (location, demo_folder) = demo::locate(config)?;
    let location = location.resolved()?;
    let listener = listener::listen(config.listen.resolve()?, "--listen")?;
    let address = listener.local_addr().map_err(Error::internal)?;
    let operations = match &config.admin_listen {
        Some(other) => Some(listener::listen_for_operator(address, other.resolve()?)?),
        None => None,
    };
    let tls = tls::load(config, &environment)?;
    let (tls, hangup) = tls.unzip();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let public_url = config.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
    if config.public_url.is_none() && address.ip().is_unspecified() {
        tracing::warn!(
            "links begin with {public_url}, which no browser can open: set --public-url"
        );
    }
    let settings = Settings {
        location: location.clone(),
        checkpoints: config.wal,
        environment,
        links: Links::new(&public_url),
        panelist_secret: config.panelist_secret()?,
        meter: Arc::default(),
    };
    let app = Arc::new(App::open(settings).await?);
    files::warn_of_open_modes(&location);
    if let Some(server) = location.unverified_server() {
        tracing::warn!(
            "the identity of PostgreSQL at {server} is not verified: set sslmode=verify-full, or \
             sslmode=disable on a network that you trust"
        );
    }
    if config.demo {
        demo::load(&app).await?;
    }
    let (ready, is_ready) = watch::channel(false);
    let shutdown = CancellationToken::new();
    let admin = serve_admin(&location, &app, &is_ready, &shutdown)?;
    let lane = Lane::new("transcode").map_err(Error::internal)?;
    if let (Some(tls), Some(hangup)) = (&tls, hangup) {
        tls::keep_current(tls, hangup, &app, &shutdown);
    }
    let public = serve_public(listener, (config, tls), &app, lane, &is_ready, &shutdown);
    let operations = match operations {
        Some(listener) => Some(operations::serve(listener, &app, &is_ready)?),
        None => None,
    };
    tokio::spawn(housekeeping::run_housekeeping(Arc::clone(&app), shutdown.clone()));
    ready.send_replace(true);
    tracing::info!(net.address = %address, "serving");
    Ok(Running {
        address,
        location,
        app,
        ready,
        shutdown,
        public,
        operations,
        admin,
        _demo: demo_folder,
    })
}

/// Serves administration on the socket next to a file. PostgreSQL has none.
fn serve_admin(
    location: &Location,
    app: &Arc<App>,
    is_ready: &watch::Receiver<bool>,
    shutdown: &CancellationToken,
) -> Result<Option<(JoinHandle<Drained>, PathBuf)>> {
    let Some(path) = admin_socket(location) else { return Ok(None) };
    let listener = socket::listen(&path)?;
    let (spool, ready) = (location.spool_folder(), is_ready.clone());
    let service = admin::service(Arc::clone(app), spool, ready, shutdown.clone());
    let serving = net::serve(net::Limits::default(), listener, service, shutdown.clone());
    Ok(Some((tokio::spawn(serving), path)))
}

/// Serves gRPC, Connect, REST and pages on one address.
fn serve_public(
    listener: TcpListener,
    (config, tls): (&config::Serve, Option<Arc<Tls>>),
    app: &Arc<App>,
    lane: Lane,
    is_ready: &watch::Receiver<bool>,
    shutdown: &CancellationToken,
) -> JoinHandle<Drained> {
    let deadline = Duration::from_millis(limits::REQUEST_DEADLINE_MAX_MS);
    let receiver = Receiver::new(limits::RECEIVE_BUDGET_BYTES);
    operations::register_gauges(app, &receiver, tls.clone());
    let gate = grpc::Gate::new(Arc::clone(app), receiver.clone());
    let (ready, stopping) = (is_ready.clone(), shutdown.clone());
    let grpc = grpc::service(Arc::clone(app), gate.clone(), ready, stopping, deadline);
    let settings = connect::Settings {
        refuse: Arc::new(grpc::refusals(Arc::clone(app))),
        admit: admit(gate),
        lane: Arc::new(lane),
        sending: app.sending().clone(),
        deadline_max: deadline,
    };
    let connect = Connect::new(grpc.clone(), settings);
    let ready = is_ready.clone();
    let rest = rest::router(rest::Gateway {
        app: Arc::clone(app),
        descriptor: pb::DESCRIPTOR,
        ready: Arc::new(move || *ready.borrow()),
        is_rpc_path: net::dispatch::is_rpc_path,
        body_max_bytes: limits::REST_BODY_MAX_BYTES,
        receiver: receiver.clone(),
        deadline,
    });
    let rest = rest.merge(pages::router(Arc::clone(app), receiver));
    // Browsers cannot use native gRPC, so it needs no CORS.
    let service = Leftovers::new(Dispatch::new(
        grpc.map_request(connect::native),
        Cors::new(connect, &config.cors_origins, |_| true),
        Cors::new(rest, &config.cors_origins, rest::is_for_browsers),
    ));
    let calls = config.admin_listen.as_ref().map(|_| Arc::clone(app.meter().calls()));
    let service = Metered::new(service, calls);
    let limits = net::Limits {
        trusted_proxies: config.trusted_proxies.as_slice().into(),
        meter: app.meter().connections().clone(),
        ..Default::default()
    };
    tokio::spawn(net::serve(limits, Port { listener, tls }, service, shutdown.clone()))
}

/// Returns a function that authenticates calls that do not arrive as gRPC.
#[must_use]
pub fn admit(gate: grpc::Gate) -> connect::Admit {
    Arc::new(move |mut parts| {
        let gate = gate.clone();
        Box::pin(async move {
            let terms = gate.admit(&mut parts).await?;
            Ok((parts, terms))
        })
    })
}

impl Running {
    /// Returns the address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of the operator's tools, if there is one.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.operations.as_ref().map(|operations| operations.address)
    }

    /// Returns the place of its database.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Returns the use cases that it serves.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Returns whether the database has no tenant yet.
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.app.list_tenants(&Operator::trusted()).await?.is_empty())
    }

    /// Stops the server: it reports not ready, accepts no connections, completes or (at the drain
    /// deadline) aborts requests in flight, writes queued data and closes the database.
    pub async fn stop(self) {
        tracing::info!("stopping");
        self.ready.send_replace(false);
        self.shutdown.cancel();
        // A serving task panics only if the server itself has a bug. The store is closed all the
        // same.
        let drained = self.public.await.unwrap_or_default();
        // The operator sees the drain, and the last metrics.
        if let Some(operations) = self.operations {
            operations.stop().await;
        }
        if let Some((admin, socket)) = self.admin {
            let _ = admin.await;
            let _ = std::fs::remove_file(socket);
        }
        self.app.close().await;
        tracing::info!(net.finished = drained.finished, net.aborted = drained.aborted, "stopped");
    }
}
