//! What all answers have in common.

pub(crate) mod problem;
