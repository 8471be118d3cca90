//! Who calls: a credential in the metadata, under the names that REST uses as headers.

use tonic::metadata::MetadataValue;
use tonic::{Request, Response};

use crate::app::{App, Caller, Permission, Presented};
use crate::domain::error::Result;
use crate::domain::version::{API_VERSION, check_api_version};

/// The metadata of the session dialect that names the version its caller was written for.
const VERSION_KEY: &str = "x-spot-api-version";

/// Authenticates a call, and hands out its message only then.
pub(super) async fn admit<P: Permission, M>(
    app: &App,
    request: Request<M>,
) -> Result<(Caller<P>, M)> {
    let presented = Presented::read(request.metadata().as_ref());
    let caller = app.authenticate::<P>(&presented).await?;
    Ok((caller, request.into_inner()))
}

/// The same for the services of the session dialect, which also ask for a version.
pub(super) async fn admit_versioned<P: Permission, M>(
    app: &App,
    request: Request<M>,
) -> Result<(Caller<P>, M)> {
    let versions: Vec<_> = request.metadata().get_all(VERSION_KEY).iter().cloned().collect();
    let admitted = admit(app, request).await?;
    // A version that is not even text, or one of several, is none of ours.
    check_api_version(match versions.as_slice() {
        [] => None,
        [version] => Some(version.to_str().unwrap_or_default()),
        _ => Some(""),
    })?;
    Ok(admitted)
}

/// A response that says which version was served.
pub(super) fn versioned<T>(message: T) -> Response<T> {
    let mut response = Response::new(message);
    response.metadata_mut().insert(VERSION_KEY, MetadataValue::from_static(API_VERSION));
    response
}
