//! The form of every key and token that we issue.
//!
//! ```text
//! pcl_key_Zd8mQ2vT0xLr5BnK_3fJ…33 characters…Aq0b1C2d
//! │   │   │                │                   │
//! │   │   │                │                   └ check: CRC-32 of all before it, 6 characters
//! │   │   │                └ secret: 33 characters, 196 random bits
//! │   │   └ id: 16 characters, may be logged
//! │   └ kind: one word for each kind, so that no two schemes claim the same text
//! └ prefix: what a secret scanner looks for
//! ```

use crate::seal::{self, NoEntropy};
use crate::secret::{Secret, SecretBuf};

/// How many characters name a key.
pub const ID: usize = 16;
/// How many characters of it are secret: 33 of 62 are 196 bits.
pub const SECRET: usize = 33;
/// How many characters tell that it was mistyped.
pub const CHECK: usize = 6;

const PREFIX: &str = "pcl_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The largest multiple of 62 that fits a byte; what lies above would favour some characters.
const FAIR: u8 = 248;

/// A kind of token: the word after `pcl_`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenKind(&'static str);

impl TokenKind {
    /// The kind whose word is `word`, lower-case letters only.
    pub const fn new(word: &'static str) -> Self {
        Self(word)
    }

    /// Whether `text` begins as tokens of this kind do.
    pub fn claims(self, text: &[u8]) -> bool {
        self.rest(text).is_some()
    }

    fn rest(self, text: &[u8]) -> Option<&[u8]> {
        text.strip_prefix(PREFIX.as_bytes())?.strip_prefix(self.0.as_bytes())?.strip_prefix(b"_")
    }

    /// Takes `text` apart, its check characters verified.
    ///
    /// # Errors
    /// It is not a whole token of this kind, or was mistyped.
    pub fn parse(self, text: &[u8]) -> Result<Token<'_>, Mistyped> {
        let rest = self.rest(text).ok_or(Mistyped)?;
        let (id, rest) = rest.split_at_checked(ID).ok_or(Mistyped)?;
        let secret = rest.strip_prefix(b"_").ok_or(Mistyped)?;
        let (secret, given) = secret.split_at_checked(SECRET).ok_or(Mistyped)?;
        let checked = text.get(..text.len() - CHECK.min(text.len())).ok_or(Mistyped)?;
        let letters = id.iter().chain(secret).all(u8::is_ascii_alphanumeric);
        if !letters || given != check_characters(checked) {
            return Err(Mistyped);
        }
        let id = std::str::from_utf8(id).map_err(|_| Mistyped)?;
        Ok(Token { id, secret: Secret::new(secret) })
    }

    /// Draws a new token of this kind.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn draw(self) -> Result<SecretBuf, NoEntropy> {
        let mut text = Vec::with_capacity(PREFIX.len() + self.0.len() + 2 + ID + SECRET + CHECK);
        text.extend_from_slice(PREFIX.as_bytes());
        text.extend_from_slice(self.0.as_bytes());
        text.push(b'_');
        draw_letters(&mut text, ID)?;
        text.push(b'_');
        draw_letters(&mut text, SECRET)?;
        let check = check_characters(&text);
        text.extend_from_slice(&check);
        Ok(SecretBuf::new(text))
    }
}

/// Whether `text` begins as all keys and tokens of ours do, of whatever kind.
pub fn is_ours(text: &[u8]) -> bool {
    text.starts_with(PREFIX.as_bytes())
}

/// A token taken apart.
#[derive(Debug)]
pub struct Token<'a> {
    /// Its public part.
    pub id: &'a str,
    /// Its secret part.
    pub secret: Secret<'a>,
}

/// A text that no token of ours has: refused before any lookup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("mistyped or cut short")]
pub struct Mistyped;

/// `count` random characters of the alphabet of our tokens, as text that is secret.
///
/// # Errors
/// The system gave no randomness.
pub fn random_letters(count: usize) -> Result<SecretBuf, NoEntropy> {
    let mut text = Vec::with_capacity(count);
    draw_letters(&mut text, count)?;
    Ok(SecretBuf::new(text))
}

fn draw_letters(text: &mut Vec<u8>, count: usize) -> Result<(), NoEntropy> {
    let end = text.len() + count;
    while text.len() < end {
        let missing = end - text.len();
        let bytes = seal::random::<64>()?;
        let letters = bytes.iter().filter(|byte| **byte < FAIR).map(|byte| letter((*byte).into()));
        text.extend(letters.take(missing));
    }
    Ok(())
}

fn letter(number: u32) -> u8 {
    ALPHABET.get(number as usize % ALPHABET.len()).copied().unwrap_or(b'0')
}

fn check_characters(text: &[u8]) -> [u8; CHECK] {
    let mut rest = crc32fast::hash(text);
    let mut characters = [b'0'; CHECK];
    for place in characters.iter_mut().rev() {
        *place = letter(rest % 62);
        rest /= 62;
    }
    characters
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: TokenKind = TokenKind::new("key");

    #[test]
    fn a_drawn_token_parses_and_no_change_of_one_character_does() {
        let token = KEY.draw().unwrap();
        let text = token.expose();
        let parsed = KEY.parse(text).unwrap();
        assert_eq!((parsed.id.len(), parsed.secret.expose().len()), (ID, SECRET));
        for (at, byte) in (0..text.len()).flat_map(|at| b"0z_\x80\0".map(|byte| (at, byte))) {
            let mut changed = text.to_vec();
            changed[at] = byte;
            assert_eq!(KEY.parse(&changed).is_err(), changed != text, "byte {at}");
            assert!(KEY.parse(&text[..at]).is_err(), "cut at {at}");
        }
        let longer = [text, b"0"].concat();
        assert!(KEY.parse(&longer).is_err());
        assert!(TokenKind::new("ses").parse(text).is_err());
    }

    #[test]
    fn the_form_never_changes() {
        let text = format!("pcl_key_{}_{}", "A".repeat(ID), "b".repeat(SECRET));
        let whole = [text.as_bytes(), &check_characters(text.as_bytes())].concat();
        assert_eq!(String::from_utf8(whole.clone()).unwrap(), format!("{text}2M7CiN"));
        assert!(KEY.parse(&whole).is_ok());
    }

    #[test]
    fn letters_are_drawn_evenly() {
        let drawn = random_letters(62 * 1_000).unwrap();
        for letter in ALPHABET {
            let count = drawn.expose().iter().filter(|byte| *byte == letter).count();
            assert!((800..1_200).contains(&count), "{letter}: {count}");
        }
    }
}
