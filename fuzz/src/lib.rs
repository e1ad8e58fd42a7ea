//! A function for every parser: it takes any bytes, and panics where an invariant breaks.
//!
//! `tests/every_target.rs` feeds them on stable Rust; libFuzzer can too (`README.md`).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken invariant is told by a panic"
)]

mod body;
mod dynamic;
mod firehose;
mod forwarded;
mod forwarded_proto;
mod generator;
mod guard_table;
mod head;
mod host;
mod host_patterns;
mod jwt;
mod key_verifier;
mod name;
mod networks;
mod original;
mod password_verifier;
mod path;
mod query;
mod redirect;
mod request;
mod schemes;
mod sealed;
mod server_token;
mod token;
mod tracking;

pub use body::body;
pub use dynamic::dynamic;
pub use firehose::firehose;
pub use forwarded::forwarded;
pub use forwarded_proto::forwarded_proto;
pub use generator::Generator;
pub use guard_table::guard_table;
pub use head::head;
pub use host::host;
pub use host_patterns::host_patterns;
pub use jwt::jwt;
pub use key_verifier::key_verifier;
pub use name::name;
pub use networks::networks;
pub use original::original;
pub use password_verifier::password_verifier;
pub use path::path;
pub use query::query;
pub use redirect::redirect;
pub use schemes::schemes;
pub use sealed::sealed;
pub use server_token::server_token;
pub use token::token;
pub use tracking::tracking;

/// What is fed: any bytes are fine.
pub type Target = fn(&[u8]);

/// Every target, with the name of its folder in `corpus/`.
pub const ALL: &[(&str, Target)] = &[
    ("body", body),
    ("dynamic", dynamic),
    ("firehose", firehose),
    ("forwarded", forwarded),
    ("forwarded_proto", forwarded_proto),
    ("guard_table", guard_table),
    ("head", head),
    ("host", host),
    ("host_patterns", host_patterns),
    ("jwt", jwt),
    ("key_verifier", key_verifier),
    ("name", name),
    ("networks", networks),
    ("original", original),
    ("password_verifier", password_verifier),
    ("path", path),
    ("query", query),
    ("redirect", redirect),
    ("schemes", schemes),
    ("sealed", sealed),
    ("server_token", server_token),
    ("token", token),
    ("tracking", tracking),
];
