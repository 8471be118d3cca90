//! Example rows in any number: the same for the same seed, for benchmarks and trials.

use crate::app::{App, Imported, NewAnswer, Operator, Record, SessionRecord, Summary};
use crate::domain::answer::{Given, GivenOption};
use crate::domain::credential::{Credential, CredentialKind, SecretHash};
use crate::domain::error::{Error, Result};
use crate::domain::id::{
    AssignmentId, CredentialId, OptionId, PageId, ParticipantId, ProjectId, PublicationId,
    QuestionId, ScreenerId, SessionId, TagId, TenantId,
};
use crate::domain::participant::{Assignment, ExternalUid, IdVerification, Participant};
use crate::domain::project::Project;
use crate::domain::publication::Publication;
use crate::domain::question::{
    Choice, MultiSelectForm, NumericForm, Question, QuestionForm, Rule, TextForm,
};
use crate::domain::screener::{Screener, ScreenerStatus};
use crate::domain::session::{Progress, Session, SessionStatus};
use crate::domain::tag::Tag;
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;

/// What to generate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Generated {
    /// How many sessions.
    pub sessions: u64,
    /// How many answers in each; also the number of questions.
    pub responses_per_session: u64,
    /// What the rows depend on.
    pub seed: u64,
}

/// The tenant, project, screener and publication that every row belongs to, and the secrets of its
/// keys, are the same for every seed.
const TENANT: &str = "acct_generated";
/// The screener of the generated sessions.
const SCREENER: &str = "scr_generated";
const PROJECT: &str = "proj_generated";
const PUBLICATION: &str = "scpub_generated";
const BEGIN_MICROS: i64 = 1_714_521_600_000_000;

/// Adds the generated rows to a database that does not have them.
pub async fn generate(app: &App, operator: &Operator, what: Generated) -> Result<Summary> {
    if what.responses_per_session > crate::domain::publication::QUESTIONS_MAX as u64 {
        return Err(Error::invalid_field("responses-per-session", "It is at most 500."));
    }
    let head = head(what)?;
    let lines =
        head.into_iter().map(Ok).chain((0..what.sessions).flat_map(
            move |number| match one_session(what, number) {
                Ok(records) => records.into_iter().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            },
        ));
    let numbered = (1..).zip(lines).map(|(line, record)| record.map(|it| (line, it)));
    app.import(operator, numbered.map(|it: Result<Imported>| it)).await
}

fn invalid(reason: String) -> Error {
    Error::internal(reason)
}

/// A well-mixed number that depends on the seed and a position only.
fn mix(seed: u64, position: u64) -> u64 {
    // SplitMix64.
    let mut z = seed.wrapping_add(position.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn head(what: Generated) -> Result<Vec<Record>> {
    let now = Timestamp::from_micros(BEGIN_MICROS);
    let tenant = TenantId::parse(TENANT).map_err(invalid)?;
    let credential = |id: &str, kind: CredentialKind, secret: &str| -> Result<Record> {
        Ok(Record::Credential(Credential {
            id: CredentialId::parse(id).map_err(invalid)?,
            tenant: TenantId::parse(TENANT).map_err(invalid)?,
            kind,
            hash: SecretHash::of(secret.as_bytes()),
            scopes: kind.usable_scopes().to_vec(),
            created: now,
            expires: None,
            revoked: None,
        }))
    };
    let project = Project {
        id: ProjectId::parse(PROJECT).map_err(invalid)?,
        name: "Generated".into(),
        incentive: 50.0,
        organization: "org_generated".into(),
        team: "team_generated".into(),
    };
    let publication = PublicationId::parse(PUBLICATION).map_err(invalid)?;
    let screener = Screener {
        id: ScreenerId::parse(SCREENER).map_err(invalid)?,
        project: project.id.clone(),
        title: "Generated screener".into(),
        status: ScreenerStatus::Open,
        allow_multiple_responses: false,
        active_publication: Some(publication.clone()),
        draft: None,
    };
    let questions = (0..what.responses_per_session).map(question).collect::<Result<_>>()?;
    let publication = Publication {
        id: publication,
        screener: screener.id.clone(),
        tags: vec![Tag {
            id: TagId::parse("tag_generated").map_err(invalid)?,
            category: Some("qualification".into()),
            value: "generated".into(),
        }],
        questions,
        published: None,
    };
    Ok(vec![
        Record::Tenant(Tenant {
            id: tenant.clone(),
            name: "Generated".into(),
            created: now,
            disabled: None,
        }),
        credential("acct_generated", CredentialKind::Spot, "sk_live_generated")?,
        credential("key_generated_panel", CredentialKind::Panel, "vtt_generated")?,
        credential("key_generated_service", CredentialKind::Service, "sdk_generated")?,
        Record::Project(tenant.clone(), project),
        Record::Screener(tenant.clone(), screener),
        Record::Publication(tenant, publication),
    ])
}

/// Question after question, the four kinds in turn.
fn question(number: u64) -> Result<Question> {
    let choices = || -> Result<Vec<Choice>> {
        (0..4)
            .map(|option| {
                Ok(Choice {
                    id: OptionId::parse(&format!("sco_{option}")).map_err(invalid)?,
                    text: format!("Option {option}"),
                    rule: Rule::Neutral,
                    write_in: false,
                    go_to: None,
                })
            })
            .collect()
    };
    Ok(Question {
        id: QuestionId::parse(&format!("scq_{number:03}")).map_err(invalid)?,
        page: PageId::parse(&format!("scp_{:02}", number / 10)).map_err(invalid)?,
        prompt: format!("Generated question {number}?"),
        required: false,
        form: match number % 4 {
            0 => QuestionForm::Text(TextForm::default()),
            1 => QuestionForm::Numeric(NumericForm::default()),
            2 => QuestionForm::SingleSelect(choices()?),
            _ => QuestionForm::MultiSelect(MultiSelectForm {
                choices: choices()?,
                ..MultiSelectForm::default()
            }),
        },
    })
}

/// One person with one session and all of its answers.
fn one_session(what: Generated, number: u64) -> Result<Vec<Record>> {
    let tenant = TenantId::parse(TENANT).map_err(invalid)?;
    let screener = ScreenerId::parse(SCREENER).map_err(invalid)?;
    let random = mix(what.seed, number);
    let participant = Participant {
        id: ParticipantId::parse(&format!("ptp_{number:09}")).map_err(invalid)?,
        external_uid: ExternalUid::parse(&format!("crm-{number:09}")).ok(),
        name: None,
        email: None,
        id_verification: IdVerification::None,
    };
    let assignment = Assignment {
        id: AssignmentId::parse(&format!("scpar_{number:09}")).map_err(invalid)?,
        screener: screener.clone(),
        participant: participant.id.clone(),
        key_epoch: 0,
    };
    let created = BEGIN_MICROS + i64::try_from(number).unwrap_or(0) * 1_000_000;
    let at = |seconds: u64| {
        Timestamp::from_micros(created + i64::try_from(seconds).unwrap_or(0) * 1_000_000)
    };
    let (started, length) = (at(random % 600), 30 + random % 900);
    let session = Session {
        id: SessionId::parse(&format!("scses_{number:09}")).map_err(invalid)?,
        screener,
        assignment: assignment.id.clone(),
        publication: PublicationId::parse(PUBLICATION).map_err(invalid)?,
        slug: format!("generated-{number:09}"),
        link_trusted: true,
        status: SessionStatus::Active,
        progress: Progress::Completed { started, completed: at(random % 600 + length) },
        created: Timestamp::from_micros(created),
        tags: [].into(),
    };
    let mut records = vec![
        Record::Participant(tenant.clone(), participant),
        Record::Assignment(tenant.clone(), assignment),
    ];
    let id = session.id.clone();
    let record = SessionRecord { session, review: None };
    records.push(Record::Session(tenant.clone(), Box::new(record)));
    for question in 0..what.responses_per_session {
        let answer = NewAnswer {
            session: id.clone(),
            question: QuestionId::parse(&format!("scq_{question:03}")).map_err(invalid)?,
            given: given(question, mix(random, question))?,
        };
        records.push(Record::Response(tenant.clone(), answer));
    }
    Ok(records)
}

fn given(question: u64, random: u64) -> Result<Given> {
    let option = |number: u64| -> Result<GivenOption> {
        let option = OptionId::parse(&format!("sco_{number}")).map_err(invalid)?;
        Ok(GivenOption { option, write_in: None })
    };
    Ok(match question % 4 {
        0 => Given::Text(format!("Generated answer {random:016x}")),
        // At most 10 000, so nothing is lost in the conversion.
        1 => Given::Number(f64::from(u32::try_from(random % 10_001).unwrap_or(0))),
        2 => Given::Option(option(random % 4)?),
        _ => Given::Options(vec![option(random % 2)?, option(2 + random % 2)?]),
    })
}
