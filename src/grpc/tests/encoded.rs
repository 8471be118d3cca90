//! Tests that compare the bound of a row's encoded size with the actual size.

use prost::Message;

use super::proto;
use crate::app::SessionView;
use crate::domain::answer::{Answer, Selected};
use crate::domain::change::{Action, Change, Entry, FieldChange, Subject};
use crate::domain::encoded::Encoded;
use crate::domain::id::{
    AssignmentId, OptionId, PageId, ParticipantId, ProjectId, PublicationId, QuestionId,
    ScreenerId, SessionId, TagId,
};
use crate::domain::link::Links;
use crate::domain::list::{PAGE_HEAD_MAX_BYTES, Page, Pagination};
use crate::domain::participant::{ExternalUid, IdVerification, Participant};
use crate::domain::project::Project;
use crate::domain::publication::{Publication, PublicationHead, Questionnaire};
use crate::domain::question::{
    Choice, GoTo, MultiSelectForm, NumericForm, Question, QuestionForm, QuestionKind, Rule,
    TextForm,
};
use crate::domain::response::{Asked, Origin, ScreenerResponse};
use crate::domain::review::{
    Actor, CancellationReason, Disqualification, DisqualificationReason, Meeting, Rejection,
    Report, ReportReason, Review, ReviewStatus, Visibility,
};
use crate::domain::screener::{DraftHead, Screener, ScreenerStatus};
use crate::domain::session::{Progress, Session, SessionStatus};
use crate::domain::submission::Submission;
use crate::domain::tag::Tag;
use crate::domain::time::Timestamp;
use std::sync::Arc;

/// The most bytes by which a bound may exceed the size. A full page is smaller than possible by at
/// most this much per row.
const SLACK_MAX_BYTES: usize = 700;

/// Returns an instant whose numbers have the maximum length.
fn late() -> Timestamp {
    Timestamp::from_micros(253_370_764_799_999_999)
}

macro_rules! id {
    ($kind:ident, $text:expr) => {
        $kind::parse($text).expect("an id")
    };
}

/// Returns texts at the lengths where the encoding changes.
fn texts() -> Vec<String> {
    [1, 127, 128, 16_383, 16_384].map(|bytes| "x".repeat(bytes)).into()
}

fn check<R: Encoded + Clone, M: Message + From<R>>(row: &R) {
    let (bound, size) = (row.encoded_max_bytes(), M::from(row.clone()).encoded_len());
    let what = std::any::type_name::<R>();
    assert!(size <= bound && bound <= size + SLACK_MAX_BYTES, "{what}: {size}, {bound} at most");
}

fn session(id: &str, text: &str) -> Session {
    let tag = Tag { id: id!(TagId, id), category: Some(text.to_owned()), value: text.to_owned() };
    Session {
        id: id!(SessionId, id),
        screener: id!(ScreenerId, id),
        assignment: id!(AssignmentId, id),
        publication: id!(PublicationId, id),
        slug: text.to_owned(),
        link_trusted: true,
        status: SessionStatus::Removed,
        progress: Progress::Completed { started: late(), completed: late() },
        created: late(),
        tags: [tag.clone(), tag].into(),
    }
}

fn participant(id: &str, text: &str) -> Participant {
    Participant {
        id: id!(ParticipantId, id),
        external_uid: ExternalUid::parse(text).ok(),
        name: Some(format!("{text} {text}")),
        email: Some(text.to_owned()),
        id_verification: IdVerification::Failed,
    }
}

fn project(id: &str, text: &str) -> Project {
    let text = || text.to_owned();
    let id = id!(ProjectId, id);
    Project { id, name: text(), incentive: 0.1, organization: text(), team: text() }
}

fn answers(text: &str) -> [Answer; 5] {
    let selected = Selected {
        option: id!(OptionId, "o1"),
        text: text.to_owned(),
        write_in: Some(text.to_owned()),
    };
    [
        Answer::Text(text.to_owned()),
        Answer::Numeric(-0.1),
        Answer::SingleSelect(selected.clone()),
        Answer::MultiSelect(vec![selected.clone(), selected]),
        Answer::Skipped,
    ]
}

#[test]
fn no_row_is_larger_than_its_bound_nor_much_smaller() {
    // Each byte of such an id becomes three in a link.
    let longest = "%".repeat(128);
    for text in texts() {
        for id in ["i", &longest] {
            let hash = Questionnaire::default().content_hash();
            check::<_, proto::Participant>(&participant(id, &text));
            check::<_, proto::Project>(&project(id, &text));
            check::<_, proto::Screener>(&Screener {
                id: id!(ScreenerId, id),
                project: id!(ProjectId, id),
                title: text.clone(),
                status: ScreenerStatus::Closed,
                allow_multiple_responses: true,
                active_publication: Some(id!(PublicationId, id)),
                draft: Some(DraftHead { id: id!(PublicationId, id), hash }),
            });
            check::<_, proto::Publication>(&PublicationHead {
                id: id!(PublicationId, id),
                screener: id!(ScreenerId, id),
                hash: Some(hash),
                published: Some(late()),
            });
            let value = Some(text.clone());
            let field = FieldChange { name: text.clone(), before: value.clone(), after: value };
            let change = Change {
                at: late(),
                actor: text.clone(),
                action: Action::Dismiss,
                subject: Subject::Submission,
                subject_id: text.clone(),
                fields: vec![field.clone(), field],
            };
            check::<_, proto::Change>(&Entry { seq: i64::MAX, change });
            for answer in answers(&text) {
                check::<_, proto::ScreenerResponse>(&response(id, &text, answer));
            }
        }
    }
}

#[test]
fn no_session_is_larger_than_its_bound_nor_much_smaller() {
    let longest = "%".repeat(128);
    for (text, id) in texts().iter().flat_map(|text| ["i", &longest].map(|id| (text, id))) {
        let session = session(id, text);
        let bound = session.encoded_max_bytes();
        // The whole link is bounded, so a short address stays below the bound.
        let link = Links::new(&format!("https://{}", "h".repeat(248))).session(&session);
        let size = proto::ScreenerSession::from(SessionView { session, link }).encoded_len();
        assert!(size <= bound && bound <= size + SLACK_MAX_BYTES, "{size}, {bound} at most");
    }
}

fn response(id: &str, text: &str, answer: Answer) -> ScreenerResponse {
    ScreenerResponse {
        origin: Arc::new(Origin {
            session: id!(SessionId, id),
            screener: id!(ScreenerId, id),
            publication: id!(PublicationId, id),
            participant: id!(ParticipantId, id),
            external_uid: ExternalUid::parse(text).ok(),
            assignment: id!(AssignmentId, id),
        }),
        asked: Arc::new(Asked {
            page: id!(PageId, id),
            question: id!(QuestionId, id),
            prompt: text.to_owned(),
            kind: QuestionKind::MultiSelect,
        }),
        answer: Arc::new(answer),
    }
}

/// Returns a submission in which every field is set, with one question of each kind.
fn submission(id: &str, text: &str) -> Submission {
    let choices = || {
        vec![Choice {
            id: id!(OptionId, "o1"),
            text: text.to_owned(),
            rule: Rule::Neutral,
            write_in: true,
            go_to: Some(GoTo::Question(id!(QuestionId, &"q".repeat(128)))),
        }]
    };
    let multi = MultiSelectForm { choices: choices(), ..MultiSelectForm::default() };
    let forms = [
        QuestionForm::Text(TextForm { multi_line: true, ..TextForm::default() }),
        QuestionForm::Numeric(NumericForm::default()),
        QuestionForm::SingleSelect(choices()),
        QuestionForm::MultiSelect(multi),
        QuestionForm::Text(TextForm::default()),
    ];
    let question = |(number, form)| {
        let id = id!(QuestionId, &format!("question-{number}"));
        let (page, prompt) = (id!(PageId, "p"), text.to_owned());
        Question { id, page, prompt, required: true, form }
    };
    let questions: Vec<_> = (0_usize..).zip(forms).map(question).collect();
    let answers = questions.iter().map(|it| it.id.clone()).zip(answers(text)).collect();
    let publication = Publication {
        id: id!(PublicationId, id),
        screener: id!(ScreenerId, id),
        tags: Vec::new(),
        questions,
        published: None,
        wording: <_>::default(),
    };
    let message = Some(text.to_owned());
    let review = Review {
        status: ReviewStatus::Cancelled,
        visibility: Visibility::OnHold,
        favorite: true,
        hidden: true,
        is_new: true,
        qualified_override: Some(true),
        disqualification: Some(Disqualification {
            reasons: DisqualificationReason::ALL.iter().copied().collect(),
            message: message.clone(),
        }),
        invite_sent: Some(late()),
        status_before_invite: None,
        scheduled: Some(late()),
        meeting: Meeting {
            timezone: message.clone(),
            booking_url: message.clone(),
            cancel_url: message.clone(),
        },
        status_updated: Some(late()),
        actor: Some(Actor::Admin),
        reason: Some(CancellationReason::Final),
        short_notice_cancel: Some(true),
        message: message.clone(),
        rejection: Some(Rejection { message: text.to_owned(), at: late() }),
        report: Some(Report { reasons: ReportReason::ALL.iter().copied().collect(), message }),
    };
    let (session, publication) = (session(id, text), Arc::new(publication));
    let (project, person) = (project(id, text), participant(id, text));
    Submission::new(session, review, project, person, publication, answers, None)
        .expect("a submission")
}

#[test]
fn no_submission_is_larger_than_its_bound_nor_much_smaller() {
    for text in texts() {
        for id in ["i", &"i".repeat(128)] {
            check::<_, proto::Submission>(&submission(id, &text));
        }
    }
}

#[test]
fn the_head_of_a_page_has_its_bytes() {
    let pagination = Pagination::FIRST_ROW;
    let page = Page::<Project> { items: Vec::new(), total: i64::MAX, pagination };
    let size = proto::ListProjectsResponse::from(page).encoded_len();
    // The other two numbers are no larger than the total.
    assert!(3 * size <= PAGE_HEAD_MAX_BYTES + 3 * 11, "{size}");
}
