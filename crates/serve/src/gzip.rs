//! Gzip, as far as answers need it.

use std::io::Write as _;

use axum::http::{HeaderMap, header};
use flate2::Compression;

/// Whether `Accept-Encoding` names gzip, or anything, with more than no weight.
pub(crate) fn is_taken(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let mut any = false;
    for coding in lines.flat_map(|line| line.split(',')) {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts
            .filter_map(|part| part.split_once('='))
            .find(|(key, _)| key.trim().eq_ignore_ascii_case("q"))
            .map_or(1.0, |(_, value)| value.trim().parse().unwrap_or(0.0));
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            return weight > 0.0;
        }
        any |= name == "*" && weight > 0.0;
    }
    any
}

/// # Errors
/// When the compressor breaks, which writing to memory gives no cause for.
pub(crate) fn packed(bytes: &[u8], level: Compression) -> std::io::Result<Vec<u8>> {
    let mut to = flate2::write::GzEncoder::new(Vec::with_capacity(bytes.len() / 4), level);
    to.write_all(bytes)?;
    to.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn gzip_is_taken_by_those_who_say_so() {
        for (lines, taken) in [
            (&["gzip, deflate, br"][..], true),
            (&["br", "x-gzip;q=0.5"][..], true),
            (&["*"][..], true),
            (&["gzip;q=0, *"][..], false),
            (&["GZIP; Q=0.0"][..], false),
            (&["gzip;q=x"][..], false),
            (&["br"][..], false),
            (&[][..], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(is_taken(&headers), taken, "{lines:?}");
        }
    }
}
