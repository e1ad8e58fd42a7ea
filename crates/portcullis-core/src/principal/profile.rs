//! What people call a user, and where they write to.

use std::fmt;

/// A user's name and address, in one piece of memory: there may be a million of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile(Box<str>);

/// Stands behind the address, which has no white space, and before the name.
const BETWEEN: char = '\n';

impl Profile {
    /// That of somebody who is called `name`, and has this address, if any.
    pub fn new(name: &str, email: Option<&str>) -> Self {
        let mut both = String::with_capacity(email.map_or(0, str::len) + 1 + name.len());
        both.push_str(email.unwrap_or_default());
        both.push(BETWEEN);
        both.push_str(name);
        Self(both.into())
    }

    /// What people call them.
    pub fn name(&self) -> &str {
        self.0.split_once(BETWEEN).map_or("", |(_, name)| name)
    }

    /// Their address, in its canonical form.
    pub fn email(&self) -> Option<&str> {
        let email = self.0.split_once(BETWEEN).map(|(email, _)| email);
        email.filter(|email| !email.is_empty())
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("name", &self.name()).field("email", &self.email()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_an_address_are_read_as_they_were_written_whatever_the_name_holds() {
        for name in ["", "Zoe", "Zo\u{eb} O", "a\nb@c.example"] {
            for email in [None, Some("zoe@a.example")] {
                let profile = Profile::new(name, email);
                assert_eq!((profile.name(), profile.email()), (name, email));
            }
        }
    }
}
