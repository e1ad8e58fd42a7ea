//! What is known of subjects, as it is read back.

use std::collections::BTreeSet;

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::subject::{Claims, Identifier, SubjectId, SubjectKind};
use portcullis_core::tracking::{Target, Traits};

use super::desk::{Desk, Space};
use super::{Subject, TABLE};
use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows};

/// One page has at most so many subjects, or events.
pub const MAX_PAGE: i64 = 1_000;
/// So many names of traits are told at most.
pub const MAX_NAMES: usize = 2_000;
/// So many subjects, the latest, are asked for the names of their traits.
pub const NAMES_FROM: i64 = 1_000;

/// A scan looks at no more than so many bytes of traits: nobody else reads meanwhile.
pub const MAX_SCANNED_BYTES: usize = 64 << 20;
/// So many subjects are held at once while they are looked at.
const SCANNED_AT_ONCE: i64 = 100;

/// The subject `id`.
pub(super) fn find(
    from: &mut impl Rows,
    organization: Id<Organization>,
    id: SubjectId,
) -> Result<Option<Subject>, StoreError> {
    let found = from.first(
        &sql!(
            "SELECT id, organization, kind, account, traits, created, changed FROM subjects
             WHERE id = $1 AND organization = $2"
        ),
        &[id.into(), organization.into()],
    )?;
    found.map(|row| read(from, row)).transpose()
}

/// Who has the name.
pub(super) fn holder(
    from: &mut impl Rows,
    space: Space,
    name: &Identifier,
) -> Result<Option<Subject>, StoreError> {
    let found = from.first(
        // No join: SQLite would prepare it anew each time that it is asked.
        &sql!(
            "SELECT id, organization, kind, account, traits, created, changed FROM subjects
             WHERE id = (SELECT subject FROM identifiers WHERE organization = $1
                 AND subject_kind = $2 AND kind = $3 AND value = $4)"
        ),
        &[space.organization.into(), space.kind.into(), name.kind.into(), (&*name.value).into()],
    )?;
    found.map(|row| read(from, row)).transpose()
}

pub(super) fn read(from: &mut impl Rows, row: Row) -> Result<Subject, StoreError> {
    let mut subject = bare(row)?;
    let names = from.rows(
        &sql!("SELECT kind, value FROM identifiers WHERE subject = $1 ORDER BY kind, value"),
        &[subject.id.into()],
    )?;
    let name = |mut row: Row| {
        let (kind, value) = (row.next("identifiers")?, row.next::<String>("identifiers")?);
        Ok(Identifier { kind, value: value.into() })
    };
    subject.identifiers = names.into_iter().map(name).collect::<Result<_, StoreError>>()?;
    Ok(subject)
}

/// A subject without its names.
pub(super) fn bare(mut row: Row) -> Result<Subject, StoreError> {
    Ok(Subject {
        id: row.next(TABLE)?,
        organization: row.next(TABLE)?,
        kind: row.next(TABLE)?,
        account: row.next(TABLE)?,
        traits: traits(&row.next::<String>(TABLE)?)?,
        identifiers: Vec::new(),
        created: row.next(TABLE)?,
        changed: row.next(TABLE)?,
    })
}

fn traits(text: &str) -> Result<Traits, StoreError> {
    Traits::from_json(text)
        .map_err(|error| StoreError::Corrupt { table: TABLE, reason: error.to_string() })
}

impl Reading<'_> {
    /// The subject `id` of an organization.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_subject(
        &mut self,
        organization: Id<Organization>,
        id: SubjectId,
    ) -> Result<Option<Subject>, StoreError> {
        find(self, organization, id)
    }

    /// The subject of an organization that is called `name`.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_named(
        &mut self,
        organization: Id<Organization>,
        kind: SubjectKind,
        name: &Identifier,
    ) -> Result<Option<Subject>, StoreError> {
        holder(self, Space { organization, kind }, name)
    }

    /// The subject of an organization that `claims` act on; nobody is made.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_claimed(
        &mut self,
        organization: Id<Organization>,
        claims: &Claims,
    ) -> Result<Option<Subject>, StoreError> {
        let named = match claims.kind {
            SubjectKind::Account => &claims.account,
            SubjectKind::User => &claims.user,
        };
        let (named, kind) = match (named, &claims.user) {
            (Some(named), _) => (named, claims.kind),
            (None, Some(user)) => (user, SubjectKind::User),
            (None, None) => return Ok(None),
        };
        let mut desk = Desk::default();
        let plan = desk.resolve(self, Space { organization, kind }, named, false)?;
        let Some(Target::Found(id)) = plan.map(|plan| plan.target) else { return Ok(None) };
        let id = if kind == claims.kind { Some(id) } else { desk.open(id)?.subject.account };
        id.map_or(Ok(None), |id| find(self, organization, id))
    }

    /// The names of the traits that the latest subjects of an organization have, in order.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_trait_names(
        &mut self,
        organization: Id<Organization>,
        kind: SubjectKind,
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut names = BTreeSet::new();
        self.scan(organization, kind, NAMES_FROM, |subject| {
            let room = MAX_NAMES.saturating_sub(names.len());
            let known = subject.traits.names().filter(|name| !names.contains(*name)).take(room);
            let known: Vec<_> = known.map(str::to_owned).collect();
            names.extend(known);
        })?;
        Ok(names)
    }

    /// Shows the latest subjects of an organization, without their names, to `look`: at most `most`,
    /// and [`MAX_SCANNED_BYTES`] of traits. Whether there are more.
    pub(super) fn scan(
        &mut self,
        organization: Id<Organization>,
        kind: SubjectKind,
        most: i64,
        mut look: impl FnMut(Subject),
    ) -> Result<bool, StoreError> {
        let (mut before, mut left, mut room) = (None, most, MAX_SCANNED_BYTES);
        while left > 0 && room > 0 {
            let wanted = left.min(SCANNED_AT_ONCE);
            let rows = self.page(organization, kind, before, wanted)?;
            let is_last = (rows.len() as i64) < wanted;
            for row in rows {
                let subject = bare(row)?;
                before = Some(subject.id);
                room = room.saturating_sub(subject.traits.size());
                look(subject);
            }
            if is_last {
                return Ok(false);
            }
            left -= wanted;
        }
        Ok(true)
    }

    /// All subjects of an organization in the order of their identities: at most `limit` and
    /// [`MAX_PAGE`], after `after`.
    ///
    /// # Errors
    /// The store's own.
    pub fn export_subjects(
        &mut self,
        organization: Id<Organization>,
        kind: SubjectKind,
        after: Option<SubjectId>,
        limit: i64,
    ) -> Result<Vec<Subject>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, organization, kind, account, traits, created, changed FROM subjects
                 WHERE organization = $1 AND kind = $2 AND id > $3 ORDER BY id LIMIT $4"
            ),
            &[
                organization.into(),
                kind.into(),
                after.unwrap_or(SubjectId::from_bytes([0; 12])).into(),
                limit.clamp(0, MAX_PAGE).into(),
            ],
        )?;
        rows.into_iter().map(|row| read(self, row)).collect()
    }

    /// Subjects without their names, the latest first.
    fn page(
        &mut self,
        organization: Id<Organization>,
        kind: SubjectKind,
        before: Option<SubjectId>,
        limit: i64,
    ) -> Result<Vec<Row>, StoreError> {
        self.rows(
            &sql!(
                "SELECT id, organization, kind, account, traits, created, changed FROM subjects
                 WHERE organization = $1 AND kind = $2 AND id < $3 ORDER BY id DESC LIMIT $4"
            ),
            &[
                organization.into(),
                kind.into(),
                before.unwrap_or(SubjectId::from_bytes([0xff; 12])).into(),
                limit.into(),
            ],
        )
    }
}
