//! `role`: sets of abilities, and who holds them where.

use clap::{Args, Subcommand};
use portcullis_core::ability::Ability;
use portcullis_core::organization::State;
use portcullis_core::principal::{Holder, Role};
use serde_json::{Value, json};

use super::output::Output;
use super::place::{InOrganization, InRealm};
use crate::actions::{ActionError, Actions};

#[derive(Subcommand)]
pub(super) enum RoleCommand {
    /// Make a role
    Create {
        /// What to call it
        name: String,
        /// An ability it allows; repeat for more
        #[arg(long = "ability", value_name = "ABILITY")]
        abilities: Vec<String>,
        #[command(flatten)]
        place: InOrganization,
    },
    /// List the roles of an organization and the built-in ones
    List {
        #[command(flatten)]
        place: InOrganization,
    },
    /// Show what a role allows
    Show {
        /// The role
        name: String,
        #[command(flatten)]
        place: InOrganization,
    },
    /// Let a role allow more
    Allow {
        /// The role
        name: String,
        /// The abilities
        #[arg(required = true)]
        abilities: Vec<String>,
        #[command(flatten)]
        place: InOrganization,
    },
    /// Let a role allow less
    Deny {
        /// The role
        name: String,
        /// The abilities
        #[arg(required = true)]
        abilities: Vec<String>,
        #[command(flatten)]
        place: InOrganization,
    },
    /// Give a role to a user or a group, in an organization and all below it
    Grant(GrantArgs),
    /// Take a role away
    Withdraw(GrantArgs),
    /// Delete a role, whoever holds it
    Delete {
        /// The role
        name: String,
        #[command(flatten)]
        place: InOrganization,
    },
}

#[derive(Args)]
pub(super) struct GrantArgs {
    /// The role
    role: String,
    /// The login name of the user
    #[arg(required_unless_present = "group")]
    login: Option<String>,
    /// A group of the organization, in place of a user
    #[arg(long, conflicts_with = "login")]
    group: Option<String>,
    #[command(flatten)]
    place: InOrganization,
    #[command(flatten)]
    realm: InRealm,
}

pub(super) async fn run(
    actions: &Actions,
    command: RoleCommand,
    output: Output,
) -> anyhow::Result<()> {
    match command {
        RoleCommand::Create { name, abilities, place } => {
            let organization = place.find(actions).await?.id;
            actions.create_role(organization, &name, &abilities).await?;
            let next = format!("portcullis role grant '{name}' LOGIN{}", place.as_organization());
            let text = format!("role `{name}` made; next: {next}");
            output.tell(&json!({ "name": name, "abilities": abilities }), &text);
        }
        RoleCommand::List { place } => {
            let roles = actions.list_roles(place.find(actions).await?.id).await?;
            let rows = roles.iter().map(|it| (describe(it), columns(it))).collect();
            output.list(["name", "allows"], rows, "no roles");
        }
        RoleCommand::Show { name, place } => {
            let role = actions.find_role(place.find(actions).await?.id, &name).await?;
            let [name, allows] = columns(&role);
            let facts = [("name", name), ("id", role.id.to_string()), ("allows", allows)];
            output.show(&describe(&role), &facts);
        }
        RoleCommand::Allow { name, abilities, place } => {
            let organization = place.find(actions).await?.id;
            actions.change_role(organization, &name, (&abilities, &[])).await?;
            output.tell(&json!({ "name": name }), &format!("role `{name}` allows more now"));
        }
        RoleCommand::Deny { name, abilities, place } => {
            let organization = place.find(actions).await?.id;
            actions.change_role(organization, &name, (&[], &abilities)).await?;
            output.tell(&json!({ "name": name }), &format!("role `{name}` allows less now"));
        }
        RoleCommand::Grant(args) => grant(actions, args, State::Active, output).await?,
        RoleCommand::Withdraw(args) => grant(actions, args, State::Deleted, output).await?,
        RoleCommand::Delete { name, place } => {
            actions.delete_role(place.find(actions).await?.id, &name).await?;
            output.tell(&json!({ "name": name }), &format!("role `{name}` deleted"));
        }
    }
    Ok(())
}

async fn grant(
    actions: &Actions,
    args: GrantArgs,
    state: State,
    output: Output,
) -> Result<(), ActionError> {
    let organization = args.place.find(actions).await?;
    let role = actions.find_role(organization.id, &args.role).await?;
    let (holder, told) = match (&args.group, &args.login) {
        (Some(group), _) => {
            let found = actions.find_group(organization.id, group).await?;
            (Holder::Group(found.id), format!("group `{group}`"))
        }
        (None, login) => {
            let login = login.as_deref().unwrap_or_default();
            let found = args.realm.or(args.place).user(actions, login).await?;
            (Holder::User(found.id), format!("user `{login}`"))
        }
    };
    actions.set_grant(holder, &role, (organization.id, state)).await?;
    let verb = if state == State::Active { "has" } else { "no longer has" };
    let number = organization.number;
    let value = json!({
        "role": role.name, "organization": number, "held": state == State::Active,
        "login": args.login, "group": args.group,
    });
    let text = format!("{told} {verb} the role `{}` in organization {number}", role.name);
    output.tell(&value, &text);
    Ok(())
}

fn columns(role: &Role) -> [String; 2] {
    let abilities: Vec<_> = role.abilities.iter().map(Ability::as_str).collect();
    [role.name.to_string(), abilities.join(", ")]
}

fn describe(role: &Role) -> Value {
    let abilities: Vec<_> = role.abilities.iter().map(Ability::as_str).collect();
    json!({ "id": role.id.to_string(), "name": role.name, "abilities": abilities })
}
