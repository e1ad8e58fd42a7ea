//! `assertion-key`: the keys that sign what upstreams are told.

use anyhow::Context as _;
use clap::Subcommand;
use portcullis_core::id::Id;
use portcullis_core::signing::{LINGER, SigningKey};
use portcullis_core::time::Timestamp;
use serde_json::{Value, json};

use super::keys::written;
use super::output::Output;
use crate::actions::Actions;
use crate::actions::assertion_keys::AssertionKey;

#[derive(Subcommand)]
pub(super) enum AssertionKeyCommand {
    /// Make a new key: published at once, it signs some minutes later
    Rotate,
    /// List the keys, and what each is for now
    List,
    /// Delete a key by which nothing is verified any more
    Retire {
        /// Its id: the `kid` of what it signed
        id: String,
        /// Delete it even if it signs; another takes over at once
        #[arg(long)]
        now: bool,
    },
}

pub(super) async fn run(
    actions: &Actions,
    now: Timestamp,
    command: AssertionKeyCommand,
    output: Output,
) -> anyhow::Result<()> {
    match command {
        AssertionKeyCommand::Rotate => {
            let made = actions.rotate_assertion_key().await?;
            let text = format!(
                "assertion key {} is published now, everywhere, and signs from {} on; the one before \
                 it is over {} s later",
                made.id,
                written(Some(made.signs_from)).unwrap_or_default(),
                LINGER.as_secs(),
            );
            output.tell(&describe(&made), &text);
        }
        AssertionKeyCommand::List => {
            let keys = actions.list_assertion_keys(now).await?;
            let rows = keys.iter().map(|key| (describe(key), columns(key))).collect();
            output.list(["id", "stage", "signs from", "made"], rows, "no assertion keys");
        }
        AssertionKeyCommand::Retire { id, now: at_once } => {
            let id: Id<SigningKey> =
                Id::parse(&id).with_context(|| format!("`{id}` is not the id of a key"))?;
            actions.retire_assertion_key(id, at_once).await?;
            let text = format!("assertion key {id} is gone now, everywhere");
            output.tell(&json!({ "id": id.to_string() }), &text);
        }
    }
    Ok(())
}

fn columns(key: &AssertionKey) -> [String; 4] {
    let moment = |it| written(Some(it)).unwrap_or_default();
    [key.id.to_string(), key.stage.as_str().into(), moment(key.signs_from), moment(key.created)]
}

fn describe(key: &AssertionKey) -> Value {
    json!({
        "id": key.id.to_string(), "stage": key.stage.as_str(),
        "signs_from": written(Some(key.signs_from)), "created": written(Some(key.created)),
    })
}
