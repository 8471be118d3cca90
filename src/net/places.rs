//! Who holds the connections, and who gets one when they are scarce.
//!
//! Connections are scarce once half of them are taken. From then on a client that connects directly
//! gets few of them, and those of HTTP/1.1 are not kept alive: a peer that idles, or lets its kernel
//! swallow an answer that it never reads, must not keep others out.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use tokio::task::Id;
use tokio_util::sync::CancellationToken;

use super::address::{Client, Network};
use super::socket::Opened;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// This machine, through a socket that has no address.
    Local,
    /// A client that connects by itself.
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

    /// The client whose connections are counted.
    fn counted(self) -> Option<Client> {
        match self {
            Self::Direct(client) => Some(client),
            Self::Local | Self::Proxy(_) => None,
        }
    }
}

/// The connections of one listener.
pub(super) struct Places {
    /// From how many on they are scarce.
    scarce_from: usize,
    /// How many one client gets when they are.
    per_client_max: usize,
    held: HashMap<Id, Place>,
    by_client: HashMap<Client, usize>,
}

struct Place {
    client: Option<Client>,
    opened: Opened,
    /// Ends the connection once what it does is done.
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

    /// Whether a connection from there gets a place.
    pub(super) fn admits(&self, origin: Origin) -> bool {
        let Some(client) = origin.counted() else { return true };
        !self.is_scarce() || self.by_client.get(&client).is_none_or(|n| *n < self.per_client_max)
    }

    /// Gives a connection its place. The one that makes them scarce ends the connections of HTTP/1.1
    /// that idle, and the others after the answer that they are at.
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

    /// Takes the place back from a connection that has ended.
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
