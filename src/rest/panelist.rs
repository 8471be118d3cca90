//! Panelist access. The routes that panelists themselves call are in `answering`.

use std::sync::Arc;

use axum::extract::State;
use http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, ParameterIn};

use super::route::{Operation, Routes};
use super::{Answer, dialect, json, path, query, schema};
use crate::app::{App, ReadPanelists};
use crate::domain::error::{Error, Kind};
use crate::domain::id::ScreenerId;
use crate::domain::panelist::{Activity, PanelistAccess};
use crate::domain::participant::{EXTERNAL_UID_MAX_BYTES, ExternalUid};
use crate::domain::time::Timestamp;

pub(super) fn routes() -> Routes {
    let path = "/tenant/surveys/{surveyId}/panelists/{panelistId}";
    let summary = "Returns whether a panelist may respond, with their key and link.";
    let panelist = schema::text(EXTERNAL_UID_MAX_BYTES).pattern(Some(r"^[^\x00-\x1f\x7f-\x9f]+$"));
    let id = "An id of the caller's own choice. An unknown id is no error.";
    let operation = Operation::new(HttpMethod::Get, path, "getPanelistAccess", summary)
        .at("surveyId", "survey-123", "The id of the screener.")
        .parameter(ParameterIn::Path, "panelistId", "customer-456", id, panelist)
        .permitted::<ReadPanelists>()
        .refusing(&[Kind::SurveyNotFound])
        .answering::<Access<'_>>();
    Routes::of(&dialect::PANELISTS).add(operation, access)
}

/// The rights and the activity of a panelist.
#[derive(Serialize, ToSchema)]
#[schema(as = PanelistAccess)]
struct Access<'a> {
    panelist: Panelist<'a>,
    survey: Survey<'a>,
}

/// A panelist.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Panelist<'a> {
    can_respond: bool,
    /// How many sessions they started.
    session_count: i64,
    /// Unix seconds.
    #[schema(required)]
    activity_started_unix_ts: Option<i64>,
    /// Unix seconds.
    #[schema(required)]
    activity_most_recent_unix_ts: Option<i64>,
    /// Unix seconds.
    #[schema(required)]
    dismissed_most_recent_unix_ts: Option<i64>,
    /// The key that the panelist sends as `Authorization`.
    public_key: &'a str,
    #[schema(format = "uri")]
    hosted_response_url: &'a str,
}

/// A survey, which is a screener.
#[derive(Serialize, ToSchema)]
struct Survey<'a> {
    #[schema(schema_with = schema::screener_status)]
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
    let caller = app.authenticate::<ReadPanelists>(&parts.headers).await?;
    query::none(parts.uri.query())?;
    let panelist = path::segment(&parts, 4).ok_or_else(|| "Must be UTF-8.".to_owned());
    let panelist = panelist
        .and_then(|text| ExternalUid::parse(&text))
        .map_err(|reason| Error::invalid_field("panelistId", reason))?;
    let absent = || Error::new(Kind::SurveyNotFound, "No such survey.");
    let survey = path::id(&parts, 2, ScreenerId::parse, absent)?;
    let access = app.get_panelist_access(&caller, &survey, &panelist).await?;
    json::ok(&Access::from(&access))
}
