//! `tenants`

use serde_json::{Value, json};

use super::Failure;
use super::admin::{self, Creates};
use super::output::{self, Rows, time_text};
use crate::app::Location;
use crate::client::call;
use crate::pb::screener::v1 as pb;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a tenant.
    Create {
        /// Its name, for people.
        name: String,
        /// Its id; minted, if it is not given.
        #[arg(long, env = "SCREENERD_TENANT_ID")]
        id: Option<String>,
    },
    /// Refuse every credential of a tenant from now on.
    Disable {
        /// The tenant's id.
        id: String,
    },
    /// Accept the credentials of a tenant again.
    Enable {
        /// The tenant's id.
        id: String,
    },
    /// List every tenant.
    List,
}

/// What the table shows, and of which member.
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
    let client = &mut admin.client;
    let set_disabled = |id, disabled| pb::SetTenantDisabledRequest { id, disabled: Some(disabled) };
    let tenant = match command {
        Command::Create { name, id } => {
            call(client.create_tenant(pb::CreateTenantRequest { id, name })).await?.tenant
        }
        Command::Disable { id } => {
            call(client.set_tenant_disabled(set_disabled(id, true))).await?.tenant
        }
        Command::Enable { id } => {
            call(client.set_tenant_disabled(set_disabled(id, false))).await?.tenant
        }
        Command::List => {
            let answer = call(client.list_tenants(pb::ListTenantsRequest {})).await?;
            return Ok(Rows::Many(answer.tenants.iter().map(to_json).collect()));
        }
    };
    tenant.map(|tenant| Rows::One(to_json(&tenant))).ok_or_else(|| output::unexpected("tenant"))
}

fn to_json(tenant: &pb::Tenant) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "createdAt": time_text(tenant.created_at.as_ref()),
        "disabledAt": time_text(tenant.disabled_at.as_ref()),
    })
}
