//! Whether every arrow points the right way: `portcullis → store → core`, and the rooms of the
//! server meet in `gate` and `actions` only.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;

/// Words that may not stand in some files.
struct Rule {
    /// Below this folder, or in this file.
    place: &'static str,
    /// But not here.
    except: &'static [&'static str],
    words: &'static [&'static str],
    reason: &'static str,
}

const SERVER: &str = "crates/portcullis/src";
const DIALECTLESS: &[&str] =
    &["crate::doors", "crate::dialects", "crate::api", "crate::console", "crate::cli"];

const RULES: &[Rule] = &[
    Rule {
        place: "crates/portcullis-core/src",
        except: &[],
        words: &[
            "tokio::",
            "hyper::",
            "rusqlite::",
            "postgres::",
            "tracing::",
            "std::fs",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "portcullis_store",
        ],
        reason: "judging does no I/O",
    },
    Rule {
        place: "crates",
        except: &["crates/portcullis/src/clock.rs", "crates/portcullis/benches"],
        words: &["SystemTime::now", "Instant::now"],
        reason: "only clock.rs reads the clock",
    },
    Rule {
        place: "crates/portcullis-store/src",
        except: &["crates/portcullis-store/src/engine.rs", "crates/portcullis-store/src/engine"],
        words: &["rusqlite", "postgres::"],
        reason: "only the engine knows that there are two",
    },
    Rule {
        place: "crates/portcullis-store/src",
        except: &[],
        words: &["hyper::", "clap::", "axum::"],
        reason: "the store knows no HTTP and no command line",
    },
    Rule {
        place: "crates/portcullis/src/gate.rs",
        except: &[],
        words: DIALECTLESS,
        reason: "everything meets in the gate, and it knows nobody",
    },
    Rule {
        place: "crates/portcullis/src/actions",
        except: &[],
        words: &["crate::doors", "crate::cli", "crate::http", "hyper::"],
        reason: "actions know no HTTP and nobody who calls them",
    },
    Rule {
        place: "crates/portcullis/src/doors",
        except: &[],
        words: &["crate::cli", "crate::dialects", "crate::api", "crate::console"],
        reason: "doors, dialects, api, console and cli never import one another",
    },
    Rule {
        place: "crates/portcullis/src/cli",
        except: &[],
        words: &["crate::doors", "crate::dialects", "crate::api", "crate::console"],
        reason: "doors, dialects, api, console and cli never import one another",
    },
];

/// Looks at every source file.
pub(crate) fn check() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    anyhow::ensure!(root.join(SERVER).is_dir(), "the server's sources are not where they were");
    let mut wrong = Vec::new();
    for rule in RULES {
        for file in sources(&root.join(rule.place))? {
            let name = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().into_owned();
            if !rule.except.iter().any(|except| name.starts_with(except)) {
                wrong.extend(breaches(rule, &name, &fs::read_to_string(&file)?));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

fn breaches(rule: &Rule, name: &str, text: &str) -> Vec<String> {
    let code = |line: &&str| !line.trim_start().starts_with("//");
    let lines = text.lines().enumerate().filter(|(_, line)| code(line));
    lines
        .flat_map(|(at, line)| {
            let found = rule.words.iter().filter(move |word| line.contains(**word));
            found.map(move |word| format!("{name}:{}: `{word}`: {}", at + 1, rule.reason))
        })
        .collect()
}

/// Every Rust file at or below `place`; none if there is nothing there yet.
fn sources(place: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if place.is_file() {
        return Ok(vec![place.to_path_buf()]);
    }
    let Ok(entries) = fs::read_dir(place) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arrow_points_the_right_way() {
        check().unwrap();
    }

    #[test]
    fn a_breach_is_named_with_its_place_and_reason() {
        let rule = &RULES[0];
        let text = "use std::fmt;\n// tokio:: in words is fine\nuse tokio::net;\n";
        let breaches = breaches(rule, "core/src/x.rs", text);
        assert_eq!(breaches, ["core/src/x.rs:3: `tokio::`: judging does no I/O"]);
    }
}
