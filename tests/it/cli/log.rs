//! A server continues without its log.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc;

use crate::support::process::{Serving, Workplace, stderr};

/// A filter that logs every frame of a client. It must name the library.
const NOISY: &str = "trace,h2=trace";

/// More requests than fill the pipe and the queue of the log. Each logs some kilobytes.
const REQUESTS_MANY: usize = 1_000;

/// Returns an HTTP/2 client. With [`NOISY`], the server logs each of its frames.
fn client() -> reqwest::Client {
    reqwest::Client::builder().http2_prior_knowledge().build().expect("a client")
}

async fn is_alive(client: &reqwest::Client, serving: &Serving) -> bool {
    let response = client.get(format!("http://{}/livez", serving.address)).send().await;
    response.expect("it responds").status().is_success()
}

/// Asserts that the server responds to requests and an admin command, and stops in order.
async fn goes_on(place: &Workplace, serving: Serving) {
    let client = client();
    for _ in 0..50 {
        assert!(is_alive(&client, &serving).await);
    }
    let tenant = place.json(&["tenants", "create", "T", "--id", "acct_t", "--json"]);
    assert_eq!(tenant["id"], "acct_t");
    assert!(is_alive(&client, &serving).await);
    assert!(serving.terminate().success());
}

#[tokio::test]
async fn a_server_whose_log_cannot_be_written_goes_on_serving() {
    let place = Workplace::new();
    let mut command = place.serve_command(&["--log", NOISY]);
    command.stderr(File::options().write(true).open("/dev/full").expect("the device"));
    goes_on(&place, Serving::start(command)).await;
}

#[tokio::test]
async fn a_server_whose_log_reader_died_goes_on_serving() {
    let place = Workplace::new();
    let mut command = place.serve_command(&["--log", NOISY]);
    command.stderr(Stdio::piped());
    let mut serving = Serving::start(command);
    drop(serving.child.stderr.take());
    goes_on(&place, serving).await;
}

#[tokio::test]
async fn a_server_whose_log_reader_stands_still_goes_on_serving_and_counts_what_is_lost() {
    let place = Workplace::new();
    let mut command = place.serve_command(&["--log", NOISY, "--log-format", "json"]);
    command.stderr(Stdio::piped());
    let mut serving = Serving::start(command);
    let client = client();
    for _ in 0..REQUESTS_MANY {
        assert!(is_alive(&client, &serving).await);
    }
    let log = BufReader::new(serving.child.stderr.take().expect("its log"));
    let (found, lost) = mpsc::channel();
    std::thread::spawn(move || {
        for line in log.lines() {
            let line: serde_json::Value =
                serde_json::from_str(&line.expect("text")).expect("each line is whole");
            if let Some(count) = line["fields"]["log.lost"].as_u64() {
                let _ = found.send(count);
            }
        }
    });
    // The line with the count precedes the first line that is queued after the reader continues.
    let count = loop {
        assert!(is_alive(&client, &serving).await);
        match lost.try_recv() {
            Ok(count) => break count,
            Err(mpsc::TryRecvError::Empty) => {}
            Err(mpsc::TryRecvError::Disconnected) => panic!("the log ended without a count"),
        }
    };
    assert!(count > 0);
    assert!(serving.terminate().success());
}

#[tokio::test]
async fn a_server_that_cannot_print_its_banner_goes_on_serving() {
    let place = Workplace::new();
    let mut command = place.serve_command(&["--log-format", "json"]);
    let full = File::options().write(true).open("/dev/full").expect("the device");
    let mut child = command.stdout(full).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut log = BufReader::new(child.stderr.take().expect("its log"));
    let address = loop {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).expect("a line"), 0, "it ended");
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        if let Some(address) = line["fields"]["net.address"].as_str() {
            break address.to_owned();
        }
    };
    let response = reqwest::get(format!("http://{address}/livez")).await.expect("it responds");
    assert!(response.status().is_success());
    assert!(child.try_wait().expect("it can be asked").is_none(), "it runs");
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
}

#[test]
fn a_command_whose_output_cannot_be_written_fails_in_words() {
    let place = Workplace::new();
    place.json(&["tenants", "create", "T", "--json"]);
    let full = || File::options().write(true).open("/dev/full").expect("the device");
    for arguments in [
        &["version"][..],
        &["version", "--json"],
        &["tenants", "list"],
        &["--help"],
        &["keys", "create", "--help"],
    ] {
        let output = place.command(arguments).stdout(full()).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let told = stderr(&output);
        assert!(told.starts_with("screenerd: cannot write to the standard output: "), "{told}");
        // After a reader such as `head` closes the pipe, the command exits without an error.
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = place.command(arguments).stdout(writer).output().expect("it runs");
        assert_eq!((output.status.code(), stderr(&output)), (Some(1), String::new()));
        // The command fails even if it cannot print the error.
        let status = place.command(arguments).stdout(full()).stderr(full()).status();
        assert_eq!(status.expect("it runs").code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn a_filter_that_cannot_be_read_is_refused() {
    let place = Workplace::new();
    let output = place.run(&["version", "--log", "info,screenerd=loud"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--log"), "{}", stderr(&output));
}
