//! The parts of a row that the audit log records: its kind and its fields.
//!
//! Entries of the log are never edited or deleted, so they contain no data that may have to be
//! erased. Answers, names, addresses, free text and secrets are recorded only as changed.

use super::encoded::{Encoded, opt_text_max_bytes, texts_max_bytes};
use super::time::Timestamp;
use super::words::words;

words! {
    /// The kind of a changed row.
    Subject {
        /// A tenant.
        Tenant = "TENANT",
        /// A credential.
        Credential = "CREDENTIAL",
        /// A session.
        Session = "SESSION",
        /// A submission. Its id is the session's.
        Submission = "SUBMISSION",
        /// A project.
        Project = "PROJECT",
        /// A participant.
        Participant = "PARTICIPANT",
        /// A screener.
        Screener = "SCREENER",
        /// A participant of one screener.
        ScreenerParticipant = "SCREENER_PARTICIPANT",
    }
}

/// A changed field. A redacted one has neither value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldChange {
    /// The field, as the contract names it.
    pub name: String,
    /// The previous value. Absent if it was unset.
    pub before: Option<String>,
    /// The new value. Absent if it is unset.
    pub after: Option<String>,
}

impl FieldChange {
    /// Creates the change of a field of which only the name is recorded.
    #[must_use]
    pub fn redacted(name: String) -> Self {
        Self { name, before: None, after: None }
    }
}

/// A field of a value, to be compared with the same field of another value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    name: &'static str,
    value: Option<String>,
    is_redacted: bool,
}

impl Field {
    /// Creates a field whose values are recorded.
    pub fn told(name: &'static str, value: Option<impl ToString>) -> Self {
        Self { name, value: value.map(|value| value.to_string()), is_redacted: false }
    }

    /// Creates a time field, recorded with full precision.
    #[must_use]
    pub fn time(name: &'static str, value: Option<Timestamp>) -> Self {
        Self::told(name, value.map(Timestamp::rfc3339))
    }

    /// Creates a field of which only the name is recorded.
    pub fn redacted(name: &'static str, value: Option<impl ToString>) -> Self {
        Self { is_redacted: true, ..Self::told(name, value) }
    }
}

/// A value whose changes are recorded.
pub trait Recorded {
    /// The kind of its rows in the log.
    const SUBJECT: Subject;

    /// Returns its fields, always the same ones in the same order. Includes immutable fields that
    /// describe a new row.
    fn recorded(&self) -> Vec<Field>;
}

/// Returns the fields that differ from `before`, or all fields that are set without it.
pub(super) fn differences<T: Recorded>(before: Option<&T>, after: &T) -> Vec<FieldChange> {
    let mut was = before.map(T::recorded).unwrap_or_default().into_iter();
    let mut differing = Vec::new();
    for Field { name, value, is_redacted } in after.recorded() {
        let before = was.next().and_then(|field| field.value);
        if before == value {
            continue;
        }
        let (before, after) = if is_redacted { (None, None) } else { (before, value) };
        differing.push(FieldChange { name: name.to_owned(), before, after });
    }
    differing
}

impl Encoded for FieldChange {
    fn encoded_max_bytes(&self) -> usize {
        let Self { name, before, after } = self;
        let values = [before, after].map(|text| opt_text_max_bytes(text.as_ref()));
        texts_max_bytes([name]) + values.iter().sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Person(Option<&'static str>, bool, Option<i64>);

    impl Recorded for Person {
        const SUBJECT: Subject = Subject::Participant;

        fn recorded(&self) -> Vec<Field> {
            vec![
                Field::redacted("name", self.0),
                Field::told("hidden", Some(self.1)),
                Field::time("seen_at", self.2.map(Timestamp::from_micros)),
            ]
        }
    }

    fn change(name: &str, before: Option<&str>, after: Option<&str>) -> FieldChange {
        let [before, after] = [before, after].map(|text| text.map(str::to_owned));
        FieldChange { name: name.into(), before, after }
    }

    #[test]
    fn what_differs_is_told_and_of_what_is_secret_only_that_it_does() {
        let before = Person(Some("Alex"), false, None);
        assert_eq!(differences(Some(&before), &before), []);
        let after = Person(Some("Sam"), true, Some(1_500_000));
        let expected = [
            change("name", None, None),
            change("hidden", Some("false"), Some("true")),
            change("seen_at", None, Some("1970-01-01T00:00:01.5Z")),
        ];
        assert_eq!(differences(Some(&before), &after), expected);
        let back = differences(Some(&after), &Person(None, true, None));
        let seen = change("seen_at", Some("1970-01-01T00:00:01.5Z"), None);
        assert_eq!(back, [change("name", None, None), seen]);
    }

    #[test]
    fn of_a_new_row_all_is_told_that_is_set() {
        let expected = [change("name", None, None), change("hidden", None, Some("false"))];
        assert_eq!(differences(None, &Person(Some("Alex"), false, None)), expected);
        assert_eq!(differences(None, &Person(None, false, None)), expected[1..]);
    }
}
