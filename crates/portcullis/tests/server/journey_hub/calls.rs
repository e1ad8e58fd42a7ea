//! Every call with its exact answer, below a prefix, by host, and for a second organization.

use serde_json::{Value, json};

use super::hub::{Hub, Secret};
use super::{House, made};

#[test]
fn every_call_of_organizations_answers_in_its_shape_wherever_it_is_mounted() {
    let house = House::new();
    for (hub, _, own) in house.everywhere() {
        let top = hub.get(&format!("/org/{own}")).one("organizations");
        let name = if own == "1" { top["name"].clone() } else { json!("Red") };
        // What stands above a tenant is not the tenant's to know.
        assert_eq!(top, json!({ "id": own, "name": name, "parentId": null }));
        let before = hub.get("/org").list("organizations");
        assert_eq!(before[0], top);

        // Absent is the caller's own; a number in either form is taken, and told as a text.
        let number: u64 = own.parse().unwrap();
        let mut children = Vec::new();
        for body in [
            json!({ "name": "Same name" }),
            json!({ "name": "Same name", "parentId": own }),
            json!({ "name": "Same name", "parentId": number }),
        ] {
            let child = hub.post("/org", &body).one("organizations");
            let id = made(&child);
            assert_eq!(child, json!({ "id": id, "name": "Same name", "parentId": own }));
            children.push(child);
        }
        let [first, second, third] = &children[..] else { panic!("{children:?}") };
        let below = hub.post("/org", &json!({ "name": "ü", "parentId": first["id"] }));
        let below = below.one("organizations");
        assert_eq!(below["parentId"], first["id"]);

        let mut all = before.as_array().unwrap().clone();
        all.extend([first, second, third, &below].map(Value::clone));
        assert_eq!(hub.get("/org").list("organizations"), json!(all));

        let path = format!("/org/{}", made(second));
        let renamed = json!({ "id": second["id"], "name": "New", "parentId": own });
        assert_eq!(hub.put(&path, &json!({ "name": "New" })).one("organizations"), renamed);
        assert_eq!(hub.get(&path).one("organizations"), renamed);

        for gone in [&below, first, &renamed, third] {
            let path = format!("/org/{}", made(gone));
            assert_eq!(hub.delete(&path).one("organizations"), *gone);
            hub.get(&path).refused(404, "deleted");
            hub.delete(&path).refused(404, "deleted already");
        }
        assert_eq!(hub.get("/org").list("organizations"), before);
    }
}

#[test]
fn every_call_of_templates_and_projects_answers_in_its_shape_wherever_it_is_mounted() {
    let house = House::new();
    for (hub, _, own) in house.everywhere() {
        let template = hub.get(&format!("/org/{own}/templates")).one("templates");
        let template_id = made(&template);
        let told = json!({ "id": template_id, "name": "Base", "description": "for all" });
        assert_eq!(template, told);

        let child = made(&hub.post("/org", &json!({ "name": "Child" })).one("organizations"));
        let place = format!("/project/org/{child}");
        assert_eq!(hub.get(&place).list("projects"), json!([]));

        let body = json!({ "name": "One", "description": "first :)", "templateId": template_id });
        let one = hub.post(&place, &body).one("projects");
        let id = made(&one);
        let connections = one["templateConnections"].clone();
        assert_eq!(
            one,
            json!({
                "id": id, "name": "One", "description": "first :)", "organizationId": child,
                "templateId": template_id, "templateConnections": connections,
            })
        );
        check_connections(&connections, &["queue", "email"]);
        assert_eq!(connections[1]["name"], json!("Mail out"));

        let two = hub.post(&place, &json!({ "name": "Two" })).one("projects");
        assert_eq!(
            two,
            json!({
                "id": made(&two), "name": "Two", "description": "", "organizationId": child,
                "templateId": null, "templateConnections": [],
            })
        );
        assert_eq!(hub.get(&place).list("projects"), json!([one, two]));
        let path = format!("/project/{id}");
        assert_eq!(hub.get(&path).one("projects"), one);

        check_updates(&hub, &path, &one);
        let last = hub.get(&path).one("projects");
        assert_eq!(hub.delete(&path).one("projects"), last);
        hub.get(&path).refused(404, "deleted");
        assert_eq!(hub.get(&place).list("projects"), json!([two]));
        // What is left of it dies with its organization.
        hub.delete(&format!("/org/{child}")).one("organizations");
        hub.get(&format!("/project/{}", made(&two))).refused(404, "its organization is gone");
        hub.get(&place).refused(404, "its organization is gone");
    }
}

fn check_updates(hub: &Hub, path: &str, before: &Value) {
    let mut expected = before.clone();
    assert_eq!(hub.put(path, &json!({})).one("projects"), expected);
    for (name, value) in [("name", "Renamed"), ("description", ""), ("description", "again")] {
        expected[name] = json!(value);
        assert_eq!(hub.put(path, &json!({ name: value })).one("projects"), expected);
    }
    // As the sample sends it, and with what its extraction may have lost.
    let sent = json!({ "connections": [
        { "details": { "type": "ftp" } },
        { "details": { "type": "queue", "more": { "deep": [] } }, "id": "77", "name": "Q", "x": 1 },
    ] });
    let updated = hub.put(path, &sent).one("projects");
    let connections = updated["templateConnections"].clone();
    check_connections(&connections, &["ftp", "queue"]);
    assert_eq!(connections[1], json!({ "id": "77", "name": "Q", "type": "queue" }));
    assert_ne!(connections[0]["id"], connections[1]["id"]);
    expected["templateConnections"] = connections;
    assert_eq!(updated, expected);
    assert_eq!(hub.get(path).one("projects"), expected);
    expected["templateConnections"] = json!([]);
    assert_eq!(hub.put(path, &json!({ "connections": [] })).one("projects"), expected);
}

#[track_caller]
fn check_connections(connections: &Value, types: &[&str]) {
    let connections = connections.as_array().unwrap();
    assert_eq!(connections.len(), types.len(), "{connections:?}");
    for (connection, expected) in connections.iter().zip(types) {
        let members = connection.as_object().unwrap();
        assert_eq!(members.keys().collect::<Vec<_>>(), ["id", "name", "type"]);
        assert!(members.values().all(Value::is_string), "{connection}");
        assert_eq!(connection["type"], json!(expected));
    }
}

#[test]
fn every_call_of_users_answers_in_its_shape_wherever_it_is_mounted() {
    let house = House::new();
    for (hub, _, _) in house.everywhere() {
        let child = made(&hub.post("/org", &json!({ "name": "Child" })).one("organizations"));
        let place = format!("/user/org/{child}");
        assert_eq!(hub.get(&place).list("users"), json!([]));
        let user = |name: &str, email: &str, role: &str| json!({ "name": name, "email": email, "role": role });
        // Two without an address are no duplicates; nor are two of one name.
        let sent = [
            user("Steve", "", "Owner"),
            user("Sally", "sally@a.example", "Operator"),
            user("Jack", "", "Configurer"),
            user("Jack", "jack@a.example", "Member"),
        ];
        let users = hub.post(&place, &json!(sent)).list("users");
        assert_eq!(users.as_array().unwrap().len(), sent.len(), "{users}");
        for (told, sent) in users.as_array().unwrap().iter().zip(&sent) {
            let mut expected = sent.clone();
            expected["id"] = json!(made(told));
            expected["organizationId"] = json!(child);
            assert_eq!(*told, expected);
        }
        assert_eq!(hub.get(&place).list("users"), users);
        let alone = hub.post(&place, &user("Alone", "", "Member")).one("users");
        assert_eq!(hub.get(&format!("/user/{}", made(&alone))).one("users"), alone);

        let mut expected = users[1].clone();
        let path = format!("/user/{}", made(&expected));
        assert_eq!(hub.get(&path).one("users"), expected);
        assert_eq!(hub.put(&path, &json!({})).one("users"), expected);
        for (name, value) in
            [("name", "Sal"), ("email", "sal@a.example"), ("email", ""), ("role", "Owner")]
        {
            expected[name] = json!(value);
            assert_eq!(hub.put(&path, &json!({ name: value })).one("users"), expected, "{name}");
        }
        expected["role"] = json!("Member");
        assert_eq!(hub.put(&path, &json!({ "role": "Member" })).one("users"), expected, "less");
        assert_eq!(hub.get(&path).one("users"), expected);
        assert_eq!(hub.delete(&path).one("users"), expected);
        hub.get(&path).refused(404, "deleted");
        hub.delete(&format!("/org/{child}")).one("organizations");
        hub.get(&format!("/user/{}", made(&alone))).refused(404, "their organization is gone");
    }
}

#[test]
fn a_token_is_answered_under_both_keys_with_its_expiry() {
    let house = House::new();
    for (hub, secret, _) in house.everywhere() {
        let answer = hub.ask_token(&secret.credentials(&super::hub::nonce())).ok();
        let token = &answer["token"][0];
        assert_eq!(answer, json!({ "token": [token], "tokens": [token] }));
        let members: Vec<_> = token.as_object().unwrap().keys().collect();
        assert_eq!(members, ["expiration", "token"]);
        assert!(token["token"].as_str().unwrap().starts_with("pcl_hub_"), "not ours");
        let moment = token["expiration"].as_str().unwrap();
        let shape: String =
            moment.chars().map(|it| if it.is_ascii_digit() { '0' } else { it }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{moment}");
        check_the_ways_to_send_it(&hub, secret, token["token"].as_str().unwrap());
    }
}

fn check_the_ways_to_send_it(hub: &Hub, secret: &Secret, token: &str) {
    for header in [
        format!("Authorization: {token}\r\n"),
        format!("authorization: {token}\r\n"),
        format!("Authorization: Bearer {token}\r\n"),
        format!("Authorization: bearer {token}\r\n"),
    ] {
        hub.send("GET", "/api/v1/org", &header, b"").list("organizations");
    }
    // Many may live at once.
    hub.sign_in(secret).get("/org").list("organizations");
    hub.with(token).get("/org").list("organizations");
}
