//! `org`: the tree of tenants.

use clap::Subcommand;
use portcullis_core::organization::{Organization, State};
use portcullis_store::organizations::MAX_PAGE;
use serde_json::{Value, json};

use super::output::Output;
use super::place::{self, InOrganization};
use crate::actions::{ActionError, Actions};

#[derive(Subcommand)]
pub(super) enum OrgCommand {
    /// Make an organization
    Create {
        /// What to call it
        name: String,
        /// The number of the organization it stands below
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        parent: i64,
        /// Give its users a name space of their own; dialects can be mounted for it
        #[arg(long)]
        realm: bool,
    },
    /// List an organization and all below it
    List {
        #[command(flatten)]
        top: InOrganization,
    },
    /// Show what is known of an organization
    Show {
        /// Its number
        number: i64,
    },
    /// Give an organization another name
    Rename {
        /// Its number
        number: i64,
        /// Its new name
        name: String,
    },
    /// Switch an organization off: nothing in it or below is accepted any more
    Disable {
        /// Its number
        number: i64,
    },
    /// Switch an organization on again
    Enable {
        /// Its number
        number: i64,
    },
    /// Delete an organization for good, with its users, keys and guards
    Delete {
        /// Its number
        number: i64,
    },
}

pub(super) async fn run(
    actions: &Actions,
    command: OrgCommand,
    output: Output,
) -> anyhow::Result<()> {
    let switch = async |number: i64, state: State| -> anyhow::Result<()> {
        let organization = place::find(actions, number).await?;
        actions.set_organization_state(&organization, state).await?;
        let value = json!({ "number": number, "state": state.as_str() });
        output.tell(&value, &format!("organization {number} is {} now", state.as_str()));
        Ok(())
    };
    match command {
        OrgCommand::Create { name, parent, realm } => {
            let parent = place::find(actions, parent).await?;
            let made = actions.create_organization(&parent, &name, realm).await?;
            let number = made.number;
            let next = format!("portcullis user create LOGIN --organization {number}");
            let text = format!("organization {number}, `{name}`, made; next: {next}");
            output.tell(&describe(&made), &text);
        }
        OrgCommand::List { top } => {
            let all = list(actions, top.find(actions).await?).await?;
            let rows = all.iter().map(|it| (describe(it), columns(it))).collect();
            output.list(["number", "name", "kind", "state"], rows, "no organizations");
        }
        OrgCommand::Show { number } => {
            let it = place::find(actions, number).await?;
            let [number, name, kind, state] = columns(&it);
            let facts = [
                ("number", number),
                ("name", name),
                ("kind", kind),
                ("state", state),
                ("id", it.id.to_string()),
                ("below", it.parent.map(|id| id.to_string()).unwrap_or_default()),
            ];
            output.show(&describe(&it), &facts);
        }
        OrgCommand::Rename { number, name } => {
            let organization = place::find(actions, number).await?;
            actions.rename_organization(&organization, &name).await?;
            let value = json!({ "number": number, "name": name });
            output.tell(&value, &format!("organization {number} is called `{name}` now"));
        }
        OrgCommand::Disable { number } => switch(number, State::Disabled).await?,
        OrgCommand::Enable { number } => switch(number, State::Active).await?,
        OrgCommand::Delete { number } => switch(number, State::Deleted).await?,
    }
    Ok(())
}

async fn list(actions: &Actions, top: Organization) -> Result<Vec<Organization>, ActionError> {
    let mut all: Vec<Organization> = Vec::new();
    loop {
        let after = all.last().map_or(0, |it| it.number);
        let page = actions.list_organizations(top.id, after, MAX_PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn columns(it: &Organization) -> [String; 4] {
    let kind = if it.realm { "realm" } else { "organization" };
    [it.number.to_string(), it.name.to_string(), kind.into(), it.state.as_str().into()]
}

fn describe(it: &Organization) -> Value {
    json!({
        "number": it.number, "id": it.id.to_string(), "name": it.name,
        "parent": it.parent.map(|id| id.to_string()), "realm": it.realm,
        "state": it.state.as_str(),
    })
}
