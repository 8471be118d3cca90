//! Files that are not databases, or that belong to other programs: refused by name and unchanged.

use std::fs;

use rusqlite::Connection;

use super::commands::{assert_fails, real};
use crate::support::process::Workplace;

/// One command of each kind that opens a file.
const COMMANDS: &[&[&str]] = &[
    &["tenants", "list"],
    &["tenants", "create", "T"],
    &["keys", "list", "--tenant", "acct_t"],
    &["export", "--format", "csv"],
    &["generate", "--sessions", "1"],
    &["serve", "--listen", "127.0.0.1:0"],
];

/// Asserts that every command refuses the file with one line and does not change it.
fn assert_refused(place: &Workplace, why: &str) {
    let path = place.path("a.db");
    let before = fs::read(&path).expect("it is there");
    for command in COMMANDS {
        let output = place.run(&[command, &["--database", "sqlite://a.db"][..]].concat());
        assert_fails(&output, &format!("cannot open {}: {why}", real(place, "a.db")));
        assert_eq!(fs::read(&path).expect("it is there"), before, "{command:?}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name() {
    let place = Workplace::new();
    fs::write(place.path("a.db"), "What is this? ".repeat(1000)).expect("it is written");
    assert_refused(&place, "it is not a SQLite database");
}

#[test]
fn the_database_of_another_program_is_refused_and_left_as_it_is() {
    for tables in [
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)",
        // Another program whose migrations use the same library.
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT,
             success BOOLEAN, checksum BLOB, execution_time BIGINT);
         INSERT INTO _sqlx_migrations VALUES (1, 'init', 1, x'00', 0);
         CREATE TABLE notes (id INTEGER PRIMARY KEY)",
    ] {
        let place = Workplace::new();
        let other = Connection::open(place.path("a.db")).expect("it opens");
        other.execute_batch(tables).expect("it is made");
        other.close().expect("it closes");
        assert_refused(&place, "it is the database of another program");
    }
}

#[test]
fn an_empty_file_and_one_that_is_replicated_already_are_taken() {
    let place = Workplace::new();
    fs::write(place.path("a.db"), "").expect("it is written");
    let replicated = Connection::open(place.path("b.db")).expect("it opens");
    replicated.execute_batch("CREATE TABLE _litestream_seq (id INTEGER)").expect("it is made");
    replicated.close().expect("it closes");
    for url in ["sqlite://a.db", "sqlite://b.db"] {
        for _ in 0..2 {
            place.json(&["tenants", "create", "T", "--json", "--database", url]);
        }
    }
}

#[test]
fn a_database_that_is_damaged_is_named_with_the_cause() {
    let place = Workplace::new();
    place.json(&["tenants", "create", "T", "--json"]);
    let path = place.path("screenerd.db");
    let mut bytes = fs::read(&path).expect("it is there");
    // Overwrites every page but the first.
    bytes[4096..].fill(0xff);
    fs::write(&path, bytes).expect("it is written");
    let output = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    let name = real(&place, "screenerd.db");
    assert_fails(&output, &format!("cannot open {name}: database disk image is malformed"));
}
