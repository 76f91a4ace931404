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

/// Cuts `1L`, `2S`, `3Y`, `1.0BD`, `1.5D` into its digits and the type that the suffix names.
pub(super) fn suffixed_number(text: &str) -> Option<(&str, &'static str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|at| *at > 0)?;
    let data_type = match text[digits..].to_ascii_uppercase().as_str() {
        "L" => "bigint",
        "S" => "smallint",
        "Y" => "tinyint",
        "D" => "double",
        "BD" => "decimal",
        _ => return None,
    };
    let number = &text[..digits];
    (!number.contains('.') || matches!(data_type, "double" | "decimal")).then_some((number, data_type))
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
        assert_eq!(suffixed_number("1L"), Some(("1", "bigint")));
        assert_eq!(suffixed_number("1.0bd"), Some(("1.0", "decimal")));
        for text in ["1", "2xx", "1.5L", "L", "0x1F", "1e3"] {
            assert_eq!(suffixed_number(text), None, "{text}");
        }
    }
}
