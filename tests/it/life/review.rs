//! What researchers decide about a submission: the table, read off its documentation.

use serde_json::Value;

use super::history::{Field, told, untold};
use super::time::{micros, precise};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Review {
    pub(super) status: &'static str,
    pub(super) visibility: String,
    pub(super) favorite: bool,
    pub(super) hidden: bool,
    pub(super) is_new: bool,
    /// What a researcher said: whether the participant qualifies.
    pub(super) manual: Option<bool>,
    /// Why not: the reason and the message.
    pub(super) disqualification: Option<(String, Option<String>)>,
    pub(super) invited: Option<i64>,
    before_invite: &'static str,
    pub(super) scheduled: Option<i64>,
    /// When the status last changed, by a researcher.
    pub(super) updated: Option<i64>,
    pub(super) rejection: Option<(String, i64)>,
}

const STATUSES: [&str; 7] =
    ["PENDING", "INVITED", "SCHEDULED", "ATTENDED", "NOSHOW", "REJECTEDQUALITY", "CANCELLED"];

/// What a verb makes of each status; `-` refuses, `=` changes nothing.
const TABLE: [(&str, [&str; 7]); 7] = [
    (
        "reject",
        ["REJECTEDQUALITY", "REJECTEDQUALITY", "REJECTEDQUALITY", "REJECTEDQUALITY", "-", "=", "-"],
    ),
    ("invite", ["INVITED", "=", "-", "-", "-", "-", "INVITED"]),
    ("cancel-invite", ["=", "as before", "-", "-", "-", "-", "="]),
    ("schedule", ["-", "SCHEDULED", "stays", "-", "-", "-", "-"]),
    ("cancel-booking", ["-", "-", "CANCELLED", "-", "-", "-", "="]),
    ("attended", ["-", "ATTENDED", "ATTENDED", "=", "-", "-", "-"]),
    ("no-show", ["-", "-", "NOSHOW", "-", "=", "-", "-"]),
];

/// The verbs that ask for no status, with whether they need a visible submission and whether they
/// are a decision about the participant.
const OTHERS: [(&str, bool, bool); 7] = [
    ("qualify", true, true),
    ("disqualify", true, true),
    ("hide", false, false),
    ("unhide", false, false),
    ("favorite", false, false),
    ("report", false, true),
    ("set-visibility", false, false),
];

pub(crate) fn verbs() -> Vec<&'static str> {
    TABLE.iter().map(|it| it.0).chain(OTHERS.iter().map(|it| it.0)).collect()
}

/// The verb as the history has it.
pub(super) fn action(verb: &str) -> String {
    match verb {
        "attended" | "no-show" => format!("MARK_{}", verb.to_uppercase().replace('-', "_")),
        verb => verb.to_uppercase().replace('-', "_"),
    }
}

impl Review {
    pub(super) fn new() -> Self {
        Self {
            status: "PENDING",
            visibility: "VISIBLE".into(),
            favorite: false,
            hidden: false,
            is_new: true,
            manual: None,
            disqualification: None,
            invited: None,
            before_invite: "PENDING",
            scheduled: None,
            updated: None,
            rejection: None,
        }
    }

    /// The review after a decision, or the code of the refusal.
    pub(super) fn decide(
        &self,
        verb: &str,
        body: &Value,
        is_removed: bool,
        now: i64,
    ) -> Result<Self, &'static str> {
        let row = TABLE.iter().find(|row| row.0 == verb);
        let other = OTHERS.iter().find(|row| row.0 == verb);
        let (needs_visible, decides) = other.map_or((true, true), |it| (it.1, it.2));
        if needs_visible && (self.visibility != "VISIBLE" || is_removed) {
            return Err("not_visible");
        }
        let column = STATUSES.iter().position(|it| *it == self.status).expect("a status");
        let mut after = self.clone();
        match row.map_or("stays", |row| row.1[column]) {
            "-" => return Err("invalid_status_transition"),
            "=" => return Ok(after),
            "stays" => {}
            status => {
                after.status = if status == "as before" { self.before_invite } else { status };
                after.updated = Some(now);
            }
        }
        after.set(verb, body, self.status, now);
        after.is_new &= !decides;
        Ok(after)
    }

    fn set(&mut self, verb: &str, body: &Value, before: &'static str, now: i64) {
        let message = body["message"].as_str().filter(|text| !text.is_empty());
        let message = message.map(str::to_owned);
        match verb {
            "reject" => {
                let default = || "Rejected for low quality.".to_owned();
                self.rejection = Some((message.unwrap_or_else(default), now));
            }
            "qualify" => (self.manual, self.disqualification) = (Some(true), None),
            "disqualify" => {
                self.manual = Some(false);
                let reason = body["reason"].as_str().expect("a reason").to_owned();
                self.disqualification = Some((reason, message));
            }
            "invite" => {
                self.invited = Some(now);
                self.before_invite = before;
                self.scheduled = None;
            }
            "schedule" => {
                self.scheduled = Some(micros(body["scheduledAt"].as_str().expect("a time")));
            }
            "cancel-booking" => self.scheduled = None,
            "hide" => self.hidden = true,
            "unhide" => self.hidden = false,
            "favorite" => self.favorite = body["favorite"].as_bool().unwrap_or(true),
            "report" => self.visibility = "DISMISSED".into(),
            "set-visibility" => {
                body["visibility"].as_str().expect("a word").clone_into(&mut self.visibility);
            }
            _ => {}
        }
    }

    /// What the history tells of it.
    pub(super) fn fields(&self) -> Vec<Field> {
        let time = |at: Option<i64>| at.map(precise);
        let why = self.disqualification.as_ref();
        let rejection = self.rejection.as_ref();
        vec![
            told("status", Some(self.status)),
            told("visibility", Some(&self.visibility)),
            told("favorite", Some(self.favorite)),
            told("hidden", Some(self.hidden)),
            told("qualified_override", self.manual),
            told("disqualification.reason", why.map(|it| &it.0)),
            untold("disqualification.message", why.and_then(|it| it.1.as_ref())),
            told("invite_sent_at", time(self.invited)),
            told("scheduled_at", time(self.scheduled)),
            told("status_updated_at", time(self.updated)),
            told("actor", self.updated.map(|_| "researcher")),
            untold("rejection.message", rejection.map(|it| &it.0)),
            told("rejection.rejected_at", time(rejection.map(|it| it.1))),
            told("is_new", Some(self.is_new)),
        ]
    }
}
