//! Secrets of the server itself.

use super::WriteTx;
use super::sql::Arg;
use crate::domain::error::{Error, Result};

impl WriteTx {
    /// Returns the secret of this name. Stores `fresh` as the secret if none exists.
    pub async fn server_secret(&mut self, name: &str, fresh: &[u8]) -> Result<Vec<u8>> {
        self.exec(
            "INSERT INTO server_secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[Arg::from(name), Arg::Blob(fresh)],
        )
        .await?;
        self.one("SELECT value FROM server_secrets WHERE name = $1", &[Arg::from(name)], |row| {
            row.of("server_secrets").blob()
        })
        .await?
        .ok_or_else(|| Error::internal("a secret was neither found nor made"))
    }
}
