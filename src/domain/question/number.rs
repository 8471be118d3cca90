//! Numeric questions, and numbers as people write them.

use std::fmt;

/// A closed range of numbers; an absent bound is open.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// The least number in it.
    pub min: Option<f64>,
    /// The greatest number in it.
    pub max: Option<f64>,
}

impl fmt::Display for Range {
    /// As a person says it: `5 to 10`, `at least 5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min.map(number_text), self.max.map(number_text)) {
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "at least {min}"),
            (None, Some(max)) => write!(f, "at most {max}"),
            (None, None) => f.write_str("any number"),
        }
    }
}

impl Range {
    /// Whether a number lies in it.
    #[must_use]
    pub fn contains(&self, number: f64) -> bool {
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }

    /// Whether the two have a number in common.
    #[must_use]
    pub fn meets(&self, other: Self) -> bool {
        let apart = |min: Option<f64>, max: Option<f64>| min.zip(max).is_some_and(|(a, b)| a > b);
        !apart(self.min, other.max) && !apart(other.min, self.max)
    }

    /// Whether it has a bound at all.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.min.is_some() || self.max.is_some()
    }
}

/// What a numeric question asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NumericForm {
    /// Whether it is entered by a slider.
    pub slider: bool,
    /// The numbers that are accepted.
    pub bounds: Range,
    /// The distance between accepted numbers, counted from the least one, or from zero.
    pub step: Option<f64>,
    /// The numbers that qualify, if the question decides.
    pub qualifies: Option<Range>,
}

/// Whether a number lies on a step, counted from the least number or from zero. Decimal fractions
/// are seldom exact, so that a millionth of the step is forgiven.
#[must_use]
pub fn on_step(number: f64, step: f64, min: Option<f64>) -> bool {
    let steps = (number - min.unwrap_or(0.0)) / step;
    (steps - steps.round()).abs() < 1e-6
}

/// A number as people write it: whole numbers without a fraction.
#[must_use]
pub fn number_text(number: f64) -> String {
    // Adding zero turns a negative zero into a plain one.
    format!("{}", number + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_print_without_a_fraction() {
        for (number, text) in [
            (5.0, "5"),
            (5.5, "5.5"),
            (-0.0, "0"),
            (-3.0, "-3"),
            (0.1, "0.1"),
            (1e15, "1000000000000000"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }
}
