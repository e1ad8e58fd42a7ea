//! All that is known of a subject, and how it changes.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Number, Value};

use super::{Change, Operation};

/// A subject has at most so many traits.
pub const MAX_TRAITS: usize = 1_000;
/// The traits of a subject have at most so many bytes of JSON.
pub const MAX_TRAITS_BYTES: usize = 256 * 1024;

/// The traits of a subject, by name. None is null.
///
/// Values are kept as the JSON that they were written in: a number that is read and written again
/// for every change would wander.
#[derive(Clone, Debug, Default)]
pub struct Traits {
    map: BTreeMap<Box<str>, Box<RawValue>>,
    /// How long the JSON of all of them is, but for one brace.
    bytes: usize,
}

/// A value as JSON writes it: what waits to be recorded has the size of its text, and not that of a
/// value taken apart.
#[derive(Clone, Debug)]
pub struct Json(Box<RawValue>);

/// What a subject would outgrow: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Overgrown {
    /// Too many bytes.
    #[error("the traits of a subject have at most {MAX_TRAITS_BYTES} bytes of JSON")]
    Bytes,
    /// Too many traits.
    #[error("a subject has at most {MAX_TRAITS} traits")]
    Count,
    /// A number that no number can be.
    #[error("a trait cannot be counted that far")]
    Number,
}

/// Stored traits that cannot be read: the database is damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a JSON object")]
pub struct BadTraits;

impl Traits {
    /// The traits that [`Traits::to_json`] wrote.
    ///
    /// # Errors
    /// It did not.
    pub fn from_json(text: &str) -> Result<Self, BadTraits> {
        let map: BTreeMap<_, _> = serde_json::from_str(text).map_err(|_| BadTraits)?;
        let bytes = if map.is_empty() { 0 } else { text.len().saturating_sub(1) };
        Ok(Self { map, bytes })
    }

    /// All of them as a JSON object.
    pub fn to_json(&self) -> String {
        // Texts as names and JSON as values: nothing in it can fail.
        serde_json::to_string(&self.map).unwrap_or_default()
    }

    /// What they become by these changes, in this order.
    ///
    /// # Errors
    /// A bound would be passed.
    pub fn changed(&self, changes: &[Change]) -> Result<Self, Overgrown> {
        let mut changed = self.clone();
        changed.apply(changes).map(|()| changed)
    }

    /// Makes these changes, in this order. After an error, some of them may be made.
    fn apply(&mut self, changes: &[Change]) -> Result<(), Overgrown> {
        changes.iter().try_for_each(|change| self.change(change))?;
        if self.map.len() > MAX_TRAITS {
            return Err(Overgrown::Count);
        }
        if self.bytes > MAX_TRAITS_BYTES {
            return Err(Overgrown::Bytes);
        }
        Ok(())
    }

    /// Takes what `other` knows and this one does not, as far as there is room.
    pub fn absorb(&mut self, other: Self) {
        for (name, value) in other.map {
            let room = self.map.len() < MAX_TRAITS
                && self.bytes + taken(&name, &value) <= MAX_TRAITS_BYTES;
            if room && !self.map.contains_key(&name) {
                self.put(name, Some(value));
            }
        }
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.map.keys().map(|name| &**name)
    }

    /// Each with its value in JSON, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.map.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The value of one in JSON.
    pub fn find(&self, name: &str) -> Option<&RawValue> {
        self.map.get(name).map(|value| &**value)
    }

    /// How long the JSON of all of them is, but for one brace.
    pub const fn size(&self) -> usize {
        self.bytes
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    fn change(&mut self, change: &Change) -> Result<(), Overgrown> {
        let value = match &change.operation {
            Operation::Dec(by) => {
                Some(raw(&self.counted(&change.name, by, i64::checked_sub, -1.0)?))
            }
            Operation::Inc(by) => {
                Some(raw(&self.counted(&change.name, by, i64::checked_add, 1.0)?))
            }
            Operation::Set(value) => value.known(),
            Operation::SetIfNull(_) if self.map.contains_key(&change.name) => return Ok(()),
            Operation::SetIfNull(value) => value.known(),
        };
        self.put(change.name.clone(), value);
        Ok(())
    }

    /// A whole number as long as it fits. What is not there, or not a number, counts from 0.
    fn counted(
        &self,
        name: &str,
        by: &Number,
        whole: fn(i64, i64) -> Option<i64>,
        sign: f64,
    ) -> Result<Number, Overgrown> {
        let now = self.map.get(name).map_or("", |value| value.get());
        let integer = now.parse::<i64>().ok();
        let float = now.parse::<f64>().ok();
        if let (Some(now), Some(by)) = (integer.or(float.is_none().then_some(0)), by.as_i64())
            && let Some(sum) = whole(now, by)
        {
            return Ok(sum.into());
        }
        let sum = float.unwrap_or(0.0) + sign * by.as_f64().ok_or(Overgrown::Number)?;
        Number::from_f64(sum).ok_or(Overgrown::Number)
    }

    fn put(&mut self, name: Box<str>, value: Option<Box<RawValue>>) {
        if let Some(before) = self.map.remove(&name) {
            self.bytes = self.bytes.saturating_sub(taken(&name, &before));
        }
        if let Some(value) = value {
            self.bytes += taken(&name, &value);
            self.map.insert(name, value);
        }
    }
}

impl Json {
    /// The text of it.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        self.get() == "null"
    }

    /// What a trait becomes by it: null is none.
    fn known(&self) -> Option<Box<RawValue>> {
        (!self.is_null()).then(|| self.0.clone())
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(raw(&value))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl PartialEq for Traits {
    fn eq(&self, other: &Self) -> bool {
        let same =
            |((name, value), (other_name, other)): ((&str, &RawValue), (&str, &RawValue))| {
                (name, value.get()) == (other_name, other.get())
            };
        self.len() == other.len() && self.iter().zip(other.iter()).all(same)
    }
}

/// The JSON of what JSON can always write.
fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// How many bytes one takes: its name, its value, a colon, and a comma or a brace.
fn taken(name: &str, value: &RawValue) -> usize {
    size(name) + value.get().len() + 2
}

/// How many bytes the JSON of `value` has.
fn size<T: Serialize + ?Sized>(value: &T) -> usize {
    let mut counter = Counter(0);
    // Nothing is refused by a counter.
    drop(serde_json::to_writer(&mut counter, value));
    counter.0
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
