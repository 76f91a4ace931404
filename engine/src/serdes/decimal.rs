//! decimal(p,s) from text and back.
//!
//! Source: `FastHiveDecimal`: an optional sign, digits with at most one point, an optional exponent; rounded half up
//! to the column's scale; NULL where the digits before the point do not fit.

/// The unscaled value of a decimal(precision, scale).
pub(crate) fn parse_decimal(text: &[u8], precision: u8, scale: i8) -> Option<i128> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(e) => (&text[..e], parse_exponent(&text[e + 1..])?),
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|&byte| byte == b'.') {
        Some(point) => (&mantissa[..point], &mantissa[point + 1..]),
        None => (mantissa, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    // The value is `digits`, leading zeros left out, times ten to the power of `shift` once the scale is applied.
    let leading_zeros = whole.iter().chain(fraction).take_while(|&&digit| digit == b'0').count();
    let n_digits = (whole.len() + fraction.len() - leading_zeros) as i64;
    let mut digits = whole.iter().chain(fraction).skip(leading_zeros);
    let shift = exponent + i64::from(scale) - fraction.len() as i64;
    if n_digits == 0 || n_digits + shift < 0 {
        return Some(0);
    }
    if n_digits + shift > i64::from(precision) {
        return None;
    }
    let n_kept = n_digits.min(n_digits + shift);
    let mut unscaled = 0_i128;
    for &digit in digits.by_ref().take(n_kept as usize) {
        unscaled = unscaled * 10 + i128::from(digit - b'0');
    }
    if digits.next().is_some_and(|&digit| digit >= b'5') {
        unscaled += 1;
    }
    unscaled *= 10_i128.pow(shift.max(0) as u32);
    if unscaled >= 10_i128.pow(precision.into()) {
        return None;
    }
    Some(if negative { -unscaled } else { unscaled })
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let digits = match text {
        [b'-' | b'+', rest @ ..] => rest,
        _ => text,
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Longer exponents make zero or overflow, whatever they are.
    let size = digits.iter().fold(0_i64, |size, digit| (size * 10 + i64::from(digit - b'0')).min(1 << 40));
    Some(if text[0] == b'-' { -size } else { size })
}

/// Text of an unscaled value given as digits with a sign: the point is put in, with every digit of the scale.
///
/// Source: Hive 2 and 3 pad with zeros to the scale of the column (HIVE-12063); Hive 4 cuts trailing zeros again.
pub(crate) fn write_decimal(unscaled: &str, scale: i8, out: &mut Vec<u8>) {
    let (sign, digits) = match unscaled.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", unscaled),
    };
    out.extend_from_slice(sign.as_bytes());
    if scale <= 0 {
        out.extend_from_slice(digits.as_bytes());
        if digits != "0" {
            out.extend(std::iter::repeat_n(b'0', usize::from(scale.unsigned_abs())));
        }
        return;
    }
    let scale = usize::from(scale.unsigned_abs());
    let n_whole = digits.len().saturating_sub(scale);
    let (whole, fraction) = digits.split_at(n_whole);
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole.as_bytes() });
    out.push(b'.');
    out.extend(std::iter::repeat_n(b'0', scale - fraction.len()));
    out.extend_from_slice(fraction.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, (precision, scale): (u8, i8), expect: &str) {
        let mut out = Vec::new();
        match parse_decimal(text.as_bytes(), precision, scale) {
            Some(unscaled) => write_decimal(&unscaled.to_string(), scale, &mut out),
            None => out.extend_from_slice(b"NULL"),
        }
        assert_eq!(String::from_utf8(out).unwrap(), expect, "{text:?}");
    }

    #[test]
    fn decimals_round_half_up_and_must_fit() {
        check("1", (10, 2), "1.00");
        check("1.5", (10, 0), "2");
        check("-1.5", (10, 0), "-2");
        check("0.004", (10, 2), "0.00");
        check("0.005", (10, 2), "0.01");
        check("0.05", (10, 0), "0");
        check("0.5", (10, 0), "1");
        check("99.995", (4, 2), "NULL");
        check("99.99", (4, 2), "99.99");
        check("123.4", (4, 2), "NULL");
        check("+.5", (4, 2), "0.50");
        check("5.", (4, 2), "5.00");
        check("1e1", (4, 2), "10.00");
        check("125E-2", (4, 1), "1.3");
        check("1e99999999999", (4, 2), "NULL");
        check("1e-99999999999", (4, 2), "0.00");
        check("99999999999999999999999999999999999999", (38, 0), "99999999999999999999999999999999999999");
        check("0000000000000000000000000000000000000000000001", (38, 0), "1");
        for text in ["", ".", "-", "1e", "1.2.3", " 1", "0x1", "NaN", "e1"] {
            check(text, (10, 2), "NULL");
        }
    }
}
