//! The real binary, as operators and scripts run it.

mod commands;
mod files;
mod foreign;
mod log;
mod refused;
mod terminal;

use std::path::Path;
use std::process::{Output, Stdio};

use rustix::process::Signal;
use screenerd::transfer::demo::FILE as DEMO;
use serde_json::{Value, json};

use crate::support::process::{Workplace, stderr};

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn status(address: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = reqwest::Client::new().get(format!("http://{address}/screener-sessions"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("it answers").status().as_u16()
}

#[tokio::test]
async fn tenants_and_keys_are_made_and_revoked_while_the_server_runs() {
    let place = Workplace::new();
    let serving = place.serve(&[]);
    let tenant = place.json(&["tenants", "create", "My team", "--json"]);
    let tenant = tenant["id"].as_str().expect("an id");
    assert!(tenant.starts_with("acct_"));
    let key = place.json(&["keys", "create", "--tenant", tenant, "--kind", "spot", "--json"]);
    let (id, secret) = (key["id"].as_str().expect("an id"), key["secret"].as_str().expect("one"));
    let headers = [("X-Spot-Api-Key", id), ("X-Spot-Api-Secret", secret)];
    assert_eq!(status(&serving.address, &headers).await, 200);
    place.json(&["tenants", "disable", tenant, "--json"]);
    assert_eq!(status(&serving.address, &headers).await, 403);
    place.json(&["tenants", "enable", tenant, "--json"]);
    assert_eq!(status(&serving.address, &headers).await, 200);
    let revoked = place.json(&["keys", "revoke", id, "--json"]);
    assert!(revoked["revokedAt"].is_string());
    assert_eq!(status(&serving.address, &headers).await, 401, "it is refused at once");
    let keys = place.json(&["keys", "list", "--tenant", tenant, "--json"]);
    assert_eq!(keys[0]["id"], id);
    assert!(!keys.to_string().contains(secret), "the secret is shown once");
    assert!(serving.terminate().success());
    let tenants = place.json(&["tenants", "list", "--json"]);
    assert_eq!(tenants[0]["name"], "My team", "the same commands work without a server");
}

#[test]
fn the_database_is_named_before_or_after_what_is_done_with_it() {
    let place = Workplace::new();
    let url = "sqlite://named.db";
    place.json(&["tenants", "create", "T", "--id", "acct_t", "--json", "--database", url]);
    for arguments in [&["tenants"][..], &["keys", "--tenant", "acct_t"]] {
        let (command, rest) = arguments.split_first().expect("a command");
        let before = [&[*command, "--database", url, "list", "--json"], rest].concat();
        let after = [&[*command, "list", "--database", url, "--json"], rest].concat();
        assert_eq!(place.json(&before), place.json(&after));
        let mut by_variable = place.command(&[&[*command, "list"], rest].concat());
        let by_variable = by_variable.env("SCREENERD_DATABASE", url).output().expect("it runs");
        assert!(by_variable.status.success(), "{}", stderr(&by_variable));
    }
    assert!(!place.path("screenerd.db").exists(), "no command took the default");
}

#[test]
fn a_key_that_makes_no_sense_is_refused_by_field() {
    let place = Workplace::new();
    place.json(&["tenants", "create", "T", "--id", "acct_t", "--json"]);
    for (arguments, words) in [
        (
            &["keys", "create", "--tenant", "acct_t", "--kind", "panel", "--scope", "admin"][..],
            "--scope: ",
        ),
        (
            &["keys", "create", "--tenant", "acct_t", "--kind", "panel", "--scope", "x"][..],
            "--scope",
        ),
        (&["keys", "create", "--tenant", "nobody", "--kind", "panel"][..], "--tenant nobody: "),
        (
            &["keys", "create", "--tenant", "acct_t", "--kind", "panel", "--expires-in", "0d"][..],
            "above 0",
        ),
        (&["keys", "revoke", "nobody"][..], "nobody: No such key."),
        (&["tenants", "create", "T", "--id", "acct_t"][..], "--id acct_t: "),
    ] {
        let output = place.run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_second_server_is_told_that_the_file_is_taken() {
    let place = Workplace::new();
    let serving = place.serve(&[]);
    let output = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("screenerd.db"), "{}", stderr(&output));
    assert!(serving.terminate().success());
}

#[test]
fn an_import_again_changes_nothing_and_another_content_is_an_error() {
    let place = Workplace::new();
    let first = place.import("demo.ndjson", DEMO);
    assert!(first.status.success(), "{}", stderr(&first));
    assert_eq!(stdout(&first), "74 records read: 74 written, 0 unchanged.\n");
    let again = place.import("demo.ndjson", DEMO);
    assert_eq!(stdout(&again), "74 records read: 0 written, 74 unchanged.\n");
    let line =
        |needle: &str| DEMO.lines().position(|line| line.contains(needle)).expect("the line") + 1;
    for (from, to, field) in [
        ("onboarding-002-sam", "onboarding-002-samuel", "linkSlug"),
        ("Customer Satisfaction Survey", "Another title", "title"),
        ("VP of Research", "VP of Sales", "answer"),
        ("\"status\": \"PAID\"", "\"status\": \"PENDING\"", "review"),
    ] {
        let output = place.import("changed.ndjson", &DEMO.replace(from, to));
        assert!(!output.status.success(), "{from}");
        let expected = format!("line {}: {field}", line(from));
        assert!(stderr(&output).contains(&expected), "{expected}: {}", stderr(&output));
    }
}

#[test]
fn an_import_reports_a_key_of_another_tenant_as_taken_even_if_it_is_the_same() {
    let place = Workplace::new();
    let header = r#"{"format":"screenerd-import","version":1}"#;
    let tenant = |id: &str| json!({ "type": "tenant", "id": id, "name": id, "createdAt": "2024-01-01T00:00:00Z" });
    let key = |tenant: &str| {
        json!({
            "type": "credential", "tenant": tenant, "id": "key_1", "kind": "service",
            "secret": "secret_1", "createdAt": "2024-01-01T00:00:00Z",
        })
    };
    let text = format!("{header}\n{}\n{}\n{}\n", tenant("t"), tenant("u"), key("t"));
    assert!(place.import("first.ndjson", &text).status.success());
    let same = place.import("same.ndjson", &format!("{header}\n{}\n", key("t")));
    assert_eq!(stdout(&same), "1 records read: 0 written, 1 unchanged.\n");
    let taken = place.import("taken.ndjson", &format!("{header}\n{}\n", key("u")));
    assert!(!taken.status.success());
    assert!(stderr(&taken).contains("Another key has it."), "{}", stderr(&taken));
}

#[test]
fn an_import_names_line_and_field_of_each_error_and_writes_nothing() {
    let header = r#"{"format":"screenerd-import","version":1}"#;
    let tenant = r#"{"type":"tenant","id":"t","name":"T","createdAt":"2024-01-01T00:00:00Z"}"#;
    let place = Workplace::new();
    for (text, words) in [
        (String::new(), "line 1"),
        ("{}".to_owned(), "line 1"),
        (format!("{header}\nnonsense"), "line 2"),
        (format!("{header}\n{{\"type\":\"nothing\"}}"), "line 2: type"),
        (format!("{header}\n{tenant}\n{{\"type\":\"tenant\",\"id\":\"u\"}}"), "line 3: "),
        (format!("{header}\n{}", tenant.replace("2024-01-01", "yesterday")), "line 2: createdAt"),
        (format!("{header}\n{}", tenant.replace("\"T\"", "5")), "line 2: name"),
        (format!("{header}\n{}", tenant.replace("\"name\"", "\"nome\"")), "nome"),
        (
            format!(
                "{header}\n{tenant}\n{{\"type\":\"participant\",\"tenant\":\"x\",\"id\":\"p\"}}"
            ),
            "line 3: tenant",
        ),
    ] {
        let output = place.import("bad.ndjson", &text);
        assert!(!output.status.success(), "{text}");
        assert!(stderr(&output).contains(words), "{words}: {}", stderr(&output));
    }
    let tenants = place.json(&["tenants", "list", "--json"]);
    assert_eq!(tenants, Value::Array(vec![]), "nothing of any file was written");
}

#[test]
fn the_demo_keeps_to_loopback_and_to_new_databases() {
    let place = Workplace::new();
    let output = place.run(&["serve", "--demo", "--listen", "0.0.0.0:0"]);
    assert!(
        !output.status.success() && stderr(&output).contains("--listen"),
        "{}",
        stderr(&output)
    );
    place.json(&["tenants", "create", "T", "--json"]);
    let taken =
        ["serve", "--demo", "--listen", "127.0.0.1:0", "--database", "sqlite://screenerd.db"];
    let output = place.run(&taken);
    assert!(
        !output.status.success() && stderr(&output).contains("--database"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_health_check_tells_a_server_that_runs_from_none() {
    let place = Workplace::new();
    let serving = place.serve(&[]);
    let address = serving.address.clone();
    assert!(place.run(&["healthcheck", "--listen", &address]).status.success());
    assert!(serving.terminate().success());
    assert!(!place.run(&["healthcheck", "--listen", &address]).status.success());
}

#[test]
fn the_version_is_the_package_s() {
    let place = Workplace::new();
    let version = place.json(&["version", "--json"]);
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_server_that_is_killed_leaves_a_file_that_the_next_one_opens() {
    let place = Workplace::new();
    let serving = place.serve(&[]);
    place.json(&["tenants", "create", "T", "--id", "acct_t", "--json"]);
    serving.signal(Signal::KILL);
    drop(serving);
    assert!(Path::exists(&place.path("screenerd.db.sock")), "the socket of the killed one stays");
    let serving = place.serve(&[]);
    let tenants = place.json(&["tenants", "list", "--json"]);
    assert_eq!(tenants[0]["id"], "acct_t", "what was acknowledged is there");
    assert!(serving.terminate().success());
    assert!(!Path::exists(&place.path("screenerd.db.sock")));
}

#[test]
fn an_import_that_is_killed_leaves_nothing() {
    let place = Workplace::new();
    let mut text = String::from("{\"format\":\"screenerd-import\",\"version\":1}\n");
    text.push_str(
        "{\"type\":\"tenant\",\"id\":\"t\",\"name\":\"T\",\"createdAt\":\"2024-01-01T00:00:00Z\"}\n",
    );
    // More than twice the data that the writer caches before it writes to the log.
    let name = "x".repeat(500);
    for number in 0..150_000 {
        let line = format!(
            "{{\"type\":\"participant\",\"tenant\":\"t\",\"id\":\"p{number}\",\"name\":\"{name}\"}}\n"
        );
        text.push_str(&line);
    }
    std::fs::write(place.path("large.ndjson"), text).expect("it is written");
    let mut import = place
        .command(&["import", "large.ndjson"])
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    // The write-ahead log exceeds a megabyte in the middle of the import, long before its end.
    let log = place.path("screenerd.db-wal");
    while std::fs::metadata(&log).map_or(0, |it| it.len()) < 1_000_000 {
        assert!(import.try_wait().expect("it can be asked").is_none(), "it is not finished yet");
        std::thread::yield_now();
    }
    import.kill().expect("it is killed");
    import.wait().expect("it ends");
    assert_eq!(place.json(&["tenants", "list", "--json"]), Value::Array(vec![]));
}
