//! The cookie as clients send it: alone, among others, twice, quoted, too long and broken.

use serde_json::json;

use super::client::Client;
use super::{House, PASSWORD};
use crate::common::basic;

fn cookie(house: &House, cookie: &str) -> Client {
    house.nobody().with(&format!("Cookie: {cookie}"))
}

#[test]
fn a_session_is_found_among_other_cookies() {
    let house = House::new();
    house.user("zoe", &[]);
    let caller = house.sign_in("zoe");
    let token = caller.token();
    for sent in [
        format!("wtsession={token}"),
        format!("a=1; wtsession={token}; b=2"),
        format!("wtsession2=x; xwtsession=y; wtsession={token}"),
        format!("a=\"1\"; wtsession={token}"),
        format!("empty=; wtsession={token}"),
        format!("wtsession=\"{token}\""),
    ] {
        let page = cookie(&house, &sent).get("/users").page();
        assert_eq!(page[0]["username"], json!("zoe"), "{sent}");
    }
}

#[test]
fn a_cookie_that_is_no_session_is_refused() {
    let house = House::new();
    house.user("zoe", &["API Key Sign In"]);
    let caller = house.sign_in("zoe");
    let (token, key) = (caller.token(), house.key("zoe", &[]));
    let flipped = |at: usize| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let drawn = portcullis_core::token::TokenKind::new("ses").draw().unwrap();
    for sent in [
        String::new(),
        "wtsession".to_owned(),
        "wtsession=".to_owned(),
        "wtsession=\"\"".to_owned(),
        "wtsession=x".to_owned(),
        format!("={token}"),
        token.to_owned(),
        format!("WTSESSION={token}"),
        format!("session={token}"),
        format!("wtsession={token}x"),
        format!("wtsession=x{token}"),
        format!("wtsession={}", &token[..token.len() - 1]),
        format!("wtsession=\"{token}"),
        format!("wtsession={token}\""),
        format!("wtsession='{token}'"),
        format!("wtsession={}", token.to_uppercase()),
        format!("wtsession={}", token.replace("pcl_ses", "pcl_hub")),
        format!("wtsession={}", flipped(token.len() - 12)),
        format!("wtsession={}", flipped(10)),
        format!("wtsession={}", drawn.expose_text()),
        format!("wtsession={key}"),
        format!("wtsession={PASSWORD}"),
        format!("wtsession={}", "x".repeat(4_000)),
        format!("wtsession={token}{}", "0".repeat(4_000)),
        format!("wtsession={token}, wtsession={token}"),
    ] {
        cookie(&house, &sent).get("/users").forbidden(&sent);
        cookie(&house, &sent).log_out().forbidden(&sent);
    }
    caller.get("/users").page();
}

#[test]
fn a_session_sent_twice_is_refused_whichever_comes_first() {
    let house = House::new();
    house.user("zoe", &[]);
    let (one, two) = (house.sign_in("zoe"), house.sign_in("zoe"));
    let (one, two) = (one.token(), two.token());
    for sent in [
        format!("wtsession={one}; wtsession={one}"),
        format!("wtsession={one}; wtsession={two}"),
        format!("wtsession={one}; wtsession=x"),
        format!("wtsession=x; wtsession={one}"),
        format!("wtsession=; wtsession={one}"),
    ] {
        cookie(&house, &sent).get("/users").forbidden(&sent);
    }
    // RFC 6265, section 5.4: there is one line of cookies.
    for sent in [
        format!("wtsession={one}\r\nCookie: wtsession={one}"),
        format!("wtsession={one}\r\nCookie: wtsession={two}"),
        format!("wtsession={one}\r\nCookie: a=1; wtsession=x"),
        format!("wtsession={one}\r\nCookie: a=1"),
    ] {
        cookie(&house, &sent).get("/users").malformed(&sent);
    }
}

#[test]
fn a_cookie_of_any_size_is_survived() {
    let house = House::new();
    house.user("zoe", &[]);
    let caller = house.sign_in("zoe");
    for size in [8_000, 20_000, 70_000, 200_000] {
        let told = cookie(&house, &format!("wtsession={}", "x".repeat(size))).get("/users");
        assert!([400, 403, 431].contains(&told.status()), "{size}: {}", told.answer.0);
    }
    caller.get("/users").page();
}

#[test]
fn a_token_counts_only_in_the_cookie() {
    let house = House::new();
    house.user("zoe", &[]);
    let caller = house.sign_in("zoe");
    let token = caller.token();
    for proof in [
        format!("X-Session-Id: {token}"),
        format!("Authorization: Bearer {token}"),
        format!("Authorization: {token}"),
        format!("X-Api-Key: {token}"),
        basic("zoe", token),
        format!("Cookie2: wtsession={token}"),
    ] {
        house.nobody().with(&proof).get("/users").forbidden(&proof);
    }
    house.nobody().get(&format!("/users?wtsession={token}")).forbidden("in the query");
    house.nobody().log_in("zoe", token).forbidden("as a password");
}

#[test]
fn basic_wins_over_a_cookie_that_is_sent_beside_it() {
    let house = House::new();
    house.user("zoe", &["API Key Sign In"]);
    house.user("ann", &[]);
    let (zoe, ann) = (house.sign_in("zoe"), house.sign_in("ann"));
    let key = house.key("zoe", &[]);
    let both =
        |basic: &str, cookie: &Client| house.nobody().with(&format!("{basic}\r\n{}", cookie.proof));
    let who = |caller: Client| {
        let page = caller.get("/api_keys").list();
        page.first().map(|key| key["id_user_fullname"].clone())
    };
    assert_eq!(who(both(&basic("zoe", PASSWORD), &ann)), Some(json!("zoe")));
    assert_eq!(who(both(&basic("zoe", &key), &ann)), Some(json!("zoe")));
    assert_eq!(who(both(&basic("ann", PASSWORD), &zoe)), None);
    let forged = house.nobody().with_session("pcl_ses_x");
    assert_eq!(who(both(&basic("zoe", PASSWORD), &forged)), Some(json!("zoe")));
    for wrong in
        [basic("zoe", "wrong password"), basic("ann", &key), "Authorization: Basic x".into()]
    {
        both(&wrong, &zoe).get("/users").forbidden(&wrong);
    }
    both(&basic("zoe", PASSWORD), &zoe).log_out().forbidden("Basic has no session");
    zoe.get("/users").page();
}

#[test]
fn basic_without_credentials_is_not_saved_by_a_cookie() {
    let house = House::new();
    house.user("zoe", &[]);
    let session = house.sign_in("zoe");
    for bare in ["Authorization: Basic", "Authorization: Basic "] {
        let told = house.nobody().with(&format!("{bare}\r\n{}", session.proof)).get("/users");
        told.forbidden("Basic wins, and proves nothing");
    }
}
