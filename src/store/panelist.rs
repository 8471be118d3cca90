//! The activity of a panelist in a survey.

use super::Tx;
use super::engine::read_opt_time;
use super::sql::args;
use crate::domain::error::Result;
use crate::domain::id::{ScreenerId, TenantId};
use crate::domain::panelist::Activity;
use crate::domain::participant::{Assignment, ExternalUid};
use crate::domain::session::{Progress, SessionStatus};

impl Tx {
    /// Returns the activity of one panelist in one survey. Reads only that panelist's own sessions
    /// of that survey.
    pub async fn panelist_activity(
        &mut self,
        tenant: &TenantId,
        survey: &ScreenerId,
        external_uid: &ExternalUid,
    ) -> Result<Activity> {
        let found = self.find_assignment_of(tenant, external_uid, survey).await?;
        let Some(assignment) = found else { return Ok(Activity::default()) };
        let mut activity = self.session_activity(tenant, &assignment).await?;
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

    /// Returns the activity under one assignment, without dismissals.
    pub async fn session_activity(
        &mut self,
        tenant: &TenantId,
        assignment: &Assignment,
    ) -> Result<Activity> {
        let key_epoch = assignment.key_epoch;
        let mut activity = Activity { key_epoch, ..Activity::default() };
        // A person has few of them.
        self.scan(
            "SELECT id, status, started_at, last_active_at, completed_at FROM sessions
             WHERE tenant_id = $1 AND assignment_id = $2 ORDER BY seq DESC",
            args![tenant, &assignment.id],
            |row| {
                let status = row.of("sessions").skip_id().parse(SessionStatus::parse)?;
                let (started, last_active) = (row.opt_time()?, row.opt_time()?);
                let completed = row.opt_time()?;
                let progress = Progress::from_instants(started, last_active, completed)
                    .map_err(|reason| row.corrupt(reason))?;
                activity.newest.get_or_insert((status, progress.state()));
                activity.sessions_started += i64::from(started.is_some());
                activity.has_completed |= completed.is_some();
                activity.started = activity.started.into_iter().chain(started).min();
                activity.most_recent = activity.most_recent.into_iter().chain(last_active).max();
                Ok(())
            },
        )
        .await?;
        Ok(activity)
    }
}
