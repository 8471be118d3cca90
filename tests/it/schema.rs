//! SQLite and PostgreSQL have the same schema, except for the names of types.
//!
//! The texts of the migrations are always compared. The catalog of SQLite is compared with its
//! text, to verify the parser. That of PostgreSQL is compared with SQLite's if a server is
//! available.

mod catalog;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use screenerd::store::{ColumnKind, TABLES};

use crate::support::backend::{Backend, run};

/// The schema of a database, independent of the engine.
#[derive(Debug, Default, Eq, PartialEq)]
struct Schema {
    tables: BTreeMap<String, Table>,
    /// Named indexes, without those of keys.
    indexes: BTreeMap<String, Index>,
}

#[derive(Debug, Default, Eq, PartialEq)]
struct Table {
    /// In their order.
    columns: Vec<Column>,
    /// In their order.
    primary_key: Vec<String>,
    uniques: BTreeSet<Vec<String>>,
    foreign_keys: BTreeSet<ForeignKey>,
}

#[derive(Debug, Eq, PartialEq)]
struct Column {
    name: String,
    kind: Kind,
    not_null: bool,
    has_default: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Text,
    Integer,
    Real,
    Bytes,
}

impl From<ColumnKind> for Kind {
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Text => Self::Text,
            ColumnKind::Int => Self::Integer,
            ColumnKind::Real => Self::Real,
            ColumnKind::Blob => Self::Bytes,
        }
    }
}

#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct ForeignKey {
    columns: Vec<String>,
    table: String,
    references: Vec<String>,
    /// The actions on deletion and update of the referenced row, in lower case.
    on_delete: String,
    on_update: String,
}

#[derive(Debug, Eq, PartialEq)]
struct Index {
    table: String,
    columns: Vec<String>,
    is_unique: bool,
}

/// Returns the concatenated texts of the migrations, in order.
fn migrations(engine: &str) -> String {
    let folder = format!("{}/src/store/migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of migrations is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    files.sort();
    let read = |path| std::fs::read_to_string(path).expect("a migration can be read");
    files.iter().map(read).collect()
}

#[test]
fn both_engines_have_the_same_migrations() {
    let names = |engine: &str| -> BTreeSet<_> {
        let folder = format!("{}/src/store/migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
        let entries = std::fs::read_dir(folder).expect("the folder of migrations is there");
        entries.map(|entry| entry.expect("the folder can be read").file_name()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn the_migrations_of_both_engines_say_the_same() {
    let sqlite = text::read(&migrations("sqlite"));
    let postgres = text::read(&migrations("postgres"));
    assert!(!sqlite.tables.is_empty(), "the texts hold tables");
    assert_eq!(sqlite, postgres);
}

#[test]
fn every_sqlite_table_is_strict_and_every_postgres_text_sorts_by_bytes() {
    for statement in text::statements(&migrations("sqlite")) {
        if statement.starts_with("CREATE TABLE ") {
            assert!(statement.ends_with(") STRICT"), "{statement}");
        }
    }
    let postgres = migrations("postgres");
    let collated = postgres.matches("TEXT COLLATE \"C\"").count();
    assert_eq!(postgres.matches("TEXT").count(), collated);
}

#[test]
fn a_copy_knows_every_table_with_its_key_and_its_columns() {
    let schema = text::read(&migrations("sqlite"));
    let known: BTreeSet<_> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    assert_eq!(known, schema.tables.keys().cloned().collect());
    let mut before = BTreeSet::new();
    for known in TABLES {
        let table = &schema.tables[known.name];
        let columns: Vec<_> = table.columns.iter().map(|it| (it.name.as_str(), it.kind)).collect();
        let expected: Vec<_> =
            known.columns.iter().map(|(name, kind)| (*name, Kind::from(*kind))).collect();
        assert_eq!(expected, columns, "the columns of {}", known.name);
        let key: Vec<_> = columns[..known.key].iter().map(|(name, _)| *name).collect();
        assert_eq!(key, table.primary_key, "the key of {}", known.name);
        for column in &table.columns {
            assert!(column.kind != Kind::Bytes || column.not_null, "bytes of {}", known.name);
        }
        for key in &table.foreign_keys {
            assert!(before.contains(&key.table), "{} refers to {}", known.name, key.table);
        }
        before.insert(known.name.to_owned());
    }
}

#[test]
fn a_difference_between_two_texts_is_seen() {
    let one = "CREATE TABLE a (id TEXT NOT NULL PRIMARY KEY, b BIGINT, UNIQUE (id, b));
               CREATE INDEX a_by_b ON a (b, id);";
    let read = text::read(one);
    assert_eq!(read, text::read(&one.replace("BIGINT", "INTEGER").replace(");\n", ") STRICT;\n")));
    for (from, to) in [
        ("b BIGINT", "b BIGINT NOT NULL"),
        ("b BIGINT", "b BIGINT DEFAULT 0"),
        ("b BIGINT", "b REAL"),
        ("b BIGINT", "b BIGINT REFERENCES a (id)"),
        ("(id, b)", "(b, id)"),
        ("(b, id)", "(id, b)"),
        ("CREATE INDEX", "CREATE UNIQUE INDEX"),
        (" PRIMARY KEY", ""),
        ("b BIGINT", "c BIGINT"),
    ] {
        assert!(one.contains(from));
        assert_ne!(read, text::read(&one.replace(from, to)), "{from} became {to}");
    }
}

#[test]
fn sqlite_holds_what_its_migrations_say() {
    run(&Backend::Sqlite, async |db| {
        assert_eq!(catalog::sqlite(&db.location).await, text::read(&migrations("sqlite")));
    });
}

#[test]
fn postgres_holds_what_sqlite_holds_or_is_left_out() {
    let Some(backend) = Backend::postgres("the comparison of the schemas' catalogs") else {
        return;
    };
    let (mut expected, mut held) = (None, None);
    run(&Backend::Sqlite, async |db| expected = Some(catalog::sqlite(&db.location).await));
    run(&backend, async |db| held = Some(catalog::postgres(&db.location).await));
    let (held, uncollated) = held.expect("the catalog of PostgreSQL was read");
    assert_eq!(Some(held), expected);
    assert_eq!(uncollated, Vec::<String>::new(), "columns that do not sort by bytes");
}
