//! What somebody may see of a house, by the words of the rules.

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::principal::{Group, Holder, User};
use portcullis_store::collections::Visible;

use super::{House, Place, Thing};

impl House {
    fn place(&self, organization: Id<Organization>) -> &Place {
        self.places.iter().find(|place| place.id == organization).unwrap()
    }

    /// Whether `thing` stands in `realm` and has not gone.
    fn stands(&self, thing: &Thing, realm: Id<Organization>) -> bool {
        let place = thing.organization.map(|it| self.place(it));
        !thing.deleted && place.is_none_or(|place| place.realm == realm && !place.gone)
    }

    fn below(&self, thing: &Thing, top: Id<Organization>) -> bool {
        thing.organization.is_none_or(|it| self.place(it).above.contains(&top))
    }

    fn groups_of(&self, user: [u8; 16]) -> Vec<Id<Group>> {
        let counts = |group: &Id<Group>| {
            self.groups.iter().any(|(id, organization, counts)| {
                id == group && *counts && !self.place(*organization).gone
            })
        };
        let mine = self.members.iter().filter(|(member, _)| *member.as_bytes() == user);
        mine.map(|(_, group)| *group).filter(counts).collect()
    }

    fn mate(&self, one: [u8; 16], user: Id<User>) -> bool {
        let mine = self.groups_of(*user.as_bytes());
        let in_mine = |(member, group): &(Id<User>, Id<Group>)| {
            *member.as_bytes() == one && mine.contains(group)
        };
        one == *user.as_bytes() || self.members.iter().any(in_mine)
    }

    pub(in super::super) fn sees_user(
        &self,
        it: &Thing,
        realm: Id<Organization>,
        visible: Visible,
    ) -> bool {
        self.stands(it, realm)
            && match visible {
                Visible::All { top } => self.below(it, top),
                Visible::Groups { user } => self.mate(it.id, user),
            }
    }

    pub(in super::super) fn sees_project(
        &self,
        it: &Thing,
        realm: Id<Organization>,
        visible: Visible,
    ) -> bool {
        let by = |user: Id<User>| {
            let groups = self.groups_of(*user.as_bytes());
            let of_group = self.groups.iter().any(|(group, organization, _)| {
                Some(*organization) == it.organization && groups.contains(group)
            });
            let of_mate = self.users.iter().any(|mate| {
                mate.organization == it.organization && !mate.deleted && self.mate(mate.id, user)
            });
            of_group || of_mate
        };
        self.stands(it, realm)
            && match visible {
                Visible::All { top } => self.below(it, top),
                Visible::Groups { user } => by(user),
            }
    }

    pub(in super::super) fn sees_role(
        &self,
        it: &Thing,
        realm: Id<Organization>,
        visible: Visible,
    ) -> bool {
        let holds = |user: Id<User>| {
            let groups = self.groups_of(*user.as_bytes());
            self.grants.iter().any(|(holder, role, place)| {
                let held = match holder {
                    Holder::Group(group) => groups.contains(group),
                    Holder::User(holder) => *holder == user,
                };
                held && *role.as_bytes() == it.id && !self.place(*place).gone
            })
        };
        self.stands(it, realm)
            && match visible {
                Visible::All { top } => self.below(it, top),
                Visible::Groups { user } => holds(user),
            }
    }

    pub(in super::super) fn sees_key(
        &self,
        it: &Thing,
        realm: Id<Organization>,
        visible: Visible,
    ) -> bool {
        self.stands(it, realm)
            && match visible {
                Visible::All { top } => self.below(it, top),
                Visible::Groups { user } => it.owner == Some(user),
            }
    }
}
