//! Panelist access, as the panel dialect has it; what panelists themselves call is in
//! `panelist_session`.

pub(super) mod panelist_session;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::request::Parts;
use serde::Serialize;

use super::guard::{Dialect, stable_code};
use super::{Answer, Gateway, json, path, query};
use crate::app::{App, Presented, ReadPanelists};
use crate::domain::error::{Error, Kind};
use crate::domain::id::ScreenerId;
use crate::domain::panelist::{Activity, PanelistAccess};
use crate::domain::participant::check_external_uid;
use crate::domain::time::Timestamp;

pub(super) const DIALECT: Dialect =
    Dialect { credential_headers: Some("X-API-Key"), code, ..Dialect::PLAIN };

/// Two codes of this dialect are documented in another spelling.
fn code(kind: Kind) -> &'static str {
    if kind == Kind::Unauthorized {
        "Unauthorized"
    } else if kind == Kind::Forbidden {
        "Forbidden"
    } else {
        stable_code(kind)
    }
}

pub(super) fn routes() -> Router<Gateway> {
    Router::new().route("/tenant/surveys/{surveyId}/panelists/{panelistId}", get(access))
}

#[derive(Serialize)]
struct Access<'a> {
    panelist: Panelist<'a>,
    survey: Survey<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Panelist<'a> {
    can_respond: bool,
    session_count: i64,
    activity_started_unix_ts: Option<i64>,
    activity_most_recent_unix_ts: Option<i64>,
    dismissed_most_recent_unix_ts: Option<i64>,
    public_key: &'a str,
    hosted_response_url: &'a str,
}

#[derive(Serialize)]
struct Survey<'a> {
    status: &'static str,
    title: &'a str,
}

impl<'a> From<&'a PanelistAccess> for Access<'a> {
    fn from(access: &'a PanelistAccess) -> Self {
        let PanelistAccess { can_respond, activity, public_key, hosted_response_url, survey } =
            access;
        let Activity {
            sessions_started,
            started,
            most_recent,
            dismissed,
            has_completed: _,
            newest: _,
            key_epoch: _,
        } = activity;
        Self {
            panelist: Panelist {
                can_respond: *can_respond,
                session_count: *sessions_started,
                activity_started_unix_ts: started.map(Timestamp::unix_seconds),
                activity_most_recent_unix_ts: most_recent.map(Timestamp::unix_seconds),
                dismissed_most_recent_unix_ts: dismissed.map(Timestamp::unix_seconds),
                public_key: public_key.as_str(),
                hosted_response_url,
            },
            survey: Survey { status: survey.status.as_str(), title: &survey.title },
        }
    }
}

async fn access(State(app): State<Arc<App>>, parts: Parts) -> Answer {
    let caller = app.authenticate::<ReadPanelists>(&Presented::read(&parts.headers)).await?;
    query::none(parts.uri.query())?;
    let panelist = path::segment(&parts, 4).ok_or_else(|| "It is not UTF-8.".to_owned());
    let panelist = panelist
        .and_then(|text| check_external_uid(&text).map(|()| text))
        .map_err(|reason| Error::invalid_field("panelistId", reason))?;
    let absent = || Error::new(Kind::SurveyNotFound, "No such survey.");
    let survey = path::id(&parts, 2, ScreenerId::parse, absent)?;
    let access = app.get_panelist_access(&caller, &survey, &panelist).await?;
    json::ok(&Access::from(&access))
}
