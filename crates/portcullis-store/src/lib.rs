//! What is remembered: both engines, the migrations, and the memory that follows the feed.
//!
//! Knows no HTTP and decides nothing. Every query is written once; only `engine` knows that there
//! are two engines.

mod engine;
mod sql;

pub mod audit;
pub mod authority;
pub mod collections;
pub mod connections;
pub mod connectors;
pub mod credentials;
pub mod error;
pub mod feed;
pub mod folder;
pub mod groups;
pub mod guards;
pub mod key_details;
pub(crate) mod limits;
pub mod memory;
pub mod meta;
pub mod migrations;
pub mod mounts;
pub mod nodes;
pub mod organizations;
pub mod peppers;
pub mod projects;
pub mod roles;
pub mod rotations;
pub mod sessions;
pub mod signing_keys;
pub mod spent;
pub mod store;
pub mod templates;
pub mod tracking;
pub mod usage;
pub mod users;

pub use engine::{
    CONNECT_DEADLINE, Deadlines, LOAD_DEADLINE, LOCK_DEADLINE, READ_DEADLINE, SQLITE_FILE, Target,
    WRITE_DEADLINE,
};
pub use error::StoreError;
pub use store::{Reading, Recording, Store, Tending, Write, Writing, Written};

#[cfg(test)]
mod statements;
