//! What holds for every server token of Expert, whoever it was signed for.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_core::scheme::signature::{Form, NamedUser, ServerToken, sign};
use portcullis_core::seal::MacKey;
use portcullis_core::time::Timestamp;
use proptest::prelude::*;

fn users() -> impl Strategy<Value = String> {
    prop_oneof![
        "=[ -~\u{e0}-\u{ff}\u{4e00}-\u{4eff}]{1,80}",
        "=[_=%+@.a0]{1,40}",
        (1..u32::MAX).prop_map(|number| number.to_string()),
    ]
}

fn signed(form: Form, key: &str, secret: &MacKey, epoch: i64, user: &str) -> Option<String> {
    let now = Timestamp::from_millis(epoch * 1_000);
    sign(form, (key, secret), now, user).map(|text| text.expose_text().to_owned())
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was_and_written_again(
        (key, secret) in ("[0-9a-f]{64}", "[0-9a-f]{1,80}"),
        epoch in 1_000_000_000_i64..10_000_000_000,
        user in users(),
        older in any::<bool>(),
    ) {
        let form = if older { Form::Older } else { Form::Documented };
        let secret = MacKey::of_text(secret.as_bytes());
        let text = signed(form, &key, &secret, epoch, &user);
        prop_assert_eq!(text.is_some(), NamedUser::parse(&user).is_some());
        let Some(text) = text else { return Ok(()) };
        let token = ServerToken::parse(&text).unwrap();
        prop_assert_eq!((token.form(), token.key(), token.epoch()), (form, &*key, epoch));
        prop_assert_eq!(token.user(), &user);
        prop_assert!(token.signed_user(|parts| secret.digest(parts)).is_some_and(|it| it == *user));
        let written = token.write();
        prop_assert_eq!(written.expose_text(), &text);
        // In a query, the user escaped as any client may do.
        let escaped = utf8_percent_encode(&user, NON_ALPHANUMERIC).to_string();
        let sent = text.replacen(&format!("_{user}_"), &format!("_{escaped}_"), 1);
        let sent = ServerToken::parse(&sent).unwrap();
        prop_assert!(sent.signed_user(|parts| secret.digest(parts)).is_some_and(|it| it == *user), "{}", text);
    }

    #[test]
    fn what_is_signed_for_one_stands_for_nobody_else(
        (user, other) in (users(), users()),
        epoch in 1_000_000_000_i64..9_999_999_999,
        older in any::<bool>(),
    ) {
        let form = if older { Form::Older } else { Form::Documented };
        let (key, secret) = ("0".repeat(64), MacKey::of_text(b"secret"));
        let texts = [&user, &other].map(|user| signed(form, &key, &secret, epoch, user));
        let [Some(one), Some(another)] = texts else { return Ok(()) };
        // The hash of one, under the user, the moment or the form of another.
        let (head, _) = another.rsplit_once('_').unwrap();
        let (_, hash) = one.rsplit_once('_').unwrap();
        let later = signed(form, &key, &secret, epoch + 1, &user).unwrap();
        let (later, _) = later.rsplit_once('_').unwrap();
        let prefixed = if older { format!("tkn_{one}") } else { one.replacen("tkn_", "", 1) };
        for text in [format!("{head}_{hash}"), format!("{later}_{hash}"), prefixed] {
            let proven = ServerToken::parse(&text).unwrap().signed_user(|parts| secret.digest(parts));
            // An escaped name is still the name that was signed.
            prop_assert!(proven.is_none_or(|it| it == *user && text.starts_with(head)), "{}", text);
        }
    }
}
