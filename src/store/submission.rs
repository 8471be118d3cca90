//! Submissions: the review that belongs to a session.

use super::sql::args;
use super::{Row, Tx};
use crate::domain::error::Result;
use crate::domain::id::{SessionId, TenantId};
use crate::domain::review::{
    Actor, CancellationReason, Rejection, Review, ReviewStatus, Visibility,
};

fn read_review(row: &mut Row<'_>) -> Result<Review> {
    row.of("submissions").skip_id();
    Ok(Review {
        status: row.parse(ReviewStatus::parse)?,
        visibility: row.parse(Visibility::parse)?,
        favorite: row.flag()?,
        hidden: row.flag()?,
        is_new: row.flag()?,
        qualified_override: row.opt_flag()?,
        invite_sent: row.opt_time()?,
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
            "SELECT session_id, status, visibility, favorite, hidden, is_new,
                    qualified_override, invite_sent_at, scheduled_at, status_updated_at,
                    actor, reason, short_notice_cancel, message, rejection_message, rejected_at
             FROM submissions WHERE tenant_id = $1 AND session_id = $2",
            args![tenant, session],
            read_review,
        )
        .await
    }

    /// Adds the review of a submission.
    pub async fn create_review(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
        review: &Review,
    ) -> Result<()> {
        let rejection = review.rejection.as_ref();
        self.exec(
            "INSERT INTO submissions (tenant_id, session_id, status, visibility, favorite, hidden,
                is_new, qualified_override, invite_sent_at, scheduled_at, status_updated_at,
                actor, reason, short_notice_cancel, message, rejection_message, rejected_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
            args![
                tenant,
                session,
                review.status.as_str(),
                review.visibility.as_str(),
                review.favorite,
                review.hidden,
                review.is_new,
                review.qualified_override,
                review.invite_sent,
                review.scheduled,
                review.status_updated,
                review.actor.map(Actor::as_str),
                review.reason.map(CancellationReason::as_str),
                review.short_notice_cancel,
                review.message.as_deref(),
                rejection.map(|rejection| rejection.message.as_str()),
                rejection.map(|rejection| rejection.at),
            ],
        )
        .await
        .map(|_| ())
    }

    /// Stores a rejection if nobody changed the review since it was read; `false` if somebody did.
    pub async fn reject_submission(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
        before: &Review,
        after: &Review,
    ) -> Result<bool> {
        let rejection = after.rejection.as_ref();
        let changed = self
            .exec(
                "UPDATE submissions SET status = $1, is_new = $2, status_updated_at = $3,
                    actor = $4, rejection_message = $5, rejected_at = $6
                 WHERE tenant_id = $7 AND session_id = $8 AND status = $9 AND visibility = $10",
                args![
                    after.status.as_str(),
                    after.is_new,
                    after.status_updated,
                    after.actor.map(Actor::as_str),
                    rejection.map(|rejection| rejection.message.as_str()),
                    rejection.map(|rejection| rejection.at),
                    tenant,
                    session,
                    before.status.as_str(),
                    before.visibility.as_str(),
                ],
            )
            .await?;
        Ok(changed == 1)
    }
}
