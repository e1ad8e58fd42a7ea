//! Holds the direction of dependencies: who may import whom, and who may do what.

mod paths;
mod rules;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

use self::rules::{CRATE_RULES, CrateRule, SOURCE_RULES, SourceRule};
use crate::shell::{metadata, root};

/// Checks every rule and prints each place that breaks one.
pub(crate) fn check() -> anyhow::Result<()> {
    let offences = offences()?;
    if offences.is_empty() {
        println!("    {} rules hold", CRATE_RULES.len() + SOURCE_RULES.len());
        return Ok(());
    }
    for offence in &offences {
        println!("    {offence}");
    }
    bail!("{} imports point the wrong way", offences.len())
}

/// One place that breaks one rule.
#[derive(Debug)]
struct Offence {
    file: String,
    line: usize,
    what: String,
    rule: &'static str,
    reason: &'static str,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, what, rule, reason } = self;
        write!(f, "{file}:{line}: `{what}`, but {rule}: {reason}")
    }
}

fn offences() -> anyhow::Result<Vec<Offence>> {
    let mut found = Vec::new();
    let metadata = metadata()?;
    for rule in CRATE_RULES {
        let (edges, manifest) = edges(&metadata, rule.of)?;
        found.extend(crate_offences(rule, &edges, &manifest));
    }
    for name in ["portcullis-core", "portcullis-store", "portcullis"] {
        let folder = root().join("crates").join(name).join("src");
        for file in sources(&folder)? {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let module = module(file.strip_prefix(&folder)?);
            let shown = file.strip_prefix(root())?.display().to_string();
            found.extend(source_offences(name, &module, &shown, &text));
        }
    }
    Ok(found)
}

/// The names of what a crate depends on outside its tests, and the text of its manifest.
fn edges(metadata: &Value, name: &str) -> anyhow::Result<(Vec<String>, String)> {
    let packages = metadata.get("packages").and_then(Value::as_array);
    let packages = packages.context("cargo metadata names no packages")?;
    let package = packages.iter().find(|package| text(package, "name") == Some(name));
    let package = package.with_context(|| format!("the workspace has no crate `{name}`"))?;
    let dependencies = package.get("dependencies").and_then(Value::as_array);
    let dependencies = dependencies.context("a crate without a list of dependencies")?;
    let shipped = dependencies.iter().filter(|edge| text(edge, "kind") != Some("dev"));
    let names = shipped.filter_map(|edge| text(edge, "name")).map(str::to_owned);
    let manifest = text(package, "manifest_path").context("a crate without a manifest")?;
    Ok((names.collect(), fs::read_to_string(manifest)?))
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

fn crate_offences(rule: &CrateRule, edges: &[String], manifest: &str) -> Vec<Offence> {
    let forbidden = edges.iter().filter(|edge| rule.never.contains(&edge.as_str()));
    forbidden
        .map(|edge| Offence {
            file: format!("crates/{}/Cargo.toml", rule.of),
            line: manifest.lines().take_while(|line| !line.starts_with(edge.as_str())).count() + 1,
            what: edge.clone(),
            rule: rule.says,
            reason: rule.reason,
        })
        .collect()
}

fn source_offences(name: &str, module: &[String], file: &str, text: &str) -> Vec<Offence> {
    let rules: Vec<_> = SOURCE_RULES.iter().filter(|rule| rule.governs(name, module)).collect();
    if rules.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for path in paths::in_source(text, module) {
        for rule in rules.iter().filter(|rule| rule.forbids(&path.names, module)) {
            found.push(Offence {
                file: file.to_owned(),
                line: path.line,
                what: path.names.join("::"),
                rule: rule.says,
                reason: rule.reason,
            });
        }
    }
    found
}

impl SourceRule {
    fn governs(&self, name: &str, module: &[String]) -> bool {
        self.of.contains(&name)
            && (self.within.is_empty() || self.place(module).is_some())
            && !self.except.iter().any(|place| starts_with(module, place))
    }

    /// The place of this rule that a module belongs to.
    fn place(&self, module: &[String]) -> Option<&'static str> {
        self.within.iter().copied().find(|place| starts_with(module, place))
    }

    /// Whether a path may not stand in a module; every place may name what is its own.
    fn forbids(&self, path: &[String], module: &[String]) -> bool {
        let own = self.place(module).map(|place| format!("crate::{place}"));
        let allowed = own.iter().map(String::as_str).chain(self.but.iter().copied());
        self.never.iter().any(|never| contains(path, never))
            && !allowed.into_iter().any(|allowed| starts_with(path, allowed))
    }
}

fn starts_with(path: &[String], prefix: &str) -> bool {
    let mut names = path.iter();
    prefix.split("::").all(|name| names.next().is_some_and(|next| next == name))
}

/// Whether the words stand next to each other in a path; one word alone needs a path after it,
/// since a variable may have that name.
fn contains(path: &[String], words: &str) -> bool {
    let words: Vec<&str> = words.split("::").collect();
    path.len() > 1 && path.windows(words.len()).any(|window| window == words)
}

/// Every source file below a folder, less those that hold only tests.
fn sources(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The module a file holds: `doors/proxy.rs` is `doors::proxy`, `main.rs` is the root.
fn module(file: &Path) -> Vec<String> {
    let file = file.with_extension("");
    let names = file.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| !matches!(name.as_str(), "main" | "lib")).collect()
}

#[cfg(test)]
mod tests;
