//! What a panelist did with a survey.

use super::Tx;
use super::row::read_opt_time;
use super::sql::args;
use crate::domain::error::Result;
use crate::domain::id::{ScreenerId, TenantId};
use crate::domain::panelist::Activity;
use crate::domain::participant::Assignment;
use crate::domain::session::{Progress, SessionStatus};

impl Tx {
    /// Everything one panelist did with one survey: it reads that panelist's own sessions of that
    /// survey and nothing else.
    pub async fn panelist_activity(
        &mut self,
        tenant: &TenantId,
        survey: &ScreenerId,
        external_uid: &str,
    ) -> Result<Activity> {
        let Some(participant) = self.find_participant(tenant, external_uid).await? else {
            return Ok(Activity::default());
        };
        match self.find_assignment(tenant, &participant, survey).await? {
            Some(assignment) => self.assignment_activity(tenant, &assignment).await,
            None => Ok(Activity::default()),
        }
    }

    /// Everything that was done under one assignment.
    pub async fn assignment_activity(
        &mut self,
        tenant: &TenantId,
        assignment: &Assignment,
    ) -> Result<Activity> {
        let mut activity = self
            .one(
                "SELECT COUNT(started_at), COUNT(completed_at), MIN(started_at),
                        MAX(last_active_at)
                 FROM sessions WHERE tenant_id = $1 AND assignment_id = $2",
                args![tenant, &assignment.id],
                |row| {
                    row.of("sessions");
                    Ok(Activity {
                        sessions_started: row.int()?,
                        has_completed: row.int()? > 0,
                        started: row.opt_time()?,
                        most_recent: row.opt_time()?,
                        ..Activity::default()
                    })
                },
            )
            .await?
            .unwrap_or_default();
        activity.key_epoch = assignment.key_epoch;
        activity.newest = self
            .one(
                "SELECT id, status, started_at, last_active_at, completed_at FROM sessions
                 WHERE tenant_id = $1 AND assignment_id = $2 ORDER BY seq DESC LIMIT 1",
                args![tenant, &assignment.id],
                |row| {
                    let status = row.of("sessions").skip_id().parse(SessionStatus::parse)?;
                    let (started, last_active) = (row.opt_time()?, row.opt_time()?);
                    let completed = row.opt_time()?;
                    let progress = Progress::from_instants(started, last_active, completed)
                        .map_err(|reason| row.corrupt(reason))?;
                    Ok((status, progress.state()))
                },
            )
            .await?;
        activity.dismissed = self
            .one(
                "SELECT MAX(dismissed_at) FROM dismissals
                 WHERE tenant_id = $1 AND assignment_id = $2",
                args![tenant, &assignment.id],
                read_opt_time,
            )
            .await?
            .flatten();
        Ok(activity)
    }
}
