//! Users and the accounts that they belong to.

use serde_json::{Value, json};

use super::client::{batch, entry};
use super::{House, on_each_engine};

/// The names that the account of a user is called by.
fn account_of(house: &House, user: &str) -> Value {
    let user = house.subject(user);
    let Some(account) = user["account"].as_str() else { return Value::Null };
    house.subject(account)["identifiers"].clone()
}

#[test]
fn a_token_of_both_links_them_and_acts_on_the_one_that_it_says() {
    on_each_engine("links", |house| {
        let connector = &house.root;
        let both = |kind: &str, user: &str, domain: &str| {
            connector.token(&json!({
                "io.hull.asUser": { "email": user }, "io.hull.asAccount": { "domain": domain },
                "io.hull.subjectType": kind,
            }))
        };
        connector.traits(house, &both("account", "bob@bob.com", "Bob.com"), &json!({ "k": 1 }));
        assert_eq!(account_of(house, "bob@bob.com"), json!({ "domain": ["bob.com"] }));
        assert_eq!(house.subject("domain=bob.com")["traits"], json!({ "k": 1 }));
        assert_eq!(house.subject("bob@bob.com")["traits"], json!({}));
        connector.traits(house, &both("user", "eve@bob.com", "bob.com"), &json!({ "u": 1 }));
        assert_eq!(account_of(house, "eve@bob.com"), json!({ "domain": ["bob.com"] }));
        assert_eq!(house.subject("eve@bob.com")["traits"], json!({ "u": 1 }));
        assert_eq!(house.subject("domain=bob.com")["traits"], json!({ "k": 1 }));
        // Another account takes its place, for this user alone.
        connector.traits(house, &both("account", "bob@bob.com", "new.com"), &json!({ "k": 2 }));
        assert_eq!(account_of(house, "bob@bob.com"), json!({ "domain": ["new.com"] }));
        assert_eq!(account_of(house, "eve@bob.com"), json!({ "domain": ["bob.com"] }));
    });
}

#[test]
fn the_account_of_a_user_is_acted_on_without_its_name() {
    let house = House::new();
    let connector = &house.root;
    let mine = |user: &str| {
        connector.token(&json!({
            "io.hull.asUser": { "email": user }, "io.hull.subjectType": "account",
        }))
    };
    let linking = connector.token(&json!({
        "io.hull.asUser": { "email": "bob@bob.com" }, "io.hull.asAccount": { "domain": "bob.com" },
        "io.hull.subjectType": "account",
    }));
    // Who has none has none made.
    connector.traits(&house, &mine("bob@bob.com"), &json!({ "k": 0 }));
    let entries = [
        entry("traits", &json!({ "k": 1 }), &linking),
        entry("traits", &json!({ "l": 2 }), &mine("bob@bob.com")),
    ];
    assert_eq!(connector.send(&house, &batch(&entries, 1)).status(), 204);
    assert_eq!(house.subject("domain=bob.com")["traits"], json!({ "k": 1, "l": 2 }));
    assert_eq!(house.subject("bob@bob.com")["traits"], json!({}));
}

#[test]
fn a_user_and_an_account_with_one_name_are_two() {
    let house = House::new();
    let connector = &house.root;
    let name = json!({ "external_id": "42" });
    connector.traits(&house, &connector.user(&name), &json!({ "kind": "user" }));
    connector.traits(&house, &connector.account(&name), &json!({ "kind": "account" }));
    assert_eq!(connector.me(&house, &name)["traits"], json!({ "kind": "user" }));
    // A domain is no name of a user, nor an address one of an account.
    for token in [
        connector.user(&json!({ "domain": "bob.com" })),
        connector.account(&json!({ "email": "bob@bob.com" })),
    ] {
        assert_eq!(connector.tell(&house, "me/traits", &token, &json!({})).status(), 401);
    }
}
