//! The admin service, behind the socket of a server or inside the process of a command.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, Service};

use crate::app::{App, Location, Operator};
use crate::{grpc, transfer};

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

/// The admin service of a command that opened the database itself.
#[must_use]
pub fn admin_in_process(app: Arc<App>, location: &Location) -> impl AdminHttp<tonic::body::Body> {
    // Nobody asks for the health of a command.
    let (_, ready) = watch::channel(true);
    service(app, location.spool_folder(), ready, CancellationToken::new())
}

pub(super) fn service<B>(
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
    let files = grpc::Files { importer, exporter: Arc::new(transfer::export::file), spool };
    grpc::admin_service(app, files, ready, shutdown)
}
