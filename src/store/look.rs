//! Looks of tenants and their screeners, and the logos in them.

use super::sql::{Arg, args};
use super::{Row, Tx, WriteTx};
use crate::domain::content_hash::ContentHash;
use crate::domain::error::Result;
use crate::domain::id::{ScreenerId, TenantId};
use crate::domain::look::{Accent, Logo, Look};

/// The screener id of a tenant's own look: no screener has an empty id.
const TENANT: &str = "";

fn place(screener: Option<&ScreenerId>) -> &str {
    screener.map_or(TENANT, ScreenerId::as_str)
}

fn read_look(row: &mut Row<'_>) -> Result<Look> {
    row.of("looks").skip_id();
    Ok(Look {
        display_name: row.opt_text()?,
        logo: row.opt_parse(ContentHash::parse)?,
        accent: row.opt_parse(Accent::parse)?,
        privacy_text: row.opt_text()?,
        privacy_url: row.opt_text()?,
    })
}

fn read_logo(row: &mut Row<'_>) -> Result<Logo> {
    let bytes = row.of("logos").skip_id().blob()?;
    Logo::parse(bytes).map_err(|reason| row.corrupt(reason))
}

impl Tx {
    /// Returns the look of a screener, or of the tenant if no screener is given.
    pub async fn get_look(
        &mut self,
        tenant: &TenantId,
        screener: Option<&ScreenerId>,
    ) -> Result<Option<Look>> {
        self.one(
            "SELECT tenant_id, display_name, logo_hash, accent_color, privacy_text, privacy_url
             FROM looks WHERE tenant_id = $1 AND screener_id = $2",
            args![tenant, place(screener)],
            read_look,
        )
        .await
    }
}

impl WriteTx {
    /// Stores a look in place of the previous one. Its logo must exist.
    pub async fn set_look(
        &mut self,
        tenant: &TenantId,
        screener: Option<&ScreenerId>,
        look: &Look,
    ) -> Result<()> {
        self.expect_tenant_alone(tenant)?;
        let Look { display_name, logo, accent, privacy_text, privacy_url } = look;
        let (logo, accent) =
            (logo.map(|it| it.to_string()), accent.as_ref().map(ToString::to_string));
        self.exec(
            "INSERT INTO looks (tenant_id, screener_id, display_name, logo_hash, accent_color,
                privacy_text, privacy_url)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant_id, screener_id) DO UPDATE SET
                display_name = excluded.display_name, logo_hash = excluded.logo_hash,
                accent_color = excluded.accent_color, privacy_text = excluded.privacy_text,
                privacy_url = excluded.privacy_url",
            args![
                tenant,
                place(screener),
                display_name.as_ref(),
                logo.as_ref(),
                accent.as_ref(),
                privacy_text.as_ref(),
                privacy_url.as_ref(),
            ],
        )
        .await
        .map(|_| ())
    }

    /// Stores a logo.
    pub async fn create_logo(&mut self, tenant: &TenantId, logo: &Logo) -> Result<()> {
        self.expect_tenant_alone(tenant)?;
        let hash = logo.hash().to_string();
        self.exec(
            "INSERT INTO logos (tenant_id, hash, bytes) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
            args![tenant, &hash, Arg::Blob(logo.bytes())],
        )
        .await
        .map(|_| ())
    }

    /// Deletes the logos of a tenant that none of its looks uses.
    pub async fn drop_unused_logos(&mut self, tenant: &TenantId) -> Result<()> {
        self.expect_tenant_alone(tenant)?;
        self.exec(
            "DELETE FROM logos WHERE tenant_id = $1 AND NOT EXISTS (
                SELECT 1 FROM looks
                WHERE looks.tenant_id = logos.tenant_id AND looks.logo_hash = logos.hash)",
            args![tenant],
        )
        .await
        .map(|_| ())
    }
}

impl Tx {
    /// Returns a logo of a tenant.
    pub async fn get_logo(&mut self, tenant: &TenantId, hash: ContentHash) -> Result<Option<Logo>> {
        let hash = hash.to_string();
        self.one(
            "SELECT hash, bytes FROM logos WHERE tenant_id = $1 AND hash = $2",
            args![tenant, &hash],
            read_logo,
        )
        .await
    }

    /// Returns the logo with a digest, of any tenant: a caller with the digest knows the picture.
    pub async fn find_logo(&mut self, hash: ContentHash) -> Result<Option<Logo>> {
        let hash = hash.to_string();
        self.one("SELECT hash, bytes FROM logos WHERE hash = $1 LIMIT 1", args![&hash], read_logo)
            .await
    }
}
