//! Values as LazySimpleSerDe reads them from a field's bytes.
//!
//! Source: `LazyByte` … `LazyTimestamp` of `serde2/lazy`, Hive 2.3 and 3.1.

use super::column::{Binary, ValueRules};
use super::digits::plain_number;
use super::{base64, decimal, java_calendar, java_float};

/// LazySimpleSerDe's rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct LazyRules {
    pub extended_boolean_literal: bool,
}

impl ValueRules for LazyRules {
    #[inline]
    fn integer(&self, text: &[u8]) -> Option<i64> {
        plain_number(text).or_else(|| any_integer(text))
    }

    fn float(&self, text: &[u8]) -> Option<f32> {
        may_be_number(text).then(|| java_float::parse_float(text)).flatten()
    }

    fn double(&self, text: &[u8]) -> Option<f64> {
        may_be_number(text).then(|| java_float::parse_double(text)).flatten()
    }

    fn decimal(&self, text: &[u8], precision: u8, scale: i8) -> Option<i128> {
        decimal::parse_decimal(text.trim_ascii(), precision, scale)
    }

    fn boolean(&self, text: &[u8]) -> Option<bool> {
        if text.eq_ignore_ascii_case(b"true") {
            Some(true)
        } else if text.eq_ignore_ascii_case(b"false") {
            Some(false)
        } else if self.extended_boolean_literal {
            match text {
                b"1" | b"t" | b"T" => Some(true),
                b"0" | b"f" | b"F" => Some(false),
                _ => None,
            }
        } else {
            None
        }
    }

    fn date(&self, text: &[u8]) -> Option<i32> {
        may_be_date(text).then(|| java_calendar::parse_date(text)).flatten()
    }

    fn timestamp(&self, text: &[u8]) -> Option<i64> {
        may_be_date(text).then(|| java_calendar::parse_timestamp(text)).flatten()
    }

    fn binary<'a>(&self, text: &'a [u8]) -> Binary<'a> {
        // Anything that might be Base64 is read as Base64, so a column of plain words is not safe; that is Hive.
        match base64::decode(text) {
            Some(decoded) => Binary::Decoded(decoded),
            None => Binary::AsIs(text),
        }
    }

    fn says_null(&self, text: &[u8]) -> bool {
        text.is_empty() || text == b"\\N" || text.eq_ignore_ascii_case(b"null")
    }
}

/// A whole number with sign and fraction, of any length.
pub(super) fn any_integer(text: &[u8]) -> Option<i64> {
    if !may_be_number(text) {
        return None;
    }
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    // What follows a point is checked and cut off.
    let (whole, fraction) = match digits.iter().position(|&byte| byte == b'.') {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, &[][..]),
    };
    if digits.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Counted downwards, since there is one negative number more.
    let mut number = 0_i64;
    for byte in whole {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_sub(digit.into())?;
    }
    if negative { Some(number) } else { number.checked_neg() }
}

/// Hive's first look at a number: one byte must be a digit, of two bytes one, and four bytes must not begin with an n.
fn may_be_number(text: &[u8]) -> bool {
    match text {
        [] => false,
        [byte] => byte.is_ascii_digit(),
        [first, second] => first.is_ascii_digit() || second.is_ascii_digit(),
        [b'N' | b'n', _, _, _] => false,
        _ => true,
    }
}

/// Hive's first look at a date or timestamp: `LazyUtils.isDateMaybe`.
fn may_be_date(text: &[u8]) -> bool {
    text.len() >= "2014-7-5".len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: LazyRules = LazyRules { extended_boolean_literal: false };

    #[track_caller]
    fn check_integer(text: &str, expect: Option<i64>) {
        assert_eq!(RULES.integer(text.as_bytes()), expect, "{text:?}");
    }

    #[test]
    fn integers_lose_their_fraction_and_allow_no_blank() {
        check_integer("0", Some(0));
        check_integer("+7", Some(7));
        check_integer("-7", Some(-7));
        check_integer("1.5", Some(1));
        check_integer("1.", Some(1));
        check_integer("-0.9", Some(0));
        check_integer("9223372036854775807", Some(i64::MAX));
        check_integer("-9223372036854775808", Some(i64::MIN));
        for text in ["", "-", "+", ".", "-.", " 1", "1 ", "0x10", "1e3", "1.5.", "9223372036854775808", "NULL", "1.x"] {
            check_integer(text, None);
        }
    }

    #[test]
    fn booleans() {
        let extended = LazyRules { extended_boolean_literal: true };
        for (text, plain, more) in [
            ("TRUE", Some(true), Some(true)),
            ("False", Some(false), Some(false)),
            ("t", None, Some(true)),
            ("0", None, Some(false)),
            ("yes", None, None),
            ("", None, None),
        ] {
            assert_eq!(RULES.boolean(text.as_bytes()), plain, "{text:?}");
            assert_eq!(extended.boolean(text.as_bytes()), more, "{text:?}");
        }
    }

    #[test]
    fn dates_end_at_a_blank() {
        assert_eq!(RULES.date(b"1970-1-2 10:00:00"), Some(1));
        assert_eq!(RULES.date(b"1970-1-2x"), None);
        assert_eq!(RULES.date(b"70-01-2"), None);
    }
}
