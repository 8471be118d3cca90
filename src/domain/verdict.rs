//! The verdict: the result of applying the rules of a publication to the answers of a session.
//!
//! One function computes it from the publication and the answers. It is stored with the digest of
//! the publication, so recomputing it at any time must give an equal verdict. The state of the id
//! verification and a researcher's decision are not part of the verdict; together with it, they
//! determine the [`Outcome`].

use std::collections::BTreeMap;

use super::answer::{Answer, Score, Value};
use super::content_hash::ContentHash;
use super::id::QuestionId;
use super::participant::IdVerification;
use super::publication::Publication;
use super::question::number_text;

/// The result of a questionnaire's rules for some answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// The digest of the publication that was applied.
    pub publication_hash: ContentHash,
    /// The percentage of scored answers that qualify, rounded half up; 100 if none is scored.
    pub percentage: u32,
    /// Whether no answer disqualifies.
    pub questions_qualified: bool,
    /// The first question whose answer disqualifies.
    pub first_disqualifying: Option<QuestionId>,
    /// A line for each answered question that has a rule, in the order of the questions.
    pub trace: Vec<TraceLine>,
}

/// The score of one answer with its reason. Never contains a typed text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TraceLine {
    /// The question.
    pub question: QuestionId,
    /// A stable description of its rule.
    pub rule: String,
    /// The ids of the chosen options, or the number. Absent if the question was skipped.
    pub value: Option<String>,
    /// The score of the answer.
    pub score: Score,
}

impl Verdict {
    /// Computes the verdict of a publication and answers in any order.
    #[must_use]
    pub fn of<'a>(
        publication: &Publication,
        answers: impl IntoIterator<Item = (&'a QuestionId, &'a Answer)>,
    ) -> Self {
        Self::with_hash(publication, publication.content_hash(), answers)
    }

    /// Computes the verdict with a known digest, for callers that apply a publication many times.
    #[must_use]
    pub fn with_hash<'a>(
        publication: &Publication,
        publication_hash: ContentHash,
        answers: impl IntoIterator<Item = (&'a QuestionId, &'a Answer)>,
    ) -> Self {
        let answers: BTreeMap<_, _> = answers.into_iter().collect();
        let mut trace = Vec::new();
        for question in &publication.questions {
            let Some(answer) = answers.get(&question.id) else { continue };
            let Some(rule) = question.rule() else { continue };
            let (value, score) = (value(answer), question.score(answer));
            trace.push(TraceLine { question: question.id.clone(), rule, value, score });
        }
        let count = |score| trace.iter().filter(|line: &&TraceLine| line.score == score).count();
        let qualifying = count(Score::Qualifies);
        let scored = qualifying + count(Score::Disqualifies);
        let first = trace.iter().find(|line| line.score == Score::Disqualifies);
        let first_disqualifying = first.map(|line| line.question.clone());
        Self {
            publication_hash,
            percentage: percentage(qualifying, scored),
            questions_qualified: first_disqualifying.is_none(),
            first_disqualifying,
            trace,
        }
    }
}

/// Returns a share in percent, rounded half up.
fn percentage(qualifying: usize, scored: usize) -> u32 {
    if scored == 0 {
        return 100;
    }
    u32::try_from((200 * qualifying + scored) / (2 * scored)).unwrap_or(100)
}

/// Returns the value of an answer, except typed texts.
fn value(answer: &Answer) -> Option<String> {
    match answer.value() {
        Value::Number(number) => Some(number_text(number)),
        Value::Options(selected) => {
            let ids: Vec<_> = selected.iter().map(|it| it.option.as_str()).collect();
            Some(ids.join(", "))
        }
        Value::Text(_) | Value::Nothing => None,
    }
}

/// Whether a participant qualifies, and the reason if not. Exactly one applies to each submission.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// The participant qualifies.
    Qualified,
    /// The answers qualify, and the id verification is in progress.
    PendingIdVerification,
    /// An answer disqualifies. This is the first one.
    DisqualifiedByAnswer(QuestionId),
    /// The answers qualify, but the id verification failed.
    DisqualifiedByIdVerification,
    /// A researcher disqualified the participant.
    DisqualifiedByResearcher,
}

impl Outcome {
    /// Determines the outcome: by a researcher's decision, else the answers, else the identity.
    #[must_use]
    pub fn of(
        manual: Option<bool>,
        first_disqualifying: Option<&QuestionId>,
        id_verification: IdVerification,
    ) -> Self {
        match (manual, first_disqualifying, id_verification) {
            (Some(true), _, _) | (None, None, IdVerification::None | IdVerification::Passed) => {
                Self::Qualified
            }
            (Some(false), _, _) => Self::DisqualifiedByResearcher,
            (None, Some(question), _) => Self::DisqualifiedByAnswer(question.clone()),
            (None, None, IdVerification::Pending) => Self::PendingIdVerification,
            (None, None, IdVerification::Failed) => Self::DisqualifiedByIdVerification,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::Selected;
    use crate::domain::id::{OptionId, PageId, PublicationId, ScreenerId};
    use crate::domain::question::{
        Choice, MultiSelectForm, NumericForm, Question, QuestionForm, Range, Rule, TextForm,
    };

    fn choices(rules: &[(&str, Rule)]) -> Vec<Choice> {
        let choice = |(id, rule): &(&str, Rule)| Choice {
            id: OptionId::parse(id).expect("an id"),
            text: format!("The text of {id}"),
            rule: *rule,
            write_in: true,
            go_to: None,
        };
        rules.iter().map(choice).collect()
    }

    fn id(text: &str) -> QuestionId {
        QuestionId::parse(text).expect("an id")
    }

    /// Questions of these forms, with the ids 0, 1 and so on.
    fn publication(forms: Vec<QuestionForm>) -> Publication {
        let question = |(number, form): (usize, QuestionForm)| Question {
            id: id(&number.to_string()),
            page: PageId::parse("page").expect("an id"),
            prompt: "Which?".into(),
            required: false,
            form,
        };
        Publication {
            id: PublicationId::parse("pub").expect("an id"),
            screener: ScreenerId::parse("scr").expect("an id"),
            tags: Vec::new(),
            questions: forms.into_iter().enumerate().map(question).collect(),
            published: None,
            wording: <_>::default(),
        }
    }

    fn numeric(min: Option<f64>, max: Option<f64>) -> QuestionForm {
        let qualifies = Some(Range { min, max });
        QuestionForm::Numeric(NumericForm { qualifies, ..NumericForm::default() })
    }

    fn multi(rules: &[(&str, Rule)]) -> QuestionForm {
        let choices = choices(rules);
        QuestionForm::MultiSelect(MultiSelectForm { choices, ..MultiSelectForm::default() })
    }

    fn chosen(option: &str) -> Selected {
        Selected {
            option: OptionId::parse(option).expect("an id"),
            text: "Other: a secret".into(),
            write_in: Some("a secret".into()),
        }
    }

    fn line(question: &str, rule: &str, value: Option<&str>, score: Score) -> TraceLine {
        let (rule, value) = (rule.to_owned(), value.map(str::to_owned));
        TraceLine { question: id(question), rule, value, score }
    }

    #[test]
    fn the_percentage_is_of_the_answers_that_decide_something() {
        let publication = publication(vec![numeric(Some(5.0), None); 4]);
        for (numbers, percentage) in
            [(&[6.0, 6.0, 1.0][..], 67), (&[6.0, 1.0], 50), (&[1.0, 1.0], 0), (&[], 100)]
        {
            let answers: Vec<_> = (0..)
                .zip(numbers)
                .map(|(question, number)| (id(&format!("{question}")), Answer::Numeric(*number)))
                .collect();
            let answers = answers.iter().map(|(question, answer)| (question, answer));
            assert_eq!(Verdict::of(&publication, answers).percentage, percentage, "{numbers:?}");
        }
    }

    #[test]
    fn each_answer_to_a_question_with_a_rule_is_a_line_in_question_order() {
        let publication = publication(vec![
            numeric(Some(5.0), Some(10.5)),
            QuestionForm::Text(TextForm::default()),
            QuestionForm::SingleSelect(choices(&[
                ("a", Rule::Qualifies),
                ("b", Rule::Qualifies),
                ("c", Rule::Disqualifies),
                ("d", Rule::Neutral),
            ])),
            multi(&[("x", Rule::Required), ("y", Rule::Disqualifies), ("z", Rule::Neutral)]),
            multi(&[("x", Rule::Neutral)]),
            numeric(Some(5.0), None),
            numeric(None, Some(-0.5)),
            numeric(None, Some(1.0)),
        ]);
        let answers = [
            (id("6"), Answer::Skipped),
            (id("5"), Answer::Numeric(4.5)),
            (id("4"), Answer::MultiSelect(vec![chosen("x")])),
            (id("3"), Answer::MultiSelect(vec![chosen("z"), chosen("x")])),
            (id("2"), Answer::SingleSelect(chosen("c"))),
            (id("1"), Answer::Text("a secret".into())),
            (id("0"), Answer::Numeric(7.0)),
        ];
        let verdict = Verdict::of(&publication, answers.iter().map(|(id, it)| (id, it)));
        assert_eq!(
            verdict.trace,
            [
                line("0", "5 to 10.5", Some("7"), Score::Qualifies),
                line("2", "qualifies a, b; disqualifies c", Some("c"), Score::Disqualifies),
                line("3", "requires x; disqualifies y", Some("z, x"), Score::Qualifies),
                line("5", "at least 5", Some("4.5"), Score::Disqualifies),
                line("6", "at most -0.5", None, Score::None),
            ]
        );
        assert_eq!((verdict.percentage, verdict.questions_qualified), (50, false));
        assert_eq!(verdict.first_disqualifying, Some(id("2")));
        assert_eq!(verdict.publication_hash, publication.content_hash());
        assert!(!format!("{verdict:?}").contains("secret"));
    }

    #[test]
    fn without_a_scored_answer_everything_qualifies() {
        let publication = publication(vec![numeric(Some(5.0), None)]);
        for answers in [vec![], vec![(id("0"), Answer::Skipped)]] {
            let verdict = Verdict::of(&publication, answers.iter().map(|(id, it)| (id, it)));
            assert_eq!((verdict.percentage, verdict.questions_qualified), (100, true));
            assert_eq!(verdict.trace.len(), answers.len());
        }
    }

    #[test]
    fn a_share_is_rounded_half_up() {
        let shares = [(0, 3), (1, 3), (2, 3), (1, 8), (3, 8), (3, 3)];
        let rounded = shares.map(|(qualifying, scored)| percentage(qualifying, scored));
        assert_eq!(rounded, [0, 33, 67, 13, 38, 100]);
    }

    #[test]
    fn a_researchers_word_counts_before_the_answers_and_they_before_the_identity() {
        use IdVerification::{Failed, None as Unasked, Passed, Pending};
        let question = id("2");
        let by_answer = Outcome::DisqualifiedByAnswer(question.clone());
        for state in IdVerification::ALL {
            for first in [None, Some(&question)] {
                assert_eq!(Outcome::of(Some(true), first, *state), Outcome::Qualified);
                let outcome = Outcome::of(Some(false), first, *state);
                assert_eq!(outcome, Outcome::DisqualifiedByResearcher);
            }
            assert_eq!(Outcome::of(None, Some(&question), *state), by_answer);
        }
        for (state, outcome) in [
            (Unasked, Outcome::Qualified),
            (Passed, Outcome::Qualified),
            (Pending, Outcome::PendingIdVerification),
            (Failed, Outcome::DisqualifiedByIdVerification),
        ] {
            assert_eq!(Outcome::of(None, None, state), outcome);
        }
    }
}
