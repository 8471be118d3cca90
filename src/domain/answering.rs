//! Answering: what a participant submits, held against the questionnaire and what was answered
//! before.
//!
//! The server alone decides which questions the answers lead to. From the first question on, an
//! answer leads to the next one or to where its choice leads; a question without an answer leads to
//! the next. An answer to a question that is not on this path is refused; when an answer changes the
//! path, earlier answers that are no longer on it are dropped. So what is stored is always one
//! path's answers. Either everything of a submission is taken or nothing, and every reason against
//! it is named.

use std::collections::BTreeMap;

use super::change::FieldChange;
use super::content_hash::Content;
use super::error::Violations;
use super::id::{PublicationId, QuestionId};
use super::publication::{GoTo, Publication, Question, QuestionForm, TextForm};
use super::response::{Answer, Given, GivenOption, Selected, number_text, on_step};

/// What a participant submits in one go.
#[derive(Clone, Debug, PartialEq)]
pub struct Submit {
    /// The answers, each to one question.
    pub answers: BTreeMap<QuestionId, Given>,
    /// Whether nothing will follow.
    pub is_final: bool,
    /// The version that the participant saw, if that was said.
    pub publication: Option<PublicationId>,
    /// The field that holds the answers, as the caller's dialect calls it.
    pub field: &'static str,
}

/// What a submission changes of the answers, as the audit log has it. A first answer stands among
/// the responses, so the log only names it; one that was replaced or dropped stands in the log alone.
#[must_use]
pub fn answer_changes(taken: &Taken, stored: &[(QuestionId, Answer)]) -> Vec<FieldChange> {
    let Taken { added, replaced, dropped } = taken;
    let before = |question: &QuestionId| {
        stored.iter().find(|(id, _)| id == question).and_then(|(_, answer)| answer.told())
    };
    let field = |question: &QuestionId, before, after| FieldChange {
        name: format!("answers.{question}"),
        before,
        after,
    };
    let added = added.iter().map(|(id, _)| field(id, None, None));
    let replaced = replaced.iter().map(|(id, after)| field(id, before(id), after.told()));
    let dropped = dropped.iter().map(|id| field(id, before(id), None));
    added.chain(replaced).chain(dropped).collect()
}

/// What becomes of the stored answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// Answers to questions that had none, in question order. With a final submission these are
    /// also the questions that were left out.
    pub added: Vec<(QuestionId, Answer)>,
    /// Answers in place of others, in question order.
    pub replaced: Vec<(QuestionId, Answer)>,
    /// Questions whose answers the path no longer reaches, in question order.
    pub dropped: Vec<QuestionId>,
}

impl Submit {
    /// A digest by which a repeat is known: of whose it is, and of everything that it asks for.
    #[must_use]
    pub fn digest(&self, subject: &str) -> [u8; 32] {
        let Self { answers, is_final, publication, field: _ } = self;
        let mut content = Content::default();
        content.text(subject);
        content.flag(*is_final);
        content.opt(publication.as_ref(), |content, id| content.text(id.as_str()));
        let answers: Vec<_> = answers.iter().collect();
        content.all(&answers, |content, (question, given)| {
            content.text(question.as_str());
            digest_given(content, given);
        });
        content.digest()
    }

    /// Holds it against the questionnaire and the answers that are there; all violations are named.
    pub fn take(
        self,
        publication: &Publication,
        stored: &[(QuestionId, Answer)],
        violations: &mut Violations,
    ) -> Taken {
        let Self { answers: given, is_final, publication: _, field } = self;
        let at = |question: &QuestionId| format!("{field}.{question}");
        if given.is_empty() && !is_final {
            violations.add(field, "A submission has an answer, unless it is the final one.");
        }
        let mut answers: BTreeMap<QuestionId, Answer> = stored.iter().cloned().collect();
        let mut fresh = Vec::new();
        for (id, given) in given {
            let Some(question) = publication.question(&id) else {
                violations.add(at(&id), "There is no such question.");
                continue;
            };
            let answer = given.accept(question);
            let answer = answer.and_then(|answer| answer.check(question).map(|()| answer));
            if let Some(answer) = violations.keep(&at(&id), answer) {
                answers.insert(id.clone(), answer);
                fresh.push(id);
            }
        }
        let path = path(publication, &answers);
        for id in fresh.iter().filter(|id| !path.iter().any(|question| question.id == **id)) {
            violations.add(at(id), "The answers do not lead to this question.");
        }
        if is_final {
            for question in &path {
                if answers.contains_key(&question.id) {
                    continue;
                }
                if question.required {
                    violations.add(at(&question.id), NEEDED);
                }
                answers.insert(question.id.clone(), Answer::Skipped);
            }
        }
        changes(publication, stored, &answers, &path)
    }
}

/// Why a question cannot be left out.
const NEEDED: &str = "This question must be answered.";

fn digest_given(content: &mut Content, given: &Given) {
    let option = |content: &mut Content, GivenOption { option, write_in }: &GivenOption| {
        content.text(option.as_str());
        content.opt(write_in.as_deref(), Content::text);
    };
    match given {
        Given::Text(text) => {
            content.text("text");
            content.text(text);
        }
        Given::Number(number) => {
            content.text("number");
            content.number(*number);
        }
        Given::Option(given) => {
            content.text("option");
            option(content, given);
        }
        Given::Options(given) => {
            content.text("options");
            content.all(given, option);
        }
        Given::Typed(typed) => {
            content.text("typed");
            content.text(typed);
        }
        Given::Chosen(options, typed) => {
            content.text("chosen");
            content.all(options, |content, id| content.text(id.as_str()));
            content.opt(typed.as_deref(), Content::text);
        }
        Given::Skipped => content.text("skipped"),
    }
}

/// The questions that answers lead to, in order. It ends at the last question, or where an answer
/// leads to the end.
#[must_use]
pub fn path<'a>(
    publication: &'a Publication,
    answers: &BTreeMap<QuestionId, Answer>,
) -> Vec<&'a Question> {
    let questions = &publication.questions;
    let mut path = Vec::new();
    let mut position = 0;
    while let Some(question) = questions.get(position) {
        path.push(question);
        let chosen = answers.get(&question.id).map_or(&[][..], Answer::selected);
        let place = |selected: &Selected| match question.choice(&selected.option)?.go_to.as_ref()? {
            GoTo::Question(id) => questions.iter().position(|it| it.id == *id),
            GoTo::End => Some(questions.len()),
        };
        // A choice leads forward, whatever was imported.
        position = chosen.iter().filter_map(place).max().unwrap_or(0).max(position + 1);
    }
    path
}

/// What differs between the stored answers and those that the path reaches.
fn changes(
    publication: &Publication,
    stored: &[(QuestionId, Answer)],
    answers: &BTreeMap<QuestionId, Answer>,
    path: &[&Question],
) -> Taken {
    let mut taken = Taken::default();
    for question in &publication.questions {
        let before = stored.iter().find(|(id, _)| *id == question.id).map(|(_, answer)| answer);
        let is_reached = path.iter().any(|it| it.id == question.id);
        let after = answers.get(&question.id).filter(|_| is_reached);
        let id = question.id.clone();
        match (before, after) {
            (None, Some(after)) => taken.added.push((id, after.clone())),
            (Some(before), Some(after)) if before != after => {
                taken.replaced.push((id, after.clone()));
            }
            (Some(_), None) => taken.dropped.push(id),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    taken
}

impl Answer {
    /// What was chosen; nothing unless it answers a select question.
    #[must_use]
    pub fn selected(&self) -> &[Selected] {
        match self {
            Self::Text(_) | Self::Numeric(_) | Self::Skipped => &[],
            Self::SingleSelect(selected) => std::slice::from_ref(selected),
            Self::MultiSelect(selected) => selected,
        }
    }

    /// The answer as the history tells it; nothing for one that was left out.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Numeric(number) => Some(number_text(*number)),
            Self::SingleSelect(selected) => Some(selected.text.clone()),
            Self::MultiSelect(selected) => {
                let texts: Vec<_> = selected.iter().map(|it| it.text.as_str()).collect();
                Some(texts.join("; "))
            }
            Self::Skipped => None,
        }
    }

    /// Says why a participant cannot answer a question like this, although it is of its kind.
    pub fn check(&self, question: &Question) -> Result<(), String> {
        if *self == Self::Skipped && question.required {
            return Err(NEEDED.into());
        }
        let blank = |selected: &Selected| {
            selected.write_in.as_ref().is_some_and(|typed| typed.trim().is_empty())
        };
        if self.selected().iter().any(blank) {
            return Err("The option needs a text of the participant's own.".into());
        }
        match (self, &question.form) {
            (Self::Text(text), QuestionForm::Text(form)) => {
                check_typed(text, form, question.required)
            }
            (Self::Numeric(number), QuestionForm::Numeric(form)) => {
                let bounds = form.bounds;
                if !bounds.contains(*number) {
                    return Err(format!("The number is {bounds}."));
                }
                match form.step {
                    Some(step) if !on_step(*number, step, bounds.min) => {
                        let from = bounds.min.unwrap_or(0.0);
                        Err(format!("The number is {from} or a number of steps of {step} away."))
                    }
                    Some(_) | None => Ok(()),
                }
            }
            (Self::MultiSelect(selected), QuestionForm::MultiSelect(form)) => {
                let least = form.min_choices.unwrap_or(0).max(question.required.into());
                if selected.len() < least as usize {
                    return Err(format!("At least {least} of the options must be chosen."));
                }
                match form.max_choices {
                    Some(most) if selected.len() > most as usize => {
                        Err(format!("At most {most} of the options can be chosen."))
                    }
                    Some(_) | None => Ok(()),
                }
            }
            // The kind was held against the question before.
            _ => Ok(()),
        }
    }
}

fn check_typed(text: &str, form: &TextForm, is_required: bool) -> Result<(), String> {
    if is_required && text.trim().is_empty() {
        return Err(NEEDED.into());
    }
    if !form.multi_line && text.contains(['\n', '\r']) {
        return Err("The text has one line.".into());
    }
    let length = text.chars().count();
    if let Some(min) = form.min_length.filter(|min| length < *min as usize) {
        return Err(format!("The text has at least {min} characters."));
    }
    if let Some(max) = form.max_length.filter(|max| length > *max as usize) {
        return Err(format!("The text has at most {max} characters."));
    }
    match &form.pattern {
        Some(pattern) if !pattern.matches(text) => {
            Err(format!("The text matches the pattern {}", pattern.as_str()))
        }
        Some(_) | None => Ok(()),
    }
}
