//! What a quoted string or a number with a suffix stands for.

use std::borrow::Cow;

/// Undoes Hive's escapes in the text between the quotes.
///
/// Source: `BaseSemanticAnalyzer.unescapeSQLString`. `\uXXXX`; `\ooo` in octal, first digit 0 or 1;
/// `\0 \' \" \b \n \r \t \Z \\`; `\%` and `\_` keep the backslash, since LIKE reads it; any other `\c` is `c`.
pub(in crate::hiveql) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut value = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        value.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let Some(first) = escape.chars().next() else {
            value.push('\\');
            return Cow::Owned(value);
        };
        let (unescaped, length) = numeric_escape(escape).unwrap_or((simple_escape(first), first.len_utf8()));
        if matches!(first, '%' | '_') {
            value.push('\\');
        }
        value.push(unescaped);
        rest = &escape[length..];
    }
    value.push_str(rest);
    Cow::Owned(value)
}

/// `uXXXX` and `ooo`: the character, and the length without the backslash.
fn numeric_escape(escape: &str) -> Option<(char, usize)> {
    let bytes = escape.as_bytes();
    if bytes[0] == b'u' {
        let digits = escape.get(1..5).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        return Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, 5));
    }
    let digits = escape.get(0..3).filter(|digits| digits.bytes().all(|byte| matches!(byte, b'0'..=b'7')))?;
    matches!(bytes[0], b'0' | b'1').then_some(())?;
    Some((char::from(u8::from_str_radix(digits, 8).ok()?), 3))
}

fn simple_escape(escape: char) -> char {
    match escape {
        '0' => '\0',
        'b' => '\u{8}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'Z' => '\u{1a}',
        other => other,
    }
}

/// The type that the suffix of a number names: `1L`, `2S`, `3Y`, `1.0BD`, `1e-5D`; none if that is no suffix of Hive's.
pub(super) fn suffix_type(number: &str, suffix: &str) -> Option<SuffixType> {
    let is_whole = number.bytes().all(|byte| byte.is_ascii_digit());
    match suffix.to_ascii_uppercase().as_str() {
        "L" if is_whole => Some(SuffixType::Integer("bigint", 64)),
        "S" if is_whole => Some(SuffixType::Integer("smallint", 16)),
        "Y" if is_whole => Some(SuffixType::Integer("tinyint", 8)),
        "D" => Some(SuffixType::Double),
        "BD" => Some(SuffixType::Decimal),
        _ => None,
    }
}

/// What the suffix of a number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SuffixType {
    /// Hive's name of the type, and its bits.
    Integer(&'static str, u32),
    Double,
    Decimal,
}

/// Precision and scale of a number as Hive takes it for a decimal: zeros at the end go, and digits behind the point that
/// are more than 38 places hold. None if the digits before the point are more than that, or it is no number.
///
/// Source: Hive 2.3 and 3.1 `TypeCheckProcFactory.NumExprProcessor.createDecimal`, `FastHiveDecimalImpl.fastSqlPrecision`.
pub fn decimal_type(number: &str) -> Option<(u8, u8)> {
    const DIGITS_MAX: i64 = 38;
    let (mantissa, exponent) = match number.find(['e', 'E']) {
        Some(at) => (&number[..at], number[at + 1..].parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = digits.trim_end_matches('0');
    let n_digits = kept.trim_start_matches('0').len() as i64;
    if n_digits == 0 {
        return Some((1, 0));
    }
    // The last digit that is no zero stands this far behind the point; before it, if negative.
    let last = fraction.len() as i64 - (digits.len() - kept.len()) as i64 - i64::from(exponent);
    let n_whole = (n_digits - last).max(0);
    if n_whole > DIGITS_MAX {
        return None;
    }
    let scale = last.clamp(0, DIGITS_MAX - n_whole);
    let precision = (n_whole + scale).max(1);
    Some((u8::try_from(precision).ok()?, u8::try_from(scale).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(unescape(text), expect, "{text}");
    }

    #[test]
    fn escapes() {
        check(r"tab\tnl\nbs\\ pct\% und\_ \u0041 \x41 \101", "tab\tnl\nbs\\ pct\\% und\\_ A x41 A");
        check(r"it\'s \0 \Z \b", "it's \0 \u{1a} \u{8}");
        check(r"[^\s]", "[^s]");
        check(r"\001 \777 \18", "\u{1} 777 18");
        check(r"\u00e9 \uD800 \u12", "é uD800 u12");
        check("\\日\\", "日\\");
        check("plain", "plain");
    }

    #[test]
    fn suffixes() {
        assert_eq!(suffix_type("1", "L"), Some(SuffixType::Integer("bigint", 64)));
        assert_eq!(suffix_type("1e-5", "d"), Some(SuffixType::Double));
        assert_eq!(suffix_type("1.0", "bd"), Some(SuffixType::Decimal));
        for (number, suffix) in [("2", "xx"), ("1.5", "L"), ("1e3", "Y"), ("0", "x1F"), ("1", "")] {
            assert_eq!(suffix_type(number, suffix), None, "{number}{suffix}");
        }
    }

    #[test]
    fn decimals() {
        let cases = [
            ("1.0", (1, 0)),
            ("2.50", (2, 1)),
            ("100", (3, 0)),
            ("0.00", (1, 0)),
            ("0.05", (2, 2)),
            (".5", (1, 1)),
            ("1.5e3", (4, 0)),
            ("1e-5", (5, 5)),
            ("12.5E-1", (3, 2)),
            ("120e-1", (2, 0)),
            ("1e-100", (38, 38)),
            ("12345678901234567890.1234567890123456789", (38, 18)),
        ];
        for (number, expect) in cases {
            assert_eq!(decimal_type(number), Some(expect), "{number}");
        }
        for number in ["1e38", "123456789012345678901234567890123456789", "1e99999999999", ".", "1x"] {
            assert_eq!(decimal_type(number), None, "{number}");
        }
    }
}
