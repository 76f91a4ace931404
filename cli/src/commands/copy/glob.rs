//! Patterns of `--exclude` and `--include`: `*` is any text, slashes too, `?` any character, `[a-c]` and `[!a-c]` one of
//! a set.
//!
//! Source: aws-cli's `s3/filters.py`, which uses Python's `fnmatch`; of all filters that match, the last one decides.

use regex::Regex;

/// What filters say of a file.
#[derive(Debug)]
pub struct Filters(Vec<(Verdict, Regex)>);

/// Whether a file that a pattern matches is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Include,
    Exclude,
}

impl Filters {
    /// Reads patterns in the order in which they were given.
    ///
    /// Errors: the pattern that is none.
    pub fn new<'a>(patterns: impl IntoIterator<Item = (Verdict, &'a str)>) -> Result<Self, String> {
        let filter = |(verdict, pattern)| Ok((verdict, regex(pattern)?));
        patterns.into_iter().map(filter).collect::<Result<_, String>>().map(Filters)
    }

    /// Whether the file of this name, below the source, is copied.
    pub fn takes(&self, name: &str) -> bool {
        let last = self.0.iter().rev().find(|(_, regex)| regex.is_match(name));
        last.is_none_or(|(verdict, _)| *verdict == Verdict::Include)
    }
}

fn regex(pattern: &str) -> Result<Regex, String> {
    let mut text = String::from(r"(?s)\A");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '[' => match set_end(rest) {
                Some(end) => {
                    let (set, after) = (&rest[..end], &rest[end + 1..]);
                    let (negation, set) = set.strip_prefix('!').map_or(("", set), |set| ("^", set));
                    // Within a set only `-` keeps its meaning.
                    let set = set.replace('\\', r"\\").replace('^', r"\^").replace('[', r"\[").replace(']', r"\]");
                    text.push_str(&format!("[{negation}{}]", set.replace('&', r"\&").replace('~', r"\~")));
                    rest = after;
                }
                None => text.push_str(r"\["),
            },
            c => text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    text.push_str(r"\z");
    Regex::new(&text).map_err(|_| format!("`{pattern}` is no pattern of files"))
}

/// Where the set ends that begins before `text`. A `]` right at its start, or behind `!`, belongs to it.
fn set_end(text: &str) -> Option<usize> {
    let start = if text.starts_with('!') { 1 } else { 0 };
    let first = text.get(start..)?.chars().next()?;
    text[start + first.len_utf8()..].find(']').map(|at| start + first.len_utf8() + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(regex(pattern).unwrap().is_match(name), expected, "{pattern} {name}");
        };
        check("*.gz", "a/b.gz", true);
        check("*.gz", "a/b.gz.tmp", false);
        check("a?c", "abc", true);
        check("log[0-9]", "log7", true);
        check("log[!0-9]", "log7", false);
        check("log[!0-9]", "logx", true);
        check("[]x]", "]", true);
        check("[", "[", true);
        check("a.b+(c)", "a.b+(c)", true);
        check("a.b", "axb", false);
        assert_eq!(regex("[z-a]").unwrap_err(), "`[z-a]` is no pattern of files");
    }

    #[test]
    fn the_last_filter_decides() {
        use Verdict::{Exclude, Include};
        let filters = Filters::new([(Exclude, "*"), (Include, "*.gz")]).unwrap();
        assert!(filters.takes("x.gz") && !filters.takes("x"));
        let filters = Filters::new([(Include, "*.gz"), (Exclude, "*")]).unwrap();
        assert!(!filters.takes("x.gz"));
        assert!(Filters::new([]).unwrap().takes("x"));
    }
}
