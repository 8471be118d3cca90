//! Saying "not now".

use super::{ACTOR, Holder};
use crate::app::App;
use crate::domain::change::{Action, Change, FieldChange, Subject};
use crate::domain::error::Result;
use crate::domain::id::{AssignmentId, ParticipantId};
use crate::store::Ledger;

impl App {
    /// Records that the panelist said "not now". It changes nothing else.
    pub async fn dismiss_survey(&self, holder: Holder) -> Result<()> {
        let now = self.now();
        let (participant, assignment) =
            (ParticipantId::mint(now, self.entropy()), AssignmentId::mint(now, self.entropy()));
        self.store
            .write(async move |tx| {
                let tenant = &holder.tenant;
                let mut ledger = Ledger::default();
                let mut changes = Vec::new();
                tx.lock_screener(tenant, &holder.screener).await?;
                let minted = (participant, assignment);
                let (assignment, session) =
                    holder.enrol(tx, &mut ledger, minted, now, &mut changes).await?;
                holder.stand_at(tx, Some(&assignment), session).await?;
                if tx.create_dismissal(tenant, &assignment.id, now).await? {
                    changes.push(Change {
                        at: now,
                        actor: ACTOR.to_owned(),
                        action: Action::Dismiss,
                        subject: Subject::ScreenerParticipant,
                        subject_id: assignment.id.to_string(),
                        fields: vec![FieldChange {
                            name: "dismissed_at".into(),
                            before: None,
                            after: Some(now.rfc3339()),
                        }],
                    });
                }
                for change in &changes {
                    tx.append_change(&mut ledger, tenant, change).await?;
                }
                ledger.flush(tx).await
            })
            .await
    }
}
