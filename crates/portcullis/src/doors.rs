//! The ways in which a request reaches the decision.

pub(crate) mod forward_auth;
pub(crate) mod identity;
pub(crate) mod proxy;
