//! Panelist access.

use super::{App, Caller, ReadPanelists};
use crate::domain::access::{Presented, check_access};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::ScreenerId;
use crate::domain::panelist::PanelistAccess;
use crate::domain::panelist_key::SurveyRef;
use crate::domain::participant::ExternalUid;

impl App {
    /// Returns whether a panelist may answer a survey, and the link to it. Writes nothing. Unknown
    /// panelists are treated as new ones.
    pub async fn get_panelist_access(
        &self,
        caller: &Caller<ReadPanelists>,
        survey: &ScreenerId,
        panelist: &ExternalUid,
    ) -> Result<PanelistAccess> {
        let tenant = caller.tenant();
        let found = self
            .store
            .read(async |tx| {
                let Some(survey) = tx.get_screener(tenant, survey).await? else { return Ok(None) };
                let activity = tx.panelist_activity(tenant, &survey.id, panelist).await?;
                Ok(Some((survey, activity)))
            })
            .await?;
        let (survey, activity) =
            found.ok_or_else(|| Error::new(Kind::SurveyNotFound, "No such survey."))?;
        let public_key = self
            .keys
            .seal(SurveyRef::new(tenant, &survey.id), activity.key_epoch, panelist)
            .ok_or_else(|| Error::internal("a panelist key could not be sealed"))?;
        let handed_out = Presented::Key(activity.key_epoch);
        Ok(PanelistAccess {
            can_respond: check_access(&survey, &activity, handed_out).is_ok(),
            activity,
            hosted_response_url: self.links.panelist(&public_key),
            public_key,
            survey,
        })
    }
}
