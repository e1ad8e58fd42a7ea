//! How commands answer: a line or a table for people, JSON for scripts.

use serde_json::Value;

use super::say;

/// Where answers go, and in which form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    /// Whether scripts read it: one JSON object a line.
    pub(super) json: bool,
}

impl Output {
    /// Says one thing.
    pub(super) fn tell(self, value: &Value, text: &str) {
        if self.json {
            say(&format!("{value}\n"));
        } else {
            say(&format!("{text}\n"));
        }
    }

    /// Lists things: `head` names the columns that people see, `none` says that there are none.
    pub(super) fn list<const N: usize>(
        self,
        head: [&str; N],
        rows: Vec<(Value, [String; N])>,
        none: &str,
    ) {
        if self.json {
            rows.iter().for_each(|(value, _)| say(&format!("{value}\n")));
        } else if rows.is_empty() {
            say(&format!("{none}\n"));
        } else {
            let cells: Vec<_> = rows.into_iter().map(|(_, cells)| cells).collect();
            say(&table(head, &cells));
        }
    }

    /// Shows all that is known of one thing.
    pub(super) fn show(self, value: &Value, facts: &[(&str, String)]) {
        if self.json {
            return say(&format!("{value}\n"));
        }
        let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, fact) in facts {
            let fact = if fact.is_empty() { "-" } else { fact };
            say(&format!("{name:<width$}  {fact}\n"));
        }
    }
}

/// `value` with what `more` knows besides.
pub(super) fn with(mut value: Value, more: Value) -> Value {
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

/// Columns as wide as their widest cell.
fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(|name| name.to_uppercase());
    let lines = || std::iter::once(&head).chain(rows);
    let mut widths = [0; N];
    for line in lines() {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in lines() {
        let cells = line.iter().zip(widths).map(|(cell, width)| {
            let cell = if cell.is_empty() { "-" } else { cell };
            format!("{cell:<width$}")
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_nothing_trails() {
        let rows = [["1", "Zo\u{eb}", "active"], ["1000", "", "x"]].map(|row| row.map(Into::into));
        let told = table(["number", "name", "state"], &rows);
        assert_eq!(told, "NUMBER  NAME  STATE\n1       Zo\u{eb}   active\n1000    -     x\n");
    }
}
