//! Content codings of messages and bodies: gzip, or none.
//!
//! # Invariants
//!
//! - The caller bounds the unpacked size: an [`Unpacking`] yields pieces, and its owner stops.
//! - Large messages are packed and unpacked in pieces. Between two pieces, other tasks run.

use std::io::{self, Read as _, Write as _};

use bytes::buf::Reader;
use bytes::{Buf as _, Bytes};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use http::header::AsHeaderName;
use http::{HeaderMap, HeaderValue};

/// The supported codings, for the headers that list them.
pub const READ: &str = "gzip, identity";

/// The name of [`Coding::Gzip`].
pub const GZIP: &str = "gzip";

/// The largest message that is not packed. It fits into a packet as it is.
const PACKED_ABOVE_BYTES: usize = 1024;

/// The size of a piece to pack or unpack: half a millisecond of work.
const PIECE_BYTES: usize = 64 * 1024;
/// The most gzip members of a packed message. Each costs memory and time even if it is empty, and
/// common programs write a single one.
const MEMBERS_MAX: usize = 256;

/// The size of the first unpacked piece. Most messages are smaller.
const FIRST_PIECE_BYTES: usize = 4 * 1024;

/// The coding of a message or a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Coding {
    /// Not packed.
    Identity,
    /// Packed as gzip.
    Gzip,
}

/// An unsupported coding, by the header or parameter that names it.
#[derive(Debug, Eq, PartialEq)]
pub struct Unknown(pub String);

impl Coding {
    /// Parses the name of a coding. Returns `None` if it is unsupported.
    fn named(name: &[u8]) -> Option<Self> {
        let name = name.trim_ascii();
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if name.is_empty() || is(b"identity") {
            Some(Self::Identity)
        } else {
            (is(GZIP.as_bytes()) || is(b"x-gzip")).then_some(Self::Gzip)
        }
    }

    /// Parses the value of a parameter that names a coding.
    pub fn parse(parameter: &str, value: &[u8]) -> Result<Self, Unknown> {
        Self::named(value).ok_or_else(|| Unknown(parameter.to_owned()))
    }

    /// Parses the header that names a coding. Several codings are not supported.
    pub fn of(headers: &HeaderMap, name: &str) -> Result<Self, Unknown> {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(Self::Identity),
            (Some(value), None) => Self::parse(name, value.as_bytes()),
            (Some(_), Some(_)) => Err(Unknown(name.to_owned())),
        }
    }

    /// Returns the coding of a response: that of its request, unless a header of the caller
    /// excludes it.
    #[must_use]
    pub fn of_answer(self, headers: &HeaderMap, accepted: impl AsHeaderName) -> Self {
        if self == Self::Identity {
            return self;
        }
        let values = headers.get_all(accepted);
        if values.iter().next().is_none() || accepts_gzip(values.iter()) {
            self
        } else {
            Self::Identity
        }
    }

    /// Returns the largest packed size of a message of at most `max_bytes`, even if it is
    /// incompressible.
    #[must_use]
    pub fn packed_max_bytes(self, max_bytes: usize) -> usize {
        match self {
            Self::Identity => max_bytes,
            // The header and trailer of the file, and the headers of its stored blocks.
            Self::Gzip => max_bytes + max_bytes / 1000 + 64,
        }
    }

    /// Packs a message if it is large enough. Otherwise returns `None`.
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
        // Writing to memory does not fail. If it did, the message would be sent unpacked.
        writer.finish().ok().map(Bytes::from)
    }
}

/// Returns whether lists of accepted codings accept gzip. An item for gzip overrides one for `*`
/// (RFC 9110, 12.5.3).
fn accepts_gzip<'a>(values: impl Iterator<Item = &'a HeaderValue>) -> bool {
    let (mut named, mut any) = (None, None);
    for item in values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')) {
        let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let accepts = !parts.any(is_zero_quality);
        if name == b"*" {
            any = Some(accepts);
        } else if Coding::named(name) == Some(Coding::Gzip) {
            named = Some(accepts);
        }
    }
    named.or(any).unwrap_or_default()
}

/// Returns whether a parameter of an accepted coding excludes it: `q=0`, `q=0.0` and so on.
fn is_zero_quality(part: &[u8]) -> bool {
    let quality = part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q="));
    quality.is_some_and(|quality| {
        quality.starts_with(b"0") && quality.iter().all(|byte| matches!(byte, b'0' | b'.'))
    })
}

/// A packed message while it is unpacked.
#[derive(Debug)]
pub struct Unpacking {
    member: GzDecoder<Reader<Bytes>>,
    members: usize,
}

impl Unpacking {
    /// Starts to unpack a gzip message.
    #[must_use]
    pub fn new(packed: Bytes) -> Self {
        Self { member: GzDecoder::new(packed.reader()), members: 1 }
    }

    /// Reads unpacked bytes, continuing with the next member at the end of one.
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

    /// Appends the next piece to `unpacked`. Returns `false` at the end, and fails if the message
    /// is not gzip.
    pub async fn next_into(&mut self, unpacked: &mut Vec<u8>) -> io::Result<bool> {
        let before = unpacked.len();
        // The room grows with the unpacked size, so that a small message takes little memory.
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
            (&["gzip;q=0, *"], Coding::Identity),
            (&["*", "gzip;q=0"], Coding::Identity),
            (&["*;q=0, gzip"], Coding::Gzip),
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
