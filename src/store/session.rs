//! Sessions.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::engine::read_int;
use super::list::{Length, List, Merge, Paging, Scope, Walk, page_of, page_where, walk};
use super::publication::parse_tags;
use super::sql::{ListArgs, args};
use super::{Ledger, Row, Tx};
use crate::domain::answer::Answer;
use crate::domain::change::Change;
use crate::domain::error::{Error, Result};
use crate::domain::funnel::Cell;
use crate::domain::id::{
    AssignmentId, ParticipantId, PublicationId, QuestionId, ScreenerId, SessionId, TenantId,
};
use crate::domain::link::Linked;
use crate::domain::list::{IdSet, Page, Pagination};
use crate::domain::session::{Progress, Session, SessionStatus};
use crate::domain::submission::NewSubmission;
use crate::domain::tag::Tag;

/// Which sessions a list holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SessionFilter {
    /// By their ids.
    pub ids: IdSet,
    /// By their screeners.
    pub screeners: IdSet,
}

impl SessionFilter {
    /// How long a page takes to read. One that joins or leaves out ids is searched for.
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

/// The columns of a session, in the order in which [`read_session`] takes them.
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

/// The tags of the row before: most rows of a page have the same, and share them.
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
    })
}

/// With a join in place of `IN`, SQLite reads all sessions of the tenant.
pub(super) const STARTED_SESSIONS: &str = select_session!(
    "WHERE s.tenant_id = $1 AND s.started_at IS NOT NULL AND s.assignment_id IN
     (SELECT id FROM assignments WHERE tenant_id = $1 AND participant_id = $2)"
);

impl Tx {
    /// One session of a tenant.
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

    /// Where a handed-out link leads.
    pub async fn find_session_by_link(
        &mut self,
        screener: &ScreenerId,
        id: &SessionId,
    ) -> Result<Option<Linked>> {
        self.one(
            "SELECT id, tenant_id, screener_id, link_trusted FROM sessions
             WHERE id = $1 AND screener_id = $2",
            args![id, screener],
            read_linked,
        )
        .await
    }

    /// Where a slug leads.
    pub async fn find_session_by_slug(&mut self, slug: &str) -> Result<Option<Linked>> {
        self.one(
            "SELECT id, tenant_id, screener_id, link_trusted FROM sessions WHERE link_slug = $1",
            args![slug],
            read_linked,
        )
        .await
    }

    /// A page of a tenant's sessions, in arrival order.
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

    /// The positions of the sessions of these ids and screeners: at most 500 point reads.
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

    /// Changes a session's status; `false` if it is no longer what it was.
    pub async fn set_session_status(
        &mut self,
        tenant: &TenantId,
        id: &SessionId,
        before: SessionStatus,
        after: SessionStatus,
    ) -> Result<bool> {
        self.exec_one(
            "UPDATE sessions SET status = $1
             WHERE tenant_id = $2 AND id = $3 AND status = $4",
            args![after.as_str(), tenant, id, before.as_str()],
        )
        .await
    }

    /// Ends a change of a session or of its submission: records it, and moves the session to the
    /// cell of the funnel in which it stands now.
    pub async fn conclude(
        &mut self,
        tenant: &TenantId,
        change: &Change,
        session: &Session,
    ) -> Result<()> {
        let mut ledger = Ledger::default();
        self.append_change(&mut ledger, tenant, change).await?;
        self.settle(&mut ledger, tenant, session).await?;
        ledger.flush(self).await
    }

    /// The newest session of an assignment that can be answered.
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

    /// The sessions of a participant to which something was submitted.
    pub(super) async fn started_sessions(
        &mut self,
        tenant: &TenantId,
        participant: &ParticipantId,
    ) -> Result<Vec<Session>> {
        self.all(STARTED_SESSIONS, args![tenant, participant], read_session).await
    }

    /// Whether any session of an assignment is completed.
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

    /// Whether a session id or a slug is taken, by anybody.
    pub async fn is_session_taken(&mut self, id: &SessionId, slug: &str) -> Result<(bool, bool)> {
        // One statement: an import asks for every session that it adds.
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

    /// Adds a session to which nothing was submitted yet.
    pub async fn create_session(
        &mut self,
        ledger: &mut Ledger,
        tenant: &TenantId,
        session: &Session,
    ) -> Result<()> {
        self.insert_session(ledger, tenant, session, &Cell::of(session, 0, None)).await
    }

    /// Adds a session that was started elsewhere, with its submission and the answers to its
    /// publication's questions.
    pub async fn create_answered_session(
        &mut self,
        ledger: &mut Ledger,
        tenant: &TenantId,
        new: &NewSubmission<'_>,
        answers: &[(QuestionId, Answer)],
        furthest: usize,
    ) -> Result<()> {
        let submission = (new.review.status, new.outcome());
        let cell = Cell::of(new.session, furthest, Some(submission));
        self.insert_session(ledger, tenant, new.session, &cell).await?;
        self.create_submission(ledger, tenant, new).await?;
        self.create_responses(ledger, tenant, new.session, answers).await
    }

    /// Adds a session, which from now on counts in the cell in which it stands.
    async fn insert_session(
        &mut self,
        ledger: &mut Ledger,
        tenant: &TenantId,
        session: &Session,
        cell: &Cell,
    ) -> Result<()> {
        let scopes = [Scope::Screener(session.screener.as_str())];
        let seq = ledger.append(self, tenant, List::Sessions, &scopes).await?;
        let cell = cell.to_string();
        self.exec(
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
        ledger.cells.count(tenant, session, cell, 1);
        Ok(())
    }
}
