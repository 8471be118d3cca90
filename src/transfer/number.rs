//! Numbers in JSON, as files and REST write them.

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::question::number_text;

/// A number that prints without a fraction when it is whole.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Number {
    /// A whole number.
    Whole(i64),
    /// A number with a fraction, or beyond 64 bits.
    Other(f64),
}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Number).into()
    }
}

impl ToSchema for Number {}

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
