//! Who sees what: nobody beyond their own subtree, and no realm anything of another.

use serde_json::{Value, json};

use super::hub::{Hub, Told, nonce};
use super::{House, made, picture};

/// What one caller made, for another to reach for.
struct Made {
    organization: String,
    user: String,
    project: String,
}

impl Made {
    /// With ids that nobody else has: users and projects are numbered in each realm anew.
    fn below(hub: &Hub, beyond: u64) -> Self {
        let organization = hub.post("/org", &json!({ "name": "Hidden" })).one("organizations");
        let organization = made(&organization);
        let user = json!({ "name": "Hidden", "email": "", "role": "Member" });
        let far = |path: String, body: &Value, key: &str| {
            let next = || made(&hub.post(&path, body).one(key));
            let is_far = |id: &String| id.parse::<u64>().unwrap() > beyond;
            std::iter::repeat_with(next).find(is_far).unwrap()
        };
        let user = far(format!("/user/org/{organization}"), &user, "users");
        let project = json!({ "name": "Hidden" });
        let project = far(format!("/project/org/{organization}"), &project, "projects");
        Self { organization, user, project }
    }

    /// Every call that names one of them.
    fn reach(&self, hub: &Hub) -> Vec<Told> {
        let Self { organization, user, project } = self;
        let named = json!({ "name": "Taken" });
        let member = json!([{ "name": "Taken", "email": "", "role": "Member" }]);
        let below = json!({ "name": "Taken", "parentId": organization });
        let number: u64 = organization.parse().unwrap();
        let below_number = json!({ "name": "Taken", "parentId": number });
        vec![
            hub.get(&format!("/org/{organization}")),
            hub.put(&format!("/org/{organization}"), &named),
            hub.delete(&format!("/org/{organization}")),
            hub.get(&format!("/org/{organization}/templates")),
            hub.post("/org", &below),
            hub.post("/org", &below_number),
            hub.form("POST", "/org", &format!("name=Taken&parentId={organization}")),
            hub.get(&format!("/project/org/{organization}")),
            hub.post(&format!("/project/org/{organization}"), &named),
            hub.get(&format!("/user/org/{organization}")),
            hub.post(&format!("/user/org/{organization}"), &member),
            hub.get(&format!("/project/{project}")),
            hub.put(&format!("/project/{project}"), &named),
            hub.put(&format!("/project/{project}"), &json!({ "connections": [] })),
            hub.delete(&format!("/project/{project}")),
            hub.get(&format!("/user/{user}")),
            hub.put(&format!("/user/{user}"), &json!({ "role": "Owner" })),
            hub.delete(&format!("/user/{user}")),
        ]
    }
}

#[test]
fn no_tenant_sees_or_reaches_anything_of_another() {
    let house = House::new();
    let (red, blue) = (house.red_boss(), house.blue_boss());
    // Blue's numbers go where red's never came.
    let of_red = Made::below(&red, 50);
    let of_blue = Made::below(&blue, 70);
    let of_root = Made::below(&house.boss(), 90);
    let before = [picture(&red), picture(&blue)];
    for (hub, other) in [(&red, &of_blue), (&red, &of_root), (&blue, &of_root)] {
        let unknown = hub.get("/org/9000000").refused(404, "unknown");
        for told in other.reach(hub) {
            assert_eq!(told.refused(404, "another tenant's"), unknown);
        }
    }
    // A number of red's that blue has too names blue's own, and never red's.
    assert_eq!(blue.get(&format!("/org/{}", of_red.organization)).answer.status(), 404);
    let own = |own: &str, it: &Value| it["id"] == json!(own) || it["parentId"] == json!(own);
    for (hub, realm) in [(&red, &house.red), (&blue, &house.blue)] {
        let list = hub.get("/org").list("organizations");
        let list = list.as_array().unwrap();
        assert!(list.len() == 2 && list.iter().all(|it| own(realm, it)), "{list:?}");
    }
    assert_eq!([picture(&red), picture(&blue)], before);
}

#[test]
fn a_token_and_a_secret_are_good_at_the_mounts_of_their_own_realm_alone() {
    let house = House::new();
    let callers = [
        (house.boss(), &house.owner),
        (house.red_boss(), &house.red_owner),
        (house.blue_boss(), &house.blue_owner),
    ];
    for (at, (hub, _)) in callers.iter().enumerate() {
        for (of, (other, secret)) in callers.iter().enumerate() {
            let told = hub.with(&other.token).get("/org");
            let exchanged = hub.ask_token(&secret.credentials(&nonce()));
            if at == of {
                told.list("organizations");
                exchanged.ok();
            } else {
                told.refused(401, "a token of another realm");
                exchanged.refused(401, "a secret of another realm");
            }
        }
    }
    // The same realm by another way is the same realm.
    let by_host = Hub::new(&house.server, "hub.example", "");
    by_host.with(&house.boss().token).get("/org").list("organizations");
}

#[test]
fn an_owner_sees_and_changes_what_is_their_own_or_below_and_nothing_else() {
    let house = House::new();
    let boss = house.boss();
    let (own, partner) = house.partner("partner");
    let (other, _) = house.partner("other");
    let list = partner.get("/org").list("organizations");
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    assert_eq!(list[0]["id"], json!(own));

    let of_root = Made::below(&boss, 0);
    let before = picture(&boss);
    let unknown = partner.get("/org/9000000").refused(404, "unknown");
    for told in of_root.reach(&partner) {
        assert_eq!(told.refused(404, "outside the subtree"), unknown);
    }
    for organization in ["1", &other] {
        for told in [
            partner.get(&format!("/org/{organization}")),
            partner.get(&format!("/org/{organization}/templates")),
            partner.get(&format!("/user/org/{organization}")),
            partner.get(&format!("/project/org/{organization}")),
            partner.post("/org", &json!({ "name": "N", "parentId": organization })),
        ] {
            assert_eq!(told.refused(404, "above or beside"), unknown);
        }
    }
    // The users that every realm has, and the owner of the root.
    for user in ["1", "2", &house.owner.user_id] {
        partner.get(&format!("/user/{user}")).refused(404, "above");
        partner.put(&format!("/user/{user}"), &json!({ "name": "N" })).refused(404, "above");
        partner.delete(&format!("/user/{user}")).refused(404, "above");
    }
    let path = format!("/org/{own}");
    partner.put(&path, &json!({ "name": "Mine" })).refused(403, "one's own");
    partner.delete(&path).refused(403, "one's own");
    assert_eq!(picture(&boss), before);

    // Below their own they do as they like, and the root's owner sees it.
    let child = partner.post("/org", &json!({ "name": "Child" })).one("organizations");
    assert_eq!(child["parentId"], json!(own));
    let path = format!("/org/{}", made(&child));
    assert_eq!(boss.get(&path).one("organizations"), child);
    let user = json!({ "name": "N", "email": "", "role": "Owner" });
    for organization in [&own, &made(&child)] {
        partner.post(&format!("/user/org/{organization}"), &user).one("users");
        partner
            .post(&format!("/project/org/{organization}"), &json!({ "name": "P" }))
            .one("projects");
    }
    partner.put(&path, &json!({ "name": "Renamed" })).one("organizations");
    partner.delete(&path).one("organizations");
    boss.get(&path).refused(404, "deleted below");
}

#[test]
fn a_template_is_there_for_every_organization_below_its_own() {
    let house = House::new();
    let (own, partner) = house.partner("partner");
    let template = made(&partner.get(&format!("/org/{own}/templates")).one("templates"));
    let body = json!({ "name": "P", "templateId": template });
    let project = partner.post(&format!("/project/org/{own}"), &body).one("projects");
    assert_eq!(project["templateConnections"].as_array().unwrap().len(), 2);
    // One of another branch, or of another realm, is nobody's here.
    let home = &house.server.home;
    let (other, _) = house.partner("other");
    let theirs = home.json(&["template", "create", "Theirs", "--organization", &other]);
    let mut far = made(&theirs);
    assert_eq!(
        partner.get(&format!("/org/{own}/templates")).list("templates").as_array().unwrap().len(),
        1
    );
    let body = json!({ "name": "P", "templateId": far });
    partner.post(&format!("/project/org/{own}"), &body).refused(404, "another branch's template");
    while far.parse::<u64>().unwrap() < 20 {
        let place = ["template", "create", "Far", "--organization", &house.red];
        far = made(&home.json(&place));
    }
    let body = json!({ "name": "P", "templateId": far });
    partner.post(&format!("/project/org/{own}"), &body).refused(404, "another realm's template");
    assert_eq!(partner.get(&format!("/project/org/{own}")).list("projects"), json!([project]));
}
