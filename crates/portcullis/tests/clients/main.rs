//! The vendors' own samples, as clients in their own languages, against the quickstart on both engines.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod assertions;
#[expect(dead_code, reason = "the server's own tests use the rest")]
#[path = "../server/common.rs"]
mod common;
mod expert;
mod front;
mod graph;
#[expect(dead_code, reason = "the server's own tests use the rest")]
#[path = "../server/journey_hub/hub.rs"]
mod hub;
mod hull;
mod journey_hub;
mod journyx;
mod place;
