//! `sign`: what a client must send, for scripts and for debugging.

mod expert;

use std::io::BufRead as _;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use portcullis_core::keyring::Keyring;
use portcullis_core::scheme::hub_token::{check_nonce, proof};
use portcullis_core::scheme::{ALL, BASIC, Options, connector};
use portcullis_core::secret::SecretBuf;
use portcullis_core::subject::{IdentifierKind, SubjectId, SubjectKind};
use portcullis_core::time::Timestamp;
use portcullis_core::token::random_letters;
use serde_json::{Map, Value, json};

use super::keys::moment;
use super::say;

/// How long a nonce is that nobody chose.
const NONCE: usize = 32;

#[derive(Subcommand)]
pub(super) enum SignCommand {
    /// What a server signs for Expert; the secret is read from standard input
    #[command(subcommand)]
    Expert(expert::ExpertCommand),
    /// The body of `POST /api/v1/token` of Journey Hub; the secret is read from standard input
    Hub {
        /// The user's id, as `portcullis user secret` says it
        #[arg(long)]
        user_id: String,
        /// The nonce, never used before; a random one if none is given
        #[arg(long)]
        nonce: Option<String>,
    },
    /// A token of Hull on behalf of a subject; the secret is read from standard input
    Hull(HullArgs),
    /// A request of Journyx; the password or API key is read from standard input
    #[command(subcommand)]
    Journyx(JournyxCommand),
}

#[derive(Args)]
pub(super) struct HullArgs {
    /// The id of the connector
    #[arg(long)]
    id: String,
    /// An identifier of the user, as `email=bob@example.com`: `id`, `external_id`, `email` or
    /// `anonymous_id`; repeat for more
    #[arg(long, value_name = "NAME=VALUE")]
    user: Vec<String>,
    /// An identifier of the account, as `domain=example.com`: `id`, `external_id`, `domain` or
    /// `anonymous_id`; repeat for more. Beside a user, it is the account that is acted on
    #[arg(long, value_name = "NAME=VALUE")]
    account: Vec<String>,
    /// How long it counts, as `1h`; without, as long as the secret does
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Let it do whatever the connector may, on behalf of the subject
    #[arg(long)]
    admin: bool,
    /// Make nobody who is not there
    #[arg(long)]
    no_create: bool,
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

pub(super) fn run(command: SignCommand, now: Timestamp) -> anyhow::Result<()> {
    match command {
        SignCommand::Expert(command) => expert::run(command, now),
        SignCommand::Hub { user_id, nonce } => hub(&user_id, nonce),
        SignCommand::Hull(args) => hull(&args, now),
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

/// A token as the vendor's library makes it.
fn hull(args: &HullArgs, now: Timestamp) -> anyhow::Result<()> {
    anyhow::ensure!(
        SubjectId::parse(&args.id).is_some(),
        "the id of a connector has 24 hex digits"
    );
    let kind = if args.account.is_empty() { "user" } else { "account" };
    let mut claims = Map::from_iter([
        ("iss".to_owned(), Value::from(&*args.id)),
        ("iat".to_owned(), (now.millis() / 1_000).into()),
        ("io.hull.subjectType".to_owned(), kind.into()),
    ]);
    let subjects = [("io.hull.asUser", &args.user), ("io.hull.asAccount", &args.account)];
    for (name, identifiers) in subjects.into_iter().filter(|(_, it)| !it.is_empty()) {
        claims.insert(name.into(), Value::Object(named(identifiers, name == "io.hull.asUser")?));
    }
    if args.admin {
        claims.insert("scopes".into(), json!(["admin"]));
    }
    if args.no_create {
        claims.insert("io.hull.create".into(), false.into());
    }
    if let Some(expires) = &args.expires {
        claims.insert("exp".into(), (moment(expires, now)?.millis() / 1_000).into());
    }
    let secret = read_secret()?;
    let token = connector::sign(&secret, &Value::Object(claims).to_string());
    let keyring = Keyring::new(secret, Options::new());
    if let Err(bad) = connector::read_token(token.expose(), (&args.id, &keyring), now) {
        anyhow::bail!("such a token would not count: {bad}");
    }
    say(&format!("{}\n", token.expose_text()));
    Ok(())
}

/// `NAME=VALUE` each, and each name once: what a token says of another name is passed over.
fn named(pairs: &[String], of_user: bool) -> anyhow::Result<Map<String, Value>> {
    let kind = if of_user { SubjectKind::User } else { SubjectKind::Account };
    let mut identifiers = Map::new();
    for pair in pairs {
        let (name, value) = pair.split_once('=').context("an identifier is `NAME=VALUE`")?;
        let known = IdentifierKind::parse(name).map_or(name == "id", |it| it.is_of(kind));
        anyhow::ensure!(known, "`{name}` names no {}", kind.as_str());
        let before = identifiers.insert(name.to_owned(), value.into());
        anyhow::ensure!(before.is_none(), "`{name}` is named twice");
    }
    Ok(identifiers)
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
