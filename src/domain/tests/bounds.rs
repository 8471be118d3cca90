//! Tests of the size bounds of rows and cached questionnaires. With a bound that is too low, a page
//! or the cache could exceed its limit.

use crate::domain::answer::Answer;
use crate::domain::question::{Choice, GoTo, Question, QuestionForm, QuestionKind, Rule, TextForm};
use std::mem::size_of;
use std::sync::Arc;

use super::{choice, multi, numeric, option_id, publication, question, question_id, selected};
use super::{single, text};
use crate::domain::change::{Action, Change, Entry, FieldChange, Subject};
use crate::domain::encoded::{
    Encoded, INSTANT_MAX_BYTES, NUMBER_MAX_BYTES, SMALL_MAX_BYTES, row_max_bytes,
};
use crate::domain::id::{
    AssignmentId, PageId, ParticipantId, ProjectId, PublicationId, ScreenerId, SessionId, TagId,
};
use crate::domain::participant::{ExternalUid, IdVerification, Participant};
use crate::domain::pattern::Pattern;
use crate::domain::project::Project;
use crate::domain::publication::{Publication, PublicationHead};
use crate::domain::response::{Asked, Origin, ScreenerResponse};
use crate::domain::review::{
    Disqualification, DisqualificationReason, Meeting, Rejection, RejectionMessage, Report,
    ReportReason, Review,
};
use crate::domain::session::{Progress, Session, SessionStatus};
use crate::domain::submission::Submission;
use crate::domain::tag::Tag;
use crate::domain::time::Timestamp;

/// The size of a text or message of fewer than 128 bytes: field number, length and content.
fn field(bytes: usize) -> usize {
    2 + 1 + bytes
}

fn participant() -> Participant {
    Participant {
        id: ParticipantId::parse("p").expect("an id"),
        external_uid: ExternalUid::parse("e").ok(),
        name: None,
        email: Some("@".into()),
        id_verification: IdVerification::None,
    }
}

fn session() -> Session {
    Session {
        id: SessionId::parse("s").expect("an id"),
        screener: ScreenerId::parse("r").expect("an id"),
        assignment: AssignmentId::parse("a").expect("an id"),
        publication: PublicationId::parse("u").expect("an id"),
        slug: "g".into(),
        link_trusted: true,
        status: SessionStatus::Active,
        progress: Progress::NotStarted,
        created: Timestamp::from_micros(0),
        tags: [].into(),
    }
}

#[test]
fn an_entry_of_the_log_counts_its_texts_its_fields_and_its_numbers() {
    let change = |before: Option<&str>, after: Option<&str>| {
        let [before, after] = [before, after].map(|text| text.map(str::to_owned));
        FieldChange { name: "n".into(), before, after }
    };
    let (small, large) = (change(None, None), change(Some("b"), Some("")));
    assert_eq!(small.encoded_max_bytes(), field(1));
    assert_eq!(large.encoded_max_bytes(), field(1) + field(1) + field(0));
    let change = Change {
        at: Timestamp::from_micros(0),
        actor: "a".into(),
        action: Action::Create,
        subject: Subject::Tenant,
        subject_id: "s".into(),
        fields: vec![small, large],
    };
    let fields = field(field(1)) + field(field(1) + field(1) + field(0));
    let others = NUMBER_MAX_BYTES + INSTANT_MAX_BYTES + 2 * SMALL_MAX_BYTES;
    assert_eq!(Entry { seq: 0, change }.encoded_max_bytes(), 2 * field(1) + fields + others);
}

#[test]
fn a_participant_counts_every_text_that_is_set() {
    assert_eq!(participant().encoded_max_bytes(), 3 * field(1) + SMALL_MAX_BYTES);
    let named = Participant { name: Some("Alex".into()), ..participant() };
    assert_eq!(named.encoded_max_bytes(), 3 * field(1) + field(4) + SMALL_MAX_BYTES);
}

#[test]
fn a_publication_counts_as_a_row_without_what_it_asks() {
    let id = PublicationId::parse("u").expect("an id");
    let screener = ScreenerId::parse("r").expect("an id");
    let head = PublicationHead { id, screener, hash: None, published: None };
    assert_eq!(head.encoded_max_bytes(), 2 * field(1) + field(64) + INSTANT_MAX_BYTES);
}

#[test]
fn a_response_counts_its_ids_its_prompt_and_its_answer() {
    let row = |answer: Answer| ScreenerResponse {
        origin: Arc::new(Origin {
            session: session().id,
            screener: session().screener,
            publication: session().publication,
            participant: participant().id,
            external_uid: ExternalUid::parse("e").ok(),
            assignment: session().assignment,
        }),
        asked: Arc::new(Asked {
            page: PageId::parse("p").expect("an id"),
            question: question_id("q"),
            prompt: "?".into(),
            kind: QuestionKind::Text,
        }),
        answer: Arc::new(answer),
    };
    // "Option a", and whether it is a write-in.
    let one = field(field(8) + SMALL_MAX_BYTES);
    for (answer, bytes) in [
        (Answer::Text("ab".into()), field(2)),
        (Answer::Numeric(5.5), NUMBER_MAX_BYTES),
        (Answer::SingleSelect(selected("a", None)), one),
        (Answer::MultiSelect(vec![selected("a", None), selected("b", None)]), field(2 * one)),
        (Answer::Skipped, SMALL_MAX_BYTES),
    ] {
        assert_eq!(answer.encoded_max_bytes(), bytes, "{answer:?}");
        // Seven ids of one byte, the caller's own id, the prompt, and the kind of the question.
        assert_eq!(row(answer).encoded_max_bytes(), 9 * field(1) + SMALL_MAX_BYTES + bytes);
    }
}

/// The size of one answer in a submission: its id twice, its target, its text, the write-in, its
/// value, and whether it is a write-in.
fn told(id: usize, go_to: usize, text: usize, typed: usize) -> usize {
    field(2 * field(id) + field(go_to) + field(text) + field(typed) + 2 * SMALL_MAX_BYTES)
}

/// The size of a question with its answers in a submission: its id, its prompt, the names of its
/// kind, its position and two flags.
fn line(answers: usize) -> usize {
    let bytes = 2 * field(1) + 2 * field(17) + answers + 3 * SMALL_MAX_BYTES;
    if bytes < 128 { field(bytes) } else { bytes + 4 }
}

#[test]
fn a_submission_counts_its_people_its_review_and_a_line_for_each_answer() {
    let far =
        Choice { go_to: Some(GoTo::Question(question_id("n"))), ..choice("b", Rule::Neutral) };
    let choices = vec![choice("a", Rule::Neutral), far];
    let asked = publication(vec![
        text("t"),
        numeric("n"),
        single("o", choices.clone()),
        multi("m", choices),
    ]);
    let project = Project {
        id: ProjectId::parse("j").expect("an id"),
        name: "J".into(),
        incentive: 5.0,
        organization: "o".into(),
        team: "t".into(),
    };
    let bound = |review: &Review, name: Option<&str>, answers: Vec<(usize, Answer)>| {
        let answers: Vec<_> = answers
            .into_iter()
            .map(|(position, answer)| (asked.questions[position].id.clone(), answer))
            .collect();
        let participant = Participant { name: name.map(str::to_owned), ..participant() };
        let asked = Arc::new(asked.clone());
        let (review, project) = (review.clone(), project.clone());
        Submission::new(session(), review, project, participant, asked, answers, None)
            .expect("every question was asked")
            .encoded_max_bytes()
    };
    let plain = Review::default();
    let ids = 3 * field(1);
    let profile = field(2 * field(1) + 2 * field(0));
    let messages = 7 * field(field(0)) + field(project.team.len());
    let others = 27 * SMALL_MAX_BYTES + 2 * NUMBER_MAX_BYTES + 6 * INSTANT_MAX_BYTES;
    let empty = ids + profile + messages + others + field(0) + row_max_bytes(&project);
    assert_eq!(bound(&plain, None, vec![]), empty);
    assert_eq!(bound(&plain, Some("Alex Doe"), vec![]), empty + 8);
    let rejection = RejectionMessage::parse(Some("no".into())).expect("a message").into_text();
    let reasons = [DisqualificationReason::Other].into();
    let said = Review {
        message: Some("m".into()),
        rejection: Some(Rejection { message: rejection, at: Timestamp::from_micros(0) }),
        disqualification: Some(Disqualification { reasons, message: Some("why".into()) }),
        meeting: Meeting { booking_url: Some("link".into()), ..Meeting::default() },
        report: Some(Report { reasons: [ReportReason::Other].into(), message: None }),
        ..Review::default()
    };
    assert_eq!(bound(&said, None, vec![]), empty + 1 + 2 + 3 + 4 + 2 * SMALL_MAX_BYTES);
    for (position, answer, answers) in [
        (0, Answer::Text("four".into()), told(1, 0, 4, 0)),
        (1, Answer::Numeric(12.5), told(1, 0, 4, 0)),
        (2, Answer::SingleSelect(selected("a", Some("typed"))), told(1, 0, 8, 5)),
        (2, Answer::SingleSelect(selected("b", None)), told(1, 1, 8, 0)),
        (
            3,
            Answer::MultiSelect(vec![selected("a", None), selected("b", None)]),
            told(1, 0, 8, 0) + told(1, 1, 8, 0),
        ),
        (3, Answer::MultiSelect(vec![]), 0),
        (0, Answer::Skipped, 0),
        // A deleted option counts with its stored text.
        (2, Answer::SingleSelect(selected("gone", None)), told(4, 0, 11, 0)),
    ] {
        let found = bound(&plain, None, vec![(position, answer.clone())]);
        assert_eq!(found - empty, line(answers), "{answer:?}");
    }
}

#[test]
fn a_cached_questionnaire_counts_itself_and_every_byte_of_its_texts() {
    let pattern = Some(Pattern::parse("[a-z]+").expect("a pattern"));
    let far = Choice {
        id: option_id("far"),
        go_to: Some(GoTo::Question(question_id("third"))),
        ..choice("far", Rule::Neutral)
    };
    let end = Choice { go_to: Some(GoTo::End), ..choice("end", Rule::Neutral) };
    let form = QuestionForm::Text(TextForm { pattern, ..TextForm::default() });
    let tag = Tag { id: TagId::parse("t").expect("an id"), category: None, value: "v".into() };
    let asked = Publication {
        tags: vec![tag.clone()],
        ..publication(vec![
            question("first", form),
            single("second", vec![far, end]),
            text("third"),
        ])
    };
    let questions = "first".len() + "second".len() + "third".len() + 3 * "p?".len();
    let options = "farOption far".len() + "third".len() + "endOption end".len();
    let texts = "ur".len() + questions + options + "[a-z]+".len();
    let values = size_of::<Publication>() + 3 * size_of::<Question>() + 2 * size_of::<Choice>();
    assert_eq!(asked.heap_bytes(), values + texts + tag.heap_bytes());
}
