//! `ParticipantService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::admitted;
use super::convert::{charged, label, list_response, opt_label, page_of, wire_words, word};
use crate::app::{App, NewParticipant};
use crate::domain::error::{Result, Violations};
use crate::domain::id::{ParticipantId, ScreenerId};
use crate::domain::participant::{
    Assignment, ExternalUid, IdVerification, Participant, ParticipantName, ParticipantUpdate,
    TextChange,
};
use crate::domain::screener_participant::{ScreenerParticipant, Standing};
use crate::pb::screener::v1;
use crate::pb::screener::v1::get_participant_request::Participant as Named;
use crate::pb::screener::v1::get_screener_participant_request::Participant as InScreener;
use crate::pb::screener::v1::participant_service_server::ParticipantService;

/// The service.
pub(super) struct Participants(pub(super) Arc<App>);

#[tonic::async_trait]
impl ParticipantService for Participants {
    async fn create_participant(
        &self,
        request: Request<v1::CreateParticipantRequest>,
    ) -> Result<Response<v1::CreateParticipantResponse>, Status> {
        let (caller, message) = admitted(request);
        let participant = self.0.create_participant(&caller, new_participant(message)?).await?;
        let participant = Some(participant.into());
        Ok(Response::new(v1::CreateParticipantResponse { participant }))
    }

    async fn get_participant(
        &self,
        request: Request<v1::GetParticipantRequest>,
    ) -> Result<Response<v1::GetParticipantResponse>, Status> {
        let (caller, message) = admitted(request);
        let participant = self.0.get_participant(&caller, &name(message)?).await?;
        Ok(Response::new(v1::GetParticipantResponse { participant: Some(participant.into()) }))
    }

    async fn get_screener_participant(
        &self,
        request: Request<v1::GetScreenerParticipantRequest>,
    ) -> Result<Response<v1::GetScreenerParticipantResponse>, Status> {
        let (caller, message) = admitted(request);
        let (screener, name) = name_in_screener(message)?;
        let found = self.0.get_screener_participant(&caller, &screener, &name).await?;
        let screener_participant = Some(found.into());
        Ok(Response::new(v1::GetScreenerParticipantResponse { screener_participant }))
    }

    async fn list_participants(
        &self,
        request: Request<v1::ListParticipantsRequest>,
    ) -> Result<Response<v1::ListParticipantsResponse>, Status> {
        let (caller, v1::ListParticipantsRequest { pagination }) = admitted(request);
        let page = self.0.list_participants(&caller, page_of(pagination)?).await?;
        Ok(charged(page, |page| Response::new(page.into())))
    }

    async fn update_participant(
        &self,
        request: Request<v1::UpdateParticipantRequest>,
    ) -> Result<Response<v1::UpdateParticipantResponse>, Status> {
        let (caller, message) = admitted(request);
        let (id, update) = update(message)?;
        let participant = self.0.update_participant(&caller, id, update).await?;
        let participant = Some(participant.into());
        Ok(Response::new(v1::UpdateParticipantResponse { participant }))
    }

    async fn set_id_verification(
        &self,
        request: Request<v1::SetIdVerificationRequest>,
    ) -> Result<Response<v1::SetIdVerificationResponse>, Status> {
        let (caller, message) = admitted(request);
        let (id, state) = id_verification(message)?;
        let participant = self.0.set_id_verification(&caller, id, state).await?;
        let participant = Some(participant.into());
        Ok(Response::new(v1::SetIdVerificationResponse { participant }))
    }
}

fn new_participant(message: v1::CreateParticipantRequest) -> Result<NewParticipant> {
    let v1::CreateParticipantRequest { id, external_uid, name, email } = message;
    let mut violations = Violations::new();
    let id = id.and_then(|id| violations.keep("id", ParticipantId::parse(&id)));
    let uid = external_uid.map(|uid| ExternalUid::parse(&uid)).transpose();
    let external_uid = violations.keep("external_uid", uid).flatten();
    let name = opt_label(&mut violations, "name", name);
    let email = opt_label(&mut violations, "email", email);
    violations.finish()?;
    Ok(NewParticipant { id, external_uid, name, email })
}

fn by_id(id: &str, violations: &mut Violations) -> Option<ParticipantName> {
    violations.keep("id", ParticipantId::parse(id)).map(ParticipantName::Id)
}

fn by_external_uid(uid: &str, violations: &mut Violations) -> Option<ParticipantName> {
    violations.keep("external_uid", ExternalUid::parse(uid)).map(ParticipantName::ExternalUid)
}

fn unnamed(violations: &mut Violations) -> Option<ParticipantName> {
    violations.add("participant", "Required: an id or an external uid.");
    None
}

fn name_in_screener(
    message: v1::GetScreenerParticipantRequest,
) -> Result<(ScreenerId, ParticipantName)> {
    let v1::GetScreenerParticipantRequest { screener_id, participant } = message;
    let mut violations = Violations::new();
    let screener = violations.keep("screener_id", ScreenerId::parse(&screener_id));
    let name = match participant {
        Some(InScreener::Id(id)) => by_id(&id, &mut violations),
        Some(InScreener::ExternalUid(uid)) => by_external_uid(&uid, &mut violations),
        None => unnamed(&mut violations),
    };
    violations.finish_with(screener.zip(name))
}

fn name(message: v1::GetParticipantRequest) -> Result<ParticipantName> {
    let v1::GetParticipantRequest { participant } = message;
    let mut violations = Violations::new();
    let name = match participant {
        Some(Named::Id(id)) => by_id(&id, &mut violations),
        Some(Named::ExternalUid(uid)) => by_external_uid(&uid, &mut violations),
        None => unnamed(&mut violations),
    };
    violations.finish_with(name)
}

/// Reads the change of a text: none, a new text, or an empty one, which removes the old text.
fn change(violations: &mut Violations, field: &str, text: Option<String>) -> TextChange {
    match text {
        None => TextChange::Keep,
        Some(text) if text.is_empty() => TextChange::Clear,
        Some(text) => label(violations, field, text).map_or(TextChange::Keep, TextChange::Set),
    }
}

fn update(message: v1::UpdateParticipantRequest) -> Result<(ParticipantId, ParticipantUpdate)> {
    let v1::UpdateParticipantRequest { id, name, email } = message;
    let mut violations = Violations::new();
    let id = violations.keep("id", ParticipantId::parse(&id));
    let name = change(&mut violations, "name", name);
    let email = change(&mut violations, "email", email);
    let id = violations.finish_with(id)?;
    Ok((id, ParticipantUpdate { name, email }))
}

fn id_verification(
    message: v1::SetIdVerificationRequest,
) -> Result<(ParticipantId, IdVerification)> {
    let v1::SetIdVerificationRequest { id, id_verification } = message;
    let mut violations = Violations::new();
    let id = violations.keep("id", ParticipantId::parse(&id));
    let state = violations.keep("id_verification", parse_state(id_verification));
    violations.finish_with(id.zip(state))
}

fn parse_state(number: i32) -> Result<IdVerification, String> {
    word::<_, v1::IdVerification>(
        IdVerification::ALL,
        number,
        "Required: none, pending, passed or failed.",
    )
}

list_response!(Participant => ListParticipantsResponse);

impl From<Participant> for v1::Participant {
    fn from(participant: Participant) -> Self {
        let Participant { id, external_uid, name, email, id_verification } = participant;
        Self {
            id: id.to_string(),
            external_uid: external_uid.map(|uid| uid.to_string()),
            name,
            email,
            id_verification: v1::IdVerification::from(id_verification).into(),
        }
    }
}

impl From<ScreenerParticipant> for v1::ScreenerParticipant {
    fn from(found: ScreenerParticipant) -> Self {
        let ScreenerParticipant { assignment, standing, newest_session } = found;
        let Assignment { id, screener, participant, key_epoch: _ } = assignment;
        Self {
            id: id.to_string(),
            screener_id: screener.to_string(),
            participant_id: participant.to_string(),
            status: v1::ScreenerParticipantStatus::from(standing).into(),
            newest_session_id: newest_session.map(|id| id.to_string()),
        }
    }
}

wire_words!(Standing => ScreenerParticipantStatus {
    NotStarted, InProgress, Qualified, Disqualified, Unknown
});

wire_words!(IdVerification => IdVerification { None, Pending, Passed, Failed });

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<T>(result: Result<T>) -> Vec<String> {
        let refused = result.err().expect("a refusal");
        refused.violations().iter().map(|it| it.field.clone()).collect()
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let message = v1::CreateParticipantRequest {
            id: Some(String::new()),
            external_uid: Some("a\u{7}".into()),
            name: Some(String::new()),
            email: Some("x".repeat(501)),
        };
        let expected = ["id", "external_uid", "name", "email"];
        assert_eq!(fields(new_participant(message)), expected);
        let long = Some("x".repeat(501));
        let message =
            v1::UpdateParticipantRequest { id: String::new(), name: long.clone(), email: long };
        assert_eq!(fields(update(message)), ["id", "name", "email"]);
        let message = v1::SetIdVerificationRequest { id: String::new(), id_verification: 0 };
        assert_eq!(fields(id_verification(message)), ["id", "id_verification"]);
        for (named, field) in [
            (None, "participant"),
            (Some(Named::Id(String::new())), "id"),
            (Some(Named::ExternalUid(String::new())), "external_uid"),
        ] {
            let message = v1::GetParticipantRequest { participant: named };
            assert_eq!(fields(name(message)), [field]);
        }
        for (participant, field) in [
            (None, "participant"),
            (Some(InScreener::Id(String::new())), "id"),
            (Some(InScreener::ExternalUid(String::new())), "external_uid"),
        ] {
            let screener_id = String::new();
            let message = v1::GetScreenerParticipantRequest { screener_id, participant };
            assert_eq!(fields(name_in_screener(message)), ["screener_id", field]);
        }
    }

    #[test]
    fn only_a_state_of_the_contract_is_one() {
        for number in [0, 5, -1] {
            assert!(parse_state(number).is_err(), "{number}");
        }
        for state in IdVerification::ALL {
            assert_eq!(parse_state(v1::IdVerification::from(*state).into()).as_ref(), Ok(state));
        }
    }
}
