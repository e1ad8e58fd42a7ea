//! `user`, `key` and `guard`: each translates to one action.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use http::Uri;
use ipnet::IpNet;
use portcullis_core::ability::{Ability, BUILT_IN};
use portcullis_core::guard::Definition;
use portcullis_core::organization::State;
use portcullis_core::scheme::SchemeName;
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Clock as _;
use serde_json::{Value, json};

use super::say;
use crate::actions::keys::KeyOptions;
use crate::serve::House;

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Make a user
    Create { login: String },
    /// List the users
    List,
    /// Set a password, read from standard input
    Password { login: String },
    /// Switch a user off: nothing of theirs is accepted any more
    Disable { login: String },
    /// Switch a user on again
    Enable { login: String },
    /// Delete a user, for good
    Delete { login: String },
    /// Give a user a built-in role in the root organization
    Grant { login: String, role: String },
}

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key; it is shown once
    Create {
        /// Whose key
        login: String,
        /// What to call it
        #[arg(long, default_value = "")]
        label: String,
        /// Let it read only
        #[arg(long)]
        read_only: bool,
        /// Days until it expires
        #[arg(long)]
        expires_in_days: Option<u32>,
    },
    /// List the keys of a user
    List { login: String },
    /// Show what is known of a key
    Show { id: String },
    /// Switch a key off
    Disable { id: String },
    /// Switch a key on again
    Enable { id: String },
    /// Revoke a key, for good: answers when no server accepts it any more
    Revoke { id: String },
}

#[derive(Subcommand)]
pub(super) enum GuardCommand {
    /// Guard an upstream
    Create(Box<GuardArgs>),
    /// List the guards
    List,
    /// Delete a guard
    Delete { name: String },
}

#[derive(Args)]
pub(super) struct GuardArgs {
    /// What to call it
    name: String,
    /// Where requests go that it lets through: `http://host:port/path`
    #[arg(long)]
    upstream: Uri,
    /// The path it answers for, with all below it
    #[arg(long, default_value = "/")]
    path: String,
    /// A host it answers for; repeat for more, leave out for all
    #[arg(long = "host")]
    hosts: Vec<String>,
    /// A scheme it accepts; repeat for more
    #[arg(long = "scheme", default_values = ["basic", "api_key"])]
    schemes: Vec<String>,
    /// The header that carries API keys
    #[arg(long)]
    api_key_header: Option<String>,
    /// A network that callers must come from (CIDR); repeat for more
    #[arg(long = "network")]
    networks: Vec<IpNet>,
    /// A method that passes; repeat for more, leave out for all
    #[arg(long = "method")]
    methods: Vec<http::Method>,
    /// The ability that callers must hold
    #[arg(long)]
    ability: Option<String>,
    /// Remove the path before forwarding
    #[arg(long)]
    strip_path: bool,
    /// Hand the credential to the upstream
    #[arg(long)]
    pass_credential: bool,
}

fn actor() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "operator".into());
    format!("command line ({user})")
}

fn tell(json: bool, value: &Value, text: &str) {
    if json {
        say(&format!("{value}\n"));
    } else {
        say(&format!("{text}\n"));
    }
}

pub(super) async fn user(house: &House, command: UserCommand, json: bool) -> anyhow::Result<()> {
    let actions = house.actions(actor());
    let switch = async |login: &str, state: State| -> anyhow::Result<()> {
        actions.set_user_state(login, state).await?;
        let value = json!({ "login": login, "state": state.as_str() });
        tell(json, &value, &format!("user `{login}` is {} now", state.as_str()));
        Ok(())
    };
    match command {
        UserCommand::Create { login } => {
            actions.create_user(&login).await?;
            let next = format!("user `{login}` made; next: portcullis key create {login}");
            tell(json, &json!({ "login": login }), &next);
        }
        UserCommand::List => {
            for user in actions.list_users().await? {
                let login = user.login.as_deref().unwrap_or("-");
                let value = json!({
                    "number": user.number, "id": user.id.to_string(), "login": user.login,
                    "name": user.name, "state": user.state.as_str(),
                });
                let line = format!(
                    "{:>6}  {:<24} {:<9} {}",
                    user.number,
                    login,
                    user.state.as_str(),
                    user.name
                );
                tell(json, &value, &line);
            }
        }
        UserCommand::Password { login } => {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).context("reading the password")?;
            let password = SecretBuf::new(line.trim_end_matches(['\r', '\n']));
            actions.set_password(&login, &password).await?;
            tell(json, &json!({ "login": login }), &format!("password of `{login}` set"));
        }
        UserCommand::Disable { login } => switch(&login, State::Disabled).await?,
        UserCommand::Enable { login } => switch(&login, State::Active).await?,
        UserCommand::Delete { login } => switch(&login, State::Deleted).await?,
        UserCommand::Grant { login, role } => {
            let found = BUILT_IN.iter().find(|it| it.name.eq_ignore_ascii_case(&role));
            let found = found.with_context(|| format!("there is no built-in role `{role}`"))?;
            actions.grant(&login, *found).await?;
            let value = json!({ "login": login, "role": found.name });
            tell(json, &value, &format!("`{login}` is {} now", found.name));
        }
    }
    Ok(())
}

pub(super) async fn key(house: &House, command: KeyCommand, json: bool) -> anyhow::Result<()> {
    let actions = house.actions(actor());
    let switch = async |id: &str, state: State, word: &str| -> anyhow::Result<()> {
        actions.set_key_state(id, state).await?;
        let value = json!({ "id": id, "state": state.as_str() });
        tell(json, &value, &format!("key {id} is {word} now, everywhere"));
        Ok(())
    };
    match command {
        KeyCommand::Create { login, label, read_only, expires_in_days } => {
            let days = expires_in_days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
            let expires = days.map(|span| house.clock.now().wall.plus(span));
            let options = KeyOptions { label, read_only, not_before: None, expires };
            let key = actions.create_key(&login, options).await?;
            let shown = key.shown.expose_text();
            let text = format!("{shown}\nThis is shown once. Its id is {}.", key.id);
            tell(json, &json!({ "id": key.id, "key": shown }), &text);
        }
        KeyCommand::List { login } => {
            for key in actions.list_keys(&login).await? {
                let line = format!("{}  {:<9} {}", key.key, key.state.as_str(), key.label);
                tell(json, &describe(&key), &line);
            }
        }
        KeyCommand::Show { id } => {
            let value = describe(&actions.find_key(&id).await?);
            tell(json, &value, &format!("{value:#}"));
        }
        KeyCommand::Disable { id } => switch(&id, State::Disabled, "disabled").await?,
        KeyCommand::Enable { id } => switch(&id, State::Active, "active").await?,
        KeyCommand::Revoke { id } => switch(&id, State::Deleted, "revoked").await?,
    }
    Ok(())
}

fn describe(key: &portcullis_store::credentials::CredentialRow) -> Value {
    let moment = |it: portcullis_core::time::Timestamp| {
        jiff::Timestamp::from_millisecond(it.millis()).ok().map(|it| it.to_string())
    };
    json!({
        "id": key.key, "label": key.label, "owner": key.owner.to_string(),
        "state": key.state.as_str(), "read_only": key.read_only,
        "not_before": key.not_before.and_then(moment), "expires": key.expires.and_then(moment),
    })
}

pub(super) async fn guard(house: &House, command: GuardCommand, json: bool) -> anyhow::Result<()> {
    let actions = house.actions(actor());
    match command {
        GuardCommand::List => {
            for guard in actions.list_guards().await? {
                let it = &guard.definition;
                let source = guard.source.as_str();
                let value = json!({
                    "name": it.name, "path": it.prefix, "upstream": it.upstream.to_string(),
                    "hosts": it.hosts, "source": source,
                });
                let line = format!("{:<20} {:<20} {}  ({source})", it.name, it.prefix, it.upstream);
                tell(json, &value, &line);
            }
        }
        GuardCommand::Delete { name } => {
            actions.delete_guard(&name).await?;
            tell(json, &json!({ "name": name }), &format!("guard `{name}` deleted"));
        }
        GuardCommand::Create(args) => {
            let definition = definition(*args)?;
            let name = definition.name.clone();
            actions.create_guard(definition).await?;
            tell(json, &json!({ "name": name }), &format!("guard `{name}` stands"));
        }
    }
    Ok(())
}

fn definition(args: GuardArgs) -> anyhow::Result<Definition> {
    let header = args.api_key_header.map(|it| BTreeMap::from([("header".to_owned(), it)]));
    let scheme = |text: &String| {
        let name =
            SchemeName::named(text).with_context(|| format!("there is no scheme `{text}`"))?;
        let own = header.clone().filter(|_| text == "api_key").unwrap_or_default();
        anyhow::Ok((name, own))
    };
    Ok(Definition {
        name: args.name,
        hosts: args.hosts,
        prefix: args.path,
        upstream: args.upstream,
        schemes: args.schemes.iter().map(scheme).collect::<anyhow::Result<_>>()?,
        networks: (!args.networks.is_empty()).then_some(args.networks),
        methods: args.methods,
        ability: args.ability.as_deref().map(Ability::parse).transpose()?,
        pass_credential: args.pass_credential,
        strip_prefix: args.strip_path,
    })
}
