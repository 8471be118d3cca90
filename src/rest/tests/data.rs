//! The documented example session, as records of an import.

use crate::app::{NewAnswer, Record, SessionRecord};
use crate::domain::answer::{Given, GivenOption};
use crate::domain::credential::{Credential, CredentialKind, SecretHash};
use crate::domain::id::{
    AssignmentId, CredentialId, OptionId, PageId, ParticipantId, ProjectId, PublicationId,
    QuestionId, ScreenerId, SessionId, TagId, TenantId,
};
use crate::domain::participant::{Assignment, ExternalUid, IdVerification, Participant};
use crate::domain::project::Project;
use crate::domain::publication::Publication;
use crate::domain::question::{
    Choice, MultiSelectForm, NumericForm, Question, QuestionForm, Range, Rule, TextForm,
};
use crate::domain::screener::{Screener, ScreenerStatus};
use crate::domain::session::{Progress, Session, SessionStatus};
use crate::domain::tag::Tag;
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

macro_rules! id {
    ($kind:ident, $text:expr) => {
        $kind::parse($text).expect("an id")
    };
}

fn credential(id: &str, kind: CredentialKind, secret: &str) -> Record {
    Record::Credential(Credential {
        id: id!(CredentialId, id),
        tenant: id!(TenantId, "acct_123"),
        kind,
        hash: SecretHash::of(secret.as_bytes()),
        scopes: kind.usable_scopes().to_vec(),
        created: at("2024-01-01T00:00:00Z"),
        expires: None,
        revoked: None,
    })
}

fn choice(id: &str, text: &str, write_in: bool) -> Choice {
    Choice { id: id!(OptionId, id), text: text.into(), rule: Rule::Neutral, write_in, go_to: None }
}

fn publication() -> Publication {
    let question = |id: &str, page: &str, prompt: &str, form| Question {
        id: id!(QuestionId, id),
        page: id!(PageId, page),
        prompt: prompt.into(),
        required: false,
        form,
    };
    let channels = vec![choice("sco_sales", "Sales", false), choice("sco_other", "Other", true)];
    let years = QuestionForm::Numeric(NumericForm {
        qualifies: Some(Range { min: Some(3.0), max: None }),
        ..NumericForm::default()
    });
    let channels = MultiSelectForm { choices: channels, ..MultiSelectForm::default() };
    Publication {
        id: id!(PublicationId, "scpub_456"),
        screener: id!(ScreenerId, "scr_123"),
        tags: vec![Tag {
            id: id!(TagId, "tag_qual"),
            category: Some("qualification".into()),
            value: "priority".into(),
        }],
        questions: vec![
            question(
                "scq_role",
                "scp_intro",
                "What is your role?",
                QuestionForm::Text(TextForm::default()),
            ),
            question("scq_years", "scp_intro", "Years of experience?", years),
            question(
                "scq_channels",
                "scp_focus",
                "Which teams will use Spot Thought?",
                QuestionForm::MultiSelect(channels),
            ),
        ],
        published: None,
        wording: <_>::default(),
    }
}

fn session() -> SessionRecord {
    SessionRecord {
        session: Session {
            id: id!(SessionId, "scses_789"),
            screener: id!(ScreenerId, "scr_123"),
            assignment: id!(AssignmentId, "scpar_123"),
            publication: id!(PublicationId, "scpub_456"),
            slug: "onboarding-001-alex".into(),
            link_trusted: true,
            status: SessionStatus::Active,
            progress: Progress::InProgress {
                started: at("2024-05-01T15:08:21Z"),
                last_active: at("2024-05-01T15:14:44Z"),
            },
            created: at("2024-05-01T15:00:00Z"),
            tags: publication().tags.into(),
        },
        review: None,
    }
}

/// Returns all records, in the order in which an import requires them.
pub(super) fn records() -> Vec<Record> {
    [nouns(), answers()].concat()
}

fn nouns() -> Vec<Record> {
    let tenant = id!(TenantId, "acct_123");
    vec![
        Record::Tenant(Tenant {
            id: tenant.clone(),
            name: "Docs".into(),
            created: at("2024-01-01T00:00:00Z"),
            disabled: None,
        }),
        credential("acct_123", CredentialKind::Spot, "sk_live_abcd"),
        credential("respondent_123", CredentialKind::Respondent, "respondent_secret_123"),
        credential("key_panel", CredentialKind::Panel, "vtt_your_api_key"),
        Record::Project(
            tenant.clone(),
            Project {
                id: id!(ProjectId, "proj_123"),
                name: "Insights panel".into(),
                incentive: 75.0,
                organization: "org_123".into(),
                team: "team_123".into(),
            },
        ),
        Record::Screener(
            tenant.clone(),
            Screener {
                id: id!(ScreenerId, "scr_123"),
                project: id!(ProjectId, "proj_123"),
                title: "Onboarding screener".into(),
                status: ScreenerStatus::Open,
                allow_multiple_responses: false,
                active_publication: Some(id!(PublicationId, "scpub_456")),
                draft: None,
            },
        ),
        Record::Publication(tenant.clone(), publication()),
        Record::Participant(
            tenant.clone(),
            Participant {
                id: id!(ParticipantId, "ptp_001"),
                external_uid: ExternalUid::parse("crm-001").ok(),
                name: Some("Alex Lee".into()),
                email: None,
                id_verification: IdVerification::None,
            },
        ),
        Record::Assignment(
            tenant.clone(),
            Assignment {
                id: id!(AssignmentId, "scpar_123"),
                screener: id!(ScreenerId, "scr_123"),
                participant: id!(ParticipantId, "ptp_001"),
                key_epoch: 0,
            },
        ),
        Record::Session(tenant.clone(), Box::new(session())),
    ]
}

fn answers() -> Vec<Record> {
    let tenant = id!(TenantId, "acct_123");
    let answer = |question: &str, given| {
        let session = id!(SessionId, "scses_789");
        Record::Response(
            tenant.clone(),
            NewAnswer { session, question: id!(QuestionId, question), given },
        )
    };
    let given = |option: &str, write_in: Option<&str>| GivenOption {
        option: id!(OptionId, option),
        write_in: write_in.map(Into::into),
    };
    vec![
        answer("scq_role", Given::Text("VP of Research".into())),
        answer(
            "scq_channels",
            Given::Options(vec![
                given("sco_sales", None),
                given("sco_other", Some("Insights Hub")),
            ]),
        ),
    ]
}
