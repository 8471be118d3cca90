//! The files next to a database file.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::app::Location;

/// Returns the path of a file next to the database.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Returns the folder that contains a file.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Warns of a database that other users of the machine can open: it contains answers and secrets.
/// Files that this program creates are private, but copied or restored files may not be.
pub(super) fn warn_of_open_modes(location: &Location) {
    for suffix in ["", "-wal", "-shm"] {
        let Some(path) = location.file().map(|path| with_suffix(path, suffix)) else { return };
        // A file that does not exist is open to no user.
        let mode = std::fs::metadata(&path).map_or(0, |file| file.permissions().mode());
        if mode & 0o077 != 0 {
            let mode = format!("{:04o}", mode & 0o7777);
            tracing::warn!(
                file.path = %path.display(),
                file.mode = mode,
                "other users can open this file of the database: run chmod 600"
            );
        }
    }
}
