//! The requests in flight: how many each client has, and how much memory all of them take.
//!
//! A request takes memory for its head and its call before its sender is known, and on HTTP/2 a
//! peer can open hundreds on one connection for a few bytes each. Requests are therefore counted by
//! client from their heads until their responses are sent.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Request;

use super::address::Client;
use super::limits::{REQUEST_HELD_BYTES, REQUESTS_IN_FLIGHT_MAX_BYTES, REQUESTS_OF_CLIENT_PART};
use super::socket::Opened;

/// The requests in flight. Clones share one count.
#[derive(Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    held_bytes: usize,
    by_client: HashMap<Client, Count>,
}

#[derive(Default)]
struct Count {
    requests: usize,
    held_bytes: usize,
}

impl Counts {
    /// Returns whether a client with this count may have another request of `bytes`.
    fn admits(&self, of_client: &Count, bytes: usize, requests_max: usize) -> bool {
        const MAX: usize = REQUESTS_IN_FLIGHT_MAX_BYTES;
        let is_scarce = self.held_bytes >= MAX / 2;
        of_client.requests < requests_max
            && self.held_bytes + bytes <= MAX
            && (!is_scarce || of_client.held_bytes + bytes <= MAX / REQUESTS_OF_CLIENT_PART)
    }
}

impl InFlight {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request until the returned value is dropped. Refuses it if its client has
    /// `requests_max` in flight, or if all requests together reach their limit.
    pub(super) fn enter(
        &self,
        client: Client,
        bytes: usize,
        requests_max: usize,
        connection: &Opened,
    ) -> Option<Counted> {
        let mut counts = self.counts();
        let none = Count::default();
        let of_client = counts.by_client.get(&client).unwrap_or(&none);
        if !counts.admits(of_client, bytes, requests_max) {
            return None;
        }
        counts.held_bytes += bytes;
        let of_client = counts.by_client.entry(client).or_default();
        of_client.requests += 1;
        of_client.held_bytes += bytes;
        connection.begin_request();
        Some(Counted { in_flight: self.clone(), client, bytes, connection: connection.clone() })
    }
}

/// Returns the memory of a request until its response is sent, without the charge of its body.
pub(super) fn held_bytes<B>(request: &Request<B>) -> usize {
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().len() + value.len() + HEADER_HELD_BYTES
    };
    let headers: usize = request.headers().iter().map(header).sum();
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    REQUEST_HELD_BYTES + target + headers
}

/// The overhead of a header in addition to its texts, as HTTP/2 defines it.
const HEADER_HELD_BYTES: usize = 32;

/// A request that counts as in flight.
pub(super) struct Counted {
    in_flight: InFlight,
    client: Client,
    bytes: usize,
    connection: Opened,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.connection.end_request();
        let mut counts = self.in_flight.counts();
        counts.held_bytes -= self.bytes;
        if let Entry::Occupied(mut count) = counts.by_client.entry(self.client) {
            count.get_mut().requests -= 1;
            count.get_mut().held_bytes -= self.bytes;
            if count.get().requests == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u8) -> Client {
        Client::of([192, 0, 2, number].into())
    }

    #[test]
    fn a_client_has_so_many_requests_and_a_part_once_half_is_taken() {
        const PART: usize = REQUESTS_IN_FLIGHT_MAX_BYTES / REQUESTS_OF_CLIENT_PART;
        let (all, connection) = (InFlight::default(), Opened::default());
        let enter = |number, bytes, max| all.enter(client(number), bytes, max, &connection);
        let one = enter(1, 1, 1).expect("the first");
        assert!(enter(1, 1, 1).is_none());
        drop(one);
        assert!(connection.is_idle_since(1), "what was begun has ended");
        let greedy = enter(1, REQUESTS_IN_FLIGHT_MAX_BYTES / 2, usize::MAX).expect("a half");
        assert!(enter(1, 1, usize::MAX).is_none(), "it has more than its part");
        let other = enter(2, PART, usize::MAX).expect("another's part");
        assert!(enter(2, 1, usize::MAX).is_none());
        drop((greedy, other));
        assert!(all.counts().by_client.is_empty());
        assert_eq!(all.counts().held_bytes, 0);
        assert!(enter(1, REQUESTS_IN_FLIGHT_MAX_BYTES + 1, usize::MAX).is_none());
    }
}
