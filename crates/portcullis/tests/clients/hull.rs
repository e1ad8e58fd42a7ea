//! Hull: the vendor's own client, unchanged, and what it does where an answer is lost.
//!
//! <https://www.npmjs.com/package/hull-client/v/2.0.4>

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::common::Quickstart;
use crate::front::Front;
use crate::place::{fail, in_node, on_each_engine, succeed, tool};

const EVERYTHING: &str = "hull/everything.js";
const LOST: &str = "hull/lost.js";

/// What the client says of all that it does.
const SAYS: &str = r#"app: true
settings: {"a":1,"b":2}
flushed: 8
properties: ["traits_city","traits_n","traits_name","traits_zendesk/open_tickets"]
me: {"city":"Paris","n":3,"name":"Bob","zendesk/open_tickets":18}
object: "bob@bob.com"
found: ["Eve"]
segments: []
on top: "done"
a user who asks for the app: 403
a user who asks for themselves: 403
the secret without a subject: 401
an entry of nobody: 401
claims of nobody: 401
a token keyed with a token: 401
a wrong secret: 401
tokens under a wrong secret: 401
who was deleted: 404
"#;

/// Tells a client where to call, and as which connector.
fn told<'c>(command: &'c mut Command, server: &Quickstart, address: &str) -> &'c mut Command {
    command
        .env("HULL_ORGANIZATION", address)
        .env("HULL_FIREHOSE", format!("http://{address}/api/v1/firehose"))
        .env("HULL_ID", server.text("/hull/app_id"))
        .env("HULL_SECRET", server.text("/hull/secret"))
}

#[test]
fn the_javascript_client_of_hull_does_everything_unchanged() {
    let Some(modules) = tool("PORTCULLIS_TEST_NODE_MODULES") else { return };
    on_each_engine("hull_everything", |server| {
        let front = Front::plain(&server.address);
        let said = succeed(told(&mut in_node(&modules, EVERYTHING), server, &front.address));
        assert_eq!(said, SAYS);
        let sent = front.sent();
        assert!(sent[0].starts_with("GET /api/v1/app HTTP/1.1\r\n"), "{}", sent[0]);
        check_the_flush(server, &sent);
        let known = |name: &str| server.home.json(&["hull", "subject", name]);
        let bob = known("external_id=42");
        assert_eq!(bob["identifiers"], json!({ "email": ["bob@bob.com"], "external_id": ["42"] }));
        let events = bob["events"].as_array().unwrap().iter();
        let mut names: Vec<&str> = events.map(|it| it["event"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Viewed", "e"]);
        let company = known("domain=bob.com");
        assert_eq!(company["traits"], json!({ "name": "Bob Inc", "k": 1 }));
        assert_eq!(bob["account"], company["id"]);
        assert_eq!(known("ann@bob.com")["traits"], json!({ "name": "Ann" }));
        let lines = server.home.done(&["hull", "export"]);
        assert_eq!(lines.lines().count(), 1 + 2 + 2, "{lines}");
    });
}

/// The first flush is one request, with the secret on top and five different tokens below.
fn check_the_flush(server: &Quickstart, sent: &[String]) {
    let flush = sent.iter().find(|it| it.starts_with("POST /api/v1/firehose ")).unwrap();
    let (head, body) = flush.split_once("\r\n\r\n").unwrap();
    let top = format!("\r\nHull-Access-Token: {}\r\n", server.text("/hull/secret"));
    assert!(head.contains(&top), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    let entries = body["batch"].as_array().unwrap();
    assert_eq!(entries.len(), 8);
    let tokens = entries.iter().map(|it| it["headers"]["Hull-Access-Token"].as_str().unwrap());
    let mut tokens: Vec<&str> = tokens.collect();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 5);
}

#[test]
fn the_javascript_client_of_hull_runs_as_a_person_runs_it() {
    let Some(modules) = tool("PORTCULLIS_TEST_NODE_MODULES") else { return };
    on_each_engine("hull_file", |server| {
        let file = server.home.data().join("quickstart.json");
        assert_eq!(succeed(in_node(&modules, EVERYTHING).arg(file)), SAYS);
    });
}

#[test]
fn the_javascript_client_of_hull_fails_with_a_wrong_secret_and_says_why() {
    let Some(modules) = tool("PORTCULLIS_TEST_NODE_MODULES") else { return };
    on_each_engine("hull_wrong", |server| {
        for script in [EVERYTHING, LOST] {
            let mut command = in_node(&modules, script);
            let command = told(&mut command, server, &server.address);
            let said = fail(command.env("HULL_SECRET", "a-wrong-secret-0123456789"));
            assert!(said.contains("ERROR: 401 Unauthorized"), "{script}: {said}");
        }
    });
}

/// What a client is told instead of the first answers.
#[derive(Clone, Copy, Debug)]
enum Instead {
    /// Nothing, until it gives up.
    Nothing,
    /// That the server is not available, which is not so.
    Unavailable,
}

/// Stands between a client and a server, and loses the first answers; the bodies that it passed on.
fn losing(server: &str, instead: Instead) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let passed = Arc::new(Mutex::new(Vec::new()));
    let (server, keep) = (server.to_owned(), Arc::clone(&passed));
    thread::spawn(move || {
        for (number, client) in listener.incoming().map_while(Result::ok).enumerate() {
            let (server, keep) = (server.clone(), Arc::clone(&keep));
            thread::spawn(move || lose(client, &server, &keep, (number < 2).then_some(instead)));
        }
    });
    (address, passed)
}

fn lose(mut client: TcpStream, server: &str, keep: &Mutex<Vec<String>>, instead: Option<Instead>) {
    let request = read_request(&mut client);
    let body = request.split_once("\r\n\r\n").unwrap().1.to_owned();
    let mut upstream = TcpStream::connect(server).unwrap();
    upstream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    upstream.read_to_string(&mut answer).unwrap();
    keep.lock().unwrap().push(format!("{} {body}", answer.split(' ').nth(1).unwrap()));
    match instead {
        None => drop(client.write_all(answer.as_bytes())),
        Some(Instead::Unavailable) => drop(client.write_all(UNAVAILABLE.as_bytes())),
        // It closes when it has waited long enough.
        Some(Instead::Nothing) => drop(client.read_to_end(&mut Vec::new())),
    }
    drop(client.shutdown(Shutdown::Both));
}

const UNAVAILABLE: &str =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A whole request, whose client says how long its body is and to close.
fn read_request(client: &mut TcpStream) -> String {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap() == 1 {
        request.push(byte[0]);
    }
    let head = String::from_utf8(request).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    client.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

#[test]
fn what_the_javascript_client_of_hull_sends_again_counts_once() {
    let Some(modules) = tool("PORTCULLIS_TEST_NODE_MODULES") else { return };
    on_each_engine("hull_lost", |server| {
        for (number, instead) in (1..).zip([Instead::Unavailable, Instead::Nothing]) {
            let (address, passed) = losing(&server.address, instead);
            let mut command = in_node(&modules, LOST);
            // How long it waits for an answer, in milliseconds.
            let command = told(&mut command, server, &address).env("BATCH_TIMEOUT", "1500");
            assert_eq!(succeed(command), "acknowledged: 2\n", "{instead:?}");
            let passed = passed.lock().unwrap();
            assert_eq!(passed.len(), 3, "{instead:?}");
            assert!(passed.iter().all(|it| it.starts_with("204 ") && *it == passed[0]));
            let bob = server.home.json(&["hull", "subject", "bob@bob.com"]);
            assert_eq!(bob["traits"]["n"], number, "{instead:?}");
            assert_eq!(bob["events"].as_array().unwrap().len(), number, "{instead:?}");
        }
    });
}
