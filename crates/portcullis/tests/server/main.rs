//! The whole server, as an operator runs it: the binary itself, real requests, real commands.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod assertions;
mod commands;
mod common;
mod expert;
mod failures;
mod framing;
mod graph;
mod http2;
mod hull;
mod identity;
mod journey_hub;
mod journyx;
mod leaks;
mod limits;
mod one_answer;
mod problems;
mod proxy;
mod quickstart;
mod recorder;
mod sessions;
mod tls;
mod unauthorized;
mod upstream;
