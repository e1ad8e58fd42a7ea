//! What every scheme finds in a header, and reads of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderName, HeaderValue, Request};
use portcullis_core::name::{self, MAX_NAME};
use portcullis_core::password::MAX_PASSWORD;
use portcullis_core::request::{RequestHead, TrustedPeers};
use portcullis_core::scheme::shared_secret::{MAX_IMPORTED, MIN_IMPORTED};
use portcullis_core::scheme::{self, Claim, Found, Options, Presented, PresentedKey, Scheme};
use portcullis_core::secret::Scratch;
use portcullis_core::token::{ID, SECRET, is_ours};

use crate::request::{NOW, PEER};

/// The value of a header that carries a credential.
///
/// # Panics
/// A scheme hands on more than it may, or not in the one form of it.
pub fn schemes(data: &[u8]) {
    for kind in scheme::ALL {
        let scheme = (kind.build)(&Options::new()).unwrap();
        read(&*scheme, data);
        let word = scheme.challenge().split(' ').next().unwrap_or_default().as_bytes();
        let encoded = BASE64.encode(data);
        let values = [data.to_vec(), [word, b" ", data].concat()];
        let values = values.into_iter().chain([[word, b" ", encoded.as_bytes()].concat()]);
        for value in values.filter_map(|value| HeaderValue::from_bytes(&value).ok()) {
            scheme.headers().iter().for_each(|header| find(&*scheme, header, &value));
        }
    }
}

fn find(scheme: &dyn Scheme, header: &HeaderName, value: &HeaderValue) {
    let request = Request::get("/").header("host", "any").header(header, value);
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let trusted = TrustedPeers::default();
    let Ok(head) = RequestHead::from_connection(&parts, PEER, &trusted, NOW) else { return };
    match scheme.find(&head) {
        Found::Claimed(claim) => {
            let sent = value.as_bytes();
            let length = claim.expose().len();
            assert!(sent.windows(length.max(1)).any(|it| it == claim.expose()) || length == 0);
            read(scheme, claim.expose());
        }
        Found::NotMine => {}
        Found::Repeated if parts.headers.len() == 3 => {}
        Found::Repeated => {
            let named = |name: &str| count(value.as_bytes(), name.as_bytes());
            assert!(scheme.cookie().is_some_and(|it| named(it) > 1), "it stands there once");
        }
    }
}

fn count(text: &[u8], part: &[u8]) -> usize {
    text.windows(part.len()).filter(|it| *it == part).count()
}

fn read(scheme: &dyn Scheme, claim: &[u8]) {
    let mut scratch = Scratch::new();
    match scheme.read(Claim::new(claim), &mut scratch) {
        Ok(Presented::Imported { secret, .. }) => {
            let text = secret.expose();
            assert!((MIN_IMPORTED..=MAX_IMPORTED).contains(&text.len()));
            assert!(text.iter().all(u8::is_ascii_graphic) && !is_ours(text));
        }
        Ok(Presented::Key(key)) => check_key(&key),
        Ok(Presented::Password { login, password }) => {
            check_login(&login);
            let text = std::str::from_utf8(password.expose()).unwrap();
            assert!(text.len() <= MAX_PASSWORD && !text.chars().any(char::is_control));
            assert!(!text.starts_with("pcl_key_"), "a key is read as a password");
        }
        Ok(Presented::Signed(signed)) => {
            let digits = if signed.filed_under == scheme::SIGNATURE { 64 } else { 24 };
            assert_eq!(signed.id.len(), digits);
            assert!(signed.id.bytes().all(|it| it.is_ascii_hexdigit()) && !claim.is_empty());
        }
        Err(_) => {}
    }
}

fn check_key(key: &PresentedKey<'_>) {
    assert_eq!((key.id.len(), key.secret.expose().len()), (ID, SECRET));
    let letters = key.id.as_bytes().iter().chain(key.secret.expose());
    assert!(letters.into_iter().all(u8::is_ascii_alphanumeric));
    key.login.as_deref().into_iter().for_each(check_login);
}

fn check_login(login: &str) {
    assert!(login.len() <= MAX_NAME && !login.contains(':'));
    assert_eq!(name::canonical(login).unwrap(), login, "not in its canonical form");
}
