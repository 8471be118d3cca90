//! Answering: validating a submission against the questionnaire and the stored answers.
//!
//! The server alone determines the path of questions. An answer leads to the next question or to
//! the target of its choice; an unanswered question leads to the next. An answer to a question off
//! the path is refused. If an answer changes the path, stored answers off the new path are dropped,
//! so the stored answers always belong to one path. A submission is accepted as a whole or not at
//! all, and every violation is reported.

mod misfits;
mod sheet;

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{
    Answer, Given, GivenAnswers, NEEDED, SESSION_ANSWERS_MAX_BYTES, SESSION_ANSWERS_TOO_LARGE,
    Selected,
};
use super::content_hash::Content;
use super::error::Violations;
use super::id::{PublicationId, QuestionId};
use super::publication::{Publication, QUESTIONS_MAX};
use super::question::{GoTo, Question};
use super::recorded::FieldChange;
use super::response::{EarlierAnswer, EarlierReason};

pub use misfits::Misfits;
pub use sheet::{Receipt, Sheet};

/// The error for texts that may take long to match and whose [`Misfits`] are not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unmatched;

/// The content of one submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Submit {
    /// The answers, each to one question.
    pub answers: GivenAnswers,
    /// Whether this is the last submission.
    pub is_final: bool,
    /// Whether the page saves the answers automatically, before the participant submits it.
    pub is_provisional: bool,
    /// The publication that the participant saw, if the caller sent it.
    pub publication: Option<PublicationId>,
    /// The key that makes retries idempotent.
    pub idempotency_key: Option<String>,
    /// The field that contains the answers, as the caller's dialect names it.
    pub field: &'static str,
}

/// Returns the changes of a submission's answers for the audit log: the questions, never a value.
#[must_use]
pub fn answer_changes(taken: &Taken) -> Vec<FieldChange> {
    let Taken { added, replaced, dropped } = taken;
    let given = added.iter().chain(replaced).map(|(id, _)| id);
    let named = |question| FieldChange::redacted(format!("answers.{question}"));
    given.chain(dropped).map(named).collect()
}

/// Returns the stored answers that a submission replaces or drops, except those to the
/// `provisional` questions: the page saved them automatically, and they leave no history.
#[must_use]
pub fn earlier_answers(
    taken: &Taken,
    stored: &[(QuestionId, Answer)],
    provisional: &BTreeSet<QuestionId>,
) -> Vec<EarlierAnswer> {
    let Taken { added: _, replaced, dropped } = taken;
    let replaced = replaced.iter().map(|(id, _)| (id, EarlierReason::Replaced));
    let taken_away = replaced.chain(dropped.iter().map(|id| (id, EarlierReason::Dropped)));
    let earlier = |(question, reason): (&QuestionId, EarlierReason)| {
        let (_, answer) = stored.iter().find(|(id, _)| id == question)?;
        (!provisional.contains(question)).then(|| (question.clone(), answer.clone(), reason))
    };
    taken_away.filter_map(earlier).collect()
}

/// The effect of a submission on the stored answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// Answers to unanswered questions, in question order. A final submission also adds the
    /// questions that were left out.
    pub added: Vec<(QuestionId, Answer)>,
    /// Answers that replace others, in question order.
    pub replaced: Vec<(QuestionId, Answer)>,
    /// Questions whose answers are no longer on the path, in question order.
    pub dropped: Vec<QuestionId>,
}

impl Submit {
    /// Returns whether it has no effect.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty() && !self.is_final
    }

    /// Returns a digest of the request. A retry has the same digest, with a key and with a link.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let Self {
            answers,
            is_final,
            is_provisional: _,
            publication,
            idempotency_key: _,
            field: _,
        } = self;
        let mut content = Content::default();
        content.flag(*is_final);
        content.opt(publication.as_ref(), |content, id| content.text(id.as_str()));
        let answers: Vec<_> = answers.iter().collect();
        content.all(&answers, |content, (question, given)| {
            content.text(question.as_str());
            given.digest(content);
        });
        content.digest()
    }

    /// Validates the submission against the questionnaire and the stored answers, and reports all
    /// violations.
    ///
    /// Sizes are checked first: no text is matched with a pattern if the answers are too large.
    /// Without `misfits` of this submission and this publication, only texts that are quick to
    /// match are matched.
    pub fn take(
        &self,
        publication: &Publication,
        stored: &[(QuestionId, Answer)],
        misfits: Option<&Misfits>,
        violations: &mut Violations,
    ) -> Result<Taken, Unmatched> {
        let Self { answers: given, is_final, field, .. } = self;
        let at = |question: &QuestionId| format!("{field}.{question}");
        if self.is_empty() {
            violations
                .add(*field, "At least one answer is required, unless the submission is final.");
        }
        let mut answers: BTreeMap<QuestionId, Answer> = stored.iter().cloned().collect();
        let mut judged = judge(publication, given, &mut answers);
        let mut fresh: Vec<_> =
            judged.iter().filter(|(_, it)| it.is_ok()).map(|(id, _)| (*id).clone()).collect();
        // Text answers do not affect the path, so misfits cannot change it.
        let path = path(publication, &answers);
        let too_much = too_much(&answers, &path, &fresh).map(&at);
        if too_much.is_none() {
            let found = misfits.is_none().then(|| Misfits::find_quickly(publication, given));
            let found = found.map(|found| found.ok_or(Unmatched)).transpose()?;
            for (id, reason) in misfits.or(found.as_ref()).into_iter().flat_map(Misfits::reasons) {
                let place = judged.iter_mut().find(|(it, judged)| *it == id && judged.is_ok());
                let Some((_, judged)) = place else { continue };
                *judged = Err(reason.to_owned());
                fresh.retain(|it| it != id);
                answers.remove(id);
                answers.extend(stored.iter().find(|(it, _)| it == id).cloned());
            }
        }
        let mut refused = BTreeSet::new();
        for (id, judged) in judged {
            if violations.keep(&at(id), judged).is_none() {
                refused.insert(id);
            }
        }
        for id in fresh.iter().filter(|id| !path.iter().any(|question| question.id == **id)) {
            violations.add(at(id), "The answers do not lead to this question.");
        }
        if *is_final {
            for question in &path {
                if answers.contains_key(&question.id) {
                    continue;
                }
                // An invalid answer has been reported above.
                if question.required && !refused.contains(&question.id) {
                    violations.add(at(&question.id), NEEDED);
                }
                answers.insert(question.id.clone(), Answer::Skipped);
            }
        }
        if let Some(field) = too_much {
            violations.add(field, SESSION_ANSWERS_TOO_LARGE);
        }
        Ok(changes(publication, stored, &answers, &path))
    }
}

/// Parses the answers of a request's `field` by question.
pub fn given_answers<V>(
    field: &str,
    values: impl IntoIterator<Item = (String, V), IntoIter: ExactSizeIterator>,
    given: impl Fn(V) -> Result<Given, String>,
    violations: &mut Violations,
) -> GivenAnswers {
    let values = values.into_iter();
    let mut answers = GivenAnswers::new();
    if values.len() > QUESTIONS_MAX {
        violations.add(field, format!("At most {QUESTIONS_MAX} answers."));
        return answers;
    }
    // Sorted, so that equal requests get equal errors.
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for (id, value) in values {
        let field = format!("{field}.{id}");
        let id = violations.keep(&field, QuestionId::parse(&id));
        let given = given(value).map(Given::with_plain_line_ends);
        let given = violations.keep(&field, given);
        answers.extend(id.zip(given));
    }
    answers
}

/// Validates each answer against its question, except for patterns, and adds the valid ones.
fn judge<'a>(
    publication: &Publication,
    given: &'a GivenAnswers,
    answers: &mut BTreeMap<QuestionId, Answer>,
) -> Vec<(&'a QuestionId, Result<(), String>)> {
    let mut judge = |id: &QuestionId, given: &Given| {
        let question = publication.question(id).ok_or("Unknown question.")?;
        if *given == Given::Withdrawn {
            answers.remove(id);
            return Ok(());
        }
        let answer = question.accept(given.clone())?;
        question.check(&answer)?;
        answers.insert(id.clone(), answer);
        Ok(())
    };
    given.iter().map(|(id, given)| (id, judge(id, given))).collect()
}

/// Returns the first fresh answer, in question order, with which the answers on the path become too
/// large. Stored answers that exceed the limit are not reported.
fn too_much<'a>(
    answers: &BTreeMap<QuestionId, Answer>,
    path: &[&Question],
    fresh: &'a [QuestionId],
) -> Option<&'a QuestionId> {
    let bytes_of = |id: &QuestionId| answers.get(id).map_or(0, Answer::content_bytes);
    let is_old = |question: &&&Question| !fresh.contains(&question.id);
    let mut total: usize = path.iter().filter(is_old).map(|it| bytes_of(&it.id)).sum();
    let fresh_on_path =
        path.iter().filter_map(|question| fresh.iter().find(|id| **id == question.id));
    fresh_on_path.into_iter().find(|id| {
        total += bytes_of(id);
        total > SESSION_ANSWERS_MAX_BYTES
    })
}

/// Returns the path: the questions that answers lead to, in order. It ends at the last question, or
/// where an answer leads to the end.
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
        // Always advances, even if an imported choice leads backward.
        position = chosen.iter().filter_map(place).max().unwrap_or(0).max(position + 1);
    }
    path
}

/// Returns the differences between the stored answers and those on the path.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::Violation;
    use crate::domain::id::{OptionId, PageId, ScreenerId};
    use crate::domain::question::{Choice, MultiSelectForm, QuestionForm, Rule, TextForm};

    fn question_id(id: &str) -> QuestionId {
        QuestionId::parse(id).expect("an id")
    }

    /// Questions `a` to `e`. The multi select `b` has options that lead to `d`, `e` and the end.
    fn publication() -> Publication {
        let text = |id: &str| Question {
            id: question_id(id),
            page: PageId::parse("p").expect("an id"),
            prompt: "?".into(),
            required: id == "a",
            form: QuestionForm::Text(TextForm::default()),
        };
        let choice = |id: &str, go_to| Choice {
            id: OptionId::parse(id).expect("an id"),
            text: id.into(),
            rule: Rule::Neutral,
            write_in: false,
            go_to,
        };
        let to = |id: &str| Some(GoTo::Question(question_id(id)));
        let choices = vec![
            choice("on", None),
            choice("to_d", to("d")),
            choice("to_e", to("e")),
            choice("end", Some(GoTo::End)),
        ];
        let form = MultiSelectForm { choices, ..MultiSelectForm::default() };
        let jumps = Question { form: QuestionForm::MultiSelect(form), ..text("b") };
        Publication {
            id: PublicationId::parse("scpub").expect("an id"),
            screener: ScreenerId::parse("scr").expect("an id"),
            tags: Vec::new(),
            questions: vec![text("a"), jumps, text("c"), text("d"), text("e")],
            published: None,
            wording: <_>::default(),
        }
    }

    fn submit(answers: &[(&str, &str)], is_final: bool) -> Submit {
        let given = |(id, text): &(&str, &str)| {
            let options = text.split_whitespace().map(|id| OptionId::parse(id).expect("an id"));
            let given = match *id {
                "b" => Given::Chosen(options.collect(), None),
                _ => Given::Typed((*text).into()),
            };
            (question_id(id), given)
        };
        let answers = answers.iter().map(given).collect();
        Submit {
            answers,
            is_final,
            is_provisional: false,
            publication: None,
            idempotency_key: None,
            field: "answers",
        }
    }

    fn ids(answers: &[(QuestionId, Answer)]) -> Vec<&str> {
        answers.iter().map(|(id, _)| id.as_str()).collect()
    }

    fn stored(answers: &[(&str, &str)]) -> Vec<(QuestionId, Answer)> {
        let mut violations = Violations::new();
        let taken = submit(answers, false).take(&publication(), &[], None, &mut violations);
        violations.finish().expect("they are answers");
        taken.expect("nothing to match").added
    }

    #[test]
    fn of_several_choices_the_one_that_leads_furthest_counts() {
        for (chosen, expected) in [
            ("", &["a", "b", "c", "d", "e"][..]),
            ("on", &["a", "b", "c", "d", "e"]),
            ("on to_d", &["a", "b", "d", "e"]),
            ("to_e to_d", &["a", "b", "e"]),
            ("to_d end on", &["a", "b"]),
        ] {
            let answers = stored(&[("b", chosen)]).into_iter().collect();
            let publication = publication();
            let path: Vec<_> =
                path(&publication, &answers).iter().map(|it| it.id.as_str()).collect();
            assert_eq!(path, expected, "{chosen}");
        }
    }

    #[test]
    fn what_the_path_no_longer_reaches_is_dropped_and_what_it_reaches_again_can_be_answered() {
        let before = stored(&[("a", "1"), ("c", "3"), ("d", "4"), ("e", "5")]);
        let mut violations = Violations::new();
        let submit = submit(&[("b", "to_e"), ("a", "9")], false);
        let taken = submit.take(&publication(), &before, None, &mut violations);
        let taken = taken.expect("nothing to match");
        violations.finish().expect("it is taken");
        assert_eq!((ids(&taken.added), ids(&taken.replaced)), (vec!["b"], vec!["a"]));
        assert_eq!(taken.dropped, [question_id("c"), question_id("d")]);
        let named = ["answers.b", "answers.a", "answers.c", "answers.d"];
        assert_eq!(answer_changes(&taken), named.map(|name| FieldChange::redacted(name.into())));
        let [(a, one), (c, three), (d, four), _] = &before[..] else { panic!("four answers") };
        let (replaced, dropped) = (EarlierReason::Replaced, EarlierReason::Dropped);
        let earlier = |provisional: &[&str]| {
            let provisional = provisional.iter().map(|id| question_id(id)).collect();
            earlier_answers(&taken, &before, &provisional)
        };
        let [a, c, d] = [(a, one, replaced), (c, three, dropped), (d, four, dropped)]
            .map(|(id, answer, reason)| (id.clone(), answer.clone(), reason));
        assert_eq!(earlier(&[]), [a.clone(), c, d.clone()]);
        assert_eq!(earlier(&["b", "c", "e"]), [a, d.clone()]);
        assert_eq!(earlier(&["a", "c"]), [d]);
    }

    #[test]
    fn the_last_submission_records_what_was_left_out_and_names_what_must_not_be() {
        let mut violations = Violations::new();
        let submit = submit(&[("b", "to_d"), ("e", "5")], true);
        let taken = submit.take(&publication(), &[], None, &mut violations);
        let taken = taken.expect("nothing to match");
        let expected = Violation::new("answers.a", NEEDED);
        assert_eq!(violations.into_inner(), [expected]);
        let skipped: Vec<_> =
            taken.added.iter().filter(|(_, answer)| *answer == Answer::Skipped).collect();
        assert_eq!(
            skipped,
            [&(question_id("a"), Answer::Skipped), &(question_id("d"), Answer::Skipped)]
        );
    }

    #[test]
    fn a_wrong_answer_to_a_required_question_is_named_once() {
        let skipped = (question_id("a"), Given::Skipped);
        let nul = (question_id("a"), Given::Typed("\0".into()));
        for ((id, given), reason) in
            [(skipped, NEEDED), (nul, "Must not contain the character U+0000.")]
        {
            let mut last = submit(&[("e", "5")], true);
            last.answers.insert(id, given);
            let mut violations = Violations::new();
            last.take(&publication(), &[], None, &mut violations).expect("nothing to match");
            assert_eq!(violations.into_inner(), [Violation::new("answers.a", reason)]);
        }
    }

    #[test]
    fn a_digest_knows_every_part_of_a_submission() {
        let first = submit(&[("a", "1")], false);
        let parts = [
            submit(&[("a", "2")], false),
            submit(&[("a", "1")], true),
            submit(&[("c", "1")], false),
            submit(&[("a", "1"), ("c", "")], false),
            submit(&[("b", "on")], false),
            submit(&[("b", "")], false),
            Submit { publication: PublicationId::parse("x").ok(), ..first.clone() },
        ];
        assert_eq!(first.digest(), first.clone().digest());
        for other in parts {
            assert_ne!(first.digest(), other.digest(), "{other:?}");
        }
    }
}
