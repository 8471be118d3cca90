//! Instants: stored once in microseconds, printed per dialect.

/// An instant in microseconds since 1970-01-01T00:00:00Z.
///
/// Always between the years 0000 and 9999, so that every dialect can print it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

const MICROS_PER_SECOND: i64 = 1_000_000;
const EARLIEST_MICROS: i64 = -62_167_219_200 * MICROS_PER_SECOND;
// Two hours short of a whole last day: a calendar with time zones ends there.
const LATEST_MICROS: i64 = 253_402_207_200 * MICROS_PER_SECOND + MICROS_PER_SECOND - 1;

impl Timestamp {
    /// An instant; one outside the years 0000 to 9999 becomes the nearest inside.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(EARLIEST_MICROS, LATEST_MICROS))
    }

    /// Reads RFC 3339; anything finer than a microsecond is cut off.
    pub fn parse_rfc3339(text: &str) -> Result<Self, String> {
        let reason =
            || "An RFC 3339 time is needed here, for instance 2024-05-01T15:08:21Z.".into();
        let parsed: jiff::Timestamp = text.parse().map_err(|_| reason())?;
        let micros = parsed.as_microsecond();
        if (EARLIEST_MICROS..=LATEST_MICROS).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(reason())
        }
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// The microseconds within the second.
    #[must_use]
    pub const fn subsecond_micros(self) -> i64 {
        self.0.rem_euclid(MICROS_PER_SECOND)
    }

    /// RFC 3339 in UTC with whole seconds, rounded down: `2024-05-01T15:08:21Z`.
    #[must_use]
    pub fn rfc3339_seconds(self) -> String {
        jiff::Timestamp::from_second(self.unix_seconds())
            .map_or_else(|_| String::new(), |instant| instant.to_string())
    }

    /// RFC 3339 in UTC with as many digits as needed; reads back equal.
    #[must_use]
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_microsecond(self.0)
            .map_or_else(|_| String::new(), |instant| instant.to_string())
    }

    /// Whole seconds from `earlier` to this instant, never negative.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> i64 {
        ((self.0 - earlier.0) / MICROS_PER_SECOND).max(0)
    }

    /// This instant plus a number of seconds.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }
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
    fn the_edges_of_the_range_print() {
        assert_eq!(Timestamp::from_micros(i64::MAX).rfc3339_seconds(), "9999-12-30T22:00:00Z");
        assert_eq!(Timestamp::from_micros(i64::MIN).rfc3339_seconds(), "0000-01-01T00:00:00Z");
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
    fn what_is_no_instant_between_the_years_0_and_9999_is_refused() {
        for good in ["2024-05-01T15:08:21+02:00", "0000-01-01T00:00:00Z", "9999-12-30T22:00:00Z"] {
            assert!(Timestamp::parse_rfc3339(good).is_ok(), "{good}");
        }
        for bad in ["", "2024-05-01", "2024-05-01T15:08:21", "-0001-12-31T23:59:59Z", "soon"] {
            assert!(Timestamp::parse_rfc3339(bad).is_err(), "{bad}");
        }
    }
}
