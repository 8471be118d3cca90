//! The connections in use, and who gets one when they are scarce.
//!
//! Connections are scarce once half of them are taken. From then on a direct client gets few of
//! them, and those of HTTP/1.1 are not kept alive. A peer that idles, or lets its kernel swallow a
//! response that it never reads, must not lock others out.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use tokio::task::Id;
use tokio_util::sync::CancellationToken;

use super::address::{Client, Network};
use super::socket::Opened;

/// The origin of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// This machine, through a socket without addresses.
    Local,
    /// A client that connects directly.
    Direct(Client),
    /// A trusted proxy, which connects for many clients.
    Proxy(Client),
}

impl Origin {
    pub(super) fn of(peer: Option<IpAddr>, proxies: &[Network]) -> Self {
        match peer {
            None => Self::Local,
            Some(peer) if proxies.iter().any(|proxy| proxy.contains(peer)) => {
                Self::Proxy(Client::of(peer))
            }
            Some(peer) => Self::Direct(Client::of(peer)),
        }
    }

    /// Returns the client whose connections are counted.
    fn counted(self) -> Option<Client> {
        match self {
            Self::Direct(client) => Some(client),
            Self::Local | Self::Proxy(_) => None,
        }
    }
}

/// The connections of one listener.
pub(super) struct Places {
    /// The number of connections from which they are scarce.
    scarce_from: usize,
    /// The most connections of one client when they are scarce.
    per_client_max: usize,
    held: HashMap<Id, Place>,
    by_client: HashMap<Client, usize>,
}

struct Place {
    client: Option<Client>,
    opened: Opened,
    /// Shuts the connection down gracefully.
    end: CancellationToken,
}

impl Places {
    pub(super) fn new(connections_max: usize, per_client_max: usize) -> Self {
        let scarce_from = connections_max / 2;
        Self { scarce_from, per_client_max, held: HashMap::new(), by_client: HashMap::new() }
    }

    pub(super) fn is_scarce(&self) -> bool {
        self.held.len() >= self.scarce_from
    }

    /// Returns whether a connection of this origin gets a place.
    pub(super) fn admits(&self, origin: Origin) -> bool {
        let Some(client) = origin.counted() else { return true };
        !self.is_scarce() || self.by_client.get(&client).is_none_or(|n| *n < self.per_client_max)
    }

    /// Assigns a place to a connection. When connections become scarce, the idle ones of HTTP/1.1
    /// end, and the others of HTTP/1.1 end after their current response.
    pub(super) fn enter(&mut self, id: Id, origin: Origin, opened: Opened, end: CancellationToken) {
        let client = origin.counted();
        if let Some(client) = client {
            *self.by_client.entry(client).or_default() += 1;
        }
        self.held.insert(id, Place { client, opened, end });
        if self.held.len() == self.scarce_from {
            for place in self.held.values() {
                if place.client.is_some() && place.opened.is_http1() {
                    place.end.cancel();
                }
            }
        }
    }

    /// Releases the place of a connection that has ended.
    pub(super) fn leave(&mut self, id: Id) {
        let Some(client) = self.held.remove(&id).and_then(|place| place.client) else { return };
        if let Entry::Occupied(mut count) = self.by_client.entry(client) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}
