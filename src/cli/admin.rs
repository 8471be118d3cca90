//! Access to the data for commands: through the server that owns the file, or by opening it.

use std::sync::Arc;

use tonic::{Response, Status};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt as _};

use super::failure::{Failure, Typed};
use crate::app::{App, Location};
use crate::client;
use crate::pb::screener::v1::admin_service_client::AdminServiceClient;
use crate::serve;

type Body = tonic::body::Body;
type Local = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, BoxError>;

/// The same service in both cases: over the socket of the running server, or in this process.
pub(super) struct Admin {
    pub(super) client: AdminServiceClient<Local>,
    /// The database, if this process opened it.
    app: Option<Arc<App>>,
    /// The name of the database in error texts.
    database: String,
    /// The address of the server's socket, kept because the client may reconnect.
    _address: Option<serve::Address>,
}

/// Whether a command may create the database that it works on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Creates {
    Yes,
    /// It works on existing data, so it must not create the file or those next to it.
    No,
}

/// Refuses a database file that does not exist.
pub(super) fn must_exist(location: &Location) -> Result<(), Failure> {
    match location.resolved()?.file() {
        Some(file) if !file.exists() => {
            Err(Failure::new(format!("cannot open {}: the file does not exist", file.display())))
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
        let database = location.name();
        return Ok(Admin { client, app: None, database, _address: Some(address) });
    }
    let cannot = format!("cannot use {}", location.name());
    let opened = serve::open_store(location).await;
    let app = opened.map_err(|error| Failure::of(&error, &[], &cannot))?;
    let service = serve::admin_in_process(Arc::clone(&app), location)
        .map_response(|response| response.map(Body::new))
        .map_err(|never| match never {});
    let service = BoxCloneSyncService::new(service);
    let (client, database) = (AdminServiceClient::new(service), location.name());
    Ok(Admin { client, app: Some(app), database, _address: None })
}

impl Admin {
    /// Returns the message of a response, or the failure that explains why there is none.
    pub(super) fn take<T>(
        &self,
        answer: Result<Response<T>, Status>,
        typed: &Typed<'_>,
    ) -> Result<T, Failure> {
        answer.map(Response::into_inner).map_err(|status| self.refused(&status, typed))
    }

    /// Returns the failure that explains why a call was refused.
    pub(super) fn refused(&self, status: &Status, typed: &Typed<'_>) -> Failure {
        let log = if self.app.is_some() { "the log above" } else { "the log of its server" };
        Failure::of_call(status, typed, &self.database, log)
    }

    /// Closes the database, if this process opened it.
    pub(super) async fn close(&self) {
        if let Some(app) = &self.app {
            app.close().await;
        }
    }
}
