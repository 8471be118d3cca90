//! Validation of requests for pages of submissions.

use super::command::{set, visibility};
use crate::app::SubmissionFilter;
use crate::domain::error::{Result, Violations};
use crate::domain::id::{ProjectId, ScreenerId};
use crate::domain::review::ReviewStatus;
use crate::domain::submission::Submission;
use crate::domain::time::Timestamp;
use crate::grpc::convert::{ListQuery, instant, list_response, word};
use crate::pb::screener::v1;

/// Reads the filter and the page of a list.
pub(super) fn list(message: v1::ListSubmissionsRequest) -> Result<ListQuery<SubmissionFilter>> {
    let v1::ListSubmissionsRequest { filter, pagination } = message;
    ListQuery::read(pagination, |violations| {
        filter.map(|filter| submission_filter(filter, violations)).unwrap_or_default()
    })
}

list_response!(Submission => ListSubmissionsResponse);

fn submission_filter(
    message: v1::SubmissionFilter,
    violations: &mut Violations,
) -> SubmissionFilter {
    let v1::SubmissionFilter {
        project_id,
        screener_id,
        statuses,
        qualified,
        hidden,
        visibilities,
        created_at,
        favorite,
    } = message;
    let project = project_id.and_then(|v1::IdEqFilter { eq }| eq);
    let project =
        project.and_then(|id| violations.keep("filter.project_id.eq", ProjectId::parse(&id)));
    let screener = screener_id.and_then(|v1::IdEqFilter { eq }| eq);
    let screener =
        screener.and_then(|id| violations.keep("filter.screener_id.eq", ScreenerId::parse(&id)));
    let statuses =
        (!statuses.is_empty()).then(|| set("filter.statuses", statuses, status, violations));
    let visibilities = set("filter.visibilities", visibilities, visibility, violations);
    let (created_from, created_to) =
        created_at.map(|range| time_range(range, violations)).unwrap_or_default();
    SubmissionFilter {
        project,
        screener,
        statuses,
        qualified,
        favorite,
        hidden,
        visibilities,
        created_from,
        created_to,
    }
}

fn time_range(
    range: v1::TimeRange,
    violations: &mut Violations,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let v1::TimeRange { from, to } = range;
    let from = from.and_then(|it| violations.keep("filter.created_at.from", instant(&it)));
    let to = to.and_then(|it| violations.keep("filter.created_at.to", instant(&it)));
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        violations.add("filter.created_at.to", "Must begin before it ends.");
    }
    (from, to)
}

fn status(number: i32) -> Result<ReviewStatus, String> {
    word::<_, v1::SubmissionStatus>(ReviewStatus::ALL, number, "Must be a status of the contract.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_named() {
        let eq = |id: &str| Some(v1::IdEqFilter { eq: Some(id.into()) });
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let filter = |created_at| v1::SubmissionFilter {
            project_id: eq(""),
            screener_id: eq(&"x".repeat(129)),
            statuses: vec![1, 0, 10, 10],
            qualified: Some(true),
            hidden: None,
            visibilities: vec![-1],
            created_at: Some(created_at),
            favorite: None,
        };
        for (range, fields) in [
            (v1::TimeRange { from: at(5), to: at(5) }, vec!["filter.created_at.to"]),
            (
                v1::TimeRange { from: at(i64::MAX), to: at(i64::MIN) },
                vec!["filter.created_at.from", "filter.created_at.to"],
            ),
            (v1::TimeRange { from: at(5), to: at(6) }, vec![]),
            (v1::TimeRange { from: None, to: at(6) }, vec![]),
        ] {
            let pagination = Some(v1::Pagination { limit: Some(0), offset: Some(-1) });
            let filter = Some(filter(range));
            let refused = list(v1::ListSubmissionsRequest { filter, pagination });
            let refused = refused.expect_err("a refusal");
            let named: Vec<_> = refused.violations().iter().map(|it| it.field.as_str()).collect();
            let mut expected = vec![
                "filter.project_id.eq",
                "filter.screener_id.eq",
                "filter.statuses",
                "filter.statuses",
                "filter.visibilities",
            ];
            expected.extend(fields);
            expected.extend(["pagination.limit", "pagination.offset"]);
            assert_eq!(named, expected);
        }
    }

    #[test]
    fn every_status_is_read_as_it_is_written() {
        for known in ReviewStatus::ALL {
            assert_eq!(status(v1::SubmissionStatus::from(*known).into()), Ok(*known));
        }
    }
}
