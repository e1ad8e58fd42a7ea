//! What a proxy is answered, and what whoever pretends to be one.

use std::fs;
use std::path::PathBuf;

use portcullis_core::scheme::{self, Options};

use crate::common::{Answer, Home, Server};
use crate::place::{HOST, SECRET};
use crate::running::EXAMPLES;
use crate::upstream::answering;

/// Every header of the usual preset, and what the answer has besides.
const TOLD: &[&str] = &[
    "cache-control",
    "connection",
    "content-length",
    "date",
    "portcullis-credential-id",
    "portcullis-network",
    "portcullis-organization-id",
    "portcullis-request-id",
    "portcullis-scheme",
    "portcullis-subject",
    "portcullis-subject-account",
    "portcullis-subject-user",
    "portcullis-user",
    "portcullis-user-id",
];

/// A server with the guards of the examples.
fn server(secret: Option<&str>) -> Server {
    let secret = secret.map(|it| ("PORTCULLIS_AUTHZ_SECRET", it.to_owned()));
    let config = fs::read_to_string(PathBuf::from(EXAMPLES).join("portcullis.toml")).unwrap();
    Server::serve(Home::with(secret.as_slice()), &config)
}

fn key(server: &Server) -> String {
    server.home.done(&["user", "create", "alice"]);
    let made = server.home.json(&["key", "create", "alice"]);
    format!("X-Api-Key: {}\r\n", made["key"].as_str().unwrap())
}

/// What Caddy and Traefik state of a request.
fn forwarded(method: &str, target: &str) -> String {
    format!(
        "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Method: {method}\r\nX-Forwarded-Proto: https\r\n\
         X-Forwarded-Host: {HOST}\r\nX-Forwarded-Uri: {target}\r\n"
    )
}

/// What nginx states of one, as ingress-nginx is made to, with all else that it sends.
fn original(method: &str, target: &str) -> String {
    format!(
        "X-Original-URL: https://{HOST}{target}\r\nX-Original-Method: {method}\r\n\
         X-Sent-From: nginx-ingress-controller\r\nX-Real-IP: 192.0.2.7\r\n\
         X-Forwarded-For: 192.0.2.7\r\nX-Auth-Request-Redirect: {target}\r\n\
         X-Request-ID: 5b1c\r\n"
    )
}

/// Asks at one of the doors, by a request that means nothing itself.
fn ask(server: &Server, door: &str, headers: &str) -> Answer {
    server.ask(&format!(
        "GET /authz/{door} HTTP/1.1\r\nHost: auth.internal\r\nConnection: close\r\n{headers}\r\n"
    ))
}

#[test]
fn yes_names_every_header_once_and_what_is_not_known_is_empty() {
    let server = server(None);
    let key = key(&server);
    for (door, stated) in
        [("forward", forwarded("GET", "/orders/7")), ("nginx", original("GET", "/orders/7"))]
    {
        let answer = ask(&server, door, &format!("{stated}{key}"));
        assert_eq!((answer.status(), answer.body()), (200, ""), "{}", answer.0);
        let mut told: Vec<String> = answer.headers().map(|(name, _)| name).collect();
        told.sort();
        assert_eq!(told, TOLD, "{door}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("portcullis-user"), Some("alice"));
        assert_eq!(answer.header("portcullis-subject"), Some(""));
    }
}

#[test]
fn nothing_is_taken_from_the_call_itself() {
    let server = server(None);
    let key = key(&server);
    let call = |line: &str, headers: &str| {
        let close = "Connection: close\r\n";
        server.ask(&format!("{line} HTTP/1.1\r\n{close}{headers}\r\n")).status()
    };
    let good = format!("{}{key}", forwarded("GET", "/orders"));
    for (line, host) in [
        ("GET /authz/forward", "Host: any\r\n"),
        ("GET /authz/forward?x=/public&apiKey=x", "Host: any\r\n"),
        ("HEAD /authz/forward", "Host: any\r\n"),
        // Caddy names the caller's host, whose paths belong to its guards otherwise.
        ("GET /authz/forward", "Host: api.example.com\r\n"),
        ("GET /authz/forward", ""),
        ("GET /authz/forward", "Host: one\r\nHost: two\r\n"),
    ] {
        assert_eq!(call(line, &format!("{host}{good}")), 200, "{line} {host}");
    }
    let admin = format!("Host: {HOST}\r\n{}", forwarded("GET", "/admin"));
    assert_eq!(call("GET /authz/forward", &admin), 401);
    assert_eq!(call("GET /authz/forward", &format!("{admin}{key}")), 403);
}

#[test]
fn a_request_that_is_not_stated_exactly_once_is_never_permitted() {
    let server = server(None);
    let key = key(&server);
    for (door, stated, told) in
        [("forward", forwarded("GET", "/public"), 400), ("nginx", original("GET", "/public"), 403)]
    {
        assert_eq!(ask(&server, door, &stated).status(), 200, "{stated}");
        let needed = ["X-Forwarded-", "X-Original-"];
        let lines = stated.lines().filter(|line| needed.iter().any(|it| line.starts_with(it)));
        for line in lines {
            let (name, _) = line.split_once(':').unwrap();
            let without = stated.replace(&format!("{line}\r\n"), "");
            let alias = line.replacen('-', "_", 2);
            for changed in [
                without.clone(),
                format!("{without}{name}:\r\n"),
                format!("{stated}{line}\r\n"),
                format!("{stated}{alias}\r\n"),
                format!("{without}{alias}\r\n"),
            ] {
                let answer = ask(&server, door, &format!("{changed}{key}"));
                assert_eq!(answer.status(), told, "{changed}");
            }
        }
    }
}

#[test]
fn whoever_may_not_ask_finds_nothing() {
    let stated = forwarded("GET", "/public") + &original("GET", "/public");
    let said = |secret: &str| format!("Portcullis-Door-Secret: {secret}\r\n");
    let nothing = Server::serve(Home::new(), "");
    let nowhere = ask(&nothing, "nowhere", "").anonymous();
    let secret = server(Some(SECRET));
    let wrong = said(&SECRET.replace('a', "b"));
    for door in ["forward", "nginx"] {
        for server in [&nothing, &secret] {
            for headers in ["", &stated, &format!("{stated}{wrong}")] {
                assert_eq!(ask(server, door, headers).anonymous(), nowhere, "{door} {headers}");
            }
        }
        let right = said(SECRET);
        let both = ask(&secret, door, &format!("{stated}{right}"));
        assert!([400, 403].contains(&both.status()), "{}", both.0);
    }
    let right = forwarded("GET", "/public") + &said(SECRET);
    assert_eq!(ask(&secret, "forward", &right).status(), 200);
    let right = original("GET", "/public") + &said(SECRET);
    assert_eq!(ask(&secret, "nginx", &right).status(), 200);
    for server in [nothing, secret] {
        let stderr = server.stop().stderr;
        assert_eq!(stderr.matches("`[authz]` does not admit").count(), 1, "{stderr}");
        assert!(!stderr.contains(SECRET) && stderr.contains("reason=\"asker_"), "{stderr}");
    }
}

#[test]
fn to_strangers_the_addresses_of_the_doors_are_their_guards() {
    let theirs = answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ntheirs");
    let guard = format!(
        "[[guard]]\nname = \"api\"\nhosts = [\"{HOST}\"]\nupstream = \"http://{theirs}\"\n\
         networks = [\"0.0.0.0/0\"]\n"
    );
    for (authz, body) in [("", "theirs"), ("[authz]\npeers = [\"127.0.0.1\"]\n", "")] {
        let server = Server::serve(Home::new(), &format!("{authz}{guard}"));
        let answer = server.ask(&format!(
            "GET /authz/forward HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n{}\r\n",
            forwarded("GET", "/orders")
        ));
        assert_eq!((answer.status(), answer.body()), (200, body), "{authz}: {}", answer.0);
    }
}

#[test]
fn the_log_tells_of_the_request_that_was_asked_about() {
    let server = server(None);
    ask(&server, "nginx", &original("DELETE", "/public/7?token=canary"));
    ask(&server, "forward", &forwarded("POST", "/orders"));
    ask(&server, "forward", &forwarded("GET", "/orders/%61"));
    let stderr = server.stop().stderr;
    let lines: Vec<&str> = stderr.lines().filter(|line| line.contains("door=")).collect();
    let [nginx, forward, other] = lines[..] else { panic!("{stderr}") };
    for (line, parts) in [
        (nginx, ["door=\"nginx\"", "method=DELETE", "path=\"/public/7\"", "\"allowed\""]),
        (forward, ["door=\"forward\"", "method=POST", "path=\"/orders\"", "\"no_credential\""]),
        (other, ["door=\"forward\"", "method=GET", "\"refused\"", "\"path_not_canonical\""]),
    ] {
        for part in parts {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert!(line.contains("client=192.0.2.7") || line == other, "{line}");
    }
    assert!(!stderr.contains("canary"), "{stderr}");
}

#[test]
fn every_refusal_of_a_door_is_told_to_the_letter() {
    let server = server(None);
    let refusal = |status: u16, title: &str, kind: &str, detail: &str| {
        format!(
            "{status}\ncontent-type: application/problem+json\ncache-control: no-store\n\n\
             {{\"detail\":\"{detail}\",\"instance\":\"urn:uuid:ID\",\"status\":{status},\
             \"title\":\"{title}\",\"type\":\"urn:portcullis:problem:{kind}\"}}\n"
        )
    };
    let with = |line: &str| format!("{}{line}\r\n", forwarded("GET", "/public"));
    let header = "the request has a header that only a proxy may set, or that names another method or \
                  path";
    let path = "the path is not in its canonical form; send it without escapes that it does not need, \
                empty segments and fragment";
    let stated = "the request that is asked about is not stated, or not once";
    for (headers, kind, detail) in [
        (with("Portcullis_User: admin"), "bad-header", header),
        (with("X-HTTP-Method-Override: DELETE"), "bad-header", header),
        (with("Upgrade: h2c"), "bad-header", header),
        (forwarded("GET", "/%70ublic"), "bad-path", path),
        (forwarded("GET", "//public"), "bad-path", path),
        (String::new(), "request-not-stated", stated),
    ] {
        let expected = refusal(400, "Bad Request", kind, detail);
        assert_eq!(ask(&server, "forward", &headers).anonymous(), expected, "{headers}");
    }
    for (headers, status) in [
        (original("GET", "/orders"), 401),
        (original("GET", "/nowhere"), 403),
        (String::new(), 403),
    ] {
        let answer = ask(&server, "nginx", &headers);
        assert_eq!((answer.status(), answer.body()), (status, ""), "{}", answer.0);
        assert_eq!(answer.header("content-type"), None);
        assert_eq!(
            answer.headers().filter(|(it, _)| it == "www-authenticate").count() == 1,
            status == 401
        );
    }
}

#[test]
fn every_example_ends_every_credential_and_hands_on_every_header_of_ours() {
    let schemes = scheme::ALL.iter().map(|kind| (kind.build)(&Options::new()).unwrap());
    let read: Vec<_> = schemes.flat_map(|scheme| scheme.headers().to_vec()).collect();
    let told = TOLD.iter().filter(|name| name.starts_with("portcullis-"));
    let wanted: Vec<&str> =
        read.iter().map(http::HeaderName::as_str).chain(told.copied()).collect();
    assert!(wanted.contains(&"x-api-key") && wanted.contains(&"portcullis-user"), "{wanted:?}");
    for (file, before, after) in [
        ("nginx/portcullis.conf", "proxy_set_header ", " "),
        ("caddy/Caddyfile", "\n\t\trequest_header -", "\n"),
        ("traefik/dynamic.yml", " ", ": \"\"\n"),
    ] {
        let text = fs::read_to_string(PathBuf::from(EXAMPLES).join(file)).unwrap().to_lowercase();
        for name in &wanted {
            let ended = text.contains(&format!("{before}{name}{after}"));
            let handed_on = text.contains(&format!("\n\t\t\t\t{name}\n"))
                || text.contains(&format!("- {name}\n"))
                || text.contains(&format!("proxy_set_header {name} $"));
            assert!(
                if name.starts_with("portcullis-") { handed_on } else { ended },
                "{file}: {name}"
            );
        }
    }
}

#[test]
fn no_example_lets_a_caller_say_what_any_preset_tells() {
    let server = server(None);
    let presets = ["portcullis", "remote", "x-auth-request", "x-consumer"];
    let named = presets.iter().flat_map(|preset| ["--identity", preset]);
    let guard = ["guard", "create", "told", "--host", HOST, "--path", "/told", "--assertion"];
    let open = ["--no-upstream", "--network", "0.0.0.0/0", "--network-only"];
    let words: Vec<&str> = guard.into_iter().chain(named).chain(open).collect();
    server.home.done(&words);
    let answer = ask(&server, "forward", &forwarded("GET", "/told"));
    assert_eq!(answer.status(), 200, "{}", answer.0);
    let framing = ["cache-control", "connection", "content-length", "date"];
    let told = answer.headers().map(|(name, _)| name).filter(|it| !framing.contains(&&**it));
    let told: Vec<String> = told.collect();
    for file in ["nginx/portcullis.conf", "caddy/Caddyfile", "traefik/dynamic.yml"] {
        let text = fs::read_to_string(PathBuf::from(EXAMPLES).join(file)).unwrap().to_lowercase();
        let removed = text.lines().filter_map(|line| line.trim().strip_prefix("request_header -"));
        let removed: Vec<&str> = removed.map(|it| it.trim_end_matches('*')).collect();
        for name in &told {
            let known = removed.iter().any(|start| name.starts_with(start))
                || text.contains(&format!("proxy_set_header {name} "))
                || text.contains(&format!("- {name}\n"))
                || text.contains(&format!(" {name}: \"\""));
            assert!(known, "{file}: {name}");
        }
    }
}
