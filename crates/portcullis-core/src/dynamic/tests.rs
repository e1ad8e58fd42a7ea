//! Answers as upstreams write them, and what becomes of them.

use serde_json::json;

use super::*;

/// Status, headers and body of what `written` describes.
type Told = (u16, Vec<(String, String)>, String);

fn told(written: &str) -> Result<Told, BadAnswer> {
    let answer = Answer::parse(written.as_bytes())?;
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let mut headers: Vec<_> = answer.headers.iter().map(header).collect();
    headers.sort();
    Ok((answer.status.as_u16(), headers, answer.body))
}

#[track_caller]
fn answers(written: &str, status: u16, headers: &[(&str, &str)], body: &str) {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    assert_eq!(told(written), Ok((status, headers, body.into())), "{written}");
}

const TYPE: &str = "content-type";
const TEXT: (&str, &str) = (TYPE, "text/html; charset=utf-8");
const DATA: (&str, &str) = (TYPE, "application/json");

#[test]
fn what_is_written_down_becomes_an_answer() {
    answers("{}", 200, &[TEXT], "");
    answers(r#"{"meta":{"code":404}}"#, 200, &[TEXT], "");
    answers(
        r#"{"statusCode":null,"headers":null,"body":null,"redirectURL":null}"#,
        200,
        &[TEXT],
        "",
    );
    answers(
        r#"{"body":"Unauthorised","statusCode":401,"headers":{"Access-Control-Allow-Origin":"*"}}"#,
        401,
        &[("access-control-allow-origin", "*"), TEXT],
        "Unauthorised",
    );
    answers(r#"{"body":"<p>Zo\u00eb"}"#, 200, &[TEXT], "<p>Zoë");
    answers(r#"{"body":{"a":[1,true,null]}}"#, 200, &[DATA], r#"{"a":[1,true,null]}"#);
    answers(r#"{"body":[]}"#, 200, &[DATA], "[]");
    answers(r#"{"body":0}"#, 200, &[DATA], "0");
    answers(r#"{"body":false}"#, 200, &[DATA], "false");
    answers(r#"{"body":""}"#, 200, &[TEXT], "");
    answers(
        r#"{"body":{},"headers":{"content-TYPE":"text/plain","X-N":7,"X-F":true,"X-0":null}}"#,
        200,
        &[(TYPE, "text/plain"), ("x-f", "true"), ("x-n", "7")],
        "{}",
    );
    answers(r#"{"statusCode":599,"body":"x"}"#, 599, &[TEXT], "x");
}

#[test]
fn a_status_without_a_body_has_none() {
    for status in [204, 205, 304] {
        answers(&format!(r#"{{"statusCode":{status},"body":"x"}}"#), status, &[], "");
    }
}

#[test]
fn a_redirect_redirects_whatever_the_status_says() {
    for (status, expected) in [
        ("null", 302),
        ("200", 302),
        ("404", 302),
        ("304", 302),
        ("301", 301),
        ("303", 303),
        ("307", 307),
        ("308", 308),
    ] {
        let written = format!(r#"{{"statusCode":{status},"redirectURL":"/a?b#c","body":"x"}}"#);
        answers(&written, expected, &[TEXT, ("location", "/a?b#c")], "x");
    }
    answers(r#"{"statusCode":302}"#, 302, &[TEXT], "");
}

#[test]
fn only_redirect_url_redirects_and_the_body_is_framed_here() {
    let headers = json!({
        "Location": "https://evil.example", "Refresh": "0; url=https://evil.example",
        "Content-Length": "7", "Transfer-Encoding": "chunked", "Content-Encoding": "gzip",
        "Content-Range": "bytes 0-1/2", "X-Kept": "1",
    });
    let written = json!({ "headers": headers, "body": "x" }).to_string();
    answers(&written, 200, &[TEXT, ("x-kept", "1")], "x");
    let written = json!({ "headers": headers, "redirectURL": "/here" }).to_string();
    answers(&written, 302, &[TEXT, ("location", "/here"), ("x-kept", "1")], "");
}

#[test]
fn a_redirect_leads_to_the_web_or_to_a_path() {
    for (url, good) in [
        ("/", true),
        ("/a/b?c=d&e#f", true),
        ("https://a.example", true),
        ("HTTPS://a.example:8443/x?y#z", true),
        ("http://[2001:db8::1]/", true),
        ("//evil.example", false),
        ("/\\evil.example", false),
        ("\\\\evil.example", false),
        ("https:\\\\evil.example", false),
        ("", false),
        ("a", false),
        ("../a", false),
        ("?a", false),
        ("javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("ftp://a.example/", false),
        ("https:a.example", false),
        ("https:/a.example", false),
        ("https://", false),
        ("https://:80/", false),
        ("https://good.example@evil.example/", false),
        ("https://user:password@a.example/", false),
        ("/a b", false),
        (" /a", false),
        ("/a\r\nSet-Cookie: b=1", false),
        ("/\t/evil.example", false),
        ("/caf\u{e9}", false),
    ] {
        let written = json!({ "redirectURL": url }).to_string();
        let expected = if good { None } else { Some(BadAnswer::Redirect) };
        assert_eq!(told(&written).err(), expected, "{url:?}");
    }
    for (length, good) in [(MAX_REDIRECT, true), (MAX_REDIRECT + 1, false)] {
        let url = format!("/{}", "a".repeat(length - 1));
        assert_eq!(told(&json!({ "redirectURL": url }).to_string()).is_ok(), good, "{length}");
    }
    for other in [json!(1), json!(true), json!(["/"]), json!({ "url": "/" })] {
        let written = json!({ "redirectURL": other }).to_string();
        assert_eq!(told(&written).err(), Some(BadAnswer::Redirect), "{written}");
    }
}

#[test]
fn what_is_no_answer_is_refused_by_the_part_that_is_wrong() {
    let many: Map<String, Value> = (0..101).map(|n| (format!("x-{n}"), json!(""))).collect();
    let long = json!({ "headers": { "x": "a".repeat(MAX_HEADERS) } }).to_string();
    for (written, expected) in [
        ("[]", BadAnswer::NotObject),
        ("\"x\"", BadAnswer::NotObject),
        ("null", BadAnswer::NotObject),
        (r#"{"statusCode":100}"#, BadAnswer::Status),
        (r#"{"statusCode":199}"#, BadAnswer::Status),
        (r#"{"statusCode":600}"#, BadAnswer::Status),
        (r#"{"statusCode":65736}"#, BadAnswer::Status),
        (r#"{"statusCode":-200}"#, BadAnswer::Status),
        (r#"{"statusCode":200.0}"#, BadAnswer::Status),
        (r#"{"statusCode":"200"}"#, BadAnswer::Status),
        (r#"{"statusCode":true}"#, BadAnswer::Status),
        (r#"{"headers":[]}"#, BadAnswer::Headers),
        (r#"{"headers":"a: b"}"#, BadAnswer::Headers),
        (r#"{"headers":{"":"x"}}"#, BadAnswer::Headers),
        (r#"{"headers":{"a b":"x"}}"#, BadAnswer::Headers),
        (r#"{"headers":{"a:":"x"}}"#, BadAnswer::Headers),
        (r#"{"headers":{"a":"x\r\nb: y"}}"#, BadAnswer::Headers),
        (r#"{"headers":{"a":"x\u0000"}}"#, BadAnswer::Headers),
        (r#"{"headers":{"a":"\u00e9"}}"#, BadAnswer::Headers),
        (r#"{"headers":{"a":["x"]}}"#, BadAnswer::Headers),
        (r#"{"headers":{"a":{"b":"x"}}}"#, BadAnswer::Headers),
        (r#"{"headers":{"content-length":"\n"}}"#, BadAnswer::Headers),
        (r#"{"headers":{"A":"x","a":"y"}}"#, BadAnswer::RepeatedHeader),
        (&json!({ "headers": many }).to_string(), BadAnswer::TooManyHeaders),
        (&long, BadAnswer::TooManyHeaders),
        (&format!("{{\"body\":\"{}\"}}", "a".repeat(MAX_ANSWER)), BadAnswer::TooLong),
    ] {
        let shown: String = written.chars().take(60).collect();
        assert_eq!(told(written).err(), Some(expected), "{shown}");
    }
    for written in ["", "x", "{} x", "{'a':1}", r#"{"statusCode":200,"statusCode":200}"#] {
        assert!(matches!(told(written), Err(BadAnswer::NotJson(_))), "{written}");
    }
    let twice = r#"{"body":{"a":1,"a":2}}"#;
    assert!(matches!(told(twice), Err(BadAnswer::NotJson(_))), "inside the body too");
    assert_eq!(Answer::parse(b"{\"body\":\"\xff\"}"), Err(BadAnswer::NotUtf8));
}

#[test]
fn neither_debug_nor_an_error_repeats_what_was_written() {
    let answer = Answer::parse(br#"{"body":"canary","headers":{"x":"canary"}}"#).unwrap();
    assert!(!format!("{answer:?}").contains("canary"));
    for written in
        [r#"{"statusCode":"canary"}"#, r#"{"redirectURL":"canary"}"#, r#"{"canary":1,"canary":1}"#]
    {
        let error = told(written).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}
