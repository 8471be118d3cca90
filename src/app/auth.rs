//! Who calls, and whether they may.

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
    /// The public key id, if it is a pair.
    id: Option<&'h str>,
    secret: &'h [u8],
}

const SPOT_KEY: &str = "x-spot-api-key";
const SPOT_SECRET: &str = "x-spot-api-secret";
const API_KEY: &str = "x-api-key";
const API_SECRET: &str = "x-api-secret";

/// Whether a request presents more than `Authorization`.
pub(super) fn presents_keys(headers: &HeaderMap) -> bool {
    [SPOT_KEY, SPOT_SECRET, API_KEY, API_SECRET].iter().any(|name| headers.contains_key(*name))
}

impl<'h> Presented<'h> {
    /// Reads what a request presents, unless that is nothing, half of a pair, a header twice, two kinds
    /// at once, or another scheme.
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

/// What a call needs: which kinds of credential count, and which scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The dialect's own kind; a service token counts everywhere, and alone where no dialect has
    /// the call.
    kind: CredentialKind,
    /// The scope the credential must have.
    scope: Scope,
}

impl Need {
    /// The scope the credential must have.
    #[must_use]
    pub fn scope(self) -> Scope {
        self.scope
    }
}

/// A need as a type, so that a use case can name the one that it has.
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
    /// To get and list sessions.
    ReadSessions: Spot, SessionsRead;
    /// To create, archive, restore and remove sessions.
    WriteSessions: Spot, SessionsWrite;
    /// To list responses.
    ReadResponses: Spot, ResponsesRead;
    /// To get submissions.
    ReadSubmissions: Respondent, SubmissionsRead;
    /// To review submissions.
    ReviewSubmissions: Respondent, SubmissionsReview;
    /// To get panelist access.
    ReadPanelists: Panel, PanelistsRead;
    /// To get and list screeners, and the projects that own them.
    ReadScreeners: Service, ScreenersRead;
    /// To write projects and screeners.
    WriteScreeners: Service, ScreenersWrite;
    /// To get and list participants.
    ReadParticipants: Service, ParticipantsRead;
    /// To write participants.
    WriteParticipants: Service, ParticipantsWrite;
    /// To read the history of changes.
    ReadHistory: Service, HistoryRead;
}

/// Proof that a call was authenticated for its need, which is not a type yet.
#[derive(Clone, Debug)]
pub struct Admitted {
    found: credential_cache::Found,
    need: Need,
}

impl Admitted {
    /// Whose data the call is about.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.found.0.tenant
    }

    /// The proof with its type, unless the call was admitted for another need.
    #[must_use]
    pub fn caller<P: Permission>(self) -> Option<Caller<P>> {
        (self.need == P::NEED).then_some(Caller { found: self.found, permission: PhantomData })
    }
}

/// Proof that a call was authenticated and may do what `P` says, for one tenant.
#[derive(Debug)]
pub struct Caller<P> {
    found: credential_cache::Found,
    permission: PhantomData<fn() -> P>,
}

impl<P> Caller<P> {
    /// Whose data the call is about.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.found.0.tenant
    }

    /// Who is named in the audit log.
    #[must_use]
    pub fn actor(&self) -> &str {
        self.found.0.id.as_str()
    }
}

/// Proof that a call comes from whoever may open the database's own file or socket.
#[derive(Debug)]
pub struct Operator(());

impl Operator {
    /// The name in the audit log.
    pub const ACTOR: &str = "operator";

    /// To be called by the command line and the admin socket only: there, the permissions of the
    /// file system are the credential.
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
            "This call requires a valid {own}Authorization: Bearer with a service token, and no other credential."
        ),
    )
}

impl App {
    /// Checks the credential that a request presents against what its call needs.
    ///
    /// Every way to be unknown looks the same: no credential, a wrong secret, a kind that does not
    /// count here, expired or revoked.
    pub async fn admit(&self, need: Need, headers: &HeaderMap) -> Result<Admitted> {
        let Need { kind: own, scope } = need;
        let refused = || unauthorized(own);
        let Presented { kind, id, secret } = Presented::read(headers).ok_or_else(refused)?;
        if kind != own && kind != CredentialKind::Service {
            return Err(refused());
        }
        let id = id.map(CredentialId::parse).transpose().map_err(|_| refused())?;
        let found = self.find_credential(id, SecretHash::of(secret)).await?;
        let found = found.ok_or_else(refused)?;
        let (credential, is_tenant_disabled) = &*found;
        if credential.kind != kind || !credential.is_live(self.now()) {
            return Err(refused());
        }
        if *is_tenant_disabled {
            return Err(Error::new(Kind::Forbidden, "The account of this credential is disabled."));
        }
        if !credential.scopes.contains(&scope) {
            return Err(Error::new(
                Kind::Forbidden,
                format!("This call requires a credential with the scope {}.", scope.as_str()),
            ));
        }
        Ok(Admitted { found, need })
    }

    /// The same for a need that is a type.
    pub async fn authenticate<P: Permission>(&self, headers: &HeaderMap) -> Result<Caller<P>> {
        let Admitted { found, need: _ } = self.admit(P::NEED, headers).await?;
        Ok(Caller { found, permission: PhantomData })
    }

    /// The credential with this secret, and whether its tenant is disabled.
    async fn find_credential(
        &self,
        id: Option<CredentialId>,
        hash: SecretHash,
    ) -> Result<Option<credential_cache::Found>> {
        // Not the environment's clock: however that is set, half a second is half a second.
        let now = Instant::now();
        let missed = match self.credentials.get(id.as_ref(), &hash, now) {
            Ok(found) => return Ok(Some(found)),
            Err(missed) => missed,
        };
        let lookup = hash.clone();
        // Boxed, because few calls come here, and every call's future would have room for it.
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
