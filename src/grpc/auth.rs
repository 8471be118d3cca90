//! Authentication: the credential is in the metadata, under the names of the REST headers.
//!
//! The proof of a caller's authority travels with the request to the handler. The type of the
//! message determines the type of the proof.

use tonic::metadata::MetadataValue;
use tonic::{Request, Response};

use crate::app::{Admitted, Caller, Holder, Need, Operator, Permission};
use crate::domain::version::API_VERSION;
use crate::receive::STRANGERS;

/// The metadata key for the API version that the caller was written for.
pub(super) const VERSION_KEY: &str = "x-spot-api-version";

/// The callers that an RPC admits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    /// Every caller.
    Open,
    /// Every caller that can open the socket.
    Socket,
    /// Every caller with a credential that has this permission.
    Credential(Need),
    /// Every caller with a panelist key or a session's link.
    Holder,
}

/// The result of authentication, on its way to the handler.
#[derive(Clone, Debug)]
pub(super) enum Pass {
    Nothing,
    Credential(Admitted),
    Holder(Holder),
}

impl Pass {
    /// Returns the share to which the call is charged.
    pub(super) fn share(&self) -> &str {
        match self {
            Self::Nothing => STRANGERS,
            Self::Credential(admitted) => admitted.tenant().as_str(),
            Self::Holder(holder) => holder.tenant().as_str(),
        }
    }
}

/// A handler's proof that its caller was admitted.
pub(super) trait Witness: Sized {
    /// The access by which the proof is obtained.
    const ACCESS: Access;

    /// Returns the proof that travels with a request, or `None` if it is of another type.
    fn of(pass: Pass) -> Option<Self>;
}

/// A proof of nothing.
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

/// A message with a row in `rpcs`, which determines the proof that its handler gets.
pub(super) trait Guarded {
    /// The proof.
    type Witness: Witness;
}

/// Returns the proof of a caller's authority, and the message.
///
/// # Panics
///
/// Panics if the row of the RPC names another message's proof. A test of every RPC finds that.
pub(super) fn admitted<M: Guarded>(request: Request<M>) -> (M::Witness, M) {
    let (_, mut extensions, message) = request.into_parts();
    let witness = extensions.remove::<Pass>().and_then(M::Witness::of);
    (witness.expect("a call was admitted before its handler got it"), message)
}

/// Returns a response with the version that was served in its metadata.
pub(super) fn versioned<T>(message: T) -> Response<T> {
    let mut response = Response::new(message);
    response.metadata_mut().insert(VERSION_KEY, MetadataValue::from_static(API_VERSION));
    response
}
