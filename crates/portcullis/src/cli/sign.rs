//! `sign`: what a client must send, for scripts and for debugging.

use std::io::BufRead as _;

use anyhow::Context as _;
use clap::Subcommand;
use portcullis_core::scheme::hub_token::{check_nonce, proof};
use portcullis_core::scheme::{ALL, BASIC};
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
    /// A request of Journyx; the password or API key is read from standard input
    #[command(subcommand)]
    Journyx(JournyxCommand),
}

#[derive(Subcommand)]
pub(super) enum JournyxCommand {
    /// `POST /api/v1/login`, as a curl command
    Login {
        /// The login name
        #[arg(long)]
        username: String,
        /// The address of the site, as `https://journyx.example.com`
        #[arg(long)]
        origin: http::Uri,
    },
    /// The header of HTTP Basic
    Basic {
        /// The login name
        #[arg(long)]
        username: String,
    },
}

pub(super) fn run(command: SignCommand) -> anyhow::Result<()> {
    match command {
        SignCommand::Hub { user_id, nonce } => hub(&user_id, nonce),
        SignCommand::Journyx(JournyxCommand::Login { username, origin }) => {
            let host = origin.authority().context("`--origin` names no host")?;
            let secret = read_secret()?;
            let body = json!({ "username": username, "password": secret.expose_text() });
            let scheme = origin.scheme_str().unwrap_or("https");
            // In quotes of the shell, in which nothing but a quote ends them.
            let body = body.to_string().replace('\'', "'\\''");
            say(&format!(
                "curl -i -H 'Origin: {host}' -H 'Accept: application/json' \\\n  \
                 -H 'X-Requested-With: XMLHttpRequest' -H 'Content-Type: application/json' \\\n  \
                 -d '{body}' {scheme}://{host}/api/v1/login\n"
            ));
            Ok(())
        }
        SignCommand::Journyx(JournyxCommand::Basic { username }) => {
            // RFC 7617, section 2.
            anyhow::ensure!(
                !username.contains(':'),
                "a name with a colon ends there in HTTP Basic"
            );
            let secret = read_secret()?;
            let basic = ALL.iter().find(|kind| kind.name == BASIC).context("no such scheme")?;
            let (header, value) = (basic.present)(&username, secret.expose_text());
            say(&format!("{header}: {}\n", value.expose_text()));
            Ok(())
        }
    }
}

fn hub(user_id: &str, nonce: Option<String>) -> anyhow::Result<()> {
    let nonce = match nonce {
        Some(nonce) => nonce,
        None => random_letters(NONCE)?.expose_text().to_owned(),
    };
    check_nonce(&nonce)?;
    let hash = proof(&read_secret()?, &nonce);
    say(&format!("{}\n", json!({ "userId": user_id, "nonce": nonce, "hash": hash })));
    Ok(())
}

/// The first line of standard input.
pub(super) fn read_secret() -> anyhow::Result<SecretBuf> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("reading the secret")?;
    let secret = SecretBuf::new(line.trim_end_matches(['\r', '\n']));
    anyhow::ensure!(!secret.expose().is_empty(), "there is no secret on standard input");
    Ok(secret)
}
