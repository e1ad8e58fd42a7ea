//! The exchange: what earns a token, once, and what a token is good for.

use serde_json::{Value, json};

use super::hub::{FORM, Hub, JSON, Secret, Told, hash};
use super::{House, check_one_winner, picture, race};
use crate::common::unknown_key;
use crate::upstream::answering;

/// Each caller says where it came from, so that the guesses of one do not slow down another.
const TRUST: &str = "[trust]\npeers = [\"127.0.0.1\"]\n";

/// Asks for a token from the `source`-th address.
fn ask(hub: &Hub, source: usize, content: &str, body: &[u8]) -> Told {
    let (high, low) = (source / 200, source % 200 + 1);
    let headers = format!("Content-Type: {content}\r\nX-Forwarded-For: 203.0.{high}.{low}\r\n");
    hub.send("POST", "/api/v1/token", &headers, body)
}

#[test]
fn a_bad_request_for_a_token_is_refused_and_spends_no_nonce() {
    let house = House::with(TRUST);
    let (hub, good) = (house.boss(), house.owner.credentials("unspent"));
    let before = picture(&hub);
    for (source, (what, content, body)) in bad_requests(&house.owner).iter().enumerate() {
        ask(&hub, source, content, body.as_bytes()).refused(400, what);
    }
    let not_utf8 = [b"{\"userId\":\"1\",\"nonce\":\"a\x80b\",\"hash\":\"".as_slice(), b"0", b"\"}"];
    ask(&hub, 900, JSON, &not_utf8.concat()).refused(400, "JSON that is no UTF-8");
    for content in ["text/plain", "application/octet-stream", "application/jsonx"] {
        ask(&hub, 901, content, good.to_string().as_bytes()).refused(415, content);
    }
    assert_eq!(picture(&hub), before);
    ask(&hub, 902, JSON, good.to_string().as_bytes()).ok();
}

/// What is wrong, how it is sent, and the body; all but that would be right.
fn bad_requests(owner: &Secret) -> Vec<(&'static str, &'static str, String)> {
    let good = owner.credentials("unspent");
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string()
    };
    let without = |name: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        body.to_string()
    };
    let user = &owner.user_id;
    let hash = good["hash"].as_str().unwrap();
    let twice = |name: &str, value: &str| {
        format!("{},\"{name}\":\"{value}\"}}", good.to_string().trim_end_matches('}'))
    };
    let mut cases = vec![
        ("an empty body", JSON, String::new()),
        ("an empty form", FORM, String::new()),
        ("half an object", JSON, good.to_string().trim_end_matches('}').to_owned()),
        ("an array", JSON, format!("[{good}]")),
        ("a text", JSON, "\"token\"".into()),
        ("no user", JSON, without("userId")),
        ("no nonce", JSON, without("nonce")),
        ("no hash", JSON, without("hash")),
        ("two users", JSON, with("id", json!("9000000"))),
        ("the user twice", JSON, twice("userId", user)),
        ("the nonce twice", JSON, twice("nonce", "unspent")),
        ("the hash twice", JSON, twice("hash", hash)),
        ("a nonce that is a number", JSON, with("nonce", json!(1))),
        ("a nonce that is null", JSON, with("nonce", json!(null))),
        ("an empty nonce", JSON, with("nonce", json!(""))),
        ("a nonce too long", JSON, with("nonce", json!("n".repeat(257)))),
        ("a nonce beyond ASCII", JSON, with("nonce", json!("nöncé"))),
        ("a nonce with a C1 control", JSON, with("nonce", json!("a\u{80}b"))),
        ("a nonce with a line end", JSON, with("nonce", json!("a\nb"))),
        ("a nonce with a zero", JSON, with("nonce", json!("a\0b"))),
        ("a nonce with a delete", JSON, with("nonce", json!("a\u{7f}b"))),
        ("a hash that is a number", JSON, with("hash", json!(1))),
        ("too deep", JSON, with("x", json!(null)).replace("null", &deep())),
        ("the user twice", FORM, format!("userId={user}&userId={user}&nonce=unspent&hash={hash}")),
        ("the nonce twice", FORM, format!("id={user}&nonce=unspent&nonce=unspent&hash={hash}")),
        ("two users", FORM, format!("id={user}&userId=9&nonce=unspent&hash={hash}")),
        ("no UTF-8", FORM, format!("id={user}&nonce=unspent&hash={hash}&x=%80")),
    ];
    for value in [json!(true), json!(null), json!([user]), json!({ "id": user }), json!(1.5)] {
        cases.push(("a user of another type", JSON, with("userId", value)));
    }
    cases
}

fn deep() -> String {
    format!("{}{}", "[".repeat(200), "]".repeat(200))
}

#[test]
fn whoever_cannot_prove_the_secret_is_refused_in_one_way_and_spends_no_nonce() {
    let house = House::new();
    let hub = house.boss();
    let home = &house.server.home;
    home.done(&["user", "create", "plain"]);
    let plain = home.json(&["user", "show", "plain"])["number"].to_string();
    let good = house.owner.credentials("unspent");
    let right = good["hash"].as_str().unwrap();
    let spoilt = |at: usize| {
        let other = if &right[at..=at] == "0" { "1" } else { "0" };
        format!("{}{other}{}", &right[..at], &right[at + 1..])
    };
    let mut messages = Vec::new();
    for (what, user, hash) in [
        ("a user nobody knows", "9000000", right.to_owned()),
        ("a user without a secret", &plain, right.to_owned()),
        ("a user without a password", "1", right.to_owned()),
        ("the user who is nobody", "2", right.to_owned()),
        ("a user whose number is beyond all", "99999999999999999999", right.to_owned()),
        ("the first letter wrong", &house.owner.user_id, spoilt(0)),
        ("the last letter wrong", &house.owner.user_id, spoilt(63)),
        ("the hash of another nonce", &house.owner.user_id, hash(&house.owner.secret, "other")),
        ("the hash of the nonce first", &house.owner.user_id, hash("unspent", &house.owner.secret)),
        ("the hash of an empty secret", &house.owner.user_id, hash("", "unspent")),
    ] {
        let body = json!({ "userId": user, "nonce": "unspent", "hash": hash });
        messages.push(hub.ask_token(&body).refused(401, what));
    }
    // It is still to be had, once.
    hub.ask_token(&good).ok();
    messages.push(hub.ask_token(&good).refused(401, "a nonce that was spent"));
    let form = format!("id={}&nonce=unspent&hash={right}", house.owner.user_id);
    let again = hub.with("").form("POST", "/token", &form);
    messages.push(again.refused(401, "spent, now in a form"));
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
}

#[test]
fn a_nonce_is_spent_for_each_secret_apart_and_for_good() {
    let house = House::with(TRUST);
    let hub = house.boss();
    let home = &house.server.home;
    let second = Secret::of_an_owner(home, "second", "1");
    for secret in [&house.owner, &second] {
        hub.ask_token(&secret.credentials("the same")).ok();
        hub.ask_token(&secret.credentials("the same")).refused(401, "spent");
    }
    // They are compared letter by letter.
    for nonce in ["The same", "the same ", " the same", "the  same"] {
        hub.ask_token(&second.credentials(nonce)).ok();
    }
    for nonce in ["n", &"n".repeat(256), "~!@#$%^&*()_+`-={}|[]\\:\";'<>?,./"] {
        hub.ask_token(&second.credentials(nonce)).ok();
    }
    let renewed = Secret::make(home, "second", "1");
    hub.ask_token(&second.credentials("fresh")).refused(401, "an old secret");
    hub.ask_token(&renewed.credentials("the same")).ok();
    hub.ask_token(&renewed.credentials("the same")).refused(401, "spent again");
    assert_ne!(renewed.secret, second.secret);
    assert_eq!(renewed.user_id, second.user_id);
}

#[test]
fn of_sixty_four_callers_with_one_nonce_at_once_exactly_one_gets_a_token() {
    let house = House::new();
    check_one_winner(&race(&[house.boss()], &house.owner, 64));
}

#[test]
fn a_forgery_by_length_extension_is_refused() {
    let house = House::with(TRUST);
    let (hub, user) = (house.boss(), &house.owner.user_id);
    // As the specification has it, for its own secret and its own captured pair.
    let nonce =
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8%80%00%00%00%00%00%00%00%00%00%00%00%00%00%01%80x";
    let forged = "0322242ef9a320c658733ab44aa5eb2dbd148397f2ee523ccb10fe8c7a37594a";
    let body = format!("userId={user}&nonce={nonce}&hash={forged}");
    ask(&hub, 0, FORM, body.as_bytes()).refused(400, "the specification's");

    // And one that would be right for this very secret, if bytes were hashed as they come.
    let padding = padding(house.owner.secret.len() + "captured".len());
    let raw = [house.owner.secret.as_bytes(), b"captured", &padding, b"x"].concat();
    let forged = super::hub::hash_of(&raw);
    let escaped: String = padding.iter().map(|byte| format!("%{byte:02x}")).collect();
    let body = format!("userId={user}&nonce=captured{escaped}x&hash={forged}");
    ask(&hub, 1, FORM, body.as_bytes()).refused(400, "escaped in a form");
    let start = format!("userId={user}&hash={forged}&nonce=captured");
    let body = [start.as_bytes(), &padding, b"x"].concat();
    ask(&hub, 2, FORM, &body).refused(400, "raw in a form");
    let start = format!("{{\"userId\":\"{user}\",\"hash\":\"{forged}\",\"nonce\":\"captured");
    let body = [start.as_bytes(), &padding, b"x\"}"].concat();
    ask(&hub, 3, JSON, &body).refused(400, "raw in JSON");
    // Latin-1, for a reader that takes each letter for its byte.
    let latin: String = padding.iter().map(|byte| char::from(*byte)).collect();
    let body = json!({ "userId": user, "nonce": format!("captured{latin}x"), "hash": forged });
    ask(&hub, 4, JSON, body.to_string().as_bytes()).refused(400, "Latin-1 in JSON");
    let latin = format!("{FORM}; charset=iso-8859-1");
    let body = format!("userId={user}&nonce=captured{escaped}x&hash={forged}");
    let status = ask(&hub, 5, &latin, body.as_bytes()).answer.status();
    assert!([400, 415].contains(&status), "{status}");
}

/// What SHA-256 puts behind a message of `length` bytes (FIPS 180-4, section 5.1.1).
fn padding(length: usize) -> Vec<u8> {
    let zeros = (64 + 55 - length % 64) % 64;
    let bits = u64::try_from(length * 8).unwrap();
    [&[0x80][..], &vec![0; zeros], &bits.to_be_bytes()].concat()
}

#[test]
fn a_call_without_a_good_token_is_refused_in_one_way() {
    let house = House::new();
    for (hub, _, own) in house.everywhere() {
        let token = hub.token.clone();
        let (start, end) = token.split_at(token.len() - 1);
        let spoilt = format!("{start}{}", if end == "0" { "1" } else { "0" });
        let headers = [
            String::new(),
            "Authorization: \r\n".into(),
            "Authorization: null\r\n".into(),
            "Authorization: Bearer\r\n".into(),
            "Authorization: Bearer null\r\n".into(),
            "Authorization: pcl_hub_\r\n".into(),
            format!("Authorization: {spoilt}\r\n"),
            format!("Authorization: {start}\r\n"),
            format!("Authorization: {}\r\n", token.to_uppercase()),
            format!("Authorization: Token {token}\r\n"),
            format!("Authorization: Basic {token}\r\n"),
            format!("X-Api-Key: {token}\r\n"),
            format!("Cookie: token={token}\r\n"),
            format!("{}\r\n", unknown_key()),
            unknown_key().replace("X-Api-Key: ", "Authorization: ") + "\r\n",
        ];
        let mut messages = Vec::new();
        for header in headers {
            for (method, path) in
                [("GET", "/api/v1/org"), ("DELETE", &format!("/api/v1/org/{own}"))]
            {
                messages.push(hub.send(method, path, &header, b"").refused(401, &header));
            }
        }
        let mut body = format!("Content-Type: {JSON}\r\n");
        for _ in 0..2 {
            // Whether the body is good is not for strangers to learn.
            for bad in ["{", "{\"name\":\"N\"}"] {
                let told = hub.send("POST", "/api/v1/org", &body, bad.as_bytes());
                messages.push(told.refused(401, "a stranger's body"));
            }
            body = String::new();
        }
        messages.push(hub.send("GET", "/api/v1/org/9000000", "", b"").refused(401, "unknown"));
        messages.push(hub.send("GET", "/api/v1/org?limit=0", "", b"").refused(401, "a query"));
        let query = hub.send("GET", &format!("/api/v1/org?token={token}"), "", b"");
        assert_ne!(query.answer.status(), 200);
        messages.dedup();
        assert_eq!(messages.len(), 1, "{messages:?}");
    }
}

#[test]
fn an_api_key_of_the_same_owner_is_no_token() {
    let house = House::new();
    let key = house.server.home.json(&["key", "create", "boss"]);
    let key = key["key"].as_str().unwrap();
    for key in [key.to_owned(), format!("Bearer {key}")] {
        house.boss().with(&key).get("/org").refused(401, "an API key");
    }
    let key = format!("X-Api-Key: {key}\r\n");
    house.boss().send("GET", "/api/v1/org", &key, b"").refused(401, "an API key in its header");
}

#[test]
fn guessing_is_slowed_down_and_told_how_long_to_wait() {
    let house = House::new();
    let hub = house.boss();
    let mut slowed = 0;
    for guess in 0..30 {
        let hash = hash("a guess", &guess.to_string());
        let user = &house.red_owner.user_id;
        let body = json!({ "userId": user, "nonce": guess.to_string(), "hash": hash });
        let told = hub.ask_token(&body);
        let status = told.answer.status();
        assert!([401, 429].contains(&status), "{status}");
        told.refused(status, "a guess");
        slowed += usize::from(status == 429);
    }
    assert!(slowed > 0, "thirty guesses and no wait");
    // Who has a token already is not slowed down.
    hub.get("/org").list("organizations");
}

#[test]
fn a_guard_accepts_a_token_of_the_dialect_and_nothing_that_resembles_one() {
    let house = House::new();
    let home = &house.server.home;
    let address = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").to_string();
    let upstream = format!("http://{address}");
    let guard = |name: &str, more: &[&str]| {
        let path = format!("/{name}");
        let words = ["guard", "create", name, "--path", &path, "--upstream", &upstream];
        home.done(&[&words[..], more].concat());
    };
    guard("ours", &["--scheme", "hub_token"]);
    guard("other", &["--scheme", "api_key"]);
    guard("red", &["--scheme", "hub_token", "--organization", &house.red]);
    let token = house.boss().token;
    let get = |path: &str, credential: &str| {
        house.server.send(&format!("GET {path} HTTP/1.1\r\nX: y{credential}")).status()
    };
    for credential in [&token, &format!("Bearer {token}")] {
        let header = format!("\r\nAuthorization: {credential}");
        assert_eq!(get("/ours/x", &header), 200, "{credential}");
        assert_eq!(get("/other/x", &header), 401, "{credential}");
        assert_ne!(get("/red/x", &header), 200, "another realm's");
    }
    let red = format!("\r\nAuthorization: {}", house.red_boss().token);
    assert_eq!(get("/red/x", &red), 200);
    for credential in ["", "\r\nAuthorization: null", "\r\nAuthorization: pcl_hub_x"] {
        assert_eq!(get("/ours/x", credential), 401, "{credential}");
    }
}

#[test]
fn what_ends_a_token_ends_it_at_a_guard_too() {
    let house = House::new();
    let home = &house.server.home;
    let upstream = format!("http://{}", answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let words = ["guard", "create", "ours", "--path", "/ours", "--upstream", &upstream];
    home.done(&[&words[..], &["--scheme", "hub_token"]].concat());
    let mut left = Vec::new();
    for (why, words) in [
        ("a new secret", &["user", "secret", "LOGIN"][..]),
        ("the user is off", &["user", "disable", "LOGIN"]),
        ("the user is gone", &["user", "delete", "LOGIN"]),
        ("the role is gone", &["role", "withdraw", "Owner", "LOGIN"]),
    ] {
        let login = why.replace(' ', "-");
        let token = house.boss_by(&Secret::of_an_owner(home, &login, "1")).token;
        let get = || {
            let head = format!("GET /ours HTTP/1.1\r\nAuthorization: {token}");
            house.server.send(&head).status()
        };
        assert_eq!(get(), 200, "{why}");
        let words: Vec<&str> =
            words.iter().map(|word| if *word == "LOGIN" { &login } else { *word }).collect();
        home.done(&words);
        left.extend((get() != 401).then_some(why));
    }
    assert!(left.is_empty(), "still accepted: {left:?}");
}

#[test]
fn the_guards_upstream_is_told_who_calls_and_not_the_token() {
    let house = House::new();
    let (tell, heard) = std::sync::mpsc::channel();
    let address = crate::upstream::upstream(move |mut stream| {
        tell.send(crate::upstream::read_head(&mut stream)).unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        std::io::Write::write_all(&mut stream, answer).unwrap();
    });
    let upstream = format!("http://{address}");
    let words = ["guard", "create", "told", "--path", "/told", "--upstream", &upstream];
    house.server.home.done(&[&words[..], &["--scheme", "hub_token"]].concat());
    let token = house.boss().token;
    let answer = house.server.send(&format!("GET /told HTTP/1.1\r\nAuthorization: {token}"));
    assert_eq!(answer.status(), 200);
    let heard = heard.recv().unwrap().to_lowercase();
    assert!(heard.contains("\r\nportcullis-user: boss\r\n"), "{heard}");
    assert!(heard.contains("\r\nportcullis-scheme: hub_token\r\n"), "{heard}");
    assert!(!heard.contains("pcl_hub_"), "{heard}");
}
