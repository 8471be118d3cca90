//! Numbers as decimal fractions: exactly as a person writes them, unlike binary fractions.

/// The most significant digits of a number that a participant may enter: as many as a double
/// preserves.
pub(super) const SIGNIFICANT_DIGITS_MAX: usize = 15;

/// The reason to refuse a number with more digits.
pub(super) const TOO_LONG: &str = "At most 15 significant digits.";
const _: () = assert!(SIGNIFICANT_DIGITS_MAX == 15);

/// A number as `mantissa × 10^exponent`. The mantissa does not end in zero, unless it is zero.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Decimal {
    mantissa: i128,
    exponent: i32,
}

impl Decimal {
    /// Returns the shortest decimal fraction of a double, or `None` if it is not finite.
    pub(super) fn of(number: f64) -> Option<Self> {
        // Printed as `-1.25e-7`.
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e')?;
        let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let mantissa: i128 = digits.replace('.', "").parse().ok()?;
        let exponent: i32 = exponent.parse().ok()?;
        Some(Self::new(mantissa, exponent - i32::try_from(fraction).ok()?))
    }

    /// Returns `mantissa × 10^exponent`.
    pub(super) fn new(mut mantissa: i128, mut exponent: i32) -> Self {
        if mantissa == 0 {
            return Self { mantissa, exponent: 0 };
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        Self { mantissa, exponent }
    }

    /// Returns whether a double preserves all digits.
    pub(super) fn is_exact(self) -> bool {
        self.mantissa.unsigned_abs().to_string().len() <= SIGNIFICANT_DIGITS_MAX
    }

    /// Returns the mantissa at a smaller or equal exponent, if it does not overflow.
    fn mantissa_at(self, exponent: i32) -> Option<i128> {
        let places = u32::try_from(self.exponent.checked_sub(exponent)?).ok()?;
        self.mantissa.checked_mul(10_i128.checked_pow(places)?)
    }

    /// Returns the difference, unless the exponents are too far apart.
    fn minus(self, other: Self) -> Option<Self> {
        if other.mantissa == 0 {
            return Some(self);
        }
        let exponent =
            if self.mantissa == 0 { other.exponent } else { self.exponent.min(other.exponent) };
        let mantissa = match self.mantissa {
            0 => 0,
            _ => self.mantissa_at(exponent)?,
        };
        Some(Self::new(mantissa.checked_sub(other.mantissa_at(exponent)?)?, exponent))
    }

    /// Returns whether it is a whole number of steps, or false on overflow (above 10^20 steps).
    fn is_multiple_of(self, step: Self) -> bool {
        // Neither ends in zero, so a number that is finer than the step is no multiple of it.
        self.mantissa == 0
            || self
                .mantissa_at(step.exponent)
                .is_some_and(|mantissa| mantissa % step.mantissa.max(1) == 0)
    }
}

/// Returns whether a number lies on a step, counted from the least number or from zero. Compares
/// decimal fractions, so 0.3 lies on steps of 0.1.
#[must_use]
pub fn on_step(number: f64, step: f64, min: Option<f64>) -> bool {
    let decimals = Decimal::of(number).zip(Decimal::of(min.unwrap_or(0.0)));
    let distance = decimals.and_then(|(number, min)| number.minus(min));
    distance.zip(Decimal::of(step)).is_some_and(|(distance, step)| distance.is_multiple_of(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_is_its_shortest_decimal_fraction() {
        for (number, mantissa, exponent) in [
            (0.0, 0, 0),
            (-0.0, 0, 0),
            (5.0, 5, 0),
            (1500.0, 15, 2),
            (-0.1, -1, -1),
            (229_065_917.39, 22_906_591_739, -2),
            (1e22, 1, 22),
            (5e-324, 5, -324),
            (f64::MAX, 17_976_931_348_623_157, 292),
        ] {
            assert_eq!(Decimal::of(number), Some(Decimal { mantissa, exponent }), "{number}");
        }
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Decimal::of(number), None);
        }
    }

    #[test]
    fn fifteen_digits_return_unchanged() {
        let is_exact = |number| Decimal::of(number).expect("finite").is_exact();
        for number in [0.0, 999_999_999_999_999.0, 0.123_456_789_012_345, 1e300, -1.5e-300] {
            assert!(is_exact(number), "{number}");
        }
        for number in [9_007_199_254_740_992.0, 0.1 + 0.2, 1.0 / 3.0, -1_234_567_890_123_456.0] {
            assert!(!is_exact(number), "{number}");
        }
    }

    #[test]
    fn a_step_is_met_exactly_or_not_at_all() {
        for (number, step, min) in [
            (229_065_917.39, 0.01, None),
            (0.3, 0.1, None),
            (-0.3, 0.1, None),
            (0.7, 0.1, Some(0.1)),
            (90_071_992_547_409.92, 0.01, None),
            (9_007_199_254_740_992.0, 1.0, Some(0.0)),
            (0.0, 7.0, None),
            (1e300, 1e300, None),
            (1e300, 1e285, None),
            (0.0, 1e-300, Some(1e-300)),
            (3.5, 1.0, Some(0.5)),
            (5e-324, 5e-324, None),
            (-2.0, 3.0, Some(-5.0)),
        ] {
            assert!(on_step(number, step, min), "{number} {step} {min:?}");
        }
        for (number, step, min) in [
            (229_065_917.395, 0.01, None),
            (0.300_000_000_01, 0.1, None),
            (1e-9, 1.0, None),
            (5.0, 10.0, None),
            (5.0, 1e300, None),
            (1e15 + 0.5, 1.0, None),
            (4.0, 1.0, Some(0.5)),
            (1.0, 0.333_333_3, None),
            (1.0, 1.0, Some(1e-300)),
            (f64::NAN, 1.0, None),
        ] {
            assert!(!on_step(number, step, min), "{number} {step} {min:?}");
        }
    }
}
