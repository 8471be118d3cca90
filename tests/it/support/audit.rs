//! The audit log, read around the server.

use std::path::{Path, PathBuf};

use screenerd::app::Operator;
use screenerd::transfer;
use sqlx::{Connection as _, Row as _};

use super::Server;

/// The example data in a file, so that what no call shows can be looked at.
pub(crate) async fn demo_on_file(folder: &tempfile::TempDir) -> (Server, PathBuf) {
    let file = folder.path().join("audited.db");
    let server = Server::on_file(&file).await;
    transfer::demo::load(server.running.app(), &Operator::trusted()).await.expect("it loads");
    (server, file)
}

/// What the log says, oldest first: action, subject, state before and after.
pub(crate) async fn audit(file: &Path) -> Vec<String> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("it opens");
    let rows = sqlx::query(
        "SELECT action || ' ' || subject || ' ' || COALESCE(state_before, '-') || ' '
         || COALESCE(state_after, '-') FROM changes ORDER BY seq",
    )
    .fetch_all(&mut connection)
    .await
    .expect("the log is read");
    rows.iter().map(|row| row.get(0)).collect()
}
