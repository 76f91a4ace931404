//! Values as RegexSerDe reads them: Java's `valueOf`, without trimming.
//!
//! Source: `serde2/RegexSerDe.java`.

use super::column::{Binary, ValueRules};
use super::digits::plain_number;
use super::{decimal, java_calendar, java_float};

/// The rules of Java's `valueOf`.
#[derive(Debug, Clone, Copy)]
pub(super) struct JavaRules;

impl ValueRules for JavaRules {
    #[inline]
    fn integer(&self, text: &[u8]) -> Option<i64> {
        if let Some(number) = plain_number(text) {
            return Some(number);
        }
        // Java takes every Unicode digit and so should we; no log was seen that has others than these (suspect).
        let text = str::from_utf8(text).ok()?;
        text.parse().ok()
    }

    fn float(&self, text: &[u8]) -> Option<f32> {
        java_float::parse_float(text)
    }

    fn double(&self, text: &[u8]) -> Option<f64> {
        java_float::parse_double(text)
    }

    fn decimal(&self, text: &[u8], precision: u8, scale: i8) -> Option<i128> {
        decimal::parse_decimal(text, precision, scale)
    }

    fn boolean(&self, text: &[u8]) -> Option<bool> {
        Some(text.eq_ignore_ascii_case(b"true"))
    }

    fn absent_boolean(&self) -> Option<bool> {
        Some(false)
    }

    fn date(&self, text: &[u8]) -> Option<i32> {
        java_calendar::parse_date(text)
    }

    fn timestamp(&self, text: &[u8]) -> Option<i64> {
        java_calendar::parse_timestamp(text)
    }

    fn binary<'a>(&self, text: &'a [u8]) -> Binary<'a> {
        // Not reached: RegexSerDe refuses binary columns when it is planned.
        Binary::AsIs(text)
    }

    fn says_null(&self, _: &[u8]) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_strict() {
        assert_eq!(JavaRules.integer(b"+7"), Some(7));
        assert_eq!(JavaRules.integer(b"-007"), Some(-7));
        for text in ["", "-", "+", " 1", "1.0", "1e3", "9223372036854775808", "--1"] {
            assert_eq!(JavaRules.integer(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn only_true_is_true() {
        assert_eq!(JavaRules.boolean(b"tRuE"), Some(true));
        assert_eq!(JavaRules.boolean(b"1"), Some(false));
        assert_eq!(JavaRules.boolean(b""), Some(false));
    }
}
