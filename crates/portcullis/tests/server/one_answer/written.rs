//! The requests that are written by hand: each is here for a reason.

use super::claims;
use super::row::{ANY, Row};
use super::site::Door;

const KEY: &str = "X-Api-Key: {key}";
const MALFORMED: &str = "malformed_request";
const CANONICAL: &str = "the path has another form";
const OVERRIDE: &str = "a header that names another method or path";

pub(super) fn rows() -> Vec<Row> {
    [
        methods(),
        hosts(),
        paths(),
        ambiguous_paths(),
        queries(),
        credentials(),
        claims::identity(),
        claims::forwarding(),
        cookies(),
    ]
    .into_iter()
    .flatten()
    .chain(upgrades())
    .collect()
}

fn methods() -> Vec<Row> {
    let keyed = |why: &str, method: &str| Row::new(why, method, "/orders/7").with(KEY);
    let reading =
        |why: &str, method: &str| Row::new(why, method, "/orders/7").with("X-Api-Key: {reading}");
    let only = |why: &str, method: &str| Row::new(why, method, "/read/7").with(KEY);
    vec![
        keyed("a safe method", "GET").allowed("orders"),
        keyed("a safe method without an answer's body", "HEAD").allowed("orders"),
        keyed("a safe method about methods", "OPTIONS").allowed("orders"),
        keyed("an unsafe method", "DELETE").allowed("orders"),
        keyed("a method that nobody has registered", "BREW").allowed("orders"),
        keyed("methods differ by case", "get").allowed("orders"),
        keyed("a method of WebDAV", "PROPFIND").allowed("orders"),
        keyed("a tunnel to anywhere", "CONNECT").refused(MALFORMED),
        keyed("an echo of the credential", "TRACE").refused("not_forwarded"),
        Row::new("an echo", "TRACE", "/public").refused("not_forwarded"),
        Row::new("an echo in small letters is no echo", "trace", "/public").allowed("public"),
        reading("reading reads", "GET").allowed("orders"),
        reading("reading looks", "HEAD").allowed("orders"),
        reading("reading asks for methods", "OPTIONS").allowed("orders"),
        reading("reading does not delete", "DELETE").refused("read_only"),
        reading("reading is not `get`", "get").refused("read_only"),
        reading("reading is nothing unknown", "BREW").refused("read_only"),
        reading("reading does not echo", "TRACE").refused("read_only"),
        only("a method that the guard lists", "GET").allowed("read"),
        only("another one", "POST").refused("method"),
        only("one in small letters is another one", "get").refused("method"),
        only("one that is longer", "GETS").refused("method"),
        only("a safe one that is not listed", "OPTIONS").refused("method"),
    ]
    .into_iter()
    .chain(["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"].into_iter().flat_map(
        |name| {
            let method = |lines: String| {
                reading("a method in a header", "GET").with(&lines).allowed("orders")
            };
            [
                method(format!("{name}: forged")).rewritten(OVERRIDE),
                method(format!("{}: forged", name.replace('-', "_"))).rewritten(OVERRIDE),
                method(format!("{}: forged", name.replace('-', "."))).rewritten(OVERRIDE),
                method(format!("{}: forged", name.to_uppercase())).rewritten(OVERRIDE),
            ]
        },
    ))
    .collect()
}

fn hosts() -> Vec<Row> {
    let host = |why: &str, host: &str| Row::new(why, "GET", "/public").at(&[host]);
    vec![
        host("capitals are small letters", "API.Example").allowed("public"),
        host("a dot at the end is none", "api.example.").allowed("public"),
        host("two are no host", "api.example..").refused(MALFORMED),
        host("a port is not the host's", "api.example:8443").allowed("public"),
        host("the port after the dot", "API.example.:80").allowed("public"),
        host("an empty port is none", "api.example:").refused(MALFORMED),
        host("a port beyond ports", "api.example:65536").refused(MALFORMED),
        host("a port with a sign", "api.example:+80").refused(MALFORMED),
        host("two ports", "api.example:80:80").refused(MALFORMED),
        host("another host", "other.example").allowed("other"),
        host("a host below it", "x.api.example").refused("no_guard"),
        host("a host that ends in it", "evilapi.example").refused("no_guard"),
        host("a host that begins with it", "api.example.evil.example").refused("no_guard"),
        host("an address", "[2001:db8::1]").allowed("six"),
        host("the same address, written at length", "[2001:0DB8:0:0::0:1]:443").allowed("six"),
        host("another address", "[2001:db8::2]").refused("no_guard"),
        host("an address without brackets", "2001:db8::1").refused(MALFORMED),
        host("an address with a zone", "[2001:db8::1%25eth0]").refused(MALFORMED),
        host("an address that is not closed", "[2001:db8::1").refused(MALFORMED),
        host("somebody in the host", "alice@api.example").refused(MALFORMED),
        host("another host as somebody", "other.example@api.example").refused(MALFORMED),
        host("a password in the host", "a:b@api.example").refused(MALFORMED),
        host("a path in the host", "other.example/public")
            .refused(MALFORMED)
            .except(Door::Nginx, "nginx refuses it before it asks"),
        host("a query in the host", "other.example?api.example").refused(MALFORMED),
        host("a fragment in the host", "other.example#api.example").refused(MALFORMED),
        host("a backslash in the host", "other.example\\api.example").refused(MALFORMED),
        host("a list of hosts", "api.example, other.example").refused(MALFORMED),
        host("a blank in the host", "api.example other.example").refused(MALFORMED),
        host("an escape in the host", "api%2eexample").refused(MALFORMED),
        host("a letter like another", "\u{430}pi.example").refused(MALFORMED),
        host("an empty label", ".api.example").refused(MALFORMED),
        host("no name", "").refused(MALFORMED),
        host("a star", "*").refused(MALFORMED),
        host("a host that is none of ours", "localhost").refused("no_guard"),
        Row::new("two hosts", "GET", "/public")
            .at(&["api.example", "other.example"])
            .refused(MALFORMED),
        Row::new("two hosts, the other way", "GET", "/public")
            .at(&["other.example", "api.example"])
            .refused(MALFORMED),
        Row::new("no host", "GET", "/public").at(&[]).refused(MALFORMED),
        Row::new("a host in the target", "GET", "http://api.example/public")
            .allowed("public")
            .rewritten("a target that is no path"),
        Row::new("another host in the target", "GET", "http://other.example/public")
            .refused(MALFORMED)
            .rewritten("a target that is no path"),
        Row::new("an asterisk", "OPTIONS", "*").refused(MALFORMED),
        Row::new("a host alone", "GET", "api.example:80").refused(MALFORMED),
    ]
}

fn paths() -> Vec<Row> {
    let path = |why: &str, path: &str| Row::new(why, "GET", path);
    let keyed = |why: &str, path: &str| Row::new(why, "GET", path).with(KEY);
    let other = |row: Row| row.rewritten(CANONICAL);
    let long = format!("/public/{}", "a".repeat(8 * 1_024 - 8));
    vec![
        path("a path", "/public").allowed("public"),
        path("a slash at the end stays", "/public/").allowed("public"),
        path("what is below", "/public/a/b").allowed("public"),
        path("a prefix is whole segments", "/publicity").refused("no_guard"),
        path("a dot at the end is another segment", "/public.").refused("no_guard"),
        path("case is kept", "/PUBLIC").refused("no_guard"),
        path("the longest prefix wins", "/public/private/x").refused("no_credential"),
        path("of whole segments too", "/public/privately").allowed("public"),
        keyed("a look-alike", "/adminx").refused("no_guard"),
        keyed("a look-alike with a dot", "/admin%2e").refused("no_guard").rewritten(CANONICAL),
        keyed("what nobody guards", "/nowhere").refused("no_guard"),
        keyed("the root", "/").refused("no_guard"),
        keyed("an ability that one lacks", "/admin").refused("ability"),
        other(path("an escaped letter", "/publi%63").allowed("public")),
        other(path("all letters escaped", "/%70%75%62%6c%69%63").allowed("public")),
        other(path("an escaped hyphen", "/public/a%2Db").allowed("public")),
        other(keyed("an escaped letter of what is guarded", "/%61dmin").refused("ability")),
        other(keyed("an escaped letter in capitals", "/%41DMIN").refused("no_guard")),
        path("an escaped percent sign stays", "/public/%2561").allowed("public"),
        path("an escape escaped is no dot", "/public/%252e%252e/admin").allowed("public"),
        path("an escape escaped is no slash", "/public%252fadmin").refused("no_guard"),
        path("an escaped blank stays", "/public/a%20b").allowed("public"),
        other(path("an escape in small letters", "/public/%c3%a9").allowed("public")),
        path("UTF-8", "/caf%C3%A9/x").allowed("cafe"),
        other(path("UTF-8 in small letters", "/caf%c3%a9").allowed("cafe")),
        path("UTF-8 in another composition", "/cafe%CC%81").refused("no_guard"),
        path("not UTF-8", "/caf%E9").refused(MALFORMED),
        path("a slash, over-long", "/public%c0%afadmin").refused(MALFORMED),
        path("dots, over-long", "/public/%c0%ae%c0%ae/admin").refused(MALFORMED),
        path("a surrogate", "/public/%ed%a0%80").refused(MALFORMED),
        path("three dots are a name", "/public/.../x").allowed("public"),
        path("dots within a name", "/public/..x").allowed("public"),
        path("dots that follow a name", "/public../admin").refused("no_guard"),
        other(path("two slashes", "/public//x").allowed("public")),
        other(path("two slashes at the start", "//public").allowed("public")),
        other(keyed("a host at the start", "//other.example/admin").refused("no_guard")),
        other(keyed("two slashes before what is guarded", "//admin").refused("ability")),
        other(path("slashes at the end", "/public///").allowed("public")),
        path("every delimiter", "/public/!$&'()*+,=:@-._~").allowed("public"),
        other(path("delimiters escaped", "/public/%40%3A%21").allowed("public")),
        path("an escaped plus is no plus", "/public/%2B").allowed("public"),
        path("a question mark that is none", "/public%3Fx").refused("no_guard"),
        path("a fragment that is none", "/public%23x").refused("no_guard"),
        other(path("a fragment", "/public#/../admin").allowed("public")),
        other(keyed("a fragment behind what is guarded", "/admin#/public").refused("ability")),
        path("a blank", "/public /admin").refused(MALFORMED),
        path("nothing", "").refused(MALFORMED),
        path("no slash", "public").refused(MALFORMED),
        path("the longest path", &long).allowed("public"),
        path("one longer", &format!("{long}a")).refused(MALFORMED),
        path("our own address on a host of guards", "/healthz").refused("no_guard"),
        path("a door on a host of guards", "/authz/forward").refused("no_guard"),
    ]
}

fn ambiguous_paths() -> Vec<Row> {
    let path = |why: &str, path: &str| Row::new(why, "GET", path);
    vec![
        path("dots", "/public/../admin").refused(MALFORMED),
        path("one dot", "/public/./x").refused(MALFORMED),
        path("dots at the end", "/public/..").refused(MALFORMED),
        path("escaped dots", "/public/%2e%2e/admin").refused(MALFORMED),
        path("half escaped dots", "/public/.%2E/admin").refused(MALFORMED),
        path("dots behind a slash", "/public//../admin").refused(MALFORMED),
        path("dots with a parameter", "/public/..;/admin").refused(MALFORMED),
        path("an escaped slash", "/public%2fadmin").refused(MALFORMED),
        path("an escaped slash below", "/public/a%2Fb").refused(MALFORMED),
        path("an escaped backslash", "/public%5c..%5cadmin").refused(MALFORMED),
        path("a backslash", "/public\\..\\admin").refused(MALFORMED),
        path("a parameter", "/public;x/admin").refused(MALFORMED),
        path("an empty parameter", "/public;").refused(MALFORMED),
        path("an escaped semicolon", "/public%3bx").refused(MALFORMED),
        path("NUL", "/public/%00").refused(MALFORMED),
        path("a line break", "/public/%0d%0aX-Forged:%20forged").refused(MALFORMED),
        path("a tab", "/public/%09").refused(MALFORMED),
        path("delete", "/public/%7f").refused(MALFORMED),
        path("half an escape", "/public/%6").refused(MALFORMED),
        path("no escape", "/public/%zz").refused(MALFORMED),
        path("a percent sign alone", "/public/%").refused(MALFORMED),
        path("an escape of another system", "/public/%u0061").refused(MALFORMED),
        path("raw UTF-8", "/public/\u{e9}").refused(MALFORMED),
        path("a bracket", "/public/[x]").refused(MALFORMED),
        path("a quote", "/public/\"x").refused(MALFORMED),
        path("a brace", "/public/{x}").refused(MALFORMED),
        path("a pipe", "/public/a|b").refused(MALFORMED),
        path("a caret", "/public/a^b").refused(MALFORMED),
    ]
}

fn queries() -> Vec<Row> {
    let keyed = |why: &str, target: &str| Row::new(why, "GET", target).with(KEY);
    let signed = |why: &str, target: &str| keyed(why, target).allowed("signed");
    vec![
        keyed("a query stays as it is", "/orders?a=%2e%2e/b&c=d%20e&f").allowed("orders"),
        keyed("an empty query", "/orders?").allowed("orders"),
        keyed("a query of question marks", "/orders???").allowed("orders"),
        keyed("a path in the query", "/admin?x=/public").refused("ability"),
        keyed("slashes in the query", "/orders?//../admin;x\\y").allowed("orders"),
        keyed("a fragment behind the query", "/orders?a=1#/admin")
            .allowed("orders")
            .rewritten(CANONICAL),
        Row::new("a key in the query is none", "GET", "/orders?api_key={key}")
            .refused("no_credential"),
        Row::new("a token in the query is none", "GET", "/orders?access_token={key}")
            .refused("no_credential"),
        signed("a query without a token", "/signed?a=1&b=2"),
        signed("a token where none is read", "/signed?x-deki-token=forged&a=1"),
        signed("a token between others", "/signed?a=1&x-deki-token=forged&b=2"),
        signed("a token alone", "/signed?x-deki-token=forged"),
        signed("tokens", "/signed?x-deki-token=forged&x-deki-token=forged&c"),
        Row::new("raw UTF-8 in the query", "GET", "/public?\u{e9}").refused(MALFORMED),
        Row::new("a quote in the query", "GET", "/public?\"x\""),
        Row::new("a blank in the query", "GET", "/public?a b").refused(MALFORMED),
        Row::new("the longest query", "GET", format!("/public?{}", "a".repeat(16 * 1_024)))
            .allowed("public"),
        Row::new("one longer", "GET", format!("/public?{}", "a".repeat(16 * 1_024 + 1)))
            .refused(MALFORMED),
    ]
}

fn credentials() -> Vec<Row> {
    let with = |why: &str, lines: &str| Row::new(why, "GET", "/orders").with(lines);
    vec![
        with("nobody", "").refused("no_credential"),
        with("a key", KEY).allowed("orders"),
        with("a key as Bearer", "Authorization: Bearer {key}").allowed("orders"),
        with("a scheme in small letters", "authorization: bearer {key}").allowed("orders"),
        with("Basic", "Authorization: Basic {basic}").allowed("orders"),
        with("a session", "Cookie: wtsession={session}").allowed("orders"),
        with("a revoked key", "X-Api-Key: {revoked}").refused(ANY),
        with("a disabled key", "X-Api-Key: {disabled}").refused(ANY),
        with("a key that nobody has", "X-Api-Key: {unknown}").refused(ANY),
        with("a key of another network", "X-Api-Key: {elsewhere}").refused(ANY),
        with("a key of another guard", "X-Api-Key: {bound}").refused(ANY),
        with("a key with a letter more", "X-Api-Key: {key}x").refused(ANY),
        with("no key", "X-Api-Key: nothing").refused(ANY),
        with("an empty key", "X-Api-Key:").refused(ANY),
        with("two keys", "X-Api-Key: {key}|X-Api-Key: {other}").refused(ANY),
        with("one key twice", "X-Api-Key: {key}|X-Api-Key: {key}"),
        with("a key under an alias", "X_Api_Key: {key}"),
        with("a key under a dotted alias", "X.Api.Key: {key}"),
        with("a key and its alias", "X-Api-Key: {key}|X_Api_Key: {other}"),
        with("two ways at once", "X-Api-Key: {key}|Authorization: Bearer {other}"),
        with("the same key in two ways", "X-Api-Key: {key}|Authorization: Bearer {key}"),
        with("a good and a bad one", "X-Api-Key: {key}|Authorization: Bearer {unknown}"),
        with("a key and a password", "X-Api-Key: {key}|Authorization: Basic {basic}"),
        with("a list of keys", "X-Api-Key: {key}, {other}").refused(ANY),
        with("two authorizations", "Authorization: Bearer {key}|Authorization: Basic {basic}")
            .refused(MALFORMED),
        with("one authorization twice", "Authorization: Bearer {key}|authorization: Bearer {key}")
            .refused(MALFORMED),
        with("an authorization for a proxy", "Proxy-Authorization: Bearer {key}"),
        with("its alias", "Proxy_Authorization: Bearer {key}").refused(MALFORMED),
        with("a scheme alone", "Authorization: Bearer"),
        with("a scheme of nobody", "Authorization: Digest forged"),
        with("two blanks", "Authorization: Bearer  {key}"),
        with("a tab", "Authorization: Bearer\t{key}"),
        with("no blank", "Authorization: Bearer{key}"),
        with("Basic without a colon", "Authorization: Basic YWxpY2U="),
        with("Basic that is no Base64", "Authorization: Basic %%%"),
        with("a wrong password", "Authorization: Basic Ym9iOndyb25n").refused(ANY),
        with("a session as a key", "X-Api-Key: {session}").refused(ANY),
        with("a key as a session", "Cookie: wtsession={key}").refused(ANY),
        with("a folded key", "X-Api-Key: {key}\r\n forged"),
        with("a blank before the colon", "X-Api-Key : {key}").refused(MALFORMED),
        with("no name", ": {key}").refused(MALFORMED),
        with("what is too long", &format!("Authorization: Bearer {}", "a".repeat(8 * 1_024)))
            .refused(MALFORMED),
        with("too many headers", &"A: b|".repeat(101)),
        Row::new("braces where none are filled", "GET", "/public")
            .with("X-Note: {{kept}}")
            .allowed("public"),
        Row::new("a key of a guard, there", "GET", "/read")
            .with("X-Api-Key: {bound}")
            .allowed("read"),
    ]
}

fn cookies() -> Vec<Row> {
    let with = |why: &str, method: &str, lines: &str| {
        Row::new(why, method, "/orders").with("Cookie: theirs=1; wtsession={session}").with(lines)
    };
    vec![
        with("a cookie reads", "GET", "").allowed("orders"),
        with("a cookie writes from nowhere", "POST", "").refused("origin"),
        with("a cookie writes from its own page", "POST", "Origin: https://api.example")
            .allowed("orders"),
        with("a cookie writes from another page", "POST", "Origin: https://evil.example")
            .refused("origin"),
        with("from another port", "POST", "Origin: https://api.example:8443").refused("origin"),
        with("from no page", "POST", "Origin: null").refused("origin"),
        with("from two", "POST", "Origin: https://api.example|Origin: https://evil.example")
            .refused("origin"),
        with("from a look-alike", "POST", "Origin: https://api.example.evil.example")
            .refused("origin"),
        with("from a page in capitals", "POST", "Origin: https://API.example").allowed("orders"),
        with("a method in small letters", "get", "").refused("origin"),
        with("a cookie yields to a key", "POST", KEY).allowed("orders"),
        with("a cookie yields to a bad key", "GET", "X-Api-Key: {unknown}"),
        with("two cookies", "GET", "Cookie: wtsession={session}")
            .refused(MALFORMED)
            .except(Door::Http2, "there they are one, RFC 9113, section 8.2.3"),
        Row::new("a session twice", "GET", "/orders")
            .with("Cookie: wtsession={session}; wtsession={session}"),
        Row::new("a session in quotes", "GET", "/orders").with("Cookie: wtsession=\"{session}\""),
        Row::new("a session in capitals", "GET", "/orders").with("Cookie: WTSESSION={session}"),
        Row::new("a session that is none", "GET", "/orders").with("Cookie: wtsession=%%%;=\""),
        Row::new("a session of nothing", "GET", "/orders").with("Cookie: wtsession="),
        Row::new("a cookie of theirs", "GET", "/orders")
            .with(KEY)
            .with("Cookie: theirs=1")
            .allowed("orders"),
    ]
}

fn upgrades() -> Vec<Row> {
    let asks = |why: &str, path: &str, lines: &str| {
        let row = Row::new(why, "GET", path).with(lines);
        row.with("Sec-WebSocket-Version: 13|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    };
    let keyed = |why: &str, lines: &str| asks(why, "/orders", lines).with(KEY);
    vec![
        keyed("a WebSocket", "Connection: Upgrade|Upgrade: websocket"),
        keyed("a WebSocket in capitals", "Connection: upgrade|Upgrade: WebSocket"),
        keyed("another protocol", "Connection: Upgrade|Upgrade: other").refused("upgrade"),
        keyed("one of two", "Connection: Upgrade|Upgrade: websocket, other").refused("upgrade"),
        asks("a WebSocket of nobody", "/orders", "Connection: Upgrade|Upgrade: websocket")
            .refused("no_credential"),
        asks(
            "a WebSocket where there is none",
            "/public",
            "Connection: Upgrade|Upgrade: websocket",
        )
        .refused("upgrade"),
        asks("a reading WebSocket", "/orders", "Connection: Upgrade|Upgrade: websocket")
            .with("X-Api-Key: {reading}")
            .refused("read_only"),
        asks("a WebSocket by cookie", "/orders", "Connection: Upgrade|Upgrade: websocket")
            .with("Cookie: wtsession={session}")
            .refused("origin"),
        Row::new("HTTP/2 in the clear", "GET", "/orders")
            .with(KEY)
            .with(
                "Connection: Upgrade, HTTP2-Settings, close|Upgrade: h2c|HTTP2-Settings: AAMAAABk",
            )
            .allowed("orders")
            .rewritten("an offer that everybody ignores"),
        Row::new("an upgrade that nothing connects", "GET", "/orders")
            .with(KEY)
            .with("Upgrade: other")
            .refused("upgrade"),
    ]
}
