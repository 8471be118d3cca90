//! Rules of HTTP/1.1 for the head of a request that hyper leaves to the service.
//!
//! A request that two readers could interpret differently is refused, because a proxy may be the
//! other reader.

use http::header::{HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Version};

/// The reason for refusing a head: a status, and a line of text.
pub(super) type Flaw = (StatusCode, &'static str);

const HOST_TEXT: &str = "Must have one Host header with a host and optionally a port.\n";
const TRANSFER_TEXT: &str = "Transfer-Encoding must be chunked, once.\n";
const CODING_TEXT: &str = "The only transfer coding is chunked. Use Content-Encoding: gzip.\n";

/// Returns the first flaw of a head, or `None` for HTTP/2, whose heads hyper validates.
pub(super) fn flaw<B>(request: &Request<B>) -> Option<Flaw> {
    let version = request.version();
    if version >= Version::HTTP_2 {
        return None;
    }
    if !has_host(request.headers(), version) {
        return Some((StatusCode::BAD_REQUEST, HOST_TEXT));
    }
    transfer_flaw(request.headers())
}

fn has_host(headers: &HeaderMap, version: Version) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_host(host.as_bytes()),
        (Some(_), Some(_)) => false,
        // Older clients may omit the header.
        (None, _) => version < Version::HTTP_11,
    }
}

/// Returns whether this is a host of RFC 3986, with or without a port. An empty host is valid.
fn is_host(value: &[u8]) -> bool {
    let (host, port) = match value.strip_prefix(b"[") {
        Some(rest) => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else { return false };
            let (address, rest) = rest.split_at(end);
            let is_address = std::str::from_utf8(address)
                .is_ok_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
            if !is_address {
                return false;
            }
            (&b""[..], &rest[1..])
        }
        None => value.split_at(value.iter().position(|it| *it == b':').unwrap_or(value.len())),
    };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(byte);
    let is_port = match port.strip_prefix(b":") {
        Some(digits) => digits.iter().all(u8::is_ascii_digit),
        None => port.is_empty(),
    };
    is_port && host.iter().all(is_name)
}

/// Checks the transfer codings. hyper only checks that the last one is chunked.
fn transfer_flaw(headers: &HeaderMap) -> Option<Flaw> {
    let values = headers.get_all(TRANSFER_ENCODING).iter().map(HeaderValue::as_bytes);
    let codings = values.flat_map(|value| value.split(|byte| *byte == b','));
    let (mut chunked, mut others) = (0, 0);
    for coding in codings.map(<[u8]>::trim_ascii).filter(|coding| !coding.is_empty()) {
        if coding.eq_ignore_ascii_case(b"chunked") {
            chunked += 1;
        } else {
            others += 1;
        }
    }
    match (chunked, others) {
        (0 | 1, 0) => None,
        (_, 0) => Some((StatusCode::BAD_REQUEST, TRANSFER_TEXT)),
        (_, _) => Some((StatusCode::NOT_IMPLEMENTED, CODING_TEXT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(version: Version, headers: &[(&str, &str)]) -> Option<u16> {
        let mut request = Request::builder().version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        flaw(&request.body(()).expect("a request")).map(|(status, _)| status.as_u16())
    }

    #[test]
    fn there_is_one_host() {
        let (http_10, http_11) = (Version::HTTP_10, Version::HTTP_11);
        for (version, hosts, expected) in [
            (http_11, &[][..], Some(400)),
            (http_11, &["a", "a"], Some(400)),
            (http_10, &[], None),
            (http_10, &["a", "b"], Some(400)),
            (http_10, &["a b"], Some(400)),
            (Version::HTTP_2, &[], None),
        ] {
            let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            assert_eq!(status(version, &headers), expected, "{version:?} {hosts:?}");
        }
        for host in ["", "a", "a.example:8080", "a:", "127.0.0.1:1", "[::1]", "[::1]:80", "a_b%20c"]
        {
            assert_eq!(status(http_11, &[("host", host)]), None, "{host}");
        }
        for host in
            ["a b", "a/b", "u@a", "a:80x", "a:1:2", "[::1", "[::1]x", "[a]", "a,b c", "a?b", "a#"]
        {
            assert_eq!(status(http_11, &[("host", host)]), Some(400), "{host}");
        }
    }

    #[test]
    fn the_only_transfer_coding_is_chunked_once() {
        for (codings, expected) in [
            (&["chunked"][..], None),
            (&["Chunked"], None),
            (&["chunked, chunked"], Some(400)),
            (&["chunked", "chunked"], Some(400)),
            (&["gzip, chunked"], Some(501)),
            (&["gzip", "chunked"], Some(501)),
            (&["identity"], Some(501)),
        ] {
            let mut headers = vec![("host", "a")];
            headers.extend(codings.iter().map(|coding| ("transfer-encoding", *coding)));
            assert_eq!(status(Version::HTTP_11, &headers), expected, "{codings:?}");
        }
    }
}
