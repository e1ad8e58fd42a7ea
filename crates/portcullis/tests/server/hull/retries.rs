//! What is sent again because its answer was lost changes nothing twice.

use serde_json::json;

use super::client::{batch, entry};
use super::on_each_engine;

#[test]
fn the_very_same_batch_counts_once() {
    on_each_engine("retries", |house| {
        let connector = &house.root;
        let token = connector.user(&json!({ "email": "bob@bob.com" }));
        let entries = [
            entry("traits", &json!({ "n": { "operation": "inc", "value": 1 } }), &token),
            // No identity tells this event from another.
            entry("track", &json!({ "event": "Viewed" }), &token),
        ];
        let dated = batch(&entries, 1);
        for _ in 0..3 {
            assert_eq!(connector.send(house, &dated).status(), 204);
        }
        let count = || {
            let known = house.subject("bob@bob.com");
            (known["traits"]["n"].as_i64().unwrap(), known["events"].as_array().unwrap().len())
        };
        assert_eq!(count(), (1, 1));
        // Sent at another moment it is another batch; without one it cannot be told apart.
        assert_eq!(connector.send(house, &batch(&entries, 2)).status(), 204);
        assert_eq!(count(), (2, 2));
        for _ in 0..2 {
            assert_eq!(connector.send(house, &json!({ "batch": entries })).status(), 204);
        }
        assert_eq!(count(), (4, 4));
        // Of another connector it is another batch.
        let other = house.connector(&[]);
        let token = other.user(&json!({ "email": "bob@bob.com" }));
        let inc = entry("traits", &json!({ "n": { "operation": "inc", "value": 1 } }), &token);
        let mut own = batch(&[inc], 1);
        own["sentAt"] = dated["sentAt"].clone();
        assert_eq!(other.send(house, &own).status(), 204);
        assert_eq!(count(), (5, 4));
    });
}

#[test]
fn a_batch_that_was_refused_leaves_no_receipt() {
    on_each_engine("refused_first", |house| {
        let connector = &house.root;
        let bob = json!({ "email": "bob@bob.com" });
        let text = |number: u32| {
            let full = "x".repeat(60_000);
            let large = json!({ "a": full, "b": full, "c": full, "d": full });
            let token = connector.user(&bob);
            let one = entry("traits", &json!({ "e": full }), &token);
            (entry("traits", &large, &token), batch(&[one], number))
        };
        let (large, late) = text(7);
        assert_eq!(connector.send(house, &batch(&[large], 1)).status(), 204);
        assert_eq!(connector.send(house, &late).status(), 400);
        connector.traits(house, &connector.user(&bob), &json!({ "a": null }));
        // Now that there is room, the very same batch is taken, once.
        assert_eq!(connector.send(house, &late).status(), 204);
        assert_eq!(connector.send(house, &late).status(), 204);
        let known = house.subject("bob@bob.com");
        assert_eq!(known["traits"].as_object().unwrap().len(), 4);
    });
}

#[test]
fn one_batch_that_arrives_many_times_at_once_counts_once() {
    on_each_engine("retries_at_once", |house| {
        let connector = &house.root;
        let token = connector.user(&json!({ "email": "bob@bob.com" }));
        let inc = json!({ "n": { "operation": "inc", "value": 1 } });
        let whole = batch(&[entry("traits", &inc, &token)], 1);
        let (address, whole) = (&house.server.address, &whole);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| assert_eq!(connector.send_to(address, whole).status(), 204));
            }
        });
        assert_eq!(house.subject("bob@bob.com")["traits"]["n"], 1);
    });
}
