//! Which patterns get a field program, why others do not, and that all tiers give the same groups.

mod known_patterns;

use std::cell::Cell;
use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

use self::known_patterns::KNOWN_PATTERNS;
use super::super::byte_index::WINDOW_BYTES;
use super::super::program::{Analysis, Matcher};
use super::{GroupRange, NO_GROUP};
use crate::java_regex::printer::Dialect;
use crate::java_regex::{self as java, LetterCase};

fn analyse(pattern: &str) -> Analysis {
    Analysis::new(java::parse(pattern, LetterCase::Sensitive).unwrap()).unwrap()
}

#[test]
fn known_patterns_need_no_engine() {
    for known in KNOWN_PATTERNS {
        let description = analyse(known.pattern).describe();
        assert!(description.starts_with("tier 1 (field program)"), "{}: {description}", known.name);
    }
}

#[test]
fn known_lines_need_no_engine() {
    for known in KNOWN_PATTERNS {
        let mut tiers = Tiers::new(known.pattern);
        let n_matches = known.lines.iter().filter(|line| tiers.check(line)).count();
        assert!(n_matches > 0, "{} matches none of its lines", known.name);
        assert_eq!(tiers.fields.n_unsure(), 0, "{}", known.name);
    }
}

#[test]
fn obstacles_name_the_part_of_the_pattern() {
    let check = |pattern: &str, expect: &str| {
        let tier = if expect.starts_with("tier") { "" } else { "tier 2 (linear): " };
        assert_eq!(analyse(pattern).describe(), format!("{tier}{expect}"), "{pattern}");
    };
    check("(.*) ((?:a|b)+)", "\"(?:a|b)+\" repeats a group");
    check("(a|b)*c", "\"(a|b)*\" repeats a group");
    check("x(?:ab){2,3}?", "\"(?:ab){2,3}?\" repeats a group");
    check("x(?:ab){9}", "\"(?:ab){9}\" repeats a group");
    check(r"(\w+)\b.*", "\"\\b\" looks at the characters around it");
    check("é*", "\"é*\" tells characters beyond ASCII apart");
    check("[à-ü]+", "\"[à-ü]+\" tells characters beyond ASCII apart");
    check("(?-s)(.*)", "\".*\" tells characters beyond ASCII apart");
    check("(((((){8}){8}){8}){8}){8}", "\"()\" is one of too many parts, repetitions written out");
    check("(?m)a$b", "tier 3 (backtracking, with a limit): \"$\" is the start or end of a line inside of the text");
    check(r"(a)\1", r#"tier 3 (backtracking, with a limit): "\1" is a back-reference"#);
    check("(?>a*)b", "tier 3 (backtracking, with a limit): \"(?>a*)\" is atomic");
    check("a(?<=b)", "tier 3 (backtracking, with a limit): \"(?<=b)\" looks around");
    check("(?:ab)*+", "tier 3 (backtracking, with a limit): \"(?:ab)*+\" repeats a group");
    let long = format!("({}|y)+", "x".repeat(100));
    check(&long, &format!("\"({}…\" repeats a group", "x".repeat(59)));
    for pattern in [
        r"[^ab\d]*+x",
        "(a)$|b",
        r"^\A(?:(é)|[^\x00-\x7f]){3}\Z",
        "",
        "(?:(?:))?",
        "a{3,}b{,2}".trim_end_matches("{,2}"),
    ] {
        check(pattern, "tier 1 (field program)");
    }
}

/// One pattern in each of its tiers.
struct Tiers {
    pattern: String,
    fields: Matcher,
    /// The same, asked for some of the groups, last first.
    some_fields: Matcher,
    some: Vec<usize>,
    linear: Option<Matcher>,
    backtracking: Matcher,
}

impl Tiers {
    fn new(pattern: &str) -> Self {
        let analysis = analyse(pattern);
        let groups: Vec<usize> = (1..=analysis.n_groups).collect();
        let some: Vec<usize> = groups.iter().copied().filter(|group| group % 3 != 2).rev().collect();
        let engine = |dialect| analysis.compile_in(dialect, &groups, 100_000).map(Matcher::new);
        Tiers {
            pattern: pattern.to_owned(),
            fields: Matcher::new(analysis.compile(&groups, 100_000).unwrap()),
            some_fields: Matcher::new(analysis.compile(&some, 100_000).unwrap()),
            some,
            linear: engine(Dialect::Linear).ok(),
            backtracking: engine(Dialect::Backtracking).unwrap(),
        }
    }

    /// Whether the line matches; all tiers have to agree on that and on the groups.
    #[track_caller]
    fn check(&mut self, line: &str) -> bool {
        let Some(found) = find(&mut self.fields, line) else {
            // Tier 1 left it to tier 3, and that went over its limit.
            assert!(self.linear.is_none(), "{} on {line:?}", self.pattern);
            return false;
        };
        let (pattern, matches) = (&self.pattern, found.is_some());
        if !line.contains('\n') {
            // As one of several lines, by its first way.
            let before = "one before it\n";
            if let Some(Some(tried)) = self.fields.try_all(&format!("{before}{line}\n")).pop() {
                let place = |place: u32| place as usize - before.len();
                let range = |&[from, to]: &GroupRange| ([from, to] != NO_GROUP).then(|| place(from)..place(to));
                assert_eq!(Some(tried.iter().map(range).collect()), found, "first way of {pattern} on {line:?}");
            }
        }
        let some = found.as_ref().map(|found| self.some.iter().map(|&group| found[group - 1].clone()).collect());
        assert_eq!(find(&mut self.some_fields, line).unwrap(), some, "some groups of {pattern} on {line:?}");
        if let Some(linear) = &mut self.linear {
            assert_eq!(found, find(linear, line).unwrap(), "tiers 1 and 2: {pattern} on {line:?}");
        }
        // Over its limit it has no answer.
        if let Some(expect) = find(&mut self.backtracking, line) {
            assert_eq!(found, expect, "tiers 1 and 3: {pattern} on {line:?}");
        }
        matches
    }
}

type Groups = Vec<Option<Range<usize>>>;

/// The groups, if the line matches; nothing if the engine gave up.
fn find(matcher: &mut Matcher, line: &str) -> Option<Option<Groups>> {
    matcher.find_alone(line).ok()
}

/// What changes a line: something put in, cut out or taken twice.
#[derive(Debug, Clone)]
enum Change {
    Insert(Index, String),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let pieces = [
        "\t", " ", "  ", "\"", "\" \"", "(", "[", "]", ";", "/", "%20", "%", "#", "-", ":", "é", "😀", "0", "a", "\r",
        "\n", "\r\n", "\u{85}", "\\\"",
    ];
    let piece = prop::sample::select(pieces.map(str::to_owned).to_vec());
    prop_oneof![
        4 => (any::<Index>(), piece).prop_map(|(at, piece)| Change::Insert(at, piece)),
        2 => (any::<Index>(), 1_usize..12).prop_map(|(at, len)| Change::Remove(at, len)),
        2 => (any::<Index>(), 1_usize..40).prop_map(|(at, len)| Change::Repeat(at, len)),
        1 => any::<Index>().prop_map(Change::Cut),
    ]
}

fn changed(line: &str, changes: &[Change]) -> String {
    let mut characters: Vec<char> = line.chars().collect();
    for change in changes {
        let place = |index: &Index, n_characters: usize| index.index(n_characters + 1);
        match change {
            Change::Insert(at, piece) => {
                let at = place(at, characters.len());
                characters.splice(at..at, piece.chars());
            }
            Change::Remove(at, len) => {
                let at = place(at, characters.len());
                characters.drain(at..characters.len().min(at + len));
            }
            Change::Repeat(at, len) => {
                let at = place(at, characters.len());
                let piece = characters[at..characters.len().min(at + len)].to_vec();
                characters.splice(at..at, piece);
            }
            Change::Cut(at) => characters.truncate(place(at, characters.len())),
        }
    }
    characters.into_iter().collect()
}

fn runner(cases: u32) -> TestRunner {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    // What is asked for in the environment counts for all tests alike.
    let cases = if config.cases == 256 { cases } else { config.cases };
    TestRunner::new(ProptestConfig { cases, ..config })
}

#[test]
fn known_patterns_agree_on_changed_and_hostile_lines() {
    let mut tiers: Vec<_> = KNOWN_PATTERNS.iter().map(|known| (known, Tiers::new(known.pattern))).collect();
    let line = prop_oneof![
        4 => (any::<Index>(), prop::collection::vec(change(), 0..5)).prop_map(Ok),
        1 => "[ \t\"\\[\\](;/%20:#aé-]{0,60}".prop_map(Err),
    ];
    let strategy = (any::<Index>(), line);
    let tiers = std::cell::RefCell::new(&mut tiers);
    let (n_lines, n_matches) = (Cell::new(0), Cell::new(0));
    let result = runner(300).run(&strategy, |(known, line)| {
        let mut tiers = tiers.borrow_mut();
        let known = known.index(tiers.len());
        let (known, tiers) = &mut tiers[known];
        let line = match line {
            Ok((line, changes)) => changed(known.lines[line.index(known.lines.len())], &changes),
            Err(hostile) => hostile,
        };
        n_lines.set(n_lines.get() + 1);
        n_matches.set(n_matches.get() + u32::from(tiers.check(&line)));
        Ok(())
    });
    result.unwrap();
    let n_unsure: u64 = tiers.borrow().iter().map(|(_, tiers)| tiers.fields.n_unsure()).sum();
    let (n_lines, n_matches) = (n_lines.get(), n_matches.get());
    assert!(n_matches > n_lines / 4, "{n_matches} of {n_lines} lines match");
    assert!(n_unsure * 10 < u64::from(n_lines), "tier 1 was unsure of {n_unsure} of {n_lines} lines");
}

#[test]
fn literals_after_runs_that_no_index_helps() {
    let mut pattern: String = ('a'..='h').map(|end| format!("([^{end}]*){end}")).collect();
    pattern.push_str("(.*)%20(.*)");
    let mut tiers = Tiers::new(&pattern);
    assert!(tiers.check("1a2b3c4d5e6f7g8h9%20x%21y"));
    assert!(!tiers.check("1a2b3c4d5e6f7g8h9%21y"));
}

#[test]
fn limits_and_long_literals() {
    let check = |pattern: &str, line: &str, matches: bool| {
        assert_eq!(Tiers::new(pattern).check(line), matches, "{pattern} on {line:?}");
    };
    check("([^ ]{1,3}) (.*)", "abcdef x", false);
    check("[^b]{1,3}b", "aaaa", false);
    check("\"([^\"]{0,3})\"", "\"abcd", false);
    check("\"([^\"]{0,3})\"", "\"abc\"", true);
    check("(.*?)([^ ]{3}) y", "日x y", false);
    check("(.*?)([^ ]{3}) y", "日本x y", true);
    // 65 bytes, of which the last is another one, or is not there.
    let long = "a".repeat(63);
    check(&format!("(.*)é{long}"), &format!("é{}b", &long[1..]), false);
    check(&format!("(.*)é{long}(b)"), &format!("é{}", &long[1..]), false);
    check(&format!("(.*)é{long}(b)"), &format!("xé{long}b"), true);
    check(&format!("(.*)(é{long})(é{long})"), &format!("é{long}é{long}"), true);
}

#[test]
fn lines_tried_at_once_match_as_they_do_one_by_one() {
    let changes = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(change(), 1..3)];
    let lines = prop::collection::vec((any::<Index>(), changes), 1..200);
    let n_columns_asked = prop_oneof![Just(1_usize), Just(2), Just(100)];
    let result = runner(60).run(&(any::<Index>(), lines, n_columns_asked), |(known, lines, n_asked)| {
        let known = &KNOWN_PATTERNS[known.index(KNOWN_PATTERNS.len())];
        // One that is longer than a window, and then others.
        let mut text = "x".repeat(WINDOW_BYTES + 1) + "\n";
        for (line, changes) in &lines {
            let line = changed(known.lines[line.index(known.lines.len())], changes);
            text.extend(line.chars().filter(|&character| character != '\n'));
            text.push('\n');
        }
        let analysis = analyse(known.pattern);
        let groups: Vec<usize> = (1..=analysis.n_groups).rev().step_by(analysis.n_groups.div_ceil(n_asked)).collect();
        let matcher = || Matcher::new(analysis.compile(&groups, 100_000).unwrap());
        let (mut at_once, mut one_by_one) = (matcher(), matcher());
        let tried = at_once.try_all(&text);
        prop_assert_eq!(tried.len(), text.lines().count());
        let mut start = 0;
        for (line, tried) in text.split_inclusive('\n').zip(tried) {
            let mut groups = vec![NO_GROUP; groups.len()];
            let matches = one_by_one.find(text.as_bytes(), start..start + line.len() - 1, &mut groups);
            if let Some(tried) = tried {
                prop_assert!(matches.unwrap(), "{} on {:?}", known.name, line);
                prop_assert_eq!(tried, groups, "{} on {:?}", known.name, line);
            }
            start += line.len();
        }
        Ok(())
    });
    result.unwrap();
}

#[test]
fn most_lines_match_in_the_first_way() {
    for known in KNOWN_PATTERNS {
        let analysis = analyse(known.pattern);
        let groups: Vec<usize> = (1..=analysis.n_groups).collect();
        let mut matcher = Matcher::new(analysis.compile(&groups, 100_000).unwrap());
        let tried = matcher.try_all(&known.lines.iter().map(|line| format!("{line}\n")).collect::<String>());
        let is_known = |line: &&&str| matcher.find_alone(line).unwrap().is_some();
        let n_matches = known.lines.iter().filter(is_known).count();
        let n_first = tried.iter().flatten().count();
        // A URL with a blank in it, and a field that looks like the end of the one before.
        let takes_other_ways = ["application load balancer of 2018"].contains(&known.name);
        assert_eq!(n_first == n_matches, !takes_other_ways, "{}: {n_first} of {n_matches}", known.name);
    }
}

/// A pattern, and a line that it may match.
fn pattern_with_line() -> impl Strategy<Value = (String, String)> {
    let piece = |pattern: &'static str, texts: &'static [&'static str]| {
        prop::sample::select(texts).prop_map(move |text| (pattern.to_owned(), text.to_owned()))
    };
    let run = prop_oneof![
        piece("[^ ]*", &["", "a", "b\tb", "é0\"", "-"]),
        piece("[^ ]+", &["a", "\t", "ab", "a\ta"]),
        piece("[^ ]+?", &["a", "b\t", "-a"]),
        piece(r"\S+", &["ab", "é", "a%20"]),
        piece(r"\s+", &[" ", "\t", " \t"]),
        piece(r"\s*", &["", " "]),
        piece(".*", &["", "a b", " ", "é\" ", "a%20b"]),
        piece(".+", &["a", "b a", "\t"]),
        piece(".*?", &["", "ab ", " b"]),
        piece(".+?", &["a", "é "]),
        piece("([^b]*?)[ab]", &["a", "b", "éa", "0 b"]),
        piece("[^a]*?[a-c0]", &["a", "b", "é0", " c"]),
        piece("[^\"]*", &["", "a b", "0"]),
        piece("[0-9]*", &["", "0", "00"]),
        piece(r"\d{1,2}", &["0", "00"]),
        piece("[ab]{2}", &["ab", "aa"]),
        piece("[^b]{1,3}?", &["a", "é é", "0"]),
        piece("[^ ]{3} ", &["日xa ", "aéa ", "aaaa "]),
        piece("([^ ]{1,2}) ", &["a ", "é ", "aaa "]),
        piece("([^b]{0,3})b", &["b", "aab", "aaaab"]),
        piece("a*+", &["", "a", "aa"]),
        piece("[ab]++", &["a", "ba"]),
        piece("é?", &["", "é"]),
        piece("a??", &["", "a"]),
        piece("[-a]", &["-", "a"]),
        piece(".", &["a", "é", " "]),
    ];
    let literal = prop_oneof![
        piece(" ", &[" "]),
        piece("a", &["a"]),
        piece(r"\t", &["\t"]),
        piece("\"", &["\""]),
        piece("%20", &["%20"]),
        piece("é", &["é"]),
        piece("b", &["b"]),
        piece("^", &[""]),
        piece("$", &[""]),
    ];
    // Fields that are divided once more, and those whose separator begins with what they could hold.
    let divided = prop_oneof![
        piece("([^ ]*)a([0b]*) ", &["a ", "a-a0 ", "aab ", "0a00 "]),
        piece("([^ ]+)[-a](0*) ", &["aa ", "é-00 ", "-- "]),
        piece("(([^\"]*?)-)([a0]+)\"", &["-a\"", "--é-0a\""]),
        piece("(?:[^ ]*)[-\"]([^\" -]*) ", &["-a ", "\"a-é ", "-\" "]),
        piece("([^ ]*)\" ", &["a\" ", "\" ", "\"\" "]),
        piece("([^b]+?)(a0b)", &["aa0b", "é a0b"]),
        piece(r"(\S+)é0 -", &["aé0 -", "é0é0 -"]),
    ];
    // Fields that may hold what separates them.
    let row = (
        prop::sample::select(&["([^ ]+)", "([^ ]*)", "(.*)", "([^b]+)", "(?:[^ ]+)", "([a\t]+)"][..]),
        prop::sample::select(&[r"\s+", r"\t", r"[\t ]", "[a ]+"][..]),
        3..6_usize,
        prop::collection::vec("[a\té0]{0,2}", 6),
    )
        .prop_map(|(field, separator, n_fields, texts)| {
            (format!("{field}{separator}").repeat(n_fields), texts[..n_fields].join("\t") + "\t")
        });
    // Fields that cannot, and what leaves some for others.
    let fields = (
        prop::sample::select(
            &["([^ ]*) ", "([^ ]+) ", "[^ ]* ", "(-|[-a]*) ", "(|[a0]*) ", "([^\"]*)\"", "(.*) ([a0]*) "][..],
        ),
        2..5_usize,
        prop::collection::vec("[a0-]{0,2}", 5),
    )
        .prop_map(|(field, n_fields, texts)| {
            let separator = if field.ends_with('"') { "\"" } else { " " };
            (field.repeat(n_fields), texts[..n_fields].iter().map(|text| format!("{text}{separator}")).collect())
        });
    let leaf = prop_oneof![4 => run, 3 => literal, 1 => row, 2 => fields, 1 => divided];
    leaf.prop_recursive(4, 16, 4, |inner| {
        let pair = (inner.clone(), inner.clone(), any::<bool>());
        prop_oneof![
            4 => prop::collection::vec(inner.clone(), 1..5).prop_map(|parts| {
                parts.into_iter().fold((String::new(), String::new()), |(pattern, line), (part, text)| {
                    (pattern + &part, line + &text)
                })
            }),
            3 => inner.clone().prop_map(|(pattern, line)| (format!("({pattern})"), line)),
            2 => pair.prop_map(|((left, line), (right, other), first)| {
                (format!("({left}|{right})"), if first { line } else { other })
            }),
            1 => (inner.clone(), prop::sample::select(&["?", "??"][..]), any::<bool>()).prop_map(|((pattern, line), often, taken)| {
                (format!("(?:{pattern}){often}"), if taken { line } else { String::new() })
            }),
            1 => inner.prop_map(|(pattern, line)| (format!("(?:{pattern}){{2}}"), line.repeat(2))),
        ]
    })
}

#[test]
fn generated_patterns_agree() {
    let strategy = (pattern_with_line(), prop::collection::vec(change(), 0..3));
    let (n_lines, n_matches, n_unsure) = (Cell::new(0_u64), Cell::new(0_u64), Cell::new(0_u64));
    let result = runner(600).run(&strategy, |((pattern, line), changes)| {
        let mut tiers = Tiers::new(&pattern);
        for line in [&line, &changed(&line, &changes)] {
            n_lines.set(n_lines.get() + 1);
            n_matches.set(n_matches.get() + u64::from(tiers.check(line)));
        }
        n_unsure.set(n_unsure.get() + tiers.fields.n_unsure());
        assert!(analyse(&pattern).describe().starts_with("tier 1"), "{pattern}");
        Ok(())
    });
    result.unwrap();
    let (n_lines, n_matches, n_unsure) = (n_lines.get(), n_matches.get(), n_unsure.get());
    assert!(n_matches > n_lines / 4, "{n_matches} of {n_lines} lines match");
    assert!(n_unsure * 20 < n_lines, "tier 1 was unsure of {n_unsure} of {n_lines} lines");
}
