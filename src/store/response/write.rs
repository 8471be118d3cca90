//! Adding, changing and dropping responses.

use super::scopes_of;
use crate::domain::answer::Answer;
use crate::domain::error::{Error, Result};
use crate::domain::id::{QuestionId, TenantId};
use crate::domain::question::QuestionKind;
use crate::domain::session::Session;
use crate::store::list::List;
use crate::store::question::{Stored, read_answer, store};
use crate::store::sql::{ListArgs, RowArgs, args};
use crate::store::{Ledger, Tx};

/// Rows that one statement adds or changes: enough that the cost of a statement is shared, and few
/// enough that the statements, one for each number of rows, all stay prepared.
const WRITE_MAX_ROWS: usize = 32;

impl Tx {
    /// Adds answers to questions of one session, in this order.
    pub async fn create_responses(
        &mut self,
        ledger: &mut Ledger,
        tenant: &TenantId,
        session: &Session,
        answers: &[(QuestionId, Answer)],
    ) -> Result<()> {
        let Session { id, screener, publication, assignment, .. } = session;
        for chunk in answers.chunks(WRITE_MAX_ROWS) {
            let stored = store(chunk)?;
            let mut rows = RowArgs::new(args![tenant, id, screener, publication, assignment]);
            let (scopes, count) = (scopes_of(session), stored.len());
            let first = ledger.append_rows(self, tenant, List::Responses, &scopes, count).await?;
            for (seq, (question, Stored { text, number, choices })) in (first..).zip(&stored) {
                rows.push(args![*question, seq, *text, *number, choices.as_deref()]);
            }
            let sql = format!(
                "INSERT INTO responses (tenant_id, session_id, screener_id, publication_id,
                    assignment_id, question_id, seq, text, number, choices)
                 VALUES {}",
                rows.placeholders
            );
            self.exec(sql, &rows.args).await?;
        }
        Ok(())
    }

    /// Changes answers of one session, which must be there. Each keeps its place in the lists.
    ///
    /// Whoever also adds or drops answers does that first, so that two transactions cannot wait for
    /// each other.
    pub async fn replace_responses(
        &mut self,
        tenant: &TenantId,
        session: &Session,
        answers: &[(QuestionId, Answer)],
    ) -> Result<()> {
        for chunk in answers.chunks(WRITE_MAX_ROWS) {
            let stored = store(chunk)?;
            let mut rows = RowArgs::new(args![tenant, &session.id]);
            for (question, Stored { text, number, choices }) in &stored {
                rows.push(args![*question, *text, *number, choices.as_deref()]);
            }
            // Both engines name the columns of a list of rows so.
            let sql = format!(
                "UPDATE responses SET text = r.column4, number = r.column5, choices = r.column6
                 FROM (VALUES {}) AS r
                 WHERE responses.tenant_id = r.column1 AND responses.session_id = r.column2
                 AND responses.question_id = r.column3",
                rows.placeholders
            );
            if self.exec(sql, &rows.args).await? != chunk.len() as u64 {
                return Err(Error::internal("an answer to be replaced is not there"));
            }
        }
        Ok(())
    }

    /// Deletes the answers of one session to these questions, and takes them off the lists. Returns
    /// those that were there, in arrival order.
    pub async fn drop_responses(
        &mut self,
        ledger: &mut Ledger,
        tenant: &TenantId,
        session: &Session,
        questions: &[QuestionId],
    ) -> Result<Vec<(QuestionId, Answer)>> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        ledger.lock(self, tenant, List::Responses).await?;
        let questions: Vec<_> = questions.iter().collect();
        let list = ListArgs::new(args![tenant, &session.id], &questions);
        let sql = format!(
            "DELETE FROM responses
             WHERE tenant_id = $1 AND session_id = $2 AND question_id IN ({})
             RETURNING session_id, seq, question_id,
                (SELECT q.kind FROM questions q WHERE q.tenant_id = responses.tenant_id
                    AND q.publication_id = responses.publication_id
                    AND q.id = responses.question_id),
                text, number, choices",
            list.placeholders
        );
        let mut dropped = self
            .all(sql, &list.args, |row| {
                row.of("responses").skip_id();
                let seq = row.int()?;
                let question = row.parse(QuestionId::parse)?;
                let kind = row.parse(QuestionKind::parse)?;
                Ok((seq, (question, read_answer(row, kind)?)))
            })
            .await?;
        dropped.sort_unstable_by_key(|(seq, _)| *seq);
        let (seqs, dropped): (Vec<_>, Vec<_>) = dropped.into_iter().unzip();
        ledger.leave(self, tenant, List::Responses, &scopes_of(session), &seqs).await?;
        Ok(dropped)
    }
}
