//! `session`: a session of our own, in a cookie that whoever signed in was given.
//!
//! ```text
//! Cookie: wtsession=pcl_ses_<id>_<secret><check>
//! ```

use http::{HeaderName, header::COOKIE};

use super::{
    BadOption, Claim, Found, Issued, Kept, Kind, Options, Presented, PresentedKey, Scheme,
    SchemeName, Unread, own,
};
use crate::credential::Credential;
use crate::request::{RequestHead, unquoted};
use crate::seal::{NoEntropy, Peppers};
use crate::secret::{Scratch, SecretBuf};
use crate::token::TokenKind;

/// The name of the scheme.
pub const NAME: SchemeName = SchemeName("session");
/// The name of its cookie, unless an option says otherwise.
pub const DEFAULT_COOKIE: &str = "wtsession";
/// The longest name that its cookie may be given, in bytes.
pub const MAX_COOKIE_NAME: usize = 64;
/// The kind of its tokens.
const TOKEN: TokenKind = TokenKind::new("ses");

pub(super) const KIND: Kind = Kind {
    name: NAME,
    summary: "a `pcl_ses_…` session in a cookie (default `wtsession`), given to who signs in",
    build,
    issue: Some(issue),
    kept: Kept::Digest,
    present,
    named_in: None,
};

const HEADERS: &[HeaderName] = &[COOKIE];

#[derive(Debug)]
struct Session {
    cookie: Box<str>,
}

fn build(options: &Options) -> Result<Box<dyn Scheme>, BadOption> {
    let mut cookie = DEFAULT_COOKIE;
    for (option, value) in options {
        match option.as_str() {
            "cookie" => cookie = check_name(value)?,
            _ => return Err(BadOption::Unknown { scheme: NAME, option: option.clone() }),
        }
    }
    Ok(Box::new(Session { cookie: cookie.into() }))
}

/// A cookie is named by a token (RFC 6265, section 4.1.1; RFC 9110, section 5.6.2).
fn check_name(name: &str) -> Result<&str, BadOption> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if (1..=MAX_COOKIE_NAME).contains(&name.len()) && name.bytes().all(letter) {
        return Ok(name);
    }
    Err(BadOption::Value {
        scheme: NAME,
        option: "cookie",
        value: name.to_owned(),
        expected: "the name of a cookie (RFC 6265, section 4.1.1), of at most 64 characters",
    })
}

/// Whether `value` is a session of ours by its shape, whatever the cookie is called.
pub fn is_ours(value: &[u8]) -> bool {
    TOKEN.claims(unquoted(value.trim_ascii()))
}

fn issue(peppers: &Peppers) -> Result<Issued, NoEntropy> {
    own::issue(TOKEN, peppers)
}

fn present(_login: &str, secret: &str) -> (HeaderName, SecretBuf) {
    (COOKIE, SecretBuf::new(format!("{DEFAULT_COOKIE}={secret}")))
}

impl Scheme for Session {
    fn name(&self) -> SchemeName {
        NAME
    }

    fn headers(&self) -> &[HeaderName] {
        HEADERS
    }

    fn cookie(&self) -> Option<&str> {
        Some(&self.cookie)
    }

    // No registered scheme asks for a cookie; RFC 9110, section 15.5.2, demands a challenge.
    fn challenge(&self) -> &'static str {
        r#"Cookie realm="portcullis""#
    }

    fn find<'r>(&self, request: &'r RequestHead<'_>) -> Found<'r> {
        own::find_cookie(request, &self.cookie)
    }

    fn read<'s>(
        &self,
        claim: Claim<'s>,
        _scratch: &'s mut Scratch,
    ) -> Result<Presented<'s>, Unread> {
        let text = unquoted(claim.expose());
        own::read((TOKEN, NAME), text, "not a session of ours")
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

    /// What comes of a `Cookie` header in which `TOKEN` stands for a session.
    #[track_caller]
    fn check(cookies: &str, expected: &str) {
        let token = TOKEN.draw().unwrap();
        let header = cookies.replace("TOKEN", token.expose_text());
        let request = Request::get("/").header("host", "any").header(COOKIE, header);
        let parts = request.body(()).unwrap().into_parts().0;
        let (peer, now) = (IpAddr::from([192, 0, 2, 1]), Timestamp::from_millis(1));
        let head = RequestHead::from_connection(&parts, peer, &TrustedPeers::default(), now);
        let head = head.unwrap();
        let session = build(&Options::new()).unwrap();
        let seen = match session.find(&head) {
            Found::NotMine => "not mine",
            Found::Repeated => "repeated",
            Found::Claimed(claim) => match session.read(claim, &mut Scratch::new()) {
                Ok(Presented::Key(key)) => {
                    assert!(token.expose_text().contains(key.id));
                    "a session"
                }
                Ok(_) => "another",
                Err(Unread::Malformed(_)) => "malformed",
                Err(Unread::Mistyped) => "mistyped",
            },
        };
        assert_eq!(seen, expected, "{cookies}");
    }

    #[test]
    fn the_one_pair_of_its_name_is_claimed_whatever_stands_around_it() {
        check("wtsession=TOKEN", "a session");
        check("wtsession=\"TOKEN\"", "a session");
        check("a=1; wtsession=TOKEN; b=2", "a session");
        check("a=1;wtsession=TOKEN;b=2", "a session");
        check(" a=1 ;\twtsession=TOKEN\t; ;", "a session");
        check("theme; a=\"b; =c; wtsession=TOKEN", "a session");
    }

    #[test]
    fn what_only_looks_like_its_name_is_not_claimed() {
        for cookies in [
            "",
            "wtsession",
            "wtsession; a=1",
            "Wtsession=TOKEN",
            "xwtsession=TOKEN",
            "wtsession2=TOKEN",
            "wtsession =TOKEN",
            "%77tsession=TOKEN",
            "\"wtsession\"=TOKEN",
            "a=wtsession=TOKEN",
            "a=1, wtsession=TOKEN",
        ] {
            check(cookies, "not mine");
        }
    }

    #[test]
    fn the_same_name_twice_is_nobodys_to_choose_from() {
        check("wtsession=TOKEN; wtsession=TOKEN", "repeated");
        check("wtsession=TOKEN; a=1; wtsession=x", "repeated");
        check("wtsession=; wtsession=TOKEN", "repeated");
        check("wtsession=\"x; wtsession=TOKEN\"", "repeated");
    }

    #[test]
    fn a_value_that_is_no_session_is_refused_and_never_passed_over() {
        for cookies in [
            "wtsession=",
            "wtsession=\"\"",
            "wtsession=x",
            "wtsession==TOKEN",
            "wtsession= TOKEN",
            "wtsession=\"TOKEN",
            "wtsession=\"\"TOKEN\"\"",
            "wtsession=%22TOKEN%22",
            "wtsession=Bearer TOKEN",
            "wtsession=pcl_key_0123456789abcdef",
        ] {
            check(cookies, "malformed");
        }
        for cookies in [
            "wtsession=TOKEN\"",
            "wtsession=TOKENx",
            "wtsession=TOKEN TOKEN",
            "wtsession=TOKEN, a=1",
            "wtsession=pcl_ses_",
        ] {
            check(cookies, "mistyped");
        }
        check(&format!("wtsession={}", "x".repeat(8_000)), "malformed");
        check(&format!("wtsession=TOKEN{}", "0".repeat(8_000)), "mistyped");
    }

    #[test]
    fn two_headers_have_no_single_meaning() {
        let request = Request::get("/").header("host", "any");
        let request = request.header(COOKIE, "a=1").header(COOKIE, "wtsession=x");
        let parts = request.body(()).unwrap().into_parts().0;
        let (peer, now) = (IpAddr::from([192, 0, 2, 1]), Timestamp::from_millis(1));
        let head = RequestHead::from_connection(&parts, peer, &TrustedPeers::default(), now);
        assert!(head.is_err());
    }

    #[test]
    fn its_cookie_can_be_named_by_a_token_alone() {
        let named = |name: &str| build(&Options::from([("cookie".to_owned(), name.to_owned())]));
        for name in ["sid", "__Host-session", "a.b!c", &"n".repeat(MAX_COOKIE_NAME)] {
            assert_eq!(named(name).unwrap().cookie(), Some(name));
        }
        for name in ["", "a b", "a=b", "a;b", "a\"", "\u{e9}", &"n".repeat(MAX_COOKIE_NAME + 1)] {
            assert!(named(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_session_is_known_by_its_shape_under_any_name() {
        for value in ["pcl_ses_", "pcl_ses_x", "\"pcl_ses_x\"", " pcl_ses_x "] {
            assert!(is_ours(value.as_bytes()), "{value}");
        }
        for value in ["", "x", "pcl_key_x", "xpcl_ses_x", "\"pcl_ses_x"] {
            assert!(!is_ours(value.as_bytes()), "{value}");
        }
    }
}
