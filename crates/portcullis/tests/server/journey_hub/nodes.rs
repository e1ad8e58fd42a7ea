//! Two nodes on one PostgreSQL: what one of them gave or took away holds for both.

use super::hub::{Hub, Secret};
use super::{check_one_winner, race, races};
use crate::common::{BASE64, Home, Server, database};
use base64::Engine as _;

/// Two servers that share a database, and the owner of the root.
struct Nodes {
    servers: [Server; 2],
    owner: Secret,
}

impl Nodes {
    /// Nothing where there is no PostgreSQL.
    fn new(name: &str) -> Option<Self> {
        let server = std::env::var("PORTCULLIS_TEST_POSTGRES").ok()?;
        let variables = [
            ("PORTCULLIS_DATABASE_URL", database(&server, name)),
            ("PORTCULLIS_MASTER_KEY", BASE64.encode("m".repeat(32))),
        ];
        let homes = [Home::with(&variables), Home::with(&variables)];
        let owner = Secret::of_an_owner(&homes[0], "boss", "1");
        let mut number = 0;
        let servers = homes.map(|home| {
            number += 1;
            let mount = "[[mount]]\ndialect = \"journey_hub\"\n";
            Server::serve(home, &format!("[store]\nnode_name = \"node-{number}\"\n{mount}"))
        });
        Some(Self { servers, owner })
    }

    fn hubs(&self) -> [Hub; 2] {
        self.servers.each_ref().map(|server| Hub::new(server, "any", ""))
    }
}

#[test]
fn of_callers_with_one_nonce_at_two_nodes_exactly_one_gets_a_token() {
    let Some(nodes) = Nodes::new("hub_nonces") else { return };
    check_one_winner(&race(&nodes.hubs(), &nodes.owner, 16));
}

#[test]
fn a_token_of_one_node_is_good_at_the_other_until_it_ends() {
    let Some(nodes) = Nodes::new("hub_tokens") else { return };
    let hubs = nodes.hubs();
    let tokens = hubs.each_ref().map(|hub| hub.sign_in(&nodes.owner).token);
    let everywhere = || hubs.iter().flat_map(|hub| tokens.iter().map(|token| hub.with(token)));
    everywhere().for_each(|hub| drop(hub.get("/org").list("organizations")));
    nodes.servers[1].home.done(&["role", "withdraw", "Owner", "boss"]);
    everywhere().for_each(|hub| drop(hub.get("/org").refused(401, "no owner any more")));
}

#[test]
fn what_many_ask_for_at_two_nodes_is_decided_as_at_one() {
    let Some(nodes) = Nodes::new("hub_races") else { return };
    let hubs = nodes.hubs().map(|hub| hub.sign_in(&nodes.owner));
    races::check_creations(&hubs);
    races::check_addresses(&hubs);
    races::check_ends(&hubs);
    races::check_changes(&hubs);
}
