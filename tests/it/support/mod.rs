//! A real server on loopback, and callers that use REST and gRPC.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod backend;
pub(crate) mod browser;
pub(crate) mod calls;
pub(crate) mod cookbook;
pub(crate) mod panelist;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod typed;
pub(crate) mod unary;
pub(crate) mod written;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use screenerd::app::{Checkpoints, Environment, Location};
use screenerd::config::Serve;
use screenerd::domain::time::Timestamp;
use screenerd::serve::{self, Running};
use serde_json::Value;
use tonic::transport::Channel;

/// The beginning of links on every test server.
pub(crate) const PUBLIC_URL: &str = "https://screener.example";

/// The instant at which every test server starts: 2024-06-01T12:00:00Z.
pub(crate) const START_MICROS: i64 = 1_717_243_200_000_000;

/// A clock that stands still until a test advances it.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START_MICROS)))
    }

    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.advance_micros(seconds * 1_000_000);
    }

    pub(crate) fn advance_micros(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Returns the time by which the clock was advanced.
    pub(crate) fn elapsed_micros(&self) -> i64 {
        self.0.load(Ordering::SeqCst) - START_MICROS
    }

    pub(crate) fn environment(&self) -> Environment {
        let clock = self.clone();
        Environment {
            now: Arc::new(move || Timestamp::from_micros(clock.0.load(Ordering::SeqCst))),
            ..serve::system_environment()
        }
    }
}

/// Returns the configuration of a test server.
pub(crate) fn config(database: Option<Location>, demo: bool) -> Serve {
    Serve {
        listen: "127.0.0.1:0".parse().expect("an address"),
        admin_listen: None,
        tls_cert: None,
        tls_key: None,
        database,
        wal: Checkpoints::Own,
        public_url: Some(PUBLIC_URL.into()),
        cors_origins: Vec::new(),
        trusted_proxies: Vec::new(),
        demo,
        panelist_key: None,
        panelist_key_file: None,
    }
}

/// A server that belongs to one test.
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) clock: Clock,
    pub(crate) http: reqwest::Client,
    /// The connection for all gRPC calls, for tests with thousands. Otherwise each call opens one.
    pub(crate) kept: Option<Channel>,
}

impl Server {
    /// Starts a server on the documented example data.
    pub(crate) async fn demo() -> Self {
        Self::start(&config(None, true)).await
    }

    /// Starts a server on a database file.
    pub(crate) async fn on_file(path: &Path) -> Self {
        Self::start(&config(Some(Location::Sqlite(path.to_owned())), false)).await
    }

    pub(crate) async fn start(config: &Serve) -> Self {
        let clock = Clock::new();
        Self::start_in(config, clock.environment(), clock).await
    }

    /// Starts a server with a test's clock and random numbers.
    pub(crate) async fn start_in(config: &Serve, environment: Environment, clock: Clock) -> Self {
        let running = serve::start_with(config, environment).await.expect("it starts");
        // Tests follow redirects themselves.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self { running, clock, http: http.build().expect("a client"), kept: None }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address())
    }

    pub(crate) async fn channel(&self) -> Channel {
        if let Some(channel) = &self.kept {
            return channel.clone();
        }
        let endpoint = Channel::from_shared(self.url("")).expect("an endpoint");
        endpoint.connect().await.expect("it accepts connections")
    }

    /// Sends a request without normalizing its path.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send_body(method, path, headers, None).await
    }

    pub(crate) async fn send_body(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Reply {
        let method = method.parse::<reqwest::Method>().expect("a method");
        let mut request = self.http.request(method, self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body.to_owned());
        }
        let response = request.send().await.expect("the server answers");
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.expect("the answer arrives whole");
        Reply { status, headers, text }
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

/// A response over REST.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a text"))
    }
}

/// Returns the headers of a request with a service token.
pub(crate) fn bearer(token: &str) -> http::HeaderMap {
    let value = format!("Bearer {token}").parse().expect("a header");
    http::HeaderMap::from_iter([(http::header::AUTHORIZATION, value)])
}

pub(crate) const SPOT: &[(&str, &str)] =
    &[("x-spot-api-key", "acct_123"), ("x-spot-api-secret", "sk_live_abcd")];
pub(crate) const RESPONDENT: &[(&str, &str)] =
    &[("x-api-key", "respondent_123"), ("x-api-secret", "respondent_secret_123")];
pub(crate) const PANEL: &[(&str, &str)] = &[("x-api-key", "vtt_your_api_key")];
pub(crate) const SERVICE: &[(&str, &str)] = &[("authorization", "Bearer sdk_demo_acct_123")];
/// The service token of another tenant.
pub(crate) const STRANGER: &[(&str, &str)] = &[("authorization", "Bearer sdk_demo_acct_999")];
