//! Whom identifiers mean: found, made, called otherwise, and turned out to be one.

use serde_json::{Value, json};

use super::client::{batch, entry};
use super::{House, done, on_each_engine};

fn id(house: &House, name: &str) -> String {
    house.subject(name)["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_subject_is_found_by_any_of_its_names_and_made_once() {
    on_each_engine("names", |house| {
        let connector = &house.root;
        let tell = |names: Value, told: Value| {
            connector.traits(house, &connector.user(&names), &told);
        };
        tell(json!({ "external_id": "42", "email": "bob@bob.com" }), json!({ "a": 1 }));
        let bob = id(house, "external_id=42");
        // In another case, by each alone, by its identity, and with a name that is new.
        tell(json!({ "email": "BOB@Bob.com" }), json!({ "b": 2 }));
        tell(json!({ "external_id": "42" }), json!({ "c": 3 }));
        tell(json!({ "id": bob }), json!({ "d": 4 }));
        tell(json!({ "external_id": "42", "anonymous_id": "s:1" }), json!({ "e": 5 }));
        tell(json!({ "anonymous_id": "s:1" }), json!({ "f": 6 }));
        tell(json!({ "guest_id": "s:1" }), json!({ "g": 7 }));
        let known = house.subject("anonymous_id=s:1");
        assert_eq!(known["id"], bob);
        assert_eq!(
            known["traits"],
            json!({ "a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7 })
        );
        assert_eq!(
            known["identifiers"],
            json!({ "external_id": ["42"], "email": ["bob@bob.com"], "anonymous_id": ["s:1"] })
        );
        // An external id is as it is written, and is believed before an e-mail address.
        tell(json!({ "external_id": "42 " }), json!({ "other": true }));
        assert_ne!(id(house, "external_id=42 "), bob);
        tell(json!({ "external_id": "43", "email": "bob@bob.com" }), json!({ "third": true }));
        assert_ne!(id(house, "external_id=43"), bob);
        assert_eq!(id(house, "bob@bob.com"), bob);
        // As a `sub`, as clients say an identity.
        let token = connector.token(&json!({ "sub": bob, "io.hull.subjectType": "user" }));
        connector.traits(house, &token, &json!({ "h": 8 }));
        assert_eq!(house.subject(&bob)["traits"]["h"], 8);
    });
}

#[test]
fn nobody_is_made_where_the_token_says_so_or_an_identity_is_unknown() {
    let house = House::new();
    let connector = &house.root;
    let nobody = json!({ "email": "nobody@bob.com" });
    let careful = connector.token(&json!({ "io.hull.asUser": nobody, "io.hull.create": false }));
    let unknown = connector.user(&json!({ "id": "0123456789abcdef01234567" }));
    for token in [&careful, &unknown] {
        connector.traits(&house, token, &json!({ "a": 1 }));
        let event = json!({ "event": "e", "event_id": "1" });
        done(&connector.tell(&house, "t", token, &event));
        done(&connector.tell(&house, "me/alias", token, &json!({ "anonymous_id": "s:9" })));
        let entries = [entry("traits", &json!({ "a": 1 }), token)];
        assert_eq!(connector.send(&house, &batch(&entries, 1)).status(), 204);
    }
    for name in ["nobody@bob.com", "0123456789abcdef01234567", "anonymous_id=s:9"] {
        assert!(!house.knows(name), "{name}");
    }
    connector.traits(&house, &connector.user(&nobody), &json!({ "b": 2 }));
    connector.traits(&house, &careful, &json!({ "a": 1 }));
    assert_eq!(house.subject("nobody@bob.com")["traits"], json!({ "a": 1, "b": 2 }));
}

#[test]
fn an_alias_is_a_name_until_it_is_taken_away() {
    on_each_engine("alias", |house| {
        let connector = &house.root;
        let bob = connector.user(&json!({ "email": "bob@bob.com" }));
        let named = json!({ "anonymous_id": "s:1" });
        done(&connector.tell(house, "me/alias", &bob, &named));
        done(&connector.tell(house, "me/alias", &bob, &named));
        assert_eq!(id(house, "anonymous_id=s:1"), id(house, "bob@bob.com"));
        let anonymous = connector.user(&named);
        connector.traits(house, &anonymous, &json!({ "a": 1 }));
        assert_eq!(house.subject("bob@bob.com")["traits"], json!({ "a": 1 }));
        done(&connector.tell(house, "me/unalias", &bob, &named));
        assert!(!house.knows("anonymous_id=s:1"));
        // Nobody is made to be called no longer.
        let stranger = connector.user(&json!({ "email": "new@bob.com" }));
        done(&connector.tell(house, "me/unalias", &stranger, &named));
        assert!(!house.knows("new@bob.com"));
        connector.traits(house, &anonymous, &json!({ "b": 2 }));
        assert_ne!(id(house, "anonymous_id=s:1"), id(house, "bob@bob.com"));
        for bad in [json!({}), json!({ "anonymous_id": "" }), json!({ "anonymous_id": 7 })] {
            for what in ["me/alias", "me/unalias"] {
                assert_eq!(connector.tell(house, what, &bob, &bad).status(), 400, "{what} {bad}");
            }
        }
        // In a batch, and of an account.
        let account = connector.account(&json!({ "domain": "bob.com" }));
        let entries = [
            entry("alias", &json!({ "anonymous_id": "s:2" }), &bob),
            entry("alias", &json!({ "anonymous_id": "a:1" }), &account),
            entry("unalias", &json!({ "anonymous_id": "s:2" }), &bob),
        ];
        assert_eq!(connector.send(house, &batch(&entries, 1)).status(), 204);
        assert!(!house.knows("anonymous_id=s:2"));
        assert_eq!(house.subject("anonymous_id=a:1")["kind"], "account");
    });
}

#[test]
fn who_was_nobody_yet_becomes_the_one_who_is_called_so_with_all_they_did() {
    on_each_engine("merge", |house| {
        let connector = &house.root;
        let ghost = connector.user(&json!({ "anonymous_id": "s:1" }));
        connector.traits(house, &ghost, &json!({ "seen": 3, "name": "?" }));
        for event_id in ["1", "2"] {
            let event = json!({ "event": "Viewed", "event_id": event_id });
            done(&connector.tell(house, "t", &ghost, &event));
        }
        let names = json!({ "email": "bob@bob.com" });
        let bob = connector.user(&names);
        connector.traits(house, &bob, &json!({ "name": "Bob" }));
        let event = json!({ "event": "Viewed", "event_id": "2" });
        done(&connector.tell(house, "t", &bob, &event));
        let kept = id(house, "bob@bob.com");
        done(&connector.tell(house, "me/alias", &bob, &json!({ "anonymous_id": "s:1" })));
        let known = house.subject("anonymous_id=s:1");
        assert_eq!(known["id"], kept);
        // What the one who stays knows stands; told of both, it happened once.
        assert_eq!(known["traits"], json!({ "name": "Bob", "seen": 3 }));
        assert_eq!(known["events"].as_array().unwrap().len(), 2, "{known}");
        // Who is known by more than that stays whoever they are.
        let eve = connector.user(&json!({ "email": "eve@bob.com", "anonymous_id": "s:2" }));
        connector.traits(house, &eve, &json!({ "a": 1 }));
        done(&connector.tell(house, "me/alias", &bob, &json!({ "anonymous_id": "s:2" })));
        assert_eq!(id(house, "anonymous_id=s:2"), id(house, "eve@bob.com"));
    });
}

#[test]
fn an_event_happens_once_however_often_it_is_told() {
    on_each_engine("events", |house| {
        let connector = &house.root;
        let bob = connector.user(&json!({ "email": "bob@bob.com" }));
        let told = json!({
            "event": "Viewed", "event_id": "ev-1", "ip": null, "url": "https://a.example/?q=1",
            "referer": null, "source": "x", "properties": { "p": 1 },
            "created_at": "2026-11-22T06:11:19.007Z", "unknown": 1,
        });
        done(&connector.tell(house, "t", &bob, &told));
        done(&connector.tell(house, "t", &bob, &told));
        let entries = [entry("track", &told, &bob), entry("track", &told, &bob)];
        for number in [1, 2] {
            assert_eq!(connector.send(house, &batch(&entries, number)).status(), 204);
        }
        let known = house.subject("bob@bob.com");
        let [event] = &known["events"].as_array().unwrap()[..] else { panic!("{known}") };
        assert_eq!(event["event"], "Viewed");
        assert_eq!(event["event_id"], "ev-1");
        assert_eq!(event["properties"], json!({ "p": 1 }));
        assert_eq!(event["context"], json!({ "source": "x", "url": "https://a.example/?q=1" }));
        assert!(event["moment"].as_str().unwrap().starts_with("2026-11-22T06:11:19"), "{event}");
        // Of another user it is another, and without an identity each is its own.
        let eve = connector.user(&json!({ "email": "eve@bob.com" }));
        done(&connector.tell(house, "t", &eve, &told));
        assert_eq!(house.subject("eve@bob.com")["events"].as_array().unwrap().len(), 1);
        for _ in 0..2 {
            done(&connector.tell(house, "t", &bob, &json!({ "event": "Clicked", "ip": 0 })));
        }
        assert_eq!(house.subject("bob@bob.com")["events"].as_array().unwrap().len(), 3);
        for bad in [
            json!({}),
            json!({ "event": "" }),
            json!({ "event": 7 }),
            json!({ "event": "e", "event_id": { "a": 1 } }),
            json!({ "event": "e", "properties": [1] }),
            json!({ "event": "e", "properties": { "p": "x".repeat(65_536) } }),
            json!({ "event": "e".repeat(256) }),
        ] {
            assert_eq!(connector.tell(house, "t", &bob, &bad).status(), 400, "{bad}");
        }
    });
}
