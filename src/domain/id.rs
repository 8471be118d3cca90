//! Identifiers: opaque text, compared byte for byte.
//!
//! Callers provide their own ids (`scses_789`), so ids have no meaning. A minted id is a prefix and
//! a UUIDv7 in lower-case base32, a format known as TypeID: it sorts by creation and has 74 random
//! bits. Clones share the text, because the rows of a list repeat many ids.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use super::time::Timestamp;

/// The longest id, in bytes.
pub const ID_MAX_BYTES: usize = 128;

/// Sixteen random bytes, provided by the caller so that tests can choose them.
pub type Entropy = [u8; 16];

/// Checks that a text is an id, or returns the reason why not.
pub fn check_id(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("Required.".into());
    }
    if text.len() > ID_MAX_BYTES {
        return Err(format!("At most {ID_MAX_BYTES} bytes."));
    }
    if text.contains('\0') {
        return Err("Must not contain the character U+0000.".into());
    }
    Ok(())
}

/// Returns a prefix and a UUIDv7 in Crockford's base32.
#[must_use]
pub fn mint(prefix: &str, now: Timestamp, entropy: Entropy) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let millis = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
    let mut bytes = entropy;
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6] = (bytes[6] & 0x0f) | 0x70;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let value = u128::from_be_bytes(bytes);
    let mut text = String::with_capacity(prefix.len() + 27);
    text.push_str(prefix);
    text.push('_');
    // 26 digits of 5 bits hold 130 bits; the two leading bits are zero.
    for digit in (0..26).rev() {
        let index = usize::try_from((value >> (5 * digit)) & 31).unwrap_or(0);
        text.push(char::from(ALPHABET[index]));
    }
    text
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses a caller's text, or returns the reason why it is not an id.
            pub fn parse(text: &str) -> Result<Self, String> {
                check_id(text)?;
                Ok(Self(text.into()))
            }

            /// Mints an id with the prefix of its kind.
            #[must_use]
            pub fn mint(now: Timestamp, entropy: Entropy) -> Self {
                Self(mint($prefix, now, entropy).into())
            }

            /// Returns the text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A tenant: one organization's data, invisible to every other.
    TenantId = "acct";
    /// A project, which owns screeners.
    ProjectId = "proj";
    /// A screener, which the panel dialect calls a survey.
    ScreenerId = "scr";
    /// An immutable version of a screener's questionnaire.
    PublicationId = "scpub";
    /// A page of a publication.
    PageId = "scp";
    /// A question. Unique within its publication.
    QuestionId = "scq";
    /// An option of a select question. Unique within its question.
    OptionId = "sco";
    /// A tag of a publication.
    TagId = "tag";
    /// A person.
    ParticipantId = "ptp";
    /// A screener participant: one person's assignment to one screener.
    AssignmentId = "scpar";
    /// A screener session, which the review dialect calls a screener response.
    SessionId = "scses";
    /// A credential: a pair's public key id, or a token's record.
    CredentialId = "key";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_id_is_a_prefix_and_26_digits_that_sort_by_time() {
        let early = mint("scses", Timestamp::from_micros(1_000_000), [0xff; 16]);
        let late = mint("scses", Timestamp::from_micros(2_000_000), [0; 16]);
        assert_eq!(early.len(), "scses_".len() + 26);
        assert!(early < late, "{early} sorts before {late}");
    }

    #[test]
    fn a_minted_id_matches_the_typeid_reference() {
        // The reference pair of the TypeID specification: 01890a5d-ac96-774b-bcce-b302099a8057.
        let entropy: Entropy =
            [0, 0, 0, 0, 0, 0, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57];
        let now = Timestamp::from_micros(0x0189_0a5d_ac96 * 1000);
        assert_eq!(mint("prefix", now, entropy), "prefix_01h455vb4pex5vsknk084sn02q");
    }

    #[test]
    fn an_id_has_1_to_128_bytes_and_no_nul() {
        assert!(SessionId::parse(&"a".repeat(128)).is_ok());
        for bad in [String::new(), "a".repeat(129), "a\0b".into()] {
            assert!(SessionId::parse(&bad).is_err());
        }
    }
}
