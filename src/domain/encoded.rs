//! How large the rows of lists become as messages of the contract, at most.
//!
//! A page has a bound ([`PAGE_MAX_BYTES`](super::list::PAGE_MAX_BYTES)), and rows are counted while
//! they are read. So each kind of row knows a bound of its own size without being encoded: the sum
//! of its texts, and what its other fields take at most. The tests of `grpc` compare the bounds with
//! what is sent.

/// A row of a list.
pub trait Encoded {
    /// The size of its message, or a little more.
    fn encoded_max_bytes(&self) -> usize;
}

/// A flag or an enum: its number of up to two bytes, and its value.
pub(super) const SMALL_MAX_BYTES: usize = 3;
/// A number: its own number of up to two bytes, and ten of a variable length or eight of a double.
pub(super) const NUMBER_MAX_BYTES: usize = 12;
/// An instant: number, length, and two numbers of up to eleven and six bytes.
pub(super) const INSTANT_MAX_BYTES: usize = 20;

/// A text or a message within another: its number of up to two bytes, its length, and itself.
pub(super) const fn nested_max_bytes(bytes: usize) -> usize {
    let length_bytes = match bytes {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        _ => 5,
    };
    2 + length_bytes + bytes
}

/// Some texts of a message.
pub(super) fn texts_max_bytes<const N: usize>(texts: [&str; N]) -> usize {
    texts.iter().map(|text| nested_max_bytes(text.len())).sum()
}

/// A text that may be unset.
pub(super) fn opt_text_max_bytes(text: Option<&impl AsRef<str>>) -> usize {
    text.map_or(0, |text| nested_max_bytes(text.as_ref().len()))
}

/// The size of a row within the message of its page.
#[must_use]
pub fn row_max_bytes(row: &impl Encoded) -> usize {
    nested_max_bytes(row.encoded_max_bytes())
}
