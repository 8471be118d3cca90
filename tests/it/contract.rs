//! The comments of the contract are its documentation: they follow a form, and the page of errors
//! is made from them.

use std::path::Path;

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use prost_types::method_options::IdempotencyLevel;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use screenerd::domain::credential::Scope;
use screenerd::domain::error::Kind;
use screenerd::domain::list::{LIMIT_DEFAULT_ROWS, LIMIT_MAX_ROWS};
use screenerd::pb::DESCRIPTOR;
use tonic::Code;

use crate::support::cookbook::{self, Block};

/// The field numbers in descriptors that make up the path of a comment.
const FILE_ENUM: usize = 5;
const FILE_SERVICE: usize = 6;
const SERVICE_METHOD: usize = 2;
const ENUM_VALUE: usize = 2;

fn files() -> Vec<FileDescriptorProto> {
    let files = FileDescriptorSet::decode(DESCRIPTOR).expect("it decodes").file;
    files.into_iter().filter(|file| file.package() == "screener.v1").collect()
}

/// Returns the leading comment of the element at a path.
fn comment(file: &FileDescriptorProto, place: [usize; 4]) -> String {
    let place = place.map(|step| i32::try_from(step).expect("a small number"));
    let info = file.source_code_info.as_ref().expect("the sources are described");
    let found = info.location.iter().find(|it| it.path == place);
    found.map(|it| it.leading_comments().to_owned()).unwrap_or_default()
}

/// An RPC with its comment.
struct Rpc {
    service: String,
    name: String,
    level: IdempotencyLevel,
    comment: String,
}

fn rpcs() -> Vec<Rpc> {
    let mut rpcs = Vec::new();
    for file in &files() {
        for (s, service) in file.service.iter().enumerate() {
            for (m, method) in service.method.iter().enumerate() {
                let place = [FILE_SERVICE, s, SERVICE_METHOD, m];
                rpcs.push(Rpc {
                    service: service.name().to_owned(),
                    name: method.name().to_owned(),
                    level: method.options.as_ref().map_or(
                        IdempotencyLevel::IdempotencyUnknown,
                        prost_types::MethodOptions::idempotency_level,
                    ),
                    comment: comment(file, place),
                });
            }
        }
    }
    rpcs
}

/// Returns the name of a code in the contract: `INVALID_ARGUMENT` for `InvalidArgument`.
fn code_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// Returns a code and a reason in the format of the comments.
fn code_and_reason(kind: Kind) -> String {
    let mapping = kind.mapping();
    let code = code_name(Code::from_i32(mapping.grpc));
    format!("{code}, {}", mapping.code.to_ascii_uppercase())
}

/// Returns the faults in the comment of an RPC.
fn faults(rpc: &Rpc) -> Vec<String> {
    let Rpc { service, name, level, comment } = rpc;
    let text = comment.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut faults = Vec::new();
    let mut check = |holds: bool, fault: &str| {
        if !holds {
            faults.push(format!("{service}/{name}: {fault}"));
        }
    };
    check(text.starts_with(&format!("{name} ")), "it begins with its name");
    let has_scope = Scope::ALL
        .iter()
        .any(|scope| text.contains(&format!("Requires scope `{}`", scope.as_str())))
        || text.contains("Requires a panelist's key or a session's link");
    check(has_scope || service == "AdminService", "it says which scope it needs");
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let repeats = match level {
        IdempotencyLevel::NoSideEffects => says(&["Read-only"]),
        IdempotencyLevel::Idempotent => says(&["Idempotent"]) && !says(&["Not idempotent"]),
        IdempotencyLevel::IdempotencyUnknown => {
            says(&["Not idempotent", "Idempotent with a request id", "Repeating"])
        }
    };
    check(repeats, "it says what a repeat does, as its idempotency level has it");
    check(says(&["Errors", "no errors of its own"]), "it lists its errors");
    let known = Kind::ALL.map(code_and_reason);
    for line in comment.lines().filter_map(|line| line.trim().strip_prefix("- ")) {
        let listed = line.split(':').next().unwrap_or_default();
        check(known.iter().any(|it| it == listed), &format!("{listed} is code and reason"));
    }
    faults
}

#[test]
fn every_rpc_says_scope_repetition_and_errors() {
    let rpcs = rpcs();
    assert!(rpcs.len() > 50, "the RPCs are found");
    let faults: Vec<String> = rpcs.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_contract_gives_the_size_of_a_page_once() {
    let places =
        files().into_iter().flat_map(|file| file.source_code_info.expect("sources").location);
    let comments =
        places.map(|it| it.leading_comments().split_whitespace().collect::<Vec<_>>().join(" "));
    let size = LIMIT_DEFAULT_ROWS.to_string();
    let sizes: Vec<_> =
        comments.filter(|it| it.contains("Unset means") && it.contains(&size)).collect();
    let fact = format!(
        "Unset means {LIMIT_DEFAULT_ROWS}. More than {LIMIT_MAX_ROWS} is reduced to {LIMIT_MAX_ROWS}"
    );
    assert!(sizes.len() == 1 && sizes[0].contains(&fact), "{sizes:#?}");
}

#[test]
fn a_comment_that_says_too_little_is_seen() {
    let rpc = |level, comment: &str| Rpc {
        service: "ScreenerService".into(),
        name: "GetScreener".into(),
        level,
        comment: comment.into(),
    };
    let good = "GetScreener returns one.\n\nRequires scope `screeners:read`. Read-only.\n\n\
                Errors:\n- NOT_FOUND, NOT_FOUND: none.\n";
    let safe = IdempotencyLevel::NoSideEffects;
    assert_eq!(faults(&rpc(safe, good)), Vec::<String>::new());
    assert_eq!(faults(&rpc(IdempotencyLevel::Idempotent, good)).len(), 1);
    assert_eq!(faults(&rpc(safe, "")).len(), 4);
    assert_eq!(faults(&rpc(safe, &good.replace("screeners:read", "screeners"))).len(), 1);
    assert_eq!(faults(&rpc(safe, &good.replace("NOT_FOUND,", "ABORTED,"))).len(), 1);
}

/// Returns the faults of the cookbook for an RPC.
fn missing(method: &MethodDescriptor, book: &[Block]) -> Vec<String> {
    let rpc = format!("{}/{}", method.parent_service().name(), method.name());
    let mut faults = Vec::new();
    if !book.iter().any(|block| block.is_example_of(&rpc)) {
        faults.push(format!("{rpc}: the cookbook shows how it is called and what it answers"));
    }
    for line in book.iter().flat_map(|block| block.calls(&rpc)) {
        // The body of a client stream is several messages.
        let messages = serde_json::Deserializer::from_str(cookbook::message(line));
        for message in messages.into_iter::<serde_json::Value>() {
            let message = message.map_err(|error| error.to_string());
            let read = message.and_then(|message| {
                DynamicMessage::deserialize(method.input(), message).map_err(|it| it.to_string())
            });
            if let Err(error) = read {
                faults.push(format!("{rpc}: its message in the cookbook can be read: {error}"));
            }
        }
    }
    faults
}

#[test]
fn every_rpc_has_a_line_in_the_cookbook_with_a_message_of_its_own() {
    let book = cookbook::blocks();
    let pool = DescriptorPool::decode(DESCRIPTOR).expect("it decodes");
    let faults: Vec<String> = pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .flat_map(|method| missing(&method, &book))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_cookbook_that_says_too_little_is_seen() {
    let pool = DescriptorPool::decode(DESCRIPTOR).expect("it decodes");
    let service = pool.get_service_by_name("screener.v1.ProjectService").expect("a service");
    let method = service.methods().find(|method| method.name() == "GetProject").expect("an RPC");
    let faults = |message: &str, name: &str, prints: &str| {
        let lines = format!("grpcurl -d '{message}' SERVER screener.v1.ProjectService/{name}\n");
        let block = Block { anchor: "call".into(), lines, prints: prints.into() };
        missing(&method, &[block]).len()
    };
    let good = r#"{"id": "proj_123"}"#;
    assert_eq!(faults(good, "GetProject", "{\n  \"project\": …\n}\n"), 0);
    assert_eq!(faults(good, "GetProjects", "{\n}\n"), 1);
    assert_eq!(faults(good, "GetProject", "ERROR:\n"), 1);
    assert_eq!(faults(good, "GetProject", "{\n   \"code\": \"not_found\"\n}\n"), 1);
    assert_eq!(faults(r#"{"name": "Insights"}"#, "GetProject", "{\n}\n"), 1);
    assert_eq!(faults(r#"{"id": "#, "GetProject", "{\n}\n"), 1);
}

/// Prints the table of errors. A reason's comment has the cause first and then the remedy.
fn errors_table() -> String {
    let file = files().into_iter().find(|file| file.name().ends_with("/error_reason.proto"));
    let file = file.expect("the reasons are in the contract");
    let comment_of = |kind: &Kind| {
        let name = format!("ERROR_REASON_{}", kind.mapping().code.to_ascii_uppercase());
        let values = &file.enum_type[0].value;
        let position = values.iter().position(|value| value.name() == name).expect("a reason");
        let text = comment(&file, [FILE_ENUM, 0, ENUM_VALUE, position]);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let rows = Kind::ALL.iter().map(|kind| {
        let (mapping, comment) = (kind.mapping(), comment_of(kind));
        let (cause, remedy) = comment.split_once(". ").expect("a cause and a remedy");
        let code = code_name(Code::from_i32(mapping.grpc));
        format!("| `{}` | {code} | {} | {cause}. | {remedy} |\n", mapping.code, mapping.http)
    });
    let head = "| code | gRPC | HTTP | cause | remedy |\n|---|---|---|---|---|\n";
    format!("{head}{}", rows.collect::<String>())
}

/// The marks around the generated table.
const MARKS: [&str; 2] = ["<!-- the table begins -->\n", "<!-- the table ends -->\n"];

#[test]
fn the_documented_errors_are_those_of_the_contract() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    let document = std::fs::read_to_string(&path).expect("the document is readable text");
    let [begin, end] = MARKS;
    let (head, rest) = document.split_once(begin).expect("the table begins somewhere");
    let (_, tail) = rest.split_once(end).expect("the table ends somewhere");
    let expected = format!("{head}{begin}\n{}\n{end}{tail}", errors_table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).expect("the document can be written");
        return;
    }
    assert_eq!(document, expected, "UPDATE_DOCS=1 cargo test documented_errors writes it anew");
}
