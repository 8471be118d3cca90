//! Validation of requests that create sessions.

use crate::domain::error::{Error, Result, Violations};
use crate::domain::id::{ParticipantId, ScreenerId};
use crate::domain::participant::{ExternalUid, ParticipantName};
use crate::domain::session::{BATCH_MAX_SESSIONS, NewSession};
use crate::pb::screener::v1;
use crate::pb::screener::v1::create_screener_session_request::Participant as Named;

/// Validates one request; its fields are reported below a path.
fn parse(
    message: v1::CreateScreenerSessionRequest,
    path: &str,
    violations: &mut Violations,
) -> Option<NewSession> {
    let v1::CreateScreenerSessionRequest { screener_id, participant } = message;
    let screener = violations.keep(&format!("{path}screener_id"), ScreenerId::parse(&screener_id));
    let participant = match participant {
        Some(Named::ParticipantId(id)) => violations
            .keep(&format!("{path}participant_id"), ParticipantId::parse(&id))
            .map(ParticipantName::Id),
        Some(Named::ExternalUid(uid)) => violations
            .keep(&format!("{path}external_uid"), ExternalUid::parse(&uid))
            .map(ParticipantName::ExternalUid),
        None => {
            let reason = "Required: a participant's id or an external uid.";
            violations.add(format!("{path}participant"), reason);
            None
        }
    };
    Some(NewSession { screener: screener?, participant: participant? })
}

/// Validates the request for one session.
pub(super) fn new_session(message: v1::CreateScreenerSessionRequest) -> Result<NewSession> {
    let mut violations = Violations::new();
    let new = parse(message, "", &mut violations);
    violations.finish_with(new)
}

/// Validates the requests of a batch.
pub(super) fn new_sessions(
    message: v1::BatchCreateScreenerSessionsRequest,
) -> Result<Vec<NewSession>> {
    let v1::BatchCreateScreenerSessionsRequest { requests } = message;
    // Refuse a long list by its length: otherwise each invalid request would add a violation.
    if !(1..=BATCH_MAX_SESSIONS).contains(&requests.len()) {
        let reason = format!("Must have 1 to {BATCH_MAX_SESSIONS} requests.");
        return Err(Error::invalid_field("requests", reason));
    }
    let mut violations = Violations::new();
    let mut new = Vec::with_capacity(requests.len());
    for (position, request) in requests.into_iter().enumerate() {
        new.extend(parse(request, &format!("requests[{position}]."), &mut violations));
    }
    violations.finish()?;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(screener: &str, participant: Option<Named>) -> v1::CreateScreenerSessionRequest {
        v1::CreateScreenerSessionRequest { screener_id: screener.into(), participant }
    }

    fn fields<T>(result: Result<T>) -> Vec<String> {
        let refused = result.err().expect("a refusal");
        refused.violations().iter().map(|it| it.field.clone()).collect()
    }

    #[test]
    fn a_request_names_its_fields_and_a_batch_their_positions() {
        assert_eq!(fields(new_session(request("", None))), ["screener_id", "participant"]);
        let good = || Some(Named::ExternalUid("crm-1".into()));
        let requests = vec![
            request("scr_1", good()),
            request("", Some(Named::ParticipantId(String::new()))),
            request("scr_1", good()),
            request("scr_1", Some(Named::ExternalUid("a\nb".into()))),
        ];
        let batch = new_sessions(v1::BatchCreateScreenerSessionsRequest { requests });
        assert_eq!(
            fields(batch),
            ["requests[1].screener_id", "requests[1].participant_id", "requests[3].external_uid"]
        );
    }

    #[test]
    fn a_batch_has_1_to_1000_requests() {
        for (count, is_good) in [(0, false), (1, true), (1000, true), (1001, false)] {
            let one = request("scr_1", Some(Named::ExternalUid("crm-1".into())));
            let message = v1::BatchCreateScreenerSessionsRequest { requests: vec![one; count] };
            match new_sessions(message) {
                Ok(new) => assert!(is_good && new.len() == count, "{count}"),
                refused @ Err(_) => {
                    assert!(!is_good, "{count}");
                    assert_eq!(fields(refused), ["requests"]);
                }
            }
        }
    }
}
