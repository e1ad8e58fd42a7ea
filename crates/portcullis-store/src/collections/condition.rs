//! A filter as a condition that is true or false, never NULL, whichever the engine.

use portcullis_core::query::{Comparison, Filter, Kind, Literal, Operator};

use super::column::{Column, Presence, bytewise, column};
use crate::engine::Value;
use crate::error::StoreError;
use crate::sql::Assembled;

const TRUE: &str = "(1 = 1)";
const FALSE: &str = "(1 = 0)";

pub(super) fn write(
    asked: &mut Assembled,
    columns: &[Column],
    filter: &Filter,
) -> Result<(), StoreError> {
    let (start, word, all) = match filter {
        Filter::And(all) => ("(1 = 1", " AND ", all),
        Filter::Compare(comparison) => {
            compare(asked, column(columns, comparison.field())?, comparison);
            return Ok(());
        }
        Filter::Not(inner) => {
            asked.text("(NOT ");
            write(asked, columns, inner)?;
            asked.text(")");
            return Ok(());
        }
        Filter::Or(all) => ("(1 = 0", " OR ", all),
    };
    asked.text(start);
    for inner in all {
        asked.text(word);
        write(asked, columns, inner)?;
    }
    asked.text(")");
    Ok(())
}

fn compare(asked: &mut Assembled, column: Column, comparison: &Comparison) {
    let (operator, value) = match comparison.literal() {
        Literal::Text(text) => match without_nul(comparison.operator(), text) {
            Ok((operator, text)) => (operator, text.into()),
            Err(constant) => {
                asked.text(constant);
                return;
            }
        },
        Literal::Flag(yes) => (comparison.operator(), (*yes).into()),
        Literal::Id(bytes) => (comparison.operator(), bytes.as_slice().into()),
        Literal::Moment(moment) => (comparison.operator(), (*moment).into()),
        Literal::Number(number) => (comparison.operator(), (*number).into()),
    };
    asked.text("(");
    if column.presence == Presence::Maybe {
        let absent = operator == Operator::Ne;
        asked.text(column.sql).text(if absent { " IS NULL OR " } else { " IS NOT NULL AND " });
    }
    let is_text = comparison.field().kind == Kind::Text;
    test(asked, column.sql, operator, is_text, value);
    asked.text(")");
}

fn test(asked: &mut Assembled, sql: &'static str, operator: Operator, is_text: bool, value: Value) {
    if operator == Operator::Contains {
        // No pattern, so that `%` and `_` are characters like any other.
        asked.each("strpos(", "instr(").text(sql).text(", ").value(value).text(") > 0");
        return;
    }
    asked.text(sql);
    if is_text && !matches!(operator, Operator::Eq | Operator::Ne) {
        bytewise(asked);
    }
    asked.text(symbol(operator)).value(value);
}

const fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Contains | Operator::Eq => " = ",
        Operator::Ge => " >= ",
        Operator::Gt => " > ",
        Operator::Le => " <= ",
        Operator::Lt => " < ",
        Operator::Ne => " <> ",
    }
}

/// The same comparison with a text that PostgreSQL can be sent. No text that is kept holds a NUL:
/// none equals or contains one that does, and the others are less than it if they are not greater
/// than what stands before the NUL.
fn without_nul(operator: Operator, text: &str) -> Result<(Operator, &str), &'static str> {
    let Some((before, _)) = text.split_once('\0') else { return Ok((operator, text)) };
    match operator {
        Operator::Contains | Operator::Eq => Err(FALSE),
        Operator::Ge | Operator::Gt => Ok((Operator::Gt, before)),
        Operator::Le | Operator::Lt => Ok((Operator::Le, before)),
        Operator::Ne => Err(TRUE),
    }
}
