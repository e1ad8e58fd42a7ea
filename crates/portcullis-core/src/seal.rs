//! AEAD and keyed digests: bytes in, bytes out.
//!
//! The master key lives outside the database. The pepper is drawn once, kept in the database
//! only sealed under the master key, and every keyed hash is made under a key derived from it.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::secret::SecretBuf;
use crate::tally;

/// The first byte of everything sealed: a later form gets another.
const SEALED_FORM: u8 = 1;
const KEY_ID: usize = 4;
const SEALED_HEAD: usize = 1 + KEY_ID + NONCE_LEN;

/// The system gave no randomness: our machine's fault.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no randomness")]
pub struct NoEntropy;

/// Fresh random bytes.
///
/// # Errors
/// The system gave no randomness.
pub fn random<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(bytes)
}

/// Whether two byte strings are equal, in time that does not depend on where they differ.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Half of the SHA-256 of the concatenated `parts`: tells one text from another, and hides none.
pub fn fingerprint(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    let digest: Digest = hash.finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}

/// A 32-byte keyed digest.
pub type Digest = [u8; 32];

/// A key for HMAC-SHA-256 (RFC 2104), its state computed once.
#[derive(Clone)]
pub struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// The state for `key`.
    pub fn new(key: &Digest) -> Self {
        Self::of_text(key)
    }

    /// The state for a key of any length, such as a text (RFC 2104, section 2).
    pub fn of_text(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; 64]);
        if key.len() > block.len() {
            let hashed = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(key)));
            return Self::new(&hashed);
        }
        // A key shorter than a block is filled up with zeros.
        block.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte);
        Self(Hmac::new((&*block).into()))
    }

    /// A key drawn now, that lives as long as this process.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn fresh() -> Result<Self, NoEntropy> {
        random().map(|key| Self::new(&key))
    }

    /// The digest of the concatenated `parts`; the caller makes their boundaries unmistakable.
    pub fn digest(&self, parts: &[&[u8]]) -> Digest {
        tally::mac();
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}

/// Why something sealed could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is of a form that this build does not know: an operator runs an older build.
    #[error("the sealed form {0} is not known to this version")]
    Form(u8),
    /// It was sealed under another master key: the operator's fault.
    #[error("sealed under master key {sealed}, but the key at hand is {ours}")]
    OtherKey {
        /// The id of the key that sealed it.
        sealed: String,
        /// The id of the key at hand.
        ours: String,
    },
    /// It is cut short, or was changed or moved since it was sealed: the database's fault.
    #[error("what was sealed has been changed, moved or cut short")]
    Tampered,
}

/// The key that lives outside the database and seals what must be readable again.
pub struct MasterKey {
    id: [u8; KEY_ID],
    aead: LessSafeKey,
}

/// A master key that is not 32 bytes in base64: the operator's fault.
#[derive(Debug, thiserror::Error)]
#[error("a master key is 32 bytes in base64 (44 characters)")]
pub struct BadMasterKey;

impl MasterKey {
    /// The key written as base64 in `text`.
    ///
    /// # Errors
    /// It is not 32 bytes in base64.
    pub fn parse(text: &str) -> Result<Self, BadMasterKey> {
        let bytes = Zeroizing::new(BASE64.decode(text.trim()).map_err(|_| BadMasterKey)?);
        let key = bytes.as_slice().try_into().map_err(|_| BadMasterKey)?;
        Self::from_bytes(key)
    }

    fn from_bytes(key: &Digest) -> Result<Self, BadMasterKey> {
        let aead = UnboundKey::new(&AES_256_GCM, key).map_err(|_| BadMasterKey)?;
        let named = MacKey::new(key).digest(&[b"portcullis master key id"]);
        let mut id = [0; KEY_ID];
        id.copy_from_slice(named.first_chunk::<KEY_ID>().unwrap_or(&[0; KEY_ID]));
        Ok(Self { id, aead: LessSafeKey::new(aead) })
    }

    /// A new key as the text that [`MasterKey::parse`] reads.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn draw() -> Result<SecretBuf, NoEntropy> {
        let key = Zeroizing::new(random::<32>()?);
        Ok(SecretBuf::new(BASE64.encode(*key)))
    }

    /// A key drawn now, for what is kept no longer than this process lives.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn fresh() -> Result<Self, NoEntropy> {
        Self::from_bytes(&Zeroizing::new(random::<32>()?)).map_err(|_| NoEntropy)
    }

    /// What names this key in the database and in messages; tells nothing of the key.
    pub fn id(&self) -> String {
        name_key(&self.id)
    }

    /// Seals `plain` for the record that `context` names (table, column, record, version).
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, NoEntropy> {
        let nonce = random::<NONCE_LEN>()?;
        let mut body = plain.to_vec();
        let tag = self
            .aead
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut body,
            )
            .map_err(|_| NoEntropy)?;
        let mut sealed = Vec::with_capacity(SEALED_HEAD + body.len() + tag.as_ref().len());
        sealed.push(SEALED_FORM);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`MasterKey::seal`] sealed for the same `context`.
    ///
    /// # Errors
    /// Another form, another key, or changed bytes.
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Result<SecretBuf, OpenError> {
        let (form, rest) = sealed.split_first().ok_or(OpenError::Tampered)?;
        if *form != SEALED_FORM {
            return Err(OpenError::Form(*form));
        }
        let (id, rest) = rest.split_first_chunk::<KEY_ID>().ok_or(OpenError::Tampered)?;
        if *id != self.id {
            return Err(OpenError::OtherKey { sealed: name_key(id), ours: self.id() });
        }
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(OpenError::Tampered)?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain = self
            .aead
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context), &mut body)
            .map_err(|_| OpenError::Tampered)?;
        Ok(SecretBuf::new(&*plain))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("id", &self.id()).finish_non_exhaustive()
    }
}

fn name_key(id: &[u8; KEY_ID]) -> String {
    format!("{:08x}", u32::from_be_bytes(*id))
}

/// Which pepper a digest was made under.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PepperId(pub u32);

/// The secret input of every keyed hash in the database, split by purpose.
#[derive(Clone)]
pub struct Pepper {
    /// Its name in the database.
    pub id: PepperId,
    /// Makes the verifiers of our own keys.
    pub key: MacKey,
    /// The secret input of password hashes.
    pub password: Zeroizing<Digest>,
}

impl Pepper {
    /// Splits the 32 secret bytes by purpose.
    pub fn new(id: PepperId, secret: &Digest) -> Self {
        let root = MacKey::new(secret);
        Self {
            id,
            key: MacKey::new(&root.digest(&[b"portcullis pepper: key verifier"])),
            password: Zeroizing::new(root.digest(&[b"portcullis pepper: password"])),
        }
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Every pepper in use: the current one makes digests, older ones still check them.
#[derive(Clone, Debug)]
pub struct Peppers {
    current: Pepper,
    older: Vec<Pepper>,
}

impl Peppers {
    /// `current` and those before it.
    pub const fn new(current: Pepper, older: Vec<Pepper>) -> Self {
        Self { current, older }
    }

    /// The one that new digests are made under.
    pub const fn current(&self) -> &Pepper {
        &self.current
    }

    /// All of them, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &Pepper> {
        std::iter::once(&self.current).chain(&self.older)
    }

    /// The one named `id`; the current one if there is none, which then proves nothing.
    pub fn named(&self, id: PepperId) -> &Pepper {
        if id == self.current.id {
            return &self.current;
        }
        self.older.iter().find(|pepper| pepper.id == id).unwrap_or(&self.current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(byte: u8) -> MasterKey {
        MasterKey::from_bytes(&[byte; 32]).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_only_with_its_key_for_its_record_and_unchanged() {
        let sealed = master(1).seal(b"open sesame", b"peppers/1").unwrap();
        assert_eq!(master(1).open(&sealed, b"peppers/1").unwrap().expose(), b"open sesame");
        assert!(matches!(master(1).open(&sealed, b"peppers/2"), Err(OpenError::Tampered)));
        assert!(matches!(master(2).open(&sealed, b"peppers/1"), Err(OpenError::OtherKey { .. })));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(master(1).open(&changed, b"peppers/1").is_err(), "byte {at}");
            assert!(master(1).open(&sealed[..at], b"peppers/1").is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_digest_is_hmac_sha_256_of_rfc_4231() {
        // RFC 4231, test case 1, its key padded with zeros, which HMAC does anyway.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let digest = MacKey::new(&key).digest(&[b"Hi ", b"There"]);
        let expected = [
            0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b,
            0xf1, 0x2b, 0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83, 0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c,
            0x2e, 0x32, 0xcf, 0xf7,
        ];
        assert_eq!(digest, expected);
    }

    #[test]
    fn a_drawn_master_key_can_be_read_back_and_shows_nowhere() {
        let text = MasterKey::draw().unwrap();
        let key = MasterKey::parse(text.expose_text()).unwrap();
        assert!(!format!("{key:?}{text:?}").contains(text.expose_text()));
        assert!(MasterKey::parse("too short").is_err());
    }
}
