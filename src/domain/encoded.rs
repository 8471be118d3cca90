//! Upper bounds of the size of list rows as messages of the contract.
//!
//! The size of a page is limited ([`PAGE_MAX_BYTES`](super::list::PAGE_MAX_BYTES)), and rows are
//! counted while they are read. Each kind of row therefore computes a bound of its size without
//! being encoded: the sum of its texts and the maximum of its other fields. The tests of `grpc`
//! compare the bounds with actual messages.

/// A row of a list.
pub trait Encoded {
    /// Returns an upper bound of the size of its message, which is close to it.
    fn encoded_max_bytes(&self) -> usize;
}

/// A flag or an enum: a field number of up to two bytes, and its value.
pub(super) const SMALL_MAX_BYTES: usize = 3;
/// A number: a field number of up to two bytes, and ten bytes of a varint or eight of a double.
pub(super) const NUMBER_MAX_BYTES: usize = 12;
/// An instant: field number, length, and two numbers of up to eleven and six bytes.
pub(super) const INSTANT_MAX_BYTES: usize = 20;

/// A text or a nested message: a field number of up to two bytes, its length, and its content.
pub(super) const fn nested_max_bytes(bytes: usize) -> usize {
    let length_bytes = match bytes {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        _ => 5,
    };
    2 + length_bytes + bytes
}

/// Returns the bound of some texts of a message.
pub(super) fn texts_max_bytes<const N: usize>(texts: [&str; N]) -> usize {
    texts.iter().map(|text| nested_max_bytes(text.len())).sum()
}

/// Returns the bound of a text that may be unset.
pub(super) fn opt_text_max_bytes(text: Option<&impl AsRef<str>>) -> usize {
    text.map_or(0, |text| nested_max_bytes(text.as_ref().len()))
}

/// Returns the bound of a row within the message of its page.
#[must_use]
pub fn row_max_bytes(row: &impl Encoded) -> usize {
    nested_max_bytes(row.encoded_max_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the encoded size of a field of some bytes, with a field number of two bytes.
    fn on_the_wire(bytes: usize) -> usize {
        let bits = usize::BITS - (bytes | 1).leading_zeros();
        2 + bits.div_ceil(7) as usize + bytes
    }

    #[test]
    fn the_bound_of_a_field_is_its_size_and_of_a_long_one_two_bytes_more_at_most() {
        for bytes in [0, 1, 127, 128, 16_383] {
            assert_eq!(nested_max_bytes(bytes), on_the_wire(bytes), "{bytes}");
        }
        for bytes in [16_384, 2_097_151, 2_097_152, 4 << 20] {
            let (bound, size) = (nested_max_bytes(bytes), on_the_wire(bytes));
            assert!((size..=size + 2).contains(&bound), "{bytes}: {bound} of {size}");
        }
    }

    struct Row(usize);

    impl Encoded for Row {
        fn encoded_max_bytes(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn every_text_counts_an_empty_one_too_and_an_unset_one_does_not() {
        let long = "a".repeat(200);
        let all: usize = [0, 2, 200].map(on_the_wire).iter().sum();
        assert_eq!(texts_max_bytes(["", "ab", &long]), all);
        assert_eq!(opt_text_max_bytes(Some(&long)), on_the_wire(200));
        assert_eq!(opt_text_max_bytes(Some(&String::new())), on_the_wire(0));
        assert_eq!(opt_text_max_bytes(None::<&String>), 0);
        assert_eq!(row_max_bytes(&Row(200)), on_the_wire(200));
    }
}
