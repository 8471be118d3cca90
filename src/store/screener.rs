//! Screeners.

use super::list::{List, Scope};
use super::sql::{Arg, args};
use super::{Ledger, Row, Tx};
use crate::domain::error::Result;
use crate::domain::id::{ProjectId, PublicationId, ScreenerId, TenantId};
use crate::domain::panelist_key::SurveyRef;
use crate::domain::screener::{Screener, ScreenerStatus};

fn read_screener(row: &mut Row<'_>) -> Result<Screener> {
    row.of("screeners");
    Ok(Screener {
        id: row.parse(ScreenerId::parse)?,
        project: row.parse(ProjectId::parse)?,
        title: row.text()?,
        status: row.parse(ScreenerStatus::parse)?,
        allow_multiple_responses: row.flag()?,
        active_publication: row.opt_parse(PublicationId::parse)?,
        draft: row.opt_parse(PublicationId::parse)?,
    })
}

impl Tx {
    /// One screener of a tenant.
    pub async fn get_screener(
        &mut self,
        tenant: &TenantId,
        id: &ScreenerId,
    ) -> Result<Option<Screener>> {
        self.one(
            "SELECT id, project_id, title, status, allow_multiple_responses,
                    active_publication_id, draft_publication_id
             FROM screeners WHERE tenant_id = $1 AND id = $2",
            args![tenant, id],
            read_screener,
        )
        .await
    }

    /// Which survey a reference inside a panelist key stands for.
    pub async fn find_survey(
        &mut self,
        survey: SurveyRef,
    ) -> Result<Option<(TenantId, ScreenerId)>> {
        self.one(
            "SELECT tenant_id, id FROM screeners WHERE survey_ref = $1",
            &[Arg::Blob(&survey.0)],
            |row| {
                row.of("screeners");
                Ok((row.parse(TenantId::parse)?, row.parse(ScreenerId::parse)?))
            },
        )
        .await
    }

    /// Adds a screener.
    pub async fn create_screener(
        &mut self,
        ledger: &mut Ledger,
        tenant: &TenantId,
        screener: &Screener,
    ) -> Result<()> {
        let scopes = [Scope::Project(screener.project.as_str())];
        let seq = ledger.append(self, tenant, List::Screeners, &scopes).await?;
        self.exec(
            "INSERT INTO screeners (tenant_id, id, project_id, title, status,
                allow_multiple_responses, active_publication_id, draft_publication_id, survey_ref,
                seq)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            &[
                Arg::from(tenant),
                Arg::from(&screener.id),
                Arg::from(&screener.project),
                Arg::from(&screener.title),
                Arg::from(screener.status.as_str()),
                Arg::from(screener.allow_multiple_responses),
                Arg::from(screener.active_publication.as_ref()),
                Arg::from(screener.draft.as_ref()),
                Arg::Blob(&SurveyRef::new(tenant, &screener.id).0),
                Arg::from(seq),
            ],
        )
        .await
        .map(|_| ())
    }
}
