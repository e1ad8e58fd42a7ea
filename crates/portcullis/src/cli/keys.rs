//! `key`: API keys.

use anyhow::Context as _;
use clap::Subcommand;
use jiff::tz::TimeZone;
use portcullis_core::organization::State;
use portcullis_core::time::Timestamp;
use portcullis_store::credentials::CredentialRow;
use portcullis_store::usage::Usage;
use serde_json::{Value, json};

use super::output::Output;
use super::place::InRealm;
use crate::actions::Actions;
use crate::actions::keys::KeyOptions;

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key; it is shown once
    Create {
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
        #[command(flatten)]
        realm: InRealm,
    },
    /// List the keys of a user
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
        KeyCommand::Create { login, label, read_only, expires, not_before, realm } => {
            let when = |text: Option<String>| text.map(|text| moment(&text, now)).transpose();
            let (expires, not_before) = (when(expires)?, when(not_before)?);
            let options = KeyOptions { label, read_only, not_before, expires };
            let owner = realm.user(actions, &login).await?;
            let key = actions.create_key(&owner, options).await?;
            let shown = key.shown.expose_text();
            let text = format!("{shown}\nThis is shown once. Its id is {}.", key.id);
            output.tell(&json!({ "id": key.id, "key": shown }), &text);
        }
        KeyCommand::List { login, realm } => {
            let keys = actions.list_keys(&realm.user(actions, &login).await?).await?;
            let rows = keys.iter().map(|it| (describe(it, None), columns(it))).collect();
            output.list(["id", "label", "rights", "expires", "state"], rows, "no keys");
        }
        KeyCommand::Show { id } => {
            let key = actions.find_key(&id).await?;
            let usage = actions.find_usage(&key).await?;
            output.show(&describe(&key, usage), &facts(&key, usage));
        }
        KeyCommand::Disable { id } => switch(&id, State::Disabled, "disabled").await?,
        KeyCommand::Enable { id } => switch(&id, State::Active, "active").await?,
        KeyCommand::Revoke { id } => switch(&id, State::Deleted, "revoked").await?,
    }
    Ok(())
}

/// A moment as RFC 3339 writes it, or a time from `now` on; a day has 24 hours.
fn moment(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_millis(moment.as_millisecond()));
    }
    let expected = "a moment is written as `2030-01-31T00:00:00Z`, `90d` or `12h`";
    let span: jiff::Span = text.parse().context(expected)?;
    let now = jiff::Timestamp::from_millisecond(now.millis())?.to_zoned(TimeZone::UTC);
    let moment = now.checked_add(span).context(expected)?;
    Ok(Timestamp::from_millis(moment.timestamp().as_millisecond()))
}

fn written(moment: Option<Timestamp>) -> Option<String> {
    let moment = moment.and_then(|it| jiff::Timestamp::from_millisecond(it.millis()).ok());
    moment.map(|it| it.to_string())
}

fn rights(key: &CredentialRow) -> &'static str {
    if key.read_only { "read only" } else { "all" }
}

fn word(key: &CredentialRow) -> &'static str {
    if key.state == State::Deleted { "revoked" } else { key.state.as_str() }
}

fn columns(key: &CredentialRow) -> [String; 5] {
    let expires = written(key.expires).unwrap_or_else(|| "never".into());
    [key.key.clone(), key.label.clone(), rights(key).into(), expires, word(key).into()]
}

fn facts(key: &CredentialRow, usage: Option<Usage>) -> [(&'static str, String); 8] {
    let [id, label, rights, expires, state] = columns(key);
    [
        ("id", id),
        ("label", label),
        ("rights", rights),
        ("valid from", written(key.not_before).unwrap_or_default()),
        ("expires", expires),
        ("state", state),
        ("last used", written(usage.map(|it| it.last_used)).unwrap_or_else(|| "never".into())),
        ("uses", usage.map_or(0, |it| it.uses).to_string()),
    ]
}

fn describe(key: &CredentialRow, usage: Option<Usage>) -> Value {
    json!({
        "id": key.key, "label": key.label, "owner": key.owner.to_string(),
        "read_only": key.read_only, "state": key.state.as_str(),
        "not_before": written(key.not_before), "expires": written(key.expires),
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
