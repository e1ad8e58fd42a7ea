//! What the scheme finds in a request, and what it makes of it.

use http::Request;

use super::*;
use crate::request::TrustedPeers;
use std::net::IpAddr;

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NOW: Timestamp = Timestamp::from_millis(1_422_940_200_000);

fn token(user: &str) -> String {
    let secret = crate::seal::MacKey::of_text(b"secret");
    let made = sign(Form::Documented, (KEY, &secret), NOW, user).unwrap();
    made.expose_text().to_owned()
}

fn scheme(query: bool) -> Box<dyn Scheme> {
    build(&Options::from([("query".to_owned(), query.to_string())])).unwrap()
}

/// For whom a request with these headers and this query counts.
fn proven(query: bool, headers: &[&[u8]], sent: &str) -> Result<String, &'static str> {
    let mut request = Request::get(format!("/{sent}")).header("host", "any");
    for value in headers {
        request = request.header(HEADER, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let (peer, trusted) = (IpAddr::from([192, 0, 2, 1]), TrustedPeers::default());
    let head = RequestHead::from_connection(&parts, peer, &trusted, NOW).unwrap();
    let scheme = scheme(query);
    let claim = match scheme.find(&head) {
        Found::Claimed(claim) => claim,
        Found::NotMine => return Err("not mine"),
        Found::Repeated => return Err("repeated"),
    };
    let mut scratch = Scratch::new();
    match scheme.read(claim, &mut scratch) {
        Ok(Presented::Signed(signed)) => prove(&*scheme, &signed, &ring(&[]), NOW),
        Ok(_) => Err("another"),
        Err(_) => Err("malformed"),
    }
}

fn prove(
    scheme: &dyn Scheme,
    signed: &Signed<'_>,
    keyring: &Keyring,
    now: Timestamp,
) -> Result<String, &'static str> {
    match scheme.prove(signed, keyring, now) {
        Ok(Proven::User(NamedUser::Name(name))) => Ok(name.into_owned()),
        Ok(Proven::User(NamedUser::Number(number))) => Ok(number.to_string()),
        Ok(_) => Err("another"),
        Err(reason) => Err(reason.name()),
    }
}

fn ring(options: &[(&str, &str)]) -> Keyring {
    let owned = options.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Keyring::new(SecretBuf::new("secret"), owned.collect())
}

#[test]
fn a_token_counts_in_the_header_and_in_the_query_where_it_is_looked_for() {
    let (text, other) = (token("=jane_doe"), token("=other"));
    let sent = |text: &str| format!("?redirect=a=b&x-deki-token={text}&a");
    let (header, both) = (&[text.as_bytes()][..], &[text.as_bytes(), text.as_bytes()][..]);
    let (jane, not_mine) = (Ok("jane_doe".to_owned()), Err("not mine"));
    for (query, headers, sent, expected) in [
        (false, header, String::new(), jane.clone()),
        (false, &[], sent(&text), not_mine.clone()),
        (false, header, sent(&other), jane.clone()),
        (true, &[], String::new(), not_mine.clone()),
        (true, &[], "?X-Deki-Token=1&x-deki-token".to_owned(), not_mine),
        (true, &[], sent(&text), jane.clone()),
        (true, &[], sent(&text.replace('=', "%3D")), jane.clone()),
        (true, header, sent(&text), jane.clone()),
        (true, header, sent(&text.replace('=', "%3D")), jane.clone()),
        (true, header, sent(&other), Err("repeated")),
        (true, header, sent(""), Err("repeated")),
        (true, &[], sent(&format!("{text}&x-deki-token={text}")), jane),
        (true, &[], sent(&format!("{text}&x-deki-token={other}")), Err("repeated")),
        (true, both, String::new(), Err("repeated")),
        (false, both, String::new(), Err("repeated")),
        (true, &[], sent(""), Err("malformed")),
        (false, &[b""], String::new(), Err("malformed")),
        (false, &[KEY.as_bytes()], String::new(), Err("malformed")),
    ] {
        assert_eq!(proven(query, headers, &sent), expected, "{headers:?} {sent}");
    }
}

#[test]
fn a_name_that_is_not_utf_8_is_iso_8859_1() {
    let text = token("=j\u{f6}rg");
    assert_eq!(proven(false, &[text.as_bytes()], ""), Ok("j\u{f6}rg".into()));
    let latin: Vec<u8> =
        text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    assert_eq!(proven(false, &[&latin], ""), Ok("j\u{f6}rg".into()));
    let query = format!("?x-deki-token={}", text.replace('\u{f6}', "%C3%B6"));
    assert_eq!(proven(true, &[&latin], &query), Ok("j\u{f6}rg".into()));
    assert_eq!(proven(false, &[&[0xe9; 1_000]], ""), Err("malformed"));
}

#[test]
fn in_a_query_a_plus_sign_may_be_a_space() {
    let text = token("=jane doe");
    for sent in [text.replace(' ', "+"), text.replace(' ', "%20")] {
        let sent = format!("?x-deki-token={sent}");
        assert_eq!(proven(true, &[text.as_bytes()], &sent), Ok("jane doe".into()), "{sent}");
        assert_eq!(proven(true, &[], &sent), Ok("jane doe".into()), "{sent}");
    }
}

#[test]
fn what_a_key_may_is_judged_after_its_hash() {
    let secret = crate::seal::MacKey::of_text(b"secret");
    let older = sign(Form::Older, (KEY, &secret), NOW, "123").unwrap();
    let (text, scheme) = (token("123"), scheme(false));
    let wrong = format!("{}0", text.strip_suffix(|_| true).unwrap());
    let late = Timestamp::from_millis(NOW.millis() + 301_000);
    let ok = Ok("123".to_owned());
    for (text, options, now, expected) in [
        (&*text, &[][..], NOW, ok.clone()),
        (&text, &[(option::OLDER, "true")], NOW, ok.clone()),
        (&text, &[(option::HOSTS, "a.example")], NOW, Err("wrong_proof")),
        (&text, &[], late, Err("untimely")),
        (&wrong, &[], NOW, Err("wrong_proof")),
        (&wrong, &[], late, Err("wrong_proof")),
        (older.expose_text(), &[], NOW, Err("wrong_proof")),
        (older.expose_text(), &[(option::OLDER, "false")], NOW, Err("wrong_proof")),
        (older.expose_text(), &[(option::OLDER, "true")], NOW, ok),
        (older.expose_text(), &[(option::OLDER, "true")], late, Err("untimely")),
    ] {
        let text = Secret::new(text.as_bytes());
        let signed = Signed { filed_under: NAME, id: KEY, text, in_query: false };
        assert_eq!(prove(&*scheme, &signed, &ring(options), now), expected, "{options:?}");
    }
}

#[test]
fn a_secret_that_was_replaced_counts_for_a_while() {
    let (scheme, text) = (scheme(false), token("=admin"));
    let mut ring = ring(&[]);
    let until = Timestamp::from_millis(NOW.millis() + 1_000);
    ring.rotate(SecretBuf::new("newer"), until, NOW).unwrap();
    for (now, expected) in [(NOW, Ok("admin".to_owned())), (until, Err("wrong_proof"))] {
        let text = Secret::new(text.as_bytes());
        let signed = Signed { filed_under: NAME, id: KEY, text, in_query: false };
        assert_eq!(prove(&*scheme, &signed, &ring, now), expected);
    }
}

#[test]
fn keys_and_secrets_are_64_hex_digits_and_never_the_same() {
    let (one, other) = (draw().unwrap(), draw().unwrap());
    for drawn in [&one, &other] {
        assert!(is_key(drawn.key.as_bytes()) && is_key(drawn.secret.expose()));
        assert_ne!(drawn.key, drawn.secret.expose_text());
    }
    assert!(one.key != other.key && one.secret.expose() != other.secret.expose());
}
