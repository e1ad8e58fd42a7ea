//! The rules hold in this workspace, and would speak if they did not.

use super::*;

/// The files, lines and paths that break a rule in a text put into a module of a crate.
fn broken(name: &str, module: &str, text: &str) -> Vec<String> {
    let module = super::module(Path::new(module));
    let found = source_offences(name, &module, "file.rs", text);
    found.iter().map(|offence| format!("{}:{}", offence.line, offence.what)).collect()
}

#[test]
fn every_arrow_of_this_workspace_points_the_right_way() {
    let offences: Vec<String> = offences().unwrap().iter().map(Offence::to_string).collect();
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn an_import_against_the_arrows_is_found() {
    for (name, module, text, expected) in [
        ("portcullis", "doors/proxy.rs", "use crate::api::Users;", "1:crate::api::Users"),
        ("portcullis", "doors.rs", "\nuse super::cli::Help;", "2:crate::cli::Help"),
        ("portcullis", "doors/proxy.rs", "use super::super::console;", "1:crate::console"),
        (
            "portcullis",
            "api/users.rs",
            "use crate::{\n    gate,\n    doors::{self},\n};",
            "3:crate::doors",
        ),
        (
            "portcullis",
            "console.rs",
            "fn f() { crate::dialects::hull::go(); }",
            "1:crate::dialects::hull::go",
        ),
        ("portcullis", "gate.rs", "pub use crate::doors::*;", "1:crate::doors"),
        ("portcullis", "actions/users.rs", "let a: http::StatusCode;", "1:http::StatusCode"),
        ("portcullis", "actions.rs", "use hyper::{body, service as s};", "1:hyper::body"),
        ("portcullis", "http/problem.rs", "use crate::config::Limits;", "1:crate::config::Limits"),
        ("portcullis", "http/problem.rs", "use super::body;", "1:crate::http::body"),
        ("portcullis", "http/problem.rs", "use crate::gate::Gate;", "1:crate::gate::Gate"),
        ("portcullis", "refusal.rs", "use crate::gate::Judged;", "1:crate::gate::Judged"),
        ("portcullis", "serve.rs", "std::time::Instant::now()", "1:std::time::Instant::now"),
        ("portcullis-store", "feed.rs", "SystemTime::now()", "1:SystemTime::now"),
        ("portcullis-store", "users.rs", "use rusqlite::{Connection};", "1:rusqlite::Connection"),
        ("portcullis-store", "users.rs", "fn f(c: &postgres::Client) {}", "1:postgres::Client"),
        ("portcullis-core", "scheme.rs", "use std::{fmt, fs};", "1:std::fs"),
        ("portcullis-core", "scheme.rs", "use std::net::TcpStream;", "1:std::net::TcpStream"),
    ] {
        let found = broken(name, module, text);
        assert_eq!(found.first().map(String::as_str), Some(expected), "{module}: {text}");
    }
}

#[test]
fn what_only_looks_like_an_import_is_left_alone() {
    for (name, module, text) in [
        ("portcullis", "doors/proxy.rs", "// use crate::api::Users;"),
        ("portcullis", "doors/proxy.rs", "/* crate::api::X */ let a = \"crate::api::Y\";"),
        ("portcullis", "doors/proxy.rs", "let a = r#\"\"crate::api::Y\"#; let b = '\"';"),
        (
            "portcullis",
            "doors/proxy.rs",
            "use crate::doors::head; use super::head; use crate::gate;",
        ),
        ("portcullis", "doors/proxy.rs", "use crate::apiary::Bee; use other::api::Thing;"),
        (
            "portcullis",
            "doors/proxy.rs",
            "fn f() {}\n#[cfg(test)]\nmod tests { use crate::api::X; }",
        ),
        ("portcullis", "serve.rs", "use crate::{api, console, doors};"),
        ("portcullis", "clock.rs", "SystemTime::now()"),
        ("portcullis", "actions/users.rs", "let http = 1; use crate::https::X;"),
        (
            "portcullis",
            "http/problem.rs",
            "use crate::refusal::Refusal; use portcullis_core::Denial;",
        ),
        ("portcullis-store", "engine/postgres.rs", "use postgres::Client;"),
        ("portcullis-store", "users.rs", "match engine { Engine::Postgres(postgres) => {} }"),
        ("portcullis-core", "policy.rs", "use std::net::IpAddr; fn fs() {}"),
    ] {
        assert_eq!(broken(name, module, text), Vec::<String>::new(), "{module}: {text}");
    }
}

#[test]
fn a_forbidden_crate_is_found_at_its_line() {
    let rule = CRATE_RULES.iter().find(|rule| rule.never.contains(&"tokio")).unwrap();
    let edges = ["http".to_owned(), "tokio".to_owned()];
    let found = crate_offences(rule, &edges, "[dependencies]\nhttp = \"1\"\ntokio = \"1\"\n");
    let shown: Vec<String> = found.iter().map(Offence::to_string).collect();
    assert_eq!(shown.len(), 1);
    assert!(
        shown[0].starts_with("crates/portcullis-core/Cargo.toml:3: `tokio`, but "),
        "{shown:?}"
    );
}
