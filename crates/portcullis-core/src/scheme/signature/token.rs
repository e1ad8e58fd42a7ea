//! The grammar of a server token, and what its hash is made of.

use std::borrow::Cow;

use super::user::{NamedUser, readings};
use crate::seal::{self, Digest, MacKey};
use crate::secret::SecretBuf;
use crate::time::Timestamp;

/// The longest token, in bytes: room for the longest login name, escaped twice.
pub const MAX_TOKEN: usize = 2_048;
/// How many hex digits the hash has.
pub const HASH: usize = 64;
/// How many hex digits a key has that we issue.
const KEY: usize = 64;
/// How many digits the epoch has, until the year 2286.
const EPOCH: usize = 10;
/// What stands before a token of the documented form.
pub(super) const PREFIX: &str = "tkn_";

/// How a token is put together, and what of it is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `tkn_` before it, and a `_` between the parts that are signed.
    Documented,
    /// Neither. Digits could slide from a number to the moment, and so sign for another user: safe
    /// only with an epoch of fixed width, and a future that ends.
    Older,
}

/// A server token, taken apart. Nothing of it is proven.
pub struct ServerToken<'t> {
    form: Form,
    key: &'t str,
    epoch: &'t str,
    user: &'t str,
    hash: Digest,
}

/// What is no server token: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// The epoch is not 10 digits of which the first is no zero.
    Epoch,
    /// The hash is not 64 hex digits.
    Hash,
    /// It is longer than [`MAX_TOKEN`].
    Long,
    /// A part of it is missing, or its key is none.
    Parts,
    /// The user is neither a number nor `=` and a name.
    User,
}

impl Malformed {
    /// What is wrong, for the log.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Epoch => "the epoch is not 10 digits",
            Self::Hash => "the hash is not 64 hex digits",
            Self::Long => "the token is too long",
            Self::Parts => "a part of the token is missing",
            Self::User => "the user is neither a number nor `=` and a name",
        }
    }
}

/// The key that `text` names, if it begins as a token does under a key that we issued.
pub(super) fn key_of(text: &str) -> Result<&str, Malformed> {
    if text.len() > MAX_TOKEN {
        return Err(Malformed::Long);
    }
    let rest = text.strip_prefix(PREFIX).unwrap_or(text);
    let key = rest.split_once('_').map(|(key, _)| key);
    key.filter(|key| is_key(key.as_bytes())).ok_or(Malformed::Parts)
}

impl<'t> ServerToken<'t> {
    /// Takes `text` apart: the key ends at the first `_`, the epoch at the next, and the hash begins
    /// after the last.
    ///
    /// # Errors
    /// It is not of the form.
    pub fn parse(text: &'t str) -> Result<Self, Malformed> {
        if text.len() > MAX_TOKEN {
            return Err(Malformed::Long);
        }
        let (form, rest) = match text.strip_prefix(PREFIX) {
            Some(rest) => (Form::Documented, rest),
            None => (Form::Older, text),
        };
        let (key, rest) = rest.split_once('_').ok_or(Malformed::Parts)?;
        let (epoch, rest) = rest.split_once('_').ok_or(Malformed::Parts)?;
        let (user, hash) = rest.rsplit_once('_').ok_or(Malformed::Parts)?;
        if key.is_empty() || form == Form::Older && !is_key(key.as_bytes()) {
            return Err(Malformed::Parts);
        }
        let digits = epoch.len() == EPOCH && epoch.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || epoch.starts_with('0') {
            return Err(Malformed::Epoch);
        }
        if !readings(user).any(|reading| NamedUser::parse(&reading).is_some()) {
            return Err(Malformed::User);
        }
        let hash = read_hash(hash).ok_or(Malformed::Hash)?;
        Ok(Self { form, key, epoch, user, hash })
    }

    /// How it is put together.
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Names the secret; may be logged.
    pub const fn key(&self) -> &'t str {
        self.key
    }

    /// When it says that it was signed, in seconds since 1970.
    pub fn epoch(&self) -> i64 {
        // Ten digits always fit.
        self.epoch.parse().unwrap_or_default()
    }

    /// The user as the token has it, which may be escaped more often than what was signed.
    pub const fn user(&self) -> &'t str {
        self.user
    }

    /// The user that was signed, in the very text that was, or nothing; `sign` makes the HMAC-SHA-256
    /// of the concatenated parts under the secret.
    ///
    /// What is sent may have gained or lost a layer of escapes on its way. Each reading needs the
    /// right hash of its own, and all are tried, so that the work depends on the token alone.
    pub fn signed_user(&self, sign: impl Fn(&[&[u8]]) -> Digest) -> Option<Cow<'t, str>> {
        let mut signed = None;
        for reading in readings(self.user) {
            if seal::equal(&self.digest(&sign, &reading), &self.hash) {
                signed = Some(reading);
            }
        }
        signed
    }

    fn digest(&self, sign: impl Fn(&[&[u8]]) -> Digest, user: &str) -> Digest {
        let (key, epoch, user) = (self.key.as_bytes(), self.epoch.as_bytes(), user.as_bytes());
        match self.form {
            Form::Documented => sign(&[key, b"_", epoch, b"_", user]),
            Form::Older => sign(&[key, epoch, user]),
        }
    }

    /// The token as it is sent, its hash in lower case.
    pub fn write(&self) -> SecretBuf {
        let prefix = if self.form == Form::Documented { PREFIX } else { "" };
        let hash = write_hex(&self.hash);
        SecretBuf::new(format!("{prefix}{}_{}_{}_{hash}", self.key, self.epoch, self.user))
    }
}

impl std::fmt::Debug for ServerToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerToken").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A token for `user`, signed at `now`; nothing if the user cannot be one, or the moment none of ten
/// digits.
pub fn sign(
    form: Form,
    (key, secret): (&str, &MacKey),
    now: Timestamp,
    user: &str,
) -> Option<SecretBuf> {
    let epoch = (now.millis() / 1_000).to_string();
    NamedUser::parse(user)?;
    let unsigned = ServerToken { form, key, epoch: &epoch, user, hash: [0; 32] };
    let hash = unsigned.digest(|parts| secret.digest(parts), user);
    let text = ServerToken { hash, ..unsigned }.write();
    ServerToken::parse(text.expose_text()).is_ok().then_some(text)
}

/// Whether `text` is a key of the form that we issue: 64 hex digits in lower case.
pub fn is_key(text: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    text.len() == KEY && text.iter().all(digit)
}

/// The bytes of a hash in hex, of either case.
fn read_hash(text: &str) -> Option<Digest> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let mut hash = [0; 32];
    if pairs.len() != hash.len() {
        return None;
    }
    for (place, [high, low]) in hash.iter_mut().zip(pairs) {
        *place = digit(*high)? << 4 | digit(*low)?;
    }
    Some(hash)
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

pub(super) fn write_hex(bytes: &Digest) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dacaffe7ce69dfd1071531e925f667905a1c981fb40d06c676880e84352cb3aa";
    const SECRET: &str = "5b70319201e9abad12a3458b32ed30cf634ef569ea47906e5012baf11cab5046";
    const EPOCH: &str = "1422940200";
    const ADMIN: &str = "02a5d160c902f02eccd9269100e63d2a0783e87abad1829b153cc1215fc506e5";

    /// The pair that older samples of the vendor print, at the moment of its documentation.
    const VECTORS: &[(&str, &str)] = &[
        ("=admin", ADMIN),
        ("123", "4e80e81fe4ebaa84f621944cc1c6065433e5029685591599940c4e177fb92621"),
        ("=jane_doe", "ce184fecc40f45f22a1e651e6d2f8feeca09cffe4780d508e1dcc45360b5bab2"),
        ("=a=b_c", "f0a2acbe6cb4dcdca327ff4cc157b152aba871e66933863e3067a0565a07c2ef"),
        (
            "=j%C3%B6rg%40example.com",
            "39efba14d7b48b746b06268b04b117a3d3323e071b6759f4fb179ab4716bad74",
        ),
        (
            "=j\u{f6}rg@example.com",
            "75148ce674393a9e1c670d8e3939520ea9c192d907e341748376727659ab1348",
        ),
    ];
    const OLDER: &str = "5df14ae125fcf56ee48e360e5feed7c30a6c1427f38b3e351e5711a826236f60";

    fn secret() -> MacKey {
        MacKey::of_text(SECRET.as_bytes())
    }

    fn signed(text: &str) -> Option<String> {
        let token = ServerToken::parse(text).ok()?;
        token.signed_user(|parts| secret().digest(parts)).map(Cow::into_owned)
    }

    #[test]
    fn the_known_answers_are_right_in_either_case_of_the_hash() {
        for (user, hash) in VECTORS {
            for hash in [(*hash).to_owned(), hash.to_uppercase()] {
                let text = format!("tkn_{KEY}_{EPOCH}_{user}_{hash}");
                assert_eq!(signed(&text).as_deref(), Some(*user), "{text}");
            }
            let now = Timestamp::from_millis(1_422_940_200_999);
            let made = sign(Form::Documented, (KEY, &secret()), now, user).unwrap();
            assert_eq!(made.expose_text(), format!("tkn_{KEY}_{EPOCH}_{user}_{hash}"));
        }
        assert_eq!(signed(&format!("{KEY}_{EPOCH}_=admin_{OLDER}")).as_deref(), Some("=admin"));
    }

    #[test]
    fn the_older_form_signs_as_the_vendors_own_tests_say() {
        for (user, hash) in [
            ("2", "8e158d680647ce83fef7c05fd189b537f9834e298734efe2c6b383540c1a67b7"),
            ("=andyv", "1b4845fe082c17fc82c0f59f0e568b619cf83aed716e7320d3c843b259defff5"),
        ] {
            let token = ServerToken {
                form: Form::Older,
                key: "foo",
                epoch: "1413073249",
                user,
                hash: read_hash(hash).unwrap(),
            };
            let secret = MacKey::of_text(b"bar");
            assert_eq!(token.signed_user(|parts| secret.digest(parts)).as_deref(), Some(user));
            assert_eq!(token.write().expose_text(), format!("foo_1413073249_{user}_{hash}"));
        }
    }

    #[test]
    fn no_form_stands_for_the_other_and_no_part_for_another() {
        for text in [
            format!("tkn_{KEY}_{EPOCH}_=admin_{OLDER}"),
            format!("{KEY}_{EPOCH}_=admin_{ADMIN}"),
            format!("tkn_{KEY}_{EPOCH}_=Admin_{ADMIN}"),
            format!("tkn_{KEY}_1422940201_=admin_{ADMIN}"),
            format!("tkn_{}_{EPOCH}_=admin_{ADMIN}", KEY.replace('d', "e")),
        ] {
            assert!(ServerToken::parse(&text).is_ok(), "{text}");
            assert_eq!(signed(&text), None, "{text}");
        }
    }

    #[test]
    fn in_the_older_form_no_digit_slides_from_the_user_to_the_moment() {
        // What is signed for user 12 is what would be signed for user 2 a digit later.
        let long = format!("{KEY}_{EPOCH}1_2_{OLDER}");
        assert_eq!(ServerToken::parse(&long).unwrap_err(), Malformed::Epoch);
        let short = format!("{KEY}_142294020_012_{OLDER}");
        assert_eq!(ServerToken::parse(&short).unwrap_err(), Malformed::Epoch);
    }

    #[test]
    fn a_layer_of_escapes_gained_or_lost_on_the_way_changes_nothing() {
        let [.., (escaped, of_escaped), (bare, of_bare)] = VECTORS else { panic!("no vectors") };
        for (sent, hash, user) in [
            ("%3Dj%C3%B6rg%40example.com", of_bare, bare),
            ("=j%C3%B6rg%40example.com", of_bare, bare),
            ("=j%25C3%25B6rg%2540example.com", of_escaped, escaped),
            ("%3Dj%25C3%25B6rg%2540example.com", of_escaped, escaped),
            ("%253Dj%25C3%25B6rg%2540example.com", of_bare, bare),
            ("%3Dadmin", &ADMIN, &"=admin"),
        ] {
            let text = format!("tkn_{KEY}_{EPOCH}_{sent}_{hash}");
            assert_eq!(signed(&text).as_deref(), Some(*user), "{sent}");
        }
        let now = Timestamp::from_millis(1_422_940_200_000);
        let made = sign(Form::Documented, (KEY, &secret()), now, "=jane doe+x").unwrap();
        for sent in ["=jane+doe%2Bx", "=jane%20doe%2Bx", "%3Djane+doe%2Bx", "=jane doe+x"] {
            let text = made.expose_text().replace("=jane doe+x", sent);
            assert_eq!(signed(&text).as_deref(), Some("=jane doe+x"), "{sent}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_for_its_reason() {
        let of = |epoch: &str, user: &str, hash: &str| format!("tkn_{KEY}_{epoch}_{user}_{hash}");
        let (doubled, long) = (ADMIN.repeat(2), "x".repeat(MAX_TOKEN));
        for (text, why) in [
            (String::new(), Malformed::Parts),
            (KEY.to_owned(), Malformed::Parts),
            ("tkn".to_owned(), Malformed::Parts),
            (format!("tkn_{KEY}"), Malformed::Parts),
            (format!("tkn_{KEY}_{EPOCH}_{ADMIN}"), Malformed::Parts),
            (format!("tkn__{EPOCH}_=admin_{ADMIN}"), Malformed::Parts),
            (format!("TKN_{KEY}_{EPOCH}_=admin_{ADMIN}"), Malformed::Parts),
            (format!("foo_{EPOCH}_=admin_{ADMIN}"), Malformed::Parts),
            (format!("{}_{EPOCH}_=admin_{ADMIN}", KEY.to_uppercase()), Malformed::Parts),
            (format!("tkn_{KEY}_{EPOCH}_={long}_{ADMIN}"), Malformed::Long),
            (of("142294020", "=admin", ADMIN), Malformed::Epoch),
            (of("1422940200000", "=admin", ADMIN), Malformed::Epoch),
            (of("0142294020", "=admin", ADMIN), Malformed::Epoch),
            (of("-142294020", "=admin", ADMIN), Malformed::Epoch),
            (of("+142294020", "=admin", ADMIN), Malformed::Epoch),
            (of(" 142294020", "=admin", ADMIN), Malformed::Epoch),
            (of("1e90000000", "=admin", ADMIN), Malformed::Epoch),
            (of("0x12345678", "=admin", ADMIN), Malformed::Epoch),
            (of("18446744075132491816", "=admin", ADMIN), Malformed::Epoch),
            (of("\u{661}\u{664}\u{662}\u{662}\u{669}", "=admin", ADMIN), Malformed::Epoch),
            (of("", "=admin", ADMIN), Malformed::Epoch),
            (of(EPOCH, "admin", ADMIN), Malformed::User),
            (of(EPOCH, "=", ADMIN), Malformed::User),
            (of(EPOCH, "", ADMIN), Malformed::User),
            (of(EPOCH, "0", ADMIN), Malformed::User),
            (of(EPOCH, "01", ADMIN), Malformed::User),
            (of(EPOCH, "-1", ADMIN), Malformed::User),
            (of(EPOCH, "4294967297", ADMIN), Malformed::User),
            (of(EPOCH, "=admin", ""), Malformed::Hash),
            (of(EPOCH, "=admin", ADMIN.trim_end_matches("e5")), Malformed::Hash),
            (of(EPOCH, "=admin", ADMIN.trim_end_matches('5')), Malformed::Hash),
            (of(EPOCH, "=admin", &doubled), Malformed::Hash),
            (of(EPOCH, "=admin", &ADMIN.replace('f', "g")), Malformed::Hash),
            (of(EPOCH, "=admin", &format!("{ADMIN} ")), Malformed::Hash),
            (of(EPOCH, "=admin", &ADMIN.replacen('0', "+", 1)), Malformed::Hash),
        ] {
            assert_eq!(ServerToken::parse(&text).unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_signed_is_not() {
        let now = Timestamp::from_millis(1_422_940_200_000);
        for (key, now, user) in [
            ("a_b", now, "=admin"),
            ("", now, "=admin"),
            (KEY, now, "admin"),
            (KEY, now, "="),
            (KEY, Timestamp::from_millis(0), "=admin"),
            (KEY, Timestamp::from_millis(-1_422_940_200_000), "=admin"),
            (KEY, Timestamp::MAX, "=admin"),
        ] {
            let made = sign(Form::Documented, (key, &secret()), now, user);
            assert!(made.is_none(), "{key} {now:?} {user}");
        }
    }

    #[test]
    fn a_token_shows_its_key_alone() {
        let text = format!("tkn_{KEY}_{EPOCH}_=admin_{ADMIN}");
        let shown = format!("{:?}", ServerToken::parse(&text).unwrap());
        assert!(shown.contains(KEY) && !shown.contains(ADMIN) && !shown.contains("admin"));
    }
}
