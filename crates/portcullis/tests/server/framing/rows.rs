//! The requests, and the way each of them goes.

use Way::{Broken, Ended, First, Last, Refused, Said, Sent};

/// What becomes of what is sent on one connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// The upstream never hears it whole, and the caller no yes: it shows only in the body.
    Broken,
    /// It is not answered at all: there is no request in it.
    Ended,
    /// The upstream hears this first, and the rest is no part of it.
    First(&'static str),
    /// The upstream hears this, and the connection ends, whatever follows.
    Last(&'static str),
    /// It is answered 4xx, once, and the upstream hears nothing.
    Refused,
    /// The upstream hears what begins so, and the caller a yes after a word in between.
    Said(&'static str),
    /// The upstream hears exactly this.
    Sent(&'static str),
}

/// A name, what is sent, and the way it goes.
pub(super) struct Row(pub(super) &'static str, pub(super) &'static [u8], pub(super) Way);

impl Row {
    /// Whether it went its way, by everything that came back, and by all that the upstream heard whole.
    pub(super) fn is_judged_by(&self, answer: &str, heard: &[String]) -> bool {
        let statuses = answer.split("HTTP/1.").skip(1).filter_map(|it| it.get(2..5));
        let statuses: Vec<&str> = statuses.collect();
        let heard: Vec<String> = heard.iter().map(|heard| essence(heard)).collect();
        let heard: Vec<&str> = heard.iter().map(String::as_str).collect();
        let closes = answer.starts_with("HTTP/1.0") || answer.contains("\r\nconnection: close\r\n");
        match (self.2, &statuses[..], &heard[..]) {
            (Ended, [], []) | (Broken, [] | ["400" | "408" | "413"], []) => true,
            (Refused, [status], []) => status.starts_with('4'),
            (Sent(text), ["200"], [heard]) => *heard == text,
            (Last(text), ["200"], [heard]) => closes && *heard == text,
            (First(text), ["200", ..], [heard, ..]) => *heard == text,
            (Said(start), ["100", "200"], [heard]) => heard.starts_with(start),
            _ => false,
        }
    }
}

/// What is sent on, in one order, without what this server says itself.
fn essence(heard: &str) -> String {
    let (head, body) = heard.split_once("\r\n\r\n").unwrap_or((heard, ""));
    let mut lines = head.split("\r\n");
    let target = lines.next().unwrap_or_default();
    let ours = |line: &&str| !line.starts_with("portcullis-") && !line.starts_with("x-forwarded-");
    let mut headers: Vec<&str> = lines.filter(ours).collect();
    headers.sort_unstable();
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{target}\r\n{headers}\r\n{body}")
}

/// A request with which nothing is wrong.
pub(super) const GOOD: &[u8] = b"GET / HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n";

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // The length of a body, RFC 9112 section 6.3 and RFC 9110 section 8.6.
    Row("a good request", b"GET / HTTP/1.1\r\nHost: api.example\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("a good body", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\n\r\nabc", Sent("POST / HTTP/1.1\r\ncontent-length: 3\r\nhost: api.example\r\n\r\nabc")),
    Row("a good body in chunks", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("a length and chunks", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: api.example\r\n\r\n", Last("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("chunks and a length", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: api.example\r\n\r\n", Last("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("chunks and a length that is none", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\nContent-Length: x\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: api.example\r\n\r\n", Last("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("chunks and two lengths", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: api.example\r\n\r\n", Last("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("two lengths that differ", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", Refused),
    Row("one length said twice", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", Sent("POST / HTTP/1.1\r\ncontent-length: 3\r\nhost: api.example\r\n\r\nabc")),
    Row("a list of lengths", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3, 3\r\n\r\nabc", Refused),
    Row("a list of lengths that differ", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3,4\r\n\r\nabc", Refused),
    Row("a length with a plus", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: +3\r\n\r\nabc", Refused),
    Row("a length with a minus", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: -3\r\n\r\nabc", Refused),
    Row("a length in hex", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 0x3\r\n\r\nabc", Refused),
    Row("a length with a fraction", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3.0\r\n\r\nabc", Refused),
    Row("a length with an exponent", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3e0\r\n\r\nabc", Refused),
    Row("a length with a space within", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3 3\r\n\r\nabc", Refused),
    Row("a length in other digits", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: \xd9\xa3\r\n\r\nabc", Refused),
    Row("a length beyond 64 bits", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 18446744073709551616\r\n\r\nabc", Refused),
    Row("a length that wraps to three", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 18446744073709551619\r\n\r\nabc", Refused),
    Row("a length that is empty", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: \r\n\r\nabc", Refused),
    Row("a length of words", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: three\r\n\r\nabc", Refused),
    Row("a length with an underscore", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 1_0\r\n\r\nabc", Refused),
    Row("a length with a semicolon", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3;a\r\n\r\nabc", Refused),
    Row("a length with a form feed", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: \x0c3\r\n\r\nabc", Refused),
    Row("a length with zeros in front", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 0000000003\r\n\r\nabc", Refused),
    Row("a length with tabs around", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length:\t3\t\r\n\r\nabc", Sent("POST / HTTP/1.1\r\ncontent-length: 3\r\nhost: api.example\r\n\r\nabc")),
    Row("a length under an alias", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent_Length: 99\r\n\r\n", Sent("POST / HTTP/1.1\r\ncontent_length: 99\r\nhost: api.example\r\n\r\n")),
    Row("a longer body than was said", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\n\r\nabcGET /next", Sent("POST / HTTP/1.1\r\ncontent-length: 3\r\nhost: api.example\r\n\r\nabc")),
    Row("a shorter body than was said", b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 5\r\n\r\nabc", Broken),
    Row("a body of a GET", b"GET / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\n\r\nabc", Sent("GET / HTTP/1.1\r\ncontent-length: 3\r\nhost: api.example\r\n\r\nabc")),
    Row("a GET whose body looks like another request", b"GET / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 18\r\n\r\nGET /b HTTP/1.1\r\n\r", Sent("GET / HTTP/1.1\r\ncontent-length: 18\r\nhost: api.example\r\n\r\nGET /b HTTP/1.1\r\n\r")),
    // Transfer codings, RFC 9112 section 6.1.
    Row("a coding twice in one line", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("identity", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: identity\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("identity and chunks", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: identity, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("chunks and identity", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked, identity\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a coding that nobody knows", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: xchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a coding that begins like chunks", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunkedx\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("chunks with a parameter", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked;q=1\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("chunks in quotes", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: \"chunked\"\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("chunks with a comma behind", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked,\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("chunks with a comma before", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: ,chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("gzip and chunks", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("gzip alone", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: gzip\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a coding of controls", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: \x0bchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a coding with a control behind", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\x0c\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a coding that is empty", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: \r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a coding with a NUL", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\0\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("chunks with a high byte", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\xa0\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("chunks with a space within", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chun ked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a coding twice", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a coding after another", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("another coding after it", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("chunks in other letters", b"POST / HTTP/1.1\r\nHost: api.example\r\ntRANSFER-eNCODING: cHuNkEd\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: cHuNkEd\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("chunks with tabs around", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding:\t chunked \t\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("a blank before the colon of a coding", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding : chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a tab before the colon of a coding", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding\t: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a folded coding", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding:\r\n chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a coding under an alias", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer_Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", Sent("POST / HTTP/1.1\r\ncontent-length: 3\r\nhost: api.example\r\ntransfer_encoding: chunked\r\n\r\nabc")),
    Row("a coding in HTTP/1.0", b"POST / HTTP/1.0\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("a coding in HTTP/1.0, and a length", b"POST / HTTP/1.0\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Refused),
    Row("framing named in Connection", b"POST / HTTP/1.1\r\nHost: api.example\r\nConnection: close, Content-Length\r\nContent-Length: 3\r\n\r\nabc", Sent("POST / HTTP/1.1\r\ncontent-length: 3\r\nhost: api.example\r\n\r\nabc")),
    Row("a coding named in Connection", b"POST / HTTP/1.1\r\nHost: api.example\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    // Chunks, RFC 9112 section 7.1.
    Row("a size with a plus", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", Broken),
    Row("a size with a minus", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", Broken),
    Row("a size with 0x", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", Broken),
    Row("a size that is none", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nabc\r\n0\r\n\r\n", Broken),
    Row("a size that is empty", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n", Broken),
    Row("a size of 17 digits", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000003\r\nabc\r\n0\r\n\r\n", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("a size beyond 64 bits", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n", Broken),
    Row("a size with a blank before", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n", Broken),
    Row("a size with an underscore", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n0_3\r\nabc\r\n0\r\n\r\n", Broken),
    Row("a size ended by a bare LF", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", Broken),
    Row("a size ended by a bare CR", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\rabc\r\n0\r\n\r\n", Broken),
    Row("data longer than its chunk", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", Broken),
    Row("data shorter than its chunk", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabc\r\n0\r\n\r\n", Broken),
    Row("data ended by a bare LF", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n", Broken),
    Row("data without an end", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc0\r\n\r\n", Broken),
    Row("an extension with a bare LF", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3;a\nabc\r\n0\r\n\r\n", Broken),
    Row("an extension with a bare CR", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3;a\rb\r\nabc\r\n0\r\n\r\n", Broken),
    Row("no last chunk", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", Broken),
    Row("a last chunk without its end", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", Broken),
    Row("a last chunk of bare LFs", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\n\n", Broken),
    Row("a trailer without a colon", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nbad\r\n\r\n", Broken),
    Row("a trailer that is folded", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: 1\r\n 2\r\n\r\n", Broken),
    Row("a trailer with a blank before its colon", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx : 1\r\n\r\n", Broken),
    Row("a size with zeros in front", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n0003\r\nabc\r\n000\r\n\r\n", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("a size in capitals", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n")),
    Row("a size with blanks behind", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3 \t\r\nabc\r\n0\r\n\r\n", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("an extension", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3;name=\"a;b\"\r\nabc\r\n0;x=y\r\n\r\n", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("what is no request after the last chunk", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGARBAGE", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("trailers that carry identity", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n3\r\nabc\r\n0\r\nAuthorization: Basic eDp5\r\nX-Forwarded-For: 10.0.0.1\r\nPortcullis-User: root\r\nHost: evil.example\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\nCookie: a=b\r\n\r\n", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    Row("a trailer that nobody minds", b"POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", Sent("POST / HTTP/1.1\r\nhost: api.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    // Lines, RFC 9112 sections 2.2 and 5.
    Row("bare LFs throughout", b"GET / HTTP/1.1\nHost: api.example\n\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("a bare LF after the request line", b"GET / HTTP/1.1\nHost: api.example\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("a bare LF after a header", b"GET / HTTP/1.1\r\nHost: api.example\nX-A: 1\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\nx-a: 1\r\n\r\n")),
    Row("a bare LF at the end of the head", b"GET / HTTP/1.1\r\nHost: api.example\r\n\nGET /next HTTP/1.1\r\n", First("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("a bare CR in a value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: 1\rX-B: 2\r\n\r\n", Refused),
    Row("a bare CR after the request line", b"GET / HTTP/1.1\rHost: api.example\r\n\r\n", Refused),
    Row("bare CRs throughout", b"GET / HTTP/1.1\rHost: api.example\r\r", Refused),
    Row("two CRs before a LF", b"GET / HTTP/1.1\r\r\nHost: api.example\r\n\r\n", Refused),
    Row("a CR before the end of a value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: 1\r\r\n\r\n", Refused),
    Row("a folded value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: 1\r\n 2\r\n\r\n", Refused),
    Row("a value folded by a tab", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: 1\r\n\t2\r\n\r\n", Refused),
    Row("a folded first header", b"GET / HTTP/1.1\r\n Host: api.example\r\n\r\n", Refused),
    Row("a folded empty line", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: 1\r\n \r\n\r\n", Refused),
    Row("empty lines before the request", b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: api.example\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("bare LFs before the request", b"\n\nGET / HTTP/1.1\r\nHost: api.example\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("a blank before the request", b" GET / HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a NUL before the request", b"\0GET / HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    // Names and values, RFC 9110 sections 5.1 and 5.5.
    Row("a blank before the colon", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A : 1\r\n\r\n", Refused),
    Row("a tab before the colon", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A\t: 1\r\n\r\n", Refused),
    Row("an empty name", b"GET / HTTP/1.1\r\nHost: api.example\r\n: 1\r\n\r\n", Refused),
    Row("no colon", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A\r\n\r\n", Refused),
    Row("a name with a blank", b"GET / HTTP/1.1\r\nHost: api.example\r\nX A: 1\r\n\r\n", Refused),
    Row("a name with a high byte", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-\xc3\xa9: 1\r\n\r\n", Refused),
    Row("a name with a NUL", b"GET / HTTP/1.1\r\nHost: api.example\r\nX\0A: 1\r\n\r\n", Refused),
    Row("a name with a slash", b"GET / HTTP/1.1\r\nHost: api.example\r\nX/A: 1\r\n\r\n", Refused),
    Row("a name in brackets", b"GET / HTTP/1.1\r\nHost: api.example\r\n(X): 1\r\n\r\n", Refused),
    Row("a name with a quote", b"GET / HTTP/1.1\r\nHost: api.example\r\nX\"A: 1\r\n\r\n", Refused),
    Row("a NUL in a value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: 1\x002\r\n\r\n", Refused),
    Row("a bell in a value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: \x07\r\n\r\n", Refused),
    Row("an escape in a value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: \x1b[2J\r\n\r\n", Refused),
    Row("a vertical tab in a value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: 1\x0b2\r\n\r\n", Refused),
    Row("a DEL in a value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: 1\x7f\r\n\r\n", Refused),
    Row("a blank before the first name", b"GET / HTTP/1.1\r\nHost: api.example\r\n X-A: 1\r\n\r\n", Refused),
    Row("a tab in a value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: 1\t2\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\nx-a: 1\t2\r\n\r\n")),
    Row("UTF-8 in a value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: \xc3\xa9\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\nx-a: é\r\n\r\n")),
    Row("an empty value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A:\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\nx-a: \r\n\r\n")),
    Row("blanks around a value", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A: \t 1 \t \r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\nx-a: 1\r\n\r\n")),
    Row("every character of a name", b"GET / HTTP/1.1\r\nHost: api.example\r\n!#$%&'*+-.^_`|~09azAZ: 1\r\n\r\n", Sent("GET / HTTP/1.1\r\n!#$%&'*+-.^_`|~09azaz: 1\r\nhost: api.example\r\n\r\n")),
    Row("identity under aliases", b"GET / HTTP/1.1\r\nHost: api.example\r\nPortcullis_User: root\r\nX.Forwarded.For: 10.0.0.1\r\nx_real_ip: 10.0.0.1\r\nREMOTE-USER: root\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("two credentials", b"GET / HTTP/1.1\r\nHost: api.example\r\nAuthorization: Basic eDp5\r\nAuthorization: Basic eDp6\r\n\r\n", Refused),
    // The host, RFC 9112 section 3.2 and RFC 9110 section 7.2.
    Row("no host", b"GET / HTTP/1.1\r\n\r\n", Refused),
    Row("no host in HTTP/1.0", b"GET / HTTP/1.0\r\n\r\n", Refused),
    Row("two hosts", b"GET / HTTP/1.1\r\nHost: api.example\r\nHost: api.example\r\n\r\n", Refused),
    Row("two hosts that differ", b"GET / HTTP/1.1\r\nHost: api.example\r\nHost: evil.example\r\n\r\n", Refused),
    Row("two hosts, one in other letters", b"GET / HTTP/1.1\r\nhOST: api.example\r\nHost: api.example\r\n\r\n", Refused),
    Row("an empty host", b"GET / HTTP/1.1\r\nHost: \r\n\r\n", Refused),
    Row("a host with a user", b"GET / HTTP/1.1\r\nHost: user@api.example\r\n\r\n", Refused),
    Row("a host with user and password", b"GET / HTTP/1.1\r\nHost: a:b@api.example\r\n\r\n", Refused),
    Row("a host with a blank", b"GET / HTTP/1.1\r\nHost: api example\r\n\r\n", Refused),
    Row("a host with a path", b"GET / HTTP/1.1\r\nHost: api.example/a\r\n\r\n", Refused),
    Row("a host with a query", b"GET / HTTP/1.1\r\nHost: api.example?a\r\n\r\n", Refused),
    Row("a host with a fragment", b"GET / HTTP/1.1\r\nHost: api.example#a\r\n\r\n", Refused),
    Row("a host with a port of letters", b"GET / HTTP/1.1\r\nHost: api.example:a\r\n\r\n", Refused),
    Row("a host with an empty port", b"GET / HTTP/1.1\r\nHost: api.example:\r\n\r\n", Refused),
    Row("a host with a port too great", b"GET / HTTP/1.1\r\nHost: api.example:65536\r\n\r\n", Refused),
    Row("a host with a port with a sign", b"GET / HTTP/1.1\r\nHost: api.example:+80\r\n\r\n", Refused),
    Row("a host with two ports", b"GET / HTTP/1.1\r\nHost: api.example:80:80\r\n\r\n", Refused),
    Row("a list of hosts", b"GET / HTTP/1.1\r\nHost: api.example, evil.example\r\n\r\n", Refused),
    Row("a host with an escape", b"GET / HTTP/1.1\r\nHost: api%2eexample\r\n\r\n", Refused),
    Row("a host with a scheme", b"GET / HTTP/1.1\r\nHost: http://api.example\r\n\r\n", Refused),
    Row("a host with a backslash", b"GET / HTTP/1.1\r\nHost: api.example\\evil\r\n\r\n", Refused),
    Row("a host with an empty label", b"GET / HTTP/1.1\r\nHost: api..example\r\n\r\n", Refused),
    Row("a host of UTF-8", b"GET / HTTP/1.1\r\nHost: \xc3\xa4pi.example\r\n\r\n", Refused),
    Row("an IPv6 address without brackets", b"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", Refused),
    Row("an IPv6 address half in brackets", b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", Refused),
    Row("an IPv6 address with a zone", b"GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", Refused),
    Row("a host under an alias", b"GET / HTTP/1.1\r\nHo_st: api.example\r\n\r\n", Refused),
    Row("a folded host", b"GET / HTTP/1.1\r\nHost:\r\n api.example\r\n\r\n", Refused),
    Row("a host with blanks around", b"GET / HTTP/1.1\r\nHost: \t api.example \t\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("a host in capitals, with a dot and a port", b"GET / HTTP/1.1\r\nHost: API.example.:8080\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: API.example.:8080\r\n\r\n")),
    // The target, RFC 9112 section 3.2.
    Row("an absolute target", b"GET http://api.example/ HTTP/1.1\r\nHost: api.example\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("an absolute target without a host", b"GET http://api.example/ HTTP/1.1\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("an absolute target of another host", b"GET http://evil.example/ HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("an absolute target with another port", b"GET http://api.example:81/ HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("an absolute target with a user", b"GET http://u@api.example/ HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("an absolute target with nothing in it", b"GET http:// HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("an absolute target without a path", b"GET http://api.example HTTP/1.1\r\nHost: api.example\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("an asterisk", b"OPTIONS * HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("an asterisk for a GET", b"GET * HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("an authority", b"CONNECT api.example:443 HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("an authority for a GET", b"GET api.example:443 HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a path to be connected to", b"CONNECT / HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a target without a slash", b"GET a HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a target with a fragment", b"GET /a#b HTTP/1.1\r\nHost: api.example\r\n\r\n", Sent("GET /a HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("a target with a blank", b"GET /a b HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a target with a NUL", b"GET /\0 HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a target with a tab", b"GET /a\tb HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a target with a high byte", b"GET /\xff HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a target with a backslash", b"GET /a\\b HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a target with dot segments", b"GET /a/../b HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a target with escaped dots", b"GET /a/%2e%2e/b HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a target with an escaped slash", b"GET /a%2fb HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a target with a bad escape", b"GET /%zz HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a target with a parameter", b"GET /a;b HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("an empty target", b"GET  HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("two slashes at the beginning", b"GET //api.example/ HTTP/1.1\r\nHost: api.example\r\n\r\n", Sent("GET /api.example/ HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    // The request line and its version, RFC 9112 section 3.
    Row("HTTP/0.9", b"GET /\r\nHost: api.example\r\n\r\n", Refused),
    Row("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: api.example\r\n\r\n", Refused),
    Row("HTTP/1.10", b"GET / HTTP/1.10\r\nHost: api.example\r\n\r\n", Refused),
    Row("HTTP/2.0", b"GET / HTTP/2.0\r\nHost: api.example\r\n\r\n", Refused),
    Row("HTTP/0.9 by name", b"GET / HTTP/0.9\r\nHost: api.example\r\n\r\n", Refused),
    Row("a version in small letters", b"GET / http/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a version with a blank", b"GET / HTTP/ 1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a version with a comma", b"GET / HTTP/1,1\r\nHost: api.example\r\n\r\n", Refused),
    Row("another protocol", b"GET / ICY/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("two blanks after the method", b"GET  / HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("two blanks before the version", b"GET /  HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a tab after the method", b"GET\t/ HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a blank after the version", b"GET / HTTP/1.1 \r\nHost: api.example\r\n\r\n", Refused),
    Row("a method with a colon", b"GE:T / HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a method with a high byte", b"G\xc3\x89T / HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("no method", b" / HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a version alone", b"HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("HTTP/1.0", b"GET / HTTP/1.0\r\nHost: api.example\r\n\r\nGET /next HTTP/1.1\r\nHost: api.example\r\n\r\n", Last("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("a method of one's own", b"BREW / HTTP/1.1\r\nHost: api.example\r\n\r\n", Sent("BREW / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("a method in small letters", b"get / HTTP/1.1\r\nHost: api.example\r\n\r\n", Sent("get / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    // Connections, RFC 9112 section 9 and RFC 9113 section 3.
    Row("a request after a refused one", b"GET /a;b HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\n\r\nGET / HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a request after a bad head", b"GET / HTTP/1.1\r\nHost: api.example\r\nX A: 1\r\n\r\nGET / HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("a request after a bad version", b"GET / HTTP/1.2\r\nHost: api.example\r\n\r\nGET / HTTP/1.1\r\nHost: api.example\r\n\r\n", Refused),
    Row("an upgrade to HTTP/2 in the clear", b"GET / HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", Sent("GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")),
    Row("an upgrade to WebSocket", b"GET / HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n", Refused),
    Row("an expectation", b"POST / HTTP/1.1\r\nHost: api.example\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", Said("POST / HTTP/1.1")),
    Row("half the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nS", Ended),
    Row("a preface with another end", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", Refused),
    Row("a preface with a host", b"PRI * HTTP/2.0\r\nHost: api.example\r\n\r\nSM\r\n\r\n", Refused),
    Row("nothing", b"", Ended),
    Row("half a request line", b"GET / HT", Ended),
    Row("half a head", b"GET / HTTP/1.1\r\nHost: api.example\r\nX-A", Ended),
    Row("a handshake of TLS", b"\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03", Refused),
];
