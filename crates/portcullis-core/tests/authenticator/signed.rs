//! Proofs whose check needs the secret itself: connectors and their tokens, every way out.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::keyring::OpenSecret;
use portcullis_core::principal::Principal;
use portcullis_core::scheme::CONNECTOR;
use portcullis_core::scheme::connector::{check_imported, option, sign};
use portcullis_core::tally::Work;
use serde_json::{Value, json};

use super::*;

const ID: &str = "5a7962e2793d3e942a03b29a";
const UNKNOWN: &str = "5a7962e2793d3e942a03b29b";
const SECRET: &str = "s3cr3t-connector-secret-0123456789";
const OTHER_SECRET: &str = "an0ther-connector-secret-012345678";

/// The shelf, and on it one connector that changes while it is used.
#[derive(Debug)]
struct Place {
    shelf: Shelf,
    connector: Mutex<Connector>,
}

#[derive(Clone, Debug)]
struct Connector {
    credential: Credential,
    keyring: Arc<Keyring>,
}

impl CredentialLookup for Place {
    fn credential(&self, scheme: SchemeName, key: &str) -> Option<Credential> {
        tally::lookup();
        let connector = self.connector.lock().unwrap().credential;
        (scheme == CONNECTOR && key == ID).then_some(connector)
    }

    fn filed_at(&self, _: FiledAt) -> Option<Credential> {
        None
    }

    fn limits(&self, id: Id<Credential>) -> Option<Arc<Limits>> {
        self.shelf.limits(id)
    }

    fn keyring(&self, id: Id<Credential>) -> Option<Arc<Keyring>> {
        tally::lookup();
        let connector = self.connector.lock().unwrap();
        (connector.credential.id == id).then(|| Arc::clone(&connector.keyring))
    }

    fn named(&self, _: Id<Organization>, _: &str) -> Option<Arc<User>> {
        None
    }

    fn numbered(&self, _: Id<Organization>, _: i64) -> Option<Arc<User>> {
        None
    }

    fn user(&self, id: Id<User>) -> Option<Arc<User>> {
        self.shelf.user(id)
    }

    fn organization(&self, id: Id<Organization>) -> Option<Arc<Organization>> {
        self.shelf.organization(id)
    }

    fn group(&self, _: Id<Group>) -> Option<Arc<Group>> {
        None
    }

    fn role(&self, _: Id<Role>) -> Option<Arc<Role>> {
        None
    }
}

struct Bench {
    authenticator: Authenticator<Place>,
    schemes: Vec<Box<dyn Scheme>>,
}

impl Bench {
    /// One connector of the user of `world`, changed by `change`, where the connector scheme has
    /// these options.
    fn new(options: &[&str], change: impl FnOnce(&mut Case)) -> Self {
        let mut connector = None;
        let world = world(|case| {
            change(case);
            connector = Some(Credential { scheme: CONNECTOR, ..case.credential });
        });
        let shelf = world.authenticator.lookup().clone();
        let connector = Connector {
            credential: connector.unwrap(),
            keyring: Arc::new(Keyring::new(SecretBuf::new(SECRET), Options::new())),
        };
        let place = Place { shelf, connector: Mutex::new(connector) };
        let peppers = Arc::new(Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]));
        let kind = scheme::ALL.iter().find(|kind| kind.name == CONNECTOR).unwrap();
        let options = options.iter().map(|name| ((*name).to_owned(), "true".to_owned())).collect();
        Self {
            authenticator: Authenticator::new(place, peppers, CHEAP).unwrap(),
            schemes: vec![(kind.build)(&options).unwrap()],
        }
    }

    fn change(&self, change: impl FnOnce(&mut Connector)) {
        let mut connector = self.authenticator.lookup().connector.lock().unwrap();
        change(&mut connector);
        connector.credential.version = Revision(connector.credential.version.0 + 1);
    }

    /// Who a request turns out to be from.
    fn ask(&self, parts: &Parts, now: i64) -> Result<Option<Principal>, Rejection> {
        let now = Timestamp::from_millis(now);
        let trusted = TrustedPeers::default();
        let head = RequestHead::from_connection(parts, peer(), &trusted, now).unwrap();
        let site = site(Audience::Guard(GUARD));
        match self.authenticator.begin(&self.schemes, &site, &head) {
            Begun::Anonymous => Ok(None),
            Begun::Authenticated(known) => Ok(Some(known.principal)),
            Begun::Rejected(no) => Err(no.reason),
            Begun::Pending(_) => panic!("no password was presented"),
        }
    }

    /// What comes of this id and token at [`NOW`]; `None` is yes.
    fn judge(&self, id: &str, token: &str) -> Option<Rejection> {
        self.judge_at(id, token, NOW)
    }

    fn judge_at(&self, id: &str, token: &str, now: i64) -> Option<Rejection> {
        self.ask(&headers(&[("Hull-App-Id", id), ("Hull-Access-Token", token)]), now).err()
    }
}

fn headers(headers: &[(&str, &str)]) -> Parts {
    request_to("/", headers)
}

fn request_to(target: &str, headers: &[(&str, &str)]) -> Parts {
    let request = Request::get(target).header("Host", "any");
    let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

fn token_of(secret: &str, claims: &Value) -> String {
    let mut whole = json!({ "iss": ID, "iat": NOW / 1_000 });
    whole.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    sign(&SecretBuf::new(secret), &whole.to_string()).expose_text().to_owned()
}

fn token(claims: &Value) -> String {
    token_of(SECRET, claims)
}

fn user() -> Value {
    json!({ "io.hull.asUser": { "email": "bob@bob.com" } })
}

#[test]
fn a_secret_and_a_token_pass_and_each_flaw_has_its_own_name() {
    let good = token(&user());
    let bench = Bench::new(&["subjects"], |_| {});
    let cut = &good[..good.len() - 1];
    let doubled = token_of(&good, &user());
    let capital = ID.to_uppercase();
    for (id, proof, expected) in [
        (ID, SECRET, None),
        (ID, &*good, None),
        (ID, OTHER_SECRET, Some(Rejection::Malformed("neither the secret nor a token"))),
        (ID, &SECRET[1..], Some(Rejection::Malformed("neither the secret nor a token"))),
        (ID, cut, Some(Rejection::Malformed("neither the secret nor a token"))),
        (ID, &*token_of(OTHER_SECRET, &user()), Some(Rejection::WrongProof)),
        // A token keyed with a token, as `.token()` of the vendor's client makes it.
        (ID, &*doubled, Some(Rejection::WrongProof)),
        (UNKNOWN, SECRET, Some(Rejection::Unknown)),
        (UNKNOWN, &*good, Some(Rejection::Unknown)),
        (&*capital, &*good, Some(Rejection::Unknown)),
        ("5a79", &*good, Some(Rejection::Malformed("an id has 24 hex digits"))),
        (ID, "", Some(Rejection::Malformed("no token beside the id"))),
        (ID, &*token(&json!({})), Some(Rejection::Malformed("no subject"))),
        (ID, &*token(&json!({ "iss": UNKNOWN })), Some(Rejection::ForeignKey)),
    ] {
        assert_eq!(bench.judge(id, proof), expected, "{id} {proof}");
    }
    for (change, reason) in REFUSALS {
        let bench = Bench::new(&["subjects"], change);
        for proof in [SECRET, &good] {
            assert_eq!(bench.judge(ID, proof), Some(*reason), "{proof}");
            assert_eq!(bench.judge(ID, proof), Some(*reason), "{proof}, remembered");
        }
    }
}

#[test]
fn whom_a_token_stands_for_is_its_subject_and_the_secret_stands_for_the_connector() {
    let bench = Bench::new(&["subjects"], |_| {});
    let ask = |proof: &str| {
        let parts = headers(&[("Hull-App-Id", ID), ("Hull-Access-Token", proof)]);
        bench.ask(&parts, NOW).unwrap().unwrap()
    };
    assert!(ask(SECRET).subject.is_none() && ask(SECRET).has_rights());
    let told = ask(&token(&user()));
    assert!(told.subject.is_some() && !told.has_rights());
    let mut admin = user();
    admin["scopes"] = json!(["admin"]);
    let told = ask(&token(&admin));
    assert!(told.subject.is_some() && told.has_rights());
}

#[test]
fn a_token_is_admitted_only_where_subjects_are_and_an_admins_everywhere() {
    let mut admin = user();
    admin["scopes"] = json!(["admin"]);
    let refused = Some(Rejection::NotAdmitted);
    for (options, of_user) in [(&[][..], refused), (&["query"], refused), (&["subjects"], None)] {
        let bench = Bench::new(options, |_| {});
        assert_eq!(bench.judge(ID, SECRET), None, "{options:?}");
        for _ in 0..2 {
            assert_eq!(bench.judge(ID, &token(&user())), of_user, "{options:?}");
            assert_eq!(bench.judge(ID, &token(&admin)), None, "{options:?}");
        }
    }
}

#[test]
fn an_unknown_id_does_the_same_work_as_a_known_one_that_is_refused() {
    let work = |bench: &Bench, id: &str, proof: &str| -> Work {
        tally::take();
        assert!(bench.judge(id, proof).is_some(), "{id} {proof}");
        tally::take()
    };
    let good = Bench::new(&["subjects"], |_| {});
    let wrong = token_of(OTHER_SECRET, &user());
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let none = format!("{header}.{}", wrong.split_once('.').unwrap().1);
    for proof in [OTHER_SECRET, &wrong, &none, &token_of(SECRET, &json!({ "iss": UNKNOWN }))] {
        let expected = work(&good, UNKNOWN, proof);
        assert_eq!(work(&good, ID, proof), expected, "{proof}");
        for (change, reason) in REFUSALS {
            let flawed = Bench::new(&["subjects"], change);
            assert_eq!(work(&flawed, ID, proof), expected, "{proof}: {reason:?}");
        }
    }
    // What would be right with a good connector.
    for proof in [SECRET, &token(&user())] {
        let expected = work(&good, UNKNOWN, proof);
        for (change, reason) in REFUSALS {
            let flawed = Bench::new(&["subjects"], change);
            assert_eq!(work(&flawed, ID, proof), expected, "{proof}: {reason:?}");
        }
    }
    #[cfg(feature = "tally")]
    assert_eq!(work(&good, UNKNOWN, &wrong).macs, 1);
}

/// What ends a token that counted a moment ago.
type End = fn(&mut Connector);

#[test]
fn a_remembered_token_dies_with_what_made_it_count() {
    let now = Timestamp::from_millis(NOW);
    let rotate = |it: &mut Connector, until| {
        let mut ring = Keyring::new(SecretBuf::new(SECRET), Options::new());
        ring.rotate(SecretBuf::new(OTHER_SECRET), until, Timestamp::from_millis(NOW)).unwrap();
        it.keyring = Arc::new(ring);
    };
    let proof = token(&user());
    for (end, reason) in [
        (
            (|it| {
                let secret = SecretBuf::new(OTHER_SECRET);
                it.keyring = Arc::new(Keyring::new(secret, Options::new()));
            }) as End,
            Rejection::WrongProof,
        ),
        (|it| it.credential.state = State::Disabled, Rejection::Disabled),
        (|it| it.credential.state = State::Deleted, Rejection::Revoked),
        (|it| it.credential.expires = Timestamp::from_millis(NOW), Rejection::Expired),
    ] {
        let bench = Bench::new(&["subjects"], |_| {});
        assert_eq!(bench.judge(ID, &proof), None);
        assert_eq!(bench.judge(ID, &proof), None, "remembered");
        bench.change(end);
        assert_eq!(bench.judge(ID, &proof), Some(reason));
    }
    // Rotated with an overlap, it counts as long as the secret that signed it, and not longer.
    let bench = Bench::new(&["subjects"], |_| {});
    assert_eq!(bench.judge(ID, &proof), None);
    bench.change(|it| rotate(it, now.plus(std::time::Duration::from_millis(500))));
    let new = token_of(OTHER_SECRET, &user());
    for (at, old) in [(NOW, None), (NOW + 499, None), (NOW + 500, Some(Rejection::Expired))] {
        assert_eq!(bench.judge_at(ID, &proof, at), old, "{at}");
        assert_eq!(bench.judge_at(ID, &new, at), None, "{at}");
    }
    assert_eq!(bench.judge_at(ID, SECRET, NOW + 499), None);
    assert!(bench.judge_at(ID, SECRET, NOW + 500).is_some());
    // Never seen before, it is signed with nothing that counts.
    let fresh = token(&json!({ "io.hull.asUser": { "email": "a@b" } }));
    assert_eq!(bench.judge_at(ID, &fresh, NOW + 500), Some(Rejection::WrongProof));
    // And it dies of its own expiry.
    let bench = Bench::new(&["subjects"], |_| {});
    let mut short = user();
    short["exp"] = json!(NOW / 1_000 + 1);
    let short = token(&short);
    for (at, expected) in
        [(NOW, None), (NOW + 60_999, None), (NOW + 61_000, Some(Rejection::Expired))]
    {
        assert_eq!(bench.judge_at(ID, &short, at), expected, "{at}");
    }
}

#[test]
fn a_token_that_is_remembered_is_the_very_same_token_of_the_very_same_connector() {
    let bench = Bench::new(&["subjects"], |_| {});
    let proof = token(&user());
    assert_eq!(bench.judge(ID, &proof), None);
    assert_eq!(bench.judge(UNKNOWN, &proof), Some(Rejection::Unknown));
    for place in [0, 10, proof.len() / 2, proof.len() - 1] {
        let mut changed = proof.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(bench.judge(ID, &changed).is_some(), "{place}");
    }
}

#[test]
fn both_stand_in_headers_or_both_in_the_query_and_never_in_each() {
    let both = format!("/?id={ID}&secret={SECRET}");
    let of_token = format!("/?id={ID}&secret={}", token(&user()));
    let id = ("Hull-App-Id", ID);
    let proof = ("Hull-Access-Token", SECRET);
    let no_id = Some(Rejection::Malformed("no id beside the token"));
    let no_token = Some(Rejection::Malformed("no token beside the id"));
    let query = |text: &str| format!("/?{text}");
    for (target, headers, expected) in [
        ("/", &[id, proof][..], Some(None)),
        ("/", &[("hull-app-id", ID), ("HULL-ACCESS-TOKEN", SECRET)], Some(None)),
        ("/", &[id], Some(no_token)),
        ("/", &[proof], Some(no_id)),
        ("/", &[id, ("Hull-Access-Token", "")], Some(no_token)),
        // Never one of each.
        (&query(&format!("secret={SECRET}")), &[id], Some(no_token)),
        (&query(&format!("id={ID}")), &[proof], Some(no_id)),
        (&both, &[id], Some(no_token)),
        (&both, &[proof], Some(no_id)),
        // With headers, the query is somebody else's.
        ("/?id=segment&secret=x", &[id, proof], Some(None)),
        ("/?id=a&id=b", &[id, proof], Some(None)),
        (&both, &[], Some(None)),
        (&of_token, &[], Some(None)),
        (&query(&format!("secret=s3cr%33t{}&id={ID}", &SECRET[6..])), &[], Some(None)),
        (&query(&format!("q=1&secret=%73{}&id={ID}&x", &SECRET[1..])), &[], Some(None)),
        (&query(&format!("id={ID}&id={ID}&secret={SECRET}")), &[], Some(None)),
        (
            &query(&format!("id={ID}&secret={SECRET}&secret=x")),
            &[],
            Some(Some(Rejection::Ambiguous)),
        ),
        (
            &query(&format!("id={UNKNOWN}&id={ID}&secret={SECRET}")),
            &[],
            Some(Some(Rejection::Ambiguous)),
        ),
        // Somebody else's parameters are nobody's.
        (&query(&format!("id={ID}")), &[], None),
        (&query(&format!("secret={SECRET}")), &[], None),
        (&query(&format!("app_id={ID}&access_token={SECRET}")), &[], None),
    ] {
        let bench = Bench::new(&["query", "subjects"], |_| {});
        bench.change(|it| {
            let options = Options::from([(option::QUERY.to_owned(), "true".to_owned())]);
            it.keyring = Arc::new(Keyring::new(SecretBuf::new(SECRET), options));
        });
        let told = bench.ask(&request_to(target, headers), NOW);
        let told = match told {
            Ok(None) => None,
            Ok(Some(_)) => Some(None),
            Err(reason) => Some(Some(reason)),
        };
        assert_eq!(told, expected, "{target} {headers:?}");
    }
}

#[test]
fn the_query_is_looked_into_where_the_guard_and_the_connector_both_say_so() {
    let target = format!("/?id={ID}&secret={SECRET}");
    let with_token = format!("/?id={ID}&secret={}", token(&user()));
    for (guard, connector, expected) in [
        (true, true, Ok(true)),
        (true, false, Err(Rejection::InQuery)),
        (false, true, Ok(false)),
        (false, false, Ok(false)),
    ] {
        let options = if guard { &["query", "subjects"][..] } else { &["subjects"] };
        let bench = Bench::new(options, |_| {});
        // Known from a header, it is not known from the query.
        assert_eq!(bench.judge(ID, &token(&user())), None);
        bench.change(|it| {
            let value = connector.to_string();
            let options = Options::from([(option::QUERY.to_owned(), value)]);
            it.keyring = Arc::new(Keyring::new(SecretBuf::new(SECRET), options));
        });
        assert_eq!(bench.judge(ID, &token(&user())), None);
        for target in [&target, &with_token] {
            let told = bench.ask(&request_to(target, &[]), NOW).map(|known| known.is_some());
            assert_eq!(told, expected, "{guard} {connector} {target}");
        }
    }
}

#[test]
fn one_of_many_tokens_is_judged_as_a_whole_request_is() {
    let bench = Bench::new(&["subjects"], |_| {});
    let parts = headers(&[("Hull-App-Id", ID), ("Hull-Access-Token", SECRET)]);
    let now = Timestamp::from_millis(NOW);
    let trusted = TrustedPeers::default();
    let head = RequestHead::from_connection(&parts, peer(), &trusted, now).unwrap();
    let begun = bench.authenticator.begin(&bench.schemes, &site(Audience::Guard(GUARD)), &head);
    let Begun::Authenticated(who) = begun else { panic!("{begun:?}") };
    let scheme = bench.schemes[0].as_ref();
    for (text, expected) in [
        (token(&user()), None),
        // The secret names no subject.
        (SECRET.to_owned(), Some(Rejection::WrongProof)),
        (token_of(OTHER_SECRET, &user()), Some(Rejection::WrongProof)),
        (token(&json!({ "iss": UNKNOWN })), Some(Rejection::ForeignKey)),
        (String::new(), Some(Rejection::Malformed("neither the secret nor a token"))),
    ] {
        let secret = portcullis_core::secret::Secret::new(text.as_bytes());
        let judged = bench.authenticator.claims_of(Some(&who), (scheme, ID), secret, now);
        assert_eq!(judged.err(), expected, "{text}");
    }
}

#[test]
fn no_secret_shows_where_a_connector_is_written_out() {
    let bench = Bench::new(&["subjects"], |_| {});
    let proof = token(&user());
    assert_eq!(bench.judge(ID, &proof), None);
    let parts = headers(&[("Hull-App-Id", ID), ("Hull-Access-Token", &proof)]);
    let known = bench.ask(&parts, NOW).unwrap();
    let open = OpenSecret::new(SecretBuf::new(SECRET));
    let shown = format!(
        "{:?} {known:?} {:?} {:?}",
        bench.authenticator,
        bench.schemes,
        (Keyring::new(SecretBuf::new(SECRET), Options::new()), open)
    );
    let signature = proof.rsplit('.').next().unwrap();
    for secret in [SECRET, &proof, signature, &format!("{:?}", SECRET.as_bytes())] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_secret_that_is_imported_can_be_told_from_a_token_and_sent_as_it_is() {
    for (secret, fits) in [
        ("abcdefghijklmnopqrstuvwx", true),
        (&"a".repeat(256), true),
        ("abcdefghijklmnopqrstuvw", false),
        (&"a".repeat(257), false),
        ("abcdefghijkl.nopqrstuvwx", false),
        ("abcdefghijkl nopqrstuvwx", false),
        ("abcdefghijklmnopqrstuvwé", false),
        ("pcl_key_abcdefghijklmnopqrstuvwx", false),
    ] {
        assert_eq!(check_imported(&SecretBuf::new(secret)).is_ok(), fits, "{secret}");
    }
}
