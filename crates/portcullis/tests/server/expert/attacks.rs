//! What somebody tried who meant harm.

use std::io::Write as _;
use std::sync::mpsc::channel;

use serde_json::Value;

use super::{House, Key, MOUNT, SITE, cookie, json, now, refused, token};
use crate::common::{Answer, connect};
use crate::upstream::{read_head, upstream};

#[test]
fn a_link_signs_in_once_however_often_it_says_its_token() {
    let house = House::with(&format!("{MOUNT}single_use = true\n"));
    for (second, user, resent) in [
        (0, "=jane", "&x-deki-token=TOKEN"),
        (1, "=jane", "&x-deki-token=TOKEN&x-deki-token=TOKEN"),
        // A name that is none any more once it is unescaped again.
        (2, "=%2500", ""),
    ] {
        let signed = house.key.sign_at(now() - second, user);
        let link = format!("users/authenticate?x-deki-token={signed}&redirect={SITE}/");
        let resent = format!("{link}{}", resent.replace("TOKEN", &signed));
        assert_eq!(house.call("GET", &resent, &[]).status(), 302, "{resent}");
        refused(&house.call("GET", &resent, &[]), 403);
        refused(&house.call("GET", &link, &[]), 403);
        refused(&house.call("GET", &link, &[&token(&signed)]), 403);
    }
}

#[test]
fn an_address_that_is_not_shown_is_not_found_by_it_either() {
    let house = House::new();
    let home = house.home();
    assert!(home.run(&["group", "create", "Team"]).status.success());
    for (login, email) in [("jane", "a@secret.example"), ("zoe", "z@other.example")] {
        home.done(&["user", "create", login, "--email", email]);
        home.done(&["group", "add", "Team", login]);
    }
    home.done(&["user", "create", "mate", "--email", "own@example.com"]);
    home.done(&["group", "add", "Team", "mate"]);
    let list = |query: &str, user: &str| {
        house.signed("GET", &format!("users?dream.out.format=json&{query}"), user)
    };
    let count = |query: &str, user: &str| json(&list(query, user))["@querycount"].clone();
    assert_eq!(count("usernameemailfilter=secret.example", "=admin"), "1");
    for (query, expected) in [
        ("usernameemailfilter=secret.example", "0"),
        ("usernameemailfilter=z%40", "0"),
        ("usernameemailfilter=jan", "1"),
    ] {
        assert_eq!(count(query, "=mate"), expected, "{query}");
    }
    assert_eq!(list("sortby=email", "=admin").status(), 200);
    for order in ["email", "-email"] {
        refused(&list(&format!("sortby={order}"), "=mate"), 400);
    }
}

#[test]
fn a_restriction_that_says_nothing_is_none() {
    let house = House::new();
    let before = house.home().done(&["server-token", "list"]);
    for inner in [
        "<restricted-by-user-id/>",
        "<restricted-by-user-id></restricted-by-user-id>",
        "<restricted-by-user-id>1</restricted-by-user-id><restricted-by-user-id/>",
        "<host/>",
        "<host></host>",
        // Pages sign for nobody, so that they cannot be held to somebody.
        "<host>a.example</host><restricted-by-user-id>1</restricted-by-user-id>",
    ] {
        let body = format!("<developer-token><name>a</name>{inner}</developer-token>");
        let header = token(&house.key.sign("1"));
        let answer = house.send("POST", "site/developer-tokens", &[&header], &body);
        refused(&answer, 400);
    }
    assert_eq!(house.home().done(&["server-token", "list"]), before);
    // Nor is somebody told that a token was restricted which was not.
    let header = token(&house.key.sign("1"));
    let body =
        "<developer-token><restricted-by-user-id>1</restricted-by-user-id></developer-token>";
    refused(&house.send("PUT", "site/developer-tokens/1", &[&header], body), 400);
}

#[test]
fn a_token_in_the_query_does_not_go_on_to_the_upstream() {
    let (tell, heard) = channel();
    let address = upstream(move |mut stream| {
        tell.send(read_head(&mut stream)).unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).unwrap();
    });
    let house = House::with(&format!(
        "{MOUNT}upstream = \"pages\"\n[[listener]]\nid = \"pages\"\n\
         upstream = \"http://{address}\"\nschemes = [\"signature\", \"authtoken\"]\n"
    ));
    let signed = house.key.sign("=admin");
    let path = format!("pages/2/contents?a=b&x-deki-token={signed}&c=d");
    for header in [token(&signed), cookie(&house.session("=jane"))] {
        let answer = house.call("GET", &path, &[&header]);
        assert_eq!(answer.status(), 200, "{}", answer.0);
        let head = heard.recv().unwrap();
        assert!(head.starts_with("GET /@api/deki/pages/2/contents?a=b&c=d HTTP/1.1"), "{head}");
    }
}

#[test]
fn a_page_is_told_nothing_beforehand_for_a_key_that_does_not_count_here() {
    let house = House::new();
    let home = house.home();
    home.done(&["org", "create", "Red", "--realm"]);
    home.done(&["user", "create", "red", "--organization", "2"]);
    home.done(&["role", "grant", "Owner", "red", "--organization", "2", "--realm", "2"]);
    let far = ["server-token", "create", "red", "--realm", "2", "--browser", "red.example"];
    home.done(&far);
    let key = house.key(&["--browser", "shop.example"]);
    let asks = |origin: &str| {
        let said = format!("Origin: https://{origin}");
        house.call("OPTIONS", "users/current", &[&said]).status()
    };
    assert_eq!(asks("shop.example"), 204);
    assert_eq!(asks("red.example"), 403, "another realm's");
    home.done(&["server-token", "disable", &key.key]);
    assert_eq!(asks("shop.example"), 403, "disabled");
    home.done(&["server-token", "enable", &key.key]);
    assert_eq!(asks("shop.example"), 204);
    home.done(&["server-token", "revoke", &key.key]);
    assert_eq!(asks("shop.example"), 403, "revoked");
}

#[test]
fn whoever_was_deleted_is_nobody_and_who_is_called_so_later_is_another() {
    let house = House::new();
    let home = house.home();
    let session = cookie(&house.session("=jane"));
    let number = home.json(&["user", "show", "jane"])["number"].to_string();
    home.done(&["user", "delete", "jane"]);
    for user in ["=jane", &number] {
        assert_eq!(house.who(&[&token(&house.key.sign(user))]), "Anonymous", "{user}");
    }
    refused(&house.signed("GET", "users/authenticate", &number), 401);
    let later = cookie(&house.session("=jane"));
    assert_eq!(house.who(&[&session]), "Anonymous");
    assert_eq!(house.who(&[&later]), "jane");
    let other = home.json(&["user", "show", "jane"])["number"].to_string();
    assert_ne!(number, other);
    assert_eq!(house.who(&[&token(&house.key.sign(&number))]), "Anonymous");
}

#[test]
fn a_new_password_ends_what_the_old_one_opened() {
    let house = House::new();
    house.user("jane");
    let session = cookie(house.basic("jane").body());
    assert_eq!(house.who(&[&session]), "jane");
    assert!(house.home().set_password("jane", "another horse battery").status.success());
    assert_eq!(house.who(&[&session]), "Anonymous");
}

#[test]
fn a_page_with_a_key_changes_nothing_under_a_cookie() {
    let house = House::with(&format!("{MOUNT}same_site = \"none\"\n"));
    let key = house.key(&["--browser", "shop.example"]);
    let before = house.home().done(&["server-token", "list"]);
    let admin = cookie(&house.session("=admin"));
    let (page, origin) = (token(&key.key), "Origin: https://shop.example");
    let body = "<developer-token><name>a</name></developer-token>";
    for scripted in ["X: y", "X-Requested-With: XMLHttpRequest"] {
        let headers = [&*page, &*admin, origin, scripted];
        refused(&house.send("POST", "site/developer-tokens", &headers, body), 403);
        refused(&house.send("DELETE", "site/developer-tokens/1", &headers, ""), 403);
        refused(&house.call("POST", "site/logout", &headers), 403);
    }
    assert_eq!(house.home().done(&["server-token", "list"]), before);
    assert_eq!(house.who(&[&admin]), "admin");
}

#[test]
fn what_a_stranger_sends_is_written_as_text() {
    let house = House::new();
    let host = "Host: help.example.com";
    for format in ["xml", "json", "php"] {
        let path = format!("/@api/deki/%3Ca%3E%22%26?dream.out.format={format}");
        let request = format!("GET {path} HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n");
        let answer = house.server.ask(&request);
        refused(&answer, 404);
        assert!(!answer.body().contains("<a>") && !answer.0.contains("dream.out"), "{}", answer.0);
        if format == "json" {
            let told: Value = json(&answer);
            assert_eq!(told["status"], "404");
        }
    }
}

#[test]
fn of_many_who_follow_one_link_at_once_one_signs_in() {
    let house = House::with(&format!("{MOUNT}single_use = true\n"));
    let signed = house.key.sign("=jane");
    let link = format!("users/authenticate?x-deki-token={signed}&redirect={SITE}/");
    let upper = {
        let (head, hash) = signed.rsplit_once('_').unwrap();
        link.replace(&signed, &format!("{head}_{}", hash.to_uppercase()))
    };
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let address = &house.server.address;
        let call = |link: &str| {
            let mut stream = connect(address);
            let request = format!(
                "GET /@api/deki/{link} HTTP/1.1\r\nHost: help.example.com\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).unwrap();
            Answer::read(&mut stream).status()
        };
        let links = [&link, &upper].into_iter().cycle().take(20);
        let calls: Vec<_> = links.map(|link| scope.spawn(move || call(link))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 302).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 19, "{statuses:?}");
}

#[test]
fn a_body_that_is_no_document_ends_nothing() {
    let house = House::new();
    let header = token(&house.key.sign("1"));
    for body in [
        "</developer-token>",
        "<developer-token/></developer-token>",
        "<developer-token></name></developer-token>",
        "<developer-token><name>a</developer-token></name>",
        "<developer-token><name><a/>b</name></developer-token>",
        "<developer-token><name>&#0;</name></developer-token>",
        "<developer-token><name>&#x110000;</name></developer-token>",
        "<developer-token><name>&#1;</name></developer-token>",
        "<developer-token type=></developer-token>",
        "<developer-token type=\"a\" type=\"server\"></developer-token>",
        "<developer-token><name><![CDATA[a]]></name></developer-token>",
        "<!--",
        "<",
        "<developer-token",
        "<?",
        "<!DOCTYPE developer-token SYSTEM \"file:///etc/passwd\"><developer-token/>",
    ] {
        let answer = house.send("POST", "site/developer-tokens", &[&header], body);
        refused(&answer, 400);
    }
}

#[test]
fn nobody_acts_for_who_belongs_to_what_was_switched_off() {
    let house = House::new();
    let home = house.home();
    home.done(&["org", "create", "Branch"]);
    home.done(&["user", "create", "jane", "--organization", "2"]);
    let session = cookie(&house.session("=jane"));
    assert_eq!(house.who(&[&session]), "jane");
    home.done(&["org", "disable", "2"]);
    refused(&house.signed("GET", "users/current", "=jane"), 403);
    refused(&house.signed("GET", "users/authenticate", "=jane"), 403);
    assert_eq!(house.who(&[&session]), "Anonymous");
    home.done(&["org", "enable", "2"]);
    assert_eq!(house.who(&[&session]), "jane");
}

#[test]
fn a_session_counts_from_where_its_key_does() {
    let house = House::with(&format!("[trust]\npeers = [\"127.0.0.0/8\"]\n{MOUNT}"));
    let near = house.key(&["--network", "192.0.2.0/24"]);
    let signed = token(&near.sign("=boss"));
    let (home, away) = ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: 198.51.100.7");
    refused(&house.call("GET", "users/authenticate", &[&signed, away]), 403);
    let answer = house.call("GET", "users/authenticate", &[&signed, home]);
    assert_eq!(answer.status(), 200, "{}", answer.0);
    let session = cookie(answer.body());
    assert_eq!(house.who(&[&session, home]), "boss");
    assert_eq!(house.who(&[&session, away]), "Anonymous");
}

#[test]
fn a_key_ends_what_it_opened_when_it_is_for_one_user() {
    let house = House::new();
    house.home().done(&["user", "create", "jane"]);
    let key = house.key(&["--for", "jane"]);
    let open = || {
        let answer = house.call("GET", "users/authenticate", &[&token(&key.sign("=jane"))]);
        cookie(answer.body())
    };
    let session = open();
    assert_eq!(house.who(&[&session]), "jane");
    house.home().done(&["role", "withdraw", "Owner", "boss"]);
    assert_eq!(house.who(&[&session]), "Anonymous");
    house.home().done(&["role", "grant", "Owner", "boss"]);
    assert_eq!(house.who(&[&session]), "jane");
    house.home().done(&["user", "delete", "boss"]);
    assert_eq!(house.who(&[&session]), "Anonymous");
    refused(&house.call("GET", "users/current", &[&token(&key.sign("=jane"))]), 403);
}

#[test]
fn what_was_revoked_while_a_body_came_makes_nothing() {
    let house = House::new();
    let home = house.home();
    let body = "<developer-token><name>late</name></developer-token>";
    let begin = |proof: &str| {
        let mut stream = connect(&house.server.address);
        let head = format!(
            "POST /@api/deki/site/developer-tokens HTTP/1.1\r\nHost: help.example.com\r\n\
             Connection: close\r\nExpect: 100-continue\r\nContent-Length: {}\r\n{proof}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // The body is asked for when the caller is known.
        assert!(read_head(&mut stream).starts_with("HTTP/1.1 100"));
        stream
    };
    let end = |mut stream: std::net::TcpStream| {
        stream.write_all(body.as_bytes()).unwrap();
        Answer::read(&mut stream)
    };
    let session = |key: &Key| {
        let answer = house.call("GET", "users/authenticate", &[&token(&key.sign("=admin"))]);
        format!("Authorization: Bearer {}", answer.body())
    };
    let (one, two) = (house.key(&[]), house.key(&[]));
    let calls = [begin(&token(&one.sign("=admin"))), begin(&session(&two))];
    for key in [&one, &two] {
        home.done(&["server-token", "revoke", &key.key]);
    }
    let before = home.done(&["server-token", "list"]);
    for call in calls {
        refused(&end(call), 403);
    }
    assert_eq!(home.done(&["server-token", "list"]), before);
    // Who answers for a key may sign for nobody any more.
    let key = Key::read(&home.json(&["server-token", "create", "admin"]));
    let calls = [
        begin(&token(&key.sign("=boss"))),
        begin(&{
            let answer = house.call("GET", "users/authenticate", &[&token(&key.sign("=boss"))]);
            format!("Authorization: Bearer {}", answer.body())
        }),
    ];
    let before = home.done(&["server-token", "list"]);
    home.done(&["role", "withdraw", "Owner", "admin"]);
    for call in calls {
        refused(&end(call), 403);
    }
    assert_eq!(home.done(&["server-token", "list"]), before);
}
