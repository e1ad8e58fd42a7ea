//! What is wrong with a configuration, and where: every mistake of a file, told at once.

use std::fmt;

use serde::Serialize;

/// How many mistakes are kept; the others are only counted.
pub(crate) const MAX_MISTAKES: usize = 1_000;

/// A place in the configuration file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub(crate) struct Place {
    /// The file, as it was named on the command line.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column in characters, from 1.
    pub(crate) column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Where a mistake was made.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Origin {
    /// In the file as a whole: it could not be read.
    File {
        /// The file, as it was named on the command line.
        file: String,
    },
    /// At a place in the file.
    Place(Place),
    /// In an environment variable.
    Variable {
        /// The name of the variable.
        variable: &'static str,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file } => f.write_str(file),
            Self::Place(place) => place.fmt(f),
            Self::Variable { variable } => f.write_str(variable),
        }
    }
}

/// One mistake of the operator.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub(crate) struct Mistake {
    /// Where it was made.
    #[serde(flatten)]
    pub(crate) origin: Origin,
    /// The path of the key, as `server.listen`; empty if the file could not be read that far.
    pub(crate) key: String,
    /// What is wrong, and what is expected.
    pub(crate) message: String,
}

impl Mistake {
    /// A mistake that is found only after the file was read, as in a guard that cannot be built.
    pub(crate) fn at(place: &Place, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { origin: Origin::Place(place.clone()), key: key.into(), message: message.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// All mistakes of a configuration, in the order of the file; those of the environment are last.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mistakes {
    kept: Vec<Mistake>,
    beyond: usize,
}

impl Mistakes {
    /// Adds one; beyond [`MAX_MISTAKES`] it is only counted.
    pub(crate) fn push(&mut self, mistake: Mistake) {
        if self.is_full() {
            return self.pass_over();
        }
        let place = self.kept.partition_point(|kept| *kept <= mistake);
        self.kept.insert(place, mistake);
    }

    /// Whether further ones are only counted.
    pub(super) const fn is_full(&self) -> bool {
        self.kept.len() >= MAX_MISTAKES
    }

    /// Counts one that is not kept.
    pub(super) const fn pass_over(&mut self) {
        self.beyond += 1;
    }

    /// The mistakes that were kept.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.kept.iter()
    }

    /// How many there are, kept or not.
    pub(crate) const fn count(&self) -> usize {
        self.kept.len() + self.beyond
    }

    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.count() == 0
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.kept {
            writeln!(f, "{mistake}")?;
        }
        match (self.count(), self.beyond) {
            (1, _) => f.write_str("1 mistake"),
            (count, 0) => write!(f, "{count} mistakes"),
            (count, _) => write!(f, "{count} mistakes, of which {MAX_MISTAKES} are shown"),
        }
    }
}

impl std::error::Error for Mistakes {}
