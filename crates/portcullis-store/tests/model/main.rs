//! Random changes, and after each of them the answers of the whole house against a reference that
//! says what they should be: on both engines, over the feed, the memory, schemes and policy.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod house;
mod random;
mod reference;
mod steps;

use house::House;
use random::Random;
use steps::Walk;

/// How many changes one run makes; with `PORTCULLIS_TEST_LENGTH=full`, many more.
const STEPS: usize = 2_000;
const FULL_STEPS: usize = 100_000;

/// How many answers are compared after each change.
const PROBES: usize = 6;

fn walk(engine: &str) {
    let full = std::env::var("PORTCULLIS_TEST_LENGTH").is_ok_and(|length| length == "full");
    let steps = if full { FULL_STEPS } else { STEPS };
    let seed = std::env::var("PORTCULLIS_TEST_SEED").ok().and_then(|it| it.parse().ok());
    let seed = seed.unwrap_or(0x0070_6f72_7463_756c);
    let Some(house) = House::open(engine) else { return };
    let mut walk = Walk::begin(house, Random(seed));
    for step in 0..steps {
        let told = walk.change();
        for _ in 0..PROBES {
            if let Err(wrong) = walk.probe() {
                panic!("{engine}, seed {seed}, step {step}, after {told}: {wrong}");
            }
        }
    }
    assert!(walk.allowed * 20 > steps * PROBES, "hardly anything was allowed: {}", walk.allowed);
    assert!(walk.seen.len() >= 12, "too few reasons were seen: {:?}", walk.seen);
}

#[test]
fn every_answer_is_the_references_on_sqlite() {
    walk("sqlite");
}

#[test]
fn every_answer_is_the_references_on_postgresql() {
    walk("postgresql");
}
