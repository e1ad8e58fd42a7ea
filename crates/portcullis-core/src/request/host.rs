//! The one form of a host.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use http::header::HOST;
use http::request::Parts;

use super::Malformed;

/// The longest name of a host, in bytes (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 253;

/// The host and port that a request is for: of its target, of its `Host`, or both if they agree.
pub(super) fn of(parts: &Parts) -> Result<(Cow<'_, str>, Option<u16>), Malformed> {
    let mut named = parts.headers.get_all(HOST).iter();
    let header = match (named.next(), named.next()) {
        (_, Some(_)) => return Err(Malformed::Host("is named twice")),
        (header, None) => header
            .map(|value| {
                std::str::from_utf8(value.as_bytes()).map_err(|_| Malformed::Host("is not ASCII"))
            })
            .transpose()?,
    };
    let target = parts.uri.authority().map(http::uri::Authority::as_str);
    match (target, header) {
        (None, None) => Err(Malformed::Host("is missing")),
        (Some(one), None) | (None, Some(one)) => read(one),
        // RFC 9112, section 3.2.2, has a proxy ignore the header; a second meaning is refused.
        (Some(target), Some(header)) if target.eq_ignore_ascii_case(header) => read(target),
        (Some(_), Some(_)) => Err(Malformed::Host("is contradicted")),
    }
}

/// The canonical form of `host`, its port removed: lower case, no dot at the end; borrowed if it
/// has it already.
///
/// # Errors
/// It is no host.
pub fn canonical_host(host: &str) -> Result<Cow<'_, str>, Malformed> {
    read(host).map(|(name, _)| name)
}

/// The canonical form of `host`, and the port that it names.
pub(super) fn read(host: &str) -> Result<(Cow<'_, str>, Option<u16>), Malformed> {
    let (name, port) = split_port(host)?;
    Ok((canonical_name(name)?, port.map(read_port).transpose()?))
}

fn read_port(port: &str) -> Result<u16, Malformed> {
    let number = port.parse().ok().filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()));
    number.ok_or(Malformed::Host("has a port that is none"))
}

fn canonical_name(name: &str) -> Result<Cow<'_, str>, Malformed> {
    if let Some(address) = name.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        let address: Ipv6Addr =
            address.parse().map_err(|_| Malformed::Host("is no IPv6 address"))?;
        let written = format!("[{address}]");
        return Ok(if written == name { Cow::Borrowed(name) } else { Cow::Owned(written) });
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let labels = name.split('.').all(|label| (1..=63).contains(&label.len()));
    if !labels || name.len() > MAX_HOST || !name.bytes().all(letters) {
        return Err(Malformed::Host("is no name of a host"));
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Ok(Cow::Owned(name.to_ascii_lowercase()));
    }
    Ok(Cow::Borrowed(name))
}

fn split_port(host: &str) -> Result<(&str, Option<&str>), Malformed> {
    let end = match host.strip_prefix('[') {
        Some(rest) => {
            rest.find(']').map(|at| at + 2).ok_or(Malformed::Host("is no IPv6 address"))?
        }
        None => host.find(':').unwrap_or(host.len()),
    };
    match host.split_at_checked(end) {
        Some((name, "")) => Ok((name, None)),
        Some((name, port)) => {
            let port = port.strip_prefix(':').ok_or(Malformed::Host("is no name of a host"))?;
            Ok((name, Some(port)))
        }
        None => Err(Malformed::Host("is no name of a host")),
    }
}
