//! How a connector names and proves itself, and that every failure looks the same.

use serde_json::{Value, json};

use super::client::Connector;
use super::{House, done, json_of};
use crate::common::Answer;

/// Made with the libraries of the vendor's clients.
const VECTORS: &str = include_str!("../../../../portcullis-core/tests/vectors/hull_jwt.json");

const APP: &str = "GET /api/v1/app";
const UNKNOWN: &str = "0123456789abcdef01234567";

/// What all who cannot prove themselves are told.
#[track_caller]
fn refused(answer: &Answer) -> String {
    assert_eq!(json_of(answer), json!({ "status": 401, "message": "Unauthorized" }));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.status(), 401);
    answer.anonymous()
}

#[test]
fn every_vector_is_answered_as_it_is_named() {
    let house = House::new();
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let text = |name: &str| vectors[name].as_str().unwrap();
    let connector = Connector::import(house.home(), text("app_id"), text("secret"), &[]);
    for (name, token) in vectors.as_object().unwrap() {
        if ["secret", "app_id"].contains(&name.as_str()) {
            continue;
        }
        let answer = connector.tell(&house, "me/traits", token.as_str().unwrap(), &json!({}));
        if name.starts_with("valid") { drop(done(&answer)) } else { drop(refused(&answer)) }
    }
}

/// Headers that prove nobody.
fn wrong(mine: &Connector, other: &Connector) -> Vec<String> {
    let user = json!({ "email": "bob@bob.com" });
    let good = mine.user(&user);
    let claims = |more: Value| {
        let mut claims = json!({ "io.hull.asUser": user });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        mine.token(&claims)
    };
    let of_other = Connector { id: mine.id.clone(), secret: other.secret.clone() };
    let doubled = Connector { id: mine.id.clone(), secret: good.clone() };
    vec![
        String::new(),
        mine.named(),
        format!("Hull-Access-Token: {}\r\n", mine.secret),
        format!("Hull-App-Id: {UNKNOWN}\r\nHull-Access-Token: {}\r\n", mine.secret),
        format!("Hull-App-Id: {UNKNOWN}\r\nHull-Access-Token: {good}\r\n"),
        format!("Hull-App-Id: not-an-id\r\nHull-Access-Token: {}\r\n", mine.secret),
        format!("Hull-App-Id: \r\nHull-Access-Token: {}\r\n", mine.secret),
        format!("Authorization: Bearer {}\r\n", mine.secret),
        mine.bearing(""),
        mine.bearing(&other.secret),
        mine.bearing(&mine.secret[1..]),
        mine.bearing(&mine.secret.to_uppercase()),
        mine.bearing(&good[..good.len() - 1]),
        mine.bearing(&of_other.user(&user)),
        mine.bearing(&doubled.user(&user)),
        other.bearing(&good),
        mine.bearing(&claims(json!({ "iss": other.id }))),
        mine.bearing(&claims(json!({ "iss": null }))),
        mine.bearing(&claims(json!({ "iat": null }))),
        mine.bearing(&claims(json!({ "iat": "1700000000" }))),
        mine.bearing(&claims(json!({ "iat": 4_102_444_800_i64 }))),
        mine.bearing(&claims(json!({ "exp": 1_700_000_000 }))),
        mine.bearing(&claims(json!({ "exp": 0 }))),
        mine.bearing(&claims(json!({ "exp": "4102444800" }))),
        mine.bearing(&claims(json!({ "nbf": 4_102_444_800_i64 }))),
        mine.bearing(&claims(json!({ "io.hull.subjectType": "robot" }))),
        mine.bearing(&mine.user(&json!({}))),
        mine.bearing(&mine.user(&json!("{\"email\":\"bob@bob.com\"}"))),
        mine.bearing(&mine.token(&json!({ "io.hull.subjectType": "user" }))),
        mine.bearing(&mine.user(&json!({ "email": "b".repeat(9_000) }))),
        // Two values of one header.
        format!("{}Hull-Access-Token: {}\r\n", mine.headers(), other.secret),
        format!("{}Hull-App-Id: {}\r\n", mine.headers(), other.id),
    ]
}

#[test]
fn who_cannot_prove_themselves_is_told_the_same_whatever_is_wrong() {
    let house = House::new();
    let (mine, other) = (&house.root, house.connector(&[]));
    let mut told = Vec::new();
    for headers in wrong(mine, &other) {
        let answer = house.call("POST /api/v1/me/traits", &headers, "{}");
        if answer.status() != 431 {
            told.push(refused(&answer));
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:#?}");
    // The firehose tells no more, where the whole request is refused.
    for headers in [
        String::new(),
        format!("Hull-App-Id: {UNKNOWN}\r\n"),
        format!("Hull-App-Id: {UNKNOWN}\r\nHull-Access-Token: {}\r\n", mine.secret),
        mine.bearing("wrong"),
        mine.bearing(""),
    ] {
        let answer = house.call("POST /api/v1/firehose", &headers, "{\"batch\":[]}");
        assert_eq!(refused(&answer), told[0], "{headers}");
    }
}

#[test]
fn a_connector_is_known_by_headers_in_any_case_and_whatever_stands_in_the_query() {
    let house = House::new();
    let Connector { id, secret } = &house.root;
    for (start, headers) in [
        (APP, house.root.headers()),
        (APP, format!("hull-app-id: {id}\r\nhull-access-token: {secret}\r\n")),
        (APP, format!("HULL-ACCESS-TOKEN: {secret}\r\nHULL-APP-ID: {id}\r\n")),
        ("GET /api/v1/app?id=x&secret=y", house.root.headers()),
        ("GET /api/v1/app?id=1&id=2&shipId=3", house.root.headers()),
    ] {
        assert_eq!(done(&house.call(start, &headers, ""))["id"], **id, "{start} {headers}");
    }
}

#[test]
fn the_query_proves_those_connectors_for_which_it_is_switched_on() {
    let house = House::new();
    let (off, on) = (&house.root, house.connector(&["--query", "true"]));
    let query = |connector: &Connector, proof: &str| {
        format!("GET /api/v1/app?id={}&secret={proof}", connector.id)
    };
    let admin = |connector: &Connector| connector.admin(&json!({ "email": "bob@bob.com" }));
    refused(&house.call(&query(off, &off.secret), "", ""));
    refused(&house.call(&query(off, &admin(off)), "", ""));
    done(&house.call(&query(&on, &on.secret), "", ""));
    done(&house.call(&query(&on, &admin(&on)), "", ""));
    let Connector { id, secret } = &on;
    for start in [
        query(&on, &off.secret),
        format!("GET /api/v1/app?id={id}"),
        format!("GET /api/v1/app?secret={secret}"),
        format!("GET /api/v1/app?app_id={id}&access_token={secret}"),
        format!("GET /api/v1/app?id={id}&secret={secret}&secret=x"),
        format!("GET /api/v1/app?id={UNKNOWN}&id={id}&secret={secret}"),
    ] {
        refused(&house.call(&start, "", ""));
    }
    // One of them in a header, and the other in the query.
    refused(&house.call(&format!("GET /api/v1/app?secret={secret}"), &on.named(), ""));
    refused(&house.call(&query(&on, secret), &on.named(), ""));
    let token = format!("Hull-Access-Token: {secret}\r\n");
    refused(&house.call(&format!("GET /api/v1/app?id={id}"), &token, ""));
    refused(&house.call(&query(&on, secret), &token, ""));
    // What is switched off again does not count any more.
    house.home().done(&["connector", "set", id, "--query", "false"]);
    refused(&house.call(&query(&on, secret), "", ""));
    done(&house.call(APP, &on.headers(), ""));
}

#[test]
fn a_connector_that_is_bound_to_an_organization_refuses_another() {
    let house = House::new();
    let bound = house.connector(&["--hull-organization", "acme.hullapp.io"]);
    let says = |connector: &Connector, organization: &str| {
        let headers = format!("{}Hull-Organization: {organization}\r\n", connector.headers());
        house.call(APP, &headers, "")
    };
    for organization in ["acme.hullapp.io", "ACME.hullapp.io"] {
        done(&says(&bound, organization));
    }
    done(&house.call(APP, &bound.headers(), ""));
    for organization in ["other.hullapp.io", "acme.hullapp.io.evil", ""] {
        refused(&says(&bound, organization));
        done(&says(&house.root, organization));
    }
    let headers = format!("{}Hull-Organization: other.hullapp.io\r\n", bound.headers());
    refused(&house.call("POST /api/v1/firehose", &headers, "{\"batch\":[]}"));
    house.home().done(&["connector", "set", &bound.id, "--hull-organization", ""]);
    done(&says(&bound, "other.hullapp.io"));
}

#[test]
fn a_limited_connector_counts_at_its_guards_and_from_its_networks() {
    let house = House::new();
    let connector = house.connector(&[]);
    let user = connector.user(&json!({ "email": "bob@bob.com" }));
    let batch = json!({ "batch": [
        { "type": "traits", "body": {}, "headers": { "Hull-Access-Token": user } },
    ] });
    let ask = || {
        let (open, batch) = ("GET /open/x", batch.to_string());
        [
            house.call(APP, &connector.headers(), "").status(),
            house.call("POST /api/v1/me/traits", &connector.bearing(&user), "{}").status(),
            house.call("POST /api/v1/firehose", &connector.headers(), "{\"batch\":[]}").status(),
            house.call("POST /api/v1/firehose", &connector.named(), &batch).status(),
            house.call("POST /api/v1/firehose", &connector.named(), "{\"batch\":[]}").status(),
            house.call(open, &connector.headers(), "").status(),
            house.call("GET /closed/x", &connector.headers(), "").status(),
        ]
    };
    for (limits, expected) in [
        (&[][..], [200, 200, 204, 204, 401, 200, 200]),
        (&["--guard", "open"], [401, 401, 401, 401, 401, 200, 401]),
        (&["--network", "127.0.0.0/8"], [200, 200, 204, 204, 401, 200, 200]),
        (&["--network", "192.0.2.0/24"], [403, 403, 403, 401, 401, 403, 403]),
        (&[], [200, 200, 204, 204, 401, 200, 200]),
    ] {
        house.home().done(&[&["connector", "limit", &connector.id][..], limits].concat());
        assert_eq!(ask(), expected, "{limits:?}");
    }
}

#[test]
fn a_connector_counts_in_its_realm_alone() {
    let house = House::new();
    let red = house.connector_of_red();
    let at = |host: &str, connector: &Connector| house.call_at(host, APP, &connector.headers(), "");
    done(&at("hull.example", &house.root));
    done(&at("red.example", &red));
    refused(&at("hull.example", &red));
    refused(&at("red.example", &house.root));
}
