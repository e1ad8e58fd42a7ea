//! `portcullis quickstart`: the first sixty seconds.

mod calls;
mod expert;
mod graph;
mod hub;
mod hull;
mod journyx;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use portcullis_core::ability::OWNER;
use portcullis_core::guard::{Definition, Kind, Preset};
use portcullis_core::mount;
use portcullis_core::organization::State;
use portcullis_core::principal::Holder;
use portcullis_core::scheme::{self, Options, SchemeName};
use portcullis_core::secret::SecretBuf;
use portcullis_core::token::random_letters;
use portcullis_store::folder;
use portcullis_store::users::UserRow;
use serde::{Deserialize, Serialize};

use super::{interrupted, say};
use crate::actions::keys::KeyOptions;
use crate::actions::users::UserOptions;
use crate::actions::{ActionError, Actions, Actor};
use crate::config::{Config, LogFormat, LogLevel};
use crate::demo::Demo;
use crate::serve::{House, Server, spoken};
use calls::Credential;
use expert::ExpertMade;
use graph::GraphMade;
use hub::HubMade;
use hull::HullMade;
use journyx::JournyxMade;

/// The file with what the quickstart made, in the data folder.
pub(super) const FILE: &str = "quickstart.json";
/// The name of the demo's guard.
const GUARD: &str = "quickstart-demo";
/// The login name of the owner.
const OWNER_LOGIN: &str = "owner";
/// The characters of a random password: 24 of 62 are 142 bits.
const PASSWORD: usize = 24;

#[derive(Args)]
pub(super) struct QuickstartArgs {
    /// Where to listen; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where to write what was made [default: DATA/quickstart.json]
    #[arg(long)]
    credentials: Option<PathBuf>,
}

/// The file, in full. It holds secrets: mode 0600, and no `Debug`.
#[derive(Serialize, Deserialize)]
struct Made {
    base_url: String,
    pid: u32,
    guarded_url: String,
    basic: BasicMade,
    api_key: KeyMade,
    journey_hub: Option<HubMade>,
    journyx: Option<JournyxMade>,
    graph: Option<GraphMade>,
    expert: Option<ExpertMade>,
    hull: Option<HullMade>,
}

#[derive(Clone, Serialize, Deserialize)]
struct BasicMade {
    username: String,
    password: String,
    api_key: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct KeyMade {
    key: String,
    header: String,
}

pub(super) async fn run(mut config: Config, args: QuickstartArgs) -> anyhow::Result<()> {
    crate::logs::start(LogFormat::Human, LogLevel::Warn)?;
    config.server.listen = args.listen;
    (config.server.redirect, config.tls) = (None, None);
    let file = args.credentials.unwrap_or_else(|| config.store.data.join(FILE));
    let earlier = read(&file);
    let demo = crate::demo::start().await?;
    let house = House::open(config).await?;
    let clock = house.clock.clone();
    let server = Server::start(house).await?;
    let base_url = format!("http://{}", server.address);
    let address = server.address;
    let actions = server.actions(Actor::Operator("quickstart".into()));
    let stop = interrupted()?;
    let running = tokio::spawn(server.run(stop));
    guard_demo(&actions, &demo).await?;
    graph::listen(&actions, &demo).await?;
    mount_dialects(&actions, &base_url).await?;
    let earlier_hull = earlier.as_ref().and_then(|made| made.hull.clone());
    let earlier_hub = earlier.as_ref().and_then(|made| made.journey_hub.clone());
    let earlier_graph = earlier.as_ref().and_then(|made| made.graph.clone());
    let earlier_journyx = earlier.as_ref().and_then(|made| made.journyx.clone());
    let earlier_expert = earlier.as_ref().and_then(|made| made.expert.clone());
    let (basic, api_key) = credentials(&actions, address, earlier).await?;
    let owner = owner(&actions).await?;
    let journey_hub = Some(hub::make(&actions, &owner, &base_url, earlier_hub).await?);
    let of_owner = (&owner, &basic);
    let journyx = Some(journyx::make(&actions, of_owner, &clock, earlier_journyx).await?);
    let earlier_graph = earlier_graph.map(|it| it.into_secret());
    let graph = Some(graph::make(&actions, of_owner, address, earlier_graph).await?);
    let expert = Some(expert::make(&actions, &owner, (address, &clock), earlier_expert).await?);
    let place = (address, base_url.as_str());
    let hull = Some(hull::make(&actions, &owner, place, &clock, earlier_hull).await?);
    let guarded_url = format!("{base_url}/demo/hello");
    let pid = std::process::id();
    let made = Made {
        base_url,
        pid,
        guarded_url,
        basic,
        api_key,
        journey_hub,
        journyx,
        graph,
        hull,
        expert,
    };
    calls::show(&made, address, &clock).await?;
    write(&file, &made)?;
    say(&format!("Written to {}. Ctrl-C ends it.\n", file.display()));
    running.await?;
    Ok(())
}

fn read(file: &Path) -> Option<Made> {
    let bytes = SecretBuf::new(std::fs::read(file).ok()?);
    serde_json::from_slice(bytes.expose()).ok()
}

/// Renamed into place when it is whole: whoever waits for it can start at once.
fn write(file: &Path, made: &Made) -> anyhow::Result<()> {
    let text = SecretBuf::new(serde_json::to_vec_pretty(made)?);
    let partial = file.with_extension(format!("{}.tmp", std::process::id()));
    folder::write_new(&partial, text.expose())?;
    std::fs::rename(&partial, file).with_context(|| format!("writing `{}`", file.display()))
}

/// Guards the demo anew: its port is another one each time.
async fn guard_demo(actions: &Actions, demo: &Demo) -> anyhow::Result<()> {
    let definition = Definition {
        kind: Kind::Route,
        name: GUARD.into(),
        hosts: Vec::new(),
        prefix: "/demo/".into(),
        upstreams: vec![format!("http://{}", demo.address()).parse()?],
        upgrades: vec![],
        identity: Preset::USUAL.into(),
        assertion: false,
        schemes: scheme::ALL.iter().map(|kind| (kind.name, trial(kind.name))).collect(),
        networks: None,
        client_certificate: false,
        methods: Vec::new(),
        ability: None,
        pass_credential: false,
        strip_prefix: false,
    };
    stand(actions, definition).await
}

/// The options with which all of a scheme can be tried out.
fn trial(scheme: SchemeName) -> Options {
    let names = if scheme == scheme::CONNECTOR { &["query", "subjects"][..] } else { &[] };
    names.iter().map(|name| ((*name).to_owned(), "true".to_owned())).collect()
}

/// Makes a guard of the root, or what stands in its name into it.
async fn stand(actions: &Actions, definition: Definition) -> anyhow::Result<()> {
    match actions.find_guard(&definition.name).await {
        Ok(earlier) => Ok(actions.change_guard(&earlier, definition).await?),
        Err(ActionError::Missing(_)) => {
            Ok(actions.create_guard(actions.root().await?.id, definition).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// One working credential of every scheme: those of the earlier file that still pass at `address`,
/// and new ones in the place of the others, which are revoked.
async fn credentials(
    actions: &Actions,
    address: SocketAddr,
    earlier: Option<Made>,
) -> anyhow::Result<(BasicMade, KeyMade)> {
    let owner = owner(actions).await?;
    if owner.state == State::Disabled {
        // That was somebody's decision, and is not undone by the way.
        anyhow::bail!("the owner is disabled; `portcullis user enable {OWNER_LOGIN}` ends that");
    }
    let (basic, api_key) = earlier.map(|it| (it.basic, it.api_key)).unzip();
    let (password, basic_key) = basic.map(|it| (it.password, it.api_key)).unzip();
    let password = match passing(address, scheme::BASIC, password).await? {
        Some(kept) => kept,
        None => {
            let drawn = random_letters(PASSWORD)?;
            actions.set_password(&owner, &drawn).await?;
            drawn.expose_text().to_owned()
        }
    };
    let key = async |name, earlier, label: &str| -> anyhow::Result<String> {
        if let Some(kept) = passing(address, name, earlier).await? {
            return Ok(kept);
        }
        for key in actions.list_keys(&owner).await? {
            if key.state != State::Deleted && key.label == label {
                actions.set_key_state(&key, State::Deleted).await?;
            }
        }
        let options = KeyOptions { label: label.into(), ..KeyOptions::default() };
        Ok(actions.create_key(&owner, options).await?.shown.expose_text().to_owned())
    };
    let api_key_of_basic = key(scheme::BASIC, basic_key, "quickstart, for basic").await?;
    let basic = BasicMade { username: OWNER_LOGIN.into(), password, api_key: api_key_of_basic };
    let key = key(scheme::API_KEY, api_key.map(|it| it.key), "quickstart").await?;
    Ok((basic, KeyMade { key, header: "X-Api-Key".into() }))
}

/// The secret, if the guard lets it pass: else it was revoked, or stands for nobody any more.
async fn passing(
    address: SocketAddr,
    name: SchemeName,
    secret: Option<String>,
) -> anyhow::Result<Option<String>> {
    let Some(secret) = secret else { return Ok(None) };
    let passes = calls::call(address, Some(&Credential::new(name, &secret))).await? == 200;
    Ok(passes.then_some(secret))
}

/// Every dialect on one origin, where their paths are disjoint by shape.
async fn mount_dialects(actions: &Actions, base_url: &str) -> anyhow::Result<()> {
    let root = actions.root().await?;
    let standing = actions.list_mounts().await?;
    for dialect in spoken::names() {
        let name = format!("quickstart-{}", dialect.replace('_', "-"));
        let mut options = spoken::trial(dialect);
        if dialect == spoken::EXPERT {
            // Another port is another origin.
            options.extend(expert::origin(base_url).map(|origin| ("origin".to_owned(), origin)));
        }
        if let Some(row) = standing.iter().find(|row| row.definition.name == name) {
            if dialect != spoken::EXPERT || row.definition.options == options {
                continue;
            }
            actions.delete_mount(row).await?;
        }
        let definition = mount::Definition {
            name,
            dialect: dialect.into(),
            hosts: Vec::new(),
            prefix: "/".into(),
            options,
        };
        actions.create_mount(&root, definition).await?;
    }
    Ok(())
}

/// The user who owns the root organization; made if there is none.
async fn owner(actions: &Actions) -> anyhow::Result<UserRow> {
    let root = actions.root().await?.id;
    let owner = match actions.find_user(root, OWNER_LOGIN).await {
        Err(ActionError::Missing(_)) => {
            let login = Some(OWNER_LOGIN.to_owned());
            let options =
                UserOptions { login, name: Some("Owner".into()), ..UserOptions::default() };
            actions.create_user(root, options).await?
        }
        found => found?,
    };
    let role = actions.find_role(root, OWNER.name).await?;
    actions.set_grant(Holder::User(owner.id), &role, (root, State::Active)).await?;
    Ok(owner)
}
