//! Bytes that the process holds for its peers: a leaf, used by every layer that holds some.
//!
//! A [`Budget`] is shared by all holders. A holder charges bytes before it holds them, and a
//! [`Charge`] returns them when it is dropped, on every way out. A charge never waits: what does not
//! fit is refused, so that one slow peer cannot make the others queue.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http::Response;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// Answers above this are charged to the budget of what is being sent. Most answers are far smaller,
/// and a connection buffers a quarter of it for each of its streams.
pub const ANSWER_CHARGED_ABOVE_BYTES: usize = 256 << 10;

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
        Charge { budget: self.clone(), bytes: AtomicUsize::new(0) }
    }

    /// Charges so many bytes, or `None` if they do not fit.
    #[must_use]
    pub fn try_charge(&self, bytes: usize) -> Option<Charge> {
        let charge = self.open();
        charge.try_grow(bytes).then_some(charge)
    }

    /// Charges an answer of so many bytes that was encoded, if it is a large one: in place of what was
    /// charged for what it was made of. `false` means that it does not fit.
    #[must_use]
    pub fn try_settle_answer(&self, charge: &mut Option<Arc<Charge>>, bytes: usize) -> bool {
        match charge {
            Some(charge) => charge.try_settle(bytes),
            None if bytes <= ANSWER_CHARGED_ABOVE_BYTES => true,
            None => {
                *charge = self.try_charge(bytes).map(Arc::new);
                charge.is_some()
            }
        }
    }

    /// Charges a large answer until its peer has taken it, in place of what its extensions say is
    /// charged for what it was made of; `None` means that it does not fit.
    ///
    /// The charge stays in the extensions, where the connection sees that others wait for what the
    /// answer occupies.
    #[must_use]
    pub fn try_charge_answer<B: Body>(
        &self,
        mut response: Response<B>,
    ) -> Option<Response<ChargedBody<B>>> {
        let bytes = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
        let extensions = response.extensions_mut();
        let mut charge = extensions.remove::<Arc<Charge>>();
        if !self.try_settle_answer(&mut charge, bytes) {
            return None;
        }
        if let Some(charge) = &charge {
            extensions.insert(Arc::clone(charge));
        }
        Some(response.map(|body| ChargedBody { body, _charge: charge }))
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
    bytes: AtomicUsize,
}

impl Charge {
    /// Charges so many bytes more; `false` changes nothing and means that they do not fit.
    #[must_use]
    pub fn try_grow(&self, bytes: usize) -> bool {
        let shared = &self.budget.0;
        let fits = |charged: usize| {
            charged.checked_add(bytes).filter(|charged| *charged <= shared.max_bytes)
        };
        // The count guards no other memory, so no order is needed.
        let grown = shared.charged_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if grown.is_ok() {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        grown.is_ok()
    }

    /// Charges what is missing to so many bytes; `false` changes nothing and means that it does not
    /// fit.
    #[must_use]
    pub fn try_cover(&self, bytes: usize) -> bool {
        bytes.checked_sub(self.bytes()).is_none_or(|missing| self.try_grow(missing))
    }

    /// Charges exactly so many bytes; `false` changes nothing and means that they do not fit.
    #[must_use]
    pub fn try_settle(&self, bytes: usize) -> bool {
        let spare = self.bytes().saturating_sub(bytes);
        self.bytes.fetch_sub(spare, Ordering::Relaxed);
        self.budget.0.charged_bytes.fetch_sub(spare, Ordering::Relaxed);
        self.try_cover(bytes)
    }

    /// How many bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.0.charged_bytes.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
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

/// A body whose charge, if it has one, is returned when it is dropped, which is when its peer has
/// taken it or has left.
#[derive(Debug)]
pub struct ChargedBody<B> {
    body: B,
    _charge: Option<Arc<Charge>>,
}

impl<B: Body + Unpin> Body for ChargedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::Full;

    use super::*;

    #[test]
    fn charges_share_one_count_and_return_their_bytes() {
        let budget = Budget::new(10);
        let charge = budget.try_charge(6).expect("it fits");
        assert!(budget.clone().try_charge(5).is_none(), "a clone has the same count");
        assert!(!charge.try_grow(5));
        assert!(charge.try_grow(4));
        assert_eq!((charge.bytes(), budget.charged_bytes()), (10, 10));
        assert!(!budget.open().try_grow(1));
        assert!(!charge.try_grow(usize::MAX), "the count does not wrap");
        assert!(charge.try_cover(3) && charge.try_cover(10) && !charge.try_cover(11));
        assert!(charge.try_settle(4) && budget.charged_bytes() == 4);
        assert!(!charge.try_settle(11) && charge.bytes() == 4);
        assert!(charge.try_settle(10));
        drop(charge);
        assert_eq!(budget.charged_bytes(), 0);
        assert!(budget.try_charge(10).is_some());
    }

    #[test]
    fn a_large_answer_is_charged_until_its_body_is_dropped() {
        const LARGE: usize = ANSWER_CHARGED_ABOVE_BYTES + 1;
        let of = |bytes: usize| Response::new(Full::<Bytes>::from(vec![b'x'; bytes]));
        let budget = Budget::new(2 * LARGE);
        let small = budget.try_charge_answer(of(ANSWER_CHARGED_ABOVE_BYTES)).expect("it is small");
        assert_eq!(budget.charged_bytes(), 0);
        assert!(small.extensions().get::<Arc<Charge>>().is_none());
        let mut read = of(LARGE);
        read.extensions_mut().insert(Arc::new(budget.try_charge(2 * LARGE).expect("it fits")));
        let (head, body) = budget.try_charge_answer(read).expect("it fits").into_parts();
        assert!(head.extensions.get::<Arc<Charge>>().is_some());
        assert_eq!(body.size_hint().exact(), Some(LARGE as u64));
        assert_eq!(budget.charged_bytes(), LARGE, "its rows are gone");
        assert!(budget.try_charge_answer(of(LARGE + 1)).is_none());
        drop((head, body));
        assert_eq!(budget.charged_bytes(), 0);
    }
}
