//! Submissions and their review.

use futures_util::StreamExt as _;

use super::{App, Caller, ReadSubmissions, ReviewSubmissions, SubmissionFilter};
use crate::budget::Held;
use crate::domain::change::{Action, Change};
use crate::domain::error::{Error, Result};
use crate::domain::id::{ProjectId, SessionId};
use crate::domain::list::{Page, Pagination};
use crate::domain::review::Decision;
use crate::domain::submission::{Explanation, Submission};
use crate::store::Locks;

/// How many submissions of one call are written concurrently: enough to share a commit on SQLite,
/// few enough to leave connections to others on PostgreSQL.
const PARALLEL_REVIEWS: usize = 4;

fn absent() -> Error {
    Error::not_found("screener response")
}

impl App {
    /// Returns a submission of a project.
    pub async fn get_submission(
        &self,
        caller: &Caller<ReadSubmissions>,
        project: &ProjectId,
        id: &SessionId,
    ) -> Result<Submission> {
        let tenant = caller.tenant();
        let submission = self.store.read(async |tx| tx.get_submission(tenant, project, id).await);
        submission.await?.ok_or_else(absent)
    }

    /// Returns a submission with its stored verdict and the verdict computed now.
    pub async fn explain_submission(
        &self,
        caller: &Caller<ReadSubmissions>,
        project: &ProjectId,
        id: &SessionId,
    ) -> Result<Explanation> {
        self.get_submission(caller, project, id).await.map(Explanation::of)
    }

    /// Returns a page of the tenant's submissions.
    pub async fn list_submissions(
        &self,
        caller: &Caller<ReadSubmissions>,
        filter: &SubmissionFilter,
        pagination: Pagination,
    ) -> Result<Held<Page<Submission>>> {
        let (filter, length) = (filter.clone(), filter.length(pagination));
        self.page(caller, pagination, length, async move |tx, tenant, paging| {
            tx.list_submissions(tenant, &filter, paging).await
        })
        .await
    }

    /// Returns a page of the submissions of a project, which must exist.
    pub async fn list_project_submissions(
        &self,
        caller: &Caller<ReadSubmissions>,
        project: ProjectId,
        filter: SubmissionFilter,
        pagination: Pagination,
    ) -> Result<Held<Page<Submission>>> {
        let length = filter.length(pagination);
        self.page(caller, pagination, length, async move |tx, tenant, paging| {
            if tx.get_project(tenant, &project).await?.is_none() {
                return Err(Error::not_found("project"));
            }
            let filter = SubmissionFilter { project: Some(project), ..filter };
            tx.list_submissions(tenant, &filter, paging).await
        })
        .await
    }

    /// Applies a decision to a submission. Idempotent.
    pub async fn review_submission(
        &self,
        caller: &Caller<ReviewSubmissions>,
        project: ProjectId,
        id: SessionId,
        decision: Decision,
    ) -> Result<Submission> {
        let (tenant, by) = (caller.tenant().clone(), self.by(caller));
        let person = self.store.look_up(async |tx| tx.find_person_of(&tenant, &id).await).await?;
        let (_, person) = person.ok_or_else(absent)?;
        self.store
            .write(Locks::of(&tenant).person(&person), async move |tx| {
                let found = tx.get_submission(&tenant, &project, &id).await?;
                let mut submission = found.ok_or_else(absent)?;
                let before = &submission.review;
                let status = submission.session.status;
                let Some(after) = before.decide(&decision, status, by.at)? else {
                    return Ok(submission);
                };
                let (session, standing) =
                    tx.get_standing(&tenant, &id).await?.ok_or_else(absent)?;
                let standing = standing.reviewed(&after);
                let noted = standing.noted(&session).ok_or_else(absent)?;
                tx.update_review(&tenant, &id, &after, noted).await?;
                let action = Action::Review(decision.verb());
                let change = Change::of(action, &id, Some(before), &after, &by);
                tx.record_change(&tenant, &change).await?;
                tx.shift_session(&tenant, &session, &standing).await?;
                submission.review = after;
                Ok(submission)
            })
            .await
    }

    /// Applies a decision to many submissions, each on its own. Refusals are returned per
    /// submission. After a server fault the call fails, but the other decisions remain. It can be
    /// retried.
    pub async fn review_submissions(
        &self,
        caller: &Caller<ReviewSubmissions>,
        project: &ProjectId,
        ids: Vec<SessionId>,
        decision: &Decision,
    ) -> Result<Vec<(SessionId, Result<Submission>)>> {
        let reviews = ids.into_iter().map(async |id| {
            let (project, decision) = (project.clone(), decision.clone());
            let result = self.review_submission(caller, project, id.clone(), decision).await;
            match result {
                Err(error) if error.kind().is_fault() => Err(error),
                result => Ok((id, result)),
            }
        });
        let done: Vec<_> =
            futures_util::stream::iter(reviews).buffered(PARALLEL_REVIEWS).collect().await;
        done.into_iter().collect()
    }
}
