//! Many concurrent callers: one change, one audit row, equal responses.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use screenerd::app::Operator;
use screenerd::transfer;
use sqlx::{Connection as _, Row as _};

use crate::support::calls::{Call, Outcome, Transport, make};
use crate::support::{RESPONDENT, SPOT, Server};

const CALLERS: usize = 1000;

/// Makes the same call for a thousand callers, half of them over each transport.
async fn all_at_once(
    server: Arc<Server>,
    credential: &'static [(&'static str, &'static str)],
    call: Call,
) -> Vec<Outcome> {
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let (server, call) = (Arc::clone(&server), call.clone());
        let transport = Transport::BOTH[caller % 2];
        tasks.spawn(async move {
            server.clock.advance_seconds(1);
            make(&server, transport, credential, &call).await
        });
    }
    tasks.join_all().await
}

async fn audit_rows(file: &Path, subject: &str, action: &str) -> i64 {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("it opens");
    let row = sqlx::query("SELECT COUNT(*) FROM changes WHERE subject_id = $1 AND action = $2")
        .bind(subject)
        .bind(action)
        .fetch_one(&mut connection)
        .await
        .expect("it counts");
    row.get(0)
}

async fn server_on_example_data(file: &Path) -> Arc<Server> {
    let server = Server::on_file(file).await;
    transfer::demo::load(server.running.app(), &Operator::trusted()).await.expect("it loads");
    Arc::new(server)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_rejects_of_one_submission_are_one_rejection() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rejects.db");
    let server = server_on_example_data(&file).await;
    let call = Call::reject("proj_123", "scses_789");
    let outcomes = all_at_once(Arc::clone(&server), RESPONDENT, call).await;
    assert_eq!(outcomes.len(), CALLERS);
    let bodies: BTreeSet<String> =
        outcomes.into_iter().map(|outcome| outcome.answer().to_string()).collect();
    assert_eq!(bodies.len(), 1, "all answers are equal, rejectedAt included");
    assert_eq!(audit_rows(&file, "scses_789", "REJECT").await, 1);
    Arc::into_inner(server).expect("nobody else holds it").stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_removes_of_one_session_are_one_removal() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("removes.db");
    let server = server_on_example_data(&file).await;
    let call = Call::RemoveSession("scses_790".into());
    let outcomes = all_at_once(Arc::clone(&server), SPOT, call).await;
    let bodies: BTreeSet<String> =
        outcomes.into_iter().map(|outcome| outcome.answer().to_string()).collect();
    assert_eq!(bodies.len(), 1);
    assert_eq!(audit_rows(&file, "scses_790", "REMOVE").await, 1);
    Arc::into_inner(server).expect("nobody else holds it").stop().await;
}
