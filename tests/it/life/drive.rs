//! Running operations on a real server.

use std::collections::BTreeMap;

use prost::Message as _;
use screenerd::app::{NewKey, Operator};
use screenerd::client as pb;
use screenerd::client::create_screener_session_request::Participant as Whose;
use screenerd::client::panelist_session_service_client::PanelistSessionServiceClient;
use screenerd::client::participant_service_client::ParticipantServiceClient;
use screenerd::client::project_service_client::ProjectServiceClient;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::client::submission_result::Result as Reviewed;
use screenerd::client::submission_service_client::SubmissionServiceClient;
use screenerd::domain::credential::CredentialKind;
use serde_json::{Value, json};

use super::model::{Model, Person, Refused};
use super::operation::{Authoring, Holder, Named, Operation, Personal, Submit};
use super::view;
use crate::support::calls::printed::{session_json, submission_json};
use crate::support::calls::{Call, Outcome, Transport, make};
use crate::support::panelist::{Submit as Sent, refusal, submit};
use crate::support::unary::{self, unary};
use crate::support::{PUBLIC_URL, Server};

/// A server with a tenant, and the data read from it.
pub(super) struct World {
    pub(super) server: Server,
    token: String,
    pub(super) tenant: String,
    /// The id of the service token.
    pub(super) actor: String,
    /// The keys of panelists, by screener and external uid.
    pub(super) keys: BTreeMap<(usize, String), String>,
    /// The history read so far.
    pub(super) history: Vec<pb::Change>,
    /// The number of entries from before the model began.
    pub(super) entries_before: usize,
}

type Told = Result<Value, Refused>;

fn told(outcome: Outcome) -> Told {
    match outcome {
        Outcome::Answer(answer) => Ok(answer),
        Outcome::Refusal { code, fields } => Err((code, fields.into_iter().collect())),
    }
}

pub(super) fn why(refused: unary::Refused) -> Refused {
    (refused.reason.to_lowercase(), refused.fields.into_iter().collect())
}

impl World {
    pub(super) async fn new(server: Server) -> Self {
        let (app, operator) = (server.running.app(), Operator::trusted());
        let tenant = app.create_tenant(&operator, None, "Life".into()).await.expect("a tenant").id;
        let new = NewKey::new(tenant.clone(), CredentialKind::Service, vec![], None);
        let key = app.create_key(&operator, new.expect("it is well-formed")).await;
        let (credential, secret) = key.expect("a key");
        Self {
            server,
            token: format!("Bearer {secret}"),
            tenant: tenant.to_string(),
            actor: credential.id.to_string(),
            keys: BTreeMap::new(),
            history: Vec::new(),
            entries_before: 0,
        }
    }

    pub(super) fn credential(&self) -> [(&str, &str); 1] {
        [("authorization", &self.token)]
    }

    pub(super) async fn create_project(&self, id: &str, name: &str) {
        let message = pb::CreateProjectRequest {
            id: Some(id.into()),
            name: name.into(),
            ..pb::CreateProjectRequest::default()
        };
        let made =
            unary!(self.server, &self.credential(), ProjectServiceClient.create_project(message));
        made.expect("a project");
    }

    /// Accepts the existing history.
    pub(super) async fn begin_history(&mut self) {
        self.history = self.changes(0, None).await;
        self.entries_before = self.history.len();
    }

    pub(super) async fn make(&self, transport: Transport, call: &Call) -> Told {
        told(make(&self.server, transport, &self.credential(), call).await)
    }

    /// Returns the key of a panelist, which is requested once.
    pub(super) async fn key(&mut self, model: &Model, screener: usize, uid: &str) -> String {
        if let Some(key) = self.keys.get(&(screener, uid.to_owned())) {
            return key.clone();
        }
        let call = Call::access(&model.screeners[screener].id, uid);
        let access = self.make(Transport::Rest, &call).await.expect("an access");
        let key = access["panelist"]["publicKey"].as_str().expect("a key").to_owned();
        self.keys.insert((screener, uid.to_owned()), key.clone());
        key
    }

    async fn authorization(&mut self, model: &Model, holder: &Holder) -> String {
        match holder {
            Holder::Nobody => "nobody:knows".into(),
            Holder::Key(screener, uid) => self.key(model, *screener, uid).await,
            Holder::Link(at) => {
                let (screener, session) = (model.screener_of(*at), &model.sessions[*at]);
                format!("{PUBLIC_URL}/screeners/{}/{}", model.screeners[screener].id, session.id)
            }
        }
    }

    /// Runs an operation, over this transport if it exists over both.
    pub(super) async fn carry_out(
        &mut self,
        model: &Model,
        transport: Transport,
        operation: &Operation,
    ) -> Told {
        match operation.clone() {
            Operation::Author(it) => self.author(it).await,
            Operation::Person(it) => self.change_person(it).await,
            Operation::CreateSessions { requests, is_batch } => {
                self.create_sessions(requests, is_batch).await
            }
            Operation::SetSession { id, action } => self.set_session(transport, id, action).await,
            Operation::Load(holder) => {
                let authorization = self.authorization(model, &holder).await;
                self.load(transport, &authorization).await
            }
            Operation::Submit(submit) => self.submit(model, transport, submit).await,
            Operation::Dismiss(holder) => {
                let authorization = self.authorization(model, &holder).await;
                self.dismiss(transport, &authorization).await
            }
            Operation::Review { verb, project, id, body } => {
                // REST has no route for this verb.
                let is_grpc = verb == "set-visibility";
                let transport = if is_grpc { Transport::Grpc } else { transport };
                self.make(transport, &Call::review(verb, &project, &id, body)).await
            }
            Operation::ReviewAll { verb, project, ids } => {
                Ok(self.review_all(verb, project, ids).await)
            }
        }
    }

    async fn author(&self, operation: Authoring) -> Told {
        let credential = &self.credential();
        macro_rules! call {
            ($method:ident, $request:ident { $($field:ident $(: $value:expr)?),* }) => {{
                let message = pb::$request { $($field $(: $value)?),* };
                let it = unary!(self.server, credential, ScreenerServiceClient.$method(message));
                it.map_err(why)?.screener
            }};
        }
        let screener = match operation {
            Authoring::Create { id, project, title, multiple, draft, .. } => {
                call!(
                    create_screener,
                    CreateScreenerRequest {
                        id: Some(id),
                        project_id: project,
                        title,
                        allow_multiple_responses: Some(multiple),
                        draft: draft.map(|it| it.message())
                    }
                )
            }
            Authoring::Update { id, title, multiple } => {
                call!(
                    update_screener,
                    UpdateScreenerRequest { id, title, allow_multiple_responses: multiple }
                )
            }
            Authoring::Draft { id, draft, expected, .. } => {
                call!(
                    update_draft,
                    UpdateDraftRequest {
                        screener_id: id,
                        draft: Some(draft.message()),
                        expected_draft_hash: expected
                    }
                )
            }
            Authoring::Discard { id, expected } => {
                call!(
                    discard_draft,
                    DiscardDraftRequest { screener_id: id, expected_draft_hash: expected }
                )
            }
            Authoring::Publish { id, expected } => {
                let expected_draft_hash = expected;
                call!(publish_screener, PublishScreenerRequest { id, expected_draft_hash })
            }
            Authoring::Close(id) => call!(close_screener, CloseScreenerRequest { id }),
            Authoring::Reopen(id) => call!(reopen_screener, ReopenScreenerRequest { id }),
        };
        Ok(view::screener_json(&screener.expect("a screener")))
    }

    async fn change_person(&self, operation: Personal) -> Told {
        let credential = &self.credential();
        let participant = match operation {
            Personal::Create(Person { id, uid, name, email, .. }) => {
                let message =
                    pb::CreateParticipantRequest { id: Some(id), external_uid: uid, name, email };
                let made = unary!(
                    self.server,
                    credential,
                    ParticipantServiceClient.create_participant(message)
                );
                made.map_err(why)?.participant
            }
            Personal::Update { id, name, email } => {
                let message = pb::UpdateParticipantRequest { id, name, email };
                let made = unary!(
                    self.server,
                    credential,
                    ParticipantServiceClient.update_participant(message)
                );
                made.map_err(why)?.participant
            }
            Personal::Verify { id, state } => {
                let state = pb::IdVerification::from_str_name(&format!("ID_VERIFICATION_{state}"));
                let id_verification = state.expect("a state").into();
                let message = pb::SetIdVerificationRequest { id, id_verification };
                let made = unary!(
                    self.server,
                    credential,
                    ParticipantServiceClient.set_id_verification(message)
                );
                made.map_err(why)?.participant
            }
        };
        Ok(view::participant_json(&participant.expect("a participant")))
    }

    async fn create_sessions(&self, requests: Vec<(String, Named)>, is_batch: bool) -> Told {
        let credential = &self.credential();
        let request = |(screener_id, named): (String, Named)| pb::CreateScreenerSessionRequest {
            screener_id,
            participant: Some(match named {
                Named::Id(id) => Whose::ParticipantId(id),
                Named::Uid(uid) => Whose::ExternalUid(uid),
            }),
        };
        let mut requests: Vec<_> = requests.into_iter().map(request).collect();
        let sessions = if is_batch {
            let message = pb::BatchCreateScreenerSessionsRequest { requests };
            let made = unary!(
                self.server,
                credential,
                ScreenerSessionServiceClient.batch_create_screener_sessions(message)
            );
            made.map_err(why)?.screener_sessions
        } else {
            let message = requests.remove(0);
            let made = unary!(
                self.server,
                credential,
                ScreenerSessionServiceClient.create_screener_session(message)
            );
            made.map_err(why)?.screener_session.into_iter().collect()
        };
        Ok(sessions.iter().map(session_json).collect())
    }

    async fn set_session(&self, transport: Transport, id: String, action: &str) -> Told {
        let credential = &self.credential();
        let session = match action {
            "ARCHIVE" => {
                let message = pb::ArchiveScreenerSessionRequest { id };
                let done = unary!(
                    self.server,
                    credential,
                    ScreenerSessionServiceClient.archive_screener_session(message)
                );
                done.map_err(why)?.screener_session
            }
            "RESTORE" => {
                let message = pb::RestoreScreenerSessionRequest { id };
                let done = unary!(
                    self.server,
                    credential,
                    ScreenerSessionServiceClient.restore_screener_session(message)
                );
                done.map_err(why)?.screener_session
            }
            _ => {
                let session = self.make(transport, &Call::RemoveSession(id)).await?;
                return Ok(json!([session]));
            }
        };
        Ok(json!([session_json(&session.expect("a session"))]))
    }

    pub(super) async fn load(&self, transport: Transport, authorization: &str) -> Told {
        let credential = &[("authorization", authorization)];
        if transport == Transport::Rest {
            let reply = self.server.send("GET", "/public/surveys/", credential).await;
            return if reply.status == 200 { Ok(reply.json()) } else { told(refusal(&reply)) };
        }
        let message = pb::GetQuestionnaireRequest {};
        let sheet = unary!(
            self.server,
            credential,
            PanelistSessionServiceClient.get_questionnaire(message)
        );
        Ok(view::sheet_json(&sheet.map_err(why)?))
    }

    async fn dismiss(&self, transport: Transport, authorization: &str) -> Told {
        let credential = &[("authorization", authorization)];
        if transport == Transport::Rest {
            let reply = self.server.send("POST", "/public/surveys/dismiss/", credential).await;
            return if reply.status == 200 { Ok(reply.json()) } else { told(refusal(&reply)) };
        }
        let message = pb::DismissRequest {};
        let done = unary!(self.server, credential, PanelistSessionServiceClient.dismiss(message));
        done.map(|pb::DismissResponse {}| json!({})).map_err(why)
    }

    async fn submit(&mut self, model: &Model, transport: Transport, it: Submit) -> Told {
        let authorization = self.authorization(model, &it.holder).await;
        let Submit { holder: _, answers, is_final, idempotency_key, publication } = it;
        let answers = answers.iter().map(|(id, answer)| (id.clone(), answer.json())).collect();
        let sent = Sent { answers: Value::Object(answers), is_final, idempotency_key, publication };
        told(submit(&self.server, transport, &authorization, &sent).await)
    }

    async fn review_all(&self, verb: &str, project_id: String, ids: Vec<String>) -> Value {
        let credential = &self.credential();
        let results = if verb == "reject" {
            let message = pb::BatchRejectSubmissionsRequest { project_id, ids, message: None };
            let done = unary!(
                self.server,
                credential,
                SubmissionServiceClient.batch_reject_submissions(message)
            );
            done.expect("results").results
        } else {
            let message = pb::BatchQualifySubmissionsRequest { project_id, ids };
            let done = unary!(
                self.server,
                credential,
                SubmissionServiceClient.batch_qualify_submissions(message)
            );
            done.expect("results").results
        };
        let result = |it: &pb::SubmissionResult| match it.result.as_ref().expect("a result") {
            Reviewed::Submission(submission) => submission_json(submission),
            Reviewed::Error(status) => {
                let detail = status.details[0].value.as_slice();
                let info = tonic_types::pb::ErrorInfo::decode(detail).expect("an ErrorInfo");
                json!(info.reason.to_lowercase())
            }
        };
        results.iter().map(result).collect()
    }
}
