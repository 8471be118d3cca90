//! Limits of concurrent exports, for each tenant and for the server: slots, each of which stands
//! for one snapshot, and bytes in files for parts that clients have not read.

use std::collections::HashMap;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::budget::{Budget, Charge};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::TenantId;
use crate::lane::Lane;

/// Concurrent exports of one tenant: one to finish, and one to start.
const EXPORTS_MAX_PER_TENANT: usize = 2;
/// Concurrent exports of the server: each keeps a snapshot, and on PostgreSQL one of the
/// connections reserved for exports.
const EXPORTS_MAX: usize = 8;
/// Two threads for each export, so that rows are read while earlier ones are encoded. An encoder
/// waits for its client only briefly, so encoders of exports without a slot end soon.
pub(super) const EXPORT_THREADS: usize = 2 * EXPORTS_MAX;
/// Bytes in the files of one tenant's exports: some 20 million answers as NDJSON.
const EXPORT_SPOOL_TENANT_MAX_BYTES: usize = 8 * 1024 * 1024 * 1024;
/// Bytes in the files of all exports, so that one tenant never uses all of it.
const EXPORT_SPOOL_MAX_BYTES: usize = 2 * EXPORT_SPOOL_TENANT_MAX_BYTES;
/// The size of a file, unless a single part is larger. Files are deleted one by one, so a slow
/// client frees space long before it has read everything. Each file is an open file descriptor, so
/// they must be few.
const EXPORT_SPOOL_FILE_BYTES: usize = 64 * 1024 * 1024;
/// Bytes that export files leave free on their disk, so that the database, usually on the same
/// disk, can continue to write.
const EXPORT_SPOOL_DISK_FREE_MIN_BYTES: u64 = 1024 * 1024 * 1024;

/// Bytes that wait in memory for the clients of one tenant's exports: many times the need of its
/// two concurrent exports at full speed.
pub(crate) const EXPORT_MEMORY_TENANT_MAX_BYTES: usize = 16 * 1024 * 1024;
/// Bytes that wait in memory for the clients of all exports, so that one tenant never uses all of
/// it. Beyond it parts go to files, also those of clients that keep pace.
const EXPORT_MEMORY_MAX_BYTES: usize = 2 * EXPORT_MEMORY_TENANT_MAX_BYTES;

/// Limits of the data kept for clients, in files and in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) max_bytes: usize,
    pub(super) max_bytes_per_tenant: usize,
    pub(super) file_bytes: usize,
    pub(super) disk_free_min_bytes: u64,
    pub(super) memory_max_bytes: usize,
    pub(super) memory_max_bytes_per_tenant: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            max_bytes: EXPORT_SPOOL_MAX_BYTES,
            max_bytes_per_tenant: EXPORT_SPOOL_TENANT_MAX_BYTES,
            file_bytes: EXPORT_SPOOL_FILE_BYTES,
            disk_free_min_bytes: EXPORT_SPOOL_DISK_FREE_MIN_BYTES,
            memory_max_bytes: EXPORT_MEMORY_MAX_BYTES,
            memory_max_bytes_per_tenant: EXPORT_MEMORY_TENANT_MAX_BYTES,
        }
    }
}

/// The state that all exports of a server share.
#[derive(Debug)]
pub(in crate::app) struct Exports {
    pub(super) lane: Lane,
    /// Cancelled when the server closes.
    pub(super) closing: CancellationToken,
    slots: Arc<Semaphore>,
    spooled: Budget,
    memory: Budget,
    bounds: Bounds,
    folder: PathBuf,
    /// The tenants that have running exports or files of them.
    tenants: Mutex<HashMap<TenantId, Weak<Share>>>,
}

/// The share of one tenant.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) tenant: TenantId,
    slots: Arc<Semaphore>,
    spooled: Budget,
    memory: Budget,
}

/// Bytes charged to a tenant and to the server.
pub(super) type Charges = [Charge; 2];

/// A slot of a tenant and of the server. It is released together with its snapshot.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) share: Arc<Share>,
    _permits: [OwnedSemaphorePermit; 2],
}

/// An unnamed file, which is deleted when its last reference is dropped.
#[derive(Debug)]
pub(super) struct SpoolFile {
    pub(super) file: File,
    /// The bytes that may be written.
    pub(super) size: u64,
    _charges: Option<Charges>,
    /// The budget of the tenant must outlive the charges to it.
    _share: Arc<Share>,
}

impl Exports {
    pub(in crate::app) fn new(folder: &Path) -> Result<Arc<Self>> {
        Self::with(folder, Bounds::default())
    }

    pub(super) fn with(folder: &Path, bounds: Bounds) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            lane: Lane::with_threads("export", EXPORT_THREADS).map_err(Error::internal)?,
            closing: CancellationToken::new(),
            slots: Arc::new(Semaphore::new(EXPORTS_MAX)),
            spooled: Budget::new(bounds.max_bytes),
            memory: Budget::new(bounds.memory_max_bytes),
            bounds,
            folder: folder.to_owned(),
            tenants: Mutex::default(),
        }))
    }

    /// Returns how many exports run.
    pub(in crate::app) fn running(&self) -> usize {
        EXPORTS_MAX - self.slots.available_permits()
    }

    /// Acquires a slot for an export of a tenant, or fails if none is free.
    pub(super) fn slot(&self, tenant: &TenantId) -> Result<Slot> {
        let share = self.share(tenant);
        let refused = |detail: String| move |_| Error::new(Kind::Unavailable, detail);
        let of_tenant = Arc::clone(&share.slots).try_acquire_owned().map_err(refused(format!(
            "The limit of {EXPORTS_MAX_PER_TENANT} concurrent exports is reached. Try again later."
        )))?;
        let of_server = Arc::clone(&self.slots).try_acquire_owned().map_err(refused(format!(
            "The limit of {EXPORTS_MAX} concurrent exports of all tenants is reached. \
             Try again later."
        )))?;
        Ok(Slot { share, _permits: [of_tenant, of_server] })
    }

    fn share(&self, tenant: &TenantId) -> Arc<Share> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = tenants.get(tenant).and_then(Weak::upgrade) {
            return share;
        }
        tenants.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Share {
            tenant: tenant.clone(),
            slots: Arc::new(Semaphore::new(EXPORTS_MAX_PER_TENANT)),
            spooled: Budget::new(self.bounds.max_bytes_per_tenant),
            memory: Budget::new(self.bounds.memory_max_bytes_per_tenant),
        });
        tenants.insert(tenant.clone(), Arc::downgrade(&share));
        share
    }

    /// Creates a file that only this process can open, for a part of this length and later ones.
    pub(super) fn spool_file(&self, share: &Arc<Share>, part_bytes: usize) -> Result<SpoolFile> {
        let bytes = part_bytes.max(self.bounds.file_bytes);
        let charges = charge([&share.spooled, &self.spooled], bytes).ok_or_else(|| {
            let detail = "The client reads too slowly: its unread bytes exceed the limit that the \
                          server keeps for it. Continue with the resume token of the last message, or \
                          begin again.";
            Error::new(Kind::Unavailable, detail)
        })?;
        let file = tempfile::tempfile_in(&self.folder).map_err(not_spooled)?;
        file.set_permissions(Permissions::from_mode(0o600)).map_err(not_spooled)?;
        let disk = rustix::fs::fstatvfs(&file).map_err(|error| not_spooled(error.into()))?;
        let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free_bytes < self.bounds.disk_free_min_bytes.saturating_add(bytes as u64) {
            let full = format!("{free_bytes} bytes are free in {}", self.folder.display());
            return Err(not_spooled(io::Error::new(io::ErrorKind::StorageFull, full)));
        }
        let (charges, share) = (Some(charges), Arc::clone(share));
        Ok(SpoolFile { file, size: bytes as u64, _charges: charges, _share: share })
    }

    /// Charges a part that waits in memory. Returns `None` if it has to go to a file.
    pub(super) fn in_memory(&self, share: &Share, bytes: usize) -> Option<Charges> {
        charge([&share.memory, &self.memory], bytes)
    }

    /// Returns the error of an export that ended without a result: its thread panicked, or the
    /// server closed before it started.
    pub(super) fn ended_early(&self) -> Error {
        if self.closing.is_cancelled() {
            return stopping();
        }
        Error::internal("an export panicked")
    }

    /// Refuses new exports, ends the running ones, and waits for their end.
    pub(in crate::app) async fn close(self: &Arc<Self>) {
        self.closing.cancel();
        let exports = Arc::clone(self);
        // The lane joins its threads. If that panics, no thread is left to wait for.
        let _ = spawn_blocking(move || exports.lane.close()).await;
    }
}

fn charge([of_tenant, of_server]: [&Budget; 2], bytes: usize) -> Option<Charges> {
    Some([of_tenant.try_charge(bytes)?, of_server.try_charge(bytes)?])
}

/// The error of an export that ends because the server closes.
pub(super) fn stopping() -> Error {
    Error::new(Kind::Unavailable, "The server is stopping. Try again later.")
}

/// The error of an export that could not write its spool. The operator has to fix the cause.
pub(super) fn not_spooled(error: io::Error) -> Error {
    let detail = "The server cannot store the client's unread bytes. Try again later.";
    Error::new(Kind::Unavailable, detail).caused_by(error)
}

#[cfg(test)]
impl Exports {
    /// Waits until every slot is released.
    pub(super) async fn idle(&self) {
        let all = u32::try_from(EXPORTS_MAX).expect("it is small");
        let _all = self.slots.acquire_many(all).await.expect("they are open");
    }

    /// Returns the bytes that wait in memory for the clients of all exports.
    pub(super) fn memory_bytes(&self) -> usize {
        self.memory.charged_bytes()
    }

    /// Returns the bytes of the spool files of all exports.
    pub(super) fn spooled_bytes(&self) -> usize {
        self.spooled.charged_bytes()
    }
}

#[cfg(test)]
impl SpoolFile {
    /// Creates a file that cannot be written, as on a full disk.
    pub(super) fn full(exports: &Exports, tenant: &TenantId) -> Self {
        let file = File::options().write(true).open("/dev/full").expect("the device");
        Self { file, size: u64::MAX, _charges: None, _share: exports.share(tenant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).expect("an id")
    }

    #[tokio::test]
    async fn a_tenant_has_two_slots_and_the_server_eight() {
        let exports = Exports::new(Path::new(".")).expect("exports");
        let detail = |refused: Result<Slot>| {
            let error = refused.expect_err("there is no slot");
            assert_eq!(error.kind(), Kind::Unavailable);
            error.detail().to_owned()
        };
        let mut slots = Vec::new();
        for id in ["a", "b", "c", "d"] {
            for _ in 0..EXPORTS_MAX_PER_TENANT {
                slots.push(exports.slot(&tenant(id)).expect("a slot"));
            }
            assert_eq!(
                detail(exports.slot(&tenant(id))),
                "The limit of 2 concurrent exports is reached. Try again later."
            );
        }
        assert_eq!(
            detail(exports.slot(&tenant("e"))),
            "The limit of 8 concurrent exports of all tenants is reached. Try again later."
        );
        slots.pop();
        assert!(exports.slot(&tenant("e")).is_ok(), "a slot came back");
        drop(slots);
        assert!(exports.slot(&tenant("f")).is_ok());
        assert_eq!(exports.tenants.lock().expect("a lock").len(), 1, "the others are forgotten");
    }

    #[tokio::test]
    async fn files_of_a_tenant_leave_room_for_those_of_another_and_for_the_database() {
        let folder = tempfile::tempdir().expect("a folder");
        let bounds = Bounds {
            max_bytes: 20,
            max_bytes_per_tenant: 10,
            file_bytes: 1,
            disk_free_min_bytes: 0,
            ..Bounds::default()
        };
        let exports = Exports::with(folder.path(), bounds).expect("exports");
        let (a, b) = (exports.share(&tenant("a")), exports.share(&tenant("b")));
        let of_a = exports.spool_file(&a, 10).expect("it fits");
        assert!(exports.spool_file(&a, 1).is_err());
        let of_b = exports.spool_file(&b, 10).expect("it fits");
        drop(a);
        assert!(exports.spool_file(&exports.share(&tenant("a")), 1).is_err(), "a file is left");
        drop(of_a);
        assert!(exports.spool_file(&exports.share(&tenant("a")), 10).is_ok());
        let metadata = of_b.file.metadata().expect("metadata");
        assert_eq!((metadata.mode() & 0o777, metadata.nlink()), (0o600, 0));
        let entries = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(entries, 0, "it has no name");
        let full = Exports::with(folder.path(), Bounds { disk_free_min_bytes: u64::MAX, ..bounds });
        let full = full.expect("exports");
        let refused = full.spool_file(&full.share(&tenant("a")), 10).expect_err("no room");
        assert!(refused.internal_text().is_some_and(|text| text.contains("are free")));
    }
}
