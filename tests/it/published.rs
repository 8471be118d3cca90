//! The requests of published third-party clients: each call, at every status, with its documented
//! bodies, against the schema of its documented response.

mod panel;
mod schema;
mod sessions;

use serde_json::{Value, json};

use crate::review::{PROJECT, STATUSES, server_with, session};
use crate::support::{RESPONDENT, Reply, Server};
use schema::Need::{Optional, Required};
use schema::Shape::{Flag, Instant, List, Number, Object, OrNull, Text, Word};
use schema::{Need, Shape, check};

const REVIEW_STATUSES: &[&str] = &[
    "PENDING",
    "EXTERNAL_SCREENER_IN_PROGRESS",
    "INVITED",
    "SCHEDULED",
    "ATTENDED",
    "NOSHOW",
    "INVALIDRESPONSE",
    "REJECTEDQUALITY",
    "PAID",
    "CANCELLED",
];

/// A call of the client: its method and verb, the bodies of its schema, and the next status of a
/// submission of each status, or 409.
struct Call {
    method: &'static str,
    verb: &'static str,
    bodies: fn() -> Vec<Value>,
    outcomes: &'static str,
}

const STAYS: &str = "PENDING INVITED SCHEDULED ATTENDED NOSHOW INVALIDRESPONSE REJECTEDQUALITY \
                     PAID CANCELLED";

/// Calls whose schema has no body are sent without one.
const CALLS: &[Call] = &[
    Call { method: "GET", verb: "", bodies: none, outcomes: STAYS },
    Call { method: "PATCH", verb: "/qualify", bodies: qualifications, outcomes: STAYS },
    Call {
        method: "PATCH",
        verb: "/invite",
        bodies: || {
            vec![
                json!({}),
                json!({ "meetingLink": "https://example.com/session" }),
                json!({ "meetingLink": "https://example.com/session", "message": "Welcome.",
                    "bookingLink": "https://example.com/book",
                    "remoteCommunicationDetails": "https://example.com/old" }),
            ]
        },
        outcomes: "INVITED INVITED 409 409 409 409 409 409 INVITED",
    },
    Call {
        method: "PATCH",
        verb: "/schedule",
        bodies: || {
            vec![
                json!({ "timezone": "Europe/London", "bookedDate": "2026-02-01T10:00:00.000Z" }),
                json!({ "timezone": "America/New_York", "bookedDate": "2026-02-01T10:00:00",
                    "bookingUrl": "https://example.com/old", "meetingLink": "https://example.com/m",
                    "bookingLink": "https://example.com/book",
                    "meetingCancelLink": "https://example.com/cancel" }),
            ]
        },
        outcomes: "409 SCHEDULED SCHEDULED 409 409 409 409 409 409",
    },
    Call {
        method: "PATCH",
        verb: "/attended",
        bodies: none,
        outcomes: "409 ATTENDED ATTENDED ATTENDED 409 409 409 409 409",
    },
    Call {
        method: "PATCH",
        verb: "/no-show",
        bodies: none,
        outcomes: "409 409 NOSHOW 409 NOSHOW 409 409 409 409",
    },
    Call {
        method: "PATCH",
        verb: "/reject",
        bodies: none,
        outcomes: "REJECTEDQUALITY REJECTEDQUALITY REJECTEDQUALITY REJECTEDQUALITY 409 409 \
                   REJECTEDQUALITY 409 409",
    },
    Call { method: "PATCH", verb: "/report", bodies: reports, outcomes: STAYS },
    Call {
        method: "PATCH",
        verb: "/favorite",
        bodies: || vec![json!({ "favorite": true }), json!({ "favorite": false })],
        outcomes: STAYS,
    },
    Call {
        method: "PATCH",
        verb: "/hide",
        bodies: || vec![json!({ "hidden": true }), json!({ "hidden": false })],
        outcomes: STAYS,
    },
    Call {
        method: "PATCH",
        verb: "/cancel-invite",
        bodies: none,
        outcomes: "PENDING PENDING 409 409 409 409 409 409 CANCELLED",
    },
    Call {
        method: "PATCH",
        verb: "/cancel-booking",
        bodies: none,
        outcomes: "409 409 CANCELLED 409 409 409 409 409 CANCELLED",
    },
    Call {
        method: "PATCH",
        verb: "/cancel-booking-reinvite",
        bodies: || vec![json!({}), json!({ "message": "Rescheduling" })],
        outcomes: "409 INVITED INVITED 409 409 409 409 409 409",
    },
    Call {
        method: "PATCH",
        verb: "/participant-cancel-booking",
        bodies: || {
            vec![
                json!({}),
                json!({ "message": "Participant cancelled" }),
                json!({ "reason": "time", "shortNoticeCancel": true, "message": "" }),
                json!({ "reason": "final", "shortNoticeCancel": false }),
            ]
        },
        outcomes: "409 409 CANCELLED 409 409 409 409 409 CANCELLED",
    },
    Call {
        method: "POST",
        verb: "/payouts",
        bodies: || vec![json!({ "payoutCount": 1 }), json!({ "payoutCount": 5, "tip": 250 })],
        outcomes: "409 409 409 PAID 409 409 409 PAID 409",
    },
];

fn none() -> Vec<Value> {
    vec![Value::Null]
}

fn qualifications() -> Vec<Value> {
    let body = |qualify: bool, overridden: bool, reasons: &[&str], message: &str| {
        json!({ "qualifyStatus": qualify, "qualifiedOverriden": overridden,
            "disqualifyReasons": reasons, "message": message })
    };
    vec![
        body(true, false, &[], ""),
        body(true, true, &["OTHER"], "A good fit."),
        body(false, false, &["MISREPRESENTED"], ""),
        body(false, true, &["CONTEXT", "SCREENER", "OTHER"], "Too junior."),
    ]
}

fn reports() -> Vec<Value> {
    vec![
        json!({ "reasons": ["NOSHOW"], "flaggedMessage": "Did not attend" }),
        json!({ "reasons": [], "flaggedMessage": "" }),
        json!({ "reasons": ["MISREPRESENTED", "INAPPROPRIATE", "INVALIDRESPONSE", "OTHER"],
            "flaggedMessage": "All of it.", "payParticipant": true }),
    ]
}

const ANSWER: &[(&str, Need, Shape)] = &[
    ("id", Required, Text),
    ("uid", Required, Text),
    ("text", Required, Text),
    ("answerValue", Required, Number),
    ("goToQuestionUid", Optional, OrNull(&Text)),
    ("isOther", Optional, Flag),
    ("other", Optional, Text),
];

const LINE: &[(&str, Need, Shape)] = &[
    ("questionId", Required, Text),
    ("questionText", Required, Text),
    ("order", Optional, Number),
    ("type", Required, Text),
    (
        "questionType",
        Required,
        Word(&[
            "radio",
            "multiLineTextbox",
            "checkbox",
            "singleLineTextbox",
            "numericBox",
            "sliderScale",
            "fileUpload",
            "rank",
            "matrix",
        ]),
    ),
    ("answers", Required, List(&Object(ANSWER))),
    ("qualify", Required, Flag),
];

const MATCHING: &[(&str, Need, Shape)] = &[
    ("isGenderMatch", Required, Flag),
    ("isAgeMatch", Required, Flag),
    ("isEthnicityMatch", Required, Flag),
    ("isEducationMatch", Required, Flag),
    ("questionsQualified", Required, Flag),
    ("isLocationMatch", Required, Flag),
    ("isIndustryMatch", Required, Flag),
    ("isJobTitleMatch", Required, Flag),
    ("isHouseholdIncomeMatch", Required, Flag),
    ("isCompanySizeMatch", Required, Flag),
    ("isTopicsMatch", Optional, Flag),
];

const OF_PROJECT: &[(&str, Need, Shape)] = &[
    ("name", Required, Text),
    ("incentive", Required, Number),
    ("id", Required, Text),
    ("organizationId", Required, Text),
    ("teamId", Required, Text),
];

const PROFILE: &[(&str, Need, Shape)] = &[
    ("id", Required, Text),
    ("userId", Required, Text),
    ("firstName", Required, Text),
    ("lastName", Required, Text),
    ("picture", Optional, OrNull(&Text)),
    ("skills", Required, List(&Object(&[]))),
];

const BOOKING: &[(&str, Need, Shape)] = &[
    ("researcherId", Required, Text),
    ("bookingUrl", Optional, Text),
    ("meetingCancelLink", Optional, Text),
    ("bookedDate", Optional, Instant),
    ("timezone", Optional, Text),
];

const SUBMISSION: &[(&str, Need, Shape)] = &[
    ("qualified", Required, Flag),
    ("qualifiedPendingIdVerification", Optional, Flag),
    ("percentage", Required, Number),
    ("status", Required, Word(REVIEW_STATUSES)),
    ("favorite", Optional, Flag),
    ("hidden", Optional, Flag),
    ("responses", Required, List(&Object(LINE))),
    ("totalTime", Required, Number),
    ("isNew", Optional, Flag),
    ("inviteSentAt", Optional, Instant),
    ("scheduledAt", Optional, Instant),
    ("statusUpdatedAt", Optional, Instant),
    ("ndaUrl", Optional, Text),
    ("ndaAgree", Optional, Flag),
    ("project", Optional, Object(OF_PROJECT)),
    ("profile", Optional, Object(PROFILE)),
    ("matching", Required, Object(MATCHING)),
    ("externalProject", Optional, Object(BOOKING)),
    ("actor", Optional, Word(&["researcher", "respondent", "admin"])),
    ("reason", Optional, Word(&["time", "final"])),
    ("shortNoticeCancel", Optional, Flag),
    ("message", Optional, Text),
    (
        "rejection",
        Optional,
        Object(&[("message", Required, Text), ("rejectedAt", Required, Instant)]),
    ),
    (
        "visibility",
        Required,
        Object(&[("status", Required, Word(&["DISMISSED", "VISIBLE", "ONHOLD"]))]),
    ),
    ("createdAt", Optional, Instant),
    ("id", Required, Text),
    ("projectId", Required, Text),
    ("userId", Required, Text),
];

const PAGE: &[(&str, Need, Shape)] = &[
    ("totalResults", Optional, Number),
    ("page", Required, Number),
    ("pageSize", Required, Number),
    ("results", Optional, List(&Object(SUBMISSION))),
];

async fn send(server: &Server, method: &str, path: &str, body: &Value) -> Reply {
    let body = (!body.is_null()).then(|| body.to_string());
    server.send_body(method, path, RESPONDENT, body.as_deref()).await
}

fn path_of(id: &str, verb: &str) -> String {
    format!("/v1/projects/{PROJECT}/screener-responses/{id}{verb}")
}

/// Returns the id of the submission for a body of a call at a status.
fn id_of(call: &Call, body: usize, status: &str) -> String {
    format!("{}{}_{body}_{status}", call.method, call.verb.replace('/', "_"))
}

#[tokio::test]
async fn every_call_of_the_published_client_is_served_at_every_status() {
    let mut sessions = String::new();
    for call in CALLS {
        for body in 0..(call.bodies)().len() {
            for status in STATUSES {
                let id = id_of(call, body, status);
                sessions.push_str(&session(&id, "ACTIVE", &json!({ "status": status })));
            }
        }
    }
    let (server, _folder) = server_with(&sessions).await;
    for call in CALLS {
        let outcomes: Vec<&str> = call.outcomes.split_whitespace().collect();
        assert_eq!(outcomes.len(), STATUSES.len(), "{}", call.verb);
        for (number, body) in (call.bodies)().into_iter().enumerate() {
            for (status, outcome) in STATUSES.into_iter().zip(&outcomes) {
                let path = path_of(&id_of(call, number, status), call.verb);
                let what = format!("{} {path} {body}", call.method);
                let reply = send(&server, call.method, &path, &body).await;
                if *outcome == "409" {
                    assert_eq!(reply.status, 409, "{what}: {}", reply.text);
                    // The members that the client shows for an error.
                    assert!(
                        reply.json()["error"].is_string() && reply.json()["detail"].is_string()
                    );
                    continue;
                }
                assert_eq!(reply.status, 200, "{what}: {}", reply.text);
                check(&reply.json(), &Object(SUBMISSION), &what);
                assert_eq!(reply.json()["status"], *outcome, "{what}");
                let is_reported = call.verb == "/report";
                let again = send(&server, call.method, &path, &body).await;
                assert_eq!((again.status, again.json()), (200, reply.json()), "{what} again");
                let visibility = if is_reported { "DISMISSED" } else { "VISIBLE" };
                assert_eq!(reply.json()["visibility"]["status"], visibility, "{what}");
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn what_the_client_sends_of_a_booking_comes_back() {
    let submissions = session("one", "ACTIVE", &json!({ "status": "INVITED" }));
    let (server, _folder) = server_with(&submissions).await;
    let body = json!({ "timezone": "America/New_York", "bookedDate": "2026-02-01T10:00:00",
        "meetingLink": "https://example.com/session" });
    let reply = send(&server, "PATCH", &path_of("one", "/schedule"), &body).await;
    let booking = json!({ "researcherId": "team_123", "bookedDate": "2026-02-01T15:00:00Z",
        "timezone": "America/New_York", "bookingUrl": "https://example.com/session" });
    assert_eq!(reply.json()["externalProject"], booking);
    assert_eq!(reply.json()["scheduledAt"], "2026-02-01T15:00:00Z");
    let body = json!({ "message": "Another day?" });
    let reply = send(&server, "PATCH", &path_of("one", "/cancel-booking-reinvite"), &body).await;
    assert_eq!(reply.json()["status"], "INVITED");
    assert_eq!(reply.json()["inviteSentAt"], "2024-06-01T12:00:00Z");
    assert_eq!(reply.json().get("externalProject"), None);
    assert_eq!(reply.json()["message"], "Another day?");
    server.stop().await;
}

#[tokio::test]
async fn the_client_pages_through_a_project_and_filters_it() {
    let sessions: String = STATUSES
        .iter()
        .map(|status| {
            let review = json!({ "status": status, "favorite": *status == "PAID" });
            session(&format!("s_{status}"), "ACTIVE", &review)
        })
        .collect();
    let (server, _folder) = server_with(&sessions).await;
    let list = async |query: &str| {
        let path = format!("/v1/projects/{PROJECT}/screener-responses{query}");
        let reply = send(&server, "GET", &path, &Value::Null).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text);
        check(&reply.json(), &Object(PAGE), query);
        reply.json()
    };
    let ids = |page: &Value| -> Vec<String> {
        let results = page["results"].as_array().expect("results").iter();
        results.map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
    };
    let whole = list("").await;
    assert_eq!((&whole["page"], &whole["pageSize"]), (&json!(1), &json!(50)));
    let total = whole["totalResults"].as_u64().expect("a number");
    assert_eq!(ids(&whole).len() as u64, total);
    let mut paged = Vec::new();
    for page in 1..=total.div_ceil(4) {
        let page = list(&format!("?page={page}&pageSize=4&includeCount=true")).await;
        assert_eq!(page["totalResults"], total);
        paged.extend(ids(&page));
    }
    assert_eq!(paged, ids(&whole), "pages make up the list");
    let beyond = list("?page=1000&pageSize=4").await;
    assert_eq!((&beyond["results"], &beyond["totalResults"]), (&json!([]), &json!(total)));
    for (query, member, value) in [
        ("?status=NOSHOW", "/status", json!("NOSHOW")),
        ("?statuses=NOSHOW&status=NOSHOW", "/status", json!("NOSHOW")),
        ("?qualified=true", "/qualified", json!(true)),
        ("?favorite=true", "/favorite", json!(true)),
        ("?favorite=false&hidden=false", "/favorite", json!(false)),
        ("?visibilityStatus=ONHOLD", "/visibility/status", json!("ONHOLD")),
        ("?visibility=VISIBLE", "/visibility/status", json!("VISIBLE")),
    ] {
        let page = list(query).await;
        let expected = whole["results"].as_array().expect("results").iter();
        let expected: Vec<_> = expected.filter(|it| it.pointer(member) == Some(&value)).collect();
        assert!(!expected.is_empty(), "{query} finds something");
        let found: Vec<_> = page["results"].as_array().expect("results").iter().collect();
        assert_eq!(found, expected, "{query}");
        assert_eq!(page["totalResults"], found.len(), "{query}");
    }
    for query in ["?status=EXTERNAL_SCREENER_IN_PROGRESS", "?status=PAID&statuses=INVITED"] {
        assert_eq!(list(query).await["totalResults"], 0, "{query}");
    }
    let several = list("?statuses[]=PAID&statuses[]=NOSHOW").await;
    assert!(ids(&several).contains(&"s_PAID".to_owned()));
    assert!(ids(&several).contains(&"s_NOSHOW".to_owned()));
    let nowhere = "/v1/projects/proj_none/screener-responses";
    assert_eq!(send(&server, "GET", nowhere, &Value::Null).await.status, 404);
    server.stop().await;
}
