//! The envelope of each message in gRPC, gRPC-Web and Connect's streams: a flag and a length of
//! four bytes precede the message.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// The size of a flag and a length.
pub const HEAD_BYTES: usize = 5;

/// The flag of a packed message.
pub const PACKED: u8 = 1;

/// Appends a flag, a length and the message.
pub fn put(buffer: &mut BytesMut, flag: u8, message: &[u8]) {
    buffer.reserve(HEAD_BYTES + message.len());
    buffer.put_u8(flag);
    // Messages are bounded far below 4 GiB.
    buffer.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    buffer.put_slice(message);
}

/// Returns a message with its flag and length in front.
#[must_use]
pub fn framed(flag: u8, message: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    put(&mut frame, flag, message);
    frame.freeze()
}

/// Returns the length of the message at the start of a buffer, once its head is complete.
#[must_use]
pub fn length(buffer: &[u8]) -> Option<usize> {
    let [_, length @ ..] = *buffer.first_chunk::<HEAD_BYTES>()?;
    Some(usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX))
}

/// Removes a message with its flag from the start of a buffer, if the message is complete.
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
