//! Tenants.

use super::sql::args;
use super::{Row, Tx, WriteTx};
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
    /// Returns a tenant.
    pub async fn get_tenant(&mut self, id: &TenantId) -> Result<Option<Tenant>> {
        self.one(
            "SELECT id, name, created_at, disabled_at FROM tenants WHERE id = $1",
            args![id],
            read_tenant,
        )
        .await
    }

    /// Returns all tenants, by id.
    pub async fn list_tenants(&mut self) -> Result<Vec<Tenant>> {
        self.all(
            "SELECT id, name, created_at, disabled_at FROM tenants ORDER BY id",
            args![],
            read_tenant,
        )
        .await
    }
}

impl WriteTx {
    /// Adds a tenant with the gate of its lists. Returns `false` if its id is taken.
    pub async fn create_tenant(&mut self, tenant: &Tenant) -> Result<bool> {
        self.expect_tenant_alone(&tenant.id)?;
        let is_new = self
            .exec_one(
                "INSERT INTO tenants (id, name, created_at, disabled_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT DO NOTHING",
                args![&tenant.id, &tenant.name, tenant.created, tenant.disabled],
            )
            .await?;
        if is_new {
            self.exec(
                "INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
                 VALUES ($1, 'changes', 'tenant', '', 0)",
                args![&tenant.id],
            )
            .await?;
        }
        Ok(is_new)
    }

    /// Stores since when a tenant is disabled, or that it is not.
    pub async fn set_tenant_disabled(
        &mut self,
        id: &TenantId,
        disabled: Option<Timestamp>,
    ) -> Result<()> {
        self.expect_tenant_alone(id)?;
        self.must("UPDATE tenants SET disabled_at = $1 WHERE id = $2", args![disabled, id], 1).await
    }
}
