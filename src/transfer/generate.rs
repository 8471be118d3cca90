//! Example rows in any number, equal for equal seeds, for benchmarks and trials.

use serde_json::{Value, json};

use super::record;
use crate::app::{App, NewAnswer, Operator, Record, SessionRecord, Summary};
use crate::domain::answer::{Given, GivenOption};
use crate::domain::error::{Error, Result};
use crate::domain::id::{
    AssignmentId, OptionId, ParticipantId, PublicationId, QuestionId, ScreenerId, SessionId,
    TenantId,
};
use crate::domain::participant::{Assignment, ExternalUid, IdVerification, Participant};
use crate::domain::publication::QUESTIONS_MAX;
use crate::domain::session::{Progress, Session, SessionStatus};
use crate::domain::time::Timestamp;

/// The rows to generate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Generated {
    /// The number of sessions.
    pub sessions: u64,
    /// The number of answers in each session, which is also the number of questions.
    pub responses_per_session: u64,
    /// The seed that determines the rows.
    pub seed: u64,
}

/// The tenant with its keys, the project and the screener of all rows, in the import format. Equal
/// for every seed.
const HEAD: &str = include_str!("generate.ndjson");
const TENANT: &str = "acct_generated";
const SCREENER: &str = "scr_generated";
const PUBLICATION: &str = "scpub_generated";
const PAGE_QUESTIONS: usize = 10;
const BEGIN_MICROS: i64 = 1_714_521_600_000_000;

/// Adds the generated rows to a database that does not contain them.
pub async fn generate(app: &App, operator: &Operator, what: Generated) -> Result<Summary> {
    let questions = usize::try_from(what.responses_per_session).ok();
    let questions = questions
        .filter(|it| *it <= QUESTIONS_MAX)
        .ok_or_else(|| Error::invalid_field("--responses-per-session", "Must be at most 500."))?;
    let sessions = (0..what.sessions).flat_map(move |number| match one_session(what, number) {
        Ok(records) => records.into_iter().map(Ok).collect::<Vec<_>>(),
        Err(error) => vec![Err(error)],
    });
    let records = head(questions)?.into_iter().map(Ok).chain(sessions);
    let numbered = (1..).zip(records).map(|(line, record)| Ok((line, record?)));
    app.import(operator, numbered, None).await
}

/// Returns a well-mixed number that depends only on the seed and a position.
fn mix(seed: u64, position: u64) -> u64 {
    // SplitMix64.
    let mut z = seed.wrapping_add(position.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Returns the records before those of the sessions.
fn head(questions: usize) -> Result<Vec<Record>> {
    let page = |first: usize| {
        let end = questions.min(first + PAGE_QUESTIONS);
        let questions: Vec<_> = (first..end).map(question).collect();
        json!({ "id": format!("scp_{:02}", first / PAGE_QUESTIONS), "questions": questions })
    };
    let pages: Vec<_> = (0..questions).step_by(PAGE_QUESTIONS).map(page).collect();
    let publication = json!({
        "type": "publication",
        "tenant": TENANT,
        "id": PUBLICATION,
        "screenerId": SCREENER,
        "tags": [{ "id": "tag_generated", "category": "qualification", "value": "generated" }],
        "pages": pages,
    });
    let publication = publication.to_string();
    let lines = HEAD.lines().chain([publication.as_str()]);
    lines.map(|line| record::parse(line, true).map_err(Error::invalid)).collect()
}

/// Returns a question. The four kinds alternate.
fn question(number: usize) -> Value {
    let kind = ["TEXT", "NUMERIC", "SINGLE_SELECT", "MULTI_SELECT"][number % 4];
    let option = |it| json!({ "id": format!("sco_{it}"), "text": format!("Option {it}") });
    let options = kind.ends_with("SELECT").then(|| (0..4).map(option).collect::<Vec<_>>());
    json!({
        "id": format!("scq_{number:03}"),
        "kind": kind,
        "prompt": format!("Generated question {number}?"),
        "options": options,
    })
}

/// Returns the records of one person with one session and all of its answers.
fn one_session(what: Generated, number: u64) -> Result<Vec<Record>> {
    let tenant = TenantId::parse(TENANT).map_err(Error::internal)?;
    let screener = ScreenerId::parse(SCREENER).map_err(Error::internal)?;
    let random = mix(what.seed, number);
    let participant = Participant {
        id: ParticipantId::parse(&format!("ptp_{number:09}")).map_err(Error::internal)?,
        external_uid: ExternalUid::parse(&format!("crm-{number:09}")).ok(),
        name: None,
        email: None,
        id_verification: IdVerification::None,
    };
    let assignment = Assignment {
        id: AssignmentId::parse(&format!("scpar_{number:09}")).map_err(Error::internal)?,
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
        id: SessionId::parse(&format!("scses_{number:09}")).map_err(Error::internal)?,
        screener,
        assignment: assignment.id.clone(),
        publication: PublicationId::parse(PUBLICATION).map_err(Error::internal)?,
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
            question: QuestionId::parse(&format!("scq_{question:03}")).map_err(Error::internal)?,
            given: given(question, mix(random, question))?,
        };
        records.push(Record::Response(tenant.clone(), answer));
    }
    Ok(records)
}

fn given(question: u64, random: u64) -> Result<Given> {
    let option = |number: u64| -> Result<GivenOption> {
        let option = OptionId::parse(&format!("sco_{number}")).map_err(Error::internal)?;
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
