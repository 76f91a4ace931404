//! Java's regular expressions, as far as a translation into Rust's dialect reaches.
//!
//! `\d \w \s \b` are ASCII as in Java. Patterns that need look-around, back-references or possessive quantifiers run
//! on a backtracking engine with a step limit; going over it is an error, not a hang.
//!
//! Source: `java.util.regex.Pattern`; `Matcher.appendReplacement`, `String.split`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use datafusion::common::{DataFusionError, Result, exec_err, plan_err};

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct JavaRegex {
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Linear(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
}

/// Byte ranges: the whole match, then each group that took part.
pub(super) type Groups = Vec<Option<(usize, usize)>>;

/// How many patterns are kept; a query has a handful, unless they come from a column.
const CACHE_MAX: usize = 256;

static CACHE: LazyLock<Mutex<HashMap<String, Arc<JavaRegex>>>> = LazyLock::new(Mutex::default);

/// Compiles a pattern, or takes it from those compiled before.
///
/// Errors: a plan error if it does not compile.
pub(super) fn compile(pattern: &str) -> Result<Arc<JavaRegex>> {
    let mut cache = CACHE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(regex) = cache.get(pattern) {
        return Ok(Arc::clone(regex));
    }
    let translated = translate(pattern);
    let engine = match regex::Regex::new(&translated) {
        Ok(regex) => Engine::Linear(regex),
        Err(linear) => match fancy_regex::Regex::new(&translated) {
            Ok(regex) => Engine::Backtracking(Box::new(regex)),
            Err(_) => return plan_err!("the regular expression {pattern:?} does not compile: {linear}"),
        },
    };
    if cache.len() >= CACHE_MAX {
        cache.clear();
    }
    let regex = Arc::new(JavaRegex { engine });
    cache.insert(pattern.to_owned(), Arc::clone(&regex));
    Ok(regex)
}

impl JavaRegex {
    /// Whether the pattern occurs in `text`: `Matcher.find`.
    pub fn is_match(&self, text: &str) -> Result<bool> {
        match &self.engine {
            Engine::Linear(regex) => Ok(regex.is_match(text)),
            Engine::Backtracking(regex) => regex.is_match(text).map_err(failed),
        }
    }

    /// The first occurrence at or after `start`.
    pub fn find(&self, text: &str, start: usize) -> Result<Option<(usize, usize)>> {
        match &self.engine {
            Engine::Linear(regex) => Ok(regex.find_at(text, start).map(|m| (m.start(), m.end()))),
            Engine::Backtracking(regex) => {
                Ok(regex.find_from_pos(text, start).map_err(failed)?.map(|m| (m.start(), m.end())))
            }
        }
    }

    /// The first occurrence at or after `start`, with its groups.
    pub fn captures(&self, text: &str, start: usize) -> Result<Option<Groups>> {
        match &self.engine {
            Engine::Linear(regex) => {
                Ok(regex.captures_at(text, start).map(|c| c.iter().map(|m| m.map(|m| (m.start(), m.end()))).collect()))
            }
            Engine::Backtracking(regex) => Ok(regex
                .captures_from_pos(text, start)
                .map_err(failed)?
                .map(|c| c.iter().map(|m| m.map(|m| (m.start(), m.end()))).collect())),
        }
    }

    /// How many groups the pattern has, the whole match not counted.
    pub fn group_count(&self) -> usize {
        match &self.engine {
            Engine::Linear(regex) => regex.captures_len() - 1,
            Engine::Backtracking(regex) => regex.captures_len() - 1,
        }
    }

    fn group_of_name(&self, name: &str) -> Option<usize> {
        match &self.engine {
            Engine::Linear(regex) => regex.capture_names().position(|n| n == Some(name)),
            Engine::Backtracking(regex) => regex.capture_names().position(|n| n == Some(name)),
        }
    }

    /// Replaces every occurrence; `$1` and `${name}` are groups, `\` takes the next character as it is.
    pub fn replace_all(&self, text: &str, replacement: &str, out: &mut String) -> Result<()> {
        let plain = !replacement.contains(['$', '\\']);
        let (mut copied, mut at) = (0, 0);
        while at <= text.len() {
            let Some((start, end)) = (if plain {
                self.find(text, at)?
            } else {
                let groups = self.captures(text, at)?;
                let found = groups.as_ref().and_then(|g| g[0]);
                if let (Some((start, _)), Some(groups)) = (found, &groups) {
                    out.push_str(&text[copied..start]);
                    self.expand(text, groups, replacement, out)?;
                }
                found
            }) else {
                break;
            };
            if plain {
                out.push_str(&text[copied..start]);
                out.push_str(replacement);
            }
            copied = end;
            at = if end > start { end } else { next_character(text, end) };
        }
        out.push_str(&text[copied..]);
        Ok(())
    }

    fn expand(&self, text: &str, groups: &Groups, replacement: &str, out: &mut String) -> Result<()> {
        let mut rest = replacement;
        while let Some(at) = rest.find(['$', '\\']) {
            out.push_str(&rest[..at]);
            let special = &rest[at + 1..];
            if rest.as_bytes()[at] == b'\\' {
                let Some(c) = special.chars().next() else { return exec_err!("the replacement ends in a backslash") };
                out.push(c);
                rest = &special[c.len_utf8()..];
                continue;
            }
            let group;
            if let Some(name) = special.strip_prefix('{') {
                let Some((name, after)) = name.split_once('}') else {
                    return exec_err!("a named group of the replacement is not closed");
                };
                let Some(number) = self.group_of_name(name) else { return exec_err!("no group named {name}") };
                (group, rest) = (number, after);
            } else {
                // As many digits as still name a group.
                let mut number = None;
                let mut length = 0;
                for digit in special.bytes().take_while(u8::is_ascii_digit) {
                    let longer = number.unwrap_or(0) * 10 + usize::from(digit - b'0');
                    if number.is_some() && longer > self.group_count() {
                        break;
                    }
                    number = Some(longer);
                    length += 1;
                }
                let Some(number) = number else { return exec_err!("a $ of the replacement names no group") };
                if number > self.group_count() {
                    return exec_err!("no group {number}");
                }
                (group, rest) = (number, &special[length..]);
            }
            if let Some((start, end)) = groups[group] {
                out.push_str(&text[start..end]);
            }
        }
        out.push_str(rest);
        Ok(())
    }

    /// The pieces between occurrences, empty ones at the end included: `String.split(pattern, -1)`.
    pub fn split<'a>(&self, text: &'a str, mut each: impl FnMut(&'a str)) -> Result<()> {
        let (mut piece, mut at) = (0, 0);
        while at <= text.len() {
            let Some((start, end)) = self.find(text, at)? else { break };
            // An empty match at the very beginning splits nothing off (Java 8).
            if end > 0 {
                each(&text[piece..start]);
                piece = end;
            }
            at = if end > start { end } else { next_character(text, end) };
        }
        each(&text[piece..]);
        Ok(())
    }
}

fn next_character(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
}

fn failed(error: fancy_regex::Error) -> DataFusionError {
    DataFusionError::Execution(format!("a regular expression gave up: {error}"))
}

/// Writes a Java pattern in Rust's dialect.
///
/// Differs: `$` and `\\Z` take a last line end into the match, where Java only looks at it.
fn translate(pattern: &str) -> String {
    let (dot_all, multi_line) = (has_flag(pattern, 's'), has_flag(pattern, 'm'));
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut depth = 0usize;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('Q') => {
                    let mut quoted = String::new();
                    while let Some(c) = chars.next() {
                        if c == '\\' && chars.peek() == Some(&'E') {
                            chars.next();
                            break;
                        }
                        quoted.push(c);
                    }
                    quoted.chars().for_each(|c| push_literal(c, &mut out));
                }
                Some(c) => push_escape(c, depth > 0, &mut out),
                None => out.push('\\'),
            },
            '[' => {
                depth += 1;
                out.push(c);
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
                // A bracket right after the opening one is a literal.
                if chars.peek() == Some(&']') {
                    chars.next();
                    out.push_str("\\]");
                }
            }
            ']' if depth > 0 => {
                depth -= 1;
                out.push(c);
            }
            '~' if depth > 0 => out.push_str("\\~"),
            '-' if depth > 0 && chars.peek() == Some(&'-') => out.push_str("\\-"),
            '$' if depth == 0 && !multi_line => out.push_str("(?:\\n?\\z)"),
            '.' if depth == 0 && !dot_all => out.push_str("[^\\n\\r\\x{85}\\x{2028}\\x{2029}]"),
            c => out.push(c),
        }
    }
    out
}

/// Whether the pattern turns a flag on, as `(?i)` does.
fn has_flag(pattern: &str, flag: char) -> bool {
    pattern.split("(?").skip(1).any(|rest| rest.chars().take_while(char::is_ascii_alphabetic).any(|c| c == flag))
}

fn push_escape(c: char, in_class: bool, out: &mut String) {
    let class = match c {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => " \\t\\n\\x0B\\f\\r",
        'h' => " \\t",
        _ => "",
    };
    let negated = match c {
        'D' => "0-9",
        'W' => "0-9A-Za-z_",
        'S' => " \\t\\n\\x0B\\f\\r",
        'H' => " \\t",
        _ => "",
    };
    if !class.is_empty() {
        if in_class {
            out.push_str(class);
        } else {
            out.push('[');
            out.push_str(class);
            out.push(']');
        }
    } else if !negated.is_empty() {
        out.push_str("[^");
        out.push_str(negated);
        out.push(']');
    } else {
        match c {
            'b' | 'B' => {
                out.push_str("(?-u:\\");
                out.push(c);
                out.push(')');
            }
            'Z' => out.push_str("(?:\\n?\\z)"),
            'e' => out.push_str("\\x1B"),
            c if c.is_ascii_alphanumeric() => {
                out.push('\\');
                out.push(c);
            }
            c => push_literal(c, out),
        }
    }
}

fn push_literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() || c == ' ' {
        out.push_str(&format!("\\x{{{:X}}}", c as u32));
    } else {
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, pattern: &str) -> Vec<String> {
        let mut pieces = Vec::new();
        compile(pattern).unwrap().split(text, |p| pieces.push(p.to_owned())).unwrap();
        pieces
    }

    #[test]
    fn splits_as_java_with_a_negative_limit() {
        assert_eq!(split("a,b,,", ","), ["a", "b", "", ""]);
        assert_eq!(split("", ","), [""]);
        assert_eq!(split(",a", ","), ["", "a"]);
        assert_eq!(split("abc", ""), ["a", "b", "c", ""]);
        assert_eq!(split("a1b22c", "\\d+"), ["a", "b", "c"]);
        assert_eq!(split("a.b|c", "[.|]"), ["a", "b", "c"]);
    }

    #[test]
    fn replaces_with_groups() {
        let replace = |text: &str, pattern: &str, replacement: &str| {
            let mut out = String::new();
            compile(pattern).unwrap().replace_all(text, replacement, &mut out).map(|()| out)
        };
        assert_eq!(replace("100-200", "(\\d+)", "num").unwrap(), "num-num");
        assert_eq!(replace("ab", "(a)(b)", "$2$1").unwrap(), "ba");
        assert_eq!(replace("ab", "(a)", "$12").unwrap(), "a2b");
        assert_eq!(replace("ab", "a", "\\$").unwrap(), "$b");
        assert_eq!(replace("ab", "x*", "-").unwrap(), "-a-b-");
        assert!(replace("ab", "a", "$1").is_err());
        assert_eq!(replace("aXbX", "X(?=b)", "").unwrap(), "abX");
    }

    #[test]
    fn classes_are_ascii() {
        let find = |text: &str, pattern: &str| compile(pattern).unwrap().is_match(text).unwrap();
        assert!(!find("٣", "\\d"));
        assert!(!find("ä", "\\w"));
        assert!(find("a-b", "[\\w\\-]+"));
        assert!(find("a\"b", "\\\""));
        assert!(find("a.b", "\\Qa.b\\E"));
        assert!(!find("axb", "\\Qa.b\\E"));
        assert!(find("abab", "(ab)\\1"));
        assert!(compile("(").is_err());
    }
}
