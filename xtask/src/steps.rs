//! The steps of a whole run, told as they go and summed up at the end.

use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;

use crate::postgres::Postgres;
use crate::{layers, print};

/// What a run has found so far.
#[derive(Default)]
struct Run {
    told: Vec<(String, Outcome, f32)>,
}

#[derive(Clone, PartialEq, Eq)]
enum Outcome {
    Failed,
    NotRun(String),
    Passed,
}

/// Everything; whether it passed.
pub(crate) fn test() -> anyhow::Result<bool> {
    let mut run = Run::default();
    let postgres = run.postgres();
    run.cargo("format", &["fmt", "--all", "--check"], &[]);
    run.cargo(
        "lints",
        &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
        &[],
    );
    run.cargo(
        "documentation",
        &["doc", "--workspace", "--no-deps", "--document-private-items"],
        &[("RUSTDOCFLAGS", "-Dwarnings")],
    );
    run.cargo("tests", &["test", "--workspace", "--all-features"], &environment(postgres.as_ref()));
    run.step("layers", || layers::check().map(|()| true));
    run.tool(
        "licences and bans",
        "cargo-deny",
        &["deny", "--offline", "check", "bans", "licenses", "sources"],
    );
    run.tool("unused dependencies", "cargo-machete", &["machete"]);
    Ok(run.sum_up())
}

/// The tests at full length.
pub(crate) fn soak() -> anyhow::Result<bool> {
    let mut run = Run::default();
    let postgres = run.postgres();
    let mut variables = environment(postgres.as_ref());
    variables.push(("PORTCULLIS_TEST_LENGTH", "full"));
    run.cargo("tests", &["test", "--release", "--workspace", "--all-features"], &variables);
    Ok(run.sum_up())
}

fn environment(postgres: Option<&Postgres>) -> Vec<(&'static str, &str)> {
    postgres.map(|it| ("PORTCULLIS_TEST_POSTGRES", it.url.as_str())).into_iter().collect()
}

impl Run {
    /// The private PostgreSQL, or a line in the sum that it was not there.
    fn postgres(&mut self) -> Option<Postgres> {
        print("== PostgreSQL\n");
        match Postgres::start() {
            Ok(postgres) => Some(postgres),
            Err(error) => {
                let why = format!("{error:#}");
                self.told.push(("tests on PostgreSQL".into(), Outcome::NotRun(why), 0.0));
                None
            }
        }
    }

    fn step(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<bool>) {
        print(&format!("== {name}\n"));
        let begun = Instant::now();
        let outcome = match work() {
            Ok(true) => Outcome::Passed,
            Ok(false) => Outcome::Failed,
            Err(error) => {
                print(&format!("{error:#}\n"));
                Outcome::Failed
            }
        };
        self.told.push((name.into(), outcome, begun.elapsed().as_secs_f32()));
    }

    fn cargo(&mut self, name: &str, arguments: &[&str], variables: &[(&str, &str)]) {
        self.step(name, || {
            let mut command = Command::new("cargo");
            command.args(arguments).envs(variables.iter().copied());
            Ok(command.status().context("cargo")?.success())
        });
    }

    /// A step whose tool may be missing.
    fn tool(&mut self, name: &str, tool: &str, arguments: &[&str]) {
        if Command::new(tool).arg("--version").output().is_ok() {
            return self.cargo(name, arguments, &[]);
        }
        let why = format!("{tool} is missing: cargo install --locked {tool}");
        self.told.push((name.into(), Outcome::NotRun(why), 0.0));
    }

    fn sum_up(&self) -> bool {
        print("\n");
        for (name, outcome, seconds) in &self.told {
            let told = match outcome {
                Outcome::Failed => "FAILED".to_owned(),
                Outcome::NotRun(why) => format!("not run: {why}"),
                Outcome::Passed => "passed".to_owned(),
            };
            print(&format!("{name:<22} {seconds:>6.1} s  {told}\n"));
        }
        let count = |test: fn(&Outcome) -> bool| {
            self.told.iter().filter(|(_, outcome, _)| test(outcome)).count()
        };
        let passed = count(|it| *it == Outcome::Passed);
        let failed = count(|it| *it == Outcome::Failed);
        let skipped = count(|it| matches!(it, Outcome::NotRun(_)));
        print(&format!("{passed} passed, {failed} failed, {skipped} skipped\n"));
        failed == 0
    }
}
