//! The funnel: the cell of each session, and the number of sessions in each cell.
//!
//! A session's row contains the cell in which it is counted. A write that touches a session reads
//! its [`Standing`], applies its changes to it, and moves the session: by [`WriteTx::settle`], or
//! together with other data of the session. It locks the session's participant, so that no other
//! write moves the session from the same cell.

use super::participant::read_person;
use super::session::{read_session, session_columns};
use super::sql::{Arg, args};
use super::{Row, Tx, WriteTx};
use crate::domain::error::{Error, Result};
use crate::domain::funnel::{Cell, Funnel};
use crate::domain::id::{
    AssignmentId, ParticipantId, PublicationId, QuestionId, ScreenerId, SessionId, TenantId,
};
use crate::domain::participant::{IdVerification, Person};
use crate::domain::review::{Review, ReviewStatus};
use crate::domain::session::Session;
use crate::domain::submission::NewSubmission;
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Outcome, Verdict};

/// The data that determines the cell of a session, in addition to the session itself.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The person whose session it is.
    person: Person,
    /// The cell in which it is counted. Absent if the session is older than cells.
    cell: Option<String>,
    /// The position, from 1, of the last answered question.
    furthest: usize,
    id_verification: IdVerification,
    submission: Option<Submitted>,
}

#[derive(Clone, Debug)]
struct Submitted {
    status: ReviewStatus,
    qualified_override: Option<bool>,
    is_verdict_stored: bool,
    first_disqualifying: Option<QuestionId>,
    /// The noted values of the submission.
    noted: (Option<bool>, Option<Timestamp>),
}

/// Derived values that are stored with a submission.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Noted {
    /// Whether the participant qualifies.
    pub qualified: bool,
    /// When the submission was created.
    pub created: Timestamp,
}

impl Noted {
    fn of(session: &Session, outcome: &Outcome) -> Self {
        let created = session.submitted().unwrap_or(session.created);
        Self { qualified: *outcome == Outcome::Qualified, created }
    }
}

impl Standing {
    /// Creates the standing of a new session of a person with this identity verification.
    #[must_use]
    pub fn new(person: Person, id_verification: IdVerification) -> Self {
        Self { person, cell: None, furthest: 0, id_verification, submission: None }
    }

    /// Returns the standing with another review.
    #[must_use]
    pub fn reviewed(self, review: &Review) -> Self {
        let changed = |it| Submitted {
            status: review.status,
            qualified_override: review.qualified_override,
            ..it
        };
        Self { submission: self.submission.map(changed), ..self }
    }

    /// Returns the standing with this state of identity verification.
    #[must_use]
    pub fn verified(self, id_verification: IdVerification) -> Self {
        Self { id_verification, ..self }
    }

    /// Returns the standing with answers up to a position, which result in this verdict.
    #[must_use]
    pub fn answered(self, furthest: usize, verdict: &Verdict) -> Self {
        Self { furthest, ..self.judged(verdict) }
    }

    /// Returns the standing with this verdict.
    #[must_use]
    pub fn judged(self, verdict: &Verdict) -> Self {
        let first_disqualifying = verdict.first_disqualifying.clone();
        let changed = |it| Submitted { is_verdict_stored: true, first_disqualifying, ..it };
        Self { submission: self.submission.map(changed), ..self }
    }

    /// Returns the standing with a new submission, with answers up to a position.
    #[must_use]
    pub fn begun(self, furthest: usize, new: &NewSubmission<'_>) -> Self {
        let submission = Submitted {
            status: new.review.status,
            qualified_override: new.review.qualified_override,
            is_verdict_stored: true,
            first_disqualifying: new.verdict.first_disqualifying.clone(),
            noted: (None, None),
        };
        Self { furthest, submission: Some(submission), ..self }
    }

    /// Returns the state of the participant's identity verification.
    #[must_use]
    pub fn id_verification(&self) -> IdVerification {
        self.id_verification
    }

    /// Returns the person whose session it is.
    #[must_use]
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// Returns the cell in which the session was counted.
    pub(super) fn before(&self) -> Option<String> {
        self.cell.clone()
    }

    /// Returns the cell to which the session belongs.
    pub(super) fn cell(&self, session: &Session) -> String {
        let decided = self.submission.as_ref().map(|it| (it.status, self.outcome(it)));
        Cell::of(session, self.furthest, decided).to_string()
    }

    /// Returns the values to note with the submission of the session, if any.
    #[must_use]
    pub fn noted(&self, session: &Session) -> Option<Noted> {
        self.submission.as_ref().map(|it| Noted::of(session, &self.outcome(it)))
    }

    fn outcome(&self, submission: &Submitted) -> Outcome {
        let Submitted { qualified_override, first_disqualifying, .. } = submission;
        Outcome::of(*qualified_override, first_disqualifying.as_ref(), self.id_verification)
    }
}

/// The columns of a standing after those of its session, in the order of [`read_standing`].
macro_rules! standing_columns {
    () => {
        "s.funnel_cell,
            (SELECT MAX(q.position) + 1 FROM responses r
             JOIN questions q ON q.tenant_id = r.tenant_id
                AND q.publication_id = r.publication_id AND q.id = r.question_id
             WHERE r.tenant_id = s.tenant_id AND r.session_id = s.id),
            h.id, h.external_uid, h.id_verification, v.status, v.qualified_override, v.publication_hash,
            v.first_disqualifying, v.qualified, v.created_at"
    };
}

pub(super) use standing_columns;

macro_rules! select_standing {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            session_columns!(),
            ", ",
            standing_columns!(),
            " FROM sessions s
             JOIN publications p ON p.tenant_id = s.tenant_id AND p.id = s.publication_id
             JOIN assignments a ON a.tenant_id = s.tenant_id AND a.id = s.assignment_id
             JOIN participants h ON h.tenant_id = a.tenant_id AND h.id = a.participant_id
             LEFT JOIN submissions v ON v.tenant_id = s.tenant_id AND v.session_id = s.id ",
            $rest
        )
    };
}

/// With a join in place of `IN`, SQLite reads all sessions of the tenant.
pub(super) const STARTED_SESSIONS: &str = select_standing!(
    "WHERE s.tenant_id = $1 AND s.started_at IS NOT NULL AND s.assignment_id IN
     (SELECT id FROM assignments WHERE tenant_id = $1 AND participant_id = $2)"
);

pub(super) fn read_standing(row: &mut Row<'_>) -> Result<(Session, Standing)> {
    let session = read_session(row)?;
    let cell = row.of("sessions").opt_text()?;
    let furthest = row.opt_int()?.unwrap_or(0);
    let furthest = usize::try_from(furthest).map_err(|error| row.corrupt(error))?;
    let person = read_person(row)?;
    let id_verification = row.parse(IdVerification::parse)?;
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
    Ok((session, Standing { person, cell, furthest, id_verification, submission }))
}

impl Tx {
    /// Returns a session and its standing.
    pub async fn get_standing(
        &mut self,
        tenant: &TenantId,
        id: &SessionId,
    ) -> Result<Option<(Session, Standing)>> {
        let sql = select_standing!("WHERE s.tenant_id = $1 AND s.id = $2");
        match self.one(sql, args![tenant, id], read_standing).await? {
            Some((session, standing)) => {
                self.with_verdict(tenant, session, standing).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Returns the sessions of a participant that have a submission, with their standings.
    pub async fn started_sessions(
        &mut self,
        tenant: &TenantId,
        participant: &ParticipantId,
    ) -> Result<Vec<(Session, Standing)>> {
        let found = self.all(STARTED_SESSIONS, args![tenant, participant], read_standing).await?;
        let mut sessions = Vec::with_capacity(found.len());
        for (session, standing) in found {
            sessions.push(self.with_verdict(tenant, session, standing).await?);
        }
        Ok(sessions)
    }

    /// Computes the verdict of a submission that is older than stored verdicts.
    async fn with_verdict(
        &mut self,
        tenant: &TenantId,
        session: Session,
        mut standing: Standing,
    ) -> Result<(Session, Standing)> {
        if let Some(submission) = &mut standing.submission
            && !submission.is_verdict_stored
        {
            let verdict = self.compute_verdict(tenant, &session).await?;
            submission.first_disqualifying = verdict.first_disqualifying;
        }
        Ok((session, standing))
    }

    /// Returns the tenants of sessions that are older than cells.
    pub async fn unsettled_tenants(&mut self) -> Result<Vec<TenantId>> {
        self.all(
            "SELECT DISTINCT tenant_id FROM unsettled_sessions ORDER BY tenant_id",
            args![],
            |row| row.of("unsettled_sessions").parse(TenantId::parse),
        )
        .await
    }

    /// Computes the verdict of a session from its publication and its current answers.
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

    /// Returns the funnel of a screener, or of one of its publications. Reads one row for each cell
    /// that has ever counted a session.
    pub async fn get_funnel(
        &mut self,
        tenant: &TenantId,
        screener: &ScreenerId,
        publication: Option<&PublicationId>,
    ) -> Result<Funnel> {
        let mut funnel = Funnel::default();
        let mut args = args![tenant, screener].to_vec();
        args.extend(publication.map(Arg::from));
        let of_publication = if publication.is_some() { " AND publication_id = $3" } else { "" };
        let sql = format!(
            "SELECT publication_id, cell, sessions FROM funnel_cells
             WHERE tenant_id = $1 AND screener_id = $2{of_publication} AND sessions <> 0"
        );
        self.scan(sql, &args, |row| {
            row.of("funnel_cells");
            let publication = row.parse(PublicationId::parse)?;
            let (cell, sessions) = (row.parse(Cell::parse)?, row.int()?);
            if sessions < 0 {
                return Err(row.corrupt("a cell counts its sessions"));
            }
            funnel.add(&publication, cell, sessions);
            Ok(())
        })
        .await?;
        Ok(funnel)
    }

    /// Returns the newest session of an assignment, and its cell.
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

impl WriteTx {
    /// Settles some of a tenant's sessions that are older than cells. Returns `false` once there
    /// are none.
    pub async fn settle_unsettled(&mut self, tenant: &TenantId, sessions_max: i64) -> Result<bool> {
        self.expect_tenant_alone(tenant)?;
        let ids = self
            .all(
                "SELECT id FROM unsettled_sessions WHERE tenant_id = $1 ORDER BY id LIMIT $2",
                args![tenant, sessions_max],
                |row| row.of("unsettled_sessions").parse(SessionId::parse),
            )
            .await?;
        let mut sessions = Vec::with_capacity(ids.len());
        for id in &ids {
            let found = self.get_standing(tenant, id).await?;
            sessions
                .push(found.ok_or_else(|| Error::internal("a session to be settled is missing"))?);
        }
        for (session, standing) in sessions {
            self.settle(tenant, &session, &standing).await?;
            self.put(
                "DELETE FROM unsettled_sessions WHERE tenant_id = $1 AND id = $2",
                args![tenant, &session.id],
            )
            .await?;
        }
        Ok(!ids.is_empty())
    }

    /// Moves a session to its cell, and stores the derived values of its submission.
    pub async fn settle(
        &mut self,
        tenant: &TenantId,
        session: &Session,
        standing: &Standing,
    ) -> Result<()> {
        let noted = standing.noted(session);
        let before = standing.submission.as_ref().map(|it| it.noted);
        if let Some(Noted { qualified, created }) = noted
            && before != Some((Some(qualified), Some(created)))
        {
            self.must(
                "UPDATE submissions SET qualified = $1, created_at = $2
                 WHERE tenant_id = $3 AND session_id = $4",
                args![qualified, created, tenant, &session.id],
                1,
            )
            .await?;
        }
        self.shift_session(tenant, session, standing).await
    }

    /// Moves a session to its cell.
    pub async fn shift_session(
        &mut self,
        tenant: &TenantId,
        session: &Session,
        standing: &Standing,
    ) -> Result<()> {
        self.expect_person(tenant, &standing.person)?;
        let (before, after) = (standing.before(), standing.cell(session));
        if before.as_ref() == Some(&after) {
            return Ok(());
        }
        self.must(
            "UPDATE sessions SET funnel_cell = $1 WHERE tenant_id = $2 AND id = $3",
            args![&after, tenant, &session.id],
            1,
        )
        .await?;
        self.shift(tenant, (&standing.person, session), before, after)
    }

    /// Stores the status of a session, and moves the session to its new cell.
    pub async fn set_session_status(
        &mut self,
        tenant: &TenantId,
        session: &Session,
        standing: &Standing,
    ) -> Result<()> {
        let cell = standing.cell(session);
        self.must(
            "UPDATE sessions SET status = $1, funnel_cell = $2 WHERE tenant_id = $3 AND id = $4",
            args![session.status.as_str(), &cell, tenant, &session.id],
            1,
        )
        .await?;
        self.shift(tenant, (&standing.person, session), standing.before(), cell)
    }

    /// Stores the times of a session, and moves the session to its new cell.
    pub async fn advance_session(
        &mut self,
        tenant: &TenantId,
        session: &Session,
        standing: &Standing,
    ) -> Result<()> {
        self.expect_screener(tenant, &session.screener)?;
        let (before, after) = (standing.before(), standing.cell(session));
        self.must(
            "UPDATE sessions SET started_at = $1, last_active_at = $2, completed_at = $3,
                funnel_cell = $4
             WHERE tenant_id = $5 AND id = $6",
            args![
                session.progress.started(),
                session.progress.last_active(),
                session.progress.completed(),
                &after,
                tenant,
                &session.id,
            ],
            1,
        )
        .await?;
        self.shift(tenant, (&standing.person, session), before, after)
    }
}
