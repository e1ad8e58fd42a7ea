//! The opening of a WebSocket (RFC 6455, section 4) where its caller does not make it: over HTTP/2
//! there is none.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_core::seal::{NoEntropy, random};

const KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
/// Proves that whoever answers speaks WebSocket.
pub(super) const ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");
/// RFC 6455, section 1.3.
const PROTOCOL: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What an upstream must answer to. It keeps no secret.
#[derive(Debug)]
pub(super) struct Key(String);

impl Key {
    /// A new one.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub(super) fn draw() -> Result<Self, NoEntropy> {
        Ok(Self(STANDARD.encode(random::<16>()?)))
    }

    /// Sets it in the place of the caller's.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        if let Ok(key) = HeaderValue::from_str(&self.0) {
            headers.insert(KEY, key);
        }
    }

    /// Whether these headers answer to it.
    pub(super) fn is_accepted(&self, answer: &HeaderMap) -> bool {
        let accept = self.accept();
        answer.get(ACCEPT).is_some_and(|it| it.as_bytes().trim_ascii() == accept.as_bytes())
    }

    fn accept(&self) -> String {
        let mut digest = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        digest.update(self.0.as_bytes());
        digest.update(PROTOCOL.as_bytes());
        STANDARD.encode(digest.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_key_is_that_of_the_rfc() {
        let key = Key("dGhlIHNhbXBsZSBub25jZQ==".into());
        assert_eq!(key.accept(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let answer = |accept| HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        assert!(key.is_accepted(&answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
        assert!(!key.is_accepted(&answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOO=")));
        assert!(!key.is_accepted(&HeaderMap::new()));
    }
}
