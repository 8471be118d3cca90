//! What the audit log records of a row: which kind of row it is, and its fields.
//!
//! No entry of the log is edited or deleted, so it contains nothing that may have to be forgotten: of
//! answers, names, addresses, free text and whatever opens something, it tells only that it changed.

use super::encoded::{Encoded, opt_text_max_bytes, texts_max_bytes};
use super::time::Timestamp;
use super::words::words;

words! {
    /// What a change was made to.
    Subject {
        /// A tenant.
        Tenant = "TENANT",
        /// A credential.
        Credential = "CREDENTIAL",
        /// A session.
        Session = "SESSION",
        /// A submission; its id is the session's.
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

/// A field that a change changed. A redacted one has neither value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldChange {
    /// The field, as the contract names it.
    pub name: String,
    /// What it was; nothing if it was unset.
    pub before: Option<String>,
    /// What it became; nothing if it is unset.
    pub after: Option<String>,
}

impl FieldChange {
    /// A field of which only the name is recorded.
    #[must_use]
    pub fn redacted(name: String) -> Self {
        Self { name, before: None, after: None }
    }
}

/// A field of a value, as two of them are compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    name: &'static str,
    value: Option<String>,
    is_redacted: bool,
}

impl Field {
    /// A field with its values.
    pub fn told(name: &'static str, value: Option<impl ToString>) -> Self {
        Self { name, value: value.map(|value| value.to_string()), is_redacted: false }
    }

    /// A time, told to its last digit.
    #[must_use]
    pub fn time(name: &'static str, value: Option<Timestamp>) -> Self {
        Self::told(name, value.map(Timestamp::rfc3339))
    }

    /// A field of which only the name is recorded.
    pub fn redacted(name: &'static str, value: Option<impl ToString>) -> Self {
        Self { is_redacted: true, ..Self::told(name, value) }
    }
}

/// A value whose changes are recorded.
pub trait Recorded {
    /// What the log calls a row of them.
    const SUBJECT: Subject;

    /// Its fields, always the same ones in the same order. What never changes is among them, as
    /// long as it tells something of a new row.
    fn recorded(&self) -> Vec<Field>;
}

/// What differs between a value and what it was; all that is set, if it was not there.
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
