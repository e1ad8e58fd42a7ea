//! What the store tells, and what a node answers, when something between them breaks.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "faults/bench.rs"]
mod bench;
#[path = "faults/nodes.rs"]
mod nodes;
