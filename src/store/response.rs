//! Responses: the answers, one for each question.

mod earlier;
mod export;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::engine::read_text;
use super::list::{Length, List, Paging, Scope, Walk, page_of, page_where, walk};
use super::question::read_answer;
use super::sql::{ListArgs, args};
use super::{Row, Tx};
use crate::domain::answer::Answer;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{
    AssignmentId, PageId, ParticipantId, PublicationId, QuestionId, ScreenerId, SessionId, TenantId,
};
use crate::domain::list::{IdSet, Page, Pagination};
use crate::domain::participant::ExternalUid;
use crate::domain::question::QuestionKind;
use crate::domain::response::{Asked, Origin, ScreenerResponse};
use crate::domain::session::Session;

pub use earlier::EarlierFilter;
pub use export::{Numbered, QuestionCache, ResponseSpan, Room};
pub use write::Dropping;

/// The filter of a list of responses. Every field must match.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ResponseFilter {
    /// The screener: one, or all.
    pub screeners: IdSet,
    /// The publication: one, or all.
    pub publications: IdSet,
    /// The sessions: named ones, or all.
    pub sessions: IdSet,
    /// The screener participants: named ones, or all.
    pub assignments: IdSet,
}

impl ResponseFilter {
    /// Returns how long a page takes to read. The responses of named sessions or screener
    /// participants are collected before they are paged. One session has few. A participant's
    /// number grows with their sessions.
    #[must_use]
    pub fn length(&self, pagination: Pagination) -> Length {
        match (&self.sessions, &self.assignments) {
            (IdSet::Only(sessions), _) if sessions.len() > 1 => Length::Long,
            (IdSet::AllBut(_), IdSet::Only(_)) => Length::Long,
            (IdSet::Only(_) | IdSet::AllBut(_), _) => Length::of(pagination),
        }
    }
}

const BY_SCREENER: Walk = walk!(List::Responses, "responses", "screener", "screener_id");
const BY_PUBLICATION: Walk = walk!(List::Responses, "responses", "publication", "publication_id");

/// Returns the scopes of a session's answers, in addition to the whole list.
fn scopes_of(session: &Session) -> [Scope<'_>; 2] {
    [Scope::Screener(session.screener.as_str()), Scope::Publication(session.publication.as_str())]
}

/// The way in which the responses of a filter are read.
#[derive(Clone, Debug)]
pub enum ResponseWalk {
    /// No response matches.
    Nothing,
    /// The whole list.
    All,
    /// One screener.
    Screener(String),
    /// One publication.
    Publication(String),
    /// The responses of named sessions or screener participants, by their numbers.
    Numbered(Vec<i64>),
}

/// The result of a filter that only supports equality.
enum Choice<'a> {
    Nothing,
    One(&'a str),
    All,
}

/// Parses such a filter. Rejects any other instead of ignoring it, because an ignored filter
/// returns too much.
fn one_or_all(filter: &IdSet) -> Result<Choice<'_>> {
    match filter {
        IdSet::Only(ids) if ids.len() <= 1 => {
            Ok(ids.first().map_or(Choice::Nothing, |id| Choice::One(id)))
        }
        IdSet::AllBut(ids) if ids.is_empty() => Ok(Choice::All),
        IdSet::Only(_) | IdSet::AllBut(_) => Err(unknown_filter()),
    }
}

/// Returns the ids that such a filter names, or `None` if it names none.
fn named_or_all(filter: &IdSet) -> Result<Option<&BTreeSet<String>>> {
    match filter {
        IdSet::Only(ids) => Ok(Some(ids)),
        IdSet::AllBut(ids) if ids.is_empty() => Ok(None),
        IdSet::AllBut(_) => Err(unknown_filter()),
    }
}

fn unknown_filter() -> Error {
    Error::internal("no list of responses knows this filter")
}

macro_rules! select_response {
    () => {
        "SELECT r.session_id, q.page_id, r.question_id, r.screener_id, r.publication_id,
                a.participant_id, p.external_uid, r.assignment_id, q.prompt, q.kind,
                r.text, r.number, r.choices
         FROM responses r
         JOIN questions q ON q.tenant_id = r.tenant_id
            AND q.publication_id = r.publication_id AND q.id = r.question_id
         JOIN assignments a ON a.tenant_id = r.tenant_id AND a.id = r.assignment_id
         JOIN participants p ON p.tenant_id = a.tenant_id AND p.id = a.participant_id
         WHERE r.tenant_id = $1 AND "
    };
}

const PAGE_OF_SCREENER: &str =
    concat!(select_response!(), page_where!("r.", "responses", "screener_id"));
const PAGE_OF_PUBLICATION: &str =
    concat!(select_response!(), page_where!("r.", "responses", "publication_id"));

fn read_response(row: &mut Row<'_>) -> Result<ScreenerResponse> {
    row.of("responses");
    let session = row.parse(SessionId::parse)?;
    let page = row.parse(PageId::parse)?;
    let question = row.parse(QuestionId::parse)?;
    let screener = row.parse(ScreenerId::parse)?;
    let publication = row.parse(PublicationId::parse)?;
    let participant = row.parse(ParticipantId::parse)?;
    let external_uid = row.opt_parse(ExternalUid::parse)?;
    let assignment = row.parse(AssignmentId::parse)?;
    let prompt = row.text()?;
    let kind = row.parse(QuestionKind::parse)?;
    let answer = Arc::new(read_answer(row, kind)?);
    let origin =
        Arc::new(Origin { session, screener, publication, participant, external_uid, assignment });
    Ok(ScreenerResponse { origin, asked: Arc::new(Asked { page, question, prompt, kind }), answer })
}

impl Tx {
    /// Returns a page of a tenant's responses, in arrival order.
    ///
    /// Responses of named sessions or screener participants are collected before they are paged:
    /// one index entry for each of their own answers, of which a session has at most 500. Every
    /// other filter is one seek.
    pub async fn list_responses(
        &mut self,
        tenant: &TenantId,
        filter: &ResponseFilter,
        paging: impl Into<Paging> + Send,
    ) -> Result<Page<ScreenerResponse>> {
        let paging = paging.into();
        let found = match self.response_walk(tenant, filter).await? {
            ResponseWalk::Nothing => (0, Vec::new()),
            ResponseWalk::All => self.dense_page(tenant, List::Responses, &paging).await?,
            ResponseWalk::Numbered(seqs) => page_of(seqs, &paging),
            ResponseWalk::Screener(id) => {
                let (walk, sql) = (BY_SCREENER, PAGE_OF_SCREENER);
                return walk.rows(self, tenant, &id, &paging, sql, read_response).await;
            }
            ResponseWalk::Publication(id) => {
                let (walk, sql) = (BY_PUBLICATION, PAGE_OF_PUBLICATION);
                return walk.rows(self, tenant, &id, &paging, sql, read_response).await;
            }
        };
        let halves = (concat!(select_response!(), "r.seq IN ("), ") ORDER BY r.seq");
        self.page_at(tenant, found, &paging, halves, read_response).await
    }

    /// Returns the way in which the responses of a filter are read.
    async fn response_walk(
        &mut self,
        tenant: &TenantId,
        filter: &ResponseFilter,
    ) -> Result<ResponseWalk> {
        let ResponseFilter { screeners, publications, sessions, assignments } = filter;
        let (screener, publication) = (one_or_all(screeners)?, one_or_all(publications)?);
        let named = match (named_or_all(sessions)?, named_or_all(assignments)?) {
            (Some(ids), _) => Some(("session_id", ids)),
            (None, Some(ids)) => Some(("assignment_id", ids)),
            (None, None) => None,
        };
        if let Some((column, ids)) = named {
            let seqs = self.response_seqs_of(tenant, column, ids, filter).await?;
            return Ok(ResponseWalk::Numbered(seqs));
        }
        Ok(match (publication, screener) {
            (Choice::Nothing, _) | (_, Choice::Nothing) => ResponseWalk::Nothing,
            (Choice::One(id), _) if self.publication_is_of(tenant, id, screeners).await? => {
                ResponseWalk::Publication(id.to_owned())
            }
            (Choice::One(_), _) => ResponseWalk::Nothing,
            (Choice::All, Choice::One(id)) => ResponseWalk::Screener(id.to_owned()),
            (Choice::All, Choice::All) => ResponseWalk::All,
        })
    }

    async fn publication_is_of(
        &mut self,
        tenant: &TenantId,
        publication: &str,
        screeners: &IdSet,
    ) -> Result<bool> {
        let screener = self
            .one(
                "SELECT screener_id FROM publications WHERE tenant_id = $1 AND id = $2",
                args![tenant, publication],
                read_text,
            )
            .await?;
        Ok(screener.is_some_and(|screener| screeners.contains(&screener)))
    }

    async fn response_seqs_of(
        &mut self,
        tenant: &TenantId,
        column: &'static str,
        ids: &BTreeSet<String>,
        filter: &ResponseFilter,
    ) -> Result<Vec<i64>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<&String> = ids.iter().collect();
        let list = ListArgs::new(args![tenant], &ids);
        let sql = format!(
            "SELECT seq, screener_id, publication_id, assignment_id FROM responses
             WHERE tenant_id = $1 AND {column} IN ({})",
            list.placeholders
        );
        let mut seqs = Vec::new();
        self.scan(sql, &list.args, |row| {
            let seq = row.int()?;
            if filter.screeners.contains(&row.text()?)
                && filter.publications.contains(&row.text()?)
                && filter.assignments.contains(&row.text()?)
            {
                seqs.push(seq);
            }
            Ok(())
        })
        .await?;
        Ok(seqs)
    }

    /// Returns the answers of a session, each with its question.
    pub async fn session_answers(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
    ) -> Result<Vec<(QuestionId, Answer)>> {
        let answers = self.answers_of(tenant, &[session], usize::MAX).await?;
        Ok(answers.and_then(|mut answers| answers.remove(session)).unwrap_or_default())
    }

    /// Returns the answers of those sessions that have any, each with its question. Returns `None`
    /// if they have more than `max_bytes` together.
    pub(super) async fn answers_of(
        &mut self,
        tenant: &TenantId,
        sessions: &[&SessionId],
        max_bytes: usize,
    ) -> Result<Option<BTreeMap<SessionId, Vec<(QuestionId, Answer)>>>> {
        let mut answers = BTreeMap::new();
        if sessions.is_empty() {
            return Ok(Some(answers));
        }
        let mut bytes = 0_usize;
        let list = ListArgs::new(args![tenant], sessions);
        let sql = format!(
            "SELECT r.session_id, r.question_id, q.kind, r.text, r.number, r.choices
             FROM responses r
             JOIN questions q ON q.tenant_id = r.tenant_id
                AND q.publication_id = r.publication_id AND q.id = r.question_id
             WHERE r.tenant_id = $1 AND r.session_id IN ({})",
            list.placeholders
        );
        let scanned = self.scan(sql, &list.args, |row| {
            let session = row.of("responses").parse(SessionId::parse)?;
            let question = row.parse(QuestionId::parse)?;
            let kind = row.parse(QuestionKind::parse)?;
            let answer = read_answer(row, kind)?;
            bytes += answer.content_bytes();
            if bytes > max_bytes {
                // Only an error stops the statement.
                return Err(Error::new(Kind::PageTooLarge, "The answers are larger than a page."));
            }
            answers.entry(session).or_insert_with(Vec::new).push((question, answer));
            Ok(())
        });
        match scanned.await {
            Err(error) if error.kind() == Kind::PageTooLarge => Ok(None),
            scanned => scanned.map(|()| Some(answers)),
        }
    }

    /// Returns the answer to one question of a session.
    pub async fn get_answer(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
        question: &QuestionId,
        kind: QuestionKind,
    ) -> Result<Option<Answer>> {
        self.one(
            "SELECT session_id, text, number, choices FROM responses
             WHERE tenant_id = $1 AND session_id = $2 AND question_id = $3",
            args![tenant, session, question],
            |row| read_answer(row.of("responses").skip_id(), kind),
        )
        .await
    }
}
