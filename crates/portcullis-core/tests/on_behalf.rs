//! Whom a signature stands for, over a lookup that a test fills; and that what does not count costs
//! the same.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::net::IpAddr;
use std::sync::Arc;

use http::Request;
use portcullis_core::ability::{Ability, SIGN_FOR_USERS};
use portcullis_core::authenticator::{Again, Authenticated, Authenticator, Begun, Rejection};
use portcullis_core::credential::{Credential, FiledAt, KeyVerifier};
use portcullis_core::id::{Id, Revision};
use portcullis_core::keyring::Keyring;
use portcullis_core::limits::{Limits, Site};
use portcullis_core::lookup::CredentialLookup;
use portcullis_core::organization::{Organization, State};
use portcullis_core::password::Cost;
use portcullis_core::principal::{ANONYMOUS, Grant, Group, Profile, Role, User};
use portcullis_core::request::{RequestHead, TrustedPeers};
use portcullis_core::scheme::signature::{Form, option, sign};
use portcullis_core::scheme::{self, Options, Scheme, SchemeName};
use portcullis_core::seal::{MacKey, Pepper, PepperId, Peppers};
use portcullis_core::secret::SecretBuf;
use portcullis_core::tally;
use portcullis_core::time::Timestamp;

const ROOT: Id<Organization> = Id::from_bytes([1; 16]);
const SIGNER: Id<Role> = Id::from_bytes([5; 16]);
const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NOW: Timestamp = Timestamp::from_millis(1_422_940_200_000);
const OWNER: u8 = 10;
const JANE: u8 = 11;
const OFF: u8 = 12;

/// What is remembered: an owner who may sign or not, and the key's settings.
#[derive(Clone)]
struct Shelf {
    signs: bool,
    owner: State,
    state: State,
    options: Options,
}

impl Default for Shelf {
    fn default() -> Self {
        let (owner, state) = (State::Active, State::Active);
        Self { signs: true, owner, state, options: Options::new() }
    }
}

fn id(number: u8) -> Id<User> {
    Id::from_bytes([number; 16])
}

impl Shelf {
    fn person(&self, number: u8) -> Option<Arc<User>> {
        let (login, state) = match number {
            OWNER => (Some("owner"), self.owner),
            JANE => (Some("jane"), State::Active),
            OFF => (Some("off"), State::Disabled),
            2 => (None, State::Active),
            _ => return None,
        };
        let grant = Grant { role: SIGNER, organization: ROOT };
        let grants = if number == OWNER && self.signs { vec![grant] } else { vec![] };
        Some(Arc::new(User {
            id: id(number),
            version: Revision(1),
            number: number.into(),
            organization: ROOT,
            realm: ROOT,
            login: login.map(Into::into),
            profile: Profile::new("", None),
            state,
            password: None,
            grants: grants.into(),
            groups: Box::default(),
        }))
    }

    fn key(&self) -> Credential {
        Credential {
            id: Id::from_bytes([3; 16]),
            version: Revision(1),
            scheme: scheme::SIGNATURE,
            owner: id(OWNER),
            state: self.state,
            not_before: Timestamp::MIN,
            expires: Timestamp::MAX,
            slides: None,
            minted: Timestamp::MIN,
            read_only: false,
            limited: false,
            verifier: KeyVerifier::decoy(PepperId(1), [0; 32]),
            filed_at: FiledAt([4; 16]),
            parent: None,
        }
    }
}

impl CredentialLookup for Shelf {
    fn credential(&self, _: SchemeName, key: &str) -> Option<Credential> {
        tally::lookup();
        (key == KEY).then(|| self.key())
    }

    fn filed_at(&self, _: FiledAt) -> Option<Credential> {
        Some(self.key())
    }

    fn limits(&self, _: Id<Credential>) -> Option<Arc<Limits>> {
        None
    }

    fn keyring(&self, id: Id<Credential>) -> Option<Arc<Keyring>> {
        let ring = || Arc::new(Keyring::new(SecretBuf::new("secret"), self.options.clone()));
        (id == self.key().id).then(ring)
    }

    fn named(&self, _: Id<Organization>, login: &str) -> Option<Arc<User>> {
        tally::lookup();
        [OWNER, JANE, OFF]
            .into_iter()
            .filter_map(|number| self.person(number))
            .find(|user| user.login.as_deref() == Some(login))
    }

    fn numbered(&self, _: Id<Organization>, number: i64) -> Option<Arc<User>> {
        tally::lookup();
        u8::try_from(number).ok().and_then(|number| self.person(number))
    }

    fn user(&self, id: Id<User>) -> Option<Arc<User>> {
        tally::lookup();
        self.person(id.as_bytes()[0])
    }

    fn organization(&self, id: Id<Organization>) -> Option<Arc<Organization>> {
        tally::lookup();
        (id == ROOT).then(|| {
            Arc::new(Organization {
                id,
                version: Revision(1),
                number: 1,
                parent: None,
                name: "Root".into(),
                realm: true,
                state: State::Active,
            })
        })
    }

    fn group(&self, _: Id<Group>) -> Option<Arc<Group>> {
        None
    }

    fn role(&self, id: Id<Role>) -> Option<Arc<Role>> {
        (id == SIGNER).then(|| {
            Arc::new(Role {
                id,
                version: Revision(1),
                name: "Signer".into(),
                state: State::Active,
                abilities: [Ability::parse(SIGN_FOR_USERS).unwrap()].into(),
            })
        })
    }
}

fn authenticator(shelf: Shelf) -> Authenticator<Shelf> {
    let peppers = Arc::new(Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]));
    Authenticator::new(shelf, peppers, Cost { memory: 8, passes: 1, lanes: 1 }).unwrap()
}

fn schemes() -> Vec<Box<dyn Scheme>> {
    let kind = scheme::ALL.iter().find(|kind| kind.name == scheme::SIGNATURE).unwrap();
    vec![(kind.build)(&Options::new()).unwrap()]
}

fn token(key: &str, secret: &str, user: &str) -> String {
    let secret = MacKey::of_text(secret.as_bytes());
    sign(Form::Documented, (key, &secret), NOW, user).unwrap().expose_text().to_owned()
}

fn judge(world: &Authenticator<Shelf>, text: &str) -> Result<Authenticated, Rejection> {
    let request = Request::get("/").header("host", "any").header("x-deki-token", text);
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let (peer, trusted) = (IpAddr::from([192, 0, 2, 1]), TrustedPeers::default());
    let head = RequestHead::from_connection(&parts, peer, &trusted, NOW).unwrap();
    match world.begin(&schemes(), &Site::any(ROOT, None), &head) {
        Begun::Authenticated(who) => Ok(who),
        Begun::Rejected(no) => Err(no.reason),
        Begun::Anonymous | Begun::Pending(_) => panic!("a token was presented"),
    }
}

/// The number of whoever acts, and the name that nobody has.
fn acts(shelf: Shelf, user: &str) -> Result<(i64, Option<String>), Rejection> {
    let who = judge(&authenticator(shelf), &token(KEY, "secret", user))?.principal;
    assert_eq!(who.credential.owner, id(OWNER));
    Ok((who.user.number, who.nobody.map(Into::into)))
}

fn with(option: &str, value: &str) -> Shelf {
    let options = Options::from([(option.to_owned(), value.to_owned())]);
    Shelf { options, ..Shelf::default() }
}

#[test]
fn a_signature_stands_for_the_user_it_names_or_for_nobody() {
    let nobody = |name: &str| Ok((ANONYMOUS, Some(name.to_owned())));
    for (user, expected) in [
        ("=jane", Ok((11, None))),
        ("=JANE", Ok((11, None))),
        ("=j%61ne", Ok((11, None))),
        ("11", Ok((11, None))),
        ("=owner", Ok((10, None))),
        ("=11", nobody("11")),
        ("=New One", nobody("new one")),
        ("2", Ok((ANONYMOUS, None))),
        ("99", Ok((ANONYMOUS, None))),
        ("=a:b", Ok((ANONYMOUS, None))),
        ("=off", Err(Rejection::UserInactive)),
        ("12", Err(Rejection::UserInactive)),
    ] {
        assert_eq!(acts(Shelf::default(), user), expected, "{user}");
    }
}

#[test]
fn what_its_owner_may_not_do_a_key_does_not() {
    let mute = Shelf { signs: false, ..Shelf::default() };
    assert_eq!(acts(mute.clone(), "=owner"), Ok((10, None)));
    for user in ["=jane", "2", "=new"] {
        assert_eq!(acts(mute.clone(), user), Err(Rejection::OwnerMayNotSign), "{user}");
    }
    let off = Shelf { owner: State::Disabled, ..Shelf::default() };
    assert_eq!(acts(off, "=jane"), Err(Rejection::OwnerInactive));
    let gone = Shelf { state: State::Disabled, ..Shelf::default() };
    assert_eq!(acts(gone, "=jane"), Err(Rejection::Disabled));
}

#[test]
fn a_restricted_key_is_one_users_alone() {
    assert_eq!(acts(with(option::USER, "11"), "=jane"), Ok((11, None)));
    for user in ["=owner", "10", "2", "=new", "99"] {
        assert_eq!(acts(with(option::USER, "11"), user), Err(Rejection::OtherUser), "{user}");
    }
    assert_eq!(acts(with(option::USER, "x"), "=jane"), Err(Rejection::OtherUser));
    assert_eq!(acts(with(option::HOSTS, "a.example"), "=jane"), Err(Rejection::WrongProof));
}

#[test]
fn the_last_look_judges_both_the_owner_and_who_is_acted_as() {
    let who = judge(&authenticator(Shelf::default()), &token(KEY, "secret", "=jane")).unwrap();
    let again = |shelf: Shelf| {
        let (schemes, site) = (schemes(), Site::any(ROOT, None));
        authenticator(shelf).look_again(&who, (&schemes, &site), NOW).map(|it| it.principal.user.id)
    };
    assert_eq!(again(Shelf::default()).unwrap(), id(JANE));
    for (shelf, reason) in [
        (Shelf { signs: false, ..Shelf::default() }, Rejection::OwnerMayNotSign),
        (Shelf { owner: State::Disabled, ..Shelf::default() }, Rejection::OwnerInactive),
        (Shelf { state: State::Deleted, ..Shelf::default() }, Rejection::Revoked),
    ] {
        match again(shelf) {
            Err(Again::Rejected(no)) => assert_eq!(no.reason, reason),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_unknown_key_and_a_wrong_secret_cost_the_same() {
    let world = authenticator(Shelf::default());
    let work = |text: &str| {
        tally::take();
        assert!(judge(&world, text).is_err());
        tally::take()
    };
    let unknown = KEY.replace('0', "1");
    for user in ["=jane", "11", "=new", "=j%61ne"] {
        let wrong = work(&token(KEY, "wrong", user));
        assert_eq!(work(&token(&unknown, "secret", user)), wrong, "{user}");
    }
}
