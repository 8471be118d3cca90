//! A participant: a person, and their assignment to a screener.

use super::id::{AssignmentId, ParticipantId, ScreenerId};
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
    /// The caller's own id of the person, which the panel dialect calls the panelist id.
    pub external_uid: Option<String>,
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

/// The longest external uid, in bytes.
pub const EXTERNAL_UID_MAX_BYTES: usize = 256;

/// Says why a text is not an external uid.
pub fn check_external_uid(text: &str) -> Result<(), String> {
    if text.is_empty() || text.len() > EXTERNAL_UID_MAX_BYTES {
        return Err(format!("It has 1 to {EXTERNAL_UID_MAX_BYTES} bytes of UTF-8."));
    }
    if text.chars().any(char::is_control) {
        return Err("It contains no control characters.".into());
    }
    Ok(())
}
