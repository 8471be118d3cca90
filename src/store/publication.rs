//! Publications, with their questions and options. Nothing here changes or deletes one.

use serde::{Deserialize, Serialize};

use super::sql::args;
use super::{Row, Tx};
use crate::domain::error::{Error, Result};
use crate::domain::id::{OptionId, PageId, PublicationId, QuestionId, ScreenerId, TagId, TenantId};
use crate::domain::publication::{
    Choice, Publication, Question, QuestionForm, QuestionKind, Range, Rule,
};
use crate::domain::tag::Tag;

/// A tag, as it is stored.
#[derive(Deserialize, Serialize)]
struct StoredTag {
    id: String,
    category: Option<String>,
    value: String,
}

/// Takes the column `tags` of a publication.
pub(super) fn read_tags(row: &mut Row<'_>) -> Result<Vec<Tag>> {
    row.of("publications").parse(|text| {
        let stored: Vec<StoredTag> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        stored
            .into_iter()
            .map(|StoredTag { id, category, value }| {
                Ok(Tag { id: TagId::parse(&id)?, category, value })
            })
            .collect()
    })
}

fn read_choice(row: &mut Row<'_>) -> Result<(QuestionId, Choice)> {
    row.of("options");
    let question = row.parse(QuestionId::parse)?;
    let choice = Choice {
        id: row.parse(OptionId::parse)?,
        text: row.text()?,
        rule: row.parse(Rule::parse)?,
        write_in: row.flag()?,
        go_to: row.opt_parse(QuestionId::parse)?,
    };
    Ok((question, choice))
}

/// Takes a question's columns; its options are put in by the caller.
fn read_question(row: &mut Row<'_>) -> Result<Question> {
    row.of("questions");
    let id = row.parse(QuestionId::parse)?;
    let page = row.parse(PageId::parse)?;
    let kind = row.parse(QuestionKind::parse)?;
    let prompt = row.text()?;
    let required = row.flag()?;
    let multi_line = row.flag()?;
    let slider = row.flag()?;
    let bounds = Range { min: row.opt_real()?, max: row.opt_real()? };
    let qualifies = Range { min: row.opt_real()?, max: row.opt_real()? };
    let form = match kind {
        QuestionKind::Text => QuestionForm::Text { multi_line },
        QuestionKind::Numeric => QuestionForm::Numeric {
            slider,
            bounds,
            qualifies: Some(qualifies).filter(Range::is_bounded),
        },
        QuestionKind::SingleSelect => QuestionForm::SingleSelect(Vec::new()),
        QuestionKind::MultiSelect => QuestionForm::MultiSelect(Vec::new()),
    };
    Ok(Question { id, page, prompt, required, form })
}

impl Tx {
    /// One publication of a tenant.
    pub async fn get_publication(
        &mut self,
        tenant: &TenantId,
        id: &PublicationId,
    ) -> Result<Option<Publication>> {
        let found = self
            .one(
                "SELECT id, screener_id, tags FROM publications
                 WHERE tenant_id = $1 AND id = $2",
                args![tenant, id],
                |row| {
                    let screener = row.of("publications").skip_id().parse(ScreenerId::parse)?;
                    Ok((screener, read_tags(row)?))
                },
            )
            .await?;
        let Some((screener, tags)) = found else { return Ok(None) };
        let mut questions = self
            .all(
                "SELECT id, page_id, kind, prompt, required, multi_line, slider, min, max,
                        qualifies_min, qualifies_max
                 FROM questions WHERE tenant_id = $1 AND publication_id = $2 ORDER BY position",
                args![tenant, id],
                read_question,
            )
            .await?;
        let choices = self
            .all(
                "SELECT question_id, id, text, rule, write_in, go_to_question_id
                 FROM options WHERE tenant_id = $1 AND publication_id = $2
                 ORDER BY question_id, position",
                args![tenant, id],
                read_choice,
            )
            .await?;
        for (question, choice) in choices {
            let form = questions.iter_mut().find(|it| it.id == question).map(|it| &mut it.form);
            if let Some(QuestionForm::SingleSelect(own) | QuestionForm::MultiSelect(own)) = form {
                own.push(choice);
            }
        }
        Ok(Some(Publication { id: id.clone(), screener, tags, questions }))
    }

    /// The tags of a publication, without its questions.
    pub async fn publication_tags(
        &mut self,
        tenant: &TenantId,
        id: &PublicationId,
    ) -> Result<Option<Vec<Tag>>> {
        self.one(
            "SELECT id, tags FROM publications WHERE tenant_id = $1 AND id = $2",
            args![tenant, id],
            |row| read_tags(row.of("publications").skip_id()),
        )
        .await
    }

    /// Adds a publication.
    pub async fn create_publication(
        &mut self,
        tenant: &TenantId,
        publication: &Publication,
    ) -> Result<()> {
        let tags: Vec<_> = publication
            .tags
            .iter()
            .map(|Tag { id, category, value }| StoredTag {
                id: id.to_string(),
                category: category.clone(),
                value: value.clone(),
            })
            .collect();
        let tags = serde_json::to_string(&tags).map_err(Error::internal)?;
        self.exec(
            "INSERT INTO publications (tenant_id, id, screener_id, tags) VALUES ($1, $2, $3, $4)",
            args![tenant, &publication.id, &publication.screener, &tags],
        )
        .await?;
        for (position, question) in (0_i64..).zip(&publication.questions) {
            self.create_question(tenant, &publication.id, position, question).await?;
        }
        Ok(())
    }

    async fn create_question(
        &mut self,
        tenant: &TenantId,
        publication: &PublicationId,
        position: i64,
        question: &Question,
    ) -> Result<()> {
        let (multi_line, slider, bounds, qualifies) = match &question.form {
            QuestionForm::Text { multi_line } => (*multi_line, false, None, None),
            QuestionForm::Numeric { slider, bounds, qualifies } => {
                (false, *slider, Some(*bounds), *qualifies)
            }
            QuestionForm::SingleSelect(_) | QuestionForm::MultiSelect(_) => {
                (false, false, None, None)
            }
        };
        let (bounds, qualifies) = (bounds.unwrap_or_default(), qualifies.unwrap_or_default());
        self.exec(
            "INSERT INTO questions (tenant_id, publication_id, id, position, page_id, kind, prompt,
                required, multi_line, slider, min, max, qualifies_min, qualifies_max)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            args![
                tenant,
                publication,
                &question.id,
                position,
                &question.page,
                question.kind().as_str(),
                &question.prompt,
                question.required,
                multi_line,
                slider,
                bounds.min,
                bounds.max,
                qualifies.min,
                qualifies.max,
            ],
        )
        .await?;
        for (position, choice) in (0_i64..).zip(question.choices()) {
            self.exec(
                "INSERT INTO options (tenant_id, publication_id, question_id, id, position, text,
                    rule, write_in, go_to_question_id)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                args![
                    tenant,
                    publication,
                    &question.id,
                    &choice.id,
                    position,
                    &choice.text,
                    choice.rule.as_str(),
                    choice.write_in,
                    choice.go_to.as_ref(),
                ],
            )
            .await?;
        }
        Ok(())
    }
}
