//! Who acts where a credential was used on behalf of a user whom it names.

use std::sync::Arc;

use super::{Authenticated, Authenticator, Rejection};
use crate::keyring::Keyring;
use crate::limits::Site;
use crate::lookup::CredentialLookup;
use crate::name;
use crate::principal::{ANONYMOUS, Principal, User};
use crate::scheme::signature::{NamedUser, option};

impl<L: CredentialLookup> Authenticator<L> {
    /// Whom `own`, the owner with their credential, acts as when it was used on behalf of `named`.
    /// Whoever is not known acts as nobody.
    pub(super) fn on_behalf(
        &self,
        own: Principal,
        named: &NamedUser<'_>,
        keyring: &Keyring,
        site: &Site,
    ) -> Result<Principal, Rejection> {
        let (found, nobody) = self.meant(named, site);
        let user = found.or_else(|| self.lookup.numbered(site.realm, ANONYMOUS));
        let user = user.ok_or(Rejection::Unknown)?;
        if let Some(only) = keyring.options.get(option::USER)
            && only.parse() != Ok(user.number)
        {
            return Err(Rejection::OtherUser);
        }
        self.may_act_as(&own.user, &user, site)?;
        Ok(Principal { user, nobody, ..own })
    }

    /// The user who is meant; or, for the exchange that makes users, the name that nobody has.
    fn meant(&self, named: &NamedUser<'_>, site: &Site) -> (Option<Arc<User>>, Option<Box<str>>) {
        match named {
            NamedUser::Number(number) => {
                (self.lookup.numbered(site.realm, i64::from(*number)), None)
            }
            NamedUser::Name(text) => {
                // What cannot be a name is nobody's.
                let Ok(login) = name::canonical(text) else { return (None, None) };
                let found = self.lookup.named(site.realm, &login);
                let nobody = found.is_none().then(|| login.into());
                (found, nobody)
            }
        }
    }

    /// Whether `owner`, who may act themselves, may act as `user`.
    fn may_act_as(&self, owner: &User, user: &User, site: &Site) -> Result<(), Rejection> {
        if owner.id != user.id {
            self.may_sign(owner, site)?;
        }
        self.acts(user, site, Rejection::UserInactive)
    }

    /// The user as whom `who` acts, at the last look; `owner` is the credential's.
    pub(super) fn still_on_behalf(
        &self,
        who: &Authenticated,
        owner: Arc<User>,
        site: &Site,
    ) -> Result<Arc<User>, Rejection> {
        let acting = who.principal.user.id;
        if acting == owner.id {
            return Ok(owner);
        }
        let user = self.lookup.user(acting).ok_or(Rejection::UserInactive)?;
        self.may_act_as(&owner, &user, site)?;
        Ok(user)
    }
}
