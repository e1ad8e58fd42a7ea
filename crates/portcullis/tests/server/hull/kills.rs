//! A server that is killed while it is told things: what it acknowledged is there, once.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Connector, batch, entry};
use crate::common::{Home, Server, database};

const CLIENTS: u32 = 4;
/// How many batches each client sends, and how often the server is killed meanwhile; with
/// `PORTCULLIS_TEST_LENGTH=full`, many more.
const SHORT: (u32, u32) = (25, 4);
const FULL: (u32, u32) = (400, 60);
/// Under which seed the moments are drawn, unless `PORTCULLIS_TEST_SEED` says otherwise.
const SEED: u64 = 1;
/// Longer than any answer takes that comes.
const PATIENCE: Duration = Duration::from_secs(30);

const CONFIG: &str = "[[mount]]\ndialect = \"hull\"\n";

/// Where the server is, how often it was started, and how many batches were acknowledged.
#[derive(Default)]
struct Now {
    address: String,
    started: u32,
    acknowledged: u32,
    /// How many were sent again after their answer was lost.
    repeated: u32,
}

#[derive(Default)]
struct Board {
    now: Mutex<Now>,
    changed: Condvar,
}

impl Board {
    fn change(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.now.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits until `what` holds, and says where the server is then.
    fn wait(&self, what: impl Fn(&Now) -> bool) -> (String, u32) {
        let now = self.now.lock().unwrap();
        let (now, late) = self.changed.wait_timeout_while(now, PATIENCE, |now| !what(now)).unwrap();
        assert!(!late.timed_out(), "nothing came of it");
        (now.address.clone(), now.started)
    }
}

/// The status of an answer; nothing if none came.
fn ask(address: &str, request: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

/// What one client sends: counts of what all share and of what is its own, and events with and
/// without an identity.
fn told(connector: &Connector, client: u32, number: u32) -> String {
    let all = connector.user(&json!({ "external_id": "all" }));
    let own = connector.user(&json!({ "email": format!("{client}@bob.com") }));
    let inc = json!({ "n": { "operation": "inc", "value": 1 } });
    let named = json!({ "event": "named", "event_id": format!("{client}-{number}") });
    let entries = [
        entry("traits", &inc, &all),
        entry("track", &named, &all),
        entry("traits", &inc, &own),
        entry("track", &json!({ "event": "nameless", "properties": { "n": number } }), &own),
    ];
    let mut whole = batch(&entries, number);
    whole["sentAt"] = json!(format!("{client} {number}"));
    connector.request(&whole)
}

/// Sends each batch until it is acknowledged.
fn send_all(board: &Board, connector: &Connector, (client, batches): (u32, u32)) {
    for number in 0..batches {
        let request = told(connector, client, number);
        let mut last = 0;
        loop {
            let (address, started) = board.wait(|now| now.started > last);
            match ask(&address, &request) {
                Some(204) => break,
                // It was killed before it answered; the next one is asked.
                None => last = started,
                Some(503) => {}
                Some(status) => panic!("a good batch was answered {status}"),
            }
            board.change(|now| now.repeated += 1);
        }
        board.change(|now| now.acknowledged += 1);
    }
}

/// After how many acknowledgements the server is killed.
fn moments(total: u32, kills: u32) -> Vec<u32> {
    let seed = std::env::var("PORTCULLIS_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    let mut state = seed;
    let mut moments: Vec<u32> = (0..kills)
        .map(|_| {
            // Numerical Recipes' generator is random enough to choose moments.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(state >> 33).unwrap() % total
        })
        .collect();
    moments.sort_unstable();
    moments
}

fn check(home: Home) {
    let full = std::env::var("PORTCULLIS_TEST_LENGTH").is_ok_and(|length| length == "full");
    let (batches, kills) = if full { FULL } else { SHORT };
    home.done(&["user", "create", "zoe"]);
    let connector = Connector::create(&home, "zoe", &[]);
    let board = Board::default();
    let start = |home: Home| {
        let server = Server::serve(home, CONFIG);
        board.change(|now| {
            now.address.clone_from(&server.address);
            now.started += 1;
        });
        server
    };
    let server = start(home);
    let server = std::thread::scope(|scope| {
        let (board, connector, mut server) = (&board, &connector, server);
        for client in 0..CLIENTS {
            scope.spawn(move || send_all(board, connector, (client, batches)));
        }
        for moment in moments(CLIENTS * batches, kills) {
            board.wait(|now| now.acknowledged >= moment);
            // Whatever is being recorded at the moment is cut off.
            server = start(server.kill());
        }
        server
    });
    assert!(board.now.lock().unwrap().repeated > 0, "no answer was lost");
    check_counts(&server.kill(), batches);
}

/// Every batch is there once: the counts are exact, and so are the events.
fn check_counts(home: &Home, batches: u32) {
    let told = home.done(&["hull", "export"]);
    let mut counts = BTreeMap::<String, u32>::new();
    let mut names = BTreeMap::<String, u32>::new();
    for line in told.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["kind"] == "event" {
            let id = line["event_id"]
                .as_str()
                .map_or_else(|| format!("{} {}", line["user"], line["properties"]), str::to_owned);
            *counts.entry(id).or_default() += 1;
            *names.entry(line["event"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert!(counts.values().all(|count| *count == 1), "an event was applied twice: {counts:?}");
    let all = CLIENTS * batches;
    assert_eq!(names, BTreeMap::from([("named".into(), all), ("nameless".into(), all)]));
    let count = |name: &str| home.json(&["hull", "subject", name])["traits"]["n"].clone();
    assert_eq!(count("external_id=all"), all);
    for client in 0..CLIENTS {
        assert_eq!(count(&format!("{client}@bob.com")), batches);
    }
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_exactly_once() {
    check(Home::new());
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_exactly_once_on_postgresql() {
    let Ok(server) = std::env::var("PORTCULLIS_TEST_POSTGRES") else { return };
    check(Home::with(&[("PORTCULLIS_DATABASE_URL", database(&server, "hull_kills"))]));
}
