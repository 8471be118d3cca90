//! Tests of submissions as researchers read them.

use crate::domain::answer::Answer;
use crate::domain::question::{Choice, GoTo, NumericForm, QuestionForm, Range, Rule};
use std::sync::Arc;

use super::with_text;
use super::{choice, multi, numeric, publication, question, question_id, selected, single, text};
use crate::domain::error::Kind;
use crate::domain::id::{
    AssignmentId, ParticipantId, ProjectId, PublicationId, QuestionId, ScreenerId, SessionId,
};
use crate::domain::participant::{IdVerification, Participant};
use crate::domain::project::Project;
use crate::domain::publication::Publication;
use crate::domain::review::Review;
use crate::domain::session::{Progress, Session, SessionStatus};
use crate::domain::submission::{Explanation, LineAnswer, NewSubmission, Submission};
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Outcome, Verdict};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn session(progress: Progress) -> Session {
    Session {
        id: SessionId::parse("s").expect("an id"),
        screener: ScreenerId::parse("r").expect("an id"),
        assignment: AssignmentId::parse("a").expect("an id"),
        publication: PublicationId::parse("u").expect("an id"),
        slug: "g".into(),
        link_trusted: true,
        status: SessionStatus::Active,
        progress,
        created: at(0),
        tags: [].into(),
    }
}

fn participant(id_verification: IdVerification) -> Participant {
    let id = ParticipantId::parse("p").expect("an id");
    Participant { id, external_uid: None, name: None, email: None, id_verification }
}

/// A text, a number that must be 5 or more, and options of both kinds.
fn asked() -> Publication {
    let qualifies = Some(Range { min: Some(5.0), max: None });
    let form = NumericForm { qualifies, ..NumericForm::default() };
    let far = |id| Choice {
        go_to: Some(GoTo::Question(question_id("m"))),
        ..choice(id, Rule::Qualifies)
    };
    let end = Choice { go_to: Some(GoTo::End), ..choice("no", Rule::Disqualifies) };
    publication(vec![
        text("t"),
        question("n", QuestionForm::Numeric(form)),
        single("o", vec![far("yes"), end, with_text("other")]),
        multi(
            "m",
            vec![
                choice("must", Rule::Required),
                choice("no", Rule::Disqualifies),
                choice("may", Rule::Neutral),
            ],
        ),
        numeric("free"),
    ])
}

fn submission(
    progress: Progress,
    review: Review,
    id_verification: IdVerification,
    answers: Vec<(&str, Answer)>,
    stored: Option<Verdict>,
) -> Result<Submission, Kind> {
    let project = Project {
        id: ProjectId::parse("j").expect("an id"),
        name: "J".into(),
        incentive: 5.0,
        organization: "o".into(),
        team: "t".into(),
    };
    let answers: Vec<(QuestionId, Answer)> =
        answers.into_iter().map(|(id, answer)| (question_id(id), answer)).collect();
    let person = participant(id_verification);
    Submission::new(session(progress), review, project, person, Arc::new(asked()), answers, stored)
        .map_err(|error| error.kind())
}

fn begun(answers: Vec<(&str, Answer)>) -> Submission {
    let progress = Progress::InProgress { started: at(10), last_active: at(25) };
    let made = submission(progress, Review::default(), IdVerification::None, answers, None);
    made.expect("every question was asked")
}

#[test]
fn answers_stand_in_question_order_and_only_to_questions_that_were_asked() {
    let made = begun(vec![
        ("n", Answer::Numeric(4.0)),
        ("free", Answer::Skipped),
        ("t", Answer::Text("a".into())),
    ]);
    let lines = made.lines();
    let found: Vec<_> =
        lines.iter().map(|line| (line.question.id.as_str(), line.order, line.qualify)).collect();
    assert_eq!(found, [("t", 1, true), ("n", 2, false), ("free", 5, true)]);
    let progress = Progress::NotStarted;
    let stray = vec![("nothing", Answer::Skipped)];
    let made = submission(progress, Review::default(), IdVerification::None, stray, None);
    assert_eq!(made.map(drop), Err(Kind::Internal));
}

#[test]
fn each_answer_is_told_in_the_review_dialects_words() {
    let told = |id: &str, answer: Answer| {
        let made = begun(vec![(id, answer)]);
        let mut lines = made.lines();
        lines.remove(0).answers
    };
    let plain = |id: &str, text: &str, value| LineAnswer {
        id: id.into(),
        text: text.into(),
        value,
        go_to: None,
        is_other: false,
        other: None,
    };
    assert_eq!(told("t", Answer::Text("a".into())), [plain("t", "a", 1)]);
    assert_eq!(told("n", Answer::Numeric(5.0)), [plain("n", "5", 1)]);
    assert_eq!(told("n", Answer::Numeric(4.5)), [plain("n", "4.5", 2)]);
    assert_eq!(told("t", Answer::Skipped), []);
    let one = |id: &str, typed: Option<&str>| told("o", Answer::SingleSelect(selected(id, typed)));
    let leads = LineAnswer { go_to: Some("m".into()), ..plain("yes", "Option yes", 1) };
    assert_eq!(one("yes", None), [leads]);
    // The dialect cannot express the end as a target.
    assert_eq!(one("no", None), [plain("no", "Option no", 2)]);
    let other = LineAnswer {
        is_other: true,
        other: Some("mine".into()),
        ..plain("other", "Option other", 1)
    };
    assert_eq!(one("other", Some("mine")), [other]);
    assert_eq!(one("gone", None), [plain("gone", "Option gone", 1)], "as it was read");
    let all = Answer::MultiSelect(["must", "no", "may"].map(|id| selected(id, None)).to_vec());
    let expected = [
        plain("must", "Option must", 2),
        plain("no", "Option no", 3),
        plain("may", "Option may", 1),
    ];
    assert_eq!(told("m", all), expected);
}

#[test]
fn its_time_runs_from_the_first_submission_to_the_last() {
    for (progress, seconds, created) in [
        (Progress::NotStarted, 0, None),
        (Progress::InProgress { started: at(10), last_active: at(25) }, 15, Some(at(10))),
        (Progress::Completed { started: at(10), completed: at(40) }, 30, Some(at(40))),
    ] {
        let made = submission(progress, Review::default(), IdVerification::None, vec![], None);
        let made = made.expect("there is no answer");
        assert_eq!((made.total_seconds(), made.session.submitted()), (seconds, created));
    }
}

#[test]
fn a_participant_qualifies_by_word_by_answers_or_by_identity() {
    let disqualified = Outcome::DisqualifiedByAnswer(question_id("n"));
    for (word, number, identity, outcome) in [
        (None, 5.0, IdVerification::None, Outcome::Qualified),
        (None, 5.0, IdVerification::Pending, Outcome::PendingIdVerification),
        (None, 5.0, IdVerification::Failed, Outcome::DisqualifiedByIdVerification),
        (None, 4.0, IdVerification::Passed, disqualified),
        (Some(true), 4.0, IdVerification::Failed, Outcome::Qualified),
        (Some(false), 5.0, IdVerification::Passed, Outcome::DisqualifiedByResearcher),
    ] {
        let review = Review { qualified_override: word, ..Review::default() };
        let answers = vec![("n", Answer::Numeric(number))];
        let progress = Progress::InProgress { started: at(10), last_active: at(25) };
        let made = submission(progress, review.clone(), identity, answers, None).expect("asked");
        assert_eq!(made.outcome(), outcome);
        assert_eq!(made.qualified(), outcome == Outcome::Qualified);
        let (session, project) = (session(progress), ProjectId::parse("j").expect("an id"));
        let new = NewSubmission {
            session: &session,
            project: &project,
            id_verification: identity,
            review: &review,
            verdict: &made.verdict,
        };
        assert_eq!(new.outcome(), outcome, "the same when it is added");
    }
}

#[test]
fn a_stored_verdict_counts_and_is_explained_by_what_comes_out_now() {
    let answers = || vec![("n", Answer::Numeric(4.0)), ("t", Answer::Text("a".into()))];
    let computed = begun(answers());
    assert!(!computed.is_verdict_stored && !computed.verdict.questions_qualified);
    assert_eq!(computed.recomputed_verdict(), computed.verdict);
    let explained = Explanation::of(computed.clone());
    assert_eq!((explained.stored(), &explained.recomputed), (None, &computed.verdict));
    // The rules were different when the verdict was stored.
    let before = begun(vec![("n", Answer::Numeric(5.0))]).verdict;
    let progress = Progress::InProgress { started: at(10), last_active: at(25) };
    let (review, stored) = (Review::default(), Some(before.clone()));
    let made = submission(progress, review, IdVerification::None, answers(), stored);
    let made = made.expect("every question was asked");
    assert_eq!((&made.verdict, made.qualified()), (&before, true));
    let explained = Explanation::of(made);
    assert_eq!((explained.stored(), &explained.recomputed), (Some(&before), &computed.verdict));
}
