//! Submissions and their review.

use futures_util::StreamExt as _;

use super::{ATTEMPTS_MAX, App, Caller, ReadSubmissions, ReviewSubmissions, contended};
use crate::domain::change::{Change, Subject, differences};
use crate::domain::error::{Error, Result};
use crate::domain::id::{ProjectId, SessionId, TenantId};
use crate::domain::review::Decision;
use crate::domain::submission::Submission;
use crate::store::Tx;

/// How many submissions of one call are written at the same time: enough to share a commit, few
/// enough to leave connections to others.
const PARALLEL_REVIEWS: usize = 4;

fn absent() -> Error {
    Error::not_found("screener response")
}

/// A submission of a project, or nothing: absent, another tenant's, another project's, or without
/// a first submission.
async fn find_submission(
    tx: &mut Tx,
    tenant: &TenantId,
    project: &ProjectId,
    id: &SessionId,
) -> Result<Option<Submission>> {
    let Some(session) = tx.get_session(tenant, id).await? else { return Ok(None) };
    let Some(review) = tx.get_review(tenant, id).await? else { return Ok(None) };
    let missing = |what: &'static str| move || Error::internal(format!("a session without {what}"));
    let screener = tx.get_screener(tenant, &session.screener).await?;
    let screener = screener.ok_or_else(missing("its screener"))?;
    if screener.project != *project {
        return Ok(None);
    }
    let project = tx.get_project(tenant, project).await?.ok_or_else(missing("its project"))?;
    let assignment = tx.get_assignment(tenant, &session.assignment).await?;
    let assignment = assignment.ok_or_else(missing("its assignment"))?;
    let participant = tx.get_participant(tenant, &assignment.participant).await?;
    let participant = participant.ok_or_else(missing("its participant"))?;
    let publication = tx.get_publication(tenant, &session.publication).await?;
    let publication = publication.ok_or_else(missing("its publication"))?;
    let answers = tx.session_answers(tenant, id).await?;
    Submission::new(session, review, project, participant, publication, answers).map(Some)
}

impl App {
    /// One submission of a project.
    pub async fn get_submission(
        &self,
        caller: &Caller<ReadSubmissions>,
        project: &ProjectId,
        id: &SessionId,
    ) -> Result<Submission> {
        let tenant = caller.tenant();
        self.store
            .read(async |tx| find_submission(tx, tenant, project, id).await)
            .await?
            .ok_or_else(absent)
    }

    /// Carries a decision out; a repeat changes nothing.
    pub async fn review_submission(
        &self,
        caller: &Caller<ReviewSubmissions>,
        project: ProjectId,
        id: SessionId,
        decision: Decision,
    ) -> Result<Submission> {
        let (tenant, actor) = (caller.tenant().clone(), caller.actor().to_owned());
        let now = self.now();
        self.store
            .write(async move |tx| {
                for _ in 0..ATTEMPTS_MAX {
                    let found = find_submission(tx, &tenant, &project, &id).await?;
                    let mut submission = found.ok_or_else(absent)?;
                    let before = &submission.review;
                    let Some(after) = before.decide(&decision, submission.session.status, now)?
                    else {
                        return Ok(submission);
                    };
                    if tx.update_review(&tenant, &id, before, &after).await? {
                        let change = Change {
                            at: now,
                            actor,
                            action: decision.verb().into(),
                            subject: Subject::Submission,
                            subject_id: id.to_string(),
                            fields: differences(Some(before), &after),
                        };
                        tx.record_change(&tenant, &change).await?;
                        submission.review = after;
                        return Ok(submission);
                    }
                }
                Err(contended())
            })
            .await
    }

    /// Carries one decision out on many submissions, each by itself. What is refused is refused in
    /// its place; a fault of the server ends the whole call, and what was done until then stays,
    /// so that the call can be repeated.
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
