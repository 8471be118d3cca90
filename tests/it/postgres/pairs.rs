//! Concurrent writes of all kinds, over two servers, about the same few people: no deadlock, and no
//! failure.

use futures_util::future::join_all;
use screenerd::client as pb;
use screenerd::client::participant_service_client::ParticipantServiceClient;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::client::submission_service_client::SubmissionServiceClient;
use serde_json::json;

use super::replicas::on_two;
use crate::answering::sessions;
use crate::support::calls::{Outcome, Transport};
use crate::support::panelist::{LIFE, Submit, import, public_key, submit};
use crate::support::unary::{Refused, unary};
use crate::support::{SERVICE, Server};

const PEOPLE: usize = 12;
const ROUNDS: usize = 4;

fn uid(person: usize) -> String {
    format!("pair-{}", person % PEOPLE)
}

/// Asserts that a refusal has a cause in the request, not in concurrent calls.
fn judge<T: std::fmt::Debug>(what: &str, outcome: Result<T, Refused>) {
    if let Err(refused) = outcome {
        let text = format!("{refused:?}");
        assert!(!text.contains("UNAVAILABLE") && !text.contains("INTERNAL"), "{what}: {text}");
    }
}

async fn create(server: &Server, order: impl Iterator<Item = usize>) {
    let of = |person| {
        let participant =
            pb::create_screener_session_request::Participant::ExternalUid(uid(person));
        pb::CreateScreenerSessionRequest {
            screener_id: LIFE.into(),
            participant: Some(participant),
        }
    };
    let requests = order.map(of).collect();
    let message = pb::BatchCreateScreenerSessionsRequest { requests };
    let done = unary!(
        server,
        SERVICE,
        ScreenerSessionServiceClient.batch_create_screener_sessions(message)
    );
    judge("a batch", done);
}

async fn answer(server: &Server, person: usize, round: usize) {
    let key = public_key(server, LIFE, &uid(person)).await;
    let name = json!({ "q_name": { "text": format!("Ada {round}") } });
    let outcome = submit(server, Transport::BOTH[person % 2], &key, &Submit::some(name)).await;
    if let Outcome::Refusal { code, .. } = &outcome {
        assert!(code != "UNAVAILABLE" && code != "INTERNAL", "a submission: {outcome:?}");
    }
}

async fn verify(server: &Server, person: usize, round: usize) {
    let find = pb::get_participant_request::Participant::ExternalUid(uid(person));
    let find = pb::GetParticipantRequest { participant: Some(find) };
    let found = unary!(server, SERVICE, ParticipantServiceClient.get_participant(find));
    let Ok(pb::GetParticipantResponse { participant: Some(found) }) = found else { return };
    let id_verification = 1 + i32::try_from((person + round) % 4).expect("it is small");
    let message = pb::SetIdVerificationRequest { id: found.id, id_verification };
    let done = unary!(server, SERVICE, ParticipantServiceClient.set_id_verification(message));
    judge("a verification", done);
}

async fn review(server: &Server, id: String) {
    let (project_id, message) = ("proj_123".to_owned(), None);
    let message = pb::RejectSubmissionRequest { project_id, id: id.clone(), message };
    judge("a review", unary!(server, SERVICE, SubmissionServiceClient.reject_submission(message)));
    let message = pb::ArchiveScreenerSessionRequest { id: id.clone() };
    judge(
        "an archival",
        unary!(server, SERVICE, ScreenerSessionServiceClient.archive_screener_session(message)),
    );
    let message = pb::RestoreScreenerSessionRequest { id };
    judge(
        "a restoration",
        unary!(server, SERVICE, ScreenerSessionServiceClient.restore_screener_session(message)),
    );
}

async fn close_and_reopen(server: &Server) {
    let id = LIFE.to_owned();
    let message = pb::CloseScreenerRequest { id: id.clone() };
    judge("closing", unary!(server, SERVICE, ScreenerServiceClient.close_screener(message)));
    let message = pb::ReopenScreenerRequest { id };
    judge("reopening", unary!(server, SERVICE, ScreenerServiceClient.reopen_screener(message)));
}

async fn import_people(server: &Server, round: usize) {
    let mut lines = vec![json!({ "format": "screenerd-import", "version": 1 })];
    lines.extend((0..PEOPLE).map(|person| {
        json!({ "type": "participant", "tenant": "acct_123", "id": format!("ptp_{round}_{person}"),
            "externalUid": format!("imported-{round}-{person}") })
    }));
    import(server, &lines).await;
}

#[test]
fn writes_of_all_kinds_about_the_same_people_never_wait_in_a_circle_on_postgres() {
    on_two(async |replicas| {
        let [one, other] = replicas;
        for round in 0..ROUNDS {
            let known: Vec<_> = sessions(one).await;
            let known = known.iter().filter_map(|it| it["id"].as_str().map(str::to_owned));
            let known: Vec<_> = known.take(PEOPLE).collect();
            let answers = (0..4 * PEOPLE).map(|it| answer(&replicas[it % 2], it / 2, round));
            let verifies = (0..PEOPLE).map(|it| verify(&replicas[it % 2], it, round));
            let reviews =
                known.into_iter().enumerate().map(|(it, id)| review(&replicas[it % 2], id));
            tokio::join!(
                create(one, 0..PEOPLE),
                create(other, (0..PEOPLE).rev()),
                join_all(answers),
                join_all(verifies),
                join_all(reviews),
                close_and_reopen(other),
                import_people(one, round),
            );
        }
    });
}
