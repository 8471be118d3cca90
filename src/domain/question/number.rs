//! Numeric questions, and numbers as people write them.

use std::fmt;

use super::decimal::{Decimal, TOO_LONG, on_step};
use crate::domain::content_hash::Content;
use crate::domain::error::Violations;

/// A closed range of numbers. An absent bound is open.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// The least number.
    pub min: Option<f64>,
    /// The greatest number.
    pub max: Option<f64>,
}

impl fmt::Display for Range {
    /// Formats the range for people: `5 to 10`, `at least 5`.
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
    /// Returns whether a number lies in it.
    #[must_use]
    pub fn contains(&self, number: f64) -> bool {
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }

    /// Returns whether the two ranges have a number in common.
    #[must_use]
    pub fn meets(&self, other: Self) -> bool {
        let apart = |min: Option<f64>, max: Option<f64>| min.zip(max).is_some_and(|(a, b)| a > b);
        !apart(self.min, other.max) && !apart(other.min, self.max)
    }

    fn digest(self, content: &mut Content) {
        content.opt(self.min, Content::number);
        content.opt(self.max, Content::number);
    }

    /// Returns whether it has any bound.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.min.is_some() || self.max.is_some()
    }
}

/// The form of a numeric question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NumericForm {
    /// Whether the page shows a slider.
    pub slider: bool,
    /// The numbers that are accepted.
    pub bounds: Range,
    /// The distance between accepted numbers, counted from the least one, or from zero.
    pub step: Option<f64>,
    /// The numbers that qualify, if the question has a rule.
    pub qualifies: Option<Range>,
}

impl NumericForm {
    /// Checks the numbers of a draft or of an imported question.
    pub(in crate::domain) fn check_draft(&self, path: &str, violations: &mut Violations) {
        let Self { slider: _, bounds, step, qualifies } = self;
        let range = qualifies.unwrap_or_default();
        let numbers = [
            ("min", bounds.min),
            ("max", bounds.max),
            ("step", *step),
            ("qualifies.min", range.min),
            ("qualifies.max", range.max),
        ];
        for (field, number) in numbers {
            if number.is_some_and(|number| !number.is_finite()) {
                violations.add(format!("{path}.{field}"), "Must be a finite number.");
            }
        }
        check_order(path, "min", bounds.min, bounds.max, violations);
        check_order(path, "qualifies.min", range.min, range.max, violations);
        if qualifies.is_some_and(|range| !range.is_bounded()) {
            let reason = "Requires a min or a max.";
            violations.add(format!("{path}.qualifies"), reason);
        }
        if step.is_some_and(|step| step <= 0.0) {
            violations.add(format!("{path}.step"), "Must be more than 0.");
        }
    }

    /// Checks that some answer is accepted and some answer qualifies.
    pub(super) fn check_works(&self, path: &str, violations: &mut Violations) {
        let Self { slider, bounds, step, qualifies } = self;
        if *slider && (bounds.min.is_none() || bounds.max.is_none()) {
            violations.add(format!("{path}.slider"), "Requires a min and a max.");
        }
        if qualifies.is_some_and(|range| !range.meets(*bounds)) {
            let reason = "Must contain a number that is accepted.";
            violations.add(format!("{path}.qualifies"), reason);
        }
        // A slider must reach its greatest number. The least one is always on a step.
        if let (Some(step), Some(_), Some(max)) = (step, bounds.min, bounds.max)
            && *slider
            && !on_step(max, *step, bounds.min)
        {
            violations.add(format!("{path}.step"), "Must divide the range from min to max evenly.");
        }
    }

    /// Checks a number against bounds and step.
    pub(super) fn check(&self, number: f64) -> Result<(), String> {
        let bounds = self.bounds;
        if !bounds.contains(number) {
            return Err(format!("Must be {bounds}."));
        }
        match self.step {
            Some(step) if !on_step(number, step, bounds.min) => {
                let from = bounds.min.unwrap_or(0.0);
                Err(format!("Must be {from}, or a whole number of steps of {step} away from it."))
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn qualifies(&self, number: f64) -> Option<bool> {
        self.qualifies.map(|range| range.contains(number))
    }

    pub(super) fn digest(&self, content: &mut Content) {
        let Self { slider, bounds, step, qualifies } = self;
        content.flag(*slider);
        bounds.digest(content);
        content.opt(*step, Content::number);
        content.opt(*qualifies, |content, range| range.digest(content));
    }
}

/// Checks that a lower limit is not above the upper one.
pub(super) fn check_order<T: PartialOrd>(
    path: &str,
    field: &str,
    min: Option<T>,
    max: Option<T>,
    violations: &mut Violations,
) {
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        violations.add(format!("{path}.{field}"), "Must not be more than the maximum.");
    }
}

/// Accepts a number as an answer.
pub(super) fn accept(number: f64) -> Result<f64, String> {
    let decimal = Decimal::of(number).ok_or("Must be a finite number.")?;
    if decimal.is_exact() { Ok(number) } else { Err(TOO_LONG.into()) }
}

/// Formats a number for people: whole numbers without a fraction.
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
