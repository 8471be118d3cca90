//! The data on which a submission is judged, read in one statement.

use super::assignment::read_assignment_of;
use super::funnel::{Standing, read_standing, standing_columns};
use super::idempotency_key::parse_receipt;
use super::publication::parse_tags;
use super::question::read_answer;
use super::screener::{read_screener, screener_columns};
use super::session::session_columns;
use super::sql::args;
use super::{Row, Tx};
use crate::domain::answer::Answer;
use crate::domain::answering::Receipt;
use crate::domain::content_hash::ContentHash;
use crate::domain::error::Result;
use crate::domain::id::{AssignmentId, ParticipantId, QuestionId, ScreenerId, SessionId, TenantId};
use crate::domain::participant::{Assignment, ExternalUid, IdVerification};
use crate::domain::question::QuestionKind;
use crate::domain::screener::Screener;
use crate::domain::session::{Progress, Session, SessionState, SessionStatus};
use crate::domain::tag::Tag;

/// The state of one person in one screener.
#[derive(Clone, Debug)]
pub struct Answering {
    /// The screener.
    pub screener: Screener,
    /// The person, if known, and the state of their identity verification.
    pub participant: Option<(ParticipantId, IdVerification)>,
    /// Their assignment to the screener, if any.
    pub assignment: Option<Assignment>,
    /// Whether they have completed a session of the screener.
    pub has_completed: bool,
    /// The status and state of their newest session.
    pub newest: Option<(SessionStatus, SessionState)>,
    /// The digest submitted under the given key, and its receipt.
    pub kept: Option<(Vec<u8>, Receipt)>,
    /// The tags and the digest of the version to answer: that of their session, or the active one.
    pub publication: Option<(Vec<Tag>, Option<ContentHash>)>,
    /// The session to answer, if any.
    pub session: Option<(Session, Standing)>,
}

/// A stored answer.
#[derive(Clone, Debug)]
pub struct StoredAnswer {
    /// The question.
    pub question: QuestionId,
    /// The answer.
    pub answer: Answer,
    /// Whether the page saved it automatically.
    pub is_provisional: bool,
}

/// The statement. Takes the joins that find the person and the session.
macro_rules! select_answering {
    ($found:literal) => {
        concat!(
            "SELECT ",
            screener_columns!(),
            ", h.id, h.id_verification, a.id, a.screener_id, a.participant_id, a.key_epoch,
                CASE WHEN EXISTS (SELECT 1 FROM sessions x WHERE x.tenant_id = a.tenant_id
                        AND x.assignment_id = a.id AND x.completed_at IS NOT NULL)
                    THEN CAST(1 AS BIGINT) ELSE 0 END,
                n.status, n.started_at, n.last_active_at, n.completed_at, k.digest, k.receipt,
                p.tags, p.content_hash, s.id, ",
            session_columns!(),
            ", ",
            standing_columns!(),
            " FROM screeners c ",
            $found,
            " LEFT JOIN publications d ON d.tenant_id = c.tenant_id
                AND d.id = c.draft_publication_id AND d.state = 'DRAFT'
             LEFT JOIN sessions n ON n.tenant_id = a.tenant_id AND n.id = (
                SELECT x.id FROM sessions x
                WHERE x.tenant_id = a.tenant_id AND x.assignment_id = a.id
                ORDER BY x.seq DESC LIMIT 1)
             LEFT JOIN submissions v ON v.tenant_id = s.tenant_id AND v.session_id = s.id
             LEFT JOIN publications p ON p.tenant_id = c.tenant_id AND p.state = 'PUBLISHED'
                AND p.id = COALESCE(s.publication_id, c.active_publication_id)
             LEFT JOIN submission_keys k ON k.tenant_id = a.tenant_id
                AND k.assignment_id = a.id AND k.key = $2
             WHERE c.tenant_id = $3 AND c.id = $4"
        )
    };
}

/// Finds the person by external uid, and their newest open session.
const BY_UID: &str = select_answering!(
    "LEFT JOIN participants h ON h.tenant_id = c.tenant_id AND h.external_uid = $1
     LEFT JOIN assignments a ON a.tenant_id = c.tenant_id AND a.participant_id = h.id
        AND a.screener_id = c.id
     LEFT JOIN sessions s ON s.tenant_id = a.tenant_id AND s.id = (
        SELECT x.id FROM sessions x
        WHERE x.tenant_id = a.tenant_id AND x.assignment_id = a.id AND x.status = 'ACTIVE'
            AND x.completed_at IS NULL
        ORDER BY x.seq DESC LIMIT 1)"
);
const BY_SESSION: &str = select_answering!(
    "JOIN sessions s ON s.tenant_id = c.tenant_id AND s.screener_id = c.id AND s.id = $1
     JOIN assignments a ON a.tenant_id = s.tenant_id AND a.id = s.assignment_id
     JOIN participants h ON h.tenant_id = a.tenant_id AND h.id = a.participant_id"
);

fn read_answering(row: &mut Row<'_>) -> Result<Answering> {
    let screener = read_screener(row)?;
    let participant = row.of("participants").opt_parse(ParticipantId::parse)?;
    let participant = participant.zip(row.opt_parse(IdVerification::parse)?);
    let assignment = row.of("assignments").opt_parse(AssignmentId::parse)?;
    let assignment = if let Some(id) = assignment {
        Some(read_assignment_of(row, id)?)
    } else {
        row.pass(3);
        None
    };
    let has_completed = row.of("sessions").flag()?;
    let newest = row.opt_parse(SessionStatus::parse)?;
    let (started, last_active, completed) = (row.opt_time()?, row.opt_time()?, row.opt_time()?);
    let progress = Progress::from_instants(started, last_active, completed)
        .map_err(|reason| row.corrupt(reason))?;
    let kept = row.of("submission_keys").opt_blob()?.zip(row.opt_parse(parse_receipt)?);
    let tags = row.of("publications").opt_parse(parse_tags)?;
    let hash = row.opt_parse(ContentHash::parse)?;
    let is_session = row.of("sessions").opt_str()?.is_some();
    Ok(Answering {
        screener,
        participant,
        assignment,
        has_completed,
        newest: newest.map(|status| (status, progress.state())),
        kept,
        publication: tags.map(|tags| (tags, hash)),
        session: if is_session { Some(read_standing(row)?) } else { None },
    })
}

impl Tx {
    /// Returns the state of the person with an external uid in a screener, with the receipt of a
    /// submission under `key`.
    pub async fn find_answering(
        &mut self,
        tenant: &TenantId,
        screener: &ScreenerId,
        external_uid: &ExternalUid,
        key: Option<&str>,
    ) -> Result<Option<Answering>> {
        self.one(BY_UID, args![external_uid, key, tenant, screener], read_answering).await
    }

    /// Returns the same for the person who answers a session.
    pub async fn find_answering_of(
        &mut self,
        tenant: &TenantId,
        screener: &ScreenerId,
        session: &SessionId,
        key: Option<&str>,
    ) -> Result<Option<Answering>> {
        self.one(BY_SESSION, args![session, key, tenant, screener], read_answering).await
    }

    /// Returns the answers of a session, and whether the page saved them automatically.
    pub async fn stored_answers(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
    ) -> Result<Vec<StoredAnswer>> {
        self.all(
            "SELECT r.session_id, r.question_id, r.provisional, q.kind, r.text, r.number, r.choices
             FROM responses r
             JOIN questions q ON q.tenant_id = r.tenant_id
                AND q.publication_id = r.publication_id AND q.id = r.question_id
             WHERE r.tenant_id = $1 AND r.session_id = $2",
            args![tenant, session],
            |row| {
                row.of("responses").skip_id();
                let question = row.parse(QuestionId::parse)?;
                let is_provisional = row.flag()?;
                let kind = row.parse(QuestionKind::parse)?;
                Ok(StoredAnswer { question, answer: read_answer(row, kind)?, is_provisional })
            },
        )
        .await
    }
}
