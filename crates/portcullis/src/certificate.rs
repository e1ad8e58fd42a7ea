//! A certificate that a caller has proven, looked at again for as long as what it let in lasts.

use std::fmt;
use std::sync::Arc;

use portcullis_core::time::Timestamp;

/// What tells whether the certificate of a caller's connection is still good.
#[derive(Clone)]
pub(crate) struct Certificate(Arc<dyn Fn(Timestamp) -> bool + Send + Sync>);

impl Certificate {
    /// One that is good whenever `is_good` says so.
    pub(crate) fn new(is_good: impl Fn(Timestamp) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_good))
    }

    /// Whether it is good at `now`.
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        (self.0)(now)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}
