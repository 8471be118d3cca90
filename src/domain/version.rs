//! The version header of the session dialect.

use super::error::{Error, Kind, Result};

/// The only supported version.
pub const API_VERSION: &str = "1.0.0";

/// Accepts a missing version, the current one, or an ISO date, all of which mean the current one.
pub fn check_api_version(header: Option<&str>) -> Result<()> {
    let is_date = |text: &str| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
    match header {
        None => Ok(()),
        Some(text) if text == API_VERSION || is_date(text) => Ok(()),
        Some(_) => Err(Error::new(
            Kind::UnsupportedApiVersion,
            "X-Spot-Api-Version: Must be 1.0.0, or a date such as 2024-11-15, which selects the same version.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_current_and_dated_versions_are_one_and_others_are_refused() {
        for good in [None, Some("1.0.0"), Some("2024-11-15")] {
            assert!(check_api_version(good).is_ok(), "{good:?}");
        }
        for bad in ["9.9.9", "", "1.0", "2024-13-01", "2024-11-15T00:00", "20241115"] {
            assert!(check_api_version(Some(bad)).is_err(), "{bad}");
        }
    }
}
