//! What is made answers at once, and what is taken away answers no more.

use super::{House, LISTENERS, PASSWORD, echo, user, zoe};
use crate::common::{Home, Server, basic, text};

#[test]
fn a_listener_answers_from_its_making_to_its_end() {
    let house = House::new();
    let home = &house.server.home;
    let upstream = format!("http://{}/", echo());
    let status = || house.zoe(&format!("GET {LISTENERS}/new"), "").status();
    assert_eq!(status(), 404);
    home.done(&["listener", "create", "new", "--upstream", &upstream]);
    assert_eq!(status(), 200);
    home.done(&["listener", "delete", "new"]);
    assert_eq!(status(), 404);
    home.done(&["listener", "create", "new", "--upstream", &upstream, "--network", "192.0.2.0/24"]);
    assert_eq!(status(), 403);
}

#[test]
fn a_listener_is_reached_as_long_as_a_mount_leads_to_it() {
    let home = Home::new();
    user(&home, "zoe", "1");
    let server = Server::serve(home, "");
    let home = &server.home;
    let upstream = format!("http://{}/", echo());
    let made = home.run(&["listener", "create", "flow", "--upstream", &upstream]);
    assert!(made.status.success());
    let told = text(&made.stderr);
    assert!(told.contains("`flow` answers nowhere yet"), "{told}");
    assert!(told.ends_with("portcullis mount create graph --dialect graph\n"), "{told}");
    let ask = || {
        let request = format!("GET {LISTENERS}/flow HTTP/1.1\r\n{}", basic("zoe", PASSWORD));
        server.send(&request)
    };
    assert_eq!(ask().header("content-type"), Some("application/problem+json"));
    home.done(&["mount", "create", "graph", "--dialect", "graph"]);
    assert_eq!(ask().status(), 200);
    let other = home.run(&["listener", "create", "other", "--upstream", &upstream]);
    assert_eq!(text(&other.stderr), "");
    home.done(&["mount", "delete", "graph"]);
    assert_eq!(ask().header("content-type"), Some("application/problem+json"));
}

#[test]
fn listeners_outlive_the_server_and_one_without_a_mount_is_warned_of_at_start() {
    let home = Home::new();
    let upstream = "http://127.0.0.1:9/";
    home.done(&[
        "listener",
        "create",
        "flow",
        "--upstream",
        upstream,
        "--network-only",
        "--network",
        "127.0.0.1/32",
    ]);
    let ended = Server::serve(home, "").stop();
    assert!(
        ended.stderr.contains("warning: listener `flow` answers nowhere yet"),
        "{}",
        ended.stderr
    );
    let server = Server::serve(ended.home, "[[mount]]\ndialect = \"graph\"\n");
    // No mount was there before, and the upstream is not there.
    assert_eq!(server.send(&format!("GET {LISTENERS}/flow HTTP/1.1")).status(), 502);
    let ended = server.stop();
    assert!(!ended.stderr.contains("warning: listener"), "{}", ended.stderr);
}

#[test]
fn a_guard_cannot_stand_where_listeners_are() {
    let house = House::new();
    for path in ["/api/v1/listener", "/api/v1/listener/echo", "/login", "/oauth/token/x"] {
        let words = ["guard", "create", "x", "--path", path, "--upstream", "http://127.0.0.1:9"];
        let refused = house.server.home.run(&words);
        assert!(text(&refused.stderr).contains("mount `graph` and guard `x`"), "{path}");
    }
    let more = ["guard", "create", "x", "--path", "/api", "--upstream", "http://127.0.0.1:9"];
    house.server.home.done(&more);
    assert_eq!(house.call(&format!("GET {LISTENERS}/echo"), &zoe(), "").status(), 200);
}
