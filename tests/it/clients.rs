//! The files for callers in other languages that accompany the contract.

use std::path::Path;

use prost::Message as _;
use prost_types::method_options::IdempotencyLevel;
use prost_types::{FileDescriptorSet, MethodOptions};
use screenerd::pb::DESCRIPTOR;

/// The marks around the methods that clients may retry.
const MARKS: [&str; 2] = ["\"name\": [\n", "      ],\n"];

/// Returns the names of all methods without side effects, in the format of a service config.
fn safe_methods() -> String {
    let mut contract = FileDescriptorSet::decode(DESCRIPTOR).expect("the descriptor can be read");
    contract.file.sort_by(|one, other| one.name().cmp(other.name()));
    let mut names = Vec::new();
    for file in contract.file {
        for service in &file.service {
            for method in &service.method {
                let level = method.options.as_ref().map(MethodOptions::idempotency_level);
                if level == Some(IdempotencyLevel::NoSideEffects) {
                    let service = format!("{}.{}", file.package(), service.name());
                    let method = method.name();
                    names.push(format!(
                        "        {{\"service\": \"{service}\", \"method\": \"{method}\"}}"
                    ));
                }
            }
        }
    }
    names.join(",\n") + "\n"
}

#[test]
fn the_retry_policy_names_exactly_what_changes_nothing() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/service_config.json");
    let config = std::fs::read_to_string(&path).expect("the service config is readable text");
    let [begin, end] = MARKS;
    let (head, rest) = config.split_once(begin).expect("the names begin somewhere");
    let (_, tail) = rest.split_once(end).expect("the names end somewhere");
    let expected = format!("{head}{begin}{}{end}{tail}", safe_methods());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).expect("the service config can be written");
        return;
    }
    assert_eq!(config, expected, "UPDATE_DOCS=1 cargo test retry_policy writes it anew");
}
