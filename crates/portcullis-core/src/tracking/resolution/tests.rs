//! Whom names mean: a small world, and the questions that the rules answer.

use super::*;

/// `e:` external id, `m:` e-mail, `a:` anonymous id.
fn name(text: &str) -> Identifier {
    let (kind, value) = text.split_once(':').unwrap();
    let kind = match kind {
        "a" => IdentifierKind::AnonymousId,
        "d" => IdentifierKind::Domain,
        "e" => IdentifierKind::ExternalId,
        _ => IdentifierKind::Email,
    };
    Identifier { kind, value: value.into() }
}

fn names(text: &str) -> Vec<Identifier> {
    text.split_whitespace().map(name).collect()
}

const fn id(number: u8) -> SubjectId {
    SubjectId::from_bytes([number; 12])
}

/// Whom `claimed` means among those of whom each line is one, from 1: `target +attached -detached
/// <merged`, or `-`.
fn judged(known: &[&str], identity: Option<u8>, claimed: &str, create: bool) -> String {
    let known: Vec<_> = (1..).zip(known).map(|(number, text)| (id(number), names(text))).collect();
    let holders: Vec<_> =
        known.iter().map(|(id, names)| Holder { id: *id, identifiers: names }).collect();
    let named = Named { id: identity.map(id), identifiers: names(claimed).into() };
    let holder =
        |name: &Identifier| holders.iter().find(|it| it.identifiers.contains(name)).copied();
    let found = Holders {
        identity: holders.iter().find(|it| Some(it.id) == named.id).copied(),
        identifiers: named.identifiers.iter().map(holder).collect(),
    };
    let Resolution::Subject(plan) = resolve(&named, create, &found) else { return "-".into() };
    let number = |id: &SubjectId| id.as_bytes()[0].to_string();
    let letter = |it: &Identifier| match it.kind {
        IdentifierKind::AnonymousId => format!("a:{}", it.value),
        IdentifierKind::Domain => format!("d:{}", it.value),
        IdentifierKind::Email => format!("m:{}", it.value),
        IdentifierKind::ExternalId => format!("e:{}", it.value),
    };
    let mut told = match &plan.target {
        Target::Found(id) => number(id),
        Target::Make => "new".into(),
    };
    for it in &plan.attach {
        told += &format!(" +{}", letter(it));
    }
    for it in &plan.detach {
        told += &format!(" -{}", letter(it));
    }
    for it in &plan.merge {
        told += &format!(" <{}", number(it));
    }
    told
}

#[test]
fn names_mean_whom_the_rules_say() {
    let known = ["e:1 m:one a:x", "m:two a:y", "a:p a:q", "a:r", "e:5 d:five"];
    for (claimed, expected) in [
        ("e:1", "1"),
        ("m:one", "1"),
        ("a:x", "1"),
        ("e:9", "new +e:9"),
        ("e:9 m:nine a:n", "new +e:9 +m:nine +a:n"),
        // The first that is known decides; what is free becomes theirs.
        ("e:1 a:n", "1 +a:n"),
        ("m:two a:n", "2 +a:n"),
        ("e:1 m:two", "1"),
        ("e:9 m:two", "2 +e:9"),
        ("m:nine a:p", "3 +m:nine"),
        // A new e-mail takes the place of the old.
        ("e:1 m:nine", "1 +m:nine -m:one"),
        ("e:5 d:six", "5 +d:six -d:five"),
        // Another external id is somebody else, and so is another e-mail behind one browser.
        ("e:9 m:one", "new +e:9"),
        ("e:9 m:one a:x", "new +e:9"),
        ("m:nine a:y", "new +m:nine"),
        ("e:9 m:nine a:y", "new +e:9 +m:nine"),
        ("e:9 a:y", "2 +e:9"),
        ("e:9 m:one a:y", "new +e:9"),
        // Who was not known by more was they all along; who was stays.
        ("e:1 a:p", "1 <3"),
        ("e:1 a:p a:q a:r", "1 <3 <4"),
        ("a:p a:r", "3 <4"),
        ("e:1 a:y", "1"),
        ("e:9 m:nine a:p a:r", "3 +e:9 +m:nine <4"),
    ] {
        assert_eq!(judged(&known, None, claimed, true), expected, "{claimed}");
        let unmade = if expected.starts_with("new") { "-" } else { expected };
        assert_eq!(judged(&known, None, claimed, false), unmade, "{claimed}, not to be made");
    }
}

#[test]
fn an_identity_decides_and_is_never_made() {
    let known = ["e:1 m:one", "m:two", "a:p"];
    for (identity, claimed, expected) in [
        (1, "", "1"),
        (1, "m:two", "1"),
        (1, "e:9", "1"),
        (2, "e:9 a:p", "2 +e:9 <3"),
        (2, "e:1", "2"),
        (3, "a:p a:n", "3 +a:n"),
        (9, "", "-"),
        (9, "e:1", "-"),
        (9, "e:9", "-"),
    ] {
        assert_eq!(judged(&known, Some(identity), claimed, true), expected, "{identity} {claimed}");
    }
    assert_eq!(judged(&known, None, "", true), "-");
}

#[test]
fn a_subject_has_so_many_names_and_no_more() {
    let many = |count: usize| (0..count).map(|it| format!("a:{it}")).collect::<Vec<_>>().join(" ");
    let (full, half) = (many(MAX_KEPT_IDENTIFIERS), format!("e:1 {}", many(200)));
    assert_eq!(judged(&[&full], None, "a:0 a:new", true), "1");
    assert_eq!(judged(&[&full], None, "m:one a:0", true), "1");
    let almost = many(MAX_KEPT_IDENTIFIERS - 1);
    assert_eq!(judged(&[&almost], None, "m:one a:0 a:new", true), "1 +m:one");
    let other =
        |count: usize| (0..count).map(|it| format!("a:x{it}")).collect::<Vec<_>>().join(" ");
    assert_eq!(judged(&[&half, &other(56)], None, "e:1 a:x0", true), "1");
    assert_eq!(judged(&[&half, &other(55)], None, "e:1 a:x0", true), "1 <2");
    assert_eq!(join(Some(id(1)), MAX_KEPT_IDENTIFIERS, None), Joining::NoRoom);
}
