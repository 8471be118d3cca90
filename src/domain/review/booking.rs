//! Bookings: the time and the details of a meeting.

use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use crate::domain::time::Timestamp;

/// The details of a meeting, as far as they are known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Meeting {
    /// The IANA name of the time zone of the booking.
    pub timezone: Option<String>,
    /// The link on which the participant books the meeting.
    pub booking_url: Option<String>,
    /// The link on which the participant cancels the meeting.
    pub cancel_url: Option<String>,
}

/// A time for a meeting, with new details.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Booking {
    /// The time of the meeting. It may be in the past, because bookings can be recorded later.
    pub at: Timestamp,
    /// The new details of the meeting.
    pub meeting: Meeting,
}

impl Meeting {
    /// Returns the meeting after another booking: the zone belongs to the new time, and a link
    /// stays until another replaces it.
    pub(super) fn booked(&self, new: &Self) -> Self {
        let Self { timezone, booking_url, cancel_url } = new.clone();
        Self {
            timezone,
            booking_url: booking_url.or_else(|| self.booking_url.clone()),
            cancel_url: cancel_url.or_else(|| self.cancel_url.clone()),
        }
    }
}

impl Booking {
    /// Checks the name of a time zone against the time zone database of the binary, so that every
    /// machine accepts the same names.
    pub fn parse_timezone(name: String) -> Result<String, String> {
        zone(&name).map(|_| name)
    }

    /// Parses the time of a booking: an RFC 3339 time, or the same without an offset as the local
    /// time of the zone. A repeated local time is the earlier instant; a skipped one moves forward
    /// by the length of the gap.
    pub fn parse_time(text: &str, timezone: Option<&str>) -> Result<Timestamp, String> {
        let instant = Timestamp::parse_rfc3339(text);
        // The same grammar, parsed as if the zone were UTC.
        let (Err(_), Ok(local)) = (&instant, Timestamp::parse_rfc3339(&format!("{text}Z"))) else {
            return instant;
        };
        let Some(timezone) = timezone else {
            return Err("Requires a `timezone` if the time has no offset.".into());
        };
        let zone = zone(timezone)?;
        let offset = match zone.to_ambiguous_timestamp(local.civil()).offset() {
            AmbiguousOffset::Unambiguous { offset: before }
            | AmbiguousOffset::Gap { before, .. }
            | AmbiguousOffset::Fold { before, .. } => before,
        };
        let at = local.as_micros() - i64::from(offset.seconds()) * 1_000_000;
        Timestamp::checked_from_micros(at)
            .ok_or_else(|| "Must be a time of the years 0001 to 9999.".into())
    }
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZoneDatabase::bundled()
        .get(name)
        .ok()
        .filter(|zone| !zone.is_unknown())
        .ok_or_else(|| "Must be the name of an IANA time zone, such as Europe/Berlin.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_an_offset_is_local_to_the_zone() {
        for (text, timezone, expected) in [
            ("2026-02-01T10:00:00", "America/New_York", "2026-02-01T15:00:00Z"),
            ("2026-07-01T10:00:00.5", "America/New_York", "2026-07-01T14:00:00.5Z"),
            ("2026-02-01T10:00:00", "UTC", "2026-02-01T10:00:00Z"),
            // The clock skips one hour and repeats another.
            ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:00Z"),
            ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:00Z"),
            // The limits of instants.
            ("9999-12-31T10:00:00", "UTC", "9999-12-31T10:00:00Z"),
            ("9999-12-31T23:59:59.999999", "Asia/Tokyo", "9999-12-31T14:59:59.999999Z"),
            ("0001-01-01T00:00:00", "UTC", "0001-01-01T00:00:00Z"),
            ("0001-01-01T12:00:00", "America/New_York", "0001-01-01T16:56:02Z"),
            // A time with an offset does not depend on the zone.
            ("2026-02-01T10:00:00Z", "America/New_York", "2026-02-01T10:00:00Z"),
            ("2026-02-01T10:00:00+01:00", "Asia/Tokyo", "2026-02-01T09:00:00Z"),
        ] {
            let at = Booking::parse_time(text, Some(timezone)).map(Timestamp::rfc3339);
            assert_eq!(at.as_deref(), Ok(expected), "{text} {timezone}");
        }
    }

    #[test]
    fn a_time_that_is_none_or_has_no_zone_is_refused() {
        let needs_zone = Booking::parse_time("2026-02-01T10:00:00", None);
        assert_eq!(needs_zone, Err("Requires a `timezone` if the time has no offset.".into()));
        for text in ["tomorrow", "2026-02-01", "2026-02-01T10:00", "0001-01-01T00:00:00"] {
            assert!(Booking::parse_time(text, Some("Asia/Tokyo")).is_err(), "{text}");
        }
        assert!(Booking::parse_time("9999-12-31T23:00:00", Some("America/New_York")).is_err());
        assert!(Booking::parse_time("2026-02-01T10:00:00", Some("Mars/Base")).is_err());
    }

    #[test]
    fn a_time_zone_is_one_that_iana_names() {
        for name in ["Europe/Berlin", "UTC", "Etc/GMT+5", "America/Argentina/Ushuaia"] {
            assert_eq!(Booking::parse_timezone(name.into()), Ok(name.into()));
        }
        for name in ["", "Etc/Unknown", "Berlin", "+01:00", "Europe/Berlin\0"] {
            assert!(Booking::parse_timezone(name.into()).is_err(), "{name}");
        }
    }

    #[test]
    fn a_link_stays_until_another_replaces_it_and_the_zone_is_of_the_time() {
        let meeting = |timezone: Option<&str>, booking: Option<&str>, cancel: Option<&str>| {
            let [timezone, booking_url, cancel_url] =
                [timezone, booking, cancel].map(|it| it.map(str::to_owned));
            Meeting { timezone, booking_url, cancel_url }
        };
        let before = meeting(Some("UTC"), Some("a"), Some("b"));
        let after = before.booked(&meeting(None, Some("c"), None));
        assert_eq!(after, meeting(None, Some("c"), Some("b")));
    }
}
