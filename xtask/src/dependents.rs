//! The tests that look for something which is not always there, found by its name in their text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::shell::root;

/// The names of all tests that mention `word`, each with its file.
///
/// Where helpers mention it, no test of the same file does without, nor any of the same suite in
/// a folder of its own.
pub(crate) fn mentioning(word: &str) -> anyhow::Result<Vec<String>> {
    let sources = sources(&root().join("crates"))?;
    let read =
        |file: &PathBuf| fs::read_to_string(file).with_context(|| file.display().to_string());
    let texts = sources.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    let mut suites = BTreeSet::new();
    for (file, text) in sources.iter().zip(&texts) {
        suites.extend(suite(file).filter(|_| helpers(text).contains(word)));
    }
    let mut found = Vec::new();
    for (file, text) in sources.iter().zip(&texts) {
        let all = suite(file).is_some_and(|suite| suites.contains(suite));
        let shown = file.strip_prefix(root())?.display().to_string();
        found.extend(tests(text, word, all).iter().map(|name| format!("{shown}: {name}")));
    }
    Ok(found)
}

/// The folder of a suite that consists of several files.
fn suite(file: &Path) -> Option<&Path> {
    file.parent().filter(|folder| folder.parent().is_some_and(|it| it.ends_with("tests")))
}

/// What stands before the first test of a text.
fn helpers(text: &str) -> &str {
    text.split("test]\n").next().unwrap_or_default()
}

fn tests<'t>(text: &'t str, word: &str, all: bool) -> Vec<&'t str> {
    let all = all || helpers(text).contains(word);
    let parts = text.split("test]\n").skip(1);
    parts.filter(|test| all || test.contains(word)).filter_map(name).collect()
}

/// The name of the first function in a text.
fn name(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("fn ")?;
    rest.split_once('(').map(|(name, _)| name)
}

fn sources(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_named_if_it_or_a_helper_of_its_file_mentions_the_word() {
        for (text, found) in [
            ("#[test]\nfn one() { WORD }\n#[tokio::test]\nasync fn two() {}", &["one"][..]),
            ("fn help() { WORD }\n#[test]\nfn one() {}\n#[test]\nfn two() {}", &["one", "two"]),
            ("#[cfg(test)]\nmod tests;", &[]),
        ] {
            assert_eq!(tests(text, "WORD", false), found, "{text}");
        }
    }

    #[test]
    fn every_test_of_the_suite_on_both_engines_needs_a_server() {
        let found = mentioning(crate::steps::POSTGRES).unwrap();
        assert!(
            found.iter().any(|test| test.contains("tests/conformance/store.rs: ")),
            "{found:?}"
        );
        assert!(!found.iter().any(|test| test.contains("quickstart.rs")), "{found:?}");
    }
}
