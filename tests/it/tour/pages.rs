//! The pages behind links, in a browser without scripts.

use serde_json::json;

use super::authoring::look;
use super::guide::{Reply, Tour};
use crate::support::browser::FORM;

/// A button, and the values of the fields.
type Step<'a> = (&'a str, &'a [(&'a str, &'a str)]);

/// Returns the text of a page that follows a mark, up to the next quote.
fn behind(html: &str, text: &str) -> Option<String> {
    let (_, rest) = html.split_once(text)?;
    Some(rest.split('"').next().unwrap_or_default().replace("&#38;", "&"))
}

/// Returns the body of a form: hidden fields, filled-in fields, and the button.
fn filled(html: &str, (go, fields): Step<'_>) -> String {
    let hidden = ["publication", "request_id", "q"].into_iter().flat_map(|name| {
        let tag = format!("name=\"{name}\" value=\"");
        let parts = html.split(&tag).skip(1);
        let values = parts.map(|rest| rest.split('"').next().unwrap_or_default().to_owned());
        values.map(|value| (name.to_owned(), value)).collect::<Vec<_>>()
    });
    let typed = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let pairs = hidden.chain(typed).chain([("go".to_owned(), go.to_owned())]);
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs: Vec<_> =
        pairs.map(|(name, value)| format!("{}={}", encoded(&name), encoded(&value))).collect();
    pairs.join("&")
}

async fn open(tour: &mut Tour, path: &str) -> Reply {
    tour.http(&format!("GET {path}"), "nobody", &[], "").await
}

/// Opens a link and takes each step on the page to which the previous one led.
async fn walk(tour: &mut Tour, link: &str, steps: &[Step<'_>]) {
    let path = link.split('?').next().unwrap_or_default();
    let mut html = open(tour, link).await.text();
    for step in steps {
        let Some(action) = behind(&html, "<form method=\"post\" action=\"") else { return };
        let body = filled(&html, *step);
        tour.wait(1);
        let reply = tour.http(&format!("POST {path}{action}"), "nobody", &[FORM], &body).await;
        html = match reply.location() {
            Some(location) => open(tour, &format!("{path}{location}")).await.text(),
            None if reply.body.is_empty() => html,
            None => reply.text(),
        };
    }
}

/// Every kind of question with invalid and then valid values, with every button.
const LIFE: &[Step<'static>] = &[
    ("next", &[]),
    ("next", &[("a0", "A"), ("a1", "51")]),
    ("next", &[("a0", "two\r\nlines"), ("a1", "five")]),
    ("next", &[("a0", "nul\0"), ("a1", "1.25")]),
    ("save", &[("a0", "Ada"), ("a1", "x")]),
    ("next", &[("a0", "Ada <b>"), ("a1", "4,5")]),
    ("next", &[("a0", "Ada <b>"), ("a1", "4.5")]),
    ("back", &[("a3", "Team")]),
    ("next", &[("a0", "Ada"), ("a1", "3")]),
    ("next", &[("a2", "9")]),
    ("next", &[("a2", "3")]),
    ("next", &[("a2", "3"), ("w2.3", "Huge & more"), ("a3", "One\r\ntwo")]),
    ("finish", &[("a4", "0"), ("a4", "1"), ("a4", "2"), ("a4", "3"), ("a5", "abc")]),
    ("finish", &[("a4", "2"), ("a5", "ABC")]),
    ("later", &[]),
    ("finish", &[("a4", "0"), ("a4", "2"), ("w4.2", "Slides"), ("a5", "ABC")]),
];

async fn walks(tour: &mut Tour) {
    let life = link(tour, "scr_life", "visitor").await;
    walk(tour, &life, LIFE).await;
    let life = link(tour, "scr_life", "skipper").await;
    walk(
        tour,
        &life,
        &[
            ("next", &[("a0", "Bo"), ("a1", "1")]),
            ("next", &[("a2", "2")]),
            ("back", &[]),
            ("next", &[("a2", "0")]),
            ("finish", &[("a2", "0")]),
        ],
    )
    .await;
    walk(
        tour,
        "/s/onboarding-001-alex",
        &[
            ("next", &[("a0", "VP"), ("a1", "7"), ("a2", "0.5")]),
            ("finish", &[("a3", "1"), ("a5", "  ")]),
            ("finish", &[]),
        ],
    )
    .await;
    let survey = link(tour, "survey-123", "customer-456").await;
    walk(
        tour,
        &survey,
        &[("dismiss", &[]), ("finish", &[("a0", "6")]), ("finish", &[("a0", "5")])],
    )
    .await;
    let multi = link(tour, "survey-multi", "customer-456").await;
    for page in ["", "&page=1&check", "&page=1&last", "&page=end", "&page=later", "&page=9"] {
        open(tour, &format!("{multi}{page}")).await;
    }
}

/// Returns the link of a panelist without the public address.
async fn link(tour: &mut Tour, survey: &str, panelist: &str) -> String {
    let call = format!("GET /tenant/surveys/{survey}/panelists/{panelist}");
    let access = tour.rest(&call, "panel", json!(null)).await;
    let url = access["panelist"]["hostedResponseUrl"].as_str().expect("a link").to_owned();
    url.replace(crate::support::PUBLIC_URL, "")
}

/// Opens links whose pages explain why there is no survey, and addresses without a page.
async fn states(tour: &mut Tour) {
    for path in [
        "/s/onboarding-002-sam",
        "/s/onboarding-003-kim",
        "/s/onboarding-004",
        "/s/onboarding-005",
        "/s/satisfaction-done",
        "/s/satisfaction-revoked",
        "/s/recurring-done",
        "/s/none",
        "/s/%FF",
        "/screeners/scr_123/scses_789",
        "/screeners/scr_123/scses_790",
        "/screeners/scr_123/none",
        "/app/panelist/vote/",
        "/app/panelist/vote/?key=abc:xyz",
        "/assets/none.js",
        "/look/none",
        "/look/0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        open(tour, path).await;
        for method in ["HEAD", "POST"] {
            tour.http(&format!("{method} {path}"), "nobody", &[FORM], "go=next").await;
        }
    }
    for survey in ["survey-closed", "survey-draft"] {
        let closed = link(tour, survey, "customer-456").await;
        open(tour, &closed).await;
    }
    let post = "POST /s/onboarding-003-kim";
    tour.http(post, "nobody", &[("content-type", "application/json")], "{}").await;
    tour.http(post, "nobody", &[FORM], "a=%FF").await;
    tour.http(post, "nobody", &[FORM, ("sec-fetch-site", "cross-site")], "go=next").await;
    tour.http(post, "nobody", &[FORM], &"a=1&".repeat(4_001)).await;
}

async fn looks(tour: &mut Tour) {
    tour.call("LookService/SetLook", "service", json!({ "look": look() })).await;
    let html = open(tour, "/s/onboarding-003-kim").await.text();
    for rest in html.split("src=\"").skip(1) {
        let address = rest.split('"').next().unwrap_or_default();
        open(tour, address).await;
    }
}

pub(super) async fn visit(tour: &mut Tour) {
    states(tour).await;
    looks(tour).await;
    walks(tour).await;
    // Sends with one link until the rate limit refuses it.
    for _ in 0..70 {
        let reply = tour.http("POST /s/onboarding-002-sam", "nobody", &[FORM], "go=next").await;
        if reply.status == 429 {
            break;
        }
    }
}
