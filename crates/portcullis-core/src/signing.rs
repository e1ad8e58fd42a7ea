//! Keys that sign what upstreams are told, and the set of their public parts.
//!
//! ES256 (RFC 7518, section 3.4): what libraries for JWT verify out of the box. Ed25519 needs one
//! more package on the JVM, in .NET, Ruby and PHP.

mod stage;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::assertion::{ASSERTION_LIFE, ASSERTION_TYPE};
use crate::id::Id;
use crate::seal::{MasterKey, NoEntropy, OpenError};
use crate::secret::SecretBuf;
use crate::time::Timestamp;

pub use stage::{Stage, stages};

/// For so long whoever verifies may keep a key set: what its answer says it does.
pub const SET_LIFE: Duration = Duration::from_secs(300);
/// A new key is published for so long before it signs: longer than a set without it may be kept, and
/// a node's lease from before may last, with clocks apart by some seconds.
pub const LEAD: Duration = Duration::from_secs(360);
/// An old key is published for so long after another one signs: until its last assertion has expired,
/// and whoever read the set then reads it anew.
pub const LINGER: Duration = Duration::from_secs(ASSERTION_LIFE.as_secs() + SET_LIFE.as_secs());
/// So many keys count at once.
pub const MAX_KEYS: usize = 8;

/// An uncompressed point begins with this (SEC 1, section 2.3.3).
const UNCOMPRESSED: u8 = 4;
/// The bytes of one coordinate.
const COORDINATE: usize = 32;

/// A key that signs.
pub struct SigningKey {
    /// Its identity: the `kid` of what it signs.
    pub id: Id<Self>,
    /// It signs from this on.
    pub signs_from: Timestamp,
    pair: EcdsaKeyPair,
    /// The encoded header of what it signs, with the dot behind it.
    header: Box<str>,
    /// The public part (RFC 7517).
    jwk: Box<str>,
}

/// Why a key could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Unopened {
    /// What is told as its public part is another's.
    #[error("the public part of a signing key is another's")]
    Another,
    /// What was sealed is no key.
    #[error("the form of a signing key is not known")]
    Form,
    /// It was sealed otherwise.
    #[error(transparent)]
    Seal(#[from] OpenError),
}

/// A new key as it is stored.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Its identity.
    pub id: Id<SigningKey>,
    /// Its public part: an uncompressed point.
    pub public: Vec<u8>,
    /// Its private part, sealed for this very key.
    pub sealed: Vec<u8>,
}

/// Draws a new key and seals it under `master`.
///
/// # Errors
/// The system gave no randomness.
pub fn draw(master: &MasterKey, now: Timestamp) -> Result<Drawn, NoEntropy> {
    let id = Id::fresh(now)?;
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| NoEntropy)?;
    let private = pair.to_pkcs8v1().map_err(|_| NoEntropy)?;
    let private = SecretBuf::new(private.as_ref());
    let sealed = master.seal(private.expose(), &context(id))?;
    Ok(Drawn { id, public: pair.public_key().as_ref().to_vec(), sealed })
}

impl SigningKey {
    /// Opens what [`draw`] has sealed. Whoever can write to the database can put in no public part of
    /// their own: it is that of the private one, or the key is none.
    ///
    /// # Errors
    /// It was sealed otherwise, changed since, or is another's.
    pub fn open(
        drawn: &Drawn,
        signs_from: Timestamp,
        master: &MasterKey,
    ) -> Result<Self, Unopened> {
        let private = master.open(&drawn.sealed, &context(drawn.id))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.expose())
            .map_err(|_| Unopened::Form)?;
        if pair.public_key().as_ref() != drawn.public {
            return Err(Unopened::Another);
        }
        let id = drawn.id;
        let header = format!(r#"{{"typ":"{ASSERTION_TYPE}","alg":"ES256","kid":"{id}"}}"#);
        let header = URL_SAFE_NO_PAD.encode(header) + ".";
        let jwk = jwk(id, &drawn.public).ok_or(Unopened::Form)?.into();
        Ok(Self { id, signs_from, pair, header: header.into(), jwk })
    }

    /// `payload` in compact form (RFC 7515, section 3.1), signed.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn sign(&self, payload: &[u8]) -> Result<String, NoEntropy> {
        let mut token = String::with_capacity(self.header.len() + payload.len() * 4 / 3 + 92);
        token.push_str(&self.header);
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature =
            self.pair.sign(&SystemRandom::new(), token.as_bytes()).map_err(|_| NoEntropy)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .field("signs_from", &self.signs_from)
            .finish_non_exhaustive()
    }
}

/// Every key that counts, in the order in which they sign.
#[derive(Clone, Debug, Default)]
pub struct SigningKeys(Vec<Arc<SigningKey>>);

impl SigningKeys {
    /// The same with `key`, in the place of another one of its identity.
    #[must_use]
    pub fn with(&self, key: SigningKey) -> Self {
        let Self(mut keys) = self.without(key.id);
        keys.push(Arc::new(key));
        keys.sort_by_key(|key| (key.signs_from, key.id));
        Self(keys)
    }

    /// The same without the key `id`.
    #[must_use]
    pub fn without(&self, id: Id<SigningKey>) -> Self {
        Self(self.0.iter().filter(|key| key.id != id).cloned().collect())
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that signs at `now`.
    pub fn signer(&self, now: Timestamp) -> Option<&SigningKey> {
        self.staged(now).find(|(_, stage)| *stage == Stage::Signing).map(|(key, _)| key)
    }

    /// The set of public parts (RFC 7517, section 5) by which whatever was signed until `now`, and
    /// whatever will soon be, can be verified.
    pub fn published(&self, now: Timestamp) -> String {
        let keys = self.staged(now).filter(|(_, stage)| *stage != Stage::Over);
        let keys: Vec<&str> = keys.map(|(key, _)| &*key.jwk).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    fn staged(&self, now: Timestamp) -> impl Iterator<Item = (&SigningKey, Stage)> {
        let begins = self.0.iter().map(|key| key.signs_from);
        self.0.iter().map(Arc::as_ref).zip(stages(begins, now))
    }
}

/// The public part of a P-256 key (RFC 7518, section 6.2.1), if that is what `public` is.
fn jwk(id: Id<SigningKey>, public: &[u8]) -> Option<String> {
    let (&UNCOMPRESSED, point) = public.split_first()? else { return None };
    let (x, y) = point.split_at_checked(COORDINATE)?;
    let [x, y] = [x, y].map(|it| URL_SAFE_NO_PAD.encode(it));
    Some(format!(
        r#"{{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"{id}","x":"{x}","y":"{y}"}}"#
    ))
}

/// What a private part is sealed for: table, column and record.
fn context(id: Id<SigningKey>) -> Vec<u8> {
    format!("signing_keys.sealed/{id}").into_bytes()
}
