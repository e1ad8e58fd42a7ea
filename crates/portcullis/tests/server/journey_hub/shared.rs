//! Unknown addresses: whose error they are answered with, alone and on a shared root.

use serde_json::Value;

use super::House;
use super::hub::{Hub, Secret};
use crate::common::{Home, Quickstart, text};

/// Addresses below the dialect's own first words that lead nowhere.
const OWN: &[&str] = &[
    "/api/v1/token/1",
    "/api/v1/org/1/nothing",
    "/api/v1/org/1/templates/1",
    "/api/v1/project",
    "/api/v1/project/org",
    "/api/v1/project/org/1/2",
    "/api/v1/user",
    "/api/v1/user/org",
    "/api/v1/user/1/2",
];

/// Addresses of nobody.
const NOBODYS: &[&str] =
    &["/", "/api", "/api/v1", "/api/v1/tokens", "/api/v2/org", "/org", "/nothing"];

#[test]
fn an_unknown_address_below_its_own_words_is_answered_in_its_shape_wherever_it_is_mounted() {
    let house = House::new();
    let server = Quickstart::start(Home::new());
    let shared = Hub::new(&server, "any", "").sign_in(&Secret::read(&server.made["journey_hub"]));
    let [prefix, host, realm] = house.everywhere().map(|(hub, _, _)| hub);
    for hub in [&prefix, &host, &realm, &shared] {
        let header = format!("Authorization: {}\r\n", hub.token);
        for path in OWN {
            for method in ["GET", "POST", "BREW"] {
                hub.send(method, path, &header, b"").refused(404, path);
            }
        }
    }
    for hub in [&prefix, &host, &realm] {
        for path in NOBODYS {
            for header in [String::new(), format!("Authorization: {}\r\n", hub.token)] {
                hub.send("GET", path, &header, b"").refused(404, path);
                hub.send("POST", path, &header, b"{}").refused(404, path);
            }
        }
    }
    for path in NOBODYS {
        let answer = shared.send("GET", path, "", b"").answer;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
    }
}

#[test]
fn the_dialect_answers_nowhere_but_where_it_is_mounted() {
    let house = House::new();
    let elsewhere = [("any", ""), ("other.example", ""), ("any", "/hubs"), ("any", "/hub/hub")];
    for (host, prefix) in elsewhere {
        let hub = Hub::new(&house.server, host, prefix).with(&house.boss().token);
        let header = format!("Authorization: {}\r\n", hub.token);
        let answer = hub.send("GET", "/api/v1/org", &header, b"").answer;
        assert_eq!(answer.status(), 404, "{host}{prefix}");
    }
    // A host is one whatever its letters and its port.
    for host in ["HUB.example", "hub.example:8080", "hub.example."] {
        let hub = Hub::new(&house.server, host, "").with(&house.boss().token);
        hub.get("/org").list("organizations");
    }
}

#[test]
fn a_quickstart_brings_an_owner_of_the_root_and_a_template_with_a_connection() {
    let server = Quickstart::start(Home::new());
    let hub = Hub::new(&server, "any", "").sign_in(&Secret::read(&server.made["journey_hub"]));
    let base = server.text("/base_url");
    assert_eq!(server.text("/journey_hub/url"), format!("{base}/api/v1/"));
    assert_eq!(server.text("/journey_hub/organization_id"), "1");
    let root = hub.get("/org").one("organizations");
    assert_eq!((&root["id"], &root["parentId"]), (&"1".into(), &Value::Null));
    let templates = hub.get("/org/1/templates").list("templates");
    let id = server.text("/journey_hub/template_id");
    assert!(templates.as_array().unwrap().iter().any(|it| it["id"] == id), "{templates}");
    let body = serde_json::json!({ "name": "P", "templateId": id });
    let project = hub.post("/project/org/1", &body).one("projects");
    assert!(!project["templateConnections"].as_array().unwrap().is_empty(), "{project}");
    let user = hub.get(&format!("/user/{}", server.text("/journey_hub/user_id"))).one("users");
    assert_eq!(user["role"], "Owner");
    // A second start gives the same secret again.
    let secret = server.text("/journey_hub/secret").to_owned();
    let again = Quickstart::start(server.stop().home);
    assert_eq!(again.text("/journey_hub/secret"), secret);
    let hub = Hub::new(&again, "any", "").sign_in(&Secret::read(&again.made["journey_hub"]));
    let projects = hub.get("/project/org/1").list("projects");
    assert!(projects.as_array().unwrap().contains(&project), "{projects}");
}

#[test]
fn an_address_belongs_to_one_mount_or_guard_and_a_second_claim_names_both() {
    let house = House::new();
    let home = &house.server.home;
    let upstream = ["--path", "/hub", "--upstream", "http://127.0.0.1:9"];
    let guard = [&["guard", "create", "late"], &upstream[..]].concat();
    let mount = |more: &[&'static str]| {
        [&["mount", "create", "late", "--dialect", "journey_hub"], more].concat()
    };
    let mut wrong = Vec::new();
    for (words, other) in [
        (mount(&["--path", "/hub"]), "journey-hub"),
        (mount(&["--host", "red.example"]), "red"),
        (mount(&["--host", "new.example", "--host", "hub.example"]), "by-host"),
        (guard, "journey-hub"),
    ] {
        let output = home.run(&words);
        let told = text(&output.stderr);
        let names_both = told.contains("late") && told.contains(other);
        let refused = !output.status.success() && names_both && told.lines().count() == 1;
        wrong.extend((!refused).then(|| format!("{words:?}: {told}")));
    }
    let file = home.write(
        "both.toml",
        "[[mount]]\nname = \"one\"\ndialect = \"journey_hub\"\npath = \"/x\"\n\
         [[guard]]\nname = \"two\"\npath = \"/x\"\nupstream = \"http://127.0.0.1:9\"\n\
         networks = [\"10.0.0.0/8\"]\n",
    );
    let output = home.run(&["check-config", &file]);
    let told = text(&output.stderr);
    let refused = !output.status.success() && told.contains("one") && told.contains("two");
    wrong.extend((!refused).then(|| format!("check-config: {told}")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn mounts_at_addresses_of_their_own_stand_side_by_side() {
    let house = House::new();
    let home = &house.server.home;
    for (name, place) in [
        ("host-and-path", ["--host", "new.example", "--path", "/way/in"]),
        ("beside", ["--host", "other.example", "--path", "/"]),
        ("nearly", ["--host", "any", "--path", "/hubs"]),
    ] {
        home.done(&[&["mount", "create", name, "--dialect", "journey_hub"], &place[..]].concat());
        let prefix = place[3].trim_end_matches('/');
        let hub = Hub::new(&house.server, place[1], prefix).sign_in(&house.owner);
        hub.get("/org").list("organizations");
        home.done(&["mount", "delete", name]);
        let header = format!("Authorization: {}\r\n", hub.token);
        assert_eq!(hub.send("GET", "/api/v1/org", &header, b"").answer.status(), 404, "{name}");
    }
}

#[test]
fn what_no_request_may_hold_is_refused_in_its_shape_too() {
    let house = House::new();
    let [prefix, host, _] = house.everywhere().map(|(hub, _, _)| hub);
    let mut wrong = Vec::new();
    let token = format!("Authorization: {}\r\n", host.token);
    for (what, hub, path, header) in [
        ("two tokens", &prefix, "/api/v1/org", token.repeat(2)),
        ("two tokens", &host, "/api/v1/org", token.repeat(2)),
        ("a path with two meanings", &host, "/api/v1/org/../token", token.clone()),
        ("a path with half an escape", &host, "/api/v1/org/%zz", token.clone()),
        ("a query with a letter to escape", &host, "/api/v1/org?after=\u{e9}", token.clone()),
    ] {
        let answer = hub.send("GET", path, &header, b"").answer;
        assert_eq!(answer.status(), 400, "{what}: {}", answer.0);
        let body: Value = serde_json::from_str(answer.body()).unwrap();
        let shaped = body["metadata"]["code"] == 400 && body["metadata"]["message"].is_string();
        wrong.extend((!shaped).then(|| format!("{what}: {}", answer.body())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
