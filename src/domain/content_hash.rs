//! The digest of a questionnaire's content.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// The digest of a questionnaire, equal exactly for equal content: SHA-256 over every member in a
/// fixed order, each text with its length before it, each number as its bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ContentHash([u8; 32]);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl ContentHash {
    /// The length of its text.
    pub(super) const TEXT_BYTES: usize = 64;

    /// Wraps a digest that was computed elsewhere.
    pub(super) fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Parses a stored digest.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| "Must be 64 hexadecimal digits.".to_owned())
    }
}

/// An unambiguous encoding of parts, each preceded by its length.
#[derive(Default)]
pub(super) struct Content(Sha256);

impl Content {
    pub(super) fn digest(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    pub(super) fn count(&mut self, number: usize) {
        self.0.update((number as u64).to_be_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text);
    }

    pub(super) fn flag(&mut self, truth: bool) {
        self.0.update([u8::from(truth)]);
    }

    pub(super) fn number(&mut self, number: f64) {
        // Adding zero turns a negative zero, which is the same number, into a plain one.
        self.0.update((number + 0.0).to_bits().to_be_bytes());
    }

    pub(super) fn opt<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            put(self, value);
        }
    }

    pub(super) fn all<T>(&mut self, values: &[T], put: impl Fn(&mut Self, &T)) {
        self.count(values.len());
        for value in values {
            put(self, value);
        }
    }

    pub(super) fn limit(&mut self, limit: Option<u32>) {
        self.opt(limit, |content, limit| content.number(limit.into()));
    }
}
