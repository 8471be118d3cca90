//! The funnel: in which cell each session stands, and how many stand in each.
//!
//! A session's row says in which cell it is counted. [`Tx::settle`] finds out from the rows where it
//! stands now, and moves it, as does [`Tx::advance_session`] with the session's instants. Every write
//! that touches a session ends in one of them, after the audit log, and locks the session's
//! participant: then no other moves it from the same cell.

use super::sql::{Arg, args};
use super::{Ledger, Row, Tx};
use crate::domain::error::{Error, Result};
use crate::domain::funnel::{Cell, Funnel};
use crate::domain::id::{
    AssignmentId, ParticipantId, PublicationId, QuestionId, ScreenerId, SessionId, TenantId,
};
use crate::domain::participant::IdVerification;
use crate::domain::review::ReviewStatus;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Outcome, Verdict};

/// What decides where a session stands, beside the session itself.
struct Standing {
    /// The cell in which it is counted; none, if it is from before there were any.
    cell: Option<String>,
    furthest: usize,
    id_verification: IdVerification,
    submission: Option<Submitted>,
}

struct Submitted {
    status: ReviewStatus,
    qualified_override: Option<bool>,
    is_verdict_stored: bool,
    first_disqualifying: Option<QuestionId>,
    /// What is noted beside it: whether the participant qualifies, and when it came to be.
    noted: (Option<bool>, Option<Timestamp>),
}

fn read_standing(row: &mut Row<'_>) -> Result<Standing> {
    row.of("sessions").skip_id();
    let cell = row.opt_text()?;
    let furthest = row.opt_int()?.unwrap_or(0);
    let furthest = usize::try_from(furthest).map_err(|error| row.corrupt(error))?;
    let id_verification = row.of("participants").parse(IdVerification::parse)?;
    let status = row.of("submissions").opt_parse(ReviewStatus::parse)?;
    let qualified_override = row.opt_flag()?;
    let is_verdict_stored = row.opt_text()?.is_some();
    let first_disqualifying = row.opt_parse(QuestionId::parse)?;
    let noted = (row.opt_flag()?, row.opt_time()?);
    let submission = status.map(|status| Submitted {
        status,
        qualified_override,
        is_verdict_stored,
        first_disqualifying,
        noted,
    });
    Ok(Standing { cell, furthest, id_verification, submission })
}

fn absent() -> Error {
    Error::internal("a session to be settled is not there")
}

impl Tx {
    /// Settles every session of a participant to which something was submitted.
    pub async fn settle_participant(
        &mut self,
        tenant: &TenantId,
        participant: &ParticipantId,
    ) -> Result<()> {
        let mut ledger = Ledger::default();
        for session in self.started_sessions(tenant, participant).await? {
            self.settle(&mut ledger, tenant, &session).await?;
        }
        ledger.flush(self).await
    }

    /// Settles some of the sessions from before there were cells; `false` once there are none.
    pub async fn settle_unsettled(&mut self, sessions_max: i64) -> Result<bool> {
        let sessions = self
            .all(
                "SELECT tenant_id, id FROM unsettled_sessions ORDER BY tenant_id, id LIMIT $1",
                args![sessions_max],
                |row| {
                    row.of("unsettled_sessions");
                    Ok((row.parse(TenantId::parse)?, row.parse(SessionId::parse)?))
                },
            )
            .await?;
        for (tenant, session) in &sessions {
            self.lock_session(tenant, session).await?;
        }
        let mut ledger = Ledger::default();
        for (tenant, id) in &sessions {
            let session = self.get_session(tenant, id).await?.ok_or_else(absent)?;
            self.settle(&mut ledger, tenant, &session).await?;
            self.exec(
                "DELETE FROM unsettled_sessions WHERE tenant_id = $1 AND id = $2",
                args![tenant, id],
            )
            .await?;
        }
        ledger.flush(self).await?;
        Ok(!sessions.is_empty())
    }

    /// Moves a session to the cell in which it stands by the rows as they are now. The session is as
    /// it is stored; the ledger counts it, and must be flushed after the audit log.
    pub async fn settle(
        &mut self,
        ledger: &mut Ledger,
        tenant: &TenantId,
        session: &Session,
    ) -> Result<()> {
        let (before, after) = self.update_standing(tenant, session).await?;
        if before.as_ref() == Some(&after) {
            return Ok(());
        }
        self.exec(
            "UPDATE sessions SET funnel_cell = $1 WHERE tenant_id = $2 AND id = $3",
            args![&after, tenant, &session.id],
        )
        .await?;
        ledger.cells.shift(tenant, session, before, after);
        Ok(())
    }

    /// Moves a session's instants on to these, and settles it; `false` if it can be answered no
    /// longer.
    pub async fn advance_session(
        &mut self,
        ledger: &mut Ledger,
        tenant: &TenantId,
        session: &Session,
    ) -> Result<bool> {
        let (before, after) = self.update_standing(tenant, session).await?;
        let advanced = self
            .exec_one(
                "UPDATE sessions SET started_at = $1, last_active_at = $2, completed_at = $3,
                    funnel_cell = $4
                 WHERE tenant_id = $5 AND id = $6 AND status = 'ACTIVE' AND completed_at IS NULL",
                args![
                    session.progress.started(),
                    session.progress.last_active(),
                    session.progress.completed(),
                    &after,
                    tenant,
                    &session.id,
                ],
            )
            .await?;
        if advanced {
            ledger.cells.shift(tenant, session, before, after);
        }
        Ok(advanced)
    }

    /// Notes beside a session's submission whether the participant qualifies and when it came to be.
    /// Returns the cell in which the session is counted, if it is in any, and the one in which it
    /// stands.
    async fn update_standing(
        &mut self,
        tenant: &TenantId,
        session: &Session,
    ) -> Result<(Option<String>, String)> {
        let id = &session.id;
        let standing = self.standing(tenant, id).await?.ok_or_else(absent)?;
        let Standing { cell: before, furthest, id_verification, submission } = standing;
        let mut decided = None;
        if let Some(submission) = submission {
            let first_disqualifying = if submission.is_verdict_stored {
                submission.first_disqualifying
            } else {
                self.compute_verdict(tenant, session).await?.first_disqualifying
            };
            let manual = submission.qualified_override;
            let outcome = Outcome::of(manual, first_disqualifying.as_ref(), id_verification);
            let qualified = outcome == Outcome::Qualified;
            let created = session.submitted().unwrap_or(session.created);
            if submission.noted != (Some(qualified), Some(created)) {
                self.exec(
                    "UPDATE submissions SET qualified = $1, created_at = $2
                     WHERE tenant_id = $3 AND session_id = $4",
                    args![qualified, created, tenant, id],
                )
                .await?;
            }
            decided = Some((submission.status, outcome));
        }
        Ok((before, Cell::of(session, furthest, decided).to_string()))
    }

    async fn standing(&mut self, tenant: &TenantId, id: &SessionId) -> Result<Option<Standing>> {
        self.one(
            "SELECT s.id, s.funnel_cell,
                (SELECT MAX(q.position) + 1 FROM responses r
                 JOIN questions q ON q.tenant_id = r.tenant_id
                    AND q.publication_id = r.publication_id AND q.id = r.question_id
                 WHERE r.tenant_id = s.tenant_id AND r.session_id = s.id),
                p.id_verification, v.status, v.qualified_override, v.publication_hash,
                v.first_disqualifying, v.qualified, v.created_at
             FROM sessions s
             JOIN assignments a ON a.tenant_id = s.tenant_id AND a.id = s.assignment_id
             JOIN participants p ON p.tenant_id = a.tenant_id AND p.id = a.participant_id
             LEFT JOIN submissions v ON v.tenant_id = s.tenant_id AND v.session_id = s.id
             WHERE s.tenant_id = $1 AND s.id = $2",
            args![tenant, id],
            read_standing,
        )
        .await
    }

    /// The verdict of a session by its publication and its answers as they are.
    pub async fn compute_verdict(
        &mut self,
        tenant: &TenantId,
        session: &Session,
    ) -> Result<Verdict> {
        let publication = self.get_publication(tenant, &session.publication).await?;
        let publication =
            publication.ok_or_else(|| Error::internal("a session without its publication"))?;
        let answers = self.session_answers(tenant, &session.id).await?;
        Ok(Verdict::of(&publication, answers.iter().map(|(id, answer)| (id, answer))))
    }

    /// The funnel of a screener, or of one of its publications. It reads one row for each cell in
    /// which a session stands.
    pub async fn get_funnel(
        &mut self,
        tenant: &TenantId,
        screener: &ScreenerId,
        publication: Option<&PublicationId>,
    ) -> Result<Funnel> {
        debug_assert!(self.pending.is_empty(), "a funnel is read where nothing is written");
        let mut funnel = Funnel::default();
        let mut args = args![tenant, screener].to_vec();
        args.extend(publication.map(Arg::from));
        let of_publication = if publication.is_some() { " AND publication_id = $3" } else { "" };
        let sql = format!(
            "SELECT publication_id, cell, sessions FROM funnel_cells
             WHERE tenant_id = $1 AND screener_id = $2{of_publication}"
        );
        self.scan(sql, &args, |row| {
            row.of("funnel_cells");
            let publication = row.parse(PublicationId::parse)?;
            let (cell, sessions) = (row.parse(Cell::parse)?, row.int()?);
            if sessions <= 0 {
                return Err(row.corrupt("a cell in which nobody stands is not there"));
            }
            funnel.add(&publication, cell, sessions);
            Ok(())
        })
        .await?;
        Ok(funnel)
    }

    /// The newest session of an assignment, and where it stands.
    pub async fn newest_session(
        &mut self,
        tenant: &TenantId,
        assignment: &AssignmentId,
    ) -> Result<Option<(SessionId, Cell)>> {
        self.one(
            "SELECT id, funnel_cell FROM sessions
             WHERE tenant_id = $1 AND assignment_id = $2 ORDER BY seq DESC LIMIT 1",
            args![tenant, assignment],
            |row| {
                row.of("sessions");
                Ok((row.parse(SessionId::parse)?, row.parse(Cell::parse)?))
            },
        )
        .await
    }
}
