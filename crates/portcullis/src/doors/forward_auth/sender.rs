//! Who may ask: by address, and by a secret or a certificate besides.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, HeaderName};
use portcullis_core::request::{Connection, TrustedPeers, folded_eq};
use portcullis_core::seal::equal;
use portcullis_core::secret::SecretBuf;

use crate::config::Authz;

/// Carries the door's secret.
const SECRET: HeaderName = HeaderName::from_static("portcullis-door-secret");

/// Who may ask.
#[derive(Debug)]
pub(super) struct Senders {
    peers: TrustedPeers,
    secret: Option<SecretBuf>,
    certificate: bool,
    /// Whether it was said that somebody else asks; each request has its line in any case.
    warned: AtomicBool,
}

/// Why somebody may not ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stranger {
    Address,
    Certificate,
    Secret,
}

impl Stranger {
    /// The name of the reason, for the log alone.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Address => "asker_address",
            Self::Certificate => "asker_certificate",
            Self::Secret => "asker_secret",
        }
    }
}

impl Senders {
    pub(super) fn new(settings: &Authz) -> Self {
        Self {
            peers: TrustedPeers::new(&settings.peers),
            secret: settings.secret.as_ref().map(|it| SecretBuf::new(it.expose())),
            certificate: settings.client_certificate,
            warned: AtomicBool::new(false),
        }
    }

    /// Whether `peer` is among them, as far as its address tells.
    pub(super) fn include(&self, peer: IpAddr) -> bool {
        self.peers.contain(peer)
    }

    /// Whether a call over `connection`, with these `headers`, is of one of them.
    pub(super) fn check(
        &self,
        connection: &Connection,
        headers: &HeaderMap,
    ) -> Result<(), Stranger> {
        let stranger = if !self.include(connection.peer) {
            Stranger::Address
        } else if self.certificate && !connection.certified {
            Stranger::Certificate
        } else if !self.secret.as_ref().is_none_or(|secret| says(headers, secret)) {
            Stranger::Secret
        } else {
            return Ok(());
        };
        Err(self.turn_away(stranger, connection))
    }

    /// Says once in the log that somebody may not ask.
    pub(super) fn turn_away(&self, stranger: Stranger, connection: &Connection) -> Stranger {
        if !self.warned.swap(true, Ordering::Relaxed) {
            let (peer, reason) = (connection.peer, stranger.reason());
            tracing::warn!(%peer, reason, "somebody asks at `/authz/…` whom `[authz]` does not admit");
        }
        stranger
    }
}

/// Whether the secret is said, once and under no alias.
fn says(headers: &HeaderMap, secret: &SecretBuf) -> bool {
    let mut named = headers.iter().filter(|(name, _)| folded_eq(name.as_str(), SECRET.as_str()));
    match (named.next(), named.next()) {
        (Some((name, said)), None) => *name == SECRET && equal(said.as_bytes(), secret.expose()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretText;

    const GOOD: &str = "0123456789abcdef0123456789abcdef";

    fn senders(secret: bool, client_certificate: bool) -> Senders {
        let peers = vec!["10.0.0.0/8".parse().unwrap()];
        let secret = secret.then(|| SecretText::new(GOOD));
        Senders::new(&Authz { peers, secret, client_certificate })
    }

    fn call(peer: &str, certified: bool, said: &[(&str, &str)]) -> (Connection, HeaderMap) {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in said.iter().map(pair) {
            headers.append(name, value);
        }
        (Connection { peer: peer.parse().unwrap(), secure: true, certified }, headers)
    }

    #[test]
    fn whoever_asks_is_known_by_address_secret_and_certificate_as_far_as_these_are_demanded() {
        let name = "portcullis-door-secret";
        let (right, wrong) = ([(name, GOOD)], [(name, "0123456789abcdef0123456789abcdeF")]);
        let (twice, none) = ([(name, GOOD), (name, GOOD)], []);
        let aliased = [(name, GOOD), ("portcullis_door_secret", GOOD)];
        for (secret, certificate, peer, certified, said, expected) in [
            (false, false, "10.1.2.3", false, &none[..], Ok(())),
            (false, false, "::ffff:10.1.2.3", false, &none, Ok(())),
            (false, false, "192.0.2.1", true, &right, Err(Stranger::Address)),
            (true, false, "10.1.2.3", false, &right, Ok(())),
            (true, false, "10.1.2.3", false, &none, Err(Stranger::Secret)),
            (true, false, "10.1.2.3", false, &wrong, Err(Stranger::Secret)),
            (true, false, "10.1.2.3", false, &twice, Err(Stranger::Secret)),
            (true, false, "10.1.2.3", false, &aliased, Err(Stranger::Secret)),
            (true, false, "10.1.2.3", false, &aliased[1..], Err(Stranger::Secret)),
            (false, true, "10.1.2.3", false, &none, Err(Stranger::Certificate)),
            (false, true, "10.1.2.3", true, &none, Ok(())),
            (true, true, "10.1.2.3", true, &none, Err(Stranger::Secret)),
            (true, true, "10.1.2.3", true, &right, Ok(())),
        ] {
            let (connection, headers) = call(peer, certified, said);
            let checked = senders(secret, certificate).check(&connection, &headers);
            assert_eq!(checked, expected, "{secret} {certificate} {peer} {said:?}");
        }
    }

    #[test]
    fn by_default_nobody_may_ask() {
        let none = Authz { peers: Vec::new(), secret: None, client_certificate: false };
        let (connection, headers) = call("127.0.0.1", true, &[]);
        assert_eq!(Senders::new(&none).check(&connection, &headers), Err(Stranger::Address));
    }

    #[test]
    fn the_secret_shows_nothing() {
        assert!(!format!("{:?}", senders(true, true)).contains(GOOD));
    }
}
