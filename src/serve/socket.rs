//! The socket next to a database file.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::app::Location;
use crate::domain::error::{Error, Kind, Result};

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

/// Binds a socket that only this user can open. It is made inside a private folder and then moved
/// into place, so that there is no moment at which others could open it. A stale one is replaced:
/// whoever comes here holds the lock of the database file.
pub(super) fn listen(path: &Path) -> Result<UnixListener> {
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
