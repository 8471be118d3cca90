//! Names in documents exist: flags, variables, RPCs, messages, routes, metrics and files.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use clap::CommandFactory as _;
use clap::error::ErrorKind;
use screenerd::cli::Cli;
use screenerd::pb::DESCRIPTOR;
use serde_json::Value;

use super::markdown::{Markdown, documents, read};

/// Names of other programs that look like ours.
const FOREIGN: &[&str] = &["StateDirectory", "LimitNOFILE", "TimeoutStopSec"];

/// Paths of a file system that look like routes.
const FOLDERS: &[&str] = &["/data", "/etc/", "/srv/", "/dev/", "/tmp", "/var/", "/usr/"];

/// The folders of the repository whose files the documents name.
const SOURCES: &[&str] = &[
    "benches",
    "clients",
    "contract",
    "docs",
    "examples",
    "proto",
    "scripts",
    "src",
    "templates",
    "tests",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Adds the contents of all text files below a folder.
fn add_texts(folder: &Path, texts: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            add_texts(&path, texts);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let name = path.strip_prefix(root()).expect("it is within the package");
            texts.push((name.to_string_lossy().into_owned(), text));
        }
    }
}

/// The names that exist.
struct Known {
    /// All words of the sources and the contract.
    words: BTreeSet<String>,
    /// All flags of the command line and of the repository's programs.
    flags: BTreeSet<String>,
    /// All routes, segment by segment.
    routes: BTreeSet<Vec<String>>,
    /// All RPCs, as `Service/Method`.
    rpcs: BTreeSet<String>,
}

fn is_word(it: char) -> bool {
    it.is_ascii_alphanumeric() || it == '_'
}

fn add_flags(command: &clap::Command, flags: &mut BTreeSet<String>) {
    let long = command.get_arguments().filter_map(clap::Arg::get_long);
    flags.extend(long.map(|name| format!("--{name}")));
    command.get_subcommands().for_each(|child| add_flags(child, flags));
}

/// Returns the flags in a text.
fn flags_in(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices("--").map(|(position, _)| position);
    let starts =
        starts.filter(|it| !text[..*it].ends_with(|before| is_word(before) || before == '-'));
    starts.filter_map(|start| {
        let rest = &text[start..];
        let end = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '-');
        let flag = &rest[..end.unwrap_or(rest.len())];
        flag[2..].starts_with(|it: char| it.is_ascii_lowercase()).then_some(flag)
    })
}

/// Splits a route into segments without its query. All parameters are equal.
fn parts(route: &str) -> Vec<String> {
    let path = route.split('?').next().unwrap_or(route);
    let part = |part: &str| {
        if part.contains('{') || part == "…" { "{}".to_owned() } else { part.to_owned() }
    };
    path.trim_matches('/').split('/').map(part).collect()
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let mut texts = Vec::new();
    for folder in ["src", "proto", "templates", "scripts", "tests", "benches", "clients"] {
        add_texts(&root().join(folder), &mut texts);
    }
    let is_source =
        |name: &str| ["src/", "proto/", "templates/"].iter().any(|folder| name.starts_with(folder));
    let mut known = Known {
        words: BTreeSet::new(),
        flags: BTreeSet::from(["--help".to_owned()]),
        routes: BTreeSet::new(),
        rpcs: BTreeSet::new(),
    };
    add_flags(&Cli::command(), &mut known.flags);
    for (name, text) in &texts {
        let words = text.split(|it| !is_word(it)).map(str::to_owned);
        if is_source(name) {
            known.words.extend(words);
        } else if !name.starts_with("tests/it/docs") {
            // Tests read environment variables of their own.
            known.words.extend(words.filter(|word| word.starts_with("SCREENERD_")));
        }
        // The OpenAPI document omits the routes of the pages.
        if name.starts_with("src/pages/") {
            let literals = text.split('"').filter(|text| text.starts_with('/'));
            known.routes.extend(literals.map(parts).filter(|route| route[0] != "{}"));
        }
        // Scripts of the repository and their modules.
        if !is_source(name) && Path::new(name).extension().is_none_or(|it| it != "rs") {
            known.flags.extend(flags_in(text).map(str::to_owned));
        }
    }
    let openapi: Value = serde_json::from_str(&read("docs/openapi.json")).expect("JSON");
    let paths = openapi["paths"].as_object().expect("paths");
    known.routes.extend(paths.keys().map(|path| parts(path)));
    let pool = prost_reflect::DescriptorPool::decode(DESCRIPTOR).expect("it decodes");
    for method in pool.services().flat_map(|it| it.methods().collect::<Vec<_>>()) {
        known.rpcs.insert(format!("{}/{}", method.parent_service().name(), method.name()));
    }
    for rpc in ["Health/Check", "Health/Watch"] {
        known.rpcs.insert(rpc.to_owned());
    }
    // A test compares this page with what a server prints.
    let metrics = read("docs/metrics.md");
    let rows = metrics.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    known.words.extend(rows.map(str::to_owned));
    known.routes.extend(["/metrics"].map(parts));
    known
});

/// Splits a shell command into words, up to the next command.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for it in line.chars() {
        match (quote, it) {
            (Some(open), it) if it == open => quote = None,
            (None, '\'' | '"') => quote = Some(it),
            (None, '|' | '>' | ';' | '&' | '#') => break,
            (None, ' ') => words.push(String::new()),
            (Some(_) | None, it) => words.last_mut().expect("one").push(it),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Returns the error if our command line rejects a line.
fn command_fault(line: &str) -> Option<String> {
    let words = shell_words(line);
    // A word in capitals is a placeholder.
    if words.get(1).is_some_and(|it| it.chars().all(|it| it.is_ascii_uppercase() || it == '…')) {
        return None;
    }
    let error = Cli::command().try_get_matches_from(words).err()?;
    let is_unknown =
        [ErrorKind::UnknownArgument, ErrorKind::InvalidSubcommand].contains(&error.kind());
    is_unknown.then(|| error.to_string())
}

/// Returns the fault if a piece of code in the prose has an unknown name.
fn code_fault(code: &str) -> Option<String> {
    let known = &*KNOWN;
    let missing = |what: &str| Some(format!("`{code}`: no such {what}"));
    if code.starts_with("screenerd ") {
        return command_fault(code);
    }
    if code.starts_with("--") && flags_in(code).any(|flag| !known.flags.contains(flag)) {
        return missing("flag");
    }
    let is_variable =
        |word: &&str| word.starts_with("SCREENERD_") || word.starts_with("screenerd_");
    let mut words = code.split(|it| !is_word(it));
    if words.clone().filter(is_variable).any(|word| !known.words.contains(word)) {
        return missing("variable or metric");
    }
    let is_camel = code.len() > 3
        && code.chars().all(|it| it.is_ascii_alphabetic())
        && code.starts_with(|it: char| it.is_ascii_uppercase())
        && code[1..].contains(|it: char| it.is_ascii_uppercase())
        && code.contains(|it: char| it.is_ascii_lowercase());
    if is_camel && !FOREIGN.contains(&code) && words.any(|word| !known.words.contains(word)) {
        return missing("message, RPC or type");
    }
    let methods = ["GET ", "POST ", "PATCH ", "PUT ", "DELETE ", "HEAD "];
    let route = methods.iter().find_map(|method| code.strip_prefix(method)).unwrap_or(code);
    let is_route = route.starts_with('/') && route.len() > 1 && !route.contains(' ');
    if is_route
        && !FOLDERS.iter().any(|folder| route.starts_with(folder))
        && !known.routes.iter().any(|it| matches_route(it, &parts(route)))
    {
        return missing("route");
    }
    let file = code.split(' ').next().unwrap_or(code);
    let top = file.split('/').next().unwrap_or_default();
    let is_file = file.contains('/') && SOURCES.contains(&top) && !file.contains(['…', '*', '{']);
    if is_file && !root().join(file).exists() && !root().join(format!("{file}.rs")).exists() {
        return missing("file");
    }
    None
}

/// Whether a documented route is a known one or the beginning of one.
fn matches_route(known: &[String], named: &[String]) -> bool {
    let alike = |(one, other): (&String, &String)| one == other || one == "{}" || other == "{}";
    named.len() <= known.len() && known.iter().zip(named).all(alike)
}

/// Returns a fault for each unknown RPC in a text.
fn rpc_faults(text: &str) -> Vec<String> {
    let is_path = |it: char| is_word(it) || it == '/';
    let names = text.split(|it| !is_path(it)).filter(|it| it.contains("Service/"));
    let names = names.map(|name| name.trim_start_matches('/'));
    let is_missing = |name: &&str| {
        let (_, method) = name.split_once('/').unwrap_or_default();
        method.starts_with(|it: char| it.is_ascii_uppercase()) && !KNOWN.rpcs.contains(*name)
    };
    names.filter(is_missing).map(|name| format!("{name}: no such RPC")).collect()
}

fn faults(text: &str) -> Vec<String> {
    let document = Markdown::parse(text);
    let mut faults: Vec<String> = document.codes().into_iter().filter_map(code_fault).collect();
    faults.extend(rpc_faults(text));
    for (language, code) in &document.blocks {
        if language.starts_with("sh") {
            let ours = code.lines().filter(|line| line.starts_with("screenerd "));
            faults.extend(ours.filter_map(command_fault));
        }
    }
    faults
}

#[test]
fn documents_name_what_exists() {
    let mut found = Vec::new();
    for path in documents() {
        found.extend(faults(&read(&path)).into_iter().map(|fault| format!("{path}: {fault}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_name_that_does_not_exist_is_seen() {
    for good in [
        "`--public-url URL` and `--extended`",
        "`SCREENERD_LISTEN`",
        "`ListScreenerSessions`, `SubmissionService/GetSubmission`, `AdminService/*`",
        "`GET /screener-sessions/{id}`, `/s/{slug}`, `/public/surveys/`, `/data`",
        "`src/config.rs`, `tests/it/tidy`, `clients/`",
        "`screenerd keys create`, `screenerd COMMAND --help`",
        "```sh\nscreenerd export --format csv -o a.csv\n```",
    ] {
        assert_eq!(faults(good), Vec::<String>::new(), "{good}");
    }
    for bad in [
        "`--public-address URL`",
        "`SCREENERD_PORT`",
        "`screenerd_requests_total`",
        "`ListScreenerSession`",
        "SubmissionService/GetSubmissions",
        "`GET /screener-session`",
        "`src/settings.rs`",
        "`screenerd keys make`",
        "```sh\nscreenerd export --kind csv\n```",
    ] {
        assert_eq!(faults(bad).len(), 1, "{bad}: {:?}", faults(bad));
    }
}
