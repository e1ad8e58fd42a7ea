//! `secret`: what clients of one guard share with it. What befalls them later is `key`'s.

use clap::{Args, Subcommand};
use ipnet::IpNet;
use portcullis_core::scheme::shared_secret::GOOD_IMPORTED;
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use serde_json::json;

use super::keys::moment;
use super::output::Output;
use super::place::InRealm;
use super::{complain, sign};
use crate::actions::Actions;
use crate::actions::keys::KeyOptions;

#[derive(Subcommand)]
pub(super) enum SecretCommand {
    /// Make a secret; it is shown once
    Create(SecretArgs),
    /// Take over the secret that a customer has, from standard input: 6 characters at least
    Import(SecretArgs),
}

#[derive(Args)]
pub(super) struct SecretArgs {
    /// For whom it stands
    login: String,
    /// The guard or listener at which it counts; repeat for more, unless it is imported
    #[arg(long = "guard", value_name = "NAME", required = true)]
    guards: Vec<String>,
    /// What to call it
    #[arg(long, default_value = "", hide_default_value = true)]
    label: String,
    /// Let it read only
    #[arg(long)]
    read_only: bool,
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
    command: SecretCommand,
    output: Output,
) -> anyhow::Result<()> {
    match command {
        SecretCommand::Create(args) => {
            let key = make(actions, now, args, None).await?;
            let shown = key.shown.expose_text();
            let text = format!("{shown}\nThis is shown once. Its id is {}.", key.id);
            output.tell(&json!({ "id": key.id, "secret": shown }), &text);
        }
        SecretCommand::Import(args) => {
            let secret = sign::read_secret()?;
            let short = secret.expose().len() < GOOD_IMPORTED;
            let key = make(actions, now, args, Some(secret)).await?;
            if short {
                complain(&format!(
                    "warning: a secret of fewer than {GOOD_IMPORTED} characters can be found by \
                     trying; give it `--network`, and replace it: portcullis key rotate {}\n",
                    key.id
                ));
            }
            let text = format!("imported; its id is {}", key.id);
            output.tell(&json!({ "id": key.id }), &text);
        }
    }
    Ok(())
}

async fn make(
    actions: &Actions,
    now: Timestamp,
    args: SecretArgs,
    imported: Option<SecretBuf>,
) -> anyhow::Result<crate::actions::keys::NewKey> {
    let owner = args.realm.user(actions, &args.login).await?;
    let mut guards = Vec::with_capacity(args.guards.len());
    for name in &args.guards {
        guards.push(actions.find_guard(name).await?);
    }
    let options = KeyOptions {
        label: args.label,
        read_only: args.read_only,
        not_before: None,
        expires: args.expires.map(|text| moment(&text, now)).transpose()?,
        limits: actions.limits(&[], &args.networks).await?,
    };
    Ok(actions.create_secret(&owner, &guards, imported, options).await?)
}
