//! What `test` and `soak` run, in order.

use std::process::Command;

use crate::clients::Clients;
use crate::postgres::{self, Server};
use crate::report::{Report, Verdict};
use crate::shell::{cargo, run, succeeds};
use crate::{dependents, docs, layers};

/// Where the tests look for a `PostgreSQL`; without it those that need one do not run.
pub(crate) const POSTGRES: &str = "PORTCULLIS_TEST_POSTGRES";

/// How long the tests with a choice take: `full` for the long form.
const LENGTH: &str = "PORTCULLIS_TEST_LENGTH";

/// Checks everything; true if nothing failed. `extra` goes to `cargo test`.
pub(crate) fn test(extra: &[&str]) -> anyhow::Result<bool> {
    let mut report = Report::default();
    let server = database(&mut report);
    let clients = Clients::prepare(&mut report);
    report.step("fmt", || with("fmt", "rustup component add rustfmt", &mut format()));
    report.step("clippy", || with("clippy", "rustup component add clippy", &mut lint()));
    report.step("doc", || passed(&mut document()));
    report.step("tests", || passed(tests(server.as_ref(), &clients).args(extra)));
    drop(server);
    report.step("layers", || layers::check().map(|()| Verdict::Passed));
    report.step("generated docs", || docs::check().map(|()| Verdict::Passed));
    report.step("cargo-deny", deny);
    report.step("cargo-machete", machete);
    Ok(report.finish())
}

/// Runs every test in release mode and at full length; true if nothing failed.
pub(crate) fn soak() -> anyhow::Result<bool> {
    let mut report = Report::default();
    let server = database(&mut report);
    let clients = Clients::prepare(&mut report);
    let mut tests = tests(server.as_ref(), &clients);
    report.step("tests", || passed(tests.arg("--release").env(LENGTH, "full")));
    drop(server);
    Ok(report.finish())
}

fn format() -> Command {
    cargo(["fmt", "--all", "--check"])
}

fn lint() -> Command {
    let mut command = cargo(["clippy", "--workspace", "--all-targets", "--all-features"]);
    command.args(["--keep-going", "--", "-D", "warnings"]);
    command
}

fn document() -> Command {
    let mut command = cargo(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    command.env("RUSTDOCFLAGS", "-Dwarnings");
    command
}

fn tests(server: Option<&Server>, clients: &Clients) -> Command {
    let mut command = cargo(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    command.envs(server.map(|server| (POSTGRES, server.url())));
    command.envs(clients.variables());
    command
}

fn deny() -> anyhow::Result<Verdict> {
    if let Some(reason) = missing("deny") {
        return Ok(Verdict::NotRun(reason));
    }
    // cargo-deny looks at every platform's crates, and a build has fetched only this one's.
    run(&mut cargo(["fetch", "--locked"]))?;
    passed(&mut cargo(["deny", "--offline", "check", "bans", "licenses", "sources"]))
}

fn machete() -> anyhow::Result<Verdict> {
    missing("machete")
        .map_or_else(|| passed(&mut cargo(["machete"])), |reason| Ok(Verdict::NotRun(reason)))
}

/// A `PostgreSQL` for the tests: the one given, or our own for as long as the value lives.
fn database(report: &mut Report) -> Option<Server> {
    let mut server = None;
    report.step("postgresql", || {
        if std::env::var_os(POSTGRES).is_some() {
            println!("    using the server {POSTGRES} names");
            return Ok(Verdict::Passed);
        }
        match postgres::find_or_install() {
            Ok(binaries) => server = Some(Server::start(&binaries)?),
            Err(reason) => {
                let tests = dependents::mentioning(POSTGRES)?.join("\n    ");
                return Ok(Verdict::NotRun(format!(
                    "{reason}; without it, on SQLite alone or not at all:\n    {tests}"
                )));
            }
        }
        Ok(Verdict::Passed)
    });
    server
}

fn passed(command: &mut Command) -> anyhow::Result<Verdict> {
    run(command).map(|()| Verdict::Passed)
}

/// Runs a command of a cargo component that may not be installed.
fn with(component: &str, remedy: &str, command: &mut Command) -> anyhow::Result<Verdict> {
    if !succeeds(&mut cargo([component, "--version"])) {
        return Ok(Verdict::NotRun(format!("not installed; `{remedy}`")));
    }
    passed(command)
}

/// Why a cargo subcommand cannot be run; CI installs it first.
fn missing(subcommand: &str) -> Option<String> {
    let there = || succeeds(&mut cargo([subcommand, "--version"]));
    if there() {
        return None;
    }
    let package = format!("cargo-{subcommand}");
    let install = format!("cargo install --locked {package}");
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        let result = run(&mut cargo(["install", "--locked", &package]));
        return (!there()).then(|| match result {
            Ok(()) => format!("installed, but cargo does not find it; `{install}`"),
            Err(error) => format!("could not be installed: {error:#}"),
        });
    }
    Some(format!("not installed; `{install}`"))
}
