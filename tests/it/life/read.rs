//! Reading the data of a server, and learning the ids that it created.

use screenerd::client as pb;
use screenerd::client::funnel_service_client::FunnelServiceClient;
use screenerd::client::get_participant_request::Participant as Whom;
use screenerd::client::get_screener_participant_request::Participant as Whose;
use screenerd::client::history_service_client::HistoryServiceClient;
use screenerd::client::participant_service_client::ParticipantServiceClient;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::client::submission_service_client::SubmissionServiceClient;

use super::drive::World;
use super::model::Model;
use crate::support::unary::unary;

/// The largest page.
const PAGE: usize = 500;

fn page(offset: usize) -> pb::Pagination {
    let whole = |number: usize| Some(i32::try_from(number).expect("a few"));
    pb::Pagination { limit: whole(PAGE), offset: whole(offset) }
}

/// Reads every item of a list from an offset on, and checks the total of each page.
macro_rules! all {
    ($world:expr, $offset:expr, $client:ident.$method:ident, |$pagination:ident| $message:expr) => {{
        let mut items = Vec::new();
        loop {
            let $pagination = Some(page($offset + items.len()));
            let it = unary!($world.server, &$world.credential(), $client.$method($message));
            let it = it.expect("a page");
            let is_last = it.items.len() < PAGE;
            items.extend(it.items);
            if is_last {
                let total = usize::try_from(it.total.expect("it is always set"));
                assert_eq!(total, Ok($offset + items.len()), "the total of the list");
                break items;
            }
        }
    }};
}

impl World {
    pub(super) async fn screener(&self, id: &str) -> pb::Screener {
        let message = pb::GetScreenerRequest { id: id.into() };
        let it =
            unary!(self.server, &self.credential(), ScreenerServiceClient.get_screener(message));
        it.expect("it is there").screener.expect("a screener")
    }

    pub(super) async fn publication(&self, id: &str) -> pb::Publication {
        let message = pb::GetPublicationRequest { id: id.into() };
        let it =
            unary!(self.server, &self.credential(), ScreenerServiceClient.get_publication(message));
        it.expect("it is there").publication.expect("a publication")
    }

    pub(super) async fn participant(&self, id: &str) -> pb::Participant {
        let message = pb::GetParticipantRequest { participant: Some(Whom::Id(id.into())) };
        let it = unary!(
            self.server,
            &self.credential(),
            ParticipantServiceClient.get_participant(message)
        );
        it.expect("it is there").participant.expect("a participant")
    }

    pub(super) async fn screener_participant(
        &self,
        screener: &str,
        participant: &str,
    ) -> pb::ScreenerParticipant {
        let participant = Some(Whose::Id(participant.into()));
        let screener_id = screener.into();
        let message = pb::GetScreenerParticipantRequest { screener_id, participant };
        let it = unary!(
            self.server,
            &self.credential(),
            ParticipantServiceClient.get_screener_participant(message)
        );
        it.expect("it is there").screener_participant.expect("an assignment")
    }

    pub(super) async fn funnel(&self, screener: &str, publication: Option<&str>) -> pb::Funnel {
        let publication_id = publication.map(str::to_owned);
        let message = pb::GetFunnelRequest { screener_id: screener.into(), publication_id };
        let it = unary!(self.server, &self.credential(), FunnelServiceClient.get_funnel(message));
        it.expect("it is there").funnel.expect("a funnel")
    }

    pub(super) async fn explanation(
        &self,
        project: &str,
        id: &str,
    ) -> pb::ExplainSubmissionResponse {
        let (project_id, id) = (project.to_owned(), id.to_owned());
        let message = pb::ExplainSubmissionRequest { project_id, id };
        let it = unary!(
            self.server,
            &self.credential(),
            SubmissionServiceClient.explain_submission(message)
        );
        it.expect("it is there")
    }

    pub(super) async fn sessions(&self, offset: usize) -> Vec<pb::ScreenerSession> {
        all!(self, offset, ScreenerSessionServiceClient.list_screener_sessions, |pagination| {
            pb::ListScreenerSessionsRequest { filter: None, pagination }
        })
    }

    pub(super) async fn participants(&self, offset: usize) -> Vec<pb::Participant> {
        all!(self, offset, ParticipantServiceClient.list_participants, |pagination| {
            pb::ListParticipantsRequest { pagination }
        })
    }

    pub(super) async fn screeners(&self) -> Vec<pb::Screener> {
        all!(self, 0, ScreenerServiceClient.list_screeners, |pagination| {
            pb::ListScreenersRequest { filter: None, pagination }
        })
    }

    pub(super) async fn publications(&self, screener: &str) -> Vec<pb::Publication> {
        all!(self, 0, ScreenerServiceClient.list_publications, |pagination| {
            pb::ListPublicationsRequest { screener_id: screener.into(), pagination }
        })
    }

    pub(super) async fn submissions(&self, filter: pb::SubmissionFilter) -> Vec<pb::Submission> {
        all!(self, 0, SubmissionServiceClient.list_submissions, |pagination| {
            pb::ListSubmissionsRequest { filter: Some(filter.clone()), pagination }
        })
    }

    pub(super) async fn changes(
        &self,
        offset: usize,
        filter: Option<pb::ChangeFilter>,
    ) -> Vec<pb::Change> {
        all!(self, offset, HistoryServiceClient.list_changes, |pagination| {
            pb::ListChangesRequest { filter: filter.clone(), pagination }
        })
    }

    /// Learns the ids that the server created. Lists have the order of the model.
    pub(super) async fn learn(&self, model: &mut Model) {
        self.learn_of_screeners(model).await;
        if let Some(from) = model.people.iter().position(|it| it.id.is_empty()) {
            let people = self.participants(from).await;
            for (known, person) in model.people[from..].iter_mut().zip(people) {
                known.id = person.id;
            }
        }
        if let Some(from) = model.sessions.iter().position(|it| it.id.is_empty()) {
            let sessions = self.sessions(from).await;
            for (known, session) in model.sessions[from..].iter_mut().zip(sessions) {
                (known.id, known.slug) = (session.id, session.link_slug);
            }
        }
        for at in 0..model.assignments.len() {
            let it = &model.assignments[at];
            if it.id.is_empty() {
                let (screener, person) = (&model.screeners[it.screener], &model.people[it.person]);
                let learned = self.screener_participant(&screener.id, &person.id).await;
                model.assignments[at].id = learned.id;
            }
        }
    }

    async fn learn_of_screeners(&self, model: &mut Model) {
        for at in 0..model.screeners.len() {
            let it = &model.screeners[at];
            let (active, draft) = (it.active, it.draft);
            let is_known = active.is_none_or(|it| !model.publications[it].id.is_empty())
                && draft.is_none_or(|it| !model.questionnaires[it].1.is_empty());
            if is_known {
                continue;
            }
            let shown = self.screener(&it.id).await;
            if let Some(id) = active.zip(shown.active_publication_id) {
                model.publications[id.0].id = id.1;
            }
            if let Some((draft, digest)) = draft.zip(shown.draft_hash) {
                let is_new = model.questionnaires.iter().all(|it| it.1 != digest);
                let known = &mut model.questionnaires[draft].1;
                assert!(is_new || *known == digest, "two questionnaires have one digest");
                *known = digest;
            }
        }
    }
}
