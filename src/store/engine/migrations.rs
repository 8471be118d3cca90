//! The migrations of both engines, embedded by `build.rs`.

use std::fmt::Display;
use std::sync::LazyLock;

use sqlx::SqlStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::{cannot_open, driver_words, read_int, unavailable};
use crate::domain::error::{Error, Result};
use crate::store::Tx;

/// A migration: its version, description and statements.
type Embedded = (i64, &'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

pub(super) static OF_SQLITE: LazyLock<Migrator> = LazyLock::new(|| migrator(SQLITE));
pub(super) static OF_POSTGRES: LazyLock<Migrator> = LazyLock::new(|| migrator(POSTGRES));

impl Tx {
    /// Fails unless the database responds, and its tables are those of this version or a later one.
    pub async fn check_schema(&mut self) -> Result<()> {
        let migrator = if self.connection.is_only_writer() { &OF_SQLITE } else { &OF_POSTGRES };
        let latest = "SELECT MAX(version) FROM _sqlx_migrations";
        let latest = self.one(latest, &[], read_int).await?;
        if latest >= migrator.iter().map(|migration| migration.version).max() {
            return Ok(());
        }
        Err(unavailable("the tables are those of an earlier version"))
    }
}

fn migrator(files: &[Embedded]) -> Migrator {
    let migration = |&(version, description, statements): &Embedded| {
        let statements = SqlStr::from_static(statements);
        Migration::new(version, description.into(), MigrationType::Simple, statements, false)
    };
    Migrator::with_migrations(files.iter().map(migration).collect())
}

/// Returns whether the first migration of a database is this program's, by its checksum. The file
/// of that migration never changes.
pub(super) fn is_ours(migrator: &Migrator, first_checksum: &[u8]) -> bool {
    migrator.iter().next().is_some_and(|first| *first.checksum == *first_checksum)
}

/// Returns the error of a database whose tables cannot be migrated.
pub(super) fn not_migrated(name: impl Display, error: &MigrateError) -> Error {
    if let MigrateError::VersionMissing(_) = error {
        let why = "a newer version of screenerd has migrated it. Run that version.";
        return cannot_open(name, why);
    }
    if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = error {
        return cannot_open(name, driver_words(error));
    }
    cannot_open(name, error)
}
