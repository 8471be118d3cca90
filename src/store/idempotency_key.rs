//! The idempotency keys of submissions.

use serde::{Deserialize, Serialize};

use super::sql::{Arg, args};
use super::{Tx, WriteTx};
use crate::domain::answering::Receipt;
use crate::domain::error::{Error, Result};
use crate::domain::id::{AssignmentId, QuestionId, SessionId, TenantId};
use crate::domain::time::Timestamp;

/// The stored form of a receipt.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredReceipt {
    session: String,
    count: usize,
    dropped: Vec<String>,
    path: Vec<String>,
    is_final: bool,
}

impl From<&Receipt> for StoredReceipt {
    fn from(receipt: &Receipt) -> Self {
        let Receipt { session, count, dropped, path, is_final } = receipt;
        let texts = |ids: &[QuestionId]| ids.iter().map(ToString::to_string).collect();
        Self {
            session: session.to_string(),
            count: *count,
            dropped: texts(dropped),
            path: texts(path),
            is_final: *is_final,
        }
    }
}

pub(super) fn parse_receipt(text: &str) -> Result<Receipt, String> {
    let StoredReceipt { session, count, dropped, path, is_final } =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    let ids = |texts: Vec<String>| -> Result<Vec<_>, String> {
        texts.iter().map(|id| QuestionId::parse(id)).collect()
    };
    Ok(Receipt {
        session: SessionId::parse(&session)?,
        count,
        dropped: ids(dropped)?,
        path: ids(path)?,
        is_final,
    })
}

impl Tx {
    /// Returns the digest and the receipt of the submission under a key.
    pub async fn find_idempotency_key(
        &mut self,
        tenant: &TenantId,
        assignment: &AssignmentId,
        key: &str,
    ) -> Result<Option<(Vec<u8>, Receipt)>> {
        self.one(
            "SELECT assignment_id, digest, receipt FROM submission_keys
             WHERE tenant_id = $1 AND assignment_id = $2 AND key = $3",
            args![tenant, assignment, key],
            |row| {
                row.of("submission_keys").skip_id();
                Ok((row.blob()?, row.parse(parse_receipt)?))
            },
        )
        .await
    }
}

impl WriteTx {
    /// Stores the receipt of a submission.
    pub async fn create_idempotency_key(
        &mut self,
        tenant: &TenantId,
        assignment: &AssignmentId,
        (key, digest): (&str, &[u8]),
        receipt: &Receipt,
        now: Timestamp,
    ) -> Result<()> {
        let receipt = serde_json::to_string(&StoredReceipt::from(receipt));
        let receipt = receipt.map_err(Error::internal)?;
        self.put(
            "INSERT INTO submission_keys (tenant_id, assignment_id, key, digest, receipt,
                created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            args![tenant, assignment, key, Arg::Blob(digest), &receipt, now],
        )
        .await
    }

    /// Deletes at most `most` keys from before `before`, and returns how many it deleted.
    pub async fn forget_idempotency_keys(&mut self, before: Timestamp, most: i64) -> Result<u64> {
        self.exec(
            "DELETE FROM submission_keys WHERE (tenant_id, assignment_id, key) IN (
                SELECT tenant_id, assignment_id, key FROM submission_keys
                WHERE created_at < $1 ORDER BY created_at LIMIT $2)",
            args![before, most],
        )
        .await
    }
}
