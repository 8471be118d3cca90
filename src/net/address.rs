//! Addresses of peers: the unit of a client, and the networks of trusted proxies.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The network part of an IPv6 address. Every customer of a provider has at least one such network,
/// with 2^64 addresses in it.
const IPV6_CLIENT_MASK: u128 = u128::MAX << 64;

/// The length of the prefix in front of an IPv4-mapped address, in bits.
const IPV4_MAPPED_PREFIX_BITS: u8 = 96;

/// The unit that limits count: an IPv4 address, or the /64 network of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client(IpAddr);

impl Client {
    /// Returns the client of an address. Treats an IPv4-mapped IPv6 address as IPv4.
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                Self(Ipv6Addr::from_bits(address.to_bits() & IPV6_CLIENT_MASK).into())
            }
            address @ IpAddr::V4(_) => Self(address),
        }
    }
}

/// A network in CIDR notation, such as `10.0.0.0/8`. A plain address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Returns whether the network contains the address. Treats an IPv4-mapped IPv6 address as
    /// IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differing = u64::from(network.to_bits() ^ address.to_bits());
                differing >> (32 - u32::from(self.prefix_bits)) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.checked_shr(128 - u32::from(self.prefix_bits)).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    fn whole(address: IpAddr) -> Self {
        Self { address, prefix_bits: if address.is_ipv4() { 32 } else { 128 } }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || "Must be an address or a network such as 10.0.0.0/8.".to_owned();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let whole = Self::whole(address);
        let prefix_bits = match prefix {
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                digits.parse().ok().filter(|bits| *bits <= whole.prefix_bits).ok_or_else(refused)?
            }
            Some(_) => return Err(refused()),
            None => whole.prefix_bits,
        };
        let network = match (address, address.to_canonical()) {
            (IpAddr::V6(_), mapped @ IpAddr::V4(_)) if prefix_bits >= IPV4_MAPPED_PREFIX_BITS => {
                Self { address: mapped, prefix_bits: prefix_bits - IPV4_MAPPED_PREFIX_BITS }
            }
            _ => Self { address, prefix_bits },
        };
        if !network.has_no_host_bits() {
            return Err("Must have zeros behind the prefix, as 10.0.0.0/8 has.".to_owned());
        }
        Ok(network)
    }
}

impl Network {
    fn has_no_host_bits(&self) -> bool {
        let trailing_zeros = match self.address {
            IpAddr::V4(address) => address.to_bits().trailing_zeros(),
            IpAddr::V6(address) => address.to_bits().trailing_zeros(),
        };
        trailing_zeros + u32::from(self.prefix_bits)
            >= u32::from(Self::whole(self.address).prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_network() {
        for (one, other, same) in [
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.2", false),
            ("2001:db8::1", "2001:db8::ffff:0:0:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("::", "0.0.0.0", false),
        ] {
            let equal = Client::of(address(one)) == Client::of(address(other));
            assert_eq!(equal, same, "{one} and {other}");
        }
    }

    #[test]
    fn a_network_has_the_addresses_with_its_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7/32", "192.0.2.7", "192.0.2.6"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("::/0", "ffff::1", "10.0.0.1"),
        ] {
            let parsed: Network = network.parse().expect("a network");
            assert!(parsed.contains(address(inside)), "{inside} in {network}");
            assert!(!parsed.contains(address(outside)), "{outside} in {network}");
        }
    }

    #[test]
    fn a_network_is_written_strictly() {
        for bad in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0/8",
            "10.0.0.1/8",
            "::1/64",
            "::/129",
            "10.0.0.0/256",
            " 10.0.0.0/8",
            "proxy",
            "[::1]",
            "10.0.0.0/-1",
            "fe80::1%eth0",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
