//! Pages of `docs/` that the program writes about itself.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};

use crate::shell::{cargo, read, root};

/// What to ask the program for; the page of `docs/` has the same name.
const PAGES: [&str; 2] = ["configuration", "cli"];

/// Writes every page anew.
pub(crate) fn write() -> anyhow::Result<()> {
    for page in PAGES {
        let file = path(page);
        fs::create_dir_all(root().join("docs")).context("make the folder docs")?;
        fs::write(&file, render(page)?).with_context(|| format!("write {}", file.display()))?;
        println!("    wrote docs/{page}.md");
    }
    Ok(())
}

/// Compares every page with what the program says today.
pub(crate) fn check() -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for page in PAGES {
        let written = fs::read_to_string(path(page)).unwrap_or_default();
        if let Some(line) = first_difference(&written, &render(page)?) {
            stale.push(format!("docs/{page}.md:{line}"));
        }
    }
    if !stale.is_empty() {
        bail!("not current: {}; run `cargo xtask gen-docs`", stale.join(", "));
    }
    Ok(())
}

fn path(page: &str) -> PathBuf {
    root().join(format!("docs/{page}.md"))
}

fn render(page: &str) -> anyhow::Result<String> {
    let text = read(&mut cargo(["run", "--quiet", "-p", "portcullis", "--", "docs", page]))?;
    ensure!(!text.trim().is_empty(), "`portcullis docs {page}` printed nothing");
    Ok(text)
}

/// The first line, counted from one, in which two texts differ.
fn first_difference(left: &str, right: &str) -> Option<usize> {
    if left == right {
        return None;
    }
    Some(left.split('\n').zip(right.split('\n')).take_while(|(a, b)| a == b).count() + 1)
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_line_that_differs_is_named() {
        for (left, right, line) in [
            ("a\nb\n", "a\nb\n", None),
            ("a\nb\n", "a\nc\n", Some(2)),
            ("", "a\n", Some(1)),
            ("a\n", "a\nb\n", Some(2)),
            ("a", "a\n", Some(2)),
        ] {
            assert_eq!(first_difference(left, right), line, "{left:?} {right:?}");
        }
    }
}
