//! A guard that demands networks alone: the network is who calls.

use super::{House, LISTENERS, zoe};
use crate::common::Answer;

fn call(house: &House, headers: &str) -> Answer {
    house.call(&format!("GET {LISTENERS}/network-only"), headers, "")
}

#[test]
fn the_upstream_is_told_the_narrowest_network_and_nobodys_name() {
    let house = House::with("[trust]\npeers = [\"127.0.0.1\"]\n");
    for (client, network) in [
        ("127.0.0.9", "127.0.0.0/8"),
        ("192.0.2.7", "192.0.2.0/24"),
        ("192.0.2.200", "192.0.2.128/25"),
        ("::ffff:192.0.2.200", "192.0.2.128/25"),
        ("2001:db8::7", "2001:db8::/32"),
    ] {
        let forged = "Portcullis-Network: 10.0.0.0/8\r\nPortcullis_Scheme: basic\r\n\
                      Portcullis-User: admin\r\n";
        let answer = call(&house, &format!("X-Forwarded-For: {client}\r\n{forged}"));
        let seen = answer.body().to_lowercase();
        assert_eq!(answer.status(), 200, "{client}");
        let told: Vec<&str> = seen.lines().filter(|line| line.starts_with("portcullis")).collect();
        let [_id, scheme, told_network] = told[..] else { panic!("{told:?}") };
        assert_eq!(scheme, "portcullis-scheme: network", "{client}");
        assert_eq!(told_network, format!("portcullis-network: {network}"), "{client}");
    }
    for outside in ["192.0.3.1", "10.0.0.1", "2001:db9::1"] {
        let answer = call(&house, &format!("X-Forwarded-For: {outside}\r\n{}", zoe()));
        assert_eq!(answer.status(), 403, "{outside}");
    }
}

#[test]
fn no_credential_is_asked_for_or_judged() {
    let house = House::new();
    for headers in [String::new(), zoe(), "Authorization: Basic x\r\n".into()] {
        assert_eq!(call(&house, &headers).status(), 200, "{headers}");
    }
    assert_eq!(house.call(&format!("DELETE {LISTENERS}/network-only"), "", "").status(), 405);
}

#[test]
fn a_guard_of_its_own_place_demands_networks_alone_too() {
    let house = House::with(
        "[[guard]]\nname = \"api\"\npath = \"/api\"\nupstream = \"http://ECHO\"\nschemes = []\n\
         networks = [\"127.0.0.1\"]\n",
    );
    let seen = house.call("GET /api/x", "", "");
    assert!(seen.body().contains("portcullis-network: 127.0.0.1/32"), "{}", seen.body());
}
