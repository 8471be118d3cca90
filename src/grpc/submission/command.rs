//! Validation of requests about submissions.

use std::collections::BTreeSet;

use crate::domain::error::{Error, Result, Violations};
use crate::domain::id::{ProjectId, SessionId};
use crate::domain::review::{
    CancellationReason, Decision, DisqualificationReason, RejectionMessage, ReportReason,
    Visibility,
};
use crate::domain::submission::BATCH_MAX_SUBMISSIONS;
use crate::grpc::convert::word;
use crate::pb::screener::v1;

/// A submission and its project.
pub(super) type Target = (ProjectId, SessionId);

/// Converts requests that name a submission to be read.
macro_rules! get_queries {
    ($($request:ident),+) => {$(
        impl TryFrom<v1::$request> for Target {
            type Error = Error;

            fn try_from(message: v1::$request) -> Result<Self> {
                let v1::$request { project_id, id } = message;
                let mut violations = Violations::new();
                let target = target(&project_id, &id, &mut violations);
                violations.finish_with(target)
            }
        }
    )+};
}

get_queries!(GetSubmissionRequest, ExplainSubmissionRequest);

/// A submission, and the decision about it.
pub(super) type Command = (Target, Decision);

/// Reads the ids, and then the fields of this decision.
pub(super) fn command(
    project: &str,
    id: &str,
    decision: impl FnOnce(&mut Violations) -> Option<Decision>,
) -> Result<Command> {
    let mut violations = Violations::new();
    let target = target(project, id, &mut violations);
    let decision = decision(&mut violations);
    violations.finish_with(target.zip(decision))
}

fn target(project: &str, id: &str, violations: &mut Violations) -> Option<Target> {
    let project = violations.keep("project_id", ProjectId::parse(project));
    let id = violations.keep("id", SessionId::parse(id));
    project.zip(id)
}

pub(super) fn visibility(number: i32) -> Result<Visibility, String> {
    word::<_, v1::Visibility>(Visibility::ALL, number, "Must be a visibility of the contract.")
}

/// Several submissions of one project, and the decision about all of them.
pub(super) type BatchCommand = ((ProjectId, Vec<SessionId>), Decision);

/// Reads the ids, and then the fields of this decision.
pub(super) fn batch_command(
    project: &str,
    ids: &[String],
    decision: impl FnOnce(&mut Violations) -> Option<Decision>,
) -> Result<BatchCommand> {
    let mut violations = Violations::new();
    let project = violations.keep("project_id", ProjectId::parse(project));
    let ids = batch_ids(ids, &mut violations);
    let decision = decision(&mut violations);
    violations.finish_with(project.zip(ids).zip(decision))
}

fn batch_ids(ids: &[String], violations: &mut Violations) -> Option<Vec<SessionId>> {
    if ids.is_empty() || ids.len() > BATCH_MAX_SUBMISSIONS {
        violations.add("ids", format!("Must have 1 to {BATCH_MAX_SUBMISSIONS} ids."));
        return None;
    }
    let read = |(position, id): (usize, &String)| {
        violations.keep(&format!("ids[{position}]"), SessionId::parse(id))
    };
    // All of them are read before one fails, so that every violation is reported.
    let ids: Vec<_> = ids.iter().enumerate().map(read).collect();
    ids.into_iter().collect()
}

pub(super) fn rejection(message: Option<String>, violations: &mut Violations) -> Option<Decision> {
    violations.keep("message", RejectionMessage::parse(message)).map(Decision::Reject)
}

/// Returns the members for a list of numbers. Unknown numbers are refused.
pub(super) fn set<T: Ord>(
    field: &str,
    numbers: Vec<i32>,
    parse: fn(i32) -> Result<T, String>,
    violations: &mut Violations,
) -> BTreeSet<T> {
    let mut members = BTreeSet::new();
    // Each number is read once, so that a million invalid ones add few violations.
    for number in numbers.into_iter().collect::<BTreeSet<_>>() {
        members.extend(violations.keep(field, parse(number)));
    }
    members
}

/// Reads the reasons of a disqualification: the first, and further ones.
pub(super) fn disqualification_reasons(
    one: i32,
    more: Vec<i32>,
    violations: &mut Violations,
) -> Option<BTreeSet<DisqualificationReason>> {
    let parse = |number| {
        word::<_, v1::DisqualificationReason>(DisqualificationReason::ALL, number, "Required.")
    };
    let is_absent = one == 0 && !more.is_empty();
    let mut reasons = set("reasons", more, parse, violations);
    if !is_absent {
        reasons.extend(violations.keep("reason", parse(one)));
    }
    Some(reasons).filter(|reasons| !reasons.is_empty())
}

pub(super) fn cancellation_reason(number: i32) -> Result<Option<CancellationReason>, String> {
    let reason = (number != 0).then(|| {
        word::<_, v1::CancellationReason>(
            CancellationReason::ALL,
            number,
            "Must be a reason of the contract.",
        )
    });
    reason.transpose()
}

pub(super) fn report_reason(number: i32) -> Result<ReportReason, String> {
    word::<_, v1::ReportReason>(ReportReason::ALL, number, "Must be a reason of the contract.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(refused: &Error) -> Vec<&str> {
        refused.violations().iter().map(|it| it.field.as_str()).collect()
    }

    #[test]
    fn all_three_fields_of_a_rejection_are_checked() {
        let message = v1::RejectSubmissionRequest {
            project_id: String::new(),
            id: "s".repeat(129),
            message: Some("m".repeat(2_001)),
        };
        let refused = Command::try_from(message).expect_err("a refusal");
        assert_eq!(fields(&refused), ["project_id", "id", "message"]);
    }

    #[test]
    fn what_a_decision_needs_is_named_beside_the_ids() {
        let disqualify = v1::DisqualifySubmissionRequest {
            reason: 77,
            message: Some("m".repeat(2_001)),
            ..v1::DisqualifySubmissionRequest::default()
        };
        let refused = Command::try_from(disqualify).expect_err("a refusal");
        assert_eq!(fields(&refused), ["project_id", "id", "reason", "message"]);
        let schedule = v1::ScheduleSubmissionRequest::default();
        let refused = Command::try_from(schedule).expect_err("a refusal");
        assert_eq!(fields(&refused), ["project_id", "id", "scheduled_at"]);
        let visibility = v1::SetSubmissionVisibilityRequest::default();
        let refused = Command::try_from(visibility).expect_err("a refusal");
        assert_eq!(fields(&refused), ["project_id", "id", "visibility"]);
    }

    #[test]
    fn a_batch_has_1_to_100_ids_and_names_each_bad_one() {
        let batch = |ids: Vec<String>| {
            let project_id = "proj_1".into();
            BatchCommand::try_from(v1::BatchQualifySubmissionsRequest { project_id, ids })
        };
        let ((_, ids), _) = batch(vec!["s".into(); 100]).expect("a batch");
        assert_eq!(ids.len(), 100);
        for count in [0, 101] {
            let refused = batch(vec!["s".into(); count]).expect_err("a refusal");
            assert_eq!(fields(&refused), ["ids"]);
        }
        let refused = batch(vec![String::new(), "s".into(), "s".repeat(129)]);
        assert_eq!(fields(&refused.expect_err("a refusal")), ["ids[0]", "ids[2]"]);
    }

    #[test]
    fn a_favorite_is_one_unless_it_is_said_that_it_is_not() {
        for (favorite, expected) in [(None, true), (Some(true), true), (Some(false), false)] {
            let (project_id, id) = ("proj_1".into(), "s".into());
            let message = v1::FavoriteSubmissionRequest { project_id, id, favorite };
            let (_, decision) = Command::try_from(message).expect("a command");
            assert_eq!(decision, Decision::Favorite(expected));
        }
    }
}
