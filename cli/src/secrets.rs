//! Keeps secrets out of everything that is said or written beside rows: standard error, logs of steps, statistics.
//!
//! Two ways, since neither is enough alone. What stands behind a name that means a secret is masked wherever it is
//! written as `name=value`: in a SET statement, an argument, the query of a presigned URL. And values that are known to
//! be secret (of the environment, of `--hiveconf`, of SET) are masked wherever they stand. Rows are not touched: a
//! script that selects its own secret prints it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use logq_engine::is_secret_name;

use crate::settings::Environment;

/// What stands for a secret.
pub const MASK: &str = "***";

/// Shorter values are no secrets, and would be found in innocent words.
const SECRET_BYTES_MIN: usize = 8;

static KNOWN: RwLock<BTreeSet<String>> = RwLock::new(BTreeSet::new());

/// From now on masks the secrets among the variables.
pub fn learn_environment(environment: &Environment) {
    environment.variables.iter().for_each(|(name, value)| learn(name, value));
}

/// From now on masks `value`, if `name` means a secret.
pub fn learn(name: &str, value: &str) {
    let value = value.trim().trim_matches(['\'', '"']);
    if is_secret_name(name) && value.len() >= SECRET_BYTES_MIN {
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(value.to_owned());
    }
}

/// From now on masks what a SET statement gives to a secret name.
pub fn learn_statement(text: &str) {
    let text = text.trim_start();
    if text.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("set "))
        && let Some((name, value)) = text[4..].split_once('=')
    {
        learn(name.trim(), value);
    }
}

/// The text without secrets.
pub fn mask(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut masked = mask_named(text);
    for secret in known.iter() {
        if masked.contains(secret.as_str()) {
            masked = Cow::Owned(masked.replace(secret.as_str(), MASK));
        }
    }
    masked
}

/// A JSON value of which each text, and each value of a secret name, is masked.
pub fn mask_json(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(mask(&text).into_owned()),
        Value::Array(values) => Value::Array(values.into_iter().map(mask_json).collect()),
        Value::Object(members) => {
            let masked = members.into_iter().map(|(name, value)| match value {
                Value::String(_) if is_secret_name(&name) => (name, Value::String(MASK.to_owned())),
                value => (name, mask_json(value)),
            });
            Value::Object(masked.collect())
        }
        other => other,
    }
}

/// Masks the value of each `name=value` whose name means a secret.
fn mask_named(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut copied = 0;
    for (equals, _) in text.match_indices('=') {
        let before = text[..equals].trim_end_matches([' ', '\t']);
        let name_start = before
            .rfind(|c: char| !is_name(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        if equals < copied || !is_secret_name(&before[name_start..]) {
            continue;
        }
        let after = &text[equals + 1..];
        let blanks = after.len() - after.trim_start_matches([' ', '\t']).len();
        let value = &after[blanks..];
        let (start, end) = match value.chars().next() {
            Some(quote @ ('\'' | '"')) => (1, value[1..].find(quote).map_or(value.len(), |end| end + 1)),
            _ => (0, value.find(|c: char| c.is_whitespace() || ";&,'\"`)|".contains(c)).unwrap_or(value.len())),
        };
        if start == end {
            continue;
        }
        masked.push_str(&text[copied..equals + 1 + blanks + start]);
        masked.push_str(MASK);
        copied = equals + 1 + blanks + end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[copied..]);
    Cow::Owned(masked)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-:".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_secret_name_is_given() {
        let check = |text: &str, expected: &str| assert_eq!(mask_named(text), expected);
        check("SET fs.s3a.secret.key = wJalr;", "SET fs.s3a.secret.key = ***;");
        check("--hiveconf fs.s3a.secret.key=a/b+c -f x", "--hiveconf fs.s3a.secret.key=*** -f x");
        check("-d DB_PASSWORD='a b' x", "-d DB_PASSWORD='***' x");
        check("s3://b/k?X-Amz-Signature=abc&X-Amz-Date=1", "s3://b/k?X-Amz-Signature=***&X-Amz-Date=1");
        check("é=1 AWS_SESSION_TOKEN=é", "é=1 AWS_SESSION_TOKEN=***");
        check("AWS_WEB_IDENTITY_TOKEN_FILE=/run/token", "AWS_WEB_IDENTITY_TOKEN_FILE=/run/token");
        check("SET password=", "SET password=");
        check("a = b == c", "a = b == c");
    }

    #[test]
    fn known_values_are_masked_wherever_they_stand() {
        learn("AWS_SECRET_ACCESS_KEY", "canary-of-this-test");
        learn("AWS_REGION", "not-a-secret-at-all");
        learn_statement("set hivevar:my.password = 'canary-of-a-statement' ");
        assert_eq!(mask("[canary-of-this-test] not-a-secret-at-all"), "[***] not-a-secret-at-all");
        assert_eq!(mask("`canary-of-a-statement` is no number"), "`***` is no number");
        let value = serde_json::json!({"fs.s3a.secret.key": "x", "args": ["a canary-of-this-test"], "n": 1});
        assert_eq!(mask_json(value), serde_json::json!({"fs.s3a.secret.key": "***", "args": ["a ***"], "n": 1}));
    }
}
