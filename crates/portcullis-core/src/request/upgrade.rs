//! What a request asks its connection to become (RFC 9110, section 7.8).

use http::header::UPGRADE;
use http::{HeaderMap, Method};

/// What a request asks its connection to become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Upgrade<'r> {
    /// Nothing; or HTTP/2 in the clear, which RFC 9113, section 3.1, has everybody ignore.
    None,
    /// This one protocol.
    To(&'r str),
    /// A tunnel to anywhere, one of several protocols, or what cannot be read.
    Unclear,
}

/// What asks for HTTP/2 in the clear.
const IGNORED: &str = "h2c";

pub(super) fn of<'r>(method: &Method, headers: &'r HeaderMap) -> Upgrade<'r> {
    if *method == Method::CONNECT {
        return Upgrade::Unclear;
    }
    let mut asked = Upgrade::None;
    for line in headers.get_all(UPGRADE) {
        let Ok(line) = line.to_str() else { return Upgrade::Unclear };
        let tokens = line.split(',').map(str::trim).filter(|it| !it.eq_ignore_ascii_case(IGNORED));
        for token in tokens {
            asked = match asked {
                Upgrade::None if !token.is_empty() => Upgrade::To(token),
                Upgrade::None | Upgrade::To(_) | Upgrade::Unclear => return Upgrade::Unclear,
            };
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, header};

    #[test]
    fn one_protocol_is_asked_for_or_none_or_it_is_unclear() {
        for (lines, asked) in [
            (&[][..], Upgrade::None),
            (&["h2c"], Upgrade::None),
            (&["H2C"], Upgrade::None),
            (&["websocket"], Upgrade::To("websocket")),
            (&[" WebSocket "], Upgrade::To("WebSocket")),
            (&["h2c, websocket"], Upgrade::To("websocket")),
            (&["websocket, tls/1.0"], Upgrade::Unclear),
            (&["websocket", "websocket"], Upgrade::Unclear),
            (&[""], Upgrade::Unclear),
            (&["websocket,"], Upgrade::Unclear),
            (&["w\u{f8}b"], Upgrade::Unclear),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::UPGRADE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
            }
            assert_eq!(of(&Method::GET, &headers), asked, "{lines:?}");
            assert_eq!(of(&Method::CONNECT, &headers), Upgrade::Unclear);
        }
    }
}
