//! A server started by `portcullis quickstart`, to be measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::Scratch;
use super::load::Request;
use crate::shell::read;

/// The request the others are compared with: the demo upstream alone, a bare hyper server.
pub(super) const BASE: &str = "unguarded";

/// How long the server may take to write its file.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How often we look for it.
const POLL: Duration = Duration::from_millis(20);

/// A running server with its credentials; dropping it stops the server.
#[derive(Debug)]
pub(super) struct Quickstart {
    binary: PathBuf,
    child: Child,
    file: Value,
    folder: Scratch,
}

impl Quickstart {
    /// Starts a release binary on a free port and waits until it answers.
    pub(super) fn start(binary: &Path) -> anyhow::Result<Self> {
        let folder = Scratch::make("bench")?;
        let mut command = Command::new(binary);
        command.args(["quickstart", "--listen", "127.0.0.1:0", "--data"]).arg(&folder.0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("start {}", binary.display()))?;
        let mut server = Self { binary: binary.to_owned(), child, file: Value::Null, folder };
        let start = Instant::now();
        server.file = server.wait_for_file()?;
        println!("{:<28} {:>10.0} ms", "start until it answers", millis(start.elapsed()));
        Ok(server)
    }

    /// What to send, the one to compare with first.
    pub(super) fn requests(&self) -> anyhow::Result<[(&'static str, Request); 4]> {
        let guarded = self.text("/guarded_url")?;
        let (user, password) = (self.text("/basic/username")?, self.text("/basic/password")?);
        let basic = base64(format!("{user}:{password}").as_bytes());
        let key = format!("{}: {}\r\n", self.text("/api_key/header")?, self.text("/api_key/key")?);
        let health = format!("{}/healthz", self.text("/base_url")?);
        let unguarded = format!("{}/hello", self.upstream()?.trim_end_matches('/'));
        Ok([
            (BASE, Request::get(&unguarded, "")?),
            ("/healthz", Request::get(&health, "")?),
            ("guarded, API key", Request::get(guarded, &key)?),
            (
                "guarded, Basic",
                Request::get(guarded, &format!("Authorization: Basic {basic}\r\n"))?,
            ),
        ])
    }

    /// Where the demo upstream listens, as a command tells it.
    fn upstream(&self) -> anyhow::Result<String> {
        let mut list = Command::new(&self.binary);
        list.args(["guard", "list", "--json", "--data"]).arg(&self.folder.0);
        let guard: Value = serde_json::from_str(read(&mut list)?.trim()).context("one guard")?;
        let upstream = guard.get("upstream").and_then(Value::as_str);
        upstream.map(str::to_owned).context("the demo's guard names no upstream")
    }

    /// The memory it holds, in bytes.
    pub(super) fn memory(&self) -> anyhow::Result<u64> {
        memory(self.child.id())
    }

    /// The processor time that its threads have used, their own and the kernel's for them.
    pub(super) fn processor_time(&self) -> anyhow::Result<Duration> {
        let mut spent = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // Nanoseconds; the ticks of `stat` are too coarse for requests of some microseconds.
            let line = fs::read_to_string(thread?.path().join("schedstat"))?;
            let first = line.split_whitespace().next().context("an empty schedstat")?;
            spent += first.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(spent))
    }

    fn text(&self, pointer: &str) -> anyhow::Result<&str> {
        let value = self.file.pointer(pointer).and_then(Value::as_str);
        value.with_context(|| format!("quickstart.json has no {pointer}"))
    }

    /// The file is renamed into place once the server answers, so that it is whole if it is there.
    fn wait_for_file(&mut self) -> anyhow::Result<Value> {
        let file = self.folder.0.join("quickstart.json");
        let start = Instant::now();
        while start.elapsed() < START_LIMIT {
            if let Ok(json) = fs::read(&file) {
                return serde_json::from_slice(&json).context("read quickstart.json");
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("`portcullis quickstart` ended before it answered: {status}");
            }
            sleep(POLL);
        }
        bail!("no quickstart.json within {} s", START_LIMIT.as_secs())
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            println!("the server may still be running: {error}");
        }
    }
}

/// The memory that a process holds, in bytes.
pub(super) fn memory(process: u32) -> anyhow::Result<u64> {
    let status = proc(process, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")).context("no VmRSS")?;
    Ok(kibibytes.trim().parse::<u64>()? * 1024)
}

fn proc(process: u32, name: &str) -> anyhow::Result<String> {
    let path = format!("/proc/{process}/{name}");
    fs::read_to_string(&path).with_context(|| format!("read {path}"))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, at| {
            bits << 8 | group.get(at).map_or(0, |byte| usize::from(*byte))
        });
        for place in 0..4 {
            let letter = ALPHABET.get(bits >> (18 - 6 * place) & 63).copied().unwrap_or(b'=');
            text.push(if place <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), text, "{plain}");
        }
    }
}
