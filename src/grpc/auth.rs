//! Who calls: a credential in the metadata, under the names that REST uses as headers.
//!
//! It is judged before a byte of the body is read. What it proves travels with the request to the
//! handler, whose message says by its type which proof that is.

use std::sync::Arc;

use http::request::Parts;
use http::{Extensions, HeaderMap};
use tokio::time::Instant;
use tonic::metadata::MetadataValue;
use tonic::{Request, Response};

use super::rpcs::{self, Rpc};
use crate::app::{Admitted, App, Caller, Holder, Need, Operator, Permission};
use crate::domain::error::Result;
use crate::domain::version::{API_VERSION, check_api_version};
use crate::header;
use crate::receive::{Receiver, STRANGERS, Tab, Terms};

/// The metadata of the session dialect that names the version its caller was written for.
const VERSION_KEY: &str = "x-spot-api-version";

/// Who may call an RPC.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    /// Every caller.
    Open,
    /// Every caller that can open the socket.
    Socket,
    /// A credential that may do this.
    Credential(Need),
    /// The holder of a panelist's key or a session's link.
    Holder,
}

/// What a credential was found to prove, on its way to the handler.
#[derive(Clone, Debug)]
pub(super) enum Pass {
    Nothing,
    Credential(Admitted),
    Holder(Holder),
}

/// What a handler gets as proof that its caller was admitted.
pub(super) trait Witness: Sized {
    /// What makes such a proof.
    const ACCESS: Access;

    /// The proof that travels with a request; none if it is another.
    fn of(pass: Pass) -> Option<Self>;
}

/// Proof of nothing.
pub(super) struct Open;

impl Witness for Open {
    const ACCESS: Access = Access::Open;

    fn of(_: Pass) -> Option<Self> {
        Some(Self)
    }
}

impl Witness for Operator {
    const ACCESS: Access = Access::Socket;

    fn of(_: Pass) -> Option<Self> {
        Some(Self::trusted())
    }
}

impl<P: Permission> Witness for Caller<P> {
    const ACCESS: Access = Access::Credential(P::NEED);

    fn of(pass: Pass) -> Option<Self> {
        match pass {
            Pass::Credential(admitted) => admitted.caller(),
            Pass::Nothing | Pass::Holder(_) => None,
        }
    }
}

impl Witness for Holder {
    const ACCESS: Access = Access::Holder;

    fn of(pass: Pass) -> Option<Self> {
        match pass {
            Pass::Holder(holder) => Some(holder),
            Pass::Nothing | Pass::Credential(_) => None,
        }
    }
}

/// A message whose RPC has a row, which says what its handler gets as proof.
pub(super) trait Guarded {
    /// The proof.
    type Witness: Witness;
}

/// Who calls, and the message.
///
/// # Panics
///
/// If the row of the RPC names another message's proof, which a test of every RPC would find.
pub(super) fn admitted<M: Guarded>(request: Request<M>) -> (M::Witness, M) {
    let (_, mut extensions, message) = request.into_parts();
    let witness = extensions.remove::<Pass>().and_then(M::Witness::of);
    (witness.expect("a call was admitted before its handler got it"), message)
}

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
        let share = match &admission.pass {
            Pass::Nothing => STRANGERS,
            Pass::Credential(admitted) => admitted.tenant().as_str(),
            Pass::Holder(holder) => holder.tenant().as_str(),
        };
        let share = share.to_owned();
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
        let (pass, tab) = match rpc.access {
            Access::Open | Access::Socket => (Pass::Nothing, self.receiver.open(STRANGERS)),
            Access::Credential(need) => {
                let admitted = self.app.admit(need, headers).await?;
                let tab = self.receiver.open(admitted.tenant().as_str());
                (Pass::Credential(admitted), tab)
            }
            Access::Holder => {
                // Boxed: it is large, and most calls have none.
                let holder = Box::pin(self.app.authenticate_holder(headers)).await?;
                let tab = self.receiver.open(holder.tenant().as_str());
                (Pass::Holder(holder), tab)
            }
        };
        if rpc.is_versioned {
            check_version(headers)?;
        }
        Ok(Admission { pass, tab, begun })
    }
}

/// A version that is not even text, or one of several, is none of ours.
fn check_version(headers: &HeaderMap) -> Result<()> {
    let version = header::once(headers, VERSION_KEY);
    check_api_version(version.map_or(Some(""), |it| it.map(|it| it.to_str().unwrap_or_default())))
}

/// A response that says which version was served.
pub(super) fn versioned<T>(message: T) -> Response<T> {
    let mut response = Response::new(message);
    response.metadata_mut().insert(VERSION_KEY, MetadataValue::from_static(API_VERSION));
    response
}
