//! The columns of an export, in one table for CSV, NDJSON and Parquet.

use super::type_names;
use crate::domain::answer::{Answer, Selected, Value};
use crate::domain::response::{Asked, Origin};

/// A column.
pub(super) struct Column {
    /// The name, equal to that of the member of an item over REST.
    pub name: &'static str,
    /// The source of its cells.
    pub source: Source,
    /// Whether many nearby rows have the same value, so that a dictionary pays.
    pub repeats: bool,
}

/// The source of a cell.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// The question.
    Asked(fn(&Asked) -> &str),
    /// The session and the rows that it belongs to.
    Origin(fn(&Origin) -> &str),
    /// The same, for a value that may be absent.
    OriginIfAny(fn(&Origin) -> Option<&str>),
    /// The answer. These columns come last.
    Answer(Part),
}

/// A part of an answer. Each kind of answer has one part, and the others are absent.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Text(fn(&Answer) -> Option<&str>),
    Number(fn(&Answer) -> Option<f64>),
    Options(fn(&Answer) -> Option<&[Selected]>),
}

impl Column {
    const fn of(name: &'static str, source: Source) -> Self {
        Self { name, source, repeats: true }
    }

    const fn distinct(name: &'static str, source: Source) -> Self {
        Self { name, source, repeats: false }
    }
}

/// Every column, in the order of the members of an item over REST.
pub(super) const COLUMNS: [Column; 14] = [
    Column::of("_type", Source::Asked(|it| type_names(it.kind).0)),
    Column::of("questionType", Source::Asked(|it| type_names(it.kind).1)),
    Column::distinct("screenerSessionId", Source::Origin(|it| it.session.as_str())),
    Column::of("screenerPageId", Source::Asked(|it| it.page.as_str())),
    Column::of("screenerQuestionId", Source::Asked(|it| it.question.as_str())),
    Column::of("screenerId", Source::Origin(|it| it.screener.as_str())),
    Column::of("screenerPublicationId", Source::Origin(|it| it.publication.as_str())),
    Column::distinct("participantId", Source::Origin(|it| it.participant.as_str())),
    Column::distinct(
        "externalParticipantUid",
        Source::OriginIfAny(|it| it.external_uid.as_ref().map(AsRef::as_ref)),
    ),
    Column::distinct("screenerParticipantId", Source::Origin(|it| it.assignment.as_str())),
    Column::of("screenerQuestionPrompt", Source::Asked(|it| &it.prompt)),
    Column::distinct("answerText", Source::Answer(Part::Text(|it| parts(it).0))),
    Column::distinct("answerNumber", Source::Answer(Part::Number(|it| parts(it).1))),
    Column::distinct("answerOptions", Source::Answer(Part::Options(|it| parts(it).2))),
];

/// Returns the text, the number and the options of an answer, of which at most one is present.
/// Options are a list even for a single choice.
fn parts(answer: &Answer) -> (Option<&str>, Option<f64>, Option<&[Selected]>) {
    match answer.value() {
        Value::Text(text) => (Some(text), None, None),
        Value::Number(number) => (None, Some(number), None),
        Value::Options(selected) => (None, None, Some(selected)),
        Value::Nothing => (None, None, None),
    }
}
