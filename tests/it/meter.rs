//! The metrics of a server, as a monitoring system reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use screenerd::client as pb;
use screenerd::client::screener_response_service_client::ScreenerResponseServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::calls::request;
use crate::support::unary::unary;
use crate::support::{PANEL, SERVICE, SPOT, Server, config, written};

/// A server with the operator's address.
struct Watched {
    server: Server,
    address: String,
}

impl Watched {
    async fn start() -> Self {
        let mut config = config(None, true);
        config.admin_listen = Some("127.0.0.1:0".parse().expect("an address"));
        let server = Server::start(&config).await;
        let address = server.running.admin_address().expect("the operator's address");
        Self { server, address: format!("http://{address}") }
    }

    async fn get(&self, path: &str, accept: &str) -> (u16, String, String) {
        let request = self.server.http.get(format!("{}{path}", self.address));
        let response = request.header("accept", accept).send().await.expect("a response");
        let media_type = response.headers().get("content-type");
        let media_type = media_type.map(|it| it.to_str().expect("a text").to_owned());
        let status = response.status().as_u16();
        let text = response.text().await.expect("a text");
        (status, media_type.unwrap_or_default(), text)
    }

    /// Returns the samples of a scrape by name and labels.
    async fn scrape(&self) -> BTreeMap<String, String> {
        let (status, _, text) = self.get("/metrics", "*/*").await;
        assert_eq!(status, 200);
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').expect("a sample");
            (name.to_owned(), value.to_owned())
        };
        samples.map(sample).collect()
    }

    /// Waits until a count has this value: a call is recorded when its response has ended, which its
    /// client may learn first.
    async fn awaits(&self, name: &str, value: u64) {
        let reached = async {
            loop {
                let samples = self.scrape().await;
                let found = samples.get(name).map_or(0, |found| found.parse().expect("a count"));
                assert!(found <= value, "{name} is {found}, not {value}");
                if found == value {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        let patience = std::time::Duration::from_mins(1);
        assert!(tokio::time::timeout(patience, reached).await.is_ok(), "{name} is not {value}");
    }
}

fn rpc(system: &str, method: &str, code: &str) -> String {
    format!(
        "rpc_server_call_duration_seconds_count{{rpc_system_name=\"{system}\",\
         rpc_method=\"screener.v1.{method}\",rpc_status_code=\"{code}\"}}"
    )
}

fn http(method: &str, route: &str, status: u16) -> String {
    format!(
        "http_server_request_duration_seconds_count{{http_request_method=\"{method}\",\
         http_route=\"{route}\",http_response_status_code=\"{status}\"}}"
    )
}

#[tokio::test]
async fn a_call_is_one_sample_of_its_method_or_route_and_code_over_every_transport() {
    let watched = Watched::start().await;
    let server = &watched.server;
    let get = |id: &str| pb::GetScreenerSessionRequest { id: id.into() };
    for (id, credential) in [("scses_789", SPOT), ("scses_nobody", SPOT), ("scses_789", &[][..])] {
        let _ =
            unary!(server, credential, ScreenerSessionServiceClient.get_screener_session(get(id)));
    }
    let method = "ScreenerSessionService/GetScreenerSession";
    for code in ["OK", "NOT_FOUND", "UNAUTHENTICATED"] {
        watched.awaits(&rpc("grpc", method, code), 1).await;
    }

    let path = format!("/screener.v1.{method}");
    for (headers, body, code) in [
        (SERVICE, "{\"id\":\"scses_789\"}", "OK"),
        (SERVICE, "{\"id\":7}", "INVALID_ARGUMENT"),
        (PANEL, "{\"id\":\"scses_789\"}", "UNAUTHENTICATED"),
    ] {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        server.send_body("POST", &path, &headers, Some(body)).await;
        watched.awaits(&rpc("connectrpc", method, code), 1).await;
    }
    watched.awaits(&rpc("grpc", method, "OK"), 1).await;

    let route = "/screener-sessions/{id}";
    for (path, headers, status) in [
        ("/screener-sessions/scses_789", SPOT, 200),
        ("/screener-sessions/scses_nobody", SPOT, 404),
        ("/screener-sessions/scses_789", &[], 401),
    ] {
        server.send("GET", path, headers).await;
        watched.awaits(&http("GET", route, status), 1).await;
    }
    server.send("GET", "/s/onboarding-003-kim", &[]).await;
    watched.awaits(&http("GET", "/s/{slug}", 200), 1).await;
    let text = watched.get("/metrics", "*/*").await.2;
    for secret in ["scses_789", "acct_123", "onboarding-003", "sk_live", "127.0.0.1"] {
        assert!(!text.contains(secret), "{secret}");
    }
    watched.server.stop().await;
}

#[tokio::test]
async fn a_stream_is_recorded_with_the_code_in_its_trailers() {
    let watched = Watched::start().await;
    let server = &watched.server;
    let path = "/screener.v1.ScreenerResponseService/ExportScreenerResponses";
    let stream = &[("content-type", "application/connect+json")];
    let message = "\0\0\0\0\u{2}{}";
    server.send_body("POST", path, &[SPOT, stream].concat(), Some(message)).await;
    let method = "ScreenerResponseService/ExportScreenerResponses";
    watched.awaits(&rpc("connectrpc", method, "OK"), 1).await;
    server.send_body("POST", path, &[PANEL, stream].concat(), Some(message)).await;
    watched.awaits(&rpc("connectrpc", method, "UNAUTHENTICATED"), 1).await;

    // Over gRPC with a deadline, which the body of the response then has, too.
    let mut client = ScreenerResponseServiceClient::new(server.channel().await);
    let mut export = request(pb::ExportScreenerResponsesRequest::default(), SPOT);
    export.set_timeout(std::time::Duration::from_mins(1));
    let mut parts = client.export_screener_responses(export).await.expect("a stream").into_inner();
    while parts.message().await.expect("no refusal").is_some() {}
    watched.awaits(&rpc("grpc", method, "OK"), 1).await;
    // A caller that leaves.
    let export = request(pb::ExportScreenerResponsesRequest::default(), SPOT);
    drop(client.export_screener_responses(export).await.expect("a stream"));
    let ended = async |watched: &Watched| {
        let samples = watched.scrape().await;
        let count =
            |code| samples.get(&rpc("grpc", method, code)).map_or(0, |it| it.parse().unwrap_or(0));
        count("OK") + count("CANCELLED")
    };
    while ended(&watched).await < 2 {
        tokio::task::yield_now().await;
    }

    // A call that is refused before it is admitted as a call, too, and so does an invented method.
    server.send("GET", path, SERVICE).await;
    let samples = watched.scrape().await;
    let of_method = |name: &&String| name.contains(method) && name.contains("_count");
    assert!(samples.keys().filter(of_method).count() >= 3, "{samples:?}");
    let mut channel = tonic::client::Grpc::new(server.channel().await);
    channel.ready().await.expect("a connection");
    let path = "/screener.v1.Made/Up".parse().expect("a path");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let refused = channel.unary(tonic::Request::new(()), path, codec).await;
    assert_eq!(refused.expect_err("a refusal").code(), tonic::Code::Unimplemented);
    let invented = rpc("grpc", "Made/Up", "UNIMPLEMENTED").replace("screener.v1.Made/Up", "_OTHER");
    watched.awaits(&invented, 1).await;
    watched.server.stop().await;
}

#[tokio::test]
async fn refused_credentials_and_committed_changes_are_counted() {
    let watched = Watched::start().await;
    let server = &watched.server;
    let session = "/screener-sessions/scses_789";
    let wrong = &[("x-spot-api-key", "acct_123"), ("x-spot-api-secret", "sk_live_wrong")];
    let read_only =
        &[("x-spot-api-key", "acct_123_readonly"), ("x-spot-api-secret", "sk_live_readonly")];
    for (method, headers, reason) in [
        ("GET", &[][..], "missing"),
        ("GET", &wrong[..], "unknown"),
        ("GET", PANEL, "kind"),
        ("DELETE", &read_only[..], "scope"),
    ] {
        server.send(method, session, headers).await;
        let name = format!("screenerd_credentials_refused_total{{reason=\"{reason}\"}}");
        watched.awaits(&name, 1).await;
    }
    let removed = "screenerd_changes_total{action=\"REMOVE\"}";
    let before = watched.scrape().await;
    assert!(!before.contains_key(removed));
    assert_eq!(server.send("DELETE", session, SPOT).await.status, 200);
    watched.awaits(removed, 1).await;
    let after = watched.scrape().await;
    let grew = |name: &str| after[name] != before[name];
    for name in ["commit_seconds_count", "commit_writes_count", "write_wait_seconds_count"] {
        assert!(grew(&format!("screenerd_store_{name}")), "{name}");
    }
    // A refused change is none.
    server.send("DELETE", "/screener-sessions/scses_nobody", SPOT).await;
    assert_eq!(watched.scrape().await[removed], "1");
    watched.server.stop().await;
}

#[tokio::test]
async fn what_callers_invent_adds_no_series() {
    let watched = Watched::start().await;
    let server = &watched.server;
    let call = async |number: usize| {
        let (rpc, path) = (format!("/screener.v1.Made{number}/Up"), format!("/made/up/{number}"));
        let grpc = &[("content-type", "application/grpc")];
        let json = &[("content-type", "application/json")];
        server.send("POST", &rpc, grpc).await;
        server.send_body("POST", &rpc, json, Some("{}")).await;
        server.send("GET", &path, &[]).await;
        server.send(&format!("MADE{number}"), &path, &[]).await;
        server.send("GET", &format!("/screener-sessions/made_up_{number}"), SPOT).await;
        server.send("GET", &format!("/s/made-up-{number}"), &[]).await;
    };
    call(0).await;
    let known = http("GET", "/s/{slug}", 404);
    for name in [
        &http("POST", "", 505),
        &rpc("connectrpc", "X", "UNIMPLEMENTED").replace("screener.v1.X", "_OTHER"),
        &http("GET", "", 404),
        &http("_OTHER", "", 404),
        &http("GET", "/screener-sessions/{id}", 404),
        &known,
    ] {
        watched.awaits(name, 1).await;
    }
    let before: Vec<_> = watched.scrape().await.into_keys().collect();
    for number in 1..=200 {
        call(number).await;
    }
    watched.awaits(&known, 201).await;
    let after: Vec<_> = watched.scrape().await.into_keys().collect();
    assert_eq!(before, after);
    watched.server.stop().await;
}

#[tokio::test]
async fn the_operators_address_serves_both_formats_readiness_and_health_and_the_public_one_none() {
    let watched = Watched::start().await;
    let (status, media_type, text) = watched.get("/metrics", "text/html, */*;q=0.1").await;
    assert_eq!((status, media_type.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
    let version = env!("CARGO_PKG_VERSION");
    let build = format!("screenerd_build_info{{version=\"{version}\"}} 1");
    assert!(text.contains(&build), "{text}");
    let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";
    let (_, media_type, text) = watched.get("/metrics", accept).await;
    assert!(media_type.starts_with("application/openmetrics-text"), "{media_type}");
    assert!(text.ends_with("# EOF\n"), "{text}");

    assert_eq!(watched.get("/livez", "*/*").await.2, "ok\n");
    let (status, _, text) = watched.get("/readyz?verbose", "*/*").await;
    assert_eq!((status, text.as_str()), (200, "[+]serving ok\n[+]database ok\nready\n"));
    assert_eq!(watched.get("/readyz", "*/*").await.2, "ready\n");

    let channel = tonic::transport::Channel::from_shared(watched.address.clone());
    let channel = channel.expect("an endpoint").connect().await.expect("a connection");
    let mut health = HealthClient::new(channel.clone());
    let request = HealthCheckRequest { service: String::new() };
    let response = health.check(request).await.expect("a response").into_inner();
    assert_eq!(response.status, 1);
    // The operator's address has no other service, and no data.
    let mut sessions = ScreenerSessionServiceClient::new(channel);
    let get = pb::GetScreenerSessionRequest { id: "scses_789".into() };
    let refused = sessions.get_screener_session(get).await.expect_err("a refusal");
    assert_eq!(refused.code(), tonic::Code::Unimplemented);
    assert_eq!(watched.get("/screener-sessions/scses_789", "*/*").await.0, 404);
    assert_eq!(watched.server.send("GET", "/metrics", &[]).await.status, 404);
    watched.server.stop().await;
}

/// A metric of a scrape, as a row of the reference.
#[derive(Default)]
struct Metric {
    help: String,
    kind: String,
    labels: BTreeSet<String>,
}

/// Returns the metrics of a scrape by name.
fn metrics(text: &str) -> BTreeMap<String, Metric> {
    let mut found = BTreeMap::<String, Metric>::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a text");
            name.clone_into(&mut current);
            help.clone_into(&mut found.entry(current.clone()).or_default().help);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (_, kind) = kind.split_once(' ').expect("a type");
            kind.clone_into(&mut found.entry(current.clone()).or_default().kind);
        } else if let Some((_, labels)) = line.split_once('{') {
            let (labels, _) = labels.rsplit_once('}').expect("the end of the labels");
            let names = labels.split(',').filter_map(|label| label.split_once('='));
            let labels = names.map(|(name, _)| name.to_owned()).filter(|name| name != "le");
            found.entry(current.clone()).or_default().labels.extend(labels);
        }
    }
    found
}

#[tokio::test]
async fn the_reference_lists_every_metric() {
    let watched = Watched::start().await;
    let server = &watched.server;
    assert_eq!(server.send("DELETE", "/screener-sessions/scses_789", SPOT).await.status, 200);
    let get = pb::GetScreenerSessionRequest { id: "scses_790".into() };
    let found = unary!(server, SPOT, ScreenerSessionServiceClient.get_screener_session(get));
    found.expect("a session");
    watched.awaits(&rpc("grpc", "ScreenerSessionService/GetScreenerSession", "OK"), 1).await;
    let text = watched.get("/metrics", "*/*").await.2;
    let mut page = String::from(
        "# Metrics\n\nFind the name, the labels and the meaning of every metric that \
         `serve --admin-listen` serves at `/metrics`. This page is generated by \
         `tests/it/meter.rs`. [operations.md](operations.md) explains how to collect them, and the \
         alerts in `ops/prometheus/` use them.\n\n\
         | metric | type | labels | meaning |\n|---|---|---|---|\n",
    );
    for (name, Metric { help, kind, labels }) in metrics(&text) {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "–".into() } else { labels.join(", ") };
        let _ = writeln!(page, "| `{name}` | {kind} | {labels} | {help} |");
    }
    written::compare("docs/metrics.md", &page);
    watched.server.stop().await;
}
