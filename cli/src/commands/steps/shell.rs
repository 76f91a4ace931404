//! The text of `bash -c "…"` as commands, where it is no more than some of them, one after the other.
//!
//! Steps wrap `hive-script …` in a shell for its quotes, or to copy a file before or after. A text that needs a shell (a
//! variable, a pipe, a redirection) is refused with what it needs, since no shell runs here. Words are cut by `shlex`,
//! after POSIX; `;` and a line end are taken for `&&` where any failure before them would end the shell (`set -e`).

/// The words of each command of `text`, which are to run as if `&&` stood between them.
///
/// Errors: what in it needs a shell.
pub fn commands(text: &str, stops_at_failure: bool) -> Result<Vec<Vec<String>>, String> {
    let text = joined_lines(text);
    let text = text.as_str();
    let mut stops_at_failure = stops_at_failure;
    let mut commands: Vec<Vec<String>> = Vec::new();
    let mut ends_with_and = false;
    // A failure before `&&` does not end a shell, whatever was set.
    let mut may_be_skipped = false;
    for Piece { text: piece, end } in pieces(text)? {
        let Some(words) = shlex::split(piece) else {
            return Err(format!("the quotes of `{}` do not match", text.trim()));
        };
        let is_empty = words.is_empty();
        let is_set = words.first().is_some_and(|name| name == "set");
        if is_empty && (end == End::And || ends_with_and && end != End::Line) {
            return Err(format!("`&&` in `{}` has a command on one side only", text.trim()));
        }
        match words.split_first() {
            Some((name, options)) if name == "set" => stops_at_failure |= sets_e(options)?,
            _ if is_empty => {}
            _ => commands.push(words),
        }
        let ends_list = matches!(end, End::Semicolon | End::Line) && !is_empty;
        let goes_on_anyway = ends_list && (!stops_at_failure || may_be_skipped);
        // Behind the last command there is nothing to go on with.
        if goes_on_anyway && !rest_is_empty(text, piece) {
            let sign = if end == End::Line { "a line end" } else { "`;`" };
            let text = text.trim();
            return Err(match stops_at_failure {
                true => format!("{sign} in `{text}` goes on after a failure before `&&`, even below `set -e`"),
                false => format!("{sign} in `{text}` goes on after a failure, `&&` or `set -e` does not"),
            });
        }
        may_be_skipped = !ends_list && (may_be_skipped || end == End::And && !is_set);
        ends_with_and = end == End::And || is_empty && ends_with_and;
    }
    Ok(commands)
}

/// The text without backslashes at the ends of lines, and without those ends.
fn joined_lines(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None | Some('"'), '\\') => {
                match chars.next() {
                    Some('\n') => {}
                    escaped => joined.extend(std::iter::once(c).chain(escaped)),
                }
                continue;
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        joined.push(c);
    }
    joined
}

/// A command without what ends it.
struct Piece<'a> {
    text: &'a str,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    And,
    Semicolon,
    Line,
    Text,
}

/// Whether nothing but ends of commands follows `piece`, which is a part of `text`.
fn rest_is_empty(text: &str, piece: &str) -> bool {
    let end = piece.as_ptr() as usize - text.as_ptr() as usize + piece.len();
    text[end..].chars().all(|c| c == ';' || c.is_whitespace())
}

/// Whether the options of `set` make a shell end at the first failure. Errors: they do something else.
fn sets_e(options: &[String]) -> Result<bool, String> {
    let is_known = |option: &String| {
        option == "pipefail"
            || option.strip_prefix('-').is_some_and(|letters| letters.chars().all(|c| "eoux".contains(c)))
    };
    match options.iter().find(|option| !is_known(option)) {
        Some(option) => Err(format!("`set {option}` needs a shell")),
        None => Ok(options.iter().any(|option| option.starts_with('-') && option.contains('e'))),
    }
}

/// The text cut where an unquoted `&&`, `;` or line end stands.
///
/// Errors: the first sign that a shell would act upon in another way.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let refused = |sign: &str| Err(format!("`{sign}` in `{}` needs a shell", text.trim()));
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((place, c)) = chars.next() {
        let end = match (quote, c) {
            (None | Some('"'), '\\') => {
                chars.next();
                continue;
            }
            (Some(open), c) if c == open => {
                quote = None;
                continue;
            }
            (None, '\'' | '"') => {
                quote = Some(c);
                continue;
            }
            (None | Some('"'), '$' | '`') => return refused(expansion(&text[place..])),
            (None, '&') if text[place..].starts_with("&&") => {
                chars.next();
                End::And
            }
            (None, ';') if !text[place..].starts_with(";;") => End::Semicolon,
            (None, '\n') => End::Line,
            (None, '&' | ';' | '|' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '{' | '~' | '#') => {
                return refused(&text[place..place + c.len_utf8()]);
            }
            _ => continue,
        };
        pieces.push(Piece { text: &text[start..place], end });
        start = chars.offset();
    }
    pieces.push(Piece { text: &text[start..], end: End::Text });
    Ok(pieces)
}

/// What starts with `$` or a backquote, to be named: `$DT`, `${DT}`, `$(date +%F)`.
fn expansion(text: &str) -> &str {
    let end = match text.as_bytes() {
        [b'$', b'(', ..] => text.find(')').map(|end| end + 1),
        [b'$', b'{', ..] => text.find('}').map(|end| end + 1),
        [b'`', ..] => text[1..].find('`').map(|end| end + 2),
        _ => text[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(|end| end + 1),
    };
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn one(text: &str) -> Vec<String> {
        let mut commands = commands(text, false).unwrap();
        assert_eq!(commands.len(), 1, "{commands:?}");
        commands.remove(0)
    }

    #[test]
    fn words_with_quotes() {
        let check = |text: &str, expected: &[&str]| assert_eq!(one(text), expected, "{text}");
        check(
            "hive-script --run-hive-script --args -f s3://b/x.q",
            &["hive-script", "--run-hive-script", "--args", "-f", "s3://b/x.q"],
        );
        check(r#" hive -e "SELECT 1; SELECT '\$x'" "#, &["hive", "-e", "SELECT 1; SELECT '$x'"]);
        check(
            r"hive -e 'SELECT ${hivevar:a} * 2 && x' -d a=b\ c",
            &["hive", "-e", "SELECT ${hivevar:a} * 2 && x", "-d", "a=b c"],
        );
        check("hive -e \"it's\" \\\n-v", &["hive", "-e", "it's", "-v"]);
        check("\n hive -f x.q \\\n  -d a=1 ;\n\n", &["hive", "-f", "x.q", "-d", "a=1"]);
    }

    #[test]
    fn commands_one_after_the_other() {
        let check = |text: &str, stops: bool, expected: &[&str]| {
            let found: Vec<_> = commands(text, stops).unwrap().into_iter().map(|words| words.join(" ")).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("a 1 && b '&&' 2&&c", false, &["a 1", "b && 2", "c"]);
        check("a &&\n\n b", false, &["a", "b"]);
        check("a; b\nc", true, &["a", "b", "c"]);
        check("set -e\na; b\n", false, &["a", "b"]);
        check("set -euo pipefail && a\nb", false, &["a", "b"]);
        check("set -x && a", false, &["a"]);
        check("", false, &[]);
    }

    #[test]
    fn what_needs_a_shell() {
        for (text, what) in [
            ("hive -f x.q; echo done", "`;` in `hive -f x.q; echo done` goes on after a failure"),
            ("hive -f a\nhive -f b", "a line end in "),
            ("set -e; a && b; c", "`;` in `set -e; a && b; c` goes on after a failure before `&&`"),
            ("a && set -e; b", "`;` in "),
            ("set -x\nhive -f a\nhive -f b", "a line end in "),
            ("aws s3 cp a b & hive -f b", "`&` in "),
            ("hive -f x.q || true", "`|` in "),
            ("hive -f x.q > out", "`>` in "),
            ("hive -d DT=$(date +%F) -f x.q", "`$(date +%F)` in "),
            ("hive -d DT=${DT}", "`${DT}` in "),
            ("hive -d \"DT=$DT-1\"", "`$DT` in "),
            ("hive -e \"SELECT `x`\"", "``x`` in "),
            ("hive -f *.q", "`*` in "),
            ("case x in a) b;; esac", "`)` in "),
            ("hive -f a;; b", "`;` in "),
            ("hive -f a && && b", "`&&` in "),
            ("hive -f a &&", "`&&` in "),
            ("hive -f a && ; b", "`&&` in "),
            ("set -f; hive -f a", "`set -f` needs a shell"),
            ("hive -e 'x", "the quotes of "),
        ] {
            let found = commands(text, false).unwrap_err();
            assert!(found.starts_with(what), "{text}: {found}");
        }
    }
}
