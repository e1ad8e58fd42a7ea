//! Upstreams: where a guard leads, and how they are spoken to.

use http::Uri;
use http::uri::{Authority, PathAndQuery};

use super::{BadGuard, Kind, build_prefix};

/// How many upstreams one guard may lead to.
pub const MAX_UPSTREAMS: usize = 16;

/// An upstream server.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Upstream {
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Host and port.
    pub authority: Authority,
    /// What stands before every path, without a slash at the end; of a listener, the whole path,
    /// as it was written.
    pub base: Box<str>,
}

/// How an upstream is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    /// HTTP/1.1 in the clear: `http`.
    Http1,
    /// HTTP/2 in the clear, known beforehand (RFC 9113, section 3.3): `h2c`.
    Http2,
    /// TLS, and over it HTTP/2 or HTTP/1.1 as the upstream chooses: `https`.
    Tls,
}

impl Protocol {
    /// Each, by what a URL writes for it.
    const ALL: [(&str, Self); 3] =
        [("http", Self::Http1), ("h2c", Self::Http2), ("https", Self::Tls)];

    /// The port where none is written.
    pub const fn port(self) -> u16 {
        match self {
            Self::Http1 | Self::Http2 => 80,
            Self::Tls => 443,
        }
    }
}

impl Upstream {
    /// The upstream that `uri` names, for a guard of this kind.
    ///
    /// # Errors
    /// It has a scheme that nobody speaks here, a query, user information, or no host.
    pub fn parse(uri: &Uri, kind: Kind) -> Result<Self, BadGuard> {
        // Its user information, if it has any, may be a password.
        let bad = || BadGuard::Upstream(uri.host().unwrap_or_default().to_owned());
        let authority = uri.authority().filter(|it| !it.as_str().contains('@')).ok_or_else(bad)?;
        let spoken = Protocol::ALL.into_iter().find(|(word, _)| uri.scheme_str() == Some(word));
        let (_, protocol) = spoken.ok_or_else(bad)?;
        if uri.query().is_some() || authority.host().is_empty() {
            return Err(bad());
        }
        let path = uri.path_and_query().map_or("/", PathAndQuery::path);
        let base = match kind {
            Kind::Listener => path.into(),
            Kind::Route => build_prefix(path).map_err(|_| bad())?,
        };
        Ok(Self { protocol, authority: authority.clone(), base })
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(self.protocol.port())
    }
}
