//! Stored texts reach a terminal as text, without control sequences.

use crate::support::process::{Workplace, stderr};

/// Reverses the direction of the text that follows.
const OVERRIDE: char = '\u{202e}';

#[test]
fn a_name_is_escaped_in_tables_and_in_json() {
    let place = Workplace::new();
    let name = format!("T{OVERRIDE}exe");
    place.json(&["tenants", "create", &name, "--json"]);
    let table = place.run(&["tenants", "list"]);
    let table = String::from_utf8(table.stdout).expect("text");
    assert!(table.contains(r"T\u{202e}exe") && !table.contains(OVERRIDE), "{table}");
    let printed = place.run(&["tenants", "list", "--json"]);
    let printed = String::from_utf8(printed.stdout).expect("text");
    assert!(!printed.contains(OVERRIDE), "{printed}");
    let tenants: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(tenants[0]["name"], name, "the value is the same");
}

#[test]
fn a_path_is_escaped_in_an_error() {
    let place = Workplace::new();
    let output = place.run(&["import", "\u{1b}[2J\u{9b}31m.ndjson"]);
    let told = stderr(&output);
    assert!(told.starts_with(r"screenerd: cannot read \u{1b}[2J\u{9b}31m.ndjson: "), "{told}");
}
