//! How long tokens live, and what ends them before.

use serde_json::json;

use super::hub::{Hub, Secret, nonce};
use super::{House, made};
use crate::common::{Home, Quickstart, text};

/// An owner of the root with two tokens, and what proves another.
struct Owner {
    secret: Secret,
    tokens: [Hub; 2],
}

impl Owner {
    fn new(house: &House, login: &str) -> Self {
        let secret = Secret::of_an_owner(&house.server.home, login, "1");
        let hub = Hub::new(&house.server, "any", "/hub");
        let tokens = [hub.sign_in(&secret), hub.sign_in(&secret)];
        for hub in &tokens {
            hub.get("/org").list("organizations");
        }
        Self { secret, tokens }
    }

    #[track_caller]
    fn is_refused(&self, why: &str) {
        for hub in &self.tokens {
            hub.get("/org").refused(401, why);
            hub.post("/org", &json!({ "name": "Late" })).refused(401, why);
        }
        self.tokens[0].ask_token(&self.secret.credentials(&nonce())).refused(401, why);
    }
}

#[test]
fn tokens_end_with_the_secret_the_user_their_role_and_nobody_elses() {
    let house = House::new();
    let home = &house.server.home;
    let boss = house.boss();
    let before = boss.get("/org").list("organizations");
    for (why, words) in [
        ("a new secret", &["user", "secret", "LOGIN"][..]),
        ("the user is off", &["user", "disable", "LOGIN"]),
        ("the user is gone", &["user", "delete", "LOGIN"]),
        ("the role is gone", &["role", "withdraw", "Owner", "LOGIN"]),
    ] {
        let login = why.replace(' ', "-");
        let owner = Owner::new(&house, &login);
        let words: Vec<&str> =
            words.iter().map(|word| if *word == "LOGIN" { &login } else { *word }).collect();
        home.done(&words);
        owner.is_refused(why);
        assert_eq!(boss.get("/org").list("organizations"), before, "{why}");
    }
}

#[test]
fn a_user_who_is_switched_on_again_can_sign_in_again() {
    let house = House::new();
    let home = &house.server.home;
    let owner = Owner::new(&house, "zoe");
    home.done(&["user", "disable", "zoe"]);
    owner.is_refused("the user is off");
    home.done(&["user", "enable", "zoe"]);
    owner.tokens[0].sign_in(&owner.secret).get("/org").list("organizations");
}

#[test]
fn tokens_end_when_an_owner_takes_the_role_or_the_user_away_through_the_dialect() {
    let house = House::new();
    let boss = house.boss();
    for (why, body) in [("another role", Some(json!({ "role": "Operator" }))), ("deleted", None)] {
        let owner = Owner::new(&house, &why.replace(' ', "-"));
        let path = format!("/user/{}", owner.secret.user_id);
        match body {
            Some(body) => boss.put(&path, &body).one("users"),
            None => boss.delete(&path).one("users"),
        };
        owner.is_refused(why);
    }
}

#[test]
fn tokens_end_with_the_organization() {
    let house = House::new();
    let home = &house.server.home;
    let boss = house.boss();
    let (number, partner) = house.partner("partner");
    let place = ["--organization", &number];
    home.done(&["org", "disable", &number]);
    partner.get("/org").refused(401, "its organization is off");
    home.done(&["org", "enable", &number]);
    let secret = Secret::make(home, "partner", "1");
    let partner = partner.sign_in(&secret);
    partner.get("/org").list("organizations");
    boss.delete(&format!("/org/{number}")).one("organizations");
    partner.get("/org").refused(401, "its organization is gone");
    partner.ask_token(&secret.credentials(&nonce())).refused(401, "its organization is gone");
    let output = home.run(&[&["user", "create", "late"], &place[..]].concat());
    assert!(!output.status.success());
}

#[test]
fn who_owns_another_organization_than_their_own_is_no_owner_of_theirs() {
    let house = House::new();
    let home = &house.server.home;
    let child = house.boss().post("/org", &json!({ "name": "Child" })).one("organizations");
    let owner = Owner::new(&house, "zoe");
    home.done(&["role", "grant", "Owner", "zoe", "--organization", &made(&child)]);
    home.done(&["role", "withdraw", "Owner", "zoe"]);
    owner.is_refused("owner of something below only");
}

#[test]
fn only_an_owner_is_given_a_secret_and_it_is_shown_once() {
    let house = House::new();
    let home = &house.server.home;
    for (login, role) in [("op", "Operator"), ("co", "Configurer"), ("me", "Member"), ("no", "")] {
        home.done(&["user", "create", login]);
        if !role.is_empty() {
            home.done(&["role", "grant", role, login]);
        }
        let output = home.run(&["user", "secret", login]);
        assert!(!output.status.success() && output.stdout.is_empty(), "{role}");
        assert_eq!(text(&output.stderr).lines().count(), 1);
    }
    for nobody in ["nobody", "1", "2", "900000"] {
        assert!(!home.run(&["user", "secret", nobody]).status.success(), "{nobody}");
    }
    // By number as by name; for people and for scripts.
    let user = &house.owner.user_id;
    let made = home.json(&["user", "secret", user]);
    let members: Vec<_> = made.as_object().unwrap().keys().collect();
    assert_eq!(members, ["secret", "user_id"]);
    assert_eq!(made["user_id"], json!(user));
    let secret = Secret::read(&made);
    house.boss_by(&secret).get("/org").list("organizations");
    assert!(secret.secret.len() >= 32, "too short to be drawn at random");
    let said = home.done(&["user", "secret", "boss"]);
    assert!(said.lines().count() >= 1 && !said.contains(&secret.secret));
    let lengths = [&house.owner, &house.red_owner, &secret].map(|it| it.secret.len());
    assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
}

#[test]
fn a_token_lives_as_long_as_its_mount_says() {
    let home = Home::new();
    let secret = Secret::of_an_owner(&home, "boss", "1");
    let mount = |name: &str, lifetime: &str| {
        format!(
            "[[mount]]\ndialect = \"journey_hub\"\nname = \"{name}\"\npath = \"/{name}\"\n{lifetime}\n"
        )
    };
    let two = "token_lifetime = \"2h\"";
    let moment = mount("moment", "token_lifetime = \"1s\"");
    let config =
        moment + &mount("one", "") + &mount("two", two) + &mount("same", "token_lifetime = \"1h\"");
    let server = crate::common::Server::serve(home, &config);
    let expiry = |mount: &str| {
        let hub = Hub::new(&server, "any", &format!("/{mount}"));
        let told = hub.ask_token(&secret.credentials(&nonce())).ok();
        let moment = told["token"][0]["expiration"].as_str().unwrap().to_owned();
        moment.parse::<jiff::Timestamp>().unwrap()
    };
    let hub = Hub::new(&server, "any", "/moment").sign_in(&secret);
    let expires = (0..100_000).any(|_| hub.get("/org").answer.status() == 401);
    assert!(expires, "a token of a second outlives a hundred thousand calls");
    hub.get("/org").refused(401, "expired");
    // Moments of one clock, a few calls apart.
    let (one, same, two) = (expiry("one"), expiry("same"), expiry("two"));
    let near = |apart: i64, hours: i64| (hours * 3_600..hours * 3_600 + 300).contains(&apart);
    assert!(near(same.duration_since(one).as_secs(), 0), "{one} {same}");
    assert!(near(two.duration_since(one).as_secs(), 1), "{one} {two}");
}

#[test]
fn of_many_tokens_of_one_secret_the_oldest_ends() {
    let house = House::new();
    let hub = house.boss();
    let first = house.boss();
    let second = house.boss();
    // Of one secret 256 live at once, and here there were three already.
    let rest: Vec<Hub> = (3..257).map(|_| hub.sign_in(&house.owner)).collect();
    hub.get("/org").refused(401, "the oldest");
    for hub in [&first, &second, &rest[0], rest.last().unwrap()] {
        hub.get("/org").list("organizations");
    }
}

#[test]
fn a_power_cut_brings_no_nonce_back_and_ends_no_token() {
    let server = Quickstart::start(Home::new());
    let secret = Secret::read(&server.made["journey_hub"]);
    let token = Hub::new(&server, "any", "").sign_in(&secret).token;
    let spent = secret.credentials(&nonce());
    Hub::new(&server, "any", "").ask_token(&spent).ok();
    let again = Quickstart::start(server.kill());
    let hub = Hub::new(&again, "any", "");
    hub.ask_token(&spent).refused(401, "spent before the power cut");
    hub.with(&token).get("/org").list("organizations");
}
