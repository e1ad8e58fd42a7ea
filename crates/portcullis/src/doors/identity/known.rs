//! What is known of who sends a request, written as headers carry it.

use std::cell::OnceCell;
use std::io::Write as _;
use std::sync::Arc;

use portcullis_core::principal::{Principal, Role, User};
use portcullis_core::subject::{Claims, Named};
use portcullis_store::memory::Memory;
use uuid::Uuid;

use super::fact::Fact;
use crate::gate::{Judged, NETWORK};

/// The names of roles that upstreams are told have so many bytes in all; what comes later in their
/// order is left out, for servers bound what they take.
pub(super) const MAX_ROLES: usize = 2_048;

/// What is known of who sends one request.
pub(super) struct Known<'a> {
    judged: &'a Judged,
    request: Uuid,
    memory: &'a Memory,
    pub(super) principal: Option<&'a Principal>,
    /// Who acts on behalf of a subject is not the user, and who acts on behalf of somebody whom nobody
    /// knows is nobody.
    pub(super) user: Option<&'a User>,
    roles: OnceCell<Vec<Arc<Role>>>,
}

impl<'a> Known<'a> {
    pub(super) fn of(judged: &'a Judged, request: Uuid, memory: &'a Memory) -> Self {
        let principal = judged.who.as_ref().map(|who| &who.principal);
        let person = principal.filter(|it| it.has_rights() && it.nobody.is_none());
        let user = person.map(|it| &*it.user).filter(|user| !user.is_anonymous());
        Self { judged, request, memory, principal, user, roles: OnceCell::new() }
    }

    /// How the caller was proven.
    pub(super) fn scheme(&self) -> Option<&'static str> {
        let proven = self.judged.who.as_ref().map(|who| who.scheme.as_str());
        proven.or_else(|| self.judged.network.map(|_| NETWORK))
    }

    /// The roles that the user holds in the guard's organization, as many as may be told.
    pub(super) fn roles(&self) -> &[Arc<Role>] {
        self.roles.get_or_init(|| self.user.map_or_else(Vec::new, |user| self.roles_of(user)))
    }

    fn roles_of(&self, user: &User) -> Vec<Arc<Role>> {
        let mut left = MAX_ROLES;
        let mut roles = user.roles(self.judged.guard.standing.organization, self.memory);
        let fitting = roles.iter().take_while(|role| {
            let rest = left.checked_sub(role.name.len());
            left = rest.unwrap_or_default();
            rest.is_some()
        });
        roles.truncate(fitting.count());
        roles
    }

    fn claims(&self) -> Option<&Claims> {
        self.principal.and_then(|it| it.subject.as_deref())
    }

    /// Writes `fact` behind `out`; nothing, if it is not known.
    pub(super) fn write(&self, fact: Fact, out: &mut Vec<u8>) {
        let mut plain = |text: Option<&str>| out.extend_from_slice(text.unwrap_or("").as_bytes());
        match fact {
            Fact::Anonymous => plain(self.user.is_none().then_some("true")),
            Fact::Scheme => plain(self.scheme()),
            Fact::Subject => plain(self.claims().map(|it| it.kind.as_str())),
            Fact::Credential => uuid(self.principal.map(|it| it.credential.id.as_bytes()), out),
            Fact::Organization => {
                uuid(self.principal.map(|it| it.user.organization.as_bytes()), out)
            }
            Fact::Request => uuid(Some(self.request.as_bytes()), out),
            Fact::User => uuid(self.user.map(|it| it.id.as_bytes()), out),
            Fact::Email => word(self.user.and_then(|it| it.profile.email()).unwrap_or(""), out),
            Fact::Login => word(self.user.and_then(|it| it.login.as_deref()).unwrap_or(""), out),
            Fact::Name => phrase(self.user.map_or("", |it| it.profile.name()), out),
            Fact::Network => shown(self.judged.network, out),
            Fact::Number => shown(self.user.map(|it| it.number), out),
            Fact::Roles => list(self.roles().iter().map(|it| &*it.name), out),
            Fact::SubjectAccount => subject(self.claims().and_then(|it| it.account.as_ref()), out),
            Fact::SubjectUser => subject(self.claims().and_then(|it| it.user.as_ref()), out),
        }
    }
}

fn uuid(bytes: Option<&[u8; 16]>, out: &mut Vec<u8>) {
    if let Some(bytes) = bytes {
        let mut room = Uuid::encode_buffer();
        let text = Uuid::from_bytes_ref(bytes).hyphenated().encode_lower(&mut room);
        out.extend_from_slice(text.as_bytes());
    }
}

fn shown(it: Option<impl std::fmt::Display>, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    drop(it.map(|it| write!(out, "{it}")));
}

/// The identity and the identifiers of a subject: `id=… external_id=…`.
pub(super) fn subject(subject: Option<&Named>, out: &mut Vec<u8>) {
    let Some(subject) = subject else { return };
    if let Some(id) = subject.id {
        shown(Some(format_args!("id={id}")), out);
    }
    for (at, identifier) in subject.identifiers.iter().enumerate() {
        if at > 0 || subject.id.is_some() {
            out.push(b' ');
        }
        out.extend_from_slice(identifier.kind.as_str().as_bytes());
        out.push(b'=');
        word(&identifier.value, out);
    }
}

/// A text of which visible ASCII stands as it is; all else, and `%`, is percent-encoded.
fn word(text: &str, out: &mut Vec<u8>) {
    escape(text.as_bytes(), u8::is_ascii_graphic, out);
}

/// The same, but that spaces between words stand as they are too.
fn phrase(text: &str, out: &mut Vec<u8>) {
    within(text, |byte| byte.is_ascii_graphic(), out);
}

/// Phrases parted by commas, of which none has one itself.
fn list<'t>(texts: impl Iterator<Item = &'t str>, out: &mut Vec<u8>) {
    for (at, text) in texts.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        within(text, |byte| byte.is_ascii_graphic() && *byte != b',', out);
    }
}

/// What a text has at its ends would not arrive, were it a space.
fn within(text: &str, stands: impl Fn(&u8) -> bool, out: &mut Vec<u8>) {
    let inner = text.trim_matches(' ');
    let before = text.len() - text.trim_start_matches(' ').len();
    let after = text.len() - before - inner.len();
    (0..before).for_each(|_| out.extend_from_slice(b"%20"));
    escape(inner.as_bytes(), |byte| *byte == b' ' || stands(byte), out);
    (0..after).for_each(|_| out.extend_from_slice(b"%20"));
}

fn escape(bytes: &[u8], stands: impl Fn(&u8) -> bool, out: &mut Vec<u8>) {
    for byte in bytes {
        if stands(byte) && *byte != b'%' {
            out.push(*byte);
        } else {
            shown(Some(format_args!("%{byte:02X}")), out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whatever_a_text_holds_is_carried_as_visible_ascii() {
        for (text, as_word, as_phrase) in [
            ("", "", ""),
            ("zoe", "zoe", "zoe"),
            ("zo\u{eb} 100%", "zo%C3%AB%20100%25", "zo%C3%AB 100%25"),
            (" a  b ", "%20a%20%20b%20", "%20a  b%20"),
            ("   ", "%20%20%20", "%20%20%20"),
            ("a\r\nRemote-User: b", "a%0D%0ARemote-User:%20b", "a%0D%0ARemote-User: b"),
            ("a,b\t\u{7f}", "a,b%09%7F", "a,b%09%7F"),
        ] {
            assert_eq!(written(|out| word(text, out)), as_word);
            assert_eq!(written(|out| phrase(text, out)), as_phrase);
        }
    }

    #[test]
    fn a_name_in_a_list_is_one_name_whatever_it_holds() {
        let names = ["Owner", "a,Owner", "API Key Sign In", "%2C"];
        let told = written(|out| list(names.into_iter(), out));
        assert_eq!(told, "Owner,a%2COwner,API Key Sign In,%252C");
        assert_eq!(told.split(',').count(), names.len());
    }

    /// What a header says once it was read.
    fn read(text: &str) -> String {
        percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
    }

    proptest::proptest! {
        #[test]
        fn every_text_arrives_and_no_two_become_one(
            texts in proptest::collection::vec("\\PC{1,12}|[ ,%a-c]{1,6}", 1..5),
        ) {
            let told = written(|out| list(texts.iter().map(String::as_str), out));
            http::HeaderValue::from_str(&told).unwrap();
            proptest::prop_assert_eq!(told.trim(), &told);
            let arrived: Vec<_> = told.split(',').map(read).collect();
            proptest::prop_assert_eq!(&arrived, &texts);
            for text in &texts {
                proptest::prop_assert_eq!(&read(&written(|out| word(text, out))), text);
                proptest::prop_assert_eq!(&read(&written(|out| phrase(text, out))), text);
            }
        }
    }
}
