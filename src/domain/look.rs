//! The look of a participant's page: its owner, logo, accent color and privacy notice.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::content_hash::ContentHash;
use super::recorded::{Field, Recorded, Subject};

/// The largest logo, in bytes: a larger one would outweigh the page that shows it.
pub const LOGO_MAX_BYTES: usize = 64 * 1024;
/// The longest privacy text, in characters. Longer texts belong behind the privacy address.
pub const PRIVACY_TEXT_MAX_CHARS: usize = 2_000;
/// The longest address of a privacy policy, in bytes.
pub const PRIVACY_URL_MAX_BYTES: usize = 2_000;
/// The least contrast of text with its background: level AA of WCAG.
pub const CONTRAST_MIN: f64 = 4.5;

/// The white text color on an accent, in light and dark mode.
const WHITE: Color = Color([0xff, 0xff, 0xff]);
/// The dark text color on an accent, the same as the page's ink.
const INK: Color = Color([0x1a, 0x1d, 0x21]);

/// A color as red, green and blue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Color([u8; 3]);

impl Color {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_plain)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// Returns the relative luminance, as WCAG defines it.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Returns the contrast of two colors: 1 to 21.
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(two) / one.min(two)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// An accent color, and the color of readable text on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Accent {
    fill: Color,
    text: Color,
}

impl Accent {
    /// Parses `#rrggbb`. White or the page's ink must be readable on it; the better one is used.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fill =
            Color::parse(text).ok_or("Must be # and six hexadecimal digits, such as #0b6157.")?;
        let (white, ink) = (fill.contrast(WHITE), fill.contrast(INK));
        let best = white.max(ink);
        if best < CONTRAST_MIN {
            return Err(format!(
                "Text on this color has a contrast of {best:.2} to 1. At least {CONTRAST_MIN} to 1 is required: choose a lighter or darker color."
            ));
        }
        Ok(Self { fill, text: if white >= ink { WHITE } else { INK } })
    }

    /// Returns the color of the text on it, as `#rrggbb`.
    #[must_use]
    pub fn text_color(&self) -> String {
        self.text.to_string()
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fill.fmt(f)
    }
}

/// A logo in a supported image format.
#[derive(Clone, Eq, PartialEq)]
pub struct Logo {
    bytes: Vec<u8>,
    content_type: &'static str,
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.content_type, self.bytes.len())
    }
}

impl Logo {
    /// Checks the size of an image and detects its format from its first bytes.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        if bytes.len() > LOGO_MAX_BYTES {
            return Err(format!("At most {LOGO_MAX_BYTES} bytes."));
        }
        let content_type = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "image/png",
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            _ => return Err("Must be a PNG, JPEG or WebP image.".into()),
        };
        Ok(Self { bytes, content_type })
    }

    /// Returns the bytes of the image.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns its media type.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// Returns the digest that identifies it.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        ContentHash::from_digest(Sha256::digest(&self.bytes).into())
    }
}

/// The look of pages. Unset properties of a screener come from its tenant, and those of a tenant
/// from the server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Look {
    /// The name of the organization that conducts the survey.
    pub display_name: Option<String>,
    /// The digest of the logo.
    pub logo: Option<ContentHash>,
    /// The color of buttons and progress.
    pub accent: Option<Accent>,
    /// A short text on the use of the answers.
    pub privacy_text: Option<String>,
    /// The address of the full privacy policy.
    pub privacy_url: Option<String>,
}

impl Look {
    /// Returns this look with unset properties taken from another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            display_name: self.display_name.or(other.display_name),
            logo: self.logo.or(other.logo),
            accent: self.accent.or(other.accent),
            privacy_text: self.privacy_text.or(other.privacy_text),
            privacy_url: self.privacy_url.or(other.privacy_url),
        }
    }
}

impl Recorded for Look {
    const SUBJECT: Subject = Subject::Tenant;

    fn recorded(&self) -> Vec<Field> {
        let Self { display_name, logo, accent, privacy_text, privacy_url } = self;
        vec![
            Field::told("look.display_name", display_name.as_ref()),
            Field::told("look.logo", logo.as_ref()),
            Field::told("look.accent_color", accent.as_ref()),
            Field::told("look.privacy_text", privacy_text.as_ref()),
            Field::told("look.privacy_url", privacy_url.as_ref()),
        ]
    }
}

/// Checks that a text is a privacy text, or returns the reason why not.
pub fn check_privacy_text(text: &str) -> Result<(), String> {
    let is_plain = !text.chars().any(|letter| letter.is_control() && letter != '\n');
    if !(1..=PRIVACY_TEXT_MAX_CHARS).contains(&text.chars().count()) || !is_plain {
        return Err(format!(
            "Must have 1 to {PRIVACY_TEXT_MAX_CHARS} characters, and no control characters except line ends."
        ));
    }
    Ok(())
}

/// Checks that a text is the address of a privacy policy, or returns the reason why not.
pub fn check_privacy_url(text: &str) -> Result<(), String> {
    let host = text.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let has_host = host.is_some_and(|host| !host.is_empty() && !host.contains('@'));
    if !has_host
        || text.len() > PRIVACY_URL_MAX_BYTES
        || !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    {
        return Err(format!(
            "Must be an https:// URL with a host, in at most {PRIVACY_URL_MAX_BYTES} visible ASCII characters."
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accent_gets_the_text_that_is_readable_on_it_or_is_refused_with_the_ratio() {
        for (accent, text) in [
            ("#000000", "#ffffff"),
            ("#0b6157", "#ffffff"),
            ("#1D4ED8", "#ffffff"),
            ("#ffcc00", "#1a1d21"),
            ("#ffffff", "#1a1d21"),
        ] {
            let read = Accent::parse(accent).expect("it is readable");
            assert_eq!(read.to_string(), accent.to_lowercase());
            assert_eq!(read.text_color(), text, "{accent}");
            assert!(read.fill.contrast(read.text) >= CONTRAST_MIN);
        }
        let refused = Accent::parse("#808080").expect_err("nothing is readable on it");
        assert!(refused.contains("4.28 to 1"), "{refused}");
        for bad in ["", "#fff", "0b6157", "#0b615", "#+b6157", "#gggggg", "red"] {
            assert!(Accent::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        let of = |one: &str, two: &str| {
            let color = |text| Color::parse(text).expect("a colour");
            format!("{:.2}", color(one).contrast(color(two)))
        };
        assert_eq!(of("#000000", "#ffffff"), "21.00");
        assert_eq!(of("#767676", "#ffffff"), "4.54");
        assert_eq!(of("#ff0000", "#ffffff"), "4.00");
    }

    #[test]
    fn a_logo_is_what_its_first_bytes_say_and_no_larger_than_allowed() {
        let png = b"\x89PNG\r\n\x1a\n".to_vec();
        for (bytes, expected) in [
            (png.clone(), Ok("image/png")),
            (b"\xff\xd8\xff\xe0".to_vec(), Ok("image/jpeg")),
            (b"RIFF\0\0\0\0WEBPVP8 ".to_vec(), Ok("image/webp")),
            (b"<svg onload=alert(1)>".to_vec(), Err(())),
            (b"GIF89a".to_vec(), Err(())),
            (Vec::new(), Err(())),
            ([png, vec![0; LOGO_MAX_BYTES]].concat(), Err(())),
        ] {
            let kind = Logo::parse(bytes).map(|logo| logo.content_type()).map_err(drop);
            assert_eq!(kind, expected);
        }
    }

    #[test]
    fn an_address_is_https_and_nothing_that_looks_like_it() {
        for good in ["https://example.com", "https://example.com/privacy?lang=en#top"] {
            assert!(check_privacy_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.com",
            "javascript:alert(1)",
            "https://",
            "https:///path",
            "https://me@example.com",
            "https://example.com/a b",
            "https://example.com\\@evil.example",
            "//example.com",
        ] {
            assert!(check_privacy_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_screeners_look_says_more_and_the_tenants_fills_the_rest() {
        let named = |name: &str| Look { display_name: Some(name.into()), ..Look::default() };
        let tenants = Look { privacy_text: Some("Kept.".into()), ..named("Tenant") };
        let merged = named("Screener").or(tenants.clone());
        assert_eq!(merged, Look { privacy_text: Some("Kept.".into()), ..named("Screener") });
        assert_eq!(Look::default().or(tenants.clone()), tenants);
    }

    #[test]
    fn a_dark_colour_is_measured_on_the_straight_part_of_the_curve() {
        let of = |text: &str| {
            let color = Color::parse(text).expect("a colour");
            format!("{:.2}", color.contrast(WHITE))
        };
        // 10 of 255 is the greatest value that the guidelines divide by 12.92, and 11 is above.
        assert_eq!([of("#0a0a0a"), of("#0b0b0b")], ["19.80", "19.68"]);
    }

    #[test]
    fn a_logo_of_64_kib_is_taken_as_it_is_and_known_by_its_digest() {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        bytes.resize(65_536, 0);
        let logo = Logo::parse(bytes.clone()).expect("it is as large as allowed");
        assert_eq!(logo.bytes(), bytes);
        assert_eq!(format!("{logo:?}"), "Logo(image/png, 65536 bytes)", "the log shows no picture");
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(logo.hash(), ContentHash::from_digest(digest));
        bytes.push(0);
        assert!(Logo::parse(bytes).is_err());
    }

    #[test]
    fn a_privacy_text_has_1_to_2000_characters_and_may_have_lines() {
        for good in ["a", "one\ntwo\n", &"ü".repeat(2_000)] {
            assert!(check_privacy_text(good).is_ok(), "{good}");
        }
        for bad in ["", "a\tb", "a\0", "a\r\nb", &"a".repeat(2_001)] {
            assert!(check_privacy_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_has_2000_bytes_at_most() {
        let of = |bytes: usize| format!("https://e.example/{}", "a".repeat(bytes - 18));
        assert!(check_privacy_url(&of(2_000)).is_ok());
        for bytes in [2_001, 5_000] {
            assert!(check_privacy_url(&of(bytes)).is_err(), "{bytes}");
        }
    }

    #[test]
    fn the_history_tells_every_part_of_a_look() {
        let look = Look {
            display_name: Some("Acme".into()),
            logo: None,
            accent: Accent::parse("#0B6157").ok(),
            privacy_text: Some("Kept.".into()),
            privacy_url: Some("https://example.com".into()),
        };
        let expected = [
            Field::told("look.display_name", Some("Acme")),
            Field::told("look.logo", None::<String>),
            Field::told("look.accent_color", Some("#0b6157")),
            Field::told("look.privacy_text", Some("Kept.")),
            Field::told("look.privacy_url", Some("https://example.com")),
        ];
        assert_eq!(look.recorded(), expected);
    }
}
