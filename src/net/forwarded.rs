//! The client that a trusted proxy names as the sender of a request.
//!
//! Every proxy appends the address of its own peer, so the list is read from the right. The first
//! address that does not belong to a trusted proxy is the client. That client may have written
//! everything further to the left, which therefore proves nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::address::Network;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client that the headers of a forwarded request name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Forwarded {
    /// No address: neither header is present, or all addresses belong to trusted proxies, or the
    /// client's place contains `unknown`, a pseudonym or invalid text.
    Obscure,
    /// The address of the client.
    By(IpAddr),
}

impl Forwarded {
    /// Reads `X-Forwarded-For`, or `Forwarded` if it is missing. Many proxies that write
    /// `X-Forwarded-For` pass a client's own `Forwarded` through.
    pub(super) fn read(headers: &HeaderMap, trusted: &[Network]) -> Self {
        if headers.contains_key(X_FORWARDED_FOR) {
            let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
            // A line that is not text names no address.
            let nodes = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
            let nodes = nodes.map(trimmed).filter(|node| !node.is_empty());
            return Self::first_untrusted(nodes.map(|node| address(node, true)), trusted);
        }
        let lines = headers.get_all(FORWARDED).iter().rev();
        let nodes = lines.flat_map(|line| elements(line).into_iter().rev());
        Self::first_untrusted(nodes, trusted)
    }

    /// Walks from the right end. `None` is a node without an address.
    fn first_untrusted(nodes: impl Iterator<Item = Option<IpAddr>>, trusted: &[Network]) -> Self {
        for node in nodes {
            match node {
                Some(address) if trusted.iter().any(|network| network.contains(address)) => {}
                Some(address) => return Self::By(address),
                None => return Self::Obscure,
            }
        }
        Self::Obscure
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Returns the nodes of a `Forwarded` line (RFC 7239), from the left. An invalid line names no
/// address at all, because its client may have left a quotation open that swallows a proxy's part.
fn elements(line: &HeaderValue) -> Vec<Option<IpAddr>> {
    line.to_str().ok().and_then(|line| Scanner(line).elements()).unwrap_or_else(|| vec![None])
}

/// The address in an element, if any.
struct Node(Option<IpAddr>);

/// The unread rest of a `Forwarded` line.
struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    fn elements(mut self) -> Option<Vec<Option<IpAddr>>> {
        let mut elements = Vec::new();
        loop {
            self.skip_blanks();
            // The grammar of lists allows empty elements.
            if !self.0.is_empty() && !self.0.starts_with(',') {
                elements.push(self.element()?.0);
                self.skip_blanks();
            }
            match self.0.strip_prefix(',') {
                Some(rest) => self.0 = rest,
                None => return self.0.is_empty().then_some(elements),
            }
        }
    }

    /// Reads `pair *( ";" pair )` and returns its `for`. `None` means invalid grammar.
    fn element(&mut self) -> Option<Node> {
        let mut node = None;
        loop {
            let name = self.token()?;
            self.0 = self.0.strip_prefix('=')?;
            let value = self.value()?;
            if name.eq_ignore_ascii_case("for") && node.replace(address(&value, false)).is_some() {
                return None;
            }
            match self.0.strip_prefix(';') {
                Some(rest) => self.0 = rest,
                None => return Some(Node(node.flatten())),
            }
        }
    }

    fn value(&mut self) -> Option<String> {
        match self.0.strip_prefix('"') {
            Some(quoted) => {
                self.0 = quoted;
                self.quoted()
            }
            None => self.token().map(str::to_owned),
        }
    }

    /// Reads the rest of a quoted string, after its opening quotation mark.
    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut characters = self.0.chars();
        loop {
            match characters.next()? {
                '"' => {
                    self.0 = characters.as_str();
                    return Some(value);
                }
                '\\' => value.push(characters.next()?),
                character => value.push(character),
            }
        }
    }

    fn token(&mut self) -> Option<&'a str> {
        let is_of_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let end = self.0.bytes().position(|byte| !is_of_token(byte)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }

    fn skip_blanks(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }
}

/// Parses the address of a node, with or without a port. IPv6 requires brackets, except in
/// `X-Forwarded-For`, which no standard defines.
fn address(node: &str, may_be_bare: bool) -> Option<IpAddr> {
    if let Some(bracketed) = node.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let address = address.parse::<Ipv6Addr>().ok()?;
        return is_port(port).then_some(address.into());
    }
    if may_be_bare && let Ok(address) = node.parse::<Ipv6Addr>() {
        return Some(address.into());
    }
    let end = node.find(':').unwrap_or(node.len());
    let (address, port) = node.split_at(end);
    let address = address.parse::<Ipv4Addr>().ok()?;
    is_port(port).then_some(address.into())
}

/// Returns whether this is empty, or a colon and either a port number or a pseudonym.
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else { return text.is_empty() };
    if let Some(pseudonym) = port.strip_prefix('_') {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        return !pseudonym.is_empty() && pseudonym.bytes().all(is_allowed);
    }
    port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[(&'static str, &str)]) -> Forwarded {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        }
        let trusted: Vec<Network> =
            ["10.0.0.0/8", "2001:db8:1::/48"].map(|text| text.parse().expect("a network")).into();
        Forwarded::read(&headers, &trusted)
    }

    fn by(address: &str) -> Forwarded {
        Forwarded::By(address.parse().expect("an address"))
    }

    #[test]
    fn x_forwarded_for_names_the_rightmost_address_that_is_no_trusted_proxy() {
        for (line, expected) in [
            ("192.0.2.1", by("192.0.2.1")),
            ("203.0.113.9, 192.0.2.1", by("192.0.2.1")),
            ("192.0.2.1,10.0.0.1 ,\t10.1.0.1", by("192.0.2.1")),
            ("192.0.2.1:4711", by("192.0.2.1")),
            ("2001:db8::1", by("2001:db8::1")),
            ("[2001:db8::1]:4711, 2001:db8:1::7", by("2001:db8::1")),
            ("192.0.2.1, , 10.0.0.1,", by("192.0.2.1")),
            ("nonsense, 192.0.2.1", by("192.0.2.1")),
            ("192.0.2.1, unknown", Forwarded::Obscure),
            ("192.0.2.1, unknown, 10.0.0.1", Forwarded::Obscure),
            ("192.0.2.1:99999", Forwarded::Obscure),
            ("192.0.2.1:", Forwarded::Obscure),
            ("192.0.2.01", Forwarded::Obscure),
            ("192.0.2.1 192.0.2.2", Forwarded::Obscure),
            ("fe80::1%eth0", Forwarded::Obscure),
            ("\u{fc}", Forwarded::Obscure),
            ("10.0.0.1, 10.0.0.2", Forwarded::Obscure),
            ("", Forwarded::Obscure),
        ] {
            assert_eq!(read(&[("x-forwarded-for", line)]), expected, "{line}");
        }
    }

    #[test]
    fn forwarded_is_read_by_its_grammar() {
        for (line, expected) in [
            ("for=192.0.2.1", by("192.0.2.1")),
            ("For=192.0.2.1;proto=https;by=203.0.113.43", by("192.0.2.1")),
            ("by=10.0.0.1;for=192.0.2.1", by("192.0.2.1")),
            ("for=203.0.113.9, for=192.0.2.1, for=10.0.0.1", by("192.0.2.1")),
            ("for=\"192.0.2.1:4711\"", by("192.0.2.1")),
            ("for=\"192.0.2.1:_port\"", by("192.0.2.1")),
            ("for=\"[2001:db8::1]\"", by("2001:db8::1")),
            ("for=\"[2001:db8::1]:4711\"", by("2001:db8::1")),
            ("for=\"192.0.\\2.1\"", by("192.0.2.1")),
            ("for=\"a, for=203.0.113.9\", for=192.0.2.1", by("192.0.2.1")),
            (", ,for=192.0.2.1 ,", by("192.0.2.1")),
            ("for=192.0.2.1, for=unknown", Forwarded::Obscure),
            ("for=192.0.2.1, for=_hidden", Forwarded::Obscure),
            ("for=192.0.2.1, proto=https", Forwarded::Obscure),
            // Not allowed without quotation marks.
            ("for=192.0.2.1:4711", Forwarded::Obscure),
            ("for=[2001:db8::1]", Forwarded::Obscure),
            // Not allowed without brackets.
            ("for=\"2001:db8::1\"", Forwarded::Obscure),
            ("for=\"evil, for=192.0.2.1", Forwarded::Obscure),
            ("for=192.0.2.1;for=203.0.113.9", Forwarded::Obscure),
            ("for =192.0.2.1", Forwarded::Obscure),
            ("for=", Forwarded::Obscure),
            ("192.0.2.1", Forwarded::Obscure),
            ("for=192.0.2.1;", Forwarded::Obscure),
            ("for=\"192.0.2.1\"x", Forwarded::Obscure),
            ("for=10.0.0.1", Forwarded::Obscure),
            ("", Forwarded::Obscure),
        ] {
            assert_eq!(read(&[("forwarded", line)]), expected, "{line}");
        }
    }

    #[test]
    fn several_lines_are_one_list_and_x_forwarded_for_goes_first() {
        let lines =
            [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.1, 10.0.0.1")];
        assert_eq!(read(&lines), by("192.0.2.1"));
        let lines = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "10.0.0.1")];
        assert_eq!(read(&lines), by("192.0.2.1"));
        let lines = [("forwarded", "for=\"evil"), ("forwarded", "for=192.0.2.1")];
        assert_eq!(read(&lines), by("192.0.2.1"));
        let lines = [("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "192.0.2.1")];
        assert_eq!(read(&lines), by("192.0.2.1"));
        assert_eq!(read(&[]), Forwarded::Obscure);
    }
}
