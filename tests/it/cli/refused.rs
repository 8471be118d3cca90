//! Refusals name flags, ids and files as the operator typed them.

use std::fs;

use clap::CommandFactory as _;
use screenerd::cli::Cli;

use super::commands::assert_fails;
use super::stdout;
use crate::support::process::{Workplace, stderr};

#[test]
fn what_is_refused_is_named_as_it_was_typed() {
    let place = Workplace::new();
    for id in ["acct_a", "acct_b"] {
        place.json(&["tenants", "create", "T", "--id", id, "--json"]);
    }
    for (arguments, line) in [
        (&["export", "--format", "csv"][..], "--tenant: Must be one of acct_a, acct_b."),
        (&["export", "--format", "csv", "--tenant", "acct_c"], "--tenant acct_c: No such tenant."),
        (
            &["export", "--format", "csv", "--tenant", "acct_a", "--session", ""],
            "--session: Required.",
        ),
        (&["keys", "list", "--tenant", "acct_c"], "--tenant acct_c: No such tenant."),
        (&["keys", "revoke", "key_c"], "key_c: No such key."),
        (&["tenants", "disable", "acct_c"], "acct_c: No such tenant."),
        (
            &["tenants", "create", "T", "--id", "acct_a"],
            "--id acct_a: Must be unique. A tenant has this id.",
        ),
        (
            &["copy", "--from", "sqlite://screenerd.db", "--to", "sqlite://screenerd.db"],
            "--to: Must differ from the database to copy from.",
        ),
        (
            &["keys", "create", "--tenant", "acct_a", "--kind", "panel", "--scope", "admin"],
            "--scope: A panel key cannot use the scope admin.",
        ),
    ] {
        assert_fails(&place.run(arguments), line);
    }
    for (arguments, words) in [
        (&["serve", "--panelist-key", "short"][..], "screenerd: --panelist-key: Must be 64 bytes"),
        (
            &["serve", "--wal", "external", "--database", "postgres://u@h/n"],
            "screenerd: --wal external: For a sqlite:// database only.",
        ),
        (&["export", "--format", "ndjson", "--bom"], "screenerd: --bom: Only for CSV."),
        (&["version", "--database", "sqlite://a.db"], "screenerd: --database: version opens no"),
        (&["generate", "--sessions", "x"], "Must be a whole number."),
        (
            &["keys", "create", "--tenant", "a", "--kind", "spot", "--scope", "foo:read"],
            "Must be one of sessions:read",
        ),
    ] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_variable_for_every_command_disturbs_none() {
    let place = Workplace::new();
    let output = place.command(&["version"]).env("SCREENERD_DATABASE", "sqlite://a.db").output();
    assert_eq!(output.expect("it runs").status.code(), Some(0));
}

#[test]
fn a_file_that_cannot_be_read_or_written_is_named_with_the_cause() {
    let place = Workplace::new();
    place.json(&["tenants", "create", "T", "--json"]);
    assert_fails(
        &place.run(&["import", "none.ndjson"]),
        "cannot read none.ndjson: it does not exist",
    );
    let output = place.run(&["serve", "--panelist-key-file", "none", "--listen", "127.0.0.1:0"]);
    assert_fails(&output, "cannot read none: it does not exist");
    fs::write(place.path("key"), "short").expect("it is written");
    let output = place.run(&["serve", "--panelist-key-file", "key", "--listen", "127.0.0.1:0"]);
    assert_fails(&output, "--panelist-key-file key: Must be 64 bytes in base64.");
    let export = |path| place.run(&["export", "--format", "csv", "-o", path]);
    let line = "cannot write none/a.csv: the folder none does not exist";
    assert_fails(&export("none/a.csv"), line);
    fs::create_dir(place.path("folder")).expect("a folder");
    assert_fails(&export("folder"), "cannot write folder: it is no regular file");
}

#[test]
fn a_host_is_looked_up_when_it_is_needed() {
    let place = Workplace::new();
    for command in ["healthcheck", "serve"] {
        let output = place.run(&[command, "--listen", "host.invalid:80"]);
        assert_fails(&output, "cannot resolve host.invalid");
    }
}

/// Collects the flags without a value of a command and its subcommands.
fn flags(command: &clap::Command, found: &mut Vec<String>) {
    for argument in command.get_arguments() {
        let variable = argument.get_env().and_then(|name| name.to_str());
        if let (clap::ArgAction::SetTrue, Some(variable)) = (argument.get_action(), variable) {
            found.push(variable.to_owned());
        }
    }
    command.get_subcommands().for_each(|child| flags(child, found));
}

#[test]
fn the_variable_of_every_flag_is_true_false_1_or_0() {
    let place = Workplace::new();
    let none = ["--database", "sqlite://none/a.db"];
    let serve = &["serve", "--listen", "127.0.0.1:0"][..];
    // Each variable with a command line that fails with code 1 once its value is accepted.
    let lines = [
        ("SCREENERD_DEMO", serve),
        ("SCREENERD_TRUST_LINKS", &["import", "none.ndjson"]),
        ("SCREENERD_BOM", &["export", "--format", "csv"]),
        ("SCREENERD_JSON", &["tenants", "list"]),
    ];
    let mut found = Vec::new();
    flags(&Cli::command(), &mut found);
    found.sort();
    let mut tested = lines.map(|(variable, _)| variable.to_owned());
    tested.sort();
    assert_eq!(found, tested);
    for (variable, line) in lines {
        for (value, code) in [("true", 1), ("false", 1), ("1", 1), ("0", 1), ("maybe", 2), ("", 2)]
        {
            let mut command = place.command(&[line, &none].concat());
            let output = command.env(variable, value).output().expect("it runs");
            let told = stderr(&output);
            assert_eq!(output.status.code(), Some(code), "{variable}={value}: {told}");
            assert_eq!(told.contains("Must be true, false, 1 or 0."), code == 2, "{told}");
        }
    }
    let mut version = place.command(&["version"]);
    let output = version.env("SCREENERD_JSON", "0").output().expect("it runs");
    assert!(stdout(&output).starts_with("screenerd "), "0 is false");
}
