//! `docs/api/`: the reference of the contract, generated from the descriptor and its comments.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use prost::Message as _;
use prost_types::field_descriptor_proto::Label;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, ServiceDescriptorProto,
};
use screenerd::domain::credential::{CredentialKind, Scope};
use screenerd::pb::DESCRIPTOR;

use crate::support::cookbook::{self, Block};
use crate::support::written;

const PACKAGE: &str = "screener.v1";
const INTRODUCTION: &str = "\
# The gRPC API

Generated from the comments in [`proto/screener/v1/`](../../proto/screener/v1); a test compares it. \
Look up an RPC or a message here. [protocols.md](../protocols.md) explains how to call them, \
[semantics.md](../semantics.md) what they mean, and [cookbook.md](../cookbook.md) has the examples, \
which the full check runs; `…` stands for omitted output. In JSON an `int64` is a string.

## Services

";
const GENERATED: &str = "Generated from the contract; [README.md](README.md) lists all pages.";
const RPCS: &str = "
## RPCs

A service token works for every RPC that its scopes allow. `grpc.health.v1.Health` and \
`grpc.reflection.v1` (and `v1alpha`) need no credential.

| RPC | credential | scope |
|---|---|---|
";

/// A file of the contract, with its comments by path.
struct File<'a> {
    file: &'a FileDescriptorProto,
    comments: BTreeMap<&'a [i32], &'a str>,
}

impl<'a> File<'a> {
    fn new(file: &'a FileDescriptorProto) -> Self {
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        let comments = locations.map(|it| (it.path.as_slice(), it.leading_comments())).collect();
        Self { file, comments }
    }

    fn comment(&self, path: &[i32]) -> String {
        let comment = self.comments.get(path).copied().unwrap_or_default();
        let lines = comment.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    }

    /// Returns a comment in the format of a table cell.
    fn cell(&self, path: &[i32]) -> String {
        self.comment(path).split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
    }
}

fn below(path: &[i32], field: i32, position: usize) -> Vec<i32> {
    let position = i32::try_from(position).expect("few enough");
    [path, &[field, position]].concat()
}

fn linked(name: &str) -> String {
    let name = name.trim_start_matches('.');
    match name.strip_prefix("screener.v1.") {
        Some(own) => {
            format!("[`{own}`](messages.md#{})", own.replace('.', "").to_lowercase())
        }
        None => format!("`{name}`"),
    }
}

fn kind(field: &FieldDescriptorProto) -> String {
    // Only messages and enums have a type name.
    let kind = if field.type_name().is_empty() {
        let scalar = field.r#type().as_str_name().trim_start_matches("TYPE_");
        format!("`{}`", scalar.to_lowercase())
    } else {
        linked(field.type_name())
    };
    let is_list = field.label() == Label::Repeated;
    let prefix = if is_list {
        "repeated "
    } else if field.proto3_optional() {
        "optional "
    } else if field.oneof_index.is_some() {
        "one of "
    } else {
        ""
    };
    format!("{prefix}{kind}")
}

/// Returns the credentials that open an RPC, and the scope in its comment.
fn permission(service: &str, comment: &str) -> (String, String) {
    let none = "–".to_owned();
    let scope = Scope::ALL.iter().find(|it| comment.contains(&format!("`{}`", it.as_str())));
    match scope {
        Some(scope) => {
            let kinds = CredentialKind::ALL.iter().filter(|it| it.usable_scopes().contains(scope));
            let kinds: Vec<_> = kinds.map(|kind| kind.as_str()).collect();
            (kinds.join(", "), format!("`{}`", scope.as_str()))
        }
        None if service == "AdminService" => ("the local socket".to_owned(), none),
        None => ("a panelist's key or a session's link".to_owned(), none),
    }
}

/// Adds a row for each RPC of a service.
fn add_rpcs(file: &File<'_>, position: usize, service: &ServiceDescriptorProto, rpcs: &mut String) {
    let path = below(&[], 6, position);
    for (position, method) in service.method.iter().enumerate() {
        let (service, method) = (service.name(), method.name());
        let (credential, scope) = permission(service, &file.comment(&below(&path, 2, position)));
        let place = format!("{service}.md#{}", method.to_lowercase());
        writeln!(rpcs, "| [{service}/{method}]({place}) | {credential} | {scope} |")
            .expect("a text");
    }
}

/// Prints the cookbook's example of an RPC and its output.
fn example(rpc: &str, book: &[Block]) -> String {
    let block = book.iter().find(|block| block.is_example_of(rpc));
    let Block { anchor, lines, prints } =
        block.unwrap_or_else(|| panic!("the cookbook has no example of {rpc}"));
    format!(
        "\nExample, from the [cookbook](../cookbook.md#{anchor}):\n\n\
         ```sh\n{lines}```\n\n```text\n{prints}```\n"
    )
}

fn service(
    file: &File<'_>,
    position: usize,
    service: &ServiceDescriptorProto,
    book: &[Block],
) -> String {
    let path = below(&[], 6, position);
    let mut page = format!("# {}\n\n{GENERATED}\n\n{}\n", service.name(), file.comment(&path));
    for (position, method) in service.method.iter().enumerate() {
        let stream = |is_stream| if is_stream { "stream of " } else { "" };
        let (input, output) = (linked(method.input_type()), linked(method.output_type()));
        let comment = file.comment(&below(&path, 2, position));
        write!(
            page,
            "\n## {}\n\n{}{input} → {}{output}\n\n{comment}\n",
            method.name(),
            stream(method.client_streaming()),
            stream(method.server_streaming()),
        )
        .expect("a text");
        page.push_str(&example(&format!("{}/{}", service.name(), method.name()), book));
    }
    page
}

fn message(
    file: &File<'_>,
    path: &[i32],
    outer: &str,
    message: &DescriptorProto,
    page: &mut String,
) {
    let name = format!("{outer}{}", message.name());
    write!(page, "\n## {name}\n\n{}\n", file.comment(path)).expect("a text");
    if !message.field.is_empty() {
        page.push_str("\n| field | type | |\n|---|---|---|\n");
    }
    for (position, field) in message.field.iter().enumerate() {
        let comment = file.cell(&below(path, 2, position));
        writeln!(page, "| `{}` | {} | {comment} |", field.name(), kind(field)).expect("a text");
    }
    let outer = format!("{name}.");
    for (position, nested) in message.nested_type.iter().enumerate() {
        self::message(file, &below(path, 3, position), &outer, nested, page);
    }
    for (position, nested) in message.enum_type.iter().enumerate() {
        enumeration(file, &below(path, 4, position), &outer, nested, page);
    }
}

fn enumeration(
    file: &File<'_>,
    path: &[i32],
    outer: &str,
    words: &EnumDescriptorProto,
    page: &mut String,
) {
    let comment = file.comment(path);
    write!(page, "\n## {outer}{}\n\n{comment}\n\n| value | |\n|---|---|\n", words.name())
        .expect("a text");
    for (position, value) in words.value.iter().enumerate() {
        let comment = file.cell(&below(path, 2, position));
        writeln!(page, "| `{}` | {comment} |", value.name()).expect("a text");
    }
}

#[test]
fn the_reference_is_what_the_contract_says() {
    let mut set = FileDescriptorSet::decode(Bytes::from_static(DESCRIPTOR)).expect("it decodes");
    set.file.sort_by(|one, other| one.name().cmp(other.name()));
    let files = set.file.iter().filter(|file| file.package() == PACKAGE).map(File::new);
    let book = cookbook::blocks();
    let (mut index, mut rpcs) = (INTRODUCTION.to_owned(), RPCS.to_owned());
    let mut messages = format!("# Messages\n\n{GENERATED}\n");
    for file in files {
        for (position, it) in file.file.service.iter().enumerate() {
            let page = format!("{}.md", it.name());
            let comment = file.comment(&below(&[], 6, position));
            let first = comment.split("\n\n").next().unwrap_or_default().replace('\n', " ");
            writeln!(index, "- [{}]({page}): {first}", it.name()).expect("a text");
            written::compare(&format!("docs/api/{page}"), &service(&file, position, it, &book));
            add_rpcs(&file, position, it, &mut rpcs);
        }
        for (position, it) in file.file.message_type.iter().enumerate() {
            message(&file, &below(&[], 4, position), "", it, &mut messages);
        }
        for (position, it) in file.file.enum_type.iter().enumerate() {
            enumeration(&file, &below(&[], 5, position), "", it, &mut messages);
        }
    }
    index.push_str("- [Messages](messages.md): requests, responses and their parts.\n");
    index.push_str(&rpcs);
    written::compare("docs/api/README.md", &index);
    written::compare("docs/api/messages.md", &messages);
}

// Finds pages of removed services, which no other test reads.
#[test]
fn the_pages_of_the_reference_are_those_of_the_services() {
    let set = FileDescriptorSet::decode(Bytes::from_static(DESCRIPTOR)).expect("it decodes");
    let services = set.file.iter().filter(|file| file.package() == PACKAGE);
    let mut expected: Vec<String> = services
        .flat_map(|file| &file.service)
        .map(|service| format!("{}.md", service.name()))
        .chain(["README.md".to_owned(), "messages.md".to_owned()])
        .collect();
    let entries = std::fs::read_dir("docs/api").expect("the folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("an entry").file_name().into_string().expect("a text")
    };
    let mut pages: Vec<String> = entries.map(name).collect();
    expected.sort();
    pages.sort();
    assert_eq!(pages, expected);
}
