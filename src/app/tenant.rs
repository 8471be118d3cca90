//! Management of tenants by the operator.

use super::{App, Operator};
use crate::domain::change::{Action, Change};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::TenantId;
use crate::domain::tenant::Tenant;
use crate::store::Locks;

pub(super) fn absent() -> Error {
    Error::not_found("tenant")
}

impl App {
    /// Creates a tenant. Mints its id unless one is given.
    pub async fn create_tenant(
        &self,
        _: &Operator,
        id: Option<TenantId>,
        name: String,
    ) -> Result<Tenant> {
        let by = self.by_operator();
        let id = id.unwrap_or_else(|| TenantId::mint(by.at, self.entropy()));
        let tenant = Tenant { id, name, created: by.at, disabled: None };
        self.store
            .write(Locks::alone(&tenant.id), async move |tx| {
                if !tx.create_tenant(&tenant).await? {
                    return Err(Error::new(
                        Kind::AlreadyExists,
                        "Must be unique. A tenant has this id.",
                    ));
                }
                let change = Change::of(Action::Create, &tenant.id, None, &tenant, &by);
                tx.record_change(&tenant.id, &change).await?;
                Ok(tenant)
            })
            .await
    }

    /// Disables a tenant, so that its credentials are refused, or enables it again. Idempotent.
    pub async fn set_tenant_disabled(
        &self,
        _: &Operator,
        id: TenantId,
        disabled: bool,
    ) -> Result<Tenant> {
        let by = self.by_operator();
        let tenant = self
            .store
            .write(Locks::alone(&id), async move |tx| {
                let before = tx.get_tenant(&id).await?.ok_or_else(absent)?;
                if before.disabled.is_some() == disabled {
                    return Ok(before);
                }
                let tenant = Tenant { disabled: disabled.then_some(by.at), ..before.clone() };
                tx.set_tenant_disabled(&id, tenant.disabled).await?;
                let action = if disabled { Action::Disable } else { Action::Enable };
                let change = Change::of(action, &id, Some(&before), &tenant, &by);
                tx.record_change(&id, &change).await?;
                Ok(tenant)
            })
            .await?;
        self.credentials.forget();
        Ok(tenant)
    }

    /// Returns every tenant, oldest first.
    pub async fn list_tenants(&self, _: &Operator) -> Result<Vec<Tenant>> {
        let mut tenants = self.store.read(async |tx| tx.list_tenants().await).await?;
        tenants.sort_by_key(|tenant| tenant.created);
        Ok(tenants)
    }
}
