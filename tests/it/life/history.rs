//! The expected history.

/// A change in the terms of the model. Subjects are named by their positions, because many ids are
/// unknown until they are read.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: i64,
    pub(super) by_panelist: bool,
    pub(super) action: String,
    pub(super) subject: Subject,
    pub(super) fields: Vec<FieldChange>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Subject {
    Session(usize),
    Submission(usize),
    Participant(usize),
    Screener(usize),
    Assignment(usize),
}

/// A printed value, or the position of the thing that it names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Text {
    Said(String),
    Assignment(usize),
    Publication(usize),
    Digest(usize),
}

#[derive(Clone, Debug)]
pub(super) struct FieldChange {
    pub(super) name: String,
    pub(super) before: Option<Text>,
    pub(super) after: Option<Text>,
}

/// A field of a subject, and whether its values are visible in the history.
#[derive(Clone, Debug)]
pub(super) struct Field {
    name: &'static str,
    value: Option<Text>,
    is_told: bool,
}

pub(super) fn told(name: &'static str, value: Option<impl ToString>) -> Field {
    named(name, value.map(|value| Text::Said(value.to_string())))
}

pub(super) fn untold(name: &'static str, value: Option<impl ToString>) -> Field {
    Field { is_told: false, ..told(name, value) }
}

pub(super) fn named(name: &'static str, value: Option<Text>) -> Field {
    Field { name, value, is_told: true }
}

/// Returns the fields that changed. For a new subject, returns all fields that are set.
pub(super) fn differences(before: Option<Vec<Field>>, after: Vec<Field>) -> Vec<FieldChange> {
    let before = before.unwrap_or_default();
    let mut changes = Vec::new();
    for Field { name, value, is_told } in after {
        let was = before.iter().find(|it| it.name == name).and_then(|it| it.value.clone());
        if was != value {
            let (before, after) = if is_told { (was, value) } else { (None, None) };
            changes.push(FieldChange { name: name.into(), before, after });
        }
    }
    changes
}
