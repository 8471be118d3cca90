//! `HistoryService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::admitted;
use super::convert::{ListQuery, charged, list_response, timestamp, wire_words, word};
use crate::app::{App, ChangeFilter};
use crate::domain::change::{Action, Change, Entry, FieldChange, Subject};
use crate::domain::error::{Result, Violations};
use crate::domain::id::check_id;
use crate::pb::screener::v1;
use crate::pb::screener::v1::history_service_server::HistoryService;

/// The service.
pub(super) struct Histories(pub(super) Arc<App>);

#[tonic::async_trait]
impl HistoryService for Histories {
    async fn list_changes(
        &self,
        request: Request<v1::ListChangesRequest>,
    ) -> Result<Response<v1::ListChangesResponse>, Status> {
        let (caller, message) = admitted(request);
        let ListQuery { filter, pagination } = list(message)?;
        let page = self.0.list_changes(&caller, &filter, pagination).await?;
        Ok(charged(page, |page| Response::new(page.into())))
    }
}

fn subject(number: i32) -> Result<Subject, String> {
    word::<_, v1::ChangeSubject>(Subject::ALL, number, "Must be a subject of the contract.")
}

/// Reads the requested row. A name without one of its halves, or with an invalid one, is refused.
fn row(filter: v1::ChangeFilter, violations: &mut Violations) -> Option<(Subject, String)> {
    let v1::ChangeFilter { subject: kind, subject_id } = filter;
    let id = subject_id.and_then(|v1::IdEqFilter { eq }| eq);
    match (kind, &id) {
        (Some(_), None) => {
            violations.add("filter.subject_id", "Required with filter.subject.");
        }
        (None, Some(_)) => violations.add("filter.subject", "Required with filter.subject_id."),
        (Some(_), Some(_)) | (None, None) => {}
    }
    let kind = kind.and_then(|number| violations.keep("filter.subject", subject(number)));
    let id = id.and_then(|id| {
        let checked = check_id(&id);
        violations.keep("filter.subject_id.eq", checked).map(|()| id)
    });
    kind.zip(id)
}

fn list(message: v1::ListChangesRequest) -> Result<ListQuery<ChangeFilter>> {
    let v1::ListChangesRequest { filter, pagination } = message;
    ListQuery::read(pagination, |violations| ChangeFilter {
        row: filter.and_then(|filter| row(filter, violations)),
    })
}

list_response!(Entry => ListChangesResponse);

impl From<Entry> for v1::Change {
    fn from(entry: Entry) -> Self {
        let Entry { seq, change } = entry;
        let Change { at, actor, action, subject, subject_id, fields } = change;
        Self {
            seq: Some(seq),
            at: Some(timestamp(at)),
            actor,
            action: v1::ChangeAction::from(action).into(),
            subject: v1::ChangeSubject::from(subject).into(),
            subject_id,
            fields: fields.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<FieldChange> for v1::FieldChange {
    fn from(field: FieldChange) -> Self {
        let FieldChange { name, before, after } = field;
        Self { name, before, after }
    }
}

wire_words!(Subject => ChangeSubject {
    Tenant, Credential, Session, Submission, Project, Participant, Screener, ScreenerParticipant
});

impl From<Action> for v1::ChangeAction {
    /// Converts by the word, so that only the table of verbs and the contract list the verbs of the
    /// review.
    fn from(action: Action) -> Self {
        let name = format!("CHANGE_ACTION_{}", action.as_str());
        Self::from_str_name(&name).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::review::Verb;

    #[test]
    fn every_subject_is_read_as_it_is_written() {
        for known in Subject::ALL {
            let number = v1::ChangeSubject::from(*known).into();
            assert_eq!(subject(number), Ok(*known));
            let word = v1::ChangeSubject::from(*known).as_str_name();
            assert_eq!(word.strip_prefix("CHANGE_SUBJECT_"), Some(known.as_str()));
        }
        let verbs = Verb::ALL.iter().map(|verb| Action::Review(*verb));
        for action in Action::ALL.iter().copied().chain(verbs) {
            let word = v1::ChangeAction::from(action).as_str_name();
            assert_eq!(word.strip_prefix("CHANGE_ACTION_"), Some(action.as_str()));
        }
    }
}
