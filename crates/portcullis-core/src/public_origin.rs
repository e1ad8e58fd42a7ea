//! The origins at which a site is known to its people, and where a browser may be sent.
//!
//! They are configured: what a request says of itself (`Host`, `Origin`) is not asked.

use std::fmt;

use crate::request::canonical_host;

/// The longest address that a browser is sent to, in bytes.
pub const MAX_TARGET: usize = 2_048;

/// Scheme, host and port, as the address of a page begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicOrigin {
    text: Box<str>,
    host: Box<str>,
}

/// A text that is no origin: the operator's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "an origin is `https://` or `http://` and a host in lower case, with its port if it has one"
)]
pub struct BadOrigin;

/// Why a browser is not sent to a target: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadTarget {
    /// It has a character that no address has, or that browsers read as another.
    #[error("the address has a character that none may have")]
    Character,
    /// It begins with no origin of the site.
    #[error("the address is not one of this site")]
    Foreign,
    /// It is longer than [`MAX_TARGET`].
    #[error("the address is too long")]
    Long,
}

impl PublicOrigin {
    /// The origin written as `text`, in the one form in which browsers write it.
    ///
    /// # Errors
    /// It is none, or written otherwise.
    pub fn parse(text: &str) -> Result<Self, BadOrigin> {
        let (authority, usual) = match text.split_once("://") {
            Some(("https", rest)) => (rest, ":443"),
            Some(("http", rest)) => (rest, ":80"),
            _ => return Err(BadOrigin),
        };
        let host = canonical_host(authority).map_err(|_| BadOrigin)?;
        let port = authority.strip_prefix(&*host).ok_or(BadOrigin)?;
        let plain = port.strip_prefix(':').is_none_or(|it| !it.starts_with('0'));
        if !plain || port == usual || !port.is_empty() && !port.starts_with(':') {
            return Err(BadOrigin);
        }
        Ok(Self { text: text.into(), host: host.as_ref().into() })
    }

    /// The origin itself, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether pages of it come over TLS.
    pub fn is_secure(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Whether `target` is an address of it: nothing, or its path, query or fragment follows.
    fn has(&self, target: &str) -> bool {
        target
            .strip_prefix(&*self.text)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    }
}

impl fmt::Display for PublicOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a browser may be sent to `target`, which is then to be written to the letter.
///
/// # Errors
/// It may not.
pub fn judge_target(target: &str, origins: &[PublicOrigin]) -> Result<(), BadTarget> {
    if target.len() > MAX_TARGET {
        return Err(BadTarget::Long);
    }
    // A browser takes a backslash for a slash, and leaves out what cannot be seen.
    if !target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err(BadTarget::Character);
    }
    if origins.iter().any(|origin| origin.has(target)) { Ok(()) } else { Err(BadTarget::Foreign) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_form() {
        for (text, host, secure) in [
            ("https://help.example.com", "help.example.com", true),
            ("https://help.example.com:8443", "help.example.com", true),
            ("http://127.0.0.1:8080", "127.0.0.1", false),
            ("http://localhost", "localhost", false),
            ("http://[::1]:8080", "[::1]", false),
        ] {
            let origin = PublicOrigin::parse(text).unwrap();
            assert_eq!((origin.as_str(), origin.host()), (text, host));
            assert_eq!(origin.is_secure(), secure, "{text}");
        }
        for text in [
            "",
            "help.example.com",
            "https://",
            "https://help.example.com/",
            "https://help.example.com/a",
            "https://help.example.com?",
            "https://HELP.example.com",
            "https://help.example.com.",
            "https://help.example.com:",
            "https://help.example.com:443",
            "https://help.example.com:0443",
            "https://help.example.com:65536",
            "http://help.example.com:80",
            "HTTPS://help.example.com",
            "ftp://help.example.com",
            "https://u@help.example.com",
            "https://*.example.com",
            "https://help.example.com https://other.example.com",
        ] {
            assert_eq!(PublicOrigin::parse(text), Err(BadOrigin), "{text}");
        }
    }

    #[test]
    fn a_browser_is_sent_to_the_sites_own_pages() {
        for target in [
            "https://help.example.com",
            "https://help.example.com/",
            "https://help.example.com/Docs?a=https://evil.example#b@c",
            "https://help.example.com?a=1",
            "https://help.example.com#a",
            "https://help.example.com//evil.example",
            "https://help.example.com/%5C%0d%0aSet-Cookie:a=b",
            "http://127.0.0.1:8080/demo/",
        ] {
            assert_eq!(judge_target(target, &origins()), Ok(()), "{target}");
        }
    }

    fn origins() -> Vec<PublicOrigin> {
        ["https://help.example.com", "http://127.0.0.1:8080"]
            .map(|text| PublicOrigin::parse(text).unwrap())
            .into()
    }

    const FOREIGN: &[&str] = &[
        // Another host, however much it looks like the site's.
        "https://evil.example",
        "https://help.example.com.evil.example/",
        "https://help.example.comevil.example/",
        "https://help.example.com-evil.example/",
        "https://help.example.com.",
        "https://help.example.com%2eevil.example/",
        "https://help.example.com%00.evil.example/",
        "https://evil.example/https://help.example.com/",
        "https://evil.example?https://help.example.com/",
        "https://evil.example#https://help.example.com/",
        // What stands before an `@` is no host.
        "https://help.example.com@evil.example/",
        "https://help.example.com:443@evil.example/",
        "https://help.example.com%40evil.example/",
        "https://u:p@help.example.com/",
        "https://@help.example.com/",
        // Another scheme or port.
        "http://help.example.com/",
        "https://help.example.com:443/",
        "https://help.example.com:8443/",
        "https://help.example.com:/",
        "https://127.0.0.1:8080/",
        "http://127.0.0.1/",
        "http://127.0.0.1:80801/",
        "http://localhost:8080/",
        "http://2130706433:8080/",
        "HTTPS://help.example.com/",
        "https://HELP.example.com/",
        "javascript:alert(1)//https://help.example.com/",
        "javascript://help.example.com/%0aalert(1)",
        "data:text/html,x",
        "ftp://help.example.com/",
        "https:help.example.com/",
        "https:/help.example.com/",
        "https:///help.example.com/",
        "://help.example.com/",
        // Without a host of its own.
        "",
        "/",
        "/Docs",
        "//evil.example",
        "//help.example.com/",
        "///evil.example",
        "Docs",
        "?a",
        "#a",
    ];
    const UNREADABLE: &[&str] = &[
        "https:\\\\help.example.com\\",
        "https://help.example.com\\@evil.example/",
        "https://help.example.com/\\evil.example",
        "https://help.example.com/a b",
        " https://help.example.com/",
        "https://help.example.com/ ",
        "\thttps://help.example.com/",
        "ht\ntps://help.example.com/",
        "https://help.example.com/\r\nSet-Cookie: a=b",
        "https://help.example.com\0.evil.example/",
        "https://help.example.com\u{7f}/",
        "https://help.example.com/\u{e9}",
        "https://help\u{ff0e}example.com/",
        "https://help.example.com\u{2024}evil.example/",
        "https://\u{200b}help.example.com/",
    ];

    #[test]
    fn and_nowhere_else() {
        for target in FOREIGN {
            assert_eq!(judge_target(target, &origins()), Err(BadTarget::Foreign), "{target}");
        }
        for target in UNREADABLE {
            assert_eq!(judge_target(target, &origins()), Err(BadTarget::Character), "{target}");
        }
        let long = format!("https://help.example.com/{}", "a".repeat(MAX_TARGET));
        assert_eq!(judge_target(&long, &origins()), Err(BadTarget::Long));
        assert_eq!(judge_target("https://help.example.com/", &[]), Err(BadTarget::Foreign));
    }
}
