//! The ways in which a request reaches the decision.

pub(crate) mod identity;
pub(crate) mod proxy;
