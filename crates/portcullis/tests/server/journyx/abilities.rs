//! Who may call what: abilities × endpoints, as one table to be read.

use serde_json::json;

use super::client::{Client, GENERATE};
use super::{House, PASSWORD, UNKNOWN, id_of, user_id};

/// The roles that are held, one by each user of the same name; `nothing` holds none.
const ROLES: [(&str, &[&str]); 5] = [
    ("nothing", &[]),
    ("generate", &["API Key Generate"]),
    ("sign_in", &["API Key Sign In"]),
    ("manage", &["Key Keepers"]),
    ("owner", &["Owner"]),
];

const ALLOWED: &str = "\
who holds                             nothing generate sign_in manage owner
POST /login, by password              yes     yes      yes     yes    yes
POST /login, by key                   no      no       yes     no     yes
GET /users, by key                    no      no       yes     no     yes
POST /api_keys, for oneself           no      yes      no      no     yes
POST /api_keys, for another           no      no       no      yes    yes
GET /api_keys                         yes     yes      yes     yes    yes
GET /api_keys, another's              no      no       no      yes    yes
GET /api_keys/{own}                   yes     yes      yes     yes    yes
GET /api_keys/{another's}             no      no       no      yes    yes
GET /api_keys/{unknown}               no      no       no      no     no
PATCH /api_keys/{own}                 yes     yes      yes     yes    yes
PATCH /api_keys/{another's}           no      no       no      yes    yes
PATCH /api_keys/{unknown}             no      no       no      no     no
GET /users                            yes     yes      yes     yes    yes
GET /users/{self}                     yes     yes      yes     yes    yes
GET /users/{another}                  no      no       no      no     yes
GET /users/{unknown}                  no      no       no      no     no
GET /roles                            yes     yes      yes     yes    yes
GET /roles/{Owner}                    no      no       no      no     yes
GET /roles/{unknown}                  no      no       no      no     no
GET /projects                         yes     yes      yes     yes    yes
GET /projects/{below}                 no      no       no      no     yes
GET /projects/{unknown}               no      no       no      no     no
DELETE /api_keys/{own}                yes     yes      yes     yes    yes
DELETE /api_keys/{another's}          no      no       no      yes    yes
DELETE /api_keys/{unknown}            no      no       no      no     no
POST /logout                          yes     yes      yes     yes    yes
";

/// What there is to ask for, beside one's own.
struct Others {
    user: String,
    role: String,
    project: String,
}

#[test]
fn each_ability_opens_its_endpoints_and_no_others() {
    let house = House::new();
    house.home().done(&["role", "create", "Key Keepers", "--ability", "API Key - Manage"]);
    for (login, roles) in ROLES {
        house.user(login, roles);
    }
    house.user("other", &[]);
    house.project(&house.organization("Branch"), "Below");
    let owner = house.sign_in("owner");
    let others = Others {
        user: user_id(&house, "other"),
        role: id_of(&owner, "roles", "pname", "Owner"),
        project: id_of(&owner, "projects", "pname", "Below"),
    };
    let columns = ROLES.map(|(login, _)| column(&house, login, &others));
    let mut table = format!("{:38}nothing generate sign_in manage owner\n", "who holds");
    for row in 0..columns[0].len() {
        let cells = columns.each_ref().map(|column| if column[row].1 { "yes" } else { "no" });
        let [a, b, c, d, e] = cells;
        table.push_str(&format!("{:38}{a:8}{b:9}{c:8}{d:7}{e}\n", columns[0][row].0));
    }
    assert_eq!(table, ALLOWED, "\n{table}");
}

/// What one user may do, in the order of the table.
fn column(house: &House, login: &str, others: &Others) -> Vec<(String, bool)> {
    let caller = house.sign_in(login);
    let key = house.key(login, &[]);
    let own = own_key(&caller);
    house.key("other", &[]);
    let anothers = own_key(&house.sign_in("other"));
    let Others { user, role, project } = others;
    let itself = user_id(house, login);
    let named = json!({ "pname": "named" });
    let rows = vec![
        ("POST /login, by password", house.nobody().log_in(login, PASSWORD)),
        ("POST /login, by key", house.nobody().log_in(login, &key)),
        ("GET /users, by key", house.basic(login, &key).get("/users")),
        ("POST /api_keys, for oneself", caller.post(GENERATE, &json!({}))),
        ("POST /api_keys, for another", caller.post(GENERATE, &json!({ "id_user": user }))),
        ("GET /api_keys", caller.get("/api_keys")),
        ("GET /api_keys, another's", caller.get(&format!("/api_keys?id_user={user}"))),
        ("GET /api_keys/{own}", caller.get(&own)),
        ("GET /api_keys/{another's}", caller.get(&anothers)),
        ("GET /api_keys/{unknown}", caller.get(&format!("/api_keys/{UNKNOWN}"))),
        ("PATCH /api_keys/{own}", caller.patch(&own, &named)),
        ("PATCH /api_keys/{another's}", caller.patch(&anothers, &named)),
        ("PATCH /api_keys/{unknown}", caller.patch(&format!("/api_keys/{UNKNOWN}"), &named)),
        ("GET /users", caller.get("/users")),
        ("GET /users/{self}", caller.get(&format!("/users/{itself}"))),
        ("GET /users/{another}", caller.get(&format!("/users/{user}"))),
        ("GET /users/{unknown}", caller.get(&format!("/users/{UNKNOWN}"))),
        ("GET /roles", caller.get("/roles")),
        ("GET /roles/{Owner}", caller.get(&format!("/roles/{role}"))),
        ("GET /roles/{unknown}", caller.get(&format!("/roles/{UNKNOWN}"))),
        ("GET /projects", caller.get("/projects")),
        ("GET /projects/{below}", caller.get(&format!("/projects/{project}"))),
        ("GET /projects/{unknown}", caller.get(&format!("/projects/{UNKNOWN}"))),
        ("DELETE /api_keys/{own}", caller.delete(&own)),
        ("DELETE /api_keys/{another's}", caller.delete(&anothers)),
        ("DELETE /api_keys/{unknown}", caller.delete(&format!("/api_keys/{UNKNOWN}"))),
        ("POST /logout", caller.log_out()),
    ];
    let judge = |(what, told): (&str, super::client::Told)| {
        let allowed = told.status() == 200;
        if !allowed {
            told.forbidden(what);
        }
        (what.to_owned(), allowed)
    };
    rows.into_iter().map(judge).collect()
}

/// The address of one key of the caller.
fn own_key(caller: &Client) -> String {
    let keys = caller.keys();
    let key = keys.first().unwrap_or_else(|| panic!("no key"));
    format!("/api_keys/{}", key["id_api_key"].as_str().unwrap())
}
