//! What a developer and CI run: one binary, started as `cargo xtask`.
#![expect(clippy::print_stdout, reason = "a tool of the terminal talks to the terminal")]

mod apt;
mod bench;
mod clients;
mod dependents;
mod docs;
mod layers;
mod postgres;
mod report;
mod shell;
mod steps;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask: what a developer and CI run

  cargo xtask COMMAND [OPTIONS]

Every day:
  test [-- ARGS]     Check everything: format, lints, documentation, tests, layers, generated
                     pages, licences, unused dependencies. Goes on after a failure and ends with
                     a table. ARGS go to `cargo test`. `ci` is the same.
  check-layers       Only this: no crate or module imports what it must not. Takes a second.
  gen-docs           Write docs/configuration.md and docs/cli.md from the program itself.
  gen-docs --check   Say whether they are current; change nothing.

Now and then:
  soak               Every test in release mode and at full length.
  bench              Time a decision, size of the binary, idle memory, processor time a request.
  bench slow         Only this: memory of slow connections of five kinds, 10 000 of each.
  build-times        Wall seconds of a cold debug and a cold release build.

Examples:
  cargo xtask test
  cargo xtask test -- expired                 only tests with `expired` in their name
  cargo xtask test -- -- --nocapture          what follows a second `--` goes to the test binaries

test and soak start a PostgreSQL of their own in a temporary folder and remove it afterwards. Where
no server is installed they install Debian's package (as root, or with a sudo that asks for no
password), and otherwise say what to install and which tests were not run. The same holds for what
the vendors' clients run on, and for the proxies that ask whether to forward: what Debian does not
have of it comes from the indices of Python and Node, into target/clients.

Environment:
  PORTCULLIS_TEST_POSTGRES   Use this server (postgres://user@host:port/database); start none.
  PORTCULLIS_TEST_PYTHON     Run the clients in Python by this interpreter; it has `requests`.
  PORTCULLIS_TEST_NODE_MODULES
                             The folder with `hull-client`, `request` and `uuid-js` for those in
                             JavaScript.
  CI=true                    Install cargo-machete and cargo-deny where they are missing.
  NO_COLOR                   No colour, on a terminal either.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{} {error:#}", report::red("error:"));
            ExitCode::FAILURE
        }
    }
}

/// Runs one command and says whether all was well.
fn run(words: &[&str]) -> anyhow::Result<bool> {
    match words {
        [] | ["help" | "-h" | "--help", ..] | [_, "-h" | "--help"] => {
            print!("{HELP}");
            Ok(true)
        }
        ["test" | "ci"] => steps::test(&[]),
        ["test" | "ci", "--", rest @ ..] => steps::test(rest),
        ["soak"] => steps::soak(),
        ["check-layers"] => layers::check().map(|()| true),
        ["gen-docs"] => docs::write().map(|()| true),
        ["gen-docs", "--check"] => docs::check().map(|()| true),
        ["bench"] => bench::run_all().map(|()| true),
        ["bench", "slow"] => bench::run_slow().map(|()| true),
        ["build-times"] => bench::build_times().map(|()| true),
        unknown => anyhow::bail!("no such command: `{}`; try `--help`", unknown.join(" ")),
    }
}
