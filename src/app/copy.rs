//! Copying a database.

use super::{Location, Operator};
use crate::domain::error::{Error, Result};
use crate::store::{CopyProgress, Store, TableDigest};

/// Copies a database into an empty one, of either engine, and compares the two. Neither may be in
/// use. Both are migrated to the version of this program first.
pub async fn copy(
    _: &Operator,
    from: &Location,
    to: &Location,
    progress: impl FnMut(CopyProgress) + Send,
) -> Result<Vec<TableDigest>> {
    let (from, to) = (&from.resolved()?, &to.resolved()?);
    if from == to {
        return Err(Error::invalid_field("to", "Must differ from the database to copy from."));
    }
    // Opening a missing file would create it.
    if from.file().is_some_and(|file| !file.exists()) {
        return Err(Error::invalid_field("from", "This file does not exist."));
    }
    let source = Store::open_alone(from).await?;
    let copied = match Store::open_alone(to).await {
        Ok(target) => {
            let copied = source.copy_to(&target, progress).await;
            target.close().await;
            copied
        }
        Err(error) => Err(error),
    };
    source.close().await;
    copied
}
