//! A participant: a person, and their assignment to a screener.

use std::fmt;

use super::encoded::{Encoded, SMALL_MAX_BYTES, opt_text_max_bytes, texts_max_bytes};
use super::id::{AssignmentId, ParticipantId, ScreenerId};
use super::recorded::{Field, Recorded, Subject};
use super::time::Timestamp;
use super::words::words;

words! {
    /// How far the verification of a participant's identity has come.
    IdVerification {
        /// Nobody asked for it.
        None = "NONE",
        /// It runs.
        Pending = "PENDING",
        /// It succeeded.
        Passed = "PASSED",
        /// It failed.
        Failed = "FAILED",
    }
}

/// A person. Only the id is needed: panelists do not register.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Participant {
    /// Its id.
    pub id: ParticipantId,
    /// The caller's own id of the person.
    pub external_uid: Option<ExternalUid>,
    /// The person's name.
    pub name: Option<String>,
    /// The person's address.
    pub email: Option<String>,
    /// How far the verification of the identity has come.
    pub id_verification: IdVerification,
}

impl Participant {
    /// First and last name: the name split at its first space.
    #[must_use]
    pub fn split_name(&self) -> Option<(&str, &str)> {
        self.name.as_deref().map(|name| name.split_once(' ').unwrap_or((name, "")))
    }
}

impl Recorded for Participant {
    const SUBJECT: Subject = Subject::Participant;

    fn recorded(&self) -> Vec<Field> {
        let Self { id: _, external_uid, name, email, id_verification } = self;
        vec![
            // Nobody can say what is in another system's id: it may be an address.
            Field::redacted("external_uid", external_uid.as_ref()),
            Field::redacted("name", name.as_ref()),
            Field::redacted("email", email.as_ref()),
            Field::told("id_verification", Some(id_verification.as_str())),
        ]
    }
}

/// What becomes of a text that may be absent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum TextChange {
    /// It stays as it is.
    #[default]
    Keep,
    /// There is none any more.
    Clear,
    /// It becomes this.
    Set(String),
}

impl TextChange {
    fn applied(&self, before: Option<&String>) -> Option<String> {
        match self {
            Self::Keep => before.cloned(),
            Self::Clear => None,
            Self::Set(text) => Some(text.clone()),
        }
    }
}

/// What a change says about a participant.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ParticipantUpdate {
    /// The name.
    pub name: TextChange,
    /// The address.
    pub email: TextChange,
}

impl Participant {
    /// The participant after a change.
    #[must_use]
    pub fn updated(&self, update: &ParticipantUpdate) -> Self {
        let ParticipantUpdate { name, email } = update;
        Self {
            name: name.applied(self.name.as_ref()),
            email: email.applied(self.email.as_ref()),
            ..self.clone()
        }
    }
}

/// How a caller names a participant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ParticipantName {
    /// By the id.
    Id(ParticipantId),
    /// By the caller's own id of the person.
    ExternalUid(ExternalUid),
}

/// What stands for a person, and never changes: the external uid of one who has any, however they are
/// named, else the id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Person {
    /// By the caller's own id.
    Uid(ExternalUid),
    /// By the id, for there is no other.
    Id(ParticipantId),
}

impl Person {
    /// What stands for a participant.
    #[must_use]
    pub fn of(participant: &Participant) -> Self {
        Self::named(participant.external_uid.as_ref(), &participant.id)
    }

    /// The same, by the two ids.
    #[must_use]
    pub fn named(external_uid: Option<&ExternalUid>, id: &ParticipantId) -> Self {
        external_uid.map_or_else(|| Self::Id(id.clone()), |uid| Self::Uid(uid.clone()))
    }

    /// A name that no other person of the tenant has.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Uid(uid) => format!("uid {uid}"),
            Self::Id(id) => format!("id {id}"),
        }
    }
}

/// A screener participant: that a person takes part in a screener.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// The screener.
    pub screener: ScreenerId,
    /// The person.
    pub participant: ParticipantId,
    /// Counts up when the person's panelist key is revoked.
    pub key_epoch: u32,
}

/// That a participant said "not now" to a screener, and when.
#[derive(Clone, Copy, Debug)]
pub struct Dismissal(pub Timestamp);

impl Recorded for Dismissal {
    const SUBJECT: Subject = Subject::ScreenerParticipant;

    fn recorded(&self) -> Vec<Field> {
        vec![Field::time("dismissed_at", Some(self.0))]
    }
}

/// The longest external uid, in bytes.
pub const EXTERNAL_UID_MAX_BYTES: usize = 256;

/// A caller's own id of a person, which the panel dialect calls the panelist id.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ExternalUid(String);

impl ExternalUid {
    /// Takes a caller's text, or says why it is not an external uid.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > EXTERNAL_UID_MAX_BYTES {
            return Err(format!("Must have 1 to {EXTERNAL_UID_MAX_BYTES} bytes of UTF-8."));
        }
        if text.chars().any(char::is_control) {
            return Err("Must not contain control characters.".into());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ExternalUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ExternalUid {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Encoded for Participant {
    fn encoded_max_bytes(&self) -> usize {
        let Self { id, external_uid, name, email, id_verification: _ } = self;
        let others = [name, email].map(|text| opt_text_max_bytes(text.as_ref()));
        let external_uid = opt_text_max_bytes(external_uid.as_ref());
        let texts = texts_max_bytes([id.as_str()]) + external_uid + others.iter().sum::<usize>();
        texts + SMALL_MAX_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dismissal_is_recorded_with_its_instant() {
        let dismissal = Dismissal(Timestamp::from_micros(1_500_000));
        let expected = [Field::told("dismissed_at", Some("1970-01-01T00:00:01.5Z"))];
        assert_eq!(dismissal.recorded(), expected);
    }

    #[test]
    fn an_update_sets_clears_or_leaves_each_text() {
        let before = Participant {
            id: ParticipantId::parse("ptp_1").expect("an id"),
            external_uid: ExternalUid::parse("crm-1").ok(),
            name: Some("Alex".into()),
            email: None,
            id_verification: IdVerification::Pending,
        };
        assert_eq!(before.updated(&ParticipantUpdate::default()), before);
        let update = ParticipantUpdate {
            name: TextChange::Clear,
            email: TextChange::Set("a@example.com".into()),
        };
        let after =
            Participant { name: None, email: Some("a@example.com".into()), ..before.clone() };
        assert_eq!(before.updated(&update), after);
    }
}
