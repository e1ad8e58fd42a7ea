//! `basic`: HTTP Basic (RFC 7617) with a password, or with one of the user's API keys in its
//! place.
//!
//! ```text
//! Authorization: Basic base64(login ":" password)
//! Authorization: Basic base64(login ":" pcl_key_<id>_<secret><check>)
//! ```

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderName, header::AUTHORIZATION};

use super::{
    BadOption, Claim, Found, Kept, Kind, Options, Presented, PresentedKey, Scheme, SchemeName,
    Unread, api_key, authorization, own,
};
use crate::credential::Credential;
use crate::name::{self, MAX_NAME};
use crate::password::MAX_PASSWORD;
use crate::request::RequestHead;
use crate::seal::Peppers;
use crate::secret::{Scratch, Secret, SecretBuf};

/// The name of the scheme.
pub const NAME: SchemeName = SchemeName("basic");

pub(super) const KIND: Kind = Kind {
    name: NAME,
    summary: "HTTP Basic with a password, or with an API key of the user in its place",
    build,
    issue: None,
    kept: Kept::Password,
    present,
    named_in: None,
};

const HEADERS: &[HeaderName] = &[AUTHORIZATION];

#[derive(Debug)]
struct Basic;

fn build(options: &Options) -> Result<Box<dyn Scheme>, BadOption> {
    match options.keys().next() {
        Some(option) => Err(BadOption::Unknown { scheme: NAME, option: option.clone() }),
        None => Ok(Box::new(Basic)),
    }
}

fn present(login: &str, secret: &str) -> (HeaderName, SecretBuf) {
    let pair = SecretBuf::new(format!("{login}:{secret}"));
    (AUTHORIZATION, SecretBuf::new(format!("Basic {}", BASE64.encode(pair.expose()))))
}

impl Scheme for Basic {
    fn name(&self) -> SchemeName {
        NAME
    }

    fn headers(&self) -> &[HeaderName] {
        HEADERS
    }

    // RFC 7617, section 2.1: we read UTF-8, and say so.
    fn challenge(&self) -> &'static str {
        r#"Basic realm="portcullis", charset="UTF-8""#
    }

    fn find<'r>(&self, request: &'r RequestHead<'_>) -> Found<'r> {
        authorization(request, "Basic")
            .map_or(Found::NotMine, |text| Found::Claimed(Claim::new(text)))
    }

    fn read<'s>(
        &self,
        claim: Claim<'s>,
        scratch: &'s mut Scratch,
    ) -> Result<Presented<'s>, Unread> {
        let pair = scratch
            .fill(|room| BASE64.decode_slice(claim.expose(), room))
            .map_err(|_| Unread::Malformed("not base64, or too long"))?;
        // RFC 7617, section 2: the first colon ends the user-id; the password may hold more.
        let colon = pair.iter().position(|byte| *byte == b':');
        let (login, password) = colon
            .and_then(|at| pair.split_at_mut_checked(at))
            .ok_or(Unread::Malformed("no colon"))?;
        let (_, password) = password.split_at_checked(1).unwrap_or_default();
        let login = read_login(login)?;
        let text =
            std::str::from_utf8(password).map_err(|_| Unread::Malformed("password not UTF-8"))?;
        if password.len() > MAX_PASSWORD {
            return Err(Unread::Malformed("password too long"));
        }
        // RFC 7617, section 2: neither part contains control characters.
        if text.chars().any(char::is_control) {
            return Err(Unread::Malformed("control character in the password"));
        }
        present_pair(login, password)
    }

    fn check(&self, presented: &PresentedKey<'_>, stored: &Credential, peppers: &Peppers) -> bool {
        own::is_met(presented, stored, peppers)
    }
}

/// A password that looks like one of our keys is one: no password can be chosen that does.
fn present_pair<'s>(login: Cow<'s, str>, password: &'s [u8]) -> Result<Presented<'s>, Unread> {
    if !api_key::TOKEN.claims(password) {
        return Ok(Presented::Password { login, password: Secret::new(password) });
    }
    let token = api_key::TOKEN.parse(password).map_err(|_| Unread::Mistyped)?;
    Ok(Presented::Key(PresentedKey {
        filed_under: api_key::NAME,
        id: token.id,
        secret: token.secret,
        login: Some(login),
    }))
}

/// The canonical form of the user-id, made in place for the ASCII that most are.
fn read_login(login: &mut [u8]) -> Result<Cow<'_, str>, Unread> {
    if login.len() > MAX_NAME {
        return Err(Unread::Malformed("user name too long"));
    }
    if login.is_ascii() {
        login.make_ascii_lowercase();
    }
    let text = std::str::from_utf8(login).map_err(|_| Unread::Malformed("user name not UTF-8"))?;
    name::canonical(text).map_err(|_| Unread::Malformed("not a user name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pair: &[u8], expected: Result<(&str, &str), &str>) {
        let text = BASE64.encode(pair);
        let mut scratch = Scratch::new();
        let read = Basic.read(Claim::new(text.as_bytes()), &mut scratch);
        let seen = match &read {
            Ok(Presented::Password { login, password }) => {
                Ok((&**login, std::str::from_utf8(password.expose()).unwrap()))
            }
            Err(Unread::Malformed(why)) => Err(*why),
            other => panic!("{other:?}"),
        };
        assert_eq!(seen, expected, "{pair:?}");
    }

    #[test]
    fn the_first_colon_parts_a_canonical_name_from_the_password() {
        check(b"apiuser:secretkey", Ok(("apiuser", "secretkey")));
        check(b"Test:Pass:1234!", Ok(("test", "Pass:1234!")));
        check(b"owner:", Ok(("owner", "")));
        check("ZOE\u{308}:p\u{fc}".as_bytes(), Ok(("zo\u{eb}", "p\u{fc}")));
        // RFC 7617, section 2.1.
        check("test:123\u{a3}".as_bytes(), Ok(("test", "123\u{a3}")));
        check(&[&b"a:"[..], &[b'x'; MAX_PASSWORD]].concat(), Ok(("a", &"x".repeat(1024))));
    }

    #[test]
    fn what_is_not_of_the_form_is_malformed() {
        check(b"", Err("no colon"));
        check(b"no colon", Err("no colon"));
        check(b":secret", Err("not a user name"));
        check(b"a\nb:secret", Err("not a user name"));
        check(b"a:sec\x07ret", Err("control character in the password"));
        check("a:sec\u{85}ret".as_bytes(), Err("control character in the password"));
        check(b"\xff:secret", Err("user name not UTF-8"));
        check(b"a:\xff", Err("password not UTF-8"));
        check(&[b'a'; 2_000], Err("not base64, or too long"));
        check(&[&[b'a'; MAX_NAME + 1][..], b":x"].concat(), Err("user name too long"));
        check(&[&b"a:"[..], &[b'x'; MAX_PASSWORD + 1]].concat(), Err("password too long"));
    }

    #[test]
    fn base64_is_canonical_and_padded() {
        for text in ["YTpi!", "YTpi ", "YTpiYw", "YTpiYx==", "YTpi=", "\u{e9}"] {
            let mut scratch = Scratch::new();
            let read = Basic.read(Claim::new(text.as_bytes()), &mut scratch);
            assert!(read.is_err(), "{text}");
        }
    }

    #[test]
    fn it_takes_no_options() {
        let options = Options::from([("realm".to_owned(), "x".to_owned())]);
        assert!(build(&options).is_err());
    }
}
