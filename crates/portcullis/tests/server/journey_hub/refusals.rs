//! Every bad request: its status, the one shape of errors, and nothing changed.

use serde_json::{Value, json};

use super::hub::{FORM, Hub, JSON};
use super::{House, made, picture};

/// What is asked: a name for it, the status, method and path, content type and body.
type Case<'c> = (&'c str, u16, &'c str, String, &'c str, String);

/// More than any body may have, in bytes.
const TOO_MUCH: usize = (1 << 20) + 1;

/// An id that nothing has.
const UNKNOWN: &str = "9000000";

/// What stands below the root while bad requests are made.
struct Scene {
    hub: Hub,
    parent: String,
    child: String,
    user: String,
    project: String,
}

impl Scene {
    fn new(house: &House) -> Self {
        let hub = house.boss();
        let parent = made(&hub.post("/org", &json!({ "name": "Parent" })).one("organizations"));
        let child = json!({ "name": "Child", "parentId": parent });
        let child = made(&hub.post("/org", &child).one("organizations"));
        let user = json!({ "name": "U", "email": "taken@a.example", "role": "Member" });
        let user = made(&hub.post(&format!("/user/org/{child}"), &user).one("users"));
        let project = hub.post(&format!("/project/org/{child}"), &json!({ "name": "P" }));
        let project = made(&project.one("projects"));
        Self { hub, parent, child, user, project }
    }

    /// Makes every request of a table, and sees that nothing came of it.
    #[track_caller]
    fn refuse(&self, cases: Vec<Case<'_>>) {
        let before = picture(&self.hub);
        for (what, status, method, path, content, body) in cases {
            self.hub.call(method, &path, content, &body).refused(status, what);
        }
        assert_eq!(picture(&self.hub), before);
    }
}

/// JSON that is wrong for whatever is an object with a name.
fn bad_objects() -> Vec<(&'static str, String)> {
    let long = "x".repeat(257);
    vec![
        ("an empty body", String::new()),
        ("half an object", r#"{"name":"N""#.into()),
        ("a comma too many", r#"{"name":"N",}"#.into()),
        ("more after the end", r#"{"name":"N"} {}"#.into()),
        ("no JSON", "name=N".into()),
        ("a text", r#""N""#.into()),
        ("a number", "1".into()),
        ("null", "null".into()),
        ("an empty array", "[]".into()),
        ("a key twice", r#"{"name":"N","name":"N"}"#.into()),
        ("a key twice, once escaped", r#"{"name":"N","n\u0061me":"M"}"#.into()),
        ("a name that is a number", r#"{"name":1}"#.into()),
        ("a name that is an array", r#"{"name":["N"]}"#.into()),
        ("a name that is true", r#"{"name":true}"#.into()),
        ("an empty name", r#"{"name":""}"#.into()),
        ("a blank name", r#"{"name":" "}"#.into()),
        ("a name with a line end", r#"{"name":"a\nb"}"#.into()),
        ("a name with a zero", r#"{"name":"a\u0000b"}"#.into()),
        ("half a surrogate pair", r#"{"name":"\ud800"}"#.into()),
        ("a name too long", format!(r#"{{"name":"{long}"}}"#)),
        ("too deep", format!(r#"{{"name":"N","x":{}{}}}"#, "[".repeat(200), "]".repeat(200))),
        ("no end in sight", "[".repeat(100_000)),
    ]
}

#[test]
fn a_bad_object_is_refused_wherever_one_is_expected() {
    let house = House::new();
    let scene = Scene::new(&house);
    let mut cases: Vec<Case<'_>> = Vec::new();
    for (method, path) in [
        ("POST", "/org".to_owned()),
        ("PUT", format!("/org/{}", scene.child)),
        ("POST", format!("/project/org/{}", scene.child)),
        ("PUT", format!("/project/{}", scene.project)),
        ("PUT", format!("/user/{}", scene.user)),
    ] {
        for (what, body) in bad_objects() {
            cases.push((what, 400, method, path.clone(), JSON, body));
        }
        for (what, body) in
            [("a key twice in a form", "name=N&name=N"), ("a form that is no UTF-8", "name=%ff%fe")]
        {
            cases.push((what, 400, method, path.clone(), FORM, body.into()));
        }
        for content in ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json"]
        {
            let body = r#"{"name":"N"}"#.to_owned();
            cases.push(("another type", 415, method, path.clone(), content, body));
        }
    }
    for path in ["/org".to_owned(), format!("/project/org/{}", scene.child)] {
        cases.push(("no name", 400, "POST", path.clone(), JSON, "{}".into()));
        cases.push(("no name in a form", 400, "POST", path, FORM, "title=N".into()));
    }
    let path = format!("/org/{}", scene.child);
    cases.push(("no name", 400, "PUT", path, JSON, "{}".into()));
    scene.refuse(cases);
}

#[test]
fn a_body_over_a_mebibyte_is_refused_and_one_of_it_is_read() {
    let house = House::new();
    let scene = Scene::new(&house);
    let before = picture(&scene.hub);
    let padded = |length: usize| format!("{{\"x\":\"{}\"}}", "x".repeat(length - 8));
    for path in ["/token", "/org", &format!("/user/org/{}", scene.child)] {
        for content in [JSON, FORM] {
            scene.hub.call("POST", path, content, &padded(TOO_MUCH)).refused(413, "too much");
        }
        scene.hub.call("POST", path, JSON, &padded(TOO_MUCH - 1)).refused(400, "no name in it");
    }
    // The same in pieces, whose length nobody tells before.
    let body = format!("{:x}\r\n{}\r\n0\r\n\r\n", TOO_MUCH, padded(TOO_MUCH));
    let token = &scene.hub.token;
    let head =
        format!("Authorization: {token}\r\nContent-Type: {JSON}\r\nTransfer-Encoding: chunked");
    let answer = house.server.ask(&format!(
        "POST /hub/api/v1/org HTTP/1.1\r\nHost: any\r\nConnection: close\r\n{head}\r\n\r\n{body}"
    ));
    assert_eq!(answer.status(), 413, "{}", answer.0);
    let told: Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(told["metadata"]["code"], json!(413));
    assert_eq!(picture(&scene.hub), before);
}

#[test]
fn a_bad_call_of_organizations_is_refused() {
    let house = House::new();
    let scene = Scene::new(&house);
    let (parent, child) = (&scene.parent, &scene.child);
    let parent_of = |value: Value| json!({ "name": "N", "parentId": value }).to_string();
    let mut cases: Vec<Case<'_>> = Vec::new();
    for (status, value) in [
        (400, json!(true)),
        (400, json!([])),
        (400, json!({})),
        (400, json!(1.5)),
        (404, json!(UNKNOWN)),
        (404, json!(9_000_000)),
        (404, json!("99999999999999999999999999")),
    ] {
        cases.push(("a bad parent", status, "POST", "/org".into(), JSON, parent_of(value)));
    }
    let named = || r#"{"name":"N"}"#.to_owned();
    let path = |id: &str| format!("/org/{id}");
    let rows = [
        ("one's own and the root", 403, "PUT", "1"),
        ("one's own and the root", 403, "DELETE", "1"),
        ("with a child", 409, "DELETE", parent),
    ];
    for (what, status, method, id) in rows {
        let put = method == "PUT";
        let (content, body) = if put { (JSON, named()) } else { ("", String::new()) };
        cases.push((what, status, method, path(id), content, body));
    }
    for id in [UNKNOWN, "99999999999999999999999999", "abc", "1x", "-1", "0", "%31%20"] {
        cases.push(("unknown", 404, "GET", path(id), "", String::new()));
        cases.push(("unknown", 404, "DELETE", path(id), "", String::new()));
        cases.push(("unknown", 404, "PUT", path(id), JSON, named()));
        cases.push(("unknown", 404, "GET", format!("/org/{id}/templates"), "", String::new()));
    }
    for query in ["limit=0", "limit=10001", "limit=x", "limit=", "limit=-1", "limit=1&limit=1"] {
        for list in ["/org", &format!("/project/org/{child}"), &format!("/user/org/{child}")] {
            let path = format!("{list}?{query}");
            cases.push(("a bad query", 400, "GET", path, "", String::new()));
        }
    }
    for query in ["after=x", "after=1&after=2", "after=%ff"] {
        cases.push(("a bad query", 400, "GET", format!("/org?{query}"), "", String::new()));
    }
    scene.refuse(cases);
}

#[test]
fn a_bad_call_of_projects_is_refused() {
    let house = House::new();
    let scene = Scene::new(&house);
    let (place, path) =
        (format!("/project/org/{}", scene.child), format!("/project/{}", scene.project));
    let mut cases: Vec<Case<'_>> = Vec::new();
    for (what, status, more) in [
        ("a template nobody has", 404, json!({ "templateId": UNKNOWN })),
        ("a template that is a list", 400, json!({ "templateId": [] })),
        ("a description that is a number", 400, json!({ "description": 1 })),
        ("a description too long", 400, json!({ "description": "x".repeat(4_097) })),
    ] {
        let mut body = json!({ "name": "N" });
        body.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        cases.push((what, status, "POST", place.clone(), JSON, body.to_string()));
    }
    let ok = json!({ "details": { "type": "queue" } });
    let twice = json!({ "id": "1", "details": { "type": "queue" } });
    for (what, connections) in [
        ("connections that are an object", json!({})),
        ("connections that are a text", json!("queue")),
        ("a connection that is a text", json!(["queue"])),
        ("no details", json!([{}])),
        ("details that are a text", json!([{ "details": "queue" }])),
        ("no type", json!([{ "details": {} }])),
        ("a type that is a number", json!([{ "details": { "type": 1 } }])),
        ("an empty type", json!([{ "details": { "type": "" } }])),
        ("a type too long", json!([{ "details": { "type": "x".repeat(257) } }])),
        ("a name that is a number", json!([{ "details": { "type": "queue" }, "name": 1 }])),
        ("an id that is a list", json!([{ "details": { "type": "queue" }, "id": [] }])),
        ("an id twice", json!([twice, twice])),
        ("one good, one bad", json!([ok, {}])),
        ("too many", json!(vec![&ok; 101])),
    ] {
        let body = json!({ "connections": connections, "name": "Must not come" }).to_string();
        cases.push((what, 400, "PUT", path.clone(), JSON, body));
    }
    let twice = r#"{"connections":[{"details":{"type":"a","type":"b"}}]}"#;
    cases.push(("a key twice, deep inside", 400, "PUT", path, JSON, twice.into()));
    let good = || r#"{"name":"N"}"#.to_owned();
    for (method, path, body) in [
        ("GET", format!("/project/{UNKNOWN}"), None),
        ("DELETE", format!("/project/{UNKNOWN}"), None),
        ("PUT", format!("/project/{UNKNOWN}"), Some(good())),
        ("GET", format!("/project/org/{UNKNOWN}"), None),
        ("POST", format!("/project/org/{UNKNOWN}"), Some(good())),
        ("GET", "/project/abc".to_owned(), None),
    ] {
        let content = if body.is_some() { JSON } else { "" };
        cases.push(("unknown", 404, method, path, content, body.unwrap_or_default()));
    }
    scene.refuse(cases);
    let most = json!({ "connections": vec![&ok; 100], "description": "x".repeat(4_096) });
    let kept = scene.hub.put(&format!("/project/{}", scene.project), &most).one("projects");
    assert_eq!(kept["templateConnections"].as_array().unwrap().len(), 100);
}

fn user(name: &str, email: &str, role: &str) -> Value {
    json!({ "name": name, "email": email, "role": role })
}

/// Users that nobody can be, beside one whose address is `good@a.example`.
fn bad_users() -> Vec<(&'static str, u16, Value)> {
    vec![
        ("a role nobody knows", 400, user("N", "", "Emperor")),
        ("an empty role", 400, user("N", "", "")),
        ("a role of another dialect", 400, user("N", "", "API Key Sign In")),
        ("a role that is a list", 400, json!({ "name": "N", "email": "", "role": ["Member"] })),
        ("no name", 400, json!({ "email": "", "role": "Member" })),
        ("an empty name", 400, user("", "", "Member")),
        ("a name too long", 400, user(&"x".repeat(257), "", "Member")),
        ("a name that is a number", 400, json!({ "name": 1, "email": "", "role": "Member" })),
        ("no address", 400, user("N", "nobody", "Member")),
        (
            "an address too long",
            400,
            user("N", &format!("{}@a.example", "x".repeat(257)), "Member"),
        ),
        ("an address that is a number", 400, json!({ "name": "N", "email": 1, "role": "Member" })),
        ("an address that is taken", 409, user("N", "taken@a.example", "Member")),
        ("an address that is taken, in capitals", 409, user("N", "TAKEN@a.example", "Member")),
        ("the address of the one before", 409, user("N", "good@a.example", "Member")),
    ]
}

#[test]
fn a_bad_call_of_users_is_refused_and_of_an_array_none_is_made() {
    let house = House::new();
    let scene = Scene::new(&house);
    let (place, path) = (format!("/user/org/{}", scene.child), format!("/user/{}", scene.user));
    let good = user("Good", "good@a.example", "Member");
    let mut cases: Vec<Case<'_>> = Vec::new();
    for (what, status, user) in &bad_users() {
        let before_and_after =
            json!([good, user, { "name": "Late", "email": "", "role": "Member" }]);
        cases.push((what, *status, "POST", place.clone(), JSON, before_and_after.to_string()));
    }
    let other = json!([good, 1]).to_string();
    cases.push(("one that is no object", 400, "POST", place.clone(), JSON, other));
    let nested = json!([[good]]).to_string();
    cases.push(("an array in the array", 400, "POST", place.clone(), JSON, nested));
    let twice = r#"[{"name":"N","email":"","role":"Member","role":"Owner"}]"#;
    cases.push(("a key twice", 400, "POST", place.clone(), JSON, twice.into()));
    let many = json!(vec![user("N", "", "Member"); 301]).to_string();
    cases.push(("too many", 400, "POST", place.clone(), JSON, many));
    let form = "name=N&email=&role=Member";
    cases.push(("a form", 415, "POST", place.clone(), FORM, form.into()));
    for (what, status, value) in [
        ("a role nobody knows", 400, json!({ "role": "Emperor", "name": "Must not come" })),
        ("a role that is a number", 400, json!({ "role": 7, "name": "Must not come" })),
        ("no address", 400, json!({ "email": "nobody", "name": "Must not come" })),
    ] {
        cases.push((what, status, "PUT", path.clone(), JSON, value.to_string()));
    }
    for (method, path, body) in [
        ("GET", format!("/user/{UNKNOWN}"), None),
        ("DELETE", format!("/user/{UNKNOWN}"), None),
        ("PUT", format!("/user/{UNKNOWN}"), Some(json!({ "name": "N" }))),
        ("GET", format!("/user/org/{UNKNOWN}"), None),
        ("POST", format!("/user/org/{UNKNOWN}"), Some(json!([good]))),
        ("GET", "/user/abc".to_owned(), None),
    ] {
        let content = if body.is_some() { JSON } else { "" };
        let body = body.map(|it| it.to_string()).unwrap_or_default();
        cases.push(("unknown", 404, method, path, content, body));
    }
    scene.refuse(cases);
}

#[test]
fn three_hundred_users_can_be_made_at_once() {
    let house = House::new();
    let scene = Scene::new(&house);
    let many = json!(vec![user("N", "", "Member"); 300]);
    let made = scene.hub.post(&format!("/user/org/{}", scene.child), &many).list("users");
    assert_eq!(made.as_array().unwrap().len(), 300);
}

#[test]
fn an_address_is_its_owners_and_is_free_again_after_them() {
    let house = House::new();
    let scene = Scene::new(&house);
    let hub = &scene.hub;
    let user = |email: &str| user("N", email, "Member");
    let place = format!("/user/org/{}", scene.child);
    let other = made(&hub.post(&place, &user("other@a.example")).one("users"));
    let path = format!("/user/{other}");
    hub.put(&path, &json!({ "email": "taken@a.example" })).refused(409, "taken");
    assert_eq!(hub.get(&path).one("users")["email"], json!("other@a.example"));
    // It is taken in one organization only.
    let elsewhere = hub.post(&format!("/user/org/{}", scene.parent), &user("taken@a.example"));
    elsewhere.one("users");
    hub.delete(&format!("/user/{}", scene.user)).one("users");
    let taken = hub.put(&path, &json!({ "email": "taken@a.example" })).one("users");
    assert_eq!(taken["email"], json!("taken@a.example"));
}

#[test]
fn a_method_that_an_address_does_not_know_is_told_with_those_it_does() {
    let house = House::new();
    let scene = Scene::new(&house);
    let (child, user, project) = (&scene.child, &scene.user, &scene.project);
    let before = picture(&scene.hub);
    for (path, known) in [
        ("/token".to_owned(), &["POST"][..]),
        ("/org".to_owned(), &["GET", "POST"]),
        (format!("/org/{child}"), &["GET", "PUT", "DELETE"]),
        (format!("/org/{child}/templates"), &["GET"]),
        (format!("/project/org/{child}"), &["GET", "POST"]),
        (format!("/project/{project}"), &["GET", "PUT", "DELETE"]),
        (format!("/user/org/{child}"), &["GET", "POST"]),
        (format!("/user/{user}"), &["GET", "PUT", "DELETE"]),
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            if known.contains(&method) {
                continue;
            }
            let told = scene.hub.call(method, &path, "", "");
            let allow = told.answer.header("allow").unwrap_or_default().to_owned();
            told.refused(405, "a method");
            let told: Vec<&str> = allow.split(", ").collect();
            for method in known {
                assert!(told.contains(method), "{path}: {allow}");
            }
            assert!(!told.contains(&"PATCH") && told.len() <= known.len() + 1, "{path}: {allow}");
        }
    }
    assert_eq!(picture(&scene.hub), before);
}

#[test]
fn a_tree_has_a_greatest_depth() {
    let house = House::new();
    let hub = house.boss();
    let count = || hub.get("/org").list("organizations").as_array().unwrap().len();
    let (before, mut parent) = (count(), "1".to_owned());
    for depth in 1..=64 {
        let told = hub.post("/org", &json!({ "name": "Deeper", "parentId": parent }));
        if told.answer.status() != 200 {
            let status = told.answer.status();
            assert!([400, 409].contains(&status), "{}", told.answer.0);
            told.refused(status, "too deep");
            assert!((31..=33).contains(&depth), "refused at {depth}");
            assert_eq!(count(), before + depth - 1);
            return;
        }
        parent = made(&told.one("organizations"));
    }
    panic!("no depth is too great");
}
