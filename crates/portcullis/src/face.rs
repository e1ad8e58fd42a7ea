//! In whose words callers are told what became of a guarded request: natively, or in a dialect's.
//!
//! A face only tells. What is told was decided by the gate, and is forwarded by the door.

use std::fmt;

use http::{Method, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use uuid::Uuid;

use crate::gate::Address;
use crate::http::problem::{self, UpstreamFault};
use crate::refusal::Refusal;

/// Where a request goes, and in whose words its caller is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination<'a> {
    /// The guard it goes to.
    pub(crate) address: Address<'a>,
    /// The words.
    pub(crate) face: &'static Face,
    /// What is added to the address of a listener's upstream.
    pub(crate) below: &'a str,
}

impl Destination<'_> {
    /// Where a request goes that no dialect has a word for.
    pub(crate) const OWN: Self = Self { address: Address::Own, face: &NATIVE, below: "" };
}

/// An answer of our own.
pub(crate) type Told = Response<Full<Bytes>>;

/// How callers of a guard are answered.
pub(crate) struct Face {
    /// Names it.
    pub(crate) name: &'static str,
    /// Tells why a request of this method, known by this id, goes no further.
    pub(crate) refused: fn(&Refusal, &Method, Uuid) -> Told,
    /// Tells that the upstream is at fault.
    pub(crate) fault: fn(UpstreamFault, Uuid) -> Told,
    /// How answers are made of the upstream's; `None` where these stream as they are.
    pub(crate) remake: Option<Remake>,
}

/// How an answer is made of an upstream's.
#[derive(Clone, Copy)]
pub(crate) struct Remake {
    /// The longest body that is read, in bytes.
    pub(crate) most: usize,
    /// Makes the answer; or says, for the log, why it cannot.
    pub(crate) make: fn(&Response<Bytes>) -> Result<Told, String>,
}

/// Problem details (RFC 9457), and the upstream's answer as it is.
const NATIVE: Face = Face {
    name: "native",
    refused: |refusal, _, request| problem::refused(refusal, request),
    fault: problem::upstream,
    remake: None,
};

impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
