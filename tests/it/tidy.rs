//! Rules of the house that no compiler checks, read from the sources themselves.
//!
//! Every rule is a function of a path and a text, so that a planted violation shows that it bites.

mod code;
mod image;
mod layers;

use std::fmt;
use std::path::Path;

use code::{code_of, functions, line_of, words};

/// A file has fewer lines.
const FILE_LINES: usize = 500;
/// A function has fewer lines.
const FUNCTION_LINES: usize = 70;

/// A file to be checked.
struct Source {
    path: String,
    text: String,
    /// The text without comments and literals.
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), code: code_of(text) }
    }
}

/// What breaks a rule, and where.
#[derive(Debug, Eq, PartialEq)]
struct Violation {
    path: String,
    line: usize,
    reason: String,
}

impl Violation {
    fn new(source: &Source, line: usize, reason: String) -> Self {
        Self { path: source.path.clone(), line, reason }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, reason } = self;
        write!(f, "{path}:{line}: {reason}")
    }
}

fn sizes(source: &Source) -> Vec<Violation> {
    let mut found = Vec::new();
    let lines = source.text.lines().count();
    if lines >= FILE_LINES {
        let reason = format!("a file has fewer than {FILE_LINES} lines, this one {lines}");
        found.push(Violation::new(source, lines, reason));
    }
    for (name, line, lines) in functions(&source.code) {
        if lines >= FUNCTION_LINES {
            let reason =
                format!("a function has fewer than {FUNCTION_LINES} lines, {name} {lines}");
            found.push(Violation::new(source, line, reason));
        }
    }
    found
}

/// Words that stand for work that was put off, or for a rule that was switched off.
fn leftovers(source: &Source) -> Vec<Violation> {
    let mut found = Vec::new();
    for (place, word) in words(&source.code) {
        let after = source.code[place + word.len()..].trim_start();
        let before = source.code[..place].trim_end();
        let is_macro = after.starts_with('!');
        let is_attribute = before.strip_suffix('[').is_some_and(|before| {
            let before = before.trim_end();
            before.strip_suffix('!').unwrap_or(before).trim_end().ends_with('#')
        });
        let reason = match word {
            "todo" | "unimplemented" | "dbg" if is_macro => "an unfinished place",
            "ignore" if is_attribute => "a test that does not run",
            "allow" if is_attribute => "a lint is expected, with a reason, not allowed",
            "expect" if is_attribute => {
                let attribute = after.split(']').next().unwrap_or(after);
                if words(attribute).any(|(_, word)| word == "reason") {
                    continue;
                }
                "an expected lint has a reason"
            }
            _ => continue,
        };
        found.push(Violation::new(source, line_of(&source.code, place), reason.to_owned()));
    }
    found
}

/// Where the store itself, not an engine, does one thing on SQLite and another on PostgreSQL.
///
/// Handing the same call over to whichever engine it is is not meant: such arms come in pairs that
/// differ in the engine's name only.
fn dialect_arms(source: &Source) -> Vec<Violation> {
    let is_store = source.path.starts_with("src/store/") || source.path == "src/store.rs";
    if !is_store || source.path.starts_with("src/store/engine/") {
        return Vec::new();
    }
    let neutral = |line: &str| {
        let line = line.replace("Postgres", "Sqlite").replace("postgres", "sqlite");
        line.split_whitespace().collect::<String>()
    };
    let names_engine = |line: &str| {
        words(line).any(|(_, word)| matches!(word, "Sqlite" | "Postgres" | "sqlite" | "postgres"))
    };
    let lines: Vec<_> =
        source.code.lines().enumerate().filter(|(_, line)| names_engine(line)).collect();
    let mut found = Vec::new();
    let mut rest = lines.as_slice();
    while let [(number, line), after @ ..] = rest {
        rest = after;
        if let [(next_number, next), after @ ..] = rest
            && *next_number == number + 1
            && line.contains("=>")
            && *next != *line
            && neutral(line) == neutral(next)
        {
            rest = after;
            continue;
        }
        found.push(Violation::new(source, number + 1, "a dialect outside the engines".into()));
    }
    found
}

/// Dependencies whose purpose nobody wrote down. A comment is for the dependency below it and for
/// that one's companions, whose names begin alike; in the build's section for all of them.
fn unexplained_dependencies(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut section, mut group, mut commented) = ("", None::<&str>, false);
    for line in manifest.lines() {
        if line.starts_with('[') {
            (section, group, commented) = (line, None, false);
        } else if line.trim().is_empty() {
            (group, commented) = (None, false);
        } else if line.starts_with('#') {
            commented = true;
        } else if section.ends_with("dependencies]")
            && let Some((name, _)) = line.split_once([' ', '=', '.'])
        {
            let family = name.split(['-', '_']).next().unwrap_or(name);
            let explained = commented
                || group.is_some_and(|group| {
                    section == "[build-dependencies]" || name.starts_with(group)
                });
            if !explained {
                found.push(format!("{section} {name}"));
            }
            if commented {
                group = Some(family);
            }
            commented = false;
        }
    }
    found
}

/// Every Rust source of the package.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("build.rs")];
    let mut folders: Vec<_> =
        ["src", "tests", "benches", "clients"].map(|folder| root.join(folder)).into();
    while let Some(folder) = folders.pop() {
        // Not every folder is there at all times.
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a folder of the package can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).expect("a source is readable text");
        let name = path.strip_prefix(root).expect("it is within the package");
        Source::new(&name.to_string_lossy(), &text)
    };
    paths.iter().map(read).collect()
}

fn assert_clean(rule: impl Fn(&Source) -> Vec<Violation>) {
    let sources = sources();
    for expected in ["build.rs", "src/lib.rs", "src/store/engine/sqlite/mod.rs", "tests/it/tidy.rs"]
    {
        assert!(sources.iter().any(|source| source.path == expected), "{expected} is not read");
    }
    let found: Vec<_> = sources.iter().flat_map(rule).map(|it| it.to_string()).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn no_arrow_between_layers_goes_back() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let document = std::fs::read_to_string(path).expect("the document is readable text");
    let layers = layers::table(&document);
    assert!(!layers.is_empty(), "the table of arrows is not found");
    assert_clean(|source| layers::check(&layers, source));
}

#[test]
fn files_and_functions_are_short() {
    assert_clean(sizes);
}

#[test]
fn nothing_is_unfinished_ignored_or_silenced() {
    assert_clean(leftovers);
}

#[test]
fn the_store_has_no_dialect_outside_its_engines() {
    assert_clean(dialect_arms);
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = std::fs::read_to_string(path).expect("the manifest is readable text");
    assert!(manifest.contains("\n[dependencies]\n"));
    assert_eq!(unexplained_dependencies(&manifest), Vec::<String>::new());
}

#[test]
fn the_image_is_built_from_everything_that_a_build_reads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = std::fs::read_to_string(root.join(".dockerignore")).expect("it is readable");
    let reaches = |path: &str| image::reaches_the_build(&ignored, path);
    let mut read = ["Cargo.toml", "Cargo.lock", "build.rs"].map(str::to_owned).to_vec();
    for folder in ["src", "proto", "templates"] {
        read.extend(image::files(root, folder));
    }
    assert!(read.contains(&"templates/page.html".to_owned()));
    let lost: Vec<_> = read.iter().filter(|path| !reaches(path)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    for path in [".git/config", "README.md", "target/debug/x", "src/a.db", "tests/pages/run"] {
        assert!(!reaches(path), "{path}");
    }
    assert!(reaches("clients/rust/story.rs") && reaches("tests/it/main.rs"));
}

#[test]
fn a_long_file_and_a_long_function_are_seen() {
    let long = |lines: usize| format!("fn a() {{\n{}}}\n", "\n".repeat(lines - 2));
    assert_eq!(sizes(&Source::new("src/a.rs", &long(FUNCTION_LINES - 1))), []);
    assert_eq!(sizes(&Source::new("src/a.rs", &long(FUNCTION_LINES))).len(), 1);
    let file = |lines: usize| "// A line.\n".repeat(lines);
    assert_eq!(sizes(&Source::new("src/a.rs", &file(FILE_LINES - 1))), []);
    assert_eq!(sizes(&Source::new("src/a.rs", &file(FILE_LINES))).len(), 1);
}

#[test]
fn leftovers_are_seen_in_code_only() {
    for planted in [
        "fn a() { todo!() }",
        "fn a() { unimplemented!(\"later\") }",
        "fn a() { dbg!(1); }",
        "#[allow(dead_code)]\nfn a() {}",
        "#![allow(clippy::all)]",
        "#[allow(dead_code, reason = \"none\")]\nfn a() {}",
        "#[ignore]\nfn a() {}",
        "# [ ignore = \"slow\" ]\nfn a() {}",
        "#[expect(dead_code)]\nfn a(reason: u8) {}",
    ] {
        assert_eq!(leftovers(&Source::new("src/a.rs", planted)).len(), 1, "{planted}");
    }
    for harmless in [
        "// todo!() #[ignore]",
        "const A: &str = \"#[allow(dead_code)] todo!()\";",
        "#[expect(dead_code, reason = \"for later\")]\nfn a() {}",
        "fn todo() { ignore(allow(expect)) }",
    ] {
        assert_eq!(leftovers(&Source::new("src/a.rs", harmless)), [], "{harmless}");
    }
}

#[test]
fn a_dialect_is_seen_and_a_dispatch_is_not() {
    let dispatch = "match e {\n Engine::Sqlite(sqlite) => sqlite.read(work).await,\n \
                    Engine::Postgres(postgres) => postgres.read(work).await,\n}";
    assert_eq!(dialect_arms(&Source::new("src/store/mod.rs", dispatch)), []);
    let differing = dispatch.replace("postgres.read", "postgres.write");
    let alone = "if let Engine::Postgres(_) = e {}";
    let question = "let fast = tx.is_sqlite() || sqlite;";
    for (planted, count) in [(differing.as_str(), 2), (alone, 1), (question, 1)] {
        let seen = |path| dialect_arms(&Source::new(path, planted)).len();
        assert_eq!(seen("src/store/session.rs"), count, "{planted}");
        assert_eq!(seen("src/store/engine/mod.rs"), 0, "{planted}");
    }
}

#[test]
fn a_dependency_without_a_purpose_is_seen() {
    let manifest = "[package]\nname = \"x\"\n\n[dependencies]\nbare = \"1\"\n# Why.\nserde = \"1\"\n\
                    serde_json = \"1\"\nstray = \"1\"\n\n# Why not.\nlate.workspace = true\n\n\
                    [dev-dependencies]\nnaked = { version = \"1\" }\n\n[build-dependencies]\n\
                    # All of these.\none = \"1\"\ntwo = \"1\"\n";
    let found = unexplained_dependencies(manifest);
    assert_eq!(found, ["[dependencies] bare", "[dependencies] stray", "[dev-dependencies] naked"]);
}
