//! Conversions of questions and answers, in both directions.

use super::convert::{wire_words, word};
use crate::domain::answer::{Answer, Given, GivenOption, Selected};
use crate::domain::error::Violations;
use crate::domain::id::OptionId;
use crate::domain::question::{
    Choice, GoTo, GoToDraft, MultiSelectDraft, MultiSelectForm, NumericForm, OptionDraft, Question,
    QuestionForm, QuestionKind, Range, Rule, TextDraft, TextForm,
};
use crate::domain::questionnaire::{FormDraft, QuestionDraft};
use crate::pb::screener::v1;
use crate::pb::screener::v1::answer_value::Value;
use crate::pb::screener::v1::question::Form;
use crate::pb::screener::v1::question_option::GoTo as ProtoGoTo;
use crate::pb::screener::v1::screener_response::Answer as ProtoAnswer;

/// Converts a question. Only what a draft cannot represent is validated.
pub(super) fn question(
    path: &str,
    message: v1::Question,
    violations: &mut Violations,
) -> QuestionDraft {
    let v1::Question { id, prompt, required, form } = message;
    let form = form.map(|form| match form {
        Form::Text(v1::TextForm { multi_line, min_length, max_length, pattern, pattern_hint }) => {
            let multi_line = multi_line.unwrap_or_default();
            let draft = TextDraft { multi_line, min_length, max_length, pattern, pattern_hint };
            FormDraft::Text(draft)
        }
        Form::Numeric(v1::NumericForm { slider, min, max, step, qualifies }) => {
            FormDraft::Numeric(NumericForm {
                slider: slider.unwrap_or_default(),
                bounds: Range { min, max },
                step,
                qualifies: qualifies.map(|v1::NumericRange { min, max }| Range { min, max }),
            })
        }
        Form::SingleSelect(v1::SingleSelectForm { options: given }) => {
            FormDraft::SingleSelect(options(path, given, violations))
        }
        Form::MultiSelect(v1::MultiSelectForm { options: given, min_choices, max_choices }) => {
            let options = options(path, given, violations);
            FormDraft::MultiSelect(MultiSelectDraft { options, min_choices, max_choices })
        }
    });
    let (prompt, required) = (prompt.unwrap_or_default(), required.unwrap_or_default());
    QuestionDraft { id, prompt, required, form }
}

fn options(
    path: &str,
    messages: Vec<v1::QuestionOption>,
    violations: &mut Violations,
) -> Vec<OptionDraft> {
    let options = messages.into_iter().enumerate().map(|(position, message)| {
        let v1::QuestionOption { id, text, rule: number, write_in, go_to } = message;
        let field = format!("{path}.options[{position}].rule");
        let rule = number.and_then(|number| violations.keep(&field, rule(number)));
        OptionDraft {
            id,
            text: text.unwrap_or_default(),
            rule: rule.unwrap_or(Rule::Neutral),
            write_in: write_in.unwrap_or_default(),
            go_to: go_to.map(|go_to| match go_to {
                ProtoGoTo::GoToQuestionId(id) => GoToDraft::Question(id),
                ProtoGoTo::GoToEnd(v1::GoToEnd {}) => GoToDraft::End,
            }),
        }
    });
    options.collect()
}

fn rule(number: i32) -> Result<Rule, String> {
    word::<_, v1::OptionRule>(Rule::ALL, number, "Must be a rule of the contract.")
}

impl From<&Question> for v1::Question {
    fn from(question: &Question) -> Self {
        let Question { id, page: _, prompt, required, form } = question;
        Self {
            id: id.to_string(),
            prompt: Some(prompt.clone()),
            required: Some(*required),
            form: Some(form.into()),
        }
    }
}

impl From<&QuestionForm> for Form {
    fn from(form: &QuestionForm) -> Self {
        let all = |choices: &[Choice]| choices.iter().map(Into::into).collect();
        match form {
            QuestionForm::Text(form) => {
                let TextForm { multi_line, min_length, max_length, pattern, pattern_hint } = form;
                Self::Text(v1::TextForm {
                    multi_line: Some(*multi_line),
                    min_length: *min_length,
                    max_length: *max_length,
                    pattern: pattern.as_ref().map(|pattern| pattern.as_str().to_owned()),
                    pattern_hint: pattern_hint.clone(),
                })
            }
            QuestionForm::Numeric(NumericForm { slider, bounds, step, qualifies }) => {
                let Range { min, max } = *bounds;
                Self::Numeric(v1::NumericForm {
                    slider: Some(*slider),
                    min,
                    max,
                    step: *step,
                    qualifies: qualifies.map(|Range { min, max }| v1::NumericRange { min, max }),
                })
            }
            QuestionForm::SingleSelect(choices) => {
                Self::SingleSelect(v1::SingleSelectForm { options: all(choices) })
            }
            QuestionForm::MultiSelect(MultiSelectForm { choices, min_choices, max_choices }) => {
                Self::MultiSelect(v1::MultiSelectForm {
                    options: all(choices),
                    min_choices: *min_choices,
                    max_choices: *max_choices,
                })
            }
        }
    }
}

impl From<&Choice> for v1::QuestionOption {
    fn from(choice: &Choice) -> Self {
        let Choice { id, text, rule, write_in, go_to } = choice;
        Self {
            id: id.to_string(),
            text: Some(text.clone()),
            rule: Some(v1::OptionRule::from(*rule).into()),
            write_in: Some(*write_in),
            go_to: go_to.as_ref().map(|go_to| match go_to {
                GoTo::Question(id) => ProtoGoTo::GoToQuestionId(id.to_string()),
                GoTo::End => ProtoGoTo::GoToEnd(v1::GoToEnd {}),
            }),
        }
    }
}

wire_words!(Rule => OptionRule { Neutral, Qualifies, Required, Disqualifies });

/// Converts a given answer.
pub(super) fn given(value: Option<Value>) -> Result<Given, String> {
    match value {
        Some(Value::Text(text)) => Ok(Given::Text(text)),
        Some(Value::Number(number)) => Ok(Given::Number(number)),
        Some(Value::Option(option)) => chosen(option).map(Given::Option),
        Some(Value::Options(v1::ChosenOptions { options })) => {
            options.into_iter().map(chosen).collect::<Result<_, _>>().map(Given::Options)
        }
        Some(Value::LeftOut(v1::LeftOut {})) => Ok(Given::Skipped),
        None => Err("Required: an answer.".into()),
    }
}

fn chosen(option: v1::ChosenOption) -> Result<GivenOption, String> {
    let v1::ChosenOption { option_id, write_in } = option;
    Ok(GivenOption { option: OptionId::parse(&option_id)?, write_in })
}

impl From<Selected> for v1::ChosenOption {
    fn from(selected: Selected) -> Self {
        let Selected { option, text: _, write_in } = selected;
        Self { option_id: option.to_string(), write_in }
    }
}

impl From<Answer> for v1::AnswerValue {
    fn from(answer: Answer) -> Self {
        let value = match answer {
            Answer::Text(text) => Value::Text(text),
            Answer::Numeric(number) => Value::Number(number),
            Answer::SingleSelect(selected) => Value::Option(selected.into()),
            Answer::MultiSelect(selected) => {
                let options = selected.into_iter().map(Into::into).collect();
                Value::Options(v1::ChosenOptions { options })
            }
            Answer::Skipped => Value::LeftOut(v1::LeftOut {}),
        };
        Self { value: Some(value) }
    }
}

impl From<&Answer> for ProtoAnswer {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Text(text) => Self::Text(text.clone()),
            Answer::Numeric(number) => Self::Number(*number),
            Answer::SingleSelect(selected) => Self::Option(selected.into()),
            Answer::MultiSelect(selected) => Self::Options(v1::SelectedOptions {
                options: selected.iter().map(Into::into).collect(),
            }),
            Answer::Skipped => Self::Skipped(v1::Skipped {}),
        }
    }
}

impl From<&Selected> for v1::SelectedOption {
    fn from(selected: &Selected) -> Self {
        let Selected { option: _, text, write_in } = selected;
        Self { text: Some(text.clone()), is_write_in: Some(write_in.is_some()) }
    }
}

wire_words!(QuestionKind => QuestionType { Text, Numeric, SingleSelect, MultiSelect });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::OptionId;

    #[test]
    fn every_kind_of_answer_has_its_case() {
        let selected = |write_in: Option<&str>| Selected {
            option: OptionId::parse("sco_1").expect("an id"),
            text: "Other: Hub".into(),
            write_in: write_in.map(Into::into),
        };
        let shown = |is_write_in| v1::SelectedOption {
            text: Some("Other: Hub".into()),
            is_write_in: Some(is_write_in),
        };
        let options = |options| ProtoAnswer::Options(v1::SelectedOptions { options });
        for (answer, expected) in [
            (Answer::Text(String::new()), ProtoAnswer::Text(String::new())),
            (Answer::Numeric(0.0), ProtoAnswer::Number(0.0)),
            (Answer::SingleSelect(selected(None)), ProtoAnswer::Option(shown(false))),
            (Answer::MultiSelect(vec![selected(Some("Hub"))]), options(vec![shown(true)])),
            (Answer::MultiSelect(Vec::new()), options(Vec::new())),
            (Answer::Skipped, ProtoAnswer::Skipped(v1::Skipped {})),
        ] {
            assert_eq!(ProtoAnswer::from(&answer), expected);
        }
    }
}
