//! `sign`: what a client must send, for scripts and for debugging.

use std::io::BufRead as _;

use anyhow::Context as _;
use clap::Subcommand;
use portcullis_core::scheme::hub_token::{check_nonce, proof};
use portcullis_core::secret::SecretBuf;
use portcullis_core::token::random_letters;
use serde_json::json;

use super::say;

/// How long a nonce is that nobody chose.
const NONCE: usize = 32;

#[derive(Subcommand)]
pub(super) enum SignCommand {
    /// The body of `POST /api/v1/token` of Journey Hub; the secret is read from standard input
    Hub {
        /// The user's id, as `portcullis user secret` says it
        #[arg(long)]
        user_id: String,
        /// The nonce, never used before; a random one if none is given
        #[arg(long)]
        nonce: Option<String>,
    },
}

pub(super) fn run(command: SignCommand) -> anyhow::Result<()> {
    let SignCommand::Hub { user_id, nonce } = command;
    let nonce = match nonce {
        Some(nonce) => nonce,
        None => random_letters(NONCE)?.expose_text().to_owned(),
    };
    check_nonce(&nonce)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("reading the secret")?;
    let secret = SecretBuf::new(line.trim_end_matches(['\r', '\n']));
    anyhow::ensure!(!secret.expose().is_empty(), "there is no secret on standard input");
    let hash = proof(&secret, &nonce);
    say(&format!("{}\n", json!({ "userId": user_id, "nonce": nonce, "hash": hash })));
    Ok(())
}
