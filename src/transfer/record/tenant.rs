//! Tenants and their credentials.

use serde::Deserialize;

use super::{Line, Type, label, opt_time, time};
use crate::app::Record;
use crate::domain::credential::{Credential, CredentialKind, Scope, SecretHash};
use crate::domain::error::Violations;
use crate::domain::id::{CredentialId, TenantId};
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
