//! What is written down of signatures, secrets and sessions: nothing.

use std::fs;

use super::{House, Key, SITE, cookie, now, token};
use crate::common::text;

#[test]
fn no_signature_secret_or_session_is_written_anywhere() {
    let house = House::new();
    let (signed, stale) = (house.key.sign("=jane"), house.key.sign_at(now() - 900, "=jane"));
    let guessed = Key { secret: "5".repeat(64), ..house.key.clone() }.sign("=jane");
    let session = house.session("=jane");
    let link = format!("users/authenticate?x-deki-token={signed}&redirect={SITE}/");
    let landed = house.call("GET", &link, &[]);
    let second = landed.header("set-cookie").unwrap().split('"').nth(1).unwrap().to_owned();
    let mut told = String::new();
    for (method, path, header) in [
        ("GET", &*link, String::new()),
        ("GET", "users/current", token(&signed)),
        ("GET", "users/current", token(&stale)),
        ("GET", "users/current", token(&guessed)),
        ("GET", "nothing", cookie(&session)),
        ("POST", "nothing", cookie(&session)),
        ("GET", "users?x-deki-token=a&authtoken=b", cookie(&second)),
        ("GET", &link.replace("redirect=https", "redirect=ftp"), String::new()),
    ] {
        let headers: Vec<&str> = [&*header].into_iter().filter(|it| !it.is_empty()).collect();
        let answer = house.call(method, path, &headers);
        // Only what sets a cookie may hold a session, and only its own.
        let lines = answer.0.lines().filter(|line| !line.to_lowercase().starts_with("set-cookie"));
        told.extend(lines.map(|line| format!("{line}\n")));
    }
    let hash = |text: &str| text.rsplit_once('_').unwrap().1.to_owned();
    let mut secrets = vec![house.key.secret.clone(), "5".repeat(64)];
    secrets.extend([&signed, &stale, &guessed, &session, &second].map(|text| hash(text)));
    let audit: String =
        house.home().audit().iter().map(|it| format!("{} {}\n", it.subject, it.detail)).collect();
    let ended = house.server.stop();
    let mut written =
        vec![("answers", told), ("audit", audit), ("log", ended.stdout + &ended.stderr)];
    for entry in fs::read_dir(ended.home.data()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap_or_default();
        written.push(("data", text(&bytes)));
    }
    assert!(written[2].1.contains("untimely") && written[2].1.contains("wrong_proof"));
    for (place, content) in &written {
        for secret in &secrets {
            assert!(!content.contains(secret.as_str()), "{place}: {secret}");
        }
    }
}
