//! The page and the sample file that are made from the table of keys.

use std::fmt::Write as _;

use super::keys::{self, Absence, HEADERS, Header, Home, Key};

/// How long a line of the sample may be.
const MAX_LINE: usize = 90;

const MARKDOWN_START: &str = "\
# Configuration

<!-- Made from the table of keys in `config/keys.rs`; do not edit. -->

One TOML file. It is read once, at start; `portcullis check-config FILE` tells every mistake in
it at once, each with its line and column. A key that is not listed here is a mistake. Without a
file, all defaults hold and there is no guard. An environment variable prevails over the file.

A time is a whole number and a unit: `ms`, `s`, `m` or `h`.
";

const SCHEMES_START: &str = "
## Schemes

What `schemes` of a guard may name.

| Scheme | Meaning |
|---|---|
";

const SAMPLE_START: &str = "\
# The configuration of Portcullis. A line that starts with `#` and no space shows what holds
# without it; for what has no value of its own, it shows an example.
";

const DIALECTS_START: &str = "
## Dialects

What `dialect` of a mount may name.

| Dialect | Meaning |
|---|---|
";

/// The page `docs/configuration.md`, with the names of schemes and dialects and a line on each.
pub(crate) fn markdown(schemes: &[(&str, &str)], dialects: &[(&str, &str)]) -> String {
    let mut page = MARKDOWN_START.to_owned();
    for header in HEADERS {
        let _infallible = write!(page, "\n## `{}`\n\n{}", title(header), header.meaning);
        if let Some(most) = header.most {
            let _infallible = write!(page, " At most {most} tables.");
        }
        page.push_str("\n\n| Key | Value | Default | Environment | Meaning |\n");
        page.push_str("|---|---|---|---|---|\n");
        keys::of(header.name).for_each(|key| page.push_str(&markdown_row(key)));
    }
    page.push_str(SCHEMES_START);
    for (name, summary) in schemes {
        let _infallible = writeln!(page, "| `{name}` | {summary} |");
    }
    page.push_str(DIALECTS_START);
    for (name, summary) in dialects {
        let _infallible = writeln!(page, "| `{name}` | {summary} |");
    }
    page
}

/// A sample of the file, in which every key is explained and none is set.
pub(crate) fn sample() -> String {
    let mut sample = SAMPLE_START.to_owned();
    for header in HEADERS {
        sample.push('\n');
        comment(&mut sample, header.meaning);
        // A guard needs an upstream that exists, so its header is a comment as well.
        let mark = if header.most.is_some() { "#" } else { "" };
        let _infallible = writeln!(sample, "{mark}{}", title(header));
        keys::of(header.name).for_each(|key| sample_key(&mut sample, key));
    }
    sample
}

fn title(header: &Header) -> String {
    if header.most.is_some() {
        format!("[[{}]]", header.name)
    } else {
        format!("[{}]", header.name)
    }
}

fn markdown_row(key: &Key) -> String {
    let absence = match key.absence {
        Absence::Default(value) => format!("`{value}`"),
        Absence::Optional(meaning, _) => meaning.to_owned(),
        Absence::Required(_) => "must be given".to_owned(),
    };
    let home = match key.home {
        Home::File => String::new(),
        Home::FileOr(name) => format!("`{name}`"),
        Home::Only(name) => format!("only `{name}`"),
    };
    format!("| `{}` | {} | {absence} | {home} | {} |\n", key.name, key.expected(), key.meaning)
}

fn sample_key(sample: &mut String, key: &Key) {
    let absence = match key.absence {
        Absence::Optional(meaning, _) => format!(" If absent: {meaning}."),
        Absence::Default(_) | Absence::Required(_) => String::new(),
    };
    sample.push('\n');
    comment(sample, &format!("{} Expects {}.{absence}", key.meaning, key.expected()));
    match key.home {
        Home::Only(name) => comment(sample, &format!("`{}`: set `{name}`.", key.name)),
        Home::FileOr(name) => comment(sample, &format!("The variable `{name}` prevails over it.")),
        Home::File => {}
    }
    if !matches!(key.home, Home::Only(_)) {
        let _infallible = writeln!(sample, "#{} = {}", key.name, key.example());
    }
}

/// Adds `text` as a comment, broken between words.
fn comment(sample: &mut String, text: &str) {
    let mut length = 0;
    for word in text.split_whitespace() {
        let width = word.chars().count() + 1;
        if length == 0 || length + width > MAX_LINE {
            sample.push_str(if length == 0 { "#" } else { "\n#" });
            length = 1;
        }
        let _infallible = write!(sample, " {word}");
        length += width;
    }
    sample.push('\n');
}
