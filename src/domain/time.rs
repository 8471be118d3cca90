//! Instants, stored in microseconds and formatted per dialect.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};

/// An instant in microseconds since 1970-01-01T00:00:00Z.
///
/// Always between the years 0001 and 9999, the range of `google.protobuf.Timestamp`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

const MICROS_PER_SECOND: i64 = 1_000_000;
/// 0001-01-01T00:00:00Z.
const EARLIEST_MICROS: i64 = -62_135_596_800 * MICROS_PER_SECOND;
/// 9999-12-31T23:59:59.999999Z.
const LATEST_MICROS: i64 = 253_402_300_800 * MICROS_PER_SECOND - 1;
/// An instant without a zone, because the range of jiff's `Timestamp` ends a day earlier.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

impl Timestamp {
    /// Returns the instant of a number in range.
    #[must_use]
    pub fn checked_from_micros(micros: i64) -> Option<Self> {
        (EARLIEST_MICROS..=LATEST_MICROS).contains(&micros).then_some(Self(micros))
    }

    /// Returns an instant. Numbers outside the years 0001 to 9999 are clamped.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(EARLIEST_MICROS, LATEST_MICROS))
    }

    /// Parses RFC 3339 from the year 0001 to the year 9999 in UTC. Digits beyond microseconds are
    /// truncated, and a leap second becomes the second before it.
    pub fn parse_rfc3339(text: &str) -> Result<Self, String> {
        read_rfc3339(text.as_bytes()).and_then(Self::checked_from_micros).ok_or_else(|| {
            "Must be an RFC 3339 timestamp from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z."
                .to_owned()
        })
    }

    /// Returns the microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// Returns the microseconds within the second.
    #[must_use]
    pub const fn subsecond_micros(self) -> i64 {
        self.0.rem_euclid(MICROS_PER_SECOND)
    }

    /// Formats as RFC 3339 in UTC with whole seconds, rounded down: `2024-05-01T15:08:21Z`.
    #[must_use]
    pub fn rfc3339_seconds(self) -> String {
        Self(self.0 - self.subsecond_micros()).rfc3339()
    }

    /// Formats as RFC 3339 in UTC with as many digits as needed. Parsing returns an equal instant.
    #[must_use]
    pub fn rfc3339(self) -> String {
        // The calendar without a zone also supports the last day, but is slower.
        jiff::Timestamp::from_microsecond(self.0)
            .map_or_else(|_| format!("{}Z", self.civil()), |instant| instant.to_string())
    }

    /// Returns the date and the time in UTC.
    #[must_use]
    pub fn civil(self) -> DateTime {
        EPOCH.saturating_add(SignedDuration::from_micros(self.0))
    }

    /// Returns the whole seconds from `earlier` to this instant, never negative.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> i64 {
        ((self.0 - earlier.0) / MICROS_PER_SECOND).max(0)
    }

    /// Returns this instant plus a number of seconds.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }
}

/// Returns the microseconds since the epoch of an RFC 3339 time. Accepts no other form, so that two
/// parsers cannot read one text as two instants.
fn read_rfc3339(text: &[u8]) -> Option<i64> {
    let (head, rest) = text.split_at_checked("2024-05-01T15:08:21".len())?;
    let [
        y0,
        y1,
        y2,
        y3,
        b'-',
        mo0,
        mo1,
        b'-',
        d0,
        d1,
        b'T' | b't',
        h0,
        h1,
        b':',
        mi0,
        mi1,
        b':',
        s0,
        s1,
    ] = *head
    else {
        return None;
    };
    let two = |tens, ones| i8::try_from(number(&[tens, ones])?).ok();
    let year = i16::try_from(number(&[y0, y1, y2, y3])?).ok()?;
    let date = Date::new(year, two(mo0, mo1)?, two(d0, d1)?).ok()?;
    let second = two(s0, s1)?;
    let second = if second == 60 { 59 } else { second };
    let time = Time::new(two(h0, h1)?, two(mi0, mi1)?, second, 0).ok()?;
    let (fraction, zone) = match rest.strip_prefix(b".") {
        Some(rest) => rest.split_at(rest.iter().take_while(|it| it.is_ascii_digit()).count()),
        None => (&b"0"[..], rest),
    };
    let offset_seconds = match *zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (hours, minutes) = (number(&[h0, h1])?, number(&[m0, m1])?);
            let seconds = (hours < 24 && minutes < 60).then_some(hours * 3_600 + minutes * 60)?;
            if sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let local = date.to_datetime(time).duration_since(EPOCH).as_secs();
    Some((local - offset_seconds) * MICROS_PER_SECOND + micros(fraction)?)
}

/// Returns the value of decimal digits.
fn number(digits: &[u8]) -> Option<i64> {
    let add =
        |sum: i64, digit: &u8| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0'));
    digits.iter().try_fold(0, add)
}

/// Returns the whole microseconds of a fraction of a second, which has at least one digit.
fn micros(fraction: &[u8]) -> Option<i64> {
    let first: Vec<u8> = fraction.iter().copied().chain([b'0'; 6]).take(6).collect();
    if fraction.is_empty() { None } else { number(&first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_rounds_the_same_instant_down() {
        let instant = Timestamp::parse_rfc3339("2024-05-01T15:08:21.999999Z").expect("a time");
        assert_eq!(instant.rfc3339_seconds(), "2024-05-01T15:08:21Z");
        assert_eq!(instant.unix_seconds(), 1_714_576_101);
        assert_eq!(instant.rfc3339(), "2024-05-01T15:08:21.999999Z");
        let before_epoch = Timestamp::from_micros(-1);
        assert_eq!(before_epoch.unix_seconds(), -1);
        assert_eq!(before_epoch.rfc3339_seconds(), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn the_edges_of_the_range_print_and_what_is_beyond_is_the_nearest() {
        let (first, last) = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::from_micros(i64::MIN).rfc3339(), first);
        assert_eq!(Timestamp::from_micros(i64::MIN).rfc3339_seconds(), first);
        assert_eq!(Timestamp::from_micros(i64::MAX).rfc3339(), last);
        assert_eq!(Timestamp::from_micros(i64::MAX).rfc3339_seconds(), "9999-12-31T23:59:59Z");
        for (edge, beyond) in [(first, -1), (last, 1)] {
            let edge = Timestamp::parse_rfc3339(edge).expect("the edge is inside");
            assert_eq!(Timestamp::checked_from_micros(edge.as_micros()), Some(edge));
            assert_eq!(Timestamp::checked_from_micros(edge.as_micros() + beyond), None);
        }
    }

    #[test]
    fn an_instant_is_its_whole_seconds_and_what_is_left_of_the_last_one() {
        for micros in [-1_500_000, -1, 0, 1, 999_999, 1_714_576_101_234_567] {
            let instant = Timestamp::from_micros(micros);
            let (seconds, rest) = (instant.unix_seconds(), instant.subsecond_micros());
            assert!((0..1_000_000).contains(&rest), "{micros}");
            assert_eq!(seconds * 1_000_000 + rest, instant.as_micros(), "{micros}");
        }
        assert_eq!(Timestamp::from_micros(1_714_576_101_234_567).subsecond_micros(), 234_567);
    }

    #[test]
    fn between_two_instants_are_whole_seconds_and_never_fewer_than_none() {
        let at = Timestamp::from_micros;
        assert_eq!(at(12_999_999).seconds_since(at(2_000_000)), 10);
        assert_eq!(at(12_999_999).seconds_since(at(3_000_000)), 9);
        assert_eq!(at(2_000_000).seconds_since(at(12_000_000)), 0, "a clock that was set back");
        assert_eq!(at(2_000_000).plus_seconds(10), at(12_000_000));
        assert_eq!(at(2_000_000).plus_seconds(i64::MAX), at(i64::MAX), "the last instant there is");
    }

    #[test]
    fn rfc_3339_is_read_and_nothing_else() {
        for (text, same) in [
            ("2024-05-01T15:08:21+02:00", "2024-05-01T13:08:21Z"),
            ("2024-05-01t15:08:21z", "2024-05-01T15:08:21Z"),
            ("2024-05-01T15:08:21-23:59", "2024-05-02T15:07:21Z"),
            ("2024-05-01T15:08:21-00:00", "2024-05-01T15:08:21Z"),
            ("2024-05-01T15:08:21.1234569999999999999Z", "2024-05-01T15:08:21.123456Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("2024-02-29T00:00:00.5Z", "2024-02-29T00:00:00.5Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("0000-12-31T23:00:00-01:00", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            let read = Timestamp::parse_rfc3339(text).map(Timestamp::rfc3339);
            assert_eq!(read.as_deref(), Ok(same), "{text}");
        }
        for bad in [
            "",
            "soon",
            "2024-05-01",
            "2024-05-01T15:08Z",
            "2024-05-01T15:08:21",
            "2024-05-01 15:08:21Z",
            "2024-05-01T15:08:21.Z",
            "2024-05-01T15:08:21,5Z",
            "2024-05-01T15:08:21+02",
            "2024-05-01T15:08:21+0200",
            "2024-05-01T15:08:21+24:00",
            "2024-05-01T15:08:21+02:60",
            "2024-05-01T15:08:21Z ",
            " 2024-05-01T15:08:21Z",
            "20240501T150821Z",
            "2024-05-01T15:08:21+02:00[Europe/Paris]",
            "2024-05-01T24:00:00Z",
            "2024-05-01T15:60:00Z",
            "2024-05-01T15:08:61Z",
            "2024-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "+2024-05-01T15:08:21Z",
            "-0001-12-31T23:59:59Z",
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "２024-05-01T15:08:21Z",
        ] {
            assert!(Timestamp::parse_rfc3339(bad).is_err(), "{bad}");
        }
    }
}
