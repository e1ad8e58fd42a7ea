//! `server-token`: keys with which servers sign on behalf of users, and keys that pages carry.

use clap::{Args, Subcommand};
use ipnet::IpNet;
use portcullis_core::organization::State;
use portcullis_core::time::Timestamp;
use serde_json::{Value, json};

use super::keys::{moment, written};
use super::output::Output;
use super::place::InRealm;
use crate::actions::keys::KeyOptions;
use crate::actions::server_tokens::{NewServerToken, Purpose, ServerToken};
use crate::actions::{ActionError, Actions};

#[derive(Subcommand)]
pub(super) enum ServerTokenCommand {
    /// Make a server token, or a browser's; its secret is shown once
    Create(Box<CreateArgs>),
    /// List the tokens of a realm that were not revoked
    List {
        #[command(flatten)]
        realm: InRealm,
    },
    /// Say whether the older form of signatures counts too, which has nothing between its parts
    Older {
        /// The key
        key: String,
        /// Whether it does
        #[arg(action = clap::ArgAction::Set)]
        counts: bool,
    },
    /// Say anew whose pages may use a browser's token
    Hosts {
        /// The key
        key: String,
        /// Hosts, parted by commas; `*.example.com` for all below one
        hosts: String,
    },
    /// Give a server token a new secret; the old one counts for a while beside it
    Rotate {
        /// The key
        key: String,
        /// How long the old secret still counts: `24h`, `7d`, at most 90 days; `0s` for no longer
        #[arg(long, default_value = "24h")]
        overlap: String,
    },
    /// Switch a token off, and with it every session that it opened
    Disable {
        /// The key
        key: String,
    },
    /// Switch a token on again
    Enable {
        /// The key
        key: String,
    },
    /// Revoke a token, for good: answers when no server accepts it any more
    Revoke {
        /// The key
        key: String,
    },
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// Who answers for it: it counts while they may sign on behalf of users
    login: String,
    /// What to call it
    #[arg(long, default_value = "", hide_default_value = true)]
    label: String,
    /// Let it sign on behalf of this user alone
    #[arg(long = "for", value_name = "LOGIN")]
    only: Option<String>,
    /// Let the older form of signatures count too, which has nothing between its parts
    #[arg(long)]
    older: bool,
    /// Make a browser's token, for pages of these hosts, parted by commas
    #[arg(long, value_name = "HOSTS", conflicts_with_all = ["only", "older"])]
    browser: Option<String>,
    /// Until when it is valid, written as for `key create`; without, until it is revoked
    #[arg(long, value_name = "MOMENT")]
    expires: Option<String>,
    /// A network that its callers must come from (CIDR); repeat for more
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<IpNet>,
    #[command(flatten)]
    realm: InRealm,
}

pub(super) async fn run(
    actions: &Actions,
    now: Timestamp,
    command: ServerTokenCommand,
    output: Output,
) -> anyhow::Result<()> {
    let turn = async |key: &str, state: State, word: &str| -> anyhow::Result<()> {
        actions.set_key_state(&actions.find_server_token(key).await?, state).await?;
        let value = json!({ "key": key, "state": state.as_str() });
        output.tell(&value, &format!("server token {key} is {word} now, everywhere"));
        Ok(())
    };
    match command {
        ServerTokenCommand::Create(args) => create(actions, now, *args, output).await?,
        ServerTokenCommand::List { realm } => {
            let tokens = actions.list_server_tokens(realm.find(actions).await?, now).await?;
            let rows = tokens.iter().map(describe).collect();
            let names = ["id", "key", "label", "kind", "expires", "state"];
            output.list(names, rows, "no server tokens");
        }
        ServerTokenCommand::Older { key, counts } => {
            actions.let_sign_older(&actions.find_server_token(&key).await?, counts).await?;
            let word = if counts { "counts" } else { "does not count" };
            output.tell(&json!({ "key": key }), &format!("the older form of {key} {word} now"));
        }
        ServerTokenCommand::Hosts { key, hosts } => {
            actions.set_hosts(&actions.find_server_token(&key).await?, &hosts).await?;
            output.tell(&json!({ "key": key }), &format!("pages of {hosts} may use {key} now"));
        }
        ServerTokenCommand::Rotate { key, overlap } => {
            let overlap = super::keys::overlap(now, moment(&overlap, now)?)?;
            let row = actions.find_server_token(&key).await?;
            let secret = actions.rotate_server_token(&row, overlap, now).await?;
            let shown = secret.expose_text();
            let text = format!("{shown}\nThis is shown once. The key stays {key}.");
            output.tell(&json!({ "key": key, "secret": shown }), &text);
        }
        ServerTokenCommand::Disable { key } => turn(&key, State::Disabled, "disabled").await?,
        ServerTokenCommand::Enable { key } => turn(&key, State::Active, "active").await?,
        ServerTokenCommand::Revoke { key } => turn(&key, State::Deleted, "revoked").await?,
    }
    Ok(())
}

async fn create(
    actions: &Actions,
    now: Timestamp,
    args: CreateArgs,
    output: Output,
) -> anyhow::Result<()> {
    let owner = args.realm.user(actions, &args.login).await?;
    let only = match &args.only {
        Some(login) => Some(args.realm.user(actions, login).await?),
        None => None,
    };
    let purpose = match args.browser {
        Some(hosts) => Purpose::Browser(hosts),
        None => Purpose::Server { only, older: args.older },
    };
    let options = KeyOptions {
        label: args.label,
        read_only: false,
        not_before: None,
        expires: args.expires.map(|text| moment(&text, now)).transpose()?,
        limits: actions.limits(&[], &args.networks).await?,
    };
    let made: Result<NewServerToken, ActionError> =
        actions.create_server_token(&owner, purpose, options).await;
    let NewServerToken { key, secret, number } = made?;
    let shown = secret.as_ref().map(|secret| secret.expose_text());
    let value = json!({ "id": number.to_string(), "key": key, "secret": shown });
    let text = match shown {
        Some(secret) => {
            format!("key:    {key}\nsecret: {secret}\nThe secret is shown once.")
        }
        None => format!("key: {key}\nIt has no secret: pages carry it."),
    };
    output.tell(&value, &text);
    Ok(())
}

fn describe(token: &ServerToken) -> (Value, [String; 6]) {
    let kind = match (&token.hosts, token.only, token.older) {
        (Some(hosts), ..) => format!("browser, {hosts}"),
        (None, Some(user), false) => format!("server, for user {user}"),
        (None, Some(user), true) => format!("server, for user {user}, older form too"),
        (None, None, false) => "server".into(),
        (None, None, true) => "server, older form too".into(),
    };
    let (row, expires) = (&token.row, written(token.row.expires));
    let value = json!({
        "id": token.number.to_string(), "key": row.key, "label": row.label,
        "hosts": token.hosts, "user": token.only, "older": token.older,
        "secrets": token.secrets, "expires": expires, "state": row.state.as_str(),
    });
    let columns = [
        token.number.to_string(),
        row.key.clone(),
        row.label.clone(),
        kind,
        expires.unwrap_or_else(|| "never".into()),
        row.state.as_str().into(),
    ];
    (value, columns)
}
