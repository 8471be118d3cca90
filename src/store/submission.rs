//! Submissions: the data of a session from its first submission on.

mod list;

use std::collections::BTreeSet;

use super::funnel::Noted;
use super::list::{List, Scope};
use super::sql::{Arg, args};
use super::verdict::trace_text;
use super::{Row, Tx, WriteTx};
use crate::domain::error::Result;
use crate::domain::id::{SessionId, TenantId};
use crate::domain::review::{
    Actor, CancellationReason, Disqualification, DisqualificationReason, Meeting, Rejection,
    Report, ReportReason, Review, ReviewStatus, Visibility, joined,
};
use crate::domain::submission::NewSubmission;
use crate::domain::verdict::{Outcome, Verdict};

pub use list::SubmissionFilter;

/// The columns of a review behind a prefix, in the order of [`read_review`] and [`Columns::args`].
macro_rules! review_columns {
    ($of:literal) => {
        review_columns!($of: "status", "visibility", "favorite", "hidden", "is_new",
            "qualified_override", "disqualification_reason", "disqualification_message",
            "invite_sent_at", "status_before_invite", "scheduled_at", "status_updated_at", "actor",
            "reason", "short_notice_cancel", "message", "rejection_message", "rejected_at",
            "timezone", "booking_url", "cancel_url", "report_reasons", "report_message")
    };
    ($of:literal: $first:literal $(, $column:literal)*) => {
        concat!($of, $first $(, ", ", $of, $column)*)
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
        disqualification: match (row.opt_parse(reasons)?, row.opt_text()?) {
            (Some(reasons), message) => Some(Disqualification { reasons, message }),
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
        meeting: Meeting {
            timezone: row.opt_text()?,
            booking_url: row.opt_text()?,
            cancel_url: row.opt_text()?,
        },
        report: match (row.opt_parse(complaints)?, row.opt_text()?) {
            (Some(reasons), message) => Some(Report { reasons, message }),
            (None, None) => None,
            (None, Some(_)) => return Err(row.corrupt("a report has reasons, be it none")),
        },
    })
}

fn reasons(words: &str) -> Result<BTreeSet<DisqualificationReason>, String> {
    words.split(',').map(DisqualificationReason::parse).collect()
}

fn complaints(words: &str) -> Result<BTreeSet<ReportReason>, String> {
    words.split(',').filter(|word| !word.is_empty()).map(ReportReason::parse).collect()
}

/// A review in the form of its columns. Owns the texts of sets, to which the arguments refer.
struct Columns<'a> {
    review: &'a Review,
    disqualified: Option<String>,
    reported: Option<String>,
}

impl<'a> Columns<'a> {
    fn of(review: &'a Review) -> Self {
        let disqualification = review.disqualification.as_ref();
        let report = review.report.as_ref();
        Self {
            review,
            disqualified: disqualification
                .map(|it| joined(&it.reasons, DisqualificationReason::as_str)),
            reported: report.map(|it| joined(&it.reasons, ReportReason::as_str)),
        }
    }

    fn args(&self) -> [Arg<'_>; 23] {
        let Self { review, disqualified, reported } = self;
        let disqualification = review.disqualification.as_ref();
        let rejection = review.rejection.as_ref();
        let Meeting { timezone, booking_url, cancel_url } = &review.meeting;
        *args![
            review.status.as_str(),
            review.visibility.as_str(),
            review.favorite,
            review.hidden,
            review.is_new,
            review.qualified_override,
            disqualified.as_deref(),
            disqualification.and_then(|it| it.message.as_deref()),
            review.invite_sent,
            review.status_before_invite.map(ReviewStatus::as_str),
            review.scheduled,
            review.status_updated,
            review.actor.map(Actor::as_str),
            review.reason.map(CancellationReason::as_str),
            review.short_notice_cancel,
            review.message.as_deref(),
            rejection.map(|it| it.message.as_str()),
            rejection.map(|it| it.at),
            timezone.as_deref(),
            booking_url.as_deref(),
            cancel_url.as_deref(),
            reported.as_deref(),
            review.report.as_ref().and_then(|it| it.message.as_deref()),
        ]
    }
}

impl Tx {
    /// Returns the review of a submission.
    pub async fn get_review(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
    ) -> Result<Option<Review>> {
        self.one(
            concat!(
                "SELECT v.session_id, ",
                review_columns!("v."),
                " FROM submissions v WHERE v.tenant_id = $1 AND v.session_id = $2"
            ),
            args![tenant, session],
            |row| read_review(row.skip_id()),
        )
        .await
    }
}

impl WriteTx {
    /// Adds a submission.
    pub async fn create_submission(
        &mut self,
        tenant: &TenantId,
        new: &NewSubmission<'_>,
    ) -> Result<()> {
        let NewSubmission { session, project, id_verification: _, review, verdict } = *new;
        let scopes = [Scope::Screener(session.screener.as_str()), Scope::Project(project.as_str())];
        let seq = self.append(tenant, List::Submissions, &scopes).await?;
        let Verdict { publication_hash, percentage, questions_qualified, .. } = verdict;
        let (hash, trace) = (publication_hash.to_string(), trace_text(&verdict.trace)?);
        let review = Columns::of(review);
        let others = args![
            tenant,
            &session.id,
            seq,
            &session.screener,
            project,
            session.submitted().unwrap_or(session.created),
            new.outcome() == Outcome::Qualified,
            &hash,
            i64::from(*percentage),
            *questions_qualified,
            verdict.first_disqualifying.as_ref(),
            &trace,
        ];
        self.put(
            concat!(
                "INSERT INTO submissions (",
                review_columns!(""),
                ", tenant_id, session_id, seq, screener_id, project_id, created_at, qualified,
                    publication_hash, percentage, questions_qualified, first_disqualifying, verdict)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                    $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31,
                    $32, $33, $34, $35)"
            ),
            &[&review.args(), &others[..]].concat(),
        )
        .await
    }

    /// Stores the new state of a review, with the values noted about it.
    pub async fn update_review(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
        review: &Review,
        noted: Noted,
    ) -> Result<()> {
        let review = Columns::of(review);
        self.must(
            concat!(
                "UPDATE submissions SET (",
                review_columns!(""),
                ", qualified, created_at)
                    = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                    $17, $18, $19, $20, $21, $22, $23, $24, $25)
                 WHERE tenant_id = $26 AND session_id = $27"
            ),
            &[&review.args()[..], args![noted.qualified, noted.created, tenant, session]].concat(),
            1,
        )
        .await
    }
}
