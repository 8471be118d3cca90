//! The audit log. Nothing here changes or deletes an entry.

use serde::{Deserialize, Serialize};

use super::engine::read_int;
use super::list::{Paging, page_of};
use super::sql::args;
use super::{List, Row, Tx, WriteTx};
use crate::domain::change::{Action, Change, Entry, FieldChange, Subject};
use crate::domain::error::{Error, Result};
use crate::domain::id::TenantId;
use crate::domain::list::Page;
use crate::meter::StoreMeter;

/// The filter of a list of entries.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ChangeFilter {
    /// The row that the entries are about. All, if absent.
    pub row: Option<(Subject, String)>,
}

/// A field, as it is stored.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredField {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

fn parse_fields(text: &str) -> Result<Vec<FieldChange>, String> {
    let stored: Vec<StoredField> = serde_json::from_str(text).map_err(|it| it.to_string())?;
    let field = |StoredField { name, before, after }| FieldChange { name, before, after };
    Ok(stored.into_iter().map(field).collect())
}

fn read_entry(row: &mut Row<'_>) -> Result<Entry> {
    row.of("changes").skip_id();
    Ok(Entry {
        seq: row.int()?,
        change: Change {
            at: row.time()?,
            actor: row.text()?,
            action: row.parse(Action::parse)?,
            subject: row.parse(Subject::parse)?,
            subject_id: row.text()?,
            fields: row.parse(parse_fields)?,
        },
    })
}

/// The actions that a write has recorded, until they are committed and counted.
#[derive(Debug, Default)]
pub(super) struct Acts {
    /// Of the current piece of work.
    work: Vec<Action>,
    /// Of the pieces that have ended.
    ended: Vec<Action>,
}

impl Acts {
    /// Ends a piece of work.
    pub(super) fn keep(&mut self) {
        self.ended.append(&mut self.work);
    }

    /// Discards those of a piece that is undone.
    pub(super) fn forget(&mut self) {
        self.work.clear();
    }

    /// Discards all, because the transaction is rolled back.
    pub(super) fn forget_all(&mut self) {
        self.work.clear();
        self.ended.clear();
    }

    /// Counts all, after COMMIT.
    pub(super) fn count(&mut self, meter: &StoreMeter) {
        self.keep();
        for action in self.ended.drain(..) {
            meter.changed(action.as_str());
        }
    }
}

impl WriteTx {
    /// Adds the entries of a write's changes.
    pub async fn record_changes(&mut self, tenant: &TenantId, changes: &[Change]) -> Result<()> {
        for change in changes {
            self.record_change(tenant, change).await?;
        }
        Ok(())
    }

    /// Adds an entry, in the write whose change it records.
    pub async fn record_change(&mut self, tenant: &TenantId, change: &Change) -> Result<()> {
        let seq = self.append(tenant, List::Changes, &[]).await?;
        let Change { at, actor, action, subject, subject_id, fields } = change;
        self.acts.work.push(*action);
        let stored = |field: &FieldChange| {
            let FieldChange { name, before, after } = field.clone();
            StoredField { name, before, after }
        };
        let fields: Vec<_> = fields.iter().map(stored).collect();
        let fields = serde_json::to_string(&fields).map_err(Error::internal)?;
        self.put(
            "INSERT INTO changes (tenant_id, seq, at, actor, action, subject, subject_id,
                fields)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            args![tenant, seq, *at, actor, action.as_str(), subject.as_str(), subject_id, &fields,],
        )
        .await
    }
}

impl Tx {
    /// Returns a page of a tenant's log, oldest first.
    ///
    /// The whole log costs the same at any offset. Each entry about a given row costs an index
    /// entry, regardless of the page. People change a row, so these are dozens.
    pub async fn list_changes(
        &mut self,
        tenant: &TenantId,
        filter: &ChangeFilter,
        paging: impl Into<Paging> + Send,
    ) -> Result<Page<Entry>> {
        let paging = paging.into();
        let found = match &filter.row {
            None => self.dense_page(tenant, List::Changes, &paging).await?,
            Some((subject, id)) => {
                let seqs = self
                    .all(
                        "SELECT seq FROM changes
                         WHERE tenant_id = $1 AND subject = $2 AND subject_id = $3",
                        args![tenant, subject.as_str(), id],
                        read_int,
                    )
                    .await?;
                page_of(seqs, &paging)
            }
        };
        // A row is identified by its first column, so the place is selected twice.
        let head = "SELECT CAST(seq AS TEXT) AS place, seq, at, actor, action, subject, subject_id,
                fields
             FROM changes WHERE tenant_id = $1 AND seq IN (";
        self.page_at(tenant, found, &paging, (head, ") ORDER BY seq"), read_entry).await
    }
}
