//! The admin service, behind the socket of a server or inside the process of a command.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use http::{Request, Response};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::Service;

use crate::app::{App, Location, Operator};
use crate::grpc::AdminHttp;
use crate::{grpc, transfer};

/// Returns the admin service of a command that opened the database itself.
#[must_use]
pub fn admin_in_process(
    app: Arc<App>,
    location: &Location,
) -> impl Service<
    Request<Body>,
    Response = Response<grpc::Bounded>,
    Error = Infallible,
    Future: Send + 'static,
> + Clone
+ Send
+ Sync
+ use<> {
    // No client queries the health of a command.
    let (_, ready) = watch::channel(true);
    service(app, location.spool_folder(), ready, CancellationToken::new())
}

pub(super) fn service(
    app: Arc<App>,
    spool: PathBuf,
    ready: watch::Receiver<bool>,
    shutdown: CancellationToken,
) -> AdminHttp {
    let importing = Arc::clone(&app);
    let importer: grpc::Importer = Arc::new(move |file, trust_links| {
        let app = Arc::clone(&importing);
        Box::pin(async move {
            let reader = std::io::BufReader::new(file);
            transfer::import_lines(&app, &Operator::trusted(), reader, trust_links).await
        })
    });
    let files = grpc::Files { importer, exporter: Arc::new(transfer::export::file), spool };
    grpc::admin_service(app, files, ready, shutdown)
}
