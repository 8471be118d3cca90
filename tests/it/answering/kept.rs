//! The cache of questionnaires: an entry is valid only while the database names its digest.

use serde_json::json;

use crate::support::backend::{self, Backend};
use crate::support::calls::{Outcome, Transport};
use crate::support::panelist::{LIFE, Submit, add_life, public_key, submit};
use crate::support::{Server, config};

/// Writes, so that readers open a new snapshot, and returns the status of a load.
async fn loaded(server: &Server) -> u16 {
    let key = public_key(server, LIFE, "crm-kept").await;
    let credential = [("authorization", key.as_str())];
    let dismissed = server.send("POST", "/public/surveys/dismiss/", &credential).await;
    assert_eq!(dismissed.status, 200);
    server.send("GET", "/public/surveys/", &credential).await.status
}

#[test]
fn a_questionnaire_that_was_kept_is_not_used_once_the_database_names_another_digest() {
    backend::run(&Backend::Sqlite, async |database| {
        database.close().await;
        let server = Server::start(&config(Some(database.location.clone()), true)).await;
        add_life(&server, false).await;
        assert_eq!(loaded(&server).await, 200);
        // Swaps the halves of the digest. A second swap restores it.
        let swap = "UPDATE publications
            SET content_hash = substr(content_hash, 33) || substr(content_hash, 1, 32)
            WHERE id = 'scpub_life'";
        database.edit(swap).await;
        assert_eq!(loaded(&server).await, 500, "its content does not have that digest");
        let key = public_key(&server, LIFE, "crm-kept").await;
        let answer = Submit::some(json!({ "q_name": { "text": "Ada" } }));
        let refused = submit(&server, Transport::Rest, &key, &answer).await;
        assert_eq!(refused, Outcome::refusal("internal", &[]));
        database.edit(swap).await;
        assert_eq!(loaded(&server).await, 200);
        submit(&server, Transport::Rest, &key, &answer).await.answer();
        server.stop().await;
    });
}
