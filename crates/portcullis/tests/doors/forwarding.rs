//! Each proxy, with everything that is checked of it.

use crate::attacks;
use crate::checks;
use crate::place::{Stand, tool};
use crate::running::{CADDY, Kind, NGINX, TRAEFIK};

#[test]
fn nginx_forwards_what_is_permitted_as_it_was_judged_and_nothing_else() {
    let Some(program) = tool("PORTCULLIS_TEST_NGINX") else { return };
    check(&program, &NGINX, false);
}

#[test]
fn caddy_forwards_what_is_permitted_as_it_was_judged_and_nothing_else() {
    let Some(program) = tool("PORTCULLIS_TEST_CADDY") else { return };
    check(&program, &CADDY, true);
}

#[test]
fn traefik_forwards_what_is_permitted_as_it_was_judged_and_nothing_else() {
    let Some(program) = tool("PORTCULLIS_TEST_TRAEFIK") else { return };
    check(&program, &TRAEFIK, true);
}

/// Checks one proxy, which hands answers on as they are, or as it understands them.
fn check(program: &std::path::Path, kind: &Kind, as_it_is: bool) {
    let stand = Stand::start(program, kind);
    checks::every_caller_is_told_of(&stand);
    checks::whoever_is_refused_learns_how_to_ask(&stand, as_it_is);
    checks::tunnels_are_for_those_who_may_write(&stand);
    checks::a_request_changes_nothing_on_its_way(&stand);
    checks::a_cookie_changes_something_only_from_its_own_pages(&stand);
    attacks::every_attack_is_harmless(&stand);
    checks::what_is_revoked_is_refused_at_once(&stand);
    checks::without_us_nothing_passes(stand);
}
