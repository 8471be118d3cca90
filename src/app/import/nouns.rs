//! The records of the rows that sessions refer to.

use super::{RowCache, missing, same};
use crate::domain::credential::Credential;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::TenantId;
use crate::domain::participant::Assignment;
use crate::domain::project::Project;
use crate::domain::publication::Publication;
use crate::domain::screener::Screener;
use crate::domain::tenant::Tenant;
use crate::store::WriteTx;

pub(super) async fn tenant_record(tx: &mut WriteTx, tenant: &Tenant) -> Result<bool> {
    if tx.create_tenant(tenant).await? {
        return Ok(true);
    }
    let stored = tx.get_tenant(&tenant.id).await?;
    let stored = stored.ok_or_else(|| Error::internal("a tenant that is there is gone"))?;
    same!(stored, tenant, {
        name => "name", created => "createdAt", disabled => "disabledAt",
    })
}

pub(super) async fn credential_record(tx: &mut WriteTx, credential: &Credential) -> Result<bool> {
    tx.get_tenant(&credential.tenant).await?.ok_or_else(missing("tenant", "tenant"))?;
    if tx.create_credential(credential).await? {
        return Ok(true);
    }
    match tx.find_credential(&credential.id).await? {
        Some((stored, _)) if stored.tenant == credential.tenant => {
            same!(stored, credential, {
                kind => "kind", hash => "secret", scopes => "scopes", created => "createdAt",
                expires => "expiresAt", revoked => "revokedAt",
            })
        }
        _ => Err(Error::new(
            Kind::AlreadyExists,
            "id or secret: Must be unique. Another key has it.",
        )),
    }
}

#[expect(clippy::float_cmp, reason = "the same number was stored and read back")]
pub(super) async fn project_record(
    tx: &mut WriteTx,
    tenant: &TenantId,
    project: &Project,
) -> Result<bool> {
    tx.get_tenant(tenant).await?.ok_or_else(missing("tenant", "tenant"))?;
    match tx.get_project(tenant, &project.id).await? {
        Some(stored) => same!(stored, project, {
            name => "name", incentive => "incentive", organization => "organizationId",
            team => "teamId",
        }),
        None => tx.create_project(tenant, project).await.map(|()| true),
    }
}

pub(super) async fn screener_record(
    tx: &mut WriteTx,
    tenant: &TenantId,
    screener: &Screener,
) -> Result<bool> {
    let project = tx.get_project(tenant, &screener.project).await?;
    project.ok_or_else(missing("projectId", "project"))?;
    match tx.get_screener(tenant, &screener.id).await? {
        Some(stored) => same!(stored, screener, {
            project => "projectId", title => "title", status => "status",
            allow_multiple_responses => "allowMultipleResponses",
            active_publication => "activePublicationId",
        }),
        None => tx.create_screener(tenant, screener).await.map(|()| true),
    }
}

pub(super) async fn publication_record(
    tx: &mut WriteTx,
    tenant: &TenantId,
    it: &Publication,
) -> Result<bool> {
    let screener = tx.get_screener(tenant, &it.screener).await?;
    screener.ok_or_else(missing("screenerId", "screener"))?;
    match tx.get_publication(tenant, &it.id).await? {
        Some(stored) => same!(stored, it, {
            screener => "screenerId", tags => "tags", questions => "pages",
            published => "publishedAt",
        }),
        None => tx.create_publication(tenant, it).await.map(|()| true),
    }
}

pub(super) async fn assignment_record(
    tx: &mut WriteTx,
    cache: &mut RowCache,
    tenant: &TenantId,
    it: &Assignment,
) -> Result<bool> {
    cache.screener(tx, tenant, &it.screener).await?;
    cache.participant(tx, tenant, &it.participant).await?;
    if tx.try_create_assignment(tenant, it).await? {
        cache.assignment = Some((tenant.clone(), it.clone()));
        return Ok(true);
    }
    match tx.get_assignment(tenant, &it.id).await? {
        Some(stored) => same!(stored, it, {
            screener => "screenerId", participant => "participantId", key_epoch => "keyEpoch",
        }),
        None => Err(Error::new(
            Kind::AlreadyExists,
            "participantId: Must be unique. The screener has this participant already.",
        )),
    }
}
