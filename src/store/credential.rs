//! Credentials.

use super::sql::{Arg, args};
use super::{Row, Tx, WriteTx};
use crate::domain::credential::{Credential, CredentialKind, Scope, SecretHash};
use crate::domain::error::Result;
use crate::domain::id::{CredentialId, TenantId};
use crate::domain::time::Timestamp;

/// The columns of a credential, in the order in which [`read_credential`] reads them.
macro_rules! select_credential {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.tenant_id, c.kind, c.secret_hash, c.scopes, c.created_at,
                    c.expires_at, c.revoked_at, t.disabled_at
             FROM credentials c JOIN tenants t ON t.id = c.tenant_id ",
            $rest
        )
    };
}

/// Reads a credential, and since when its tenant is disabled.
fn read_credential(row: &mut Row<'_>) -> Result<(Credential, Option<Timestamp>)> {
    row.of("credentials");
    let credential = Credential {
        id: row.parse(CredentialId::parse)?,
        tenant: row.parse(TenantId::parse)?,
        kind: row.parse(CredentialKind::parse)?,
        hash: {
            let bytes = row.blob()?;
            let bytes = bytes.try_into().map_err(|_| row.corrupt("a digest has 32 bytes"))?;
            SecretHash::from_bytes(bytes)
        },
        scopes: row.parse(|text| text.split_whitespace().map(Scope::parse).collect())?,
        created: row.time()?,
        expires: row.opt_time()?,
        revoked: row.opt_time()?,
    };
    Ok((credential, row.of("tenants").opt_time()?))
}

impl Tx {
    /// Returns a credential by its id, and since when its tenant is disabled.
    pub async fn find_credential(
        &mut self,
        id: &CredentialId,
    ) -> Result<Option<(Credential, Option<Timestamp>)>> {
        self.one(select_credential!("WHERE c.id = $1"), args![id], read_credential).await
    }

    /// Returns a credential by the digest of its token, and since when its tenant is disabled.
    pub async fn find_credential_by_token(
        &mut self,
        hash: &SecretHash,
    ) -> Result<Option<(Credential, Option<Timestamp>)>> {
        let args = &[Arg::Blob(hash.as_bytes())];
        self.one(select_credential!("WHERE c.secret_hash = $1"), args, read_credential).await
    }

    /// Returns all credentials of a tenant, oldest first.
    pub async fn list_credentials(&mut self, tenant: &TenantId) -> Result<Vec<Credential>> {
        self.all(
            select_credential!("WHERE c.tenant_id = $1 ORDER BY c.created_at, c.id"),
            args![tenant],
            |row| read_credential(row).map(|(credential, _)| credential),
        )
        .await
    }
}

impl WriteTx {
    /// Adds a credential. Returns `false` if its id or its secret is taken.
    pub async fn create_credential(&mut self, credential: &Credential) -> Result<bool> {
        let scopes: Vec<_> = credential.scopes.iter().map(|scope| scope.as_str()).collect();
        self.exec_one(
            "INSERT INTO credentials
                (id, tenant_id, kind, secret_hash, scopes, created_at, expires_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            args![
                &credential.id,
                &credential.tenant,
                credential.kind.as_str(),
                Arg::Blob(credential.hash.as_bytes()),
                &scopes.join(" "),
                credential.created,
                credential.expires,
                credential.revoked,
            ],
        )
        .await
    }

    /// Revokes a credential.
    pub async fn revoke_credential(
        &mut self,
        tenant: &TenantId,
        id: &CredentialId,
        now: Timestamp,
    ) -> Result<()> {
        self.expect_tenant_alone(tenant)?;
        self.must(
            "UPDATE credentials SET revoked_at = $1 WHERE tenant_id = $2 AND id = $3",
            args![now, tenant, id],
            1,
        )
        .await
    }
}
