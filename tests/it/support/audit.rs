//! The audit log, read from the database file.

use std::path::{Path, PathBuf};

use screenerd::app::Operator;
use screenerd::transfer;
use serde_json::Value;
use sqlx::{Connection as _, Row as _};

use super::Server;

/// Starts a server on the example data in a file, for tests that read what no call returns.
pub(crate) async fn demo_on_file(folder: &tempfile::TempDir) -> (Server, PathBuf) {
    let file = folder.path().join("audited.db");
    let server = Server::on_file(&file).await;
    transfer::demo::load(server.running.app(), &Operator::trusted()).await.expect("it loads");
    (server, file)
}

/// Returns the values of a field before and after, if the entry has it.
pub(crate) fn field(fields: &str, name: &str) -> Option<[Option<String>; 2]> {
    let fields: Value = serde_json::from_str(fields).expect("fields are JSON");
    let named = fields.as_array().expect("a list").iter().find(|field| field["name"] == name)?;
    Some(["before", "after"].map(|member| named[member].as_str().map(str::to_owned)))
}

/// Returns the entries but those of imports: action, subject, and the status before and after.
pub(crate) async fn audit(file: &Path) -> Vec<String> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("it opens");
    let sql = "SELECT action, subject, fields FROM changes
        WHERE action <> 'IMPORT' ORDER BY tenant_id, seq";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("the log is read");
    let line = |row: &sqlx::sqlite::SqliteRow| {
        let (action, subject): (String, String) = (row.get("action"), row.get("subject"));
        let [before, after] = ["status", "id_verification"]
            .iter()
            .find_map(|name| field(row.get("fields"), name))
            .unwrap_or_default();
        let word = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        format!("{action} {subject} {} {}", word(before), word(after))
    };
    rows.iter().map(line).collect()
}
