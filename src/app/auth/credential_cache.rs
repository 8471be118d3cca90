//! A cache of the credentials that were looked up recently.
//!
//! Most calls present the same few credentials, and looking one up costs as much as the call
//! itself. A cached credential expires after half a second: a busy server looks it up twice a
//! second, and a revocation on another replica takes effect within half a second. This process
//! clears the cache when it revokes a credential or disables a tenant.
//!
//! Unknown credentials are not cached. Expiry is checked at each call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::credential::{Credential, SecretHash};
use crate::domain::id::CredentialId;

/// How long a credential is cached.
const CACHED_MS: u64 = 500;
/// Entries of the cache. A full cache is cleared, which is simpler than evicting single entries.
const CREDENTIALS_MAX: usize = 4_096;

/// A lookup: a pair by its public id and the digest of its secret, a token by its digest alone.
type Lookup = (Option<CredentialId>, [u8; 32]);

/// A credential whose secret was presented, and whether its tenant is disabled.
pub(super) type Found = Arc<(Credential, bool)>;

/// The cache of recently used credentials.
#[derive(Default)]
pub(in crate::app) struct CredentialCache(Mutex<Entries>);

impl std::fmt::Debug for CredentialCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CredentialCache(…)")
    }
}

#[derive(Default)]
struct Entries {
    /// Incremented when the cache is cleared.
    generation: u64,
    found: HashMap<Lookup, (Instant, Found)>,
}

/// A cache miss, with the generation of the cache at that time.
pub(super) struct Missed {
    lookup: Lookup,
    generation: u64,
}

impl CredentialCache {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the cached credential, or a [`Missed`] with which it can be cached once it is found.
    pub(super) fn get(
        &self,
        id: Option<&CredentialId>,
        hash: &SecretHash,
        now: Instant,
    ) -> Result<Found, Missed> {
        let lookup = (id.cloned(), *hash.as_bytes());
        let entries = self.entries();
        match entries.found.get(&lookup) {
            Some((until, found)) if now < *until => Ok(Arc::clone(found)),
            Some(_) | None => Err(Missed { lookup, generation: entries.generation }),
        }
    }

    /// Caches a credential, unless the cache was cleared since the miss: the credential may have
    /// been read before it was revoked.
    pub(super) fn keep(&self, missed: Missed, found: Found, now: Instant) {
        let Missed { lookup, generation } = missed;
        let mut entries = self.entries();
        if entries.generation != generation {
            return;
        }
        if entries.found.len() >= CREDENTIALS_MAX {
            entries.found.clear();
        }
        let until = now + Duration::from_millis(CACHED_MS);
        entries.found.insert(lookup, (until, found));
    }

    /// Clears the cache after a credential was revoked or a tenant disabled.
    pub(in crate::app) fn forget(&self) {
        let mut entries = self.entries();
        entries.generation += 1;
        entries.found.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::CredentialKind;
    use crate::domain::id::TenantId;
    use crate::domain::time::Timestamp;

    fn found(hash: &SecretHash) -> Found {
        let credential = Credential {
            id: CredentialId::parse("key_1").expect("an id"),
            tenant: TenantId::parse("acct_1").expect("an id"),
            kind: CredentialKind::Panel,
            hash: hash.clone(),
            scopes: Vec::new(),
            created: Timestamp::from_micros(0),
            expires: None,
            revoked: None,
        };
        Arc::new((credential, false))
    }

    #[test]
    fn what_is_found_is_kept_for_half_a_second() {
        let (cache, hash, now) =
            (CredentialCache::default(), SecretHash::of(b"secret"), Instant::now());
        let missed = cache.get(None, &hash, now).expect_err("it is not kept yet");
        cache.keep(missed, found(&hash), now);
        let later = |ms| now + Duration::from_millis(ms);
        assert!(cache.get(None, &hash, later(CACHED_MS - 1)).is_ok());
        assert!(cache.get(None, &SecretHash::of(b"other"), now).is_err());
        let pair = CredentialId::parse("key_1").expect("an id");
        assert!(cache.get(Some(&pair), &hash, now).is_err(), "another way to look up");
        assert!(cache.get(None, &hash, later(CACHED_MS)).is_err());
    }

    #[test]
    fn what_was_read_before_all_was_forgotten_is_not_kept() {
        let (cache, hash, now) =
            (CredentialCache::default(), SecretHash::of(b"secret"), Instant::now());
        let missed = cache.get(None, &hash, now).expect_err("it is not kept yet");
        cache.forget();
        cache.keep(missed, found(&hash), now);
        assert!(cache.get(None, &hash, now).is_err());
    }
}
