//! Traits: what operations make of them, and what cannot be one.

use serde_json::{Value, json};

use super::client::{Connector, batch, entry};
use super::{House, done, on_each_engine};

#[test]
fn a_trait_becomes_what_its_operation_says() {
    let bob = json!({ "email": "bob@bob.com" });
    on_each_engine("traits", |house| {
        let connector = &house.root;
        let token = connector.user(&bob);
        let operation = |word: &str, value: Value| json!({ "operation": word, "value": value });
        for (told, expected) in [
            (json!({ "name": "Bob", "n": 1 }), json!({ "name": "Bob", "n": 1 })),
            (json!({ "n": operation("inc", json!(2)) }), json!({ "name": "Bob", "n": 3 })),
            (json!({ "n": operation("dec", json!(1)) }), json!({ "name": "Bob", "n": 2 })),
            (json!({ "n": operation("increment", json!(1)) }), json!({ "name": "Bob", "n": 3 })),
            (json!({ "n": operation("decrement", json!(2)) }), json!({ "name": "Bob", "n": 1 })),
            (json!({ "n": operation("inc", json!(0.5)) }), json!({ "name": "Bob", "n": 1.5 })),
            (json!({ "n": operation("setIfNull", json!(9)) }), json!({ "name": "Bob", "n": 1.5 })),
            (json!({ "n": operation("set", json!(7)) }), json!({ "name": "Bob", "n": 7 })),
            (json!({ "name": null }), json!({ "n": 7 })),
            (json!({ "name": operation("setIfNull", json!("B")) }), json!({ "name": "B", "n": 7 })),
            (json!({ "name": operation("set", Value::Null) }), json!({ "n": 7 })),
            (json!({ "new": operation("inc", json!(1)) }), json!({ "n": 7, "new": 1 })),
            (
                json!({ "new": null, "less": operation("dec", json!(1)) }),
                json!({ "n": 7, "less": -1 }),
            ),
            (json!({ "less": null, "n": "text" }), json!({ "n": "text" })),
            (json!({ "n": operation("inc", json!(4)) }), json!({ "n": 4 })),
            (json!({}), json!({ "n": 4 })),
            // A group, a list, and objects that are no operation.
            (
                json!({ "n": null, "zendesk/open_tickets": 18, "tags": ["a", "b"] }),
                json!({ "zendesk/open_tickets": 18, "tags": ["a", "b"] }),
            ),
            (
                json!({ "zendesk/open_tickets": operation("inc", json!(1)), "tags": { "a": 1 } }),
                json!({ "zendesk/open_tickets": 19, "tags": { "a": 1 } }),
            ),
            (
                json!({ "tags": operation("multiply", json!(2)) }),
                json!({ "zendesk/open_tickets": 19, "tags": operation("multiply", json!(2)) }),
            ),
        ] {
            connector.traits(house, &token, &told);
            assert_eq!(connector.me(house, &bob)["traits"], expected, "{told}");
        }
        assert_eq!(house.subject("bob@bob.com")["traits"]["zendesk/open_tickets"], 19);
        let report = connector.bearing(&connector.admin(&bob));
        let report = done(&house.call("GET /api/v1/me/user_report", &report, ""));
        assert_eq!(report["traits_zendesk/open_tickets"], 19, "{report}");
    });
}

#[test]
fn put_and_post_tell_traits_alike_and_the_entries_of_a_batch_in_their_order() {
    let bob = json!({ "external_id": "42" });
    on_each_engine("traits_order", |house| {
        let connector = &house.root;
        let token = connector.user(&bob);
        let put = house.call("PUT /api/v1/me/traits", &connector.bearing(&token), "{\"a\":1}");
        done(&put);
        connector.traits(house, &token, &json!({ "b": 2 }));
        let inc = json!({ "a": { "operation": "inc", "value": 10 } });
        let entries = [
            entry("traits", &inc, &token),
            entry("traits", &json!({ "a": 5 }), &token),
            entry("traits", &inc, &token),
        ];
        assert_eq!(connector.send(house, &batch(&entries, 1)).status(), 204);
        assert_eq!(connector.me(house, &bob)["traits"], json!({ "a": 15, "b": 2 }));
    });
}

#[test]
fn what_cannot_be_a_trait_is_refused_whole_and_changes_nothing() {
    let house = House::new();
    let connector = &house.root;
    let bob = json!({ "email": "bob@bob.com" });
    let token = connector.user(&bob);
    connector.traits(&house, &token, &json!({ "a": 1, "most": i64::MAX }));
    let before = connector.me(&house, &bob);
    let many: Value = (0..501)
        .map(|number| (number.to_string(), json!(1)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (body, status) in [
        (json!({ "a": 2, "n": { "operation": "inc", "value": "1" } }).to_string(), 400),
        (json!({ "a": 2, "n": { "operation": "dec" } }).to_string(), 400),
        (json!({ "a": 2, "": 1 }).to_string(), 400),
        (json!({ "a": 2, " ": 1 }).to_string(), 400),
        (json!({ "a": 2, "b\n": 1 }).to_string(), 400),
        (json!({ "a": 2, "b".repeat(256): 1 }).to_string(), 400),
        (json!({ "a": 2, "b": "x".repeat(65_536) }).to_string(), 400),
        (many.to_string(), 400),
        ("[1]".into(), 400),
        ("7".into(), 400),
        ("{\"a\":2".into(), 400),
        ("{\"a\":2,\"a\":3}".into(), 400),
        ("{\"a\":1e999}".into(), 400),
        (format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200)), 400),
        (format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20)), 413),
    ] {
        let answer = house.call("POST /api/v1/me/traits", &connector.bearing(&token), &body);
        assert_eq!(answer.status(), status, "{body:.60}: {:.300}", answer.0);
        assert!(answer.body().len() < 500, "{body:.60}");
        assert_eq!(connector.me(&house, &bob), before, "{body:.60}");
    }
    // What is beyond whole numbers is counted on, roughly.
    let told = json!({ "most": { "operation": "inc", "value": 1 } });
    connector.traits(&house, &token, &told);
    assert!(connector.me(&house, &bob)["traits"]["most"].as_f64() >= Some(9.2e18));
}

const CALLERS: u32 = 8;
const EACH: u32 = 10;

/// Counts what all share, under this name or that, and tells something of its own beside.
fn count(connector: &Connector, address: &str, caller: u32) {
    let both = json!({ "email": "bob@bob.com", "external_id": "42" });
    let tokens = [json!({ "email": "Bob@bob.com" }), json!({ "external_id": "42" }), both]
        .map(|names| connector.user(&names));
    let inc = json!({ "n": { "operation": "inc", "value": 1 } });
    for number in 0..EACH {
        let mine = json!({ format!("of {caller}"): number });
        let entries = [
            entry("traits", &inc, &tokens[2]),
            entry("traits", &mine, &tokens[number as usize % 3]),
        ];
        let answer = connector.send_to(address, &batch(&entries, caller * EACH + number));
        assert_eq!(answer.status(), 204, "{}", answer.0);
    }
}

#[test]
fn many_who_count_at_once_lose_nothing_and_make_nobody_twice() {
    on_each_engine("traits_race", |house| {
        let (connector, address) = (&house.root, &house.server.address);
        std::thread::scope(|scope| {
            (0..CALLERS)
                .for_each(|caller| drop(scope.spawn(move || count(connector, address, caller))));
        });
        let traits = &house.subject("external_id=42")["traits"];
        assert_eq!(traits["n"], CALLERS * EACH);
        assert!((0..CALLERS).all(|it| traits[format!("of {it}")] == EACH - 1), "{traits}");
        assert_eq!(house.subject("bob@bob.com")["id"], house.subject("external_id=42")["id"]);
        let all = done(&house.call("POST /api/v1/search/user_reports", &connector.headers(), "{}"));
        assert_eq!(all["pagination"]["total"], 1, "{all}");
    });
}
