//! Copying a whole database from one engine to the other.

use std::path::Path;

use screenerd::app::{Operator, copy};
use screenerd::domain::error::Kind;
use screenerd::store::{Location, Locks, Store, TableDigest, compare};

use crate::support::account::{Account, QUESTIONS, answer_to};
use crate::support::backend::{Backend, run};
use crate::support::process::{Workplace, stderr};

/// Fills most tables, with more than one batch of answers and with lists that have holes.
async fn fill(store: &Store) {
    let mut account = Account::create(store, "acct_one", 2, 5).await;
    for number in 0..400 {
        account.open_session(number % 2, number % 3 % 2, number);
        for question in 0..QUESTIONS {
            account.answer(number, question, answer_to(question, number));
        }
    }
    account.flush(store).await;
    account.drop_answers(3, &[0, 2]);
    account.change_answer(5, 1, answer_to(1, 77));
    account.flush(store).await;
    store
        .write(Locks::import(), async |tx| tx.server_secret("panelist-key", &[7; 64]).await)
        .await
        .expect("a secret is kept");
}

async fn digests(location: &Location) -> Vec<TableDigest> {
    let store = Store::open(location).await.expect("it opens");
    let digests = store.digests(&mut |_, _| {}).await.expect("it is read");
    store.close().await;
    digests
}

fn file(folder: &Path, name: &str) -> Location {
    Location::Sqlite(folder.join(name))
}

async fn copied(from: &Location, to: &Location) -> Vec<TableDigest> {
    let mut last = None;
    let copied = copy(&Operator::trusted(), from, to, |progress| last = Some(progress)).await;
    let copied = copied.expect("it is copied");
    let rows: u64 = copied.iter().map(|table| table.rows).sum();
    let last = last.expect("progress is told");
    assert_eq!((last.done, last.total), (2 * rows, 2 * rows), "each row is copied and read back");
    copied
}

fn rows_of(digests: &[TableDigest], table: &str) -> u64 {
    digests.iter().find(|it| it.table == table).expect("a table").rows
}

#[test]
fn a_copy_has_the_rows_of_its_source_and_a_difference_is_noticed() {
    run(&Backend::Sqlite, async |db| {
        fill(db.store()).await;
        db.close().await;
        let folder = tempfile::tempdir().expect("a folder");
        let target = file(folder.path(), "copy.db");
        let of_source = copied(&db.location, &target).await;
        assert_eq!(rows_of(&of_source, "sessions"), 400);
        assert_eq!(digests(&target).await, of_source);
        assert_eq!(digests(&db.location).await, of_source);
        db.reopen().await;
        db.edit("UPDATE responses SET number = number + 1 WHERE seq = 5").await;
        let changed = db.store().digests(&mut |_, _| {}).await.expect("it is read");
        let refused = compare(&of_source, &changed).expect_err("a row is another one");
        assert!(refused.detail().contains("table responses"), "{refused}");
        db.edit("DELETE FROM funnel_cells").await;
        let changed = db.store().digests(&mut |_, _| {}).await.expect("it is read");
        assert_ne!(rows_of(&changed, "funnel_cells"), rows_of(&of_source, "funnel_cells"));
    });
}

#[test]
fn a_copy_to_postgres_and_back_is_the_same_or_is_left_out() {
    let Some(postgres) = Backend::postgres("the copy to PostgreSQL and back") else { return };
    run(&postgres, async |db| {
        let folder = tempfile::tempdir().expect("a folder");
        let (source, back) = (file(folder.path(), "source.db"), file(folder.path(), "back.db"));
        let store = Store::open(&source).await.expect("it opens");
        fill(&store).await;
        store.close().await;
        drop(store);
        let refused = copy(&Operator::trusted(), &source, &db.location, |_| {}).await;
        let refused = refused.expect_err("a server has the target open");
        assert_eq!(refused.kind(), Kind::Unavailable);
        assert!(refused.detail().ends_with("another screenerd process has it open"), "{refused}");
        db.close().await;
        let there = copied(&source, &db.location).await;
        assert_eq!(copied(&db.location, &back).await, there);
        db.reopen().await;
        db.edit("UPDATE participants SET name = 'Another' WHERE id = 'ptp_1'").await;
        let changed = db.store().digests(&mut |_, _| {}).await.expect("it is read");
        let refused = compare(&there, &changed).expect_err("a row is another one");
        assert!(refused.detail().contains("table participants"), "{refused}");
    });
}

#[test]
fn a_copy_is_refused_where_it_would_mix_or_miss_rows() {
    run(&Backend::Sqlite, async |db| {
        fill(db.store()).await;
        let folder = tempfile::tempdir().expect("a folder");
        let target = file(folder.path(), "copy.db");
        let operator = Operator::trusted();
        let kind = async |from: &Location, to: &Location| {
            let refused = copy(&operator, from, to, |_| {}).await.expect_err("a refusal");
            let fields = refused.violations().iter().map(|it| it.field.clone());
            (refused.kind(), fields.collect::<Vec<_>>())
        };
        assert_eq!(kind(&db.location, &target).await, (Kind::Unavailable, vec![]), "it is open");
        db.close().await;
        copied(&db.location, &target).await;
        let invalid = |field: &str| (Kind::InvalidArgument, vec![field.to_owned()]);
        assert_eq!(kind(&db.location, &target).await, invalid("to"), "it is not empty");
        assert_eq!(kind(&target, &target).await, invalid("to"), "it is the same");
        let nowhere = file(folder.path(), "nowhere.db");
        assert_eq!(kind(&nowhere, &target).await, invalid("from"), "it is not there");
        assert!(nowhere.file().is_some_and(|file| !file.exists()), "and is not made");
    });
}

#[test]
fn the_command_prints_what_each_table_holds_and_refuses_a_served_file() {
    let place = Workplace::new();
    place.json(&["tenants", "create", "T", "--id", "acct_t", "--json"]);
    let arguments = ["copy", "--from", "sqlite://screenerd.db", "--to", "sqlite://copy.db"];
    let serving = place.serve(&[]);
    let refused = place.run(&arguments);
    assert!(!refused.status.success() && stderr(&refused).contains("open"), "{refused:?}");
    assert!(serving.terminate().success());
    let output = place.run(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = String::from_utf8_lossy(&output.stdout);
    let tenants = printed.lines().find(|line| line.starts_with("tenants ")).expect("a line");
    assert_eq!(tenants.split_whitespace().nth(1), Some("1"), "{printed}");
    let listed = place.json(&["tenants", "--database", "sqlite://copy.db", "list", "--json"]);
    assert_eq!(listed[0]["id"], "acct_t");
}
