//! Bytes that the process holds for its peers: a leaf, used by every layer that holds some.
//!
//! A [`Budget`] is shared by all holders. A holder charges bytes before it holds them, and a
//! [`Charge`] returns them when it is dropped, on every way out. A charge never waits: what does not
//! fit is refused, so that one slow peer cannot make the others queue.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use http::{Extensions, Response};
use http_body::Body;
use tokio::sync::OwnedSemaphorePermit;

/// Answers above this are charged to the budget of what is being sent. Most answers are smaller, and a
/// connection buffers twice as much for each of its streams.
pub const ANSWER_CHARGED_ABOVE_BYTES: usize = 32 << 10;

/// Answers above this are encoded in turn, and their peers take them at a pace: each is a part of the
/// budget for which others wait.
pub const LARGE_ANSWER_BYTES: usize = 256 << 10;

/// Whose bytes they are: a tenant's, as a rule. It is a digest of the name, and two names of one digest
/// would share a share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Share(u64);

static DIGEST: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Share {
    /// That of callers without a credential, who have no name.
    pub const STRANGERS: Self = Self(0);

    /// The share of this name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if name.is_empty() { Self::STRANGERS } else { Self(DIGEST.hash_one(name)) }
    }
}

/// How many bytes may be held at the same time. Clones share one count.
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
    /// Those of each share that has some.
    shares: HashMap<Share, usize>,
}

impl Budget {
    /// A budget of so many bytes, none of them charged.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self::of(max_bytes, max_bytes)
    }

    /// The same, of which one share takes half at most, so that the others find room whatever it does.
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

    /// A charge of nothing yet, which can grow.
    #[must_use]
    pub fn open(&self, share: Share) -> Charge {
        Charge { budget: self.clone(), share, bytes: AtomicUsize::new(0) }
    }

    /// Charges so many bytes, or `None` if they do not fit. For a budget that nobody shares.
    #[must_use]
    pub fn try_charge(&self, bytes: usize) -> Option<Charge> {
        let charge = self.open(Share::STRANGERS);
        charge.try_cover(bytes).then_some(charge)
    }

    /// Charges an answer of so many bytes, if it is a large one, in place of what its extensions say is
    /// charged for what it was made of; `false` means that it does not fit.
    ///
    /// The charge stays in the extensions. The connection takes it from there, keeps it until the peer
    /// has taken the answer, and sees that others wait for what the answer occupies.
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

    /// The same for an answer whose extensions name its share, as it stands.
    #[must_use]
    pub fn try_charge_response<B: Body>(&self, response: &mut Response<B>) -> bool {
        let bytes = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
        let extensions = response.extensions_mut();
        let share = extensions.remove().unwrap_or(Share::STRANGERS);
        self.try_charge_answer(share, extensions, bytes)
    }

    /// How many bytes are charged at this moment.
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
    /// Charges what is missing to so many bytes; `false` changes nothing and means that it does not
    /// fit.
    #[must_use]
    pub fn try_cover(&self, bytes: usize) -> bool {
        self.bytes() >= bytes || self.resize(|before| before.max(bytes))
    }

    /// Charges exactly so many bytes; `false` changes nothing and means that they do not fit.
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

    /// How many bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whose bytes they are.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// A charge of nothing yet to the same share.
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

/// A value with the charge for the bytes that it occupies, or that are made of it.
#[derive(Debug)]
pub struct Held<T> {
    /// The value.
    pub value: T,
    /// The charge, which may be for nothing.
    pub charge: Arc<Charge>,
    /// Held until the value is encoded, if that takes long.
    pub turn: Option<Turn>,
}

/// The turn to encode a large answer. A runtime's thread is occupied for milliseconds by each, so few
/// have one at the same time, and short calls find a thread between them.
pub type Turn = Arc<OwnedSemaphorePermit>;

impl<T> Held<T> {
    /// The same charge with another value.
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
