//! Bodies: JSON, packed with gzip or not.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use serde_json::{Map, Value};

use super::failure::Failure;
use crate::dialects::Call;
use crate::dialects::body::{self, BadBody, MAX_BODY};

/// The text of a body, of so many bytes at most, packed and unpacked.
pub(super) async fn text(most: usize, call: &mut Call<'_>) -> Result<String, Failure> {
    let packed = is_packed(call.head.headers())?;
    let sent = body::read_bytes(most, call).await?;
    let whole = if packed { unpacked(&sent, most)? } else { sent };
    Ok(String::from_utf8(whole).map_err(|_| BadBody::NotUtf8)?)
}

/// Names of codings have no case (RFC 9110, section 8.4.1); there is one at most.
fn is_packed(headers: &HeaderMap) -> Result<bool, BadBody> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    let (coding, None) = (codings.next(), codings.next()) else { return Err(BadBody::Kind) };
    let is =
        |name: &str| coding.is_none_or(|it| it.as_bytes().eq_ignore_ascii_case(name.as_bytes()));
    match (is("identity"), is("gzip") || is("x-gzip")) {
        (true, _) => Ok(false),
        (false, true) => Ok(true),
        (false, false) => Err(BadBody::Kind),
    }
}

/// A bomb ends where the bound is. All members count (RFC 1952, section 2.2), and nothing is left.
fn unpacked(packed: &[u8], most: usize) -> Result<Vec<u8>, BadBody> {
    let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let (mut whole, mut decoder) = (Vec::new(), MultiGzDecoder::new(packed));
    decoder.by_ref().take(bound).read_to_end(&mut whole).map_err(|_| BadBody::Broken)?;
    if whole.len() > most { Err(BadBody::Large(most)) } else { Ok(whole) }
}

/// The object that a body is; an empty body is an empty one.
pub(super) async fn object(call: &mut Call<'_>) -> Result<Map<String, Value>, Failure> {
    let text = text(MAX_BODY, call).await?;
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    let Value::Object(object) = body::json(&text)? else {
        return Err(Failure::bad("an object was expected"));
    };
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_is_packed_is_bounded_by_what_it_unpacks_to() {
        assert_eq!(unpacked(&packed(b"{}"), 2), Ok(b"{}".to_vec()));
        assert_eq!(unpacked(&packed(b"{} "), 2), Err(BadBody::Large(2)));
        let bomb = packed(&vec![b' '; 50 << 20]);
        assert!(bomb.len() < 60_000);
        assert_eq!(unpacked(&bomb, 1 << 20), Err(BadBody::Large(1 << 20)));
        let whole = packed(b"some text");
        let (twice, more) = ([&*whole, &*whole].concat(), [&*whole, b"more"].concat());
        assert_eq!(unpacked(&twice, 100), Ok(b"some textsome text".to_vec()));
        for bad in [&b""[..], b"{}", &whole[..whole.len() - 9], &whole[1..], &more] {
            assert_eq!(unpacked(bad, 100), Err(BadBody::Broken), "{bad:?}");
        }
    }

    #[test]
    fn a_body_has_one_coding_whose_name_has_no_case() {
        for (codings, expected) in [
            (&[][..], Ok(false)),
            (&["identity"], Ok(false)),
            (&["gzip"], Ok(true)),
            (&["GZip"], Ok(true)),
            (&["x-gzip"], Ok(true)),
            (&["br"], Err(BadBody::Kind)),
            (&["gzip, gzip"], Err(BadBody::Kind)),
            (&["gzip", "identity"], Err(BadBody::Kind)),
        ] {
            let pair = |coding: &&'static str| (CONTENT_ENCODING, coding.parse().unwrap());
            let mut headers = HeaderMap::new();
            for (name, value) in codings.iter().map(pair) {
                headers.append(name, value);
            }
            assert_eq!(is_packed(&headers), expected, "{codings:?}");
        }
    }
}
