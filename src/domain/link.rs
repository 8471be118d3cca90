//! Links to sessions and surveys.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::id::{Entropy, ScreenerId, SessionId, TenantId};
use super::panelist_key::PanelistKey;
use super::participant::Person;
use super::session::Session;

/// Everything but RFC 3986's unreserved characters is encoded in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest slug, in bytes.
pub const SLUG_MAX_BYTES: usize = 128;

/// Checks that a text is a slug, which is a path segment that needs no escaping.
pub fn check_slug(text: &str) -> Result<(), String> {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    if text.is_empty() || text.len() > SLUG_MAX_BYTES || !text.bytes().all(plain) {
        return Err(format!(
            "Must have 1 to {SLUG_MAX_BYTES} characters of A-Z, a-z, 0-9, '-', '_', '.' and '~'."
        ));
    }
    Ok(())
}

/// Creates an unguessable slug: 80 random bits in lower-case base32.
#[must_use]
pub fn mint_slug(entropy: Entropy) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    entropy.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

/// A link or key that a participant presents.
#[derive(Clone, Eq, Hash, PartialEq)]
pub enum Held {
    /// A sealed panelist key.
    Key(String),
    /// A session, by the screener and the id in its link.
    Session(ScreenerId, SessionId),
    /// A session, by its slug.
    Slug(String),
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held(…)")
    }
}

impl Held {
    /// Parses a key, or a link with or without its address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let decoded = |segment: &str| {
            percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
        };
        // A key has one colon and no slash. The address of a link may contain any of these words,
        // so the last occurrence counts.
        let last = text.rsplit_once("/screeners/").filter(|(_, rest)| !rest.contains("/s/"));
        if let Some((_, rest)) = last {
            let (screener, session) = rest.split_once('/')?;
            let screener = ScreenerId::parse(&decoded(screener)?).ok()?;
            return Some(Self::Session(screener, SessionId::parse(&decoded(session)?).ok()?));
        }
        if let Some((_, slug)) = text.rsplit_once("/s/") {
            let slug = decoded(slug)?;
            return check_slug(&slug).is_ok().then_some(Self::Slug(slug));
        }
        Some(Self::Key(text.to_owned()))
    }
}

/// The destination of a session's link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Linked {
    /// The tenant that owns the session.
    pub tenant: TenantId,
    /// Its screener.
    pub screener: ScreenerId,
    /// The session.
    pub session: SessionId,
    /// The person whose answers are accepted.
    pub person: Person,
    /// Whether the link is unguessable.
    pub is_trusted: bool,
    /// Whether the tenant is disabled.
    pub is_disabled: bool,
}

/// A builder of links below one public address.
#[derive(Clone, Debug)]
pub struct Links {
    public_url: String,
}

impl Links {
    /// Creates a builder for this address, with or without a trailing slash.
    #[must_use]
    pub fn new(public_url: &str) -> Self {
        Self { public_url: public_url.trim_end_matches('/').to_owned() }
    }

    /// Returns the path of the address, such as `/base`, or an empty text.
    #[must_use]
    pub fn base_path(&self) -> &str {
        let rest = self.public_url.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("", |begin| &rest[begin..])
    }

    /// Returns a session's own link.
    #[must_use]
    pub fn session(&self, session: &Session) -> String {
        let mut link = String::with_capacity(self.public_url.len() + 64);
        link.push_str(&self.public_url);
        link.push_str("/screeners/");
        link.extend(utf8_percent_encode(session.screener.as_str(), SEGMENT));
        link.push('/');
        link.extend(utf8_percent_encode(session.id.as_str(), SEGMENT));
        link
    }

    /// Returns a panelist's link to a survey. The key's colon is not escaped, as documented.
    #[must_use]
    pub fn panelist(&self, key: &PanelistKey) -> String {
        format!("{}/app/panelist/vote/?key={key}", self.public_url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_slug_is_one_and_depends_on_every_byte() {
        let slug = mint_slug([7; 16]);
        assert!(check_slug(&slug).is_ok() && slug.len() == 16, "{slug}");
        for place in 0..16 {
            let mut entropy = [7; 16];
            entropy[place] = 8;
            assert_ne!(mint_slug(entropy), slug);
        }
    }

    #[test]
    fn a_slug_has_1_to_128_characters_that_need_no_escape_in_a_path() {
        for good in ["s", "A-z_0.9~", &"s".repeat(128)] {
            assert!(check_slug(good).is_ok(), "{good}");
        }
        for bad in ["", "a/b", "a b", "a%20b", "ü", &"s".repeat(129)] {
            assert!(check_slug(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_minted_slug_holds_the_lowest_five_bits_of_every_byte() {
        let bytes = std::array::from_fn(|place| u8::try_from(place).unwrap_or(0));
        assert_eq!(mint_slug(bytes), "0123456789abcdef");
        assert_eq!(mint_slug(bytes.map(|byte| byte + 0xf0)), "ghjkmnpqrstvwxyz");
    }
    use crate::domain::id::{AssignmentId, PublicationId};
    use crate::domain::panelist_key::{KeyRing, SurveyRef};
    use crate::domain::participant::ExternalUid;
    use crate::domain::session::{Progress, SessionStatus};
    use crate::domain::time::Timestamp;

    #[test]
    fn a_base_path_is_what_follows_the_host() {
        for (url, expected) in
            [("https://host", ""), ("https://host:1/a/b/", "/a/b"), ("https://host/", "")]
        {
            assert_eq!(Links::new(url).base_path(), expected, "{url}");
        }
    }

    #[test]
    fn a_link_is_read_whatever_it_begins_with_and_decoded_once() {
        let session = |screener: &str, session: &str| {
            let screener = ScreenerId::parse(screener).expect("an id");
            Some(Held::Session(screener, SessionId::parse(session).expect("an id")))
        };
        for (text, expected) in [
            ("abc:def", Some(Held::Key("abc:def".into()))),
            ("https://host/screeners/scr_1/scses_1", session("scr_1", "scses_1")),
            ("http://127.0.0.1:8080/base/screeners/a%2Fb/c%252F", session("a/b", "c%2F")),
            ("/screeners/scr_1/scses_1", session("scr_1", "scses_1")),
            ("https://host/s/slug-1", Some(Held::Slug("slug-1".into()))),
            ("https://host/screeners/app/s/slug-1", Some(Held::Slug("slug-1".into()))),
            ("https://host/s/screeners/x/screeners/scr_1/s", session("scr_1", "s")),
            ("https://host/screeners/s/scses_1", session("s", "scses_1")),
            ("https://host/screeners/scr_1", None),
            ("https://host/screeners/scr_1/%FF", None),
            ("https://host/s/a%2Fb", None),
        ] {
            assert!(Held::parse(text) == expected, "{text}");
        }
    }

    #[test]
    fn a_link_that_is_handed_out_leads_back_to_what_it_is_of() {
        let session = Session {
            id: SessionId::parse("ses/1 ü").expect("an id"),
            screener: ScreenerId::parse("scr%2F").expect("an id"),
            assignment: AssignmentId::parse("scpar_1").expect("an id"),
            publication: PublicationId::parse("scpub_1").expect("an id"),
            slug: "slug".into(),
            link_trusted: true,
            status: SessionStatus::Active,
            progress: Progress::NotStarted,
            created: Timestamp::from_micros(0),
            tags: [].into(),
        };
        let links = Links::new("https://host/base/");
        let link = links.session(&session);
        assert_eq!(link, "https://host/base/screeners/scr%252F/ses%2F1%20%C3%BC");
        let held = Held::Session(session.screener, session.id);
        assert!(Held::parse(&link) == Some(held), "{link}");
        let ring = KeyRing::new([7; 64]);
        let survey = SurveyRef([1; 16]);
        let key = ring
            .seal(survey, 0, &ExternalUid::parse("customer-456").expect("a uid"))
            .expect("a key");
        let link = links.panelist(&key);
        assert_eq!(link, format!("https://host/base/app/panelist/vote/?key={}", key.as_str()));
        assert!(!format!("{key:?}").contains(key.as_str()), "the log does not show a key");
        assert_eq!(format!("{key:?}"), "PanelistKey(…)");
    }
}
