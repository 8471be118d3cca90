//! JSON out.

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use super::Answer;
use crate::domain::error::Error;
use crate::domain::response::number_text;

/// A 200 with a JSON body.
pub(super) fn ok(body: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(body).map_err(Error::internal)?;
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// A number that prints without a fraction when it is whole.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Number {
    /// A whole number.
    Whole(i64),
    /// One with a fraction, or one that is beyond every whole number of 64 bits.
    Other(f64),
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        number_text(number).parse().map_or(Self::Other(number), Self::Whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_no_fraction_at_any_size() {
        for (number, text) in [
            (5.0, "5"),
            (5.5, "5.5"),
            (-0.0, "0"),
            (-3.0, "-3"),
            (1e15, "1000000000000000"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(serde_json::to_string(&Number::from(number)).expect("a number"), text);
        }
    }
}
