//! Secrets that a check needs themselves: of the credentials that are
//! [kept open](crate::scheme::Kept::Opened), with what was switched on them.
//!
//! The store keeps a keyring sealed and whole, so that whoever can write to the database can
//! neither read a secret nor turn a switch.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::credential::Credential;
use crate::scheme::{Options, SchemeName};
use crate::seal::{self, Digest, MacKey, MasterKey, NoEntropy, OpenError};
use crate::secret::SecretBuf;
use crate::time::Timestamp;

/// So many secrets of one credential count at once.
pub const MAX_SECRETS: usize = 4;

const FORM: u32 = 1;

/// The opened secrets of one credential, the newest first.
pub struct Keyring {
    secrets: Vec<OpenSecret>,
    /// What was switched on the credential.
    pub options: Options,
}

/// One secret, opened.
pub struct OpenSecret {
    text: SecretBuf,
    mac: MacKey,
    /// It does not count from this on.
    pub until: Timestamp,
}

/// What a keyring is sealed for: nothing else opens it.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The scheme that the credential is filed under.
    pub scheme: SchemeName,
    /// Its public part.
    pub key: &'a str,
    /// The sixteen bytes of its owner's identity.
    pub owner: &'a [u8; 16],
}

/// Why a keyring could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Unopened {
    /// It is of a form that this build does not know.
    #[error("the form of a keyring is not known")]
    Form,
    /// It was sealed otherwise.
    #[error(transparent)]
    Seal(#[from] OpenError),
}

/// The form in which a keyring is sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<'a> {
    form: u32,
    #[serde(borrow)]
    secrets: Vec<StoredSecret<'a>>,
    options: Options,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSecret<'a> {
    #[serde(borrow)]
    secret: Cow<'a, str>,
    until: Option<i64>,
}

impl OpenSecret {
    /// A secret that counts for as long as its credential.
    pub fn new(text: SecretBuf) -> Self {
        Self::until(text, Timestamp::MAX)
    }

    /// A secret that does not count from `until` on.
    pub fn until(text: SecretBuf, until: Timestamp) -> Self {
        Self { mac: MacKey::of_text(text.expose()), text, until }
    }

    /// Whether `proof` is this very secret.
    pub fn is(&self, proof: &[u8]) -> bool {
        seal::equal(self.text.expose(), proof)
    }

    /// The HMAC-SHA-256 of the concatenated `parts` under the bytes of its text (RFC 2104).
    pub fn sign(&self, parts: &[&[u8]]) -> Digest {
        self.mac.digest(parts)
    }
}

impl Keyring {
    /// The keyring of a credential with one secret.
    pub fn new(secret: SecretBuf, options: Options) -> Self {
        Self { secrets: vec![OpenSecret::new(secret)], options }
    }

    /// A keyring that nobody knows the secret of.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn decoy() -> Result<Self, NoEntropy> {
        Ok(Self::new(SecretBuf::new(seal::random::<32>()?), Options::new()))
    }

    /// The secrets that count at `now`, the newest first.
    pub fn secrets(&self, now: Timestamp) -> impl Iterator<Item = &OpenSecret> {
        self.secrets.iter().filter(move |secret| now < secret.until)
    }

    /// Puts `secret` before the others, which count until `until` at most, and no longer than they
    /// would have. Those that count no more at `now` go.
    ///
    /// # Errors
    /// Too many count already.
    pub fn rotate(
        &mut self,
        secret: SecretBuf,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), TooMany> {
        for old in &mut self.secrets {
            old.until = old.until.min(until);
        }
        self.secrets.retain(|old| now < old.until);
        if self.secrets.len() >= MAX_SECRETS {
            return Err(TooMany);
        }
        self.secrets.insert(0, OpenSecret::new(secret));
        Ok(())
    }

    /// Whether the option `name` is switched on.
    pub fn is_on(&self, name: &str) -> bool {
        self.options.get(name).is_some_and(|value| value == "true")
    }

    /// Seals it under `master`.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn seal(&self, master: &MasterKey, binding: Binding<'_>) -> Result<Vec<u8>, NoEntropy> {
        let of =
            |open: &'_ OpenSecret| (open.until != Timestamp::MAX).then_some(open.until.millis());
        let secrets = self.secrets.iter();
        let secrets = secrets
            .map(|open| StoredSecret { secret: open.text.expose_text().into(), until: of(open) })
            .collect();
        let stored = Stored { form: FORM, secrets, options: self.options.clone() };
        let text = Zeroizing::new(serde_json::to_vec(&stored).map_err(|_| NoEntropy)?);
        master.seal(&text, &binding.context())
    }

    /// Opens what [`Keyring::seal`] sealed.
    ///
    /// # Errors
    /// It was sealed otherwise, changed since, or is of another form.
    pub fn open(sealed: &[u8], master: &MasterKey, binding: Binding<'_>) -> Result<Self, Unopened> {
        let text = master.open(sealed, &binding.context())?;
        let stored: Stored<'_> =
            serde_json::from_slice(text.expose()).map_err(|_| Unopened::Form)?;
        if stored.form != FORM {
            return Err(Unopened::Form);
        }
        let open = |it: StoredSecret<'_>| {
            let until = it.until.map_or(Timestamp::MAX, Timestamp::from_millis);
            OpenSecret::until(SecretBuf::new(it.secret.as_bytes()), until)
        };
        Ok(Self {
            secrets: stored.secrets.into_iter().map(open).collect(),
            options: stored.options,
        })
    }
}

/// More secrets than [`MAX_SECRETS`] would count at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("at most {MAX_SECRETS} secrets count at once")]
pub struct TooMany;

impl Binding<'_> {
    fn context(&self) -> Vec<u8> {
        let Self { scheme, key, owner } = self;
        let owner = crate::id::Id::<Credential>::from_bytes(**owner);
        format!("credentials.verifier/{scheme}/{key}/{owner}").into_bytes()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("secrets", &self.secrets)
            .field("options", &self.options)
            .finish()
    }
}

impl fmt::Debug for OpenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSecret").field("until", &self.until).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme;

    const BINDING: Binding<'_> =
        Binding { scheme: scheme::CONNECTOR, key: "5a7962e2793d3e942a03b29a", owner: &[2; 16] };

    fn master() -> MasterKey {
        MasterKey::parse(MasterKey::draw().unwrap().expose_text()).unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_keyring_opens_for_the_very_credential_it_was_sealed_for() {
        let master = master();
        let options = Options::from([("query".to_owned(), "true".to_owned())]);
        let ring = Keyring::new(SecretBuf::new("a \"quoted\" secret"), options.clone());
        let sealed = ring.seal(&master, BINDING).unwrap();
        let opened = Keyring::open(&sealed, &master, BINDING).unwrap();
        assert!(opened.secrets(at(0)).next().unwrap().is(b"a \"quoted\" secret"));

        let ring = Keyring::new(SecretBuf::new("a secret"), options);
        let sealed = ring.seal(&master, BINDING).unwrap();
        let opened = Keyring::open(&sealed, &master, BINDING).unwrap();
        assert!(opened.is_on("query") && !opened.is_on("partial"));
        assert!(opened.secrets(at(0)).next().unwrap().is(b"a secret"));
        for other in [
            Binding { scheme: scheme::API_KEY, ..BINDING },
            Binding { key: "6a7962e2793d3e942a03b29a", ..BINDING },
            Binding { owner: &[3; 16], ..BINDING },
        ] {
            assert!(Keyring::open(&sealed, &master, other).is_err(), "{other:?}");
        }
        assert!(Keyring::open(&sealed, &self::master(), BINDING).is_err());
    }

    #[test]
    fn older_secrets_count_for_a_while_beside_the_newest() {
        let mut ring = Keyring::new(SecretBuf::new("one"), Options::new());
        ring.rotate(SecretBuf::new("two"), at(20), at(10)).unwrap();
        let known = |ring: &Keyring, now| -> Vec<bool> {
            let is = |text: &&[u8]| ring.secrets(at(now)).any(|it| it.is(text));
            [b"one".as_slice(), b"two", b"three"].iter().map(is).collect()
        };
        assert_eq!(known(&ring, 19), [true, true, false]);
        assert_eq!(known(&ring, 20), [false, true, false]);
        ring.rotate(SecretBuf::new("three"), at(90), at(11)).unwrap();
        assert_eq!(known(&ring, 19), [true, true, true]);
        assert_eq!(known(&ring, 20), [false, true, true], "no longer than it would have");
        ring.rotate(SecretBuf::new("four"), at(80), at(12)).unwrap();
        assert_eq!(ring.rotate(SecretBuf::new("five"), at(80), at(13)), Err(TooMany));
        ring.rotate(SecretBuf::new("five"), at(30), at(30)).unwrap();
        assert_eq!(known(&ring, 30), [false, false, false], "nothing is left of what ended");
    }

    #[test]
    fn a_secret_signs_as_the_standard_says_and_shows_nothing() {
        // RFC 4231, test case 2.
        let secret = OpenSecret::new(SecretBuf::new("Jefe"));
        let mac = secret.sign(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(mac.first_chunk(), Some(&[0x5b, 0xdc, 0xc1, 0x46]));
        // RFC 4231, test case 6: a key longer than a block.
        let secret = OpenSecret::new(SecretBuf::new([0xaa; 131]));
        let mac = secret.sign(&[b"Test Using Larger Than Block-Size Key - Hash Key First"]);
        assert_eq!(mac.first_chunk(), Some(&[0x60, 0xe4, 0x31, 0x59]));
        let ring = Keyring::new(SecretBuf::new("canary-canary"), Options::new());
        assert!(!format!("{ring:?}").contains("canary"));
    }
}
