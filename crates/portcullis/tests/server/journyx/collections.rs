//! Collections: finding, sorting, choosing and turning pages of users, roles and projects.

use serde_json::{Value, json};

use super::client::Client;
use super::{House, SITE, id_of, is_id};

/// Percent-encodes what a query must not hold.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// A house with an Owner, and projects of these names.
fn with_projects(names: &[&str]) -> (House, Client) {
    let house = House::new();
    for name in names {
        house.project("1", name);
    }
    let boss = house.boss();
    (house, boss)
}

/// The names on a page of projects.
#[track_caller]
fn names(caller: &Client, query: &str) -> Vec<String> {
    let page = caller.get(&format!("/projects?{query}")).page();
    page.iter().map(|project| project["pname"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_page_tells_how_many_there_are_and_where_the_next_is() {
    let all = ["A", "B", "C", "D", "E", "F", "G"];
    let (_house, boss) = with_projects(&all);
    let mut path = "/projects?$top=3&$orderBy=pname".to_owned();
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = boss.get(&path).collection();
        assert_eq!(page["$count"], json!(7));
        assert_eq!(page["$skip"], json!(seen.len()));
        let results = page["results"].as_array().unwrap();
        sizes.push(results.len());
        seen.extend(results.iter().map(|it| it["pname"].as_str().unwrap().to_owned()));
        let Some(next) = page.get("@nextLink") else { break };
        let start = format!("http://{SITE}/api/v1");
        path = next.as_str().unwrap().strip_prefix(&start).unwrap().to_owned();
        assert!(sizes.len() < 10, "it never ends");
    }
    assert_eq!((seen, sizes), (all.map(str::to_owned).to_vec(), vec![3, 3, 1]));
}

#[test]
fn a_next_page_keeps_filter_order_and_choice() {
    let (_house, boss) = with_projects(&["a 1", "a 2", "a 3", "b 1"]);
    let filter = encoded("pname contains \"a \"");
    let query = format!("$filter={filter}&$orderBy=pname%20desc&$select=pname&$top=2");
    let first = boss.get(&format!("/projects?{query}")).collection();
    assert_eq!(first["results"], json!([{ "pname": "a 3" }, { "pname": "a 2" }]));
    assert_eq!(first["$count"], json!(3));
    let next = first["@nextLink"].as_str().unwrap();
    let path = next.strip_prefix(&format!("http://{SITE}/api/v1")).unwrap();
    let second = boss.get(path).collection();
    assert_eq!(second["results"], json!([{ "pname": "a 1" }]));
    assert_eq!(second.get("@nextLink"), None);
}

#[test]
fn each_operator_finds_what_it_says() {
    let (_house, boss) = with_projects(&["Alpha", "Beta", "Gamma \"x\"", "50% off_"]);
    for (filter, found) in [
        (r#"pname eq "Alpha""#, &["Alpha"][..]),
        (r#"pname eq "alpha""#, &[]),
        (r#"pname ne "Alpha""#, &["50% off_", "Beta", "Gamma \"x\""]),
        (r#"pname gt "Beta""#, &["Gamma \"x\""]),
        (r#"pname ge "Beta""#, &["Beta", "Gamma \"x\""]),
        (r#"pname lt "Beta""#, &["50% off_", "Alpha"]),
        (r#"pname le "Beta""#, &["50% off_", "Alpha", "Beta"]),
        (r#"pname contains "a""#, &["Alpha", "Beta", "Gamma \"x\""]),
        (r#"pname contains "%""#, &["50% off_"]),
        (r#"pname contains "_""#, &["50% off_"]),
        (r#"pname contains "\""#, &[]),
        (r#"pname eq "Gamma ""x""""#, &["Gamma \"x\""]),
        (r#"pname eq "Alpha" or pname eq "Beta" and description eq "none""#, &["Alpha"]),
        (r#"(pname eq "Alpha" or pname eq "Beta") and pname ne "Beta""#, &["Alpha"]),
        (r#"pname eq "' OR 1=1 --""#, &[]),
        (r#"description eq "of 1""#, &["50% off_", "Alpha", "Beta", "Gamma \"x\""]),
        (r#"create_timestamp gt "1000000000""#, &["50% off_", "Alpha", "Beta", "Gamma \"x\""]),
        ("create_timestamp lt 1000000000.5", &[]),
    ] {
        let query = format!("$filter={}&$orderBy=pname", encoded(filter));
        assert_eq!(names(&boss, &query), found, "{filter}");
    }
}

#[test]
fn an_order_may_name_several_fields_each_in_its_direction() {
    let (house, boss) = with_projects(&["B", "A"]);
    let branch = house.organization("Branch");
    house.project(&branch, "C");
    house.project(&branch, "A");
    for (order, found) in [
        ("pname", ["A", "A", "B", "C"]),
        ("pname asc", ["A", "A", "B", "C"]),
        ("pname desc", ["C", "B", "A", "A"]),
        ("description,pname", ["A", "B", "A", "C"]),
        ("description desc,pname asc", ["A", "C", "A", "B"]),
        ("description asc, pname desc", ["B", "A", "C", "A"]),
    ] {
        assert_eq!(names(&boss, &format!("$orderBy={}", encoded(order))), found, "{order}");
    }
}

#[test]
fn a_choice_shows_those_fields_and_no_others() {
    let (_house, boss) = with_projects(&["A"]);
    let one = |query: &str| boss.get(&format!("/projects?{query}")).page().remove(0);
    let full = one("");
    assert_eq!(one("$select=pname"), json!({ "pname": "A" }));
    let two = json!({ "id": full["id"], "description": "of 1" });
    assert_eq!(one("$select=id,description"), two);
    assert_eq!(one("$select=id,%20description"), two);
}

#[test]
fn a_count_can_be_left_out() {
    let (_house, boss) = with_projects(&["A", "B"]);
    let page = boss.get("/projects?$count=false&$top=1").collection();
    assert_eq!(page.get("$count"), None);
    assert_eq!(boss.get("/projects?$count=true&$top=1").collection()["$count"], json!(2));
    let beyond = boss.get("/projects?$skip=5").collection();
    assert_eq!((&beyond["$count"], &beyond["results"]), (&json!(2), &json!([])));
    assert_eq!(beyond.get("@nextLink"), None);
}

#[test]
fn a_query_that_is_none_is_refused_on_every_collection() {
    let house = House::new();
    let boss = house.boss();
    let deep = format!("{}id eq \"x\"{}", "(".repeat(1_000), ")".repeat(1_000));
    let long = format!("id eq \"{}\"", "x".repeat(20_000));
    let filters = [
        "",
        "nothing eq \"x\"",
        "password eq \"x\"",
        "id",
        "id eq",
        "id is \"x\"",
        "id eq x",
        "id eq 'x'",
        "id eq \"x",
        "id eq \"x\" and",
        "id eq \"x\" id eq \"y\"",
        "(id eq \"x\"",
        "id eq \"x\")",
        "id eq \"x\"; DROP TABLE users",
        "uri eq \"x\"",
        "tablename eq \"users\"",
    ];
    let rest = [
        "$top=0",
        "$top=1001",
        "$top=-1",
        "$top=x",
        "$top=",
        "$top=1.5",
        "$top=1&$top=2",
        "$skip=-1",
        "$skip=x",
        "$skip=99999999999999999999",
        "$count=maybe",
        "$orderBy=nothing",
        "$orderBy=id%20sideways",
        "$orderBy=",
        "$select=nothing",
        "$select=",
        "$expand=roles",
        "$filter=%ff",
        "$filter=%",
    ];
    for collection in ["users", "roles", "projects"] {
        for filter in filters {
            let told = boss.get(&format!("/{collection}?$filter={}", encoded(filter)));
            told.refused(400, &filter[..filter.len().min(40)]);
        }
        for filter in [&deep, &long] {
            let told = boss.get(&format!("/{collection}?$filter={}", encoded(filter)));
            told.malformed(&filter[..40]);
        }
        for query in rest {
            boss.get(&format!("/{collection}?{query}")).refused(400, query);
        }
        boss.get(&format!("/{collection}?$top=1000")).page();
    }
}

#[test]
fn a_stranger_is_refused_before_the_query_is_read() {
    let house = House::new();
    house.nobody().get("/users?$filter=x").forbidden("a stranger with a bad query");
}

#[test]
fn a_user_is_told_in_full() {
    let house = House::new();
    let email = ["--name", "Zoe van Dam", "--email", "zoe@site.example"];
    house.home().done(&[&["user", "create", "zoe"][..], &email].concat());
    let boss = house.boss();
    let id = id_of(&boss, "users", "username", "zoe");
    let user = boss.get(&format!("/users/{id}")).item();
    for (field, value) in [
        ("id", json!(id)),
        ("id_user", json!(id)),
        ("uri", json!(format!("/api/v1/users/{id}"))),
        ("tablename", json!("users")),
        ("username", json!("zoe")),
        ("email", json!("zoe@site.example")),
        ("fullname", json!("Zoe van Dam")),
        ("active", json!(true)),
    ] {
        assert_eq!(user[field], value, "{field} of {user}");
    }
    let parts = [&user["first_name"], &user["last_name"]].map(|it| it.as_str().unwrap());
    assert_eq!(parts.join(" "), "Zoe van Dam");
    assert!(is_id(&user["id"]) && user["create_timestamp"].is_number(), "{user}");
    house.home().done(&["user", "disable", "zoe"]);
    assert_eq!(boss.get(&format!("/users/{id}")).item()["active"], json!(false));
    let found = |filter: &str| boss.get(&format!("/users?$filter={}", encoded(filter))).page();
    assert_eq!(found("active eq false").len(), 1);
    for (field, value) in [
        ("id", &*id),
        ("id_user", &id),
        ("username", "zoe"),
        ("email", "zoe@site.example"),
        ("fullname", "Zoe van Dam"),
    ] {
        let page = found(&format!("{field} eq \"{value}\""));
        assert_eq!(page.iter().map(|it| &it["id"]).collect::<Vec<_>>(), [&json!(id)], "{field}");
    }
    for field in ["first_name", "last_name"] {
        let path = format!("/users?$filter={}", encoded(&format!("{field} eq \"Zoe\"")));
        boss.get(&path).refused(400, field);
    }
}

#[test]
fn a_role_and_a_project_are_told_in_full() {
    let house = House::new();
    house.home().done(&["role", "create", "Key Keepers", "--ability", "API Key - Manage"]);
    house.project("1", "Plan");
    let boss = house.boss();
    for (name, built_in, abilities) in [
        ("Key Keepers", false, json!(["API Key - Manage"])),
        ("API Key Generate", true, json!(["API Key - Generate"])),
        ("API Key Sign In", true, json!(["API Key - Sign In"])),
    ] {
        let id = id_of(&boss, "roles", "pname", name);
        let expected = json!({
            "id": id,
            "uri": format!("/api/v1/roles/{id}"),
            "tablename": "roles",
            "pname": name,
            "abilities": abilities,
            "built_in": built_in,
        });
        let mut role = boss.get(&format!("/roles/{id}")).item();
        let created = role.as_object_mut().unwrap().remove("create_timestamp");
        assert!(created.is_none_or(|created| created.is_number()), "{name}");
        assert_eq!(role, expected);
    }
    let id = id_of(&boss, "projects", "pname", "Plan");
    let mut project = boss.get(&format!("/projects/{id}")).item();
    let created = project.as_object_mut().unwrap().remove("create_timestamp").unwrap();
    assert!(created.is_number() && is_id(&json!(id)), "{created}");
    let uri = format!("/api/v1/projects/{id}");
    let expected: Value = json!({
        "id": id, "uri": uri, "tablename": "projects", "pname": "Plan", "description": "of 1",
    });
    assert_eq!(project, expected);
}

#[test]
fn a_role_that_is_built_in_cannot_be_edited_and_one_that_is_not_can() {
    let house = House::new();
    for name in ["API Key Generate", "API Key Sign In", "Owner"] {
        for words in [
            &["role", "allow", name, "API Key - Manage"][..],
            &["role", "deny", name, "API Key - Sign In"],
            &["role", "delete", name],
            &["role", "create", name],
        ] {
            assert!(!house.home().run(words).status.success(), "{words:?}");
        }
    }
    house.home().done(&["role", "create", "Mine"]);
    house.user("zoe", &["Mine"]);
    let key = house.key("zoe", &[]);
    house.nobody().log_in("zoe", &key).forbidden("not yet");
    house.home().done(&["role", "allow", "Mine", "API Key - Sign In"]);
    let session = house.nobody().sign_in("zoe", &key);
    house.home().done(&["role", "deny", "Mine", "API Key - Sign In"]);
    session.get("/users").forbidden("no more");
}
