//! The rules themselves, each with its reason.

/// What a crate must not depend on.
#[derive(Debug)]
pub(super) struct CrateRule {
    /// The crate.
    pub(super) of: &'static str,
    /// The packages it must not name, tests apart.
    pub(super) never: &'static [&'static str],
    /// The rule in words.
    pub(super) says: &'static str,
    /// Why it is a rule.
    pub(super) reason: &'static str,
}

/// What some modules must not name.
#[derive(Debug)]
pub(super) struct SourceRule {
    /// The crates it speaks of.
    pub(super) of: &'static [&'static str],
    /// The modules it holds for, with all below them; none means all.
    pub(super) within: &'static [&'static str],
    /// The modules it does not hold for.
    pub(super) except: &'static [&'static str],
    /// What must not occur in any path; a module's own place always may.
    pub(super) never: &'static [&'static str],
    /// What may, though `never` covers it.
    pub(super) but: &'static [&'static str],
    /// The rule in words.
    pub(super) says: &'static str,
    /// Why it is a rule.
    pub(super) reason: &'static str,
}

/// Between crates.
pub(super) const CRATE_RULES: &[CrateRule] = &[
    CrateRule {
        of: "portcullis-core",
        never: &["portcullis", "portcullis-store", "xtask"],
        says: "portcullis-core depends on no crate of the workspace",
        reason: "arrows point at what is more stable, and nothing is more stable than judgement",
    },
    CrateRule {
        of: "portcullis-core",
        never: &["tokio", "hyper", "axum", "rusqlite", "postgres", "tokio-postgres", "tracing"],
        says: "portcullis-core knows no runtime, framework, database or log",
        reason: "judging is pure, so that it can be tested as a table and fuzzed without a server",
    },
    CrateRule {
        of: "portcullis-store",
        never: &["portcullis", "xtask"],
        says: "portcullis-store depends on portcullis-core alone",
        reason: "what is remembered must not know who asks",
    },
    CrateRule {
        of: "portcullis-store",
        never: &["hyper", "axum", "clap", "tracing-subscriber"],
        says: "portcullis-store knows no server and no command line",
        reason: "what is remembered must not know who asks",
    },
];

const EVERY_CRATE: &[&str] = &["portcullis-core", "portcullis-store", "portcullis"];

/// Inside crates.
pub(super) const SOURCE_RULES: &[SourceRule] = &[
    SourceRule {
        of: &["portcullis"],
        within: &["doors", "dialects", "api", "console", "cli"],
        except: &[],
        never: &["crate::doors", "crate::dialects", "crate::api", "crate::console", "crate::cli"],
        but: &[],
        says: "doors, dialects, api, console and cli never import one another",
        reason: "they meet in gate and actions, or a rule would hold in one and not in the next",
    },
    SourceRule {
        of: &["portcullis"],
        within: &["gate", "actions"],
        except: &[],
        never: &["crate::doors", "crate::dialects", "crate::api", "crate::console", "crate::cli"],
        but: &[],
        says: "gate and actions never import those who call them",
        reason: "what is decided must not depend on the way it was asked",
    },
    SourceRule {
        of: &["portcullis"],
        within: &["actions"],
        except: &[],
        never: &["http", "hyper"],
        but: &[],
        says: "actions know no HTTP",
        reason: "the command line and the console do the same things through the same functions",
    },
    SourceRule {
        of: &["portcullis"],
        within: &["http::problem"],
        except: &[],
        never: &["crate"],
        but: &["crate::refusal"],
        says: "http/problem.rs imports nothing of this crate but the refusal",
        reason: "everyone answers through it, so that it must be a leaf",
    },
    SourceRule {
        of: &["portcullis"],
        within: &["refusal"],
        except: &[],
        never: &["crate"],
        but: &[],
        says: "refusal.rs imports nothing of this crate",
        reason: "who refuses and who answers both see it, and must not see each other through it",
    },
    SourceRule {
        of: EVERY_CRATE,
        within: &[],
        except: &["clock"],
        never: &["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"],
        but: &[],
        says: "only clock.rs reads the clock",
        reason: "expiry is judged by a time that never falls back, and tests hand it in",
    },
    SourceRule {
        of: &["portcullis-store"],
        within: &[],
        except: &["engine"],
        never: &["rusqlite", "postgres", "tokio_postgres"],
        but: &[],
        says: "only engine.rs and engine/ name a database",
        reason: "each query is written once, for both engines",
    },
    SourceRule {
        of: &["portcullis-core"],
        within: &[],
        except: &[],
        never: &["std::fs", "TcpStream", "TcpListener", "UdpSocket"],
        but: &[],
        says: "portcullis-core touches neither files nor the network",
        reason: "judging is pure, so that it can be tested as a table and fuzzed without a server",
    },
];
