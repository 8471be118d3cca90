//! Authentication of callers, and their permissions.

mod credential_cache;

use std::marker::PhantomData;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

use super::App;
use crate::domain::credential::{CredentialKind, Scope, SecretHash};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{CredentialId, TenantId};
use crate::header;

pub(super) use credential_cache::CredentialCache;

/// A credential as a request presents it, unchecked. gRPC metadata has the same names.
struct Presented<'h> {
    kind: CredentialKind,
    /// The public key id of a pair.
    id: Option<&'h str>,
    secret: &'h [u8],
}

const SPOT_KEY: &str = "x-spot-api-key";
const SPOT_SECRET: &str = "x-spot-api-secret";
const API_KEY: &str = "x-api-key";
const API_SECRET: &str = "x-api-secret";

/// Returns whether a request presents a credential header other than `Authorization`.
pub(super) fn presents_keys(headers: &HeaderMap) -> bool {
    [SPOT_KEY, SPOT_SECRET, API_KEY, API_SECRET].iter().any(|name| headers.contains_key(*name))
}

impl<'h> Presented<'h> {
    /// Reads the credential of a request. Returns `None` if it has no credential, half of a pair, a
    /// repeated header, two kinds at once or another scheme.
    fn read(headers: &'h HeaderMap) -> Option<Self> {
        let single =
            |name| header::once(headers, name).ok().map(|it| it.map(HeaderValue::as_bytes));
        let spot = (single(SPOT_KEY)?, single(SPOT_SECRET)?);
        let api = (single(API_KEY)?, single(API_SECRET)?);
        let (kind, id, secret) = match (spot, api, single(AUTHORIZATION.as_str())?) {
            ((Some(id), Some(secret)), (None, None), None) => {
                (CredentialKind::Spot, Some(id), secret)
            }
            ((None, None), (Some(id), Some(secret)), None) => {
                (CredentialKind::Respondent, Some(id), secret)
            }
            ((None, None), (Some(token), None), None) => (CredentialKind::Panel, None, token),
            ((None, None), (None, None), Some(value)) => {
                let (scheme, token) = value.split_at_checked(7)?;
                if !scheme.eq_ignore_ascii_case(b"bearer ") {
                    return None;
                }
                (CredentialKind::Service, None, token)
            }
            _ => return None,
        };
        Some(Self { kind, id: id.map(str::from_utf8).transpose().ok()?, secret })
    }
}

/// The requirements of a call: the kinds of credential that it accepts, and the scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The dialect's own kind. Service tokens are accepted everywhere, and are the only kind for
    /// calls that no dialect has.
    kind: CredentialKind,
    /// The required scope.
    scope: Scope,
}

impl Need {
    /// Returns the required scope.
    #[must_use]
    pub fn scope(self) -> Scope {
        self.scope
    }
}

/// A need as a type, so that a use case can require it in its signature.
pub trait Permission: Send + Sync + 'static {
    /// The need.
    const NEED: Need;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $kind:ident, $scope:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Permission for $name {
            const NEED: Need = Need { kind: CredentialKind::$kind, scope: Scope::$scope };
        }
    )*};
}

permissions! {
    /// Permission to get and list sessions.
    ReadSessions: Spot, SessionsRead;
    /// Permission to create, archive, restore and remove sessions.
    WriteSessions: Spot, SessionsWrite;
    /// Permission to list responses.
    ReadResponses: Spot, ResponsesRead;
    /// Permission to get submissions.
    ReadSubmissions: Respondent, SubmissionsRead;
    /// Permission to review submissions.
    ReviewSubmissions: Respondent, SubmissionsReview;
    /// Permission to get panelist access.
    ReadPanelists: Panel, PanelistsRead;
    /// Permission to get and list screeners, and the projects that own them.
    ReadScreeners: Service, ScreenersRead;
    /// Permission to write projects and screeners.
    WriteScreeners: Service, ScreenersWrite;
    /// Permission to get and list participants.
    ReadParticipants: Service, ParticipantsRead;
    /// Permission to write participants.
    WriteParticipants: Service, ParticipantsWrite;
    /// Permission to read the history of changes.
    ReadHistory: Service, HistoryRead;
}

/// Proof that a call was authenticated for its need, as a value and not yet as a type.
#[derive(Clone, Debug)]
pub struct Admitted {
    found: credential_cache::Found,
    need: Need,
}

impl Admitted {
    /// Returns the tenant that owns the data of the call.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.found.0.tenant
    }

    /// Returns the proof with its type, unless the call was admitted for another need.
    #[must_use]
    pub fn caller<P: Permission>(self) -> Option<Caller<P>> {
        (self.need == P::NEED).then_some(Caller { found: self.found, permission: PhantomData })
    }
}

/// Proof that a call was authenticated for one tenant and has the permission `P`.
#[derive(Debug)]
pub struct Caller<P> {
    found: credential_cache::Found,
    permission: PhantomData<fn() -> P>,
}

impl<P> Caller<P> {
    /// Returns the tenant that owns the data of the call.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.found.0.tenant
    }

    /// Returns the actor for the audit log.
    #[must_use]
    pub fn actor(&self) -> &str {
        self.found.0.id.as_str()
    }
}

/// Proof that the caller may open the database's own file or the admin socket.
#[derive(Debug)]
pub struct Operator(());

impl Operator {
    /// The name in the audit log.
    pub const ACTOR: &str = "operator";

    /// Creates the proof. For the command line and the admin socket only, where the permissions of
    /// the file system are the credential.
    #[must_use]
    pub fn trusted() -> Self {
        Self(())
    }
}

fn unauthorized(kind: CredentialKind) -> Error {
    let own = match kind {
        CredentialKind::Spot => "X-Spot-Api-Key and X-Spot-Api-Secret, or ",
        CredentialKind::Respondent => "x-api-key and x-api-secret, or ",
        CredentialKind::Panel => "X-API-Key, or ",
        CredentialKind::Service => "",
    };
    Error::new(
        Kind::Unauthorized,
        format!(
            "Send {own}Authorization: Bearer with a service token, valid and without any other credential."
        ),
    )
}

impl App {
    /// Authenticates the credential of a request for a need.
    ///
    /// A missing credential, a wrong secret, a kind that is not accepted, and an expired or revoked
    /// credential get the same error.
    pub async fn admit(&self, need: Need, headers: &HeaderMap) -> Result<Admitted> {
        let Need { kind: own, scope } = need;
        let refused = |reason| {
            self.meter.refused_credentials().count(reason);
            unauthorized(own)
        };
        let presented = Presented::read(headers);
        let Presented { kind, id, secret } = presented.ok_or_else(|| refused("missing"))?;
        if kind != own && kind != CredentialKind::Service {
            return Err(refused("kind"));
        }
        let id = id.map(CredentialId::parse).transpose().map_err(|_| refused("unknown"))?;
        let found = self.find_credential(id, SecretHash::of(secret)).await?;
        let found = found.ok_or_else(|| refused("unknown"))?;
        let (credential, is_tenant_disabled) = &*found;
        if credential.kind != kind {
            return Err(refused("kind"));
        }
        if !credential.is_live(self.now()) {
            return Err(refused("ended"));
        }
        if *is_tenant_disabled {
            self.meter.refused_credentials().count("disabled");
            return Err(Error::new(Kind::Forbidden, "The account of this credential is disabled."));
        }
        if !credential.scopes.contains(&scope) {
            self.meter.refused_credentials().count("scope");
            return Err(Error::new(
                Kind::Forbidden,
                format!("This call requires a credential with the scope {}.", scope.as_str()),
            ));
        }
        Ok(Admitted { found, need })
    }

    /// Authenticates the credential of a request for a need that is a type.
    pub async fn authenticate<P: Permission>(&self, headers: &HeaderMap) -> Result<Caller<P>> {
        let Admitted { found, need: _ } = self.admit(P::NEED, headers).await?;
        Ok(Caller { found, permission: PhantomData })
    }

    /// Finds the credential with this secret, and whether its tenant is disabled.
    async fn find_credential(
        &self,
        id: Option<CredentialId>,
        hash: SecretHash,
    ) -> Result<Option<credential_cache::Found>> {
        // The monotonic clock: half a second stays half a second if the wall clock is set.
        let now = Instant::now();
        let missed = match self.credentials.get(id.as_ref(), &hash, now) {
            Ok(found) => return Ok(Some(found)),
            Err(missed) => missed,
        };
        let lookup = hash.clone();
        // Boxed, because cache misses are rare and every call's future would reserve its space.
        let read = Box::pin(self.store.look_up(async move |tx| match &id {
            Some(id) => tx.find_credential(id).await,
            None => tx.find_credential_by_token(&lookup).await,
        }));
        let found = read.await?;
        Ok(found.filter(|(credential, _)| credential.hash.matches(&hash)).map(
            |(credential, disabled)| {
                let found = Arc::new((credential, disabled.is_some()));
                self.credentials.keep(missed, Arc::clone(&found), now);
                found
            },
        ))
    }
}
