//! Whether a caller may call: its credential is judged before a byte of the body is read.

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

/// That a call was admitted.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pass: Pass,
    /// What the bytes of its body are charged to.
    pub(super) tab: Tab,
    /// When the request arrived.
    pub(super) begun: Instant,
}

impl Admission {
    /// Puts the proof where the handler takes it from.
    pub(super) fn pass_on(self, extensions: &mut Extensions) -> Tab {
        extensions.insert(self.pass);
        self.tab
    }
}

/// Judges credentials, and says to which share the bytes of a call are charged.
#[derive(Clone, Debug)]
pub struct Gate {
    app: Arc<App>,
    receiver: Receiver,
}

impl Gate {
    /// Charges bodies to this receiver.
    #[must_use]
    pub fn new(app: Arc<App>, receiver: Receiver) -> Self {
        Self { app, receiver }
    }

    /// Judges a call by its headers, for those that read its message themselves before they pass it
    /// on. `None` is an RPC that does not exist.
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

    /// Judges a call by its headers.
    pub(super) async fn judge(
        &self,
        rpc: &Rpc,
        headers: &HeaderMap,
        begun: Instant,
    ) -> Result<Admission> {
        let pass = match rpc.access {
            Access::Open | Access::Socket => Pass::Nothing,
            Access::Credential(need) => Pass::Credential(self.app.admit(need, headers).await?),
            // Boxed: it is large, and most calls have none.
            Access::Holder => Pass::Holder(Box::pin(self.app.authenticate_holder(headers)).await?),
        };
        let tab = self.receiver.open(pass.share());
        if rpc.is_versioned {
            check_api_version(text_once(headers, VERSION_KEY))?;
        }
        Ok(Admission { pass, tab, begun })
    }
}
