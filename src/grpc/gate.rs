//! Admission: the credential of a caller is checked before a byte of the body is read.

use std::sync::Arc;

use http::request::Parts;
use http::{Extensions, HeaderMap};
use tokio::time::Instant;

use super::auth::{Access, Pass, VERSION_KEY};
use super::rpcs::{self, Rpc};
use crate::app::App;
use crate::domain::error::Result;
use crate::domain::version::check_api_version;
use crate::header::text_once;
use crate::receive::{Receiver, Tab, Terms};

/// The admission of a call.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pass: Pass,
    /// The tab to which the bytes of its body are charged.
    pub(super) tab: Tab,
    /// When the request arrived.
    pub(super) begun: Instant,
}

impl Admission {
    /// Passes the proof to the handler.
    pub(super) fn pass_on(self, extensions: &mut Extensions) -> Tab {
        extensions.insert(self.pass);
        self.tab
    }
}

/// Authenticates callers, and determines the share to which the bytes of a call are charged.
#[derive(Clone, Debug)]
pub struct Gate {
    app: Arc<App>,
    receiver: Receiver,
}

impl Gate {
    /// Creates a gate that charges bodies to this receiver.
    #[must_use]
    pub fn new(app: Arc<App>, receiver: Receiver) -> Self {
        Self { app, receiver }
    }

    /// Admits a call by its headers, for transports that read its message before they pass it on.
    /// `None` means that the RPC does not exist.
    pub async fn admit(&self, parts: &mut Parts) -> Result<Option<Terms>> {
        let rpc = rpcs::find(parts.uri.path());
        let Some(rpc) = rpc.filter(|rpc| rpcs::PUBLIC.contains(&rpc.service)) else {
            return Ok(None);
        };
        let admission = self.judge(rpc, &parts.headers, Instant::now()).await?;
        let share = admission.pass.share().to_owned();
        let (message_max_bytes, tab) = (rpc.message_max_bytes, admission.tab.clone());
        parts.extensions.insert(admission);
        Ok(Some(Terms { message_max_bytes, share, tab }))
    }

    /// Admits a call by its headers.
    pub(super) async fn judge(
        &self,
        rpc: &Rpc,
        headers: &HeaderMap,
        begun: Instant,
    ) -> Result<Admission> {
        let pass = match rpc.access {
            Access::Open | Access::Socket => Pass::Nothing,
            Access::Credential(need) => Pass::Credential(self.app.admit(need, headers).await?),
            // Boxed, because it is large and most calls do not need it.
            Access::Holder => Pass::Holder(Box::pin(self.app.authenticate_holder(headers)).await?),
        };
        let tab = self.receiver.open(pass.share());
        if rpc.is_versioned {
            check_api_version(text_once(headers, VERSION_KEY))?;
        }
        Ok(Admission { pass, tab, begun })
    }
}
