//! A session in front of any API: a guard with the scheme `session` accepts the cookie.

use super::client::Client;
use super::{House, PASSWORD};
use crate::common::Answer;
use crate::upstream::answering;

fn house() -> House {
    // It answers once a connection, and says so: what changes something is never sent anew.
    let address = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    House::with(&format!(
        "[[guard]]\nname = \"api\"\npath = \"/guarded\"\nupstream = \"http://{address}\"\n\
         schemes = [\"session\"]\n"
    ))
}

fn ask(house: &House, method: &str, session: &Client, origin: &str) -> Answer {
    house.server.ask(&format!(
        "{method} /guarded HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\
         Content-Length: 0\r\n{}\r\n{origin}\r\n",
        session.proof
    ))
}

#[test]
fn a_guard_accepts_a_session_and_asks_for_an_own_origin_of_what_changes() {
    let house = house();
    house.user("zoe", &[]);
    let session = house.sign_in("zoe");
    for (method, origin, status) in [
        ("GET", "", 200),
        ("GET", "Origin: https://evil.example\r\n", 200),
        ("POST", "Origin: http://site.example\r\n", 200),
        ("DELETE", "Origin: https://site.example\r\n", 200),
        ("POST", "", 403),
        ("POST", "Origin: null\r\n", 403),
        ("POST", "Origin: https://evil.example\r\n", 403),
        ("PATCH", "X-Requested-With: XMLHttpRequest\r\n", 403),
    ] {
        assert_eq!(ask(&house, method, &session, origin).status(), status, "{method} {origin}");
    }
    session.log_out().item();
    assert_eq!(ask(&house, "GET", &session, "").status(), 401);
}

#[test]
fn a_guard_lets_a_session_of_a_key_that_may_only_read_read() {
    let house = house();
    house.user("zoe", &["API Key Sign In"]);
    let session = house.nobody().sign_in("zoe", &house.key("zoe", &["--read-only"]));
    let own = "Origin: http://site.example\r\n";
    assert_eq!(ask(&house, "GET", &session, "").status(), 200);
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        assert_eq!(ask(&house, method, &session, own).status(), 403, "{method}");
    }
    house.set_password("zoe", PASSWORD, "1");
}
