//! The largest writes within the limits: PostgreSQL accepts 65 535 arguments in a statement.

use screenerd::app::Operator;
use screenerd::client as pb;
use screenerd::client::create_screener_session_request::Participant as Named;
use screenerd::client::question::Form;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::domain::publication::QUESTIONS_MAX;
use screenerd::domain::questionnaire::DRAFT_OPTIONS_MAX;
use screenerd::domain::session::BATCH_MAX_SESSIONS;
use screenerd::transfer;
use serde_json::json;

use crate::support::backend::{self, Backend};
use crate::support::panelist::import;
use crate::support::unary::unary;
use crate::support::{SERVICE, Server, config};

/// Runs a case on a server with the example data in a database of PostgreSQL.
fn on_server(case: impl AsyncFnOnce(&Server)) {
    let Some(postgres) = Backend::postgres("the largest writes") else { return };
    backend::run(&postgres, async |database| {
        let server = Server::start(&config(Some(database.location.clone()), false)).await;
        transfer::demo::load(server.running.app(), &Operator::trusted()).await.expect("it loads");
        case(&server).await;
        server.stop().await;
    });
}

/// Returns a questionnaire with the most questions and options.
fn largest(prompt: &str) -> pb::Questionnaire {
    let option = |number| pb::QuestionOption {
        id: format!("o_{number}"),
        text: Some(format!("Option {number}")),
        rule: Some(pb::OptionRule::Neutral.into()),
        write_in: Some(false),
        go_to: None,
    };
    let options: Vec<_> = (0..DRAFT_OPTIONS_MAX / QUESTIONS_MAX).map(option).collect();
    let question = |number| pb::Question {
        id: format!("q_{number}"),
        prompt: Some(prompt.into()),
        required: Some(true),
        form: Some(Form::SingleSelect(pb::SingleSelectForm { options: options.clone() })),
    };
    let questions = (0..QUESTIONS_MAX).map(question).collect();
    pb::Questionnaire { pages: vec![pb::Page { id: "p_1".into(), questions }], ..<_>::default() }
}

#[test]
fn the_largest_draft_is_created_replaced_and_published() {
    on_server(async |server| {
        let id = || "scr_largest".to_owned();
        let create = pb::CreateScreenerRequest {
            id: Some(id()),
            project_id: "proj_123".into(),
            title: "T".into(),
            draft: Some(largest("Why?")),
            ..<_>::default()
        };
        let created = unary!(server, SERVICE, ScreenerServiceClient.create_screener(create));
        let screener = created.expect("it is created").screener.expect("a screener");
        assert_eq!(screener.draft, Some(largest("Why?")));
        let update = pb::UpdateDraftRequest {
            screener_id: id(),
            draft: Some(largest("Why not?")),
            expected_draft_hash: None,
        };
        let updated = unary!(server, SERVICE, ScreenerServiceClient.update_draft(update));
        updated.expect("it is replaced");
        let find = pb::GetScreenerRequest { id: id() };
        let found = unary!(server, SERVICE, ScreenerServiceClient.get_screener(find));
        let screener = found.expect("it is found").screener.expect("a screener");
        assert_eq!(screener.draft, Some(largest("Why not?")));
        let publish = pb::PublishScreenerRequest { id: id(), expected_draft_hash: None };
        let published = unary!(server, SERVICE, ScreenerServiceClient.publish_screener(publish));
        published.expect("it is published");
    });
}

#[test]
fn the_largest_batch_of_sessions_is_created_in_as_many_screeners() {
    on_server(async |server| {
        let pages = json!([{ "id": "p_1", "questions": [
            { "id": "q_1", "kind": "TEXT", "prompt": "Why?" }] }]);
        let mut lines = vec![json!({ "format": "screenerd-import", "version": 1 })];
        for number in 0..BATCH_MAX_SESSIONS {
            let (screener, publication) = (format!("scr_{number}x"), format!("scpub_{number}x"));
            lines.push(json!({ "type": "screener", "tenant": "acct_123", "id": screener,
                "projectId": "proj_123", "title": "T", "status": "OPEN",
                "activePublicationId": publication, "allowMultipleResponses": false }));
            lines.push(json!({ "type": "publication", "tenant": "acct_123", "id": publication,
                "screenerId": screener, "pages": pages }));
        }
        import(server, &lines).await;
        let request = |number| pb::CreateScreenerSessionRequest {
            screener_id: format!("scr_{number}x"),
            participant: Some(Named::ExternalUid(format!("uid-{number}"))),
        };
        let requests = (0..BATCH_MAX_SESSIONS).map(request).collect();
        let message = pb::BatchCreateScreenerSessionsRequest { requests };
        let created = unary!(
            server,
            SERVICE,
            ScreenerSessionServiceClient.batch_create_screener_sessions(message)
        );
        let sessions = created.expect("they are created").screener_sessions;
        assert_eq!(sessions.len(), BATCH_MAX_SESSIONS);
        for (number, session) in sessions.iter().enumerate() {
            assert_eq!(session.screener_id, format!("scr_{number}x"));
        }
    });
}
