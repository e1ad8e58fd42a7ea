//! The command line.

mod assertion_keys;
mod connectors;
mod demands;
mod file_guards;
mod groups;
mod guards;
mod hull;
mod keys;
mod listeners;
mod mounts;
mod organizations;
mod output;
mod place;
mod quickstart;
mod reference;
mod roles;
mod secrets;
mod server_tokens;
mod sign;
mod templates;
mod users;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use portcullis_core::scheme;
use portcullis_core::time::{Clock, Timestamp};
use tokio::sync::watch;

use crate::actions::{Actions, Actor};
use crate::clock::SystemClock;
use crate::config::{self, Config, Known, LogFormat, LogLevel, Mistake, Mistakes, Roots};
use crate::serve::{House, Server, spoken, tls};
use crate::{logs, roots};
use output::Output;

/// What the first guard of one's own takes.
const EXAMPLES: &str = "\
Guard an API that listens on port 9000, and let one client in:
  portcullis serve &
  portcullis guard create my-api --path /api --upstream http://127.0.0.1:9000
  portcullis user create alice
  portcullis key create alice
  curl -H 'X-Api-Key: pcl_key_…' http://127.0.0.1:8080/api/

Commands work beside a running server, on the same data folder or database; what takes something
away answers when no server goes by it any more.";

/// The front door for an API: issues, verifies and revokes credentials, and guards upstreams.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct PlaceArgs {
    /// The configuration file; without one, defaults and environment
    #[arg(long, global = true, env = "PORTCULLIS_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// The data folder: the SQLite file, the master key, the control socket
    #[arg(long, global = true, env = "PORTCULLIS_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Try it out: one guarded demo API, one working credential of every scheme
    Quickstart(quickstart::QuickstartArgs),
    /// Serve: answer guarded requests, until Ctrl-C or SIGTERM
    Serve {
        /// Where to listen, whatever the configuration says
        #[arg(long)]
        listen: Option<SocketAddr>,
    },
    /// Tell every mistake of a configuration file, each with its place
    CheckConfig {
        /// The file
        file: PathBuf,
    },
    /// Print reference documentation
    #[command(subcommand, hide = true)]
    Docs(DocsCommand),
    /// Make, list, switch and delete organizations
    #[command(subcommand)]
    Org(organizations::OrgCommand),
    /// Make, list, switch and delete users, and set their passwords
    #[command(subcommand)]
    User(users::UserCommand),
    /// Make, list and delete groups of users
    #[command(subcommand)]
    Group(groups::GroupCommand),
    /// Make, list and change roles, and say who holds them where
    #[command(subcommand)]
    Role(roles::RoleCommand),
    /// Make, list, switch and revoke API keys
    #[command(subcommand)]
    Key(keys::KeyCommand),
    /// Secrets that are shared with the clients of one guard or listener
    #[command(subcommand)]
    Secret(secrets::SecretCommand),
    /// Make, list, switch and revoke connectors, and give them new secrets
    #[command(subcommand)]
    Connector(connectors::ConnectorCommand),
    /// Make, list, switch and revoke the keys with which servers sign for Expert
    #[command(subcommand)]
    ServerToken(server_tokens::ServerTokenCommand),
    /// Make, list and delete guards
    #[command(subcommand)]
    Guard(guards::GuardCommand),
    /// Rotate, list and retire the keys that sign what upstreams are told
    #[command(subcommand)]
    AssertionKey(assertion_keys::AssertionKeyCommand),
    /// Make, list and delete listeners
    #[command(subcommand)]
    Listener(listeners::ListenerCommand),
    /// Mount dialects, list and delete mounts
    #[command(subcommand)]
    Mount(mounts::MountCommand),
    /// Read back what connectors of Hull told
    #[command(subcommand)]
    Hull(hull::HullCommand),
    /// Make, list and delete templates of projects
    #[command(subcommand)]
    Template(templates::TemplateCommand),
    /// Print what a client must send to prove a secret
    #[command(subcommand)]
    Sign(sign::SignCommand),
}

#[derive(Subcommand)]
enum DocsCommand {
    /// Every command and option
    Cli,
    /// Every key of the configuration file
    Configuration,
    /// A file with every key, commented out
    Sample,
}

/// Runs the command that was given.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    // What answers requests has threads of its own.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let outcome = runtime.map_err(anyhow::Error::from).and_then(|it| it.block_on(execute(cli)));
    logs::flush();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn execute(cli: Cli) -> anyhow::Result<()> {
    let place = cli.place;
    let output = Output { json: place.json };
    match cli.command {
        Command::Quickstart(args) => quickstart::run(load(&place)?, args).await,
        Command::Serve { listen } => serve(load(&place)?, listen).await,
        Command::CheckConfig { file } => check_config(&file, &place),
        Command::Docs(DocsCommand::Cli) => {
            say(&reference::markdown(&mut Cli::command()));
            Ok(())
        }
        Command::Docs(DocsCommand::Configuration) => {
            let lines: Vec<_> =
                scheme::ALL.iter().map(|kind| (kind.name.as_str(), kind.summary)).collect();
            say(&config::markdown(&lines, &spoken::all()));
            Ok(())
        }
        Command::Docs(DocsCommand::Sample) => {
            say(&config::sample());
            Ok(())
        }
        Command::Org(command) => organizations::run(&open(&place).await?, command, output).await,
        Command::User(command) => users::run(&open(&place).await?, command, output).await,
        Command::Group(command) => groups::run(&open(&place).await?, command, output).await,
        Command::Role(command) => roles::run(&open(&place).await?, command, output).await,
        Command::Key(command) => {
            let house = house(&place).await?;
            let now = house.clock.now().wall;
            keys::run(&house.actions(operator()), now, command, output).await
        }
        Command::Secret(command) => {
            let house = house(&place).await?;
            let now = house.clock.now().wall;
            secrets::run(&house.actions(operator()), now, command, output).await
        }
        Command::Connector(command) => {
            let house = house(&place).await?;
            let now = house.clock.now().wall;
            connectors::run(&house.actions(operator()), now, command, output).await
        }
        Command::ServerToken(command) => {
            let house = house(&place).await?;
            let now = house.clock.now().wall;
            server_tokens::run(&house.actions(operator()), now, command, output).await
        }
        Command::Guard(command) => guards::run(&open(&place).await?, command, output).await,
        Command::AssertionKey(command) => {
            let house = house(&place).await?;
            let now = house.clock.now().wall;
            assertion_keys::run(&house.actions(operator()), now, command, output).await
        }
        Command::Listener(command) => listeners::run(&open(&place).await?, command, output).await,
        Command::Mount(command) => mounts::run(&open(&place).await?, command, output).await,
        Command::Hull(command) => hull::run(&open(&place).await?, command, output).await,
        Command::Template(command) => templates::run(&open(&place).await?, command, output).await,
        Command::Sign(command) => {
            sign::run(command, SystemClock::starting_at(Timestamp::MIN).now().wall)
        }
    }
}

/// Tells every mistake of a file, and what it had better not say.
fn check_config(file: &Path, place: &PlaceArgs) -> anyhow::Result<()> {
    let checked = read(Some(file), place).and_then(|config| {
        let demanding = config.guards.iter().filter(|guard| guard.client_certificate);
        warn_of_certificates(config.asks_clients(), demanding.map(|guard| &*guard.name));
        warn(&config)?;
        warn_of_unmounted(&config);
        Ok(())
    });
    if let Err(mistakes) = checked {
        let told: Vec<_> = mistakes.iter().collect();
        if place.json {
            say(&format!("{}\n", serde_json::json!(told)));
        }
        return Err(mistakes.into());
    }
    let none = format!("{} has no mistakes\n", file.display());
    say(if place.json { "[]\n" } else { &none });
    Ok(())
}

fn load(place: &PlaceArgs) -> Result<Config, Mistakes> {
    read(place.config.as_deref(), place)
}

/// Reads the file, the environment, and what the command line says in its place. A guard that
/// could not be built is a mistake of the file like any other.
fn read(file: Option<&Path>, place: &PlaceArgs) -> Result<Config, Mistakes> {
    let environment = |name: &str| match (name, &place.data) {
        ("PORTCULLIS_DATA", Some(data)) => Some(data.to_string_lossy().into_owned()),
        _ => std::env::var(name).ok(),
    };
    let schemes: Vec<&str> = scheme::ALL.iter().map(|kind| kind.name.as_str()).collect();
    let dialects = spoken::names();
    let known = Known { schemes: &schemes, dialects: &dialects };
    let config = config::load(file, &environment, &known)?;
    file_guards::check(&config.guards, &config.mounts)?;
    Ok(config)
}

async fn house(place: &PlaceArgs) -> anyhow::Result<House> {
    let config = load(place)?;
    logs::start(LogFormat::Human, LogLevel::Warn)?;
    House::open(config).await
}

/// The actions of whoever runs the command.
async fn open(place: &PlaceArgs) -> anyhow::Result<Actions> {
    Ok(house(place).await?.actions(operator()))
}

fn operator() -> Actor {
    let user = std::env::var("USER").unwrap_or_else(|_| "operator".into());
    Actor::Operator(format!("command line ({user})"))
}

async fn serve(mut config: Config, listen: Option<SocketAddr>) -> anyhow::Result<()> {
    config.server.listen = listen.unwrap_or(config.server.listen);
    logs::start(config.log.format, config.log.level)?;
    warn(&config)?;
    if config.store.data.join(quickstart::FILE).exists() {
        complain("warning: this folder holds the secrets of a quickstart; it is for trying out\n");
    }
    let (guards, mounts) = (config.guards.clone(), config.mounts.clone());
    let asks = config.asks_clients();
    let server = Server::start(House::open(config).await?).await?;
    let actions = server.actions(Actor::Operator("configuration file".into()));
    actions.set_file_guards(file_guards::stand(&actions, &guards).await?).await?;
    let mounts = file_guards::mounted(&actions, &mounts).await?;
    actions.set_file_mounts(mounts).await?;
    listeners::warn_of_unmounted(&actions).await?;
    let standing = actions.list_guards().await?;
    if let Some(row) = standing.iter().find(|row| row.definition.assertion) {
        actions.ensure_assertion_key(row.organization).await?;
    }
    let demanding = standing.iter().filter(|row| row.definition.client_certificate);
    warn_of_certificates(asks, demanding.map(|row| &*row.definition.name));
    if let Some(address) = server.redirects {
        complain(&format!("redirecting from http://{address}\n"));
    }
    complain(&format!("listening on {}\n", server.url()));
    server.run(interrupted()?).await;
    Ok(())
}

/// Says what `config` had better not do.
///
/// # Errors
/// The files that it names do not do.
fn warn(config: &Config) -> Result<(), Mistakes> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(Timestamp::MIN));
    if let Some(Roots { file, place }) = &config.server.upstream_roots {
        roots::read(file).map_err(|bad| {
            let mut mistakes = Mistakes::default();
            mistakes.push(Mistake::at(place, "server.upstream_roots", bad.to_string()));
            mistakes
        })?;
    }
    let of_tls = config.tls.as_ref().map(|tls| tls::check(tls, &clock)).transpose()?;
    let of_store = config.store.warning().map(ToOwned::to_owned);
    let forwarding = config.guards.iter().filter(|_| config.authz.peers.is_empty());
    let of_guards = forwarding.filter(|guard| guard.upstreams.is_empty()).map(|guard| {
        format!(
            "guard `{}` leads nowhere: it has no `upstream`, and `authz.peers` names no proxy that \
             would forward",
            guard.name
        )
    });
    for warning in of_tls.into_iter().flatten().chain(of_store).chain(of_guards) {
        complain(&format!("warning: {warning}\n"));
    }
    Ok(())
}

/// Says which guards can let nobody in, unless the server asks clients for certificates.
fn warn_of_certificates<'n>(asks: bool, demanding: impl Iterator<Item = &'n str>) {
    for name in demanding.filter(|_| !asks) {
        complain(&format!(
            "warning: guard `{name}` demands a certificate of clients, and without \
             `tls.client_ca` none is asked for: it refuses everybody\n"
        ));
    }
}

/// Says which listeners of `config` answer nowhere, unless the store has a mount for them.
fn warn_of_unmounted(config: &Config) {
    for id in file_guards::unmounted(&config.guards, &config.mounts) {
        complain(&format!(
            "warning: listener `{id}` answers nowhere, unless the store has a mount for its realm: \
             add [[mount]] with dialect = \"{}\"\n",
            spoken::LISTENERS
        ));
    }
}

/// Turns true on Ctrl-C or SIGTERM.
fn interrupted() -> anyhow::Result<watch::Receiver<bool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tell.send_replace(true);
    });
    Ok(told)
}

/// Says `text` to whoever runs the command.
#[expect(clippy::print_stdout, reason = "a command line speaks on standard output")]
fn say(text: &str) {
    print!("{text}");
}

/// Says what is wrong.
#[expect(clippy::print_stderr, reason = "a command line complains on standard error")]
fn complain(text: &str) {
    eprint!("{text}");
}
