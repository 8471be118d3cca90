//! Responses in large numbers, read in pieces along an index, without a snapshot between them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Choice, ResponseFilter, answer_of, named_or_all, one_or_all, read_choices};
use crate::domain::error::{Error, Result};
use crate::domain::id::{
    AssignmentId, PageId, ParticipantId, PublicationId, QuestionId, ScreenerId, SessionId, TenantId,
};
use crate::domain::list::Pagination;
use crate::domain::publication::QuestionKind;
use crate::domain::response::{ScreenerResponse, Selected};
use crate::store::list::{List, TENANT_SCOPE};
use crate::store::row::Corrupt;
use crate::store::sql::{ListArgs, args};
use crate::store::{Row, Tx};

/// Along what the responses of a filter are read.
#[derive(Clone, Debug)]
pub enum ResponseWalk {
    /// None match.
    Nothing,
    /// The whole list.
    All,
    /// One screener.
    Screener(String),
    /// One publication.
    Publication(String),
    /// The responses of named sessions or screener participants, by their numbers.
    Numbered(Arc<[i64]>),
}

/// What is to be exported.
#[derive(Clone, Debug)]
pub struct ResponseSpan {
    /// Along what it is read.
    pub walk: ResponseWalk,
    /// The number that the next response will have.
    pub end: i64,
    /// How many responses match now.
    pub total: i64,
}

/// A response with its number.
pub type Numbered = (i64, ScreenerResponse);

/// Rows whose participants are looked up together.
const LOOKUP_MAX_ROWS: usize = 512;

/// A row of the table, before its question and its participant are known.
struct Found {
    number: i64,
    session: SessionId,
    question: QuestionId,
    screener: ScreenerId,
    publication: PublicationId,
    assignment: AssignmentId,
    text: Option<String>,
    real: Option<f64>,
    choices: Option<Vec<Selected>>,
}

/// What is known of a question.
type Asked = (PageId, Arc<str>, QuestionKind);
/// What is known of a screener participant.
type Person = (ParticipantId, Option<String>);

/// The ids of the rows before: most rows have one of them, and share its text.
#[derive(Default)]
struct Seen {
    last: Option<(SessionId, ScreenerId, PublicationId, AssignmentId)>,
    questions: HashSet<QuestionId>,
}

/// The last id if it is the same, or else the one that the column holds.
fn same_or<T: AsRef<str> + Clone>(
    last: Option<&T>,
    row: &mut Row<'_>,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T> {
    let text = row.str()?;
    match last {
        Some(last) if last.as_ref() == text => Ok(last.clone()),
        Some(_) | None => parse(text).map_err(|reason| row.corrupt(reason)),
    }
}

impl Seen {
    fn read(&mut self, row: &mut Row<'_>) -> Result<Found> {
        row.of("responses");
        let last = self.last.as_ref();
        let session = same_or(last.map(|it| &it.0), row, SessionId::parse)?;
        let number = row.int()?;
        let text = row.str()?;
        let question = if let Some(known) = self.questions.get(text) {
            known.clone()
        } else {
            let new = QuestionId::parse(text).map_err(|reason| row.corrupt(reason))?;
            self.questions.insert(new.clone());
            new
        };
        let screener = same_or(last.map(|it| &it.1), row, ScreenerId::parse)?;
        let publication = same_or(last.map(|it| &it.2), row, PublicationId::parse)?;
        let assignment = same_or(last.map(|it| &it.3), row, AssignmentId::parse)?;
        let (text, real) = (row.opt_text()?, row.opt_real()?);
        let choices = row.opt_parse(read_choices)?;
        let ids = (session.clone(), screener.clone(), publication.clone(), assignment.clone());
        self.last = Some(ids);
        let found = Found {
            number,
            session,
            question,
            screener,
            publication,
            assignment,
            text,
            real,
            choices,
        };
        Ok(found)
    }
}

impl Found {
    /// The response, with what was looked up.
    fn complete(self, asked: &Asked, person: &Person) -> Result<Numbered> {
        let (page, prompt, kind) = asked;
        let (participant, external_uid) = person;
        let answer = answer_of(*kind, self.text, self.real, self.choices)
            .map_err(|reason| corrupt("answer", &self.session, reason))?;
        let response = ScreenerResponse {
            session: self.session,
            page: page.clone(),
            question: self.question,
            screener: self.screener,
            publication: self.publication,
            participant: participant.clone(),
            external_uid: external_uid.clone(),
            assignment: self.assignment,
            prompt: Arc::clone(prompt),
            kind: *kind,
            answer,
        };
        Ok((self.number, response))
    }
}

fn corrupt(column: &str, session: &SessionId, reason: &str) -> Error {
    Error::internal(Corrupt::new("responses", column, session, reason))
}

impl Tx {
    /// What there is to export of a filter.
    pub async fn response_span(
        &mut self,
        tenant: &TenantId,
        filter: &ResponseFilter,
    ) -> Result<ResponseSpan> {
        let ResponseFilter { screeners, publications, sessions, assignments } = filter;
        let (screener, publication) = (one_or_all(screeners)?, one_or_all(publications)?);
        let named = match (named_or_all(sessions)?, named_or_all(assignments)?) {
            (Some(ids), _) => Some(("session_id", ids)),
            (None, Some(ids)) => Some(("assignment_id", ids)),
            (None, None) => None,
        };
        let end = self.list_count(tenant, List::Responses, TENANT_SCOPE).await?.arrived();
        if let Some((column, ids)) = named {
            let mut numbers = self.response_seqs_of(tenant, column, ids, filter).await?;
            numbers.sort_unstable();
            let total = i64::try_from(numbers.len()).unwrap_or(i64::MAX);
            return Ok(ResponseSpan { walk: ResponseWalk::Numbered(numbers.into()), end, total });
        }
        let walk = match (publication, screener) {
            (Choice::Nothing, _) | (_, Choice::Nothing) => ResponseWalk::Nothing,
            (Choice::One(id), _) if self.publication_is_of(tenant, id, screeners).await? => {
                ResponseWalk::Publication(id.to_owned())
            }
            (Choice::One(_), _) => ResponseWalk::Nothing,
            (Choice::All, Choice::One(id)) => ResponseWalk::Screener(id.to_owned()),
            (Choice::All, Choice::All) => ResponseWalk::All,
        };
        let total = self.list_responses(tenant, filter, Pagination::FIRST_ROW).await?.total;
        Ok(ResponseSpan { walk, end, total })
    }

    /// The next `limit` responses from the number `from` on and below `end`, in arrival order; fewer
    /// only where there are no more.
    pub async fn responses_from(
        &mut self,
        tenant: &TenantId,
        walk: &ResponseWalk,
        (from, end): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Numbered>> {
        let rows = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = match walk {
            ResponseWalk::Nothing => Vec::new(),
            ResponseWalk::All => {
                let args = args![tenant, from, end, rows];
                self.found(rows_where("seq >= $2 AND seq < $3 ORDER BY seq LIMIT $4"), args).await?
            }
            ResponseWalk::Screener(id) => {
                let scope = "screener_id = $2 AND seq >= $3 AND seq < $4 ORDER BY seq LIMIT $5";
                self.found(rows_where(scope), args![tenant, id, from, end, rows]).await?
            }
            ResponseWalk::Publication(id) => {
                let scope = "publication_id = $2 AND seq >= $3 AND seq < $4 ORDER BY seq LIMIT $5";
                self.found(rows_where(scope), args![tenant, id, from, end, rows]).await?
            }
            ResponseWalk::Numbered(numbers) => {
                let numbers = &numbers[numbers.partition_point(|number| *number < from)..];
                let numbers = &numbers[..numbers.partition_point(|number| *number < end)];
                self.found_at(tenant, numbers, limit).await?
            }
        };
        self.complete(tenant, found).await
    }

    /// The rows of these numbers that are still there.
    async fn found_at(
        &mut self,
        tenant: &TenantId,
        numbers: &[i64],
        limit: usize,
    ) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for numbers in numbers.chunks(limit) {
            let list = ListArgs::new(args![tenant], numbers);
            let scope = format!("seq IN ({}) ORDER BY seq", list.placeholders);
            found.extend(self.found(rows_where(&scope), &list.args).await?);
            // Where rows have left, the next ones fill the piece up.
            if found.len() >= limit {
                found.truncate(limit);
                break;
            }
        }
        Ok(found)
    }

    async fn found(&mut self, sql: String, args: &[crate::store::Arg<'_>]) -> Result<Vec<Found>> {
        let mut seen = Seen::default();
        self.all(sql, args, |row| seen.read(row)).await
    }

    /// Adds to each row what its question and its participant say.
    async fn complete(&mut self, tenant: &TenantId, found: Vec<Found>) -> Result<Vec<Numbered>> {
        let people = self.people_of(tenant, &found).await?;
        let mut questions: HashMap<(PublicationId, QuestionId), Asked> = HashMap::new();
        let mut rows = Vec::with_capacity(found.len());
        for row in found {
            let key = (row.publication.clone(), row.question.clone());
            let asked = if let Some(asked) = questions.get(&key) {
                asked
            } else {
                let asked = self.asked(tenant, &row).await?;
                questions.entry(key).or_insert(asked)
            };
            let person = people.get(&row.assignment);
            let missing = || corrupt("assignment_id", &row.session, "there is none of this id");
            let person = person.ok_or_else(missing)?;
            rows.push(row.complete(asked, person)?);
        }
        Ok(rows)
    }

    async fn people_of(
        &mut self,
        tenant: &TenantId,
        found: &[Found],
    ) -> Result<HashMap<AssignmentId, Person>> {
        let distinct: HashSet<&AssignmentId> = found.iter().map(|row| &row.assignment).collect();
        let ids: Vec<&AssignmentId> = distinct.into_iter().collect();
        let mut people = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(LOOKUP_MAX_ROWS) {
            let list = ListArgs::new(args![tenant], ids);
            let sql = format!(
                "SELECT a.id, a.participant_id, p.external_uid FROM assignments a
                 JOIN participants p ON p.tenant_id = a.tenant_id AND p.id = a.participant_id
                 WHERE a.tenant_id = $1 AND a.id IN ({})",
                list.placeholders
            );
            self.scan(sql, &list.args, |row| {
                let id = row.of("assignments").parse(AssignmentId::parse)?;
                people.insert(id, (row.parse(ParticipantId::parse)?, row.opt_text()?));
                Ok(())
            })
            .await?;
        }
        Ok(people)
    }

    async fn asked(&mut self, tenant: &TenantId, row: &Found) -> Result<Asked> {
        let asked = self
            .one(
                "SELECT id, page_id, prompt, kind FROM questions
                 WHERE tenant_id = $1 AND publication_id = $2 AND id = $3",
                args![tenant, &row.publication, &row.question],
                |row| {
                    row.of("questions").skip_id();
                    let page = row.parse(PageId::parse)?;
                    Ok((page, row.text()?.into(), row.parse(QuestionKind::parse)?))
                },
            )
            .await?;
        asked.ok_or_else(|| corrupt("question_id", &row.session, "there is none of this id"))
    }
}

/// The statement that reads rows of a tenant.
fn rows_where(scope: &str) -> String {
    format!(
        "SELECT session_id, seq, question_id, screener_id, publication_id, assignment_id,
                text, number, choices
         FROM responses WHERE tenant_id = $1 AND {scope}"
    )
}
