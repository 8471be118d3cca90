//! How commands reach the data: through the server that owns the file, or by opening it.

use std::sync::Arc;

use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt as _};

use super::Failure;
use crate::app::{App, Location};
use crate::client;
use crate::pb::screener::v1::admin_service_client::AdminServiceClient;
use crate::serve;

type Body = tonic::body::Body;
type Local = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, BoxError>;

/// The same service either way: over the socket of the running server, or in this process.
pub(super) struct Admin {
    pub(super) client: AdminServiceClient<Local>,
    app: Option<Arc<App>>,
    /// The address of the server's socket, which the client may connect to again.
    _address: Option<serve::Address>,
}

/// Whether a command may create the database that it works on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Creates {
    Yes,
    /// It works on what is there, and so creates nothing, neither the file nor what stands next to
    /// it.
    No,
}

/// Refuses a database file that does not exist.
pub(super) fn must_exist(location: &Location) -> Result<(), Failure> {
    match location.resolved()?.file() {
        Some(file) if !file.exists() => {
            Err(Failure(format!("cannot open {}: the file does not exist", file.display())))
        }
        _ => Ok(()),
    }
}

/// Connects to the server that owns the database, or opens the database if none runs.
pub(super) async fn connect(location: &Location, creates: Creates) -> Result<Admin, Failure> {
    if creates == Creates::No {
        must_exist(location)?;
    }
    let location = &location.resolved()?;
    if let Some(socket) = serve::admin_socket(location)
        && let Ok(address) = serve::Address::of(&socket)
        && let Some(channel) = client::connect_socket(address.path().to_owned()).await
    {
        let service = BoxCloneSyncService::new(channel.map_err(BoxError::from));
        let client = AdminServiceClient::new(service);
        return Ok(Admin { client, app: None, _address: Some(address) });
    }
    let app = serve::open_store(location).await?;
    let service = serve::admin_in_process(Arc::clone(&app), location)
        .map_response(|response| response.map(Body::new))
        .map_err(|never| match never {});
    let service = BoxCloneSyncService::new(service);
    Ok(Admin { client: AdminServiceClient::new(service), app: Some(app), _address: None })
}

impl Admin {
    /// Closes the database, if this process opened it.
    pub(super) async fn close(&self) {
        if let Some(app) = &self.app {
            app.close().await;
        }
    }
}

impl From<client::Refused> for Failure {
    fn from(client::Refused(text): client::Refused) -> Self {
        Self(text)
    }
}
