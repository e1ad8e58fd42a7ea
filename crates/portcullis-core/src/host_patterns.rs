//! Patterns of hosts, such as the pages that may use a token from a browser.

use http::HeaderMap;
use http::header::ORIGIN;

use crate::request::canonical_host;

/// So many patterns may stand in one list.
pub const MAX_PATTERNS: usize = 50;

/// A list of hosts, of which some may stand for all below them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostPatterns(Box<[Pattern]>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Pattern {
    /// Every host below this one, and not itself.
    Below(Box<str>),
    /// This host.
    Host(Box<str>),
}

/// A text that is no list of patterns: whoever wrote it is at fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadPattern {
    /// There are none, or too many.
    #[error("there must be 1 to {MAX_PATTERNS} hosts")]
    Count,
    /// One of them is no host, nor `*.` and a host with a dot.
    #[error("`{0}` is neither a host nor `*.` and a host with a dot in it")]
    Host(String),
}

impl HostPatterns {
    /// The patterns in `text`, parted by commas or white space.
    ///
    /// # Errors
    /// One is none, or there are too many, or none at all.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let parts = text.split(|c: char| c == ',' || c.is_ascii_whitespace());
        let parts = parts.filter(|part| !part.is_empty()).map(Pattern::parse);
        let patterns: Vec<_> = parts.collect::<Result<_, _>>()?;
        if patterns.is_empty() || patterns.len() > MAX_PATTERNS {
            return Err(BadPattern::Count);
        }
        Ok(Self(patterns.into()))
    }

    /// Whether `host`, in its canonical form, is one of them.
    pub fn have(&self, host: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is(host))
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, BadPattern> {
        let bad = || BadPattern::Host(text.to_owned());
        let below = text.strip_prefix("*.");
        let host = canonical_host(below.unwrap_or(text)).map_err(|_| bad())?;
        // A pattern names no port: canonical forms have none, so that it would go unnoticed.
        let plain = below.unwrap_or(text).trim_end_matches('.').eq_ignore_ascii_case(&host);
        match below {
            _ if !plain => Err(bad()),
            None => Ok(Self::Host(host.as_ref().into())),
            Some(_) if host.contains('.') => Ok(Self::Below(host.as_ref().into())),
            Some(_) => Err(bad()),
        }
    }

    fn is(&self, host: &str) -> bool {
        match self {
            Self::Host(own) => **own == *host,
            Self::Below(parent) => host
                .strip_suffix(&**parent)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|rest| !rest.is_empty()),
        }
    }
}

/// The host of the page that a request says it comes from, in its canonical form, and all that the
/// request says of it (RFC 6454, section 7). A page cannot have a browser lie about it.
pub fn origin_host(headers: &HeaderMap) -> Option<(Box<str>, &str)> {
    let mut said = headers.get_all(ORIGIN).iter();
    let origin = said.next().filter(|_| said.next().is_none())?.to_str().ok()?;
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"))?;
    let host = canonical_host(authority).ok()?;
    Some((host.as_ref().into(), origin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_host_is_itself_and_a_star_stands_for_all_below() {
        let patterns = HostPatterns::parse("Shop.example.com, *.example.org\n127.0.0.1").unwrap();
        for (host, expected) in [
            ("shop.example.com", true),
            ("a.example.org", true),
            ("a.b.example.org", true),
            ("127.0.0.1", true),
            ("example.org", false),
            (".example.org", false),
            ("evilexample.org", false),
            ("a.example.org.evil.example", false),
            ("a.shop.example.com", false),
            ("example.com", false),
            ("", false),
        ] {
            assert_eq!(patterns.have(host), expected, "{host}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in
            ["*", "*.", "*.com", "**.a.b", "a.*.b", "a.example:8080", "https://a.b", "a/b", "*.*.b"]
        {
            assert_eq!(HostPatterns::parse(text), Err(BadPattern::Host(text.into())), "{text}");
        }
        for text in ["", " , ", &"a.b,".repeat(MAX_PATTERNS + 1)] {
            assert_eq!(HostPatterns::parse(text), Err(BadPattern::Count), "{text}");
        }
        assert!(HostPatterns::parse(&"a.b,".repeat(MAX_PATTERNS)).is_ok());
    }

    #[test]
    fn a_request_says_once_where_it_comes_from() {
        for (origins, expected) in [
            (&["https://Shop.example.com"][..], Some("shop.example.com")),
            (&["http://shop.example.com:8080"], Some("shop.example.com")),
            (&["https://shop.example.com", "https://shop.example.com"], None),
            (&["https://shop.example.com/"], None),
            (&["https://a@shop.example.com"], None),
            (&["https://shop.example.com https://b.example"], None),
            (&["ftp://shop.example.com"], None),
            (&["null"], None),
            (&[""], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for origin in origins {
                headers.append(ORIGIN, HeaderValue::from_static(origin));
            }
            let found = origin_host(&headers).map(|(host, _)| host);
            assert_eq!(found.as_deref(), expected, "{origins:?}");
        }
    }
}
