//! Dismissals: a participant declines a survey with "not now".

use super::{Enrolment, Holder, by_holder};
use crate::app::App;
use crate::domain::change::{Action, Change};
use crate::domain::error::Result;
use crate::domain::id::{AssignmentId, ParticipantId};
use crate::domain::participant::Dismissal;

impl App {
    /// Records a dismissal, and creates the participant and the assignment if they do not exist.
    pub async fn dismiss_survey(&self, holder: Holder) -> Result<()> {
        let by = by_holder(self.now());
        let minted =
            (ParticipantId::mint(by.at, self.entropy()), AssignmentId::mint(by.at, self.entropy()));
        self.store
            .write(holder.locks(), async move |tx| {
                let tenant = &holder.tenant;
                let loaded = holder.load(tx, None).await?;
                holder.judge(&loaded)??;
                let enrolment = Enrolment::of(&holder, &loaded, minted);
                let id = &enrolment.assignment.id;
                let is_recorded =
                    enrolment.is_assigned && tx.has_dismissal(tenant, id, by.at).await?;
                let mut changes = Vec::new();
                enrolment.put(tx, &holder, &by, &mut changes).await?;
                if !is_recorded {
                    tx.create_dismissal(tenant, &holder.person, (id, by.at)).await?;
                    let dismissal = Dismissal(by.at);
                    changes.push(Change::of(Action::Dismiss, id, None, &dismissal, &by));
                }
                tx.record_changes(tenant, &changes).await
            })
            .await
    }
}
