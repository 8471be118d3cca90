//! A panelist's public key: `{tag}:{sealed}`.
//!
//! The key is a deterministic, authenticated encryption (AES-SIV) of tenant, survey and panelist.
//! Issuing a key writes nothing, the same panelist always gets the same key, and only the server
//! can create one or read the panelist's id or its exact length. Access is checked when the key is
//! used.
//!
//! The plaintext is: 16 bytes that identify tenant and survey, 4 bytes of epoch, the panelist's id,
//! one byte 0x80, and zeros up to a multiple of 32 bytes. It has at most 288 bytes, so a key has at
//! most 407 characters.

use std::fmt;

use aes_siv::KeyInit as _;
use aes_siv::siv::Aes256Siv;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use super::id::{ScreenerId, TenantId};
use super::participant::ExternalUid;

/// The identification of (tenant, survey) inside a key: a digest, because both ids may be long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SurveyRef(pub [u8; 16]);

impl SurveyRef {
    /// Returns the reference of a tenant's survey.
    #[must_use]
    pub fn new(tenant: &TenantId, survey: &ScreenerId) -> Self {
        let mut digest = Sha256::new();
        // Ids never contain U+0000, so it separates them unambiguously.
        digest.update(tenant.as_str().as_bytes());
        digest.update([0]);
        digest.update(survey.as_str().as_bytes());
        let mut reference = [0; 16];
        reference.copy_from_slice(&digest.finalize()[..16]);
        Self(reference)
    }
}

/// A key as issued to callers.
#[derive(Clone, Eq, PartialEq)]
pub struct PanelistKey(String);

impl PanelistKey {
    /// Returns the text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PanelistKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PanelistKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PanelistKey(…)")
    }
}

/// The content of an opened key.
#[derive(Clone, Eq, PartialEq)]
pub struct Opened {
    /// The survey and its tenant.
    pub survey: SurveyRef,
    /// The epoch of the key.
    pub epoch: u32,
    /// The panelist's id.
    pub panelist: ExternalUid,
}

const TAG_BYTES: usize = 16;
const STEP_BYTES: usize = 32;
/// The longest key that is parsed, in bytes. The key of the longest external uid has 407.
const KEY_MAX_BYTES: usize = 512;

/// A secret that seals and opens panelist keys.
#[derive(Clone)]
pub struct KeyRing {
    secret: [u8; 64],
}

impl KeyRing {
    /// The size of the secret, in bytes.
    pub const SECRET_BYTES: usize = 64;

    /// Creates a ring with this secret.
    #[must_use]
    pub fn new(secret: [u8; Self::SECRET_BYTES]) -> Self {
        Self { secret }
    }

    fn cipher(&self) -> Aes256Siv {
        Aes256Siv::new(&self.secret.into())
    }

    /// Returns the key of a panelist for a survey.
    #[must_use]
    pub fn seal(
        &self,
        survey: SurveyRef,
        epoch: u32,
        panelist: &ExternalUid,
    ) -> Option<PanelistKey> {
        let mut text = Vec::with_capacity(9 * STEP_BYTES);
        text.extend_from_slice(&survey.0);
        text.extend_from_slice(&epoch.to_be_bytes());
        text.extend_from_slice(panelist.as_ref().as_bytes());
        text.push(0x80);
        text.resize(text.len().next_multiple_of(STEP_BYTES), 0);
        let no_headers: [&[u8]; 0] = [];
        let sealed = self.cipher().encrypt(no_headers, &text).ok()?;
        let (tag, body) = sealed.split_at(TAG_BYTES);
        Some(PanelistKey(format!(
            "{}:{}",
            BASE64URL_NOPAD.encode(tag),
            BASE64URL_NOPAD.encode(body)
        )))
    }

    /// Opens a key. Returns `None` if it was not sealed with this secret.
    #[must_use]
    pub fn open(&self, key: &str) -> Option<Opened> {
        if key.len() > KEY_MAX_BYTES {
            return None;
        }
        let (tag, body) = key.split_once(':')?;
        let mut sealed = BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?;
        if sealed.len() != TAG_BYTES {
            return None;
        }
        sealed.extend(BASE64URL_NOPAD.decode(body.as_bytes()).ok()?);
        let no_headers: [&[u8]; 0] = [];
        let text = self.cipher().decrypt(no_headers, &sealed).ok()?;
        let end = text.iter().rposition(|byte| *byte != 0)?;
        let (survey, rest) = text[..end].split_first_chunk::<16>()?;
        let (epoch, panelist) = rest.split_first_chunk::<4>()?;
        Some(Opened {
            survey: SurveyRef(*survey),
            epoch: u32::from_be_bytes(*epoch),
            panelist: ExternalUid::parse(str::from_utf8(panelist).ok()?).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::participant::EXTERNAL_UID_MAX_BYTES;

    fn ring() -> KeyRing {
        KeyRing::new([7; KeyRing::SECRET_BYTES])
    }

    fn uid(text: &str) -> ExternalUid {
        ExternalUid::parse(text).expect("an external uid")
    }

    #[test]
    fn a_key_opens_to_what_was_sealed_and_is_the_same_each_time() {
        let survey = SurveyRef([1; 16]);
        for length in [1, 10, 11, 12, 42, 43, 44, 255, EXTERNAL_UID_MAX_BYTES] {
            let panelist = uid(&("ü".repeat(length / 2) + &"x".repeat(length % 2)));
            let key = ring().seal(survey, 3, &panelist).expect("a key");
            assert_eq!(key, ring().seal(survey, 3, &panelist).expect("a key"));
            assert!(key.as_str().len() <= KEY_MAX_BYTES);
            assert_eq!(key.as_str().matches(':').count(), 1);
            let opened = ring().open(key.as_str()).expect("it opens");
            assert_eq!((opened.survey, opened.epoch), (survey, 3));
            assert_eq!(opened.panelist, panelist);
        }
    }

    #[test]
    fn a_changed_key_does_not_open() {
        let key = ring().seal(SurveyRef([1; 16]), 0, &uid("customer-456")).expect("a key");
        let text = key.as_str();
        for position in 0..text.len() {
            let replacement = if text.as_bytes()[position] == b'A' { "B" } else { "A" };
            let mut forged = text.to_owned();
            forged.replace_range(position..=position, replacement);
            assert!(ring().open(&forged).is_none(), "changed at {position}");
        }
        assert!(KeyRing::new([8; 64]).open(text).is_none());
    }

    #[test]
    fn lengths_within_a_step_of_32_bytes_look_alike() {
        let length = |panelist: &str| {
            ring().seal(SurveyRef([1; 16]), 0, &uid(panelist)).expect("a key").as_str().len()
        };
        assert_eq!(length("a"), length("customer-45"));
        assert_eq!(length(&"a".repeat(12)), length(&"a".repeat(43)));
    }

    #[test]
    fn a_survey_is_one_tenants_and_known_by_both_ids() {
        let of = |tenant: &str, survey: &str| {
            let tenant = TenantId::parse(tenant).expect("an id");
            SurveyRef::new(&tenant, &ScreenerId::parse(survey).expect("an id")).0
        };
        assert_eq!(of("a", "b"), of("a", "b"));
        for other in [of("a", "c"), of("c", "b"), of("ab", "b"), of("b", "a")] {
            assert_ne!(other, of("a", "b"));
        }
        assert_ne!(of("a", "bc"), of("ab", "c"), "no byte moves from one id to the other");
    }
}
