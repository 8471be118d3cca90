//! Who calls: a credential in the metadata, under the names that REST uses as headers.
//!
//! What it proves travels with the request to the handler, whose message says by its type which proof
//! that is.

use tonic::metadata::MetadataValue;
use tonic::{Request, Response};

use crate::app::{Admitted, Caller, Holder, Need, Operator, Permission};
use crate::domain::version::API_VERSION;
use crate::receive::STRANGERS;

/// The metadata of the session dialect that names the version its caller was written for.
pub(super) const VERSION_KEY: &str = "x-spot-api-version";

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

impl Pass {
    /// The share to which its call counts.
    pub(super) fn share(&self) -> &str {
        match self {
            Self::Nothing => STRANGERS,
            Self::Credential(admitted) => admitted.tenant().as_str(),
            Self::Holder(holder) => holder.tenant().as_str(),
        }
    }
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

/// A response that says which version was served.
pub(super) fn versioned<T>(message: T) -> Response<T> {
    let mut response = Response::new(message);
    response.metadata_mut().insert(VERSION_KEY, MetadataValue::from_static(API_VERSION));
    response
}
