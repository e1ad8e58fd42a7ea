//! The tests that look for something which is not always there, found by its name in their text.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::shell::root;

/// The names of all tests that mention `word`, each with its file.
///
/// A file whose helpers mention it has no test that does without.
pub(crate) fn mentioning(word: &str) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for file in sources(&root().join("crates"))? {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let shown = file.strip_prefix(root())?.display().to_string();
        found.extend(tests(&text, word).iter().map(|name| format!("{shown}: {name}")));
    }
    Ok(found)
}

fn tests<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let mut parts = text.split("test]\n");
    let all = parts.next().is_some_and(|helpers| helpers.contains(word));
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
            assert_eq!(tests(text, "WORD"), found, "{text}");
        }
    }

    #[test]
    fn every_test_of_the_suite_on_both_engines_needs_a_server() {
        let found = mentioning(crate::steps::POSTGRES).unwrap();
        assert!(found.iter().any(|test| test.contains("tests/conformance.rs: ")), "{found:?}");
        assert!(!found.iter().any(|test| test.contains("quickstart.rs")), "{found:?}");
    }
}
