//! `authtoken` and `authtoken_bearer`: a session of Expert, as browsers and as scripts send it.
//!
//! ```text
//! Cookie: authtoken="pcl_auth_<id>_<secret><check>"      quoted, as it was set, or bare
//! Authorization: Bearer pcl_auth_<id>_<secret><check>
//! ```
//!
//! They are two, for a cookie is sent unasked and yields to whatever somebody chose to send.

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE};

use super::{
    BadOption, Claim, Found, Issued, Kept, Kind, Options, Presented, PresentedKey, Scheme,
    SchemeName, Unread, authorization, own,
};
use crate::credential::Credential;
use crate::request::{RequestHead, unquoted};
use crate::seal::{NoEntropy, Peppers};
use crate::secret::{Scratch, SecretBuf};
use crate::token::TokenKind;

/// The name of the scheme under which sessions are filed, and of that which reads the cookie.
pub const NAME: SchemeName = SchemeName("authtoken");
/// The name of the scheme that reads the same session from `Authorization`.
pub const BEARER_NAME: SchemeName = SchemeName("authtoken_bearer");
/// The name of the cookie.
pub const COOKIE_NAME: &str = "authtoken";
/// The kind of its tokens.
const TOKEN: TokenKind = TokenKind::new("auth");

pub(super) const KIND: Kind = Kind {
    name: NAME,
    summary: "a `pcl_auth_…` session in the cookie `authtoken`, from the exchange of Expert",
    build: |options| build(NAME, options, || Box::new(InCookie)),
    issue: Some(issue),
    kept: Kept::Digest,
    present: |_, secret| (COOKIE, SecretBuf::new(format!("{COOKIE_NAME}={secret}"))),
    named_in: None,
};

pub(super) const BEARER_KIND: Kind = Kind {
    name: BEARER_NAME,
    summary: "the same session as Bearer token",
    build: |options| build(BEARER_NAME, options, || Box::new(AsBearer)),
    issue: None,
    kept: Kept::Digest,
    present: |_, secret| (AUTHORIZATION, SecretBuf::new(format!("Bearer {secret}"))),
    named_in: None,
};

#[derive(Debug)]
struct InCookie;

#[derive(Debug)]
struct AsBearer;

fn build(
    scheme: SchemeName,
    options: &Options,
    make: fn() -> Box<dyn Scheme>,
) -> Result<Box<dyn Scheme>, BadOption> {
    match options.keys().next() {
        Some(option) => Err(BadOption::Unknown { scheme, option: option.clone() }),
        None => Ok(make()),
    }
}

fn issue(peppers: &Peppers) -> Result<Issued, NoEntropy> {
    own::issue(TOKEN, peppers)
}

/// Whether `value` is a session by its shape, with quotes around it or without.
pub fn is_ours(value: &[u8]) -> bool {
    TOKEN.claims(unquoted(value.trim_ascii()))
}

fn read(text: &[u8]) -> Result<Presented<'_>, Unread> {
    own::read((TOKEN, NAME), text, "not a session of ours")
}

impl Scheme for InCookie {
    fn name(&self) -> SchemeName {
        NAME
    }

    fn headers(&self) -> &[HeaderName] {
        const { &[COOKIE] }
    }

    fn cookie(&self) -> Option<&str> {
        Some(COOKIE_NAME)
    }

    // No registered scheme asks for a cookie; RFC 9110, section 15.5.2, demands a challenge.
    fn challenge(&self) -> &'static str {
        r#"Cookie realm="portcullis""#
    }

    fn find<'r>(&self, request: &'r RequestHead<'_>) -> Found<'r> {
        own::find_cookie(request, COOKIE_NAME)
    }

    fn read<'s>(
        &self,
        claim: Claim<'s>,
        _scratch: &'s mut Scratch,
    ) -> Result<Presented<'s>, Unread> {
        read(unquoted(claim.expose()))
    }

    fn check(&self, presented: &PresentedKey<'_>, stored: &Credential, peppers: &Peppers) -> bool {
        own::is_met(presented, stored, peppers)
    }
}

impl Scheme for AsBearer {
    fn name(&self) -> SchemeName {
        BEARER_NAME
    }

    fn headers(&self) -> &[HeaderName] {
        const { &[AUTHORIZATION] }
    }

    fn challenge(&self) -> &'static str {
        r#"Bearer realm="portcullis""#
    }

    // RFC 6750, section 3.1.
    fn rejected_challenge(&self) -> &'static str {
        r#"Bearer realm="portcullis", error="invalid_token""#
    }

    fn find<'r>(&self, request: &'r RequestHead<'_>) -> Found<'r> {
        let sent = authorization(request, "Bearer").filter(|text| is_ours(text));
        sent.map_or(Found::NotMine, |text| Found::Claimed(Claim::new(text)))
    }

    fn read<'s>(
        &self,
        claim: Claim<'s>,
        _scratch: &'s mut Scratch,
    ) -> Result<Presented<'s>, Unread> {
        // Whoever copies a cookie's value may copy its quotes.
        read(unquoted(claim.expose()))
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
    use std::net::IpAddr;

    /// What `kind` makes of a request with this header, in which `TOKEN` stands for a session.
    #[track_caller]
    fn check(kind: &Kind, (name, value): (HeaderName, &str), expected: &str) {
        let token = TOKEN.draw().unwrap();
        let value = value.replace("TOKEN", token.expose_text());
        let request = Request::get("/").header("host", "any").header(name, &value);
        let parts = request.body(()).unwrap().into_parts().0;
        let (peer, now) = (IpAddr::from([192, 0, 2, 1]), Timestamp::from_millis(1));
        let head = RequestHead::from_connection(&parts, peer, &TrustedPeers::default(), now);
        let (head, scheme) = (head.unwrap(), (kind.build)(&Options::new()).unwrap());
        let seen = match scheme.find(&head) {
            Found::NotMine => "not mine",
            Found::Repeated => "repeated",
            Found::Claimed(claim) => match scheme.read(claim, &mut Scratch::new()) {
                Ok(Presented::Key(key)) if key.filed_under == NAME => "a session",
                Ok(_) => "another",
                Err(Unread::Malformed(_)) => "malformed",
                Err(Unread::Mistyped) => "mistyped",
            },
        };
        assert_eq!(seen, expected, "{value}");
    }

    #[test]
    fn the_cookie_counts_quoted_and_bare_and_once() {
        for (cookies, expected) in [
            ("authtoken=TOKEN", "a session"),
            ("authtoken=\"TOKEN\"", "a session"),
            ("dekisession=x; authtoken=\"TOKEN\"; a=b", "a session"),
            ("authtoken=\"\"", "malformed"),
            ("authtoken=x", "malformed"),
            ("authtoken=pcl_ses_x", "malformed"),
            ("authtoken=TOKENx", "mistyped"),
            ("authtoken=TOKEN; authtoken=x", "repeated"),
            ("Authtoken=TOKEN", "not mine"),
            ("wtsession=TOKEN", "not mine"),
            ("a=b", "not mine"),
        ] {
            check(&KIND, (COOKIE, cookies), expected);
        }
        check(&KIND, (AUTHORIZATION, "Bearer TOKEN"), "not mine");
    }

    #[test]
    fn a_script_sends_it_as_a_bearer_token() {
        for (value, expected) in [
            ("Bearer TOKEN", "a session"),
            ("bearer TOKEN", "a session"),
            ("Bearer \"TOKEN\"", "a session"),
            ("Bearer TOKENx", "mistyped"),
            ("Bearer pcl_tok_x", "not mine"),
            ("Bearer x", "not mine"),
            ("TOKEN", "not mine"),
        ] {
            check(&BEARER_KIND, (AUTHORIZATION, value), expected);
        }
        check(&BEARER_KIND, (COOKIE, "authtoken=TOKEN"), "not mine");
    }
}
