//! Researchers' decisions about a submission: the table, copied from its documentation.

use serde_json::{Value, json};

use super::history::{Field, told, untold};
use super::time::{micros, precise, whole};
use crate::support::random::Random;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Review {
    pub(super) status: &'static str,
    pub(super) visibility: String,
    pub(super) favorite: bool,
    pub(super) hidden: bool,
    pub(super) is_new: bool,
    /// The decision of a researcher: whether the participant qualifies.
    pub(super) manual: Option<bool>,
    /// The reason and the message of a disqualification.
    pub(super) disqualification: Option<(String, Option<String>)>,
    pub(super) invited: Option<i64>,
    before_invite: &'static str,
    pub(super) scheduled: Option<i64>,
    /// The time zone of the booking, when it is made and when it is cancelled.
    pub(super) meeting: [Option<String>; 3],
    /// The instant of the last change of the status.
    pub(super) updated: Option<i64>,
    /// The kind of caller that changed it.
    pub(super) actor: &'static str,
    /// The participant's reason for cancelling, whether at short notice, and the message.
    pub(super) reason: Option<String>,
    pub(super) short_notice: Option<bool>,
    pub(super) message: Option<String>,
    /// The reasons of a report, joined as in the history, and its message.
    pub(super) report: Option<(String, Option<String>)>,
    pub(super) rejection: Option<(String, i64)>,
}

const STATUSES: [&str; 8] = [
    "PENDING",
    "INVITED",
    "SCHEDULED",
    "ATTENDED",
    "NOSHOW",
    "REJECTEDQUALITY",
    "CANCELLED",
    "PAID",
];

/// The next status for each verb and status; `-` is a refusal, `=` a no-op.
const TABLE: [(&str, [&str; 8]); 10] = [
    (
        "reject",
        [
            "REJECTEDQUALITY",
            "REJECTEDQUALITY",
            "REJECTEDQUALITY",
            "REJECTEDQUALITY",
            "-",
            "=",
            "-",
            "-",
        ],
    ),
    ("invite", ["INVITED", "=", "-", "-", "-", "-", "INVITED", "-"]),
    ("cancel-invite", ["=", "as before", "-", "-", "-", "-", "=", "-"]),
    ("schedule", ["-", "SCHEDULED", "stays", "-", "-", "-", "-", "-"]),
    ("cancel-booking", ["-", "-", "CANCELLED", "-", "-", "-", "=", "-"]),
    ("cancel-booking-reinvite", ["-", "=", "INVITED", "-", "-", "-", "-", "-"]),
    ("participant-cancel-booking", ["-", "-", "CANCELLED", "-", "-", "-", "=", "-"]),
    ("attended", ["-", "ATTENDED", "ATTENDED", "=", "-", "-", "-", "-"]),
    ("no-show", ["-", "-", "NOSHOW", "-", "=", "-", "-", "-"]),
    ("payouts", ["-", "-", "-", "PAID", "-", "-", "-", "="]),
];

/// The verbs that are independent of the status, with whether they need a visible submission and
/// whether they are a decision about the participant.
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

/// Returns the action of the history for a verb.
pub(super) fn action(verb: &str) -> String {
    match verb {
        "payouts" => "MARK_PAID".into(),
        "attended" | "no-show" => format!("MARK_{}", verb.to_uppercase().replace('-', "_")),
        verb => verb.to_uppercase().replace('-', "_"),
    }
}

/// Returns a body for a verb.
pub(super) fn body(random: &mut Random, now: i64, verb: &str) -> Value {
    let message = random.pick(&[Value::Null, json!(""), json!("Not quite, Ada.")]).clone();
    match verb {
        "reject" | "cancel-booking-reinvite" if !message.is_null() => {
            json!({ "message": message })
        }
        "disqualify" => {
            let reason = random.pick(&["MISREPRESENTED", "CONTEXT", "SCREENER", "OTHER"]);
            if message.is_null() {
                json!({ "reason": reason })
            } else {
                json!({ "reason": reason, "message": message })
            }
        }
        "schedule" => {
            let hours = i64::try_from(random.below(4)).expect("a few");
            let at = whole(now + hours * 3_600_000_000);
            random
                .pick(&[
                    json!({ "scheduledAt": at }),
                    json!({ "scheduledAt": at, "timezone": "Asia/Tokyo" }),
                    json!({ "scheduledAt": at, "bookingLink": "https://ada/book",
                        "meetingCancelLink": "https://ada/cancel" }),
                ])
                .clone()
        }
        "invite" => {
            random.pick(&[Value::Null, json!({ "bookingLink": "https://ada/first" })]).clone()
        }
        "participant-cancel-booking" => random
            .pick(&[
                Value::Null,
                json!({ "reason": "time", "shortNoticeCancel": true, "message": "Ill, Ada." }),
                json!({ "reason": "final" }),
            ])
            .clone(),
        "report" => random
            .pick(&[
                Value::Null,
                json!({ "reasons": ["INAPPROPRIATE", "NOSHOW"], "flaggedMessage": "Rude, Ada." }),
                json!({ "flaggedMessage": "Late, Ada." }),
            ])
            .clone(),
        "favorite" => random.pick(&[Value::Null, json!({ "favorite": false })]).clone(),
        "set-visibility" => {
            json!({ "visibility": random.pick(&["VISIBLE", "VISIBLE", "DISMISSED", "ONHOLD"]) })
        }
        _ => Value::Null,
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
            meeting: [None, None, None],
            updated: None,
            actor: "researcher",
            reason: None,
            short_notice: None,
            message: None,
            report: None,
            rejection: None,
        }
    }

    /// Returns the review after a decision, or the code of the refusal.
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
            // The other side's cancellation is not a retry.
            "=" if verb == "cancel-booking" && self.actor == "respondent"
                || verb == "participant-cancel-booking" && self.actor == "researcher" =>
            {
                return Err("invalid_status_transition");
            }
            "=" => return Ok(after),
            "stays" => {}
            status => {
                after.status = if status == "as before" { self.before_invite } else { status };
                after.updated = Some(now);
                let is_theirs = verb == "participant-cancel-booking";
                after.actor = if is_theirs { "respondent" } else { "researcher" };
            }
        }
        after.set(verb, body, self.status, now);
        after.is_new &= !decides;
        Ok(after)
    }

    fn set(&mut self, verb: &str, body: &Value, before: &'static str, now: i64) {
        let message = body["message"].as_str().filter(|text| !text.is_empty());
        let message = message.map(str::to_owned);
        let text = |name: &str| body[name].as_str().map(str::to_owned);
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
                self.meeting = [None, text("bookingLink"), None];
            }
            "cancel-invite" => self.meeting = [None, None, None],
            "schedule" => {
                self.scheduled = Some(micros(body["scheduledAt"].as_str().expect("a time")));
                let [_, booked, cancelled] = self.meeting.clone();
                self.meeting = [
                    text("timezone"),
                    text("bookingLink").or(booked),
                    text("meetingCancelLink").or(cancelled),
                ];
            }
            "cancel-booking" | "cancel-booking-reinvite" | "participant-cancel-booking" => {
                (self.scheduled, self.meeting) = (None, [None, None, None]);
                self.reason = text("reason");
                self.short_notice = body["shortNoticeCancel"].as_bool();
                self.message = message;
                if verb == "cancel-booking-reinvite" {
                    (self.invited, self.before_invite) = (Some(now), "PENDING");
                }
            }
            "hide" => self.hidden = true,
            "unhide" => self.hidden = false,
            "favorite" => self.favorite = body["favorite"].as_bool().unwrap_or(true),
            "report" => {
                self.visibility = "DISMISSED".into();
                let words = body["reasons"].as_array().into_iter().flatten();
                let words: Vec<_> = words.filter_map(Value::as_str).collect();
                let said = text("flaggedMessage").filter(|text| !text.is_empty());
                if !words.is_empty() || said.is_some() {
                    self.report = Some((words.join(","), said));
                }
            }
            "set-visibility" => {
                body["visibility"].as_str().expect("a word").clone_into(&mut self.visibility);
            }
            _ => {}
        }
    }

    /// Returns the fields of the history.
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
            told("disqualification.reasons", why.map(|it| &it.0)),
            untold("disqualification.message", why.and_then(|it| it.1.as_ref())),
            told("invite_sent_at", time(self.invited)),
            told("scheduled_at", time(self.scheduled)),
            untold("external_project.timezone", self.meeting[0].as_ref()),
            untold("external_project.booking_url", self.meeting[1].as_ref()),
            untold("external_project.meeting_cancel_link", self.meeting[2].as_ref()),
            told("status_updated_at", time(self.updated)),
            told("actor", self.updated.map(|_| self.actor)),
            told("reason", self.reason.as_ref()),
            told("short_notice_cancel", self.short_notice),
            untold("message", self.message.as_ref()),
            untold("rejection.message", rejection.map(|it| &it.0)),
            told("rejection.rejected_at", time(rejection.map(|it| it.1))),
            told("report.reasons", self.report.as_ref().map(|it| &it.0)),
            untold("report.message", self.report.as_ref().and_then(|it| it.1.as_ref())),
            told("is_new", Some(self.is_new)),
        ]
    }
}
