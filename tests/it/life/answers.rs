//! Answers: their validity, the questions that they lead to, and their values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::questionnaire::{Form, GoTo, Question, Questionnaire, Rule};
use crate::support::calls::Transport;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Text(String),
    Number(f64),
    One(Chosen),
    Many(Vec<Chosen>),
    LeftOut,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) option: String,
    pub(super) typed: Option<String>,
}

pub(super) type Answers = BTreeMap<String, Answer>;

/// The part of an answer that a retry must repeat over either transport: options and texts.
pub(super) type Said = (Option<Vec<String>>, Vec<String>);

impl Answer {
    pub(super) fn chosen(&self) -> &[Chosen] {
        match self {
            Self::One(chosen) => std::slice::from_ref(chosen),
            Self::Many(chosen) => chosen,
            Self::Text(_) | Self::Number(_) | Self::LeftOut => &[],
        }
    }

    /// Returns the answer in the format of the test helpers.
    pub(super) fn json(&self) -> Value {
        let option = |chosen: &Chosen| match &chosen.typed {
            Some(typed) => json!([chosen.option, typed]),
            None => json!(chosen.option),
        };
        match self {
            Self::Text(text) => json!({ "text": text }),
            Self::Number(number) => json!({ "number": number }),
            Self::One(chosen) => json!({ "option": option(chosen) }),
            Self::Many(chosen) => {
                json!({ "options": chosen.iter().map(option).collect::<Vec<_>>() })
            }
            Self::LeftOut => Value::Null,
        }
    }

    pub(super) fn said(&self) -> Said {
        let ids = || Some(self.chosen().iter().map(|it| it.option.clone()).collect());
        let typed = self.chosen().iter().filter_map(|it| it.typed.clone());
        match self {
            Self::Text(text) => (None, vec![text.clone()]),
            Self::Number(number) => (None, vec![number.to_string()]),
            Self::One(_) | Self::Many(_) => (ids(), typed.collect()),
            Self::LeftOut => (None, vec![]),
        }
    }

    /// Returns the answer as the server receives it. REST has one text for all choices, and does
    /// not distinguish a text from a number, or a choice from a list of one.
    fn arrived(&self, transport: Transport, question: &Question) -> Option<Self> {
        if transport == Transport::Grpc {
            return Some(self.clone());
        }
        let typed = match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::LeftOut => return Some(Self::LeftOut),
            Self::One(_) | Self::Many(_) => return self.chosen_over_rest(question),
        };
        match question.form {
            Form::Number { .. } => typed.trim().parse().ok().map(Self::Number),
            Form::Text { .. } | Form::Single(_) | Form::Multi { .. } => Some(Self::Text(typed)),
        }
    }

    fn chosen_over_rest(&self, question: &Question) -> Option<Self> {
        let mut typed = self.chosen().iter().find_map(|it| it.typed.clone());
        let takes = |id: &str| question.choice(id).is_some_and(|it| it.write_in);
        let count = self.chosen().iter().filter(|it| takes(&it.option)).count();
        if typed.is_some() && count != 1 {
            return None;
        }
        let chosen = self.chosen().iter().map(|it| {
            let typed = if takes(&it.option) { typed.take() } else { None };
            Chosen { option: it.option.clone(), typed }
        });
        let mut chosen: Vec<_> = chosen.collect();
        match question.form {
            Form::Single(_) if chosen.len() == 1 => Some(Self::One(chosen.remove(0))),
            Form::Text { .. } | Form::Number { .. } | Form::Single(_) | Form::Multi { .. } => {
                Some(Self::Many(chosen))
            }
        }
    }

    /// Whether the answer is valid for the question.
    pub(super) fn is_good(&self, question: &Question) -> bool {
        let required = question.required;
        let fits = |chosen: &Chosen| match (question.choice(&chosen.option), &chosen.typed) {
            (Some(choice), Some(typed)) => choice.write_in && !typed.trim().is_empty(),
            (Some(choice), None) => !choice.write_in,
            (None, _) => false,
        };
        match (self, &question.form) {
            (Self::LeftOut, _) => !required,
            (Self::Text(text), Form::Text { multi_line, min, max, is_code }) => {
                let length = u32::try_from(text.chars().count()).expect("a short text");
                let capitals = text.chars().filter(char::is_ascii_uppercase).count();
                (!required || !text.trim().is_empty())
                    && (*multi_line || !text.contains('\n'))
                    && min.is_none_or(|min| length >= min)
                    && max.is_none_or(|max| length <= max)
                    && (!is_code || (length, capitals) == (3, 3))
            }
            (Self::Number(number), Form::Number { min, max, step, .. }) => {
                let steps = step.map(|step| (number - min.unwrap_or(0.0)) / step);
                number.is_finite()
                    && min.is_none_or(|min| *number >= min)
                    && max.is_none_or(|max| *number <= max)
                    && steps.is_none_or(|steps| (steps - steps.round()).abs() < 1e-6)
            }
            (Self::One(chosen), Form::Single(_)) => fits(chosen),
            (Self::Many(chosen), Form::Multi { min, max, .. }) => {
                let ids: BTreeSet<_> = chosen.iter().map(|it| &it.option).collect();
                let count = u32::try_from(chosen.len()).expect("a few");
                ids.len() == chosen.len()
                    && chosen.iter().all(fits)
                    && count >= min.unwrap_or(0).max(required.into())
                    && max.is_none_or(|max| count <= max)
            }
            _ => false,
        }
    }

    /// Whether the answer qualifies. `None` if the question has no rule or was left out.
    pub(super) fn qualifies(&self, question: &Question) -> Option<bool> {
        let has = |id: &str| self.chosen().iter().any(|it| it.option == id);
        rule(question)?;
        match (self, &question.form) {
            (Self::LeftOut, _) => None,
            (Self::Number(number), Form::Number { qualifies: Some((min, max)), .. }) => {
                Some(min.is_none_or(|it| *number >= it) && max.is_none_or(|it| *number <= it))
            }
            _ => Some(question.choices().iter().all(|choice| match choice.rule {
                Rule::Requires => has(&choice.id),
                Rule::Disqualifies => !has(&choice.id),
                Rule::Neutral | Rule::Qualifies => true,
            })),
        }
    }
}

/// Returns a choice as researchers see it: the option's text, and the participant's own words.
pub(super) fn chosen_text(question: &Question, chosen: &Chosen) -> String {
    let text = &question.choice(&chosen.option).expect("it was chosen").text;
    match &chosen.typed {
        Some(typed) => format!("{text}: {typed}"),
        None => text.clone(),
    }
}

/// Returns the positions of the questions that answers lead to.
pub(super) fn path(questionnaire: &Questionnaire, answers: &Answers) -> Vec<usize> {
    let questions = &questionnaire.questions;
    let mut path = Vec::new();
    let mut at = 0;
    while at < questions.len() {
        path.push(at);
        let mut next = at + 1;
        for chosen in answers.get(&questions[at].id).map_or(&[][..], Answer::chosen) {
            let choice = questions[at].choice(&chosen.option).expect("it was chosen");
            next = next.max(match &choice.go_to {
                None => at + 1,
                Some(GoTo::End) => questions.len(),
                Some(GoTo::Question(id)) => {
                    questions.iter().position(|it| it.id == *id).expect("it is there")
                }
            });
        }
        at = next;
    }
    path
}

/// Returns the answers after a submission, or every invalid field.
pub(super) fn take(
    questionnaire: &Questionnaire,
    stored: &Answers,
    given: &Answers,
    is_final: bool,
    transport: Transport,
) -> Result<Answers, BTreeSet<String>> {
    let mut wrong = BTreeSet::new();
    if given.is_empty() && !is_final {
        wrong.insert("answers".to_owned());
    }
    let mut answers = stored.clone();
    for (id, answer) in given {
        let arrived = questionnaire.question(id).and_then(|question| {
            answer.arrived(transport, question).filter(|answer| answer.is_good(question))
        });
        match arrived {
            Some(answer) => _ = answers.insert(id.clone(), answer),
            None => _ = wrong.insert(format!("answers.{id}")),
        }
    }
    let path = path(questionnaire, &answers);
    let path: Vec<_> = path.into_iter().map(|at| &questionnaire.questions[at]).collect();
    for id in given.keys().filter(|id| path.iter().all(|question| question.id != **id)) {
        wrong.insert(format!("answers.{id}"));
    }
    answers.retain(|id, _| path.iter().any(|question| question.id == *id));
    for question in path.iter().filter(|_| is_final) {
        if !answers.contains_key(&question.id) {
            if question.required {
                wrong.insert(format!("answers.{}", question.id));
            }
            answers.insert(question.id.clone(), Answer::LeftOut);
        }
    }
    if wrong.is_empty() { Ok(answers) } else { Err(wrong) }
}

/// A line of the trace: the question, its rule, the value, and whether it qualifies.
pub(super) type Line = (String, String, Option<String>, Option<bool>);

pub(super) struct Verdict {
    pub(super) trace: Vec<Line>,
    pub(super) percentage: usize,
    pub(super) first: Option<String>,
}

pub(super) fn verdict(questionnaire: &Questionnaire, answers: &Answers) -> Verdict {
    let mut trace = Vec::new();
    for question in &questionnaire.questions {
        let (Some(answer), Some(rule)) = (answers.get(&question.id), rule(question)) else {
            continue;
        };
        let ids: Vec<_> = answer.chosen().iter().map(|it| it.option.as_str()).collect();
        let value = match answer {
            Answer::Number(number) => Some(number.to_string()),
            Answer::One(_) | Answer::Many(_) => Some(ids.join(", ")),
            Answer::Text(_) | Answer::LeftOut => None,
        };
        trace.push((question.id.clone(), rule, value, answer.qualifies(question)));
    }
    let scored = trace.iter().filter(|line| line.3.is_some()).count();
    let good = trace.iter().filter(|line| line.3 == Some(true)).count();
    let percentage = (100 * good + scored / 2).checked_div(scored).unwrap_or(100);
    let first = trace.iter().find(|line| line.3 == Some(false)).map(|line| line.0.clone());
    Verdict { trace, percentage, first }
}

/// Returns the rule in words, if the question has one.
fn rule(question: &Question) -> Option<String> {
    if let Form::Number { qualifies, .. } = &question.form {
        return match qualifies.as_ref()? {
            (Some(min), Some(max)) => Some(format!("{min} to {max}")),
            (Some(min), None) => Some(format!("at least {min}")),
            (None, Some(max)) => Some(format!("at most {max}")),
            (None, None) => None,
        };
    }
    let part = |word: &str, rule: Rule| {
        let own = question.choices().iter().filter(|choice| choice.rule == rule);
        let ids: Vec<_> = own.map(|choice| choice.id.as_str()).collect();
        (!ids.is_empty()).then(|| format!("{word} {}", ids.join(", ")))
    };
    let parts = [
        part("qualifies", Rule::Qualifies),
        part("requires", Rule::Requires),
        part("disqualifies", Rule::Disqualifies),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}
