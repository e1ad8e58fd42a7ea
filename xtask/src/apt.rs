//! Packages of a Debian-like system, installed where we have the rights.

use std::process::Command;

use anyhow::bail;

use crate::shell::{is_root, run, succeeds};

/// Installs packages that are missing; an error if that is not ours to do, or fails.
pub(crate) fn install(packages: &[&str]) -> anyhow::Result<()> {
    let Some(words) = words() else { bail!("no `apt-get`, or no right to use it") };
    let apt = |arguments: &[&str]| {
        let words = words.iter().chain(arguments);
        run(Command::new("env").arg("DEBIAN_FRONTEND=noninteractive").args(words))
    };
    // A stale or partly unreachable list may still hold the packages.
    let updated = apt(&["update"]);
    let options = ["install", "-y", "--no-upgrade", "--no-install-recommends"];
    apt(&[&options[..], packages].concat()).or_else(|error| {
        updated?;
        Err(error)
    })
}

/// The words that start `apt-get` with the rights to install, if we have them.
fn words() -> Option<Vec<&'static str>> {
    if !succeeds(Command::new("apt-get").arg("--version")) {
        return None;
    }
    if is_root() {
        return Some(vec!["apt-get"]);
    }
    succeeds(Command::new("sudo").args(["-n", "true"])).then(|| vec!["sudo", "-n", "apt-get"])
}
