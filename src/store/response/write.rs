//! Adding, changing and dropping responses.

use super::scopes_of;
use crate::domain::answer::Answer;
use crate::domain::error::Result;
use crate::domain::id::{QuestionId, TenantId};
use crate::domain::session::Session;
use crate::store::engine::read_int;
use crate::store::list::{Leaving, List, block_of};
use crate::store::question::{Stored, store};
use crate::store::sql::{ListArgs, RowArgs, args};
use crate::store::{Tx, WriteTx};

/// Rows that one statement adds or changes: enough to share the cost of a statement, and few enough
/// that the statements, one for each number of rows, all stay prepared.
const WRITE_MAX_ROWS: usize = 32;

impl WriteTx {
    /// Adds answers to questions of one session, in this order. `is_provisional` means that the
    /// page saved them automatically.
    pub async fn create_responses(
        &mut self,
        tenant: &TenantId,
        session: &Session,
        answers: &[(QuestionId, Answer)],
        is_provisional: bool,
    ) -> Result<()> {
        let Session { id, screener, publication, assignment, .. } = session;
        for chunk in answers.chunks(WRITE_MAX_ROWS) {
            let stored = store(chunk)?;
            let shared = args![tenant, id, screener, publication, assignment, is_provisional];
            let mut rows = RowArgs::new(shared);
            let scopes = scopes_of(session);
            let first = self.append_rows(tenant, List::Responses, &scopes, stored.len()).await?;
            for (place, (question, Stored { text, number, choices })) in (0..).zip(&stored) {
                let seq = first.plus(place);
                rows.push(args![*question, seq, *text, *number, choices.as_deref()]);
            }
            let sql = format!(
                "INSERT INTO responses (tenant_id, session_id, screener_id, publication_id,
                    assignment_id, provisional, question_id, seq, text, number, choices)
                 VALUES {}",
                rows.placeholders
            );
            self.put(sql, &rows.args).await?;
        }
        Ok(())
    }

    /// Changes existing answers of one session. Each keeps its place in the lists. `is_provisional`
    /// means that the page saved them automatically.
    pub async fn replace_responses(
        &mut self,
        tenant: &TenantId,
        session: &Session,
        answers: &[(QuestionId, Answer)],
        is_provisional: bool,
    ) -> Result<()> {
        for chunk in answers.chunks(WRITE_MAX_ROWS) {
            let stored = store(chunk)?;
            let mut rows = RowArgs::new(args![tenant, &session.id, is_provisional]);
            for (question, Stored { text, number, choices }) in &stored {
                rows.push(args![*question, *text, *number, choices.as_deref()]);
            }
            // The names that both engines give to the columns of a list of rows.
            let sql = format!(
                "UPDATE responses SET provisional = r.column3, text = r.column5,
                    number = r.column6, choices = r.column7
                 FROM (VALUES {}) AS r
                 WHERE responses.tenant_id = r.column1 AND responses.session_id = r.column2
                 AND responses.question_id = r.column4",
                rows.placeholders
            );
            self.must(sql, &rows.args, chunk.len()).await?;
        }
        Ok(())
    }

    /// Deletes the answers of one session that [`Tx::find_dropping`] found, and removes them from
    /// the lists.
    pub async fn drop_responses(
        &mut self,
        tenant: &TenantId,
        session: &Session,
        Dropping { questions, leaving }: &Dropping,
    ) -> Result<()> {
        let count = leaving.seqs.len();
        if count == 0 {
            return Ok(());
        }
        let questions: Vec<_> = questions.iter().collect();
        let list = ListArgs::new(args![tenant, &session.id], &questions);
        let sql = format!(
            "DELETE FROM responses
             WHERE tenant_id = $1 AND session_id = $2 AND question_id IN ({})",
            list.placeholders
        );
        self.must(sql, &list.args, count).await?;
        self.leave(tenant, List::Responses, &scopes_of(session), leaving).await
    }
}

/// Answers of a session that are about to be dropped.
#[derive(Debug, Default)]
pub struct Dropping {
    questions: Vec<QuestionId>,
    leaving: Leaving,
}

impl Dropping {
    /// Returns the number of answers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leaving.seqs.len()
    }

    /// Returns whether there are no answers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaving.seqs.is_empty()
    }
}

impl Tx {
    /// Finds the answers of one session to these questions, with their blocks in `scopes_of` the
    /// session, before they are dropped.
    pub async fn find_dropping(
        &mut self,
        tenant: &TenantId,
        session: &Session,
        questions: &[QuestionId],
    ) -> Result<Dropping> {
        if questions.is_empty() {
            return Ok(Dropping::default());
        }
        let ids: Vec<_> = questions.iter().collect();
        let list = ListArgs::new(args![tenant, &session.id], &ids);
        let sql = format!(
            "SELECT r.seq, {}, {} FROM responses r
             WHERE r.tenant_id = $1 AND r.session_id = $2 AND r.question_id IN ({})",
            block_of!("responses", "screener", "screener_id"),
            block_of!("responses", "publication", "publication_id"),
            list.placeholders
        );
        let (mut seqs, mut blocks) = (Vec::new(), vec![Vec::new(); 2]);
        self.scan(sql, &list.args, |row| {
            seqs.push(read_int(row)?);
            row.of("list_marks");
            blocks.iter_mut().try_for_each(|blocks| read_int(row).map(|block| blocks.push(block)))
        })
        .await?;
        let leaving = Leaving { seqs, blocks };
        Ok(Dropping { questions: questions.to_vec(), leaving })
    }
}
