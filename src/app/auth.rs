//! Who calls, and whether they may.

mod credential_cache;

use std::marker::PhantomData;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use tokio::time::Instant;

use super::App;
use crate::domain::credential::{Credential, CredentialKind, Scope, SecretHash};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{CredentialId, TenantId};

pub(super) use credential_cache::CredentialCache;

/// A credential as a request presents it, unchecked. gRPC metadata has the same names.
#[derive(Clone)]
pub enum Presented {
    /// None at all.
    Nothing,
    /// `X-Spot-Api-Key` and `X-Spot-Api-Secret`.
    SpotPair {
        /// The public key id.
        id: String,
        /// The secret.
        secret: Vec<u8>,
    },
    /// `x-api-key` and `x-api-secret`.
    RespondentPair {
        /// The public key id.
        id: String,
        /// The secret.
        secret: Vec<u8>,
    },
    /// `X-API-Key` alone.
    PanelToken(Vec<u8>),
    /// `Authorization: Bearer`.
    ServiceToken(Vec<u8>),
    /// Half of a pair, a header twice, two kinds at once, or another scheme.
    Malformed,
}

/// The only value of a header; `Err` if it is there twice.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h [u8]>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => Ok(Some(value.as_bytes())),
        (Some(_), Some(_)) => Err(()),
    }
}

impl Presented {
    /// Reads what a request presents.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        Self::try_read(headers).unwrap_or(Self::Malformed)
    }

    fn try_read(headers: &HeaderMap) -> Result<Self, ()> {
        let spot_key = single(headers, "x-spot-api-key")?;
        let spot_secret = single(headers, "x-spot-api-secret")?;
        let api_key = single(headers, "x-api-key")?;
        let api_secret = single(headers, "x-api-secret")?;
        let bearer = single(headers, AUTHORIZATION.as_str())?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| ());
        match (spot_key, spot_secret, api_key, api_secret, bearer) {
            (None, None, None, None, None) => Ok(Self::Nothing),
            (Some(id), Some(secret), None, None, None) => {
                Ok(Self::SpotPair { id: text(id)?, secret: secret.to_vec() })
            }
            (None, None, Some(id), Some(secret), None) => {
                Ok(Self::RespondentPair { id: text(id)?, secret: secret.to_vec() })
            }
            (None, None, Some(token), None, None) => Ok(Self::PanelToken(token.to_vec())),
            (None, None, None, None, Some(value)) => {
                let (scheme, token) = value.split_at_checked(7).ok_or(())?;
                if !scheme.eq_ignore_ascii_case(b"bearer ") {
                    return Err(());
                }
                Ok(Self::ServiceToken(token.to_vec()))
            }
            _ => Err(()),
        }
    }

    fn kind(&self) -> Option<CredentialKind> {
        match self {
            Self::Nothing | Self::Malformed => None,
            Self::SpotPair { .. } => Some(CredentialKind::Spot),
            Self::RespondentPair { .. } => Some(CredentialKind::Respondent),
            Self::PanelToken(_) => Some(CredentialKind::Panel),
            Self::ServiceToken(_) => Some(CredentialKind::Service),
        }
    }
}

/// What a call needs: which kinds of credential count, and which scope.
pub trait Permission: Send + Sync + 'static {
    /// The dialect's own kind; a service token counts everywhere, and alone where no dialect has
    /// the call.
    const KIND: CredentialKind;
    /// The scope the credential must have.
    const SCOPE: Scope;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $kind:ident, $scope:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Permission for $name {
            const KIND: CredentialKind = CredentialKind::$kind;
            const SCOPE: Scope = Scope::$scope;
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

/// Proof that a call was authenticated and may do what `P` says, for one tenant.
#[derive(Debug)]
pub struct Caller<P> {
    tenant: TenantId,
    credential: CredentialId,
    permission: PhantomData<fn() -> P>,
}

impl<P> Caller<P> {
    /// Whose data the call is about.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Who is named in the audit log.
    #[must_use]
    pub fn actor(&self) -> &str {
        self.credential.as_str()
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
            "This call needs a valid {own}Authorization: Bearer with a service token, and no other credential beside it."
        ),
    )
}

impl App {
    /// Checks a presented credential against what a call needs.
    ///
    /// Every way to be unknown looks the same: no credential, a wrong secret, a kind that does not
    /// count here, expired or revoked.
    pub async fn authenticate<P: Permission>(&self, presented: &Presented) -> Result<Caller<P>> {
        let refused = || unauthorized(P::KIND);
        let kind = presented.kind().ok_or_else(refused)?;
        if kind != P::KIND && kind != CredentialKind::Service {
            return Err(refused());
        }
        let (id, secret) = match presented {
            Presented::Nothing | Presented::Malformed => return Err(refused()),
            Presented::SpotPair { id, secret } | Presented::RespondentPair { id, secret } => {
                (Some(CredentialId::parse(id).map_err(|_| refused())?), secret)
            }
            Presented::PanelToken(secret) | Presented::ServiceToken(secret) => (None, secret),
        };
        let found = self.find_credential(id, SecretHash::of(secret)).await?;
        let found = found.ok_or_else(refused)?;
        let (credential, is_tenant_disabled) = &*found;
        if credential.kind != kind || !credential.is_live(self.now()) {
            return Err(refused());
        }
        if *is_tenant_disabled {
            return Err(Error::new(Kind::Forbidden, "The account of this credential is disabled."));
        }
        if !credential.scopes.contains(&P::SCOPE) {
            return Err(Error::new(
                Kind::Forbidden,
                format!("This call needs a credential with the scope {}.", P::SCOPE.as_str()),
            ));
        }
        let Credential { tenant, id, .. } = credential.clone();
        Ok(Caller { tenant, credential: id, permission: PhantomData })
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
        let found = self
            .store
            .read(async move |tx| match &id {
                Some(id) => tx.find_credential(id).await,
                None => tx.find_credential_by_token(&lookup).await,
            })
            .await?;
        Ok(found.filter(|(credential, _)| credential.hash.matches(&hash)).map(
            |(credential, disabled)| {
                let found = Arc::new((credential, disabled.is_some()));
                self.credentials.keep(missed, Arc::clone(&found), now);
                found
            },
        ))
    }
}
