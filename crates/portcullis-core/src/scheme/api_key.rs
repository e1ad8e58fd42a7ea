//! `api_key`: one of our own keys, as a bearer token or in a header of its own.
//!
//! ```text
//! Authorization: Bearer pcl_key_<id>_<secret><check>
//! X-Api-Key: pcl_key_<id>_<secret><check>
//! ```

use http::{HeaderName, header::AUTHORIZATION};

use super::{
    BadOption, Claim, Found, Issued, Kept, Kind, Options, Presented, PresentedKey, Scheme,
    SchemeName, Unread, authorization, own,
};
use crate::credential::Credential;
use crate::request::RequestHead;
use crate::seal::{NoEntropy, Peppers};
use crate::secret::{Scratch, SecretBuf};
use crate::token::TokenKind;

/// The name of the scheme.
pub const NAME: SchemeName = SchemeName("api_key");
/// The kind of its tokens.
pub(super) const TOKEN: TokenKind = TokenKind::new("key");

pub(super) const KIND: Kind = Kind {
    name: NAME,
    summary: "a `pcl_key_…` key as Bearer token, or in a header (default `X-Api-Key`)",
    build,
    issue: Some(issue),
    kept: Kept::Digest,
    present,
    named_in: None,
};

const DEFAULT_HEADER: HeaderName = HeaderName::from_static("x-api-key");

#[derive(Debug)]
struct ApiKey {
    headers: [HeaderName; 2],
}

fn build(options: &Options) -> Result<Box<dyn Scheme>, BadOption> {
    let mut header = DEFAULT_HEADER;
    for (option, value) in options {
        match option.as_str() {
            "header" => header = parse_header(NAME, value)?,
            _ => return Err(BadOption::Unknown { scheme: NAME, option: option.clone() }),
        }
    }
    Ok(Box::new(ApiKey { headers: [AUTHORIZATION, header] }))
}

/// Headers that mean something else to HTTP or to a door.
const TAKEN: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// The header that an option of `scheme` names.
pub(super) fn parse_header(scheme: SchemeName, value: &str) -> Result<HeaderName, BadOption> {
    let bad =
        |expected| BadOption::Value { scheme, option: "header", value: value.to_owned(), expected };
    let header = HeaderName::from_bytes(value.as_bytes())
        .map_err(|_| bad("the name of a header (RFC 9110, section 5.1)"))?;
    let taken = TAKEN.contains(&header.as_str())
        || header.as_str().starts_with("x-forwarded-")
        || header.as_str().starts_with("portcullis-");
    if taken { Err(bad("a header that has no other meaning")) } else { Ok(header) }
}

fn issue(peppers: &Peppers) -> Result<Issued, NoEntropy> {
    own::issue(TOKEN, peppers)
}

fn present(_login: &str, secret: &str) -> (HeaderName, SecretBuf) {
    (DEFAULT_HEADER, SecretBuf::new(secret))
}

impl Scheme for ApiKey {
    fn name(&self) -> SchemeName {
        NAME
    }

    fn headers(&self) -> &[HeaderName] {
        &self.headers
    }

    fn challenge(&self) -> &'static str {
        r#"Bearer realm="portcullis""#
    }

    // RFC 6750, section 3.1.
    fn rejected_challenge(&self) -> &'static str {
        r#"Bearer realm="portcullis", error="invalid_token""#
    }

    fn find<'r>(&self, request: &'r RequestHead<'_>) -> Found<'r> {
        let bearer = authorization(request, "Bearer").filter(|text| TOKEN.claims(text));
        let [_, header] = &self.headers;
        let Ok(own) = request.single(header) else { return Found::Repeated };
        match (bearer, own) {
            (None, None) => Found::NotMine,
            (Some(text), None) | (None, Some(text)) => Found::Claimed(Claim::new(text)),
            (Some(_), Some(_)) => Found::Repeated,
        }
    }

    fn read<'s>(
        &self,
        claim: Claim<'s>,
        _scratch: &'s mut Scratch,
    ) -> Result<Presented<'s>, Unread> {
        let text = claim.expose().trim_ascii();
        own::read((TOKEN, NAME), text, "not a key of ours")
    }

    fn check(&self, presented: &PresentedKey<'_>, stored: &Credential, peppers: &Peppers) -> bool {
        own::is_met(presented, stored, peppers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_header_can_be_named_but_not_after_one_that_has_another_meaning() {
        let options = |header: &str| Options::from([("header".to_owned(), header.to_owned())]);
        assert!(build(&options("X-Auth-Token")).is_ok());
        for header in ["", "two words", "Cookie", "authorization", "X-Forwarded-For", "Host"] {
            assert!(build(&options(header)).is_err(), "{header}");
        }
        let unknown = Options::from([("heade".to_owned(), "X-Auth-Token".to_owned())]);
        assert_eq!(build(&unknown).unwrap_err().to_string(), "`api_key` has no option `heade`");
    }
}
