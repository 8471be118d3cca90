//! `keys`

use clap::ValueEnum;
use serde_json::{Value, json};

use super::admin::{self, Creates};
use super::failure::{Failure, Typed};
use super::output::{self, Rows, time_text};
use crate::app::Location;
use crate::domain::credential::Scope;
use crate::pb::screener::v1 as pb;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KeyKind {
    /// The REST routes of the Spot Thought API: X-Spot-Api-Key and X-Spot-Api-Secret.
    Spot,
    /// The REST routes of the Respondent API: x-api-key and x-api-secret.
    Respondent,
    /// The REST route of the Votito API: X-API-Key.
    Panel,
    /// Every RPC and route, for your own backend: Authorization: Bearer.
    Service,
}

impl From<KeyKind> for pb::CredentialKind {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Spot => Self::Spot,
            KeyKind::Respondent => Self::Respondent,
            KeyKind::Panel => Self::Panel,
            KeyKind::Service => Self::Service,
        }
    }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Create a key. Its secret is printed only once.
    Create {
        /// The tenant of the key.
        #[arg(long, env = "SCREENERD_TENANT")]
        tenant: String,
        /// The API that the key is for.
        #[arg(long, env = "SCREENERD_KIND", value_enum)]
        kind: KeyKind,
        /// A scope of the key, such as sessions:read. Repeat it for several; the variable separates
        /// them by spaces. Without it the key has every scope of its kind.
        #[arg(
            long = "scope",
            env = "SCREENERD_SCOPE",
            value_name = "SCOPE",
            value_delimiter = ' ',
            value_parser = scope
        )]
        scopes: Vec<String>,
        /// The time until the key expires, such as 90d, 12h or 30m.
        #[arg(
            long,
            env = "SCREENERD_EXPIRES_IN",
            value_name = "DURATION",
            value_parser = output::seconds
        )]
        expires_in: Option<i64>,
    },
    /// List the keys of a tenant, without their secrets.
    List {
        /// The tenant.
        #[arg(long, env = "SCREENERD_TENANT")]
        tenant: String,
    },
    /// Revoke a key. Calls with it are rejected from then on.
    Revoke {
        /// The id of the key.
        id: String,
    },
}

/// The columns of the table: the header of each, and the member that it shows.
const COLUMNS: &[(&str, &str)] = &[
    ("ID", "id"),
    ("KIND", "kind"),
    ("CREATED", "createdAt"),
    ("EXPIRES", "expiresAt"),
    ("REVOKED", "revokedAt"),
    ("SCOPES", "scopes"),
];

/// Parses a scope.
fn scope(text: &str) -> Result<String, String> {
    let known = || {
        let names: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        format!("Must be one of {}.", names.join(", "))
    };
    Scope::parse(text).map(|scope| scope.as_str().to_owned()).map_err(|_| known())
}

/// The flags of fields in refusals.
const FIELDS: &[(&str, &str)] = &[
    ("tenant_id", "--tenant"),
    ("scopes", "--scope"),
    ("expires_in", "--expires-in"),
    ("id", "ID"),
];

pub(super) async fn run(args: Args, database: &Location, as_json: bool) -> Result<(), Failure> {
    // A key belongs to a tenant, so the database exists.
    let mut admin = admin::connect(database, Creates::No).await?;
    let result = run_with(&mut admin, args.command).await;
    admin.close().await;
    let (rows, headers) = result?;
    output::print_rows(rows, COLUMNS, as_json)?;
    if as_json || headers.is_empty() {
        return Ok(());
    }
    output::print_line("\nThe secret is shown only once. Send the key as:")?;
    headers.iter().try_for_each(|header| output::print_line(&format!("  {header}")))
}

/// Returns keys, and the headers of a new one.
async fn run_with(
    admin: &mut admin::Admin,
    command: Command,
) -> Result<(Rows, Vec<String>), Failure> {
    let missing = || output::unexpected("key");
    match command {
        Command::Create { tenant, kind, scopes, expires_in } => {
            let subject = format!("--tenant {tenant}");
            let request = pb::CreateKeyRequest {
                tenant_id: tenant,
                kind: pb::CredentialKind::from(kind).into(),
                scopes,
                expires_in: expires_in.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
            };
            let answer = admin.client.create_key(request).await;
            let answer = admin.take(answer, &Typed { fields: FIELDS, subject: &subject })?;
            let credential = answer.credential.ok_or_else(missing)?;
            let mut key = to_json(&credential);
            key["secret"] = json!(answer.secret);
            Ok((Rows::One(key), headers(&credential, &answer.secret)))
        }
        Command::List { tenant } => {
            let subject = format!("--tenant {tenant}");
            let answer = admin.client.list_keys(pb::ListKeysRequest { tenant_id: tenant }).await;
            let typed = Typed { fields: FIELDS, subject: &subject };
            let keys = admin.take(answer, &typed)?.credentials;
            Ok((Rows::Many(keys.iter().map(to_json).collect()), Vec::new()))
        }
        Command::Revoke { id } => {
            let subject = id.clone();
            let answer = admin.client.revoke_key(pb::RevokeKeyRequest { id }).await;
            let answer = admin.take(answer, &Typed { fields: FIELDS, subject: &subject })?;
            Ok((Rows::One(to_json(&answer.credential.ok_or_else(missing)?)), Vec::new()))
        }
    }
}

fn kind_word(credential: &pb::Credential) -> &'static str {
    match credential.kind() {
        pb::CredentialKind::Unspecified => "unspecified",
        pb::CredentialKind::Spot => "spot",
        pb::CredentialKind::Respondent => "respondent",
        pb::CredentialKind::Panel => "panel",
        pb::CredentialKind::Service => "service",
    }
}

/// Returns the headers that contain a new key, ready to be pasted.
fn headers(credential: &pb::Credential, secret: &str) -> Vec<String> {
    let id = &credential.id;
    match credential.kind() {
        pb::CredentialKind::Unspecified => Vec::new(),
        pb::CredentialKind::Spot => {
            vec![format!("X-Spot-Api-Key: {id}"), format!("X-Spot-Api-Secret: {secret}")]
        }
        pb::CredentialKind::Respondent => {
            vec![format!("x-api-key: {id}"), format!("x-api-secret: {secret}")]
        }
        pb::CredentialKind::Panel => vec![format!("X-API-Key: {secret}")],
        pb::CredentialKind::Service => vec![format!("Authorization: Bearer {secret}")],
    }
}

fn to_json(credential: &pb::Credential) -> Value {
    json!({
        "id": credential.id,
        "tenantId": credential.tenant_id,
        "kind": kind_word(credential),
        "scopes": credential.scopes,
        "createdAt": time_text(credential.created_at.as_ref()),
        "expiresAt": time_text(credential.expires_at.as_ref()),
        "revokedAt": time_text(credential.revoked_at.as_ref()),
    })
}
