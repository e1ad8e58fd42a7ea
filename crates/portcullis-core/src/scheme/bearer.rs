//! `bearer`: a token that whoever signed in was given (RFC 6750).
//!
//! ```text
//! Authorization: Bearer pcl_tok_<id>_<secret><check>
//! access_token=pcl_tok_…            in a form, where the guard looks into bodies
//! {"access_token": "pcl_tok_…"}     or in JSON, as `token` too
//! ```

use std::time::Duration;

use http::{HeaderName, header::AUTHORIZATION};
use percent_encoding::percent_decode_str;

use super::{
    BadOption, Claim, Found, Issued, Kept, Kind, Options, Presented, PresentedKey, Scheme,
    SchemeName, Unread, authorization, flag, own,
};
use crate::credential::Credential;
use crate::request::{BodyToken, RequestHead};
use crate::seal::{NoEntropy, Peppers};
use crate::secret::{Scratch, SecretBuf};
use crate::token::TokenKind;

/// The name of the scheme.
pub const NAME: SchemeName = SchemeName("bearer");
/// The longest that a guard lets a token live: a year, in seconds.
pub const MAX_LIFETIME: u64 = 365 * 24 * 3_600;
/// The kind of its tokens.
const TOKEN: TokenKind = TokenKind::new("tok");
/// How a token is called in a query, where it is never looked for (RFC 6750, section 2.3).
const IN_QUERY: &str = "access_token";

pub(super) const KIND: Kind = Kind {
    name: NAME,
    summary: "a `pcl_tok_…` token as Bearer token (RFC 6750), given to who signs in",
    build,
    issue: Some(issue),
    kept: Kept::Digest,
    present,
    named_in: None,
};

const HEADERS: &[HeaderName] = &[AUTHORIZATION];

#[derive(Debug)]
struct Bearer {
    body: bool,
    lifetime: Option<Duration>,
}

fn build(options: &Options) -> Result<Box<dyn Scheme>, BadOption> {
    let mut built = Bearer { body: false, lifetime: None };
    for (option, value) in options {
        match option.as_str() {
            "body" => built.body = flag(NAME, "body", value)?,
            "lifetime" => built.lifetime = Some(parse_lifetime(value)?),
            _ => return Err(BadOption::Unknown { scheme: NAME, option: option.clone() }),
        }
    }
    Ok(Box::new(built))
}

fn parse_lifetime(value: &str) -> Result<Duration, BadOption> {
    let seconds = value.parse().ok().filter(|seconds| (1..=MAX_LIFETIME).contains(seconds));
    let expected = "whole seconds, from 1 to those of 365 days";
    seconds.map(Duration::from_secs).ok_or_else(|| bad("lifetime", value, expected))
}

fn bad(option: &'static str, value: &str, expected: &'static str) -> BadOption {
    BadOption::Value { scheme: NAME, option, value: value.to_owned(), expected }
}

/// Whether `text` is a token of ours by its shape.
pub fn is_ours(text: &[u8]) -> bool {
    TOKEN.claims(text)
}

fn issue(peppers: &Peppers) -> Result<Issued, NoEntropy> {
    own::issue(TOKEN, peppers)
}

fn present(_login: &str, secret: &str) -> (HeaderName, SecretBuf) {
    (AUTHORIZATION, SecretBuf::new(format!("Bearer {secret}")))
}

/// Whether the query has a token, under its name alone.
fn is_in_query(request: &RequestHead<'_>) -> bool {
    let mut pairs = request.query().unwrap_or_default().split('&');
    let names = |pair: &str| {
        pair.split('=').next().is_some_and(|name| percent_decode_str(name).eq(IN_QUERY.bytes()))
    };
    pairs.any(names)
}

impl Scheme for Bearer {
    fn name(&self) -> SchemeName {
        NAME
    }

    fn headers(&self) -> &[HeaderName] {
        HEADERS
    }

    fn reads_body(&self) -> bool {
        self.body
    }

    fn max_age(&self) -> Option<Duration> {
        self.lifetime
    }

    fn challenge(&self) -> &'static str {
        r#"Bearer realm="portcullis""#
    }

    // RFC 6750, section 3.1.
    fn rejected_challenge(&self) -> &'static str {
        r#"Bearer realm="portcullis", error="invalid_token""#
    }

    // RFC 6750, section 2: not more than one method in a request. A token in the query is claimed, so
    // that nothing else stands for the request, and then never read.
    fn find<'r>(&self, request: &'r RequestHead<'_>) -> Found<'r> {
        let sent = authorization(request, "Bearer");
        let header = sent.filter(|text| TOKEN.claims(text));
        let body = match request.body_token().filter(|_| self.body) {
            Some(BodyToken::Several) => return Found::Repeated,
            // Whosever token stands in the header, it is another way.
            Some(BodyToken::One(_)) if sent.is_some() => return Found::Repeated,
            Some(BodyToken::One(text)) => Some(text),
            None => None,
        };
        match (header, body, is_in_query(request)) {
            (None, None, false) => Found::NotMine,
            (Some(text), None, false) | (None, Some(text), false) => {
                Found::Claimed(Claim::new(text))
            }
            (None, None, true) => Found::Claimed(Claim::new(b"")),
            _ => Found::Repeated,
        }
    }

    fn read<'s>(
        &self,
        claim: Claim<'s>,
        _scratch: &'s mut Scratch,
    ) -> Result<Presented<'s>, Unread> {
        let text = claim.expose();
        if text.is_empty() {
            return Err(Unread::Malformed("a token in the query"));
        }
        own::read((TOKEN, NAME), text, "not a token of ours")
    }

    fn check(&self, presented: &PresentedKey<'_>, stored: &Credential, peppers: &Peppers) -> bool {
        own::is_met(presented, stored, peppers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::TrustedPeers;
    use crate::time::Timestamp;
    use http::Request;

    /// What is found in a request with this header, query and body, where `TOKEN` stands for a token.
    #[track_caller]
    fn check(body: bool, (header, query): (&str, &str), token: Option<BodyToken<'_>>, found: &str) {
        let drawn = TOKEN.draw().unwrap();
        let text = |it: &str| it.replace("TOKEN", drawn.expose_text());
        let mut request = Request::post(format!("/{}", text(query))).header("host", "any");
        if !header.is_empty() {
            request = request.header(AUTHORIZATION, text(header));
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let (peer, now) = (std::net::IpAddr::from([192, 0, 2, 1]), Timestamp::from_millis(1));
        let head = RequestHead::from_connection(&parts, peer, &TrustedPeers::default(), now);
        let head = head.unwrap();
        let head = head.with_body_token(token);
        let options = Options::from([("body".to_owned(), body.to_string())]);
        let scheme = build(&options).unwrap();
        let seen = match scheme.find(&head) {
            Found::NotMine => "none",
            Found::Repeated => "several",
            Found::Claimed(claim) => match scheme.read(claim, &mut Scratch::new()) {
                Ok(_) => "token",
                Err(Unread::Malformed(_)) => "malformed",
                Err(Unread::Mistyped) => "mistyped",
            },
        };
        assert_eq!(seen, found, "{header} {query} {token:?}");
    }

    #[test]
    fn a_token_stands_in_the_header_or_the_body_and_in_one_place_alone() {
        let one = || Some(BodyToken::One(b"pcl_tok_x"));
        check(true, ("", ""), None, "none");
        check(true, ("Bearer TOKEN", ""), None, "token");
        check(true, ("bearer  TOKEN ", ""), None, "token");
        check(true, ("Bearer pcl_key_x", ""), None, "none");
        check(true, ("Bearer other", ""), None, "none");
        check(true, ("Bearer pcl_tok_x", ""), None, "mistyped");
        check(true, ("", ""), one(), "mistyped");
        check(true, ("", ""), Some(BodyToken::Several), "several");
        check(true, ("Bearer TOKEN", ""), one(), "several");
        check(true, ("Bearer other", ""), one(), "several");
        check(true, ("Basic b3RoZXI6", ""), one(), "mistyped");
        check(false, ("", ""), one(), "none");
        check(false, ("Bearer TOKEN", ""), one(), "token");
    }

    #[test]
    fn a_token_in_the_query_is_refused_alone_and_beside_another() {
        check(true, ("", "?access_token=TOKEN"), None, "malformed");
        check(true, ("", "?a=1&access_token"), None, "malformed");
        check(true, ("", "?a=1&access%5Ftoken=TOKEN"), None, "malformed");
        check(true, ("Bearer TOKEN", "?access_token=TOKEN"), None, "several");
        check(true, ("", "?access_token=x"), Some(BodyToken::One(b"pcl_tok_x")), "several");
        check(true, ("Bearer TOKEN", "?my_access_token=1&access_tokens=2"), None, "token");
    }

    #[test]
    fn its_options_are_checked() {
        let one = |name: &str, value: &str| Options::from([(name.to_owned(), value.to_owned())]);
        for (name, value, good) in [
            ("body", "true", true),
            ("body", "yes", false),
            ("lifetime", "1", true),
            ("lifetime", "31536000", true),
            ("lifetime", "31536001", false),
            ("lifetime", "0", false),
            ("lifetime", "1h", false),
            ("life", "1", false),
        ] {
            assert_eq!(build(&one(name, value)).is_ok(), good, "{name} = {value}");
        }
    }
}
