//! The firehose: entries of many subjects, each with a token of its own; all count, or none does.

use serde_json::{Value, json};

use super::client::{Connector, bad_entries, batch, entry};
use super::{House, done, json_of, on_each_engine};

const FIREHOSE: &str = "POST /api/v1/firehose";

/// Three good entries, of three subjects.
fn three(connector: &Connector) -> [Value; 3] {
    let bob = connector.user(&json!({ "email": "bob@bob.com" }));
    let eve = connector.user(&json!({ "external_id": "42" }));
    let account = connector.account(&json!({ "domain": "bob.com" }));
    [
        entry("traits", &json!({ "name": "Bob" }), &bob),
        entry("track", &json!({ "event": "Viewed", "event_id": "1" }), &eve),
        entry("traits", &json!({ "name": "Bob Inc" }), &account),
    ]
}

#[test]
fn entries_of_many_subjects_share_a_batch() {
    on_each_engine("batch", |house| {
        let connector = &house.root;
        let answer = connector.send(house, &batch(&three(connector), 1));
        assert_eq!((answer.status(), answer.body()), (204, ""), "{}", answer.0);
        assert_eq!(house.subject("bob@bob.com")["traits"], json!({ "name": "Bob" }));
        assert_eq!(house.subject("domain=bob.com")["traits"], json!({ "name": "Bob Inc" }));
        assert_eq!(house.subject("external_id=42")["events"][0]["event"], "Viewed");
    });
}

#[test]
fn what_stands_on_top_is_the_secret_a_token_or_nothing_and_never_wrong() {
    let house = House::new();
    let connector = &house.root;
    let other = house.connector(&[]);
    let user = connector.user(&json!({ "email": "top@bob.com" }));
    for (number, (headers, status)) in (0..).zip([
        (connector.headers(), 204),
        (connector.bearing(&user), 204),
        (connector.named(), 204),
        (connector.bearing(&connector.account(&json!({ "domain": "top.com" }))), 204),
        (connector.bearing("wrong"), 401),
        (connector.bearing(&other.secret), 401),
        (connector.bearing(""), 401),
        (String::new(), 401),
        (other.named(), 401),
        (other.headers(), 401),
    ]) {
        let told = json!({ "n": { "operation": "inc", "value": 1 } });
        let entries = [entry("traits", &told, &connector.user(&json!({ "external_id": "42" })))];
        let answer = house.call(FIREHOSE, &headers, &batch(&entries, number).to_string());
        assert_eq!(answer.status(), status, "{headers}: {}", answer.0);
    }
    assert_eq!(house.subject("external_id=42")["traits"]["n"], 4);
    // The token on top acts for nobody.
    assert!(!house.knows("top@bob.com") && !house.knows("domain=top.com"));
}

#[test]
fn one_bad_entry_spoils_the_batch_and_each_is_told_by_its_index() {
    on_each_engine("bad_entries", |house| {
        let connector = &house.root;
        let other = house.connector(&[]);
        let bob = json!({ "email": "bob@bob.com" });
        let (good, account) =
            (connector.user(&bob), connector.account(&json!({ "domain": "b.com" })));
        let expired = json!({ "io.hull.asUser": bob, "exp": 1_700_000_000 });
        let forged = Connector { id: connector.id.clone(), secret: other.secret.clone() };
        let traits = json!({ "a": 1 });
        let without =
            |headers: Value| json!({ "type": "traits", "body": traits, "headers": headers });
        for (number, (bad, status)) in (0..).zip([
            (entry("traits", &traits, &connector.secret), 401),
            (entry("traits", &traits, &other.user(&bob)), 401),
            (entry("traits", &traits, &other.secret), 401),
            (entry("traits", &traits, &forged.user(&bob)), 401),
            (entry("traits", &traits, &connector.token(&expired)), 401),
            (entry("traits", &traits, &connector.user(&json!({}))), 401),
            (entry("traits", &traits, ""), 401),
            (entry("traits", &traits, "a.b.c"), 401),
            (entry("traits", &traits, &good.replace('.', "..")), 401),
            (without(json!({})), 401),
            (without(json!(null)), 401),
            (without(json!([good])), 401),
            (without(json!({ "Hull-Access-Token": [good] })), 401),
            (without(json!({ "Hull-Access-Token": good, "hull-access-token": good })), 401),
            (json!({ "type": "traits", "body": traits }), 401),
            (json!({}), 401),
            (entry("track", &json!({ "event": "e" }), &account), 403),
            (entry("incinerate", &json!({}), &good), 400),
            (json!({ "body": traits, "headers": { "Hull-Access-Token": good } }), 400),
            (entry("traits", &json!([1]), &good), 400),
            (entry("traits", &json!({ "n": { "operation": "inc" } }), &good), 400),
            (entry("track", &json!({}), &good), 400),
            (entry("alias", &json!({}), &good), 400),
            (entry("unalias", &json!({ "anonymous_id": "" }), &good), 400),
        ]) {
            let [first, second, third] = three(connector);
            let whole = batch(&[first, bad.clone(), second, bad.clone(), third], number);
            let answer = connector.send(house, &whole);
            assert_eq!(u64::from(answer.status()), status, "{bad}: {}", answer.0);
            assert_eq!(bad_entries(&answer), [(1, status), (3, status)], "{bad}");
            let told = json_of(&answer);
            assert_eq!(told["status"], status);
            assert!(!answer.0.contains(&good) && !answer.0.contains(&connector.secret), "{bad}");
            if status == 401 {
                assert_eq!(told["message"], "Unauthorized");
                assert_eq!(told["errors"][0]["error"], "invalid token", "{bad}");
            }
            for name in ["bob@bob.com", "external_id=42", "domain=bob.com"] {
                assert!(!house.knows(name), "{bad}");
            }
        }
        // The good entries alone are another batch, and count.
        assert_eq!(connector.send(house, &batch(&three(connector), 999)).status(), 204);
        assert!(house.knows("bob@bob.com"));
    });
}

#[test]
fn a_bad_token_outweighs_what_else_is_wrong() {
    let house = House::new();
    let connector = &house.root;
    let account = connector.account(&json!({ "domain": "b.com" }));
    let of_account = entry("track", &json!({ "event": "e" }), &account);
    let unknown = entry("incinerate", &json!({}), &account);
    let no_token = json!({ "type": "traits", "body": {}, "headers": {} });
    for (entries, status) in [
        (vec![unknown.clone(), of_account.clone(), no_token], 401),
        (vec![unknown.clone(), of_account], 403),
        (vec![unknown], 400),
    ] {
        let answer = connector.send(&house, &batch(&entries, 1));
        assert_eq!(answer.status(), status, "{}", answer.0);
        assert_eq!(bad_entries(&answer).len(), entries.len());
    }
}

#[test]
fn where_it_is_switched_on_the_good_entries_count_and_the_bad_are_told() {
    on_each_engine("partial", |house| {
        let connector = house.connector(&["--partial", "true"]);
        let bob = connector.user(&json!({ "email": "bob@bob.com" }));
        let [first, second, third] = three(&connector);
        let bad = json!({ "type": "traits", "body": {}, "headers": {} });
        let odd = entry("traits", &json!({ "n": { "operation": "inc" } }), &bob);
        let whole = batch(&[bad.clone(), first, odd, second, third, bad.clone()], 1);
        let answer = connector.send(house, &whole);
        assert_eq!(answer.status(), 200, "{}", answer.0);
        let mut told = bad_entries(&answer);
        told.sort_unstable();
        assert_eq!(told, [(0, 401), (2, 400), (5, 401)]);
        assert_eq!(house.subject("bob@bob.com")["traits"], json!({ "name": "Bob" }));
        assert!(house.knows("external_id=42") && house.knows("domain=bob.com"));
        // Nothing but bad entries is no success.
        let answer = connector.send(house, &batch(std::slice::from_ref(&bad), 2));
        assert_eq!((answer.status(), bad_entries(&answer)), (401, vec![(0, 401)]));
        house.home().done(&["connector", "set", &connector.id, "--partial", "false"]);
        let good = entry("traits", &json!({ "late": 1 }), &bob);
        assert_eq!(connector.send(house, &batch(&[good, bad], 3)).status(), 401);
        assert_eq!(house.subject("bob@bob.com")["traits"], json!({ "name": "Bob" }));
    });
}

#[test]
fn an_entry_that_its_subject_has_no_room_for_is_told_by_its_own_index() {
    let house = House::new();
    let partial = house.connector(&["--partial", "true"]);
    let bob = json!({ "email": "bob@bob.com" });
    for connector in [&house.root, &partial] {
        let token = connector.user(&bob);
        let large = |name: &str| entry("traits", &json!({ name: "x".repeat(60_000) }), &token);
        let no_token = json!({ "type": "traits", "body": {}, "headers": {} });
        let small = entry("traits", &json!({ "small": 1 }), &token);
        let mut entries = ["a", "b", "c", "d", "e"].map(large).to_vec();
        entries.push(small);
        let is_partial = connector.id == partial.id;
        if is_partial {
            entries.insert(0, no_token);
        }
        let answer = connector.send(&house, &batch(&entries, 1));
        let mut told = bad_entries(&answer);
        told.sort_unstable();
        if is_partial {
            assert_eq!((answer.status(), told), (200, vec![(0, 401), (5, 400)]));
            assert_eq!(house.subject("bob@bob.com")["traits"]["small"], 1);
        } else {
            assert_eq!((answer.status(), told), (400, vec![(4, 400)]));
            assert!(!house.knows("bob@bob.com"));
        }
    }
}

#[test]
fn the_firehose_has_the_root_of_a_host_of_its_own() {
    let house = House::new();
    let connector = &house.root;
    let body = |number| batch(&three(connector), number).to_string();
    for (number, (host, start, status)) in (0..).zip([
        ("firehose.example", "POST /", 204),
        ("firehose.example", "POST /?x=1", 204),
        ("firehose.example", FIREHOSE, 204),
        ("FIREHOSE.example", "POST /", 204),
        ("red.example", "POST /", 401),
        ("hull.example", "POST /", 404),
        ("firehose.example.evil", "POST /", 404),
        ("firehose.example", "GET /", 405),
        ("firehose.example", "POST /other", 404),
    ]) {
        let answer = house.call_at(host, start, &connector.headers(), &body(number));
        assert_eq!(answer.status(), status, "{host} {start}: {}", answer.0);
    }
}

#[test]
fn an_empty_batch_changes_nothing() {
    let house = House::new();
    assert_eq!(house.root.send(&house, &json!({ "batch": [] })).status(), 204);
    let headers = house.root.headers();
    let all = done(&house.call("POST /api/v1/search/user_reports", &headers, "{}"));
    assert_eq!(all["pagination"]["total"], 0);
}
