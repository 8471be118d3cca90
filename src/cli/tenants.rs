//! `tenants`

use clap::builder::FalseyValueParser;
use serde_json::{Value, json};

use super::output::{self, time_text};
use super::{Failure, admin};
use crate::client::call;
use crate::config::Database;
use crate::pb::screener::v1 as pb;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: Database,

    /// Print JSON.
    #[arg(
        long,
        env = "SCREENERD_JSON",
        value_parser = FalseyValueParser::new(),
        global = true
    )]
    json: bool,

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

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let mut admin = admin::connect(&args.database.location).await?;
    let result = run_with(&mut admin, args.command).await;
    admin.close().await;
    print(&result?, args.json)
}

enum Outcome {
    One(pb::Tenant),
    Many(Vec<pb::Tenant>),
}

async fn run_with(admin: &mut admin::Admin, command: Command) -> Result<Outcome, Failure> {
    let missing = || output::unexpected("tenant");
    let client = &mut admin.client;
    Ok(match command {
        Command::Create { name, id } => {
            let request = pb::CreateTenantRequest { id, name };
            let answer = call(client.create_tenant(request)).await?;
            Outcome::One(answer.tenant.ok_or_else(missing)?)
        }
        Command::Disable { id } => {
            let request = pb::SetTenantDisabledRequest { id, disabled: Some(true) };
            let answer = call(client.set_tenant_disabled(request)).await?;
            Outcome::One(answer.tenant.ok_or_else(missing)?)
        }
        Command::Enable { id } => {
            let request = pb::SetTenantDisabledRequest { id, disabled: Some(false) };
            let answer = call(client.set_tenant_disabled(request)).await?;
            Outcome::One(answer.tenant.ok_or_else(missing)?)
        }
        Command::List => {
            let answer = call(client.list_tenants(pb::ListTenantsRequest {})).await?;
            Outcome::Many(answer.tenants)
        }
    })
}

fn print(outcome: &Outcome, as_json: bool) -> Result<(), Failure> {
    match outcome {
        Outcome::One(tenant) if as_json => output::print_json(&to_json(tenant)),
        Outcome::Many(tenants) if as_json => {
            output::print_json(&Value::Array(tenants.iter().map(to_json).collect()))
        }
        Outcome::One(tenant) => print_tenants(std::slice::from_ref(tenant)),
        Outcome::Many(tenants) => print_tenants(tenants),
    }
}

fn to_json(tenant: &pb::Tenant) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "createdAt": time_text(tenant.created_at.as_ref()),
        "disabledAt": time_text(tenant.disabled_at.as_ref()),
    })
}

fn print_tenants(tenants: &[pb::Tenant]) -> Result<(), Failure> {
    let cell = |time: Option<String>| time.unwrap_or_else(|| "-".into());
    let rows: Vec<_> = tenants
        .iter()
        .map(|tenant| {
            vec![
                tenant.id.clone(),
                tenant.name().to_owned(),
                cell(time_text(tenant.created_at.as_ref())),
                cell(time_text(tenant.disabled_at.as_ref())),
            ]
        })
        .collect();
    output::print_table(&["ID", "NAME", "CREATED", "DISABLED"], &rows)
}
