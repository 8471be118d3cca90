//! Common behavior of all commands: options, created files, and failures.

use std::fs;
use std::io::BufReader;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use sqlx::{Connection as _, Executor as _};

use super::stdout;
use crate::support::process::{Serving, Workplace, stderr};

/// Returns the name of a file in the workplace as the commands print it.
pub(super) fn real(place: &Workplace, name: &str) -> String {
    let folder = place.folder.path().canonicalize().expect("the folder is there");
    folder.join(name).display().to_string()
}

/// Asserts that a command failed with this one line and exit code 1.
pub(super) fn assert_fails(output: &Output, line: &str) {
    let code = output.status.code();
    assert_eq!((code, stderr(output)), (Some(1), format!("screenerd: {line}\n")));
}

#[test]
fn the_options_of_every_command_stand_anywhere_on_its_line() {
    let place = Workplace::new();
    let url = "sqlite://named.db";
    place.json(&["--json", "--database", url, "tenants", "create", "T", "--id", "acct_t"]);
    for line in [
        &["--database", url, "--json", "tenants", "list"][..],
        &["tenants", "--json", "--database", url, "list"],
        &["tenants", "list", "--database", url, "--json"],
    ] {
        assert_eq!(place.json(line)[0]["id"], "acct_t", "{line:?}");
    }
    let mut by_variables = place.command(&["tenants", "list"]);
    by_variables.env("SCREENERD_DATABASE", url).env("SCREENERD_JSON", "1");
    let output = by_variables.output().expect("it runs");
    assert!(stdout(&output).starts_with("[{"), "{}", stderr(&output));
    assert!(!place.path("screenerd.db").exists(), "no command took the usual file");
}

#[test]
fn a_command_on_what_is_there_creates_nothing() {
    let place = Workplace::new();
    let url = "sqlite://none.db";
    for command in [
        &["tenants", "list"][..],
        &["tenants", "disable", "acct_t"],
        &["tenants", "enable", "acct_t"],
        &["keys", "list", "--tenant", "acct_t"],
        &["keys", "create", "--tenant", "acct_t", "--kind", "spot"],
        &["keys", "revoke", "key_1"],
        &["export", "--format", "csv"],
        &["copy", "--from", url, "--to", "sqlite://copy.db"],
    ] {
        let named = if command[0] == "copy" { &[][..] } else { &["--database", url] };
        let output = place.run(&[command, named].concat());
        let path = real(&place, "none.db");
        assert_fails(&output, &format!("cannot open {path}: the file does not exist"));
        assert_eq!(fs::read_dir(place.folder.path()).expect("a folder").count(), 0, "{command:?}");
    }
}

#[test]
fn a_server_that_cannot_start_says_what_and_where() {
    let place = Workplace::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = place.run(&["serve", "--listen", &address]);
    let refused =
        format!("cannot listen on {address}: the address is in use. Name another one with ");
    assert_fails(&output, &format!("{refused}--listen."));
    let free = ["serve", "--listen", "127.0.0.1:0", "--admin-listen"];
    let output = place.run(&[&free[..], &[&address]].concat());
    assert_fails(&output, &format!("{refused}--admin-listen."));
    let output = place.run(&["serve", "--listen", ":0", "--database", "sqlite://none/a.db"]);
    assert_fails(&output, "cannot open none/a.db: the folder none does not exist");
    // A copy fails after one attempt to connect. A server first retries for a while.
    let url = "postgres://user:secret@127.0.0.1:1/screener";
    let output = place.run(&["copy", "--from", url, "--to", "sqlite://copy.db"]);
    assert_fails(&output, "cannot reach PostgreSQL at 127.0.0.1:1: connection refused");
    for (arguments, words) in [
        (&["serve", "--log", "loud"][..], "loud is not a level"),
        (&["tenants", "list", "--log", "screenerd=loud"], "Must be a level, or crates and their"),
        (&["serve", "--listen", "8080"], "Must be a host and a port"),
        (&["healthcheck", "--listen", "localhost"], "Must be a host and a port"),
        (&["tenants", "list", "--database", "a.db"], "sqlite://FILE"),
    ] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(fs::read_dir(place.folder.path()).expect("a folder").count(), 0);
}

#[test]
fn the_url_of_a_database_can_be_in_a_file() {
    let place = Workplace::new();
    fs::write(place.path("url"), "sqlite://filed.db\n").expect("it is written");
    fs::write(place.path("bad"), "mysql://user:secret@host/name").expect("it is written");
    place.json(&["tenants", "create", "T", "--database-file", "url", "--json"]);
    assert!(place.path("filed.db").exists());
    let output = place.run(&["tenants", "list", "--database-file", "none"]);
    assert_fails(&output, "cannot read none: it does not exist");
    let output = place.run(&["tenants", "list", "--database-file", "/dev/zero"]);
    assert_fails(&output, "cannot read /dev/zero: it has more than 65536 bytes");
    let output = place.run(&["tenants", "list", "--database-file", "bad"]);
    assert_fails(&output, "cannot read bad: Must be sqlite://FILE or postgres://USER@HOST/NAME.");
    for (arguments, words) in [
        (&["version", "--database-file", "url"][..], "version opens no database"),
        (
            &["tenants", "list", "--database-file", "url", "--database", "sqlite://a.db"],
            "cannot be",
        ),
    ] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[test]
fn an_unknown_pgsslmode_is_refused_and_not_taken_for_prefer() {
    let place = Workplace::new();
    let url = "postgres://user:secret@127.0.0.1:1/db";
    let mut command = place.command(&["tenants", "list", "--database", url]);
    let output = command.env("PGSSLMODE", "verify_full").output().expect("it runs");
    assert_fails(
        &output,
        "cannot open the database \"db\" at 127.0.0.1:1: PGSSLMODE is verify_full, and must be \
         disable, prefer, require or verify-full",
    );
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_named_as_such() {
    let place = Workplace::new();
    place.json(&["tenants", "create", "T", "--json"]);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(place.path("screenerd.db"));
    let mut file = sqlx::SqliteConnection::connect_with(&options).await.expect("it opens");
    file.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', 1, x'00', 0)",
    )
    .await
    .expect("it is written");
    file.close().await.expect("it closes");
    let line = format!(
        "cannot open {}: a newer version of screenerd has migrated it. Run that version.",
        real(&place, "screenerd.db")
    );
    assert_fails(&place.run(&["tenants", "list"]), &line);
    assert_fails(&place.run(&["serve", "--listen", "127.0.0.1:0"]), &line);
}

#[test]
fn a_health_check_says_what_it_found() {
    let place = Workplace::new();
    let serving = place.serve(&[]);
    let port = serving.address.rsplit(':').next().expect("a port").to_owned();
    let address = format!("127.0.0.1:{port}");
    for listen in [address.clone(), format!("localhost:{port}"), format!(":{port}")] {
        let output = place.run(&["healthcheck", "--listen", &listen]);
        let code = output.status.code();
        assert_eq!((code, stdout(&output)), (Some(0), format!("{address} is ready.\n")));
    }
    let found = place.json(&["healthcheck", "--listen", &address, "--json"]);
    assert_eq!(found, json!({ "address": address, "isReady": true }));
    assert!(serving.terminate().success());
    let output = place.run(&["healthcheck", "--listen", &address]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()));
    assert_fails(&output, &format!("{address} does not respond: connection refused"));
}

#[test]
fn what_is_no_file_is_not_imported() {
    let place = Workplace::new();
    fs::create_dir(place.path("folder")).expect("a folder");
    let made = Command::new("mkfifo").arg(place.path("fifo")).status().expect("mkfifo runs");
    assert!(made.success());
    let _socket = UnixListener::bind(place.path("socket")).expect("a socket");
    for (path, kind) in [
        ("folder", "a folder"),
        ("fifo", "a FIFO"),
        ("socket", "a socket"),
        ("/dev/zero", "a device"),
    ] {
        let line = format!("cannot read {path}: it is {kind}. Import a regular file.");
        assert_fails(&place.run(&["import", path]), &line);
    }
    assert!(!place.path("screenerd.db").exists());
}

#[test]
fn every_summary_is_also_json() {
    let place = Workplace::new();
    fs::write(place.path("demo.ndjson"), screenerd::transfer::demo::FILE).expect("it is written");
    let imported = place.json(&["import", "demo.ndjson", "--json"]);
    assert_eq!(imported, json!({ "read": 74, "written": 74, "unchanged": 0 }));
    let exported =
        place.json(&["export", "--format", "csv", "--tenant", "acct_123", "-o", "a.csv", "--json"]);
    assert_eq!(exported["file"], "a.csv");
    let line =
        ["export", "--format", "csv", "--tenant", "acct_123", "-o", "b.csv", "--bom", "--json"];
    assert_eq!(place.json(&line)["file"], "b.csv");
    let read = |name| std::fs::read(place.path(name)).expect("it was written");
    assert_eq!(read("b.csv"), [&b"\xef\xbb\xbf"[..], &read("a.csv")].concat());
    assert!(exported["responses"].as_i64().is_some_and(|rows| rows > 0));
    let copied = place.json(&[
        "copy",
        "--json",
        "--from",
        "sqlite://screenerd.db",
        "--to",
        "sqlite://copy.db",
    ]);
    let tenants = copied.as_array().expect("rows").iter().find(|row| row["table"] == "tenants");
    let tenants = tenants.expect("a row for each table");
    assert!(tenants["rows"].as_u64().is_some_and(|rows| rows > 0));
    assert_eq!(tenants["sha256"].as_str().map(str::len), Some(64));
    let made =
        place.json(&["generate", "--sessions", "2", "--json", "--database", "sqlite://trial.db"]);
    assert!(made["written"].as_u64().is_some_and(|rows| rows > 2));
    assert_eq!(place.json(&["version", "--json"])["contract"], "screener.v1");
}

#[test]
fn a_demo_on_its_own_data_says_how_to_go_on() {
    let place = Workplace::new();
    let demo = ["--demo", "--database", "sqlite://demo.db"];
    assert!(place.serve(&demo).terminate().success());
    let again = place.serve_command(&demo).output().expect("it runs");
    let line = "--demo: The database has the example data already. Start the server without --demo \
                to continue with that data.";
    assert_fails(&again, line);
    place.json(&["tenants", "create", "T", "--database", "sqlite://other.db", "--json"]);
    let other = place.serve_command(&["--demo", "--database", "sqlite://other.db"]);
    let other = { other }.output().expect("it runs");
    assert_eq!(other.status.code(), Some(1));
    assert!(stderr(&other).contains("Use it with a new database only"), "{}", stderr(&other));
}

#[test]
fn scripts_read_one_line_of_a_server_that_is_no_demo() {
    let place = Workplace::new();
    for (arguments, says_more) in [(&["--demo"][..], true), (&[], false)] {
        let mut serving: Serving = place.serve(arguments);
        let mut rest = String::new();
        serving.signal(rustix::process::Signal::TERM);
        std::io::Read::read_to_string(&mut serving.output, &mut rest).expect("it ends");
        assert_eq!(!rest.is_empty(), says_more, "{rest}");
    }
}

#[test]
fn a_hangup_stops_a_server_without_a_certificate_like_sigterm() {
    let mut serving = Workplace::new().serve(&["--demo"]);
    serving.signal(rustix::process::Signal::HUP);
    assert!(serving.child.wait().expect("it ends").success());
}

#[test]
fn an_export_takes_the_place_of_a_regular_file_only() {
    let place = Workplace::new();
    place.json(&["tenants", "create", "T", "--id", "acct_t", "--json"]);
    std::os::unix::fs::symlink("elsewhere.csv", place.path("link")).expect("it is made");
    fs::create_dir(place.path("folder")).expect("it is made");
    for output in ["link", "folder", "/dev/null"] {
        let refused = place.run(&["export", "--format", "csv", "-o", output]);
        assert_eq!(refused.status.code(), Some(1), "{output}");
        let expected = format!("screenerd: cannot write {output}: it is no regular file\n");
        assert_eq!(stderr(&refused), expected);
    }
    assert!(place.path("link").is_symlink() && !place.path("elsewhere.csv").exists());
    for _ in 0..2 {
        assert!(place.run(&["export", "--format", "csv", "-o", "a.csv"]).status.success());
    }
}

/// Compares the documented exit codes with the numbers of the code.
#[test]
fn exit_codes_are_as_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
    let document = fs::read_to_string(path).expect("the document is readable text");
    let (_, rest) = document.split_once("## Exit codes\n").expect("the heading");
    let table = rest.split("\n## ").next().expect("the section");
    let place = Workplace::new();
    place.json(&["tenants", "create", "T", "--id", "acct_t", "--json"]);
    for (code, arguments) in [
        (0, &["version"][..]),
        (0, &["help"]),
        (0, &["tenants", "list"]),
        (1, &["tenants", "disable", "acct_none"]),
        (1, &["keys", "list", "--tenant", "acct_none"]),
        (1, &["import", "none.ndjson"]),
        (1, &["export", "--format", "csv", "--tenant", "acct_none"]),
        (1, &["copy", "--from", "sqlite://none.db", "--to", "sqlite://b.db"]),
        (1, &["healthcheck", "--listen", "127.0.0.1:1"]),
        (1, &["serve", "--database", "sqlite://none/a.db", "--listen", "127.0.0.1:0"]),
        (1, &["healthcheck", "--listen", "host.invalid:80"]),
        (1, &["export", "--format", "csv", "--output", "none/a.csv"]),
        (2, &["serve", "--none"]),
        (2, &["serve", "--demo", "--listen", "0.0.0.0:0"]),
        (2, &["serve", "--panelist-key", "short"]),
        (2, &["serve", "--wal", "external", "--database", "postgres://u@h/n"]),
        (2, &["export", "--format", "ndjson", "--bom"]),
        (2, &["keys", "create", "--tenant", "t", "--kind", "spot", "--scope", "foo:read"]),
        (2, &["generate", "--sessions", "1", "--responses-per-session", "501"]),
        (2, &["copy", "--from", "sqlite://a", "--to", "sqlite://b", "--database", "sqlite://c"]),
        (2, &["none"]),
        (2, &[]),
    ] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(table.contains(&format!("| {code} |")), "{code} is documented");
    }
}

#[test]
fn no_error_shows_the_password_of_a_database() {
    let place = Workplace::new();
    for url in
        ["postgre://u:DBSECRET@h/n", " postgres://u:DBSECRET@h/n", "\"postgres://u:DBSECRET@h/n\""]
    {
        let output = place.run(&["tenants", "list", "--database", url]);
        assert_eq!(output.status.code(), Some(2));
        let told = stderr(&output);
        assert!(told.contains("--database") && !told.contains("DBSECRET"), "{told}");
    }
    let unknown = "postgres://u@127.0.0.1:1/n?pasword=DBSECRET";
    let output = place.run(&["copy", "--from", unknown, "--to", "sqlite://copy.db"]);
    let told = stderr(&output);
    assert!(told.contains("cannot reach PostgreSQL") && !told.contains("DBSECRET"), "{told}");
}

#[test]
fn a_server_whose_database_never_responds_stops_when_it_is_told_to() {
    let place = Workplace::new();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("postgres://u@{}/n", silent.local_addr().expect("an address"));
    let mut command = place.serve_command(&["--database", &url]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let serving = Serving { child, address: String::new(), output };
    // It reads signals before it connects.
    let _connection = silent.accept().expect("it connects");
    assert!(serving.terminate().success());
}
