//! An answer as JSON: a member of a list item over REST, and of a line of NDJSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::answer::{Answer, Selected};
use crate::domain::question::QuestionKind;
use crate::transfer::Number;

/// Returns the documented names of a response and of its question.
pub(crate) fn type_names(kind: QuestionKind) -> (&'static str, &'static str) {
    match kind {
        QuestionKind::Text => ("ScreenerTextResponse", "ScreenerTextQuestion"),
        QuestionKind::Numeric => ("ScreenerNumericResponse", "ScreenerNumericQuestion"),
        QuestionKind::SingleSelect => {
            ("ScreenerSingleSelectResponse", "ScreenerSingleSelectQuestion")
        }
        QuestionKind::MultiSelect => ("ScreenerMultiSelectResponse", "ScreenerMultiSelectQuestion"),
    }
}

/// A text, a number, an option, a list of options, or null for a question that was skipped.
#[derive(Serialize, ToSchema)]
#[schema(as = ScreenerAnswer)]
#[serde(untagged)]
pub(crate) enum AnswerBody<'a> {
    Text(&'a str),
    Number(Number),
    Option(OptionBody<'a>),
    Options(Vec<OptionBody<'a>>),
    Null,
}

impl<'a> From<&'a Answer> for AnswerBody<'a> {
    fn from(answer: &'a Answer) -> Self {
        match answer {
            Answer::Text(text) => Self::Text(text),
            Answer::Numeric(number) => Self::Number(Number::from(*number)),
            Answer::SingleSelect(selected) => Self::Option(OptionBody::from(selected)),
            Answer::MultiSelect(selected) => {
                Self::Options(selected.iter().map(OptionBody::from).collect())
            }
            Answer::Skipped => Self::Null,
        }
    }
}

/// A chosen option.
#[derive(Serialize, ToSchema)]
#[schema(as = SelectedOption)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OptionBody<'a> {
    /// Its text, and behind a colon what was typed.
    text: &'a str,
    is_write_in: bool,
}

impl<'a> From<&'a Selected> for OptionBody<'a> {
    fn from(selected: &'a Selected) -> Self {
        let Selected { text, write_in, option: _ } = selected;
        Self { text, is_write_in: write_in.is_some() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::OptionId;

    #[test]
    fn an_answer_is_a_text_a_number_an_option_options_or_null() {
        let selected = |text: &str, write_in: Option<&str>| Selected {
            option: OptionId::parse("sco_1").expect("an id"),
            text: text.to_owned(),
            write_in: write_in.map(str::to_owned),
        };
        for (answer, expected) in [
            (Answer::Text("5".into()), r#""5""#),
            (Answer::Numeric(5.0), "5"),
            (Answer::Numeric(5.5), "5.5"),
            (
                Answer::SingleSelect(selected("11-200", None)),
                r#"{"text":"11-200","isWriteIn":false}"#,
            ),
            (
                Answer::MultiSelect(vec![selected("Other: Hub", Some("Hub"))]),
                r#"[{"text":"Other: Hub","isWriteIn":true}]"#,
            ),
            (Answer::MultiSelect(Vec::new()), "[]"),
            (Answer::Skipped, "null"),
        ] {
            let body = serde_json::to_string(&AnswerBody::from(&answer)).expect("JSON");
            assert_eq!(body, expected);
        }
    }
}
