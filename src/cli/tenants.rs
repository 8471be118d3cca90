//! `tenants`

use serde_json::{Value, json};

use super::admin::{self, Creates};
use super::failure::{Failure, Typed};
use super::output::{self, Rows, time_text};
use crate::app::Location;
use crate::pb::screener::v1 as pb;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Create a tenant.
    Create {
        /// The name, for people.
        name: String,
        /// The id. Without it the server mints one.
        #[arg(long, env = "SCREENERD_TENANT_ID")]
        id: Option<String>,
    },
    /// Disable a tenant. Its credentials are rejected until it is enabled.
    Disable {
        /// The tenant's id.
        id: String,
    },
    /// Enable a tenant. Its credentials are accepted again.
    Enable {
        /// The tenant's id.
        id: String,
    },
    /// List the tenants.
    List,
}

/// The columns of the table: the header of each, and the member that it shows.
const COLUMNS: &[(&str, &str)] =
    &[("ID", "id"), ("NAME", "name"), ("CREATED", "createdAt"), ("DISABLED", "disabledAt")];

pub(super) async fn run(args: Args, database: &Location, as_json: bool) -> Result<(), Failure> {
    let is_create = matches!(args.command, Command::Create { .. });
    let creates = if is_create { Creates::Yes } else { Creates::No };
    let mut admin = admin::connect(database, creates).await?;
    let rows = run_with(&mut admin, args.command).await;
    admin.close().await;
    output::print_rows(rows?, COLUMNS, as_json)
}

async fn run_with(admin: &mut admin::Admin, command: Command) -> Result<Rows, Failure> {
    let tenant = match command {
        Command::Create { name, id } => {
            let subject = id.as_ref().map(|id| format!("--id {id}")).unwrap_or_default();
            let answer = admin.client.create_tenant(pb::CreateTenantRequest { id, name }).await;
            let fields = &[("id", "--id"), ("name", "NAME")];
            admin.take(answer, &Typed { fields, subject: &subject })?.tenant
        }
        Command::Disable { id } => set_disabled(admin, id, true).await?,
        Command::Enable { id } => set_disabled(admin, id, false).await?,
        Command::List => {
            let answer = admin.client.list_tenants(pb::ListTenantsRequest {}).await;
            let answer = admin.take(answer, &Typed { fields: &[], subject: "" })?;
            return Ok(Rows::Many(answer.tenants.iter().map(to_json).collect()));
        }
    };
    tenant.map(|tenant| Rows::One(to_json(&tenant))).ok_or_else(|| output::unexpected("tenant"))
}

async fn set_disabled(
    admin: &mut admin::Admin,
    id: String,
    disabled: bool,
) -> Result<Option<pb::Tenant>, Failure> {
    let subject = id.clone();
    let request = pb::SetTenantDisabledRequest { id, disabled: Some(disabled) };
    let answer = admin.client.set_tenant_disabled(request).await;
    let typed = Typed { fields: &[("id", "ID")], subject: &subject };
    Ok(admin.take(answer, &typed)?.tenant)
}

fn to_json(tenant: &pb::Tenant) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "createdAt": time_text(tenant.created_at.as_ref()),
        "disabledAt": time_text(tenant.disabled_at.as_ref()),
    })
}
