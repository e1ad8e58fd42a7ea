//! The ways in which a request reaches the decision.

pub(crate) mod proxy;
