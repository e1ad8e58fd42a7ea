//! What strangers are told, and what holds for every scheme of this build: one that is added is
//! walked over here with all the others.

use portcullis_core::scheme::hub_token::proof;
use portcullis_core::scheme::signature::{Form, sign};
use portcullis_core::scheme::{
    self, AUTHTOKEN, AUTHTOKEN_BEARER, BEARER, CONNECTOR, HUB_TOKEN, Kind, SESSION, SHARED_SECRET,
    SIGNATURE,
};
use portcullis_core::seal::MacKey;
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_core::token::random_letters;
use serde_json::Value;

use crate::common::{Home, Quickstart, Server, text};
use crate::upstream::answering;

/// Every address of our own, with what a stranger is told there. All else belongs to guards.
const OWN: &[(&str, &str, u16, &str)] = &[
    ("GET", "/healthz", 200, "ok\n"),
    ("GET", "/healthz?probe=1", 200, "ok\n"),
    ("GET", "/readyz", 200, "ok\n"),
    ("HEAD", "/healthz", 200, ""),
    ("HEAD", "/readyz", 200, ""),
];

#[test]
fn a_stranger_learns_from_our_own_addresses_only_that_we_are_there() {
    let server = Quickstart::start(Home::new());
    for (method, path, status, body) in OWN {
        let answer = server.send(&format!("{method} {path} HTTP/1.1"));
        assert_eq!((answer.status(), answer.body()), (*status, *body), "{method} {path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{method} {path}");
        let mut told: Vec<String> = answer.headers().map(|(name, _)| name).collect();
        told.sort();
        let expected =
            ["cache-control", "connection", "content-length", "date", "portcullis-request-id"];
        assert_eq!(told, expected, "{method} {path}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        for path in ["/healthz", "/readyz"] {
            let answer = server.send(&format!("{method} {path} HTTP/1.1"));
            assert_eq!(answer.status(), 405, "{method} {path}");
        }
    }
    for path in [
        "/",
        "/metrics",
        "/console",
        "/portcullis/v1/users",
        "/.well-known/x",
        "/healthz/",
        "/authz/nginx",
        "/authz/forward",
    ] {
        assert_eq!(server.send(&format!("GET {path} HTTP/1.1")).status(), 404, "{path}");
    }
}

#[test]
fn a_host_that_a_guard_names_has_no_address_of_ours() {
    let address = answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ntheirs");
    let config = format!(
        "[[guard]]\nname = \"api\"\nhosts = [\"api.example\"]\nupstream = \"http://{address}\"\n\
         networks = [\"127.0.0.0/8\"]\n"
    );
    let server = Server::serve(Home::new(), &config);
    for (host, body) in [("api.example", "theirs"), ("API.example:80", "theirs"), ("any", "ok\n")] {
        for path in ["/healthz", "/readyz"] {
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            assert_eq!(server.ask(&request).body(), body, "{host}{path}");
        }
    }
}

/// The header with the credential that the quickstart made for the scheme: whichever secret in its
/// part of the file passes.
#[track_caller]
fn credential(server: &Quickstart, kind: &Kind) -> String {
    let made = server.made.get(kind.name.as_str()).and_then(Value::as_object);
    let secrets = made.into_iter().flat_map(|made| made.values()).filter_map(Value::as_str);
    let exchanged = match kind.name {
        AUTHTOKEN | AUTHTOKEN_BEARER => Some(authtoken(server)),
        BEARER => Some(bearer_token(server)),
        CONNECTOR => Some(server.text("/hull/secret").to_owned()),
        HUB_TOKEN => Some(hub_token(server)),
        SESSION => Some(server.session("/journyx/password")),
        SHARED_SECRET => Some(server.text("/graph/shared_secret").to_owned()),
        SIGNATURE => Some(signature(server)),
        _ => None,
    };
    let mut headers =
        secrets.map(Into::into).chain(exchanged).map(|it: String| present(server, kind, &it));
    let passes = |header: &String| server.get(header).status() == 200;
    headers.find(passes).unwrap_or_else(|| panic!("the quickstart made no {}", kind.name))
}

/// What a client sends: the secret, and where it is to say whose that is, the quickstart's id.
fn present(server: &Quickstart, kind: &Kind, secret: &str) -> String {
    let (name, value) = (kind.present)("owner", secret);
    let id = kind.named_in.map(|name| format!("{name}: {}\r\n", server.text("/hull/app_id")));
    format!("{}{name}: {}", id.unwrap_or_default(), value.expose_text())
}

#[test]
fn every_scheme_has_a_credential_that_passes_and_refuses_what_is_no_credential() {
    let server = Quickstart::start(Home::new());
    for kind in scheme::ALL {
        let name = kind.name.as_str();
        let answer = server.get(&credential(&server, kind));
        let echo: Value = serde_json::from_str(answer.body()).unwrap();
        assert_eq!(echo["headers"]["portcullis-scheme"], name);
        let of_expert = [AUTHTOKEN, AUTHTOKEN_BEARER, SIGNATURE].contains(&kind.name);
        let user = if of_expert { "admin" } else { "owner" };
        assert_eq!(echo["headers"]["portcullis-user"], user, "{name}");
        for bad in ["", "x", "pcl_key_x", &"x".repeat(2_000)] {
            let answer = server.get(&present(&server, kind, bad));
            assert_eq!(answer.status(), 401, "{name}: {bad}");
        }
    }
}

#[test]
fn every_scheme_can_guard_alone_and_challenges_a_stranger() {
    let server = Quickstart::start(Home::new());
    let demo = server.home.json(&["guard", "list"])["upstreams"][0].as_str().unwrap().to_owned();
    for kind in scheme::ALL {
        let name = kind.name.as_str();
        let (guard, path) = (name.replace('_', "-"), format!("/only/{name}"));
        let upstream = ["--upstream", &demo, "--path", &path];
        server.home.done(&[&["guard", "create", &guard, "--scheme", name], &upstream[..]].concat());
        let ask = |header: &str| server.send(&format!("GET {path} HTTP/1.1{header}"));
        let stranger = ask("");
        assert_eq!(stranger.status(), 401, "{name}");
        let challenges = stranger.headers().filter(|(name, _)| name == "www-authenticate");
        assert_eq!(challenges.count(), 1, "{name}");
        let secret = (kind.name == SHARED_SECRET).then(|| {
            let made = server.home.json(&["secret", "create", "owner", "--guard", &guard]);
            present(&server, kind, made["secret"].as_str().unwrap())
        });
        for other in scheme::ALL {
            // A secret counts at its own guard alone.
            let own = secret.clone().filter(|_| other.name == SHARED_SECRET);
            let header = own.unwrap_or_else(|| credential(&server, other));
            let status = ask(&format!("\r\n{header}")).status();
            assert_eq!(status == 200, other.name == kind.name, "{name}, {}", other.name);
        }
    }
}

#[test]
fn every_scheme_stands_in_the_configuration_and_its_page() {
    let page = include_str!("../../../../docs/configuration.md");
    let home = Home::new();
    for kind in scheme::ALL {
        let name = kind.name.as_str();
        assert!(page.contains(&format!("| `{name}` | {} |", kind.summary)), "{name}");
        let config = format!(
            "[[guard]]\nname = \"one\"\nupstream = \"http://127.0.0.1:9\"\nschemes = [\"{name}\"]\n"
        );
        home.done(&["check-config", &home.write("config.toml", &config)]);
    }
    let config =
        "[[guard]]\nname = \"one\"\nupstream = \"http://127.0.0.1:9\"\nschemes = [\"no\"]\n";
    let refused = home.run(&["check-config", &home.write("config.toml", config)]);
    assert!(!refused.status.success());
}

/// A token of Graph, as the quickstart's password pays for one.
fn bearer_token(server: &Quickstart) -> String {
    let (user, password) = (server.text("/graph/username"), server.text("/graph/password"));
    let body = format!("username={user}&password={password}");
    let answer = server.ask(&format!(
        "POST /login HTTP/1.1\r\nHost: any\r\nContent-Length: {}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    ));
    let answer: Value = serde_json::from_str(answer.body()).unwrap();
    answer["token"].as_str().unwrap().to_owned()
}

/// What the quickstart's server token signs, on behalf of the user that it names.
fn signature(server: &Quickstart) -> String {
    let secret = MacKey::of_text(server.text("/expert/secret").as_bytes());
    let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
    let (key, user) = (server.text("/expert/key"), server.text("/expert/user"));
    text(sign(Form::Documented, (key, &secret), now, user).unwrap().expose())
}

/// A session of Expert, as a signature is traded for one.
fn authtoken(server: &Quickstart) -> String {
    let answer = server.send(&format!(
        "GET /@api/deki/users/authenticate HTTP/1.1\r\nX-Deki-Token: {}",
        signature(server)
    ));
    answer.body().to_owned()
}

/// A token of Journey Hub, as the quickstart's secret pays for one.
fn hub_token(server: &Quickstart) -> String {
    let secret = SecretBuf::new(server.text("/journey_hub/secret"));
    let nonce = text(random_letters(32).unwrap().expose());
    let (user, hash) = (server.text("/journey_hub/user_id"), proof(&secret, &nonce));
    let body = format!("userId={user}&nonce={nonce}&hash={hash}");
    let answer = server.ask(&format!(
        "POST /api/v1/token HTTP/1.1\r\nHost: any\r\nContent-Length: {}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    ));
    let answer: Value = serde_json::from_str(answer.body()).unwrap();
    answer["token"][0]["token"].as_str().unwrap().to_owned()
}
