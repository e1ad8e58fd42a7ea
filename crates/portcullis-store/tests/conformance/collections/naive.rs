//! Filters as their words say, row by row.

use portcullis_core::query::{Comparison, Filter, Literal, Operator};

use super::house::Values;

pub(super) fn holds(filter: &Filter, values: &Values) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|inner| holds(inner, values)),
        Filter::Compare(it) => compares(it, values[it.field().datum].as_ref()),
        Filter::Not(inner) => !holds(inner, values),
        Filter::Or(all) => all.iter().any(|inner| holds(inner, values)),
    }
}

fn compares(comparison: &Comparison, value: Option<&Literal>) -> bool {
    let Some(value) = value else { return comparison.operator() == Operator::Ne };
    let (value, literal) = (ordered(value), ordered(comparison.literal()));
    match comparison.operator() {
        Operator::Contains => match (value, literal) {
            (Ordered::Bytes(value), Ordered::Bytes(part)) => {
                part.is_empty() || value.windows(part.len()).any(|it| it == part)
            }
            _ => false,
        },
        Operator::Eq => value == literal,
        Operator::Ge => value >= literal,
        Operator::Gt => value > literal,
        Operator::Le => value <= literal,
        Operator::Lt => value < literal,
        Operator::Ne => value != literal,
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Ordered {
    Bytes(Vec<u8>),
    Number(i64),
}

pub(super) fn ordered(literal: &Literal) -> Ordered {
    match literal {
        Literal::Flag(yes) => Ordered::Number((*yes).into()),
        Literal::Id(bytes) => Ordered::Bytes(bytes.to_vec()),
        Literal::Moment(moment) => Ordered::Number(moment.millis()),
        Literal::Number(number) => Ordered::Number(*number),
        Literal::Text(text) => Ordered::Bytes(text.clone().into_bytes()),
    }
}
