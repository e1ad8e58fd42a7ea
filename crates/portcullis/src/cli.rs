//! The command line.

mod commands;
mod quickstart;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use portcullis_core::secret::SecretBuf;
use tokio::sync::watch;

use crate::serve::{House, Place, Server};

/// The front door for an API: issues, verifies and revokes credentials, and guards upstreams.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct PlaceArgs {
    /// The data folder: the SQLite file, the master key, the control socket
    #[arg(long, global = true, default_value = "portcullis-data", env = "PORTCULLIS_DATA")]
    data: PathBuf,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Try it out: one guarded demo API, one working credential of every scheme
    Quickstart(quickstart::QuickstartArgs),
    /// Serve
    Serve {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:8080", env = "PORTCULLIS_LISTEN")]
        listen: SocketAddr,
    },
    /// Make, list and switch users, and set their passwords
    #[command(subcommand)]
    User(commands::UserCommand),
    /// Make, list, switch and revoke API keys
    #[command(subcommand)]
    Key(commands::KeyCommand),
    /// Make, list and delete guards
    #[command(subcommand)]
    Guard(commands::GuardCommand),
}

/// Runs the command that was given.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let serves = matches!(cli.command, Command::Serve { .. });
    let level = if serves { tracing::Level::INFO } else { tracing::Level::WARN };
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).json().init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime.map_err(anyhow::Error::from).and_then(|it| it.block_on(execute(cli)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn execute(cli: Cli) -> anyhow::Result<()> {
    let json = cli.place.json;
    let place = Place {
        data: cli.place.data,
        database: secret("PORTCULLIS_DATABASE_URL"),
        master_key: secret("PORTCULLIS_MASTER_KEY"),
    };
    match cli.command {
        Command::Quickstart(args) => quickstart::run(place, args).await,
        Command::Serve { listen } => serve(place, listen).await,
        Command::User(command) => commands::user(&open(place).await?, command, json).await,
        Command::Key(command) => commands::key(&open(place).await?, command, json).await,
        Command::Guard(command) => commands::guard(&open(place).await?, command, json).await,
    }
}

async fn open(place: Place) -> anyhow::Result<House> {
    House::open(place).await
}

async fn serve(place: Place, listen: SocketAddr) -> anyhow::Result<()> {
    if place.data.join(quickstart::FILE).exists() {
        complain("warning: this folder holds the secrets of a quickstart; it is for trying out\n");
    }
    let server = Server::start(House::open(place).await?, listen).await?;
    server.actions("portcullis").root().await?;
    complain(&format!("listening on http://{}\n", server.address));
    server.run(interrupted()?).await;
    Ok(())
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

fn secret(variable: &str) -> Option<SecretBuf> {
    std::env::var(variable).ok().map(SecretBuf::new)
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
