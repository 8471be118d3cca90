//! The database file: its canonical name, its lock, and its mode.
//!
//! A file has one server, regardless of its names. The lock, the write-ahead log and the admin
//! socket are named after the file, so its name is resolved before any of them is opened. SQLite
//! does the same before it names the log.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::beside;
use crate::domain::error::{Error, Kind, Result, io_cause};

/// The mode of created files. The file contains answers and secrets, and any user who can open the
/// lock file could keep the server from starting. SQLite's own files have the mode of the database.
const OWNER_ONLY: u32 = 0o600;
/// The most consecutive symbolic links to a file that does not exist yet, as in the kernel.
const LINKS_MAX: usize = 40;

fn cannot_open(path: &Path, why: &str) -> Error {
    super::cannot_open(path.display(), why)
}

/// Returns the canonical name of a database file: absolute, and without symbolic links in the file
/// or its folders. The name of a file that does not exist yet is derived from its folder, or from
/// the link that leads to it.
pub(in crate::store) fn resolve(path: &Path) -> Result<PathBuf> {
    let mut name = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::canonicalize(&name) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found.map_err(|error| cannot_open(path, &io_cause(&error))),
        }
        let folder = match name.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let no_folder = || format!("the folder {} does not exist", folder.display());
        let folder = fs::canonicalize(folder).map_err(|_| cannot_open(path, &no_folder()))?;
        let file = name.file_name().ok_or_else(|| cannot_open(path, "it does not name a file"))?;
        let found = folder.join(file);
        match fs::read_link(&found) {
            Ok(target) => name = folder.join(target),
            Err(_) => return Ok(found),
        }
    }
    Err(cannot_open(path, "too many symbolic links lead to it"))
}

/// Creates the file for its owner only, unless it exists. Refuses what cannot be a database.
///
/// A hard link is another name that cannot be resolved. The log of a killed server is next to one
/// of the names and would be lost under the other.
pub(super) fn create_private(path: &Path) -> Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(cannot_open(path, &io_cause(&error)));
        }
        _ => {}
    }
    let metadata = fs::metadata(path).map_err(|error| cannot_open(path, &io_cause(&error)))?;
    if !metadata.is_file() {
        return Err(cannot_open(path, "it is not a regular file"));
    }
    if metadata.nlink() > 1 {
        let why = "it has more than one name (a hard link). Remove the others, or open a copy.";
        return Err(cannot_open(path, why));
    }
    Ok(())
}

/// The lock of a database file. Dropping it releases the lock, even while a starting child process
/// has the descriptor.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // If the unlock fails, closing the descriptor releases the lock.
        let _ = self.0.unlock();
    }
}

/// Locks the file for this process. The lock file is for its owner only, regardless of the umask.
/// The mode of an existing lock file is corrected.
pub(super) fn lock(path: &Path) -> Result<Lock> {
    let name = beside(path, ".lock");
    let failed = |error: io::Error| cannot_open(&name, &io_cause(&error));
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(OWNER_ONLY)
        .open(&name)
        .map_err(failed)?;
    if file.metadata().map_err(failed)?.mode() & 0o777 != OWNER_ONLY {
        file.set_permissions(Permissions::from_mode(OWNER_ONLY)).map_err(failed)?;
    }
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            let taken = format!("Another screenerd process has opened {}.", path.display());
            Error::new(Kind::Unavailable, taken)
        }
        TryLockError::Error(error) => failed(error),
    })?;
    Ok(Lock(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn every_name_of_a_file_resolves_to_one_whether_it_exists_or_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("it exists");
        fs::create_dir(root.join("data")).expect("a folder");
        let at = |name: &str| root.join(name);
        symlink("data", at("folder")).expect("a link");
        symlink("data/a.db", at("file.db")).expect("a link");
        symlink(at("file.db"), at("data/absolute.db")).expect("a link");
        let names = ["data/a.db", "folder/a.db", "file.db", "data/absolute.db", "data/../file.db"];
        for exists in [false, true] {
            for name in names {
                assert_eq!(resolve(&at(name)).expect("it resolves"), at("data/a.db"), "{name}");
            }
            if !exists {
                create_private(&at("data/a.db")).expect("it is created");
            }
        }
    }

    #[test]
    fn a_file_that_cannot_be_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("it exists");
        symlink("loop", root.join("loop")).expect("a link");
        let refused =
            |outcome: Result<PathBuf>| outcome.expect_err("it is refused").detail().to_owned();
        let missing = root.join("none/a.db");
        let expected = format!(
            "cannot open {}: the folder {} does not exist",
            missing.display(),
            root.join("none").display()
        );
        assert_eq!(refused(resolve(&missing)), expected);
        assert!(refused(resolve(&root.join("loop"))).contains("/loop: "));
        assert!(refused(resolve(&root.join("none/.."))).contains("/none/..: "));
        let is_folder = create_private(&root).map(|()| root.clone());
        assert!(refused(is_folder).ends_with(": it is not a regular file"));
        let (one, other) = (root.join("one.db"), root.join("other.db"));
        create_private(&one).expect("it is created");
        fs::hard_link(&one, &other).expect("a link");
        for name in [&one, &other] {
            let linked = create_private(name).map(|()| root.clone());
            assert!(
                refused(linked).contains(&format!("{}: it has more than one name", name.display()))
            );
        }
        fs::remove_file(&other).expect("it is removed");
        create_private(&one).expect("it has one name again");
    }

    #[test]
    fn a_lock_is_given_back_although_a_copy_of_its_descriptor_is_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let held = lock(&path).expect("it locks");
        assert!(lock(&path).is_err());
        let copy = held.0.try_clone().expect("a copy");
        drop(held);
        drop(lock(&path).expect("it locks again"));
        drop(copy);
    }

    #[test]
    fn a_lock_file_is_for_its_owner_only_even_if_it_was_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let mode = || fs::metadata(beside(&path, ".lock")).expect("it exists").mode() & 0o777;
        drop(lock(&path).expect("it locks"));
        assert_eq!(mode(), 0o600);
        let open = Permissions::from_mode(0o644);
        fs::set_permissions(beside(&path, ".lock"), open).expect("it is set");
        drop(lock(&path).expect("it locks"));
        assert_eq!(mode(), 0o600);
    }
}
