//! The text of `bash -c "…"` as the words of one command, where it is no more than that.
//!
//! Steps wrap `hive-script …` in a shell for its quotes alone. A text that needs a shell (a variable, a pipe, a second
//! command) is refused with what it needs, since no shell runs here. Words are cut by `shlex`, after POSIX.

/// The words of `text`.
///
/// Errors: what in it needs a shell.
pub fn simple_command(text: &str) -> Result<Vec<String>, String> {
    if let Some(sign) = first_operator(text.trim()) {
        return Err(format!("`{sign}` in `{}` needs a shell", text.trim()));
    }
    match shlex::split(text) {
        Some(words) => Ok(words),
        None => Err(format!("the quotes of `{}` do not match", text.trim())),
    }
}

/// The first character that a shell would act upon.
fn first_operator(text: &str) -> Option<char> {
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None | Some('"'), '\\') => drop(chars.next()),
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None | Some('"'), '$' | '`') => return Some(c),
            (None, ';' | '&' | '|' | '<' | '>' | '(' | ')' | '\n' | '*' | '?' | '[' | '{' | '~' | '#') => {
                return Some(c);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_quotes() {
        let check = |text: &str, expected: &[&str]| assert_eq!(simple_command(text).unwrap(), expected, "{text}");
        check(
            "hive-script --run-hive-script --args -f s3://b/x.q",
            &["hive-script", "--run-hive-script", "--args", "-f", "s3://b/x.q"],
        );
        check(r#" hive -e "SELECT 1; SELECT '\$x'" "#, &["hive", "-e", "SELECT 1; SELECT '$x'"]);
        check(
            r"hive -e 'SELECT ${hivevar:a} * 2' -d a=b\ c",
            &["hive", "-e", "SELECT ${hivevar:a} * 2", "-d", "a=b c"],
        );
    }

    #[test]
    fn what_needs_a_shell() {
        for (text, sign) in [
            ("hive -f x.q; echo done", ';'),
            ("aws s3 cp a b && hive -f b", '&'),
            ("hive -f x.q > out", '>'),
            ("hive -d DT=$(date +%F) -f x.q", '$'),
            ("hive -e \"SELECT `x`\"", '`'),
            ("hive -f *.q", '*'),
            ("hive -f a\nhive -f b", '\n'),
        ] {
            assert!(simple_command(text).unwrap_err().starts_with(&format!("`{sign}` in ")), "{text}");
        }
        assert!(simple_command("hive -e 'x").unwrap_err().contains("quotes"));
    }
}
