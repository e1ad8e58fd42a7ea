//! `group`: users who hold roles together.

use clap::Subcommand;
use portcullis_core::organization::State;
use portcullis_core::principal::Holder;
use portcullis_store::groups::GroupRow;
use portcullis_store::users::UserRow;
use serde_json::{Value, json};

use super::output::{Output, with};
use super::place::{InOrganization, InRealm};
use super::users;
use crate::actions::{ActionError, Actions};

#[derive(Subcommand)]
pub(super) enum GroupCommand {
    /// Make a group
    Create {
        /// What to call it
        name: String,
        #[command(flatten)]
        place: InOrganization,
    },
    /// List the groups of an organization
    List {
        #[command(flatten)]
        place: InOrganization,
    },
    /// Show who is in a group, and the roles it holds
    Show {
        /// The group
        name: String,
        #[command(flatten)]
        place: InOrganization,
    },
    /// Put a user into a group
    Add {
        /// The group
        name: String,
        /// The user
        login: String,
        #[command(flatten)]
        place: InOrganization,
        #[command(flatten)]
        realm: InRealm,
    },
    /// Take a user out of a group
    Remove {
        /// The group
        name: String,
        /// The user
        login: String,
        #[command(flatten)]
        place: InOrganization,
        #[command(flatten)]
        realm: InRealm,
    },
    /// Delete a group: its members lose what they held through it
    Delete {
        /// The group
        name: String,
        #[command(flatten)]
        place: InOrganization,
    },
}

pub(super) async fn run(
    actions: &Actions,
    command: GroupCommand,
    output: Output,
) -> anyhow::Result<()> {
    let find = async |name: &str, place: InOrganization| -> Result<GroupRow, ActionError> {
        actions.find_group(place.find(actions).await?.id, name).await
    };
    match command {
        GroupCommand::Create { name, place } => {
            actions.create_group(place.find(actions).await?.id, &name).await?;
            let next = format!("portcullis group add '{name}' LOGIN{}", place.as_organization());
            let text = format!("group `{name}` made; next: {next}");
            output.tell(&json!({ "name": name }), &text);
        }
        GroupCommand::List { place } => {
            let groups = actions.list_groups(place.find(actions).await?.id).await?;
            let rows = groups.iter().map(|it| (describe(it), [it.name.clone()])).collect();
            output.list(["name"], rows, "no groups");
        }
        GroupCommand::Show { name, place } => {
            show(actions, &find(&name, place).await?, output).await?;
        }
        GroupCommand::Add { name, login, place, realm } => {
            let group = find(&name, place).await?;
            let user = realm.or(place).user(actions, &login).await?;
            actions.set_member(&group, &user, State::Active).await?;
            let value = json!({ "name": name, "login": login, "member": true });
            output.tell(&value, &format!("user `{login}` is in group `{name}` now"));
        }
        GroupCommand::Remove { name, login, place, realm } => {
            let group = find(&name, place).await?;
            let user = realm.or(place).user(actions, &login).await?;
            actions.set_member(&group, &user, State::Deleted).await?;
            let value = json!({ "name": name, "login": login, "member": false });
            output.tell(&value, &format!("user `{login}` is in group `{name}` no longer"));
        }
        GroupCommand::Delete { name, place } => {
            actions.delete_group(&find(&name, place).await?).await?;
            output.tell(&json!({ "name": name }), &format!("group `{name}` deleted"));
        }
    }
    Ok(())
}

async fn show(actions: &Actions, group: &GroupRow, output: Output) -> Result<(), ActionError> {
    let held = actions.list_grants(Holder::Group(group.id)).await?;
    let members = members(actions, group).await?;
    let roles = held.iter().map(|it| format!("{} in {}", it.role, it.organization));
    let logins = members.iter().map(|it| it.login.as_deref().unwrap_or(&it.name));
    let facts = [
        ("name", group.name.clone()),
        ("id", group.id.to_string()),
        ("roles", roles.collect::<Vec<_>>().join(", ")),
        ("members", logins.collect::<Vec<_>>().join(", ")),
    ];
    let members: Vec<_> = members.iter().map(users::describe).collect();
    output.show(&with(describe(group), json!({ "members": members })), &facts);
    Ok(())
}

async fn members(actions: &Actions, group: &GroupRow) -> Result<Vec<UserRow>, ActionError> {
    let mut all = Vec::<UserRow>::new();
    loop {
        let after = all.last().map_or(0, |user| user.number);
        let page = actions.list_members(group, after).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn describe(group: &GroupRow) -> Value {
    json!({
        "id": group.id.to_string(), "name": group.name,
        "organization": group.organization.to_string(),
    })
}
