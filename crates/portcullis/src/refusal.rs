//! Why a request goes no further, as data: the gate says it, the doors tell it.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::authenticator::{Authenticated, Rejected};
use portcullis_core::guard::Guard;
use portcullis_core::policy::Denial;
use portcullis_core::request::Malformed;

/// Why a request goes no further. Each says whose doing it is.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nothing was presented where something must be: the caller's.
    Anonymous(Arc<Guard>),
    /// Too many passwords wait to be hashed: the callers'.
    Busy(Duration, Arc<Guard>),
    /// Policy said no: the caller's.
    Denied {
        /// What it said.
        denial: Denial,
        /// Whose policy it is.
        guard: Arc<Guard>,
        /// Who asked, if anybody is known.
        who: Option<Box<Authenticated>>,
    },
    /// The request has no single meaning: the caller's.
    Malformed(Malformed),
    /// No guard answers for the address: the caller's.
    NoGuard,
    /// Authentication said no: the caller's.
    Rejected(Rejected, Arc<Guard>),
    /// This node cannot tell: ours.
    Unavailable,
}

impl Refusal {
    /// The name of the reason, for the log alone.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Anonymous(_) => "no_credential",
            Self::Busy(..) => "busy",
            Self::Denied { denial, .. } => denial.rule.name(),
            Self::Malformed(_) => "malformed_request",
            Self::NoGuard => "no_guard",
            Self::Rejected(rejected, _) => rejected.reason.name(),
            Self::Unavailable => "unavailable",
        }
    }

    /// The guard that the request came to, if it is known.
    pub(crate) const fn guard(&self) -> Option<&Arc<Guard>> {
        match self {
            Self::Anonymous(guard)
            | Self::Busy(_, guard)
            | Self::Denied { guard, .. }
            | Self::Rejected(_, guard) => Some(guard),
            Self::Malformed(_) | Self::NoGuard | Self::Unavailable => None,
        }
    }
}
