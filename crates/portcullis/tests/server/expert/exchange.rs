//! The exchange: a proof for a session, and a user for a name that nobody has.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::thread;

use super::{House, MOUNT, PASSWORD, SITE, cookie, json, now, refused, token};
use crate::common::{Answer, basic, connect};

#[test]
fn a_signature_is_traded_for_a_session_with_both_cookies() {
    let house = House::new();
    for method in ["GET", "POST"] {
        let answer = house.signed(method, "users/authenticate", "=admin");
        assert_eq!(answer.status(), 200, "{}", answer.0);
        let session = answer.body();
        assert!(session.starts_with("pcl_auth_") && !session.contains(['"', ' ', '\n']));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("x-deki-site"), Some("id=\"site_1\""));
        let visit = answer.header("x-deki-session").unwrap();
        let cookies: Vec<_> =
            answer.headers().filter(|(name, _)| name == "set-cookie").map(|it| it.1).collect();
        let attributes = "Path=/; Max-Age=561600; HttpOnly; Secure; SameSite=Lax";
        assert_eq!(cookies[0], format!("authtoken=\"{session}\"; {attributes}"));
        let attributes = attributes.replace("561600", "15552000");
        assert_eq!(cookies[1], format!("dekisession=\"{visit}\"; {attributes}"));
        assert_eq!(cookies.len(), 2);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert_eq!(house.who(&[&cookie(session)]), "admin");
    }
}

#[test]
fn a_browser_is_sent_to_the_very_page_that_was_named() {
    let house = House::new();
    for target in ["/", "", "/Docs?a=b&c=d%20e#f", "/%C3%A9?x=https://else.example/"] {
        let target = format!("{SITE}{target}");
        let escaped = target.replace('%', "%25").replace('&', "%26").replace('#', "%23");
        let link = format!(
            "users/authenticate?x-deki-token={}&redirect={escaped}",
            house.key.sign("=jane_doe")
        );
        let answer = house.call("GET", &link, &[]);
        assert_eq!(answer.status(), 302, "{}", answer.0);
        assert!(answer.0.starts_with("HTTP/1.1 302 Found\r\n"));
        assert_eq!(answer.header("location"), Some(&*target));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=us-ascii"));
        assert_eq!(answer.header("content-length"), Some("20"));
        assert_eq!(answer.headers().filter(|(name, _)| name == "set-cookie").count(), 2);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
}

#[test]
fn a_new_name_becomes_a_community_member_once() {
    let house = House::new();
    let before = house.count();
    let session = house.session("=jane_doe");
    assert_eq!(house.who(&[&cookie(&session)]), "jane_doe");
    let user = house.home().json(&["user", "show", "jane_doe"]);
    let roles = user["roles"].to_string();
    assert!(roles.contains("Community Member") && !roles.contains("Owner"), "{user}");
    assert_eq!(user["password"], false, "{user}");
    // The same name, however it is written.
    for name in ["=jane_doe", "=Jane_Doe", "=jane%5Fdoe"] {
        assert_eq!(house.who(&[&cookie(&house.session(name))]), "jane_doe", "{name}");
    }
    assert_eq!(house.count(), before + 1);
    let audit = house.home().audit();
    assert!(audit.iter().any(|entry| entry.action == "session.exchange"));
}

#[test]
fn two_hundred_first_visits_at_once_make_one_user() {
    let house = House::new();
    let before = house.count();
    let request = format!(
        "GET /@api/deki/users/authenticate HTTP/1.1\r\nHost: help.example.com\r\n\
         Connection: close\r\n{}\r\n\r\n",
        token(&house.key.sign("=flash crowd"))
    );
    let address = &house.server.address;
    let visit = || {
        let mut stream = connect(address);
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(&mut stream)
    };
    let answers: Vec<Answer> = thread::scope(|scope| {
        let visits: Vec<_> = (0..200).map(|_| scope.spawn(visit)).collect();
        visits.into_iter().map(|visit| visit.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.status() == 200));
    let sessions: BTreeSet<&str> = answers.iter().map(Answer::body).collect();
    assert_eq!(sessions.len(), 200);
    assert_eq!(house.count(), before + 1);
    for session in sessions.iter().step_by(40) {
        assert_eq!(house.who(&[&cookie(session)]), "flash crowd");
    }
}

#[test]
fn nobody_is_made_who_cannot_be() {
    let house = House::new();
    let before = house.count();
    // Nobody, by number and by name; a number that nobody has; what is no name.
    for user in ["2", "=Anonymous", "=anonymous", "4711", "4294967295", "=a:b", "=%20a"] {
        refused(&house.signed("GET", "users/authenticate", user), 401);
    }
    assert_eq!(house.count(), before);
}

#[test]
fn elsewhere_an_unknown_name_is_nobody_and_stays_unknown() {
    let house = House::new();
    let before = house.count();
    for user in ["=not yet", "4711", "2", "=Anonymous"] {
        let answer = house.signed("GET", "users/current?dream.out.format=json", user);
        let told = json(&answer);
        assert_eq!((&told["@anonymous"], &told["@id"]), (&"true".into(), &"2".into()), "{user}");
        assert_eq!(told["username"], "Anonymous");
    }
    assert_eq!(house.count(), before);
}

#[test]
fn a_site_may_make_nobody() {
    let house = House::with(&format!("{MOUNT}new_users = false\n"));
    let before = house.count();
    refused(&house.signed("GET", "users/authenticate", "=new"), 401);
    assert_eq!(house.count(), before);
    assert_eq!(house.signed("GET", "users/authenticate", "=admin").status(), 200);
}

#[test]
fn a_name_and_a_password_are_traded_too() {
    let house = House::new();
    house.user("zo\u{eb}");
    let answer = house.basic("zo\u{eb}");
    assert_eq!(answer.status(), 200, "{}", answer.0);
    assert_eq!(house.who(&[&cookie(answer.body())]), "zo\u{eb}");
    for header in [
        basic("zo\u{eb}", "wrong password"),
        basic("nobody", PASSWORD),
        basic("zo\u{eb}", ""),
        "Authorization: Basic !!!".to_owned(),
        "Authorization: Basic".to_owned(),
        "Authorization: Bearer x".to_owned(),
    ] {
        let answer = house.call("GET", "users/authenticate", &[&header]);
        refused(&answer, 401);
        assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"DekiWiki\""));
        assert!(answer.body().contains("<message>authentication failed</message>"));
    }
    // Whatever else was sent along: the token is meant.
    let both = [token(&house.key.sign("=admin")), basic("nobody", "x")];
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    let answer = house.call("GET", "users/authenticate", &both);
    assert_eq!(house.who(&[&cookie(answer.body())]), "admin");
}

#[test]
fn nothing_but_a_proof_is_traded() {
    let house = House::new();
    let session = house.session("=admin");
    let browser = house.key(&["--browser", "shop.example"]);
    for headers in
        [vec![], vec![cookie(&session)], vec![format!("Authorization: Bearer {session}")]]
    {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        refused(&house.call("GET", "users/authenticate", &headers), 401);
    }
    let origin = "Origin: https://shop.example";
    let page = token(&browser.key);
    refused(&house.call("GET", "users/authenticate", &[&page, origin]), 403);
    for method in ["HEAD", "PUT", "DELETE"] {
        let answer = house.signed(method, "users/authenticate", "=admin");
        refused(&answer, 405);
        assert_eq!(answer.header("allow"), Some("GET,POST"));
    }
    refused(&house.signed("GET", "users/authenticate?authprovider=7", "=admin"), 400);
    let own = house.signed("GET", "users/authenticate?authprovider=1", "=admin");
    assert_eq!(own.status(), 200);
}

#[test]
fn a_link_signs_in_once_where_the_site_wants_that() {
    let house = House::with(&format!("{MOUNT}single_use = true\n"));
    let before = house.count();
    let epoch = now();
    let signed = house.key.sign_at(epoch, "=new%5Fone");
    let link = |token: &str| format!("users/authenticate?x-deki-token={token}&redirect={SITE}/");
    assert_eq!(house.call("GET", &link(&signed), &[]).status(), 302);
    // The same signature, however it is written, and another of the same second.
    let upper = {
        let (head, hash) = signed.rsplit_once('_').unwrap();
        format!("{head}_{}", hash.to_uppercase())
    };
    for again in [signed.clone(), upper, house.key.sign_at(epoch, "=new_one")] {
        refused(&house.call("GET", &link(&again), &[]), 403);
    }
    assert_eq!(house.count(), before + 1);
    // The next second is another link, and without a page to go to a token may be used again.
    assert_eq!(
        house.call("GET", &link(&house.key.sign_at(epoch - 1, "=new_one")), &[]).status(),
        302
    );
    for _ in 0..2 {
        let answer = house.call("GET", "users/authenticate", &[&token(&signed)]);
        assert_eq!(answer.status(), 200, "{}", answer.0);
    }
}

#[test]
fn a_token_may_stand_in_both_places_if_it_is_the_same() {
    let house = House::new();
    let (one, other) = (house.key.sign("=admin"), house.key.sign("=boss"));
    let query = |token: &str| format!("users/authenticate?x-deki-token={token}");
    let escaped = one.replace('=', "%3D");
    for (path, headers, status) in [
        (query(&one), vec![], 200),
        (query(&escaped), vec![], 200),
        (query(&one), vec![token(&one)], 200),
        (query(&escaped), vec![token(&one)], 200),
        (query(&other), vec![token(&one)], 403),
        (format!("{}&x-deki-token={other}", query(&one)), vec![], 403),
        (query(""), vec![token(&one)], 403),
        (query(&one), vec![token(&one), token(&one)], 403),
        (query(&one), vec![format!("X_Deki_Token: {one}")], 403),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let answer = house.call("GET", &path, &headers);
        assert_eq!(answer.status(), status, "{path} {headers:?}: {}", answer.0);
    }
    // Elsewhere the query is not looked at.
    let path = format!("users/current?dream.out.format=json&x-deki-token={one}");
    assert_eq!(json(&house.call("GET", &path, &[]))["username"], "Anonymous");
}
