//! `mount`: where dialects are spoken.

use std::collections::BTreeMap;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use portcullis_core::mount::Definition;
use portcullis_store::mounts::MountRow;
use serde_json::{Value, json};

use super::output::Output;
use super::place::InOrganization;
use crate::actions::Actions;
use crate::serve::spoken;

#[derive(Subcommand)]
pub(super) enum MountCommand {
    /// Mount a dialect for a realm
    Create(MountArgs),
    /// List the mounts, those of the configuration file too
    List,
    /// Show where a mount answers
    Show { name: String },
    /// Delete a mount: its addresses are guards' again
    Delete { name: String },
}

#[derive(Args)]
pub(super) struct MountArgs {
    /// What to call it
    name: String,
    /// The dialect that is spoken there
    #[arg(long, value_parser = spoken::names())]
    dialect: String,
    /// The path below which the dialect's own paths begin
    #[arg(long, default_value = "/")]
    path: String,
    /// A host it answers for; repeat for more, leave out for all
    #[arg(long = "host")]
    hosts: Vec<String>,
    /// How long a token of the dialect lives, as `90s` or `1h`
    #[arg(long, value_name = "TIME")]
    token_lifetime: Option<String>,
    /// An option of the dialect, as `api_keys=true`; repeat for more
    #[arg(long = "set", value_name = "NAME=VALUE")]
    options: Vec<String>,
    #[command(flatten)]
    place: InOrganization,
}

pub(super) async fn run(
    actions: &Actions,
    command: MountCommand,
    output: Output,
) -> anyhow::Result<()> {
    match command {
        MountCommand::List => {
            let mounts = actions.list_mounts().await?;
            let columns = |it: &MountRow| {
                let definition = &it.definition;
                let hosts = definition.hosts.join(", ");
                let source = it.source.as_str().to_owned();
                let (name, dialect) = (definition.name.clone(), definition.dialect.clone());
                [name, dialect, definition.prefix.clone(), hosts, source]
            };
            let rows = mounts.iter().map(|it| (describe(it), columns(it))).collect();
            let none = "no mounts; next: portcullis mount create NAME --dialect journey_hub";
            output.list(["name", "dialect", "path", "hosts", "source"], rows, none);
        }
        MountCommand::Show { name } => {
            let mount = actions.find_mount(&name).await?;
            let it = &mount.definition;
            let options = it.options.iter().map(|(name, value)| format!("{name} {value}"));
            let facts = [
                ("name", it.name.clone()),
                ("id", mount.id.to_string()),
                ("source", mount.source.as_str().into()),
                ("dialect", it.dialect.clone()),
                ("path", it.prefix.clone()),
                ("hosts", it.hosts.join(", ")),
                ("options", options.collect::<Vec<_>>().join(", ")),
            ];
            output.show(&describe(&mount), &facts);
        }
        MountCommand::Delete { name } => {
            actions.delete_mount(&actions.find_mount(&name).await?).await?;
            output.tell(&json!({ "name": name }), &format!("mount `{name}` deleted"));
        }
        MountCommand::Create(args) => {
            let realm = args.place.find(actions).await?;
            let definition = definition(args)?;
            let name = definition.name.clone();
            actions.create_mount(&realm, definition).await?;
            output.tell(&json!({ "name": name }), &format!("mount `{name}` stands"));
        }
    }
    Ok(())
}

fn definition(args: MountArgs) -> anyhow::Result<Definition> {
    let lifetime = args.token_lifetime.map(|text| ("token_lifetime".to_owned(), text));
    let set = |text: &String| {
        let (name, value) = text
            .split_once('=')
            .with_context(|| format!("an option is written as NAME=VALUE, not `{text}`"))?;
        anyhow::Ok((name.to_owned(), value.to_owned()))
    };
    let mut options = args.options.iter().map(set).collect::<anyhow::Result<BTreeMap<_, _>>>()?;
    options.extend(lifetime);
    spoken::check(&args.dialect, &options).map_err(anyhow::Error::msg)?;
    let (name, dialect) = (args.name, args.dialect);
    Ok(Definition { name, dialect, hosts: args.hosts, prefix: args.path, options })
}

fn describe(mount: &MountRow) -> Value {
    let it = &mount.definition;
    json!({
        "name": it.name, "id": mount.id.to_string(), "source": mount.source.as_str(),
        "organization": mount.organization.to_string(), "dialect": it.dialect,
        "path": it.prefix, "hosts": it.hosts, "options": it.options,
    })
}
