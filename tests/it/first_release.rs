//! Databases of release 0.1.0: every later version migrates them and reads all rows.
//!
//! They have the data of `examples/recruit.sh` and the example data. The answers in the same folder
//! were also exported by 0.1.0.

use screenerd::store::{Location, Store};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::support::backend::{Backend, run};
use crate::support::process::{Workplace, stderr};

const EXPORTED: &[(&str, &str)] = &[
    ("acct_01m8j9f37qfk89d4vewh5p4vfc", include_str!("first_release/research_team.ndjson")),
    ("acct_123", include_str!("first_release/demo.ndjson")),
];

/// The number of rows that 0.1.0 counted.
const ROWS: &[(&str, u64)] = &[
    ("tenants", 4),
    ("credentials", 13),
    ("projects", 4),
    ("screeners", 9),
    ("publications", 8),
    ("questions", 23),
    ("options", 18),
    ("participants", 19),
    ("assignments", 20),
    ("dismissals", 2),
    ("sessions", 19),
    ("responses", 47),
    ("earlier_responses", 2),
    ("submissions", 14),
    ("changes", 50),
    ("submission_keys", 1),
    ("server_secrets", 1),
];

/// Migrates a database and compares its content with the counts and exports of 0.1.0.
async fn assert_whole(location: &Location, url: &str) {
    let store = Store::open(location).await.expect("it migrates");
    let digests = store.digests(&mut |_, _| {}).await.expect("every row is read");
    store.close().await;
    // The store locks the file until it is dropped.
    drop(store);
    for (table, rows) in ROWS {
        let found = digests.iter().find(|digest| digest.table == *table);
        assert_eq!(found.expect("the table is there").rows, *rows, "{table}");
    }
    let place = Workplace::new();
    for (tenant, expected) in EXPORTED {
        let arguments = ["export", "--database", url, "--tenant", tenant, "--format", "ndjson"];
        let exported = place.run(&arguments);
        assert!(exported.status.success(), "{tenant}: {}", stderr(&exported));
        assert_eq!(String::from_utf8_lossy(&exported.stdout), *expected, "{tenant}");
    }
}

#[tokio::test]
async fn a_file_of_the_first_release_migrates_and_is_read_whole() {
    let place = Workplace::new();
    let path = place.path("screenerd.db");
    std::fs::write(&path, include_bytes!("first_release/screenerd.db")).expect("it is written");
    let url = format!("sqlite://{}", path.display());
    assert_whole(&Location::Sqlite(path), &url).await;
}

#[test]
fn a_postgres_database_of_the_first_release_migrates_and_is_read_whole() {
    let Some(backend) = Backend::postgres("a database of 0.1.0") else { return };
    run(&backend, async |db| {
        db.close().await;
        let Location::Postgres(url) = db.location.clone() else { unreachable!("PostgreSQL") };
        let mut raw = PgConnection::connect(&url).await.expect("it connects");
        let empty = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;";
        let dump = format!("{empty}\n{}", include_str!("first_release/postgres.sql"));
        sqlx::raw_sql(AssertSqlSafe(dump)).execute(&mut raw).await.expect("it is restored");
        raw.close().await.expect("the connection closes");
        assert_whole(&db.location, &url).await;
        db.reopen().await;
    });
}
