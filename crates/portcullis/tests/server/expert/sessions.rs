//! Sessions: the cookie and the bearer token, and what ends them.

use super::{House, Key, MOUNT, cookie, json, refused, token};

#[test]
fn a_session_counts_as_a_cookie_quoted_or_bare_and_as_a_bearer_token() {
    let house = House::new();
    let session = house.session("=jane");
    for header in [
        cookie(&session),
        format!("Cookie: authtoken={session}"),
        format!("Cookie: a=b; authtoken=\"{session}\"; dekisession=\"x\""),
        format!("Authorization: Bearer {session}"),
        format!("Authorization: bearer \"{session}\""),
    ] {
        assert_eq!(house.who(&[&header]), "jane", "{header}");
    }
    // A token is meant, whatever a browser sends along.
    assert_eq!(house.who(&[&token(&house.key.sign("=boss")), &cookie(&session)]), "boss");
    refused(&house.call("GET", "users/current", &[&token("x"), &cookie(&session)]), 403);
}

#[test]
fn a_session_that_does_not_count_is_nobodys_unless_one_is_asked_for() {
    let house = House::new();
    let session = house.session("=jane");
    let cut = &session[..session.len() - 1];
    let cookies =
        [String::new(), "x".into(), cut.into(), "\"\"".into(), "pcl_ses_x".into(), "1_2_3".into()];
    for value in cookies {
        let header = format!("Cookie: authtoken={value}");
        assert_eq!(house.who(&[&header]), "Anonymous", "{value}");
        let strict = house.call("GET", "users/current?authenticate=true", &[&header]);
        refused(&strict, 401);
        assert_eq!(strict.header("www-authenticate"), Some("Basic realm=\"DekiWiki\""));
    }
    assert_eq!(house.who(&[]), "Anonymous");
    refused(&house.call("GET", "users/current?authenticate=true", &[]), 401);
    let good = house.call("GET", "users/current?authenticate=true", &[&cookie(&session)]);
    assert_eq!(good.status(), 200);
}

#[test]
fn what_opened_a_session_ends_it() {
    let house = House::new();
    let home = house.home();
    let fresh = || {
        let key = house.key(&[]);
        let answer = house.call("GET", "users/authenticate", &[&token(&key.sign("=jane"))]);
        let session = cookie(answer.body());
        assert_eq!(house.who(&[&session]), "jane");
        (key, session)
    };
    let (key, session) = fresh();
    home.done(&["server-token", "disable", &key.key]);
    assert_eq!(house.who(&[&session]), "Anonymous");
    home.done(&["server-token", "enable", &key.key]);
    assert_eq!(house.who(&[&session]), "jane");
    home.done(&["server-token", "revoke", &key.key]);
    assert_eq!(house.who(&[&session]), "Anonymous");
    refused(&house.call("GET", "users/current", &[&token(&key.sign("=jane"))]), 403);

    let (key, session) = fresh();
    home.done(&["user", "disable", "jane"]);
    assert_eq!(house.who(&[&session]), "Anonymous");
    let answer = house.call("GET", "users/current", &[&token(&key.sign("=jane"))]);
    refused(&answer, 403);
    assert!(
        answer.body().contains("<message>User &apos;jane&apos; is disabled</message>"),
        "{}",
        answer.0
    );
    refused(&house.call("GET", "users/authenticate", &[&token(&key.sign("=jane"))]), 403);
    home.done(&["user", "enable", "jane"]);
    assert_eq!(house.who(&[&session]), "jane");
}

#[test]
fn a_token_counts_while_its_owner_may_sign_for_others() {
    let house = House::new();
    let home = house.home();
    home.done(&["user", "create", "keeper"]);
    home.done(&["role", "grant", "Owner", "keeper"]);
    let key = Key::read(&home.json(&["server-token", "create", "keeper"]));
    let call = |user: &str| house.call("GET", "users/authenticate", &[&token(&key.sign(user))]);
    let session = cookie(call("=jane").body());
    assert_eq!(house.who(&[&session]), "jane");
    home.done(&["role", "withdraw", "Owner", "keeper"]);
    refused(&call("=jane"), 403);
    assert_eq!(house.who(&[&session]), "Anonymous", "what it opened counts no longer");
    // On behalf of oneself nothing more is needed.
    assert_eq!(call("=keeper").status(), 200);
    home.done(&["role", "grant", "Owner", "keeper"]);
    assert_eq!(house.who(&[&session]), "jane");
    home.done(&["user", "disable", "keeper"]);
    refused(&call("=jane"), 403);
    assert_eq!(house.who(&[&session]), "Anonymous");
}

#[test]
fn whoever_signs_out_is_out_everywhere() {
    let house = House::new();
    let own = "Origin: http://help.example.com";
    let session = house.session("=jane");
    let other = house.session("=jane");
    for lines in [vec![], vec!["Origin: https://evil.example"], vec!["Origin: null"]] {
        let cookie = cookie(&session);
        let mut headers = vec![&*cookie];
        headers.extend(lines);
        refused(&house.call("POST", "site/logout", &headers), 403);
    }
    let answer = house.call("POST", "site/logout", &[&cookie(&session), own]);
    assert_eq!(answer.status(), 200, "{}", answer.0);
    let gone = "authtoken=\"\"; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax";
    assert_eq!(answer.header("set-cookie"), Some(gone));
    assert_eq!(house.who(&[&cookie(&session)]), "Anonymous");
    assert_eq!(house.who(&[&format!("Authorization: Bearer {session}")]), "Anonymous");
    assert_eq!(house.who(&[&cookie(&other)]), "jane");
    // A script says that it is one, and a bearer token comes from nowhere by itself.
    let bearer = format!("Authorization: Bearer {other}");
    assert_eq!(house.call("POST", "site/logout", &[&bearer]).status(), 200);
    let third = house.session("=jane");
    let scripted = "X-Requested-With: XMLHttpRequest";
    assert_eq!(house.call("POST", "site/logout", &[&cookie(&third), scripted]).status(), 200);
    refused(&house.call("POST", "site/logout", &[]), 403);
    refused(&house.call("GET", "site/logout", &[&cookie(&third)]), 405);
}

#[test]
fn the_cookies_are_as_the_site_wants_them() {
    let house = House::with(&format!(
        "{MOUNT}cookie_domain = true\nsame_site = \"none\"\nsession_cap = \"10h\"\n\
         session_idle = \"1h\"\n"
    ));
    let answer = house.signed("GET", "users/authenticate", "=admin");
    let set = answer.header("set-cookie").unwrap();
    let expected =
        "; Domain=.help.example.com; Path=/; Max-Age=36000; HttpOnly; Secure; SameSite=None";
    assert!(set.ends_with(expected), "{set}");
}

#[test]
fn a_visit_is_taken_over_and_confers_nothing() {
    let house = House::new();
    let visit =
        house.call("GET", "users/current", &[]).header("x-deki-session").unwrap().to_owned();
    let header = format!("Cookie: dekisession=\"{visit}\"");
    let answer = house.call("GET", "users/current?dream.out.format=json", &[&header]);
    assert_eq!(answer.header("x-deki-session"), Some(&*visit));
    assert_eq!(json(&answer)["@anonymous"], "true");
    for bad in ["x", "", "YQ==", "\u{fffd}"] {
        let header = format!("Cookie: dekisession=\"{bad}\"");
        let told = house.call("GET", "users/current", &[&header]);
        assert_ne!(told.header("x-deki-session"), Some(bad));
    }
}

#[test]
fn a_site_may_want_a_token_or_a_script() {
    let house = House::with(&format!("{MOUNT}require_token = true\n"));
    let answer = house.call("GET", "pages/home/info", &[]);
    refused(&answer, 403);
    assert!(answer.body().contains("missing required token"));
    for headers in [
        vec!["X-Requested-With: XMLHttpRequest".to_owned()],
        vec!["X-Deki-Requested-With: XMLHttpRequest".to_owned()],
        vec![token(&house.key.sign("=admin"))],
        vec![cookie(&house.session("=admin"))],
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        assert_eq!(house.call("GET", "pages/home/info", &headers).status(), 200, "{headers:?}");
    }
}
