//! Killing a server while participants submit: acknowledged submissions are durable, and no
//! submission is stored in part.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustix::process::Signal;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::everything;
use crate::support::panelist::{LIFE, life_file, rest_body};
use crate::support::process::Workplace;
use crate::support::{PANEL, SPOT};

const ROUNDS: usize = 50;
/// Participants who submit concurrently.
const PANELISTS: usize = 16;
/// Acknowledgements before the server is killed. Other submissions are then in flight.
const ACKNOWLEDGED: usize = 48;

/// A participant and the submission of theirs that the server acknowledged.
type Acknowledged = (String, Half);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Half {
    First,
    Last,
}

struct Caller {
    http: reqwest::Client,
    address: String,
}

impl Caller {
    /// Returns the response, or `None` if the server was killed.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Option<Value> {
        let mut request = self.http.get(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply = request.send().await.ok()?;
        assert_eq!(reply.status(), 200, "{path}");
        reply.json().await.ok()
    }

    /// Returns whether the submission was acknowledged. If not, the server was killed.
    async fn submit(&self, key: &str, body: &str) -> bool {
        let url = format!("http://{}/public/surveys/", self.address);
        let request = self.http.post(url).header("authorization", key).body(body.to_owned());
        let Ok(reply) = request.send().await else { return false };
        assert_eq!(reply.status(), 200);
        true
    }

    async fn access(&self, panelist: &str) -> Option<Value> {
        let path = format!("/tenant/surveys/{LIFE}/panelists/{panelist}");
        Some(self.get(&path, PANEL).await?["panelist"].clone())
    }
}

/// Returns the submission of the first questions and the final one of the rest.
fn halves() -> [(Half, String); 2] {
    let all = everything();
    let part = |ids: [&str; 3]| ids.iter().map(|id| ((*id).to_owned(), all[*id].clone())).collect();
    let first = rest_body(&part(["q_name", "q_years", "q_size"]), false);
    let last = rest_body(&part(["q_team", "q_tools", "q_code"]), true);
    [(Half::First, first.to_string()), (Half::Last, last.to_string())]
}

/// Submits twice for one participant after another until the server is killed.
async fn submit_until_killed(
    caller: Arc<Caller>,
    name: String,
    acknowledged: mpsc::UnboundedSender<Acknowledged>,
) {
    for number in 0.. {
        let panelist = format!("{name}-{number}");
        let Some(access) = caller.access(&panelist).await else { return };
        let key = access["publicKey"].as_str().expect("a key");
        for (half, body) in halves() {
            if !caller.submit(key, &body).await {
                return;
            }
            acknowledged.send((panelist.clone(), half)).expect("they are counted");
        }
    }
}

/// Kills a server under load and returns the last acknowledged submission of each participant.
async fn round(
    place: &Workplace,
    number: usize,
    before: &BTreeMap<String, Half>,
) -> BTreeMap<String, Half> {
    let serving = place.serve(&[]);
    let caller = Caller { http: reqwest::Client::new(), address: serving.address.clone() };
    check(&caller, before).await;
    let caller = Arc::new(caller);
    let (sender, mut acknowledged) = mpsc::unbounded_channel();
    let mut panelists = JoinSet::new();
    for panelist in 0..PANELISTS {
        let name = format!("crm-{number}-{panelist}");
        panelists.spawn(submit_until_killed(Arc::clone(&caller), name, sender.clone()));
    }
    drop(sender);
    let mut kept = BTreeMap::new();
    for _ in 0..ACKNOWLEDGED {
        kept.extend(acknowledged.recv().await);
    }
    serving.signal(Signal::KILL);
    panelists.join_all().await;
    while let Some(last) = acknowledged.recv().await {
        kept.extend([last]);
    }
    kept
}

/// Asserts that each acknowledged participant has one session, which is at least that far.
async fn check(caller: &Caller, acknowledged: &BTreeMap<String, Half>) {
    for (panelist, half) in acknowledged {
        let access = caller.access(panelist).await.expect("it serves");
        assert_eq!(access["sessionCount"], 1, "{panelist}");
        if *half == Half::Last {
            assert_eq!(access["canRespond"], false, "{panelist}");
        }
    }
}

/// Asserts that every session has the answers of a whole submission, and that the lists agree.
async fn check_whole(caller: &Caller) -> usize {
    let (mut sessions, mut answers) = (0, 0);
    loop {
        let path = format!(
            "/screener-sessions?filter[screenerId][eq]={LIFE}&pagination[limit]=500&pagination[offset]={sessions}"
        );
        let list = caller.get(&path, SPOT).await.expect("it serves");
        let items = list["items"].as_array().expect("items");
        for session in items {
            let id = session["id"].as_str().expect("an id");
            let expected = match session["state"].as_str() {
                Some("IN_PROGRESS") => 3,
                Some("COMPLETED") => 6,
                state => panic!("{id} is {state:?}"),
            };
            let path = format!("/screener-responses?filter[screenerSessionId][eq]={id}");
            let own = caller.get(&path, SPOT).await.expect("it serves");
            assert_eq!(own["total"], expected, "{id}");
            answers += expected;
        }
        sessions += items.len();
        if list["total"] == sessions {
            break;
        }
    }
    let path = format!("/screener-responses?filter[screenerId][eq]={LIFE}");
    let all = caller.get(&path, SPOT).await.expect("it serves");
    assert_eq!(all["total"], answers);
    sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_fifty_times_loses_nothing_that_it_acknowledged() {
    let place = Workplace::new();
    for (name, text) in
        [("demo.ndjson", screenerd::transfer::demo::FILE), ("life.ndjson", &life_file(false))]
    {
        assert!(place.import(name, text).status.success(), "{name}");
    }
    let mut acknowledged = BTreeMap::new();
    let mut panelists = 0;
    for number in 0..ROUNDS {
        acknowledged = round(&place, number, &acknowledged).await;
        panelists += acknowledged.len();
    }
    let serving = place.serve(&[]);
    let caller = Caller { http: reqwest::Client::new(), address: serving.address.clone() };
    check(&caller, &acknowledged).await;
    let sessions = check_whole(&caller).await;
    assert!(sessions >= panelists, "{sessions} sessions of {panelists} panelists");
}
