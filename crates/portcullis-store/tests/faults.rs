//! What the store tells, and what a node answers, when something between them breaks.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "faults/bench.rs"]
mod bench;
#[path = "faults/commits.rs"]
mod commits;
#[path = "faults/feed.rs"]
mod feed;
#[path = "faults/files.rs"]
mod files;
#[path = "faults/follower.rs"]
mod follower;
#[path = "faults/nodes.rs"]
mod nodes;
#[path = "faults/records.rs"]
mod records;
#[path = "faults/sessions.rs"]
mod sessions;
#[path = "faults/tls.rs"]
mod tls;
#[path = "faults/wire.rs"]
mod wire;
