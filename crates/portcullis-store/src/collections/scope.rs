//! What somebody sees: a realm, and in it a part of the tree or what their groups let them.

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::principal::User;

use super::Visible;
use crate::error::StoreError;
use crate::organizations::{Path, path_of};
use crate::sql::Assembled;
use crate::store::Rows;

/// What may be seen, looked up.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(super) realm: Id<Organization>,
    pub(super) seen: Seen,
}

#[derive(Debug)]
pub(super) enum Seen {
    Below(Path),
    By(Id<User>),
}

impl Scope {
    pub(super) fn of(
        from: &mut impl Rows,
        realm: Id<Organization>,
        visible: Visible,
    ) -> Result<Self, StoreError> {
        let seen = match visible {
            Visible::All { top } => Seen::Below(path_of(from, top)?),
            Visible::Groups { user } => Seen::By(user),
        };
        Ok(Self { realm, seen })
    }
}

/// That the organization `o` stands at or below `top`.
pub(super) fn below(asked: &mut Assembled, top: &Path) {
    asked.text("o.path >= ").value(top.start()).text(" AND o.path < ").value(top.end().as_slice());
}

/// The groups that count which `user` is in, with their organizations: `SELECT` what of them.
pub(super) fn groups(asked: &mut Assembled, select: &'static str, user: Id<User>) {
    asked.text("(SELECT ").text(select).text(
        " FROM members m JOIN groups g ON g.id = m.circle
         JOIN organizations go ON go.id = g.organization
         WHERE m.state = 'active' AND g.state = 'active' AND go.state <> 'deleted'
             AND m.member = ",
    );
    asked.value(user).text(")");
}

/// That the user in the column `id` is `user`, or in a group with them.
pub(super) fn mates(asked: &mut Assembled, id: &'static str, user: Id<User>) {
    asked.text("(").text(id).text(" = ").value(user).text(" OR ").text(id);
    asked.text(" IN (SELECT n.member FROM members n WHERE n.state = 'active' AND n.circle IN ");
    groups(asked, "m.circle", user);
    asked.text("))");
}
