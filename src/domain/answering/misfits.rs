//! Matching texts with the patterns of their questions, separate from all other validation.
//!
//! The time of a match grows with the pattern times the text: a tenth of a second for the largest
//! of both. Threads that others wait for therefore match only texts that are quick to match.

use std::collections::BTreeMap;

use crate::domain::answer::{Given, GivenAnswers, check_text};
use crate::domain::id::QuestionId;
use crate::domain::pattern::Pattern;
use crate::domain::publication::Publication;
use crate::domain::question::QuestionForm;

/// The cost of matching the texts of one submission on a thread that others wait for, as the sum of
/// [`Pattern::match_effort`]: half a millisecond at worst, at 0.1 ns each. A text of 1 KiB with a
/// compiled pattern of 4 KiB reaches it.
const QUICK_MAX_EFFORT: u64 = 4 << 20;

/// The texts of a submission that do not match the patterns of their questions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Misfits(BTreeMap<QuestionId, String>);

impl Misfits {
    /// Matches the texts among answers. Returns `None` if that may take long.
    #[must_use]
    pub fn find_quickly(publication: &Publication, answers: &GivenAnswers) -> Option<Self> {
        let efforts =
            texts(publication, answers).map(|(_, pattern, text)| pattern.match_effort(text));
        let effort = efforts.fold(0, u64::saturating_add);
        if effort > QUICK_MAX_EFFORT { None } else { Self::find(publication, answers, || true) }
    }

    /// Matches the texts among answers. Returns `None` once `is_wanted` returns false.
    #[must_use]
    pub fn find(
        publication: &Publication,
        answers: &GivenAnswers,
        is_wanted: impl Fn() -> bool,
    ) -> Option<Self> {
        let mut found = BTreeMap::new();
        for (id, pattern, text) in texts(publication, answers) {
            if !is_wanted() {
                return None;
            }
            if !pattern.matches(text) {
                let reason = format!("Must match the pattern {}", pattern.as_str());
                found.insert(id.clone(), reason);
            }
        }
        Some(Self(found))
    }

    /// Returns whether the text for a question does not match.
    #[must_use]
    pub fn contains(&self, question: &QuestionId) -> bool {
        self.0.contains_key(question)
    }

    /// Returns the questions whose texts do not match, each with the reason.
    pub(super) fn reasons(&self) -> impl Iterator<Item = (&QuestionId, &str)> {
        self.0.iter().map(|(id, reason)| (id, &**reason))
    }
}

/// Returns the texts that are valid except for their patterns, which are not tried here.
fn texts<'a>(
    publication: &'a Publication,
    answers: &'a GivenAnswers,
) -> impl Iterator<Item = (&'a QuestionId, &'a Pattern, &'a str)> {
    publication.questions.iter().filter_map(|question| {
        let QuestionForm::Text(form) = &question.form else { return None };
        let pattern = form.pattern.as_ref()?;
        let (Given::Text(text) | Given::Typed(text)) = answers.get(&question.id)? else {
            return None;
        };
        let fits = check_text(text).and_then(|()| form.check(text, question.required));
        fits.is_ok().then_some((&question.id, pattern, &**text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::{
        ANSWER_TEXT_MAX_BYTES, SESSION_ANSWERS_MAX_BYTES, SESSION_ANSWERS_TOO_LARGE,
    };
    use crate::domain::answering::{Submit, Unmatched};
    use crate::domain::error::{Violation, Violations};
    use crate::domain::id::{PageId, PublicationId, ScreenerId};
    use crate::domain::question::{Question, TextForm};

    const QUESTIONS: usize = SESSION_ANSWERS_MAX_BYTES / ANSWER_TEXT_MAX_BYTES + 1;

    fn id(number: usize) -> QuestionId {
        QuestionId::parse(&format!("q{number:03}")).expect("an id")
    }

    /// Returns a publication of text questions with one pattern, which is kept compiled.
    fn publication(pattern: &str) -> Publication {
        let publication = not_compiled(pattern);
        publication.keep_patterns().expect("they compile");
        publication
    }

    fn not_compiled(pattern: &str) -> Publication {
        let pattern = Some(Pattern::parse(pattern).expect("a pattern"));
        let question = |number| Question {
            id: id(number),
            page: PageId::parse("p").expect("an id"),
            prompt: "?".into(),
            required: true,
            form: QuestionForm::Text(TextForm { pattern: pattern.clone(), ..TextForm::default() }),
        };
        Publication {
            id: PublicationId::parse("scpub").expect("an id"),
            screener: ScreenerId::parse("scr").expect("an id"),
            tags: Vec::new(),
            questions: (0..QUESTIONS).map(question).collect(),
            published: None,
            wording: <_>::default(),
        }
    }

    fn submit(texts: impl IntoIterator<Item = String>) -> Submit {
        let answers = texts.into_iter().enumerate();
        let answers = answers.map(|(number, text)| (id(number), Given::Typed(text))).collect();
        Submit {
            answers,
            is_final: false,
            is_provisional: false,
            publication: None,
            idempotency_key: None,
            field: "answers",
        }
    }

    const SLOW: &str = "[ab]*a[ab]{50}[ab]*c";

    #[test]
    fn small_answers_are_matched_at_once() {
        let publication = publication("[A-Z]{2}[0-9]{2,4}");
        let mut violations = Violations::new();
        let submit = submit(["AB12".into(), "12".into(), "XY123".into(), "a\nb".into()]);
        let taken = submit.take(&publication, &[], None, &mut violations).expect("it is quick");
        assert_eq!(taken.added.len(), 2);
        let reasons = ["Must match the pattern [A-Z]{2}[0-9]{2,4}", "Must be a single line."];
        let expected = [("answers.q001", reasons[0]), ("answers.q003", reasons[1])];
        let expected = expected.map(|(field, reason)| Violation::new(field, reason));
        assert_eq!(violations.into_inner(), expected);
        let comments = (0..25).map(|_| "AB1234".to_owned());
        assert!(Misfits::find_quickly(&publication, &self::submit(comments).answers).is_some());
    }

    #[test]
    fn what_may_take_long_is_not_matched_by_the_way() {
        let (slow, uncompiled) = (publication(SLOW), not_compiled("a"));
        for (publication, text) in
            [(&slow, "a".repeat(ANSWER_TEXT_MAX_BYTES)), (&uncompiled, "b".into())]
        {
            let submit = submit([text]);
            let mut violations = Violations::new();
            let taken = submit.take(publication, &[], None, &mut violations);
            assert_eq!(taken, Err(Unmatched));
            assert_eq!(Misfits::find(publication, &submit.answers, || false), None);
            let misfits = Misfits::find(publication, &submit.answers, || true);
            let taken = submit.take(publication, &[], misfits.as_ref(), &mut violations);
            assert_eq!(taken.map(|taken| taken.added.len()), Ok(0));
            assert_eq!(violations.into_inner().len(), 1);
        }
        // Many short texts cost as much as a long one.
        let texts = (0..QUESTIONS).map(|_| "a".repeat(ANSWER_TEXT_MAX_BYTES / QUESTIONS * 2));
        assert_eq!(Misfits::find_quickly(&slow, &submit(texts).answers), None);
    }

    #[test]
    fn sizes_are_judged_before_any_pattern_is_tried() {
        let publication = publication(SLOW);
        let refused = |texts: Vec<String>, stored: &[_]| {
            let mut violations = Violations::new();
            let taken = submit(texts).take(&publication, stored, None, &mut violations);
            taken.expect("nothing was matched");
            violations.into_inner()
        };
        let long = || "a".repeat(ANSWER_TEXT_MAX_BYTES);
        let too_large =
            |id| vec![Violation::new(format!("answers.{id}"), SESSION_ANSWERS_TOO_LARGE)];
        assert_eq!(refused(vec![long(); QUESTIONS], &[]), too_large(id(QUESTIONS - 1)));
        let stored = |number| (id(number), crate::domain::answer::Answer::Text(long()));
        let stored: Vec<_> = (1..QUESTIONS).map(stored).collect();
        assert_eq!(refused(vec![long()], &stored), too_large(id(0)));
        let longer = "a".repeat(ANSWER_TEXT_MAX_BYTES + 1);
        assert_eq!(refused(vec![longer], &[]).len(), 1);
    }
}
