//! Metrics: counters, histograms and gauges, and their two text formats. A leaf that every other
//! layer may use.
//!
//! Each layer owns handles, so that recording costs a few atomic operations. State that exists
//! anyway, such as the length of a queue, is only read for a scrape.
//! The labels are words of this program: methods of the contract, templates of routes, codes. Hence
//! the number of series is bounded, and no label names a tenant, a screener, a path or an address.

mod call;
mod process;
mod store;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

pub use prometheus_client::registry::Unit;

pub use call::{Call, Calls, Metered, System};
pub use store::{StoreMeter, Truncation};

/// The metrics of a server.
pub struct Meter {
    registry: Mutex<Registry>,
    calls: Arc<Calls>,
    store: Arc<StoreMeter>,
    refused_credentials: Words,
    connections: Connections,
}

/// A counter for each value of one label.
type Family1 = Family<[(&'static str, &'static str); 1], Counter>;

/// A counter for each word of one label. The words are part of the program.
#[derive(Clone, Debug)]
pub struct Words {
    label: &'static str,
    family: Family1,
}

impl Words {
    /// Creates counters, of which those of these words exist from the beginning.
    fn new(label: &'static str, words: &[&'static str]) -> Self {
        let family = Family1::default();
        for word in words {
            let _ = family.get_or_create(&[(label, *word)]);
        }
        Self { label, family }
    }

    /// Counts one occurrence.
    pub fn count(&self, word: &'static str) {
        self.family.get_or_create(&[(self.label, word)]).inc();
    }
}

/// The meter of a listener's connections.
#[derive(Clone, Debug)]
pub struct Connections {
    open: Gauge,
    ended: Words,
    refused: Words,
}

impl Default for Connections {
    fn default() -> Self {
        let ended = Words::new(
            "reason",
            &["client_limit", "handshake", "idle", "opening_deadline", "plain_http"],
        );
        let refused = Words::new("reason", &["client_limit", "malformed"]);
        Self { open: Gauge::default(), ended, refused }
    }
}

impl Connections {
    /// Records that a connection was accepted.
    pub fn opened(&self) {
        self.open.inc();
    }

    /// Records that a connection has closed.
    pub fn closed(&self) {
        self.open.dec();
    }

    /// Records that a request is refused before it is read as a call, and why.
    pub fn refused(&self, reason: &'static str) {
        self.refused.count(reason);
    }

    /// Records that the server ends a connection, and why.
    pub fn ended(&self, reason: &'static str) {
        self.ended.count(reason);
    }
}

/// The formats of a scrape.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// The text format of Prometheus, version 0.0.4.
    Prometheus,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl Format {
    /// Returns the media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Returns a count as the value of a metric.
#[must_use]
pub fn count(value: usize) -> f64 {
    u32::try_from(value).map_or(f64::INFINITY, f64::from)
}

/// The value of a gauge for each word of its label.
pub type Readings = Vec<(&'static str, f64)>;

/// A gauge whose values exist elsewhere, and are read for each scrape.
struct Reading<F> {
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    /// The label, unless the gauge is a single value.
    label: Option<&'static str>,
    read: F,
}

impl<F> fmt::Debug for Reading<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reading({})", self.name)
    }
}

impl<F: Fn() -> Readings + Send + Sync + 'static> Collector for Reading<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let readings = (self.read)();
        let (kind, help) = (MetricType::Gauge, format!("{}.", self.help));
        let mut family = encoder.encode_descriptor(self.name, &help, self.unit.as_ref(), kind)?;
        for (word, value) in readings {
            let gauge = ConstGauge::new(value);
            match self.label {
                Some(label) => gauge.encode(family.encode_family(&[(label, word)])?)?,
                None => return gauge.encode(family),
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

impl Meter {
    /// Creates the metrics, all zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let calls = Arc::new(Calls::registered(&mut registry));
        let store = Arc::new(StoreMeter::registered(&mut registry));
        let refused_credentials =
            Words::new("reason", &["missing", "kind", "unknown", "ended", "disabled", "scope"]);
        registry.register(
            "screenerd_credentials_refused",
            "Calls whose key, token or link was refused, by reason",
            refused_credentials.family.clone(),
        );
        let connections = Connections::default();
        registry.register(
            "screenerd_connections_open",
            "Open connections of the public port",
            connections.open.clone(),
        );
        registry.register(
            "screenerd_connections_ended",
            "Connections that the server closed because of a limit, by reason",
            connections.ended.family.clone(),
        );
        registry.register(
            "screenerd_requests_refused",
            "Requests that a limit of connections or the form of their head refused, by reason",
            connections.refused.family.clone(),
        );
        process::register(&mut registry);
        let meter =
            Self { registry: Mutex::new(registry), calls, store, refused_credentials, connections };
        let frames = Arc::clone(&meter.store);
        let help = "Frames in the write-ahead log of SQLite after the last commit, if this server truncates it";
        meter.add_gauge("screenerd_store_wal_frames", help, None, move || frames.wal_frames());
        let version = "The version of the running server";
        let build = || vec![(env!("CARGO_PKG_VERSION"), 1.0)];
        meter.add_gauges("screenerd_build_info", version, "version", build);
        meter
    }

    /// Returns the meter of calls.
    #[must_use]
    pub fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    /// Returns the meter of the store.
    #[must_use]
    pub fn store(&self) -> &Arc<StoreMeter> {
        &self.store
    }

    /// Returns the counters of refused credentials.
    #[must_use]
    pub fn refused_credentials(&self) -> &Words {
        &self.refused_credentials
    }

    /// Returns the meter of the public port's connections.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a gauge that is read for each scrape, and has no sample while it is `None`.
    pub fn add_gauge(
        &self,
        name: &'static str,
        help: &'static str,
        unit: Option<Unit>,
        read: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) {
        let read = move || read().map(|value| ("", value)).into_iter().collect();
        let reading = Reading { name, help, unit, label: None, read };
        self.registry().register_collector(Box::new(reading));
    }

    /// Adds a gauge with one label, whose values are read for each scrape.
    pub fn add_gauges(
        &self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        read: impl Fn() -> Readings + Send + Sync + 'static,
    ) {
        let reading = Reading { name, help, unit: None, label: Some(label), read };
        self.registry().register_collector(Box::new(reading));
    }

    /// Prints every metric.
    pub fn print(&self, format: Format) -> Result<String, fmt::Error> {
        let mut out = String::new();
        let registry = self.registry();
        match format {
            Format::Prometheus => prometheus_text::encode(&mut out, &registry)?,
            Format::OpenMetrics => text::encode(&mut out, &registry)?,
        }
        Ok(out)
    }
}
