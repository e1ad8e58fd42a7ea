//! Lines on their way to the standard error: a request leaves its line here and goes on, whether
//! or not anybody reads.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};

use crate::config::{LogFormat, LogLevel};

/// How many bytes of lines may wait to be written, some 4 000 requests; what comes then is lost.
const ROOM: usize = 1 << 20;
/// How long the end of the program waits for the last lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// As global as the subscriber that fills it.
static STDERR: Lines = Lines::new();

/// Has whatever is at least as important as `level` written to the standard error, from now on.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn start(format: LogFormat, level: LogLevel) -> io::Result<()> {
    let lines = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::from(level))
        .with_ansi(io::stderr().is_terminal())
        .with_writer(|| &STDERR);
    thread::Builder::new().name("log".into()).spawn(move || {
        loop {
            // Nobody is left to whom a broken standard error could be told.
            drop(STDERR.write_on(&mut io::stderr(), format));
        }
    })?;
    match format {
        LogFormat::Human => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}

/// Waits until every line is written, or nobody reads them.
pub(crate) fn flush() {
    STDERR.flush_within(PATIENCE);
}

impl From<LogLevel> for tracing::Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
        }
    }
}

/// Lines that wait for the one thread that writes them.
#[derive(Debug)]
struct Lines {
    waiting: Mutex<Waiting>,
    /// Told when a line has come, and when all are written.
    changed: Condvar,
}

#[derive(Debug)]
struct Waiting {
    text: Vec<u8>,
    /// How many lines found no room since this was told last.
    lost: u64,
    /// Whether lines taken from here are being written.
    writing: bool,
}

impl Lines {
    const fn new() -> Self {
        let waiting = Waiting { text: Vec::new(), lost: 0, writing: false };
        Self { waiting: Mutex::new(waiting), changed: Condvar::new() }
    }

    /// Nothing is written under this lock: it is held for as long as a line takes to copy.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a line, or counts it as lost.
    fn leave(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.text.len() + line.len() > ROOM {
            waiting.lost += 1;
            return;
        }
        waiting.text.extend_from_slice(line);
        drop(waiting);
        self.changed.notify_all();
    }

    /// Waits for lines and writes all there are, and how many were lost after them.
    fn write_on(&self, to: &mut impl Write, format: LogFormat) -> io::Result<()> {
        let empty = |waiting: &mut Waiting| waiting.text.is_empty();
        let waiting = self.changed.wait_while(self.waiting(), empty);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let (text, lost) = (std::mem::take(&mut waiting.text), std::mem::take(&mut waiting.lost));
        waiting.writing = true;
        drop(waiting);
        let mut written = to.write_all(&text);
        if lost > 0 {
            written = written.and_then(|()| to.write_all(note(lost, format).as_bytes()));
        }
        self.waiting().writing = false;
        self.changed.notify_all();
        written
    }

    fn flush_within(&self, patience: Duration) {
        let busy = |waiting: &mut Waiting| waiting.writing || !waiting.text.is_empty();
        drop(self.changed.wait_timeout_while(self.waiting(), patience, busy));
    }
}

/// Each write is a line; it always succeeds.
impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.leave(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The line that stands for `lost` others, in the form of its neighbours.
fn note(lost: u64, format: LogFormat) -> String {
    let mut now = String::new();
    // A string takes whatever is written to it.
    let _ = SystemTime.format_time(&mut Writer::new(&mut now));
    let message = "log lines were lost, for they came faster than they were read";
    match format {
        LogFormat::Human => format!("{now}  WARN {}: {message} lines={lost}\n", module_path!()),
        LogFormat::Json => {
            let fields = serde_json::json!({ "message": message, "lines": lost });
            let target = module_path!();
            let line = serde_json::json!({
                "timestamp": now, "level": "WARN", "fields": fields, "target": target,
            });
            format!("{line}\n")
        }
    }
}

#[cfg(test)]
mod tests;
