//! Bytes that the process holds for its peers: a leaf, used by every layer that holds some.
//!
//! A [`Budget`] is shared by all holders. A holder charges bytes before it holds them, and a
//! [`Charge`] returns them when it is dropped, on every way out. A charge never waits: what does not
//! fit is refused, so that one slow peer cannot make the others queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes may be held at the same time. Clones share one count.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max_bytes: usize,
    charged_bytes: AtomicUsize,
}

impl Budget {
    /// A budget of so many bytes, none of them charged.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self(Arc::new(Shared { max_bytes, charged_bytes: AtomicUsize::new(0) }))
    }

    /// A charge of nothing yet, which can grow.
    #[must_use]
    pub fn open(&self) -> Charge {
        Charge { budget: self.clone(), bytes: 0 }
    }

    /// Charges so many bytes, or `None` if they do not fit.
    #[must_use]
    pub fn try_charge(&self, bytes: usize) -> Option<Charge> {
        let mut charge = self.open();
        charge.try_grow(bytes).then_some(charge)
    }

    /// How many bytes are charged at this moment.
    #[must_use]
    pub fn charged_bytes(&self) -> usize {
        self.0.charged_bytes.load(Ordering::Relaxed)
    }
}

/// Bytes that a holder has charged. Dropping it returns them to the budget.
#[derive(Debug)]
pub struct Charge {
    budget: Budget,
    bytes: usize,
}

impl Charge {
    /// Charges so many bytes more; `false` changes nothing and means that they do not fit.
    #[must_use]
    pub fn try_grow(&mut self, bytes: usize) -> bool {
        let shared = &self.budget.0;
        let fits = |charged: usize| {
            charged.checked_add(bytes).filter(|charged| *charged <= shared.max_bytes)
        };
        // The count guards no other memory, so no order is needed.
        let grown = shared.charged_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if grown.is_ok() {
            self.bytes += bytes;
        }
        grown.is_ok()
    }

    /// How many bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.0.charged_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Marks a response, in its extensions, whose body holds a snapshot or a thread until the peer has
/// taken it. Others wait for those, so the server gives up such a stream sooner when its peer takes
/// nothing.
#[derive(Clone, Copy, Debug)]
pub struct Holding;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_share_one_count_and_return_their_bytes() {
        let budget = Budget::new(10);
        let mut charge = budget.try_charge(6).expect("it fits");
        assert!(budget.clone().try_charge(5).is_none(), "a clone has the same count");
        assert!(!charge.try_grow(5));
        assert!(charge.try_grow(4));
        assert_eq!((charge.bytes(), budget.charged_bytes()), (10, 10));
        assert!(!budget.open().try_grow(1));
        assert!(!charge.try_grow(usize::MAX), "the count does not wrap");
        drop(charge);
        assert_eq!(budget.charged_bytes(), 0);
        assert!(budget.try_charge(10).is_some());
    }
}
