//! Who is it, and may they: pure judgement of credentials and policy.
//!
//! Nothing here does I/O, reads a clock, or knows a database or a web framework.
//! What was checked is carried as a type: a [`request::RequestHead`] is canonical,
//! a [`authenticator::Authenticated`] was proven, a [`policy::Permit`] was decided.

pub mod ability;
pub mod assertion;
pub mod authenticator;
pub mod credential;
pub mod dynamic;
pub mod guard;
pub mod host_patterns;
pub mod id;
pub mod json;
pub mod jws;
pub mod keyring;
pub mod limits;
pub mod lookup;
pub mod mount;
pub mod name;
pub mod organization;
pub mod password;
pub mod policy;
pub mod principal;
pub mod public_origin;
pub mod query;
pub mod request;
pub mod scheme;
pub mod seal;
pub mod secret;
pub mod signing;
pub mod subject;
pub mod tally;
pub mod time;
pub mod token;
pub mod tracking;
