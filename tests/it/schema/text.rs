//! Parses the forms of SQL that the migrations use, and refuses others.

use super::{Column, ForeignKey, Index, Kind, Schema, Table};

/// Returns the statements, each on one line and without comments.
pub(super) fn statements(sql: &str) -> Vec<String> {
    let without_comments: String = sql
        .lines()
        .map(|line| line.split_once("--").map_or(line, |(code, _)| code))
        .collect::<Vec<_>>()
        .join(" ");
    without_comments
        .split(';')
        .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|statement| !statement.is_empty())
        .collect()
}

/// The beginnings of statements that do not affect the schema. The last one ends a function.
const SILENT: [&str; 6] =
    ["SET ", "UPDATE ", "INSERT INTO ", "CREATE FUNCTION ", "CREATE TRIGGER ", "END $$"];

/// Returns the schema that the migrations create.
pub(super) fn read(sql: &str) -> Schema {
    let mut schema = Schema::default();
    for statement in statements(sql) {
        // Neither data changes nor the function and trigger of PostgreSQL against old servers
        // affect the schema.
        if SILENT.iter().any(|beginning| statement.starts_with(beginning)) {
            continue;
        }
        if let Some(rest) = statement.strip_prefix("CREATE TABLE ") {
            let (name, table) = read_table(rest);
            assert!(schema.tables.insert(name, table).is_none(), "twice: {statement}");
        } else if let Some(rest) = statement.strip_prefix("CREATE INDEX ") {
            let (name, index) = read_index(rest, false);
            assert!(schema.indexes.insert(name, index).is_none(), "twice: {statement}");
        } else if let Some(rest) = statement.strip_prefix("CREATE UNIQUE INDEX ") {
            let (name, index) = read_index(rest, true);
            assert!(schema.indexes.insert(name, index).is_none(), "twice: {statement}");
        } else if let Some((rest, column)) = statement.split_once(" DROP COLUMN ") {
            let name = rest.strip_prefix("ALTER TABLE ").expect("a column is dropped of a table");
            let table = schema.tables.get_mut(name).expect("the table was made before");
            table.columns.retain(|it| it.name != column);
        } else if let Some(rest) = statement.strip_prefix("ALTER TABLE ") {
            let (name, column) = rest.split_once(" ADD COLUMN ").expect("only columns are added");
            let table = schema.tables.get_mut(name).expect("the table was made before");
            read_column(column, table);
        } else {
            panic!("a kind of statement that is not compared yet: {statement}");
        }
    }
    schema
}

fn read_table(rest: &str) -> (String, Table) {
    let (name, body) = rest.split_once(" (").expect("a table has a name and a list");
    let body = body.strip_suffix(" STRICT").unwrap_or(body);
    let body = body.strip_suffix(')').expect("the list of a table is closed");
    let mut table = Table::default();
    for part in parts(body) {
        if let Some(columns) = part.strip_prefix("PRIMARY KEY ") {
            table.primary_key = names(columns);
        } else if let Some(columns) = part.strip_prefix("UNIQUE ") {
            table.uniques.insert(names(columns));
        } else if let Some(key) = part.strip_prefix("FOREIGN KEY ") {
            let (columns, other) = key.split_once(" REFERENCES ").expect("it refers to a table");
            table.foreign_keys.insert(read_reference(names(columns), other));
        } else {
            read_column(&part, &mut table);
        }
    }
    (name.to_owned(), table)
}

fn read_column(part: &str, table: &mut Table) {
    let (name, rest) = part.split_once(' ').expect("a column has a name and a type");
    let words = [
        ("TEXT COLLATE \"C\"", Kind::Text),
        ("TEXT", Kind::Text),
        ("BIGINT", Kind::Integer),
        ("INTEGER", Kind::Integer),
        ("DOUBLE PRECISION", Kind::Real),
        ("REAL", Kind::Real),
        ("BYTEA", Kind::Bytes),
        ("BLOB", Kind::Bytes),
    ];
    let typed = words.iter().find_map(|(word, kind)| Some((rest.strip_prefix(word)?, *kind)));
    let (mut rest, kind) = typed.unwrap_or_else(|| panic!("an unknown type: {part}"));
    let mut column = Column { name: name.to_owned(), kind, not_null: false, has_default: false };
    loop {
        rest = rest.trim_start();
        if let Some(more) = rest.strip_prefix("NOT NULL") {
            column.not_null = true;
            rest = more;
        } else if let Some(more) = rest.strip_prefix("PRIMARY KEY") {
            table.primary_key = vec![name.to_owned()];
            rest = more;
        } else if let Some(more) = rest.strip_prefix("UNIQUE") {
            table.uniques.insert(vec![name.to_owned()]);
            rest = more;
        } else if let Some(more) = rest.strip_prefix("DEFAULT ") {
            column.has_default = true;
            rest = more.split_once(' ').map_or("", |(_, more)| more);
        } else if let Some(other) = rest.strip_prefix("REFERENCES ") {
            table.foreign_keys.insert(read_reference(vec![name.to_owned()], other));
            rest = "";
        } else {
            break;
        }
    }
    assert!(rest.is_empty(), "not compared yet: {rest}, in {part}");
    table.columns.push(column);
}

fn read_reference(columns: Vec<String>, other: &str) -> ForeignKey {
    let (table, references) = other.split_once(' ').expect("it refers to columns");
    ForeignKey {
        columns,
        table: table.to_owned(),
        // Panics if an action follows, which this parser does not support.
        references: names(references),
        on_delete: "no action".into(),
        on_update: "no action".into(),
    }
}

fn read_index(rest: &str, is_unique: bool) -> (String, Index) {
    let (name, rest) = rest.split_once(" ON ").expect("an index is on a table");
    let (table, columns) = rest.split_once(' ').expect("an index has columns");
    (name.to_owned(), Index { table: table.to_owned(), columns: names(columns), is_unique })
}

/// Returns the names in a list like `(a, b)`.
fn names(list: &str) -> Vec<String> {
    let inner = list.strip_prefix('(').and_then(|list| list.strip_suffix(')'));
    let inner = inner.unwrap_or_else(|| panic!("a list of columns is needed, not {list}"));
    let plain = |name: &str| {
        assert!(name.chars().all(|it| it.is_ascii_lowercase() || it == '_'), "no column: {name}");
        name.to_owned()
    };
    inner.split(", ").map(plain).collect()
}

/// Splits a text at the commas outside parentheses.
fn parts(body: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for letter in body.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if letter == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}
