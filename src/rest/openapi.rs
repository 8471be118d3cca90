//! The OpenAPI document, built from the routes, their response types and the table of kinds.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::path::{OperationBuilder, ParameterIn, Paths};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{AllOfBuilder, ComponentsBuilder, ObjectBuilder, Ref};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Info, License, OpenApiBuilder, Required, Server};

use super::dialect::Dialect;
use super::problem::Problem;
use super::route::{Answered, Operation, Routes};
use super::schema;

/// The name of the security scheme for service tokens.
const BEARER: &str = "bearer";

/// The server's responses on its example data, by operation and status.
/// `UPDATE_DOCS=1 cargo test --test it openapi` regenerates them.
const EXAMPLES: &str = include_str!("examples.json");

const ABOUT: &str = "\
The documented REST routes. Each of them is also an RPC of the gRPC contract, which has more, on the \
same port.

Every error is a `Problem`. The server rejects unknown parameters and members by name.

The pages behind participants' links (`/s/…`, `/screeners/…`, `/app/…`, and `/assets/…` and `/look/…`, \
which they load) are HTML for people. This document does not describe them.";

/// The refusals of the network layer for long request heads. They precede routing, so they have no
/// body. Only lists have parameters that can be that long.
const TOO_LONG: [(&str, &str, &str); 2] = [
    ("414", "AddressTooLong", "The address is longer than 64 KiB. There is no body."),
    ("431", "HeadTooLong", "Address and headers are longer than 64 KiB. There is no body."),
];

/// Returns the document, with `itself` as one more operation of the last dialect.
pub(super) fn document<'a>(
    routes: impl Iterator<Item = &'a Routes>,
    itself: &Operation,
) -> Vec<u8> {
    let examples: Examples = serde_json::from_str(EXAMPLES).unwrap_or_default();
    let (name, problem) =
        (Problem::name().into_owned(), <Problem<'_> as utoipa::PartialSchema>::schema());
    let mut schemas = vec![(name, problem)];
    Problem::schemas(&mut schemas);
    let (mut paths, mut tags) = (Paths::new(), Vec::new());
    let mut components = ComponentsBuilder::new();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A service token, for internal callers."));
    components = components.security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
    for (_, name, description) in TOO_LONG {
        let response = ResponseBuilder::new().description(description);
        components = components.response(name, response.build());
    }
    let mut last = None;
    for Routes { dialect, operations, .. } in routes {
        tags.push(TagBuilder::new().name(dialect.tag).description(Some(dialect.about)).build());
        for header in dialect.headers() {
            let key = ApiKey::Header(ApiKeyValue::new(header));
            components = components.security_scheme(header, SecurityScheme::ApiKey(key));
        }
        for operation in operations {
            add(&mut paths, operation, dialect, &examples);
            schemas.extend(operation.schemas.iter().cloned());
        }
        last = Some(dialect);
    }
    if let Some(dialect) = last {
        add(&mut paths, itself, dialect, &examples);
    }
    schemas.sort_by(|one, other| one.0.cmp(&other.0));
    schemas.dedup_by(|one, other| one.0 == other.0);
    let mut info = Info::new("screenerd", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut license = License::new("Apache License 2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    info.license = Some(license);
    let document = OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(components.schemas_from_iter(schemas).build()))
        .tags(Some(tags))
        .build();
    let mut text = serde_json::to_vec_pretty(&document).unwrap_or_default();
    text.push(b'\n');
    text
}

/// Example responses by operation, then by status.
type Examples = BTreeMap<String, BTreeMap<String, Value>>;

impl Dialect {
    /// Returns the credentials that open its routes: its own, or a service token.
    fn securities(&self) -> Vec<SecurityRequirement> {
        if self.credential_headers.is_none() {
            return Vec::new();
        }
        let required = SecurityRequirement::add::<&str, [&str; 0], &str>;
        let own = self
            .headers()
            .fold(SecurityRequirement::default(), |own, header| required(own, header, []));
        let bearer = required(SecurityRequirement::default(), BEARER, []);
        std::iter::once(own).chain(self.takes_bearer.then_some(bearer)).collect()
    }
}

fn add(paths: &mut Paths, operation: &Operation, dialect: &Dialect, examples: &Examples) {
    let example = |status: &str| {
        examples.get(&operation.id).and_then(|by_status| by_status.get(status)).cloned()
    };
    let mut builder = OperationBuilder::new()
        .tag(dialect.tag)
        .operation_id(Some(&operation.id))
        .summary(Some(operation.summary))
        .securities(Some(dialect.securities()));
    if !operation.description.is_empty() {
        builder = builder.description(Some(&operation.description));
    }
    for parameter in &operation.parameters {
        builder = builder.parameter(parameter.clone());
    }
    if let Some(asked) = &operation.body {
        let content =
            ContentBuilder::new().schema(Some(asked.schema.clone())).example(asked.example.clone());
        let required = if asked.is_required { Required::True } else { Required::False };
        let body = RequestBodyBuilder::new()
            .content("application/json", content.build())
            .required(Some(required));
        builder = builder.request_body(Some(body.build()));
    }
    for answers in operation.answers.chunk_by(|one, other| one.status == other.status) {
        let status = answers[0].status.to_string();
        // The example is of the first media type, the default of the route.
        let mut example = example(&status);
        let mut response = ResponseBuilder::new().description("Success.");
        for Answered { status: _, media_type, schema } in answers {
            let content =
                ContentBuilder::new().schema(Some(schema.clone())).example(example.take());
            response = response.content(*media_type, content.build());
        }
        builder = builder.response(status, response);
    }
    for (status, codes) in refusals(operation, dialect) {
        let example = example(&status);
        builder = builder.response(status, refusal(&codes, example));
    }
    if operation.parameters.iter().any(|it| it.parameter_in == ParameterIn::Query) {
        for (status, name, _) in TOO_LONG {
            builder = builder.response(status, Ref::from_response_name(name));
        }
    }
    paths.add_path_operation(&operation.path, vec![operation.method.clone()], builder);
}

/// Returns the codes of the refusals of an operation, by status.
fn refusals(operation: &Operation, dialect: &Dialect) -> BTreeMap<String, Vec<&'static str>> {
    let mut refusals = BTreeMap::<_, Vec<_>>::new();
    for kind in &operation.kinds {
        let status = (dialect.status)(*kind).to_string();
        refusals.entry(status).or_default().push((dialect.code)(*kind));
    }
    refusals
}

fn refusal(codes: &[&'static str], example: Option<Value>) -> Response {
    let narrowed = ObjectBuilder::new().property("error", schema::words(codes, |code| code));
    let problem = AllOfBuilder::new().item(Ref::from_schema_name(Problem::name())).item(narrowed);
    let content: Content = ContentBuilder::new().schema(Some(problem)).example(example).build();
    let codes: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
    ResponseBuilder::new()
        .description(format!("Refused: {}.", codes.join(", ")))
        .content("application/problem+json", content)
        .build()
}
