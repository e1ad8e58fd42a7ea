//! `user`: people, and scripts that act as one.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;
use clap::Subcommand;
use portcullis_core::organization::State;
use portcullis_core::principal::Holder;
use portcullis_core::secret::SecretBuf;
use portcullis_store::roles::Held;
use portcullis_store::users::UserRow;
use serde_json::{Value, json};

use super::complain;
use super::output::{Output, with};
use super::place::{InOrganization, InRealm};
use crate::actions::users::{UserOptions, UserUpdate};
use crate::actions::{ActionError, Actions};

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Make a user
    Create {
        /// The name to sign in with
        login: String,
        /// What people call them [default: the login name]
        #[arg(long)]
        name: Option<String>,
        /// Their e-mail address
        #[arg(long, default_value = "", hide_default_value = true)]
        email: String,
        #[command(flatten)]
        place: InOrganization,
    },
    /// List the users of a realm
    List {
        #[command(flatten)]
        realm: InRealm,
    },
    /// Show what is known of a user: roles, groups, whether a password is set
    Show {
        /// The login name
        login: String,
        #[command(flatten)]
        realm: InRealm,
    },
    /// Change the name or the address of a user
    Update {
        /// The login name
        login: String,
        /// What people call them
        #[arg(long)]
        name: Option<String>,
        /// Their e-mail address; empty takes it away
        #[arg(long)]
        email: Option<String>,
        #[command(flatten)]
        realm: InRealm,
    },
    /// Set a password, read from standard input: 8 characters at least, better 15
    Password {
        /// The login name
        login: String,
        #[command(flatten)]
        realm: InRealm,
    },
    /// Make a secret for the Journey Hub API; the old one ends
    Secret {
        /// The user's login name or number
        user: String,
        #[command(flatten)]
        realm: InRealm,
    },
    /// Switch a user off: nothing of theirs is accepted any more
    Disable {
        /// The login name
        login: String,
        #[command(flatten)]
        realm: InRealm,
    },
    /// Switch a user on again
    Enable {
        /// The login name
        login: String,
        #[command(flatten)]
        realm: InRealm,
    },
    /// Delete a user, for good
    Delete {
        /// The login name
        login: String,
        #[command(flatten)]
        realm: InRealm,
    },
}

pub(super) async fn run(
    actions: &Actions,
    command: UserCommand,
    output: Output,
) -> anyhow::Result<()> {
    let switch = async |login: &str, realm: InRealm, state: State| -> anyhow::Result<()> {
        let user = realm.user(actions, login).await?;
        actions.set_user_state(&user, state).await?;
        let value = json!({ "login": login, "state": state.as_str() });
        output.tell(&value, &format!("user `{login}` is {} now", state.as_str()));
        Ok(())
    };
    match command {
        UserCommand::Create { login, name, email, place } => {
            let organization = place.find(actions).await?.id;
            let options = UserOptions { login: Some(login.clone()), email, name };
            let made = actions.create_user(organization, options).await?;
            let realm = place.as_realm();
            let text = format!("user `{login}` made; next: portcullis key create {login}{realm}");
            output.tell(&describe(&made), &text);
        }
        UserCommand::List { realm } => {
            let users = list(actions, realm).await?;
            let rows = users.iter().map(|it| (describe(it), columns(it))).collect();
            output.list(["number", "login", "name", "email", "state"], rows, "no users");
        }
        UserCommand::Show { login, realm } => {
            show(actions, &realm.user(actions, &login).await?, output).await?;
        }
        UserCommand::Update { login, name, email, realm } => {
            anyhow::ensure!(name.is_some() || email.is_some(), "give --name, --email or both");
            let user = realm.user(actions, &login).await?;
            let update = UserUpdate { email, name, role: None };
            actions.update_user(&user, update).await?;
            output.tell(&json!({ "login": login }), &format!("user `{login}` changed"));
        }
        UserCommand::Password { login, realm } => {
            let user = realm.user(actions, &login).await?;
            if std::io::stdin().is_terminal() {
                complain("the new password, which shows as you type: ");
            }
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).context("reading the password")?;
            let password = SecretBuf::new(line.trim_end_matches(['\r', '\n']));
            actions.set_password(&user, &password).await?;
            output.tell(&json!({ "login": login }), &format!("password of `{login}` set"));
        }
        UserCommand::Secret { user, realm } => {
            let user = realm.user(actions, &user).await?;
            let secret = actions.create_hub_secret(&user).await?;
            let (id, shown) = (user.number.to_string(), secret.expose_text());
            let text = format!("{shown}\nThis is shown once. The user id is {id}.");
            output.tell(&json!({ "user_id": id, "secret": shown }), &text);
        }
        UserCommand::Disable { login, realm } => switch(&login, realm, State::Disabled).await?,
        UserCommand::Enable { login, realm } => switch(&login, realm, State::Active).await?,
        UserCommand::Delete { login, realm } => switch(&login, realm, State::Deleted).await?,
    }
    Ok(())
}

async fn list(actions: &Actions, realm: InRealm) -> Result<Vec<UserRow>, ActionError> {
    let (realm, mut all) = (realm.find(actions).await?, Vec::<UserRow>::new());
    loop {
        let after = all.last().map_or(0, |user| user.number);
        let page = actions.list_users(realm, after).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn show(actions: &Actions, user: &UserRow, output: Output) -> anyhow::Result<()> {
    let held = actions.list_grants(Holder::User(user.id)).await?;
    let groups = actions.list_groups_of(user).await?;
    let password = actions.has_password(user).await?;
    let roles = held.iter().map(|it| format!("{} in {}", it.role, it.organization));
    let names = groups.iter().map(|it| it.name.as_str());
    let facts = [
        ("login", user.login.clone().unwrap_or_default()),
        ("name", user.name.clone()),
        ("email", user.email.clone().unwrap_or_default()),
        ("number", user.number.to_string()),
        ("id", user.id.to_string()),
        ("state", user.state.as_str().into()),
        ("roles", roles.collect::<Vec<_>>().join(", ")),
        ("groups", names.clone().collect::<Vec<_>>().join(", ")),
        ("password", if password { "set" } else { "not set" }.into()),
    ];
    let more = json!({
        "roles": held.iter().map(describe_held).collect::<Vec<_>>(),
        "groups": names.collect::<Vec<_>>(),
        "password": password,
    });
    output.show(&with(describe(user), more), &facts);
    Ok(())
}

fn describe_held(it: &Held) -> Value {
    json!({ "role": it.role, "organization": it.organization })
}

pub(super) fn columns(user: &UserRow) -> [String; 5] {
    [
        user.number.to_string(),
        user.login.clone().unwrap_or_default(),
        user.name.clone(),
        user.email.clone().unwrap_or_default(),
        user.state.as_str().into(),
    ]
}

pub(super) fn describe(user: &UserRow) -> Value {
    json!({
        "number": user.number, "id": user.id.to_string(), "login": user.login,
        "name": user.name, "email": user.email, "organization": user.organization.to_string(),
        "signs_in": user.signs_in, "state": user.state.as_str(),
    })
}
