//! Exports have the items of the list pages, in every format and over every transport.

mod held;

use std::collections::BTreeSet;

use screenerd::app::Operator;
use screenerd::client as pb;
use screenerd::client::history_service_client::HistoryServiceClient;
use screenerd::client::screener_response_service_client::ScreenerResponseServiceClient;
use screenerd::domain::export::{Position, fingerprint};
use screenerd::domain::id::TenantId;
use screenerd::domain::list::IdSet;
use screenerd::transfer::{Generated, generate};
use serde_json::{Value, json};

use crate::support::calls::{Outcome, refusal_of, request, response_json};
use crate::support::process::{Workplace, stderr};
use crate::support::unary::unary;
use crate::support::{SERVICE, SPOT, Server};

/// A service token of the generated rows.
const GENERATED: &[(&str, &str)] = &[("authorization", "Bearer sdk_generated")];

/// A filter as a query, and the same filter as the ids of the contract's message.
struct Filter {
    query: &'static str,
    screener: Option<&'static str>,
    publication: Option<&'static str>,
    sessions: &'static [&'static str],
    participants: &'static [&'static str],
}

const ALL: Filter =
    Filter { query: "", screener: None, publication: None, sessions: &[], participants: &[] };

const FILTERS: &[Filter] = &[
    ALL,
    Filter { query: "filter[screenerId][eq]=scr_124", screener: Some("scr_124"), ..ALL },
    Filter {
        query: "filter[screenerPublicationId][eq]=scpub_456",
        publication: Some("scpub_456"),
        ..ALL
    },
    Filter {
        query: "filter[screenerSessionId][in][]=scses_789&filter[screenerSessionId][in][]=scses_792",
        sessions: &["scses_789", "scses_792"],
        ..ALL
    },
    Filter {
        query: "filter[screenerParticipantId][in][]=scpar_124",
        participants: &["scpar_124"],
        ..ALL
    },
    Filter {
        query: "filter[screenerId][eq]=scr_124&filter[screenerPublicationId][eq]=scpub_456",
        screener: Some("scr_124"),
        publication: Some("scpub_456"),
        ..ALL
    },
];

impl Filter {
    fn message(&self) -> pb::ScreenerResponseFilter {
        let eq = |id: Option<&str>| id.map(|id| pb::IdEqFilter { eq: Some(id.into()) });
        let is_in = |ids: &[&str]| {
            let values = ids.iter().map(ToString::to_string).collect();
            (!ids.is_empty())
                .then_some(pb::IdEqInFilter { eq: None, r#in: Some(pb::IdList { values }) })
        };
        pb::ScreenerResponseFilter {
            screener_id: eq(self.screener),
            screener_publication_id: eq(self.publication),
            screener_session_id: is_in(self.sessions),
            screener_participant_id: is_in(self.participants),
        }
    }
}

/// Returns all items of the list, page by page.
async fn listed(server: &Server, credential: &[(&str, &str)], query: &str) -> Vec<Value> {
    let mut items = Vec::new();
    loop {
        let offset = items.len();
        let path = format!(
            "/screener-responses?{query}&pagination[limit]=500&pagination[offset]={offset}"
        );
        let page = server.send("GET", &path, credential).await.json();
        let page = page["items"].as_array().expect("items").clone();
        if page.is_empty() {
            return items;
        }
        items.extend(page);
    }
}

async fn file(server: &Server, credential: &[(&str, &str)], query: &str, accept: &str) -> String {
    let mut headers = credential.to_vec();
    headers.push(("accept", accept));
    let reply = server.send("GET", &format!("/screener-responses?{query}"), &headers).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert!(reply.header("content-type").is_some_and(|it| it.starts_with(accept)), "{accept}");
    assert_eq!(reply.header("vary"), Some("Accept, Accept-Encoding"));
    reply.text
}

fn parsed(ndjson: &str) -> Vec<Value> {
    ndjson.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Returns the cells of a CSV file, line by line.
fn cells(csv: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut cell, mut quoted) = (vec![], vec![], String::new(), false);
    let mut characters = csv.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                cell.push('"');
                characters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            other => cell.push(other),
        }
    }
    assert!(!quoted && line.is_empty() && cell.is_empty(), "the file ends with a line");
    lines
}

/// Returns an item of the list as a line of CSV.
fn cells_of(item: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let members = item.as_object().expect("an object");
    let names = members.iter().filter(|(name, _)| *name != "answer");
    let mut by_name: Vec<(&str, String)> =
        names.map(|(name, value)| (name.as_str(), text(value))).collect();
    let order = |name: &str| HEADER.iter().position(|column| *column == name).expect("a column");
    by_name.sort_by_key(|(name, _)| order(name));
    let mut cells: Vec<_> = by_name.into_iter().map(|(_, value)| value).collect();
    cells.extend(match &item["answer"] {
        Value::String(text) => [text.clone(), String::new(), String::new()],
        Value::Number(number) => [String::new(), number.to_string(), String::new()],
        Value::Object(option) => [String::new(), String::new(), json!([option]).to_string()],
        Value::Array(_) => [String::new(), String::new(), item["answer"].to_string()],
        Value::Null | Value::Bool(_) => [const { String::new() }; 3],
    });
    cells
}

const HEADER: [&str; 14] = [
    "_type",
    "questionType",
    "screenerSessionId",
    "screenerPageId",
    "screenerQuestionId",
    "screenerId",
    "screenerPublicationId",
    "participantId",
    "externalParticipantUid",
    "screenerParticipantId",
    "screenerQuestionPrompt",
    "answerText",
    "answerNumber",
    "answerOptions",
];

/// Returns the messages of a stream.
async fn streamed(
    server: &Server,
    credential: &[(&str, &str)],
    filter: Option<pb::ScreenerResponseFilter>,
    resume_token: Option<String>,
) -> Result<Vec<pb::ExportScreenerResponsesResponse>, tonic::Status> {
    let mut client = ScreenerResponseServiceClient::new(server.channel().await);
    let message = pb::ExportScreenerResponsesRequest { filter, resume_token };
    let answer = client.export_screener_responses(request(message, credential)).await?;
    let (mut stream, mut messages) = (answer.into_inner(), Vec::new());
    while let Some(message) = stream.message().await? {
        messages.push(message);
    }
    Ok(messages)
}

fn items(messages: &[pb::ExportScreenerResponsesResponse]) -> Vec<Value> {
    messages.iter().flat_map(|message| &message.items).map(response_json).collect()
}

/// Starts a server on a new file with this many sessions of seven answers each.
async fn generated(sessions: u64) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::on_file(&folder.path().join("export.db")).await;
    add(&server, sessions, 7).await;
    (folder, server)
}

async fn add(server: &Server, sessions: u64, responses_per_session: u64) {
    let what = Generated { sessions, responses_per_session, seed: 1 };
    generate(server.running.app(), &Operator::trusted(), what).await.expect("it generates");
}

#[tokio::test]
async fn every_form_holds_what_the_pages_of_the_list_hold() {
    let server = Server::demo().await;
    for filter in FILTERS {
        let expected = listed(&server, SPOT, filter.query).await;
        let ndjson = file(&server, SPOT, filter.query, "application/x-ndjson").await;
        assert_eq!(parsed(&ndjson), expected, "{}", filter.query);
        let mut csv = cells(&file(&server, SPOT, filter.query, "text/csv").await);
        assert_eq!(csv[0], HEADER);
        // JSON does not define the order of an option's members.
        for options in csv[1..].iter_mut().filter_map(|line| line.last_mut()) {
            if !options.is_empty() {
                let value: Value = serde_json::from_str(options).expect("JSON");
                *options = value.to_string();
            }
        }
        let plain = file(&server, SPOT, filter.query, "text/csv").await;
        let marked = format!("{}&bom=1", filter.query);
        let marked = file(&server, SPOT, &marked, "text/csv").await;
        assert_eq!(marked.as_bytes(), format!("\u{feff}{plain}").as_bytes(), "{}", filter.query);
        let rows: Vec<_> = expected.iter().map(cells_of).collect();
        assert_eq!(csv[1..], rows, "{}", filter.query);
        let messages = streamed(&server, SPOT, Some(filter.message()), None).await;
        assert_eq!(items(&messages.expect("a stream")), expected, "{}", filter.query);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_long_export_is_whole_and_goes_on_after_every_message_and_every_row() {
    let (_folder, server) = generated(300).await;
    let expected = listed(&server, GENERATED, "").await;
    assert_eq!(expected.len(), 2100, "more than two pieces");
    let ndjson = file(&server, GENERATED, "", "application/x-ndjson").await;
    assert_eq!(parsed(&ndjson), expected);
    assert_eq!(cells(&file(&server, GENERATED, "", "text/csv").await).len(), 2101);
    let messages = streamed(&server, GENERATED, None, None).await.expect("a stream");
    assert_eq!(items(&messages), expected);
    assert!(messages.len() > 2, "{} messages", messages.len());
    let mut before = 0;
    for message in &messages {
        before += message.items.len();
        let token = Some(message.resume_token.clone());
        let rest = streamed(&server, GENERATED, None, token).await.expect("a stream");
        assert_eq!(items(&rest), expected[before..], "after {before} rows");
    }
    let tenant = TenantId::parse("acct_generated").expect("an id");
    let of = fingerprint(&tenant, [&IdSet::default(); 4]);
    for next in (0..=2100).step_by(191) {
        let token = Position { next, end: 2100, of }.token();
        let rest = streamed(&server, GENERATED, None, Some(token)).await.expect("a stream");
        let before = usize::try_from(next).expect("it is small");
        assert_eq!(items(&rest), expected[before..], "after {before} rows");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_arrives_after_the_beginning_is_not_in_the_rest() {
    let (_folder, server) = generated(200).await;
    let messages = streamed(&server, GENERATED, None, None).await.expect("a stream");
    let first = &messages[0];
    let rest = items(&messages[1..]);
    add(&server, 210, 7).await;
    assert_eq!(listed(&server, GENERATED, "").await.len(), 1470);
    let token = Some(first.resume_token.clone());
    let resumed = streamed(&server, GENERATED, None, token).await.expect("a stream");
    assert_eq!(items(&resumed), rest, "the end was fixed when the export began");
    server.stop().await;
}

#[tokio::test]
async fn a_token_of_another_export_is_refused() {
    let server = Server::demo().await;
    let of_all = streamed(&server, SPOT, None, None).await.expect("a stream");
    let token = of_all.last().expect("a message").resume_token.clone();
    let tenant = TenantId::parse("acct_123").expect("an id");
    let of = fingerprint(&tenant, [&IdSet::default(); 4]);
    let beyond = Position { next: 0, end: 1 << 40, of }.token();
    let one_screener = Some(FILTERS[1].message());
    for (filter, token) in
        [(one_screener, token), (None, "nonsense".into()), (None, String::new()), (None, beyond)]
    {
        let refused = streamed(&server, SPOT, filter, Some(token)).await.expect_err("a refusal");
        let expected = Outcome::refusal("invalid_argument", &["resume_token"]);
        assert_eq!(refusal_of(&refused), expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_file_is_refused_as_a_page_is_and_has_no_pages() {
    let server = Server::demo().await;
    for accept in ["application/x-ndjson", "text/csv", "application/vnd.apache.parquet"] {
        let mut headers = SPOT.to_vec();
        headers.push(("accept", accept));
        let path = "/screener-responses?pagination[limit]=5&pagination[offset]=0&filter[screenerId][ne]=a&x=1";
        let refused = server.send("GET", path, &headers).await;
        let fields: BTreeSet<_> = refused.json()["violations"]
            .as_array()
            .expect("violations")
            .iter()
            .map(|it| it["field"].as_str().expect("a field").to_owned())
            .collect();
        let expected = ["filter[screenerId][ne]", "pagination[limit]", "pagination[offset]", "x"];
        assert_eq!(refused.status, 400);
        assert_eq!(fields, expected.map(str::to_owned).into());
        let nobody = server.send("GET", path, &[("accept", accept)]).await;
        assert_eq!(nobody.status, 401, "the credential comes first");
    }
    let mut headers = SPOT.to_vec();
    headers.push(("accept", "application/xml"));
    let refused = server.send("GET", "/screener-responses?x=1", &headers).await;
    assert_eq!((refused.status, &refused.json()["error"]), (406, &"not_acceptable".into()));
    server.stop().await;
}

#[tokio::test]
async fn the_head_of_a_file_is_no_export() {
    let server = Server::demo().await;
    let exports = async || {
        let message = pb::ListChangesRequest::default();
        let changes = unary!(server, SERVICE, HistoryServiceClient.list_changes(message));
        let changes = changes.expect("the history").items;
        changes.iter().filter(|it| it.action() == pb::ChangeAction::Export).count()
    };
    for accept in ["application/x-ndjson", "text/csv", "application/vnd.apache.parquet"] {
        let headers = [SPOT, &[("accept", accept), ("accept-encoding", "gzip")]].concat();
        let before = exports().await;
        let head = server.send("HEAD", "/screener-responses", &headers).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{accept}");
        assert_eq!(exports().await, before, "{accept}");
        let file = server.send("GET", "/screener-responses", &headers).await;
        assert_eq!(exports().await, before + 1, "{accept}");
        for name in ["content-type", "vary", "content-encoding", "x-spot-api-version"] {
            assert_eq!(head.header(name), file.header(name), "{accept}: {name}");
        }
        let refused =
            server.send("HEAD", "/screener-responses?pagination[limit]=5", &headers).await;
        assert_eq!(refused.status, 400, "{accept}");
    }
    server.stop().await;
}

#[test]
fn the_command_writes_the_same_file_with_a_server_and_without() {
    let place = Workplace::new();
    let output = place.run(&["generate", "--sessions", "30", "--responses-per-session", "7"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut files: Vec<Vec<u8>> = Vec::new();
    let formats = ["ndjson", "csv", "parquet"];
    for format in formats {
        let output = place.run(&["export", "--format", format]);
        assert!(output.status.success(), "{}", stderr(&output));
        files.push(output.stdout);
    }
    assert_eq!(parsed(&String::from_utf8_lossy(&files[0])).len(), 210);
    let serving = place.serve(&[]);
    for (format, expected) in formats.iter().zip(&files) {
        let arguments =
            ["export", "--format", format, "--tenant", "acct_generated", "-o", "exported"];
        let output = place.run(&arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(printed.contains("210 responses"), "{printed}");
        assert!(std::fs::read(place.path("exported")).expect("a file") == *expected, "{format}");
    }
    let one = ["export", "--format", "ndjson", "--session", "scses_000000003"];
    let two = [&one[..], &["--session", "scses_000000004"]].concat();
    for (arguments, rows) in [(&one[..], 7), (&two, 14)] {
        let output = place.run(arguments);
        assert_eq!(parsed(&String::from_utf8_lossy(&output.stdout)).len(), rows);
    }
    place.json(&["tenants", "create", "T", "--id", "acct_t", "--json"]);
    for (arguments, words) in [
        (&["export", "--format", "csv"][..], "--tenant: Must be one of acct_generated, acct_t."),
        (&["export", "--format", "csv", "--tenant", "nobody"][..], "tenant"),
        (
            &["export", "--format", "csv", "--tenant", "acct_t", "--screener", ""][..],
            "--screener: ",
        ),
    ] {
        let refused = place.run(arguments);
        assert!(!refused.status.success(), "{arguments:?}");
        assert!(stderr(&refused).contains(words), "{words}: {}", stderr(&refused));
    }
    let arguments = ["export", "--format", "csv", "--tenant", "nobody", "-o", "none"];
    assert!(!place.run(&arguments).status.success() && !place.path("none").exists());
    assert!(serving.terminate().success());
}
