//! What a request, a start and a build cost.

mod load;
mod quickstart;
mod slow;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use self::quickstart::Quickstart;
use crate::shell::{cargo, metadata, read, run};

/// How often each kind of request is measured.
const ROUNDS: u32 = 3;
/// How long a started server is left alone before its memory counts as idle.
const SETTLE: Duration = Duration::from_secs(2);

/// Times a decision and the provisioning API, then weighs a release server at rest and at work.
pub(crate) fn run_all() -> anyhow::Result<()> {
    run(&mut cargo([
        "bench",
        "-p",
        "portcullis",
        "--bench",
        "decision",
        "--bench",
        "hub",
        "--bench",
        "logins",
        "--bench",
        "tls",
        "--bench",
        "proxy",
    ]))?;
    run(&mut cargo(["build", "--release", "-p", "portcullis"]))?;
    let binary = target_folder()?.join("release/portcullis");
    println!("\n{:<28} {:>10.1} MiB", "binary, stripped", mib(fs::metadata(&binary)?.len()));
    println!("{:<28} {:>10.1} MiB", "idle memory (VmRSS)", mib(idle_memory(&binary)?));
    let server = Quickstart::start(&binary)?;
    sleep(SETTLE);
    println!("{:<28} {:>10.1} MiB", "after the first password", mib(server.memory()?));
    processor_time(&server)?;
    drop(server);
    slow::run_all(&binary)
}

/// Weighs slow connections alone.
pub(crate) fn run_slow() -> anyhow::Result<()> {
    run(&mut cargo(["build", "--release", "-p", "portcullis"]))?;
    slow::run_all(&target_folder()?.join("release/portcullis"))
}

/// The memory of an empty installation that serves, in bytes.
fn idle_memory(binary: &Path) -> anyhow::Result<u64> {
    let folder = Scratch::make("idle")?;
    let mut serve = Command::new(binary);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&folder.0);
    serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = serve.spawn().with_context(|| format!("start {}", binary.display()))?;
    let lines = child.stderr.take().map(|it| BufReader::new(it).lines().map_while(Result::ok));
    let listens = lines.into_iter().flatten().any(|line| line.starts_with("listening on"));
    sleep(SETTLE);
    let memory = quickstart::memory(child.id());
    child.kill()?;
    child.wait()?;
    ensure!(listens, "`portcullis serve` ended before it answered");
    memory
}

fn target_folder() -> anyhow::Result<PathBuf> {
    let metadata = metadata()?;
    let folder = metadata.get("target_directory").and_then(Value::as_str);
    folder.map(PathBuf::from).context("cargo names no target folder")
}

/// Prints what each kind of request costs the server, demo upstream and all.
fn processor_time(server: &Quickstart) -> anyhow::Result<()> {
    let each = load::REQUESTS;
    println!("\nprocessor time of the server for a request, the least of {ROUNDS} x {each}:");
    let requests = server.requests()?;
    let mut least = [Duration::MAX; 4];
    // In turns, so that all kinds meet the same moods of the machine.
    for _ in 0..ROUNDS {
        for ((_, request), least) in requests.iter().zip(&mut least) {
            load::send(request, load::WARM_UP)?;
            let before = server.processor_time()?;
            load::send(request, each)?;
            *least = server.processor_time()?.saturating_sub(before).min(*least);
        }
    }
    let mut base = None;
    for ((name, _), spent) in requests.iter().zip(least) {
        let micros = spent.as_secs_f64() * 1e6 / f64::from(each);
        let ratio = micros / *base.get_or_insert(micros);
        println!("{name:<28} {micros:>10.1} µs {ratio:>8.2} times {}", quickstart::BASE);
    }
    println!(
        "(unguarded is the demo upstream alone, a bare hyper server; a guarded request includes it)"
    );
    Ok(())
}

/// Builds twice from nothing, into a folder of its own, and prints how long it took.
pub(crate) fn build_times() -> anyhow::Result<()> {
    run(&mut cargo(["fetch", "--locked"]))?;
    for (name, options) in [("debug", &[][..]), ("release", &["--release"][..])] {
        let target = Scratch::make("build")?;
        let start = Instant::now();
        let mut build = cargo(["build", "--quiet", "--offline", "-p", "portcullis"]);
        run(build.args(options).env("CARGO_TARGET_DIR", &target.0))?;
        println!("{name:<8} {:>8.1} s", start.elapsed().as_secs_f64());
    }
    Ok(())
}

/// A temporary folder, removed when dropped.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn make(purpose: &str) -> anyhow::Result<Self> {
        let pattern = std::env::temp_dir().join(format!("portcullis-{purpose}.XXXXXX"));
        let folder = read(Command::new("mktemp").arg("-d").arg(pattern))?;
        Ok(Self(folder.trim().into()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            println!("{} was not removed: {error}", self.0.display());
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes are printed with one digit after the point")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
