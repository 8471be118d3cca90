//! `PanelistService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::admitted;
use super::convert::{saturated, timestamp, wire_words};
use crate::app::App;
use crate::domain::error::{Result, Violations};
use crate::domain::id::ScreenerId;
use crate::domain::panelist::{Activity, PanelistAccess};
use crate::domain::participant::ExternalUid;
use crate::domain::screener::{Screener, ScreenerStatus};
use crate::pb::screener::v1;
use crate::pb::screener::v1::panelist_service_server::PanelistService;

/// The service.
pub(super) struct Panelists(pub(super) Arc<App>);

#[tonic::async_trait]
impl PanelistService for Panelists {
    async fn get_panelist_access(
        &self,
        request: Request<v1::GetPanelistAccessRequest>,
    ) -> Result<Response<v1::GetPanelistAccessResponse>, Status> {
        let (caller, message) = admitted(request);
        let (survey, panelist) = target(message)?;
        let access = self.0.get_panelist_access(&caller, &survey, &panelist).await?;
        let panelist_access = Some(access.into());
        Ok(Response::new(v1::GetPanelistAccessResponse { panelist_access }))
    }
}

fn target(message: v1::GetPanelistAccessRequest) -> Result<(ScreenerId, ExternalUid)> {
    let v1::GetPanelistAccessRequest { survey_id, panelist_id } = message;
    let mut violations = Violations::new();
    let survey = violations.keep("survey_id", ScreenerId::parse(&survey_id));
    let panelist = violations.keep("panelist_id", ExternalUid::parse(&panelist_id));
    violations.finish_with(survey.zip(panelist))
}

impl From<PanelistAccess> for v1::PanelistAccess {
    fn from(access: PanelistAccess) -> Self {
        let PanelistAccess { can_respond, activity, public_key, hosted_response_url, survey } =
            access;
        let Activity {
            sessions_started,
            has_completed: _,
            started,
            most_recent,
            dismissed,
            newest: _,
            key_epoch: _,
        } = activity;
        let panelist = v1::Panelist {
            can_respond: Some(can_respond),
            session_count: Some(saturated(sessions_started)),
            activity_started_at: started.map(timestamp),
            activity_most_recent_at: most_recent.map(timestamp),
            dismissed_most_recent_at: dismissed.map(timestamp),
            public_key: public_key.to_string(),
            hosted_response_url,
        };
        Self { panelist: Some(panelist), survey: Some(survey.into()) }
    }
}

impl From<Screener> for v1::Survey {
    fn from(screener: Screener) -> Self {
        let Screener {
            id: _,
            project: _,
            title,
            status,
            allow_multiple_responses: _,
            active_publication: _,
            draft: _,
        } = screener;
        Self { status: v1::SurveyStatus::from(status).into(), title: Some(title) }
    }
}

wire_words!(ScreenerStatus => SurveyStatus { Draft, Open, Closed });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ids_are_checked_before_anything_is_refused() {
        let fields = |survey_id: &str, panelist_id: &str| {
            let message = v1::GetPanelistAccessRequest {
                survey_id: survey_id.into(),
                panelist_id: panelist_id.into(),
            };
            let refused = target(message).expect_err("a refusal");
            refused.violations().iter().map(|it| it.field.clone()).collect::<Vec<_>>()
        };
        assert_eq!(fields("", ""), ["survey_id", "panelist_id"]);
        assert_eq!(fields("scr_1", "a\nb"), ["panelist_id"]);
        assert_eq!(fields(&"s".repeat(129), "a/b"), ["survey_id"]);
    }
}
