//! `key`: API keys, and what befalls keys and shared secrets alike.

mod used;

use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use ipnet::IpNet;
use jiff::tz::TimeZone;
use portcullis_core::guard::Guard;
use portcullis_core::id::Id;
use portcullis_core::organization::State;
use portcullis_core::scheme::SHARED_SECRET;
use portcullis_core::time::Timestamp;
use portcullis_store::credentials::CredentialRow;
use portcullis_store::guards::GuardRow;
use portcullis_store::usage::Usage;
use serde_json::{Value, json};

use super::output::Output;
use super::place::InRealm;
use crate::actions::Actions;
use crate::actions::keys::KeyOptions;

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key; it is shown once
    Create(Box<KeyArgs>),
    /// List the keys of a user, and the secrets that stand for them
    List {
        /// Whose keys
        login: String,
        #[command(flatten)]
        realm: InRealm,
    },
    /// Show what is known of a key, and when it was used last; a key is named by its id
    Show {
        /// The id of the key
        id: String,
    },
    /// Say anew where alone a key counts; without options, wherever its owner may
    Limit {
        /// The id of the key
        id: String,
        /// A guard or listener at which alone it counts; repeat for more
        #[arg(long = "guard", value_name = "NAME")]
        guards: Vec<String>,
        /// A network that its callers must come from (CIDR); repeat for more
        #[arg(long = "network", value_name = "NETWORK")]
        networks: Vec<IpNet>,
    },
    /// Replace a key or secret; the old one counts for a while beside the new one
    Rotate {
        /// The id of the key
        id: String,
        /// How long the old one still counts: `24h`, `7d`, at most 90 days; `0s` for no longer
        #[arg(long, default_value = "24h")]
        overlap: String,
        /// Until when the new one is valid, written as for `key create`; without, as long as the old
        /// one would have been
        #[arg(long, value_name = "MOMENT")]
        expires: Option<String>,
    },
    /// Show how keys are used: one, or all that were replaced and still count
    Usage {
        /// The id of the key
        id: Option<String>,
    },
    /// Switch a key off
    Disable {
        /// The id of the key
        id: String,
    },
    /// Switch a key on again
    Enable {
        /// The id of the key
        id: String,
    },
    /// Revoke a key, for good: answers when no server accepts it any more
    Revoke {
        /// The id of the key
        id: String,
    },
}

#[derive(Args)]
pub(super) struct KeyArgs {
    /// Whose key
    login: String,
    /// What to call it
    #[arg(long, default_value = "", hide_default_value = true)]
    label: String,
    /// Let it read only
    #[arg(long)]
    read_only: bool,
    /// Until when it is valid: `2030-01-31T00:00:00Z`, or from now on as `90d` or `12h`
    #[arg(long, value_name = "MOMENT")]
    expires: Option<String>,
    /// From when it is valid, written as `--expires` is
    #[arg(long, value_name = "MOMENT")]
    not_before: Option<String>,
    /// A guard or listener at which alone it counts; repeat for more
    #[arg(long = "guard", value_name = "NAME")]
    guards: Vec<String>,
    /// A network that its callers must come from (CIDR); repeat for more
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<IpNet>,
    #[command(flatten)]
    realm: InRealm,
}

pub(super) async fn run(
    actions: &Actions,
    now: Timestamp,
    command: KeyCommand,
    output: Output,
) -> anyhow::Result<()> {
    let switch = async |id: &str, state: State, word: &str| -> anyhow::Result<()> {
        actions.set_key_state(&actions.find_key(id).await?, state).await?;
        let value = json!({ "id": id, "state": state.as_str() });
        output.tell(&value, &format!("key {id} is {word} now, everywhere"));
        Ok(())
    };
    match command {
        KeyCommand::Create(args) => create(actions, now, *args, output).await?,
        KeyCommand::List { login, realm } => {
            let keys = actions.list_keys(&realm.user(actions, &login).await?).await?;
            let guards = actions.list_guards().await?;
            let row = |it: &CredentialRow| (describe(it, None, &guards), columns(it));
            let rows = keys.iter().map(row).collect();
            let names = ["id", "scheme", "label", "rights", "expires", "state"];
            output.list(names, rows, "no keys");
        }
        KeyCommand::Show { id } => {
            let key = actions.find_key(&id).await?;
            let usage = actions.find_usage(&key).await?;
            let guards = actions.list_guards().await?;
            output.show(&describe(&key, usage, &guards), &facts(&key, usage, &guards));
        }
        KeyCommand::Limit { id, guards, networks } => {
            let key = actions.find_key(&id).await?;
            let mut limits = actions.limits(&guards, &networks).await?;
            if key.scheme == SHARED_SECRET.as_str() && guards.is_empty() {
                limits.guards.clone_from(&key.limits.guards);
            }
            actions.limit_key(&key, limits).await?;
            let text = format!("key {} is limited so now, everywhere", key.key);
            output.tell(&json!({ "id": key.key }), &text);
        }
        KeyCommand::Rotate { id, overlap, expires } => {
            let when = |text: &str| moment(text, now);
            let (until, expires) = (when(&overlap)?, expires.as_deref().map(when).transpose()?);
            rotate(actions, &id, (now, until), expires, output).await?;
        }
        KeyCommand::Usage { id } => used::show(actions, now, id.as_deref(), output).await?,
        KeyCommand::Disable { id } => switch(&id, State::Disabled, "disabled").await?,
        KeyCommand::Enable { id } => switch(&id, State::Active, "active").await?,
        KeyCommand::Revoke { id } => switch(&id, State::Deleted, "revoked").await?,
    }
    Ok(())
}

async fn create(
    actions: &Actions,
    now: Timestamp,
    args: KeyArgs,
    output: Output,
) -> anyhow::Result<()> {
    let when = |text: Option<String>| text.map(|text| moment(&text, now)).transpose();
    let options = KeyOptions {
        label: args.label,
        read_only: args.read_only,
        not_before: when(args.not_before)?,
        expires: when(args.expires)?,
        limits: actions.limits(&args.guards, &args.networks).await?,
    };
    let owner = args.realm.user(actions, &args.login).await?;
    let key = actions.create_key(&owner, options).await?;
    let shown = key.shown.expose_text();
    let text = format!("{shown}\nThis is shown once. Its id is {}.", key.id);
    output.tell(&json!({ "id": key.id, "key": shown }), &text);
    Ok(())
}

async fn rotate(
    actions: &Actions,
    id: &str,
    (now, until): (Timestamp, Timestamp),
    expires: Option<Timestamp>,
    output: Output,
) -> anyhow::Result<()> {
    let key = actions.find_key(id).await?;
    let overlap = overlap(now, until)?;
    let new = actions.rotate_key(&key, overlap, expires).await?;
    let ends = written(Some(key.expires.map_or(until, |expires| expires.min(until))));
    let ends = ends.unwrap_or_default();
    let (shown, old) = (new.shown.expose_text(), &key.key);
    let text = format!(
        "{shown}\nThis is shown once. Its id is {}. The old one, {old}, counts until {ends}.",
        new.id
    );
    let value = json!({ "id": new.id, "key": shown, "old": old, "old_ends": ends });
    output.tell(&value, &text);
    Ok(())
}

/// A moment as RFC 3339 writes it, or a time from `now` on; a day has 24 hours.
pub(super) fn moment(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_millis(moment.as_millisecond()));
    }
    let expected = "a moment is written as `2030-01-31T00:00:00Z`, `90d` or `12h`";
    let span: jiff::Span = text.parse().context(expected)?;
    let now = jiff::Timestamp::from_millisecond(now.millis())?.to_zoned(TimeZone::UTC);
    let moment = now.checked_add(span).context(expected)?;
    Ok(Timestamp::from_millis(moment.timestamp().as_millisecond()))
}

/// How long what is replaced still counts that counts until `until`.
pub(super) fn overlap(now: Timestamp, until: Timestamp) -> anyhow::Result<Duration> {
    anyhow::ensure!(until >= now, "an overlap is a time from now on, as `24h`");
    Ok(Duration::from_millis(until.millis().abs_diff(now.millis())))
}

pub(super) fn written(moment: Option<Timestamp>) -> Option<String> {
    let moment = moment.and_then(|it| jiff::Timestamp::from_millisecond(it.millis()).ok());
    moment.map(|it| it.to_string())
}

fn rights(key: &CredentialRow) -> &'static str {
    if key.read_only { "read only" } else { "all" }
}

fn word(key: &CredentialRow) -> &'static str {
    if key.state == State::Deleted { "revoked" } else { key.state.as_str() }
}

fn columns(key: &CredentialRow) -> [String; 6] {
    let expires = written(key.expires).unwrap_or_else(|| "never".into());
    let (id, scheme) = (key.key.clone(), key.scheme.clone());
    [id, scheme, key.label.clone(), rights(key).into(), expires, word(key).into()]
}

fn facts(
    key: &CredentialRow,
    usage: Option<Usage>,
    guards: &[GuardRow],
) -> [(&'static str, String); 11] {
    let [id, scheme, label, rights, expires, state] = columns(key);
    let (guards, networks) = limits(key, guards);
    [
        ("id", id),
        ("scheme", scheme),
        ("label", label),
        ("rights", rights),
        ("valid from", written(key.not_before).unwrap_or_default()),
        ("expires", expires),
        ("state", state),
        ("guards alone", guards.unwrap_or_default().join(", ")),
        ("networks alone", networks.unwrap_or_default().join(", ")),
        ("last used", written(usage.map(|it| it.last_used)).unwrap_or_else(|| "never".into())),
        ("uses", usage.map_or(0, |it| it.uses).to_string()),
    ]
}

/// The guards and the networks at and from which alone it counts; a guard that stands no longer has
/// no name.
fn limits(key: &CredentialRow, guards: &[GuardRow]) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let name = |id: &Id<Guard>| {
        let standing = guards.iter().find(|row| row.id == *id);
        standing.map_or_else(|| id.to_string(), |row| row.definition.name.clone())
    };
    let guards = key.limits.guards.as_ref().map(|it| it.iter().map(name).collect());
    let networks = key.limits.networks.as_ref().map(|it| it.iter().map(|it| it.to_string()));
    (guards, networks.map(Iterator::collect))
}

fn describe(key: &CredentialRow, usage: Option<Usage>, guards: &[GuardRow]) -> Value {
    let (guards, networks) = limits(key, guards);
    json!({
        "id": key.key, "scheme": key.scheme, "label": key.label, "owner": key.owner.to_string(),
        "read_only": key.read_only, "state": key.state.as_str(),
        "not_before": written(key.not_before), "expires": written(key.expires),
        "guards": guards, "networks": networks,
        "last_used": written(usage.map(|it| it.last_used)), "uses": usage.map(|it| it.uses),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_with_a_time_or_counted_from_now() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        for (text, millis) in [
            ("2023-11-14T22:13:20Z", Some(1_700_000_000_000)),
            ("2023-11-14T23:13:20+01:00", Some(1_700_000_000_000)),
            ("1d", Some(1_700_086_400_000)),
            ("12h", Some(1_700_043_200_000)),
            ("tomorrow", None),
            ("2023-11-14", None),
            ("", None),
            ("99999999y", None),
        ] {
            let read = moment(text, now).ok().map(Timestamp::millis);
            assert_eq!(read, millis, "{text}");
        }
    }
}
