//! What holds whatever is asked: properties over drawn requests, keys, names and policies.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "properties/shelf.rs"]
mod shelf;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{Request, Uri};
use portcullis_core::authenticator::{Authenticator, Begun, Rejection};
use portcullis_core::guard::{Definition, GuardTable, Kind, Source, Standing};
use portcullis_core::id::{Id, Revision};
use portcullis_core::limits::Site;
use portcullis_core::name;
use portcullis_core::password::Cost;
use portcullis_core::policy::{Decision, Rule, Verdict};
use portcullis_core::request::{RequestHead, TrustedPeers};
use portcullis_core::scheme::{self, Found, Issued, Options, Presented, Scheme};
use portcullis_core::seal::{Pepper, PepperId, Peppers};
use portcullis_core::secret::Scratch;
use portcullis_core::time::Timestamp;
use portcullis_core::token::{CHECK, ID, SECRET};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use shelf::{
    Shelf, credential, decide, organization, policies, questions, shelves, should_allow, stricter,
};

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };

fn head(parts: &Parts) -> Option<RequestHead<'_>> {
    let now = Timestamp::from_millis(1);
    RequestHead::from_connection(parts, PEER, &TrustedPeers::default(), now).ok()
}

fn get(path: &str) -> Option<Parts> {
    let request = Request::get(path).header("host", "any").body(());
    request.ok().map(|request| request.into_parts().0)
}

/// Guards for some paths, each with its prefix for a name that can be compared.
fn guards() -> GuardTable {
    let mut table = GuardTable::default();
    for (number, prefix) in (0_u8..).zip(["/", "/a", "/a/b", "/admin", "/caf%c3%a9", "/a%20b/c"]) {
        let definition = Definition {
            kind: Kind::Route,
            name: number.to_string(),
            hosts: vec![],
            prefix: prefix.to_owned(),
            upstreams: vec![Uri::from_static("http://127.0.0.1:1")],
            upgrades: vec![],
            identity: vec![],
            assertion: false,
            schemes: vec![(scheme::BASIC, Options::new())],
            networks: None,
            client_certificate: false,
            methods: vec![],
            ability: None,
            pass_credential: false,
            strip_prefix: false,
        };
        let standing = Standing {
            id: Id::from_bytes([number; 16]),
            version: Revision(1),
            source: Source::Store,
            organization: organization(0),
            realm: organization(0),
        };
        table.insert(&Arc::new(definition.build(standing).unwrap())).unwrap();
    }
    table
}

/// The segments that an upstream sees which decodes escapes once and merges empty segments.
fn segments(path: &str) -> Vec<Vec<u8>> {
    let decode = |segment: &str| {
        let mut parts = segment.split('%');
        let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
        for part in parts {
            let (digits, rest) = part.split_at(2);
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            bytes.extend(rest.as_bytes());
        }
        bytes
    };
    path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect()
}

fn arbitrary_path() -> impl Strategy<Value = String> {
    let word = select(vec![
        "/", "//", "a", "%61", "b", "%62", "A", ".", "..", "%2e", "%2E", "%252e", "admin",
        "%61dmin", "caf", "%c3%a9", "%C3%A9", "%20", "%2f", "%5c", ";", "%3b", "%00", "+", "%2B",
        "c", "é", "%",
    ]);
    prop::collection::vec(word, 0..8).prop_map(|words| format!("/{}", words.concat()))
}

proptest! {
    #[test]
    fn the_guard_of_a_path_is_the_same_as_received_as_forwarded_and_as_the_upstream_reads_it(
        path in arbitrary_path(),
    ) {
        let table = guards();
        let Some(parts) = get(&path) else { return Ok(()) };
        let Some(received) = head(&parts) else { return Ok(()) };
        let found = table.find("any", received.path()).unwrap();
        let sent = get(received.path()).unwrap();
        let forwarded = head(&sent).unwrap();
        prop_assert_eq!(forwarded.path(), received.path());
        prop_assert!(Arc::ptr_eq(table.find("any", forwarded.path()).unwrap(), found));

        let read = segments(&path);
        prop_assert!(!read.iter().any(|it| it == b"." || it == b".." || it.contains(&b'/')));
        let under = |prefix: &str| read.starts_with(&segments(prefix));
        let paths = ["/", "/a", "/a/b", "/admin", "/caf%C3%A9", "/a%20b/c"];
        let longest = paths.into_iter().filter(|it| under(it)).max_by_key(|it| it.len()).unwrap();
        prop_assert_eq!(&*found.prefix, longest.trim_end_matches('/'), "{}", path);
    }

    #[test]
    fn a_key_with_any_other_secret_is_wrong_and_with_any_other_id_unknown(
        place in any::<Index>(),
        letter in "[0-9A-Za-z]",
    ) {
        let peppers = Arc::new(Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]));
        let issue = scheme::ALL.iter().find_map(|kind| kind.issue).unwrap();
        let Issued { key, shown, verifier } = issue(&peppers).unwrap();
        let shelf = Shelf { key: Some((key.clone(), credential(verifier))), ..Shelf::default() };
        let authenticator = Authenticator::new(shelf, peppers, CHEAP).unwrap();
        let text = shown.expose_text();
        prop_assert_eq!(judge(&authenticator, text), None);

        let start = text.find(&key).unwrap();
        let at = start + place.index(ID + 1 + SECRET);
        prop_assume!(at != start + ID && !text.split_at(at).1.starts_with(&letter));
        let reason = if at < start + ID { Rejection::Unknown } else { Rejection::WrongProof };
        let changed = with(text, at, &letter);
        prop_assert_eq!(judge(&authenticator, &changed), Some(Rejection::Mistyped));
        prop_assert_eq!(judge(&authenticator, &checked(&changed)), Some(reason));
    }

    #[test]
    fn every_login_and_password_that_may_be_chosen_come_through_basic_as_they_are(
        login in "\\PC{1,64}",
        password in "\\PC{0,256}",
    ) {
        let Ok(form) = name::canonical(&login) else { return Ok(()) };
        prop_assume!(!login.contains(':') && !password.starts_with("pcl_"));
        let kind = scheme::ALL.iter().find(|kind| kind.name == scheme::BASIC).unwrap();
        let basic = (kind.build)(&Options::new()).unwrap();
        let (header, value) = (kind.present)(&login, &password);
        let request = Request::get("/").header("host", "any").header(header, value.expose());
        let parts = request.body(()).unwrap().into_parts().0;
        let head = head(&parts).unwrap();
        let Found::Claimed(claim) = basic.find(&head) else { panic!("not found") };
        let mut scratch = Scratch::new();
        match basic.read(claim, &mut scratch) {
            Ok(Presented::Password { login, password: read }) => {
                prop_assert_eq!(login, form);
                prop_assert_eq!(read.expose(), password.as_bytes());
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_allowed_meets_every_demand_and_what_meets_them_is_allowed(
        shelf in shelves(),
        policy in policies(),
        question in questions(),
    ) {
        let allowed = matches!(decide(&policy, &question, &shelf), Decision::Allow(_));
        prop_assert_eq!(allowed, should_allow(&policy, &question, &shelf));
    }

    #[test]
    fn a_demand_more_never_turns_no_into_yes(
        shelf in shelves(),
        policy in policies(),
        more in policies(),
        question in questions(),
    ) {
        let lenient = decide(&policy, &question, &shelf);
        for stricter in stricter(&policy, &more) {
            let strict = decide(&stricter, &question, &shelf);
            let yes = |decision: &Decision| matches!(decision, Decision::Allow(_));
            prop_assert!(!yes(&strict) || yes(&lenient), "{:?} {:?}", policy, stricter);
        }
    }

    #[test]
    fn why_tells_every_rule_once_and_the_decision_is_what_it_tells(
        shelf in shelves(),
        policy in policies(),
        question in questions(),
    ) {
        let decision = decide(&policy, &question, &shelf);
        let why = match &decision {
            Decision::Allow(permit) => *permit.why(),
            Decision::Deny(denial) => denial.why,
        };
        let rules: Vec<_> = why.rules().map(|(rule, _)| rule).collect();
        prop_assert_eq!(&rules, &Rule::ALL);
        prop_assert_eq!(rules.iter().map(|it| it.name()).collect::<BTreeSet<_>>().len(), rules.len());
        let failed = why.rules().find(|(_, verdict)| *verdict == Verdict::Failed);
        let denied = match decision {
            Decision::Allow(_) => None,
            Decision::Deny(denial) => Some(denial.rule),
        };
        prop_assert_eq!(failed.map(|(rule, _)| rule), denied);
    }
}

/// `text` with the one letter at `place` replaced.
fn with(text: &str, place: usize, letter: &str) -> String {
    let (before, rest) = text.split_at(place);
    [before, letter, rest.split_at(1).1].concat()
}

/// `text` with check characters that are right.
fn checked(text: &str) -> String {
    let (body, check) = text.split_at(text.len() - CHECK);
    let letters: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    let sum = crc32fast::hash(body.as_bytes());
    let digit = |place: usize| sum / 62_u32.pow(u32::try_from(place).unwrap()) % 62;
    let right = (0..check.len()).rev().map(|it| letters.get(digit(it) as usize).unwrap());
    body.to_owned() + &right.collect::<String>()
}

fn judge(authenticator: &Authenticator<Shelf>, key: &str) -> Option<Rejection> {
    let kinds = scheme::ALL.iter();
    let schemes: Vec<Box<dyn Scheme>> =
        kinds.map(|kind| (kind.build)(&Options::new()).unwrap()).collect();
    let request = Request::get("/").header("host", "any");
    let request = request.header("authorization", format!("Bearer {key}")).body(()).unwrap();
    let (parts, ()) = request.into_parts();
    match authenticator.begin(&schemes, &Site::any(organization(0), None), &head(&parts).unwrap()) {
        Begun::Authenticated(_) => None,
        Begun::Rejected(no) => Some(no.reason),
        Begun::Anonymous | Begun::Pending(_) => panic!("a key was presented"),
    }
}
