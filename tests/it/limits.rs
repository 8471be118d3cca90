//! The tables of limits in `docs/operations.md`, generated from the constants in `src/`.
//!
//! A new limit is one line in [`TABLES`]: its description, and a text that names the constant. The
//! test parses the constants, because most are private to their files. Their names end with the
//! unit.

mod constant;

use std::collections::BTreeSet;
use std::path::Path;

use constant::Constants;

struct Table {
    title: &'static str,
    /// Each limit's description, and its value. `{NAME}` is a constant. `{file:NAME}` also has the
    /// end of the file's path without `.rs`, for a name that several files use.
    rows: &'static [(&'static str, &'static str)],
}

const TABLES: &[Table] = &[
    Table {
        title: "The network, per listener or connection",
        rows: &[
            ("connections", "{CONNECTIONS_MAX}; more wait in the backlog"),
            (
                "connections of one address (an IPv6 /64) while half of all are taken",
                "{CONNECTIONS_PER_CLIENT_MAX_WHEN_SCARCE}; HTTP/1.1 connections then close after each response",
            ),
            (
                "requests in flight of one client behind a trusted proxy at that time",
                "{CONNECTIONS_PER_CLIENT_MAX_WHEN_SCARCE}; more are 503 with a `Retry-After` of {net/limits:RETRY_AFTER_SECONDS}",
            ),
            (
                "time in which a client reads nothing while a response waits, on one connection",
                "{ANSWER_STALL_MAX_MS}",
            ),
            (
                "time in which it reads less than {LARGE_ANSWER_PACE_BYTES} of a response above {LARGE_ANSWER_BYTES}, on one HTTP/2 stream",
                "{ANSWER_STALL_MAX_MS}",
            ),
            (
                "time in which it reads nothing of another response, on one HTTP/2 stream, after the first {ANSWER_UNTRACKED_MAX_BYTES}",
                "{HTTP2_ANSWER_STALL_MAX_MS}",
            ),
            (
                "unread response in the kernel, beyond what the client has room for",
                "{TCP_UNSENT_MAX_BYTES}",
            ),
            (
                "time to open a connection (TLS handshake, and first request head or HTTP/2 preface)",
                "{OPENING_DEADLINE_MS}",
            ),
            ("connections of the operator's address", "{OPERATIONS_CONNECTIONS_MAX}"),
            (
                "response of one TLS connection that waits to be sent, in addition to the budget",
                "{TLS_BUFFER_MAX_BYTES}",
            ),
            ("file of a certificate or a key", "{TLS_FILE_MAX_BYTES}"),
            (
                "time until a replaced certificate is in use without SIGHUP",
                "{TLS_RELOAD_INTERVAL_MS}",
            ),
            (
                "time to any later request head on HTTP/1.1, so the idle time of a connection",
                "{HTTP1_HEAD_DEADLINE_MS}",
            ),
            (
                "request head, target included",
                "{HTTP1_BUFFER_MAX_BYTES} on HTTP/1.1, {HTTP2_HEADER_LIST_MAX_BYTES} on HTTP/2; longer is 431, or 414 on a reused HTTP/1.1 connection if the target alone is that long",
            ),
            ("requests in flight on one HTTP/2 connection", "{HTTP2_CONCURRENT_STREAMS_MAX}"),
            (
                "memory of all requests in flight, without their bodies and responses",
                "{REQUESTS_IN_FLIGHT_MAX_BYTES}, at {REQUEST_HELD_BYTES} and its head for each; beyond it 503, and once half is held 503 for a client that has a {REQUESTS_OF_CLIENT_PART}th",
            ),
            (
                "time without a request on an HTTP/2 connection once half of all connections are taken",
                "{HTTP2_IDLE_WHEN_SCARCE_MAX_MS}",
            ),
            (
                "unread upload on one HTTP/2 stream, on one connection",
                "{HTTP2_STREAM_WINDOW_BYTES}, {HTTP2_CONNECTION_WINDOW_BYTES}",
            ),
            (
                "unread response on one HTTP/2 stream",
                "{HTTP2_SEND_BUFFER_MAX_BYTES} and a slice of {ANSWER_SLICE_BYTES}",
            ),
            (
                "ping on a silent HTTP/2 connection, and time to respond to it",
                "every {HTTP2_PING_INTERVAL_MS}, {HTTP2_PING_DEADLINE_MS}",
            ),
            (
                "time for one request",
                "{REQUEST_DEADLINE_MAX_MS}, a page {PAGE_DEADLINE_MS}, or less if the client sends a shorter deadline",
            ),
            ("time for an export to begin", "{REQUEST_DEADLINE_MAX_MS}; it may last longer"),
            ("time for a command on the local socket", "unlimited"),
            ("body of a REST request", "{REST_BODY_MAX_BYTES}"),
            (
                "rest of a body on HTTP/1.1 that is received before an early response is sent, and the time for it",
                "{LEFTOVER_MAX_BYTES}, {LEFTOVER_WAIT_MAX_MS}",
            ),
            (
                "time that a call over HTTP/1.1 continues, while nothing is sent, once its client has closed its sending side",
                "{HALF_CLOSED_GRACE_MS}",
            ),
            (
                "one gRPC or Connect message",
                "{SMALL_MESSAGE_MAX_BYTES}; {MEDIUM_MESSAGE_MAX_BYTES} for filters, batches of sessions and looks; {LARGE_MESSAGE_MAX_BYTES} for drafts, answers and imports; {OPEN_MESSAGE_MAX_BYTES} without a credential",
            ),
            (
                "messages within one message of more than {LOOKED_THROUGH_ABOVE_BYTES}",
                "the limit of the message's size, divided by {WITHIN_MIN_BYTES}",
            ),
            (
                "JSON values in one Connect message",
                "the limit of the message's size, divided by {JSON_VALUE_MIN_BYTES}",
            ),
            (
                "a message or body compressed as gzip",
                "the same once it is decompressed; the response to it is compressed above {PACKED_ABOVE_BYTES}",
            ),
            (
                "bytes of requests that the server holds until it responds",
                "{RECEIVE_BUDGET_BYTES}, half of it for one tenant; beyond it calls are 503",
            ),
            (
                "pause after an error of the process's own, such as too many open files, and time until the next log line about pauses",
                "{ACCEPT_PAUSE_MS}, {ACCEPT_PAUSES_TOLD_INTERVAL_MS}",
            ),
            (
                "drain on shutdown, and time to unwind after it",
                "{DRAIN_DEADLINE_MS}, {ABORT_GRACE_MS}",
            ),
        ],
    },
    Table {
        title: "The data",
        rows: &[
            ("id", "{ID_MAX_BYTES}"),
            ("slug", "{SLUG_MAX_BYTES}"),
            ("external uid, panelist id", "{EXTERNAL_UID_MAX_BYTES}"),
            ("panelist key", "{domain/panelist_key:KEY_MAX_BYTES}"),
            ("name, title", "{LABEL_MAX_CHARS}"),
            (
                "page of a list",
                "{LIMIT_DEFAULT_ROWS} by default, {LIMIT_MAX_ROWS} at most, and {PAGE_MAX_BYTES} as protobuf; one row always",
            ),
            ("values in one `in` or `nin`", "{FILTER_MAX_VALUES}"),
            (
                "violations that one error lists",
                "{domain/error:VIOLATIONS_MAX}, and {VIOLATIONS_MAX_BYTES} over gRPC, gRPC-Web and Connect",
            ),
            (
                "questions of a publication, options of a question",
                "{domain/publication:QUESTIONS_MAX}, {domain/question/select:OPTIONS_MAX}",
            ),
            (
                "options of a draft together, and its texts together",
                "{DRAFT_OPTIONS_MAX}, {DRAFT_TEXT_MAX_BYTES}",
            ),
            ("tags of a draft", "{domain/tag:TAGS_MAX}"),
            (
                "prompt, option text",
                "{PROMPT_MAX_CHARS} in a draft, {ANSWER_TEXT_MAX_BYTES} in an import file",
            ),
            ("text answer, write-in", "{ANSWER_TEXT_MAX_BYTES}"),
            ("answers of a session together", "{SESSION_ANSWERS_MAX_BYTES}"),
            (
                "pattern of a text question, and the same compiled",
                "{PATTERN_MAX_CHARS}, {domain/pattern:COMPILED_MAX_BYTES}",
            ),
            ("patterns of a publication together, compiled", "{PATTERNS_COMPILED_MAX_BYTES}"),
            ("message or link of a review", "{domain/review:MESSAGE_MAX_CHARS}"),
            (
                "idempotency key of a submission, and how long the server remembers it",
                "{IDEMPOTENCY_KEY_MAX_BYTES}, {IDEMPOTENCY_KEY_KEPT_SECONDS}",
            ),
            ("sessions created in one batch", "{BATCH_MAX_SESSIONS}"),
            ("submissions reviewed in one batch", "{BATCH_MAX_SUBMISSIONS}"),
            (
                "logo, privacy text, address of a privacy text",
                "{LOGO_MAX_BYTES}, {PRIVACY_TEXT_MAX_CHARS}, {PRIVACY_URL_MAX_BYTES}",
            ),
            (
                "answers of an export",
                "unlimited; read in pieces of {PIECE_MAX_ROWS}, or of {app/export:PIECE_MAX_BYTES} of prompts and answers",
            ),
            ("line of an import file", "{LINE_MAX_BYTES}"),
        ],
    },
    Table {
        title: "Pages",
        rows: &[
            ("one form, and its fields", "{FORM_MAX_BYTES}, {FIELDS_MAX}; a larger one is 413"),
            ("forms of one link in a minute", "{POSTS_PER_MINUTE_MAX}; more are 429"),
        ],
    },
    Table {
        title: "The server, on any database",
        rows: &[
            (
                "responses above {ANSWER_CHARGED_ABOVE_BYTES} being sent, together",
                "{SEND_BUDGET_BYTES}, half of it for one tenant; more is 503",
            ),
            (
                "concurrent exports of a tenant, of the server",
                "{EXPORTS_MAX_PER_TENANT}, {EXPORTS_MAX}; more is 503",
            ),
            (
                "files for exported data that clients have not read, of a tenant, of the server",
                "{EXPORT_SPOOL_TENANT_MAX_BYTES}, {EXPORT_SPOOL_MAX_BYTES}, in files of {EXPORT_SPOOL_FILE_BYTES}; {EXPORT_SPOOL_DISK_FREE_MIN_BYTES} of the disk stay free",
            ),
            (
                "memory for exported data that clients have not read, of a tenant, of the server",
                "{EXPORT_MEMORY_TENANT_MAX_BYTES}, {EXPORT_MEMORY_MAX_BYTES}; more waits in files",
            ),
            ("queued long jobs, of each tenant", "{WAITING_MAX_PER_SHARE}; more is 503"),
            (
                "time until another server that shares the database rejects a revoked key",
                "{CACHED_MS}",
            ),
            ("credentials in the cache", "{CREDENTIALS_MAX}"),
            ("publications in the cache", "{PUBLICATION_CACHE_MAX_BYTES}"),
            ("queued log lines", "{LOG_QUEUE_MAX_BYTES}; more are lost and counted"),
            ("time for the log to be written at exit", "{LOG_FLUSH_MAX_MS}"),
            ("housekeeping", "every {HOUSEKEEPING_SECONDS}"),
        ],
    },
    Table {
        title: "SQLite",
        rows: &[
            ("concurrent reads", "{READERS_MAX}"),
            ("writes in the queue, in one commit", "{QUEUE_MAX_WRITES}, {BATCH_MAX_WRITES}"),
            ("time that a write waits for an import", "{sqlite/gate:WAIT_MAX}, then 503"),
            ("write-ahead log in use before it is truncated", "{WAL_MAX_BYTES}"),
        ],
    },
    Table {
        title: "PostgreSQL",
        rows: &[
            (
                "connections of each process",
                "{READ_MAX_CONNECTIONS} for reads, {WRITE_MAX_CONNECTIONS} for writes, {EXPORT_MAX_CONNECTIONS} for exports",
            ),
            (
                "of those for reads, for calls that take long",
                "{SCAN_MAX_CONNECTIONS}, {TENANT_SCAN_MAX_CONNECTIONS} of a tenant",
            ),
            (
                "of those for writes, of a tenant",
                "{TENANT_WRITE_MAX_CONNECTIONS}, {TENANT_LOCKING_MAX_CONNECTIONS} while they wait for locks of other processes",
            ),
            ("time to wait for a turn and a connection", "{ACQUIRE_DEADLINE}, then 503"),
            ("time to wait for a lock", "{LOCK_WAIT_MAX_MS}, then 503"),
            ("time that a statement continues without its caller", "{DEPARTURE_CHECK_MS}"),
            (
                "silence within a transaction",
                "{TRANSACTION_SILENCE_MAX_MS}, then the connection is closed",
            ),
        ],
    },
];

/// Files whose every public constant is a limit with a row.
const FILES_OF_LIMITS: [&str; 2] = ["src/net/limits.rs", "src/lane.rs"];

/// The marks around the generated tables.
const MARKS: [&str; 2] = ["<!-- the limits begin -->\n", "<!-- the limits end -->\n"];

/// Splits a value into the texts between its placeholders, and the placeholders.
fn parts(value: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    value.split('}').map(|part| match part.split_once('{') {
        Some((text, name)) => (text, Some(name)),
        None => (part, None),
    })
}

fn printed(constants: &Constants) -> String {
    let value_of = |value: &str| {
        let values = parts(value).map(|(text, name)| {
            text.to_owned() + &name.map(|name| constants.printed(name)).unwrap_or_default()
        });
        values.collect::<String>()
    };
    let tables = TABLES.iter().map(|Table { title, rows }| {
        let rows = rows
            .iter()
            .map(|(what, value)| format!("| {} | {} |\n", value_of(what), value_of(value)));
        format!("\n### {title}\n\n| limit | value |\n|---|---|\n{}", rows.collect::<String>())
    });
    tables.collect::<String>() + "\n"
}

#[test]
fn the_documented_limits_are_the_constants() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let document = std::fs::read_to_string(path).expect("the document is readable text");
    let [begin, end] = MARKS;
    let (head, rest) = document.split_once(begin).expect("the limits begin somewhere");
    let (_, tail) = rest.split_once(end).expect("the limits end somewhere");
    let limits = printed(&Constants::read());
    let expected = format!("{head}{begin}{limits}{end}{tail}");
    crate::support::written::compare("docs/operations.md", &expected);
}

#[test]
fn the_memory_that_operators_are_told_of_is_the_sum_of_its_budgets() {
    let constants = Constants::read();
    let budgets = [
        "REQUESTS_IN_FLIGHT_MAX_BYTES",
        "RECEIVE_BUDGET_BYTES",
        "SEND_BUDGET_BYTES",
        "PUBLICATION_CACHE_MAX_BYTES",
    ];
    let mib = |name: &str| -> u64 {
        let printed = constants.printed(name);
        printed.strip_suffix(" MiB").and_then(|number| number.parse().ok()).expect(&printed)
    };
    let sum: u64 = budgets.into_iter().map(mib).sum();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let document = std::fs::read_to_string(path).expect("the document is readable text");
    assert!(document.contains(&format!("| memory, {sum} MiB together at their [limits]")), "{sum}");
}

#[test]
fn every_constant_of_a_file_of_limits_stands_in_a_row() {
    let constants = Constants::read();
    let rows = TABLES.iter().flat_map(|table| table.rows);
    let names: BTreeSet<_> = rows
        .flat_map(|(what, value)| [what, value])
        .flat_map(|value| parts(value).filter_map(|(_, name)| name))
        .map(|name| name.rsplit(':').next().unwrap_or(name))
        .collect();
    for file in FILES_OF_LIMITS {
        let public = constants.public_in(file);
        assert!(!public.is_empty(), "{file} has no public constant");
        let missing: Vec<_> = public.iter().filter(|name| !names.contains(**name)).collect();
        assert!(missing.is_empty(), "add a row to tests/it/limits.rs for {missing:?} of {file}");
    }
}
