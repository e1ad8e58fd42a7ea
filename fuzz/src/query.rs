//! Queries of collections: fields, comparisons and bounds, as they are sent.

use portcullis_core::query::{
    Field, Filter, Kind, MAX_DEPTH, MAX_FILTER, MAX_SKIP, MAX_TERMS, MAX_TOP, Query, pairs,
};

/// No message is longer, in bytes, however much was sent.
const LONGEST_MESSAGE: usize = 400;

const FIELDS: &[Field] = &[
    Field::new("active", Kind::Flag),
    Field::new("id", Kind::Id),
    Field::new("created", Kind::Moment),
    Field::new("number", Kind::Number),
    Field::new("name", Kind::Text),
    Field::shown("uri", Kind::Text),
];

/// A query as it stands in a URL.
///
/// # Panics
/// It is taken out of bounds, means another thing once it is printed, or is refused at length.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let query = match Query::parse(pairs(text), FIELDS) {
        Ok(query) => query,
        Err(bad) => {
            let message = bad.to_string();
            assert!(message.len() <= LONGEST_MESSAGE, "{message}");
            return assert!(!message.contains(char::is_control), "{message:?}");
        }
    };
    assert!((1..=MAX_TOP).contains(&query.top) && query.skip <= MAX_SKIP);
    assert!(query.order.iter().all(|key| key.field.sortable));
    assert!(query.select.as_ref().is_none_or(|select| (1..=FIELDS.len()).contains(&select.len())));
    if let Some(filter) = &query.filter {
        let (depth, terms) = measured(filter);
        assert!(depth <= 2 * MAX_DEPTH + 2 && terms <= MAX_TERMS);
        assert!(filter.to_string().len() <= MAX_FILTER);
    }
    let again = query.to_string();
    assert_eq!(Query::parse(pairs(&again), FIELDS).unwrap(), query, "{again}");
}

/// How many conditions stand in one another, and how many comparisons there are.
fn measured(filter: &Filter) -> (usize, usize) {
    let inner = match filter {
        Filter::And(all) | Filter::Or(all) => all.as_slice(),
        Filter::Compare(comparison) => {
            let (field, literal) = (comparison.field(), comparison.literal());
            assert!(field.filterable && comparison.operator().applies(field.kind));
            assert_eq!(field.kind, literal.kind());
            return (0, 1);
        }
        Filter::Not(inner) => std::slice::from_ref(&**inner),
    };
    let measures = inner.iter().map(measured);
    let (deepest, terms) = measures.fold((0, 0), |(a, b), (c, d)| (a.max(c), b + d));
    (deepest + 1, terms)
}
