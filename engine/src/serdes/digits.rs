//! Numbers in their plainest form, as logs have them: digits and nothing else.

/// The number that one to eighteen digits say, which is never too large; `None` for any other text.
#[inline]
pub(super) fn plain_number(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    let mut number = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::serdes::column::ValueRules;
    use crate::serdes::java_value::JavaRules;
    use crate::serdes::lazy_value::{self, LazyRules};

    proptest! {
        #[test]
        fn says_what_the_rules_say(text in "[0-9]{0,20}|[-+.0-9 xN]{0,5}|(?s:.{0,4})") {
            let text = text.as_bytes();
            let (lazy, java) = (lazy_value::any_integer(text), str::from_utf8(text).unwrap().parse().ok());
            if let Some(number) = plain_number(text) {
                prop_assert_eq!((lazy, java), (Some(number), Some(number)));
            }
            prop_assert_eq!(LazyRules { extended_boolean_literal: false }.integer(text), lazy);
            prop_assert_eq!(JavaRules.integer(text), java);
        }
    }
}
