//! Forward-auth as operators run it: the real nginx, Caddy and Traefik, each with its file of
//! `examples/`, of which nothing but ports and addresses is changed.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod attacks;
mod calls;
mod checks;
#[expect(dead_code, reason = "the server's own tests use the rest")]
#[path = "../server/common.rs"]
mod common;
mod forwarding;
mod place;
mod recorder;
mod running;
#[expect(dead_code, reason = "the server's own tests use the rest")]
#[path = "../server/upstream.rs"]
mod upstream;
