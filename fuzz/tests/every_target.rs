//! Feeds every target its corpus, and what grows from it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use portcullis_fuzz::{ALL, Generator, Target};

/// Under which seed inputs are drawn, unless `PORTCULLIS_TEST_SEED` says otherwise.
const SEED: u64 = 1;
/// How many inputs are drawn for a target.
const INPUTS: u64 = 10_000;
/// How long inputs are drawn for a target with `PORTCULLIS_TEST_LENGTH=full`.
const FULL: Duration = Duration::from_secs(30);

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The inputs that are kept for a target, with their names, in the order of these.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = folder().join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|_| panic!("no {}", folder.display()));
    let files = entries.map(|entry| entry.unwrap());
    let mut corpus: Vec<_> = files
        .map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()))
        .collect();
    corpus.sort();
    corpus
}

fn feed(name: &str, target: Target, input: &[u8], whence: &str) {
    if catch_unwind(|| target(input)).is_err() {
        panic!("target `{name}` fails on {whence}:\n\"{}\"", input.escape_ascii());
    }
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let folders = fs::read_dir(folder()).unwrap();
    let folders: BTreeSet<_> =
        folders.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, ALL.iter().map(|(name, _)| (*name).to_owned()).collect());
    for (name, _) in ALL {
        assert!(!corpus(name).is_empty(), "{name}");
    }
}

#[test]
fn no_target_fails_on_its_corpus() {
    for (name, target) in ALL {
        for (file, input) in corpus(name) {
            feed(name, *target, &input, &file);
        }
    }
}

#[test]
fn no_target_fails_on_what_grows_from_its_corpus() {
    let seed = std::env::var("PORTCULLIS_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    let full = std::env::var("PORTCULLIS_TEST_LENGTH").is_ok_and(|length| length == "full");
    for (name, target) in ALL {
        let corpus: Vec<_> = corpus(name).into_iter().map(|(_, input)| input).collect();
        let start = Instant::now();
        let enough = |number| if full { start.elapsed() >= FULL } else { number >= INPUTS };
        for number in (0..).take_while(|number| !enough(*number)) {
            let input = Generator::new(seed, number).input(&corpus);
            feed(name, *target, &input, &format!("input {number} of PORTCULLIS_TEST_SEED={seed}"));
        }
    }
}
