//! Subjects that are looked for.

use portcullis_core::id::Id;
use portcullis_core::json;
use portcullis_core::organization::Organization;
use portcullis_core::subject::{Identifier, SubjectKind};
use portcullis_core::tracking::Traits;
use serde_json::Value as Json;

use super::reading::{MAX_PAGE, find, read};
use super::{Subject, TABLE};
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows};

/// A search for a trait looks at so many subjects at most, the latest first.
pub const MAX_SCANNED: i64 = 100_000;

/// Which subjects are looked for.
#[derive(Clone, PartialEq, Debug)]
pub struct Search {
    /// What they are.
    pub kind: SubjectKind,
    /// What they have; `None` for all.
    pub filter: Option<Filter>,
    /// How many matching ones are passed over.
    pub skip: u32,
    /// How many are wanted, at most [`MAX_PAGE`].
    pub top: u32,
}

/// What a subject may be looked for by.
#[derive(Clone, PartialEq, Debug)]
pub enum Filter {
    /// One of its names.
    Identifier(Identifier),
    /// A trait of exactly this value.
    Trait(Box<str>, Json),
}

/// What was found, the latest first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Listed {
    /// The page that was asked for.
    pub subjects: Vec<Subject>,
    /// How many there are on all pages.
    pub total: u64,
    /// Whether there are more than were looked at ([`MAX_SCANNED`], and so many bytes), so that some
    /// may be missing.
    pub cut: bool,
}

impl Reading<'_> {
    /// The subjects of an organization that are looked for.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_subjects(
        &mut self,
        organization: Id<Organization>,
        search: &Search,
    ) -> Result<Listed, StoreError> {
        match &search.filter {
            Some(Filter::Identifier(name)) => {
                let mut listed = Listed::default();
                if let Some(found) = self.find_named(organization, search.kind, name)? {
                    listed.take(search, found);
                }
                Ok(listed)
            }
            Some(Filter::Trait(name, value)) => {
                self.find_having(organization, search, (name, value))
            }
            None => self.list_all(organization, search),
        }
    }

    fn list_all(
        &mut self,
        organization: Id<Organization>,
        search: &Search,
    ) -> Result<Listed, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, organization, kind, account, traits, created, changed FROM subjects
                 WHERE organization = $1 AND kind = $2 ORDER BY id DESC LIMIT $3 OFFSET $4"
            ),
            &[
                organization.into(),
                search.kind.into(),
                i64::from(search.top).min(MAX_PAGE).into(),
                i64::from(search.skip).into(),
            ],
        )?;
        let count = self.first(
            &sql!("SELECT COUNT(*) FROM subjects WHERE organization = $1 AND kind = $2"),
            &[organization.into(), search.kind.into()],
        )?;
        let total: i64 = count.ok_or(StoreError::NotFound("count"))?.next(TABLE)?;
        let subjects = rows.into_iter().map(|row| read(self, row)).collect::<Result<_, _>>()?;
        Ok(Listed { subjects, total: total.unsigned_abs(), cut: false })
    }

    /// The engines read JSON each in its own way, so it is read here.
    fn find_having(
        &mut self,
        organization: Id<Organization>,
        search: &Search,
        (name, value): (&str, &Json),
    ) -> Result<Listed, StoreError> {
        let mut listed = Listed::default();
        let cut = self.scan(organization, search.kind, MAX_SCANNED, |subject| {
            if has(&subject.traits, name, value) {
                listed.take(search, subject);
            }
        })?;
        listed.cut = cut;
        for subject in &mut listed.subjects {
            if let Some(found) = find(self, organization, subject.id)? {
                *subject = found;
            }
        }
        Ok(listed)
    }
}

impl Listed {
    /// Counts one that matches, and takes it if it is on the page.
    fn take(&mut self, search: &Search, subject: Subject) {
        self.total += 1;
        let top = i64::from(search.top).min(MAX_PAGE);
        if self.total > search.skip.into() && (self.subjects.len() as i64) < top {
            self.subjects.push(subject);
        }
    }
}

/// Whether the trait has exactly this value. None is null.
fn has(traits: &Traits, name: &str, value: &Json) -> bool {
    let Some(found) = traits.find(name) else { return value.is_null() };
    json::parse(found.get()).is_ok_and(|found| found == *value)
}
