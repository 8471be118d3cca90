//! Answers that were replaced or dropped, and answers that the page saved automatically, whose
//! replacement leaves no earlier answer.

use std::collections::BTreeSet;

use crate::domain::error::Result;
use crate::domain::id::{QuestionId, SessionId, TenantId};
use crate::domain::list::{IdSet, Page, Pagination};
use crate::domain::question::QuestionKind;
use crate::domain::response::{EarlierAnswer, EarlierReason, EarlierResponse};
use crate::domain::time::Timestamp;
use crate::store::engine::read_int;
use crate::store::list::{Length, List, Paging, page_of};
use crate::store::question::{Stored, read_answer, store};
use crate::store::response::named_or_all;
use crate::store::sql::{ListArgs, args};
use crate::store::{Row, Tx, WriteTx};

/// The filter of a list of earlier answers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EarlierFilter {
    /// By their sessions: named ones, or all.
    pub sessions: IdSet,
}

impl EarlierFilter {
    /// Returns how long a page takes to read. One session has few.
    #[must_use]
    pub fn length(&self, pagination: Pagination) -> Length {
        match &self.sessions {
            IdSet::Only(ids) if ids.len() > 1 => Length::Long,
            IdSet::Only(_) | IdSet::AllBut(_) => Length::of(pagination),
        }
    }
}

fn read_earlier(row: &mut Row<'_>) -> Result<EarlierResponse> {
    let session = row.of("earlier_responses").parse(SessionId::parse)?;
    let question = row.parse(QuestionId::parse)?;
    let (at, reason) = (row.time()?, row.parse(EarlierReason::parse)?);
    let kind = row.parse(QuestionKind::parse)?;
    Ok(EarlierResponse { session, question, kind, answer: read_answer(row, kind)?, at, reason })
}

impl Tx {
    /// Returns a page of replaced or dropped answers, in the order in which that happened.
    ///
    /// Each answer of a named session costs an index entry, regardless of the page.
    pub async fn list_earlier_responses(
        &mut self,
        tenant: &TenantId,
        filter: &EarlierFilter,
        paging: impl Into<Paging> + Send,
    ) -> Result<Page<EarlierResponse>> {
        let paging = paging.into();
        let found = match named_or_all(&filter.sessions)? {
            None => self.dense_page(tenant, List::EarlierResponses, &paging).await?,
            Some(ids) if ids.is_empty() => (0, Vec::new()),
            Some(ids) => {
                let ids: Vec<&String> = ids.iter().collect();
                let list = ListArgs::new(args![tenant], &ids);
                let sql = format!(
                    "SELECT seq FROM earlier_responses
                     WHERE tenant_id = $1 AND session_id IN ({})",
                    list.placeholders
                );
                page_of(self.all(sql, &list.args, read_int).await?, &paging)
            }
        };
        let halves = (
            "SELECT e.session_id, e.question_id, e.at, e.reason, q.kind, e.text, e.number,
                e.choices
             FROM earlier_responses e
             JOIN sessions s ON s.tenant_id = e.tenant_id AND s.id = e.session_id
             JOIN questions q ON q.tenant_id = s.tenant_id
                AND q.publication_id = s.publication_id AND q.id = e.question_id
             WHERE e.tenant_id = $1 AND e.seq IN (",
            ") ORDER BY e.seq",
        );
        self.page_at(tenant, found, &paging, halves, read_earlier).await
    }

    /// Returns the questions of a session whose answers the page saved automatically.
    pub async fn provisional_questions(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
    ) -> Result<BTreeSet<QuestionId>> {
        let questions = self
            .all(
                "SELECT question_id FROM responses
                 WHERE tenant_id = $1 AND session_id = $2 AND provisional = 1",
                args![tenant, session],
                |row| row.of("responses").parse(QuestionId::parse),
            )
            .await?;
        Ok(questions.into_iter().collect())
    }
}

impl WriteTx {
    /// Adds answers that a submission to a session replaced or dropped.
    pub async fn create_earlier_responses(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
        (earlier, at): (&[EarlierAnswer], Timestamp),
    ) -> Result<()> {
        for (question, answer, reason) in earlier {
            let seq = self.append(tenant, List::EarlierResponses, &[]).await?;
            let answers = [(question.clone(), answer.clone())];
            for (_, Stored { text, number, choices }) in store(&answers)? {
                self.put(
                    "INSERT INTO earlier_responses (tenant_id, seq, session_id, question_id, at,
                        reason, text, number, choices)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    args![
                        tenant,
                        seq,
                        session,
                        question,
                        at,
                        reason.as_str(),
                        text,
                        number,
                        choices.as_deref(),
                    ],
                )
                .await?;
            }
        }
        Ok(())
    }

    /// Marks automatically saved answers of a session as confirmed by the participant.
    pub async fn confirm_responses(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
        questions: &[&QuestionId],
    ) -> Result<()> {
        if questions.is_empty() {
            return Ok(());
        }
        let list = ListArgs::new(args![tenant, session], questions);
        let sql = format!(
            "UPDATE responses SET provisional = 0
             WHERE tenant_id = $1 AND session_id = $2 AND question_id IN ({})",
            list.placeholders
        );
        self.put(sql, &list.args).await
    }
}
