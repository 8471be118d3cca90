//! Assignments, which the session dialect calls screener participants, and their dismissals.

use super::engine::read_int;
use super::sql::{ListArgs, args};
use super::{Row, Tx, WriteTx};
use crate::domain::error::Result;
use crate::domain::id::{AssignmentId, ParticipantId, ScreenerId, SessionId, TenantId};
use crate::domain::participant::{Assignment, ExternalUid, Person};
use crate::domain::time::Timestamp;

fn read_assignment(row: &mut Row<'_>) -> Result<Assignment> {
    let id = row.of("assignments").parse(AssignmentId::parse)?;
    read_assignment_of(row, id)
}

/// Reads the columns of an assignment after its id.
pub(super) fn read_assignment_of(row: &mut Row<'_>, id: AssignmentId) -> Result<Assignment> {
    Ok(Assignment {
        id,
        screener: row.parse(ScreenerId::parse)?,
        participant: row.parse(ParticipantId::parse)?,
        key_epoch: {
            let epoch = row.int()?;
            u32::try_from(epoch).map_err(|_| row.corrupt("an epoch is 0 to 4294967295"))?
        },
    })
}

impl Tx {
    /// Returns an assignment of a tenant.
    pub async fn get_assignment(
        &mut self,
        tenant: &TenantId,
        id: &AssignmentId,
    ) -> Result<Option<Assignment>> {
        self.one(
            "SELECT id, screener_id, participant_id, key_epoch FROM assignments
             WHERE tenant_id = $1 AND id = $2",
            args![tenant, id],
            read_assignment,
        )
        .await
    }

    /// Returns the assignment of a person to a screener.
    pub async fn find_assignment(
        &mut self,
        tenant: &TenantId,
        participant: &ParticipantId,
        screener: &ScreenerId,
    ) -> Result<Option<Assignment>> {
        self.one(
            "SELECT id, screener_id, participant_id, key_epoch FROM assignments
             WHERE tenant_id = $1 AND participant_id = $2 AND screener_id = $3",
            args![tenant, participant, screener],
            read_assignment,
        )
        .await
    }

    /// Returns the assignment of the person who answers a session.
    pub async fn find_assignment_of_session(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
    ) -> Result<Option<Assignment>> {
        self.one(
            "SELECT a.id, a.screener_id, a.participant_id, a.key_epoch FROM sessions s
             JOIN assignments a ON a.tenant_id = s.tenant_id AND a.id = s.assignment_id
             WHERE s.tenant_id = $1 AND s.id = $2",
            args![tenant, session],
            read_assignment,
        )
        .await
    }

    /// Returns the assignment to a screener of the person with an external uid.
    pub async fn find_assignment_of(
        &mut self,
        tenant: &TenantId,
        external_uid: &ExternalUid,
        screener: &ScreenerId,
    ) -> Result<Option<Assignment>> {
        self.one(
            "SELECT a.id, a.screener_id, a.participant_id, a.key_epoch
             FROM participants p
             JOIN assignments a ON a.tenant_id = p.tenant_id AND a.participant_id = p.id
             WHERE p.tenant_id = $1 AND p.external_uid = $2 AND a.screener_id = $3",
            args![tenant, external_uid, screener],
            read_assignment,
        )
        .await
    }

    /// Returns the assignments of some persons, and whether they have completed a session of each.
    pub async fn assignments_of(
        &mut self,
        tenant: &TenantId,
        participants: &[&ParticipantId],
    ) -> Result<Vec<(Assignment, bool)>> {
        if participants.is_empty() {
            return Ok(Vec::new());
        }
        let list = ListArgs::new(args![tenant], participants);
        let sql = format!(
            "SELECT a.id, a.screener_id, a.participant_id, a.key_epoch,
                CASE WHEN EXISTS (SELECT 1 FROM sessions s WHERE s.tenant_id = a.tenant_id
                        AND s.assignment_id = a.id AND s.completed_at IS NOT NULL)
                    THEN CAST(1 AS BIGINT) ELSE 0 END
             FROM assignments a WHERE a.tenant_id = $1 AND a.participant_id IN ({})",
            list.placeholders
        );
        self.all(sql, &list.args, |row| Ok((read_assignment(row)?, row.of("sessions").flag()?)))
            .await
    }

    /// Returns whether a dismissal ("not now") of a person at this time is recorded.
    pub async fn has_dismissal(
        &mut self,
        tenant: &TenantId,
        assignment: &AssignmentId,
        at: Timestamp,
    ) -> Result<bool> {
        let found = self
            .one(
                "SELECT dismissed_at FROM dismissals
                 WHERE tenant_id = $1 AND assignment_id = $2 AND dismissed_at = $3",
                args![tenant, assignment, at],
                read_int,
            )
            .await?;
        Ok(found.is_some())
    }
}

macro_rules! insert_assignment {
    () => {
        "INSERT INTO assignments (tenant_id, id, screener_id, participant_id, key_epoch)
         VALUES ($1, $2, $3, $4, $5)"
    };
}

impl WriteTx {
    /// Adds an assignment. Its id must be free, and the person not assigned to the screener yet.
    pub async fn create_assignment(
        &mut self,
        tenant: &TenantId,
        person: &Person,
        assignment: &Assignment,
    ) -> Result<()> {
        self.expect_person(tenant, person)?;
        let Assignment { id, screener, participant, key_epoch } = assignment;
        let args = args![tenant, id, screener, participant, i64::from(*key_epoch)];
        self.put(insert_assignment!(), args).await
    }

    /// Adds it at once. Returns `false` if the id is taken or the person is assigned already.
    pub async fn try_create_assignment(
        &mut self,
        tenant: &TenantId,
        assignment: &Assignment,
    ) -> Result<bool> {
        let Assignment { id, screener, participant, key_epoch } = assignment;
        let args = args![tenant, id, screener, participant, i64::from(*key_epoch)];
        self.exec_one(concat!(insert_assignment!(), " ON CONFLICT DO NOTHING"), args).await
    }

    /// Records a dismissal ("not now") of a person, which must not be recorded yet.
    pub async fn create_dismissal(
        &mut self,
        tenant: &TenantId,
        person: &Person,
        (assignment, at): (&AssignmentId, Timestamp),
    ) -> Result<()> {
        self.expect_person(tenant, person)?;
        self.put(
            "INSERT INTO dismissals (tenant_id, assignment_id, dismissed_at)
             VALUES ($1, $2, $3)",
            args![tenant, assignment, at],
        )
        .await
    }
}
