//! Entries as clients send them, and what becomes of traits.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::time::Timestamp;

fn changes(body: Value) -> Result<Vec<Change>, BadEntry> {
    let entry = Entry::parse("traits", body)?;
    if let Entry::Traits(changes) = entry { Ok(changes) } else { panic!("{entry:?}") }
}

fn number(value: Value) -> Number {
    if let Value::Number(number) = value { number } else { panic!("{value}") }
}

#[test]
fn a_trait_is_a_value_or_an_operation_with_one() {
    for (told, expected) in [
        (json!("Bob"), Operation::Set(json!("Bob").into())),
        (json!(null), Operation::Set(json!(null).into())),
        (json!([1, { "a": 2 }]), Operation::Set(json!([1, { "a": 2 }]).into())),
        (json!({ "operation": "set", "value": 1 }), Operation::Set(json!(1).into())),
        (json!({ "operation": "set" }), Operation::Set(json!(null).into())),
        (
            json!({ "operation": "setIfNull", "value": "x" }),
            Operation::SetIfNull(json!("x").into()),
        ),
        (json!({ "operation": "inc", "value": 2 }), Operation::Inc(number(json!(2)))),
        (json!({ "operation": "increment", "value": 0.5 }), Operation::Inc(number(json!(0.5)))),
        (json!({ "operation": "dec", "value": 2 }), Operation::Dec(number(json!(2)))),
        (json!({ "operation": "decrement", "value": 2 }), Operation::Dec(number(json!(2)))),
        (json!({ "operation": "merger" }), Operation::Set(json!({ "operation": "merger" }).into())),
        (json!({ "operation": 1 }), Operation::Set(json!({ "operation": 1 }).into())),
        (json!({ "value": 1 }), Operation::Set(json!({ "value": 1 }).into())),
    ] {
        let read = changes(json!({ "zendesk/open_tickets": told })).unwrap();
        let expected = Change { name: "zendesk/open_tickets".into(), operation: expected };
        assert_eq!(read, [expected], "{told}");
    }
}

#[test]
fn an_entry_that_is_none_is_told_why() {
    let long = "x".repeat(MAX_TRAIT_VALUE);
    let many: Map<_, _> = (0..=MAX_CHANGES).map(|it| (it.to_string(), json!(1))).collect();
    for (kind, body, expected) in [
        ("incinerate", json!({}), BadEntry::Kind),
        ("Traits", json!(null), BadEntry::Kind),
        ("traits", json!(null), BadEntry::Body),
        ("track", json!([]), BadEntry::Body),
        ("traits", json!({ "": 1 }), BadEntry::TraitName),
        ("traits", json!({ "a\n": 1 }), BadEntry::TraitName),
        ("traits", json!({ "x".repeat(MAX_TRAIT_NAME + 1): 1 }), BadEntry::TraitName),
        ("traits", json!({ "a": &long }), BadEntry::TraitValue),
        (
            "traits",
            json!({ "a": { "operation": "setIfNull", "value": &long } }),
            BadEntry::TraitValue,
        ),
        ("traits", json!({ "a": { "operation": "inc", "value": "1" } }), BadEntry::NotANumber),
        ("traits", json!({ "a": { "operation": "dec" } }), BadEntry::NotANumber),
        ("traits", Value::Object(many), BadEntry::TooManyTraits),
        ("track", json!({}), BadEntry::Event),
        ("track", json!({ "event": " " }), BadEntry::Event),
        ("track", json!({ "event": "x".repeat(MAX_EVENT_NAME + 1) }), BadEntry::Event),
        ("track", json!({ "event": "e", "event_id": "" }), BadEntry::EventId),
        ("track", json!({ "event": "e", "event_id": true }), BadEntry::EventId),
        ("track", json!({ "event": "e", "event_id": "\u{0}" }), BadEntry::EventId),
        ("track", json!({ "event": "e", "properties": [] }), BadEntry::Properties),
        ("track", json!({ "event": "e", "properties": { "a": &long } }), BadEntry::Properties),
        ("track", json!({ "event": "e", "url": "x".repeat(MAX_CONTEXT + 1) }), BadEntry::Context),
        ("alias", json!({}), BadEntry::Identifier),
        ("alias", json!({ "anonymous_id": 1 }), BadEntry::Identifier),
        ("unalias", json!({ "anonymous_id": "" }), BadEntry::Identifier),
    ] {
        let told = format!("{kind} {body:.60}");
        assert_eq!(Entry::parse(kind, body), Err(expected), "{told}");
    }
}

#[test]
fn what_is_just_within_its_bounds_is_taken() {
    let longest = "x".repeat(MAX_TRAIT_VALUE - 2);
    let most: Map<_, _> = (0..MAX_CHANGES).map(|it| (it.to_string(), json!(1))).collect();
    assert_eq!(changes(Value::Object(most)).unwrap().len(), MAX_CHANGES);
    assert!(changes(json!({ "x".repeat(MAX_TRAIT_NAME): &longest })).is_ok());
    let event = json!({
        "event": "x".repeat(MAX_EVENT_NAME), "event_id": "x".repeat(MAX_EVENT_ID),
        "properties": { "a": "x".repeat(MAX_PROPERTIES - 8) }, "url": "x".repeat(MAX_CONTEXT),
    });
    assert!(Entry::parse("track", event).is_ok());
}

#[test]
fn an_event_is_read_as_every_client_writes_it() {
    let body = json!({
        "ip": 0, "url": null, "referer": "r", "source": "x", "type": "t", "event_id": "ev-1",
        "created_at": "2026-11-22 06:11:19 UTC", "odd": { "field": 1 },
        "properties": { "p": 1 }, "event": "Viewed",
    });
    let Entry::Track(event) = Entry::parse("track", body).unwrap() else { panic!("not an event") };
    assert_eq!((&*event.name, event.event_id.as_deref()), ("Viewed", Some("ev-1")));
    assert_eq!(event.properties, json!({ "p": 1 }).into());
    assert_eq!(Value::Object(event.context), json!({ "referer": "r", "source": "x", "type": "t" }));
    assert_eq!(event.created, Some(Timestamp::from_millis(1_795_327_879_000)));

    let bare = json!({ "event": "e", "event_id": 7, "created_at": "soon", "properties": null });
    let Entry::Track(event) = Entry::parse("track", bare).unwrap() else { panic!("not an event") };
    assert_eq!((event.event_id.as_deref(), event.created), (Some("7"), None));
    let other = Identifier::new(IdentifierKind::AnonymousId, "s:1").unwrap();
    for (kind, expected) in
        [("alias", Entry::Alias(other.clone())), ("unalias", Entry::Unalias(other))]
    {
        assert_eq!(Entry::parse(kind, json!({ "anonymous_id": "s:1" })), Ok(expected));
    }
}

fn told(traits: &Traits) -> Value {
    crate::json::parse(&traits.to_json()).unwrap()
}

#[test]
fn operations_do_what_they_say() {
    let before = r#"{"gone":"x","n":1,"text":"5","f":0.5,"big":9223372036854775807}"#;
    let before = Traits::from_json(before).unwrap();
    let max = i64::MAX;
    for (body, name, expected) in [
        (json!({ "n": { "operation": "inc", "value": 2 } }), "n", json!(3)),
        (json!({ "n": { "operation": "dec", "value": 2 } }), "n", json!(-1)),
        (json!({ "n": { "operation": "inc", "value": 0.5 } }), "n", json!(1.5)),
        (json!({ "f": { "operation": "inc", "value": 1 } }), "f", json!(1.5)),
        (json!({ "new": { "operation": "dec", "value": 2 } }), "new", json!(-2)),
        (json!({ "text": { "operation": "inc", "value": 2 } }), "text", json!(2)),
        (
            json!({ "big": { "operation": "inc", "value": 1 } }),
            "big",
            json!(9_223_372_036_854_775_808.0),
        ),
        (json!({ "big": { "operation": "dec", "value": 1 } }), "big", json!(max - 1)),
        (
            json!({ "new": { "operation": "inc", "value": u64::MAX } }),
            "new",
            json!(18_446_744_073_709_552_000.0),
        ),
        (json!({ "gone": null }), "gone", json!(null)),
        (json!({ "gone": { "operation": "setIfNull", "value": 1 } }), "gone", json!("x")),
        (json!({ "new": { "operation": "setIfNull", "value": 1 } }), "new", json!(1)),
        (json!({ "new": { "operation": "setIfNull", "value": null } }), "new", json!(null)),
    ] {
        let after = before.changed(&changes(body.clone()).unwrap()).unwrap();
        assert_eq!(told(&after).get(name).cloned().unwrap_or_default(), expected, "{body}");
    }
    let far = Traits::from_json(r#"{"n":1.7e308}"#).unwrap();
    let more = changes(json!({ "n": { "operation": "inc", "value": 1.7e308 } })).unwrap();
    assert_eq!(far.changed(&more), Err(Overgrown::Number));
}

#[test]
fn nobody_grows_beyond_the_bounds() {
    let mut traits = Traits::default();
    let mut grow = |from: usize, count: usize, value: &Value| {
        let more: Map<_, _> =
            (from..from + count).map(|it| (it.to_string(), value.clone())).collect();
        let grown = traits.changed(&changes(Value::Object(more)).unwrap());
        grown.map(|grown| traits = grown)
    };
    for part in 0..MAX_TRAITS / MAX_CHANGES {
        assert_eq!(grow(part * MAX_CHANGES, MAX_CHANGES, &json!(1)), Ok(()));
    }
    assert_eq!(grow(0, MAX_CHANGES, &json!(2)), Ok(()), "no more than there were");
    assert_eq!(grow(MAX_TRAITS, 1, &json!(1)), Err(Overgrown::Count));
    let long = json!("x".repeat(MAX_TRAIT_VALUE - 2));
    let parts = MAX_TRAITS_BYTES / MAX_TRAIT_VALUE;
    assert_eq!(grow(0, parts, &long), Err(Overgrown::Bytes));
    assert_eq!(grow(0, parts - 1, &long), Ok(()));
    assert!(traits.to_json().len() <= MAX_TRAITS_BYTES + 1);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"é]{1,3}", inner, 0..3)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

fn drawn() -> impl Strategy<Value = Vec<Change>> {
    let operation = prop_oneof![
        values().prop_map(|it| Operation::Set(it.into())),
        values().prop_map(|it| Operation::SetIfNull(it.into())),
        (-5..5_i64).prop_map(|by| Operation::Inc(by.into())),
        (-5..5_i64).prop_map(|by| Operation::Dec(by.into())),
    ];
    let change = ("[ab\"é]{1,2}", operation);
    let change = change.prop_map(|(name, operation)| Change { name: name.into(), operation });
    prop::collection::vec(change, 0..12)
}

proptest! {
    #[test]
    fn traits_are_read_back_as_written_and_measured_exactly(
        first in drawn(), second in drawn(),
    ) {
        let one = Traits::default().changed(&first).unwrap();
        let again = Traits::from_json(&one.to_json()).unwrap();
        prop_assert_eq!(&again, &one);
        let (one, again) = (one.changed(&second).unwrap(), again.changed(&second).unwrap());
        prop_assert_eq!(&again, &one);
        prop_assert_eq!(one.to_json().len(), one.size().max(1) + 1);
        prop_assert!(one.iter().all(|(_, value)| value.get() != "null"));
    }

    #[test]
    fn changes_made_together_are_changes_made_one_after_another(all in drawn()) {
        let together = Traits::default().changed(&all).unwrap();
        let each = |traits: Traits, change: &Change| {
            traits.changed(std::slice::from_ref(change)).unwrap()
        };
        prop_assert_eq!(all.iter().fold(Traits::default(), each), together);
    }

    #[test]
    fn counting_is_the_sum_in_any_order(steps in prop::collection::vec(-1_000..1_000_i64, 0..20)) {
        let change = |by: i64| Change { name: "n".into(), operation: Operation::Inc(by.into()) };
        let mut all: Vec<_> = steps.iter().map(|by| change(*by)).collect();
        all.push(change(0));
        let sum = Traits::default().changed(&all).unwrap();
        all.reverse();
        prop_assert_eq!(&Traits::default().changed(&all).unwrap(), &sum);
        let total: i64 = steps.iter().sum();
        prop_assert_eq!(sum.find("n").unwrap().get(), total.to_string());
    }

    #[test]
    fn who_absorbs_keeps_what_it_knew(mine in drawn(), other in drawn()) {
        let (mine, other) =
            (Traits::default().changed(&mine).unwrap(), Traits::default().changed(&other).unwrap());
        let mut both = mine.clone();
        both.absorb(other.clone());
        for name in mine.names().chain(other.names()) {
            let expected = mine.find(name).or_else(|| other.find(name)).unwrap();
            prop_assert_eq!(both.find(name).unwrap().get(), expected.get());
        }
        prop_assert_eq!(both.to_json().len(), both.size().max(1) + 1);
    }
}
