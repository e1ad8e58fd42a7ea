//! Which names are ours alone, and who is told as nobody.

use std::sync::Arc;

use portcullis_core::authenticator::Authenticated;
use portcullis_core::credential::{Credential, FiledAt, KeyVerifier};
use portcullis_core::guard::{Definition, Kind, Source, Standing};
use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::State;
use portcullis_core::principal::{ANONYMOUS, Principal, Profile, User};
use portcullis_core::scheme::{self, Options};
use portcullis_core::seal::{MasterKey, PepperId};
use portcullis_core::subject::{Claims, Identifier, IdentifierKind, Named, SubjectKind};
use portcullis_core::time::Timestamp;
use portcullis_store::memory::Memory;

use super::*;

fn guard() -> Arc<Guard> {
    let definition = Definition {
        kind: Kind::Route,
        name: "orders".into(),
        hosts: vec![],
        prefix: "/".into(),
        upstreams: vec![http::Uri::from_static("http://127.0.0.1:9")],
        upgrades: vec![],
        identity: Preset::ALL.to_vec(),
        assertion: true,
        schemes: vec![(scheme::API_KEY, Options::new())],
        networks: None,
        client_certificate: false,
        methods: vec![],
        ability: None,
        pass_credential: false,
        strip_prefix: false,
    };
    let organization = Id::from_bytes([1; 16]);
    let standing = Standing {
        id: Id::from_bytes([2; 16]),
        version: Revision(1),
        source: Source::Store,
        organization,
        realm: organization,
    };
    Arc::new(definition.build(standing).unwrap())
}

fn user(number: i64) -> User {
    User {
        id: Id::from_bytes([3; 16]),
        version: Revision(1),
        number,
        organization: Id::from_bytes([1; 16]),
        realm: Id::from_bytes([1; 16]),
        login: Some("zoe".into()),
        profile: Profile::new("Zoe", Some("zoe@a.example")),
        state: State::Active,
        password: None,
        grants: Box::default(),
        groups: Box::default(),
    }
}

fn credential() -> Credential {
    Credential {
        id: Id::from_bytes([4; 16]),
        version: Revision(1),
        scheme: scheme::API_KEY,
        owner: Id::from_bytes([3; 16]),
        state: State::Active,
        not_before: Timestamp::MIN,
        expires: Timestamp::MAX,
        slides: None,
        minted: Timestamp::MIN,
        limited: false,
        read_only: false,
        verifier: KeyVerifier::decoy(PepperId(1), [0; 32]),
        filed_at: FiledAt([5; 16]),
        parent: None,
    }
}

fn claims(admin: bool) -> Claims {
    let bob = Identifier { kind: IdentifierKind::ExternalId, value: "b o,b".into() };
    Claims {
        kind: SubjectKind::User,
        user: Some(Named { id: None, identifiers: [bob].into() }),
        account: None,
        create: false,
        admin,
        not_before: Timestamp::MIN,
        expires: Timestamp::MAX,
    }
}

/// What is told of a request that `who` sent, by the names of the headers that are there.
fn heard(who: Option<Principal>) -> Vec<(&'static str, String)> {
    let who = who.map(|principal| Authenticated { principal, scheme: scheme::API_KEY });
    let judged = Judged { guard: guard(), who, network: None, certificate: None };
    let memory = Memory::empty(Arc::new(MasterKey::fresh().unwrap())).unwrap();
    let known = Known::of(&judged, Uuid::nil(), &memory);
    let each = told(&judged.guard).map(|(name, fact)| {
        let mut text = Vec::new();
        known.write(*fact, &mut text);
        (name.as_str(), String::from_utf8(text).unwrap())
    });
    each.filter(|(_, text)| !text.is_empty()).collect()
}

#[test]
fn who_is_nobody_is_told_as_nobody_whoever_answers_for_the_credential() {
    let principal = |number| Principal::new(Arc::new(user(number)), credential());
    let subject = |admin| Principal { subject: Some(Arc::new(claims(admin))), ..principal(7) };
    let nobody = Principal { nobody: Some("not yet".into()), ..principal(7) };
    for (what, who, known) in [
        ("a user", Some(principal(7)), true),
        ("a connector's own rights", Some(subject(true)), true),
        ("a subject", Some(subject(false)), false),
        ("a name that nobody has", Some(nobody), false),
        ("the user who stands for nobody", Some(principal(ANONYMOUS)), false),
        ("nobody at all", None, false),
    ] {
        let names: Vec<_> = heard(who).into_iter().map(|(name, _)| name).collect();
        assert_eq!(!names.contains(&"x-anonymous-consumer"), known, "{what}: {names:?}");
        for (name, fact) in Preset::ALL.into_iter().flat_map(headers) {
            let personal = [Fact::Email, Fact::Login, Fact::Name, Fact::Number, Fact::User];
            if personal.contains(fact) {
                assert_eq!(names.contains(&name.as_str()), known, "{what}: {name}");
            }
        }
    }
    let told = heard(Some(subject(false)));
    assert!(told.contains(&("portcullis-subject-user", "external_id=b%20o,b".into())), "{told:?}");
}

#[test]
fn identity_headers_are_known_under_every_alias() {
    for name in [
        "Portcullis-User",
        "portcullis_user",
        "Portcullis.User-Id",
        "X_Forwarded_Proto",
        "X-Forwarded-For",
        "Remote-User",
        "Remote_User",
        "X.Auth.Request.User",
        "Forwarded",
        "X-Consumer-Id",
        "X-Real-Ip",
        "X_Real_IP",
        "Client_IP",
        "Client-Cert",
        "Client.Cert-Chain",
        "Fastly-Client-IP",
    ] {
        assert!(is_reserved(&name.parse().unwrap()), "{name}");
    }
    for name in ["Accept", "X-Request-Id", "Portcullis", "Content-Type", "X-Forward"] {
        assert!(!is_reserved(&name.parse().unwrap()), "{name}");
    }
}

#[test]
fn whatever_upstreams_are_told_by_is_ours_alone_under_every_alias() {
    let told = Preset::ALL.into_iter().flat_map(headers).chain([&REQUEST]);
    let names: Vec<_> = told.map(|(name, _)| name.as_str()).chain([ASSERTION.as_str()]).collect();
    for name in &names {
        let upper = name.to_ascii_uppercase();
        let folded = ["_", ".", "!", "~"].map(|other| name.replace('-', other));
        let mixed = name.replacen('-', "_", 1);
        for alias in folded.into_iter().chain([(*name).to_owned(), upper, mixed]) {
            assert!(is_reserved(&alias.parse().unwrap()), "{alias}");
        }
    }
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len(), "{names:?}");
    assert_eq!(names.len(), MOST + 1);
}
