//! The line of the log, as JSON, for each way in which a request can end.

use std::io::Write;
use std::sync::{Arc, Mutex};

use http::Request;
use portcullis_core::authenticator::{Rejected, Rejection};
use portcullis_core::guard::{Definition, Kind, Source, Standing};
use portcullis_core::id::Revision;
use portcullis_core::policy::{Decision, Question};
use portcullis_core::request::TrustedPeers;
use portcullis_core::scheme::{self, Options};
use portcullis_core::seal::MasterKey;
use portcullis_core::time::{Moment, Timestamp};
use portcullis_store::memory::Memory;
use serde_json::{Value, json};
use tracing::Level;

use super::*;

/// A clock on which each look takes a second.
#[derive(Debug, Default)]
struct Ticking(Mutex<u64>);

impl Clock for Ticking {
    fn now(&self) -> Moment {
        let mut boot = self.0.lock().unwrap();
        *boot += 1_000;
        Moment { boot: *boot, wall: Timestamp::from_millis(0) }
    }
}

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The fields of every line at `level` that one exchange leaves.
fn lines(level: Level, request: &Parts, happens: impl FnOnce(Box<Exchange>)) -> Vec<Value> {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(level)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let clock = Arc::new(Ticking::default());
        happens(Box::new(Exchange::begin(
            request,
            IpAddr::from([192, 0, 2, 1]),
            (Uuid::nil(), clock.now().boot),
            clock,
        )));
    });
    let text = page.0.lock().unwrap();
    let values = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
    values.map(|line| line.unwrap()["fields"].clone()).collect()
}

/// A request that carries everything that must not be told.
fn request() -> Parts {
    Request::get("/orders/7?key=canary")
        .header("Host", "any")
        .header("Authorization", "Basic canary")
        .header("Cookie", "session=canary")
        .header("X-Api-Key", "canary")
        .header("X-Request-Id", "theirs-1")
        .body(())
        .unwrap()
        .into_parts()
        .0
}

fn guard() -> Arc<Guard> {
    let definition = Definition {
        kind: Kind::Route,
        name: "orders".into(),
        hosts: vec![],
        prefix: "/orders".into(),
        upstreams: vec![http::Uri::from_static("http://127.0.0.1:9")],
        upgrades: vec![],
        identity: vec![],
        assertion: false,
        schemes: vec![(scheme::BASIC, Options::new())],
        networks: Some(vec!["192.0.2.0/24".parse().unwrap()]),
        client_certificate: false,
        methods: vec![],
        ability: None,
        pass_credential: false,
        strip_prefix: false,
    };
    let realm = Id::from_bytes([1; 16]);
    let standing = Standing {
        id: Id::from_bytes([2; 16]),
        version: Revision(1),
        source: Source::Store,
        organization: realm,
        realm,
    };
    Arc::new(definition.build(standing).unwrap())
}

fn denied() -> Refusal {
    let (guard, parts) = (guard(), request());
    let (peer, now) = (IpAddr::from([192, 0, 2, 9]), Timestamp::from_millis(0));
    let head = RequestHead::from_connection(&parts, peer, &TrustedPeers::default(), now).unwrap();
    let question = Question::of(&head, None, &guard.schemes);
    match guard
        .policy
        .decide(&question, &Memory::empty(Arc::new(MasterKey::fresh().unwrap())).unwrap())
    {
        Decision::Deny(denial) => Refusal::Denied { denial, guard, who: None },
        Decision::Allow(_) => panic!("nobody is known"),
    }
}

fn rejected() -> Refusal {
    let no = Rejected {
        reason: Rejection::Revoked,
        scheme: Some(scheme::BASIC),
        credential: Some(Id::from_bytes([3; 16])),
        user: Some(Id::from_bytes([4; 16])),
    };
    Refusal::Rejected(no, guard())
}

fn answered(mut exchange: Box<Exchange>, refusal: &Refusal) -> Response<Body> {
    exchange.refuse(refusal);
    let mut response = Response::new(Either::Left(Full::default()));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    exchange.answer(response)
}

#[test]
fn a_refusal_is_one_line_that_names_everything_but_the_proof() {
    let parts = request();
    let found = lines(Level::INFO, &parts, |mut exchange| {
        let (peer, trusted) = (IpAddr::from([192, 0, 2, 7]), TrustedPeers::default());
        let now = Timestamp::from_millis(0);
        exchange.read(&RequestHead::from_connection(&parts, peer, &trusted, now).unwrap());
        drop(answered(exchange, &rejected()));
    });
    let expected = json!({
        "message": "request",
        "request": Uuid::nil().to_string(),
        "theirs": "theirs-1",
        "client": "192.0.2.7",
        "method": "GET",
        "path": "/orders/7",
        "decision": "refused",
        "reason": "revoked",
        "guard": "orders",
        "scheme": "basic",
        "user": "04040404-0404-0404-0404-040404040404",
        "credential": "03030303-0303-0303-0303-030303030303",
        "status": 401,
        "millis": 1_000,
    });
    assert_eq!(found, [expected]);
}

#[test]
fn a_denial_names_the_rule_and_tells_the_whole_why_at_debug_alone() {
    let parts = request();
    for (level, why) in [
        (Level::INFO, Value::Null),
        (Level::DEBUG, "network met, principal failed".into()),
        (Level::WARN, Value::Null),
    ] {
        let found = lines(level, &parts, |exchange| drop(answered(exchange, &denied())));
        assert_eq!(found.len(), usize::from(level >= Level::INFO), "{level}");
        for line in &found {
            assert_eq!((&line["reason"], &line["why"]), (&"principal".into(), &why), "{level}");
        }
        assert!(!format!("{found:?}").contains("canary"), "{found:?}");
    }
}

#[test]
fn the_line_waits_for_the_last_byte_of_the_answer() {
    let parts = request();
    let kept = Mutex::new(None);
    let early = lines(Level::INFO, &parts, |exchange| {
        *kept.lock().unwrap() = Some(answered(exchange, &denied()));
    });
    assert!(early.is_empty(), "{early:?}");
    let late = lines(Level::INFO, &parts, |mut other| {
        other.decision = "other";
        drop(kept.lock().unwrap().take());
    });
    let decisions: Vec<_> = late.iter().map(|line| line["decision"].as_str().unwrap()).collect();
    assert_eq!(decisions, ["refused", "other"]);
}

#[test]
fn an_upstream_that_fails_is_the_reason_of_what_was_allowed() {
    let found = lines(Level::INFO, &request(), |mut exchange| {
        exchange.meet(&Judged { guard: guard(), who: None, network: None, certificate: None });
        exchange.fail(UpstreamFault::Slow);
    });
    assert_eq!(
        (&found[0]["guard"], &found[0]["reason"]),
        (&"orders".into(), &"upstream_slow".into())
    );
}

#[test]
fn a_network_that_stands_for_a_caller_is_named_where_a_scheme_is() {
    let found = lines(Level::INFO, &request(), |mut exchange| {
        let network = Some("192.0.2.0/24".parse().unwrap());
        exchange.meet(&Judged { guard: guard(), who: None, network, certificate: None });
    });
    assert_eq!(
        (&found[0]["scheme"], &found[0]["network"]),
        (&"network".into(), &"192.0.2.0/24".into())
    );
}

#[test]
fn a_request_that_is_broken_off_leaves_its_line_too() {
    let found = lines(Level::INFO, &request(), drop);
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["decision"], &found[0]["status"]), (&"unfinished".into(), &Value::Null));
}

#[test]
fn a_callers_own_id_is_kept_if_it_is_short_printable_and_said_once() {
    for (values, kept) in [
        (&["abc-123"][..], Some("abc-123")),
        (&[&"a".repeat(64)], Some(&*"a".repeat(64))),
        (&[&"a".repeat(65)], None),
        (&[""], None),
        (&["a\tb"], None),
        (&["zo\u{eb}"], None),
        (&["a", "b"], None),
        (&[], None),
    ] {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(THEIR_ID, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        assert_eq!(their_id(&headers).as_deref(), kept, "{values:?}");
    }
}
