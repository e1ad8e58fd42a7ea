//! No secret shows: every flow is run with canaries, and all that is written anywhere is searched.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use base64::Engine as _;

use crate::common::{BASE64, Home, Quickstart, Server, basic, text};
use crate::upstream::{Refusing, answering, read_head, upstream};

const PASSWORD: &str = "goodPasswordCanary7Q";
const WRONG_PASSWORD: &str = "wrongPasswordCanary8R";
const TOO_SHORT: &str = "cNry9Sx";
const NAME: &str = "passwordTypedAsNameCanary1T";
const MALFORMED: &str = "malformedCanary2U";
const TOKEN: &str = "otherBearerCanary3V";
const QUERY: &str = "queryCanary4W";
const COOKIE: &str = "cookieCanary5X";
const BODY: &str = "bodyCanary6Y";
const PROXY: &str = "proxyCanary7Z";
const URL: &str = "databaseUrlCanary8A";
/// 32 bytes, so that they can be a master key.
const MASTER: &str = "masterKeyCanary9B_0123456789abcd";

/// How `secret` looks when it is written down, in any usual way.
fn disguises(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let bytes = format!("{:?}", secret.as_bytes());
    let mut all =
        vec![secret.to_owned(), hex.to_uppercase(), hex, bytes.trim_matches(['[', ']']).to_owned()];
    // In base64 a text looks in three ways, by where it begins; its ends depend on its neighbours.
    for before in 0..3 {
        let text = BASE64.encode(format!("{}{secret}", "_".repeat(before)));
        let (start, end) = ([0, 2, 3][before], text.len() - 4);
        all.push(text[start..end].to_owned());
    }
    all
}

/// What was written somewhere, and where. Disguises are ASCII, so bytes that are no text may blur.
#[derive(Default)]
pub(crate) struct Written(Vec<(String, String)>);

impl Written {
    pub(crate) fn add(&mut self, place: impl Into<String>, content: impl AsRef<[u8]>) {
        self.0.push((place.into(), text(content.as_ref())));
    }

    pub(crate) fn add_output(&mut self, place: &str, output: Output) {
        self.add(format!("{place}, stdout"), output.stdout);
        self.add(format!("{place}, stderr"), output.stderr);
    }

    /// Every file below `folder` but those that are there to hold secrets.
    pub(crate) fn add_files(&mut self, when: &str, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_file() && !["master.key", "quickstart.json"].contains(&&*name) {
                self.add(format!("{name}, {when}"), fs::read(path).unwrap());
            }
        }
    }

    pub(crate) fn add_audit(&mut self, home: &Home) {
        self.add("the audit trail", format!("{:#?}", home.audit()));
    }

    fn holds(&self, needle: &str) -> Option<&str> {
        self.0.iter().find(|(_, content)| content.contains(needle)).map(|(place, _)| &**place)
    }

    #[track_caller]
    pub(crate) fn must_not_hold(&self, secrets: &[&str]) {
        for secret in secrets {
            for needle in disguises(secret) {
                let place = self.holds(&needle);
                assert_eq!(place, None, "{secret} shows as {needle}");
            }
        }
    }
}

#[test]
fn a_secret_is_found_in_every_disguise() {
    let secret = "theSecretCanary";
    for shown in [
        format!("a{secret}z"),
        BASE64.encode(format!("user:{secret}!")),
        BASE64.encode(format!("users:{secret}?!")),
        BASE64.encode(format!("aUser:{secret}")),
        format!("{:?}", format!("a{secret}").into_bytes()),
        secret.bytes().map(|byte| format!("{byte:02X}")).collect(),
    ] {
        let mut written = Written::default();
        written.add("here", &shown);
        let found = disguises(secret).iter().any(|needle| written.holds(needle).is_some());
        assert!(found, "{shown}");
    }
}

/// The secret part of a key, which alone must not show: its id may.
fn secret_part(key: &str) -> &str {
    key.rsplit('_').next().unwrap()
}

#[test]
fn no_flow_of_a_server_shows_a_secret() {
    let home = Home::with(&[("PORTCULLIS_MASTER_KEY", BASE64.encode(MASTER))]);
    let mut written = Written::default();
    let keys = run_commands(&home, &mut written);
    let heard = Arc::new(Mutex::new(String::new()));
    let down = Refusing::new();
    let server = Server::serve(home, &config(&heard, &down));
    send_everything(&server, &keys, &mut written);
    for words in [["key", "revoke", id(&keys[0])], ["key", "show", id(&keys[1])]] {
        written.add_output("beside the server", server.home.run(&words));
    }
    written.add_output("a new password", server.home.set_password("zoe", PASSWORD));
    written.add_files("while it runs", &server.home.data());
    let ended = server.stop();
    for said in ["\"level\":\"INFO\"", "wrong_proof"] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    written.add("the server, stdout", ended.stdout);
    written.add("the server, stderr", ended.stderr);
    written.add_files("after it ended", &ended.home.data());
    written.add_audit(&ended.home);
    assert!(!ended.home.data().join("master.key").exists());
    let parts: Vec<&str> = keys.iter().map(|key| secret_part(key)).collect();
    written.must_not_hold(&parts);
    written.must_not_hold(&[PASSWORD, WRONG_PASSWORD, TOO_SHORT, NAME, MALFORMED, TOKEN]);
    written.must_not_hold(&[QUERY, COOKIE, BODY, PROXY, MASTER]);
    // The upstream is for queries, cookies and bodies, and for no proof.
    let heard = heard.lock().unwrap().clone();
    assert!([QUERY, COOKIE, BODY].iter().all(|sent| heard.contains(sent)), "{heard}");
    let mut forwarded = Written::default();
    forwarded.add("the upstream", heard);
    forwarded.must_not_hold(&[&[PASSWORD, PROXY][..], &parts].concat());
}

/// Everything that is done without a server; the keys that were made.
fn run_commands(home: &Home, written: &mut Written) -> Vec<String> {
    written.add_output("user create", home.run(&["user", "create", "zoe"]));
    written.add_output("a password too short", home.set_password("zoe", TOO_SHORT));
    written.add_output("the password", home.set_password("zoe", PASSWORD));
    // A key is shown here, once, and nowhere else.
    let shown = home.done(&["key", "create", "zoe", "--label", "shown"]);
    let shown = shown.lines().next().unwrap().to_owned();
    let as_json = home.json(&["key", "create", "zoe"])["key"].as_str().unwrap().to_owned();
    for words in [
        &["user", "list"][..],
        &["--json", "user", "list"],
        &["user", "show", "zoe"],
        &["--json", "user", "show", "zoe"],
        &["key", "list", "zoe"],
        &["--json", "key", "list", "zoe"],
        &["key", "show", id(&shown)],
        &["key", "disable", id(&shown)],
        &["key", "enable", id(&shown)],
        &["guard", "create", "new", "--path", "/new", "--upstream", "http://127.0.0.1:9"],
        &["guard", "list"],
        &["--json", "guard", "show", "new"],
    ] {
        written.add_output(&words.join(" "), home.run(words));
    }
    vec![shown, as_json]
}

fn id(key: &str) -> &str {
    key.split('_').nth(2).unwrap()
}

/// An upstream that tells what it heard, and two that are broken.
fn config(heard: &Arc<Mutex<String>>, down: &Refusing) -> String {
    let heard = Arc::clone(heard);
    let good = upstream(move |mut stream| {
        let mut said = read_head(&mut stream);
        if said.starts_with("POST") {
            let mut body = vec![0; BODY.len()];
            std::io::Read::read_exact(&mut stream, &mut body).unwrap();
            said.push_str(&text(&body));
        }
        heard.lock().unwrap().push_str(&said);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    });
    let garbage = answering("220 mail.example ESMTP\r\n");
    let guard = |name: &str, address| {
        format!(
            "[[guard]]\nname = \"{name}\"\npath = \"/{name}\"\nupstream = \"http://{address}\"\n\
             schemes = [\"basic\", \"api_key\"]\n"
        )
    };
    let guards = [guard("good", good), guard("garbage", garbage), guard("down", down.address)];
    format!("[log]\nlevel = \"debug\"\nformat = \"json\"\n{}", guards.concat())
}

fn send_everything(server: &Server, keys: &[String], written: &mut Written) {
    let (good, key) = (basic("zoe", PASSWORD), &keys[0]);
    let (spoilt, spoilt_part) = (&key[..key.len() - 1], &key[..key.len() - 20]);
    let unpaired = format!("Authorization: Basic {}", BASE64.encode(MALFORMED));
    let credentials = [
        (200, good.clone()),
        (200, basic("zoe", key)),
        (200, format!("X-Api-Key: {key}")),
        (200, format!("Authorization: Bearer {key}")),
        (200, format!("{good}\r\nCookie: session={COOKIE}")),
        (200, format!("{good}\r\nProxy-Authorization: Basic {PROXY}")),
        (400, format!("{good}\r\n{good}")),
        (400, format!("{good}\r\nX-Api-Key: {key}")),
        (401, format!("Cookie: session={COOKIE}")),
        (401, basic("zoe", WRONG_PASSWORD)),
        (401, basic("nobody", WRONG_PASSWORD)),
        (401, basic(NAME, "a password")),
        (401, basic("admin", key)),
        (401, format!("X-Api-Key: {spoilt}!")),
        (401, format!("X-Api-Key: {spoilt_part}{}", &spoilt[spoilt_part.len()..])),
        (401, format!("X-Api-Key: {TOKEN}")),
        (401, format!("Authorization: Bearer {TOKEN}")),
        (401, format!("Authorization: Digest response={TOKEN}")),
        (401, format!("Authorization: Basic {MALFORMED}!")),
        (401, unpaired),
    ];
    let mut ask = |request: &str, status: u16| {
        let answer = server.ask(&format!("{request}\r\n\r\n"));
        assert_eq!(answer.status(), status, "{request}");
        written.add(request.split(' ').nth(1).unwrap_or_default(), answer.0);
    };
    let rest = "HTTP/1.1\r\nHost: any\r\nConnection: close";
    for (status, credential) in credentials {
        ask(&format!("GET /good?token={QUERY} {rest}\r\n{credential}"), status);
    }
    ask(&format!("GET /garbage?token={QUERY} {rest}\r\n{good}\r\nCookie: {COOKIE}"), 502);
    ask(&format!("GET /down?token={QUERY} {rest}\r\n{good}\r\nCookie: {COOKIE}"), 502);
    ask(&format!("GET /good?{QUERY}é {rest}\r\n{good}"), 400);
    ask(&format!("GET /nowhere?{QUERY} {rest}\r\n{good}"), 404);
    ask(&format!("GET /healthz?{QUERY} {rest}\r\n{good}\r\nCookie: {COOKIE}"), 200);
    let sized = format!("Content-Length: {}\r\n\r\n{BODY}", BODY.len());
    let post = format!("POST /good {rest}\r\n{good}\r\n{sized}");
    written.add("a body", server.ask(&post).0);
    let stranger = format!("POST /good {rest}\r\n{sized}");
    written.add("a stranger's body", server.ask(&stranger).0);
    // What is no HTTP at all.
    let broken = format!("GET /good?{QUERY} HTTP/9\r\n{good}\r\n\r\n");
    written.add("no HTTP", server.ask(&broken).0);
}

#[test]
fn a_quickstart_shows_its_secrets_on_standard_output_and_in_its_file_alone() {
    let server = Quickstart::start(Home::new());
    let pointers = [
        "/basic/password",
        "/basic/api_key",
        "/api_key/key",
        "/journey_hub/secret",
        "/journyx/api_key",
        "/journyx/read_only_api_key",
        "/graph/shared_secret",
        "/hull/secret",
    ];
    let secrets = pointers.map(|pointer| server.text(pointer).to_owned());
    let secrets = secrets.each_ref().map(|secret| secret_part(secret));
    let mut written = Written::default();
    written.add("an answer", server.get(&server.api_key()).0);
    written.add("another answer", server.get(&server.basic()).0);
    written.add_files("while it runs", &server.home.data());
    let ended = server.stop();
    // Those that a shown call is made with.
    assert!(secrets[..3].iter().all(|secret| ended.stdout.contains(secret)));
    written.add("stderr", ended.stderr);
    written.add_files("after it ended", &ended.home.data());
    written.add_audit(&ended.home);
    let master = fs::read_to_string(ended.home.data().join("master.key")).unwrap();
    written.must_not_hold(&secrets);
    assert_eq!(written.holds(master.trim()), None);
}

#[test]
fn no_mistake_of_an_operator_is_answered_with_their_secret() {
    let url = |scheme: &str| format!("{scheme}://someone:{URL}@127.0.0.1:1/db");
    let variables = [
        ("PORTCULLIS_DATABASE_URL", url("mysql")),
        ("PORTCULLIS_DATABASE_URL", url("postgres")),
        ("PORTCULLIS_MASTER_KEY", MASTER.to_owned()),
        ("PORTCULLIS_MASTER_KEY", MASTER[1..].to_owned()),
        ("PORTCULLIS_LISTEN", url("http")),
    ];
    let file = format!(
        "[store]\nurl = \"{}\"\nmaster_key = \"{MASTER}\"\npassword = \"{PASSWORD}\"\n\
         [[guard]]\nname = \"one\"\nupstream = \"{}\"\n[guard.basic]\npassword = \"{PASSWORD}\"\n",
        url("mysql"),
        url("http"),
    );
    let upstream = url("http");
    let guard = ["guard", "create", "one", "--upstream", &upstream];
    let broken = format!("[store]\nurl = \"{}\"\nurl = \"{PASSWORD}\n", url("postgres"));
    let mut written = Written::default();
    for (name, value) in variables {
        let home = Home::with(&[(name, value)]);
        for content in [&file, &broken, ""] {
            let config = home.write("config.toml", content);
            written.add_output(name, home.run(&["check-config", &config]));
            written.add_output(name, home.run(&["--json", "check-config", &config]));
            written.add_output(name, home.run(&["--config", &config, "user", "list"]));
        }
        let output = home.run(&["serve"]);
        assert!(!output.status.success(), "{name}: {}", text(&output.stdout));
        written.add_output(name, output);
    }
    let output = Home::new().run(&guard);
    assert!(!output.status.success());
    written.add_output("guard create", output);
    written.must_not_hold(&[URL, PASSWORD, &MASTER[1..]]);
}
