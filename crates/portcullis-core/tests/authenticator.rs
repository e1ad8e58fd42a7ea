//! The authenticator, every way out, over a lookup that a test fills; and what holds for all schemes.
#![expect(
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

#[path = "authenticator/signed.rs"]
mod signed;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::Request;
use http::request::Parts;
use portcullis_core::authenticator::remembered::Remembered;
use portcullis_core::authenticator::{Authenticator, Begun, Concluded, Rejection};
use portcullis_core::credential::{Credential, FiledAt};
use portcullis_core::guard::Guard;
use portcullis_core::id::{Id, Revision};
use portcullis_core::keyring::Keyring;
use portcullis_core::limits::{Audience, Limits, Site};
use portcullis_core::lookup::CredentialLookup;
use portcullis_core::organization::{Organization, State};
use portcullis_core::password::{Cost, PasswordVerifier, Verdict};
use portcullis_core::policy::Networks;
use portcullis_core::principal::{Group, Password, Profile, Role, User};
use portcullis_core::request::{RequestHead, TrustedPeers};
use portcullis_core::scheme::{self, Issued, Options, Scheme, SchemeName, shared_secret};
use portcullis_core::seal::{Pepper, PepperId, Peppers};
use portcullis_core::secret::SecretBuf;
use portcullis_core::tally;
use portcullis_core::time::Timestamp;

const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };
const ROOT: Id<Organization> = Id::from_bytes([1; 16]);
const OWNER: Id<User> = Id::from_bytes([2; 16]);
const GUARD: Id<Guard> = Id::from_bytes([7; 16]);
const OTHER_GUARD: Id<Guard> = Id::from_bytes([8; 16]);
const NOW: i64 = 1_000_000;
/// A secret that a customer chose for the guard, as the page of Graph has one.
const IMPORTED: &str = "abc123";

/// What is remembered, as a test says.
#[derive(Clone, Debug, Default)]
struct Shelf {
    credentials: HashMap<String, Credential>,
    users: HashMap<Id<User>, Arc<User>>,
    organizations: HashMap<Id<Organization>, Arc<Organization>>,
    limits: Option<Arc<Limits>>,
    keyring: Option<Arc<Keyring>>,
}

impl CredentialLookup for Shelf {
    fn credential(&self, _: SchemeName, key: &str) -> Option<Credential> {
        tally::lookup();
        self.credentials.get(key).copied()
    }

    fn filed_at(&self, place: FiledAt) -> Option<Credential> {
        self.credentials.values().find(|it| it.filed_at == place).copied()
    }

    fn limits(&self, _: Id<Credential>) -> Option<Arc<Limits>> {
        self.limits.clone()
    }

    fn keyring(&self, _: Id<Credential>) -> Option<Arc<Keyring>> {
        self.keyring.clone()
    }

    fn named(&self, _: Id<Organization>, login: &str) -> Option<Arc<User>> {
        tally::lookup();
        self.users.values().find(|user| user.login.as_deref() == Some(login)).cloned()
    }

    fn numbered(&self, _: Id<Organization>, number: i64) -> Option<Arc<User>> {
        tally::lookup();
        self.users.values().find(|user| user.number == number).cloned()
    }

    fn user(&self, id: Id<User>) -> Option<Arc<User>> {
        tally::lookup();
        self.users.get(&id).cloned()
    }

    fn organization(&self, id: Id<Organization>) -> Option<Arc<Organization>> {
        tally::lookup();
        self.organizations.get(&id).cloned()
    }

    fn group(&self, _: Id<Group>) -> Option<Arc<Group>> {
        None
    }

    fn role(&self, _: Id<Role>) -> Option<Arc<Role>> {
        None
    }
}

/// What a case changes before it is judged.
struct Case {
    credential: Credential,
    password: Credential,
    user: State,
    organization: State,
    realm: Id<Organization>,
    limits: Option<Limits>,
}

/// One user with a key, a password and a secret of the guard.
struct World {
    authenticator: Authenticator<Shelf>,
    key: SecretBuf,
}

const PASSWORD: &str = "correct horse";

fn root(state: State) -> Organization {
    Organization {
        id: ROOT,
        version: Revision(1),
        number: 1,
        parent: None,
        name: "Root".into(),
        realm: true,
        state,
    }
}

fn owner(case: &Case, verifier: PasswordVerifier) -> User {
    User {
        id: OWNER,
        version: Revision(5),
        number: 3,
        organization: ROOT,
        realm: case.realm,
        login: Some("owner".into()),
        profile: Profile::new("", None),
        state: case.user,
        password: Some(Arc::new(Password {
            credential: case.password,
            verifier,
            remembered: Remembered::empty(),
        })),
        grants: Box::default(),
        groups: Box::default(),
    }
}

fn world(change: impl FnOnce(&mut Case)) -> World {
    let peppers = Arc::new(Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]));
    let issue = scheme::ALL.iter().find_map(|kind| kind.issue).unwrap();
    let Issued { key, shown, verifier } = issue(&peppers).unwrap();
    let credential = |id: u8, scheme| Credential {
        id: Id::from_bytes([id; 16]),
        version: Revision(5),
        scheme,
        owner: OWNER,
        state: State::Active,
        not_before: Timestamp::MIN,
        expires: Timestamp::MAX,
        slides: None,
        minted: Timestamp::MIN,
        limited: false,
        read_only: false,
        verifier,
        filed_at: FiledAt([id; 16]),
        parent: None,
    };
    let mut case = Case {
        credential: credential(3, scheme::API_KEY),
        password: credential(4, scheme::BASIC),
        user: State::Active,
        organization: State::Active,
        realm: ROOT,
        limits: None,
    };
    change(&mut case);
    let password =
        PasswordVerifier::make(&SecretBuf::new(PASSWORD), CHEAP, peppers.current()).unwrap();
    let user = owner(&case, password);
    let imported = shared_secret::import(SecretBuf::new(IMPORTED), GUARD, &peppers).unwrap();
    let shelf = Shelf {
        credentials: HashMap::from([
            (key, case.credential),
            (OWNER.to_string(), case.password),
            (imported.key, Credential { verifier: imported.verifier, ..case.credential }),
        ]),
        limits: case.limits.map(Arc::new),
        users: HashMap::from([(OWNER, Arc::new(user))]),
        organizations: HashMap::from([(ROOT, Arc::new(root(case.organization)))]),
        keyring: None,
    };
    World { authenticator: Authenticator::new(shelf, peppers, CHEAP).unwrap(), key: shown }
}

fn schemes() -> Vec<Box<dyn Scheme>> {
    scheme::ALL.iter().map(|kind| (kind.build)(&Options::new()).unwrap()).collect()
}

fn peer() -> IpAddr {
    IpAddr::from([192, 0, 2, 1])
}

fn request(name: SchemeName, login: &str, secret: &str) -> Parts {
    let kind = scheme::ALL.iter().find(|kind| kind.name == name).unwrap();
    let (header, value) = (kind.present)(login, secret);
    let request = Request::get("/").header("Host", "any").header(header, value.expose());
    request.body(()).unwrap().into_parts().0
}

const fn site(audience: Audience) -> Site {
    Site { realm: ROOT, audience, client: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))) }
}

fn judge(world: &World, parts: &Parts) -> Option<Rejection> {
    judge_at(world, parts, Audience::Guard(GUARD))
}

/// What comes of a request, the slow part done at once; `None` is yes.
fn judge_at(world: &World, parts: &Parts, audience: Audience) -> Option<Rejection> {
    let now = Timestamp::from_millis(NOW);
    let head = RequestHead::from_connection(parts, peer(), &TrustedPeers::default(), now).unwrap();
    let authenticator = &world.authenticator;
    match authenticator.begin(&schemes(), &site(audience), &head) {
        Begun::Authenticated(_) => None,
        Begun::Rejected(no) => Some(no.reason),
        Begun::Anonymous => panic!("something was presented"),
        Begun::Pending(mut pending) => {
            let verdict = authenticator.slow_check(&mut pending).run().unwrap();
            let right = matches!(verdict, Verdict::Right { .. });
            match authenticator.conclude(&pending, right, now) {
                Concluded::Authenticated(_) => None,
                Concluded::Rejected(no) => Some(no.reason),
                Concluded::Changed => panic!("nothing changes here"),
            }
        }
    }
}

/// What one case changes.
type Change = fn(&mut Case);

/// Every way in which a stored credential may not be used.
const REFUSALS: &[(Change, Rejection)] = &[
    (|it| both(it, |one| one.state = State::Disabled), Rejection::Disabled),
    (|it| both(it, |one| one.state = State::Deleted), Rejection::Revoked),
    (|it| both(it, |one| one.expires = Timestamp::from_millis(NOW)), Rejection::Expired),
    (|it| both(it, |one| one.not_before = Timestamp::from_millis(NOW + 1)), Rejection::NotYetValid),
    (|it| it.user = State::Disabled, Rejection::OwnerInactive),
    (|it| it.user = State::Deleted, Rejection::OwnerInactive),
    (|it| it.organization = State::Disabled, Rejection::OrganizationInactive),
    (|it| it.realm = Id::from_bytes([9; 16]), Rejection::OtherRealm),
    (|it| limit(it, None), Rejection::Revoked),
    (|it| limit(it, Some(guards(OTHER_GUARD))), Rejection::OtherGuard),
    (|it| limit(it, Some(networks("198.51.100.0/24"))), Rejection::OtherNetwork),
];

fn limit(case: &mut Case, limits: Option<Limits>) {
    both(case, |one| one.limited = true);
    case.limits = limits;
}

fn guards(guard: Id<Guard>) -> Limits {
    Limits { guards: Some(Box::from([guard])), networks: None }
}

fn networks(network: &str) -> Limits {
    let networks = Networks::new(&[network.parse().unwrap()]).unwrap();
    Limits { guards: None, networks: Some(networks) }
}

fn both(case: &mut Case, change: fn(&mut Credential)) {
    change(&mut case.credential);
    change(&mut case.password);
}

#[test]
fn a_good_key_and_a_good_password_pass_and_each_flaw_has_its_own_name() {
    let good = world(|_| {});
    let key = good.key.expose_text();
    assert_eq!(judge(&good, &request(scheme::API_KEY, "", key)), None);
    assert_eq!(judge(&good, &request(scheme::BASIC, "owner", key)), None);
    assert_eq!(judge(&good, &request(scheme::BASIC, "Owner", PASSWORD)), None);
    let foreign = judge(&good, &request(scheme::BASIC, "other", key));
    assert_eq!(foreign, Some(Rejection::ForeignKey));
    for (change, reason) in REFUSALS {
        let flawed = world(change);
        let key = request(scheme::API_KEY, "", flawed.key.expose_text());
        assert_eq!(judge(&flawed, &key), Some(*reason));
        let password = request(scheme::BASIC, "owner", PASSWORD);
        assert_eq!(judge(&flawed, &password), Some(*reason));
    }
}

#[test]
fn a_limited_credential_counts_at_its_guard_and_from_its_networks() {
    for limits in [guards(GUARD), networks("192.0.2.0/24")] {
        let at_guard = limits.guards.is_some();
        let world = world(|it| limit(it, Some(limits)));
        let key = request(scheme::API_KEY, "", world.key.expose_text());
        assert_eq!(judge(&world, &key), None);
        assert_eq!(judge_at(&world, &key, Audience::Any), None);
        let elsewhere = at_guard.then_some(Rejection::OtherGuard);
        assert_eq!(judge_at(&world, &key, Audience::House), elsewhere);
        assert_eq!(judge_at(&world, &key, Audience::Guard(OTHER_GUARD)), elsewhere);
    }
}

#[test]
fn an_imported_secret_is_known_at_its_guard_alone() {
    let world = world(|it| limit(it, Some(guards(GUARD))));
    let right = request(scheme::SHARED_SECRET, "", IMPORTED);
    assert_eq!(judge(&world, &right), None);
    for elsewhere in [Audience::Guard(OTHER_GUARD), Audience::House, Audience::Any] {
        assert_eq!(judge_at(&world, &right, elsewhere), Some(Rejection::Unknown));
    }
    for (secret, reason) in [
        ("abc124", Rejection::Unknown),
        ("abc12", Rejection::Malformed("no secret can be like this")),
        ("abc 123", Rejection::Malformed("no secret can be like this")),
        ("pcl_sec_x", Rejection::Mistyped),
        ("pcl_key_x", Rejection::Malformed("a credential of ours of another kind")),
    ] {
        let judged = judge(&world, &request(scheme::SHARED_SECRET, "", secret));
        assert_eq!(judged, Some(reason), "{secret}");
    }
}

#[test]
fn guesses_at_a_secret_slow_down_whoever_makes_them() {
    let world = world(|_| {});
    let wrong = request(scheme::SHARED_SECRET, "", "guess1");
    let told: Vec<_> = (0..6).map(|_| judge(&world, &wrong).unwrap()).collect();
    assert_eq!(told[..5], [Rejection::Unknown; 5]);
    assert!(matches!(told[5], Rejection::TooManyAttempts { .. }), "{told:?}");
    let right = request(scheme::SHARED_SECRET, "", IMPORTED);
    let slowed = judge(&world, &right);
    assert!(matches!(slowed, Some(Rejection::TooManyAttempts { .. })), "{slowed:?}");
    assert_eq!(judge(&world, &request(scheme::API_KEY, "", world.key.expose_text())), None);
}

#[test]
fn who_was_right_before_is_not_slowed_down_by_guesses_from_the_same_address() {
    let world = world(|_| {});
    let right = request(scheme::SHARED_SECRET, "", IMPORTED);
    assert_eq!(judge(&world, &right), None);
    for _ in 0..6 {
        judge(&world, &request(scheme::SHARED_SECRET, "", "guess1"));
    }
    assert_eq!(judge(&world, &right), None);
}

#[test]
fn one_moment_before_it_expires_a_credential_is_good() {
    let good = world(|it| {
        both(it, |one| {
            one.expires = Timestamp::from_millis(NOW + 1);
            one.not_before = Timestamp::from_millis(NOW);
        })
    });
    assert_eq!(judge(&good, &request(scheme::API_KEY, "", good.key.expose_text())), None);
}

#[test]
fn a_verified_password_is_not_hashed_again_and_a_wrong_one_always_is() {
    let world = world(|_| {});
    let right = request(scheme::BASIC, "owner", PASSWORD);
    let wrong = request(scheme::BASIC, "owner", "wrong password");
    tally::take();
    let hashes = [&right, &right, &wrong, &right].map(|parts| {
        judge(&world, parts);
        tally::take().hashes
    });
    #[cfg(feature = "tally")]
    assert_eq!(hashes, [1, 0, 1, 0]);
    #[cfg(not(feature = "tally"))]
    assert_eq!(hashes, [0; 4]);
}

#[test]
fn every_refusal_does_the_same_work() {
    let work = |world: &World, parts: &Parts| {
        tally::take();
        assert!(judge(world, parts).is_some());
        tally::take()
    };
    let good = world(|_| {});
    let unknown = portcullis_core::token::TokenKind::new("key").draw().unwrap();
    let key_work = work(&good, &request(scheme::API_KEY, "", unknown.expose_text()));
    let password_work = work(&good, &request(scheme::BASIC, "owner", "wrong password"));
    for (change, reason) in REFUSALS {
        let flawed = world(change);
        let key = request(scheme::API_KEY, "", flawed.key.expose_text());
        assert_eq!(work(&flawed, &key), key_work, "{reason:?}");
        let password = request(scheme::BASIC, "owner", PASSWORD);
        assert_eq!(work(&flawed, &password), password_work, "{reason:?}");
    }
}

#[test]
fn guesses_at_a_name_are_slowed_down_known_or_not() {
    for login in ["owner", "nobody"] {
        let world = world(|_| {});
        let wrong = request(scheme::BASIC, login, "wrong password");
        let told: Vec<_> = (0..6).map(|_| judge(&world, &wrong).unwrap()).collect();
        let (slowed, free) = told.split_last().unwrap();
        assert!(matches!(slowed, Rejection::TooManyAttempts { .. }), "{login}: {told:?}");
        assert!(!free.contains(slowed), "{login}");
    }
}

#[test]
fn a_cookie_yields_to_an_explicit_credential_and_is_not_looked_at() {
    let world = world(|_| {});
    let key = world.key.expose_text();
    let session = portcullis_core::token::TokenKind::new("ses").draw().unwrap();
    let session = format!("wtsession={}", session.expose_text());
    let twice = format!("{session}; {session}");
    for cookies in ["wtsession=x", &session, &twice] {
        let with_cookie = |name, login, secret| {
            let mut parts = request(name, login, secret);
            parts.headers.insert("cookie", cookies.parse().unwrap());
            judge(&world, &parts)
        };
        assert_eq!(with_cookie(scheme::API_KEY, "", key), None, "{cookies}");
        assert_eq!(with_cookie(scheme::BASIC, "owner", PASSWORD), None, "{cookies}");
        let wrong = with_cookie(scheme::BASIC, "owner", "wrong password");
        assert_eq!(wrong, Some(Rejection::WrongProof), "{cookies}");
    }
    let mut alone = request(scheme::SESSION, "", "x");
    for (cookies, reason) in [
        (&*session, Rejection::Unknown),
        (&twice, Rejection::Ambiguous),
        ("wtsession=x", Rejection::Malformed("not a session of ours")),
    ] {
        alone.headers.insert("cookie", cookies.parse().unwrap());
        assert_eq!(judge(&world, &alone), Some(reason), "{cookies}");
    }
}

#[test]
fn two_cookies_that_two_schemes_claim_are_ambiguous() {
    let world = world(|_| {});
    let kind = scheme::ALL.iter().find(|kind| kind.name == scheme::SESSION).unwrap();
    let named = |name: &str| Options::from([("cookie".to_owned(), name.to_owned())]);
    let schemes = ["one", "two"].map(|name| (kind.build)(&named(name)).unwrap());
    for (cookies, reason) in [
        ("one=x; two=y", Rejection::Ambiguous),
        ("one=x", Rejection::Malformed("not a session of ours")),
        ("two=y; three=z", Rejection::Malformed("not a session of ours")),
    ] {
        let request = Request::get("/").header("Host", "any").header("Cookie", cookies);
        let parts = request.body(()).unwrap().into_parts().0;
        let now = Timestamp::from_millis(NOW);
        let head = RequestHead::from_connection(&parts, peer(), &TrustedPeers::default(), now);
        let begun = world.authenticator.begin(&schemes, &site(Audience::House), &head.unwrap());
        let Begun::Rejected(no) = begun else { panic!("{cookies}: {begun:?}") };
        assert_eq!(no.reason, reason, "{cookies}");
    }
}

#[test]
fn what_holds_for_every_scheme() {
    let nothing = Request::get("/").header("Host", "any").body(()).unwrap().into_parts().0;
    let now = Timestamp::from_millis(NOW);
    for kind in scheme::ALL {
        assert_eq!(scheme::ALL.iter().filter(|it| it.name == kind.name).count(), 1);
        assert_eq!(SchemeName::named(kind.name.as_str()), Some(kind.name));
        let scheme = (kind.build)(&Options::new()).unwrap();
        let head =
            RequestHead::from_connection(&nothing, peer(), &TrustedPeers::default(), now).unwrap();
        assert!(matches!(scheme.find(&head), scheme::Found::NotMine), "{}", kind.name);
        assert!(!scheme.headers().is_empty() && !scheme.challenge().is_empty());
        let canary = "canary-canary-canary";
        let (_, value) = (kind.present)("owner", canary);
        assert!(!format!("{scheme:?}{value:?}").contains(canary), "{}", kind.name);
    }
}
