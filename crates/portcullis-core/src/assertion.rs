//! Assertions: what an upstream is told of one request, under our signature.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::credential::Credential;
use crate::id::Id;
use crate::organization::Organization;
use crate::principal::User;
use crate::seal::NoEntropy;
use crate::signing::SigningKey;
use crate::time::Timestamp;

/// So long an assertion counts.
pub const ASSERTION_LIFE: Duration = Duration::from_secs(60);

/// What an assertion is called in its header, so that no other token of ours or anybody's passes for
/// one (RFC 8725, section 3.11).
pub const ASSERTION_TYPE: &str = "portcullis+jwt";

/// Who issues assertions.
pub const ISSUER: &str = "portcullis";

/// What is asserted of one request.
#[derive(Clone, Debug, Serialize)]
pub struct Assertion<'a> {
    /// Who asserts it.
    #[serde(rename = "iss")]
    pub issuer: &'a str,
    /// To whom: the upstream of the guard with this name.
    #[serde(rename = "aud")]
    pub audience: &'a str,
    /// The user who sent the request. Nobody: it is `anonymous`.
    #[serde(rename = "sub", serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    pub user: Option<Id<User>>,
    /// Whether no user stands behind the request.
    #[serde(skip_serializing_if = "is_not")]
    pub anonymous: bool,
    /// When it was made.
    #[serde(rename = "iat", serialize_with = "seconds")]
    pub made: Timestamp,
    /// From when on it does not count.
    #[serde(rename = "exp", serialize_with = "seconds")]
    pub expires: Timestamp,
    /// The request's own id, which names the assertion.
    #[serde(rename = "jti")]
    pub request: &'a str,
    /// How the caller was proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<&'a str>,
    /// What proved the caller.
    #[serde(serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    pub credential: Option<Id<Credential>>,
    /// The organization that the credential's owner belongs to.
    #[serde(rename = "org", serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    pub organization: Option<Id<Organization>>,
    /// The user's login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<&'a str>,
    /// The names of the roles that the user holds in the guard's organization.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub groups: &'a [&'a str],
    /// The request that it goes with.
    #[serde(flatten)]
    pub request_line: Line<'a>,
}

/// What an assertion is bound to: a request, as the upstream gets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Line<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its `Host`, or its `:authority`.
    pub host: &'a str,
    /// Its path, to the letter, without the query.
    pub path: &'a str,
}

impl Assertion<'_> {
    /// The assertion in compact form (RFC 7515, section 3.1), signed by `key`.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn sign(&self, key: &SigningKey) -> Result<String, NoEntropy> {
        let claims = serde_json::to_vec(self).map_err(|_| NoEntropy)?;
        key.sign(&claims)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_not(it: &bool) -> bool {
    !*it
}

/// RFC 7519, section 2: a `NumericDate`, here in whole seconds.
fn seconds<S: Serializer>(moment: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(moment.millis().div_euclid(1_000))
}

fn shown<T: fmt::Display, S: Serializer>(it: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match it {
        Some(it) => to.collect_str(it),
        None => to.serialize_none(),
    }
}
