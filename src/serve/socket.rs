//! The socket next to a database file.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use super::files::{folder_of, with_suffix};
use crate::app::Location;
use crate::domain::error::{Error, Kind, Result};

/// The socket on which the owner of a database file takes commands. The location is
/// [resolved](Location::resolved): the socket has one name, whatever the names of the file.
///
/// A path below the working directory is relative to it, because the path of a socket has at most
/// some 100 bytes.
#[must_use]
pub fn admin_socket(location: &Location) -> Option<PathBuf> {
    let path = location.file()?;
    let here = std::env::current_dir().ok();
    let short = here.and_then(|here| path.strip_prefix(here).ok());
    Some(with_suffix(short.unwrap_or(path), ".sock"))
}

/// Binds a socket that only this user can open. It is made inside a private folder and then moved
/// into place, so that there is no moment at which others could open it. A stale socket is replaced,
/// because this process holds the lock of the database file; anything else is refused by name.
pub(super) fn listen(path: &Path) -> Result<UnixListener> {
    let failed = |error: std::io::Error| {
        Error::new(Kind::Unavailable, format!("{} cannot be listened on.", path.display()))
            .caused_by(error)
    };
    let refused = || {
        let why = "what stands there is not a socket. Move it away.";
        Error::new(Kind::Unavailable, format!("cannot listen on {}: {why}", path.display()))
    };
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => return Err(refused()),
        // A name that cannot be looked up cannot be taken either, and `rename` reports why.
        Ok(_) | Err(_) => {}
    }
    let private = tempfile::Builder::new().prefix(".s").tempdir_in(folder_of(path));
    let private = private.map_err(failed)?;
    let unfinished = private.path().join("s");
    let listener = UnixListener::bind(&unfinished).map_err(failed)?;
    let owner_only = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&unfinished, owner_only).map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)?;
    Ok(listener)
}
