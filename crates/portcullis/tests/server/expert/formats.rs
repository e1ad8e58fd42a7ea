//! The formats of documents and errors.

use super::{House, json};

#[test]
fn every_document_and_error_comes_in_the_format_that_is_asked_for() {
    let house = House::new();
    for (path, user, status) in [
        ("pages/home/info", "=admin", 200),
        ("users/current", "=admin", 200),
        ("users", "=admin", 200),
        ("site/developer-tokens", "=admin", 200),
        ("users/7777", "=admin", 404),
        ("users/x", "=admin", 400),
        ("nothing", "=admin", 404),
        ("users", "=nobody", 403),
    ] {
        for (format, kind, start) in [
            ("", "application/xml; charset=utf-8", "<?xml version=\"1.0\" encoding=\"utf-8\"?><"),
            ("xml", "application/xml; charset=utf-8", "<?xml"),
            ("json", "application/json; charset=utf-8", "{\""),
            ("JSON", "application/json; charset=utf-8", "{\""),
            ("php", "application/php; charset=utf-8", "a:1:{s:"),
        ] {
            let answer = house.signed("GET", &format!("{path}?dream.out.format={format}"), user);
            assert_eq!(answer.status(), status, "{path} {format}: {}", answer.0);
            assert_eq!(answer.header("content-type"), Some(kind), "{path} {format}");
            assert!(answer.body().starts_with(start), "{}", answer.0);
        }
    }
    for format in ["jsonp", "xhtml", "xspan", "versit", "html", "json%00", "%3Cscript%3E"] {
        let answer =
            house.signed("GET", &format!("users/current?dream.out.format={format}"), "=admin");
        assert_eq!(answer.status(), 400, "{format}");
        assert!(answer.body().contains(" output format not supported</message>"), "{}", answer.0);
        assert!(!answer.body().contains("<script"));
    }
}

#[test]
fn the_home_page_is_as_the_samples_read_it() {
    let house = House::new();
    let told = json(&house.signed("GET", "pages/home/info?dream.out.format=json", "=admin"));
    assert_eq!(told["@id"], "1");
    assert_eq!(told["title"], "Home");
    assert_eq!(told["uri.ui"], "https://help.example.com/");
    assert_eq!(told["path"]["@type"], "fixed");
    let xml = house.call("GET", "pages/home/info", &[]);
    assert!(xml.body().contains("<title>Home</title>"), "{}", xml.0);
}

#[test]
fn an_error_repeats_no_query() {
    let house = House::new();
    let signed = house.key.sign("=admin");
    let path = format!("nothing?x-deki-token={signed}&a=%3Cb%3E");
    let answer = house.call("GET", &path, &[]);
    assert_eq!(answer.status(), 404);
    assert!(answer.body().contains("/@api/deki/nothing</uri>"), "{}", answer.0);
    assert!(!answer.0.contains(&signed));
}

#[test]
fn what_people_are_called_is_escaped() {
    let house = House::new();
    let name = "<b>&\"' \u{e9}\u{1f600} ]]>";
    house.home().done(&["user", "create", "odd", "--name", name]);
    let xml = house.signed("GET", "users/=odd", "=admin");
    assert!(xml.body().contains("<fullname>&lt;b&gt;&amp;"), "{}", xml.0);
    let told = json(&house.signed("GET", "users/=odd?dream.out.format=json", "=admin"));
    assert_eq!(told["fullname"], name);
    let php = house.signed("GET", "users/=odd?dream.out.format=php", "=admin");
    assert!(php.body().contains(&format!("s:{}:\"{name}\";", name.len())), "{}", php.0);
}
