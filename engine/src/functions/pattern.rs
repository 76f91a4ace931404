//! Patterns as functions search with them.
//!
//! What the linear engine cannot run goes to a backtracking one with a step limit; going over it is an error, not a hang.
//!
//! Source: `java.util.regex.Matcher`: `find`, `appendReplacement`; `String.split`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use datafusion::common::{DataFusionError, Result, exec_err, plan_err};

use crate::java_regex::printer::{Dialect, Printer};
use crate::java_regex::{self, Node, line_ends, needs_backtracking, take_last_end};

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct JavaRegex {
    engine: Engine,
    /// The whole match and then each of Java's groups: its number in the engine, if it is there.
    numbers: Vec<Option<usize>>,
    group_names: BTreeMap<String, usize>,
}

#[derive(Debug)]
enum Engine {
    Linear(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
}

/// Byte ranges: the whole match, then each group that took part.
pub(super) type Groups = Vec<Option<(usize, usize)>>;

/// Bytes that one compiled pattern may take: a class repeated thousands of times is legal and large.
const COMPILED_BYTES_MAX: usize = 64 << 20;

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
    let regex = match java_regex::parse_plain(pattern) {
        Ok(parsed) => Arc::new(JavaRegex::new(parsed, pattern)?),
        Err(error) => return plan_err!("the regular expression {pattern:?} does not compile: {error}"),
    };
    if cache.len() >= CACHE_MAX {
        cache.clear();
    }
    cache.insert(pattern.to_owned(), Arc::clone(&regex));
    Ok(regex)
}

impl JavaRegex {
    fn new(parsed: java_regex::Pattern, pattern: &str) -> Result<Self> {
        let mut node = parsed.node.clone();
        // A `$` at the end is no look-ahead if the match ends before what it stands for.
        let ends_in_dollar = take_last_end(&mut node) && !needs_backtracking(&node);
        let node = if ends_in_dollar { node } else { parsed.node };
        let dialect = if needs_backtracking(&node) { Dialect::Backtracking } else { Dialect::Linear };
        let kept = (1..=parsed.n_groups).map(|group| (group, 0)).collect();
        let mut printer = Printer { dialect, kept, text: String::new() };
        printer.print(&node);
        let (text, n_outer) = match ends_in_dollar {
            true => {
                let mut ends = Printer { dialect, kept: BTreeMap::new(), text: String::new() };
                ends.print(&Node::Set(line_ends()));
                (format!("({})(?:\\r\\n|{})?\\z", printer.text, ends.text), 1)
            }
            false => (printer.text, 0),
        };
        let does_not_run = |error: String| plan_err!("the regular expression {pattern:?} cannot be run: {error}");
        let engine = match dialect {
            Dialect::Linear => match regex::RegexBuilder::new(&text).size_limit(COMPILED_BYTES_MAX).build() {
                Ok(regex) => Engine::Linear(regex),
                Err(error) => return does_not_run(error.to_string()),
            },
            Dialect::Backtracking => match fancy_regex::Regex::new(&text) {
                Ok(regex) => Engine::Backtracking(Box::new(regex)),
                Err(error) => return does_not_run(error.to_string()),
            },
        };
        let printed = printer.kept.values().map(|&number| (number > 0).then_some(number + n_outer));
        let numbers = std::iter::once(Some(n_outer)).chain(printed).collect();
        Ok(JavaRegex { engine, numbers, group_names: parsed.group_names })
    }

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
            Engine::Linear(regex) if self.numbers.first() == Some(&Some(0)) => {
                Ok(regex.find_at(text, start).map(|m| (m.start(), m.end())))
            }
            Engine::Linear(_) => Ok(self.captures(text, start)?.and_then(|groups| groups.first().copied().flatten())),
            Engine::Backtracking(regex) => {
                Ok(regex.find_from_pos(text, start).map_err(failed)?.map(|m| (m.start(), m.end())))
            }
        }
    }

    /// The first occurrence at or after `start`, with its groups.
    pub fn captures(&self, text: &str, start: usize) -> Result<Option<Groups>> {
        Ok(match &self.engine {
            Engine::Linear(regex) => regex.captures_at(text, start).map(|found| {
                let place = |number: usize| found.get(number).map(|m| (m.start(), m.end()));
                self.numbers.iter().map(|number| number.and_then(place)).collect()
            }),
            Engine::Backtracking(regex) => regex.captures_from_pos(text, start).map_err(failed)?.map(|found| {
                let place = |number: usize| found.get(number).map(|m| (m.start(), m.end()));
                self.numbers.iter().map(|number| number.and_then(place)).collect()
            }),
        })
    }

    /// How many groups the pattern has, the whole match not counted.
    pub fn group_count(&self) -> usize {
        self.numbers.len() - 1
    }

    fn group_of_name(&self, name: &str) -> Option<usize> {
        self.group_names.get(name).copied()
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

    #[test]
    fn javas_dialect() {
        let find = |text: &str, pattern: &str| {
            compile(pattern).unwrap().find(text, 0).unwrap().map(|(start, end)| text[start..end].to_owned())
        };
        let found = |text: &str| Some(text.to_owned());
        // Before the last line end, which is not of the match; in the middle and in alternatives, too.
        assert_eq!(find("a.html\n", "\\.html$"), found(".html"));
        assert_eq!(find("a.html\r\n", "[.]h.*$"), found(".html"));
        assert_eq!(find("a.html\nb", "\\.html$"), None);
        assert_eq!(find("a.htm\n", "html$|htm$"), found("htm"));
        assert_eq!(find("ab\n", "(?:b$)"), found("b"));
        assert_eq!(find("a\nb", "a.b"), None);
        assert_eq!(find("a\nb", "(?s)a.b"), found("a\nb"));
        assert_eq!(find("a\nb", "(?m)^b"), found("b"));
        assert_eq!(find("xay", "[a-z&&[^x]]+"), found("ay"));
        assert_eq!(find("aXb", "(?i)x"), found("X"));
        assert_eq!(find("aaab", "a++b"), found("aaab"));
        assert_eq!(find("foo bar", "\\p{Alpha}+$"), found("bar"));
        assert_eq!(find("tab\there", "\\h\\w"), found("\th"));
    }

    #[test]
    fn groups_have_javas_numbers() {
        let groups = |text: &'static str, pattern: &str| -> Vec<Option<&'static str>> {
            let groups = compile(pattern).unwrap().captures(text, 0).unwrap().unwrap();
            groups.into_iter().map(|group| group.map(|(start, end)| &text[start..end])).collect()
        };
        assert_eq!(groups("ab1", "(a)(?:b)(\\d)$"), [Some("ab1"), Some("a"), Some("1")]);
        assert_eq!(groups("b", "(a)?(b)"), [Some("b"), None, Some("b")]);
        assert_eq!(groups("aa", "(?<x>a)\\k<x>"), [Some("aa"), Some("a")]);
    }
}
