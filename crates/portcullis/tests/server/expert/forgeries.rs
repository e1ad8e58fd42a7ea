//! What is no signature, or one of the wrong moment, key or user.

use portcullis_core::scheme::signature::Form;

use super::{House, Key, cookie, now, refused, token};
use crate::common::Answer;

/// The same token with its parts replaced.
fn with(token: &str, part: usize, text: &str) -> String {
    let (head, hash) = token.rsplit_once('_').unwrap();
    let mut parts: Vec<&str> = head.splitn(4, '_').chain([hash]).collect();
    parts[part] = text;
    parts.join("_")
}

/// What is wrong with the parts of a token.
fn damaged(house: &House) -> Vec<String> {
    let good = house.key.sign("=admin");
    let hash = good.rsplit_once('_').unwrap().1;
    let unknown = Key { key: "0".repeat(64), ..house.key.clone() };
    let guessed = Key { secret: "0".repeat(64), ..house.key.clone() };
    let older = Key { form: Form::Older, ..house.key.clone() };
    let flipped = if hash.starts_with('0') { "1" } else { "0" };
    vec![
        String::new(),
        "x".into(),
        "tkn_".into(),
        house.key.key.clone(),
        house.key.secret.clone(),
        unknown.sign("=admin"),
        unknown.key.clone(),
        guessed.sign("=admin"),
        older.sign("=admin"),
        with(&good, 0, "TKN"),
        with(&good, 1, ""),
        with(&good, 1, &house.key.key.to_uppercase()),
        with(&good, 3, "=Admin"),
        with(&good, 3, "=boss"),
        with(&good, 3, "1"),
        with(&good, 3, "admin"),
        with(&good, 3, "="),
        with(&good, 3, ""),
        with(&good, 4, ""),
        with(&good, 4, &hash[..63]),
        with(&good, 4, &hash[..62]),
        with(&good, 4, &hash.repeat(2)),
        with(&good, 4, &format!("{flipped}{}", &hash[1..])),
        with(&good, 4, &format!("g{}", &hash[1..])),
        with(&good, 4, &format!("0x{}", &hash[2..])),
        good.replacen("tkn_", "", 1),
        format!("tkn_{good}"),
        good.repeat(2),
    ]
}

/// What was signed at the wrong moment, or says another than it was.
fn untimely(house: &House) -> Vec<String> {
    let (good, epoch) = (house.key.sign("=admin"), now());
    let signed = [epoch - 302, epoch + 65, epoch + 10 * 365 * 86_400, 1_422_940_200];
    let said = [
        format!("-{epoch}"),
        format!("+{epoch}"),
        format!("{epoch}000"),
        format!("0{epoch}"),
        format!("{epoch}.0"),
        "1e9".into(),
        "0x69000000".into(),
        (epoch + (1 << 32)).to_string(),
        (i128::from(epoch) + (1 << 64)).to_string(),
        "9999999999".into(),
        "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}\u{668}\u{669}\u{660}".into(),
    ];
    let signed = signed.map(|epoch| house.key.sign_at(epoch, "=admin"));
    signed.into_iter().chain(said.map(|moment| with(&good, 2, &moment))).collect()
}

#[test]
fn whatever_is_wrong_with_a_token_is_one_answer() {
    let house = House::new();
    // All but the visit, which is another each time.
    let told = |answer: &Answer| {
        let text = answer.anonymous();
        let lines = text.lines().filter(|line| !line.starts_with("x-deki-session"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = told(&house.call("GET", "users/current", &[&token("x")]));
    for text in damaged(&house).into_iter().chain(untimely(&house)) {
        let header = token(&text);
        let answer = house.call("GET", "users/current", &[&header]);
        refused(&answer, 403);
        assert_eq!(told(&answer), expected, "{text}");
        refused(&house.call("GET", "users/authenticate", &[&header]), 403);
    }
}

#[test]
fn numbers_of_users_never_wrap_around() {
    let house = House::new();
    let secret = portcullis_core::seal::MacKey::of_text(house.key.secret.as_bytes());
    // Signed by who has the secret, and still nobody's.
    for user in ["4294967297", "18446744073709551617", "01", "+1", "-1", "1 ", "0", "1.0", "admin"]
    {
        let epoch = now().to_string();
        let digest = secret.digest(&[
            house.key.key.as_bytes(),
            b"_",
            epoch.as_bytes(),
            b"_",
            user.as_bytes(),
        ]);
        let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("tkn_{}_{epoch}_{user}_{hash}", house.key.key);
        refused(&house.call("GET", "users/authenticate", &[&token(&text)]), 403);
    }
    for (user, expected) in [("1", "admin"), ("=1", "1"), ("==x", "=x"), ("=01", "01")] {
        let session = house.session(user);
        assert_eq!(house.who(&[&cookie(&session)]), expected, "{user}");
    }
}

#[test]
fn the_older_form_counts_where_the_key_says_so() {
    let house = House::new();
    let key = house.key(&["--older"]);
    let older = Key { form: Form::Older, ..key.clone() };
    let sent = |key: &Key, user: &str| {
        house.call("GET", "users/current", &[&token(&key.sign(user))]).status()
    };
    assert_eq!((sent(&key, "1"), sent(&older, "1"), sent(&older, "=boss")), (200, 200, 200));
    // No digit slides from the user to the moment, and both bounds hold.
    for text in [
        older.sign("31").replacen("_31_", "_1_", 1),
        older.sign_at(now() + 120, "1"),
        older.sign_at(now() - 400, "1"),
    ] {
        refused(&house.call("GET", "users/current", &[&token(&text)]), 403);
    }
    let slid = older.sign("31");
    let (head, tail) = slid.split_once("_31_").unwrap();
    refused(&house.call("GET", "users/current", &[&token(&format!("{head}3_1_{tail}"))]), 403);
    house.home().done(&["server-token", "older", &key.key, "false"]);
    assert_eq!((sent(&key, "1"), sent(&older, "1")), (200, 403));
}

#[test]
fn names_are_encoded_before_or_after_they_are_signed() {
    let house = House::new();
    house.user("j\u{f6}rg@example.com");
    let name = "j\u{f6}rg@example.com";
    let bare = house.key.sign(&format!("={name}"));
    let encoded = house.key.sign("=j%C3%B6rg%40example.com");
    assert_eq!(house.who(&[&token(&bare)]), name);
    assert_eq!(house.who(&[&token(&encoded)]), name);
    // Signed bare, and escaped for the way; signed escaped, and escaped once more, or not.
    let escaped =
        |text: &str| text.replace('%', "%25").replace('\u{f6}', "%C3%B6").replace('@', "%40");
    for sent in
        [escaped(&bare), escaped(&encoded), encoded.clone(), escaped(&bare).replace('=', "%3D")]
    {
        let answer = house.call("GET", &format!("users/authenticate?x-deki-token={sent}"), &[]);
        assert_eq!(answer.status(), 200, "{sent}: {}", answer.0);
        assert_eq!(house.who(&[&cookie(answer.body())]), name, "{sent}");
    }
}

#[test]
fn a_name_may_hold_what_parts_a_token() {
    let house = House::new();
    for name in ["jane_doe", "a=b_c", "_", "a__b_", "a b", "a+b", "a.b@c.example"] {
        let session = house.session(&format!("={name}"));
        assert_eq!(house.who(&[&cookie(&session)]), name);
    }
}
