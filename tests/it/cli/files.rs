//! The files of a database: private to their owner and locked by one server, under any name.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use crate::support::process::{Serving, Workplace, stderr};

const FILES: [&str; 5] = ["", "-wal", "-shm", ".lock", ".sock"];

fn mode(place: &Workplace, name: &str) -> u32 {
    fs::metadata(place.path(name)).expect("it exists").permissions().mode() & 0o777
}

fn set_mode(place: &Workplace, name: &str, mode: u32) {
    fs::set_permissions(place.path(name), Permissions::from_mode(mode)).expect("it is set");
}

#[test]
fn every_file_is_for_its_owner_only_whatever_the_umask() {
    let place = Workplace::new();
    // An earlier version created the file with this mode.
    fs::write(place.path("screenerd.db.lock"), "").expect("it is written");
    set_mode(&place, "screenerd.db.lock", 0o644);
    let serve = place.serve_command(&[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$0\" \"$@\""]);
    shell.arg(serve.get_program()).args(serve.get_args()).current_dir(place.folder.path());
    shell.stderr(Stdio::null());
    let serving = Serving::start(shell);
    place.json(&["tenants", "create", "T", "--json"]);
    for suffix in FILES {
        assert_eq!(mode(&place, &format!("screenerd.db{suffix}")), 0o600, "{suffix}");
    }
    assert!(serving.terminate().success());
}

#[test]
fn a_database_that_others_can_read_is_warned_of_at_the_start() {
    let place = Workplace::new();
    place.json(&["tenants", "create", "T", "--json"]);
    let warned = || {
        let mut command = place.serve_command(&["--log-format", "json"]);
        command.stderr(Stdio::piped());
        let mut serving = Serving::start(command);
        let log = BufReader::new(serving.child.stderr.take().expect("its log"));
        // The server prints the warning, if any, before the line with its address.
        let lines = log.lines().map(|line| line.expect("text"));
        let warned = lines
            .take_while(|line| !line.contains("\"serving\""))
            .filter(|line| line.contains("chmod 600"))
            .collect::<Vec<_>>();
        assert!(serving.terminate().success());
        warned
    };
    assert_eq!(warned(), Vec::<String>::new());
    set_mode(&place, "screenerd.db", 0o640);
    let lines = warned();
    assert!(lines[0].contains("screenerd.db\"") && lines[0].contains("0640"), "{lines:?}");
    assert_eq!(mode(&place, "screenerd.db"), 0o640, "the operator's file is left as it is");
}

#[test]
fn what_is_not_a_socket_is_not_replaced_by_one() {
    let place = Workplace::new();
    fs::write(place.path("screenerd.db.sock"), "of somebody's own").expect("it is written");
    let output = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    let begin = "screenerd: cannot listen on ";
    let end = "screenerd.db.sock: it exists and is not a socket. Move it away.\n";
    assert!(told.starts_with(begin) && told.ends_with(end), "{told}");
    let kept = fs::read_to_string(place.path("screenerd.db.sock")).expect("it is there");
    assert_eq!(kept, "of somebody's own");
}

#[test]
fn a_command_finds_the_server_of_a_file_whose_path_is_longer_than_an_address_of_a_socket() {
    let place = Workplace::new();
    let folder = ["a", "b"].map(|name| name.repeat(100)).join("/");
    fs::create_dir_all(place.path(&folder)).expect("a folder");
    let url = format!("sqlite://{folder}/a.db");
    let serving = place.serve(&["--database", &url]);
    assert_eq!(mode(&place, &format!("{folder}/a.db.sock")), 0o600);
    place.json(&["tenants", "create", "T", "--json", "--database", &url]);
    assert!(serving.terminate().success());
    assert!(!place.path(&format!("{folder}/a.db.sock")).exists());
}

#[test]
fn one_file_has_one_server_whatever_its_names_are() {
    let place = Workplace::new();
    fs::create_dir(place.path("data")).expect("a folder");
    symlink("data", place.path("linked")).expect("a link");
    // The server creates the file through this link.
    symlink("data/a.db", place.path("b.db")).expect("a link");
    let serving = place.serve(&["--database", "sqlite://b.db"]);
    for suffix in FILES {
        assert!(place.path(&format!("data/a.db{suffix}")).exists(), "{suffix}");
        assert!(suffix.is_empty() || !place.path(&format!("b.db{suffix}")).exists(), "{suffix}");
    }
    for (number, name) in ["data/a.db", "b.db", "linked/a.db"].into_iter().enumerate() {
        let url = format!("sqlite://{name}");
        let refused = place.run(&["serve", "--listen", "127.0.0.1:0", "--database", &url]);
        assert_eq!(refused.status.code(), Some(1), "{name}");
        assert!(stderr(&refused).contains("data/a.db"), "{name}: {}", stderr(&refused));
        // A command reaches the server that has the file open.
        place.json(&["tenants", "--database", &url, "create", "T", "--json"]);
        let tenants = place.json(&["tenants", "--database", "sqlite://b.db", "list", "--json"]);
        assert_eq!(tenants.as_array().map(Vec::len), Some(number + 1), "{name}");
    }
    assert!(serving.terminate().success());
    let copied = ["copy", "--from", "sqlite://b.db", "--to", "sqlite://linked/a.db"];
    let output = place.run(&copied);
    assert!(stderr(&output).contains("the database to copy from"), "{}", stderr(&output));
}

#[test]
fn a_file_with_a_second_name_that_cannot_be_resolved_is_refused() {
    let place = Workplace::new();
    place.json(&["tenants", "create", "T", "--json"]);
    fs::hard_link(place.path("screenerd.db"), place.path("other.db")).expect("a link");
    for name in ["screenerd.db", "other.db"] {
        let url = format!("sqlite://{name}");
        let output = place.run(&["serve", "--listen", "127.0.0.1:0", "--database", &url]);
        assert_eq!(output.status.code(), Some(1));
        let told = stderr(&output);
        assert!(told.contains(name) && told.contains("hard link"), "{told}");
    }
}

#[test]
fn a_database_in_a_folder_that_does_not_exist_is_refused_by_name() {
    let place = Workplace::new();
    let output = place.run(&["tenants", "--database", "sqlite://none/a.db", "list"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "screenerd: cannot open none/a.db: the folder none does not exist\n";
    assert_eq!(stderr(&output), expected);
}

#[test]
fn an_import_names_a_file_that_cannot_be_read() {
    let place = Workplace::new();
    // A regular file for its length and its kind, whose first byte cannot be read.
    let output = place.run(&["import", "/proc/self/mem"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "screenerd: cannot read /proc/self/mem: input/output error\n");
}
