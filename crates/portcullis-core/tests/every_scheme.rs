//! What holds for every scheme, those that are still to come too.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::net::IpAddr;

use http::Request;
use http::request::Parts;
use portcullis_core::credential::{Credential, FiledAt};
use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::State;
use portcullis_core::request::{RequestHead, TrustedPeers};
use portcullis_core::scheme::{
    self, Claim, Found, Issued, Kind, Options, Presented, Scheme, SchemeName, Unread,
};
use portcullis_core::seal::{Pepper, PepperId, Peppers};
use portcullis_core::secret::Scratch;
use portcullis_core::time::Timestamp;
use portcullis_core::token::CHECK;

const LOGIN: &str = "owner";
const CANARY: &str = "canary-canary-canary";

fn build(kind: &Kind) -> Box<dyn Scheme> {
    (kind.build)(&Options::new()).unwrap()
}

fn peppers() -> Peppers {
    Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![])
}

/// Every scheme for which something is issued, with what it issued.
fn issued(peppers: &Peppers) -> Vec<(&'static Kind, Issued)> {
    let issuing = scheme::ALL.iter().filter_map(|kind| Some((kind, kind.issue?)));
    issuing.map(|(kind, issue)| (kind, issue(peppers).unwrap())).collect()
}

fn stored(name: SchemeName, issued: &Issued) -> Credential {
    Credential {
        id: Id::from_bytes([3; 16]),
        version: Revision(1),
        scheme: name,
        owner: Id::from_bytes([2; 16]),
        state: State::Active,
        not_before: Timestamp::MIN,
        expires: Timestamp::MAX,
        slides: None,
        minted: Timestamp::MIN,
        limited: false,
        read_only: false,
        verifier: issued.verifier,
        filed_at: FiledAt([0; 16]),
        parent: None,
    }
}

/// A request as a client of the scheme sends it, or without a credential.
fn request(credential: Option<(&Kind, &[u8])>) -> Parts {
    let mut request = Request::get("/?q=1").header("host", "any").header("accept", "*/*");
    if let Some((kind, secret)) = credential {
        let (header, value) = (kind.present)(LOGIN, std::str::from_utf8(secret).unwrap());
        request = request.header(header, value.expose());
    }
    request.body(()).unwrap().into_parts().0
}

fn head(parts: &Parts) -> RequestHead<'_> {
    let (peer, now) = (IpAddr::from([192, 0, 2, 1]), Timestamp::from_millis(1));
    RequestHead::from_connection(parts, peer, &TrustedPeers::default(), now).unwrap()
}

/// Presents `secret` and judges it against `stored`; the key under which it would be looked up,
/// and whether it is the right one.
fn judge(kind: &Kind, secret: &[u8], stored: &Credential) -> Result<(String, bool), Unread> {
    let scheme = build(kind);
    let parts = request(Some((kind, secret)));
    let head = head(&parts);
    let Found::Claimed(claim) = scheme.find(&head) else { panic!("{} is not found", kind.name) };
    let mut scratch = Scratch::new();
    match scheme.read(claim, &mut scratch)? {
        Presented::Key(key) => {
            assert!(
                !format!("{key:?}").contains(std::str::from_utf8(key.secret.expose()).unwrap())
            );
            Ok((key.id.to_owned(), scheme.check(&key, stored, &peppers())))
        }
        other
        @ (Presented::Imported { .. } | Presented::Password { .. } | Presented::Signed(_)) => {
            panic!("a key of {} is read as {other:?}", kind.name)
        }
    }
}

#[test]
fn every_scheme_has_a_name_and_a_line_of_its_own() {
    for kind in scheme::ALL {
        let same = |it: &&Kind| it.name == kind.name || it.summary == kind.summary;
        assert_eq!(scheme::ALL.iter().filter(same).count(), 1, "{}", kind.name);
        assert_eq!(SchemeName::named(kind.name.as_str()), Some(kind.name));
        assert_eq!(build(kind).name(), kind.name);
        assert!(kind.name.as_str().bytes().all(|it| it.is_ascii_lowercase() || it == b'_'));
    }
    assert_eq!(SchemeName::named("none"), None);
}

#[test]
fn an_option_that_a_scheme_does_not_know_is_refused_by_its_name() {
    for kind in scheme::ALL {
        let refused = (kind.build)(&Options::from([("no such option".into(), String::new())]));
        let message = refused.unwrap_err().to_string();
        assert_eq!(message, format!("`{}` has no option `no such option`", kind.name));
    }
}

#[test]
fn a_request_without_a_credential_is_nobodys() {
    let parts = request(None);
    for kind in scheme::ALL {
        assert!(matches!(build(kind).find(&head(&parts)), Found::NotMine), "{}", kind.name);
    }
}

#[test]
fn what_a_client_presents_is_claimed_by_its_scheme_alone_and_in_a_header_that_is_removed() {
    let peppers = peppers();
    for (kind, issued) in issued(&peppers) {
        let parts = request(Some((kind, issued.shown.expose())));
        let (header, _) = (kind.present)(LOGIN, "x");
        assert!(build(kind).headers().contains(&header), "{}", kind.name);
        for other in scheme::ALL {
            let claimed = matches!(build(other).find(&head(&parts)), Found::Claimed(_));
            assert_eq!(claimed, other.name == kind.name, "{} and {}", kind.name, other.name);
        }
    }
}

#[test]
fn what_stands_in_a_cookie_is_said_to_and_is_sent_unasked() {
    for kind in scheme::ALL {
        let (scheme, (header, value)) = (build(kind), (kind.present)(LOGIN, "x"));
        let named = scheme.cookie().map(|name| format!("{name}=x"));
        assert_eq!(named.is_some(), header == http::header::COOKIE, "{}", kind.name);
        assert!(named.is_none_or(|pair| pair == value.expose_text()), "{}", kind.name);
        assert_eq!(scheme.is_sent_unasked(), scheme.cookie().is_some(), "{}", kind.name);
    }
}

#[test]
fn a_challenge_is_a_header_and_tells_no_more_once_a_credential_is_refused() {
    for kind in scheme::ALL {
        let scheme = build(kind);
        let word = |text: &'static str| text.split(' ').next();
        assert_eq!(word(scheme.challenge()), word(scheme.rejected_challenge()), "{}", kind.name);
        for challenge in [scheme.challenge(), scheme.rejected_challenge()] {
            http::HeaderValue::from_str(challenge).unwrap();
            assert!(challenge.contains(" realm=\"portcullis\""), "{challenge}");
        }
    }
}

#[test]
fn what_is_issued_is_found_and_right_and_filed_under_its_key() {
    let peppers = peppers();
    for (kind, issued) in issued(&peppers) {
        let judged = judge(kind, issued.shown.expose(), &stored(kind.name, &issued));
        assert_eq!(judged, Ok((issued.key.clone(), true)), "{}", kind.name);
        let another = (kind.issue.unwrap())(&peppers).unwrap();
        let judged = judge(kind, another.shown.expose(), &stored(kind.name, &issued));
        assert_eq!(judged, Ok((another.key, false)), "{}", kind.name);
    }
}

#[test]
fn any_changed_or_missing_byte_of_what_was_issued_is_refused() {
    let peppers = peppers();
    for (kind, issued) in issued(&peppers) {
        let (stored, whole) = (stored(kind.name, &issued), issued.shown.expose());
        for at in 0..whole.len() {
            for by in [1, 2, 32] {
                let mut changed = whole.to_vec();
                *changed.get_mut(at).unwrap() ^= by;
                refused(kind, &changed, &stored);
            }
            refused(kind, whole.get(..at).unwrap(), &stored);
        }
    }
}

#[track_caller]
fn refused(kind: &Kind, secret: &[u8], stored: &Credential) {
    let scheme = build(kind);
    let mut scratch = Scratch::new();
    let read = scheme.read(Claim::new(secret), &mut scratch);
    let right = match &read {
        Ok(Presented::Key(key)) => scheme.check(key, stored, &peppers()),
        Ok(Presented::Password { .. }) => panic!("a damaged key of {} is a password", kind.name),
        // It is another secret, which nobody imported.
        Ok(Presented::Imported { .. } | Presented::Signed(_)) | Err(_) => false,
    };
    assert!(!right, "{}", kind.name);
}

#[test]
fn right_check_characters_do_not_make_a_key_right() {
    let peppers = peppers();
    for (kind, issued) in issued(&peppers) {
        let stored = stored(kind.name, &issued);
        let text = issued.shown.expose_text();
        let id = text.find(&issued.key).unwrap();
        let secret = id + issued.key.len() + 1;
        for (at, place) in [id, secret, text.len() - CHECK - 1].into_iter().enumerate() {
            let forged = forge(text, place);
            let (key, right) = judge(kind, forged.as_bytes(), &stored).unwrap();
            assert_eq!((key == issued.key, right), (at > 0, false), "{} at {place}", kind.name);
        }
    }
}

/// Changes the character at `place`, and makes the check characters right again.
fn forge(text: &str, place: usize) -> String {
    let mut body = text.split_at(text.len() - CHECK).0.as_bytes().to_vec();
    let changed = body.get_mut(place).unwrap();
    *changed = if *changed == b'x' { b'y' } else { b'x' };
    let sum = crc32fast::hash(&body);
    let digits = (0..u32::try_from(CHECK).unwrap()).rev().map(|place| sum / 62_u32.pow(place) % 62);
    let letters: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    let letter = |digit: u32| letters.get(digit as usize).unwrap();
    String::from_utf8(body).unwrap() + &digits.map(letter).collect::<String>()
}

#[test]
fn no_proof_shows_where_anything_is_written_out() {
    let peppers = peppers();
    for kind in scheme::ALL {
        let (_, value) = (kind.present)(LOGIN, CANARY);
        let parts = request(Some((kind, CANARY.as_bytes())));
        let (scheme, head) = (build(kind), head(&parts));
        let found = scheme.find(&head);
        let mut scratch = Scratch::new();
        let read = scheme.read(Claim::new(value.expose()), &mut scratch);
        let shown = format!("{kind:?}{scheme:?}{value:?}{found:?}{read:?}{head:?}");
        for secret in [CANARY, value.expose_text()] {
            assert!(!shown.contains(secret), "{}: {shown}", kind.name);
        }
    }
    for (kind, issued) in issued(&peppers) {
        let shown = format!("{issued:?}{:?}{peppers:?}", stored(kind.name, &issued));
        let secret = issued.shown.expose_text().rsplit('_').next().unwrap();
        assert!(shown.contains(&issued.key) && !shown.contains(secret), "{}", kind.name);
    }
}

#[test]
fn the_configuration_page_says_every_scheme() {
    let page = include_str!("../../../docs/configuration.md");
    for kind in scheme::ALL {
        assert!(page.contains(&format!("| `{}` | {} |", kind.name, kind.summary)), "{}", kind.name);
    }
}
