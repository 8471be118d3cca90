//! Reads the schemas from the catalogs of the databases.

use std::collections::BTreeMap;

use screenerd::store::Location;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::{Column, ForeignKey, Index, Kind, Schema, Table};

/// The table in which the driver stores the migrations that ran.
const DRIVERS_OWN: &str = "_sqlx_migrations";

fn kind(word: &str) -> Kind {
    match word {
        "TEXT" | "text" => Kind::Text,
        "INTEGER" | "bigint" => Kind::Integer,
        "REAL" | "double precision" => Kind::Real,
        "BLOB" | "bytea" => Kind::Bytes,
        other => panic!("a type that is not compared yet: {other}"),
    }
}

async fn sqlite_rows(raw: &mut SqliteConnection, sql: String) -> Vec<SqliteRow> {
    sqlx::query(AssertSqlSafe(sql)).fetch_all(raw).await.expect("the catalog is read")
}

/// Returns the schema of a SQLite file.
pub(super) async fn sqlite(location: &Location) -> Schema {
    let Location::Sqlite(path) = location else { unreachable!("the file of a SQLite database") };
    let options = SqliteConnectOptions::new().filename(path);
    let mut raw = SqliteConnection::connect_with(&options).await.expect("it connects");
    let names = format!(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> '{DRIVERS_OWN}'
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    );
    let mut schema = Schema::default();
    for row in sqlite_rows(&mut raw, names).await {
        let name: String = row.get(0);
        let mut table = Table::default();
        sqlite_columns(&mut raw, &name, &mut table).await;
        sqlite_foreign_keys(&mut raw, &name, &mut table).await;
        sqlite_indexes(&mut raw, &name, &mut table, &mut schema.indexes).await;
        schema.tables.insert(name, table);
    }
    schema
}

async fn sqlite_columns(raw: &mut SqliteConnection, name: &str, table: &mut Table) {
    let mut key = BTreeMap::new();
    for row in sqlite_rows(raw, format!("PRAGMA table_info({name})")).await {
        let column = Column {
            name: row.get("name"),
            kind: kind(row.get("type")),
            not_null: row.get("notnull"),
            has_default: row.get::<Option<String>, _>("dflt_value").is_some(),
        };
        let place: i64 = row.get("pk");
        if place > 0 {
            key.insert(place, column.name.clone());
        }
        table.columns.push(column);
    }
    table.primary_key = key.into_values().collect();
}

async fn sqlite_foreign_keys(raw: &mut SqliteConnection, name: &str, table: &mut Table) {
    let mut keys: BTreeMap<i64, ForeignKey> = BTreeMap::new();
    // SQLite returns the columns of one key in the order of `seq`.
    for row in sqlite_rows(raw, format!("PRAGMA foreign_key_list({name})")).await {
        let action = |name: &str| row.get::<String, _>(name).to_lowercase();
        let key = keys.entry(row.get("id")).or_insert_with(|| ForeignKey {
            columns: Vec::new(),
            table: row.get("table"),
            references: Vec::new(),
            on_delete: action("on_delete"),
            on_update: action("on_update"),
        });
        key.columns.push(row.get("from"));
        key.references.push(row.get("to"));
    }
    table.foreign_keys = keys.into_values().collect();
}

async fn sqlite_indexes(
    raw: &mut SqliteConnection,
    name: &str,
    table: &mut Table,
    indexes: &mut BTreeMap<String, Index>,
) {
    for row in sqlite_rows(raw, format!("PRAGMA index_list({name})")).await {
        let (index, origin): (String, String) = (row.get("name"), row.get("origin"));
        assert!(!row.get::<bool, _>("partial"), "a partial index is not compared yet: {index}");
        let columns = sqlite_rows(raw, format!("PRAGMA index_info({index})")).await;
        let columns: Vec<String> = columns.iter().map(|row| row.get("name")).collect();
        match origin.as_str() {
            "pk" => assert_eq!(columns, table.primary_key, "the key of {name}"),
            "u" => assert!(table.uniques.insert(columns), "the same columns twice in {name}"),
            _ => {
                let is_unique = row.get("unique");
                indexes.insert(index, Index { table: name.to_owned(), columns, is_unique });
            }
        }
    }
}

async fn postgres_rows(raw: &mut PgConnection, sql: String) -> Vec<PgRow> {
    sqlx::query(AssertSqlSafe(sql)).fetch_all(raw).await.expect("the catalog is read")
}

/// Returns an SQL expression for the names of a table's columns, from an array of their numbers.
fn columns_at(array: &str, table: &str) -> String {
    format!(
        "(SELECT array_agg(a.attname::text ORDER BY k.place)
          FROM unnest({array}) WITH ORDINALITY AS k (number, place)
          JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = k.number)"
    )
}

/// Returns the schema of a PostgreSQL database, and its texts that do not sort by bytes.
pub(super) async fn postgres(location: &Location) -> (Schema, Vec<String>) {
    let Location::Postgres(url) = location else { unreachable!("the URL of a database") };
    let mut raw = PgConnection::connect(url).await.expect("it connects");
    let mut schema = Schema::default();
    let uncollated = postgres_columns(&mut raw, &mut schema).await;
    postgres_constraints(&mut raw, &mut schema).await;
    postgres_indexes(&mut raw, &mut schema).await;
    (schema, uncollated)
}

async fn postgres_columns(raw: &mut PgConnection, schema: &mut Schema) -> Vec<String> {
    let mut uncollated = Vec::new();
    let columns = format!(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text,
                column_default IS NOT NULL, collation_name::text
         FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name <> '{DRIVERS_OWN}'
         ORDER BY table_name, ordinal_position"
    );
    for row in postgres_rows(raw, columns).await {
        let (table, name): (String, String) = (row.get(0), row.get(1));
        let kind = kind(row.get(2));
        let collation: Option<String> = row.get(5);
        if kind == Kind::Text && collation.as_deref() != Some("C") {
            uncollated.push(format!("{table}.{name}"));
        }
        let not_null = row.get::<&str, _>(3) == "NO";
        let column = Column { name, kind, not_null, has_default: row.get(4) };
        schema.tables.entry(table).or_default().columns.push(column);
    }
    uncollated
}

async fn postgres_constraints(raw: &mut PgConnection, schema: &mut Schema) {
    let constraints = format!(
        "SELECT t.relname::text, c.contype::text, {}, other.relname::text, {},
                c.confdeltype::text, c.confupdtype::text, c.conname::text
         FROM pg_constraint c
         JOIN pg_class t ON t.oid = c.conrelid
         LEFT JOIN pg_class other ON other.oid = c.confrelid
         WHERE c.connamespace = 'public'::regnamespace AND t.relname <> '{DRIVERS_OWN}'",
        columns_at("c.conkey", "c.conrelid"),
        columns_at("c.confkey", "c.confrelid"),
    );
    let action = |letter: &str| match letter {
        "a" => "no action".to_owned(),
        other => other.to_owned(),
    };
    for row in postgres_rows(raw, constraints).await {
        let table = schema.tables.get_mut(row.get::<&str, _>(0)).expect("it has columns");
        let columns: Vec<String> = row.get(2);
        match row.get::<&str, _>(1) {
            "p" => table.primary_key = columns,
            "u" => assert!(table.uniques.insert(columns), "the same columns twice"),
            "f" => {
                table.foreign_keys.insert(ForeignKey {
                    columns,
                    table: row.get(3),
                    references: row.get(4),
                    on_delete: action(row.get(5)),
                    on_update: action(row.get(6)),
                });
            }
            other => {
                panic!("a constraint that is not compared yet: {other} {:?}", row.get::<&str, _>(7))
            }
        }
    }
}

async fn postgres_indexes(raw: &mut PgConnection, schema: &mut Schema) {
    let indexes = format!(
        "SELECT i.relname::text, t.relname::text, {}, x.indisunique,
                x.indpred IS NULL AND x.indexprs IS NULL AND am.amname = 'btree'
         FROM pg_index x
         JOIN pg_class i ON i.oid = x.indexrelid
         JOIN pg_am am ON am.oid = i.relam
         JOIN pg_class t ON t.oid = x.indrelid
         WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> '{DRIVERS_OWN}'
         AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = x.indexrelid
                         AND c.contype IN ('p', 'u'))",
        columns_at("x.indkey::int2[]", "x.indrelid"),
    );
    for row in postgres_rows(raw, indexes).await {
        let name: String = row.get(0);
        assert!(row.get::<bool, _>(4), "an index of a kind that is not compared yet: {name}");
        let index = Index { table: row.get(1), columns: row.get(2), is_unique: row.get(3) };
        schema.indexes.insert(name, index);
    }
}
