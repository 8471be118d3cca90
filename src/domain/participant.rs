//! A participant: a person, and their assignment to a screener.

use std::fmt;

use super::encoded::{Encoded, SMALL_MAX_BYTES, opt_text_max_bytes, texts_max_bytes};
use super::id::{AssignmentId, ParticipantId, ScreenerId};
use super::recorded::{Field, Recorded, Subject};
use super::time::Timestamp;
use super::words::words;

words! {
    /// The state of a participant's id verification.
    IdVerification {
        /// It was not requested.
        None = "NONE",
        /// It is in progress.
        Pending = "PENDING",
        /// It succeeded.
        Passed = "PASSED",
        /// It failed.
        Failed = "FAILED",
    }
}

/// A person. Only the id is required, because panelists do not register.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Participant {
    /// Its id.
    pub id: ParticipantId,
    /// The caller's own id of the person.
    pub external_uid: Option<ExternalUid>,
    /// The person's name.
    pub name: Option<String>,
    /// The person's email address.
    pub email: Option<String>,
    /// The state of the id verification.
    pub id_verification: IdVerification,
}

impl Participant {
    /// Returns first and last name: the name split at its first space.
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
            // The id of another system may contain personal data, such as an email address.
            Field::redacted("external_uid", external_uid.as_ref()),
            Field::redacted("name", name.as_ref()),
            Field::redacted("email", email.as_ref()),
            Field::told("id_verification", Some(id_verification.as_str())),
        ]
    }
}

/// The change of an optional text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum TextChange {
    /// Keeps the text.
    #[default]
    Keep,
    /// Removes the text.
    Clear,
    /// Sets this text.
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

/// A change of a participant.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ParticipantUpdate {
    /// The name.
    pub name: TextChange,
    /// The email address.
    pub email: TextChange,
}

impl Participant {
    /// Returns the participant after a change.
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

/// The caller's reference to a participant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ParticipantName {
    /// By the id.
    Id(ParticipantId),
    /// By the caller's own id of the person.
    ExternalUid(ExternalUid),
}

/// The permanent identity of a person, independent of how callers refer to them: the external uid
/// if there is one, else the id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Person {
    /// The caller's own id.
    Uid(ExternalUid),
    /// The id, because there is no external uid.
    Id(ParticipantId),
}

impl Person {
    /// Returns the identity of a participant.
    #[must_use]
    pub fn of(participant: &Participant) -> Self {
        Self::named(participant.external_uid.as_ref(), &participant.id)
    }

    /// Returns the identity of a participant from the two ids.
    #[must_use]
    pub fn named(external_uid: Option<&ExternalUid>, id: &ParticipantId) -> Self {
        external_uid.map_or_else(|| Self::Id(id.clone()), |uid| Self::Uid(uid.clone()))
    }

    /// Returns a name that is unique within the tenant.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Uid(uid) => format!("uid {uid}"),
            Self::Id(id) => format!("id {id}"),
        }
    }
}

/// A screener participant: the assignment of a person to a screener.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// The screener.
    pub screener: ScreenerId,
    /// The person.
    pub participant: ParticipantId,
    /// Incremented when the person's panelist key is revoked.
    pub key_epoch: u32,
}

/// The time at which a participant declined a screener with "not now".
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
    /// Parses a caller's text, or returns the reason why it is not an external uid.
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
