//! What stands around each message of gRPC, gRPC-Web and Connect's streams: a flag and a length of four
//! bytes before it.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// How much stands before a message.
pub const HEAD_BYTES: usize = 5;

/// The flag of a message that is packed.
pub const PACKED: u8 = 1;

/// Appends a message behind its flag and its length.
pub fn put(buffer: &mut BytesMut, flag: u8, message: &[u8]) {
    buffer.reserve(HEAD_BYTES + message.len());
    buffer.put_u8(flag);
    // Messages are bounded far below 4 GiB.
    buffer.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    buffer.put_slice(message);
}

/// Returns a message behind its flag and its length.
#[must_use]
pub fn framed(flag: u8, message: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    put(&mut frame, flag, message);
    frame.freeze()
}

/// Returns the length of the message at the start of a buffer, once its head is there.
#[must_use]
pub fn length(buffer: &[u8]) -> Option<usize> {
    let [_, length @ ..] = *buffer.first_chunk::<HEAD_BYTES>()?;
    Some(usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX))
}

/// Takes a message with its flag from the start of a buffer, if it is there as a whole.
pub fn cut(buffer: &mut BytesMut) -> Option<(u8, Bytes)> {
    let length = length(buffer)?;
    let flag = *buffer.first()?;
    if buffer.len() - HEAD_BYTES < length {
        return None;
    }
    buffer.advance(HEAD_BYTES);
    Some((flag, buffer.split_to(length).freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_once_it_is_whole() {
        let mut buffer = BytesMut::new();
        put(&mut buffer, 0, b"one");
        buffer.extend_from_slice(&framed(PACKED, b""));
        let whole = buffer.clone().freeze();
        assert_eq!(cut(&mut buffer), Some((0, Bytes::from_static(b"one"))));
        assert_eq!(cut(&mut buffer), Some((PACKED, Bytes::new())));
        assert_eq!(cut(&mut buffer), None);
        for end in 0..HEAD_BYTES + 3 {
            let mut part = BytesMut::from(&whole[..end]);
            assert_eq!(length(&part), (end >= HEAD_BYTES).then_some(3), "{end}");
            assert_eq!(cut(&mut part), None, "{end}");
            assert_eq!(part.len(), end);
        }
    }
}
