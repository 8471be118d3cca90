//! Numbers as people type them: digits of any script, with the separators of any country.
//!
//! A text is parsed completely or not at all, so no character is silently lost. `1,5` and `1.5` are
//! the same number. `1.000` may be one or a thousand: only the question's limits can decide.

use super::decimal::{Decimal, SIGNIFICANT_DIGITS_MAX, TOO_LONG};
use super::number::NumericForm;
use crate::domain::unicode::{digit, is_ignorable};

/// The longest text that is parsed as a number, in bytes: longer than any number within the range
/// of a double with all its zeros and separators. A form may contain megabytes, of which each
/// separator would create a group.
const TYPED_MAX_BYTES: usize = 1024;

/// The result of parsing a text for a numeric question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// This number.
    Number(f64),
    /// Two possible numbers, the larger first, both of which the question accepts.
    Either(f64, f64),
    /// A number with more digits than are supported.
    TooLong,
    /// Not a number.
    None,
}

/// A separator of digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mark {
    Point,
    Comma,
    /// The decimal separator of Arabic.
    ArabicDecimal,
    /// The thousands separator of Arabic.
    ArabicThousands,
    Space,
    Apostrophe,
}

impl Mark {
    fn of(character: char) -> Option<Self> {
        match character {
            '.' | '\u{FF0E}' => Some(Self::Point),
            ',' | '\u{FF0C}' => Some(Self::Comma),
            '\u{66B}' => Some(Self::ArabicDecimal),
            '\u{66C}' => Some(Self::ArabicThousands),
            ' ' | '\u{A0}' | '\u{2007}' | '\u{2009}' | '\u{202F}' => Some(Self::Space),
            '\'' | '\u{2019}' => Some(Self::Apostrophe),
            _ => None,
        }
    }

    fn is_decimal(self) -> bool {
        match self {
            Self::Point | Self::Comma | Self::ArabicDecimal => true,
            Self::ArabicThousands | Self::Space | Self::Apostrophe => false,
        }
    }

    fn is_thousands(self) -> bool {
        self != Self::ArabicDecimal
    }
}

/// The parts of a number, in ASCII digits.
struct Written {
    is_negative: bool,
    /// Groups of digits, with a separator between any two.
    groups: Vec<String>,
    marks: Vec<Mark>,
    exponent: String,
}

/// Removes a leading sign, and returns whether it was a minus.
fn take_sign(text: &str) -> (bool, &str) {
    let mut characters = text.chars();
    match characters.next() {
        Some('-' | '\u{2212}' | '\u{FF0D}') => (true, characters.as_str()),
        Some('+' | '\u{FF0B}') => (false, characters.as_str()),
        Some(_) | None => (false, text),
    }
}

/// Converts a digit to ASCII. All digits must have the same script, given by its `zero` once known.
fn ascii_digit(character: char, zero: &mut Option<u32>) -> Option<char> {
    let digit = digit(character)?;
    (*zero.get_or_insert(digit.zero) == digit.zero).then_some(digit.ascii)
}

impl Written {
    fn parse(typed: &str) -> Option<Self> {
        if typed.len() > TYPED_MAX_BYTES {
            return None;
        }
        // Programs, keyboards and tables add invisible characters around numbers.
        let visible: String = typed.chars().filter(|it| !is_ignorable(*it)).collect();
        let (is_negative, rest) = take_sign(visible.trim());
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (rest, None),
        };
        let (mut groups, mut marks, mut zero) = (vec![String::new()], Vec::new(), None);
        for character in mantissa.chars() {
            if let Some(mark) = Mark::of(character) {
                marks.push(mark);
                groups.push(String::new());
            } else {
                groups.last_mut()?.push(ascii_digit(character, &mut zero)?);
            }
        }
        if groups.iter().all(String::is_empty) {
            return None;
        }
        let exponent = match exponent.map(take_sign) {
            None => "0".to_owned(),
            Some((_, "")) => return None,
            Some((is_small, digits)) => {
                let digits = digits.chars().map(|it| ascii_digit(it, &mut zero));
                let sign = is_small.then_some('-').into_iter().map(Some);
                sign.chain(digits).collect::<Option<_>>()?
            }
        };
        Some(Self { is_negative, groups, marks, exponent })
    }

    /// Returns the number whose digits before the decimal separator are these groups.
    fn value(&self, whole: &[String], fraction: &str) -> Reading {
        let whole = whole.concat();
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.len() > SIGNIFICANT_DIGITS_MAX {
            return Reading::TooLong;
        }
        let sign = if self.is_negative { "-" } else { "" };
        let parsed = format!("{sign}{whole}.{fraction}e{}", self.exponent).parse::<f64>();
        // A number outside the range of a double must not be stored as another number.
        let Some(decimal) = self.decimal(&digits, fraction.len()) else { return Reading::None };
        let is_same = |number: &f64| Decimal::of(*number) == Some(decimal);
        parsed.ok().filter(is_same).map_or(Reading::None, |number| Reading::Number(number + 0.0))
    }

    /// Returns the digits as a decimal fraction with this number of places.
    fn decimal(&self, digits: &str, places: usize) -> Option<Decimal> {
        let significant = digits.trim_end_matches('0');
        let cut = digits.len() - significant.len();
        let mantissa: i128 = format!("0{}", significant.trim_start_matches('0')).parse().ok()?;
        let exponent: i64 = self.exponent.parse().ok()?;
        let exponent = exponent + i64::try_from(cut).ok()? - i64::try_from(places).ok()?;
        let exponent = if mantissa == 0 { 0 } else { exponent };
        let signed = if self.is_negative { -mantissa } else { mantissa };
        Some(Decimal::new(signed, i32::try_from(exponent).ok()?))
    }

    /// Returns the number without a fraction, if the groups are valid for thousands.
    fn as_whole(&self) -> Option<Reading> {
        are_thousands(&self.groups, &self.marks).then(|| self.value(&self.groups, ""))
    }

    /// Returns the number whose last mark is the decimal separator.
    fn as_fraction(&self) -> Option<Reading> {
        let ((decimal, marks), (fraction, whole)) =
            (self.marks.split_last()?, self.groups.split_last()?);
        let is_right = decimal.is_decimal()
            && marks.first() != Some(decimal)
            && (are_thousands(whole, marks) || (marks.is_empty() && whole.concat().is_empty()));
        is_right.then(|| self.value(whole, fraction))
    }
}

/// Returns whether groups of digits with equal marks between them form a whole number: groups of
/// three, or of two before the last one, as in 1,00,000.
fn are_thousands(groups: &[String], marks: &[Mark]) -> bool {
    let lengths: Vec<usize> = groups.iter().map(String::len).collect();
    let ([first, inner @ .., last], Some(mark)) = (&lengths[..], marks.first()) else {
        return lengths.first().is_some_and(|length| *length > 0);
    };
    let are_right = |size: usize| {
        (1..=size).contains(first) && inner.iter().all(|length| *length == size) && *last == 3
    };
    mark.is_thousands()
        && marks.iter().all(|it| it == mark)
        && (are_right(3) || are_right(2))
        && groups.first().is_some_and(|group| !group.starts_with('0'))
}

impl NumericForm {
    /// Parses a typed text. If it has two readings, the one that the question accepts counts.
    #[must_use]
    pub fn read(&self, typed: &str) -> Reading {
        let Some(written) = Written::parse(typed) else { return Reading::None };
        let accepts = |reading: &Reading| match reading {
            Reading::Number(number) => self.check(*number).is_ok(),
            Reading::Either(..) | Reading::TooLong | Reading::None => false,
        };
        let (Some(whole), Some(fraction)) = (written.as_whole(), written.as_fraction()) else {
            return written.as_whole().or_else(|| written.as_fraction()).unwrap_or(Reading::None);
        };
        match (accepts(&whole), accepts(&fraction), whole, fraction) {
            (true, true, Reading::Number(whole), Reading::Number(fraction)) => {
                Reading::Either(whole, fraction)
            }
            (false, true, _, fraction) => fraction,
            (_, _, whole, _) => whole,
        }
    }
}

/// Parses a number as programs write it: ASCII digits and a full stop.
pub fn parse(typed: &str) -> Result<f64, String> {
    let typed = typed.trim();
    let needed = || "Must be a number.".to_owned();
    let is_plain = |it: char| it.is_ascii_digit() || matches!(it, '.' | '+' | '-' | 'e' | 'E');
    let written = Written::parse(typed).filter(|_| typed.chars().all(is_plain));
    let written = written.filter(|written| written.marks.len() <= 1).ok_or_else(needed)?;
    let reading = match written.as_fraction() {
        Some(reading) => reading,
        None => written.as_whole().ok_or_else(needed)?,
    };
    match reading {
        Reading::Number(number) => Ok(number),
        Reading::TooLong => Err(TOO_LONG.into()),
        Reading::Either(..) | Reading::None => Err(needed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::question::Range;

    fn any() -> NumericForm {
        NumericForm::default()
    }

    fn read(typed: &str) -> Reading {
        any().read(typed)
    }

    #[test]
    fn a_number_is_read_with_the_marks_of_any_country() {
        for (typed, number) in [
            ("5", 5.0),
            (" 5\t", 5.0),
            ("1,5", 1.5),
            ("1.5", 1.5),
            (",5", 0.5),
            ("5.", 5.0),
            ("0.125", 0.125),
            ("0,125", 0.125),
            ("00,125", 0.125),
            ("1234.5", 1234.5),
            ("1234,567", 1234.567),
            ("1,2345", 1.2345),
            ("1,234.5", 1234.5),
            ("1.234,5", 1234.5),
            ("1.234.567", 1_234_567.0),
            ("1,00,000", 100_000.0),
            ("12,34,567.5", 1_234_567.5),
            ("1 000", 1000.0),
            ("1\u{A0}000,25", 1000.25),
            ("1\u{202F}000\u{202F}000", 1_000_000.0),
            ("1'000.5", 1000.5),
            ("1’000", 1000.0),
            ("-1,5", -1.5),
            ("−1,5", -1.5),
            ("+7", 7.0),
            ("1e3", 1000.0),
            ("1,5E−3", 0.0015),
            ("１２，５", 12.5),
            ("١٬٢٣٤٫٥", 1234.5),
            ("۱۲٫۵", 12.5),
            ("१२.५", 12.5),
            ("-0", 0.0),
            ("\u{200E}-5", -5.0),
            ("-\u{200E}5", -5.0),
            ("\u{200F}−5\u{200F}", -5.0),
            ("\u{61C}-١٬٢٣٤٫٥", -1234.5),
            ("5\u{200B}", 5.0),
            ("\u{FEFF} 5\u{2060} ", 5.0),
            ("\u{2066}1.234,5\u{2069}", 1234.5),
            ("1e\u{200E}-3", 0.001),
            ("1000000000000000000000", 1e21),
            ("999999999999999", 999_999_999_999_999.0),
        ] {
            assert_eq!(read(typed), Reading::Number(number), "{typed}");
        }
    }

    #[test]
    fn what_is_no_number_in_full_is_none() {
        for typed in [
            "",
            " ",
            "-",
            "--",
            "--5",
            "12h",
            "5 kg",
            "5%",
            "€5",
            "abc",
            "e5",
            "5e",
            "5e1.5",
            ".",
            "1..5",
            "1,,5",
            "1,5,5",
            "1.5,5.5",
            "1,23,4",
            "1 5",
            "1 00",
            "12 34",
            "1.234.5",
            "1'00",
            "1,000'000",
            "0,125,000",
            "1٢",
            "inf",
            "NaN",
            "infinity",
            "0x10",
            "1_000",
            "½",
            "1e400",
            "1e-400",
            "1.23e-323",
            "1e99999999999999999999",
            "1.000.00",
            "\u{200B}",
            "\u{200E}-",
            "5\u{200B}kg",
        ] {
            assert_eq!(read(typed), Reading::None, "{typed}");
        }
        let longest = format!("1{}", "0".repeat(308));
        assert_eq!(read(&longest), Reading::Number(1e308));
        let zeros = |count| "0".repeat(count);
        assert_eq!(read(&zeros(TYPED_MAX_BYTES)), Reading::Number(0.0));
        assert_eq!(read(&zeros(TYPED_MAX_BYTES + 1)), Reading::None);
        assert!(parse(&zeros(TYPED_MAX_BYTES + 1)).is_err());
        for typed in ["1234567890123456", "0.1234567890123456", "9007199254740993"] {
            assert_eq!(read(typed), Reading::TooLong, "{typed}");
        }
    }

    #[test]
    fn of_two_readings_the_one_counts_that_the_question_accepts() {
        assert_eq!(read("1.000"), Reading::Either(1000.0, 1.0));
        assert_eq!(read("12,345"), Reading::Either(12_345.0, 12.345));
        assert_eq!(read("-1.500"), Reading::Either(-1500.0, -1.5));
        let within = |min, max, step| NumericForm {
            bounds: Range { min, max },
            step,
            ..NumericForm::default()
        };
        for (form, typed, expected) in [
            (within(Some(0.0), Some(10.0), None), "1.000", Reading::Number(1.0)),
            (within(Some(100.0), None, None), "1.000", Reading::Number(1000.0)),
            (within(None, None, Some(1.0)), "1.500", Reading::Number(1500.0)),
            (within(None, None, Some(0.5)), "1.500", Reading::Either(1500.0, 1.5)),
            (within(Some(1e6), None, None), "1.000", Reading::Number(1000.0)),
        ] {
            assert_eq!(form.read(typed), expected, "{typed} {form:?}");
        }
    }

    #[test]
    fn programs_write_plain_numbers() {
        for (typed, number) in
            [("5", 5.0), (" 5.50 ", 5.5), ("-.5", -0.5), ("1.000", 1.0), ("1e3", 1000.0)]
        {
            assert_eq!(parse(typed), Ok(number), "{typed}");
        }
        for typed in
            ["1,5", "12h", "--", "", "1 000", "\u{200E}5", "1.000.000", "inf", "nan", "５", "1e999"]
        {
            assert!(parse(typed).is_err_and(|reason| reason == "Must be a number."), "{typed}");
        }
        assert_eq!(parse("9007199254740993"), Err(TOO_LONG.into()));
    }
}
