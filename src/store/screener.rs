//! Screeners.

use std::sync::Arc;

use super::list::{List, Paging, Scope, Walk, walk};
use super::publication::parse_tags;
use super::sql::{Arg, ListArgs, args};
use super::{Row, Tx, WriteTx};
use crate::domain::content_hash::ContentHash;
use crate::domain::error::Result;
use crate::domain::id::{ProjectId, PublicationId, ScreenerId, TenantId};
use crate::domain::list::Page;
use crate::domain::panelist_key::SurveyRef;
use crate::domain::screener::{DraftHead, Screener, ScreenerStatus};
use crate::domain::tag::Tag;

pub(super) fn read_screener(row: &mut Row<'_>) -> Result<Screener> {
    row.of("screeners");
    Ok(Screener {
        id: row.parse(ScreenerId::parse)?,
        project: row.parse(ProjectId::parse)?,
        title: row.text()?,
        status: row.parse(ScreenerStatus::parse)?,
        allow_multiple_responses: row.flag()?,
        active_publication: row.opt_parse(PublicationId::parse)?,
        draft: match (row.opt_parse(PublicationId::parse)?, row.opt_parse(ContentHash::parse)?) {
            (Some(id), Some(hash)) => Some(DraftHead { id, hash }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(row.corrupt("a draft has its digest"));
            }
        },
    })
}

/// The columns that [`read_screener`] reads, with those of its draft.
macro_rules! screener_columns {
    () => {
        "c.id, c.project_id, c.title, c.status, c.allow_multiple_responses,
            c.active_publication_id, c.draft_publication_id, d.content_hash"
    };
}
pub(super) use screener_columns;

/// The same, with the rest of the statement.
macro_rules! select_screener {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            screener_columns!(),
            " FROM screeners c
             LEFT JOIN publications d ON d.tenant_id = c.tenant_id
                 AND d.id = c.draft_publication_id AND d.state = 'DRAFT' ",
            $rest
        )
    };
}

const BY_PROJECT: Walk = walk!(List::Screeners, "screeners", "project", "project_id");

impl Tx {
    /// Returns a screener of a tenant.
    pub async fn get_screener(
        &mut self,
        tenant: &TenantId,
        id: &ScreenerId,
    ) -> Result<Option<Screener>> {
        self.one(
            select_screener!("WHERE c.tenant_id = $1 AND c.id = $2"),
            args![tenant, id],
            read_screener,
        )
        .await
    }

    /// Returns the screeners of a tenant with these ids, if they exist, with the tags of their
    /// active publications.
    pub async fn find_screeners(
        &mut self,
        tenant: &TenantId,
        ids: &[&ScreenerId],
    ) -> Result<Vec<(Screener, Option<Arc<[Tag]>>)>> {
        let list = ListArgs::new(args![tenant], ids);
        let sql = format!(
            concat!(
                "SELECT ",
                screener_columns!(),
                ", p.tags FROM screeners c
                 LEFT JOIN publications d ON d.tenant_id = c.tenant_id
                    AND d.id = c.draft_publication_id AND d.state = 'DRAFT'
                 LEFT JOIN publications p ON p.tenant_id = c.tenant_id
                    AND p.id = c.active_publication_id AND p.state = 'PUBLISHED'
                 WHERE c.tenant_id = $1 AND c.id IN ({})"
            ),
            list.placeholders
        );
        self.all(sql, &list.args, |row| {
            let screener = read_screener(row)?;
            let tags = row.of("publications").opt_parse(parse_tags)?;
            Ok((screener, tags.map(Into::into)))
        })
        .await
    }

    /// Returns a page of a tenant's screeners, or of one project's, in arrival order.
    pub async fn list_screeners(
        &mut self,
        tenant: &TenantId,
        project: Option<&ProjectId>,
        paging: impl Into<Paging> + Send,
    ) -> Result<Page<Screener>> {
        let paging = paging.into();
        let found = match project {
            None => self.dense_page(tenant, List::Screeners, &paging).await?,
            Some(project) => BY_PROJECT.page(self, tenant, project.as_str(), &paging).await?,
        };
        let halves =
            (select_screener!("WHERE c.tenant_id = $1 AND c.seq IN ("), ") ORDER BY c.seq");
        self.page_at(tenant, found, &paging, halves, read_screener).await
    }

    /// Returns the survey of a reference in a panelist key, and whether its tenant is disabled.
    pub async fn find_survey(
        &mut self,
        survey: SurveyRef,
    ) -> Result<Option<(TenantId, ScreenerId, bool)>> {
        self.one(
            "SELECT s.tenant_id, s.id, t.disabled_at FROM screeners s
             JOIN tenants t ON t.id = s.tenant_id WHERE s.survey_ref = $1",
            &[Arg::Blob(&survey.0)],
            |row| {
                row.of("screeners");
                let (tenant, id) = (row.parse(TenantId::parse)?, row.parse(ScreenerId::parse)?);
                Ok((tenant, id, row.of("tenants").opt_time()?.is_some()))
            },
        )
        .await
    }
}

impl WriteTx {
    /// Adds a screener, whose id must be free.
    pub async fn create_screener(&mut self, tenant: &TenantId, screener: &Screener) -> Result<()> {
        let scopes = [Scope::Project(screener.project.as_str())];
        self.expect_screener_alone(tenant, &screener.id)?;
        let seq = self.append(tenant, List::Screeners, &scopes).await?;
        self.put(
            "INSERT INTO screeners (tenant_id, id, project_id, title, status,
                allow_multiple_responses, active_publication_id, draft_publication_id, survey_ref,
                seq)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            args![
                tenant,
                &screener.id,
                &screener.project,
                &screener.title,
                screener.status.as_str(),
                screener.allow_multiple_responses,
                screener.active_publication.as_ref(),
                screener.draft.as_ref().map(|draft| &draft.id),
                Arg::Blob(&SurveyRef::new(tenant, &screener.id).0),
                seq,
            ],
        )
        .await
    }

    /// Stores the new state of a screener.
    pub async fn update_screener(&mut self, tenant: &TenantId, screener: &Screener) -> Result<()> {
        self.expect_screener_alone(tenant, &screener.id)?;
        self.must(
            "UPDATE screeners SET title = $1, status = $2, allow_multiple_responses = $3,
                active_publication_id = $4, draft_publication_id = $5
             WHERE tenant_id = $6 AND id = $7",
            args![
                &screener.title,
                screener.status.as_str(),
                screener.allow_multiple_responses,
                screener.active_publication.as_ref(),
                screener.draft.as_ref().map(|draft| &draft.id),
                tenant,
                &screener.id,
            ],
            1,
        )
        .await
    }
}
