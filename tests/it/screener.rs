//! `ScreenerService`: the life of a screener, and the reasons to refuse a draft.

mod draft;
mod list;
mod together;

use screenerd::app::Operator;
use screenerd::client as pb;
use screenerd::client::create_screener_session_request::Participant as Named;
use screenerd::client::history_service_client::HistoryServiceClient;
use screenerd::client::question::Form;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::transfer;

use crate::support::backend::{Backend, run};
use crate::support::calls::{Call, Transport, make};
use crate::support::unary::{Refused, unary};
use crate::support::{PANEL, SERVICE, SPOT, STRANGER, Server, config};

/// Calls a method of the service with the service token or another credential.
macro_rules! call {
    ($server:expr, $method:ident($message:expr)) => {
        call!($server, SERVICE, $method($message))
    };
    ($server:expr, $credential:expr, $method:ident($message:expr)) => {
        unary!($server, $credential, ScreenerServiceClient.$method($message))
    };
}
use call;

/// Returns a questionnaire of one text question.
pub(crate) fn asking(prompt: &str) -> pb::Questionnaire {
    let question = pb::Question {
        id: "q1".into(),
        prompt: Some(prompt.into()),
        required: Some(true),
        form: Some(Form::Text(pb::TextForm { multi_line: Some(false), ..<_>::default() })),
    };
    let pages = vec![pb::Page { id: "p1".into(), questions: vec![question] }];
    let tag = pb::Tag { id: "t1".into(), category: None, value: Some(prompt.into()) };
    pb::Questionnaire { tags: vec![tag], pages, ..<_>::default() }
}

fn new(id: &str, draft: Option<pb::Questionnaire>) -> pb::CreateScreenerRequest {
    pb::CreateScreenerRequest {
        id: Some(id.into()),
        project_id: "proj_123".into(),
        title: "Title".into(),
        allow_multiple_responses: None,
        draft,
    }
}

async fn create(
    server: &Server,
    message: pb::CreateScreenerRequest,
) -> Result<pb::Screener, Refused> {
    Ok(call!(server, create_screener(message))?.screener.expect("a screener"))
}

async fn get(server: &Server, id: &str) -> Result<pb::Screener, Refused> {
    let answer = call!(server, get_screener(pb::GetScreenerRequest { id: id.into() }))?;
    Ok(answer.screener.expect("a screener"))
}

async fn update_draft(
    server: &Server,
    id: &str,
    draft: pb::Questionnaire,
    expected: Option<&str>,
) -> Result<pb::Screener, Refused> {
    let expected_draft_hash = expected.map(str::to_owned);
    let draft = Some(draft);
    let message = pb::UpdateDraftRequest { screener_id: id.into(), draft, expected_draft_hash };
    Ok(call!(server, update_draft(message))?.screener.expect("a screener"))
}

async fn discard(
    server: &Server,
    id: &str,
    expected: Option<&str>,
) -> Result<pb::Screener, Refused> {
    let expected_draft_hash = expected.map(str::to_owned);
    let message = pb::DiscardDraftRequest { screener_id: id.into(), expected_draft_hash };
    Ok(call!(server, discard_draft(message))?.screener.expect("a screener"))
}

async fn publish(
    server: &Server,
    id: &str,
    expected: Option<&str>,
) -> Result<pb::PublishScreenerResponse, Refused> {
    let expected_draft_hash = expected.map(str::to_owned);
    let message = pb::PublishScreenerRequest { id: id.into(), expected_draft_hash };
    call!(server, publish_screener(message))
}

async fn close(server: &Server, id: &str) -> Result<pb::Screener, Refused> {
    let answer = call!(server, close_screener(pb::CloseScreenerRequest { id: id.into() }))?;
    Ok(answer.screener.expect("a screener"))
}

async fn reopen(server: &Server, id: &str) -> Result<pb::Screener, Refused> {
    let answer = call!(server, reopen_screener(pb::ReopenScreenerRequest { id: id.into() }))?;
    Ok(answer.screener.expect("a screener"))
}

async fn publication(server: &Server, id: &str) -> Result<pb::Publication, Refused> {
    let answer = call!(server, get_publication(pb::GetPublicationRequest { id: id.into() }))?;
    Ok(answer.publication.expect("a publication"))
}

async fn new_session(
    server: &Server,
    screener: &str,
    uid: &str,
) -> Result<pb::ScreenerSession, Refused> {
    let participant = Some(Named::ExternalUid(uid.into()));
    let screener_id = screener.into();
    let message = pb::CreateScreenerSessionRequest { screener_id, participant };
    let made = unary!(server, SPOT, ScreenerSessionServiceClient.create_screener_session(message))?;
    Ok(made.screener_session.expect("a session"))
}

async fn can_respond(server: &Server, screener: &str) -> serde_json::Value {
    let call = Call::access(screener, "somebody");
    let answer = make(server, Transport::Rest, PANEL, &call).await.answer().clone();
    answer["panelist"]["canRespond"].clone()
}

/// Returns the history of a screener: each action, and its fields with their new values.
async fn history(server: &Server, id: &str) -> Vec<String> {
    let subject_id = Some(pb::IdEqFilter { eq: Some(id.into()) });
    let subject = Some(pb::ChangeSubject::Screener.into());
    let filter = Some(pb::ChangeFilter { subject, subject_id });
    let pagination = Some(pb::Pagination { limit: Some(500), offset: None });
    let message = pb::ListChangesRequest { filter, pagination };
    let page = unary!(server, SERVICE, HistoryServiceClient.list_changes(message));
    let word = |text: &Option<String>| {
        // A prefix suffices for ids and digests, which are long.
        text.as_ref().map_or("-".to_owned(), |text| text.chars().take(6).collect())
    };
    let line = |change: pb::Change| {
        let action = change.action().as_str_name().trim_start_matches("CHANGE_ACTION_");
        let fields = change.fields.iter().map(|pb::FieldChange { name, before, after }| {
            format!(" {name} {}>{}", word(before), word(after))
        });
        format!("{action}{}", fields.collect::<String>())
    };
    page.expect("a page").items.into_iter().map(line).collect()
}

/// Leads a screener from its first draft to its second publication.
async fn story(server: &Server) {
    let made = create(server, new("scr_new", Some(asking("One?")))).await.expect("it is created");
    assert_eq!((made.status(), &made.active_publication_id), (pb::SurveyStatus::Draft, &None));
    assert_eq!(made.draft, Some(asking("One?")));
    assert_eq!(get(server, "scr_new").await, Ok(made.clone()));
    new_session(server, "scr_new", "a")
        .await
        .expect_err("not yet")
        .is("NOT_OPEN", &["screener_id"]);
    close(server, "scr_new").await.expect_err("not yet").is("INVALID_STATUS_TRANSITION", &[]);
    reopen(server, "scr_new").await.expect_err("not yet").is("INVALID_STATUS_TRANSITION", &[]);

    let one = publish(server, "scr_new", None).await.expect("it is published");
    let (opened, first) =
        (one.screener.expect("a screener"), one.publication.expect("it is there"));
    assert_eq!(
        (opened.status(), &opened.draft, &opened.draft_hash),
        (pb::SurveyStatus::Open, &None, &None)
    );
    assert_eq!(opened.active_publication_id.as_ref(), Some(&first.id));
    assert_eq!(first.content_hash, made.draft_hash);
    assert!(first.published_at.is_some() && first.questionnaire.is_none());
    let frozen = publication(server, &first.id).await.expect("it is there");
    let questionnaire = Some(asking("One?"));
    assert_eq!(frozen, pb::Publication { questionnaire, ..first.clone() });
    let old = new_session(server, "scr_new", "a").await.expect("it is open");
    assert_eq!(old.screener_publication_id, first.id);
    assert_eq!(can_respond(server, "scr_new").await, true);

    second(server, &first, &old).await;
    assert_eq!(publication(server, &first.id).await, Ok(frozen), "a publication never changes");
}

/// Makes the second publication and closes the screener.
async fn second(server: &Server, first: &pb::Publication, old: &pb::ScreenerSession) {
    // A retry after a lost response names the same draft.
    let again = publish(server, "scr_new", first.content_hash.as_deref()).await;
    assert_eq!(again.expect("it is published").publication.as_ref(), Some(first));
    publish(server, "scr_new", None)
        .await
        .expect_err("no draft")
        .is("INVALID_STATUS_TRANSITION", &[]);

    for _ in 0..2 {
        let closed = close(server, "scr_new").await.expect("it closes");
        assert_eq!(closed.status(), pb::SurveyStatus::Closed);
    }
    new_session(server, "scr_new", "b").await.expect_err("closed").is("NOT_OPEN", &["screener_id"]);
    assert_eq!(can_respond(server, "scr_new").await, false);

    let draft = update_draft(server, "scr_new", asking("Two?"), None).await.expect("a draft");
    let two = publish(server, "scr_new", draft.draft_hash.as_deref()).await.expect("it works");
    assert_eq!(two.screener.map(|it| it.status()), Some(pb::SurveyStatus::Closed));
    let two = two.publication.expect("it is there");
    for _ in 0..2 {
        let open = reopen(server, "scr_new").await.expect("it opens");
        assert_eq!(open.status(), pb::SurveyStatus::Open);
    }
    assert_eq!(can_respond(server, "scr_new").await, true);
    let newer = new_session(server, "scr_new", "b").await.expect("it is open");
    assert_eq!(newer.screener_publication_id, two.id);
    assert_eq!(newer.assigned_tags[0].value(), "Two?");
    let message = pb::GetScreenerSessionRequest { id: old.id.clone() };
    let kept = unary!(server, SPOT, ScreenerSessionServiceClient.get_screener_session(message));
    assert_eq!(kept.expect("it is there").screener_session.as_ref(), Some(old));
    for _ in 0..2 {
        let message = pb::UpdateScreenerRequest {
            id: "scr_new".into(),
            title: Some("Other".into()),
            allow_multiple_responses: Some(true),
        };
        let changed = call!(server, update_screener(message)).expect("it changes");
        let changed = changed.screener.expect("a screener");
        assert_eq!((changed.title.as_str(), changed.allow_multiple_responses()), ("Other", true));
    }
    let [one, other] = [first, &two].map(|it| it.content_hash()[..6].to_owned());
    let expected = [
        format!(
            "CREATE project_id ->proj_1 title ->Title status ->DRAFT \
             allow_multiple_responses ->false draft_hash ->{one}"
        ),
        format!("PUBLISH status DRAFT>OPEN active_publication_id ->scpub_ draft_hash {one}>-"),
        "CLOSE status OPEN>CLOSED".into(),
        format!("UPDATE draft_hash ->{other}"),
        format!("PUBLISH active_publication_id scpub_>scpub_ draft_hash {other}>-"),
        "REOPEN status CLOSED>OPEN".into(),
        "UPDATE title Title>Other allow_multiple_responses false>true".into(),
    ];
    assert_eq!(history(server, "scr_new").await, expected);
}

#[tokio::test]
async fn a_screener_goes_from_a_draft_to_publications_and_is_closed_and_reopened() {
    let server = Server::demo().await;
    story(&server).await;
    server.stop().await;
}

#[test]
fn the_life_of_a_screener_on_postgres_is_the_same_or_is_left_out() {
    let Some(backend) = Backend::postgres("the life of a screener") else { return };
    run(&backend, async |db| {
        let server = Server::start(&config(Some(db.location.clone()), false)).await;
        transfer::demo::load(server.running.app(), &Operator::trusted()).await.expect("it loads");
        story(&server).await;
        server.stop().await;
    });
}

#[tokio::test]
async fn several_responses_are_allowed_at_once() {
    let server = Server::demo().await;
    // A participant with a completed session may begin another once the screener allows it.
    for (allowed, reason) in [(false, Some("EXHAUSTED")), (true, None), (false, Some("EXHAUSTED"))]
    {
        let message = pb::UpdateScreenerRequest {
            id: "scr_124".into(),
            title: None,
            allow_multiple_responses: Some(allowed),
        };
        call!(&server, update_screener(message)).expect("it changes");
        let done = new_session(&server, "scr_124", "crm-002").await;
        assert_eq!(done.err().map(|refused| refused.reason).as_deref(), reason, "{allowed}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_imported_screener_is_edited_and_published_like_any_other() {
    let server = Server::demo().await;
    let before = get(&server, "scr_123").await.expect("it is there");
    assert_eq!((&before.draft, &before.draft_hash), (&None, &None));
    let active = before.active_publication_id.as_deref().expect("it was published");
    let imported = publication(&server, active).await.expect("it is there");
    let mut draft = imported.questionnaire.clone().expect("it asks something");
    draft.tags.clear();
    let stored = update_draft(&server, "scr_123", draft.clone(), None).await.expect("a draft");
    assert_eq!(stored.draft.as_ref(), Some(&draft));
    let next = publish(&server, "scr_123", stored.draft_hash.as_deref()).await.expect("it works");
    let next = next.publication.expect("it is there");
    assert_ne!(next.id, imported.id);
    assert_eq!(publication(&server, active).await, Ok(imported));
    server.stop().await;
}

#[tokio::test]
async fn another_tenants_screeners_are_neither_seen_nor_changed_nor_in_the_way() {
    let server = Server::demo().await;
    let own = get(&server, "scr_123").await.expect("it is there");
    let (id, absent) = ("scr_123".to_owned(), "NOT_FOUND");
    let hash = Some("0".repeat(64));
    let (screener_id, expected_draft_hash) = (id.clone(), hash.clone());
    macro_rules! refused {
        ($method:ident($message:expr)) => {
            call!(&server, STRANGER, $method($message)).map(drop).expect_err("it is another's")
        };
    }
    let draft = Some(asking("Mine?"));
    for refused in [
        refused!(get_screener(pb::GetScreenerRequest { id: id.clone() })),
        refused!(update_screener(pb::UpdateScreenerRequest { id: id.clone(), ..<_>::default() })),
        refused!(update_draft(pb::UpdateDraftRequest {
            screener_id: id.clone(),
            draft,
            expected_draft_hash: None,
        })),
        refused!(discard_draft(pb::DiscardDraftRequest { screener_id, expected_draft_hash })),
        refused!(publish_screener(pb::PublishScreenerRequest {
            id: id.clone(),
            expected_draft_hash: hash,
        })),
        refused!(close_screener(pb::CloseScreenerRequest { id: id.clone() })),
        refused!(reopen_screener(pb::ReopenScreenerRequest { id: id.clone() })),
        refused!(list_publications(pb::ListPublicationsRequest {
            screener_id: id.clone(),
            pagination: None,
        })),
        refused!(get_publication(pb::GetPublicationRequest {
            id: own.active_publication_id.clone().expect("it was published"),
        })),
    ] {
        refused.is(absent, &[]);
    }
    let message = pb::CreateScreenerRequest { id: Some(id), ..new("", None) };
    let foreign = call!(&server, STRANGER, create_screener(message.clone()));
    foreign.expect_err("the project is another's").is(absent, &["project_id"]);
    let message = pb::CreateScreenerRequest { project_id: "proj_999".into(), ..message };
    call!(&server, STRANGER, create_screener(message)).expect("an id is unique within the tenant");
    assert_eq!(get(&server, "scr_123").await, Ok(own));
    create(&server, new("scr_123", None)).await.expect_err("taken").is("ALREADY_EXISTS", &["id"]);
    server.stop().await;
}
