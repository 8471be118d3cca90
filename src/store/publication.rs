//! Publications with their questions and options, and drafts of the next ones.
//!
//! A draft is a future publication: it is in the same tables under its future id, and nothing else
//! may refer to it. A publication is never changed or deleted here. Its digest is stored with it,
//! and content with another digest is a corrupt row.

use serde::{Deserialize, Serialize};

use super::list::{List, Paging, Scope, Walk, walk};
use super::sql::{ListArgs, Seq, args};
use super::{Corrupt, Row, Tx, WriteTx};
use crate::domain::content_hash::ContentHash;
use crate::domain::error::{Error, Result};
use crate::domain::id::{AssignmentId, PublicationId, ScreenerId, SessionId, TagId, TenantId};
use crate::domain::list::Page;
use crate::domain::publication::{Publication, PublicationHead};
use crate::domain::tag::Tag;
use crate::domain::time::Timestamp;
use crate::domain::wording::{Thanks, Wording};

/// The stored form of a tag.
#[derive(Deserialize, Serialize)]
struct StoredTag {
    id: String,
    category: Option<String>,
    value: String,
}

/// Parses the column `tags` of a publication.
pub(super) fn parse_tags(text: &str) -> Result<Vec<Tag>, String> {
    let stored: Vec<StoredTag> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    stored
        .into_iter()
        .map(|StoredTag { id, category, value }| {
            Ok(Tag { id: TagId::parse(&id)?, category, value })
        })
        .collect()
}

/// The `seq` of drafts, which are not in the list of publications.
const NO_SEQ: i64 = -1;

/// The states of a questionnaire: mutable, and immutable.
const DRAFT: &str = "DRAFT";
const PUBLISHED: &str = "PUBLISHED";

const BY_SCREENER: Walk = walk!(List::Publications, "publications", "screener", "screener_id");

/// Reads the head of a publication.
fn read_known(row: &mut Row<'_>) -> Result<PublicationHead> {
    row.of("publications");
    Ok(PublicationHead {
        id: row.parse(PublicationId::parse)?,
        screener: row.parse(ScreenerId::parse)?,
        hash: row.opt_parse(ContentHash::parse)?,
        published: row.opt_time()?,
    })
}

fn read_wording(row: &mut Row<'_>) -> Result<Wording> {
    Ok(Wording {
        language: row.opt_text()?,
        introduction: row.opt_text()?,
        thanks_qualified: row.opt_text()?,
        thanks_disqualified: row.opt_text()?,
    })
}

/// Reads a publication without its questions, and its stored digest.
fn read_head(row: &mut Row<'_>) -> Result<(Publication, Option<ContentHash>)> {
    let publication = Publication {
        id: row.of("publications").parse(PublicationId::parse)?,
        screener: row.parse(ScreenerId::parse)?,
        tags: row.parse(parse_tags)?,
        wording: read_wording(row)?,
        questions: Vec::new(),
        published: row.opt_time()?,
    };
    Ok((publication, row.opt_parse(ContentHash::parse)?))
}

impl Tx {
    /// Returns a publication of a tenant.
    pub async fn get_publication(
        &mut self,
        tenant: &TenantId,
        id: &PublicationId,
    ) -> Result<Option<Publication>> {
        self.get_content(tenant, id, PUBLISHED).await
    }

    /// Returns the draft of a tenant that will be this publication.
    pub async fn get_draft(
        &mut self,
        tenant: &TenantId,
        id: &PublicationId,
    ) -> Result<Option<Publication>> {
        self.get_content(tenant, id, DRAFT).await
    }

    async fn get_content(
        &mut self,
        tenant: &TenantId,
        id: &PublicationId,
        state: &str,
    ) -> Result<Option<Publication>> {
        let found = self
            .one(
                "SELECT id, screener_id, tags, language, introduction, thanks_qualified,
                        thanks_disqualified, published_at, content_hash FROM publications
                 WHERE tenant_id = $1 AND id = $2 AND state = $3",
                args![tenant, id, state],
                read_head,
            )
            .await?;
        let Some((head, hash)) = found else { return Ok(None) };
        let questions = self.questions_of(tenant, id).await?;
        let publication = Publication { questions, ..head };
        // Publications that are older than stored digests have none.
        if hash.is_some_and(|hash| hash != publication.content_hash()) {
            let (table, column) = ("publications", "content_hash");
            let reason = "the content has another digest";
            return Err(Error::internal(Corrupt::new(table, column, publication.id, reason)));
        }
        Ok(Some(publication))
    }

    /// Returns the head of a publication.
    pub async fn publication_head(
        &mut self,
        tenant: &TenantId,
        id: &PublicationId,
    ) -> Result<Option<PublicationHead>> {
        self.one(
            "SELECT id, screener_id, content_hash, published_at FROM publications
             WHERE tenant_id = $1 AND id = $2 AND state = 'PUBLISHED'",
            args![tenant, id],
            read_known,
        )
        .await
    }

    /// Returns a page of a screener's publications, in the order of their publication.
    pub async fn list_publications(
        &mut self,
        tenant: &TenantId,
        screener: &ScreenerId,
        paging: impl Into<Paging> + Send,
    ) -> Result<Page<PublicationHead>> {
        let paging = paging.into();
        let (total, seqs) = BY_SCREENER.page(self, tenant, screener.as_str(), &paging).await?;
        let mut rows = paging.rows();
        if !seqs.is_empty() {
            let list = ListArgs::new(args![tenant, screener], &seqs);
            let sql = format!(
                "SELECT id, screener_id, content_hash, published_at FROM publications
                 WHERE tenant_id = $1 AND screener_id = $2 AND seq IN ({}) ORDER BY seq",
                list.placeholders
            );
            self.scan(sql, &list.args, |row| rows.push(read_known(row)?)).await?;
        }
        Ok(rows.page(total))
    }

    /// Returns the author's thanks to a participant who has completed a session: the given one, or
    /// else the last one under the assignment.
    pub async fn find_thanks(
        &mut self,
        tenant: &TenantId,
        assignment: &AssignmentId,
        session: Option<&SessionId>,
    ) -> Result<Option<Thanks>> {
        self.one(
            "SELECT s.id, p.language, p.thanks_qualified, p.thanks_disqualified,
                        u.questions_qualified
                 FROM sessions s
                 JOIN publications p ON p.tenant_id = s.tenant_id AND p.id = s.publication_id
                 LEFT JOIN submissions u ON u.tenant_id = s.tenant_id AND u.session_id = s.id
                 WHERE s.tenant_id = $1 AND s.assignment_id = $2 AND s.completed_at IS NOT NULL
                   AND (s.id = $3 OR $4 = 1)
                 ORDER BY s.seq DESC LIMIT 1",
            args![tenant, assignment, session, session.is_none()],
            |row| {
                row.of("publications").skip_id();
                let language = row.opt_text()?;
                let (qualified, disqualified) = (row.opt_text()?, row.opt_text()?);
                let text = if row.opt_flag()? == Some(false) { disqualified } else { qualified };
                Ok(Thanks { text, language })
            },
        )
        .await
    }

    /// Returns the language of a publication or a draft, if known.
    pub async fn publication_language(
        &mut self,
        tenant: &TenantId,
        id: &PublicationId,
    ) -> Result<Option<String>> {
        let found = self
            .one(
                "SELECT id, language FROM publications WHERE tenant_id = $1 AND id = $2",
                args![tenant, id],
                |row| row.of("publications").skip_id().opt_text(),
            )
            .await?;
        Ok(found.flatten())
    }
}

impl WriteTx {
    /// Adds a publication.
    pub async fn create_publication(
        &mut self,
        tenant: &TenantId,
        publication: &Publication,
    ) -> Result<()> {
        self.expect_screener_alone(tenant, &publication.screener)?;
        let scopes = [Scope::Screener(publication.screener.as_str())];
        let seq = self.append(tenant, List::Publications, &scopes).await?;
        self.create_content(tenant, publication, PUBLISHED, seq).await
    }

    /// Adds a draft.
    pub async fn create_draft(&mut self, tenant: &TenantId, draft: &Publication) -> Result<()> {
        self.expect_screener_alone(tenant, &draft.screener)?;
        self.create_content(tenant, draft, DRAFT, Seq::Known(NO_SEQ)).await
    }

    /// Deletes the draft of a screener.
    pub async fn delete_draft(
        &mut self,
        tenant: &TenantId,
        screener: &ScreenerId,
        id: &PublicationId,
    ) -> Result<()> {
        self.expect_screener_alone(tenant, screener)?;
        for sql in [
            "DELETE FROM options WHERE tenant_id = $1 AND publication_id = $2",
            "DELETE FROM questions WHERE tenant_id = $1 AND publication_id = $2",
        ] {
            self.put(sql, args![tenant, id]).await?;
        }
        let sql = "DELETE FROM publications WHERE tenant_id = $1 AND id = $2 AND state = 'DRAFT'";
        self.must(sql, args![tenant, id], 1).await
    }

    /// Publishes the draft of a screener under its id.
    pub async fn publish_draft(
        &mut self,
        tenant: &TenantId,
        draft: &Publication,
        now: Timestamp,
    ) -> Result<()> {
        self.expect_screener_alone(tenant, &draft.screener)?;
        let scopes = [Scope::Screener(draft.screener.as_str())];
        let seq = self.append(tenant, List::Publications, &scopes).await?;
        self.must(
            "UPDATE publications SET state = 'PUBLISHED', seq = $1, published_at = $2
             WHERE tenant_id = $3 AND id = $4 AND state = 'DRAFT'",
            args![seq, now, tenant, &draft.id],
            1,
        )
        .await
    }

    async fn create_content(
        &mut self,
        tenant: &TenantId,
        publication: &Publication,
        state: &str,
        seq: Seq,
    ) -> Result<()> {
        let Publication { id, screener, tags, wording, questions, published } = publication;
        let Wording { language, introduction, thanks_qualified, thanks_disqualified } = wording;
        let tags: Vec<_> = tags
            .iter()
            .map(|Tag { id, category, value }| StoredTag {
                id: id.to_string(),
                category: category.clone(),
                value: value.clone(),
            })
            .collect();
        let tags = serde_json::to_string(&tags).map_err(Error::internal)?;
        let hash = publication.content_hash().to_string();
        self.put(
            "INSERT INTO publications (tenant_id, id, screener_id, tags, state, seq, published_at,
                content_hash, language, introduction, thanks_qualified, thanks_disqualified)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            args![
                tenant,
                id,
                screener,
                &tags,
                state,
                seq,
                *published,
                &hash,
                language.as_deref(),
                introduction.as_deref(),
                thanks_qualified.as_deref(),
                thanks_disqualified.as_deref(),
            ],
        )
        .await?;
        for (position, question) in (0_i64..).zip(questions) {
            self.create_question(tenant, id, position, question).await?;
        }
        Ok(())
    }
}
