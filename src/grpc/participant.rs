//! `ParticipantService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::admit;
use super::convert::{label, list_response, opt_label, pagination};
use crate::app::{App, NewParticipant, ReadParticipants, WriteParticipants};
use crate::domain::error::{Error, Result, Violations};
use crate::domain::id::ParticipantId;
use crate::domain::list::Pagination;
use crate::domain::participant::{
    IdVerification, Participant, ParticipantName, ParticipantUpdate, TextChange, check_external_uid,
};
use crate::pb::screener::v1;
use crate::pb::screener::v1::get_participant_request::Participant as Named;
use crate::pb::screener::v1::participant_service_server::ParticipantService;

/// The service.
pub(super) struct Participants(pub(super) Arc<App>);

#[tonic::async_trait]
impl ParticipantService for Participants {
    async fn create_participant(
        &self,
        request: Request<v1::CreateParticipantRequest>,
    ) -> Result<Response<v1::CreateParticipantResponse>, Status> {
        let (caller, message) = admit::<WriteParticipants, _>(&self.0, request).await?;
        let participant = self.0.create_participant(&caller, message.try_into()?).await?;
        let participant = Some(participant.into());
        Ok(Response::new(v1::CreateParticipantResponse { participant }))
    }

    async fn get_participant(
        &self,
        request: Request<v1::GetParticipantRequest>,
    ) -> Result<Response<v1::GetParticipantResponse>, Status> {
        let (caller, message) = admit::<ReadParticipants, _>(&self.0, request).await?;
        let participant = self.0.get_participant(&caller, &message.try_into()?).await?;
        Ok(Response::new(v1::GetParticipantResponse { participant: Some(participant.into()) }))
    }

    async fn list_participants(
        &self,
        request: Request<v1::ListParticipantsRequest>,
    ) -> Result<Response<v1::ListParticipantsResponse>, Status> {
        let (caller, message) = admit::<ReadParticipants, _>(&self.0, request).await?;
        let page = self.0.list_participants(&caller, message.try_into()?).await?;
        Ok(Response::new(page.into()))
    }

    async fn update_participant(
        &self,
        request: Request<v1::UpdateParticipantRequest>,
    ) -> Result<Response<v1::UpdateParticipantResponse>, Status> {
        let (caller, message) = admit::<WriteParticipants, _>(&self.0, request).await?;
        let Change { id, update } = message.try_into()?;
        let participant = self.0.update_participant(&caller, id, update).await?;
        let participant = Some(participant.into());
        Ok(Response::new(v1::UpdateParticipantResponse { participant }))
    }

    async fn set_id_verification(
        &self,
        request: Request<v1::SetIdVerificationRequest>,
    ) -> Result<Response<v1::SetIdVerificationResponse>, Status> {
        let (caller, message) = admit::<WriteParticipants, _>(&self.0, request).await?;
        let Verification { id, state } = message.try_into()?;
        let participant = self.0.set_id_verification(&caller, id, state).await?;
        let participant = Some(participant.into());
        Ok(Response::new(v1::SetIdVerificationResponse { participant }))
    }
}

impl TryFrom<v1::CreateParticipantRequest> for NewParticipant {
    type Error = Error;

    fn try_from(message: v1::CreateParticipantRequest) -> Result<Self> {
        let v1::CreateParticipantRequest { id, external_uid, name, email } = message;
        let mut violations = Violations::new();
        let id = id.and_then(|id| violations.keep("id", ParticipantId::parse(&id)));
        if let Some(uid) = &external_uid {
            violations.keep("external_uid", check_external_uid(uid));
        }
        let name = opt_label(&mut violations, "name", name);
        let email = opt_label(&mut violations, "email", email);
        violations.finish()?;
        Ok(Self { id, external_uid, name, email })
    }
}

impl TryFrom<v1::GetParticipantRequest> for ParticipantName {
    type Error = Error;

    fn try_from(message: v1::GetParticipantRequest) -> Result<Self> {
        let v1::GetParticipantRequest { participant } = message;
        match participant {
            Some(Named::Id(id)) => ParticipantId::parse(&id)
                .map(Self::Id)
                .map_err(|reason| Error::invalid_field("id", reason)),
            Some(Named::ExternalUid(uid)) => check_external_uid(&uid)
                .map(|()| Self::ExternalUid(uid))
                .map_err(|reason| Error::invalid_field("external_uid", reason)),
            None => {
                let reason = "An id or an external uid is needed here.";
                Err(Error::invalid_field("participant", reason))
            }
        }
    }
}

impl TryFrom<v1::ListParticipantsRequest> for Pagination {
    type Error = Error;

    fn try_from(message: v1::ListParticipantsRequest) -> Result<Self> {
        let v1::ListParticipantsRequest { pagination: page } = message;
        let mut violations = Violations::new();
        let pagination = pagination(page, &mut violations);
        violations.finish()?;
        Ok(pagination)
    }
}

struct Change {
    id: ParticipantId,
    update: ParticipantUpdate,
}

/// Nothing, a new text, or an empty one that takes away what there was.
fn change(violations: &mut Violations, field: &str, text: Option<String>) -> TextChange {
    match text {
        None => TextChange::Keep,
        Some(text) if text.is_empty() => TextChange::Clear,
        Some(text) => label(violations, field, text).map_or(TextChange::Keep, TextChange::Set),
    }
}

impl TryFrom<v1::UpdateParticipantRequest> for Change {
    type Error = Error;

    fn try_from(message: v1::UpdateParticipantRequest) -> Result<Self> {
        let v1::UpdateParticipantRequest { id, name, email } = message;
        let mut violations = Violations::new();
        let id = violations.keep("id", ParticipantId::parse(&id));
        let name = change(&mut violations, "name", name);
        let email = change(&mut violations, "email", email);
        let id = violations.finish_with(id)?;
        Ok(Self { id, update: ParticipantUpdate { name, email } })
    }
}

struct Verification {
    id: ParticipantId,
    state: IdVerification,
}

impl TryFrom<v1::SetIdVerificationRequest> for Verification {
    type Error = Error;

    fn try_from(message: v1::SetIdVerificationRequest) -> Result<Self> {
        let v1::SetIdVerificationRequest { id, id_verification } = message;
        let mut violations = Violations::new();
        let id = violations.keep("id", ParticipantId::parse(&id));
        let state = violations.keep("id_verification", parse_state(id_verification));
        let (id, state) = violations.finish_with(id.zip(state))?;
        Ok(Self { id, state })
    }
}

fn parse_state(number: i32) -> Result<IdVerification, String> {
    match v1::IdVerification::try_from(number) {
        Ok(v1::IdVerification::None) => Ok(IdVerification::None),
        Ok(v1::IdVerification::Pending) => Ok(IdVerification::Pending),
        Ok(v1::IdVerification::Passed) => Ok(IdVerification::Passed),
        Ok(v1::IdVerification::Failed) => Ok(IdVerification::Failed),
        Ok(v1::IdVerification::Unspecified) | Err(_) => {
            Err("A state is needed here: none, pending, passed or failed.".into())
        }
    }
}

list_response!(Participant => ListParticipantsResponse);

impl From<Participant> for v1::Participant {
    fn from(participant: Participant) -> Self {
        let Participant { id, external_uid, name, email, id_verification } = participant;
        Self {
            id: id.to_string(),
            external_uid,
            name,
            email,
            id_verification: v1::IdVerification::from(id_verification).into(),
        }
    }
}

impl From<IdVerification> for v1::IdVerification {
    fn from(state: IdVerification) -> Self {
        match state {
            IdVerification::None => Self::None,
            IdVerification::Pending => Self::Pending,
            IdVerification::Passed => Self::Passed,
            IdVerification::Failed => Self::Failed,
        }
    }
}

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
        assert_eq!(fields(NewParticipant::try_from(message)), expected);
        let long = Some("x".repeat(501));
        let message =
            v1::UpdateParticipantRequest { id: String::new(), name: long.clone(), email: long };
        assert_eq!(fields(Change::try_from(message)), ["id", "name", "email"]);
        let message = v1::SetIdVerificationRequest { id: String::new(), id_verification: 0 };
        assert_eq!(fields(Verification::try_from(message)), ["id", "id_verification"]);
        for (named, field) in [
            (None, "participant"),
            (Some(Named::Id(String::new())), "id"),
            (Some(Named::ExternalUid(String::new())), "external_uid"),
        ] {
            let message = v1::GetParticipantRequest { participant: named };
            assert_eq!(fields(ParticipantName::try_from(message)), [field]);
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
