//! The fields that each verb sets in addition to the status, and those that it keeps.

use screenerd::client as pb;
use screenerd::client::submission_service_client::SubmissionServiceClient;

use super::{PROJECT, Value, audit, database, get, json, review, server_with, session};
use crate::support::calls::{Transport, request};
use crate::support::{RESPONDENT, Server};

/// Returns a printed submission with some members changed. A null removes the member.
fn with(before: &Value, changes: &[(&str, Value)]) -> Value {
    let mut after = before.clone();
    let members = after.as_object_mut().expect("an object");
    for (name, value) in changes {
        if value.is_null() {
            members.remove(*name);
        } else {
            members.insert((*name).to_owned(), value.clone());
        }
    }
    after
}

/// Returns the members that every change of the status sets, at this second of the test.
fn moved(status: &str, second: u8) -> [(&'static str, Value); 4] {
    [
        ("status", json!(status)),
        ("statusUpdatedAt", json!(format!("2024-06-01T12:00:{second:02}Z"))),
        ("actor", json!("researcher")),
        ("isNew", json!(false)),
    ]
}

/// Applies steps to one submission and compares it as a whole after each.
async fn follow(server: &Server, transport: Transport, id: &str, story: &[Step<'_>]) {
    for (verb, body, changes) in story {
        let before = get(server, transport, id).await;
        server.clock.advance_seconds(1);
        let after = review(server, transport, verb, id, body.clone()).await.answer();
        assert_eq!(after, with(&before, changes), "{verb} of {id}");
    }
}

type Step<'a> = (&'static str, Value, &'a [(&'a str, Value)]);

fn both(
    change: [(&'static str, Value); 4],
    more: &[(&'static str, Value)],
) -> Vec<(&'static str, Value)> {
    change.into_iter().chain(more.iter().cloned()).collect()
}

/// Returns the members of a booking: its time, and the whole of it.
fn booked(at: &str, more: &Value) -> [(&'static str, Value); 2] {
    let mut booking = json!({ "researcherId": "team_123", "bookedDate": at });
    for (name, value) in more.as_object().expect("an object") {
        booking[name] = value.clone();
    }
    [("scheduledAt", json!(at)), ("externalProject", booking)]
}

/// Returns the members that a cancelled booking clears.
fn unbooked() -> [(&'static str, Value); 2] {
    [("scheduledAt", Value::Null), ("externalProject", Value::Null)]
}

const SAID: [(&str, Value); 3] =
    [("reason", Value::Null), ("message", Value::Null), ("shortNoticeCancel", Value::Null)];

fn invited(second: u8) -> (&'static str, Value) {
    ("inviteSentAt", json!(format!("2024-06-01T12:00:{second:02}Z")))
}

#[tokio::test]
async fn a_participant_is_invited_booked_booked_anew_cancelled_and_invited_again() {
    for transport in Transport::BOTH {
        let cancelled = json!({ "status": "CANCELLED", "reason": "time", "message": "I am ill.",
            "shortNoticeCancel": true, "scheduledAt": "2024-05-30T09:00:00Z",
            "favorite": true, "hidden": true, "isNew": true });
        let (server, folder) = server_with(&session("story", "ACTIVE", &cancelled)).await;
        let book = |at: &str| json!({ "scheduledAt": at });
        let plain = |at: &str| booked(at, &json!({}));
        let (first, second) = ("2024-06-03T09:00:00Z", "2020-01-01T00:00:00Z");
        follow(
            &server,
            transport,
            "story",
            &[
                (
                    "invite",
                    Value::Null,
                    &both(moved("INVITED", 1), &[&unbooked()[..], &[invited(1)]].concat()),
                ),
                ("cancel-invite", Value::Null, &moved("CANCELLED", 2)),
                ("invite", Value::Null, &both(moved("INVITED", 3), &[invited(3)])),
                ("schedule", book(first), &both(moved("SCHEDULED", 4), &plain(first))),
                ("schedule", book(second), &plain(second)),
                (
                    "cancel-booking",
                    Value::Null,
                    &both(moved("CANCELLED", 6), &[&unbooked()[..], &SAID].concat()),
                ),
                ("invite", Value::Null, &both(moved("INVITED", 7), &[invited(7)])),
                ("schedule", book(first), &both(moved("SCHEDULED", 8), &plain(first))),
                ("no-show", Value::Null, &moved("NOSHOW", 9)),
            ],
        )
        .await;
        let actions: Vec<String> = audit(&database(&folder), "story")
            .await
            .into_iter()
            .filter_map(|[it, ..]| it)
            .collect();
        assert_eq!(
            actions,
            [
                "INVITE",
                "CANCEL_INVITE",
                "INVITE",
                "SCHEDULE",
                "SCHEDULE",
                "CANCEL_BOOKING",
                "INVITE",
                "SCHEDULE",
                "MARK_NO_SHOW",
            ]
        );
        server.stop().await;
    }
}

#[tokio::test]
async fn a_booking_has_a_zone_and_links_and_either_side_gives_it_up() {
    for transport in Transport::BOTH {
        let (server, _folder) = server_with(&session("story", "ACTIVE", &json!({}))).await;
        let (first, second) = ("2024-06-03T09:00:00Z", "2024-06-04T09:00:00Z");
        let link = "https://example.com/book";
        let berlin = json!({ "bookedDate": first, "timezone": "Europe/Berlin",
            "meetingCancelLink": "https://example.com/cancel" });
        let sent = json!({ "researcherId": "team_123", "bookingUrl": link });
        let whole = json!({ "timezone": "Europe/Berlin", "bookingUrl": link,
            "meetingCancelLink": "https://example.com/cancel" });
        let moved_on = json!({ "bookingUrl": "https://example.com/other",
            "meetingCancelLink": "https://example.com/cancel" });
        let said = json!({ "reason": "final", "shortNoticeCancel": false, "message": "Ill." });
        follow(
            &server,
            transport,
            "story",
            &[
                (
                    "invite",
                    json!({ "bookingLink": link }),
                    &both(moved("INVITED", 1), &[invited(1), ("externalProject", sent)]),
                ),
                ("schedule", berlin, &both(moved("SCHEDULED", 2), &booked(first, &whole))),
                (
                    "schedule",
                    json!({ "scheduledAt": second, "bookingLink": "https://example.com/other" }),
                    &booked(second, &moved_on),
                ),
                (
                    "cancel-booking-reinvite",
                    json!({ "message": "Again?" }),
                    &both(
                        moved("INVITED", 4),
                        &[&unbooked()[..], &[invited(4), ("message", json!("Again?"))]].concat(),
                    ),
                ),
                (
                    "schedule",
                    json!({ "scheduledAt": first }),
                    &both(moved("SCHEDULED", 5), &booked(first, &json!({}))),
                ),
                (
                    "participant-cancel-booking",
                    said,
                    &both(
                        moved("CANCELLED", 6),
                        &[
                            &unbooked()[..],
                            &[
                                ("actor", json!("respondent")),
                                ("reason", json!("final")),
                                ("shortNoticeCancel", json!(false)),
                                ("message", json!("Ill.")),
                            ],
                        ]
                        .concat(),
                    ),
                ),
                ("invite", Value::Null, &both(moved("INVITED", 7), &[invited(7)])),
                ("attended", Value::Null, &moved("ATTENDED", 8)),
                ("payouts", json!({ "payoutCount": 1, "tip": 500 }), &moved("PAID", 9)),
            ],
        )
        .await;
        server.stop().await;
    }
}

#[tokio::test]
async fn qualification_marks_and_reports_leave_the_status_alone() {
    for transport in Transport::BOTH {
        let (server, folder) = server_with(&session("story", "ACTIVE", &json!({}))).await;
        let why = |reason: &str| json!({ "reason": reason, "message": "Too few people." });
        follow(
            &server,
            transport,
            "story",
            &[
                ("favorite", Value::Null, &[("favorite", json!(true))]),
                ("favorite", json!({ "favorite": false }), &[("favorite", json!(false))]),
                ("hide", Value::Null, &[("hidden", json!(true))]),
                ("unhide", Value::Null, &[("hidden", json!(false))]),
                (
                    "disqualify",
                    why("SCREENER"),
                    &[("qualified", json!(false)), ("isNew", json!(false))],
                ),
                ("disqualify", why("OTHER"), &[]),
                ("qualify", Value::Null, &[("qualified", json!(true))]),
                ("report", Value::Null, &[("visibility", json!({ "status": "DISMISSED" }))]),
                ("hide", Value::Null, &[("hidden", json!(true))]),
            ],
        )
        .await;
        let refused = review(&server, transport, "reject", "story", Value::Null).await;
        assert_eq!(refused.code(), "not_visible");
        let visible = json!({ "visibility": "VISIBLE" });
        follow(
            &server,
            Transport::Grpc,
            "story",
            &[("set-visibility", visible, &[("visibility", json!({ "status": "VISIBLE" }))])],
        )
        .await;
        let word = |text: &str| Some(text.to_owned());
        let entries = audit(&database(&folder), "story").await;
        let expected = [
            [word("FAVORITE"), word("false"), word("true")],
            [word("FAVORITE"), word("true"), word("false")],
            [word("HIDE"), word("false"), word("true")],
            [word("UNHIDE"), word("true"), word("false")],
            [word("DISQUALIFY"), None, word("false")],
            [word("DISQUALIFY"), word("SCREENER"), word("OTHER")],
            [word("QUALIFY"), word("false"), word("true")],
            [word("REPORT"), word("VISIBLE"), word("DISMISSED")],
            [word("HIDE"), word("false"), word("true")],
            [word("SET_VISIBILITY"), word("DISMISSED"), word("VISIBLE")],
        ];
        assert_eq!(entries, expected);
        assert_eq!(review(&server, transport, "reject", "story", Value::Null).await.code(), "ok");
        server.stop().await;
    }
}

#[tokio::test]
async fn an_override_is_shown_as_one_with_its_reason() {
    let (server, _folder) = server_with(&session("story", "ACTIVE", &json!({}))).await;
    let mut client = SubmissionServiceClient::new(server.channel().await);
    let mut shown = async || {
        let (project_id, id) = (PROJECT.into(), "story".into());
        let message = pb::GetSubmissionRequest { project_id, id };
        let answer =
            client.get_submission(request(message, RESPONDENT)).await.expect("it is there");
        let submission = answer.into_inner().submission.expect("a submission");
        (submission.qualified(), submission.qualified_override, submission.disqualification)
    };
    assert_eq!(shown().await, (true, None, None));
    let body = json!({ "reason": "MISREPRESENTED", "message": "" });
    review(&server, Transport::Rest, "disqualify", "story", body).await.answer();
    let reason = pb::DisqualificationReason::Misrepresented.into();
    let why = pb::Disqualification { reason, message: None, reasons: vec![reason] };
    assert_eq!(shown().await, (false, Some(false), Some(why)));
    review(&server, Transport::Rest, "qualify", "story", Value::Null).await.answer();
    assert_eq!(shown().await, (true, Some(true), None));
    server.stop().await;
}
