//! Sessions.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::engine::read_int;
use super::list::{Length, List, Merge, Paging, Scope, Walk, page_of, page_where, walk};
use super::participant::read_person;
use super::publication::parse_tags;
use super::sql::{ListArgs, args};
use super::{Row, Tx, WriteTx};
use crate::domain::answer::Answer;
use crate::domain::error::{Error, Result};
use crate::domain::funnel::Cell;
use crate::domain::id::{AssignmentId, PublicationId, QuestionId, ScreenerId, SessionId, TenantId};
use crate::domain::link::Linked;
use crate::domain::list::{IdSet, Page, Pagination};
use crate::domain::participant::Person;
use crate::domain::session::{Progress, Session, SessionStatus};
use crate::domain::submission::NewSubmission;
use crate::domain::tag::Tag;

/// The filter of a list of sessions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SessionFilter {
    /// The ids of sessions.
    pub ids: IdSet,
    /// The ids of their screeners.
    pub screeners: IdSet,
}

impl SessionFilter {
    /// Returns how long a page takes to read. Joining or excluding ids requires a search.
    #[must_use]
    pub fn length(&self, pagination: Pagination) -> Length {
        match (&self.ids, &self.screeners) {
            (IdSet::Only(ids), _) => Length::of_named(ids.len(), pagination),
            (ids, screeners) if ids.is_everything() && screeners.is_everything() => {
                Length::of(pagination)
            }
            (ids, IdSet::Only(screeners)) if ids.is_everything() && screeners.len() == 1 => {
                Length::of(pagination)
            }
            (IdSet::AllBut(_), _) => Length::Long,
        }
    }
}

const BY_SCREENER: Walk = walk!(List::Sessions, "sessions", "screener", "screener_id");

/// The columns of a session, in the order in which [`read_session`] reads them.
macro_rules! session_columns {
    () => {
        "s.id, s.screener_id, s.assignment_id, s.publication_id, s.link_slug, s.link_trusted,
         s.status, s.started_at, s.last_active_at, s.completed_at, s.created_at, p.tags"
    };
}
pub(super) use session_columns;

macro_rules! select_session {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            session_columns!(),
            " FROM sessions s
             JOIN publications p ON p.tenant_id = s.tenant_id AND p.id = s.publication_id ",
            $rest
        )
    };
}

const PAGE_OF_SCREENER: &str = concat!(
    select_session!("WHERE s.tenant_id = $1 AND "),
    page_where!("s.", "sessions", "screener_id")
);

/// The tags of the previous row. Most rows of a page have the same tags, and share them.
#[derive(Default)]
pub(super) struct TagCache(Option<(String, Arc<[Tag]>)>);

impl TagCache {
    fn read(&mut self, row: &mut Row<'_>) -> Result<Arc<[Tag]>> {
        let stored = row.str()?;
        if let Some((before, tags)) = &self.0
            && before == stored
        {
            return Ok(Arc::clone(tags));
        }
        let tags: Arc<[Tag]> = parse_tags(stored).map_err(|reason| row.corrupt(reason))?.into();
        self.0 = Some((stored.to_owned(), Arc::clone(&tags)));
        Ok(tags)
    }
}

pub(super) fn read_session(row: &mut Row<'_>) -> Result<Session> {
    read_session_after(row, &mut TagCache::default())
}

pub(super) fn read_session_after(row: &mut Row<'_>, before: &mut TagCache) -> Result<Session> {
    row.of("sessions");
    Ok(Session {
        id: row.parse(SessionId::parse)?,
        screener: row.parse(ScreenerId::parse)?,
        assignment: row.parse(AssignmentId::parse)?,
        publication: row.parse(PublicationId::parse)?,
        slug: row.text()?,
        link_trusted: row.flag()?,
        status: row.parse(SessionStatus::parse)?,
        progress: {
            let (started, last_active) = (row.opt_time()?, row.opt_time()?);
            let completed = row.opt_time()?;
            Progress::from_instants(started, last_active, completed)
                .map_err(|reason| row.corrupt(reason))?
        },
        created: row.time()?,
        tags: before.read(row.of("publications"))?,
    })
}

fn read_linked(row: &mut Row<'_>) -> Result<Linked> {
    row.of("sessions");
    Ok(Linked {
        session: row.parse(SessionId::parse)?,
        tenant: row.parse(TenantId::parse)?,
        screener: row.parse(ScreenerId::parse)?,
        is_trusted: row.flag()?,
        is_disabled: row.of("tenants").opt_time()?.is_some(),
        person: read_person(row)?,
    })
}

/// The target of a link: the columns that [`read_linked`] reads.
macro_rules! select_linked {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.tenant_id, s.screener_id, s.link_trusted, t.disabled_at, p.id,
                p.external_uid
             FROM sessions s
             JOIN tenants t ON t.id = s.tenant_id
             JOIN assignments a ON a.tenant_id = s.tenant_id AND a.id = s.assignment_id
             JOIN participants p ON p.tenant_id = a.tenant_id AND p.id = a.participant_id ",
            $rest
        )
    };
}

impl Tx {
    /// Returns a session of a tenant.
    pub async fn get_session(
        &mut self,
        tenant: &TenantId,
        id: &SessionId,
    ) -> Result<Option<Session>> {
        self.one(
            select_session!("WHERE s.tenant_id = $1 AND s.id = $2"),
            args![tenant, id],
            read_session,
        )
        .await
    }

    /// Returns the target of an issued link.
    pub async fn find_session_by_link(
        &mut self,
        screener: &ScreenerId,
        id: &SessionId,
    ) -> Result<Option<Linked>> {
        self.one(
            select_linked!("WHERE s.id = $1 AND s.screener_id = $2"),
            args![id, screener],
            read_linked,
        )
        .await
    }

    /// Returns the target of a slug.
    pub async fn find_session_by_slug(&mut self, slug: &str) -> Result<Option<Linked>> {
        self.one(select_linked!("WHERE s.link_slug = $1"), args![slug], read_linked).await
    }

    /// Returns a page of a tenant's sessions, in arrival order.
    pub async fn list_sessions(
        &mut self,
        tenant: &TenantId,
        filter: &SessionFilter,
        paging: impl Into<Paging> + Send,
    ) -> Result<Page<Session>> {
        let paging = paging.into();
        let mut before = TagCache::default();
        let read = |row: &mut Row<'_>| read_session_after(row, &mut before);
        let found = match (&filter.ids, &filter.screeners) {
            (IdSet::Only(ids), screeners) => {
                page_of(self.session_seqs_by_id(tenant, ids, screeners).await?, &paging)
            }
            (ids, screeners) if ids.is_everything() && screeners.is_everything() => {
                self.dense_page(tenant, List::Sessions, &paging).await?
            }
            (ids, IdSet::Only(screeners)) if ids.is_everything() && screeners.len() == 1 => {
                let (id, sql) = (screeners.first().map_or("", String::as_str), PAGE_OF_SCREENER);
                return BY_SCREENER.rows(self, tenant, id, &paging, sql, read).await;
            }
            (IdSet::AllBut(ids), screeners) => {
                let mut without = self.session_seqs_by_id(tenant, ids, screeners).await?;
                without.sort_unstable();
                let (joined, left_out) = match screeners {
                    IdSet::Only(ids) => (Some(ids.iter().map(String::as_str).collect()), vec![]),
                    IdSet::AllBut(ids) => (None, ids.iter().map(String::as_str).collect()),
                };
                let merge = Merge { walk: &BY_SCREENER, tenant, joined, left_out, without };
                merge.page(self, &paging).await?
            }
        };
        let halves = (select_session!("WHERE s.tenant_id = $1 AND s.seq IN ("), ") ORDER BY s.seq");
        self.page_at(tenant, found, &paging, halves, read).await
    }

    /// Returns the positions of the sessions with these ids and screeners: at most 500 point reads.
    async fn session_seqs_by_id(
        &mut self,
        tenant: &TenantId,
        ids: &BTreeSet<String>,
        screeners: &IdSet,
    ) -> Result<Vec<i64>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<&String> = ids.iter().collect();
        let list = ListArgs::new(args![tenant], &ids);
        let sql = format!(
            "SELECT seq, screener_id FROM sessions WHERE tenant_id = $1 AND id IN ({})",
            list.placeholders
        );
        let rows = self.all(sql, &list.args, |row| Ok((row.int()?, row.text()?))).await?;
        let matching = rows.into_iter().filter(|(_, screener)| screeners.contains(screener));
        Ok(matching.map(|(seq, _)| seq).collect())
    }

    /// Returns the screener of a session, and its person for locking. Neither ever changes.
    pub async fn find_person_of(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
    ) -> Result<Option<(ScreenerId, Person)>> {
        self.one(
            "SELECT p.id, p.external_uid, s.screener_id FROM sessions s
             JOIN assignments a ON a.tenant_id = s.tenant_id AND a.id = s.assignment_id
             JOIN participants p ON p.tenant_id = a.tenant_id AND p.id = a.participant_id
             WHERE s.tenant_id = $1 AND s.id = $2",
            args![tenant, session],
            |row| {
                let person = read_person(row)?;
                Ok((row.of("sessions").parse(ScreenerId::parse)?, person))
            },
        )
        .await
    }

    /// Returns the newest open session of an assignment.
    pub async fn find_open_session(
        &mut self,
        tenant: &TenantId,
        assignment: &AssignmentId,
    ) -> Result<Option<Session>> {
        self.one(
            select_session!(
                "WHERE s.tenant_id = $1 AND s.assignment_id = $2 AND s.status = 'ACTIVE'
                 AND s.completed_at IS NULL
                 ORDER BY s.seq DESC LIMIT 1"
            ),
            args![tenant, assignment],
            read_session,
        )
        .await
    }

    /// Returns whether any session of an assignment is completed.
    pub async fn has_completed_session(
        &mut self,
        tenant: &TenantId,
        assignment: &AssignmentId,
    ) -> Result<bool> {
        let found = self
            .one(
                "SELECT seq FROM sessions
                 WHERE tenant_id = $1 AND assignment_id = $2 AND completed_at IS NOT NULL
                 LIMIT 1",
                args![tenant, assignment],
                read_int,
            )
            .await?;
        Ok(found.is_some())
    }

    /// Returns whether any tenant has taken a session id, and a slug.
    pub async fn is_session_taken(&mut self, id: &SessionId, slug: &str) -> Result<(bool, bool)> {
        // A single statement, because an import checks every session that it adds.
        let found = self
            .one(
                "SELECT CASE WHEN EXISTS (SELECT 1 FROM sessions WHERE id = $1)
                            THEN CAST(1 AS BIGINT) ELSE 0 END,
                        CASE WHEN EXISTS (SELECT 1 FROM sessions WHERE link_slug = $2)
                            THEN CAST(1 AS BIGINT) ELSE 0 END",
                args![id, slug],
                |row| Ok((row.flag()?, row.flag()?)),
            )
            .await?;
        found.ok_or_else(|| Error::internal("an answer without a row"))
    }
}

impl WriteTx {
    /// Adds a session of a person without a submission.
    pub async fn create_session(
        &mut self,
        tenant: &TenantId,
        person: &Person,
        session: &Session,
    ) -> Result<()> {
        self.insert_session(tenant, person, session, &Cell::of(session, 0, None)).await
    }

    /// Adds a session of a person with its submission and its answers.
    pub async fn create_answered_session(
        &mut self,
        tenant: &TenantId,
        person: &Person,
        new: &NewSubmission<'_>,
        (answers, furthest): (&[(QuestionId, Answer)], usize),
        is_provisional: bool,
    ) -> Result<()> {
        let submission = (new.review.status, new.outcome());
        let cell = Cell::of(new.session, furthest, Some(submission));
        self.insert_session(tenant, person, new.session, &cell).await?;
        self.create_submission(tenant, new).await?;
        self.create_responses(tenant, new.session, answers, is_provisional).await
    }

    /// Adds a session, and counts it in its cell.
    async fn insert_session(
        &mut self,
        tenant: &TenantId,
        person: &Person,
        session: &Session,
        cell: &Cell,
    ) -> Result<()> {
        self.expect_screener(tenant, &session.screener)?;
        let scopes = [Scope::Screener(session.screener.as_str())];
        let seq = self.append(tenant, List::Sessions, &scopes).await?;
        let cell = cell.to_string();
        self.put(
            "INSERT INTO sessions (tenant_id, id, seq, screener_id, publication_id, assignment_id,
                link_slug, link_trusted, status, started_at, last_active_at, completed_at,
                created_at, funnel_cell)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            args![
                tenant,
                &session.id,
                seq,
                &session.screener,
                &session.publication,
                &session.assignment,
                &session.slug,
                session.link_trusted,
                session.status.as_str(),
                session.progress.started(),
                session.progress.last_active(),
                session.progress.completed(),
                session.created,
                &cell,
            ],
        )
        .await?;
        self.shift(tenant, (person, session), None, cell)
    }
}
