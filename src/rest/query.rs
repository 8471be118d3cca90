//! The query grammar of lists.
//!
//! | parameter | value |
//! |---|---|
//! | `filter[F][eq]`, `filter[F][ne]` | one id |
//! | `filter[F][in]`, `…[in][]`, `…[in][0]`, likewise `nin` | one id each, repeatable |
//! | `pagination[limit]`, `pagination[offset]` | a whole number |
//!
//! Brackets may be percent-encoded; commas do not separate values. All else is refused by name.

use std::array;
use std::collections::BTreeSet;

use percent_encoding::percent_decode;
use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};

use super::schema;
use crate::domain::error::{Result, Violations};
use crate::domain::export::Format;
use crate::domain::list::{
    FILTER_MAX_VALUES, FieldStyle, IdFilter, IdSet, LIMIT_DEFAULT_ROWS, LIMIT_MAX_ROWS, Pagination,
};

const LIMIT: &str = "pagination[limit]";
const OFFSET: &str = "pagination[offset]";
/// Requests a byte order mark, by which some spreadsheets recognize UTF-8.
const MARK: &str = "bom";

/// The reason for refusing a parameter that the route does not have.
pub(super) const UNKNOWN: &str = "Unknown parameter.";

/// A comparison of ids.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operator {
    Eq,
    Ne,
    In,
    Nin,
}

impl Operator {
    pub(super) const ALL: &[Self] = &[Self::Eq, Self::Ne, Self::In, Self::Nin];

    const fn word(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::In => "in",
            Self::Nin => "nin",
        }
    }
}

/// A field that a list is filtered by.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) operators: &'static [Operator],
    /// An id in the example data.
    pub(super) example: &'static str,
}

/// Returns the parameters of a list for the OpenAPI document: each under the one name that
/// describes it best.
pub(super) fn parameters(fields: &[Field]) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = fields
        .iter()
        .flat_map(|field| field.operators.iter().map(|operator| field.parameter(*operator)))
        .collect();
    let limit = format!(
        "How many items a page has at most. A larger limit is reduced to {LIMIT_MAX_ROWS}, and the \
         response reports the reduced limit."
    );
    parameters.push(whole(LIMIT, &limit, 1, LIMIT_DEFAULT_ROWS, 25));
    parameters.push(whole(OFFSET, "How many items to skip.", 0, 0, 0));
    parameters
}

/// Returns the parameter of a file for the OpenAPI document.
pub(super) fn mark() -> Parameter {
    whole(MARK, "1 begins a CSV file with a byte order mark, which Excel needs.", 0, 0, 0)
}

pub(super) fn whole(name: &str, about: &str, least: i64, default: i64, example: i64) -> Parameter {
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(least))
        .default(Some(default.into()));
    parameter(name, about, number, Some(example.into()))
}

/// Returns an optional parameter for the OpenAPI document.
pub(super) fn parameter(
    name: &str,
    about: &str,
    schema: impl Into<RefOr<Schema>>,
    example: Option<Value>,
) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .example(example)
        .build()
}

impl Field {
    fn parameter(&self, operator: Operator) -> Parameter {
        let name = format!("filter[{}][{}]", self.name, operator.word());
        let id = schema::id();
        let many = || {
            let ids = ArrayBuilder::new().items(schema::id()).max_items(Some(FILTER_MAX_VALUES));
            Schema::Array(ids.build())
        };
        let (name, description, schema, example) = match operator {
            Operator::Eq => (name, "This id.", id.into(), Some(self.example.into())),
            Operator::Ne => (name, "Any id but this.", id.into(), None),
            Operator::In => {
                (format!("{name}[]"), "One of these ids.", many(), Some(vec![self.example].into()))
            }
            Operator::Nin => (format!("{name}[]"), "None of these ids.", many(), None),
        };
        parameter(&name, description, schema, example)
    }
}

/// Reads the query of a list: one set of ids per field, in the order of the fields, and the page.
/// `mark` applies if the route also serves files.
pub(super) fn list<const N: usize>(
    query: Option<&str>,
    fields: &[Field; N],
    mark: Mark,
) -> Result<([IdSet; N], Pagination)> {
    let reading = Reading { mark, ..Reading::new(fields, true) };
    let (sets, pagination, _) = reading.read(query)?;
    Ok((sets, pagination))
}

/// Reads the query of a file, which has no pages. Returns the sets, and whether the file begins
/// with a byte order mark.
pub(super) fn file<const N: usize>(
    query: Option<&str>,
    fields: &[Field; N],
    format: Format,
) -> Result<([IdSet; N], bool)> {
    let mark = if format == Format::Csv { Mark::Offered(false) } else { Mark::Refused };
    let (sets, _, mark) = Reading { mark, ..Reading::new(fields, false) }.read(query)?;
    Ok((sets, mark == Mark::Offered(true)))
}

/// Refuses every parameter, for routes that have none.
pub(super) fn none(query: Option<&str>) -> Result<()> {
    let mut violations = Violations::new();
    for (name, _) in pairs(query, &mut violations) {
        violations.add(name, "This path has no query parameters.");
    }
    violations.finish()
}

/// Returns the decoded parameters. A name or value that is not UTF-8 becomes a violation.
pub(super) fn pairs(query: Option<&str>, violations: &mut Violations) -> Vec<(String, String)> {
    let decode = |raw: &str| {
        let spaced = raw.replace('+', " ");
        let bytes: Vec<u8> = percent_decode(spaced.as_bytes()).collect();
        String::from_utf8(bytes)
    };
    let mut pairs = Vec::new();
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decode(name), decode(value)) {
            (Ok(name), Ok(value)) => pairs.push((name, value)),
            (Ok(name), Err(_)) => violations.add(name, "Must be UTF-8."),
            (Err(error), _) => violations.add(
                String::from_utf8_lossy(error.as_bytes()),
                "The name of the parameter must be UTF-8.",
            ),
        }
    }
    pairs
}

/// How a route treats `bom`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mark {
    /// As an unknown parameter, because the route serves no file.
    Unknown,
    /// Accepts only 0, because the response is not CSV.
    Refused,
    /// Accepts 0 and 1; contains whether the file begins with a mark.
    Offered(bool),
}

/// The state of a query that is being read.
struct Reading<'a, const N: usize> {
    fields: &'a [Field; N],
    /// Whether `pagination` parameters are accepted.
    is_paged: bool,
    mark: Mark,
    filters: [IdFilter; N],
    limit: Option<i64>,
    offset: Option<i64>,
    /// The parameters seen that may occur only once.
    once: BTreeSet<String>,
    violations: Violations,
}

impl<'a, const N: usize> Reading<'a, N> {
    fn new(fields: &'a [Field; N], is_paged: bool) -> Self {
        Self {
            fields,
            is_paged,
            mark: Mark::Unknown,
            filters: array::from_fn(|_| IdFilter::default()),
            limit: None,
            offset: None,
            once: BTreeSet::new(),
            violations: Violations::new(),
        }
    }

    fn read(mut self, query: Option<&str>) -> Result<([IdSet; N], Pagination, Mark)> {
        for (name, value) in pairs(query, &mut self.violations) {
            self.take(&name, value);
        }
        let Self { fields, filters, limit, offset, mark, mut violations, .. } = self;
        let mut fields = fields.iter();
        let sets = filters.map(|filter| {
            let name = fields.next().map_or("", |field| field.name);
            filter.parse(&format!("filter[{name}]"), FieldStyle::Bracketed, &mut violations)
        });
        let pagination = Pagination::parse(limit, offset, [LIMIT, OFFSET], &mut violations);
        violations.finish()?;
        Ok((sets, pagination, mark))
    }

    fn take(&mut self, name: &str, value: String) {
        let segments = segments(name);
        match segments.as_slice() {
            ["pagination", ..] if !self.is_paged => {
                self.violations.add(name, "A file holds all that matches and has no pages.");
            }
            ["pagination", "limit"] => self.limit = self.number(name, &value).or(self.limit),
            ["pagination", "offset"] => self.offset = self.number(name, &value).or(self.offset),
            [MARK] if self.mark != Mark::Unknown => self.mark(name, &value),
            ["filter", field, operator, index @ ..] => {
                self.filter(name, field, operator, index, value);
            }
            ["filter", ..] => self
                .violations
                .add(name, "A filter names a field and an operator, as in filter[screenerId][eq]."),
            _ => self.violations.add(name, UNKNOWN),
        }
    }

    fn filter(&mut self, name: &str, field: &str, operator: &str, index: &[&str], value: String) {
        let Some(position) = self.fields.iter().position(|known| known.name == field) else {
            let known: Vec<_> = self.fields.iter().map(|known| known.name).collect();
            let reason = format!("Must name one of the fields {}.", known.join(", "));
            return self.violations.add(name, reason);
        };
        let operators = self.fields[position].operators;
        let Some(operator) = operators.iter().find(|known| known.word() == operator) else {
            let known: Vec<_> = operators.iter().map(|known| known.word()).collect();
            let reason = format!("The operators of this field are {}.", known.join(", "));
            return self.violations.add(name, reason);
        };
        let is_list = matches!(operator, Operator::In | Operator::Nin);
        if is_list && !is_list_index(index) {
            let reason = "A list takes no brackets behind it, empty ones, or a number.";
            return self.violations.add(name, reason);
        }
        if !is_list && !index.is_empty() {
            let reason = "This operator takes one value, without brackets behind it.";
            return self.violations.add(name, reason);
        }
        if !is_list && !self.is_first(name) {
            return;
        }
        let filter = &mut self.filters[position];
        match operator {
            Operator::Eq => filter.eq = Some(value),
            Operator::Ne => filter.ne = Some(value),
            Operator::In => filter.is_in.get_or_insert_default().push(value),
            Operator::Nin => filter.not_in.get_or_insert_default().push(value),
        }
    }

    fn mark(&mut self, name: &str, value: &str) {
        if !self.is_first(name) {
            return;
        }
        match value {
            "0" => {}
            "1" if self.mark != Mark::Refused => self.mark = Mark::Offered(true),
            "1" => self.violations.add(name, "For CSV only: send Accept: text/csv."),
            _ => self.violations.add(name, "Must be 0 or 1."),
        }
    }

    fn is_first(&mut self, name: &str) -> bool {
        let is_first = self.once.insert(name.to_owned());
        if !is_first {
            self.violations.add(name, "Must be given only once.");
        }
        is_first
    }

    fn number(&mut self, name: &str, value: &str) -> Option<i64> {
        if !self.is_first(name) {
            return None;
        }
        let number = whole_number(value);
        if number.is_none() {
            self.violations.add(name, "Must be a whole number.");
        }
        number
    }
}

/// Splits `a[b][c]` into `a`, `b`, `c`. A segment with unbalanced brackets matches no name.
pub(super) fn segments(name: &str) -> Vec<&str> {
    match name.split_once('[').and_then(|(root, rest)| Some((root, rest.strip_suffix(']')?))) {
        None => vec![name],
        Some((root, rest)) => std::iter::once(root).chain(rest.split("][")).collect(),
    }
}

pub(super) fn is_list_index(index: &[&str]) -> bool {
    match index {
        [] => true,
        [index] => index.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}

/// Reads digits, with an optional minus. A number beyond 64 bits becomes the nearest within, which
/// means the same: the largest page, or past the end.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nearest = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Some(text.parse().unwrap_or(nearest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::Error;

    const FIELDS: [Field; 2] = [
        Field { name: "id", operators: Operator::ALL, example: "" },
        Field { name: "screenerId", operators: &[Operator::Eq], example: "" },
    ];

    fn only<const N: usize>(ids: [&str; N]) -> IdSet {
        IdSet::Only(ids.map(str::to_owned).into())
    }

    fn all_but<const N: usize>(ids: [&str; N]) -> IdSet {
        IdSet::AllBut(ids.map(str::to_owned).into())
    }

    #[test]
    fn every_form_of_a_filter_reads_the_same() {
        for (query, expected) in [
            ("", all_but([])),
            ("&&", all_but([])),
            ("filter[id][eq]=a", only(["a"])),
            ("filter%5Bid%5D%5Beq%5D=a", only(["a"])),
            ("filter%5bid%5d[eq]=a%26b", only(["a&b"])),
            ("filter[id][eq]=a+b", only(["a b"])),
            ("filter[id][eq]=a,b", only(["a,b"])),
            ("filter[id][eq]=a=b", only(["a=b"])),
            ("filter[id][in][]=a&filter[id][in][]=b", only(["a", "b"])),
            ("filter[id][in][0]=a&filter[id][in][17]=b", only(["a", "b"])),
            ("filter[id][in]=a&filter[id][in]=b", only(["a", "b"])),
            ("filter[id][in][]=a,b", only(["a,b"])),
            ("filter[id][ne]=a", all_but(["a"])),
            ("filter[id][nin][]=a&filter[id][nin]=b", all_but(["a", "b"])),
            ("filter[id][in][]=a&filter[id][in][]=b&filter[id][ne]=a", only(["b"])),
            ("filter[id][eq]=%C3%BC", only(["ü"])),
        ] {
            let ([ids, screeners], _) = list(Some(query), &FIELDS, Mark::Unknown).expect(query);
            assert_eq!(ids, expected, "{query}");
            assert!(screeners.is_everything());
        }
    }

    #[test]
    fn pages_are_read_clamped_and_saturated() {
        for (query, limit, offset) in [
            ("", 100, 0),
            ("pagination[limit]=25&pagination[offset]=0", 25, 0),
            ("pagination%5Blimit%5D=501", 500, 0),
            ("pagination[limit]=99999999999999999999", 500, 0),
            ("pagination[offset]=99999999999999999999", 100, i64::MAX),
            ("pagination[offset]=-0&pagination[limit]=007", 7, 0),
        ] {
            let (_, page) = list(Some(query), &FIELDS, Mark::Unknown).expect(query);
            assert_eq!((page.limit(), page.offset()), (limit, offset), "{query}");
        }
    }

    fn refused(query: &str) -> Vec<String> {
        let error = list(Some(query), &FIELDS, Mark::Unknown).expect_err(query);
        error.violations().iter().map(|violation| violation.field.clone()).collect()
    }

    #[test]
    fn whatever_does_not_fit_is_refused_by_name() {
        for (query, field) in [
            ("limit=5", "limit"),
            ("filter=a", "filter"),
            ("filter[id]=a", "filter[id]"),
            ("filter[id]eq=a", "filter[id]eq"),
            ("filter[id][eq=a", "filter[id][eq"),
            ("filter[[id]][eq]=a", "filter[[id]][eq]"),
            ("filter[id][like]=a", "filter[id][like]"),
            ("filter[id][EQ]=a", "filter[id][EQ]"),
            ("filter[state][eq]=a", "filter[state][eq]"),
            ("filter[screenerId][in][]=a", "filter[screenerId][in][]"),
            ("filter[id][eq][]=a", "filter[id][eq][]"),
            ("filter[id][in][a]=a", "filter[id][in][a]"),
            ("filter[id][in][0][1]=a", "filter[id][in][0][1]"),
            ("filter[id][eq]=a&filter[id][eq]=a", "filter[id][eq]"),
            ("filter[id][eq]=", "filter[id][eq]"),
            ("filter[id][eq]", "filter[id][eq]"),
            ("filter[id][in][]=a&filter[id][in][]=", "filter[id][in]"),
            ("filter[id][eq]=%FF", "filter[id][eq]"),
            ("filter[id][eq]=%00", "filter[id][eq]"),
            ("pagination[limit]=0", LIMIT),
            ("pagination[limit]=-1", LIMIT),
            ("pagination[limit]=-99999999999999999999", LIMIT),
            ("pagination[limit]=abc", LIMIT),
            ("pagination[limit]=1.0", LIMIT),
            ("pagination[limit]=%2B5", LIMIT),
            ("pagination[limit]=", LIMIT),
            ("pagination[limit]=5&pagination[limit]=5", LIMIT),
            ("pagination[offset]=-1", OFFSET),
            ("pagination[page]=1", "pagination[page]"),
            ("pagination[limit][]=1", "pagination[limit][]"),
            ("%FFx=1", "\u{fffd}x"),
        ] {
            assert_eq!(refused(query), [field], "{query}");
        }
    }

    #[test]
    fn ids_and_lists_have_their_limits() {
        let long = "x".repeat(129);
        assert_eq!(refused(&format!("filter[id][eq]={long}")), ["filter[id][eq]"]);
        let many = "filter[id][in][]=a&".repeat(501);
        assert_eq!(refused(&many), ["filter[id][in]"]);
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let query = "a=1&filter[id][eq]=&pagination[limit]=0&filter[b][eq]=x&pagination[offset]=y";
        let expected = ["a", "filter[b][eq]", OFFSET, "filter[id][eq]", LIMIT];
        assert_eq!(refused(query), expected);
    }

    #[test]
    fn a_route_without_parameters_refuses_all() {
        assert!(none(None).is_ok() && none(Some("")).is_ok());
        let fields = |error: Error| error.violations().iter().map(|it| it.field.clone()).collect();
        let refused: Result<(), Vec<String>> = none(Some("a=1&b")).map_err(fields);
        assert_eq!(refused, Err(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn a_byte_order_mark_is_for_csv() {
        let marked = |query, format| match file(Some(query), &FIELDS, format) {
            Ok((_, is_marked)) => Ok(is_marked),
            Err(error) => Err(error.violations()[0].field.clone()),
        };
        for (query, expected) in [
            ("bom=1", Ok(true)),
            ("bom=0", Ok(false)),
            ("", Ok(false)),
            ("bom=2", Err("bom".to_owned())),
            ("bom=", Err("bom".to_owned())),
            ("bom=1&bom=1", Err("bom".to_owned())),
        ] {
            assert_eq!(marked(query, Format::Csv), expected, "{query}");
        }
        assert_eq!(marked("bom=1", Format::Parquet), Err("bom".into()));
        assert_eq!(marked("bom=0", Format::Ndjson), Ok(false));
        assert!(list(Some("bom=0"), &FIELDS, Mark::Refused).is_ok());
        assert!(list(Some("bom=1"), &FIELDS, Mark::Refused).is_err());
        assert!(list(Some("bom=0"), &FIELDS, Mark::Unknown).is_err());
    }
}
