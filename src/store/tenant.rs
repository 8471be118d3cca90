//! Tenants.

use super::sql::args;
use super::{Row, Tx};
use crate::domain::error::Result;
use crate::domain::id::TenantId;
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;

fn read_tenant(row: &mut Row<'_>) -> Result<Tenant> {
    row.of("tenants");
    Ok(Tenant {
        id: row.parse(TenantId::parse)?,
        name: row.text()?,
        created: row.time()?,
        disabled: row.opt_time()?,
    })
}

impl Tx {
    /// One tenant.
    pub async fn get_tenant(&mut self, id: &TenantId) -> Result<Option<Tenant>> {
        self.one(
            "SELECT id, name, created_at, disabled_at FROM tenants WHERE id = $1",
            args![id],
            read_tenant,
        )
        .await
    }

    /// Every tenant, by id.
    pub async fn list_tenants(&mut self) -> Result<Vec<Tenant>> {
        self.all(
            "SELECT id, name, created_at, disabled_at FROM tenants ORDER BY id",
            args![],
            read_tenant,
        )
        .await
    }

    /// Adds a tenant; `false` if its id is taken.
    pub async fn create_tenant(&mut self, tenant: &Tenant) -> Result<bool> {
        self.exec_one(
            "INSERT INTO tenants (id, name, created_at, disabled_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
            args![&tenant.id, &tenant.name, tenant.created, tenant.disabled],
        )
        .await
    }

    /// Disables a tenant; `false` if it is, or is not there.
    pub async fn disable_tenant(&mut self, id: &TenantId, now: Timestamp) -> Result<bool> {
        self.exec_one(
            "UPDATE tenants SET disabled_at = $1 WHERE id = $2 AND disabled_at IS NULL",
            args![now, id],
        )
        .await
    }

    /// Enables a tenant again; `false` if it is enabled, or is not there.
    pub async fn enable_tenant(&mut self, id: &TenantId) -> Result<bool> {
        self.exec_one(
            "UPDATE tenants SET disabled_at = NULL
             WHERE id = $1 AND disabled_at IS NOT NULL",
            args![id],
        )
        .await
    }
}
