//! The ways in which a request reaches the decision.

mod exchange;
pub(crate) mod proxy;
