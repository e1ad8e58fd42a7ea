//! Users: who one is, one of them, and all that one may see.

use super::{House, json, refused};

#[test]
fn oneself_is_told_whole_and_nobody_is_told_too() {
    let house = House::new();
    let home = house.home();
    home.done(&["user", "create", "jane", "--name", "Jane Doe", "--email", "jane@example.com"]);
    let told = json(&house.signed("GET", "users/current?dream.out.format=json", "=jane"));
    for (name, expected) in [
        ("@anonymous", "false"),
        ("@virtual", "false"),
        ("@wikiid", "site_1"),
        ("username", "jane"),
        ("nick", "jane"),
        ("fullname", "Jane Doe"),
        ("email", "jane@example.com"),
        ("status", "active"),
        ("license.seat", "false"),
        ("groups", ""),
    ] {
        assert_eq!(told[name], expected, "{name}");
    }
    let id = told["@id"].as_str().unwrap();
    assert_eq!(told["@href"], format!("https://help.example.com/@api/deki/users/{id}"));
    assert_eq!(told["permissions.user"]["role"]["#text"], "Viewer");
    assert_eq!(told["password"]["@exists"], "false");
    let moment = told["date.created"].as_str().unwrap();
    assert!(moment.ends_with(" GMT"), "{moment}");
    let admin = json(&house.signed("GET", "users/current?dream.out.format=json", "1"));
    assert_eq!(admin["permissions.user"]["role"]["#text"], "Admin");
    assert_eq!(admin["license.seat"]["@owner"], "true");
    let excluded = "users/current?dream.out.format=json&exclude=groups%2Cproperties";
    let told = json(&house.signed("GET", excluded, "=jane"));
    assert!(told.get("groups").is_none() && told.get("properties").is_none());
    let nobody = json(&house.call("GET", "users/current?dream.out.format=json", &[]));
    for (name, expected) in [
        ("@anonymous", "true"),
        ("@id", "2"),
        ("username", "Anonymous"),
        ("fullname", "Anonymous User"),
        ("email", ""),
    ] {
        assert_eq!(nobody[name], expected, "{name}");
    }
}

#[test]
fn a_user_is_found_by_number_and_by_name_by_who_may_see_them() {
    let house = House::new();
    let home = house.home();
    home.done(&["user", "create", "j\u{f6}rg", "--email", "j@example.com"]);
    home.done(&["user", "create", "mate", "--email", "m@example.com"]);
    let group = home.run(&["group", "create", "Team"]);
    assert!(group.status.success());
    for login in ["j\u{f6}rg", "mate"] {
        home.done(&["group", "add", "Team", login]);
    }
    let number = home.json(&["user", "show", "j\u{f6}rg"])["number"].to_string();
    let paths =
        [number.clone(), "=j%25C3%25B6rg".into(), "=j%C3%B6rg".into(), "=J%25C3%2596RG".into()];
    for path in &paths {
        let path = format!("users/{path}?dream.out.format=json");
        let told = json(&house.signed("GET", &path, "=admin"));
        assert_eq!(
            (&told["@id"], &told["email"]),
            (&number.as_str().into(), &"j@example.com".into())
        );
        // Whoever is in a group with them sees them, and not their address.
        let told = json(&house.signed("GET", &path, "=mate"));
        assert_eq!(told["email"]["@hidden"], "true", "{path}");
        assert_eq!(told["groups"]["group"]["groupname"], "Team");
        let boss = house.signed("GET", &path, "=boss");
        assert_eq!(boss.status(), 200);
    }
    house.home().done(&["user", "create", "other"]);
    for path in paths {
        let path = format!("users/{path}");
        refused(&house.signed("GET", &path, "=other"), 404);
        refused(&house.signed("GET", &path, "=nobody"), 403);
        refused(&house.call("GET", &path, &[]), 403);
    }
    for (path, status) in [
        ("users/7777", 404),
        ("users/=nobody", 404),
        ("users/4294967297", 400),
        ("users/01", 400),
        ("users/-1", 400),
        ("users/admin", 400),
        ("users/=", 400),
    ] {
        let answer = house.signed("GET", path, "=admin");
        refused(&answer, status);
        let message = if status == 404 {
            "Given user was not found"
        } else {
            "&apos;userid&apos; must be a user number or a username prefixed by &apos;=&apos;"
        };
        assert!(answer.body().contains(message), "{path}: {}", answer.0);
    }
}

#[test]
fn a_list_is_filtered_ordered_and_cut_and_shows_what_one_may_see() {
    let house = House::new();
    for number in 0..5 {
        let email = format!("u{number}@example.com");
        house.home().done(&["user", "create", &format!("user{number}"), "--email", &email]);
    }
    let list = |query: &str, user: &str| {
        json(&house.signed("GET", &format!("users?dream.out.format=json&{query}"), user))
    };
    let all = list("", "=admin");
    assert_eq!(all["@count"], "8", "{all}");
    let names = |told: &serde_json::Value| -> Vec<String> {
        let users = told["user"].as_array().cloned().unwrap_or_else(|| vec![told["user"].clone()]);
        users.iter().filter_map(|it| it["username"].as_str()).map(str::to_owned).collect()
    };
    for (query, expected) in [
        ("usernamefilter=USER&sortby=-username&limit=2", &["user4", "user3"][..]),
        ("usernamefilter=user&sortby=username&limit=2&offset=3", &["user3", "user4"]),
        ("usernameemailfilter=u2%40example", &["user2"]),
        ("usernamefilter=boss", &["boss"]),
        ("usernamefilter=nobody%22%20or%20%22a", &[]),
        ("usernamefilter=%22", &[]),
        ("sortby=-id&limit=1", &["user4"]),
    ] {
        assert_eq!(names(&list(query, "=admin")), expected, "{query}");
    }
    // One is an object, and none is no key.
    assert!(list("usernamefilter=boss", "=admin")["user"].is_object());
    assert!(list("usernamefilter=nobody-at-all", "=admin").get("user").is_none());
    assert_eq!(names(&list("", "=user1")), ["user1"]);
    for query in ["limit=x", "offset=-1", "sortby=password", "sortby=a;b", "activatedfilter=maybe"]
    {
        refused(&house.signed("GET", &format!("users?{query}"), "=admin"), 400);
    }
    refused(&house.call("GET", "users", &[]), 403);
}

#[test]
fn a_site_knows_its_own_realm_alone() {
    let house = House::new();
    // A key of another realm is unknown here.
    house.home().done(&["org", "create", "Red", "--realm"]);
    house.home().done(&["user", "create", "red", "--organization", "2"]);
    house.home().done(&["role", "grant", "Owner", "red", "--organization", "2", "--realm", "2"]);
    let made = house.home().json(&["server-token", "create", "red", "--realm", "2"]);
    let key = super::Key::read(&made);
    for user in ["=red", "=admin", "1", "=boss"] {
        for path in ["users/current", "users/authenticate"] {
            refused(&house.call("GET", path, &[&super::token(&key.sign(user))]), 403);
        }
    }
}
