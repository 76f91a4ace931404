//! The tutorial's table, Java's dialect, mismatches, conversions, limits, and agreement with a naive engine.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use proptest::prelude::*;

use super::*;
use crate::config::OnInvalidUtf8;
use crate::hive_type;
use crate::serdes::plan_serde;
use crate::serdes::test_rows::{assert_every_path, block};

const TUTORIAL: &str = r"^(?!#)([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+[^(]+[(]([^;]+).*\%20([^/]+)[/](.*)$";
const LINE: &str = "2014-07-05\t20:00:00\tLHR3\t4260\t10.0.0.15\tGET\teabcd12345678.cloudfront.net\t/test-image-1.jpeg\t200\t-\tMozilla/5.0%20(MacOS;%20U;%20Windows%20NT%205.1;%20en-US;%20rv:1.9.0.9)%20Gecko/2009040821%20IE/3.0.9";

fn schema(types: &[DataType]) -> SchemaRef {
    let field =
        |(column_idx, data_type): (usize, &DataType)| Field::new(format!("c{column_idx}"), data_type.clone(), true);
    Arc::new(Schema::new(types.iter().enumerate().map(field).collect::<Vec<_>>()))
}

fn strings(n_columns: usize) -> SchemaRef {
    schema(&vec![DataType::Utf8View; n_columns])
}

fn tutorial_columns() -> SchemaRef {
    let mut types = vec![DataType::Utf8View; 13];
    types[0] = DataType::Date32;
    types[3] = DataType::Int32;
    types[8] = DataType::Int32;
    schema(&types)
}

fn plan(class: &str, pairs: &[(&str, &str)], schema: &SchemaRef, config: &SerdeConfig) -> Result<Arc<dyn TableSerde>> {
    let properties = pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    plan_serde(class, &properties, schema, config)
}

fn plan_regex(pattern: &str, schema: &SchemaRef, config: &SerdeConfig) -> Result<Arc<dyn TableSerde>> {
    plan(REGEX_SERDE, &[("input.regex", pattern)], schema, config)
}

#[track_caller]
fn check(pattern: &str, schema: &SchemaRef, data: &[u8], expect: &[&str]) -> BadRecords {
    let serde = plan_regex(pattern, schema, &SerdeConfig::default()).unwrap();
    assert_every_path(serde.as_ref(), schema.fields().len(), &block(data), expect)
}

/// The groups of one line, between bars; `no match` if it does not.
#[track_caller]
fn check_groups(pattern: &str, text: &str, expect: &str) {
    let analysis = analyse(pattern, LetterCase::Sensitive).unwrap_or_else(|e| panic!("{pattern}: {e}"));
    let groups: Vec<usize> = (1..=analysis.n_groups).collect();
    let mut matcher = Matcher::new(analysis.compile(&groups, 100_000).unwrap_or_else(|e| panic!("{pattern}: {e}")));
    let found = matcher.find_alone(text).unwrap();
    let text_of = |group: Option<Range<usize>>| group.map_or("NULL", |group| &text[group]);
    let texts = found.map(|found| found.into_iter().map(text_of).collect::<Vec<_>>().join("|"));
    assert_eq!(texts.as_deref().unwrap_or("no match"), expect, "{pattern} on {text:?}");
    let mut without_groups = Matcher::new(analysis.compile(&[], 100_000).unwrap());
    assert_eq!(without_groups.find_alone(text).unwrap().is_some(), texts.is_some(), "{pattern} on {text:?}");
}

#[test]
fn the_tutorial() {
    let expect = "2014-07-05|20:00:00|LHR3|4260|10.0.0.15|GET|eabcd12345678.cloudfront.net|/test-image-1.jpeg|200|-|MacOS|IE|3.0.9";
    let nulls = ["NULL"; 13].join("|");
    let data = format!("#Version: 1.0\n{LINE}\n\n#{LINE}\n{}\n", LINE.replace("4260", "-"));
    let with_null = expect.replace("4260", "NULL");
    let expect = [&nulls, expect, &nulls, &nulls, &with_null];
    let bad = check(TUTORIAL, &tutorial_columns(), data.as_bytes(), &expect);
    assert_eq!((bad.malformed, bad.failed_conversions), (3, 1));
    let first = bad.first_malformed.unwrap();
    assert_eq!((first.byte_offset, first.record.as_str()), (1000, "#Version: 1.0"));
    assert_eq!(first.reason, "does not match input.regex");
    assert_eq!(bad.first_failed_conversion.unwrap().reason, "\"-\" is not an int (column c3)");
    let serde = plan_regex(TUTORIAL, &tutorial_columns(), &SerdeConfig::default()).unwrap();
    let description = "RegexSerDe, 13 groups, tier 1 (field program); look-ahead `(?!#)` peeled off as a prefix test";
    assert_eq!(serde.describe(), description);
    assert!(serde.warnings().is_empty());
}

#[test]
fn the_whole_line_must_match() {
    check_groups("(a)", "a", "a");
    check_groups("(a)", "ab", "no match");
    check_groups("(a)|(b)", "b", "NULL|b");
    check_groups("a|ab", "ab", "");
    check_groups("(a|ab)(c?)", "abc", "ab|c");
    check_groups("", "", "");
    check_groups("(a*?)(a*)", "aa", "|aa");
    check_groups("(.*)", "a\nb", "a\nb");
    check_groups("((a)|b)+", "ab", "b|a");
}

#[test]
fn javas_escapes() {
    check_groups(r"\t\n\r\f\a\e\cA\x41\u0042\x{43}\0101\0377", "\t\n\r\x0c\x07\x1b\x01ABCA\u{ff}", "");
    check_groups(r"\ud83d\ude00", "😀", "");
    check_groups(r"(\Q.*[\E+)(\Qx)\E)", ".*[[[x)", ".*[[[|x)");
    check_groups(r"\Q(a", "(a", "");
    check_groups(r"(\d+)(\D+)", "12é٣", "12|é٣");
    check_groups(r"(\s+)(\S+)", " \t\x0b\u{a0}", " \t\x0b|\u{a0}");
    check_groups(r"(\w+)(\W+)", "a_9é", "a_9|é");
    check_groups(r"(\h)(\v)(\R)(\H)(\V)", "\u{3000}\u{2028}\r\nab", "\u{3000}|\u{2028}|\r\n|a|b");
    check_groups(r"\%\/\ \<\-\!\@\é", "%/ <-!@é", "");
    check_groups(
        r"(\p{Alpha}+)(\p{Punct})(\p{javaLowerCase})(\P{Digit})(\pL)(\p{IsLatin})(\p{Lu})",
        "ab?éxyzÄ",
        "ab|?|é|x|y|z|Ä",
    );
    check_groups(r"(.*)\b(.*?)", "a b", "a b|");
    check_groups(r"(a\B.*)", "aé", "aé");
}

#[test]
fn javas_classes() {
    check_groups("([]a]+)([^]]+)", "]ab", "]a|b");
    check_groups("([A-Z0-9-_]+)([-.0-9]+)", "A-_9.-", "A-_9|.-");
    check_groups("([a-]+)", "a-", "a-");
    check_groups("([a-c[x-z]]+)", "axc", "axc");
    check_groups("([a-z&&[^aeiou]]+)(.*)", "bcae", "bc|ae");
    check_groups("([a-z&&b-d&&[c]]+)(.*)", "ccb", "cc|b");
    check_groups("([^a-z&&[^0-9]]+)", "AB-", "AB-");
    check_groups(r"([\[\]\\^]+)", "[]\\^", "[]\\^");
    check_groups(r"([^\s\d]+)(.*)", "ab1", "ab|1");
    check_groups(r"([&a]+)", "a&", "a&");
    check_groups(r"([\x41-\u0043]+)", "ABC", "ABC");
    check_groups(r"[a&&b]|(.)", "a", "a");
    check_groups("([[a-c]-]+)", "a-", "a-");
}

#[test]
fn flags_and_case() {
    check_groups("(?i)(abc)(?-i)(d)", "ABCd", "ABC|d");
    check_groups("(?i:a)b", "AB", "no match");
    check_groups("(?i)(é)", "É", "no match");
    check_groups("(?i)([a-c]+)([^x])", "ABCX", "no match");
    check_groups("(?x) ( a b ) # comment", "ab", "ab");
    check_groups("(?-s)(.*)", "a\nb", "no match");
    check_groups("(?m)(a)$\n^(b)$", "a\nb", "a|b");
    let schema = strings(1);
    let pairs = [("input.regex", "(abc)"), ("input.regex.case.insensitive", "TRUE")];
    let serde = plan(REGEX_SERDE, &pairs, &schema, &SerdeConfig::default()).unwrap();
    assert_every_path(serde.as_ref(), 1, &block(b"aBc\nabd"), &["aBc", "NULL"]);
}

#[test]
fn what_takes_no_characters_may_be_repeated() {
    check_groups(r"(^)?+\b{2}(?!b)*(\z+)?a?", "", "no match");
    check_groups(r"(^)?(?!b)*(\z+)?a?", "", "|");
    check_groups(r"(^)*(\B){0,2}", "", "NULL|NULL");
    check_groups(r"(\2)?(.)", "a", "NULL|a");
}

#[test]
fn ends_of_lines() {
    check_groups("(.*)$", "a\r", "a\r");
    check_groups(r"(a)$(\r?)", "a\r", "a|\r");
    check_groups(r"(a\r)$(\n)", "a\r\n", "no match");
    check_groups(r"(a)\Z(.*)", "a\n", "a|\n");
    check_groups(r"(a)\z(.*)", "a\n", "no match");
    check_groups("^(?!$)(.*)$", "", "no match");
    check_groups("^(?!$)(.*)$", "a", "a");
    check_groups(r"\A\G^(a$|b$)", "a", "a");
}

#[test]
fn look_around_back_references_and_possession() {
    check_groups("(?=a)(?!ab)(..)", "ac", "ac");
    check_groups("(?=a)(?!ab)(..)", "ab", "no match");
    check_groups("(.*)(?=c)(.*)", "abc", "ab|c");
    check_groups("(.*)(?<=b)(.*)(?<!x)", "abc", "ab|c");
    check_groups(r"(.)(.)\2\1", "abba", "a|b");
    check_groups(r"(a)\11", "aa1", "a");
    check_groups(r"(?<q>['])(.*?)\k<q>", "'a'", "'|a");
    check_groups("(a*+)(.*)", "aab", "aa|b");
    check_groups("(a*+)a", "aa", "no match");
    check_groups("((?>a|ab))c", "abc", "no match");
    check_groups("((?=(a)).*)", "ab", "ab|a");
    check_groups(r"(?=a)\b(a)\b", "a", "a");
    check_groups(r"(.*)(?=b)\B(.*)", "ab", "a|b");
}

#[test]
fn only_look_aheads_without_groups_are_peeled_off() {
    let describe = |pattern| plan_regex(pattern, &strings(1), &SerdeConfig::default()).unwrap().describe();
    let peeled = "RegexSerDe, 1 group, tier 1 (field program); look-ahead `(?!#)` peeled off as a prefix test";
    assert_eq!(describe("^(?!#)(.*)"), peeled);
    let tier_3 = "RegexSerDe, 1 group, tier 3 (backtracking, with a limit): ";
    assert_eq!(describe("(a)(?!b).*"), format!("{tier_3}\"(?!b)\" looks around"));
    assert_eq!(describe("(?=(a)).*"), format!("{tier_3}\"(?=(a))\" looks around"));
    assert_eq!(describe("(a)$"), "RegexSerDe, 1 group, tier 1 (field program)");
}

#[test]
fn what_does_not_compile_says_where() {
    let message = |pattern: &str| {
        let error = plan_regex(pattern, &strings(1), &SerdeConfig::default()).unwrap_err();
        assert_eq!(error.code(), codes::BAD_REGEX, "{pattern}");
        error.message().to_owned()
    };
    let place = "input.regex does not compile: `(` without its `)` at character 2 of the pattern: a <here> (b";
    assert_eq!(message("a(b"), place);
    assert_eq!(
        message(r"a\X"),
        r"input.regex does not compile: Java's `\X` is not supported, at character 2 of the pattern: a <here> \X"
    );
    for pattern in [
        "a)",
        "*a",
        "a**",
        "[a",
        "[",
        "[]",
        "[^]",
        "[b-a]",
        "a{",
        "a{2,1}",
        "{",
        "a\\",
        r"\p{Nope}",
        r"\p{InGreek}",
        r"\xZ",
        r"\u12",
        r"\ud83d",
        r"\08",
        "(?<1a>x)",
        "(?<a>x)(?<a>y)",
        r"\k<a>",
        "(?u)a",
        "(?z)",
        r"[\b]",
        r"(?i)(a)\1",
        r"\E",
        "a{1000}{1000}{1000}",
        &"(".repeat(1000),
        &"[".repeat(1000),
    ] {
        message(pattern);
    }
}

#[test]
fn conversions_are_javas() {
    let types = [
        DataType::Int8,
        DataType::Int64,
        DataType::Float32,
        DataType::Float64,
        DataType::Boolean,
        DataType::Date32,
        hive_type::timestamp(),
        DataType::Decimal128(5, 2),
        DataType::Utf8View,
    ];
    let pattern = "([^,]*),([^,]*),([^,]*),([^,]*),([^,]*),([^,]*),([^,]*),([^,]*)(?:,(.*))?";
    let bad = check(
        pattern,
        &schema(&types),
        b"1,+2,1.5, 1e3 ,TRUE,2014-7-5,2014-07-05 20:00:00.5,1.005,x\n1.0, 2,NaN,0x1p3,1,2014-02-x0,2014-07-05, 1\n,,,,,,,,\nno\n",
        &[
            "1|2|1.5|1000.0|true|2014-07-05|2014-07-05 20:00:00.5|1.01|x",
            "NULL|NULL|NaN|8.0|false|NULL|NULL|NULL|NULL",
            "NULL|NULL|NULL|NULL|false|NULL|NULL|NULL|",
            "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
        ],
    );
    assert_eq!((bad.failed_conversions, bad.malformed), (5 + 7, 1));
    // A group that took no part: a boolean is false even then, and nothing is counted.
    let types = [DataType::Boolean, DataType::Int32, DataType::Utf8View];
    let bad = check("a|(b)(c)(d)", &schema(&types), b"a\nx", &["false|NULL|NULL", "NULL|NULL|NULL"]);
    assert_eq!((bad.failed_conversions, bad.malformed), (0, 1));
}

#[test]
fn lines_that_do_not_match_can_be_skipped_or_fail() {
    let read = |on_mismatch| {
        let config = SerdeConfig { on_mismatch, ..SerdeConfig::default() };
        let mut deserializer = plan_regex("(a+)", &strings(1), &config).unwrap().deserializer(&[0], &[]).unwrap();
        let batch = deserializer.deserialize(&block(b"a\nx\naa\n"), 0..3)?;
        Ok::<_, Error>((batch.num_rows(), deserializer.take_bad_records().malformed))
    };
    assert_eq!(read(OnMismatch::Null).unwrap(), (3, 1));
    assert_eq!(read(OnMismatch::Skip).unwrap(), (2, 1));
    let error = read(OnMismatch::Fail).unwrap_err();
    assert_eq!(error.code(), codes::MALFORMED_RECORD);
    assert_eq!(error.message(), "a line does not match input.regex, at byte 1002: x");
}

#[test]
fn wrong_bytes_are_decoded_before_they_are_matched() {
    let data = b"a\xffb \xc3x\nok 1\n";
    let bad = check("([^ ]{3}|ok) (.*)", &strings(2), data, &["a\u{fffd}b|\u{fffd}x", "ok|1"]);
    assert_eq!(bad.invalid_utf8, 1);
    let config = SerdeConfig { on_invalid_utf8: OnInvalidUtf8::Fail, ..SerdeConfig::default() };
    let mut deserializer = plan_regex("(.*)", &strings(1), &config).unwrap().deserializer(&[], &[]).unwrap();
    assert_eq!(deserializer.deserialize(&block(data), 0..2).unwrap_err().code(), codes::INVALID_UTF8);
}

#[test]
fn groups_and_columns() {
    let config = SerdeConfig::default();
    let strict = SerdeConfig { strict: true, ..SerdeConfig::default() };
    let serde = plan_regex("(a)(b)", &strings(1), &config).unwrap();
    assert_every_path(serde.as_ref(), 1, &block(b"ab"), &["a"]);
    assert_eq!(serde.warnings().len(), 1);
    let message = "number of matching groups (2) doesn't match the number of columns (1)";
    let error = plan_regex("(a)(b)", &strings(1), &strict).unwrap().deserializer(&[], &[]).err().unwrap();
    assert_eq!((error.code(), error.message()), (codes::GROUPS_DO_NOT_MATCH, message));
    let error = plan_regex("(?:a)", &strings(1), &config).unwrap().deserializer(&[], &[]).err().unwrap();
    assert_eq!(error.code(), codes::GROUPS_DO_NOT_MATCH);
}

#[test]
fn columns_that_are_refused() {
    let message = |class, data_type| {
        let error =
            plan(class, &[("input.regex", "(.*)")], &schema(&[data_type]), &SerdeConfig::default()).unwrap_err();
        assert_eq!(error.code(), codes::UNSUPPORTED_TYPE);
        error.message().to_owned()
    };
    let list = DataType::List(Arc::new(Field::new("item", DataType::Int32, true)));
    let expect = "org.apache.hadoop.hive.serde2.RegexSerDe doesn't allow column [0] named c0 with type array<int>";
    assert_eq!(message(REGEX_SERDE, list), expect);
    message(REGEX_SERDE, DataType::Binary);
    message(CONTRIB_REGEX_SERDE, DataType::Int32);
    let error = plan(REGEX_SERDE, &[], &strings(1), &SerdeConfig::default()).unwrap_err();
    assert_eq!(error.message(), "This table does not have serde property \"input.regex\"!");
    let serde = plan_regex("(.*)", &strings(1), &SerdeConfig::default()).unwrap();
    assert_eq!(serde.serializer().err().unwrap().message(), "Regex SerDe doesn't support the serialize() method");
}

#[test]
fn the_elder_class() {
    let pairs = [("input.regex", "(a)(b)?(c)"), ("output.format.string", "%2$s-%1$s")];
    let serde = plan(CONTRIB_REGEX_SERDE, &pairs, &strings(2), &SerdeConfig::default()).unwrap();
    assert_every_path(serde.as_ref(), 2, &block(b"abc\nac\nx"), &["a|b", "a|NULL", "NULL|NULL"]);
    let column: Arc<dyn arrow::array::Array> = Arc::new(StringArray::from(vec![Some("x"), None]));
    let batch = RecordBatch::try_from_iter([("a", Arc::clone(&column)), ("b", column)]).unwrap();
    let mut out = Vec::new();
    serde.serializer().unwrap().serialize(&batch, &mut out).unwrap();
    assert_eq!(out, b"x-x\nnull-null\n");
    let wider = plan(CONTRIB_REGEX_SERDE, &pairs[..1], &strings(5), &SerdeConfig::default()).unwrap();
    assert_every_path(wider.as_ref(), 5, &block(b"abc"), &["a|b|c|NULL|NULL"]);
    wider.serializer().err().unwrap();
    let without = plan(CONTRIB_REGEX_SERDE, &[], &strings(1), &SerdeConfig::default()).unwrap();
    without.deserializer(&[0], &[]).err().unwrap();
}

#[test]
fn evil_patterns_end_at_the_limit() {
    let start = Instant::now();
    let mut n_limited = 0;
    for (pattern, line) in [
        (r"(a+)+\1b", "a".repeat(5000)),
        (r"((?:a|a)*)\1c", "a".repeat(60)),
        (r"(?:(a)|a)*(?=b)c", "a".repeat(60)),
        (r"(.*)(?:.*)(?:.*)(?:.*)(?:.*)\1x\1", "ab".repeat(3000)),
    ] {
        let serde = plan_regex(pattern, &strings(1), &SerdeConfig::default()).unwrap();
        let mut deserializer = serde.deserializer(&[0], &[]).unwrap();
        match deserializer.deserialize(&block(line.as_bytes()), 0..1) {
            // Some are seen through, and that is an answer too.
            Ok(_) => assert_eq!(deserializer.take_bad_records().malformed, 1, "{pattern}"),
            Err(error) => {
                assert_eq!(error.code(), codes::REGEX_LIMIT, "{pattern}");
                n_limited += 1;
            }
        }
    }
    assert!(n_limited >= 2, "{n_limited}");
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    // The linear engine has no such lines.
    check("(a+)+$", &strings(1), format!("{}b", "a".repeat(5000)).as_bytes(), &["NULL"]);
}

/// A pattern as this room runs it, and as one backtracking engine does.
struct Agreement {
    serde: Arc<dyn TableSerde>,
    reference: fancy_regex::Regex,
    n_groups: usize,
}

impl Agreement {
    fn new(pattern: &str, n_groups: usize) -> Self {
        let spelled = pattern.replace(r"\s", r"[ \t\n\x0B\f\r]").replace(r"\%", "%");
        let reference = fancy_regex::Regex::new(&format!(r"(?s)\A(?:{spelled})\z")).unwrap();
        let serde = plan_regex(pattern, &strings(n_groups), &SerdeConfig::default()).unwrap();
        Agreement { serde, reference, n_groups }
    }

    #[track_caller]
    fn check(&self, lines: &[String]) {
        // The naive engine has no answer for a few lines, since it gives up.
        let answered = lines.iter().filter_map(|line| Some((line.as_str(), self.slow_groups(line)?.join("|"))));
        let (lines, expect): (Vec<&str>, Vec<String>) = answered.unzip();
        let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
        let data: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        assert_every_path(self.serde.as_ref(), self.n_groups, &block(data.as_bytes()), &expect);
    }

    /// `None` where the naive engine gives up.
    fn slow_groups<'a>(&self, line: &'a str) -> Option<Vec<&'a str>> {
        let captures = match self.reference.captures(line) {
            Err(fancy_regex::Error::RuntimeError(fancy_regex::RuntimeError::BacktrackLimitExceeded)) => return None,
            captures => captures.unwrap(),
        };
        Some(match captures {
            None => vec!["NULL"; self.n_groups],
            Some(captures) => {
                let group = |group| captures.get(group).map_or("NULL", |group| group.as_str());
                (1..=self.n_groups).map(group).collect()
            }
        })
    }
}

static AGREEMENTS: LazyLock<Vec<Agreement>> = LazyLock::new(|| {
    vec![
        Agreement::new(TUTORIAL, 13),
        Agreement::new(r#"^(?!#)([^ ]*?)\s*(-|[0-9]*)(?: ([^ "]*))?(|%20.*)$"#, 4),
        Agreement::new(r"(\s*)([^;]*?)(?:;(.*))?(?=a)(.*)", 4),
        Agreement::new(r"(a*+)(.)?(?<!;)(\2*)(?>[#/]*)(.*)", 4),
    ]
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tutorial_agrees_with_a_naive_engine(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), "[ \t#(;/%20é]{0,3}"), 0..4),
    ) {
        let mut lines = vec![LINE.to_owned()];
        for (place, text) in cuts {
            let mut line = lines[lines.len() - 1].clone();
            let place = place.index(line.len());
            if line.is_char_boundary(place) {
                line.insert_str(place, &text);
                lines.push(line);
            }
        }
        AGREEMENTS[0].check(&lines);
    }

    #[test]
    fn hostile_lines_agree_with_a_naive_engine(
        lines in prop::collection::vec("[ \t#(;/%20aé\r]{0,40}", 1..4),
    ) {
        AGREEMENTS.iter().for_each(|agreement| agreement.check(&lines));
    }

    #[test]
    fn any_pattern_finds_the_same_groups_whatever_was_asked_for(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "a", "b?", "[ab]*", "[^a]+?", ".", "(a)", "(b|c)?", "(a*?)", "(?:ab|a)", "(c+)", "(?:(a)|b)*", "((a)b)?", "$",
                "(?=a)", "(|c)", "(?:a|(b))+",
            ]),
            0..6,
        ),
        line in "[abc]{0,8}",
        dropped in any::<u64>(),
    ) {
        let pattern = pieces.concat();
        let analysis = analyse(&pattern, LetterCase::Sensitive).unwrap();
        let find =
            |groups: &[usize]| Matcher::new(analysis.compile(groups, 1_000_000).unwrap()).find_alone(&line).unwrap();
        let all: Vec<usize> = (1..=analysis.n_groups).collect();
        let found = find(&all);
        let reference = fancy_regex::Regex::new(&format!(r"(?s)\A(?:{pattern})\z")).unwrap();
        let captures = reference.captures(&line).unwrap();
        let expect = captures.map(|captures| {
            all.iter().map(|&group| captures.get(group).map(|group| group.range())).collect::<Vec<_>>()
        });
        assert_eq!(found, expect, "{pattern} on {line:?}");
        let some: Vec<usize> = all.iter().copied().filter(|group| dropped >> group & 1 == 0).rev().collect();
        let expect = found.map(|found| some.iter().map(|&group| found[group - 1].clone()).collect());
        assert_eq!(find(&some), expect, "{pattern} on {line:?}");
    }
}
