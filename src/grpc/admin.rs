//! `AdminService`, for the local socket. Every caller that can open the socket is admitted.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tonic::{Request, Response, Status, Streaming};

use super::convert::{id_requests, saturated_i64, timestamp, wire_words, word};
use super::export::{Exporter, Parts, export};
use crate::app::{App, NewKey, Operator, Summary};
use crate::domain::credential::{Credential, CredentialKind, Scope};
use crate::domain::error::{Error, Result, Violations};
use crate::domain::id::{CredentialId, TenantId};
use crate::domain::label::check_label;
use crate::domain::tenant::Tenant;
use crate::pb::screener::v1;
use crate::pb::screener::v1::admin_service_server::AdminService;
use crate::pb::screener::v1::import_request::Part;

/// Loads an import file. The flag is true if the links in the file are trusted.
pub type Importer = Arc<dyn Fn(File, bool) -> BoxFuture<'static, Result<Summary>> + Send + Sync>;

/// The service.
pub(super) struct Admin {
    pub(super) app: Arc<App>,
    pub(super) importer: Importer,
    pub(super) exporter: Exporter,
    /// The folder of the temporary file for an import.
    pub(super) spool: PathBuf,
}

#[tonic::async_trait]
impl AdminService for Admin {
    async fn create_tenant(
        &self,
        request: Request<v1::CreateTenantRequest>,
    ) -> Result<Response<v1::CreateTenantResponse>, Status> {
        let (id, name) = new_tenant(request.into_inner())?;
        let tenant = self.app.create_tenant(&Operator::trusted(), id, name).await?;
        Ok(Response::new(v1::CreateTenantResponse { tenant: Some(tenant.into()) }))
    }

    async fn set_tenant_disabled(
        &self,
        request: Request<v1::SetTenantDisabledRequest>,
    ) -> Result<Response<v1::SetTenantDisabledResponse>, Status> {
        let (id, disabled) = tenant_disabled(request.into_inner())?;
        let tenant = self.app.set_tenant_disabled(&Operator::trusted(), id, disabled).await?;
        Ok(Response::new(v1::SetTenantDisabledResponse { tenant: Some(tenant.into()) }))
    }

    async fn list_tenants(
        &self,
        request: Request<v1::ListTenantsRequest>,
    ) -> Result<Response<v1::ListTenantsResponse>, Status> {
        let v1::ListTenantsRequest {} = request.into_inner();
        let tenants = self.app.list_tenants(&Operator::trusted()).await?;
        let tenants = tenants.into_iter().map(Into::into).collect();
        Ok(Response::new(v1::ListTenantsResponse { tenants }))
    }

    async fn create_key(
        &self,
        request: Request<v1::CreateKeyRequest>,
    ) -> Result<Response<v1::CreateKeyResponse>, Status> {
        let new = new_key(request.into_inner())?;
        let (credential, secret) = self.app.create_key(&Operator::trusted(), new).await?;
        let credential = Some(credential.into());
        Ok(Response::new(v1::CreateKeyResponse { credential, secret }))
    }

    async fn list_keys(
        &self,
        request: Request<v1::ListKeysRequest>,
    ) -> Result<Response<v1::ListKeysResponse>, Status> {
        let tenant = tenant(request.into_inner())?;
        let credentials = self.app.list_keys(&Operator::trusted(), &tenant).await?;
        let credentials = credentials.into_iter().map(Into::into).collect();
        Ok(Response::new(v1::ListKeysResponse { credentials }))
    }

    async fn revoke_key(
        &self,
        request: Request<v1::RevokeKeyRequest>,
    ) -> Result<Response<v1::RevokeKeyResponse>, Status> {
        let id = request.into_inner().try_into()?;
        let credential = self.app.revoke_key(&Operator::trusted(), id).await?;
        Ok(Response::new(v1::RevokeKeyResponse { credential: Some(credential.into()) }))
    }

    async fn import(
        &self,
        request: Request<Streaming<v1::ImportRequest>>,
    ) -> Result<Response<v1::ImportResponse>, Status> {
        let mut parts = request.into_inner();
        let first = parts.message().await?.and_then(|message| message.part);
        let Some(Part::Options(v1::ImportOptions { trust_links, size_bytes })) = first else {
            return Err(Error::invalid_field("options", "Must be the first message.").into());
        };
        let Some(size_bytes) = size_bytes else {
            let reason = "Required: the size of the file.";
            return Err(Error::invalid_field("options.size_bytes", reason).into());
        };
        let mut received_bytes = 0;
        let spool = self.spool.clone();
        let mut file = blocking(move || tempfile::tempfile_in(spool)).await?;
        while let Some(v1::ImportRequest { part }) = parts.message().await? {
            let bytes = match part {
                Some(Part::Chunk(bytes)) => bytes,
                Some(Part::Options(_)) => {
                    return Err(Error::invalid_field("options", "Must be sent only once.").into());
                }
                None => {
                    return Err(
                        Error::invalid_field("part", "Required: options or a chunk.").into()
                    );
                }
            };
            received_bytes += saturated_i64(bytes.len() as u64);
            file = blocking(move || file.write_all(&bytes).map(|()| file)).await?;
        }
        // To the framework, an upload that the client canceled looks like one that ended.
        if received_bytes != size_bytes {
            let reason = format!("Received {received_bytes} bytes instead of {size_bytes}.");
            return Err(Error::invalid_field("options.size_bytes", reason).into());
        }
        let file = blocking(move || file.rewind().map(|()| file)).await?;
        let summary = (self.importer)(file, trust_links.unwrap_or(false)).await?;
        Ok(Response::new(summary.into()))
    }

    type ExportStream = Parts;

    async fn export(&self, request: Request<v1::ExportRequest>) -> Result<Response<Parts>, Status> {
        let parts = export(&self.app, &self.exporter, request.into_inner()).await?;
        Ok(Response::new(parts))
    }
}

/// Runs file operations on a thread that may block. A full disk is an internal error like others,
/// logged under a request id: the caller is the operator, who can see the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(Error::internal)?;
    done.map_err(Error::internal)
}

fn new_tenant(message: v1::CreateTenantRequest) -> Result<(Option<TenantId>, String)> {
    let v1::CreateTenantRequest { id, name } = message;
    let mut violations = Violations::new();
    let id = id.and_then(|id| violations.keep("id", TenantId::parse(&id)));
    violations.keep("name", check_label(&name));
    violations.finish()?;
    Ok((id, name))
}

fn tenant_disabled(message: v1::SetTenantDisabledRequest) -> Result<(TenantId, bool)> {
    let v1::SetTenantDisabledRequest { id, disabled } = message;
    let mut violations = Violations::new();
    let id = violations.keep("id", TenantId::parse(&id));
    let disabled = disabled.ok_or_else(|| "Must be true or false.".to_owned());
    let disabled = violations.keep("disabled", disabled);
    violations.finish_with(id.zip(disabled))
}

fn new_key(message: v1::CreateKeyRequest) -> Result<NewKey> {
    let v1::CreateKeyRequest { tenant_id, kind, scopes, expires_in } = message;
    let mut violations = Violations::new();
    let tenant = violations.keep("tenant_id", TenantId::parse(&tenant_id));
    let kind = violations.keep("kind", parse_kind(kind));
    let mut known = Vec::new();
    for scope in scopes {
        match violations.keep("scopes", Scope::parse(&scope)) {
            Some(scope) if !known.contains(&scope) => known.push(scope),
            Some(_) | None => {}
        }
    }
    let expires = violations.keep("expires_in", expires_in.map(whole_seconds).transpose());
    let valid = violations.finish_with(tenant.zip(kind).zip(expires))?;
    let ((tenant, kind), expires) = valid;
    NewKey::new(tenant, kind, known, expires)
}

fn tenant(message: v1::ListKeysRequest) -> Result<TenantId> {
    let v1::ListKeysRequest { tenant_id } = message;
    TenantId::parse(&tenant_id).map_err(|reason| Error::invalid_field("tenant_id", reason))
}

id_requests!(CredentialId: RevokeKeyRequest);

fn parse_kind(number: i32) -> Result<CredentialKind, String> {
    word::<_, v1::CredentialKind>(
        CredentialKind::ALL,
        number,
        "Required: spot, respondent, panel or service.",
    )
}

/// Returns a positive duration in seconds, rounded up.
fn whole_seconds(duration: prost_types::Duration) -> Result<i64, String> {
    let prost_types::Duration { seconds, nanos } = duration;
    // Both parts of a valid duration have the same sign, so this also refuses malformed ones.
    if seconds < 0 || !(0..1_000_000_000).contains(&nanos) || (seconds, nanos) == (0, 0) {
        return Err("Must be more than 0.".into());
    }
    Ok(seconds.saturating_add(i64::from(nanos > 0)))
}

impl From<Tenant> for v1::Tenant {
    fn from(tenant: Tenant) -> Self {
        let Tenant { id, name, created, disabled } = tenant;
        Self {
            id: id.to_string(),
            name: Some(name),
            created_at: Some(timestamp(created)),
            disabled_at: disabled.map(timestamp),
        }
    }
}

impl From<Credential> for v1::Credential {
    fn from(credential: Credential) -> Self {
        let Credential { id, tenant, kind, hash: _, scopes, created, expires, revoked } =
            credential;
        Self {
            id: id.to_string(),
            tenant_id: tenant.to_string(),
            kind: v1::CredentialKind::from(kind).into(),
            scopes: scopes.into_iter().map(|scope| scope.as_str().to_owned()).collect(),
            created_at: Some(timestamp(created)),
            expires_at: expires.map(timestamp),
            revoked_at: revoked.map(timestamp),
        }
    }
}

wire_words!(CredentialKind => CredentialKind { Spot, Respondent, Panel, Service });

impl From<Summary> for v1::ImportResponse {
    fn from(summary: Summary) -> Self {
        let Summary { read, written, unchanged } = summary;
        Self {
            records_read: Some(saturated_i64(read)),
            records_written: Some(saturated_i64(written)),
            records_unchanged: Some(saturated_i64(unchanged)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<T>(result: Result<T>) -> Vec<String> {
        let refused = result.err().expect("a refusal");
        refused.violations().iter().map(|it| it.field.clone()).collect()
    }

    #[test]
    fn what_is_not_said_is_not_guessed() {
        let message = v1::CreateTenantRequest { id: Some(String::new()), name: String::new() };
        assert_eq!(fields(new_tenant(message)), ["id", "name"]);
        let message = v1::SetTenantDisabledRequest { id: String::new(), disabled: None };
        assert_eq!(fields(tenant_disabled(message)), ["id", "disabled"]);
        let message = v1::CreateKeyRequest {
            tenant_id: String::new(),
            kind: 0,
            scopes: vec!["sessions:read".into(), "sessions:burn".into()],
            expires_in: Some(prost_types::Duration { seconds: 0, nanos: 0 }),
        };
        assert_eq!(fields(new_key(message)), ["tenant_id", "kind", "scopes", "expires_in"]);
    }

    #[test]
    fn only_a_kind_of_the_contract_is_one() {
        for number in [0, 5, -1] {
            assert!(parse_kind(number).is_err(), "{number}");
        }
        for kind in CredentialKind::ALL {
            assert_eq!(parse_kind(v1::CredentialKind::from(*kind).into()).as_ref(), Ok(kind));
        }
    }

    #[test]
    fn a_started_second_counts_and_what_is_not_positive_is_refused() {
        let of = |seconds, nanos| whole_seconds(prost_types::Duration { seconds, nanos }).ok();
        assert_eq!(of(60, 0), Some(60));
        assert_eq!(of(0, 1), Some(1));
        assert_eq!(of(i64::MAX, 1), Some(i64::MAX));
        for (seconds, nanos) in [(0, 0), (-1, 0), (0, -1), (1, -1), (-1, 1), (0, 1_000_000_000)] {
            assert_eq!(of(seconds, nanos), None, "{seconds} s {nanos} ns");
        }
    }
}
