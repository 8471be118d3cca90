//! Every verb of the review at every status, over both transports, against a separate table.

mod batch;
mod effects;

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use screenerd::app::Operator;
use screenerd::domain::review::{ReviewStatus, Step, Verb};
use screenerd::domain::time::Timestamp;
use screenerd::transfer;
use serde_json::{Value, json};
use sqlx::{Connection as _, Row as _};

use crate::life;
use crate::support::calls::{Call, Outcome, Transport, make};
use crate::support::{RESPONDENT, START_MICROS, Server};

pub(crate) const PROJECT: &str = "proj_123";

pub(crate) const STATUSES: [&str; 9] = [
    "PENDING",
    "INVITED",
    "SCHEDULED",
    "ATTENDED",
    "NOSHOW",
    "INVALIDRESPONSE",
    "REJECTEDQUALITY",
    "PAID",
    "CANCELLED",
];

/// The expected outcomes for a visible submission without marks, by status in the order of
/// [`STATUSES`]: the next status, `=` for a no-op, `stays` if only other fields change, and `409`
/// for a refusal.
const EXPECTED: &[(&str, &str)] = &[
    ("reject", "REJECTEDQUALITY REJECTEDQUALITY REJECTEDQUALITY REJECTEDQUALITY 409 409 = 409 409"),
    ("qualify", "stays stays stays stays stays stays stays stays stays"),
    ("disqualify", "stays stays stays stays stays stays stays stays stays"),
    ("invite", "INVITED = 409 409 409 409 409 409 INVITED"),
    ("cancel-invite", "= PENDING 409 409 409 409 409 409 ="),
    ("schedule", "409 SCHEDULED stays 409 409 409 409 409 409"),
    ("cancel-booking", "409 409 CANCELLED 409 409 409 409 409 ="),
    ("cancel-booking-reinvite", "409 = INVITED 409 409 409 409 409 409"),
    ("participant-cancel-booking", "409 409 CANCELLED 409 409 409 409 409 ="),
    ("attended", "409 ATTENDED ATTENDED = 409 409 409 409 409"),
    ("no-show", "409 409 NOSHOW 409 = 409 409 409 409"),
    ("payouts", "409 409 409 PAID 409 409 409 = 409"),
    ("hide", "stays stays stays stays stays stays stays stays stays"),
    ("unhide", "= = = = = = = = ="),
    ("favorite", "stays stays stays stays stays stays stays stays stays"),
    ("report", "stays stays stays stays stays stays stays stays stays"),
    ("set-visibility", "stays stays stays stays stays stays stays stays stays"),
];

/// Verbs that do not act on the participant and therefore need no visible submission.
const ALWAYS: [&str; 5] = ["hide", "unhide", "favorite", "report", "set-visibility"];

/// Both tables of expectations, here and in the model, have every verb.
#[test]
fn what_is_expected_is_said_of_every_verb() {
    let verbs: Vec<_> = Verb::ALL.iter().map(|verb| verb.row().name).collect();
    let mut here: Vec<_> = EXPECTED.iter().map(|(verb, _)| *verb).collect();
    let mut of_lives: Vec<_> = life::review::verbs();
    for expected in [&mut here, &mut of_lives] {
        expected.sort_by_key(|name| verbs.iter().position(|verb| verb == name));
        assert_eq!(*expected, verbs);
    }
}

/// Returns a new submission to import. `review` has only the fields that differ from a new one.
pub(crate) fn session(id: &str, status: &str, review: &Value) -> String {
    let record = json!({
        "type": "screenerSession", "tenant": "acct_123", "id": id, "screenerId": "scr_124",
        "screenerParticipantId": "scpar_124", "screenerPublicationId": "scpub_457",
        "linkSlug": id, "status": status, "createdAt": "2024-05-01T15:00:00Z",
        "startedAt": "2024-05-01T15:08:21Z", "lastActiveAt": "2024-05-01T15:16:55Z",
        "completedAt": "2024-05-01T15:16:55Z", "review": review,
    });
    format!("{record}\n")
}

/// Starts a server on the example data and these submissions. Returns its folder, too.
pub(crate) async fn server_with(sessions: &str) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::on_file(&database(&folder)).await;
    let file = format!("{}\n{sessions}", transfer::demo::FILE.trim_end());
    let app = server.running.app();
    transfer::import_lines(app, &Operator::trusted(), Cursor::new(file), true)
        .await
        .expect("it imports");
    (server, folder)
}

fn database(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("transitions.db")
}

/// Returns a body with which a verb changes a new submission.
fn body_of(verb: &str) -> Value {
    match verb {
        "disqualify" => json!({ "reason": "SCREENER", "message": "Too few people." }),
        "schedule" => json!({ "scheduledAt": "2024-06-03T09:00:00Z" }),
        "set-visibility" => json!({ "visibility": "ONHOLD" }),
        _ => Value::Null,
    }
}

/// Returns every verb with every transport that has it.
fn calls() -> impl Iterator<Item = (Transport, &'static str, &'static str)> {
    let over = |transport| EXPECTED.iter().map(move |(verb, row)| (transport, *verb, *row));
    let rest = over(Transport::Rest).filter(|(_, verb, _)| *verb != "set-visibility");
    rest.chain(over(Transport::Grpc))
}

async fn review(
    server: &Server,
    transport: Transport,
    verb: &'static str,
    id: &str,
    body: Value,
) -> Outcome {
    make(server, transport, RESPONDENT, &Call::review(verb, PROJECT, id, body)).await
}

async fn get(server: &Server, transport: Transport, id: &str) -> Value {
    make(server, transport, RESPONDENT, &Call::submission(PROJECT, id)).await.answer()
}

/// Returns the audit entries of a submission: the action, and the first changed field before and
/// after. The fields that every change of the status sets follow the others.
async fn audit(file: &Path, id: &str) -> Vec<[Option<String>; 3]> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("it opens");
    let rows = sqlx::query(
        "SELECT action, fields, actor, subject FROM changes
         WHERE subject_id = $1 ORDER BY seq",
    )
    .bind(id)
    .fetch_all(&mut connection)
    .await
    .expect("it reads");
    rows.iter()
        .map(|row| {
            assert_eq!(row.get::<String, _>("actor"), "respondent_123");
            assert_eq!(row.get::<String, _>("subject"), "SUBMISSION");
            let fields: Value = serde_json::from_str(row.get("fields")).expect("it is JSON");
            let text = |member: &str| fields[0][member].as_str().map(str::to_owned);
            [row.get("action"), text("before"), text("after")]
        })
        .collect()
}

/// Returns the action of the audit log for a verb.
fn action_of(verb: &str) -> String {
    match verb {
        "attended" => "MARK_ATTENDED".into(),
        "no-show" => "MARK_NO_SHOW".into(),
        "payouts" => "MARK_PAID".into(),
        verb => verb.replace('-', "_").to_uppercase(),
    }
}

#[tokio::test]
async fn every_verb_at_every_status_does_what_the_table_says() {
    let mut sessions = String::new();
    let id_of = |transport, verb, status| format!("{transport:?}_{verb}_{status}");
    for (transport, verb, _) in calls() {
        for status in STATUSES {
            let id = id_of(transport, verb, status);
            sessions.push_str(&session(&id, "ACTIVE", &json!({ "status": status })));
        }
    }
    let (server, folder) = server_with(&sessions).await;
    for (transport, verb, row) in calls() {
        let row: Vec<&str> = row.split(' ').collect();
        assert_eq!(row.len(), STATUSES.len());
        for (status, cell) in STATUSES.into_iter().zip(row) {
            let id = id_of(transport, verb, status);
            let what = format!("{verb} at {status} over {transport:?}");
            let before = get(&server, transport, &id).await;
            server.clock.advance_seconds(1);
            let now = START_MICROS + server.clock.elapsed_micros();
            let now = Timestamp::from_micros(now).rfc3339_seconds();
            let outcome = review(&server, transport, verb, &id, body_of(verb)).await;
            let after = get(&server, transport, &id).await;
            let entries = audit(&database(&folder), &id).await;
            match cell {
                "409" => {
                    let refusal = Outcome::refusal("invalid_status_transition", &[]);
                    assert_eq!(outcome, refusal, "{what}");
                    assert_eq!((after, entries.len()), (before, 0), "{what}");
                    continue;
                }
                "=" => {
                    assert_eq!((&after, entries.len()), (&before, 0), "{what}");
                }
                "stays" => {
                    assert_eq!(after["status"], status, "{what}");
                    assert_eq!(after["statusUpdatedAt"], before["statusUpdatedAt"], "{what}");
                    assert_eq!(after["actor"], before["actor"], "{what}");
                    assert_eq!(entries[0][0], Some(action_of(verb)), "{what}");
                    assert_ne!(entries[0][1], entries[0][2], "{what}");
                }
                next => {
                    assert_eq!(after["status"], next, "{what}");
                    assert_eq!(after["statusUpdatedAt"], now, "{what}");
                    let is_theirs = verb == "participant-cancel-booking";
                    let actor = if is_theirs { "respondent" } else { "researcher" };
                    assert_eq!(
                        (&after["actor"], &after["isNew"]),
                        (&actor.into(), &false.into()),
                        "{what}"
                    );
                    let words = [Some(action_of(verb)), Some(status.into()), Some(next.into())];
                    assert_eq!(entries, [words], "{what}");
                }
            }
            assert_eq!(outcome.answer(), after, "{what}");
            assert_repeat_changes_nothing(&server, &folder, transport, verb, &id).await;
        }
    }
    server.stop().await;
}

/// Asserts that a later retry returns the same response and writes nothing.
async fn assert_repeat_changes_nothing(
    server: &Server,
    folder: &tempfile::TempDir,
    transport: Transport,
    verb: &'static str,
    id: &str,
) {
    let before = (get(server, transport, id).await, audit(&database(folder), id).await);
    server.clock.advance_seconds(1);
    let again = review(server, transport, verb, id, body_of(verb)).await;
    assert_eq!(again, Outcome::Answer(before.0.clone()), "{verb} of {id} again");
    let after = (get(server, transport, id).await, audit(&database(folder), id).await);
    assert_eq!(before, after, "{verb} of {id} again");
}

#[tokio::test]
async fn what_is_not_visible_cannot_be_acted_on_whatever_its_status() {
    let held = [("DISMISSED", "ACTIVE"), ("ONHOLD", "ARCHIVED"), ("VISIBLE", "REMOVED")];
    let mut sessions = String::new();
    let id_of = |transport, verb, visibility| format!("{transport:?}_{verb}_{visibility}");
    // A status that refuses every verb: the visibility must be checked first.
    for (transport, verb, _) in calls() {
        for (visibility, status) in held {
            let id = id_of(transport, verb, visibility);
            let review = json!({ "status": "INVALIDRESPONSE", "visibility": visibility });
            sessions.push_str(&session(&id, status, &review));
        }
    }
    let (server, folder) = server_with(&sessions).await;
    for (transport, verb, _) in calls() {
        for (visibility, _) in held {
            let id = id_of(transport, verb, visibility);
            let what = format!("{verb} of {id}");
            let before = get(&server, transport, &id).await;
            let outcome = review(&server, transport, verb, &id, body_of(verb)).await;
            if ALWAYS.contains(&verb) {
                assert_eq!(outcome.code(), "ok", "{what}");
                assert_repeat_changes_nothing(&server, &folder, transport, verb, &id).await;
                continue;
            }
            assert_eq!(outcome, Outcome::refusal("not_visible", &[]), "{what}");
            assert_eq!(get(&server, transport, &id).await, before, "{what}");
            assert_eq!(audit(&database(&folder), &id).await.len(), 0, "{what}");
        }
    }
    server.stop().await;
}

/// The marks around the generated table.
const MARKS: [&str; 2] = ["<!-- the table begins -->\n", "<!-- the table ends -->\n"];

/// Prints the table as Markdown.
fn transition_table() -> String {
    let mut text = String::from("| verb |");
    for status in ReviewStatus::ALL {
        // Writing to a `String` cannot fail.
        let _ = write!(text, " {} |", status.as_str());
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(ReviewStatus::ALL.len()));
    text.push('\n');
    let rows = || Verb::ALL.iter().map(|verb| verb.row());
    for row in rows() {
        let _ = write!(text, "| {} |", row.name);
        for status in ReviewStatus::ALL {
            let cell = match (row.step)(*status) {
                Step::To(status) => status.as_str(),
                Step::Back => "as before",
                Step::Keep => "stays",
                Step::Done => "=",
                Step::Refused => "409",
            };
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    text.push_str("\n| verb | needs a visible submission | clears `is_new` | sets |\n");
    text.push_str("|---|---|---|---|\n");
    let word = |truth: bool| if truth { "yes" } else { "no" };
    for row in rows() {
        let (visible, decides) = (word(row.needs_visible), word(row.decides));
        let _ = writeln!(text, "| {} | {visible} | {decides} | {} |", row.name, row.sets);
    }
    text
}

#[test]
fn the_documented_table_is_what_the_code_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/review.md");
    let document = std::fs::read_to_string(&path).expect("the document is readable text");
    let [begin, end] = MARKS;
    let (head, rest) = document.split_once(begin).expect("the table begins somewhere");
    let (_, tail) = rest.split_once(end).expect("the table ends somewhere");
    let expected = format!("{head}{begin}\n{}\n{end}{tail}", transition_table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).expect("the document can be written");
        return;
    }
    assert_eq!(document, expected, "UPDATE_DOCS=1 cargo test documented_table writes it anew");
}
