//! `LookService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::admitted;
use super::convert::opt_label;
use crate::app::{App, LookView};
use crate::domain::error::{Result, Violations};
use crate::domain::id::ScreenerId;
use crate::domain::look::{Accent, Logo, Look, check_privacy_text, check_privacy_url};
use crate::pb::screener::v1;
use crate::pb::screener::v1::look_service_server::LookService;

/// The service.
pub(super) struct Looks(pub(super) Arc<App>);

#[tonic::async_trait]
impl LookService for Looks {
    async fn get_look(
        &self,
        request: Request<v1::GetLookRequest>,
    ) -> Result<Response<v1::GetLookResponse>, Status> {
        let (caller, message) = admitted(request);
        let look = self.0.get_look(&caller, whose(message)?.as_ref()).await?;
        Ok(Response::new(v1::GetLookResponse { look: Some(look.into()) }))
    }

    async fn set_look(
        &self,
        request: Request<v1::SetLookRequest>,
    ) -> Result<Response<v1::SetLookResponse>, Status> {
        let (caller, message) = admitted(request);
        let (screener, look) = new_look(message)?;
        let look = self.0.set_look(&caller, screener, look).await?;
        Ok(Response::new(v1::SetLookResponse { look: Some(look.into()) }))
    }
}

/// Reads the screener of a look, or `None` for the tenant's look.
fn screener(violations: &mut Violations, id: Option<String>) -> Option<ScreenerId> {
    violations.keep("screener_id", ScreenerId::parse(&id?))
}

fn whose(message: v1::GetLookRequest) -> Result<Option<ScreenerId>> {
    let v1::GetLookRequest { screener_id } = message;
    let mut violations = Violations::new();
    let screener = screener(&mut violations, screener_id);
    violations.finish()?;
    Ok(screener)
}

fn new_look(message: v1::SetLookRequest) -> Result<(Option<ScreenerId>, LookView)> {
    let v1::SetLookRequest { screener_id, look } = message;
    let mut violations = Violations::new();
    let screener = screener(&mut violations, screener_id);
    if look.is_none() {
        violations.add("look", "Required.");
    }
    let look = self::look(look.unwrap_or_default(), &mut violations);
    violations.finish()?;
    Ok((screener, look))
}

/// Reads a look, and adds its violations.
fn look(message: v1::Look, violations: &mut Violations) -> LookView {
    let v1::Look { display_name, logo, accent_color, privacy_text, privacy_url } = message;
    let mut checked = |field, text: Option<String>, check: fn(&str) -> Result<(), String>| {
        text.filter(|text| violations.keep(field, check(text)).is_some())
    };
    let privacy_text = checked("look.privacy_text", privacy_text, check_privacy_text);
    let privacy_url = checked("look.privacy_url", privacy_url, check_privacy_url);
    let display_name = opt_label(violations, "look.display_name", display_name);
    let logo = logo.and_then(|bytes| violations.keep("look.logo", Logo::parse(bytes)));
    let accent =
        accent_color.and_then(|color| violations.keep("look.accent_color", Accent::parse(&color)));
    let hash = logo.as_ref().map(Logo::hash);
    let look = Look { display_name, logo: hash, accent, privacy_text, privacy_url };
    LookView { look, logo }
}

impl From<LookView> for v1::Look {
    fn from(view: LookView) -> Self {
        let LookView { look, logo } = view;
        let Look { display_name, logo: _, accent, privacy_text, privacy_url } = look;
        Self {
            display_name,
            logo: logo.map(|logo| logo.bytes().to_vec()),
            accent_color: accent.map(|accent| accent.to_string()),
            privacy_text,
            privacy_url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let message = v1::SetLookRequest {
            screener_id: Some(String::new()),
            look: Some(v1::Look {
                display_name: Some(String::new()),
                logo: Some(b"<svg>".to_vec()),
                accent_color: Some("red".into()),
                privacy_text: Some("\0".into()),
                privacy_url: Some("http://example.com".into()),
            }),
        };
        let refused = new_look(message).expect_err("everything is wrong");
        let mut fields: Vec<_> = refused.violations().iter().map(|it| it.field.as_str()).collect();
        fields.sort_unstable();
        let expected = [
            "look.accent_color",
            "look.display_name",
            "look.logo",
            "look.privacy_text",
            "look.privacy_url",
            "screener_id",
        ];
        assert_eq!(fields, expected);
        let nothing = v1::SetLookRequest { screener_id: None, look: None };
        let refused = new_look(nothing).expect_err("there is no look");
        assert_eq!(refused.violations()[0].field, "look");
    }
}
