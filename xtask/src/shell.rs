//! Starts other programs: loudly, quietly, or only to see whether they are there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// Runs a command with its output on the terminal; an error unless it succeeds.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let text = words(command);
    println!("    {text}");
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("start `{text}`"))?;
    if !status.success() {
        bail!("`{text}`: {status}");
    }
    Ok(())
}

/// Runs a command silently and returns what it printed; its complaints are in the error.
pub(crate) fn read(command: &mut Command) -> anyhow::Result<String> {
    let text = words(command);
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("start `{text}`"))?;
    if !output.status.success() {
        bail!("`{text}`: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{text}` printed no text"))
}

/// Whether a command can be started and succeeds.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    read(command).is_ok()
}

/// Whether this program may do everything.
pub(crate) fn is_root() -> bool {
    read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// The cargo that started this program, in the root of the workspace.
pub(crate) fn cargo<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo told us about ourselves misleads others: cargo-machete takes it for its own.
    let ours = std::env::vars_os().map(|(name, _)| name).filter(|name| about_xtask(name));
    ours.for_each(|name| {
        command.env_remove(name);
    });
    command.args(arguments).current_dir(root());
    command
}

fn about_xtask(variable: &OsStr) -> bool {
    let name = variable.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// The root of the workspace, as cargo tells it when it starts this program.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    manifest.as_deref().and_then(Path::parent).map_or_else(|| ".".into(), Path::to_path_buf)
}

/// What `cargo metadata` knows of the workspace's own crates.
pub(crate) fn metadata() -> anyhow::Result<serde_json::Value> {
    let json = read(&mut cargo(["metadata", "--no-deps", "--format-version", "1"]))?;
    serde_json::from_str(&json).context("read the answer of `cargo metadata`")
}

/// The command as one would type it, less the way to the program.
fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
