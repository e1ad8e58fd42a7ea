//! `portcullis quickstart`: the first sixty seconds.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use http::{HeaderName, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use portcullis_core::ability::OWNER;
use portcullis_core::guard::Definition;
use portcullis_core::id::Id;
use portcullis_core::mount;
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::Holder;
use portcullis_core::scheme::hub_token::proof;
use portcullis_core::scheme::{self, Options, SchemeName};
use portcullis_core::seal;
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Clock as _;
use portcullis_core::token::random_letters;
use portcullis_store::connections::Connection;
use portcullis_store::folder;
use portcullis_store::templates::NewTemplate;
use portcullis_store::users::UserRow;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{interrupted, say};
use crate::actions::keys::KeyOptions;
use crate::actions::users::UserOptions;
use crate::actions::{ActionError, Actions, Actor};
use crate::clock::SystemClock;
use crate::config::{Config, LogFormat, LogLevel};
use crate::demo::Demo;
use crate::serve::{House, Server, spoken};

/// The file with what the quickstart made, in the data folder.
pub(super) const FILE: &str = "quickstart.json";
/// The name of the demo's guard.
const GUARD: &str = "quickstart-demo";
/// The login name of the owner.
const OWNER_LOGIN: &str = "owner";
/// How long a nonce of the exchange is, in characters.
const NONCE: usize = 32;
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
}

#[derive(Clone, Serialize, Deserialize)]
struct HubMade {
    url: String,
    user_id: String,
    secret: String,
    organization_id: String,
    template_id: String,
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
    mount_dialects(&actions).await?;
    let earlier_hub = earlier.as_ref().and_then(|made| made.journey_hub.clone());
    let (basic, api_key) = credentials(&actions, address, earlier).await?;
    let journey_hub = Some(hub(&actions, &base_url, earlier_hub).await?);
    let guarded_url = format!("{base_url}/demo/hello");
    let pid = std::process::id();
    let made = Made { base_url, pid, guarded_url, basic, api_key, journey_hub };
    show(&made, address, &clock).await?;
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
    match actions.find_guard(GUARD).await {
        Ok(earlier) => actions.delete_guard(&earlier).await?,
        Err(ActionError::Missing(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let definition = Definition {
        name: GUARD.into(),
        hosts: Vec::new(),
        prefix: "/demo/".into(),
        upstream: format!("http://{}", demo.address()).parse()?,
        schemes: scheme::ALL.iter().map(|kind| (kind.name, Options::new())).collect(),
        networks: None,
        methods: Vec::new(),
        ability: None,
        pass_credential: false,
        strip_prefix: false,
    };
    Ok(actions.create_guard(actions.root().await?.id, definition).await?)
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
    Ok((call(address, Some((name, &secret))).await? == 200).then_some(secret))
}

/// Every dialect on one origin, where their paths are disjoint by shape.
async fn mount_dialects(actions: &Actions) -> anyhow::Result<()> {
    let root = actions.root().await?;
    let standing = actions.list_mounts().await?;
    for dialect in spoken::names() {
        let name = format!("quickstart-{}", dialect.replace('_', "-"));
        if standing.iter().any(|row| row.definition.name == name) {
            continue;
        }
        let definition = mount::Definition {
            name,
            dialect: dialect.into(),
            hosts: Vec::new(),
            prefix: "/".into(),
            options: Options::new(),
        };
        actions.create_mount(&root, definition, spoken::paths).await?;
    }
    Ok(())
}

/// The owner's secret for Journey Hub, and a template to make projects from.
async fn hub(
    actions: &Actions,
    base_url: &str,
    earlier: Option<HubMade>,
) -> anyhow::Result<HubMade> {
    let (root, owner) = (actions.root().await?, owner(actions).await?);
    let held = actions.find_hub_secret(&owner).await?;
    let kept = earlier.map(|made| made.secret).filter(|secret| {
        held.is_some_and(|held| seal::equal(held.secret.expose(), secret.as_bytes()))
    });
    let secret = match kept {
        Some(secret) => secret,
        None => actions.create_hub_secret(&owner).await?.expose_text().to_owned(),
    };
    let template = match actions.list_templates(root.id, 0, 1).await?.pop() {
        Some(template) => template,
        None => actions.create_template(template(root.id)).await?,
    };
    Ok(HubMade {
        url: format!("{base_url}/api/v1/"),
        user_id: owner.number.to_string(),
        secret,
        organization_id: root.number.to_string(),
        template_id: template.number.to_string(),
    })
}

fn template(organization: Id<Organization>) -> NewTemplate {
    let connection = Connection { id: "1".into(), name: "Incoming".into(), kind: "queue".into() };
    NewTemplate {
        organization,
        name: "Quickstart".into(),
        description: "A template with one connection, to try projects out".into(),
        connections: vec![connection],
    }
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

/// Calls the guarded address with each credential and without, and prints what came of it.
async fn show(made: &Made, address: SocketAddr, clock: &SystemClock) -> anyhow::Result<()> {
    let url = &made.guarded_url;
    let user = format!("{}:{}", made.basic.username, made.basic.password);
    let hub = hub_token(made, address).await?;
    let with_key = format!("{}:{}", made.basic.username, made.basic.api_key);
    let rows = [
        ("no credential", None, 401, format!("curl -i {url}")),
        (
            "basic",
            Some((scheme::BASIC, made.basic.password.as_str())),
            200,
            format!("curl -u '{user}' {url}"),
        ),
        (
            "basic with API key",
            Some((scheme::BASIC, made.basic.api_key.as_str())),
            200,
            format!("curl -u '{with_key}' {url}"),
        ),
        (
            "api_key",
            Some((scheme::API_KEY, made.api_key.key.as_str())),
            200,
            format!("curl -H '{}: {}' {url}", made.api_key.header, made.api_key.key),
        ),
        (
            "hub_token",
            Some((scheme::HUB_TOKEN, hub.as_str())),
            200,
            format!("curl -H 'Authorization: {hub}' {url}"),
        ),
    ];
    say(&format!("Portcullis guards a demo API at {url}\n\n"));
    let mut failed = false;
    for (name, credential, expected, curl) in rows {
        let begun = clock.now().boot;
        let status = call(address, credential).await?;
        let spent = clock.now().boot.saturating_sub(begun);
        let mark = if status == expected { "✓" } else { "✗" };
        failed |= status != expected;
        say(&format!("{mark} {name:<19} {status} {spent:>4} ms   {curl}\n"));
    }
    anyhow::ensure!(!failed, "the guard did not answer as it should");
    say("\nNext, guard your own API:\n");
    say("  portcullis guard create my-api --path /api --upstream http://127.0.0.1:9000\n\n");
    Ok(())
}

/// A token of Journey Hub, as a client gets it.
async fn hub_token(made: &Made, address: SocketAddr) -> anyhow::Result<String> {
    let hub = made.journey_hub.as_ref().context("no secret of Journey Hub")?;
    let nonce = random_letters(NONCE)?.expose_text().to_owned();
    let hash = proof(&SecretBuf::new(hub.secret.as_str()), &nonce);
    let body = json!({ "userId": hub.user_id, "nonce": nonce, "hash": hash }).to_string();
    let request = Request::post("/api/v1/token")
        .header("Host", address.to_string())
        .header("Content-Type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let answer = send(address, request).await?.into_body().collect().await?.to_bytes();
    let answer: Value = serde_json::from_slice(&answer)?;
    let token = answer.pointer("/tokens/0/token").and_then(Value::as_str);
    Ok(token.context("the exchange of Journey Hub gave no token")?.to_owned())
}

async fn call(address: SocketAddr, credential: Option<(SchemeName, &str)>) -> anyhow::Result<u16> {
    let mut request = Request::get("/demo/hello").header("Host", address.to_string());
    if let Some((name, secret)) = credential {
        let kind = scheme::ALL.iter().find(|kind| kind.name == name).context("no such scheme")?;
        let (header, value): (HeaderName, SecretBuf) = (kind.present)(OWNER_LOGIN, secret);
        request = request.header(header, value.expose());
    }
    Ok(send(address, request.body(Full::new(Bytes::new()))?).await?.status().as_u16())
}

async fn send(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Response<Incoming>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}
