//! What callers say that only proxies may: who they are, where they come from, what they ask for.

use super::row::Row;

const KEY: &str = "X-Api-Key: {key}";
const MALFORMED: &str = "malformed_request";
const ALIAS: &str = "a header that only a proxy may set, under an alias";
/// What proxies say of a request, and others believe.
const CLAIMS: &[&str] = &[
    "Forwarded",
    "X-Real-IP",
    "True-Client-IP",
    "X-Forwarded-Host",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Original-URL",
    "X-Original-Method",
    "X-Original-Host",
    "X-Original-URI",
    "X-Rewrite-URL",
    "X-Client-IP",
    "X-Host",
    "X-Cluster-Client-IP",
    "X-Forwarded",
    "CF-Connecting-IP",
];

pub(super) fn identity() -> Vec<Row> {
    let mut rows = Vec::new();
    for name in [
        "Portcullis-User",
        "Portcullis-User-Id",
        "Portcullis-Assertion",
        "Portcullis-Anything",
        "Remote-User",
        "Remote-Groups",
        "Remote-Name",
        "Remote-Email",
        "X-Remote-User",
        "X-Auth-Request-User",
        "X-Auth-Request-Email",
        "X-Consumer-Username",
        "X-Consumer-ID",
        "X-Credential-Identifier",
        "X-Anonymous-Consumer",
        "X-Client-Cert",
    ] {
        for (kind, written) in [
            ("as it is", name.to_owned()),
            ("in small letters", name.to_lowercase()),
            ("in capitals", name.to_uppercase()),
            ("with low lines", name.replace('-', "_")),
            ("with dots", name.replace('-', ".")),
            ("with one low line", name.replacen('-', "_", 1)),
            ("with other marks", name.replace('-', "~")),
        ] {
            let why = format!("{name} {kind}");
            let row = Row::new(why, "GET", "/orders").with(KEY).with(&format!("{written}: forged"));
            let alias = written.contains(['_', '.', '~']);
            let row = row.allowed("orders");
            rows.push(if alias { row.rewritten(ALIAS) } else { row });
        }
    }
    let keyed = |lines: &str| Row::new("one of several", "GET", "/orders").with(KEY).with(lines);
    rows.push(keyed("Portcullis-User: forged|portcullis-user: forged").allowed("orders"));
    rows.push(
        keyed("Portcullis-User: forged|Portcullis_User: forged").allowed("orders").rewritten(ALIAS),
    );
    rows.push(keyed("Connection: close, Portcullis-User").allowed("orders"));
    rows.push(keyed("Connection: close, X-Forwarded-For, X-Request").allowed("orders"));
    rows.push(keyed("X-Custom: a|X-Custom: b|X_Other: c|X.Third: d").allowed("orders"));
    rows
}

pub(super) fn forwarding() -> Vec<Row> {
    let near = |why: &str, lines: &str| Row::new(why, "GET", "/near").with(lines);
    let mut rows = vec![
        near("nobody forwards", "").refused("network"),
        near("a stranger says so", "X-Forwarded-For: 198.51.100.7").refused("network"),
        near("a trusted one says so", "X-Forwarded-For: 198.51.100.7").trusted().allowed("near"),
        near("hearsay on the left", "X-Forwarded-For: 203.0.113.9, 198.51.100.7")
            .trusted()
            .allowed("near"),
        near("hearsay alone", "X-Forwarded-For: 198.51.100.7, 203.0.113.9")
            .trusted()
            .refused("network"),
        near("two lines", "X-Forwarded-For: 203.0.113.9|X-Forwarded-For: 198.51.100.7")
            .trusted()
            .allowed("near"),
        near("through two of them", "X-Forwarded-For: 198.51.100.7, 127.0.0.9")
            .trusted()
            .allowed("near"),
        near("mapped into IPv6", "X-Forwarded-For: ::ffff:198.51.100.7").trusted().allowed("near"),
        near("with a port", "X-Forwarded-For: 198.51.100.7:1234").trusted().allowed("near"),
        near("in brackets", "X-Forwarded-For: [::ffff:198.51.100.7]:1234")
            .trusted()
            .allowed("near"),
        near("with a zone", "X-Forwarded-For: fe80::1%eth0").trusted().refused(MALFORMED),
        near("in octal", "X-Forwarded-For: 0306.51.100.7").trusted().refused(MALFORMED),
        near("unknown", "X-Forwarded-For: unknown").trusted().refused(MALFORMED),
        near("nothing", "X-Forwarded-For:").trusted().refused(MALFORMED),
        near("a comma at the end", "X-Forwarded-For: 198.51.100.7,").trusted().refused(MALFORMED),
        near("too many", &format!("X-Forwarded-For: {}127.0.0.9", "127.0.0.9, ".repeat(40)))
            .trusted()
            .refused(MALFORMED),
        near("none of a trusted one", "").trusted().refused("network"),
        near("https of a trusted one", "X-Forwarded-For: 198.51.100.7|X-Forwarded-Proto: https")
            .trusted()
            .allowed("near"),
        near("an alias of a trusted one", "X_Forwarded_For: 198.51.100.7")
            .trusted()
            .refused("network")
            .rewritten(ALIAS),
    ];
    let names = CLAIMS.iter();
    rows.extend(names.flat_map(|name| {
        let written = [(*name).to_owned(), name.replace('-', "_"), name.replace('-', ".")];
        written.into_iter().flat_map(|written| claimed(name, &written))
    }));
    rows
}

/// Two requests in which somebody claims something as `written`, of a stranger and of a trusted proxy.
fn claimed(name: &str, written: &str) -> [Row; 4] {
    let claim = |path: &str, value: &str| {
        let row = Row::new(format!("{written} of somebody"), "GET", path).with(KEY);
        let row = row.with(&format!("{written}: {value}"));
        let overrides = ["X-Original-URL", "X-Rewrite-URL"].contains(&name);
        let other = overrides || written.contains(['_', '.']);
        if other { row.rewritten(ALIAS) } else { row }
    };
    let open = claim("/orders", "forged").allowed("orders");
    let admin = claim("/admin", "/public").refused("ability");
    [open.clone(), open.trusted(), admin.clone(), admin.trusted()]
}
