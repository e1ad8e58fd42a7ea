//! What a developer and CI run: `cargo xtask test`.

mod layers;
mod postgres;
mod steps;

use std::process::ExitCode;

const HELP: &str = "\
What a developer and CI run.

Usage: cargo xtask <COMMAND>

Commands:
  test          Pass everything: format, lints, documentation, tests on both engines, layers.
                Brings up its own private PostgreSQL; installs it if it may, or says how to
  soak          The tests again, optimised and at full length
  check-layers  Whether every arrow of ARCHITECTURE.md points the right way
";

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let outcome = match command.as_str() {
        "test" | "ci" => steps::test(),
        "soak" => steps::soak(),
        "check-layers" => layers::check().map(|()| true),
        _ => {
            print(HELP);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            print(&format!("error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Says `text` to whoever runs this.
#[expect(clippy::print_stdout, reason = "a command line speaks on standard output")]
pub(crate) fn print(text: &str) {
    print!("{text}");
}
