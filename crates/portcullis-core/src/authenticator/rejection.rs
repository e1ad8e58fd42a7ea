//! Why authentication says no.

use std::time::Duration;

use crate::credential::Credential;
use crate::id::Id;
use crate::principal::User;
use crate::scheme::SchemeName;

/// Authentication said no.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rejected {
    /// Why, for the log only.
    pub reason: Rejection,
    /// The scheme that claimed the request, if one did.
    pub scheme: Option<SchemeName>,
    /// The credential that was meant, if it is known.
    pub credential: Option<Id<Credential>>,
    /// The user who was meant, if known.
    pub user: Option<Id<User>>,
}

/// Why authentication said no. Outside, all look alike but [`Ambiguous`](Self::Ambiguous) and
/// [`TooManyAttempts`](Self::TooManyAttempts), which say nothing of a credential, and
/// [`OtherNetwork`](Self::OtherNetwork), which is told as a guard's own networks are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rejection {
    /// The caller presented more than one credential (RFC 6750, section 2, forbids it).
    Ambiguous,
    /// The credential was disabled.
    Disabled,
    /// The credential has expired.
    Expired,
    /// The key is another user's than the login name beside it.
    ForeignKey,
    /// What was presented is not of its scheme's form.
    Malformed(&'static str),
    /// The check characters of the key are wrong.
    Mistyped,
    /// It was sent in the query, where this one is not looked for.
    InQuery,
    /// It stands for somebody who is not let in here.
    NotAdmitted,
    /// The credential is not valid yet.
    NotYetValid,
    /// The owner's organization, or one above it, is not active.
    OrganizationInactive,
    /// The credential, or what it was minted from, counts at other guards alone.
    OtherGuard,
    /// It counts from other networks alone.
    OtherNetwork,
    /// The key may be used on behalf of another user alone.
    OtherUser,
    /// The owner belongs to another realm than the guard.
    OtherRealm,
    /// The owner is not active.
    OwnerInactive,
    /// The owner may not sign on behalf of others.
    OwnerMayNotSign,
    /// The credential was revoked.
    Revoked,
    /// Too many wrong passwords came before.
    TooManyAttempts {
        /// When the next one will be looked at.
        retry_after: Duration,
    },
    /// There is no such credential.
    Unknown,
    /// The request has an `Authorization` that no accepted scheme claims.
    UnknownScheme,
    /// Its `Authorization` is a bearer token, but of no accepted scheme.
    UnknownToken,
    /// It was signed too long ago, or ahead of its time.
    Untimely,
    /// The user on whose behalf the credential was used is not active.
    UserInactive,
    /// The proof is wrong.
    WrongProof,
}

impl Rejection {
    /// The name of the reason in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::ForeignKey => "foreign_key",
            Self::InQuery => "in_query",
            Self::Malformed(_) => "malformed",
            Self::Mistyped => "mistyped",
            Self::NotAdmitted => "not_admitted",
            Self::NotYetValid => "not_yet_valid",
            Self::OrganizationInactive => "organization_inactive",
            Self::OtherGuard => "other_guard",
            Self::OtherNetwork => "other_network",
            Self::OtherRealm => "other_realm",
            Self::OtherUser => "other_user",
            Self::OwnerInactive => "owner_inactive",
            Self::OwnerMayNotSign => "owner_may_not_sign",
            Self::Revoked => "revoked",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::Unknown => "unknown",
            Self::UnknownScheme => "unknown_scheme",
            Self::UnknownToken => "unknown_token",
            Self::Untimely => "untimely",
            Self::UserInactive => "user_inactive",
            Self::WrongProof => "wrong_proof",
        }
    }
}
