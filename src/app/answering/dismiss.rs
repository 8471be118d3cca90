//! Saying "not now".

use super::{Holder, by_holder};
use crate::app::App;
use crate::domain::change::{Action, Change};
use crate::domain::error::Result;
use crate::domain::id::{AssignmentId, ParticipantId};
use crate::domain::participant::Dismissal;
use crate::store::Ledger;

impl App {
    /// Records that the panelist said "not now". It changes nothing else.
    pub async fn dismiss_survey(&self, holder: Holder) -> Result<()> {
        let by = by_holder(self.now());
        let (participant, assignment) =
            (ParticipantId::mint(by.at, self.entropy()), AssignmentId::mint(by.at, self.entropy()));
        self.store
            .write(async move |tx| {
                let tenant = &holder.tenant;
                let mut ledger = Ledger::default();
                let mut changes = Vec::new();
                tx.lock_screener(tenant, &holder.screener).await?;
                let minted = (participant, assignment);
                let (assignment, session) =
                    holder.enrol(tx, &mut ledger, minted, &by, &mut changes).await?;
                holder.stand_at(tx, Some(&assignment), session).await??;
                if tx.create_dismissal(tenant, &assignment.id, by.at).await? {
                    let dismissal = Dismissal(by.at);
                    let id = &assignment.id;
                    changes.push(Change::of(Action::Dismiss, id, None, &dismissal, &by));
                }
                tx.record_changes(ledger, tenant, &changes).await
            })
            .await
    }
}
