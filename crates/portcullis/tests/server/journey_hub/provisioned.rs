//! What the dialect makes is what every other part knows: users, organizations, their ends.

use serde_json::json;

use super::hub::Secret;
use super::{House, made};
use crate::upstream::answering;

#[test]
fn an_owner_made_by_a_script_is_given_a_secret_and_acts_for_their_own_organization() {
    let house = House::new();
    let (boss, home) = (house.boss(), &house.server.home);
    let organization = boss.post("/org", &json!({ "name": "Made" })).one("organizations");
    let own = made(&organization);
    let users = json!([
        { "name": "Olga", "email": "olga@a.example", "role": "Owner" },
        { "name": "Maria", "email": "", "role": "Member" },
    ]);
    let users = boss.post(&format!("/user/org/{own}"), &users).list("users");
    let (olga, maria) = (made(&users[0]), made(&users[1]));

    let shown = home.json(&["user", "show", &olga]);
    assert_eq!(shown["number"].to_string(), olga);
    assert_eq!((&shown["name"], &shown["email"]), (&json!("Olga"), &json!("olga@a.example")));
    assert_eq!(shown["state"], json!("active"));
    let listed = home.done(&["--json", "org", "list"]);
    assert!(listed.contains("\"Made\""), "{listed}");

    assert!(!home.run(&["user", "secret", &maria]).status.success(), "a member has no secret");
    let hub = house.boss_by(&Secret::make(home, &olga, "1"));
    assert_eq!(hub.get("/org").one("organizations")["id"], json!(own));
    assert_eq!(hub.get(&format!("/user/org/{own}")).list("users"), users);
    let promoted = hub.put(&format!("/user/{maria}"), &json!({ "role": "Owner" })).one("users");
    assert_eq!(promoted["role"], json!("Owner"));
    house.boss_by(&Secret::make(home, &maria, "1")).get("/org").one("organizations");
}

#[test]
fn nobody_deletes_themselves() {
    let house = House::new();
    let boss = house.boss();
    boss.delete(&format!("/user/{}", house.owner.user_id)).refused(403, "oneself");
    boss.get("/org").list("organizations");
}

#[test]
fn the_keys_of_an_organizations_users_end_with_it() {
    let house = House::new();
    let (boss, home) = (house.boss(), &house.server.home);
    let own = made(&boss.post("/org", &json!({ "name": "Made" })).one("organizations"));
    home.done(&["user", "create", "zoe", "--organization", &own]);
    let key = home.json(&["key", "create", "zoe"]);
    let upstream = format!("http://{}", answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    home.done(&["guard", "create", "keys", "--path", "/keys", "--upstream", &upstream]);
    let head = format!("GET /keys HTTP/1.1\r\nX-Api-Key: {}", key["key"].as_str().unwrap());
    assert_eq!(house.server.send(&head).status(), 200);
    boss.delete(&format!("/org/{own}")).one("organizations");
    assert_eq!(house.server.send(&head).status(), 401);
}
