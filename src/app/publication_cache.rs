//! A cache of publications.
//!
//! Every answer is validated against its questionnaire, which has dozens of rows and never changes
//! once it is published. The cache is keyed by publication and checked by digest: each use queries
//! the stored digest, so a cached publication cannot be another one or outlive a restore.
//!
//! A transaction never loads a publication. Reading it and compiling its patterns can take a tenth
//! of a second, on the writer's thread or on one of the runtime. Instead, the transaction fails
//! with a [`Miss`], the publication is loaded, and the transaction runs again. Loads run on their
//! own threads, where tenants take turns, so they do not queue behind long reads or long work.
//! Callers that need the same publication wait for one load.

use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{ATTEMPTS_MAX, App, conflict, refusal};
use crate::domain::content_hash::ContentHash;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{PublicationId, TenantId};
use crate::domain::publication::Publication;
use crate::lane::Abandoned;
use crate::store::{Corrupt, Tx};

/// Bytes of the cached publications: eight with the most patterns allowed, or some thousand of two
/// dozen questions.
pub const PUBLICATION_CACHE_MAX_BYTES: u64 = 64 << 20;
/// The approximate number of those, by which the cache sizes its tables.
const CACHED_ESTIMATE: usize = 1_024;
/// The overhead of a cached publication: its key, its place in the tables and the headers of its
/// allocations.
const CACHED_OVERHEAD_BYTES: u64 = 512;

type Key = (TenantId, PublicationId);

/// A publication that was loaded, with its digest and the bytes that it occupies.
#[derive(Clone, Debug)]
struct Loaded {
    hash: ContentHash,
    publication: Arc<Publication>,
    bytes: u64,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Loaded> for ByBytes {
    fn weight(&self, _: &Key, loaded: &Loaded) -> u64 {
        loaded.bytes + CACHED_OVERHEAD_BYTES
    }
}

type Entries = Cache<Key, Loaded, ByBytes>;

/// The publications that one transaction may use: the cached ones, and the one loaded for it, which
/// may already have been evicted.
#[derive(Clone, Debug)]
pub(super) struct PublicationCache {
    cached: Arc<Entries>,
    own: Option<(Key, Loaded)>,
    /// How many publications were loaded for the transaction.
    loads: usize,
}

/// The error of a transaction that needs a publication which is not cached.
#[derive(Debug, thiserror::Error)]
#[error("a publication has to be loaded first")]
struct Miss(Key, ContentHash);

impl Miss {
    fn of(error: &Error) -> Option<&Self> {
        std::error::Error::source(error).and_then(|source| source.downcast_ref())
    }
}

impl PublicationCache {
    /// Creates an empty cache.
    pub(super) fn new(max_bytes: u64) -> Result<Self> {
        let options = OptionsBuilder::new()
            // Shards would also divide the bytes, and a large publication would fit into none.
            .shards(1)
            .estimated_items_capacity(CACHED_ESTIMATE)
            .weight_capacity(max_bytes)
            .build()
            .map_err(Error::internal)?;
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        let cached = Arc::new(Cache::with_options(options, ByBytes, hasher, lifecycle));
        Ok(Self { cached, own: None, loads: 0 })
    }

    /// Returns a publication of a tenant whose stored digest is `hash`. Fails with a [`Miss`] if it
    /// is not cached.
    pub(super) async fn get(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        id: &PublicationId,
        hash: Option<ContentHash>,
    ) -> Result<Option<(Arc<Publication>, ContentHash)>> {
        let Some(hash) = hash else {
            // A publication from before digests were stored cannot be cached.
            let publication = tx.get_publication(tenant, id).await?.map(Arc::new);
            return Ok(publication.map(|publication| {
                let hash = publication.content_hash();
                (publication, hash)
            }));
        };
        let key = (tenant.clone(), id.clone());
        let own = self.own.iter().filter(|(own, _)| *own == key).map(|(_, loaded)| loaded.clone());
        let found = self.cached.get(&key).into_iter().chain(own).find(|it| it.hash == hash);
        let detail = "The questionnaire is being loaded. Try again.";
        let missed = || Error::new(Kind::Unavailable, detail).caused_by(Miss(key, hash));
        found.map(|it| Some((it.publication, hash))).ok_or_else(missed)
    }
}

impl App {
    /// Handles the result of a transaction that needs publications. `None` means that a publication
    /// was loaded and that the transaction has to run again.
    pub(super) async fn done_or_loaded<T: Send>(
        &self,
        done: Result<T>,
        publications: &mut PublicationCache,
    ) -> Result<Option<T>> {
        let missed =
            done.as_ref().err().and_then(Miss::of).map(|Miss(key, hash)| (key.clone(), *hash));
        let Some((key, hash)) = missed else { return done.map(Some) };
        // A screener may be published again while its publication is loaded.
        if publications.loads == ATTEMPTS_MAX {
            return Err(conflict());
        }
        let cached = &self.publications.cached;
        if cached.get(&key).is_some_and(|it| it.hash != hash) {
            cached.remove(&key);
        }
        let loaded = Box::pin(cached.get_or_insert_async(&key, self.load(&key))).await?;
        publications.own = Some((key, loaded));
        publications.loads += 1;
        Ok(None)
    }

    /// Reads a publication and compiles its patterns, off the runtime and the writer.
    async fn load(&self, key: &Key) -> Result<Loaded> {
        let (tenant, id) = key.clone();
        let (store, runtime) = (Arc::clone(&self.store), Handle::current());
        let caller = CancellationToken::new();
        let departure = caller.clone();
        // If the caller leaves, the thread is freed even while the database does not respond.
        let _caller = caller.drop_guard();
        let load = move |_: &Abandoned| {
            let read = store.read(async |tx| tx.get_publication(&tenant, &id).await);
            let left = || Error::new(Kind::Unavailable, "The caller has left.");
            let read = runtime.block_on(departure.run_until_cancelled(read));
            let publication = read.ok_or_else(left)??;
            let missing = || Error::internal("a publication without its content");
            Loaded::new(publication.ok_or_else(missing)?)
        };
        self.loads.run(key.0.as_str(), load).await.map_err(refusal)?
    }
}

impl Loaded {
    fn new(publication: Publication) -> Result<Self> {
        let compiled = publication.keep_patterns().map_err(|reason| {
            let id = publication.id.as_str();
            Error::internal(Corrupt::new("questions", "pattern", id, reason))
        })?;
        let bytes = u64::try_from(publication.heap_bytes() + compiled).map_err(Error::internal)?;
        let hash = publication.content_hash();
        Ok(Self { hash, publication: Arc::new(publication), bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{PageId, QuestionId, ScreenerId};
    use crate::domain::pattern::Pattern;
    use crate::domain::question::{Question, QuestionForm, TextForm};

    fn loaded(name: &str, prompt: &str, pattern: &str) -> (Key, Loaded) {
        let id = PublicationId::parse(name).expect("an id");
        let pattern = Some(Pattern::parse(pattern).expect("a pattern"));
        let question = Question {
            id: QuestionId::parse("q").expect("an id"),
            page: PageId::parse("p").expect("an id"),
            prompt: prompt.into(),
            required: true,
            form: QuestionForm::Text(TextForm { pattern, ..TextForm::default() }),
        };
        let publication = Publication {
            id: id.clone(),
            screener: ScreenerId::parse("s").expect("an id"),
            tags: Vec::new(),
            questions: vec![question],
            published: None,
            wording: <_>::default(),
        };
        let key = (TenantId::parse("acct").expect("an id"), id);
        (key, Loaded::new(publication).expect("patterns that compile"))
    }

    #[test]
    fn the_cache_is_bounded_by_bytes_and_evicts_one_by_one() {
        let (_, one) = loaded("p", "?", "a{1,3000}");
        assert!(one.bytes > 200 << 10, "compiled patterns count: {}", one.bytes);
        let (_, one) = loaded("p", &"?".repeat(10_000), "a");
        let max_bytes = 10 * (one.bytes + CACHED_OVERHEAD_BYTES);
        let publications = PublicationCache::new(max_bytes).expect("a cache");
        let cached = &publications.cached;
        for number in 0..100 {
            let (key, loaded) = loaded(&format!("p{number}"), &"?".repeat(10_000), "a");
            cached.insert(key.clone(), loaded);
            assert!(cached.get(&key).is_some(), "the newest is there");
            assert!(cached.weight() <= max_bytes);
            assert!(cached.len() >= usize::min(number + 1, 9), "{number}: {}", cached.len());
        }
    }
}
