//! float and double as Java reads and writes them.
//!
//! Source: `Double.valueOf`, `Double.toString` and their kin of `Float`. Written digits are the shortest that read
//! back as the same number, as in JDK 19 and later; older JDKs now and then wrote more (`9.999999999999999E22` for
//! `1.0E23`). The very smallest number is `5.0E-324` here and `4.9E-324` in every JDK.

use std::fmt::LowerExp;

/// The number in Java's syntax: blanks around, `NaN`, `Infinity`, `1e3`, `1d`, `0x1p3`.
pub(crate) fn parse_double(text: &[u8]) -> Option<f64> {
    parse(
        text,
        |digits| digits.parse().ok(),
        f64::INFINITY,
        f64::NAN,
        |mantissa, exponent| scale_by_two(mantissa as f64, exponent),
    )
}

/// The number in Java's syntax, rounded once.
pub(crate) fn parse_float(text: &[u8]) -> Option<f32> {
    // The mantissa becomes an f64 by cutting, with what was cut in its last bit, so that the one rounding is to f32.
    parse(
        text,
        |digits| digits.parse().ok(),
        f32::INFINITY,
        f32::NAN,
        |mantissa, exponent| {
            let cut_bits = 64_u32.saturating_sub(mantissa.leading_zeros()).saturating_sub(50);
            let lost = mantissa & ((1 << cut_bits) - 1) != 0;
            let kept = (mantissa >> cut_bits) | u64::from(lost);
            scale_by_two(kept as f64, exponent + cut_bits as i32) as f32
        },
    )
}

/// Appends the number as `Double.toString` writes it: `1.0`, `1.0E10`, `NaN`.
pub(crate) fn write_double(number: f64, out: &mut Vec<u8>) {
    match number.classify() {
        std::num::FpCategory::Nan => out.extend_from_slice(b"NaN"),
        std::num::FpCategory::Infinite => out.extend_from_slice(if number > 0.0 { b"Infinity" } else { b"-Infinity" }),
        _ => write_shortest(number, number.is_sign_negative(), out),
    }
}

/// Appends the number as `Float.toString` writes it.
pub(crate) fn write_float(number: f32, out: &mut Vec<u8>) {
    if number.is_finite() {
        write_shortest(number, number.is_sign_negative(), out);
    } else {
        write_double(number.into(), out);
    }
}

fn parse<T: std::ops::Neg<Output = T>>(
    text: &[u8],
    parse_digits: impl Fn(&str) -> Option<T>,
    infinity: T,
    nan: T,
    from_binary: impl Fn(u64, i32) -> T,
) -> Option<T> {
    let text = trim(text);
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let number = match text {
        b"NaN" => nan,
        b"Infinity" => infinity,
        [b'0', b'x' | b'X', rest @ ..] => {
            let (mantissa, exponent) = parse_hexadecimal(without_suffix(rest))?;
            from_binary(mantissa, exponent)
        }
        _ => {
            let digits = without_suffix(text);
            // Rust also reads `inf`, `infinity` and `nan`, which Java does not; the sign is already read.
            if matches!(digits, [b'+' | b'-', ..])
                || !digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
            {
                return None;
            }
            parse_digits(str::from_utf8(digits).ok()?)?
        }
    };
    Some(if negative { -number } else { number })
}

/// Without the characters around that `String.trim` takes away.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [0..=b' ', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., 0..=b' '] = text {
        text = rest;
    }
    text
}

fn without_suffix(text: &[u8]) -> &[u8] {
    match text {
        [digits @ .., b'd' | b'D' | b'f' | b'F'] => digits,
        _ => text,
    }
}

/// Mantissa and binary exponent of what follows `0x`: `1.8p3`. The exponent must be there.
fn parse_hexadecimal(text: &[u8]) -> Option<(u64, i32)> {
    let p = text.iter().position(|byte| matches!(byte, b'p' | b'P'))?;
    let (digits, exponent) = (&text[..p], str::from_utf8(&text[p + 1..]).ok()?);
    // An exponent of any length is legal; beyond these bounds the answer is zero or infinity anyway.
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if exponent_digits.is_empty() || !exponent_digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent_size: i64 = exponent_digits.parse().unwrap_or(1 << 40);
    let mut exponent = if exponent.starts_with('-') { -exponent_size } else { exponent_size };
    let (mut mantissa, mut n_digits, mut after_point) = (0_u64, 0, false);
    for &byte in digits {
        if byte == b'.' && !after_point {
            after_point = true;
            continue;
        }
        let digit = u64::from((byte as char).to_digit(16)?);
        n_digits += 1;
        if mantissa >> 58 == 0 {
            mantissa = mantissa << 4 | digit;
            exponent -= if after_point { 4 } else { 0 };
        } else {
            mantissa |= u64::from(digit != 0);
            exponent += if after_point { 0 } else { 4 };
        }
    }
    (n_digits > 0).then_some((mantissa, exponent.clamp(-100_000, 100_000) as i32))
}

/// Exact but for numbers below the smallest normal one, which may be rounded twice (suspect, and harmless).
fn scale_by_two(mut number: f64, mut exponent: i32) -> f64 {
    while exponent != 0 && number != 0.0 && number.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        number *= 2_f64.powi(step);
        exponent -= step;
    }
    number
}

fn write_shortest(number: impl LowerExp, negative: bool, out: &mut Vec<u8>) {
    // Rust's exponent form holds the shortest digits: `-1.25e-7`.
    let shortest = format!("{number:e}");
    let (mantissa, exponent) = shortest.split_once('e').expect("Rust writes an exponent");
    let exponent: i32 = exponent.parse().expect("Rust writes a small exponent");
    let mut digits = mantissa.trim_start_matches('-').bytes().filter(|&byte| byte != b'.');
    if negative {
        out.push(b'-');
    }
    let zero = mantissa.trim_start_matches('-') == "0";
    if zero {
        out.extend_from_slice(b"0.0");
    } else if (-3..0).contains(&exponent) {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', (-exponent - 1) as usize));
        out.extend(digits);
    } else {
        let plain = (0..7).contains(&exponent);
        for _ in 0..if plain { exponent + 1 } else { 1 } {
            out.push(digits.next().unwrap_or(b'0'));
        }
        out.push(b'.');
        let length = out.len();
        out.extend(digits);
        if out.len() == length {
            out.push(b'0');
        }
        if !plain {
            out.extend_from_slice(format!("E{exponent}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_write(number: f64, expect: &str) {
        let mut out = Vec::new();
        write_double(number, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn doubles_are_written_as_java_writes_them() {
        check_write(0.0, "0.0");
        check_write(-0.0, "-0.0");
        check_write(1.0, "1.0");
        check_write(100.0, "100.0");
        check_write(123.456, "123.456");
        check_write(1_234_567.0, "1234567.0");
        check_write(9_999_999.5, "9999999.5");
        check_write(1e7, "1.0E7");
        check_write(-1.25e10, "-1.25E10");
        check_write(0.001, "0.001");
        check_write(0.012, "0.012");
        check_write(0.000_99, "9.9E-4");
        check_write(1e-5, "1.0E-5");
        check_write(f64::MAX, "1.7976931348623157E308");
        check_write(1e-300, "1.0E-300");
        check_write(f64::NAN, "NaN");
        check_write(f64::NEG_INFINITY, "-Infinity");
        let mut out = Vec::new();
        write_float(0.1, &mut out);
        assert_eq!(out, b"0.1");
    }

    #[track_caller]
    fn check_parse(text: &str, expect: Option<f64>) {
        assert_eq!(parse_double(text.as_bytes()), expect, "{text:?}");
    }

    #[test]
    fn doubles_are_read_in_javas_syntax() {
        check_parse("1", Some(1.0));
        check_parse(" +1.5e3\t", Some(1500.0));
        check_parse("1d", Some(1.0));
        check_parse(".5F", Some(0.5));
        check_parse("5.", Some(5.0));
        check_parse("-Infinity", Some(f64::NEG_INFINITY));
        check_parse("0x1p3", Some(8.0));
        check_parse("-0x.8p1f", Some(-1.0));
        check_parse("0x1.fffffffffffffp1023", Some(f64::MAX));
        check_parse("1e999", Some(f64::INFINITY));
        assert!(parse_double(b"NaN").unwrap().is_nan());
        for text in ["", " ", "-", "inf", "nan", "infinity", "1 2", "1e", "0x1", "0x", "0xp1", "--1", "+-1", "1dd", "."]
        {
            check_parse(text, None);
        }
        assert_eq!(parse_float(b"0x1.000001p0"), Some(1.0));
        assert_eq!(parse_float(b"16777217"), Some(16_777_216.0));
    }
}
