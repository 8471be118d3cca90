//! The use cases: the only place where a rule meets the store.
//!
//! Every use case takes a proof of authentication first, a [`Caller`] or an [`Operator`], which
//! only authentication can create. All further arguments are validated. So no transport can skip a
//! check, and all transports behave alike.

mod answering;
mod auth;
mod change;
mod copy;
mod credential;
mod export;
mod fault;
mod funnel;
mod import;
mod link;
mod look;
mod meter;
mod panelist;
mod participant;
mod project;
mod publication_cache;
mod response;
mod screener;
mod session;
mod submission;
mod tenant;

use std::fmt;
use std::sync::Arc;

use auth::CredentialCache;
use export::Exports;
use publication_cache::PublicationCache;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::budget::{Budget, Charge, Held, LARGE_ANSWER_BYTES, Share};
use crate::domain::change::By;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{Entropy, TenantId};
use crate::domain::link::Links;
use crate::domain::list::Pagination;
use crate::domain::panelist_key::KeyRing;
use crate::domain::time::Timestamp;
use crate::lane::{Abandoned, Lane, Refused};
use crate::meter::Meter;
use crate::store::{Length, Locks, Paging, Store, Tx, WriteTx};

pub use crate::store::{
    ChangeFilter, Checkpoints, CopyProgress, EarlierFilter, Location, ResponseFilter,
    SessionFilter, SubmissionFilter, TableDigest,
};
pub use answering::{Holder, Matched};
pub use auth::{
    Admitted, Caller, Need, Operator, Permission, ReadHistory, ReadPanelists, ReadParticipants,
    ReadResponses, ReadScreeners, ReadSessions, ReadSubmissions, ReviewSubmissions,
    WriteParticipants, WriteScreeners, WriteSessions,
};
pub use copy::copy;
pub use credential::NewKey;
#[cfg(test)]
pub(crate) use export::EXPORT_MEMORY_TENANT_MAX_BYTES;
pub use export::{Chunk, Export, Part, Piece};
pub use fault::Place;
pub use funnel::FunnelView;
pub use import::{FileDigest, Imported, NewAnswer, Record, SessionRecord, Summary};
pub use link::{Found, LandingState, Visit};
pub use look::LookView;
pub use participant::NewParticipant;
pub use project::NewProject;
pub use publication_cache::PUBLICATION_CACHE_MAX_BYTES;
pub use screener::{NewScreener, ScreenerView};
pub use session::SessionView;

/// The clock and the source of randomness. Tests provide their own.
#[derive(Clone)]
pub struct Environment {
    /// Returns the current time.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Returns 32 random bytes.
    pub random: Arc<dyn Fn() -> [u8; 32] + Send + Sync>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

/// The settings to open an [`App`] with.
#[derive(Debug)]
pub struct Settings {
    /// The database; it is created and migrated as needed.
    pub location: Location,
    /// The process that runs the checkpoints of a SQLite file.
    pub checkpoints: Checkpoints,
    /// The clock and the source of randomness.
    pub environment: Environment,
    /// The builder of links.
    pub links: Links,
    /// The secret that seals panelist keys. Defaults to a secret stored in the database.
    pub panelist_secret: Option<[u8; KeyRing::SECRET_BYTES]>,
    /// The metrics of the process.
    pub meter: Arc<Meter>,
}

impl Settings {
    /// Returns the settings of a program that issues no links.
    #[must_use]
    pub fn new(location: Location, environment: Environment) -> Self {
        Self {
            location,
            checkpoints: Checkpoints::Own,
            environment,
            links: Links::new("http://127.0.0.1"),
            panelist_secret: None,
            meter: Arc::default(),
        }
    }
}

/// The state shared by all use cases.
#[derive(Debug)]
pub struct App {
    store: Arc<Store>,
    environment: Environment,
    links: Links,
    keys: KeyRing,
    credentials: CredentialCache,
    publications: PublicationCache,
    /// The budget for the bytes of large responses that are being sent.
    sending: Budget,
    /// The permits to encode a large response.
    turns: Arc<Semaphore>,
    /// The threads for CPU-bound work.
    lane: Arc<Lane>,
    /// The threads that load publications, so that loads do not queue behind long reads and work.
    loads: Arc<Lane>,
    exports: Arc<Exports>,
    meter: Arc<Meter>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(…)")
    }
}

/// How often a contended row is read again before the caller is told to retry.
const ATTEMPTS_MAX: usize = 8;

/// Returns the error of a change that kept losing to concurrent changes.
fn conflict() -> Error {
    Error::new(Kind::Conflict, "Other calls keep changing this. Try again.")
}

/// Maps a refusal of a lane to the error that the caller gets.
fn refusal(refused: Refused) -> Error {
    match refused {
        Refused::Full => {
            Error::new(Kind::Unavailable, "Too much work of this kind is waiting. Try again later.")
        }
        Refused::Closed => Error::new(Kind::Unavailable, "The server is shutting down."),
        Refused::Panicked => Error::internal("long work panicked"),
    }
}

/// Sessions without a funnel cell, from earlier versions, that one write settles: enough to share a
/// commit, few enough to be quick.
const SETTLED_AT_ONCE: i64 = 256;

/// The bytes of large responses kept in memory until their peers have received them: thirty pages
/// of the largest size, and half of that for one tenant. Beyond it, requests fail and can be
/// retried. Small responses are not counted.
pub const SEND_BUDGET_BYTES: usize = 128 << 20;

/// How many large responses are encoded concurrently. Each occupies a runtime thread for
/// milliseconds, and small machines have two.
const ENCODED_AT_ONCE: usize = 1;

/// The name of the database's secret for panelist keys.
const PANELIST_KEY_SECRET: &str = "panelist-key";

impl App {
    /// Opens the database.
    pub async fn open(settings: Settings) -> Result<Self> {
        let Settings { location, checkpoints, environment, links, panelist_secret, meter } =
            settings;
        let store = Store::open_with(&location, checkpoints, Arc::clone(meter.store())).await?;
        for tenant in store.look_up(async |tx| tx.unsettled_tenants().await).await? {
            loop {
                let (locks, of) = (Locks::alone(&tenant), tenant.clone());
                let settle =
                    async move |tx: &mut WriteTx| tx.settle_unsettled(&of, SETTLED_AT_ONCE).await;
                if !store.write(locks, settle).await? {
                    break;
                }
            }
        }
        let secret = if let Some(secret) = panelist_secret {
            secret
        } else {
            let mut fresh = [0; KeyRing::SECRET_BYTES];
            fresh[..32].copy_from_slice(&(environment.random)());
            fresh[32..].copy_from_slice(&(environment.random)());
            let stored = store
                .write(Locks::housekeeping(), async move |tx| {
                    tx.server_secret(PANELIST_KEY_SECRET, &fresh).await
                })
                .await?;
            stored.try_into().map_err(|_| Error::internal("the panelist secret has 64 bytes"))?
        };
        let exports = Exports::new(store.spool_folder())?;
        Ok(Self {
            store: Arc::new(store),
            environment,
            links,
            keys: KeyRing::new(secret),
            credentials: CredentialCache::default(),
            publications: PublicationCache::new(PUBLICATION_CACHE_MAX_BYTES)?,
            sending: Budget::halved(SEND_BUDGET_BYTES),
            turns: Arc::new(Semaphore::new(ENCODED_AT_ONCE)),
            lane: Arc::new(Lane::new("compute").map_err(Error::internal)?),
            loads: Arc::new(Lane::new("publications").map_err(Error::internal)?),
            exports,
            meter,
        })
    }

    /// Returns the clock and the source of randomness.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.environment.now)()
    }

    /// Returns the author of a caller's change for the audit log.
    fn by<P>(&self, caller: &Caller<P>) -> By {
        By { actor: caller.actor().to_owned(), at: self.now() }
    }

    /// Returns the author of the operator's change for the audit log.
    fn by_operator(&self) -> By {
        By { actor: Operator::ACTOR.to_owned(), at: self.now() }
    }

    /// Returns randomness for one id.
    #[must_use]
    pub fn entropy(&self) -> Entropy {
        let mut entropy = Entropy::default();
        entropy.copy_from_slice(&(self.environment.random)()[..16]);
        entropy
    }

    /// Returns the budget for large responses. Charges last until the peer has received them.
    #[must_use]
    pub fn sending(&self) -> &Budget {
        &self.sending
    }

    /// Reads a page of a caller's tenant, charges its size, and waits for its turn to be encoded.
    async fn page<P, T, F>(
        &self,
        caller: &Caller<P>,
        pagination: Pagination,
        length: Length,
        read: F,
    ) -> Result<Held<T>>
    where
        F: AsyncFnOnce(&mut Tx, &TenantId, Paging) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (share, tenant) = (caller.tenant().as_str(), caller.tenant().clone());
        let (paging, charge) = Paging::charged(pagination, &self.sending, Share::of(share));
        let read = async move |tx: &mut Tx| read(tx, &tenant, paging).await;
        let value = self.store.page(share, length, read).await?;
        self.in_turn(value, charge).await
    }

    /// Returns a page that was read, once it is its turn to be encoded.
    async fn in_turn<T>(&self, value: T, charge: Arc<Charge>) -> Result<Held<T>> {
        if charge.bytes() <= LARGE_ANSWER_BYTES {
            return Ok(Held { value, charge, turn: None });
        }
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(Error::internal)?;
        Ok(Held { value, charge, turn: Some(Arc::new(turn)) })
    }

    /// Returns the builder of links.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Runs CPU-bound work, such as validating a draft, off the runtime at low priority, in the
    /// tenant's turn. If the caller leaves, queued work never starts, and running work is told so.
    pub async fn compute<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        work: impl FnOnce(&Abandoned) -> T + Send + 'static,
    ) -> Result<T> {
        self.lane.run(tenant.as_str(), work).await.map_err(refusal)
    }

    /// Ends exports, finishes queued writes and closes the database.
    pub async fn close(&self) {
        self.exports.close().await;
        for lane in [&self.lane, &self.loads] {
            let lane = Arc::clone(lane);
            // Joining running work blocks the thread, and a load on PostgreSQL needs the runtime.
            let _ = spawn_blocking(move || lane.close()).await;
        }
        self.store.close().await;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// Opens an empty database in a temporary folder, with a fixed clock.
    pub(crate) async fn new_app() -> (tempfile::TempDir, App) {
        let folder = tempfile::tempdir().expect("a folder");
        let environment = Environment {
            now: Arc::new(|| Timestamp::from_micros(1_714_576_101_000_000)),
            random: Arc::new(|| [7; 32]),
        };
        let location = Location::Sqlite(folder.path().join("test.db"));
        let app = App::open(Settings::new(location, environment)).await.expect("an app");
        (folder, app)
    }

    #[tokio::test]
    async fn large_answers_have_one_turn_after_the_other_and_small_ones_do_not_wait() {
        let (_folder, app) = new_app().await;
        let charge = |bytes| {
            let charge = app.sending().open(Share::of("tenant"));
            assert!(charge.try_cover(bytes), "it fits");
            Arc::new(charge)
        };
        let large = || app.in_turn((), charge(LARGE_ANSWER_BYTES + 1));
        let first = large().await.expect("a turn");
        assert!(first.turn.is_some());
        let mut second = Box::pin(large());
        assert!(second.as_mut().now_or_never().is_none(), "it waits for the first");
        let small = app.in_turn((), charge(LARGE_ANSWER_BYTES)).await.expect("no turn");
        assert!(small.turn.is_none());
        drop(first);
        assert!(second.await.expect("a turn").turn.is_some());
    }
}
