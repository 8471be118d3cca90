//! A client of screenerd: the generated stubs, and helpers for callers in Rust.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::domain::error::io_cause;

pub use crate::pb::screener::v1::*;

/// The reason why a call was refused, for people: every violation, or the message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        let violations = status.get_details_bad_request().map(|it| it.field_violations);
        let lines: Vec<String> = violations
            .iter()
            .flatten()
            .map(|violation| format!("{}: {}", violation.field, violation.description))
            .collect();
        if lines.is_empty() { Self(status.message().to_owned()) } else { Self(lines.join("\n")) }
    }
}

/// Waits for a call and returns the message of its response.
pub async fn call<T>(
    answer: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Refused> {
    Ok(answer.await?.into_inner())
}

/// Connects to a Unix socket, or returns `None` if no server listens there.
pub async fn connect_socket(path: PathBuf) -> Option<Channel> {
    // The connector ignores the authority, so it is never resolved.
    let endpoint = Endpoint::from_static("http://localhost");
    let connector = tower::service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    endpoint.connect_with_connector(connector).await.ok()
}

/// Returns the operating system's reason why there is no connection.
fn connection_cause(error: &tonic::transport::Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |cause| cause.source());
    let mut known = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    known.next().map_or_else(|| error.to_string(), io_cause)
}

/// Returns whether the server at an address reports that it is serving.
pub async fn is_serving(address: SocketAddr) -> Result<bool, Refused> {
    let failed = |error: tonic::transport::Error| Refused(connection_cause(&error));
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(failed)?;
    let channel = endpoint.connect().await.map_err(failed)?;
    let request = HealthCheckRequest { service: String::new() };
    let answer = call(HealthClient::new(channel).check(request)).await?;
    Ok(answer.status() == ServingStatus::Serving)
}
