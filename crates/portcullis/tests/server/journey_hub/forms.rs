//! Bodies as forms, as JSON, and as neither says.

use serde_json::{Value, json};

use super::hub::{FORM, JSON, Secret, hash, nonce};
use super::{House, made};

#[test]
fn a_token_is_given_for_every_way_to_ask_and_whatever_the_authorization_header_says() {
    let house = House::new();
    for (hub, Secret { user_id, secret }, _) in house.everywhere() {
        let number: u64 = user_id.parse().unwrap();
        let parts = || {
            let nonce = nonce();
            (hash(secret, &nonce), nonce)
        };
        let json = |user: Value| {
            let (hash, nonce) = parts();
            let mut body = json!({ "nonce": nonce, "hash": hash });
            body.as_object_mut().unwrap().append(&mut user.as_object().unwrap().clone());
            body.to_string()
        };
        let form = |user: &str| {
            let (hash, nonce) = parts();
            format!("{user}&nonce={nonce}&hash={hash}")
        };
        let text = json(json!({ "userId": user_id }));
        for (headers, body) in [
            (content(JSON), text.replace(':', " : \n")),
            (content(JSON), json(json!({ "id": user_id }))),
            (content(JSON), json(json!({ "userId": number }))),
            (content(JSON), json(json!({ "id": number }))),
            (content(JSON), json(json!({ "id": user_id, "userId": user_id }))),
            (content(JSON), json(json!({ "userId": user_id, "more": { "of": ["it"] } }))),
            (content("application/json; charset=utf-8"), json(json!({ "userId": user_id }))),
            (content("Application/JSON"), json(json!({ "userId": user_id }))),
            (content(FORM), form(&format!("userId={user_id}"))),
            (content(FORM), form(&format!("id={user_id}"))),
            (content(FORM), form(&format!("id={user_id}&userId={user_id}&more=1"))),
            (content(&format!("{FORM}; charset=UTF-8")), form(&format!("userId={user_id}"))),
            (String::new(), json(json!({ "userId": user_id }))),
            (String::new(), form(&format!("userId={user_id}"))),
            (content(JSON) + "authorization: null\r\n", json(json!({ "id": user_id }))),
            (content(JSON) + "Authorization: Basic YTpi\r\n", json(json!({ "id": user_id }))),
            (content(JSON) + "Authorization: pcl_hub_no\r\n", json(json!({ "id": user_id }))),
        ] {
            let told = hub.send("POST", "/api/v1/token", &headers, body.as_bytes()).ok();
            assert!(told["token"][0]["token"].is_string(), "{headers}{body}");
        }
    }
}

fn content(kind: &str) -> String {
    format!("Content-Type: {kind}\r\n")
}

#[test]
fn whatever_is_said_in_json_can_be_said_in_a_form() {
    let house = House::new();
    for (hub, _, own) in house.everywhere() {
        let child = hub.form("POST", "/org", &format!("name=A+B%21&parentId={own}"));
        let child = child.one("organizations");
        let id = made(&child);
        assert_eq!(child, json!({ "id": id, "name": "A B!", "parentId": own }));
        let renamed = hub.form("PUT", &format!("/org/{id}"), "name=%C3%BC%26").one("organizations");
        assert_eq!(renamed["name"], json!("ü&"));
        let template = made(&hub.get(&format!("/org/{own}/templates")).one("templates"));
        let body = format!("name=P&description=&templateId={template}");
        let project = hub.form("POST", &format!("/project/org/{id}"), &body).one("projects");
        assert_eq!(project["templateId"], json!(template));
        assert_eq!(project["templateConnections"].as_array().unwrap().len(), 2);
        let path = format!("/project/{}", made(&project));
        let project = hub.form("PUT", &path, "description=new").one("projects");
        assert_eq!((&project["name"], &project["description"]), (&json!("P"), &json!("new")));
        // No content type: what begins as JSON is JSON, all else is a form.
        let plain = hub.call("POST", "/org", "", r#" {"name":"J"}"#).one("organizations");
        assert_eq!(plain["name"], json!("J"));
        let plain = hub.call("POST", "/org", "", "name=F").one("organizations");
        assert_eq!(plain["name"], json!("F"));
    }
}
