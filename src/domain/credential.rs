//! Credentials and their permissions.
//!
//! Secrets are 32 random bytes, and only their SHA-256 is stored. With 256 bits of entropy, a slow
//! password hash would add no security, only a way to exhaust the server.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::id::{CredentialId, TenantId};
use super::recorded::{Field, Recorded, Subject};
use super::time::Timestamp;
use super::words::words;

words! {
    /// The four kinds of credential. The path of a call determines which are accepted.
    CredentialKind {
        /// A pair of key id and secret of the session dialect.
        Spot = "spot",
        /// A pair of key id and secret of the review dialect.
        Respondent = "respondent",
        /// A token of the panel dialect.
        Panel = "panel",
        /// A bearer token for internal callers.
        Service = "service",
    }
}

words! {
    /// A permission of a credential.
    Scope {
        /// Get and list sessions.
        SessionsRead = "sessions:read",
        /// Create, archive, restore and remove sessions.
        SessionsWrite = "sessions:write",
        /// List responses.
        ResponsesRead = "responses:read",
        /// Get submissions.
        SubmissionsRead = "submissions:read",
        /// Review submissions.
        SubmissionsReview = "submissions:review",
        /// Get panelist access.
        PanelistsRead = "panelists:read",
        /// Get and list screeners and projects.
        ScreenersRead = "screeners:read",
        /// Write and publish screeners, and write projects.
        ScreenersWrite = "screeners:write",
        /// Get and list participants.
        ParticipantsRead = "participants:read",
        /// Write participants.
        ParticipantsWrite = "participants:write",
        /// Read the history of changes.
        HistoryRead = "history:read",
        /// Administer the tenant.
        Admin = "admin",
    }
}

impl CredentialKind {
    /// Returns every scope that a credential of this kind can use.
    #[must_use]
    pub fn usable_scopes(self) -> &'static [Scope] {
        match self {
            Self::Spot => &[Scope::SessionsRead, Scope::SessionsWrite, Scope::ResponsesRead],
            Self::Respondent => &[Scope::SubmissionsRead, Scope::SubmissionsReview],
            Self::Panel => &[Scope::PanelistsRead],
            Self::Service => Scope::ALL,
        }
    }

    /// Creates a secret of this kind from 32 random bytes. Its prefix is for people and scanners.
    #[must_use]
    pub fn mint_secret(self, entropy: [u8; 32]) -> String {
        let prefix = match self {
            Self::Spot => "sk_live_",
            Self::Respondent => "rsk_",
            Self::Panel => "vtt_",
            Self::Service => "sdk_",
        };
        prefix.to_owned() + &BASE64URL_NOPAD.encode(&entropy)
    }
}

/// The digest of a secret.
#[derive(Clone, Eq, PartialEq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Returns the digest of a secret.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Wraps a stored digest.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the digest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares the digests in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// A credential as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Credential {
    /// A pair's public key id, or the record's own id.
    pub id: CredentialId,
    /// The tenant that owns it.
    pub tenant: TenantId,
    /// The kind, which determines the paths that accept it.
    pub kind: CredentialKind,
    /// The digest of its secret.
    pub hash: SecretHash,
    /// The permissions.
    pub scopes: Vec<Scope>,
    /// The time of its creation.
    pub created: Timestamp,
    /// The time of its expiry.
    pub expires: Option<Timestamp>,
    /// The time of its revocation.
    pub revoked: Option<Timestamp>,
}

impl Recorded for Credential {
    const SUBJECT: Subject = Subject::Credential;

    fn recorded(&self) -> Vec<Field> {
        // The audit log does not contain even the digest of a secret.
        let Self { id: _, tenant: _, kind, hash: _, scopes, created: _, expires, revoked } = self;
        let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        vec![
            Field::told("kind", Some(kind.as_str())),
            Field::told("scopes", Some(scopes.join(" "))),
            Field::time("expires_at", *expires),
            Field::time("revoked_at", *revoked),
        ]
    }
}

impl Credential {
    /// Returns whether it is valid at an instant.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(expires: Option<i64>, revoked: Option<i64>) -> Credential {
        Credential {
            id: CredentialId::parse("key_1").expect("an id"),
            tenant: TenantId::parse("acct_1").expect("an id"),
            kind: CredentialKind::Spot,
            hash: SecretHash::of(b"secret"),
            scopes: vec![Scope::SessionsRead, Scope::ResponsesRead],
            created: Timestamp::from_micros(0),
            expires: expires.map(Timestamp::from_micros),
            revoked: revoked.map(Timestamp::from_micros),
        }
    }

    #[test]
    fn a_credential_works_until_it_expires_or_is_revoked() {
        let works = |credential: Credential, now| credential.is_live(Timestamp::from_micros(now));
        assert!(works(credential(None, None), i64::MAX));
        assert!(works(credential(Some(10), None), 9));
        assert!(!works(credential(Some(10), None), 10), "the instant of expiry is too late");
        assert!(!works(credential(Some(10), None), 11));
        for revoked in [1, 5, 9] {
            assert!(!works(credential(None, Some(revoked)), 5), "revoked at {revoked}");
            assert!(!works(credential(Some(10), Some(revoked)), 5), "revoked at {revoked}");
        }
    }

    #[test]
    fn the_dialects_share_no_scope_and_a_service_token_can_use_all() {
        assert_eq!(CredentialKind::Service.usable_scopes(), Scope::ALL);
        let mut seen = Vec::new();
        for kind in [CredentialKind::Spot, CredentialKind::Respondent, CredentialKind::Panel] {
            let scopes = kind.usable_scopes();
            assert!(!scopes.is_empty() && !scopes.contains(&Scope::Admin), "{kind:?}");
            assert!(scopes.iter().all(|scope| !seen.contains(scope)), "{kind:?}");
            seen.extend(scopes);
        }
    }

    #[test]
    fn a_secret_begins_as_its_kind_does_and_holds_all_random_bytes() {
        for (kind, prefix) in [
            (CredentialKind::Spot, "sk_live_"),
            (CredentialKind::Respondent, "rsk_"),
            (CredentialKind::Panel, "vtt_"),
            (CredentialKind::Service, "sdk_"),
        ] {
            let entropy: [u8; 32] = std::array::from_fn(|place| u8::try_from(place).unwrap_or(0));
            let secret = kind.mint_secret(entropy);
            let random = secret.strip_prefix(prefix).expect("the prefix of its kind");
            assert_eq!(BASE64URL_NOPAD.decode(random.as_bytes()), Ok(entropy.to_vec()));
        }
    }

    #[test]
    fn a_digest_matches_that_of_the_same_secret_and_no_other() {
        let hash = SecretHash::of(b"abc");
        // The first test vector of the standard.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(data_encoding::HEXLOWER.encode(hash.as_bytes()), expected);
        let stored = SecretHash::from_bytes(*hash.as_bytes());
        assert!(stored.matches(&hash) && hash.matches(&stored));
        for place in 0..32 {
            let mut bytes = *hash.as_bytes();
            bytes[place] ^= 1;
            assert!(!SecretHash::from_bytes(bytes).matches(&hash), "byte {place} counts");
        }
    }

    #[test]
    fn neither_the_log_nor_the_history_shows_a_digest() {
        let credential = credential(Some(1_500_000), None);
        assert!(format!("{credential:?}").contains("SecretHash(…)"));
        let expected = [
            Field::told("kind", Some("spot")),
            Field::told("scopes", Some("sessions:read responses:read")),
            Field::told("expires_at", Some("1970-01-01T00:00:01.5Z")),
            Field::told("revoked_at", None::<String>),
        ];
        assert_eq!(credential.recorded(), expected);
    }
}
