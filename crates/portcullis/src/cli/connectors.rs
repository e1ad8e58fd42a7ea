//! `connector`: what programs of Hull name and prove themselves with.

use clap::{Args, Subcommand};
use ipnet::IpNet;
use portcullis_core::organization::State;
use portcullis_core::scheme::Options;
use portcullis_core::scheme::connector::option;
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::credentials::CredentialRow;
use serde_json::{Value, json};

use super::keys::{moment, overlap, written};
use super::output::Output;
use super::place::InRealm;
use super::{complain, sign};
use crate::actions::connectors::{Imported, switch};
use crate::actions::keys::KeyOptions;
use crate::actions::{ActionError, Actions};

#[derive(Subcommand)]
pub(super) enum ConnectorCommand {
    /// Make a connector; its secret is shown once
    Create(Box<ConnectorArgs>),
    /// List the connectors that were not revoked
    List,
    /// Show what is known of a connector, and when it was used last
    Show {
        /// The id of the connector
        id: String,
    },
    /// Turn switches of a connector
    Set {
        /// The id of the connector
        id: String,
        #[command(flatten)]
        switches: Switches,
    },
    /// Say anew where alone a connector counts; without options, wherever its owner may
    Limit {
        /// The id of the connector
        id: String,
        /// A guard at which alone it counts, and no longer at Hull's own addresses; repeat for more
        #[arg(long = "guard", value_name = "NAME")]
        guards: Vec<String>,
        /// A network that its callers must come from (CIDR); repeat for more
        #[arg(long = "network", value_name = "NETWORK")]
        networks: Vec<IpNet>,
    },
    /// Give a connector a new secret; the old ones, and what they signed, count for a while
    Rotate {
        /// The id of the connector
        id: String,
        /// How long the old secrets still count: `24h`, `7d`, at most 90 days; `0s` for no longer
        #[arg(long, default_value = "24h")]
        overlap: String,
        /// Take the new secret from standard input: 24 characters at least
        #[arg(long)]
        import: bool,
    },
    /// Switch a connector off, and with it every token that it signed
    Disable {
        /// The id of the connector
        id: String,
    },
    /// Switch a connector on again
    Enable {
        /// The id of the connector
        id: String,
    },
    /// Revoke a connector, for good: answers when no server accepts it any more
    Revoke {
        /// The id of the connector
        id: String,
    },
}

#[derive(Args)]
pub(super) struct ConnectorArgs {
    /// For whom it stands; it tells of the subjects of their organization
    login: String,
    /// What to call it
    #[arg(long, default_value = "", hide_default_value = true)]
    label: String,
    /// The id that programs know already: 24 hex digits; without, one is drawn
    #[arg(long, value_name = "HEX")]
    id: Option<String>,
    /// Take the secret that programs have already from standard input: 24 characters at least
    #[arg(long)]
    import: bool,
    #[command(flatten)]
    switches: Switches,
    /// Until when it is valid, written as for `key create`; without, until it is revoked
    #[arg(long, value_name = "MOMENT")]
    expires: Option<String>,
    /// A guard at which alone it counts, and not at Hull's own addresses; repeat for more
    #[arg(long = "guard", value_name = "NAME")]
    guards: Vec<String>,
    /// A network that its callers must come from (CIDR); repeat for more
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<IpNet>,
    #[command(flatten)]
    realm: InRealm,
}

/// What can be switched; what is not named stays as it is.
#[derive(Args)]
pub(super) struct Switches {
    /// Whether it may be named and proven in the query, `?id=…&secret=…`: proxies and browsers write
    /// that down
    #[arg(long, value_name = "BOOL")]
    query: Option<bool>,
    /// Whether the good entries of a batch count that has bad ones
    #[arg(long, value_name = "BOOL")]
    partial: Option<bool>,
    /// For how long after it was issued a token counts at most, as `90d`; `0s` for as long as it says
    #[arg(long, value_name = "TIME")]
    max_age: Option<String>,
    /// What `Hull-Organization` must say if it is sent, as `acme.hullapp.io`; empty for anything
    #[arg(long, value_name = "HOST")]
    hull_organization: Option<String>,
}

impl Switches {
    fn options(self, now: Timestamp) -> anyhow::Result<Options> {
        let word = |flag: Option<bool>| flag.map(|flag| flag.to_string());
        let seconds = |age: String| {
            let seconds = (moment(&age, now)?.millis() - now.millis()) / 1_000;
            anyhow::Ok(if seconds == 0 { String::new() } else { seconds.to_string() })
        };
        let max_age = self.max_age.map(seconds).transpose()?;
        let options: Result<_, ActionError> = [
            (option::MAX_AGE, max_age),
            (option::QUERY, word(self.query)),
            (option::PARTIAL, word(self.partial)),
            (option::ORGANIZATION, self.hull_organization),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some(switch(name, &value?)))
        .collect();
        Ok(options?)
    }
}

pub(super) async fn run(
    actions: &Actions,
    now: Timestamp,
    command: ConnectorCommand,
    output: Output,
) -> anyhow::Result<()> {
    let turn = async |id: &str, state: State, word: &str| -> anyhow::Result<()> {
        actions.set_key_state(&actions.find_connector(id).await?, state).await?;
        let value = json!({ "id": id, "state": state.as_str() });
        output.tell(&value, &format!("connector {id} is {word} now, everywhere"));
        Ok(())
    };
    match command {
        ConnectorCommand::Create(args) => create(actions, now, *args, output).await?,
        ConnectorCommand::List => {
            let rows = actions.list_connectors().await?;
            let told = |row: &CredentialRow| {
                let Connector { value, columns } = describe(actions, row, now)?;
                Ok((value, columns))
            };
            let rows = rows.iter().map(told).collect::<Result<_, ActionError>>()?;
            let names = ["id", "label", "secrets", "switches", "expires", "state"];
            output.list(names, rows, "no connectors");
        }
        ConnectorCommand::Show { id } => show(actions, now, &id, output).await?,
        ConnectorCommand::Set { id, switches } => {
            let row = actions.find_connector(&id).await?;
            let switches = switches.options(now)?;
            anyhow::ensure!(!switches.is_empty(), "nothing is said to be set; see `--help`");
            warn(&switches);
            actions.switch_connector(&row, switches).await?;
            output.tell(&json!({ "id": id }), &format!("connector {id} is switched so now"));
        }
        ConnectorCommand::Limit { id, guards, networks } => {
            let row = actions.find_connector(&id).await?;
            actions.limit_key(&row, actions.limits(&guards, &networks).await?).await?;
            let text = format!("connector {id} is limited so now, everywhere");
            output.tell(&json!({ "id": id }), &text);
        }
        ConnectorCommand::Rotate { id, overlap, import } => {
            rotate(actions, &id, (now, moment(&overlap, now)?), import, output).await?;
        }
        ConnectorCommand::Disable { id } => turn(&id, State::Disabled, "disabled").await?,
        ConnectorCommand::Enable { id } => turn(&id, State::Active, "active").await?,
        ConnectorCommand::Revoke { id } => turn(&id, State::Deleted, "revoked").await?,
    }
    Ok(())
}

async fn create(
    actions: &Actions,
    now: Timestamp,
    args: ConnectorArgs,
    output: Output,
) -> anyhow::Result<()> {
    let owner = args.realm.user(actions, &args.login).await?;
    let options = KeyOptions {
        label: args.label,
        read_only: false,
        not_before: None,
        expires: args.expires.map(|text| moment(&text, now)).transpose()?,
        limits: actions.limits(&args.guards, &args.networks).await?,
    };
    let switches = args.switches.options(now)?;
    warn(&switches);
    let imported = Imported { id: args.id, secret: imported(args.import)? };
    let made = actions.create_connector(&owner, now, imported, (switches, options)).await?;
    tell(&made.id, &made.shown, args.import, output);
    Ok(())
}

async fn rotate(
    actions: &Actions,
    id: &str,
    (now, until): (Timestamp, Timestamp),
    import: bool,
    output: Output,
) -> anyhow::Result<()> {
    let row = actions.find_connector(id).await?;
    let overlap = overlap(now, until)?;
    let secret = actions.rotate_connector(&row, imported(import)?, overlap, now).await?;
    tell(id, &secret, import, output);
    Ok(())
}

fn imported(import: bool) -> anyhow::Result<Option<SecretBuf>> {
    import.then(sign::read_secret).transpose()
}

fn tell(id: &str, secret: &SecretBuf, imported: bool, output: Output) {
    if imported {
        return output.tell(&json!({ "id": id }), &format!("imported; its id is {id}"));
    }
    let shown = secret.expose_text();
    let text = format!("{shown}\nThis is shown once. The id of the connector is {id}.");
    output.tell(&json!({ "id": id, "secret": shown }), &text);
}

/// What is in a query is written down on its way.
fn warn(switches: &Options) {
    if switches.get(option::QUERY).is_some_and(|value| value == "true") {
        complain(
            "warning: what stands in a query is written down by proxies, browsers and logs on its \
             way; let programs send the headers as soon as they can\n",
        );
    }
}

async fn show(actions: &Actions, now: Timestamp, id: &str, output: Output) -> anyhow::Result<()> {
    let row = actions.find_connector(id).await?;
    let usage = actions.find_usage(&row).await?;
    let Connector { value, columns } = describe(actions, &row, now)?;
    let [id, label, secrets, switches, expires, state] = columns;
    let last_used = written(usage.map(|it| it.last_used));
    let uses = usage.map_or(0, |it| it.uses);
    let more = json!({ "last_used": last_used, "uses": uses });
    let facts = [
        ("id", id),
        ("label", label),
        ("owner", row.owner.to_string()),
        ("secrets", secrets),
        ("switches", switches),
        ("expires", expires),
        ("state", state),
        ("last used", last_used.unwrap_or_else(|| "never".into())),
        ("uses", uses.to_string()),
    ];
    output.show(&super::output::with(value, more), &facts);
    Ok(())
}

/// A connector, for people and for scripts.
struct Connector {
    value: Value,
    columns: [String; 6],
}

fn describe(
    actions: &Actions,
    row: &CredentialRow,
    now: Timestamp,
) -> Result<Connector, ActionError> {
    let revoked = row.state == State::Deleted;
    let (switches, secrets) =
        if revoked { (Options::new(), 0) } else { actions.switches(row, now)? };
    let word = if revoked { "revoked" } else { row.state.as_str() };
    let told = switches.iter().map(|(name, value)| format!("{name}={value}"));
    let told = told.collect::<Vec<_>>().join(" ");
    let expires = written(row.expires);
    let value = json!({
        "id": row.key, "label": row.label, "owner": row.owner.to_string(), "secrets": secrets,
        "switches": switches, "expires": expires, "state": row.state.as_str(),
    });
    let (id, label) = (row.key.clone(), row.label.clone());
    let expires = expires.unwrap_or_else(|| "never".into());
    Ok(Connector { value, columns: [id, label, secrets.to_string(), told, expires, word.into()] })
}
