//! Tenants, credentials, projects, participants, their assignments and dismissals.

use serde::Deserialize;

use super::{Line, Type, label, opt_label, opt_parse, opt_time, time};
use crate::app::Record;
use crate::domain::credential::{Credential, CredentialKind, Scope, SecretHash};
use crate::domain::error::Violations;
use crate::domain::id::{
    AssignmentId, CredentialId, ParticipantId, ProjectId, ScreenerId, TenantId,
};
use crate::domain::participant::{Assignment, ExternalUid, IdVerification, Participant};
use crate::domain::project::{Project, check_incentive};
use crate::domain::tenant::Tenant;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TenantLine {
    #[serde(rename = "type")]
    _type: Type,
    id: String,
    name: String,
    created_at: String,
    disabled_at: Option<String>,
}

impl Line for TenantLine {
    fn into_record(self, _: bool, violations: &mut Violations) -> Option<Record> {
        let id = violations.keep("id", TenantId::parse(&self.id));
        let name = label(violations, "name", self.name);
        let created = time(violations, "createdAt", &self.created_at);
        let disabled = opt_time(violations, "disabledAt", self.disabled_at);
        Some(Record::Tenant(Tenant { id: id?, name: name?, created: created?, disabled }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CredentialLine {
    #[serde(rename = "type")]
    _type: Type,
    tenant: String,
    id: String,
    kind: String,
    secret: String,
    scopes: Option<Vec<String>>,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
}

impl Line for CredentialLine {
    fn into_record(self, _: bool, violations: &mut Violations) -> Option<Record> {
        let tenant = violations.keep("tenant", TenantId::parse(&self.tenant));
        let id = violations.keep("id", CredentialId::parse(&self.id));
        let kind = violations.keep("kind", CredentialKind::parse(&self.kind));
        if self.secret.is_empty() || !self.secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            violations.add("secret", "It has at least one character, all of them visible ASCII.");
        }
        let usable = kind.map_or(Scope::ALL, CredentialKind::usable_scopes);
        let mut scopes = Vec::new();
        for (position, word) in self.scopes.iter().flatten().enumerate() {
            let field = format!("scopes[{position}]");
            match violations.keep(&field, Scope::parse(word)) {
                Some(scope) if usable.contains(&scope) => scopes.push(scope),
                Some(_) => violations.add(field, "The kind of credential cannot use it."),
                None => {}
            }
        }
        if self.scopes.is_none() {
            scopes = usable.to_vec();
        }
        let created = time(violations, "createdAt", &self.created_at);
        let expires = opt_time(violations, "expiresAt", self.expires_at);
        let revoked = opt_time(violations, "revokedAt", self.revoked_at);
        Some(Record::Credential(Credential {
            id: id?,
            tenant: tenant?,
            kind: kind?,
            hash: SecretHash::of(self.secret.as_bytes()),
            scopes,
            created: created?,
            expires,
            revoked,
        }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProjectLine {
    #[serde(rename = "type")]
    _type: Type,
    tenant: String,
    id: String,
    name: String,
    incentive: f64,
    organization_id: String,
    team_id: String,
}

impl Line for ProjectLine {
    fn into_record(self, _: bool, violations: &mut Violations) -> Option<Record> {
        let tenant = violations.keep("tenant", TenantId::parse(&self.tenant));
        let id = violations.keep("id", ProjectId::parse(&self.id));
        let name = label(violations, "name", self.name);
        violations.keep("incentive", check_incentive(self.incentive));
        let organization = label(violations, "organizationId", self.organization_id);
        let team = label(violations, "teamId", self.team_id);
        let project = Project {
            id: id?,
            name: name?,
            incentive: self.incentive,
            organization: organization?,
            team: team?,
        };
        Some(Record::Project(tenant?, project))
    }
}

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
