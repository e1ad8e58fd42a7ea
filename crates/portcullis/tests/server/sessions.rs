//! A session at the proxy: what its cookie may do, and who sees it.

use serde_json::Value;

use crate::common::{Home, Quickstart, Server};
use crate::upstream::answering;

fn cookie(server: &Quickstart) -> String {
    format!("Cookie: wtsession={}", server.session("/journyx/password"))
}

#[test]
fn a_cookie_acts_only_from_the_guards_own_origin_and_reads_from_anywhere() {
    let server = Quickstart::start(Home::new());
    let cookie = cookie(&server);
    let ask = |method: &str, rest: &str| {
        let head = format!("{method} /demo/hello HTTP/1.1\r\nContent-Length: 0\r\n{rest}");
        server.send(&head).status()
    };
    for (method, origin, status) in [
        ("GET", "", 200),
        ("GET", "\r\nOrigin: https://evil.example", 200),
        ("POST", "\r\nOrigin: http://any", 200),
        ("POST", "\r\nOrigin: https://any", 200),
        ("POST", "", 403),
        ("POST", "\r\nOrigin: null", 403),
        ("POST", "\r\nOrigin: https://evil.example", 403),
        ("POST", "\r\nOrigin: http://any:8080", 403),
        ("POST", "\r\nOrigin: http://any\r\nOrigin: http://any", 403),
        ("DELETE", "", 403),
        ("GET", "\r\nConnection: upgrade\r\nUpgrade: websocket", 403),
    ] {
        assert_eq!(ask(method, &format!("{cookie}{origin}")), status, "{method} {origin}");
    }
    // What somebody chose to send needs no origin, and the cookie beside it is not looked at.
    assert_eq!(ask("POST", &server.api_key()), 200);
    assert_eq!(ask("POST", &format!("{}\r\n{cookie}", server.api_key())), 200);
    assert_eq!(ask("GET", &format!("{}\r\nCookie: wtsession=x", server.basic())), 200);
    assert_eq!(ask("GET", &format!("{cookie}\r\nAuthorization: Basic eDp5")), 401);
    assert_eq!(ask("GET", &format!("{cookie}; wtsession=x")), 400);
    assert_eq!(ask("GET", &format!("{cookie}\r\nCookie: a=1")), 400);
}

#[test]
fn a_session_ends_with_the_key_that_it_was_opened_with() {
    let server = Quickstart::start(Home::new());
    let other = cookie(&server);
    let cookie = format!("Cookie: wtsession={}", server.session("/journyx/api_key"));
    let id = server.text("/journyx/api_key").split('_').nth(2).unwrap();
    for (command, status) in [("disable", 401), ("enable", 200), ("revoke", 401)] {
        server.home.done(&["key", command, id]);
        assert_eq!(server.get(&cookie).status(), status, "{command}");
        assert_eq!(server.get(&other).status(), 200, "{command}");
    }
}

#[test]
fn a_session_and_its_key_outlive_the_server_and_a_lost_key_is_made_anew() {
    let server = Quickstart::start(Home::new());
    let cookie = format!("Cookie: wtsession={}", server.session("/journyx/api_key"));
    let key = server.text("/journyx/api_key").to_owned();
    let again = Quickstart::start(server.stop().home);
    assert_eq!(again.text("/journyx/api_key"), key);
    assert_eq!(again.get(&cookie).status(), 200);
    again.home.done(&["key", "revoke", key.split('_').nth(2).unwrap()]);
    let another = Quickstart::start(again.stop().home);
    assert_ne!(another.text("/journyx/api_key"), key);
    assert_eq!(another.get(&cookie).status(), 401);
    let fresh = format!("Cookie: wtsession={}", another.session("/journyx/api_key"));
    assert_eq!(another.get(&fresh).status(), 200);
}

/// What an upstream heard of the cookies that were sent to a guard of these options.
fn heard(options: &str, sent: &str) -> String {
    let (tell, told) = std::sync::mpsc::channel();
    let address = crate::upstream::upstream(move |mut stream| {
        let head = crate::upstream::read_head(&mut stream);
        let cookies: Vec<_> =
            head.lines().filter(|line| line.to_lowercase().starts_with("cookie:")).collect();
        tell.send(cookies.join("\n").to_lowercase()).unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        std::io::Write::write_all(&mut stream, answer).unwrap();
    });
    let config = format!(
        "[[guard]]\nname = \"one\"\nupstream = \"http://{address}\"\nnetworks = [\"127.0.0.0/8\"]\n\
         {options}\n"
    );
    let server = Server::serve(Home::new(), &config);
    let answer = server.send(&format!("GET / HTTP/1.1\r\nCookie: {sent}"));
    assert_eq!(answer.status(), 200, "{}", answer.0);
    told.recv().unwrap()
}

#[test]
fn an_upstream_sees_every_cookie_but_ours_even_where_nobody_asked_for_it() {
    let sent = "a=1; wtsession=x; b=2; sid=pcl_ses_x";
    assert_eq!(heard("", sent), "cookie: a=1; b=2");
    assert_eq!(heard("pass_credential = true", sent), format!("cookie: {sent}"));
    assert_eq!(heard("", "wtsession=x"), "");
}

#[test]
fn an_upstream_sets_its_own_cookies_for_its_own_host() {
    let address = answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: a=1; Path=/\r\n\
         Set-Cookie: wtsession=evil; Path=/\r\nSet-Cookie: b=2; Domain=example.com\r\n\
         Set-Cookie: c=3\r\n\r\n",
    );
    let config = format!(
        "[[guard]]\nname = \"one\"\nupstream = \"http://{address}\"\nnetworks = [\"127.0.0.0/8\"]\n"
    );
    let server = Server::serve(Home::new(), &config);
    let answer = server.send("GET / HTTP/1.1");
    let set = answer.headers().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value);
    assert_eq!(set.collect::<Vec<_>>(), ["a=1; Path=/", "c=3"]);
}

#[test]
fn the_upstream_of_a_session_hears_who_it_is_and_not_the_session() {
    let server = Quickstart::start(Home::new());
    let answer = server.get(&cookie(&server));
    let body: Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(body["headers"]["portcullis-scheme"], "session");
    assert!(body["headers"].get("cookie").is_none(), "{body}");
    let with_another = server.get(&format!("{}; a=1", cookie(&server)));
    let body: Value = serde_json::from_str(with_another.body()).unwrap();
    assert_eq!(body["headers"]["cookie"], "(present)");
}
