//! The list of a project's submissions: its query and its pages.
//!
//! | parameter | value |
//! |---|---|
//! | `page`, `pageSize` | a whole number from 1 |
//! | `status`; `statuses`, `statuses[]`, `statuses[0]`, repeatable | a status |
//! | `qualified`, `favorite`, `hidden` | `true` or `false` |
//! | `visibilityStatus`, or `visibility` | a visibility |
//! | `includeCount` | `true` or `false`; the count is always included |

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

use super::resource::SubmissionBody;
use crate::app::SubmissionFilter;
use crate::domain::error::{Result, Violations};
use crate::domain::list::{Page, Pagination};
use crate::domain::review::{ReviewStatus, Visibility};
use crate::domain::submission::Submission;
use crate::rest::{query, schema};

/// The default page size, as documented.
const PAGE_SIZE_DEFAULT_ROWS: i64 = 50;
/// The largest page size. A larger one is refused, not reduced: a caller who computes pages from
/// the requested size would miss rows.
const PAGE_SIZE_MAX_ROWS: i64 = 100;
/// The last page number: far beyond every list, and exact in JSON.
const PAGE_MAX: i64 = 1_000_000_000;

/// A documented status that no submission has here, so it matches nothing.
const NEVER: &str = "EXTERNAL_SCREENER_IN_PROGRESS";

/// Returns the parameters for the OpenAPI document.
pub(super) fn parameters() -> Vec<Parameter> {
    let flag = |name, description| {
        let schema = ObjectBuilder::new().schema_type(Type::Boolean).build();
        query::parameter(name, description, schema, Some(true.into()))
    };
    let statuses = Schema::Array(ArrayBuilder::new().items(schema::review_status()).build());
    vec![
        query::whole("page", "Which page, from 1.", 1, 1, 1),
        query::whole(
            "pageSize",
            "How many results a page has at most, 1 to 100.",
            1,
            PAGE_SIZE_DEFAULT_ROWS,
            25,
        ),
        flag("includeCount", "Whether to count the results. They are always counted."),
        query::parameter("status", "This status.", schema::review_status(), Some("PENDING".into())),
        query::parameter(
            "statuses",
            "One of these statuses.",
            statuses,
            Some(vec!["PENDING"].into()),
        ),
        flag("qualified", "Whether the participant qualifies."),
        flag("favorite", "Whether it is a favorite."),
        flag("hidden", "Whether it is hidden."),
        query::parameter(
            "visibilityStatus",
            "This visibility.",
            schema::visibility(),
            Some("VISIBLE".into()),
        ),
        query::parameter(
            "visibility",
            "The same, where the other is not given.",
            schema::visibility(),
            None,
        ),
    ]
}

/// Reads the query, or reports every violation in it.
pub(super) fn read(query: Option<&str>) -> Result<(SubmissionFilter, Pagination)> {
    let mut reading = Reading::default();
    for (name, value) in query::pairs(query, &mut reading.violations) {
        reading.take(&name, &value);
    }
    let Reading { mut filter, page, size, status, statuses, mut violations, .. } = reading;
    filter.statuses = match (status, statuses) {
        (Some(one), Some(several)) => Some(one.intersection(&several).copied().collect()),
        (one, several) => one.or(several),
    };
    let (page, size) = (page.unwrap_or(1), size.unwrap_or(PAGE_SIZE_DEFAULT_ROWS));
    let (limit, offset) = (Some(size), Some((page - 1) * size));
    let pagination = Pagination::parse(limit, offset, ["pageSize", "page"], &mut violations);
    violations.finish_with(Some((filter, pagination)))
}

/// The state of a query that is being read.
#[derive(Default)]
struct Reading {
    filter: SubmissionFilter,
    page: Option<i64>,
    size: Option<i64>,
    status: Option<BTreeSet<ReviewStatus>>,
    statuses: Option<BTreeSet<ReviewStatus>>,
    /// The parameters seen that may occur only once.
    once: BTreeSet<String>,
    violations: Violations,
}

impl Reading {
    fn take(&mut self, name: &str, value: &str) {
        if let ["statuses", index @ ..] = query::segments(name).as_slice()
            && query::is_list_index(index)
        {
            let status = self.status(name, value);
            return self.statuses.get_or_insert_default().extend(status);
        }
        // Two names of the same parameter count as one.
        let once = if name == "visibility" { "visibilityStatus" } else { name };
        if !self.once.insert(once.to_owned()) {
            return self.violations.add(name, "Must be given only once.");
        }
        match name {
            "page" => self.page = self.number(name, value, PAGE_MAX),
            "pageSize" => self.size = self.number(name, value, PAGE_SIZE_MAX_ROWS),
            "includeCount" => drop(self.flag(name, value)),
            "status" => self.status = Some(self.status(name, value).into_iter().collect()),
            "qualified" => self.filter.qualified = self.flag(name, value),
            "favorite" => self.filter.favorite = self.flag(name, value),
            "hidden" => self.filter.hidden = self.flag(name, value),
            "visibility" | "visibilityStatus" => {
                let visibility = self.violations.keep(name, Visibility::parse(value));
                self.filter.visibilities.extend(visibility);
            }
            _ => self.violations.add(name, query::UNKNOWN),
        }
    }

    fn status(&mut self, name: &str, value: &str) -> Option<ReviewStatus> {
        if value == NEVER {
            return None;
        }
        self.violations.keep(name, ReviewStatus::parse(value))
    }

    fn flag(&mut self, name: &str, value: &str) -> Option<bool> {
        let flag = value.parse().map_err(|_| "Must be true or false.".to_owned());
        self.violations.keep(name, flag)
    }

    fn number(&mut self, name: &str, value: &str, most: i64) -> Option<i64> {
        let number = query::whole_number(value).filter(|number| (1..=most).contains(number));
        let number = number.ok_or_else(|| format!("Must be a whole number from 1 to {most}."));
        self.violations.keep(name, number)
    }
}

/// A page of a project's submissions.
#[derive(Serialize, ToSchema)]
#[schema(as = SubmissionPage)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageBody<'a> {
    /// Which page it is, from 1.
    page: i64,
    /// How many results a page has at most.
    page_size: i64,
    /// How many submissions match, on whatever page.
    total_results: i64,
    results: Vec<SubmissionBody<'a>>,
}

impl<'a> From<&'a Page<Submission>> for PageBody<'a> {
    fn from(page: &'a Page<Submission>) -> Self {
        let Page { items, total, pagination } = page;
        Self {
            page: pagination.offset() / pagination.limit() + 1,
            page_size: pagination.limit(),
            total_results: *total,
            results: items.iter().map(SubmissionBody::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_of_the_document_is_read() {
        let (pending, invited) = (ReviewStatus::Pending, ReviewStatus::Invited);
        let of = |statuses: &[ReviewStatus]| Some(statuses.iter().copied().collect());
        for (query, statuses) in [
            ("", None),
            ("status=PENDING", of(&[pending])),
            ("statuses=PENDING&statuses=INVITED", of(&[pending, invited])),
            ("statuses[]=PENDING&statuses%5B%5D=INVITED", of(&[pending, invited])),
            ("statuses[0]=INVITED&statuses[1]=INVITED", of(&[invited])),
            ("status=PENDING&statuses=INVITED&statuses=PENDING", of(&[pending])),
            ("status=PENDING&statuses=INVITED", of(&[])),
            ("status=EXTERNAL_SCREENER_IN_PROGRESS", of(&[])),
            ("statuses=PENDING&statuses=EXTERNAL_SCREENER_IN_PROGRESS", of(&[pending])),
        ] {
            let (filter, _) = read(Some(query)).expect(query);
            assert_eq!(filter, SubmissionFilter { statuses, ..SubmissionFilter::default() });
        }
        for name in ["visibility", "visibilityStatus"] {
            let query = format!(
                "qualified=true&favorite=false&hidden=true&{name}=ONHOLD&includeCount=false"
            );
            let (filter, _) = read(Some(&query)).expect("a query");
            let expected = SubmissionFilter {
                qualified: Some(true),
                favorite: Some(false),
                hidden: Some(true),
                visibilities: [Visibility::OnHold].into(),
                ..SubmissionFilter::default()
            };
            assert_eq!(filter, expected);
        }
    }

    #[test]
    fn a_page_is_where_its_number_and_size_say() {
        for (query, size, offset) in [
            ("", 50, 0),
            ("page=2", 50, 50),
            ("page=3&pageSize=7", 7, 14),
            ("pageSize=100", 100, 0),
            ("page=1000000000&pageSize=100", 100, 99_999_999_900),
        ] {
            let (_, page) = read(Some(query)).expect(query);
            assert_eq!((page.limit(), page.offset()), (size, offset), "{query}");
            let empty = Page { items: Vec::new(), total: 9, pagination: page };
            let body = PageBody::from(&empty);
            assert_eq!((body.page, body.page_size), (offset / size + 1, size), "{query}");
        }
    }

    #[test]
    fn whatever_does_not_fit_is_refused_by_name() {
        for (query, fields) in [
            ("page=0&pageSize=0", &["page", "pageSize"][..]),
            ("page=-1&pageSize=101", &["page", "pageSize"]),
            ("page=1.5&pageSize=", &["page", "pageSize"]),
            ("page=1000000001", &["page"]),
            ("page=99999999999999999999", &["page"]),
            ("page=1&page=1", &["page"]),
            ("status=pending&statuses[]=PAID,INVITED", &["status", "statuses[]"]),
            ("status=PAID&status=PAID", &["status"]),
            ("statuses[a]=PAID", &["statuses[a]"]),
            ("qualified=1&favorite=True&hidden=", &["qualified", "favorite", "hidden"]),
            ("visibility=HIDDEN", &["visibility"]),
            ("visibility=VISIBLE&visibilityStatus=VISIBLE", &["visibilityStatus"]),
            ("includeCount=yes", &["includeCount"]),
            ("limit=1&filter[status][eq]=PAID", &["limit", "filter[status][eq]"]),
        ] {
            let error = read(Some(query)).expect_err(query);
            let refused: Vec<_> = error.violations().iter().map(|it| it.field.as_str()).collect();
            assert_eq!(refused, fields, "{query}");
        }
    }
}
