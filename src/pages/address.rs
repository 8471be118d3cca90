//! The addresses of pages: the link that is opened, and the page of it that is requested.
//!
//! Links and redirects on a page are queries alone, which a browser resolves against the current
//! address. So a page works below any address, and cannot lead anywhere else.

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::domain::link::Held;

pub(super) const SESSION: &str = "/screeners/{screenerId}/{sessionId}";
pub(super) const SLUG: &str = "/s/{slug}";
pub(super) const PANELIST: &str = "/app/panelist/vote/";

/// Addresses next to those of links, which a person reaches by mistyping one. Each responds with a
/// page.
pub(super) const BESIDE: &[&str] = &[
    "/s",
    "/s/",
    "/s/{slug}/",
    "/s/{slug}/{*rest}",
    "/screeners",
    "/screeners/",
    "/screeners/{screenerId}",
    "/screeners/{screenerId}/",
    "/screeners/{screenerId}/{sessionId}/",
    "/screeners/{screenerId}/{sessionId}/{*rest}",
    "/app",
    "/app/",
    "/app/{*rest}",
];

/// Characters that people paste along with a link: the end of the sentence that contained it.
const PASTED: &[&str] = &[".", ",", ")", "%20", "%2C", "%2c", "%29"];

/// The key's colon is not encoded, as in the link that was issued.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b':');

/// The page of a link that an address requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    /// The page where the participant left off.
    Start,
    /// A page, counted from 0, and the notice on it.
    Page(usize, Option<Mark>),
    /// The thanks after the last answer.
    End,
    /// The confirmation after "not now".
    Later,
}

/// A notice on a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mark {
    /// The missing answers on it.
    Check,
    /// That it has become the last page.
    Last,
}

impl Mark {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Last => "last",
        }
    }
}

/// Returns the link of an address, or `None` if no link has this form.
pub(super) fn held(uri: &Uri) -> Option<Held> {
    read(uri, |text| Some(text))
}

/// Returns the link of an address without the punctuation pasted behind it, if any.
pub(super) fn held_before_mark(uri: &Uri) -> Option<Held> {
    read(uri, |text| PASTED.iter().find_map(|mark| text.strip_suffix(mark)))
}

/// Reads the part of an address that names the link, after `prepare` has trimmed it.
fn read(uri: &Uri, prepare: impl Fn(&str) -> Option<&str>) -> Option<Held> {
    if uri.path() != PANELIST {
        return Held::parse(prepare(uri.path())?);
    }
    let key = uri.query()?.split('&').find_map(|pair| pair.strip_prefix("key="))?;
    // Mail programs may have encoded the colon of the key.
    let key = percent_decode_str(prepare(key)?).decode_utf8().ok()?;
    Some(Held::Key(key.into_owned()))
}

/// Returns the location of the link that differs from an address only in the slash at its end, or
/// `None` if there is no such link.
pub(super) fn respelled(uri: &Uri) -> Option<String> {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = uri.path();
    if PANELIST.strip_suffix('/') == Some(path) {
        return Some(format!("vote/{query}"));
    }
    let path = path.strip_suffix('/').filter(|path| !path.ends_with('/'))?;
    let is_link = matches!(Held::parse(path)?, Held::Session(..) | Held::Slug(_));
    let (_, last) = path.rsplit_once('/')?;
    is_link.then(|| format!("../{last}{query}"))
}

impl Asked {
    /// Reads the known parameters and ignores the others.
    pub(super) fn of(uri: &Uri) -> Self {
        let pairs = || uri.query().unwrap_or_default().split('&');
        let mark = |mark: &Mark| pairs().any(|pair| pair == mark.as_str());
        let page = |text: &str| match text {
            "end" => Some(Self::End),
            "later" => Some(Self::Later),
            number => {
                let page = number.parse::<usize>().ok()?.checked_sub(1)?;
                Some(Self::Page(page, [Mark::Check, Mark::Last].into_iter().find(mark)))
            }
        };
        let asked = pairs().filter_map(|pair| pair.strip_prefix("page=")).find_map(page);
        asked.unwrap_or(Self::Start)
    }

    /// Returns the number of the requested page, if the address has one.
    pub(super) fn page(self) -> Option<usize> {
        match self {
            Self::Page(page, _) => Some(page),
            Self::Start | Self::End | Self::Later => None,
        }
    }
}

fn query(held: &Held, rest: &str) -> String {
    match held {
        Held::Key(key) if rest.is_empty() => format!("?key={}", utf8_percent_encode(key, KEY)),
        Held::Key(key) => format!("?key={}&{rest}", utf8_percent_encode(key, KEY)),
        Held::Session(..) | Held::Slug(_) => format!("?{rest}"),
    }
}

/// Returns the link as it was first opened.
pub(super) fn start(held: &Held) -> String {
    query(held, "")
}

/// Returns the address of a page, by its number counted from 0, with a notice.
pub(super) fn page(held: &Held, page: usize, mark: Option<Mark>) -> String {
    let number = page + 1;
    let mark = mark.map(|mark| format!("&{}", mark.as_str())).unwrap_or_default();
    query(held, &format!("page={number}{mark}"))
}

/// Returns the address of the page after the last.
pub(super) fn end(held: &Held) -> String {
    query(held, "page=end")
}

/// Returns the address of the confirmation after "not now".
pub(super) fn later(held: &Held) -> String {
    query(held, "page=later")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_found_among_what_others_append_and_decoded_once() {
        for (query, expected) in [
            (Some("key=a:b"), Some("a:b")),
            (Some("key=a%3Ab&utm_source=mail"), Some("a:b")),
            (Some("fbclid=1&key=a:b"), Some("a:b")),
            (Some("key=a%253Ab"), Some("a%3Ab")),
            (Some("key=%FF"), None),
            (Some("monkey=a:b"), None),
            (Some(""), None),
            (None, None),
        ] {
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            let uri = format!("{PANELIST}{query}").parse().expect("an address");
            let expected = expected.map(|key| Held::Key(key.to_owned()));
            assert!(held(&uri) == expected, "{query}");
        }
    }

    #[test]
    fn a_page_is_asked_for_by_its_number_and_what_is_unknown_is_passed_over() {
        let of = |text: &str| Asked::of(&text.parse().expect("an address"));
        for (address, expected) in [
            ("/s/a?page=1", Asked::Page(0, None)),
            ("/s/a?utm_source=x&page=3&page=4", Asked::Page(2, None)),
            ("/s/a?page=2&check", Asked::Page(1, Some(Mark::Check))),
            ("/s/a?last&page=2", Asked::Page(1, Some(Mark::Last))),
            ("/s/a?page=end", Asked::End),
            ("/s/a?page=later", Asked::Later),
            ("/s/a", Asked::Start),
            ("/s/a?page=0", Asked::Start),
            ("/s/a?page=-1&check", Asked::Start),
            ("/s/a?page=99999999999999999999999", Asked::Start),
        ] {
            assert_eq!(of(address), expected, "{address}");
        }
    }

    #[test]
    fn what_leads_on_never_leads_elsewhere() {
        let key = Held::Key("a:b\"><//evil.example".into());
        assert_eq!(page(&key, 1, None), "?key=a:b%22%3E%3C%2F%2Fevil%2Eexample&page=2");
        let slug = Held::Slug("//evil.example".into());
        assert_eq!(page(&slug, 0, Some(Mark::Check)), "?page=1&check");
        assert_eq!((start(&slug), end(&slug)), ("?".into(), "?page=end".into()));
        assert_eq!(start(&Held::Key("a:b".into())), "?key=a:b");
    }
}
