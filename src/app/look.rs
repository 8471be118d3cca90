//! The look of pages.

use super::{App, Caller, ReadScreeners, WriteScreeners};
use crate::domain::change::{Action, Change, Subject};
use crate::domain::content_hash::ContentHash;
use crate::domain::error::{Error, Result};
use crate::domain::id::{ScreenerId, TenantId};
use crate::domain::look::{Logo, Look};
use crate::store::{Locks, Tx};

/// A look with its logo.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LookView {
    /// The look.
    pub look: Look,
    /// The logo that the look refers to.
    pub logo: Option<Logo>,
}

/// Fails if the named screener does not exist.
async fn check_screener(tx: &mut Tx, tenant: &TenantId, id: Option<&ScreenerId>) -> Result<()> {
    match id {
        Some(id) if tx.get_screener(tenant, id).await?.is_none() => {
            Err(Error::not_found("screener"))
        }
        Some(_) | None => Ok(()),
    }
}

impl App {
    /// Returns the look of a screener, or of the tenant if no screener is named.
    pub async fn get_look(
        &self,
        caller: &Caller<ReadScreeners>,
        screener: Option<&ScreenerId>,
    ) -> Result<LookView> {
        let tenant = caller.tenant();
        self.store
            .read(async |tx| {
                check_screener(tx, tenant, screener).await?;
                let look = tx.get_look(tenant, screener).await?.unwrap_or_default();
                let mut logo = None;
                if let Some(hash) = look.logo {
                    logo = tx.get_logo(tenant, hash).await?;
                }
                Ok(LookView { look, logo })
            })
            .await
    }

    /// Sets the look of pages. An equal look is a no-op.
    pub async fn set_look(
        &self,
        caller: &Caller<WriteScreeners>,
        screener: Option<ScreenerId>,
        view: LookView,
    ) -> Result<LookView> {
        let (tenant, by) = (caller.tenant().clone(), self.by(caller));
        let (subject, id) = match &screener {
            Some(id) => (Subject::Screener, id.to_string()),
            None => (Subject::Tenant, tenant.to_string()),
        };
        self.store
            // Alone, because dropping unused logos could drop one that another call just added.
            .write(Locks::alone(&tenant), async move |tx| {
                check_screener(tx, &tenant, screener.as_ref()).await?;
                let before = tx.get_look(&tenant, screener.as_ref()).await?.unwrap_or_default();
                if before == view.look {
                    return Ok(view);
                }
                if let Some(logo) = &view.logo {
                    tx.create_logo(&tenant, logo).await?;
                }
                tx.set_look(&tenant, screener.as_ref(), &view.look).await?;
                tx.drop_unused_logos(&tenant).await?;
                let change = Change::of(Action::Update, &id, Some(&before), &view.look, &by);
                let change = Change { subject, ..change };
                tx.record_change(&tenant, &change).await?;
                Ok(view)
            })
            .await
    }

    /// Returns the logo with this digest.
    pub async fn find_logo(&self, hash: ContentHash) -> Result<Logo> {
        let logo = self.store.read(async |tx| tx.find_logo(hash).await).await?;
        logo.ok_or_else(|| Error::not_found("logo"))
    }
}
