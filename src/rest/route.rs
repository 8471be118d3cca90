//! Routes together with their description in the OpenAPI document: each route that is served is
//! described, and each one described is served.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, OneOfBuilder, Ref, Schema};
use utoipa::openapi::{RefOr, Required};

use super::Gateway;
use super::dialect::{Dialect, VERSION_HEADER_NAME};
use super::query::{self, Field};
use super::schema;
use crate::app::Permission;
use crate::domain::error::Kind;
use crate::domain::version::API_VERSION;

/// Schemas of the document, by name.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// The content of a successful response.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) media_type: &'static str,
    pub(super) schema: RefOr<Schema>,
}

/// The request body of a route.
pub(super) struct Asked {
    pub(super) schema: RefOr<Schema>,
    pub(super) example: Option<Value>,
    pub(super) is_required: bool,
}

/// One method of one path, as the OpenAPI document describes it.
pub(super) struct Operation {
    pub(super) method: HttpMethod,
    pub(super) path: String,
    pub(super) id: String,
    pub(super) summary: &'static str,
    pub(super) description: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Asked>,
    pub(super) answers: Vec<Answered>,
    pub(super) kinds: Vec<Kind>,
    pub(super) schemas: Schemas,
}

impl Operation {
    /// Creates an operation. `id` is its name in generated clients.
    pub(super) fn new(method: HttpMethod, path: &str, id: &str, summary: &'static str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            id: id.to_owned(),
            summary,
            description: String::new(),
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            kinds: vec![Kind::DeadlineExceeded, Kind::Internal],
            schemas: Vec::new(),
        }
    }

    /// Adds a paragraph to the description.
    pub(super) fn saying(mut self, text: &str) -> Self {
        if !self.description.is_empty() {
            self.description.push_str("\n\n");
        }
        self.description.push_str(text);
        self
    }

    /// Adds the version header, in which a client may request a version.
    pub(super) fn versioned(self) -> Self {
        let versions = OneOfBuilder::new()
            .item(schema::word(API_VERSION))
            .item(schema::time(KnownFormat::Date));
        let description = "The version of the API. Any date selects the current version.";
        self.parameter(ParameterIn::Header, VERSION_HEADER_NAME, API_VERSION, description, versions)
            .refusing(&[Kind::UnsupportedApiVersion])
    }

    /// Adds the refusals of an operation that requires a credential and parses its parameters.
    pub(super) fn guarded(self) -> Self {
        self.refusing(&[
            Kind::InvalidArgument,
            Kind::Unauthorized,
            Kind::Forbidden,
            Kind::Unavailable,
        ])
    }

    /// Requires a credential with the scope of `P`.
    pub(super) fn permitted<P: Permission>(self) -> Self {
        let scope = format!("The credential needs the scope `{}`.", P::NEED.scope().as_str());
        self.guarded().saying(&scope)
    }

    /// Adds reasons for a refusal.
    pub(super) fn refusing(mut self, kinds: &[Kind]) -> Self {
        self.kinds.extend(kinds);
        self
    }

    /// Adds a path segment that is an id, with an example from the example data.
    pub(super) fn at(self, name: &str, example: &str, description: &str) -> Self {
        self.parameter(ParameterIn::Path, name, example, description, schema::id())
    }

    /// Adds a path segment or an optional header, with a value that fits the example data.
    pub(super) fn parameter(
        mut self,
        place: ParameterIn,
        name: &str,
        example: &str,
        description: &str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        let is_segment = place == ParameterIn::Path;
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(if is_segment { Required::True } else { Required::False })
            .description(Some(description))
            .schema(Some(schema))
            .example(Some(example.into()));
        self.parameters.push(parameter.build());
        self
    }

    /// Adds the parameters of a list with these filters.
    pub(super) fn listing(mut self, fields: &[Field]) -> Self {
        self.parameters.extend(query::parameters(fields));
        self.refusing(&[Kind::PageTooLarge])
    }

    /// Adds a query parameter.
    pub(super) fn querying(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Adds a JSON request body.
    pub(super) fn asking(
        mut self,
        is_required: bool,
        schema: impl Into<RefOr<Schema>>,
        example: Option<Value>,
    ) -> Self {
        self.body = Some(Asked { schema: schema.into(), example, is_required });
        self.refusing(&[Kind::PayloadTooLarge, Kind::UnsupportedMediaType])
    }

    /// Adds a JSON response of type `T`.
    pub(super) fn answering<T: ToSchema>(mut self) -> Self {
        let name = T::name().into_owned();
        let schema = RefOr::Ref(Ref::from_schema_name(&name));
        self.answers.push(Answered { status: 200, media_type: "application/json", schema });
        self.schemas.push((name, T::schema()));
        T::schemas(&mut self.schemas);
        self
    }

    /// Adds a response that has no type of its own.
    pub(super) fn answering_as(
        mut self,
        status: u16,
        media_type: &'static str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        self.answers.push(Answered { status, media_type, schema: schema.into() });
        self
    }

    fn filter(&self) -> MethodFilter {
        match self.method {
            HttpMethod::Get => MethodFilter::GET,
            HttpMethod::Put => MethodFilter::PUT,
            HttpMethod::Post => MethodFilter::POST,
            HttpMethod::Delete => MethodFilter::DELETE,
            HttpMethod::Options => MethodFilter::OPTIONS,
            HttpMethod::Head => MethodFilter::HEAD,
            HttpMethod::Patch => MethodFilter::PATCH,
            HttpMethod::Trace => MethodFilter::TRACE,
        }
    }
}

/// The routes of a dialect.
pub(super) struct Routes {
    pub(super) dialect: &'static Dialect,
    pub(super) operations: Vec<Operation>,
    pub(super) router: Router<Gateway>,
}

impl Routes {
    /// Creates an empty set of routes.
    pub(super) fn of(dialect: &'static Dialect) -> Self {
        Self { dialect, operations: Vec::new(), router: Router::new() }
    }

    /// Adds the routes of another noun of the same dialect.
    pub(super) fn and(mut self, others: Self) -> Self {
        self.operations.extend(others.operations);
        self.router = self.router.merge(others.router);
        self
    }

    /// Adds an operation and its handler.
    pub(super) fn add<H: Handler<T, Gateway>, T: 'static>(
        mut self,
        operation: Operation,
        handler: H,
    ) -> Self {
        self.router = self.router.route(&operation.path, on(operation.filter(), handler));
        self.operations.push(operation);
        self
    }
}
