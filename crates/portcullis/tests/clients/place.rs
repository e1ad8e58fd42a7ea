//! Where a client runs: the quickstart on each engine there is, and the tool that runs the client.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{Home, Quickstart, database, text};

/// The clients, in a folder for each vendor.
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients");

/// Runs `test` against the quickstart on SQLite, and on PostgreSQL where there is one.
pub(crate) fn on_each_engine(name: &str, test: impl Fn(&Quickstart)) {
    test(&Quickstart::start(Home::new()));
    if let Ok(server) = std::env::var("PORTCULLIS_TEST_POSTGRES") {
        let database = ("PORTCULLIS_DATABASE_URL", database(&server, &format!("client_{name}")));
        test(&Quickstart::start(Home::with(&[database])));
    }
}

/// A tool, if the variable that names its place is set; without it the test does not run.
pub(crate) fn tool(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

/// A client in Python, for the interpreter at `python`.
pub(crate) fn in_python(python: &Path, client: &str) -> Command {
    let mut command = alone(python);
    command.arg(Path::new(CLIENTS).join(client));
    command
}

/// A client in JavaScript, whose packages stand in the folder `modules`.
pub(crate) fn in_node(modules: &Path, client: &str) -> Command {
    let mut command = alone("node".as_ref());
    command.env("NODE_PATH", modules).arg(Path::new(CLIENTS).join(client));
    command
}

/// A client that another program runs.
pub(crate) fn in_program(program: &Path, client: &str) -> Command {
    let mut command = alone(program);
    command.arg(Path::new(CLIENTS).join(client));
    command
}

/// A client in the language of the shell.
pub(crate) fn in_shell(client: &str) -> Command {
    let mut command = alone("sh".as_ref());
    command.arg(Path::new(CLIENTS).join(client));
    command
}

/// A command that knows nothing of proxies, other authorities or anyone's passwords.
fn alone(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// What a client prints that must succeed.
#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{status}\n{}\n{}", text(&stdout), text(&stderr));
    text(&stdout)
}

/// What a client prints that must fail.
#[track_caller]
pub(crate) fn fail(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(!status.success(), "{}", text(&stdout));
    text(&stdout) + &text(&stderr)
}
