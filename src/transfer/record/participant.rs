//! Participants, their assignments and dismissals.

use serde::Deserialize;

use super::{Line, Type, opt_label, opt_parse, time};
use crate::app::Record;
use crate::domain::error::Violations;
use crate::domain::id::{AssignmentId, ParticipantId, ScreenerId, TenantId};
use crate::domain::participant::{Assignment, ExternalUid, IdVerification, Participant};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ParticipantLine {
    #[serde(rename = "type")]
    _type: Type,
    tenant: String,
    id: String,
    external_uid: Option<String>,
    name: Option<String>,
    email: Option<String>,
    id_verification: Option<String>,
}

impl Line for ParticipantLine {
    fn into_record(self, _: bool, violations: &mut Violations) -> Option<Record> {
        let tenant = violations.keep("tenant", TenantId::parse(&self.tenant));
        let id = violations.keep("id", ParticipantId::parse(&self.id));
        let external_uid =
            opt_parse(violations, "externalUid", self.external_uid, ExternalUid::parse);
        let name = opt_label(violations, "name", self.name);
        let email = opt_label(violations, "email", self.email);
        let id_verification =
            opt_parse(violations, "idVerification", self.id_verification, IdVerification::parse);
        let participant = Participant {
            id: id?,
            external_uid,
            name,
            email,
            id_verification: id_verification.unwrap_or(IdVerification::None),
        };
        Some(Record::Participant(tenant?, participant))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AssignmentLine {
    #[serde(rename = "type")]
    _type: Type,
    tenant: String,
    id: String,
    screener_id: String,
    participant_id: String,
    #[serde(default)]
    key_epoch: u32,
}

impl Line for AssignmentLine {
    fn into_record(self, _: bool, violations: &mut Violations) -> Option<Record> {
        let tenant = violations.keep("tenant", TenantId::parse(&self.tenant));
        let id = violations.keep("id", AssignmentId::parse(&self.id));
        let screener = violations.keep("screenerId", ScreenerId::parse(&self.screener_id));
        let participant =
            violations.keep("participantId", ParticipantId::parse(&self.participant_id));
        let assignment = Assignment {
            id: id?,
            screener: screener?,
            participant: participant?,
            key_epoch: self.key_epoch,
        };
        Some(Record::Assignment(tenant?, assignment))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DismissalLine {
    #[serde(rename = "type")]
    _type: Type,
    tenant: String,
    screener_participant_id: String,
    dismissed_at: String,
}

impl Line for DismissalLine {
    fn into_record(self, _: bool, violations: &mut Violations) -> Option<Record> {
        let tenant = violations.keep("tenant", TenantId::parse(&self.tenant));
        let assignment = AssignmentId::parse(&self.screener_participant_id);
        let assignment = violations.keep("screenerParticipantId", assignment);
        let dismissed = time(violations, "dismissedAt", &self.dismissed_at);
        Some(Record::Dismissal(tenant?, assignment?, dismissed?))
    }
}
