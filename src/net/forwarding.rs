//! The requests in flight of each client behind trusted proxies.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use super::address::Client;

/// How many requests each client has in flight. Clones share one count.
#[derive(Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<HashMap<Client, usize>>>);

impl InFlight {
    /// Counts a request until what is returned is dropped. Refuses it if the client has `max` or more
    /// in flight.
    pub(super) fn enter(&self, client: Client, max: usize) -> Option<Forwarding> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(client).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Forwarding { in_flight: self.clone(), client })
    }
}

/// A request that counts as one in flight.
pub(super) struct Forwarding {
    in_flight: InFlight,
    client: Client,
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        let mut counts = self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = counts.entry(self.client) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}
