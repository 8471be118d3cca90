//! Submitting answers: accepted answers, refusals, and the resulting state.

mod access;
mod crash;
mod epoch;
mod kept;
mod matched;
mod together;
mod typed;

use screenerd::client as pb;
use screenerd::client::history_service_client::HistoryServiceClient;
use screenerd::client::panelist_session_service_client::PanelistSessionServiceClient;
use screenerd::client::participant_service_client::ParticipantServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use serde_json::{Value, json};

use crate::support::calls::{Call, Outcome, Transport, make};
use crate::support::panelist::{
    LIFE, Submit, add_life, earlier_responses, import, public_key, submit,
};
use crate::support::unary::unary;
use crate::support::{PANEL, RESPONDENT, SERVICE, SPOT, Server};

/// Returns answers to every question. None of them skips another question.
pub(crate) fn everything() -> Value {
    json!({
        "q_name": { "text": "Ada" }, "q_years": { "number": 4.5 },
        "q_size": { "option": "s_mid" }, "q_team": { "text": "A\nB" },
        "q_tools": { "options": ["t_must", ["t_other", "Slides"]] }, "q_code": { "text": "ABC" },
    })
}

async fn life() -> Server {
    let server = Server::demo().await;
    add_life(&server, false).await;
    server
}

#[tokio::test]
async fn a_wrong_answer_to_a_required_question_is_refused_for_one_reason() {
    for transport in Transport::BOTH {
        let server = life().await;
        let key = public_key(&server, LIFE, "crm-new").await;
        let mut answers = everything();
        answers["q_years"] = json!({ "text": "abc" });
        let refused = submit(&server, transport, &key, &Submit::last(answers)).await;
        let fields = vec!["answers.q_years".to_owned()];
        let code = "invalid_argument".to_owned();
        assert_eq!(refused, Outcome::Refusal { code, fields });
        server.stop().await;
    }
}

/// Returns the sessions of the screener.
pub(crate) async fn sessions(server: &Server) -> Vec<Value> {
    let path = format!("/screener-sessions?filter[screenerId][eq]={LIFE}");
    let list = server.send("GET", &path, SPOT).await.json();
    list["items"].as_array().expect("items").clone()
}

/// Returns the answers of the screener's sessions, by question.
pub(crate) async fn responses(server: &Server) -> Vec<(String, Value)> {
    let path = format!("/screener-responses?filter[screenerId][eq]={LIFE}");
    let list = server.send("GET", &path, SPOT).await.json();
    let items = list["items"].as_array().expect("items");
    assert_eq!(list["total"], items.len());
    let pair = |item: &Value| {
        let question = item["screenerQuestionId"].as_str().expect("an id");
        (question.to_owned(), item["answer"].clone())
    };
    items.iter().map(pair).collect()
}

fn answer(question: &str, answer: Value) -> (String, Value) {
    (question.into(), answer)
}

#[tokio::test]
async fn a_panelist_starts_goes_on_and_completes() {
    for transport in Transport::BOTH {
        let server = life().await;
        let key = public_key(&server, LIFE, "crm-new").await;
        assert_eq!(sessions(&server).await, [json!(null); 0], "a key makes no session");
        let first = Submit::some(json!({ "q_name": { "text": "Ada" } }));
        let taken = submit(&server, transport, &key, &first).await;
        assert_eq!(taken, Outcome::Answer(json!({ "count": 1 })));
        let [session] = &sessions(&server).await[..] else { panic!("one session is expected") };
        assert_eq!(session["state"], "IN_PROGRESS");
        assert_eq!(session["startedAt"], "2024-06-01T12:00:00Z");
        assert_eq!(session["lastActiveAt"], "2024-06-01T12:00:00Z");
        server.clock.advance_seconds(60);
        let second =
            Submit::some(json!({ "q_years": { "number": 1 }, "q_name": { "text": "Eve" } }));
        submit(&server, transport, &key, &second).await.answer();
        server.clock.advance_seconds(60);
        let last = Submit::last(json!({ "q_size": { "option": "s_big" } }));
        submit(&server, transport, &key, &last).await.answer();
        let [session] = &sessions(&server).await[..] else { panic!("one session is expected") };
        assert_eq!(session["state"], "COMPLETED");
        assert_eq!(session["startedAt"], "2024-06-01T12:00:00Z");
        assert_eq!(session["completedAt"], "2024-06-01T12:02:00Z");
        assert_eq!(session["lastActiveAt"], session["completedAt"]);
        // In arrival order. Includes unanswered questions on the path and excludes skipped ones.
        let expected = [
            answer("q_name", json!("Eve")),
            answer("q_years", json!(1)),
            answer("q_size", json!({ "text": "s_big", "isWriteIn": false })),
            answer("q_tools", json!(null)),
            answer("q_code", json!(null)),
        ];
        assert_eq!(responses(&server).await, expected);
        let id = session["id"].as_str().expect("an id");
        let review = make(&server, transport, RESPONDENT, &Call::submission("proj_123", id)).await;
        let review = review.answer();
        assert_eq!((&review["status"], &review["isNew"]), (&json!("PENDING"), &json!(true)));
        assert_eq!((&review["qualified"], &review["percentage"]), (&json!(false), &json!(50)));
        let path = format!("/tenant/surveys/{LIFE}/panelists/crm-new");
        let access = server.send("GET", &path, PANEL).await.json();
        assert_eq!(access["panelist"]["canRespond"], false);
        assert_eq!(access["panelist"]["sessionCount"], 1);
        assert_eq!(access["panelist"]["activityStartedUnixTs"], 1_717_243_200);
        assert_eq!(access["panelist"]["activityMostRecentUnixTs"], 1_717_243_320);
        server.stop().await;
    }
}

#[tokio::test]
async fn every_kind_of_answer_comes_back_as_it_was_given() {
    for transport in Transport::BOTH {
        let server = life().await;
        let key = public_key(&server, LIFE, "crm-new").await;
        submit(&server, transport, &key, &Submit::some(everything())).await.answer();
        let expected = [
            answer("q_name", json!("Ada")),
            answer("q_years", json!(4.5)),
            answer("q_size", json!({ "text": "s_mid", "isWriteIn": false })),
            answer("q_team", json!("A\nB")),
            answer(
                "q_tools",
                json!([
                    { "text": "t_must", "isWriteIn": false },
                    { "text": "t_other: Slides", "isWriteIn": true },
                ]),
            ),
            answer("q_code", json!("ABC")),
        ];
        assert_eq!(responses(&server).await, expected);
        let sheet = server.send("GET", "/public/surveys/", &[("authorization", &key)]).await.json();
        let given = json!({
            "q_name": { "explanation": "Ada" }, "q_years": { "explanation": "4.5" },
            "q_size": { "optionId": "s_mid" }, "q_team": { "explanation": "A\nB" },
            "q_tools": { "optionIds": ["t_must", "t_other"], "explanation": "Slides" },
            "q_code": { "explanation": "ABC" },
        });
        assert_eq!(sheet["responses"], given);
        server.stop().await;
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_and_nothing_is_saved() {
    for transport in Transport::BOTH {
        let server = life().await;
        let key = public_key(&server, LIFE, "crm-new").await;
        let wrong = json!({
            "q_name": { "text": "A" }, "q_years": { "number": 4.7 },
            "q_size": { "option": "s_huge" }, "q_team": { "number": 5 },
            "q_tools": { "options": [] }, "q_code": { "text": "abc" }, "q_more": { "text": "" },
        });
        let fields: Vec<_> =
            ["q_code", "q_more", "q_name", "q_size", "q_team", "q_tools", "q_years"]
                .iter()
                .map(|id| format!("answers.{id}"))
                .collect();
        let refused = submit(&server, transport, &key, &Submit::some(wrong)).await;
        let code = "invalid_argument".to_owned();
        assert_eq!(refused, Outcome::Refusal { code: code.clone(), fields });
        for answers in [
            json!({ "q_name": { "text": "  " } }),
            json!({ "q_name": null }),
            json!({ "q_name": { "text": "two\nlines" } }),
            json!({ "q_name": { "text": "x".repeat(51) } }),
        ] {
            let refused = submit(&server, transport, &key, &Submit::some(answers)).await;
            assert_eq!(refused, Outcome::refusal(&code, &["answers.q_name"]));
        }
        for number in [-0.5, 50.5, 1.25] {
            let answers = json!({ "q_years": { "number": number } });
            let refused = submit(&server, transport, &key, &Submit::some(answers)).await;
            assert_eq!(refused, Outcome::refusal(&code, &["answers.q_years"]));
        }
        for options in [
            json!(["t_must", "t_must"]),
            json!(["t_must", "t_may", "t_bad", ["t_other", "x"]]),
            json!(["t_other"]),
            json!([["t_must", "x"]]),
            json!([["t_other", " "]]),
        ] {
            let answers = json!({ "q_tools": { "options": options } });
            let refused = submit(&server, transport, &key, &Submit::some(answers)).await;
            assert_eq!(refused, Outcome::refusal(&code, &["answers.q_tools"]));
        }
        let refused = submit(&server, transport, &key, &Submit::some(json!({}))).await;
        assert_eq!(refused, Outcome::refusal(&code, &["answers"]));
        let missing = ["answers.q_name", "answers.q_size", "answers.q_years"];
        let refused = submit(&server, transport, &key, &Submit::last(json!({}))).await;
        assert_eq!(refused, Outcome::refusal(&code, &missing));
        let under = Submit::some(everything()).under("not plain");
        let refused = submit(&server, transport, &key, &under).await;
        assert_eq!(refused, Outcome::refusal(&code, &["request_id"]));
        assert_eq!(sessions(&server).await, [json!(null); 0]);
        assert_eq!(responses(&server).await, []);
        let people = pb::GetParticipantRequest {
            participant: Some(pb::get_participant_request::Participant::ExternalUid(
                "crm-new".into(),
            )),
        };
        let refused = unary!(server, SERVICE, ParticipantServiceClient.get_participant(people));
        refused.expect_err("nobody is made for a refused submission").is("NOT_FOUND", &[]);
        server.stop().await;
    }
}

#[tokio::test]
async fn an_answer_that_changes_the_path_drops_what_it_no_longer_reaches_as_an_earlier_answer() {
    for transport in Transport::BOTH {
        let server = life().await;
        let key = public_key(&server, LIFE, "crm-new").await;
        submit(&server, transport, &key, &Submit::some(everything())).await.answer();
        let big = Submit::some(json!({ "q_size": { "option": "s_big" } }));
        submit(&server, transport, &key, &big).await.answer();
        let left: Vec<_> = responses(&server).await.into_iter().map(|(id, _)| id).collect();
        assert_eq!(left, ["q_name", "q_years", "q_size", "q_tools", "q_code"]);
        // This choice ends the questionnaire, so the server refuses answers to later questions.
        let small = json!({ "q_size": { "option": "s_small" }, "q_code": { "text": "XYZ" } });
        let refused = submit(&server, transport, &key, &Submit::some(small)).await;
        assert_eq!(refused, Outcome::refusal("invalid_argument", &["answers.q_code"]));
        let small = Submit::last(json!({ "q_size": { "option": "s_small" } }));
        submit(&server, transport, &key, &small).await.answer();
        let left: Vec<_> = responses(&server).await.into_iter().map(|(id, _)| id).collect();
        assert_eq!(left, ["q_name", "q_years", "q_size"]);
        let id = sessions(&server).await[0]["id"].as_str().expect("an id").to_owned();
        let changes = history(&server, &id).await;
        let told: Vec<_> = changes
            .iter()
            .flat_map(|change| &change.fields)
            .filter(|field| field.name.starts_with("answers."))
            .map(|field| (field.name.as_str(), field.before.as_deref(), field.after.as_deref()))
            .collect();
        let first = ["q_name", "q_years", "q_size", "q_team", "q_tools", "q_code"];
        let later = ["q_size", "q_team", "q_size", "q_tools", "q_code"];
        let named = first.iter().chain(&later).map(|id| format!("answers.{id}"));
        let expected: Vec<_> = named.collect();
        let expected: Vec<_> = expected.iter().map(|name| (name.as_str(), None, None)).collect();
        assert_eq!(told, expected, "questions are named, and no value is told");
        let option = |text: &str| json!({ "text": text, "isWriteIn": text.contains(':') });
        let tools = [option("t_must"), option("t_other: Slides")];
        let expected = [
            ("q_size", json!({ "option": option("s_mid") }), "REPLACED"),
            ("q_team", json!({ "text": "A\nB" }), "DROPPED"),
            ("q_size", json!({ "option": option("s_big") }), "REPLACED"),
            ("q_tools", json!({ "options": { "options": tools } }), "DROPPED"),
            ("q_code", json!({ "text": "ABC" }), "DROPPED"),
        ];
        let expected = expected.map(|(id, answer, reason)| (id.to_owned(), answer, reason.into()));
        assert_eq!(earlier_responses(&server, Some(&id)).await, expected);
        let actions: Vec<_> = changes.iter().map(pb::Change::action).collect();
        let expected = [
            pb::ChangeAction::Create,
            pb::ChangeAction::Answer,
            pb::ChangeAction::Answer,
            pb::ChangeAction::Complete,
        ];
        assert_eq!(actions, expected);
        assert!(changes.iter().all(|change| change.actor == "panelist"));
        server.stop().await;
    }
}

/// Returns the history of a session.
async fn history(server: &Server, id: &str) -> Vec<pb::Change> {
    let filter = pb::ChangeFilter {
        subject: Some(pb::ChangeSubject::Session.into()),
        subject_id: Some(pb::IdEqFilter { eq: Some(id.into()) }),
    };
    let message = pb::ListChangesRequest { filter: Some(filter), pagination: None };
    let listed = unary!(server, SERVICE, HistoryServiceClient.list_changes(message));
    listed.expect("a history").items
}

#[tokio::test]
async fn a_repeat_under_a_key_is_told_the_same_and_another_submission_is_a_conflict() {
    for transport in Transport::BOTH {
        let server = life().await;
        let key = public_key(&server, LIFE, "crm-new").await;
        let last = Submit::last(everything()).under("click-1");
        let first = submit(&server, transport, &key, &last).await;
        assert_eq!(first, Outcome::Answer(json!({ "count": 6 })));
        // The retry works over either transport, and after the session is completed.
        for again in Transport::BOTH {
            assert_eq!(submit(&server, again, &key, &last).await, first);
        }
        let other = Submit::last(json!({ "q_name": { "text": "Eve" } })).under("click-1");
        let refused = submit(&server, transport, &key, &other).await;
        assert_eq!(refused, Outcome::refusal("conflict", &[]));
        let unmarked = submit(&server, transport, &key, &Submit::last(everything())).await;
        assert_eq!(unmarked, Outcome::refusal("exhausted", &[]));
        // The server knows the key after 47 hours and has forgotten it after 49.
        server.clock.advance_seconds(47 * 3600);
        assert_eq!(server.running.app().forget_idempotency_keys().await.expect("it works"), 0);
        assert_eq!(submit(&server, transport, &key, &last).await, first);
        server.clock.advance_seconds(2 * 3600);
        assert_eq!(server.running.app().forget_idempotency_keys().await.expect("it works"), 1);
        let late = submit(&server, transport, &key, &last).await;
        assert_eq!(late, Outcome::refusal("exhausted", &[]));
        assert_eq!(sessions(&server).await.len(), 1);
        server.stop().await;
    }
}

#[tokio::test]
async fn whoever_may_not_answer_is_told_why() {
    for transport in Transport::BOTH {
        let server = life().await;
        let message = pb::CreateScreenerSessionRequest {
            screener_id: LIFE.into(),
            participant: Some(pb::create_screener_session_request::Participant::ExternalUid(
                "crm-link".into(),
            )),
        };
        let made =
            unary!(server, SPOT, ScreenerSessionServiceClient.create_screener_session(message));
        let made = made.expect("a session").screener_session.expect("a session");
        let key = public_key(&server, LIFE, "crm-link").await;
        let short = format!("https://screener.example/s/{}", made.link_slug);
        let holds = [made.screener_session_link.as_str(), &short, &key];
        let one = Submit::some(json!({ "q_name": { "text": "Ada" } }));
        for held in holds {
            submit(&server, transport, held, &one).await.answer();
        }
        assert_eq!(sessions(&server).await.len(), 1, "link, slug and key lead to one session");
        let archive = pb::ArchiveScreenerSessionRequest { id: made.id.clone() };
        unary!(server, SPOT, ScreenerSessionServiceClient.archive_screener_session(archive))
            .expect("it is archived");
        for held in holds {
            let refused = submit(&server, transport, held, &one).await;
            assert_eq!(refused, Outcome::refusal("not_open", &[]), "archived");
        }
        let restore = pb::RestoreScreenerSessionRequest { id: made.id.clone() };
        unary!(server, SPOT, ScreenerSessionServiceClient.restore_screener_session(restore))
            .expect("it is restored");
        submit(&server, transport, &key, &Submit::last(everything())).await.answer();
        for held in holds {
            let refused = submit(&server, transport, held, &one).await;
            assert_eq!(refused, Outcome::refusal("exhausted", &[]), "completed");
        }
        make(&server, transport, SPOT, &Call::RemoveSession(made.id.clone())).await.answer();
        for held in holds {
            let refused = submit(&server, transport, held, &one).await;
            assert_eq!(refused, Outcome::refusal("gone", &[]), "removed");
        }
        for unknown in
            ["abc:def", "nonsense", "/s/nobody", "/screeners/scr_life/nobody", "Bearer x"]
        {
            let refused = submit(&server, transport, unknown, &one).await;
            assert_eq!(refused, Outcome::refusal("unauthorized", &[]), "{unknown}");
        }
        // A link from an import without trust opens the questionnaire but cannot submit.
        let lines = [
            json!({ "format": "screenerd-import", "version": 1 }),
            json!({ "type": "screenerParticipant", "tenant": "acct_123", "id": "scpar_old",
                "screenerId": LIFE, "participantId": "ptp_001" }),
            json!({ "type": "screenerSession", "tenant": "acct_123", "id": "scses_old",
                "screenerId": LIFE, "screenerParticipantId": "scpar_old",
                "screenerPublicationId": "scpub_life", "linkSlug": "old", "status": "ACTIVE",
                "createdAt": "2024-05-01T15:00:00Z" }),
        ];
        import(&server, &lines).await;
        let refused = submit(&server, transport, "https://screener.example/s/old", &one).await;
        assert_eq!(refused, Outcome::refusal("forbidden", &[]));
        server.stop().await;
    }
}

#[tokio::test]
async fn a_survey_that_is_not_open_takes_no_answers() {
    let server = life().await;
    for (id, status) in [("scr_draft", "DRAFT"), ("scr_closed", "CLOSED")] {
        let lines = [
            json!({ "format": "screenerd-import", "version": 1 }),
            json!({ "type": "screener", "tenant": "acct_123", "id": id, "projectId": "proj_123",
                "title": "Not open", "status": status }),
        ];
        import(&server, &lines).await;
        let key = public_key(&server, id, "crm-1").await;
        for transport in Transport::BOTH {
            let refused = submit(&server, transport, &key, &Submit::some(everything())).await;
            assert_eq!(refused, Outcome::refusal("not_open", &[]));
        }
        let loaded = server.send("GET", "/public/surveys/", &[("authorization", &key)]).await;
        assert_eq!((loaded.status, &loaded.json()["error"]), (403, &json!("not_open")));
    }
    server.stop().await;
}

#[tokio::test]
async fn where_several_responses_are_allowed_a_completed_session_is_followed_by_another() {
    for transport in Transport::BOTH {
        let server = Server::demo().await;
        add_life(&server, true).await;
        let key = public_key(&server, LIFE, "crm-new").await;
        let last = Submit::last(everything());
        for click in ["one", "one", "two"] {
            submit(&server, transport, &key, &last.clone().under(click)).await.answer();
        }
        assert_eq!(sessions(&server).await.len(), 2);
        submit(&server, transport, &key, &last).await.answer();
        assert_eq!(sessions(&server).await.len(), 3);
        server.stop().await;
    }
}

#[tokio::test]
async fn the_questionnaire_is_loaded_without_starting_it_or_telling_what_qualifies() {
    let server = life().await;
    let key = public_key(&server, LIFE, "crm-new").await;
    let credential = [("authorization", key.as_str())];
    let sheet = server.send("GET", "/public/surveys/", &credential).await.json();
    assert_eq!(sheet["survey"], json!({ "id": LIFE, "status": "OPEN", "title": "A life" }));
    assert_eq!((&sheet["session"], &sheet["publicationId"]), (&json!(null), &json!("scpub_life")));
    assert_eq!(sheet["pages"].as_array().expect("pages").len(), 3);
    assert_eq!(sheet["path"].as_array().expect("a path").len(), 6);
    let years = &sheet["pages"][0]["questions"][1];
    let expected = json!({ "id": "q_years", "kind": "NUMERIC", "prompt": "Years?", "required": true,
        "slider": false, "min": 0, "max": 50, "step": 0.5 });
    assert_eq!(*years, expected);
    let text = sheet.to_string();
    assert!(!text.contains("QUALIF") && !text.contains("ule"), "{text}");
    let message = pb::GetQuestionnaireRequest {};
    let loaded =
        unary!(server, &credential[..], PanelistSessionServiceClient.get_questionnaire(message));
    let loaded = loaded.expect("a questionnaire");
    assert_eq!((loaded.title(), &loaded.session), ("A life", &None));
    let publication = loaded.publication.expect("a publication");
    assert_eq!(publication.content_hash().len(), 64);
    let told = format!("{:?}", publication.questionnaire);
    assert!(!told.contains("Disqualifies") && !told.contains("qualifies: Some"), "{told}");
    assert_eq!(sessions(&server).await, [json!(null); 0]);
    server.stop().await;
}

#[tokio::test]
async fn a_dismissal_is_seen_in_panelist_access_and_changes_nothing_else() {
    let server = life().await;
    let key = public_key(&server, LIFE, "crm-new").await;
    let credential = [("authorization", key.as_str())];
    let path = format!("/tenant/surveys/{LIFE}/panelists/crm-new");
    let dismissed = server.send("POST", "/public/surveys/dismiss/", &credential).await;
    assert_eq!((dismissed.status, dismissed.json()), (200, json!({})));
    let access = server.send("GET", &path, PANEL).await.json();
    assert_eq!(access["panelist"]["dismissedMostRecentUnixTs"], 1_717_243_200);
    assert_eq!(access["panelist"]["canRespond"], true);
    assert_eq!(access["panelist"]["sessionCount"], 0);
    server.clock.advance_seconds(9);
    let message = pb::DismissRequest {};
    unary!(server, &credential[..], PanelistSessionServiceClient.dismiss(message)).expect("done");
    let access = server.send("GET", &path, PANEL).await.json();
    assert_eq!(access["panelist"]["dismissedMostRecentUnixTs"], 1_717_243_209);
    assert_eq!(public_key(&server, LIFE, "crm-new").await, key);
    submit(&server, Transport::Rest, &key, &Submit::last(everything())).await.answer();
    server.stop().await;
}

#[tokio::test]
async fn another_version_than_the_one_that_was_shown_is_a_conflict() {
    for transport in Transport::BOTH {
        let server = life().await;
        let key = public_key(&server, LIFE, "crm-new").await;
        let shown = |id: &str| Submit {
            publication: Some(id.into()),
            ..Submit::some(json!({ "q_name": { "text": "Ada" } }))
        };
        let refused = submit(&server, transport, &key, &shown("scpub_old")).await;
        assert_eq!(refused, Outcome::refusal("conflict", &[]));
        // An empty submission is invalid under any version.
        let empty = Submit { answers: json!({}), ..shown("scpub_old") };
        let Outcome::Refusal { code, .. } = submit(&server, transport, &key, &empty).await else {
            panic!("nothing was taken");
        };
        assert_eq!(code, "invalid_argument");
        submit(&server, transport, &key, &shown("scpub_life")).await.answer();
        server.stop().await;
    }
}
