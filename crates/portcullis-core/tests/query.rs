//! Queries of collections: what is read, what is refused and why, and what holds of any of them.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use portcullis_core::query::{
    BadQuery, Comparison, DEFAULT_TOP, Direction, Field, Filter, Key, Kind, Literal, MAX_DEPTH,
    MAX_FILTER, MAX_SKIP, MAX_TERMS, MAX_TOP, MAX_VALUE, Operator, Query, pairs,
};
use portcullis_core::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

const FIELDS: &[Field] = &[
    Field::new("active", Kind::Flag),
    Field::new("id", Kind::Id),
    Field::new("created", Kind::Moment),
    Field::new("number", Kind::Number),
    Field::new("name", Kind::Text),
    Field::shown("uri", Kind::Text),
    Field { sortable: false, ..Field::new("users_attribs:mail", Kind::Text) },
];

fn field(name: &str) -> &'static Field {
    FIELDS.iter().find(|field| field.name == name).unwrap()
}

fn parse(query: &str) -> Result<Query, BadQuery> {
    Query::parse(pairs(query), FIELDS)
}

/// A filter that is not percent-encoded.
fn filter(text: &str) -> Result<Filter, BadQuery> {
    let text: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    parse(&format!("$filter={text}")).map(|query| query.filter.unwrap())
}

fn is(name: &str, operator: Operator, literal: Literal) -> Filter {
    Filter::Compare(Comparison::new(field(name), operator, literal).unwrap())
}

fn named(name: &str) -> Filter {
    is("name", Operator::Eq, Literal::Text(name.into()))
}

#[test]
fn what_is_not_asked_has_its_default() {
    for nothing in ["", "&&", "id_user=7", "filter=x&top=0"] {
        assert_eq!(parse(nothing).unwrap(), Query::default(), "{nothing}");
    }
    let query = Query::default();
    assert_eq!((query.top, query.skip, query.count), (DEFAULT_TOP, 0, true));
    assert!(query.shows("anything"));
}

#[test]
fn every_parameter_is_read_however_it_is_escaped() {
    let query = parse(
        "%24filter=name+eq%20%22Zo%c3%ab%22&$orderBy=name+desc,number%2cid+asc\
         &%24select=id,%20uri&$skip=20&%24top=10&$count=false&other=%2B",
    );
    let key = |name, direction| Key { field: field(name), direction };
    let expected = Query {
        filter: Some(named("Zo\u{eb}")),
        order: vec![
            key("name", Direction::Descending),
            key("number", Direction::Ascending),
            key("id", Direction::Ascending),
        ],
        select: Some(vec![field("id"), field("uri")]),
        skip: 20,
        top: 10,
        count: false,
    };
    assert_eq!(query.unwrap(), expected);
    assert!(expected.shows("uri") && !expected.shows("name"));
    assert_eq!(expected.next().unwrap().skip, 30);
    let last = Query { skip: MAX_SKIP, ..expected };
    assert_eq!(last.next(), None);
}

#[test]
fn a_literal_is_read_by_the_kind_of_its_field() {
    let id = *b"\x84\xa9\xe6\x88\xc8\xaf\x49\x31\xb2\x06\xf0\x42\x3c\x3f\x70\xea";
    let moment = |millis| Literal::Moment(Timestamp::from_millis(millis));
    for (text, literal) in [
        ("active eq true", Literal::Flag(true)),
        (r#"active eq "false""#, Literal::Flag(false)),
        (r#"id eq "84A9E688C8AF4931B206F0423C3F70EA""#, Literal::Id(id)),
        (r#"id eq "84a9e688-c8af-4931-b206-f0423c3f70ea""#, Literal::Id(id)),
        ("created eq 1696021987.01375", moment(1_696_021_987_013)),
        (r#"created eq "-1.5""#, moment(-1_500)),
        ("created eq 7", moment(7_000)),
        ("number eq -7", Literal::Number(-7)),
        (r#"number eq "9223372036854775807""#, Literal::Number(i64::MAX)),
        (r#"name eq """#, Literal::Text(String::new())),
        (r#"name eq """""#, Literal::Text("\"".into())),
        (r#"name eq "a\""#, Literal::Text("a\\".into())),
        (r#"name eq "a""b' or \n %""#, Literal::Text(r#"a"b' or \n %"#.into())),
        ("name eq \"\0\u{1f512}\n\"", Literal::Text("\0\u{1f512}\n".into())),
    ] {
        let name = text.split(' ').next().unwrap();
        assert_eq!(filter(text).unwrap(), is(name, Operator::Eq, literal), "{text}");
    }
}

#[test]
fn not_binds_tighter_than_and_and_and_tighter_than_or() {
    let (a, b, c) = (named("a"), named("b"), named("c"));
    let not = |it: &Filter| Filter::Not(Box::new(it.clone()));
    let [a_or_b, a_and_b] = [Filter::Or, Filter::And].map(|join| join(vec![a.clone(), b.clone()]));
    for (text, expected) in [
        ("A and B", a_and_b.clone()),
        ("A and B or C", Filter::Or(vec![a_and_b.clone(), c.clone()])),
        ("A or B and C", Filter::Or(vec![a.clone(), Filter::And(vec![b.clone(), c.clone()])])),
        ("(A or B) and C", Filter::And(vec![a_or_b.clone(), c.clone()])),
        ("(A and B) and C", Filter::And(vec![a_and_b.clone(), c.clone()])),
        ("A and B and C", Filter::And(vec![a.clone(), b.clone(), c.clone()])),
        ("not A and B", Filter::And(vec![not(&a), b.clone()])),
        ("not (A or B)", not(&a_or_b)),
        ("not not ((A))", not(&not(&a))),
        ("(A)and(B)or(C)", Filter::Or(vec![a_and_b, c])),
    ] {
        let written = ["A", "B", "C"].iter().fold(text.to_owned(), |text, letter| {
            text.replace(letter, &format!("name eq\"{}\"", letter.to_lowercase()))
        });
        assert_eq!(filter(&written).unwrap(), expected, "{text}");
    }
}

#[test]
fn whatever_is_wrong_is_named_with_its_place() {
    let long = format!("name eq \"{}\"", "a".repeat(MAX_FILTER));
    let deep = format!("{}name eq \"a\"", "(".repeat(MAX_DEPTH + 1));
    let many = vec!["number eq 1"; MAX_TERMS + 1].join(" or ");
    for (text, message) in [
        ("", "`$filter` wants a field, `not` or `(` at character 1, not its end"),
        ("nam eq 1", "there is no field `nam`, which `$filter` names at character 1"),
        ("(Name eq 1)", "there is no field `Name`, which `$filter` names at character 2"),
        (r#"uri eq "a""#, "nothing can be filtered by `uri`, which `$filter` names at character 1"),
        (
            "number is 1",
            "`$filter` wants `eq`, `ne`, `gt`, `ge`, `lt`, `le` or `contains` at character 8, not \
             `is`",
        ),
        ("number contains 1", "`$filter` cannot compare `number` by `contains` at character 8"),
        ("active gt true", "`$filter` cannot compare `active` by `gt` at character 8"),
        (
            "number eq \"one\"",
            "`$filter` must compare `number` with a whole number at character 11",
        ),
        ("number eq 1.5", "`$filter` must compare `number` with a whole number at character 11"),
        (
            "number eq 9223372036854775808",
            "`$filter` must compare `number` with a whole number at character 11",
        ),
        ("name eq 1", "`$filter` must compare `name` with a text in double quotes at character 9"),
        (
            "name eq ann",
            "`$filter` must compare `name` with a text in double quotes at character 9",
        ),
        ("active eq yes", "`$filter` must compare `active` with `true` or `false` at character 11"),
        (
            "created eq 99999999999999999",
            "`$filter` must compare `created` with seconds since the Unix epoch at character 12",
        ),
        (
            "id eq \"7\"",
            "`$filter` must compare `id` with an id of 32 hex digits in double quotes at character \
             7",
        ),
        (
            "name eq \"\u{eb}\" and name eq \"b",
            "the text that begins at character 25 of `$filter` has no closing quote",
        ),
        ("number eq 1 2", "`$filter` wants `and`, `or` or its end at character 13, not `2`"),
        (
            "number eq 1; DROP TABLE users",
            "`$filter` wants `and`, `or` or its end at character 12, not `;`",
        ),
        ("(number eq 1", "`$filter` wants `)`, `and` or `or` at character 13, not its end"),
        (
            "number eq 1 and \"a\"",
            "`$filter` wants a field, `not` or `(` at character 17, not a text",
        ),
        (&deep, "`$filter` nests deeper than 16 at character 17"),
        (&many, "`$filter` makes more than 64 comparisons"),
        (&long, "`$filter` has at most 4096 bytes"),
    ] {
        assert_eq!(filter(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn a_parameter_is_known_well_formed_within_its_bounds_and_given_once() {
    let list = "name,".repeat(MAX_VALUE);
    let escaped = format!("$filter={}", "%41".repeat(MAX_FILTER + 1));
    for (query, message) in [
        ("$top=0", "`$top` is a whole number from 1 to 1000"),
        ("$top=1001", "`$top` is a whole number from 1 to 1000"),
        ("$top=%2b1", "`$top` is a whole number from 1 to 1000"),
        ("$top=", "`$top` is a whole number from 1 to 1000"),
        ("$skip=-1", "`$skip` is a whole number from 0 to 10000000"),
        ("$skip=10000001", "`$skip` is a whole number from 0 to 10000000"),
        ("$count=1", "`$count` is either `true` or `false`"),
        ("$top=1&%24top=1", "`$top` is given more than once"),
        ("$orderby=name", "there is no parameter `$orderby`"),
        ("$%00=", "there is no parameter `$\u{fffd}`"),
        ("$filter=%e", "`$filter` is not percent-encoded UTF-8"),
        ("$filter=%zz", "`$filter` is not percent-encoded UTF-8"),
        ("$filter=%c0%af", "`$filter` is not percent-encoded UTF-8"),
        ("%ff=1", "`%ff` is not percent-encoded UTF-8"),
        ("$orderBy=", "`$orderBy` wants a field at character 1, not its end"),
        ("$orderBy=name,", "`$orderBy` wants a field at character 6, not its end"),
        ("$orderBy=name+down", "`$orderBy` wants a comma at character 6, not `down`"),
        ("$orderBy=name,name+desc", "`$orderBy` names `name` more than once"),
        ("$orderBy=uri", "nothing can be sorted by `uri`, which `$orderBy` names at character 1"),
        ("$select=id,key", "there is no field `key`, which `$select` names at character 4"),
        ("$select=id,id", "`$select` names `id` more than once"),
        (&format!("$select={list}"), "`$select` has at most 1024 bytes"),
        (&escaped, "`$filter` has at most 4096 bytes"),
    ] {
        assert_eq!(parse(query).unwrap_err().to_string(), message, "{query}");
    }
    assert_eq!(parse(&format!("$top={MAX_TOP}&$skip={MAX_SKIP}")).unwrap().top, MAX_TOP);
}

#[test]
fn a_comparison_made_by_hand_fits_together_or_is_none() {
    let text = || Literal::Text("a".into());
    assert_eq!(Comparison::new(field("number"), Operator::Eq, text()), None);
    assert_eq!(Comparison::new(field("active"), Operator::Gt, Literal::Flag(true)), None);
    let comparison = Comparison::new(field("name"), Operator::Contains, text()).unwrap();
    let query = parse("$filter=number+eq+1").unwrap().only(comparison.clone());
    let expected = [is("number", Operator::Eq, Literal::Number(1)), Filter::Compare(comparison)];
    assert_eq!(query.filter, Some(Filter::And(expected.into())));
}

fn literals(kind: Kind) -> BoxedStrategy<Literal> {
    match kind {
        Kind::Flag => any::<bool>().prop_map(Literal::Flag).boxed(),
        Kind::Id => any::<[u8; 16]>().prop_map(Literal::Id).boxed(),
        Kind::Moment => {
            any::<i64>().prop_map(|it| Literal::Moment(Timestamp::from_millis(it))).boxed()
        }
        Kind::Number => any::<i64>().prop_map(Literal::Number).boxed(),
        Kind::Text => any::<String>().prop_map(Literal::Text).boxed(),
    }
}

fn comparisons() -> impl Strategy<Value = Filter> {
    let fields: Vec<_> = FIELDS.iter().filter(|field| field.filterable).collect();
    (select(fields), select(&Operator::ALL[..])).prop_flat_map(|(field, operator)| {
        let operator = if operator.applies(field.kind) { operator } else { Operator::Ne };
        let compared = move |it| Filter::Compare(Comparison::new(field, operator, it).unwrap());
        literals(field.kind).prop_map(compared)
    })
}

fn filters() -> impl Strategy<Value = Filter> {
    comparisons().prop_recursive(5, 24, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several.clone().prop_map(Filter::And),
            several.prop_map(Filter::Or),
            inner.prop_map(|it| Filter::Not(Box::new(it))),
        ]
    })
}

proptest! {
    #[test]
    fn a_filter_that_is_printed_and_read_again_is_the_same(filter in filters()) {
        let printed = filter.to_string();
        match self::filter(&printed) {
            Ok(read) => prop_assert_eq!(read, filter),
            Err(bad) => prop_assert!(printed.len() > MAX_FILTER, "{}: {}", printed, bad),
        }
    }

    #[test]
    fn a_query_that_is_printed_and_read_again_is_the_same(
        filter in filters(), skip in 0..=MAX_SKIP, top in 1..=MAX_TOP, count: bool,
        descending: bool, all: bool,
    ) {
        let direction = if descending { Direction::Descending } else { Direction::Ascending };
        let query = Query {
            filter: Some(filter).filter(|filter| filter.to_string().len() <= MAX_FILTER),
            order: vec![Key { field: field("created"), direction }],
            select: if all { None } else { Some(vec![field("users_attribs:mail"), field("id")]) },
            skip, top, count,
        };
        prop_assert_eq!(parse(&query.to_string()).unwrap(), query);
    }

    #[test]
    fn nothing_that_is_sent_makes_it_fail(query in "(\\$(filter|orderBy|select)=)?.{0,200}") {
        if let Ok(read) = parse(&query) {
            prop_assert_eq!(parse(&read.to_string()).unwrap(), read);
        }
    }
}
