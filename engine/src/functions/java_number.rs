//! Numbers as Java writes and reads them: `Double.toString`, `Double.parseDouble`, Hive's `LazyInteger`.
//!
//! Java before 19 sometimes wrote a digit more than needed; here the shortest digits that read back are written.

use std::fmt::Write;

/// Writes a double as `Double.toString`: `1.0`, `1.0E10`, `NaN`.
pub(super) fn write_double(value: f64, out: &mut String) {
    if let Some(text) = special(value) {
        out.push_str(text);
    } else {
        write_shortest(&format!("{value:e}"), out);
    }
}

/// Writes a float as `Float.toString`.
pub(super) fn write_float(value: f32, out: &mut String) {
    if let Some(text) = special(f64::from(value)) {
        out.push_str(text);
    } else {
        write_shortest(&format!("{value:e}"), out);
    }
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        return Some("NaN");
    }
    if value.is_infinite() {
        return Some(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    if value == 0.0 {
        return Some(if value.is_sign_negative() { "-0.0" } else { "0.0" });
    }
    None
}

/// Rewrites Rust's `-1.234e10`.
fn write_shortest(scientific: &str, out: &mut String) {
    let (mantissa, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` writes a number as exponent");
    let mantissa = match mantissa.strip_prefix('-') {
        Some(rest) => {
            out.push('-');
            rest
        }
        None => mantissa,
    };
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if (-3..7).contains(&exponent) {
        let digits = format!("{first}{rest}");
        if exponent < 0 {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
            out.push_str(&digits);
            return;
        }
        let whole = exponent as usize + 1;
        if digits.len() <= whole {
            out.push_str(&digits);
            out.extend(std::iter::repeat_n('0', whole - digits.len()));
            out.push_str(".0");
        } else {
            out.push_str(&digits[..whole]);
            out.push('.');
            out.push_str(&digits[whole..]);
        }
        return;
    }
    let fraction = if rest.is_empty() { "0" } else { rest };
    let _ = write!(out, "{first}.{fraction}E{exponent}");
}

/// Reads a double as `Double.parseDouble`: blanks around it, `NaN`, `Infinity`, a trailing `d` or `f`.
pub(super) fn parse_double(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c <= ' ');
    if let Some(value) = fast_float(text) {
        return Some(value);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    match unsigned {
        "NaN" => return Some(f64::NAN),
        "Infinity" => return Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY }),
        _ => {}
    }
    let text = text.strip_suffix(['d', 'D', 'f', 'F'])?;
    fast_float(text)
}

fn fast_float(text: &str) -> Option<f64> {
    if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-' | b'e' | b'E')) {
        return None;
    }
    text.parse().ok()
}

/// Reads a whole number as Hive's cast from text: blanks around it, and digits after a point that are not used.
///
/// Source: `LazyInteger.parseInt` and `LazyLong.parseLong`, with `trim`.
pub(super) fn parse_long(text: &str) -> Option<i64> {
    let text = text.trim_matches(' ');
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || digits == "." {
        return None;
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut result: i64 = 0;
    for byte in whole.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        result = result.checked_mul(10)?.checked_sub(i64::from(byte - b'0'))?;
    }
    if negative { Some(result) } else { result.checked_neg() }
}

/// Reads a decimal number and rounds it half up to `scale` digits; the value is the number without its point.
///
/// Nulls and bad data: what is no number, or needs more than `precision` digits, is nothing.
/// Source: `HiveDecimal.create` and `enforcePrecisionScale`.
pub(super) fn parse_decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let text = text.trim_matches(' ');
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (number, exponent) = match rest.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // How many of the digits stand left of the last digit that is kept.
    let kept = i64::from(exponent) + whole.len() as i64 + i64::from(scale);
    let mut value: i128 = 0;
    for position in 0..kept.max(0) {
        let digit = digits.get(position as usize).map_or(0, |d| d - b'0');
        if value == 0 && digit == 0 && position as usize >= digits.len() {
            return Some(0);
        }
        value = value.checked_mul(10)?.checked_add(i128::from(digit))?;
    }
    if kept >= 0 && digits.get(kept as usize).is_some_and(|d| *d >= b'5') {
        value += 1;
    }
    if value > max_of_precision(precision) {
        return None;
    }
    Some(if negative { -value } else { value })
}

/// The largest number that `precision` digits can write.
pub(super) fn max_of_precision(precision: u8) -> i128 {
    10i128.pow(u32::from(precision.min(38))) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64) -> String {
        let mut out = String::new();
        write_double(value, &mut out);
        out
    }

    #[test]
    fn doubles_as_java_writes_them() {
        for (value, expected) in [
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (1234567.125, "1234567.125"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (1.25e-9, "1.25E-9"),
            (100.0, "100.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (-0.0, "-0.0"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(text(value), expected);
        }
        let mut out = String::new();
        write_float(0.1, &mut out);
        assert_eq!(out, "0.1");
    }

    #[test]
    fn numbers_as_hive_reads_them() {
        assert_eq!(parse_double(" 1.5e3 "), Some(1500.0));
        assert_eq!(parse_double("2d"), Some(2.0));
        assert_eq!(parse_double("inf"), None);
        assert_eq!(parse_double("-"), None);
        assert_eq!(parse_double(""), None);
        for (input, expected) in [
            ("1.9", Some(1)),
            (" 12 ", Some(12)),
            ("-12.5", Some(-12)),
            ("+7", Some(7)),
            (".5", Some(0)),
            ("1e3", None),
            ("", None),
            ("-", None),
            ("12a", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
        ] {
            assert_eq!(parse_long(input), expected, "{input}");
        }
        for (input, expected) in [
            ("1.255", Some(126)),
            ("-1.255", Some(-126)),
            ("1e2", Some(10000)),
            ("12e-1", Some(120)),
            ("0.001", Some(0)),
            ("0.005", Some(1)),
            ("1e-30", Some(0)),
            ("0e300", Some(0)),
            ("1e9", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(parse_decimal(input, 10, 2), expected, "{input}");
        }
    }
}
