//! What is known of a connection before anything came over it.

use std::net::IpAddr;

/// What is known of the connection that brought a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connection {
    /// Who opened it.
    pub peer: IpAddr,
    /// Whether it is encrypted.
    pub secure: bool,
    /// Whether its peer has proven a certificate that is good at this very request.
    pub certified: bool,
}

/// A plain connection.
impl From<IpAddr> for Connection {
    fn from(peer: IpAddr) -> Self {
        Self { peer, secure: false, certified: false }
    }
}
