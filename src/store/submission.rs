//! Submissions: what belongs to a session from its first submission on.

mod list;

use super::list::{List, Scope};
use super::sql::args;
use super::verdict::trace_text;
use super::{Ledger, Row, Tx};
use crate::domain::error::Result;
use crate::domain::id::{SessionId, TenantId};
use crate::domain::review::{
    Actor, CancellationReason, Disqualification, DisqualificationReason, Rejection, Review,
    ReviewStatus, Visibility,
};
use crate::domain::submission::NewSubmission;
use crate::domain::verdict::{Outcome, Verdict};

pub use list::SubmissionFilter;

/// The columns of a review, in the order in which [`read_review`] takes them.
macro_rules! review_columns {
    () => {
        "v.status, v.visibility, v.favorite, v.hidden, v.is_new, v.qualified_override,
         v.disqualification_reason, v.disqualification_message, v.invite_sent_at,
         v.status_before_invite, v.scheduled_at, v.status_updated_at, v.actor, v.reason,
         v.short_notice_cancel, v.message, v.rejection_message, v.rejected_at"
    };
}
use review_columns;

fn read_review(row: &mut Row<'_>) -> Result<Review> {
    row.of("submissions");
    Ok(Review {
        status: row.parse(ReviewStatus::parse)?,
        visibility: row.parse(Visibility::parse)?,
        favorite: row.flag()?,
        hidden: row.flag()?,
        is_new: row.flag()?,
        qualified_override: row.opt_flag()?,
        disqualification: match (row.opt_parse(DisqualificationReason::parse)?, row.opt_text()?) {
            (Some(reason), message) => Some(Disqualification { reason, message }),
            (None, None) => None,
            (None, Some(_)) => return Err(row.corrupt("a disqualification has a reason")),
        },
        invite_sent: row.opt_time()?,
        status_before_invite: row.opt_parse(ReviewStatus::parse)?,
        scheduled: row.opt_time()?,
        status_updated: row.opt_time()?,
        actor: row.opt_parse(Actor::parse)?,
        reason: row.opt_parse(CancellationReason::parse)?,
        short_notice_cancel: row.opt_flag()?,
        message: row.opt_text()?,
        rejection: match (row.opt_text()?, row.opt_time()?) {
            (Some(message), Some(at)) => Some(Rejection { message, at }),
            (None, None) => None,
            _ => return Err(row.corrupt("a rejection has a message and an instant")),
        },
    })
}

impl Tx {
    /// The review of a submission.
    pub async fn get_review(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
    ) -> Result<Option<Review>> {
        self.one(
            concat!(
                "SELECT v.session_id, ",
                review_columns!(),
                " FROM submissions v WHERE v.tenant_id = $1 AND v.session_id = $2"
            ),
            args![tenant, session],
            |row| read_review(row.skip_id()),
        )
        .await
    }

    /// Adds a submission.
    pub async fn create_submission(
        &mut self,
        ledger: &mut Ledger,
        tenant: &TenantId,
        new: &NewSubmission<'_>,
    ) -> Result<()> {
        let NewSubmission { session, project, id_verification: _, review, verdict } = *new;
        let scopes = [Scope::Screener(session.screener.as_str()), Scope::Project(project.as_str())];
        let seq = ledger.append(self, tenant, List::Submissions, &scopes).await?;
        let rejection = review.rejection.as_ref();
        let disqualification = review.disqualification.as_ref();
        let Verdict { publication_hash, percentage, questions_qualified, .. } = verdict;
        self.exec(
            "INSERT INTO submissions (tenant_id, session_id, status, visibility, favorite, hidden,
                is_new, qualified_override, disqualification_reason, disqualification_message,
                invite_sent_at, status_before_invite, scheduled_at, status_updated_at,
                actor, reason, short_notice_cancel, message, rejection_message, rejected_at,
                seq, screener_id, project_id, created_at, qualified, publication_hash, percentage,
                questions_qualified, first_disqualifying, verdict)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)",
            args![
                tenant,
                &session.id,
                review.status.as_str(),
                review.visibility.as_str(),
                review.favorite,
                review.hidden,
                review.is_new,
                review.qualified_override,
                disqualification.map(|it| it.reason.as_str()),
                disqualification.and_then(|it| it.message.as_deref()),
                review.invite_sent,
                review.status_before_invite.map(ReviewStatus::as_str),
                review.scheduled,
                review.status_updated,
                review.actor.map(Actor::as_str),
                review.reason.map(CancellationReason::as_str),
                review.short_notice_cancel,
                review.message.as_deref(),
                rejection.map(|rejection| rejection.message.as_str()),
                rejection.map(|rejection| rejection.at),
                seq,
                &session.screener,
                project,
                session.submitted().unwrap_or(session.created),
                new.outcome() == Outcome::Qualified,
                &publication_hash.to_string(),
                i64::from(*percentage),
                *questions_qualified,
                verdict.first_disqualifying.as_ref(),
                &trace_text(&verdict.trace)?,
            ],
        )
        .await
        .map(|_| ())
    }

    /// Stores a review if nobody changed it since it was read; `false` if somebody did.
    ///
    /// What changes only together with the status is not compared: the status's time is.
    pub async fn update_review(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
        before: &Review,
        after: &Review,
    ) -> Result<bool> {
        let rejection = after.rejection.as_ref();
        let disqualification = after.disqualification.as_ref();
        let disqualified_before = before.disqualification.as_ref();
        let changed = self
            .exec(
                "UPDATE submissions SET status = $1, visibility = $2, favorite = $3, hidden = $4,
                    is_new = $5, qualified_override = $6, disqualification_reason = $7,
                    disqualification_message = $8, invite_sent_at = $9,
                    status_before_invite = $10, scheduled_at = $11, status_updated_at = $12,
                    actor = $13, reason = $14, short_notice_cancel = $15, message = $16,
                    rejection_message = $17, rejected_at = $18
                 WHERE tenant_id = $19 AND session_id = $20 AND status = $21 AND visibility = $22
                    AND favorite = $23 AND hidden = $24 AND is_new = $25
                    AND qualified_override IS NOT DISTINCT FROM $26
                    AND disqualification_reason IS NOT DISTINCT FROM $27
                    AND disqualification_message IS NOT DISTINCT FROM $28
                    AND scheduled_at IS NOT DISTINCT FROM $29
                    AND status_updated_at IS NOT DISTINCT FROM $30",
                args![
                    after.status.as_str(),
                    after.visibility.as_str(),
                    after.favorite,
                    after.hidden,
                    after.is_new,
                    after.qualified_override,
                    disqualification.map(|it| it.reason.as_str()),
                    disqualification.and_then(|it| it.message.as_deref()),
                    after.invite_sent,
                    after.status_before_invite.map(ReviewStatus::as_str),
                    after.scheduled,
                    after.status_updated,
                    after.actor.map(Actor::as_str),
                    after.reason.map(CancellationReason::as_str),
                    after.short_notice_cancel,
                    after.message.as_deref(),
                    rejection.map(|it| it.message.as_str()),
                    rejection.map(|it| it.at),
                    tenant,
                    session,
                    before.status.as_str(),
                    before.visibility.as_str(),
                    before.favorite,
                    before.hidden,
                    before.is_new,
                    before.qualified_override,
                    disqualified_before.map(|it| it.reason.as_str()),
                    disqualified_before.and_then(|it| it.message.as_deref()),
                    before.scheduled,
                    before.status_updated,
                ],
            )
            .await?;
        Ok(changed == 1)
    }
}
