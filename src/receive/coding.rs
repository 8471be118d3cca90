//! Content codings of messages and bodies: gzip, or none.
//!
//! # Invariants
//!
//! - No more is unpacked than the caller has room for: an [`Unpacking`] yields pieces, and its owner
//!   stops.
//! - A large message is packed or unpacked in pieces, between which others have their turn.

use std::io::{self, Read as _, Write as _};

use bytes::buf::Reader;
use bytes::{Buf as _, Bytes};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::AsHeaderName;

/// The codings that are read, for the headers that name them.
pub const READ: &str = "gzip, identity";

/// The name of [`Coding::Gzip`].
pub const GZIP: &str = "gzip";

/// Smaller messages fit into one packet as they are.
const PACKED_ABOVE_BYTES: usize = 1024;

/// What is packed or unpacked at a time: half a millisecond of work.
const PIECE_BYTES: usize = 64 * 1024;
/// The most members of a packed message: each costs memory and time even if it is empty, and no
/// program that packs a message makes several.
const MEMBERS_MAX: usize = 256;

/// The first piece of a message that is unpacked: most messages are smaller.
const FIRST_PIECE_BYTES: usize = 4 * 1024;

/// How a message or a body is packed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// As gzip.
    Gzip,
}

/// That a coding is named which is not read, and where.
#[derive(Debug, Eq, PartialEq)]
pub struct Unknown(pub String);

impl Coding {
    /// Reads its name; nothing if this is not one that is read.
    fn named(name: &[u8]) -> Option<Self> {
        let name = name.trim_ascii();
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if name.is_empty() || is(b"identity") {
            Some(Self::Identity)
        } else {
            (is(GZIP.as_bytes()) || is(b"x-gzip")).then_some(Self::Gzip)
        }
    }

    /// Reads the parameter that names it.
    pub fn parse(parameter: &str, value: &[u8]) -> Result<Self, Unknown> {
        Self::named(value).ok_or_else(|| Unknown(parameter.to_owned()))
    }

    /// Reads the header that names it. A body that was coded twice is not read.
    pub fn of(headers: &HeaderMap, name: &str) -> Result<Self, Unknown> {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(Self::Identity),
            (Some(value), None) => Self::parse(name, value.as_bytes()),
            (Some(_), Some(_)) => Err(Unknown(name.to_owned())),
        }
    }

    /// Returns the coding of an answer: that of its request, unless a header says that the caller
    /// does not accept it.
    #[must_use]
    pub fn of_answer(self, headers: &HeaderMap, accepted: impl AsHeaderName) -> Self {
        if self == Self::Identity {
            return self;
        }
        let mut ranges = headers.get_all(accepted).iter().peekable();
        let accepts = ranges.peek().is_none()
            || ranges.any(|value| value.as_bytes().split(|byte| *byte == b',').any(accepts_gzip));
        if accepts { self } else { Self::Identity }
    }

    /// Returns how many bytes a message may have before it is unpacked: what it cannot be packed into
    /// less than.
    #[must_use]
    pub fn packed_max_bytes(self, max_bytes: usize) -> usize {
        match self {
            Self::Identity => max_bytes,
            // Head and foot of the file, and the head of each block that was left as it was.
            Self::Gzip => max_bytes + max_bytes / 1000 + 64,
        }
    }

    /// Packs a message for which that is worth it; returns nothing for every other.
    pub async fn pack(self, message: &[u8]) -> Option<Bytes> {
        if self == Self::Identity || message.len() <= PACKED_ABOVE_BYTES {
            return None;
        }
        let packed = Vec::with_capacity(message.len() / 4);
        let mut writer = GzEncoder::new(packed, Compression::fast());
        for (index, piece) in message.chunks(PIECE_BYTES).enumerate() {
            if index > 0 {
                tokio::task::yield_now().await;
            }
            writer.write_all(piece).ok()?;
        }
        // Memory does not fail; a message that it did fail for would be sent as it is.
        writer.finish().ok().map(Bytes::from)
    }
}

/// Whether an item of a list of accepted codings lets gzip in.
fn accepts_gzip(item: &[u8]) -> bool {
    let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let name = parts.next().unwrap_or_default();
    let is_named = name == b"*" || Coding::named(name) == Some(Coding::Gzip);
    let is_refused = |part: &[u8]| {
        let quality = part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q="));
        quality.is_some_and(|quality| quality.iter().all(|byte| matches!(byte, b'0' | b'.')))
    };
    is_named && !parts.any(is_refused)
}

/// A packed message while it is unpacked.
#[derive(Debug)]
pub struct Unpacking {
    member: GzDecoder<Reader<Bytes>>,
    members: usize,
}

impl Unpacking {
    /// Of a message that was packed as gzip.
    #[must_use]
    pub fn new(packed: Bytes) -> Self {
        Self { member: GzDecoder::new(packed.reader()), members: 1 }
    }

    /// Reads on, past the ends of members.
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.member.read(room)?;
            if read > 0 || !self.member.get_ref().get_ref().has_remaining() {
                return Ok(read);
            }
            self.members += 1;
            if self.members > MEMBERS_MAX {
                let detail = format!("more than {MEMBERS_MAX} members");
                return Err(io::Error::new(io::ErrorKind::InvalidData, detail));
            }
            let ended = GzDecoder::new(Bytes::new().reader());
            let ended = std::mem::replace(&mut self.member, ended);
            self.member = GzDecoder::new(ended.into_inner());
        }
    }

    /// Adds the next piece to what was unpacked before; `false` means that there is none. It fails if
    /// this is not gzip.
    pub async fn next_into(&mut self, unpacked: &mut Vec<u8>) -> io::Result<bool> {
        let before = unpacked.len();
        // Grows with what is there, so that a small message takes little.
        let room = before.clamp(FIRST_PIECE_BYTES, PIECE_BYTES);
        if room == PIECE_BYTES {
            tokio::task::yield_now().await;
        }
        unpacked.resize(before + room, 0);
        let read = self.read(&mut unpacked[before..]);
        unpacked.truncate(before + *read.as_ref().unwrap_or(&0));
        read.map(|read| read > 0)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
        let name = HeaderName::from_static(name);
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_coding_is_gzip_or_none() {
        for (values, expected) in [
            (&[][..], Some(Coding::Identity)),
            (&[""], Some(Coding::Identity)),
            (&["Identity"], Some(Coding::Identity)),
            (&["gzip"], Some(Coding::Gzip)),
            (&[" GZip "], Some(Coding::Gzip)),
            (&["x-gzip"], Some(Coding::Gzip)),
            (&["br"], None),
            (&["gzip, gzip"], None),
            (&["gzip", "identity"], None),
        ] {
            let headers = headers("content-encoding", values);
            let read = Coding::of(&headers, "content-encoding");
            let expected = expected.ok_or(Unknown("content-encoding".into()));
            assert_eq!(read, expected, "{values:?}");
        }
    }

    #[test]
    fn an_answer_is_coded_as_its_request_unless_the_caller_says_otherwise() {
        for (accepted, expected) in [
            (&[][..], Coding::Gzip),
            (&["identity,deflate,gzip"], Coding::Gzip),
            (&["br", "gzip;q=0.5"], Coding::Gzip),
            (&["*"], Coding::Gzip),
            (&["identity"], Coding::Identity),
            (&["gzip;q=0.000, br"], Coding::Identity),
            (&[""], Coding::Identity),
        ] {
            let headers = headers("accept-encoding", accepted);
            let coding = |of: Coding| of.of_answer(&headers, "accept-encoding");
            assert_eq!(coding(Coding::Gzip), expected, "{accepted:?}");
            assert_eq!(coding(Coding::Identity), Coding::Identity);
        }
    }

    #[tokio::test]
    async fn what_is_packed_is_unpacked_piece_by_piece() {
        let message: Vec<u8> = (0..300_000_u32).flat_map(|it| (it / 7).to_be_bytes()).collect();
        let packed = Coding::Gzip.pack(&message).await.expect("it is large");
        assert!(packed.len() < message.len() / 2);
        let (mut unpacking, mut unpacked) = (Unpacking::new(packed), Vec::new());
        while unpacking.next_into(&mut unpacked).await.expect("it is gzip") {}
        assert_eq!(unpacked, message);
        assert_eq!(Coding::Identity.pack(&message).await, None);
        assert_eq!(Coding::Gzip.pack(&message[..PACKED_ABOVE_BYTES]).await, None);
    }

    #[tokio::test]
    async fn members_are_read_one_after_the_other_up_to_a_bound() {
        let member = |message: &[u8]| {
            let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
            writer.write_all(message).expect("memory");
            writer.finish().expect("memory")
        };
        let unpacked = async |packed: Vec<u8>| {
            let (mut unpacking, mut unpacked) = (Unpacking::new(packed.into()), Vec::new());
            while unpacking.next_into(&mut unpacked).await? {}
            io::Result::Ok(unpacked)
        };
        let two = [member(b"one, "), member(b""), member(b"two")].concat();
        assert_eq!(unpacked(two.clone()).await.expect("it is gzip"), b"one, two");
        for garbage in [&b"x"[..], b"\0", &member(b"cut")[..9]] {
            assert!(unpacked([&two[..], garbage].concat()).await.is_err(), "{garbage:?}");
        }
        assert_eq!(unpacked(member(b"").repeat(MEMBERS_MAX)).await.expect("it is gzip"), b"");
        assert!(unpacked(member(b"").repeat(MEMBERS_MAX + 1)).await.is_err());
    }

    #[test]
    fn what_cannot_be_packed_stays_within_its_bound() {
        let mut state = 1_u32;
        for length in [1, 1_000, 100_000, 4 << 20] {
            let noise: Vec<u8> = std::iter::repeat_with(|| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                state.to_be_bytes()[0]
            })
            .take(length)
            .collect();
            let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
            writer.write_all(&noise).expect("memory does not fail");
            let packed = writer.finish().expect("memory does not fail");
            assert!(packed.len() <= Coding::Gzip.packed_max_bytes(length), "{length}");
        }
    }
}
