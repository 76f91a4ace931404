//! `logq explain-error CODE`: the long text of an error code.

use std::io::Write;

use clap::Args;
use logq_engine::error::{Code, Error, Result, codes};

use crate::exit_code;

/// Explains an error code
#[derive(Debug, Args)]
pub struct ExplainErrorArgs {
    /// As it stands in an error: `LQ0102`
    pub code: String,
}

/// Prints the explanation.
pub fn run(args: &ExplainErrorArgs) -> Result<()> {
    let text = explanation(&args.code)?;
    // A closed pipe is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn explanation(name: &str) -> Result<String> {
    let code = find(name).ok_or_else(|| {
        let error = Error::new(codes::USAGE, format!("there is no error code `{}`", name.escape_debug()));
        error.with_hint("codes look like `LQ0102`")
    })?;
    let mut text = format!("{code}\n\n");
    for line in code.explanation().trim_end().lines() {
        text.push_str(line.trim());
        text.push('\n');
    }
    text.push_str(&format!("\nExit code: {}\n", exit_code::of_kind(code.kind())));
    Ok(text)
}

/// The code of this name, in any case, with or without its `LQ` and leading zeros.
fn find(name: &str) -> Option<Code> {
    let upper = name.trim().to_uppercase();
    let digits = upper.strip_prefix("LQ").unwrap_or(&upper);
    let wanted = format!("LQ{digits:0>4}");
    Code::ALL.iter().copied().find(|code| code.to_string() == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_explained() {
        let expected = "LQ0102\n\nNo table of the query has a column of this name.\n\nExit code: 3\n";
        for name in ["LQ0102", "lq0102", "102"] {
            assert_eq!(explanation(name).unwrap(), expected);
        }
    }

    #[test]
    fn an_unknown_code_is_a_usage_error() {
        let error = explanation("LQ9999").unwrap_err();
        assert_eq!(error.message(), "there is no error code `LQ9999`");
        assert_eq!(exit_code::of(&error), 2);
    }
}
