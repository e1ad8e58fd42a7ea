//! Networks: demanded besides, before anything else, and of the true address alone.

use super::{House, LISTENERS, zoe};
use crate::common::basic;

/// In front of the server stands a proxy at its own address, and another.
const BEHIND_PROXIES: &str = "[trust]\npeers = [\"127.0.0.1\", \"198.51.100.1\"]\n";

fn far(house: &House, headers: &str) -> u16 {
    house.call(&format!("GET {LISTENERS}/far"), &format!("{}{headers}", zoe()), "").status()
}

#[test]
fn a_stranger_cannot_say_where_he_comes_from() {
    let house = House::new();
    for header in [
        "X-Forwarded-For: 192.0.2.7",
        "x_forwarded_for: 192.0.2.7",
        "Forwarded: for=192.0.2.7",
        "X-Real-IP: 192.0.2.7",
        "True-Client-IP: 192.0.2.7",
        "CF-Connecting-IP: 192.0.2.7",
        "X-Client-IP: 192.0.2.7",
        "X-Forwarded-For: 127.0.0.1, 192.0.2.7",
        "X-Forwarded-For: no address",
    ] {
        assert_eq!(far(&house, &format!("{header}\r\n")), 403, "{header}");
    }
    // And he is where he is, whatever he says.
    let forged = format!("{}X-Forwarded-For: 203.0.113.1\r\n", zoe());
    assert_eq!(house.call(&format!("GET {LISTENERS}/near"), &forged, "").status(), 200);
}

#[test]
fn a_trusted_proxy_says_where_its_caller_comes_from_in_one_way_alone() {
    let house = House::with(BEHIND_PROXIES);
    for (header, status) in [
        ("X-Forwarded-For: 192.0.2.7", 200),
        ("X-Forwarded-For: 192.0.2.7:4711", 200),
        ("X-Forwarded-For: ::ffff:192.0.2.7", 200),
        ("X-Forwarded-For: [::ffff:192.0.2.7]:4711", 200),
        ("X-Forwarded-For: 0:0:0:0:0:ffff:c000:0207", 200),
        ("X-Forwarded-For: 203.0.113.1, 192.0.2.7", 200),
        ("X-Forwarded-For: 192.0.2.7, 198.51.100.1", 200),
        ("X-Forwarded-For: 203.0.113.1\r\nX-Forwarded-For: 192.0.2.7", 200),
        ("X-Forwarded-For: 192.0.3.7", 403),
        ("X-Forwarded-For: 192.0.2.7, 203.0.113.1", 403),
        ("X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 203.0.113.1", 403),
        ("X-Forwarded-For: ::192.0.2.7", 403),
        ("X-Forwarded-For: 64:ff9b::192.0.2.7", 403),
        ("X-Forwarded-For: 2001:db8::7", 403),
        ("Forwarded: for=192.0.2.7", 403),
        ("X-Real-IP: 192.0.2.7", 403),
        ("X-Forwarded-For: 192.0.2.07", 400),
        ("X-Forwarded-For: 192.000.2.7", 400),
        ("X-Forwarded-For: 0300.0.02.07", 400),
        ("X-Forwarded-For: 0xC0000207", 400),
        ("X-Forwarded-For: 3221225991", 400),
        ("X-Forwarded-For: 192.0.519", 400),
        ("X-Forwarded-For: ::ffff:192.0.2.7%eth0", 400),
        ("X-Forwarded-For: 192.0.2.7,", 400),
        ("X-Forwarded-For: unknown", 400),
        ("X-Forwarded-For: ", 400),
    ] {
        assert_eq!(far(&house, &format!("{header}\r\n")), status, "{header}");
    }
}

#[test]
fn outside_the_networks_a_good_credential_counts_for_nothing_and_a_bad_one_is_not_looked_at() {
    let house = House::new();
    let bad = format!("{}\r\n", basic("zoe", "wrong"));
    let told = |headers: &str, form: &str| {
        house.call(&format!("POST {LISTENERS}/far{form}"), headers, "{}").anonymous()
    };
    for form in ["", "/dc"] {
        let expected = told("", form);
        assert!(expected.starts_with("403\n") && !expected.contains("www-"), "{expected}");
        assert_eq!(told(&zoe(), form), expected);
        // Where nothing is looked at, nothing is counted, and nobody has to wait.
        for _ in 0..25 {
            assert_eq!(told(&bad, form), expected);
        }
    }
    assert_eq!(house.zoe(&format!("GET {LISTENERS}/echo"), "").status(), 200);
}

#[test]
fn thousands_of_networks_are_one_list() {
    let networks: Vec<String> =
        (0..9_999_u32).map(|n| format!("\"10.{}.{}.0/25\"", n / 256, n % 256)).collect();
    let more = format!(
        "{BEHIND_PROXIES}[[listener]]\nid = \"many\"\nupstream = \"http://ECHO/\"\n\
         networks = [{}, \"2001:db8::/32\"]\n",
        networks.join(", ")
    );
    let house = House::with(&more);
    for (client, status) in [
        ("10.0.0.1", 200),
        ("10.20.30.127", 200),
        ("10.20.30.128", 403),
        ("10.39.14.1", 200),
        ("10.39.15.1", 403),
        ("2001:0db8:0000:0000:0000:0000:0000:0007", 200),
        ("2001:db9::", 403),
    ] {
        let headers = format!("{}X-Forwarded-For: {client}\r\n", zoe());
        let answer = house.call(&format!("GET {LISTENERS}/many"), &headers, "");
        assert_eq!(answer.status(), status, "{client}");
    }
}
