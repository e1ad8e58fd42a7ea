//! The text of a configuration file: where things stand in it, and the mistakes found so far.

use std::cell::RefCell;
use std::ops::Range;

use toml::de::DeTable;

use super::mistake::{Mistake, Mistakes, Origin, Place};

/// Looks up an environment variable.
pub(crate) type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Where a value was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Spot {
    /// At this byte of the file.
    At(usize),
    /// In this environment variable.
    Variable(&'static str),
}

/// A file and all that is wrong with it.
pub(super) struct Source<'t> {
    name: &'t str,
    text: &'t str,
    /// Where each line starts.
    lines: Vec<usize>,
    /// The lines that are not TOML, in order.
    broken: Vec<usize>,
    environment: Environment<'t>,
    mistakes: RefCell<Mistakes>,
}

impl<'t> Source<'t> {
    /// Reads `text` as TOML. What could be understood is handed back besides.
    pub(super) fn open(
        name: &'t str,
        text: &'t str,
        environment: Environment<'t>,
    ) -> (Self, DeTable<'t>) {
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = [0].into_iter().chain(starts.map(|(at, _)| at + 1)).collect();
        let mistakes = RefCell::default();
        let mut source = Self { name, text, lines, broken: Vec::new(), environment, mistakes };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            let line = source.line(at);
            // What follows on the same line only follows from it.
            if let Err(place) = source.broken.binary_search(&line) {
                source.broken.insert(place, line);
                source.note(Spot::At(at), "", error.message().replace('\n', ", "));
            }
        }
        (source, table.into_inner())
    }

    /// Writes down a mistake.
    pub(super) fn note(&self, spot: Spot, key: &str, message: impl Into<String>) {
        let mut mistakes = self.mistakes.borrow_mut();
        if mistakes.is_full() {
            return mistakes.pass_over();
        }
        let origin = match spot {
            Spot::At(at) => Origin::Place(self.place(at)),
            Spot::Variable(variable) => Origin::Variable { variable },
        };
        mistakes.push(Mistake { origin, key: key.to_owned(), message: message.into() });
    }

    /// The environment variable `name`.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }

    /// Whether a line of `span` is not TOML: what was understood of it is a guess.
    pub(super) fn guessed(&self, span: &Range<usize>) -> bool {
        let (first, last) = (self.line(span.start), self.line(span.end));
        let next = self.broken.partition_point(|line| *line < first);
        self.broken.get(next).is_some_and(|line| *line <= last)
    }

    /// Whether a line of the table whose header is at `at` is not TOML, and may be what is missing.
    pub(super) fn incomplete(&self, at: usize) -> bool {
        let body = self.text.get(at..).unwrap_or_default();
        let end = at + body.find("\n[").unwrap_or(body.len());
        self.guessed(&(at..end))
    }

    /// Where the byte `at` stands.
    pub(super) fn place(&self, at: usize) -> Place {
        let line = self.line(at);
        let start = line.checked_sub(1).and_then(|it| self.lines.get(it)).copied().unwrap_or(0);
        let before = self.text.get(start..at).unwrap_or_default();
        Place { file: self.name.to_owned(), line, column: before.chars().count() + 1 }
    }

    /// All mistakes that were written down.
    pub(super) fn into_mistakes(self) -> Mistakes {
        self.mistakes.into_inner()
    }

    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }
}
