//! The example data of `--demo`: its database, and the limits that its public keys require.

use std::path::PathBuf;

use crate::app::{App, Location, Operator};
use crate::config;
use crate::domain::error::{Error, Result};
use crate::transfer;

/// Returns the location of the data. A demo without a database of its own gets a temporary one.
pub(super) fn locate(config: &config::Serve) -> Result<(Location, Option<tempfile::TempDir>)> {
    match &config.database {
        Some(location) => Ok((location.clone(), None)),
        None if config.demo => {
            let folder = tempfile::Builder::new()
                .prefix("screenerd-demo-")
                .tempdir()
                .map_err(Error::internal)?;
            Ok((Location::Sqlite(folder.path().join("demo.db")), Some(folder)))
        }
        None => Ok((Location::Sqlite(PathBuf::from(config::DATABASE_DEFAULT)), None)),
    }
}

/// Loads the example data into a database without tenants.
pub(super) async fn load(app: &App) -> Result<()> {
    let operator = Operator::trusted();
    let tenants = app.list_tenants(&operator).await?;
    if tenants.iter().any(|tenant| tenant.id.as_str() == transfer::demo::TENANT) {
        return Err(Error::invalid_field(
            "--demo",
            "The database has the example data already. Start the server without --demo to continue \
             with that data.",
        ));
    }
    if !tenants.is_empty() {
        return Err(Error::invalid_field(
            "--database",
            "The keys of --demo are public. Use it with a new database only.",
        ));
    }
    transfer::demo::load(app, &operator).await.map(|_| ())
}
