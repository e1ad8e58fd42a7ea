//! Everything else goes to a listener, with the proven identity; nothing falls through to a guard.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, channel};

use super::{House, MOUNT, cookie, refused, token};
use crate::upstream::{read_head, upstream};

/// A site whose other paths go to an upstream, and what that is sent; a guard stands at the root.
fn house() -> (House, Receiver<String>) {
    let (tell, heard) = channel();
    let address = upstream(move |mut stream| {
        tell.send(read_head(&mut stream).to_lowercase()).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            .unwrap();
    });
    let house = House::with(&format!(
        "{MOUNT}upstream = \"pages\"\n[[guard]]\nname = \"root\"\npath = \"/\"\nupstream = \"http://{address}\"\n\
         schemes = [\"signature\"]\n\
         [[listener]]\nid = \"pages\"\nupstream = \"http://{address}/base\"\n\
         schemes = [\"signature\", \"authtoken\", \"authtoken_bearer\"]\nmethods = [\"GET\", \"POST\"]\n"
    ));
    (house, heard)
}

#[test]
fn another_path_goes_on_with_who_was_proven_and_without_the_proof() {
    let (house, heard) = house();
    let session = house.session("=jane");
    for header in [
        token(&house.key.sign("=jane")),
        cookie(&session),
        format!("Authorization: Bearer {session}"),
    ] {
        let answer = house.call("GET", "pages/2/contents?mode=view", &[&header]);
        assert_eq!((answer.status(), answer.body()), (200, "ok"), "{}", answer.0);
        let head = heard.recv().unwrap();
        assert!(
            head.starts_with("get /base/@api/deki/pages/2/contents?mode=view http/1.1"),
            "{head}"
        );
        assert!(head.contains("\r\nportcullis-user: jane\r\n"), "{head}");
        for secret in ["x-deki-token", "authtoken", "pcl_auth_", "authorization"] {
            assert!(
                !head.contains(&format!("\r\n{secret}")) && !head.contains("pcl_auth_"),
                "{head}"
            );
        }
    }
    // On behalf of nobody it goes on as nobody.
    let answer = house.signed("GET", "pages/2/contents", "=not yet");
    assert_eq!(answer.status(), 200);
    let head = heard.recv().unwrap();
    assert!(head.contains("\r\nportcullis-scheme: signature\r\n"), "{head}");
    assert!(!head.contains("portcullis-user"), "{head}");
}

#[test]
fn nothing_goes_on_without_a_proof() {
    let (house, heard) = house();
    for headers in [
        vec![],
        vec![token("x")],
        vec![token(&house.key.sign_at(super::now() - 400, "=admin"))],
        vec![cookie("pcl_auth_x")],
        vec![token(&house.key.key)],
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let answer = house.call("GET", "pages/2/contents", &headers);
        refused(&answer, 403);
        assert!(answer.body().contains("TokenValidationFailedException"), "{}", answer.0);
        assert_eq!(answer.header("www-authenticate"), None);
    }
    // A page of another site has a browser send the cookie.
    let session = cookie(&house.session("=jane"));
    let answer =
        house.call("POST", "pages/2/contents", &[&session, "Origin: https://evil.example"]);
    refused(&answer, 403);
    assert!(heard.try_recv().is_err(), "the upstream was reached");
}

#[test]
fn no_other_writing_of_the_path_falls_through_to_a_guard() {
    let (house, heard) = house();
    for path in ["/%40api/deki/users/current", "/%40API/deki", "//@api/deki/users/current"] {
        let signed = token(&house.key.sign("=admin"));
        let answer = house.server.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: help.example.com\r\nConnection: close\r\n{signed}\r\n\r\n"
        ));
        if path.contains("API") {
            // Another path, and so the guard's.
            assert_eq!(answer.status(), 200);
            drop(heard.recv().unwrap());
            continue;
        }
        assert_eq!(answer.status(), 200, "{path}: {}", answer.0);
        assert!(answer.body().contains("<username>admin</username>"), "{path}: {}", answer.0);
    }
    for path in
        ["/@api/deki/../x", "/@api%2Fdeki/users", "/@api/./deki/users", "/@api;a/deki/users"]
    {
        let answer = house.server.send(&format!("GET {path} HTTP/1.1"));
        assert_eq!(answer.status(), 400, "{path}: {}", answer.0);
    }
    assert!(heard.try_recv().is_err(), "the upstream was reached");
}

#[test]
fn a_guard_takes_signatures_of_any_api() {
    let (house, heard) = house();
    let ask = |header: &str| {
        house.server.ask(&format!(
            "GET /else HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n{header}\r\n\r\n"
        ))
    };
    assert_eq!(ask(&token(&house.key.sign("=boss"))).status(), 200);
    assert!(heard.recv().unwrap().contains("portcullis-user: boss"));
    for header in ["X: y".to_owned(), token("x"), token(&house.key.key)] {
        assert_eq!(ask(&header).status(), 401, "{header}");
    }
}
