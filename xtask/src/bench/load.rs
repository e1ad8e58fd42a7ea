//! Sends one request many times over a few kept-alive connections.

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

/// How many requests are measured.
pub(super) const REQUESTS: u32 = 20_000;

/// How many go ahead unmeasured, so that caches are filled.
pub(super) const WARM_UP: u32 = 400;

/// How many connections share them.
const CONNECTIONS: u32 = 4;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request as its bytes, and where to send it.
#[derive(Debug)]
pub(super) struct Request {
    authority: String,
    head: String,
}

impl Request {
    /// A GET of an `http` address with further header lines, each ended by CR LF.
    pub(super) fn get(url: &str, headers: &str) -> anyhow::Result<Self> {
        let rest = url.strip_prefix("http://").with_context(|| format!("`{url}` is not http"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let head = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\n{headers}\r\n");
        Ok(Self { authority: authority.to_owned(), head })
    }
}

/// Sends a request `times` times; an error unless every answer is 200.
pub(super) fn send(request: &Request, times: u32) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let share = times / CONNECTIONS;
        let threads: Vec<_> =
            (0..CONNECTIONS).map(|_| scope.spawn(move || converse(request, share))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(result) => result,
            Err(_) => bail!("a connection's thread panicked"),
        })
    })
}

fn converse(request: &Request, times: u32) -> anyhow::Result<()> {
    let stream = TcpStream::connect(&request.authority).context("connect to the server")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream);
    for _ in 0..times {
        reader.get_mut().write_all(request.head.as_bytes())?;
        read_answer(&mut reader)?;
    }
    Ok(())
}

/// Reads one answer to its end.
fn read_answer(reader: &mut impl std::io::BufRead) -> anyhow::Result<()> {
    let status = line(reader)?;
    ensure!(status.starts_with("HTTP/1.1 200"), "the server answered `{status}`");
    let mut length = None;
    let mut chunked = false;
    loop {
        let header = line(reader)?.to_ascii_lowercase();
        match header.split_once(':') {
            None => break,
            Some(("content-length", value)) => length = Some(value.trim().parse()?),
            Some(("transfer-encoding", value)) => chunked = value.trim() == "chunked",
            Some(_) => {}
        }
    }
    match length {
        Some(length) => skip(reader, length),
        None if chunked => skip_chunks(reader),
        None => bail!("the answer does not say where it ends"),
    }
}

fn skip_chunks(reader: &mut impl std::io::BufRead) -> anyhow::Result<()> {
    loop {
        let size = line(reader)?;
        let size = u64::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)?;
        skip(reader, size)?;
        line(reader)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn skip(reader: &mut impl std::io::BufRead, length: u64) -> anyhow::Result<()> {
    let read = std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    ensure!(read == length, "the connection was closed in the middle of an answer");
    Ok(())
}

fn line(reader: &mut impl std::io::BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    ensure!(reader.read_line(&mut line)? > 0, "the server closed the connection");
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_end_and_no_further() {
        for (answer, rest) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP", "HTTP"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nX", "X"),
        ] {
            let mut reader = answer.as_bytes();
            read_answer(&mut reader).unwrap();
            assert_eq!(reader, rest.as_bytes(), "{answer}");
        }
    }

    #[test]
    fn a_refusal_or_an_answer_cut_short_is_an_error() {
        for answer in [
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
            "HTTP/1.1 200 OK\r\n\r\n",
            "",
        ] {
            assert!(read_answer(&mut answer.as_bytes()).is_err(), "{answer}");
        }
    }
}
