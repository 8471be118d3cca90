//! The arrows between the layers in `ARCHITECTURE.md`.

use super::code::Token;
use super::{Source, Violation};

/// A module of `src/`, from its row of the table.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Layer {
    module: String,
    /// Modules of this crate. `None` stands for all of them.
    may_use: Option<Vec<String>>,
    /// Other crates. A name includes its companions: `tonic` also excludes `tonic_types`.
    never: Vec<String>,
}

/// Files outside the layers: the map of the library, the binary, and the generated code.
const NO_LAYER: [&str; 3] = ["lib", "main", "pb"];

/// The only folder that may use the drivers of the databases.
const DRIVERS: &str = "src/store/engine/";

/// Parses the table under "Arrows": module, allowed modules of this crate, excluded crates.
pub(super) fn table(document: &str) -> Vec<Layer> {
    let section = document.split("\n## Arrows\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let module = cells.next()?.trim_matches('`').to_owned();
        let may_use = quoted(cells.next()?);
        // Names in backticks are modules, which the second cell already covers.
        let never =
            cells.next()?.split(", ").filter(|name| name.chars().all(char::is_alphanumeric));
        Some(Layer {
            module,
            may_use: Some(may_use).filter(|names| !names.is_empty()),
            never: never.map(str::to_owned).collect(),
        })
    })
    .collect()
}

/// Returns the names in backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Finds the names in a file of `src/` that its layer must not mention.
pub(super) fn check(layers: &[Layer], source: &Source) -> Vec<Violation> {
    let Some(path) = source.path.strip_prefix("src/") else { return Vec::new() };
    let module = path.split(['/', '.']).next().unwrap_or(path);
    let mut found = Vec::new();
    if !source.path.starts_with(DRIVERS) {
        for driver in ["sqlx", "rusqlite"] {
            let reason = format!("only {DRIVERS} knows {driver}");
            found.extend(
                mentions(source, driver).map(|line| Violation::new(source, line, reason.clone())),
            );
        }
    }
    if NO_LAYER.contains(&module) {
        return found;
    }
    let Some(layer) = layers.iter().find(|layer| layer.module == module) else {
        found.push(Violation::new(source, 1, format!("no layer is called {module}")));
        return found;
    };
    for (line, used) in uses(&source.tokens) {
        let allowed = layer.may_use.as_ref().is_none_or(|names| names.contains(&used));
        if !allowed && used != module {
            found.push(Violation::new(source, line, format!("{module} does not use {used}")));
        }
    }
    // The rule above covers the drivers.
    for name in layer.never.iter().filter(|name| *name != "sqlx") {
        found.extend(
            mentions(source, name).map(|line| {
                Violation::new(source, line, format!("{module} does not mention {name}"))
            }),
        );
    }
    found
}

/// Returns the lines that mention a crate or one of its companions.
fn mentions<'a>(source: &'a Source, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let names = move |word: &str| {
        word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    source.tokens.iter().filter(move |token| names(&token.text)).map(|token| token.line)
}

/// Returns the modules of this crate in use, with their lines: `crate::a::…` and
/// `crate::{a::…, b}`. A binary uses the name of the crate.
fn uses(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let path: Vec<_> = tokens[at..].iter().take(4).map(|token| token.text.as_str()).collect();
        match path[..] {
            ["crate" | "screenerd", ":", ":", "{"] => {
                found.extend(members(&tokens[at + 4..]).into_iter().map(|it| (token.line, it)));
            }
            ["crate" | "screenerd", ":", ":", module] => found.push((token.line, module.into())),
            _ => {}
        }
    }
    found
}

/// Returns the first words of a group's members, up to its closing brace.
fn members(group: &[Token]) -> Vec<String> {
    let (mut found, mut depth, mut begins) = (Vec::new(), 0, true);
    for Token { text, line: _ } in group {
        match text.as_str() {
            "{" => depth += 1,
            "}" if depth == 0 => break,
            "}" => depth -= 1,
            _ if begins => found.push(text.clone()),
            _ => {}
        }
        begins = depth == 0 && text == ",";
    }
    found
}

const DOCUMENT: &str = "
| `rest` | a table of something else | – |
## Arrows

| module | may use from this crate | never mentions |
|---|---|---|
| `domain` | `domain` | tokio, sqlx, tonic, prost, `pb` |
| `store` | `domain` | tonic, `pb`, `app` |
| `app` | `domain`, `store` | tonic, sqlx |
| `rest` | `domain`, `app` | sqlx, `store`, tonic, `pb` |
| `net` | `net` | every other layer |
| `serve` | all | – |

## Something else

| `grpc` | `store` | |
";

#[test]
fn the_table_of_arrows_is_read() {
    let layers = table(DOCUMENT);
    let modules: Vec<_> = layers.iter().map(|layer| layer.module.as_str()).collect();
    assert_eq!(modules, ["domain", "store", "app", "rest", "net", "serve"]);
    let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let rest = Layer {
        module: "rest".into(),
        may_use: Some(strings(&["domain", "app"])),
        never: strings(&["sqlx", "tonic"]),
    };
    let serve = Layer { module: "serve".into(), may_use: None, never: Vec::new() };
    assert_eq!((&layers[3], &layers[5]), (&rest, &serve));
}

#[test]
fn an_arrow_that_goes_back_is_seen() {
    let layers = table(DOCUMENT);
    for (path, text) in [
        ("src/rest/session.rs", "use crate::store::Store;"),
        ("src/rest/mod.rs", "use crate::{app::App, store::Store};"),
        ("src/rest/mod.rs", "use crate::{\n    app::{App, Caller},\n    pb,\n};"),
        ("src/rest.rs", "fn a() { tonic_types::b() }"),
        ("src/rest/session.rs", "fn a() { let b = screenerd::store::open(); }"),
        ("src/domain/session.rs", "use crate::app::App;"),
        ("src/domain/session.rs", "use prost_types::Timestamp;"),
        ("src/store/session.rs", "use sqlx::Row;"),
        ("src/store/session.rs", "use rusqlite::Row;"),
        ("src/store/mod.rs", "macro_rules! a { () => { $crate::app::b() } }"),
        ("src/store/engine/sqlite/mod.rs", "use tonic::Status;"),
        ("src/app/session.rs", "use crate::pb::Session;"),
        ("src/net/server.rs", "use crate::domain::error::Error;"),
        ("src/serve/mod.rs", "use sqlx::Row;"),
        ("src/helpers.rs", ""),
    ] {
        assert_eq!(check(&layers, &Source::new(path, text)).len(), 1, "{path}: {text}");
    }
}

#[test]
fn an_arrow_that_goes_the_right_way_is_let_through() {
    let layers = table(DOCUMENT);
    for (path, text) in [
        ("src/rest/session.rs", "use crate::{app::App, domain::error::Error, rest::guard};"),
        ("src/rest/session.rs", "//! Unlike `crate::store` and sqlx.\nconst A: &str = \"tonic\";"),
        ("src/store/engine/sqlite/mod.rs", "use sqlx::Row; use crate::store::Tx;"),
        ("src/serve/mod.rs", "use crate::{app, grpc, net, rest, store}; use tonic::Status;"),
        ("src/lib.rs", "pub mod store;"),
        ("tests/it/main.rs", "use sqlx::Row;"),
    ] {
        assert_eq!(check(&layers, &Source::new(path, text)), [], "{path}: {text}");
    }
}
