//! Subjects are those of one organization, and nobody else's.

use serde_json::{Value, json};

use super::client::Connector;
use super::{House, done};

#[test]
fn one_name_in_two_organizations_is_two_subjects() {
    let house = House::new();
    let home = house.home();
    let branch = home.json(&["org", "create", "Branch"])["number"].to_string();
    home.done(&["user", "create", "kim", "--organization", &branch]);
    let of_branch = Connector::create(home, "kim", &[]);
    let red = house.connector_of_red();
    let second = house.connector(&[]);
    let bob = json!({ "email": "bob@bob.com" });
    let everywhere = [
        ("hull.example", &house.root, "1"),
        ("hull.example", &of_branch, &*branch),
        ("red.example", &red, &*house.red),
    ];
    for (host, connector, name) in everywhere {
        let headers = connector.bearing(&connector.user(&bob));
        let body = json!({ "of": name }).to_string();
        done(&house.call_at(host, "POST /api/v1/me/traits", &headers, &body));
    }
    let mut ids = Vec::new();
    for (host, connector, name) in everywhere {
        let headers = connector.bearing(&connector.admin(&bob));
        let told = done(&house.call_at(host, "GET /api/v1/me", &headers, ""));
        assert_eq!(told["traits"], json!({ "of": name }));
        ids.push(told["id"].as_str().unwrap().to_owned());
        let all = house.call_at(host, "POST /api/v1/search/user_reports", &connector.headers(), "");
        assert_eq!(done(&all)["pagination"]["total"], 1, "{name}");
        let shown = home.json(&["hull", "subject", "bob@bob.com", "--organization", name]);
        assert_eq!(shown["traits"], json!({ "of": name }));
        let lines = home.done(&["hull", "export", "--organization", name]);
        let lines: Vec<Value> = lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        assert_eq!(lines.len(), 1, "{name}");
    }
    // Another's identity names nobody, whoever asks and however.
    for (host, connector, name) in everywhere {
        for (id, _) in ids.iter().zip(everywhere).filter(|(_, it)| it.2 != name) {
            check_that_nobody_is(&house, host, connector, id);
        }
    }
    for (host, connector, name) in everywhere {
        let headers = connector.bearing(&connector.admin(&bob));
        let told = done(&house.call_at(host, "GET /api/v1/me", &headers, ""));
        assert_eq!(told["traits"], json!({ "of": name }));
    }
    // Connectors of one organization tell of the same subjects.
    assert_eq!(second.me(&house, &bob)["traits"], json!({ "of": "1" }));
}

/// Whatever the connector asks for or tells of the identity, it is nobody's.
fn check_that_nobody_is(house: &House, host: &str, connector: &Connector, id: &str) {
    let call = |start: &str, headers: &str, body: &str| house.call_at(host, start, headers, body);
    let own = connector.headers();
    for (method, body) in [("GET", ""), ("PUT", "{\"stolen\":1}"), ("DELETE", "{}")] {
        let answer = call(&format!("{method} /api/v1/{id}"), &own, body);
        assert_eq!(answer.status(), 404, "{method}");
    }
    let by_id = connector.bearing(&connector.admin(&json!({ "id": id })));
    assert_eq!(call("GET /api/v1/me", &by_id, "").status(), 404);
    done(&call("POST /api/v1/me/traits", &by_id, "{\"stolen\":1}"));
    for (what, field) in [("user_reports", "id"), ("events", "user_id")] {
        let body = json!({ "query": { "term": { field: id } } }).to_string();
        let found = done(&call(&format!("POST /api/v1/search/{what}"), &own, &body));
        assert_eq!(found["data"], json!([]), "{what}");
    }
}

#[test]
fn what_one_connector_keeps_is_not_anothers() {
    let house = House::new();
    let other = house.connector(&[]);
    let put = "{\"private_settings\":{\"x\":1}}";
    done(&house.call("PUT /api/v1/app", &house.root.headers(), put));
    let kept = |connector: &Connector| {
        done(&house.call("GET /api/v1/app", &connector.headers(), ""))["private_settings"].clone()
    };
    assert_eq!((kept(&house.root), kept(&other)), (json!({ "x": 1 }), json!({})));
    // The other's id is no address of this one.
    let start = format!("/api/v1/{}", other.id);
    for (method, body) in [("GET", ""), ("PUT", put), ("DELETE", "{}")] {
        let answer = house.call(&format!("{method} {start}"), &house.root.headers(), body);
        assert_eq!(answer.status(), 404, "{method}");
    }
    assert_eq!(kept(&other), json!({}));
}
