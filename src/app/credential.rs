//! Management of credentials by the operator.

use super::tenant::absent as absent_tenant;
use super::{App, Operator};
use crate::domain::change::{Action, Change};
use crate::domain::credential::{Credential, CredentialKind, Scope, SecretHash};
use crate::domain::error::{Error, Result, Violations};
use crate::domain::id::{CredentialId, TenantId};
use crate::store::Locks;

/// The properties of a new credential.
#[derive(Clone, Debug)]
pub struct NewKey {
    tenant: TenantId,
    kind: CredentialKind,
    scopes: Vec<Scope>,
    expires_in_seconds: Option<i64>,
}

impl NewKey {
    /// Checks that the scopes fit the kind. Without scopes, the key gets all scopes of its kind.
    pub fn new(
        tenant: TenantId,
        kind: CredentialKind,
        scopes: Vec<Scope>,
        expires_in_seconds: Option<i64>,
    ) -> Result<Self> {
        let mut violations = Violations::new();
        for scope in &scopes {
            if !kind.usable_scopes().contains(scope) {
                violations.add(
                    "scopes",
                    format!("A {} key cannot use the scope {}.", kind.as_str(), scope.as_str()),
                );
            }
        }
        if expires_in_seconds.is_some_and(|seconds| seconds < 1) {
            violations.add("expires_in", "Must be at least one second.");
        }
        violations.finish()?;
        let scopes = if scopes.is_empty() { kind.usable_scopes().to_vec() } else { scopes };
        Ok(Self { tenant, kind, scopes, expires_in_seconds })
    }
}

impl App {
    /// Creates a credential. Its secret is returned only once and not stored.
    pub async fn create_key(&self, _: &Operator, new: NewKey) -> Result<(Credential, String)> {
        let by = self.by_operator();
        let secret = new.kind.mint_secret((self.environment.random)());
        let credential = Credential {
            id: CredentialId::mint(by.at, self.entropy()),
            tenant: new.tenant,
            kind: new.kind,
            hash: SecretHash::of(secret.as_bytes()),
            scopes: new.scopes,
            created: by.at,
            expires: new.expires_in_seconds.map(|seconds| by.at.plus_seconds(seconds)),
            revoked: None,
        };
        let credential = self
            .store
            .write(Locks::of(&credential.tenant), async move |tx| {
                tx.get_tenant(&credential.tenant).await?.ok_or_else(absent_tenant)?;
                if !tx.create_credential(&credential).await? {
                    return Err(Error::internal("a new credential collided with another"));
                }
                let change = Change::of(Action::Create, &credential.id, None, &credential, &by);
                tx.record_change(&credential.tenant, &change).await?;
                Ok(credential)
            })
            .await?;
        Ok((credential, secret))
    }

    /// Returns every credential of a tenant, oldest first.
    pub async fn list_keys(&self, _: &Operator, tenant: &TenantId) -> Result<Vec<Credential>> {
        self.store
            .read(async |tx| {
                tx.get_tenant(tenant).await?.ok_or_else(absent_tenant)?;
                tx.list_credentials(tenant).await
            })
            .await
    }

    /// Revokes a credential. Further calls with it are refused. Idempotent.
    pub async fn revoke_key(&self, _: &Operator, id: CredentialId) -> Result<Credential> {
        let by = self.by_operator();
        let absent = || Error::not_found("key");
        let found = self.store.look_up(async |tx| tx.find_credential(&id).await).await?;
        let (Credential { tenant, .. }, _) = found.ok_or_else(absent)?;
        let revoked = self
            .store
            .write(Locks::alone(&tenant), async move |tx| {
                let found = tx.find_credential(&id).await?;
                let (before, _) = found.ok_or_else(absent)?;
                // The instant of the first revocation stays.
                if before.revoked.is_some() {
                    return Ok(before);
                }
                let credential = Credential { revoked: Some(by.at), ..before.clone() };
                tx.revoke_credential(&tenant, &id, by.at).await?;
                let change = Change::of(Action::Revoke, &id, Some(&before), &credential, &by);
                tx.record_change(&tenant, &change).await?;
                Ok(credential)
            })
            .await?;
        self.credentials.forget();
        Ok(revoked)
    }
}
