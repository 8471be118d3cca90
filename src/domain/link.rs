//! The links that are handed out.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::panelist_key::PanelistKey;
use super::session::Session;

/// Everything but RFC 3986's unreserved characters is encoded in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Makes links below one public address.
#[derive(Clone, Debug)]
pub struct Links {
    public_url: String,
}

impl Links {
    /// Links below this address; a trailing slash does not matter.
    #[must_use]
    pub fn new(public_url: &str) -> Self {
        Self { public_url: public_url.trim_end_matches('/').to_owned() }
    }

    /// The address itself.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// A session's own link.
    #[must_use]
    pub fn session(&self, session: &Session) -> String {
        format!(
            "{}/screeners/{}/{}",
            self.public_url,
            utf8_percent_encode(session.screener.as_str(), SEGMENT),
            utf8_percent_encode(session.id.as_str(), SEGMENT),
        )
    }

    /// A panelist's link to a survey. The key's colon stays as it is, as documented.
    #[must_use]
    pub fn panelist(&self, key: &PanelistKey) -> String {
        format!("{}/app/panelist/vote/?key={key}", self.public_url)
    }
}
