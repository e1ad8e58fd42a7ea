//! Takes keys out of a table, checks them against their rows, and tells what nobody took.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Absence, HEADERS, Home, Key, Kind};
use super::source::{Source, Spot};
use super::value;

/// The longest name of a key that a spelling is suggested for.
const MAX_SUGGESTED: usize = 64;

/// A table of the file whose keys are being read.
pub(super) struct Section<'s, 't> {
    source: &'s Source<'t>,
    name: &'static str,
    path: String,
    at: usize,
    table: DeTable<'t>,
}

/// What the file has for a key.
struct Written<'t> {
    at: usize,
    /// Whether a line of it is not TOML, which was told already.
    guessed: bool,
    value: DeValue<'t>,
}

/// A value with all that a message about it says.
struct Input<'s, 't> {
    source: &'s Source<'t>,
    key: &'static Key,
    path: &'s str,
    spot: Spot,
    value: &'s DeValue<'t>,
}

impl<'s, 't> Section<'s, 't> {
    /// The file as a whole, whose keys are sections.
    pub(super) fn root(source: &'s Source<'t>, table: DeTable<'t>) -> Self {
        Self { source, name: "", path: String::new(), at: 0, table }
    }

    /// The byte at which its header stands.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Takes the table `name` out; it is empty if the file has none.
    pub(super) fn section(&mut self, name: &'static str) -> Self {
        let Some(written) = self.take(name) else {
            return self.inner(name, name.to_owned(), 0, DeTable::new());
        };
        let at = written.at;
        let table = self.table(name, &format!("a table `[{name}]`"), written);
        self.inner(name, name.to_owned(), at, table.unwrap_or_default())
    }

    /// Takes all tables `[[name]]` out, of which there may be `most`.
    pub(super) fn sections(&mut self, name: &'static str, most: usize) -> Vec<Self> {
        let expected = format!("at most {most} tables `[[{name}]]`");
        let Some(written) = self.take(name) else { return Vec::new() };
        let (source, at) = (self.source, written.at);
        let DeValue::Array(items) = written.value else {
            self.refuse(name, &expected, &written);
            return Vec::new();
        };
        if items.len() > most {
            let message = format!("expected {expected}, found {}", items.len());
            source.note(Spot::At(at), name, message);
        }
        let mut sections = Vec::new();
        for (index, item) in items.into_iter().take(most).enumerate() {
            let (span, path) = (item.span(), format!("{name}[{index}]"));
            let (at, guessed) = (span.start, source.guessed(&span));
            let written = Written { at, guessed, value: item.into_inner() };
            if let Some(table) = self.table(&path, &format!("a table `[[{name}]]`"), written) {
                sections.push(self.inner(name, path, at, table));
            }
        }
        sections
    }

    /// A whole number.
    pub(super) fn count(&mut self, name: &str) -> Option<u32> {
        self.read(name, |input| match (&input.key.kind, input.value) {
            (Kind::Count(least, most), DeValue::Integer(number)) => {
                value::count(number).filter(|count| (least..=most).contains(&count))
            }
            _ => None,
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.read(name, |input| input.value.as_bool())
    }

    /// A time.
    pub(super) fn span(&mut self, name: &str) -> Option<Duration> {
        self.read(name, |input| match (&input.key.kind, input.value) {
            (Kind::Span(least, most), DeValue::String(text)) => {
                value::span(text).filter(|span| (least..=most).contains(&span))
            }
            _ => None,
        })
    }

    /// A text that `convert` understands.
    pub(super) fn text<T>(&mut self, name: &str, convert: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.read(name, |input| input.value.as_str().and_then(&convert))
    }

    /// Texts that `convert` understands, none of them twice.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        convert: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.items(name, None, convert)
    }

    /// Some of the words `known`, none of them twice.
    pub(super) fn words(&mut self, name: &str, known: &[&str]) -> Option<Vec<String>> {
        let one = format!("one of `{}`", known.join("`, `"));
        self.items(name, Some(&one), |text| known.contains(&text).then(|| text.to_owned()))
    }

    /// Takes the table `name` of free names and texts out, if it is there.
    pub(super) fn options(&mut self, name: &str) -> Option<BTreeMap<String, String>> {
        let written = self.take(name)?;
        let path = self.path_of(name);
        let table = self.table(&path, "a table of options", written)?;
        let mut options = BTreeMap::new();
        for (option, value) in table {
            let written = self.written(&option, value);
            if let DeValue::String(text) = &written.value {
                options.insert(option.get_ref().to_string(), text.to_string());
            } else {
                self.refuse(&join(&path, option.get_ref()), "a text", &written);
            }
        }
        Some(options)
    }

    /// Whether the key `name` is there and not yet taken.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// Writes down a mistake at the key `name`, or at the section if it is not there.
    pub(super) fn note(&self, at: Option<usize>, name: &str, message: impl Into<String>) {
        let spot = Spot::At(at.unwrap_or(self.at));
        self.source.note(spot, &self.path_of(name), message);
    }

    /// Where the value of `name` stands, as long as it was not taken.
    pub(super) fn at_key(&self, name: &str) -> Option<usize> {
        self.table.get(name).map(|value| value.span().start)
    }

    /// Whether something may be missing only because its line is not TOML.
    pub(super) fn incomplete(&self) -> bool {
        self.source.incomplete(self.at)
    }

    /// Tells what nobody took. Besides its rows, the section may have the tables `more`.
    pub(super) fn finish(self, more: &[&'static str]) {
        for key in self.table.keys().filter(|key| !self.source.guessed(&key.span())) {
            let name = key.get_ref();
            let names: Vec<&str> = if self.name.is_empty() {
                HEADERS.iter().map(|header| header.name).collect()
            } else {
                keys::of(self.name).map(|key| key.name).chain(more.iter().copied()).collect()
            };
            let path = join(&self.path, name);
            self.source.note(Spot::At(key.span().start), &path, unknown(name, &names));
        }
    }

    fn items<T>(
        &mut self,
        name: &str,
        one: Option<&str>,
        convert: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let read = self.read(name, |input| match (&input.key.kind, input.value) {
            (Kind::List(what, least, most), DeValue::Array(items))
                if (least..=most).contains(&&items.len()) =>
            {
                let one = one.map_or_else(|| format!("one of {what}"), str::to_owned);
                Some(input.items(&one, items, &convert))
            }
            _ => None,
        });
        read.flatten()
    }

    /// Reads a key from the file and from its variable, which prevails. Both are checked.
    fn read<T>(&mut self, name: &str, convert: impl Fn(&Input<'_, '_>) -> Option<T>) -> Option<T> {
        let path = self.path_of(name);
        let Some(key) = keys::of(self.name).find(|key| key.name == name) else {
            self.source.note(Spot::At(self.at), &path, "has no row in the table of keys");
            return None;
        };
        let (source, written) = (self.source, self.take(name));
        let convert = |spot, value: &DeValue<'_>| {
            let input = Input { source, key, path: &path, spot, value };
            convert(&input).or_else(|| input.refuse(&key.expected()))
        };
        let in_file = written.as_ref().and_then(|written| match key.home {
            Home::Only(variable) => self.refuse_in_file(written.at, &path, variable),
            Home::File | Home::FileOr(_) if written.guessed => None,
            Home::File | Home::FileOr(_) => convert(Spot::At(written.at), &written.value),
        });
        if let Some((variable, text)) =
            key.variable().and_then(|it| Some((it, source.variable(it)?)))
        {
            return convert(Spot::Variable(variable), &DeValue::String(text.into()));
        }
        if written.is_some() {
            return in_file;
        }
        match key.absence {
            Absence::Default(text) => {
                let value = DeValue::parse(text).ok()?;
                convert(Spot::At(self.at), value.get_ref())
            }
            Absence::Optional(..) => None,
            Absence::Required(_) => self.refuse_absence(&path, key),
        }
    }

    fn refuse_in_file<T>(&self, at: usize, path: &str, variable: &str) -> Option<T> {
        let message =
            format!("has no place in a file: set the environment variable `{variable}` instead");
        self.source.note(Spot::At(at), path, message);
        None
    }

    fn refuse_absence<T>(&self, path: &str, key: &Key) -> Option<T> {
        if !self.incomplete() {
            let message = format!("missing: expected {}", key.expected());
            self.source.note(Spot::At(self.at), path, message);
        }
        None
    }

    fn inner(&self, name: &'static str, path: String, at: usize, table: DeTable<'t>) -> Self {
        Self { source: self.source, name, path, at, table }
    }

    fn take(&mut self, name: &str) -> Option<Written<'t>> {
        let (key, value) = self.table.remove_entry(name)?;
        Some(self.written(&key, value))
    }

    fn written<K>(&self, key: &Spanned<K>, value: Spanned<DeValue<'t>>) -> Written<'t> {
        let (name, span) = (key.span(), value.span());
        // A value that was left out has no place of its own.
        let at = if span.is_empty() { name.start } else { span.start };
        let whole = name.start.min(at)..name.end.max(span.end);
        Written { at, guessed: self.source.guessed(&whole), value: value.into_inner() }
    }

    /// The table that was written, if it is one.
    fn table(&self, path: &str, expected: &str, written: Written<'t>) -> Option<DeTable<'t>> {
        if let DeValue::Table(table) = written.value {
            return Some(table);
        }
        self.refuse(path, expected, &written);
        None
    }

    fn refuse(&self, path: &str, expected: &str, written: &Written<'_>) {
        if !written.guessed {
            let message = format!("expected {expected}, found {}", value::found(&written.value));
            self.source.note(Spot::At(written.at), path, message);
        }
    }

    fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }
}

impl<'t> Input<'_, 't> {
    /// Says what was expected and what was found instead.
    fn refuse<T>(&self, expected: &str) -> Option<T> {
        self.refuse_value(self.spot, self.path, expected, self.value)
    }

    fn refuse_value<T>(
        &self,
        spot: Spot,
        path: &str,
        expected: &str,
        value: &DeValue<'_>,
    ) -> Option<T> {
        let mut message = format!("expected {expected}, found ");
        if self.key.secret {
            message.push_str("something else, which is not shown");
        } else {
            message.push_str(&value::found(value));
        }
        self.source.note(spot, path, message);
        None
    }

    /// Converts items one by one, so that each mistake has its own place; `None` if there is one.
    fn items<T>(
        &self,
        expected: &str,
        items: &[Spanned<DeValue<'t>>],
        convert: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut seen = BTreeSet::new();
        let mut converted = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let (spot, path) = (Spot::At(item.span().start), format!("{}[{index}]", self.path));
            let text = item.get_ref().as_str();
            if let Some(text) = text.filter(|text| !seen.insert(text.to_ascii_lowercase())) {
                self.source.note(spot, &path, format!("{} is there twice", value::shown(text)));
                continue;
            }
            let one = text.and_then(&convert);
            let one = one.or_else(|| self.refuse_value(spot, &path, expected, item.get_ref()));
            converted.extend(one);
        }
        (converted.len() == items.len()).then_some(converted)
    }
}

/// What is said of a name that is none of `names`.
pub(super) fn unknown(name: &str, names: &[&str]) -> String {
    let mut message = "unknown".to_owned();
    let meant = Some(name).filter(|name| name.len() <= MAX_SUGGESTED);
    let elsewhere = keys::all().find(|key| key.name == name);
    if let Some(key) = elsewhere {
        let _infallible = write!(message, ", did you mean `{}.{name}`?", key.section);
    } else if let Some(nearest) = meant.and_then(|name| value::nearest(name, names.iter().copied()))
    {
        let _infallible = write!(message, ", did you mean `{nearest}`?");
    } else {
        let _infallible = write!(message, ": expected one of `{}`", names.join("`, `"));
    }
    message
}

/// The path of a key: what is not a bare key of TOML is quoted, and cut where it gets long.
fn join(path: &str, name: &str) -> String {
    let bare = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_');
    let name = if !name.is_empty() && name.len() <= MAX_SUGGESTED && name.chars().all(bare) {
        name.to_owned()
    } else {
        value::shown(name).replace('`', "\"")
    };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}
