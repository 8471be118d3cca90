//! Publications that were read before.
//!
//! Every answer is held against its questionnaire, which has dozens of rows and never changes once
//! it is published. So its content is read once and kept under its digest; each use still looks up
//! which digest the publication has, so that what is kept cannot be another's or outlive a restore.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::content_hash::ContentHash;
use crate::domain::error::Result;
use crate::domain::id::{PublicationId, TenantId};
use crate::domain::publication::Publication;
use crate::store::Tx;

/// How many are kept; then all are forgotten, which is simpler than to choose.
const PUBLICATIONS_MAX: usize = 128;

type Entries = HashMap<(TenantId, PublicationId), (ContentHash, Arc<Publication>)>;

/// The publications that were read before, by tenant and id.
#[derive(Debug, Default)]
pub(super) struct PublicationCache(Mutex<Entries>);

impl PublicationCache {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One publication of a tenant, and its digest.
    pub(super) async fn get(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        id: &PublicationId,
    ) -> Result<Option<(Arc<Publication>, ContentHash)>> {
        let Some(head) = tx.publication_head(tenant, id).await? else { return Ok(None) };
        let key = (tenant.clone(), id.clone());
        if let (Some(hash), Some((kept, publication))) = (&head.hash, self.entries().get(&key))
            && hash == kept
        {
            return Ok(Some((Arc::clone(publication), *kept)));
        }
        let Some(publication) = tx.get_publication(tenant, id).await? else { return Ok(None) };
        let publication = Arc::new(publication);
        // One from before digests were stored has none by which it would be known again.
        let Some(hash) = head.hash else {
            let hash = publication.content_hash();
            return Ok(Some((publication, hash)));
        };
        let mut entries = self.entries();
        if entries.len() >= PUBLICATIONS_MAX {
            entries.clear();
        }
        entries.insert(key, (hash, Arc::clone(&publication)));
        Ok(Some((publication, hash)))
    }
}
