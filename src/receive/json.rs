//! JSON without duplicate members, because readers disagree on which of the two counts. Numbers
//! that a reader would alter silently are rejected, too.

use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::domain::error::Error;

/// The byte order mark that some programs write first. It has no meaning in JSON.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The reason why a text is rejected.
#[derive(Debug, Eq, PartialEq)]
pub enum Flaw {
    /// The text is not JSON from here on.
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column in bytes. 0 is the end of the previous line.
        column: usize,
    },
    /// The path of a duplicate member, such as `a.b[0].c`.
    Twice(String),
    /// The offset of a number that a double alters, in bytes.
    Altered(usize),
}

/// The reason for refusing a duplicate member.
pub const TWICE: &str = "Must be given only once.";

/// The reason for refusing a number that cannot be stored exactly.
pub const ALTERED: &str = "The number has more digits than can be stored.";

impl Flaw {
    /// Returns the refusal of the text. It names the member, or `whole` for the text as a whole.
    #[must_use]
    pub fn refusal(self, whole: &str) -> Error {
        match self {
            Self::Twice(path) => Error::invalid_field(path, TWICE),
            Self::Altered(byte) => {
                Error::invalid_field(whole, format!("{ALTERED} It begins at byte {byte}."))
            }
            Self::Syntax { line, column } => {
                let reason = format!("This is not JSON: line {line}, column {column}.");
                Error::invalid_field(whole, reason)
            }
        }
    }
}

/// Returns a text without its byte order mark.
#[must_use]
pub fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Reads one value.
pub fn read(text: &[u8]) -> Result<Value, Flaw> {
    let text = unmarked(text);
    if let Some(byte) = altered_number(text) {
        return Err(Flaw::Altered(byte));
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let mut place = Place::default();
    let read = Once(&mut place).deserialize(&mut json);
    read.and_then(|value| json.end().map(|()| value)).map_err(|error| {
        if place.is_twice {
            return Flaw::Twice(place.path);
        }
        Flaw::Syntax { line: error.line(), column: error.column() }
    })
}

/// Returns the offset of the first number that a reader would alter: a fraction, or more than 64
/// bits, whose nearest double is written with other digits.
#[must_use]
pub fn altered_number(text: &[u8]) -> Option<usize> {
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let mut at = 0;
    while let Some(first) = text.get(at) {
        if *first == b'"' {
            at += 1;
            while let Some(byte) = text.get(at).filter(|byte| **byte != b'"') {
                at += if *byte == b'\\' { 2 } else { 1 };
            }
        } else if *first == b'-' || first.is_ascii_digit() {
            let length = text[at..].iter().take_while(|byte| is_of_number(byte)).count();
            let number = str::from_utf8(&text[at..at + length]).unwrap_or_default();
            let is_whole = number.parse::<u64>().is_ok() || number.parse::<i64>().is_ok();
            if !is_whole && is_altered(number) {
                return Some(at);
            }
            at += length;
            continue;
        }
        at += 1;
    }
    None
}

/// Returns whether a double alters a number: parsed and printed, it has other digits.
#[must_use]
pub fn is_altered(number: &str) -> bool {
    let Ok(double) = number.parse::<f64>() else { return false };
    digits(number) != digits(&format!("{double:e}"))
}

/// Returns the significant digits of a number.
fn digits(number: &str) -> String {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

/// Reads a value nested in another.
pub fn within<'de, D: Deserializer<'de>>(json: D) -> Result<Value, D::Error> {
    Once(&mut Place::default()).deserialize(json)
}

/// The position of the reader, and whether it stopped at a duplicate member.
#[derive(Default)]
struct Place {
    path: String,
    is_twice: bool,
}

/// Reads the value at a place.
struct Once<'a>(&'a mut Place);

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let Self(place) = self;
        let length = place.path.len();
        let mut read = Vec::new();
        loop {
            let _ = write!(place.path, "[{}]", read.len());
            let Some(item) = items.next_element_seed(Once(place))? else { break };
            read.push(item);
            place.path.truncate(length);
        }
        place.path.truncate(length);
        Ok(read.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let Self(place) = self;
        let length = place.path.len();
        let mut read = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if length > 0 {
                place.path.push('.');
            }
            place.path.push_str(&name);
            if read.contains_key(&name) {
                place.is_twice = true;
                return Err(A::Error::custom(format!("the member {} is given twice", place.path)));
            }
            let value = members.next_value_seed(Once(place))?;
            read.insert(name, value);
            place.path.truncate(length);
        }
        Ok(read.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_read_as_by_any_other_reader() {
        for text in [
            "null",
            "true",
            "-5",
            "18446744073709551615",
            "1.5e3",
            r#""\u00fc\"""#,
            "[]",
            r#"{"a": [1, {"b": null}], "": {"a": {}}}"#,
        ] {
            let expected: Value = serde_json::from_str(text).expect("it is JSON");
            assert_eq!(read(text.as_bytes()), Ok(expected), "{text}");
        }
        assert_eq!(read("\u{feff}{}".as_bytes()), Ok(json!({})));
    }

    #[test]
    fn a_member_that_is_given_twice_is_named_at_every_level() {
        for (text, path) in [
            (r#"{"a": 1, "a": 1}"#, "a"),
            (r#"{"a": 1, "\u0061": null}"#, "a"),
            (r#"{"a": [{}, {"b": {"c": 1, "d": 2, "c": 3}}]}"#, "a[1].b.c"),
            (r#"[{"": 1, "": 1}]"#, "[0]."),
        ] {
            assert_eq!(read(text.as_bytes()), Err(Flaw::Twice(path.into())), "{text}");
        }
    }

    #[test]
    fn a_number_that_a_double_alters_is_refused_wherever_it_stands() {
        for number in [
            "1000000000000000.01",
            "0.10000000000000001",
            "-0.1000000000000000055511151231257827",
            "100000000000000000000000001",
            "1e-400",
            "-1e400",
        ] {
            for (before, after) in [("", ""), ("[1.5, ", "]"), (r#"{"\\\"1.5e": {"a": "#, "}}")] {
                let text = format!("{before}{number}{after}");
                assert_eq!(read(text.as_bytes()), Err(Flaw::Altered(before.len())), "{text}");
            }
        }
        for number in [
            "1.10",
            "0.0",
            "-0",
            "1e22",
            "1E-7",
            "100e-2",
            "0.30000000000000004",
            "5e-324",
            "18446744073709551615",
            "-9223372036854775808",
            "100000000000000000000000",
        ] {
            assert!(read(number.as_bytes()).is_ok(), "{number}");
            let text = format!(r#""{number}00000000000000000001 \\""#);
            assert!(read(text.as_bytes()).is_ok(), "a text is a text: {text}");
        }
    }

    #[test]
    fn what_is_no_json_says_where() {
        for (text, line, column) in
            [("", 1, 0), ("{", 1, 1), ("{} {}", 1, 4), ("{\n\"a\": +1}", 2, 6)]
        {
            assert_eq!(read(text.as_bytes()), Err(Flaw::Syntax { line, column }), "{text}");
        }
        assert!(read("[".repeat(1_000).as_bytes()).is_err(), "it is not too deep for the stack");
    }
}
