//! Who sees whom: an organization and all below it, or oneself and one's groups.

use super::client::Client;
use super::{House, OF_THE_REALM};

#[track_caller]
fn seen(caller: &Client, collection: &str, field: &str) -> Vec<String> {
    let page = caller.get(&format!("/{collection}?$orderBy={field}&$top=1000")).page();
    let names = page.iter().map(|item| item[field].as_str().unwrap_or_default().to_owned());
    names.filter(|name| !OF_THE_REALM.contains(&&**name)).collect()
}

#[test]
fn who_manages_users_sees_an_organization_and_all_below() {
    let house = House::new();
    let (north, south) = (house.organization("North"), house.organization("South"));
    house.user_in(&north, "nora", &["Owner"]);
    house.user_in(&north, "nick", &[]);
    house.user_in(&south, "sam", &[]);
    house.user("root", &["Owner"]);
    house.project("1", "Root plan");
    house.project(&north, "North plan");
    house.project(&south, "South plan");
    let (nora, root) = (house.sign_in("nora"), house.sign_in("root"));
    assert_eq!(seen(&nora, "users", "username"), ["nick", "nora"]);
    assert_eq!(seen(&nora, "projects", "pname"), ["North plan"]);
    assert_eq!(seen(&root, "users", "username"), ["maker", "nick", "nora", "root", "sam"]);
    assert_eq!(seen(&root, "projects", "pname"), ["North plan", "Root plan", "South plan"]);
    let sam = super::id_of(&root, "users", "username", "sam");
    nora.get(&format!("/users/{sam}")).forbidden("of another organization");
}

#[test]
fn who_manages_nobody_sees_themselves_and_their_groups() {
    let house = House::new();
    house.user("zoe", &["API Key Sign In"]);
    house.user("ann", &["Member"]);
    house.user("bob", &[]);
    let zoe = house.sign_in("zoe");
    assert_eq!(seen(&zoe, "users", "username"), ["zoe"]);
    assert_eq!(seen(&zoe, "roles", "pname"), ["API Key Sign In"]);
    house.home().done(&["group", "create", "crew"]);
    house.home().done(&["role", "grant", "Configurer", "--group", "crew"]);
    house.home().done(&["role", "withdraw", "Configurer", "--group", "crew"]);
    house.home().done(&["role", "grant", "API Key Generate", "--group", "crew"]);
    for login in ["zoe", "ann"] {
        house.home().done(&["group", "add", "crew", login]);
    }
    assert_eq!(seen(&zoe, "users", "username"), ["ann", "zoe"]);
    assert_eq!(seen(&zoe, "roles", "pname"), ["API Key Generate", "API Key Sign In"]);
    let by_key = house.nobody().sign_in("zoe", &house.key("zoe", &["--read-only"]));
    assert_eq!(seen(&by_key, "users", "username"), ["ann", "zoe"]);
    house.home().done(&["group", "remove", "crew", "ann"]);
    assert_eq!(seen(&zoe, "users", "username"), ["zoe"]);
}

#[test]
fn who_manages_users_and_not_projects_sees_all_users_alone() {
    let house = House::new();
    house.home().done(&["role", "create", "People", "--ability", "Users - Manage"]);
    let branch = house.organization("Branch");
    house.project(&branch, "Below");
    house.user("pat", &["People"]);
    house.user_in(&branch, "bea", &[]);
    let pat = house.sign_in("pat");
    assert_eq!(seen(&pat, "users", "username"), ["bea", "maker", "pat"]);
    assert_eq!(seen(&pat, "projects", "pname"), Vec::<String>::new());
    house.home().done(&["role", "allow", "People", "Projects - Manage"]);
    assert_eq!(seen(&pat, "projects", "pname"), ["Below"]);
}
