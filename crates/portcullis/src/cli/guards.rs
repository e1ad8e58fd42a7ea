//! `guard`: routes with what they demand and where they lead.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use http::{Method, Uri};
use portcullis_core::ability::Ability;
use portcullis_core::guard::{Definition, Kind};
use portcullis_core::scheme::{API_KEY, Options, SchemeName};
use portcullis_store::guards::GuardRow;
use serde_json::{Value, json};

use super::demands::Demands;
use super::output::Output;
use super::place::InOrganization;
use crate::actions::{ActionError, Actions};

#[derive(Subcommand)]
pub(super) enum GuardCommand {
    /// Guard an upstream
    Create(Box<GuardArgs>),
    /// List the guards, those of the configuration file too
    List,
    /// Show what a guard demands and where it leads
    Show {
        /// The guard
        name: String,
    },
    /// Delete a guard: its address answers no more
    Delete {
        /// The guard
        name: String,
    },
}

#[derive(Args)]
pub(super) struct GuardArgs {
    /// What to call it
    name: String,
    /// Where requests go that it lets through: `http://host:port/path`, `https://` or `h2c://`; repeat
    /// for more
    #[arg(long = "upstream", value_name = "URL", required_unless_present = "no_upstream")]
    upstreams: Vec<Uri>,
    /// Another proxy forwards them, which asks at `/authz/…`
    #[arg(long, conflicts_with = "upstreams")]
    no_upstream: bool,
    /// The path it answers for, with all below it
    #[arg(long, default_value = "/")]
    path: String,
    /// A host it answers for; repeat for more, leave out for all
    #[arg(long = "host")]
    hosts: Vec<String>,
    /// A scheme it accepts; repeat for more
    #[arg(long = "scheme", default_values = ["basic", "api_key"])]
    schemes: Vec<String>,
    /// The header that carries API keys
    #[arg(long)]
    api_key_header: Option<String>,
    #[command(flatten)]
    demands: Demands,
    /// A method that passes; repeat for more, leave out for all
    #[arg(long = "method")]
    methods: Vec<Method>,
    /// What connections may become, as `websocket`; repeat for more
    #[arg(long = "upgrade", value_name = "PROTOCOL")]
    upgrades: Vec<String>,
    /// Remove the path before forwarding
    #[arg(long)]
    strip_path: bool,
    #[command(flatten)]
    place: InOrganization,
}

pub(super) async fn run(
    actions: &Actions,
    command: GuardCommand,
    output: Output,
) -> anyhow::Result<()> {
    match command {
        GuardCommand::List => {
            let guards = list(actions, Kind::Route).await?;
            let columns = |it: &GuardRow| {
                let definition = &it.definition;
                let hosts = definition.hosts.join(", ");
                let upstream = texts(&definition.upstreams).join(", ");
                let source = it.source.as_str().to_owned();
                [definition.name.clone(), definition.prefix.clone(), hosts, upstream, source]
            };
            let rows = guards.iter().map(|it| (describe(it), columns(it))).collect();
            let none = "no guards; next: portcullis guard create NAME --upstream http://…";
            output.list(["name", "path", "hosts", "upstream", "source"], rows, none);
        }
        GuardCommand::Show { name } => {
            let guard = find(actions, Kind::Route, &name).await?;
            output.show(&describe(&guard), &facts(&guard));
        }
        GuardCommand::Delete { name } => {
            actions.delete_guard(&find(actions, Kind::Route, &name).await?).await?;
            output.tell(&json!({ "name": name }), &format!("guard `{name}` deleted"));
        }
        GuardCommand::Create(args) => {
            let organization = args.place.find(actions).await?.id;
            let definition = definition(*args)?;
            let name = definition.name.clone();
            actions.create_guard(organization, definition).await?;
            output.tell(&json!({ "name": name }), &format!("guard `{name}` stands"));
        }
    }
    Ok(())
}

/// The guard of this kind called `name`; one of the other kind has commands of its own.
pub(super) async fn find(actions: &Actions, kind: Kind, name: &str) -> anyhow::Result<GuardRow> {
    let found = match actions.find_guard(name).await {
        Err(ActionError::Missing(_)) => anyhow::bail!("there is no {} `{name}`", kind.word()),
        found => found?,
    };
    let other = found.definition.kind;
    anyhow::ensure!(
        other == kind,
        "`{name}` is a {}; use `portcullis {}`",
        other.word(),
        other.word()
    );
    Ok(found)
}

/// Every guard of this kind.
pub(super) async fn list(actions: &Actions, kind: Kind) -> anyhow::Result<Vec<GuardRow>> {
    let all = actions.list_guards().await?.into_iter();
    Ok(all.filter(|row| row.definition.kind == kind).collect())
}

/// The schemes that are called so, without options.
pub(super) fn schemes(names: &[String]) -> anyhow::Result<Vec<(SchemeName, Options)>> {
    let scheme = |name: &String| {
        let found = SchemeName::named(name);
        let found = found.with_context(|| format!("there is no scheme `{name}`"))?;
        anyhow::Ok((found, Options::new()))
    };
    names.iter().map(scheme).collect()
}

fn definition(args: GuardArgs) -> anyhow::Result<Definition> {
    let names = args.demands.schemes(args.schemes);
    let mut schemes = schemes(&names)?;
    if let Some(header) = args.api_key_header {
        let keys = schemes.iter_mut().filter(|(name, _)| *name == API_KEY);
        keys.for_each(|(_, options)| {
            options.insert("header".into(), header.clone());
        });
    }
    Ok(args.demands.of(Definition {
        kind: Kind::Route,
        name: args.name,
        hosts: args.hosts,
        prefix: args.path,
        upstreams: args.upstreams,
        schemes,
        networks: None,
        client_certificate: false,
        methods: args.methods,
        ability: None,
        upgrades: args.upgrades,
        identity: Vec::new(),
        assertion: false,
        pass_credential: false,
        strip_prefix: args.strip_path,
    })?)
}

pub(super) fn texts<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(T::to_string).collect()
}

fn facts(guard: &GuardRow) -> [(&'static str, String); 16] {
    let it = &guard.definition;
    let schemes: Vec<_> = it.schemes.iter().map(|(name, _)| name.as_str()).collect();
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    [
        ("name", it.name.clone()),
        ("id", guard.id.to_string()),
        ("source", guard.source.as_str().into()),
        ("path", it.prefix.clone()),
        ("hosts", it.hosts.join(", ")),
        ("upstreams", texts(&it.upstreams).join(", ")),
        ("schemes", schemes.join(", ")),
        ("networks", texts(it.networks.as_deref().unwrap_or_default()).join(", ")),
        ("client certificate", word(it.client_certificate)),
        ("methods", texts(&it.methods).join(", ")),
        ("ability", it.ability.as_ref().map(Ability::to_string).unwrap_or_default()),
        ("upgrades", it.upgrades.join(", ")),
        ("identity", presets(it).join(", ")),
        ("assertion", word(it.assertion)),
        ("removes its path", word(it.strip_prefix)),
        ("passes credentials", word(it.pass_credential)),
    ]
}

/// The presets of a guard, by name.
pub(super) fn presets(definition: &Definition) -> Vec<&'static str> {
    definition.identity.iter().map(|preset| preset.as_str()).collect()
}

/// The schemes of a guard, each with its options.
pub(super) fn describe_schemes(definition: &Definition) -> Vec<Value> {
    let all = definition.schemes.iter();
    all.map(|(name, options)| json!({ "scheme": name.as_str(), "options": options })).collect()
}

fn describe(guard: &GuardRow) -> Value {
    let it = &guard.definition;
    json!({
        "name": it.name, "id": guard.id.to_string(), "source": guard.source.as_str(),
        "organization": guard.organization.to_string(), "path": it.prefix, "hosts": it.hosts,
        "upstreams": texts(&it.upstreams), "upgrades": it.upgrades, "identity": presets(it),
        "assertion": it.assertion, "schemes": describe_schemes(it),
        "networks": it.networks.as_deref().map(texts), "methods": texts(&it.methods),
        "client_certificate": it.client_certificate,
        "ability": it.ability.as_ref().map(Ability::as_str),
        "strip_path": it.strip_prefix, "pass_credential": it.pass_credential,
    })
}
