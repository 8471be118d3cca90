//! Budgets for the bytes that the process buffers for its peers. Every layer that buffers uses
//! them.
//!
//! All holders share a [`Budget`]. A holder charges bytes before it allocates them, and a dropped
//! [`Charge`] returns them. A charge never waits: it is refused if it does not fit, so that one
//! slow peer cannot block the others.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use http::{Extensions, Response};
use http_body::Body;
use tokio::sync::OwnedSemaphorePermit;

/// Larger responses are charged to the budget for sending. Most responses are smaller, and a
/// connection buffers twice as much for each of its streams.
pub const ANSWER_CHARGED_ABOVE_BYTES: usize = 32 << 10;

/// Larger responses are encoded in turn, and their peers must read at a minimum pace, because each
/// occupies a part of the budget that others wait for.
pub const LARGE_ANSWER_BYTES: usize = 256 << 10;

/// The owner of bytes, usually a tenant. It is a hash of the name, so two names could share one
/// budget share by a collision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Share(u64);

static DIGEST: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Share {
    /// The share of all callers without a credential.
    pub const STRANGERS: Self = Self(0);

    /// Returns the share of a name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if name.is_empty() { Self::STRANGERS } else { Self(DIGEST.hash_one(name)) }
    }
}

/// The most bytes that may be buffered at the same time. Clones share one count.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max_bytes: usize,
    share_max_bytes: usize,
    charged: Mutex<Charged>,
}

#[derive(Debug, Default)]
struct Charged {
    bytes: usize,
    /// The bytes of each share that has some.
    shares: HashMap<Share, usize>,
}

impl Budget {
    /// Returns a budget of so many bytes.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self::of(max_bytes, max_bytes)
    }

    /// Returns a budget of which one share gets at most half, so that the others always find room.
    #[must_use]
    pub fn halved(max_bytes: usize) -> Self {
        Self::of(max_bytes, max_bytes / 2)
    }

    fn of(max_bytes: usize, share_max_bytes: usize) -> Self {
        Self(Arc::new(Shared { max_bytes, share_max_bytes, charged: Mutex::default() }))
    }

    fn charged(&self) -> MutexGuard<'_, Charged> {
        self.0.charged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an empty charge, which can grow.
    #[must_use]
    pub fn open(&self, share: Share) -> Charge {
        Charge { budget: self.clone(), share, bytes: AtomicUsize::new(0) }
    }

    /// Charges so many bytes, or returns `None` if they do not fit. For a budget without shares.
    #[must_use]
    pub fn try_charge(&self, bytes: usize) -> Option<Charge> {
        let charge = self.open(Share::STRANGERS);
        charge.try_cover(bytes).then_some(charge)
    }

    /// Charges a response of so many bytes, if it is a large one. The charge replaces the one in
    /// the extensions for the data of the response. Returns `false` if the bytes do not fit.
    ///
    /// The charge stays in the extensions. The connection takes it from there, keeps it until the
    /// peer has read the response, and requires the peer to keep a minimum pace.
    #[must_use]
    pub fn try_charge_answer(
        &self,
        share: Share,
        extensions: &mut Extensions,
        bytes: usize,
    ) -> bool {
        if let Some(charge) = extensions.get::<Arc<Charge>>() {
            let fits = charge.try_settle(bytes);
            if !fits {
                extensions.remove::<Arc<Charge>>();
            }
            return fits;
        }
        if bytes <= ANSWER_CHARGED_ABOVE_BYTES {
            return true;
        }
        let charge = self.open(share);
        let fits = charge.try_cover(bytes);
        if fits {
            extensions.insert(Arc::new(charge));
        }
        fits
    }

    /// Charges a response whose extensions may contain its share.
    #[must_use]
    pub fn try_charge_response<B: Body>(&self, response: &mut Response<B>) -> bool {
        let bytes = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
        let extensions = response.extensions_mut();
        let share = extensions.remove().unwrap_or(Share::STRANGERS);
        self.try_charge_answer(share, extensions, bytes)
    }

    /// Returns how many bytes are charged now.
    #[must_use]
    pub fn charged_bytes(&self) -> usize {
        self.charged().bytes
    }
}

/// Bytes that a holder has charged. Dropping it returns them to the budget.
#[derive(Debug)]
pub struct Charge {
    budget: Budget,
    share: Share,
    /// Written while the budget is locked.
    bytes: AtomicUsize,
}

impl Charge {
    /// Extends the charge to so many bytes. Returns `false` and changes nothing if they do not fit.
    #[must_use]
    pub fn try_cover(&self, bytes: usize) -> bool {
        self.bytes() >= bytes || self.resize(|before| before.max(bytes))
    }

    /// Charges exactly so many bytes. Returns `false` and changes nothing if they do not fit.
    #[must_use]
    pub fn try_settle(&self, bytes: usize) -> bool {
        self.resize(|_| bytes)
    }

    fn resize(&self, after: impl FnOnce(usize) -> usize) -> bool {
        let shared = &self.budget.0;
        let mut charged = self.budget.charged();
        let before = self.bytes();
        let after = after(before);
        let of_share = charged.shares.get(&self.share).copied().unwrap_or_default();
        let more = after.saturating_sub(before);
        let fits =
            more <= shared.max_bytes - charged.bytes && more <= shared.share_max_bytes - of_share;
        if fits {
            charged.bytes = charged.bytes - before + after;
            match of_share - before + after {
                0 => charged.shares.remove(&self.share),
                bytes => charged.shares.insert(self.share, bytes),
            };
            self.bytes.store(after, Ordering::Relaxed);
        }
        fits
    }

    /// Returns the charged bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Returns the share that is charged.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// Returns an empty charge to the same share.
    #[must_use]
    pub fn beside(&self) -> Self {
        self.budget.open(self.share)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.bytes() > 0 {
            // Fewer bytes always fit.
            let _ = self.try_settle(0);
        }
    }
}

/// A value with the charge for the bytes that it occupies, or that are encoded from it.
#[derive(Debug)]
pub struct Held<T> {
    /// The value.
    pub value: T,
    /// The charge, which may be empty.
    pub charge: Arc<Charge>,
    /// Kept until the value is encoded, if that takes long.
    pub turn: Option<Turn>,
}

/// The turn to encode a large response. Each occupies a thread of the runtime for milliseconds, so
/// few have a turn at the same time, and short calls find a thread between them.
pub type Turn = Arc<OwnedSemaphorePermit>;

impl<T> Held<T> {
    /// Returns the same charge with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Held<U> {
        Held { value: f(self.value), charge: self.charge, turn: self.turn }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_share_one_count_and_return_their_bytes() {
        let budget = Budget::new(10);
        let charge = budget.try_charge(6).expect("it fits");
        assert!(budget.clone().try_charge(5).is_none(), "a clone has the same count");
        assert!(!charge.try_cover(11));
        assert!(charge.try_cover(10));
        assert_eq!((charge.bytes(), budget.charged_bytes()), (10, 10));
        assert!(!charge.beside().try_cover(1));
        assert!(!charge.try_cover(usize::MAX), "the count does not wrap");
        assert!(charge.try_cover(3) && charge.bytes() == 10);
        assert!(charge.try_settle(4) && budget.charged_bytes() == 4);
        assert!(!charge.try_settle(11) && charge.bytes() == 4);
        assert!(charge.try_settle(10));
        drop(charge);
        assert_eq!(budget.charged_bytes(), 0);
        assert!(budget.try_charge(10).is_some());
    }

    #[test]
    fn a_share_takes_half_at_most_and_is_forgotten_without_bytes() {
        let budget = Budget::halved(100);
        let open = |share| budget.open(Share::of(share));
        let (one, more) = (open("one"), open("one"));
        assert!(one.try_cover(30) && more.try_cover(20));
        assert!(!one.try_cover(31), "more than half");
        let strangers = budget.open(Share::STRANGERS);
        assert!(strangers.try_cover(50), "the other half is free");
        assert!(!open("third").try_cover(1), "nothing is free");
        assert!(one.try_settle(10) && open("third").try_cover(20));
        drop((one, more));
        assert!(open("one").try_cover(50), "the share is free again");
        drop(strangers);
        assert!(budget.charged().shares.is_empty(), "no share is remembered for ever");
    }

    #[test]
    fn a_large_answer_is_charged_in_place_of_what_it_was_made_of() {
        const LARGE: usize = ANSWER_CHARGED_ABOVE_BYTES + 1;
        let budget = Budget::halved(4 * LARGE);
        let share = Share::of("one");
        let mut small = Extensions::new();
        assert!(budget.try_charge_answer(share, &mut small, ANSWER_CHARGED_ABOVE_BYTES));
        assert!(budget.charged_bytes() == 0 && small.is_empty());
        let mut read = Extensions::new();
        let rows = budget.open(share);
        assert!(rows.try_cover(2 * LARGE));
        read.insert(Arc::new(rows));
        assert!(budget.try_charge_answer(share, &mut read, LARGE));
        assert_eq!(budget.charged_bytes(), LARGE, "its rows are gone");
        let mut other = Extensions::new();
        assert!(!budget.try_charge_answer(share, &mut other, LARGE + 1));
        assert!(budget.try_charge_answer(Share::STRANGERS, &mut other, LARGE + 1));
        assert!(!budget.try_charge_answer(share, &mut read, 2 * LARGE + 1));
        assert!(read.is_empty(), "what does not fit holds nothing");
        drop(other);
        assert_eq!(budget.charged_bytes(), 0);
    }
}
