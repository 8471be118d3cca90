//! The socket next to a database file.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use super::files::{folder_of, with_suffix};
use crate::app::Location;
use crate::domain::error::{Error, Kind, Result, io_cause};

/// Returns the socket on which the owner of a database file accepts commands. The location is
/// [resolved](Location::resolved), so that all names of a file lead to one socket.
#[must_use]
pub fn admin_socket(location: &Location) -> Option<PathBuf> {
    location.file().map(|path| with_suffix(path, ".sock"))
}

/// The longest address of a socket on every system, including the final zero byte.
const ADDRESS_MAX_BYTES: usize = 104;

/// The address of a socket, valid until it is dropped.
pub struct Address {
    path: PathBuf,
    /// The folder through which a long path is reached.
    _folder: Option<File>,
}

impl Address {
    /// Returns the address of a path. If the path is too long, its folder is opened, and the
    /// descriptor provides a short name for the folder.
    pub fn of(path: &Path) -> io::Result<Self> {
        let name = path.file_name().filter(|_| path.as_os_str().len() >= ADDRESS_MAX_BYTES);
        let Some(name) = name else { return Ok(Self { path: path.to_owned(), _folder: None }) };
        let folder = File::open(folder_of(path))?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        Ok(Self { path: short.join(name), _folder: Some(folder) })
    }

    /// Returns the path to bind or to connect to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Binds a socket that only this user can open. It is created in a private folder and then moved,
/// so that other users cannot open it at any time. A stale socket is replaced, because this process
/// has locked the database file; any other file is refused by name.
pub(super) fn listen(path: &Path) -> Result<UnixListener> {
    let refused = |why: &dyn std::fmt::Display| {
        Error::new(Kind::Unavailable, format!("cannot listen on {}: {why}", path.display()))
    };
    let failed = |error: io::Error| refused(&io_cause(&error));
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(refused(&"it exists and is not a socket. Move it away."));
        }
        // A name that cannot be looked up cannot be bound either, and `rename` reports the cause.
        Ok(_) | Err(_) => {}
    }
    let private = tempfile::Builder::new().prefix(".s").tempdir_in(folder_of(path));
    let private = private.map_err(failed)?;
    let unfinished = private.path().join("s");
    let address = Address::of(&unfinished).map_err(failed)?;
    let listener = UnixListener::bind(address.path()).map_err(failed)?;
    let owner_only = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&unfinished, owner_only).map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)?;
    Ok(listener)
}
