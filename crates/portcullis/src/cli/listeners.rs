//! `listener`: guards with an id instead of a place.

use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use http::{Method, Uri};
use portcullis_core::ability::Ability;
use portcullis_core::guard::{Definition, Kind};
use portcullis_core::organization::Organization;
use portcullis_core::scheme::{BEARER, Options, SchemeName};
use portcullis_store::guards::GuardRow;
use serde_json::{Value, json};

use super::complain;
use super::demands::Demands;
use super::guards::{describe_schemes, find, list, presets, schemes, texts};
use super::output::Output;
use super::place::InOrganization;
use crate::actions::Actions;
use crate::config::{LISTENER_SCHEMES, ListenerSettings, MAX_TOKEN_LIFETIME};
use crate::serve::spoken;

#[derive(Subcommand)]
pub(super) enum ListenerCommand {
    /// Make a listener
    Create(Box<ListenerArgs>),
    /// List the listeners, those of the configuration file too
    List,
    /// Show what a listener demands and where it leads
    Show {
        /// The listener
        id: String,
    },
    /// Delete a listener: it answers no more
    Delete {
        /// The listener
        id: String,
    },
}

#[derive(Args)]
pub(super) struct ListenerArgs {
    /// Its id, as in `/api/v1/listener/ID`
    id: String,
    /// Where requests go that it lets through: `http://host:port/path`, to the letter
    #[arg(long)]
    upstream: Uri,
    /// A scheme it accepts; repeat for more
    #[arg(long = "scheme", default_values = LISTENER_SCHEMES)]
    schemes: Vec<String>,
    /// The header that carries shared secrets
    #[arg(long, value_name = "NAME")]
    secret_header: Option<String>,
    /// How long a token lives, as `90s` or `24h`
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    token_lifetime: Option<Duration>,
    #[command(flatten)]
    demands: Demands,
    /// A method that passes; repeat for more, leave out for GET, HEAD and POST
    #[arg(long = "method")]
    methods: Vec<Method>,
    #[command(flatten)]
    place: InOrganization,
}

pub(super) async fn run(
    actions: &Actions,
    command: ListenerCommand,
    output: Output,
) -> anyhow::Result<()> {
    match command {
        ListenerCommand::List => {
            let listeners = list(actions, Kind::Listener).await?;
            let columns = |it: &GuardRow| {
                let definition = &it.definition;
                let names: Vec<_> = definition.schemes.iter().map(|(it, _)| it.as_str()).collect();
                let upstream = texts(&definition.upstreams).join(", ");
                [definition.name.clone(), names.join(", "), upstream, it.source.as_str().into()]
            };
            let rows = listeners.iter().map(|it| (describe(it), columns(it))).collect();
            let none = "no listeners; next: portcullis listener create ID --upstream http://…";
            output.list(["id", "schemes", "upstream", "source"], rows, none);
        }
        ListenerCommand::Show { id } => {
            let listener = find(actions, Kind::Listener, &id).await?;
            output.show(&describe(&listener), &facts(&listener));
        }
        ListenerCommand::Delete { id } => {
            actions.delete_guard(&find(actions, Kind::Listener, &id).await?).await?;
            output.tell(&json!({ "id": id }), &format!("listener `{id}` deleted"));
        }
        ListenerCommand::Create(args) => {
            let organization = args.place.find(actions).await?;
            let definition = definition(*args)?;
            let id = definition.name.clone();
            actions.create_guard(organization.id, definition).await?;
            output.tell(&json!({ "id": id }), &format!("listener `{id}` stands"));
            let unmounted = actions.unmounted(spoken::LISTENERS).await?;
            let here = unmounted.iter().filter(|other| **other == id);
            here.for_each(|id| warn(id, Some(&organization)));
        }
    }
    Ok(())
}

/// Says of every listener that no mount leads to that it answers nowhere.
pub(super) async fn warn_of_unmounted(actions: &Actions) -> anyhow::Result<()> {
    actions.unmounted(spoken::LISTENERS).await?.iter().for_each(|id| warn(id, None));
    Ok(())
}

fn warn(id: &str, organization: Option<&Organization>) {
    let dialect = spoken::LISTENERS;
    let realm = match organization {
        Some(root) if root.parent.is_none() => String::new(),
        Some(realm) if realm.realm => format!(" --organization {}", realm.number),
        Some(_) | None => " [--organization REALM]".into(),
    };
    complain(&format!(
        "warning: listener `{id}` answers nowhere yet, for no mount of dialect `{dialect}` stands \
         in its realm; next: portcullis mount create {dialect} --dialect {dialect}{realm}\n"
    ));
}

fn definition(args: ListenerArgs) -> anyhow::Result<Definition> {
    let names = args.demands.schemes(args.schemes);
    let (secret_header, token_lifetime) = (args.secret_header, args.token_lifetime);
    let mut schemes = schemes(&names)?;
    set_options(&mut schemes, &ListenerSettings { secret_header, token_lifetime })
        .map_err(anyhow::Error::msg)?;
    Ok(args.demands.of(Definition {
        kind: Kind::Listener,
        name: args.id,
        hosts: Vec::new(),
        prefix: "/".into(),
        upstreams: vec![args.upstream],
        schemes,
        networks: None,
        client_certificate: false,
        methods: args.methods,
        ability: None,
        upgrades: Vec::new(),
        identity: Vec::new(),
        assertion: false,
        pass_credential: false,
        strip_prefix: false,
    })?)
}

/// Hands what a listener says in words of its own to the schemes that it is of. A token may stand in
/// the body too, as the vendor's page has it, unless an option says otherwise.
pub(super) fn set_options(
    schemes: &mut [(SchemeName, Options)],
    settings: &ListenerSettings,
) -> Result<(), String> {
    if let Some(header) = &settings.secret_header {
        set(schemes, "the secret's header", ("shared_secret", "header"), header.clone())?;
    }
    if let Some(lifetime) = settings.token_lifetime {
        let seconds = lifetime.as_secs();
        if Duration::from_secs(seconds) != lifetime {
            return Err("a token's lifetime is in whole seconds".into());
        }
        set(schemes, "a token's lifetime", ("bearer", "lifetime"), seconds.to_string())?;
    }
    let bearer = schemes.iter_mut().find(|(name, _)| *name == BEARER);
    if let Some((_, options)) = bearer {
        options.entry("body".into()).or_insert_with(|| true.to_string());
    }
    Ok(())
}

fn set(
    schemes: &mut [(SchemeName, Options)],
    what: &str,
    (scheme, option): (&str, &str),
    value: String,
) -> Result<(), String> {
    let accepted = schemes.iter_mut().find(|(name, _)| name.as_str() == scheme);
    let (_, options) = accepted
        .ok_or_else(|| format!("{what} is of scheme `{scheme}`, which it does not accept"))?;
    match options.insert(option.into(), value) {
        None => Ok(()),
        Some(_) => Err(format!("{what} is option `{option}` of `{scheme}` too: say it once")),
    }
}

fn lifetime(text: &str) -> anyhow::Result<Duration> {
    let read = text.parse::<jiff::SignedDuration>().ok();
    let read = read.and_then(|it| Duration::try_from(it).ok());
    let bounds = Duration::from_secs(1)..=MAX_TOKEN_LIFETIME;
    read.filter(|it| bounds.contains(it)).context("a time from 1s to 8760h was expected")
}

fn facts(listener: &GuardRow) -> [(&'static str, String); 12] {
    let it = &listener.definition;
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let schemes: Vec<_> = it.schemes.iter().map(|(name, _)| name.as_str()).collect();
    [
        ("id", it.name.clone()),
        ("uuid", listener.id.to_string()),
        ("source", listener.source.as_str().into()),
        ("upstream", texts(&it.upstreams).join(", ")),
        ("schemes", schemes.join(", ")),
        ("networks", texts(it.networks.as_deref().unwrap_or_default()).join(", ")),
        ("methods", texts(&it.methods).join(", ")),
        ("ability", it.ability.as_ref().map(Ability::to_string).unwrap_or_default()),
        ("client certificate", word(it.client_certificate)),
        ("identity", presets(it).join(", ")),
        ("assertion", word(it.assertion)),
        ("passes credentials", word(it.pass_credential)),
    ]
}

fn describe(listener: &GuardRow) -> Value {
    let it = &listener.definition;
    json!({
        "id": it.name, "uuid": listener.id.to_string(), "source": listener.source.as_str(),
        "organization": listener.organization.to_string(), "upstream": texts(&it.upstreams).join(", "),
        "identity": presets(it), "assertion": it.assertion,
        "schemes": describe_schemes(it), "networks": it.networks.as_deref().map(texts),
        "methods": texts(&it.methods), "ability": it.ability.as_ref().map(Ability::as_str),
        "client_certificate": it.client_certificate, "pass_credential": it.pass_credential,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::scheme::{API_KEY, BASIC};

    #[test]
    fn an_option_goes_to_its_scheme_once_and_to_no_other() {
        let header = ("api_key", "header");
        let mut schemes = [(BASIC, Options::new()), (API_KEY, Options::new())];
        assert_eq!(set(&mut schemes, "the header", header, "x-a".into()), Ok(()));
        assert!(schemes[0].1.is_empty());
        assert_eq!(schemes[1].1, Options::from([("header".into(), "x-a".into())]));
        let twice = set(&mut schemes, "the header", header, "x-b".into()).unwrap_err();
        assert_eq!(twice, "the header is option `header` of `api_key` too: say it once");
        let alone = set(&mut schemes[..1], "the header", header, "x-a".into()).unwrap_err();
        assert_eq!(alone, "the header is of scheme `api_key`, which it does not accept");
    }

    #[test]
    fn a_lifetime_is_bounded_and_in_whole_seconds() {
        for (text, seconds) in [
            ("1s", Some(1)),
            ("24h", Some(86_400)),
            ("8760h", Some(31_536_000)),
            ("8761h", None),
            ("0s", None),
            ("999ms", None),
            ("-1h", None),
            ("soon", None),
            ("24", None),
        ] {
            assert_eq!(lifetime(text).ok().map(|it| it.as_secs()), seconds, "{text}");
        }
        let settings = ListenerSettings {
            token_lifetime: Some(Duration::from_millis(1_500)),
            ..ListenerSettings::default()
        };
        assert!(set_options(&mut [], &settings).unwrap_err().contains("whole seconds"));
    }
}
