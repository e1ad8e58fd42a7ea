//! What is told of a user.

use portcullis_core::ability::MANAGE_USERS;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::organization::State;
use portcullis_core::principal::ANONYMOUS;
use portcullis_store::users::UserRow;

use super::super::document::Element;
use super::super::failure::Failure;
use super::super::site::Site;
use super::made;

/// What of a user is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// What is their own alone: the address.
    pub(super) private: bool,
    pub(super) groups: bool,
    pub(super) properties: bool,
}

/// What the vendor calls the rights of a user.
struct Rights {
    mask: u64,
    names: &'static str,
    role: (u8, &'static str),
}

/// Whoever looks after the site.
const ADMIN: Rights = Rights {
    mask: u64::MAX,
    names: "LOGIN,BROWSE,READ,SUBSCRIBE,UPDATE,CREATE,DELETE,CHANGEPERMISSIONS,CONTROLPANEL,\
            UNSAFECONTENT,ADMIN",
    role: (5, "Admin"),
};
/// Everybody else: the community, and nobody.
const VIEWER: Rights =
    Rights { mask: 15, names: "LOGIN,BROWSE,READ,SUBSCRIBE", role: (2, "Viewer") };

/// The user, as the vendor's documents have them.
pub(super) async fn describe(
    site: &Site<'_>,
    row: &UserRow,
    told: Told,
) -> Result<Element, Failure> {
    let (number, anonymous) = (row.number, row.number == ANONYMOUS);
    let login = if anonymous { "Anonymous" } else { row.login.as_deref().unwrap_or_default() };
    let fullname = match row.login.as_deref() {
        _ if anonymous => "Anonymous User",
        Some(login) if login == row.name => "",
        _ => &row.name,
    };
    let email = row.email.as_deref().unwrap_or_default();
    let email = match told.private {
        true => Element::text("email", email),
        false => Element::new("email").with("hidden", true),
    };
    let admin = is_admin(site, row);
    let rights = if admin { ADMIN } else { VIEWER };
    let seat = Element::text("license.seat", admin.to_string());
    let active = if row.state == State::Active { "active" } else { "inactive" };
    let href = site.href(&format!("users/{number}"));
    let mut user = Element::new("user")
        .with("anonymous", anonymous)
        .with("virtual", false)
        .with("id", number)
        .with("wikiid", &site.id)
        .with("href", &href)
        .of([
            Element::text("nick", login),
            Element::text("username", login),
            Element::text("fullname", fullname),
            email,
            if admin && number == 1 { seat.with("owner", true) } else { seat },
            password(site, row).await?,
            Element::moment("date.created", made(row.id)),
            Element::text("status", active),
            Element::new("language"),
            Element::new("timezone"),
            Element::new("service.authentication")
                .with("id", 1)
                .with("href", site.href("site/services/1")),
            Element::new("permissions.user").of([operations(&rights), role(site, &rights)]),
            Element::new("permissions.effective").of([operations(&rights)]),
            Element::new("permissions.revoked"),
        ]);
    if told.groups {
        user = user.of([groups(site, row).await?]);
    }
    if told.properties {
        let properties = format!("{href}/properties");
        user = user.of([Element::new("properties").with("count", 0).with("href", properties)]);
    }
    Ok(user)
}

fn operations(rights: &Rights) -> Element {
    Element::text("operations", rights.names).with("mask", rights.mask)
}

fn role(site: &Site<'_>, rights: &Rights) -> Element {
    let (id, name) = rights.role;
    Element::text("role", name).with("id", id).with("href", site.href(&format!("site/roles/{id}")))
}

async fn password(site: &Site<'_>, row: &UserRow) -> Result<Element, Failure> {
    let exists = site.call.services.actions.has_password(row).await?;
    Ok(Element::new("password").with("exists", exists))
}

async fn groups(site: &Site<'_>, row: &UserRow) -> Result<Element, Failure> {
    let groups = site.call.services.actions.list_groups_of(row).await?;
    let told = groups.iter().map(|group| {
        let name = Element::text("groupname", group.name.as_str());
        Element::new("group").with("id", group.id).of([name])
    });
    Ok(Element::new("groups").of(told))
}

fn is_admin(site: &Site<'_>, row: &UserRow) -> bool {
    let memory = site.call.services.gate.memory();
    memory.user(row.id).is_some_and(|user| user.may(MANAGE_USERS, site.call.mount.realm, memory))
}
