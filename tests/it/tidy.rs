//! House rules that no compiler checks, applied to the sources.
//!
//! Every rule is a function of a path and a text, so that tests can run it on a violation.

mod circles;
mod code;
mod image;
mod layers;
mod map;

use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::sync::LazyLock;

use code::{Function, Token};

/// The upper bound of a file's lines, exclusive.
const FILE_LINES: usize = 500;
/// The upper bound of a function's lines, exclusive.
const FUNCTION_LINES: usize = 70;
/// The most lines of ARCHITECTURE.md.
const ARCHITECTURE_LINES: usize = 160;

/// A file to check.
struct Source {
    path: String,
    text: String,
    tokens: Vec<Token>,
    functions: Vec<Function>,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let (tokens, functions) = code::read(text);
        Self { path: path.to_owned(), text: text.to_owned(), tokens, functions }
    }

    fn texts(&self) -> Vec<&str> {
        self.tokens.iter().map(|token| token.text.as_str()).collect()
    }
}

/// A violation of a rule, and its place.
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
    for Function { name, line, lines } in &source.functions {
        if *lines >= FUNCTION_LINES {
            let reason =
                format!("a function has fewer than {FUNCTION_LINES} lines, {name} {lines}");
            found.push(Violation::new(source, *line, reason));
        }
    }
    found
}

/// Finds marks of unfinished work, and disabled tests and lints.
fn leftovers(source: &Source) -> Vec<Violation> {
    let (texts, mut found) = (source.texts(), Vec::new());
    for (at, token) in source.tokens.iter().enumerate() {
        let reason = match (&texts[..at], &texts[at..]) {
            (_, ["todo" | "unimplemented" | "dbg", "!", ..]) => "an unfinished place",
            ([.., "#", "["] | [.., "#", "!", "["], ["ignore", ..]) => "a test that does not run",
            ([.., "#", "["] | [.., "#", "!", "["], ["allow", ..]) => {
                "a lint is expected, with a reason, not allowed"
            }
            ([.., "#", "["] | [.., "#", "!", "["], ["expect", attribute @ ..])
                if !attribute.iter().take_while(|it| **it != "]").any(|it| *it == "reason") =>
            {
                "an expected lint has a reason"
            }
            _ => continue,
        };
        found.push(Violation::new(source, token.line, reason.to_owned()));
    }
    found
}

/// Finds code of the store, outside the engines, that differs between SQLite and PostgreSQL.
///
/// A pair of arms that forwards the same call to either engine is allowed: the arms differ only in
/// the name of the engine.
fn dialect_arms(source: &Source) -> Vec<Violation> {
    if !source.path.starts_with("src/store/") || source.path.starts_with("src/store/engine/") {
        return Vec::new();
    }
    let is_engine = |text: &str| matches!(text, "Sqlite" | "Postgres" | "sqlite" | "postgres");
    let neutral = |line: &[Token]| -> Vec<String> {
        let text = |token: &Token| token.text.replace("Postgres", "Sqlite");
        line.iter().map(|token| text(token).replace("postgres", "sqlite")).collect()
    };
    let lines: Vec<&[Token]> = source
        .tokens
        .chunk_by(|one, next| one.line == next.line)
        .filter(|line| line.iter().any(|token| is_engine(&token.text)))
        .collect();
    let mut found = Vec::new();
    let mut rest = lines.as_slice();
    while let [line, after @ ..] = rest {
        rest = after;
        let number = line[0].line;
        if let [next, after @ ..] = rest
            && next[0].line == number + 1
            && line.windows(2).any(|pair| pair[0].text == "=" && pair[1].text == ">")
            && !line.iter().map(|it| &it.text).eq(next.iter().map(|it| &it.text))
            && neutral(line) == neutral(next)
        {
            rest = after;
            continue;
        }
        found.push(Violation::new(source, number, "a dialect outside the engines".into()));
    }
    found
}

/// Finds dependencies without a comment on their purpose. A comment covers the dependency below it
/// and those whose names begin alike, or the whole group among the build dependencies.
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
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(sources);

/// Returns the text of a file of the package.
fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(path).expect("it is readable text")
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("build.rs")];
    let mut folders: Vec<_> =
        ["src", "tests", "benches", "clients"].map(|folder| root.join(folder)).into();
    while let Some(folder) = folders.pop() {
        // A folder may be missing.
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
    for expected in ["build.rs", "src/lib.rs", "src/store/engine/sqlite/mod.rs", "tests/it/tidy.rs"]
    {
        assert!(SOURCES.iter().any(|source| source.path == expected), "{expected} is not read");
    }
    let found: Vec<_> = SOURCES.iter().flat_map(rule).map(|it| it.to_string()).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn no_arrow_between_layers_goes_back() {
    let layers = layers::table(&read("ARCHITECTURE.md"));
    assert!(!layers.is_empty(), "the table of arrows is not found");
    assert_clean(|source| layers::check(&layers, source));
}

#[test]
fn no_files_import_from_each_other_in_a_circle() {
    let files = SOURCES.iter().filter(|source| source.path.starts_with("src/"));
    let files = circles::Files::new(files.map(|source| (source.path.as_str(), &*source.text)));
    assert_eq!(files.circles(), Vec::<Vec<String>>::new());
}

#[test]
fn the_code_map_names_every_file_once() {
    let document = read("ARCHITECTURE.md");
    let mut named = map::named(&document);
    let mut files: Vec<_> = SOURCES.iter().filter_map(|it| map::name_of(&it.path)).collect();
    files.retain(|file| match named.iter().position(|name| name == file) {
        Some(at) => named.swap_remove(at) != *file,
        None => true,
    });
    assert_eq!(files, Vec::<&str>::new(), "files that the code map does not name");
    assert_eq!(named, Vec::<String>::new(), "names that are no file, or stand twice");
    assert!(document.lines().count() <= ARCHITECTURE_LINES);
}

#[test]
fn what_the_tour_of_the_house_names_is_there() {
    let document = read("ARCHITECTURE.md");
    let words: HashSet<&str> = SOURCES.iter().flat_map(Source::texts).collect();
    let methods = ["screener_session_service", "panelist_session_service"]
        .map(|service| read(&format!("proto/screener/v1/{service}.proto")))
        .concat();
    let is_there = |name: &&str| match (name.rsplit_once("::"), name.rsplit_once("Service/")) {
        (Some((_, word)), _) => words.contains(word),
        (None, Some((_, method))) => methods.contains(&format!("rpc {method}(")),
        (None, None) => true,
    };
    let named = document.split('`').skip(1).step_by(2).filter(|name| !name.contains(' '));
    // The text after `::<` is a parameter of the name.
    let named = named.map(|name| name.split("::<").next().unwrap_or(name));
    let missing: Vec<_> = named.filter(|name| !is_there(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn only_the_dialect_is_named_after_vendors() {
    let vendors = ["spot", "thought", "respondent", "votito"];
    let found: Vec<_> = SOURCES
        .iter()
        .map(|source| source.path.to_lowercase())
        .filter(|path| vendors.iter().any(|vendor| path.contains(vendor)))
        .collect();
    assert_eq!(found, Vec::<String>::new());
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
    let manifest = read("Cargo.toml");
    assert!(manifest.contains("\n[dependencies]\n"));
    assert_eq!(unexplained_dependencies(&manifest), Vec::<String>::new());
}

#[test]
fn the_image_is_built_from_everything_that_a_build_reads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = read(".dockerignore");
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
        "// todo!() #[ignore]\n",
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
