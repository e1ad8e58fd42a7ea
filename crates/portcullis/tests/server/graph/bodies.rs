//! Tokens in bodies (RFC 6750, section 2.2): where they count, what is left of a body without one,
//! and two ways at once.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use super::calls::{FORM, JSON, bearer};
use super::{House, LISTENERS, PASSWORD, zoe};
use crate::common::{Answer, basic};
use crate::upstream::{read_head, upstream};

/// RFC 6750, section 3.1: how a request with two tokens is refused.
const INVALID_REQUEST: &str = r#"Bearer realm="portcullis", error="invalid_request""#;

/// The longest body that is looked into.
const LOOKED_INTO: usize = 256 * 1_024;

/// Where bodies are heard, with and without what was judged; and a guard that looks into none.
const HEARING: &str = r#"
[[listener]]
id = "hearing"
upstream = "http://HEARING/"

[[listener]]
id = "hearing-all"
upstream = "http://HEARING/"
pass_credential = true

[[listener]]
id = "without-token"
upstream = "http://HEARING/"
schemes = ["basic"]

[[guard]]
name = "guard"
path = "/guard"
upstream = "http://HEARING"
schemes = ["basic", "bearer"]
"#;

fn house() -> House {
    House::with(&HEARING.replace("HEARING", &hearing().to_string()))
}

/// An upstream that answers with the whole request, its body without chunks.
fn hearing() -> SocketAddr {
    upstream(|mut stream| {
        let head = read_head(&mut stream);
        let body = read_body(&mut stream, &head);
        let length = head.len() + body.len();
        let told = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}");
        // Who does not wait for an answer has gone.
        drop(stream.write_all(&[told.as_bytes(), b"\r\n\r\n", head.as_bytes(), &body].concat()));
    })
}

fn read_body(stream: &mut TcpStream, head: &str) -> Vec<u8> {
    if !head.contains("transfer-encoding: chunked\r\n") {
        return read_exactly(stream, length(head).unwrap_or(0));
    }
    let mut body = Vec::new();
    loop {
        let mut size = Vec::new();
        while !size.ends_with(b"\r\n") {
            size.extend(read_exactly(stream, 1));
        }
        let size = std::str::from_utf8(&size).unwrap().trim();
        let chunk = read_exactly(stream, usize::from_str_radix(size, 16).unwrap());
        read_exactly(stream, 2);
        if chunk.is_empty() {
            return body;
        }
        body.extend(chunk);
    }
}

fn read_exactly(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

fn length(head: &str) -> Option<usize> {
    let found = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    found.map(|length| length.parse().unwrap())
}

/// The head and the body that the upstream heard.
#[track_caller]
fn heard(answer: &Answer) -> (&str, &str) {
    assert_eq!(answer.status(), 200, "{}", &answer.0[..answer.0.len().min(600)]);
    answer.body().split_once("\r\n\r\n").unwrap()
}

fn post(house: &House, id: &str, headers: &str, body: &str) -> Answer {
    house.call(&format!("POST {LISTENERS}/{id}"), headers, body)
}

/// The same in chunks of 1 000 bytes.
fn post_in_chunks(house: &House, headers: &str, body: &str) -> Answer {
    let chunks = body.as_bytes().chunks(1_000);
    let chunks =
        chunks.map(|it| format!("{:x}\r\n{}\r\n", it.len(), std::str::from_utf8(it).unwrap()));
    house.server.ask(&format!(
        "POST {LISTENERS}/hearing HTTP/1.1\r\nHost: any\r\nConnection: close\r\n{headers}\
         Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunks.collect::<String>()
    ))
}

/// Bodies with a token in them, and what is left without it, to the byte.
const WITH_TOKEN: &[(&str, &str, &str)] = &[
    (FORM, "access_token=TOKEN", ""),
    (FORM, "access_token=TOKEN&a=1&b=%20+", "a=1&b=%20+"),
    (FORM, "a=1&access_token=TOKEN&a=2", "a=1&a=2"),
    (FORM, "a=%c3%a4&&b&access_token=TOKEN", "a=%c3%a4&&b"),
    (FORM, "access%5Ftoken=TOKEN&a=1", "a=1"),
    (FORM, "%61ccess_token=TOKEN&token=TOKEN&a=1", "token=TOKEN&a=1"),
    (
        "Content-Type: Application/X-WWW-Form-Urlencoded; charset=UTF-8\r\n",
        "access_token=TOKEN",
        "",
    ),
    (JSON, r#"{"access_token":"TOKEN"}"#, "{}"),
    (JSON, r#"{"token":"TOKEN"}"#, "{}"),
    (JSON, "\n{ \"token\" :\t\"TOKEN\" }\n", "{}"),
    (JSON, r#"{"message":"hi","token":"TOKEN"}"#, r#"{"message":"hi"}"#),
    (JSON, r#"{"t\u006fken":"TOKEN","a":"\u0061\/"}"#, r#"{"a":"\u0061\/"}"#),
    (
        JSON,
        r#"{"a":1.50,"b":1e400,"access_token":"TOKEN","c":[ 1,{"token" :"TOKEN"} ],"d":"ä"}"#,
        r#"{"a":1.50,"b":1e400,"c":[ 1,{"token" :"TOKEN"} ],"d":"ä"}"#,
    ),
    (JSON, r#"{"token":null,"access_token":"TOKEN"}"#, r#"{"token":null}"#),
    (JSON, r#"{"token":"other","access_token":"TOKEN"}"#, r#"{"token":"other"}"#),
    (
        "Content-Type: application/json; charset=utf-8\r\n",
        r#"{"token":"TOKEN","a":1}"#,
        r#"{"a":1}"#,
    ),
];

#[test]
fn a_token_in_a_body_passes_and_the_upstream_gets_all_but_that() {
    let house = house();
    let token = house.token();
    let fill = |text: &str| text.replace("TOKEN", &token);
    for (kind, body, left) in WITH_TOKEN {
        let (body, left) = (fill(body), fill(left));
        let plain = post(&house, "hearing", kind, &body);
        let chunked = post_in_chunks(&house, kind, &body);
        for (answer, how) in [(plain, "whole"), (chunked, "in chunks")] {
            let (head, rest) = heard(&answer);
            assert_eq!(rest, left, "{how}: {body}");
            assert_eq!(length(head), Some(left.len()), "{how}: {body}");
            assert!(!head.contains("transfer-encoding"), "{how}: {head}");
            assert!(head.contains("portcullis-user: zoe"), "{how}: {head}");
            assert!(head.contains("portcullis-scheme: bearer"), "{how}: {head}");
        }
        let all = post(&house, "hearing-all", kind, &body);
        let (head, rest) = heard(&all);
        assert_eq!((rest, length(head)), (&*body, Some(body.len())), "{body}");
    }
}

/// Bodies in which no token counts.
const WITHOUT_TOKEN: &[(&str, &str)] = &[
    (FORM, ""),
    (FORM, "token=TOKEN"),
    (FORM, "Access_Token=TOKEN"),
    (FORM, "x.access_token=TOKEN"),
    (FORM, "access_token"),
    (FORM, "access_token="),
    (FORM, "access_token=abc&access_token=abc"),
    (FORM, "a=%&access_token=%ff"),
    (FORM, r#"{"token":"TOKEN"}"#),
    (JSON, "access_token=TOKEN"),
    (JSON, r#"{"a":{"token":"TOKEN","access_token":"TOKEN"}}"#),
    (JSON, r#"["TOKEN"]"#),
    (JSON, r#"[{"token":"TOKEN"}]"#),
    (JSON, r#""TOKEN""#),
    (JSON, r#"{"Token":"TOKEN"}"#),
    (JSON, r#"{"token":["TOKEN"]}"#),
    (JSON, r#"{"token":"688EF4CB68-686DC-4483-dH68F2-680265DC45dH0E"}"#),
    (JSON, r#"{"token":1, "access_token" : null, "token": true}"#),
    (JSON, r#"{"token":"TOKEN""#),
    (JSON, r#"{"token":"TOKEN"} x"#),
    ("Content-Type: text/plain\r\n", "access_token=TOKEN"),
    ("Content-Type: application/json-seq\r\n", r#"{"token":"TOKEN"}"#),
    ("Content-Type: multipart/form-data; boundary=x\r\n", "access_token=TOKEN"),
    ("Content-Type: application/json\r\nContent-Encoding: gzip\r\n", r#"{"token":"TOKEN"}"#),
    ("", r#"{"token":"TOKEN"}"#),
];

#[test]
fn where_no_token_counts_a_body_proves_nothing_and_passes_as_it_is_with_a_credential() {
    let house = house();
    let token = house.token();
    let proofs = [bearer(&token), zoe()];
    for (kind, body) in WITHOUT_TOKEN {
        let body = body.replace("TOKEN", &token);
        let bare = post(&house, "hearing", kind, &body);
        assert_eq!(bare.status(), 401, "{kind}{body}");
        for proof in &proofs {
            let headers = format!("{kind}{proof}");
            let whole = post(&house, "hearing", &headers, &body);
            let (head, rest) = heard(&whole);
            assert_eq!((rest, length(head)), (&*body, Some(body.len())), "{kind}{body}");
            let chunked = post_in_chunks(&house, &headers, &body);
            assert_eq!(heard(&chunked).1, body, "{kind}{body}");
        }
    }
}

#[test]
fn two_ways_at_once_are_an_invalid_request() {
    let house = house();
    let (token, other) = (house.token(), house.token());
    let form = format!("access_token={token}");
    let json = format!(r#"{{"token":"{token}"}}"#);
    let disguised = json.replace("pcl_", r"\u0070cl_");
    let both = format!(r#"{{"token":"{token}","access_token":"{token}"}}"#);
    let again = format!(r#"{{"token":"{token}","token":"{other}"}}"#);
    let shared = "X-Auth-Token: abc123\r\n";
    let (own, others, wrong) = (bearer(&token), bearer(&other), basic("zoe", "wrong") + "\r\n");
    for (kind, proof, body) in [
        (FORM, "", &*format!("{form}&{form}")),
        (FORM, "", &format!("{form}&access_token={other}")),
        (FORM, "", &format!("{form}&access%5ftoken={token}")),
        (FORM, "", &form.replace("pcl_", "pcl%5F")),
        (JSON, "", &both),
        (JSON, "", &again),
        (JSON, "", &disguised),
        (FORM, &own, &form),
        (JSON, &own, &json),
        (JSON, &others, &json),
        (FORM, &zoe(), &form),
        (JSON, &zoe(), &json),
        (JSON, &wrong, &json),
        (FORM, shared, &form),
        (JSON, shared, &json),
        ("", &format!("{shared}{own}"), ""),
        ("", &format!("{shared}{}", zoe()), ""),
    ] {
        for form in ["hearing", "hearing/dc", "hearing-all"] {
            let answer = post(&house, form, &format!("{kind}{proof}"), body);
            assert_eq!(answer.status(), 400, "{form}: {proof}{body}: {}", answer.0);
            assert_eq!(answer.header("www-authenticate"), Some(INVALID_REQUEST), "{proof}{body}");
            assert!(!answer.0.contains("pcl_"), "{}", answer.0);
        }
    }
}

#[test]
fn a_token_in_the_query_never_counts() {
    let house = house();
    let token = house.token();
    let ask = |query: &str, headers: &str, body: &str| {
        house.call(&format!("POST {LISTENERS}/hearing?{query}"), headers, body)
    };
    let query = format!("access_token={token}");
    for query in [&*query, "access_token=x", &format!("a=1&{query}"), &format!("{query}&{query}")] {
        let alone = ask(query, "", "");
        assert_eq!(alone.status(), 401, "{query}");
        let challenges: Vec<_> = alone.headers().filter(|it| it.0 == "www-authenticate").collect();
        assert!(challenges.iter().any(|it| it.1.starts_with("Bearer ")), "{challenges:?}");
        for proof in [bearer(&token), zoe()] {
            assert_eq!(ask(query, &proof, "").status(), 400, "{query}: {proof}");
        }
        assert_eq!(ask(query, FORM, &format!("access_token={token}")).status(), 400, "{query}");
    }
    // Its name alone makes it one.
    for query in [&*format!("token={token}"), "my_access_token=x", "a=access_token"] {
        assert_eq!(ask(query, &bearer(&token), "").status(), 200, "{query}");
        assert_eq!(ask(query, "", "").status(), 401, "{query}");
    }
}

/// JSON of `length` bytes with `token` at its end.
fn padded(token: &str, length: usize) -> String {
    let (start, end) = (r#"{"a":""#, format!(r#"","token":"{token}"}}"#));
    format!("{start}{}{end}", "x".repeat(length - start.len() - end.len()))
}

#[test]
fn a_body_that_is_too_long_to_look_into_passes_as_it_is_with_a_credential_in_the_head() {
    let house = house();
    let token = house.token();
    let header = format!("{JSON}{}", bearer(&token));
    for (length, found) in [(LOOKED_INTO, true), (LOOKED_INTO + 1, false), (900_000, false)] {
        let body = padded(&token, length);
        for answer in [post(&house, "hearing", JSON, &body), post_in_chunks(&house, JSON, &body)] {
            let status = answer.status();
            assert_eq!(status, if found { 200 } else { 401 }, "{length}");
            if found {
                let (_, rest) = heard(&answer);
                assert!(rest.len() < length && !rest.contains(&token), "{length}");
            }
        }
        for answer in
            [post(&house, "hearing", &header, &body), post_in_chunks(&house, &header, &body)]
        {
            if found {
                assert_eq!(answer.status(), 400, "{length}");
            } else {
                assert_eq!(heard(&answer).1.len(), length);
                assert!(answer.0.ends_with(&body), "{length}");
            }
        }
    }
}

#[test]
fn a_body_of_bytes_that_are_no_text_passes_as_it_is() {
    let house = house();
    let body = [&b"access_token=%\0\xff&\x80"[..], &[0xc3, 0x28]].concat();
    for kind in [FORM, JSON] {
        let head = format!(
            "POST {LISTENERS}/hearing HTTP/1.1\r\nHost: any\r\nConnection: close\r\n{kind}{}\
             Content-Length: {}\r\n\r\n",
            zoe(),
            body.len()
        );
        let mut stream = house.server.connect();
        stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(&body), "{kind}");
    }
}

#[test]
fn only_where_a_token_in_a_body_counts_is_it_looked_for() {
    let house = house();
    let token = house.token();
    let body = format!("access_token={token}");
    for (path, headers, status) in [
        (format!("{LISTENERS}/without-token"), FORM.to_owned(), 401),
        (format!("{LISTENERS}/without-token"), format!("{FORM}{}", zoe()), 200),
        ("/guard/x".into(), FORM.to_owned(), 401),
        ("/guard/x".into(), format!("{FORM}{}", bearer(&token)), 200),
        ("/guard/x".into(), format!("{FORM}{}", zoe()), 200),
    ] {
        let answer = house.call(&format!("POST {path}"), &headers, &body);
        assert_eq!(answer.status(), status, "{path}: {headers}");
        assert!(status != 200 || heard(&answer).1 == body, "{path}: {}", answer.0);
    }
    // One limited to another listener counts in a body no more than in the head.
    let scoped = house.sign_in(&zoe(), "scope=echo");
    assert_eq!(post(&house, "hearing", FORM, &format!("access_token={scoped}")).status(), 401);
    let red =
        house.call_at("red.example", "POST /login", &format!("{}\r\n", basic("red", PASSWORD)), "");
    let red: serde_json::Value = serde_json::from_str(red.body()).unwrap();
    assert_eq!(post(&house, "hearing", JSON, &red.to_string()).status(), 400, "it is there twice");
    let red = format!("access_token={}", red["token"].as_str().unwrap());
    assert_eq!(post(&house, "hearing", FORM, &red).status(), 401);
}

#[test]
fn a_body_is_looked_into_on_the_form_that_the_upstream_writes_too() {
    let house = House::new();
    let body = format!("access_token={}", house.token());
    // This upstream reads no body, so that it is told of one that is empty.
    let answer = house.form(&format!("{LISTENERS}/telling/dc"), "", &body);
    assert_eq!(answer.status(), 200, "{}", answer.0);
    assert!(answer.body().contains("content-length: 0\r\n"), "{}", answer.0);
    let none = house.form(&format!("{LISTENERS}/telling/dc"), "", "a=1");
    assert_eq!((none.status(), none.body()), (401, "Unauthorised"));
}
