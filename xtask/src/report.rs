//! Runs steps one after the other, and tells at the end how each of them went.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How a step ended; a failure is an error.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It found nothing wrong.
    Passed,
    /// It could not be run, and why.
    NotRun(String),
}

/// The steps so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    result: anyhow::Result<Verdict>,
    took: Duration,
}

impl Report {
    /// Runs a step and keeps its result; the next one runs whatever this one says.
    pub(crate) fn step(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> anyhow::Result<Verdict>,
    ) {
        println!("\n{} {name}", bold("==>"));
        let start = Instant::now();
        let row = Row { name, result: step(), took: start.elapsed() };
        println!("{} {name}: {}, {:.1} s", bold("<=="), row.verdict(0), row.took.as_secs_f64());
        if let Err(error) = &row.result {
            println!("    {error:#}");
        }
        self.rows.push(row);
    }

    /// Prints the table and the counts; true if nothing failed.
    pub(crate) fn finish(&self) -> bool {
        println!("\n{:<16} {:<8} {:>8}", "step", "result", "seconds");
        for row in &self.rows {
            println!("{:<16} {} {:>8.1}", row.name, row.verdict(8), row.took.as_secs_f64());
        }
        self.list("failed", |row| row.result.as_ref().err().map(|error| format!("{error:#}")));
        self.list("not run", |row| match &row.result {
            Ok(Verdict::NotRun(reason)) => Some(reason.clone()),
            Ok(Verdict::Passed) | Err(_) => None,
        });
        let (passed, failed, skipped) = self.counts();
        println!("\n{passed} passed, {failed} failed, {skipped} skipped");
        failed == 0
    }

    fn list(&self, title: &str, reason: impl Fn(&Row) -> Option<String>) {
        let rows = self.rows.iter().filter_map(|row| Some((row.name, reason(row)?)));
        for (index, (name, reason)) in rows.enumerate() {
            if index == 0 {
                println!("\n{title}:");
            }
            println!("  {name}: {reason}");
        }
    }

    fn counts(&self) -> (usize, usize, usize) {
        self.rows.iter().fold((0, 0, 0), |(passed, failed, skipped), row| match row.result {
            Ok(Verdict::Passed) => (passed + 1, failed, skipped),
            Err(_) => (passed, failed + 1, skipped),
            Ok(Verdict::NotRun(_)) => (passed, failed, skipped + 1),
        })
    }
}

impl Row {
    /// The result in words; filled up before it is coloured, or the table would shift.
    fn verdict(&self, width: usize) -> String {
        let (colour, word) = match self.result {
            Ok(Verdict::Passed) => (GREEN, "passed"),
            Ok(Verdict::NotRun(_)) => (YELLOW, "not run"),
            Err(_) => (RED, "failed"),
        };
        paint(colour, &format!("{word:<width$}"))
    }
}

/// Red on a terminal.
pub(crate) fn red(text: &str) -> String {
    paint(RED, text)
}

/// Bold on a terminal.
pub(crate) fn bold(text: &str) -> String {
    paint(BOLD, text)
}

fn paint(code: &str, text: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some() || !std::io::stdout().is_terminal();
    if plain { text.to_owned() } else { format!("\x1b[{code}m{text}\x1b[0m") }
}

// ECMA-48, section 8.3.117: graphic rendition.
const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_does_not_stop_the_next_and_fails_the_whole() {
        let mut report = Report::default();
        report.step("one", || anyhow::bail!("broken"));
        report.step("two", || Ok(Verdict::Passed));
        report.step("three", || Ok(Verdict::NotRun("absent".into())));
        assert_eq!(report.counts(), (1, 1, 1));
        assert!(!report.finish());
    }

    #[test]
    fn a_step_that_was_not_run_is_no_failure() {
        let mut report = Report::default();
        report.step("one", || Ok(Verdict::NotRun("absent".into())));
        assert!(report.finish());
    }
}
