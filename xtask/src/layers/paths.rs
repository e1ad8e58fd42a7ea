//! Finds every path a source file names, without a parser: enough to see an import.

/// A path as written out in full: groups expanded, `super` and `self` resolved.
#[derive(Debug)]
pub(super) struct Found {
    /// Counted from one.
    pub(super) line: usize,
    /// `crate`, `doors`, `Proxy`.
    pub(super) names: Vec<String>,
}

/// Every path of a file that holds `module`, less comments, texts and the tests at its end.
pub(super) fn in_source(text: &str, module: &[String]) -> Vec<Found> {
    let code = without_words(text);
    let shipped = code.find(TESTS).and_then(|end| code.get(..end)).unwrap_or(&code);
    let mut scanner =
        Scanner { code: shipped.chars().collect(), at: 0, line: 1, found: Vec::new() };
    while scanner.peek(0).is_some() {
        let before = scanner.at;
        scanner.path(&[]);
        if scanner.at == before {
            scanner.step();
        }
    }
    let found = scanner.found.into_iter();
    found.map(|Found { line, names }| Found { line, names: absolute(names, module) }).collect()
}

/// What stands before the module that holds a file's tests.
const TESTS: &str = "#[cfg(test)]\nmod ";

/// Resolves what a path starts from.
fn absolute(names: Vec<String>, module: &[String]) -> Vec<String> {
    let ups = names.iter().take_while(|name| *name == "super").count();
    let itself = usize::from(names.first().is_some_and(|name| name == "self"));
    if ups + itself == 0 {
        return names;
    }
    let base = module.iter().take(module.len().saturating_sub(ups));
    std::iter::once("crate".to_owned())
        .chain(base.cloned())
        .chain(names.into_iter().skip(ups + itself))
        .collect()
}

struct Scanner {
    code: Vec<char>,
    at: usize,
    line: usize,
    found: Vec<Found>,
}

impl Scanner {
    /// Reads a path, or a group of them, if one stands here.
    fn path(&mut self, prefix: &[String]) {
        let line = self.line;
        let mut names = prefix.to_vec();
        loop {
            if self.peek(0) == Some('{') && !names.is_empty() {
                return self.group(&names);
            }
            let name = self.name();
            if name.is_empty() {
                break;
            }
            // `use a::{self}` names `a`.
            if name != "self" || names.is_empty() {
                names.push(name);
            }
            self.space();
            if (self.peek(0), self.peek(1)) != (Some(':'), Some(':')) {
                break;
            }
            self.step();
            self.step();
            self.space();
        }
        if !names.is_empty() {
            self.found.push(Found { line, names });
        }
    }

    /// Reads `{a, b::c as d}` after `prefix::`.
    fn group(&mut self, prefix: &[String]) {
        self.step();
        loop {
            self.space();
            self.path(prefix);
            while !matches!(self.peek(0), None | Some(',' | '}')) {
                self.step();
            }
            if self.peek(0) != Some(',') {
                return self.step();
            }
            self.step();
            self.space();
            if self.peek(0) == Some('}') {
                return self.step();
            }
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(next) = self.peek(0).filter(|next| is_name(*next)) {
            name.push(next);
            self.step();
        }
        name
    }

    fn space(&mut self) {
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.step();
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.code.get(self.at + ahead).copied()
    }

    fn step(&mut self) {
        self.line += usize::from(self.peek(0) == Some('\n'));
        self.at += 1;
    }
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The code alone: comments and texts are left out, their line breaks stay.
fn without_words(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = word_length(rest, code.ends_with(is_name));
        let (words, after) = rest.split_at(if length > 0 { length } else { next.len_utf8() });
        if length > 0 {
            // A blank, so that what stood on either side does not become one name.
            code.push(' ');
            code.extend(words.chars().filter(|character| *character == '\n'));
        } else {
            code.push(next);
        }
        rest = after;
    }
    code
}

/// The length of the comment or text that starts here; zero if none does.
fn word_length(rest: &str, in_name: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    if rest.starts_with('"') {
        return closing(rest, '"');
    }
    if rest.starts_with('\'') {
        return character_length(rest);
    }
    let Some(hashes) = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')) else {
        return 0;
    };
    let fence = hashes.chars().take_while(|character| *character == '#').count();
    let (open, close) = (format!("{}\"", "#".repeat(fence)), format!("\"{}", "#".repeat(fence)));
    match hashes.strip_prefix(&open) {
        Some(inside) if !in_name => {
            let start = rest.len() - inside.len();
            inside.find(&close).map_or(rest.len(), |end| start + end + close.len())
        }
        _ => 0,
    }
}

/// The length of `'a'` or `'\n'`; zero for a lifetime.
fn character_length(rest: &str) -> usize {
    let mut characters = rest.chars().skip(1);
    match (characters.next(), characters.next()) {
        (Some('\\'), _) => closing(rest, '\''),
        (Some(one), Some('\'')) => one.len_utf8() + 2,
        _ => 0,
    }
}

/// The length up to the closing quote, one after a backslash not counting.
fn closing(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        if character == quote && !escaped {
            return at + quote.len_utf8();
        }
        escaped = character == '\\' && !escaped;
    }
    rest.len()
}
