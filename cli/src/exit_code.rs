//! Exit codes: a contract with schedulers. The kind of an error decides, never its text.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done; also when the reader of standard output went away |
//! | 1 | the query failed at run time |
//! | 2 | usage or configuration |
//! | 3 | the SQL does not parse or does not mean anything |
//! | 4 | input missing or access denied |
//! | 5 | corrupt or changed input |
//! | 6 | output conflict, commit lost |
//! | 7 | resource limit: memory, disk, time |
//! | 130, 143 | stopped by SIGINT, by SIGTERM |

use std::error::Error as _;

use logq_engine::error::{Error, Kind};

/// The exit code of an interrupt from the keyboard: 128 + SIGINT.
pub const INTERRUPTED: u8 = 130;

/// The exit code of a limit that was reached.
pub const RESOURCE_LIMIT: u8 = 7;

/// The exit code of a process that ends with `error`.
///
/// A task's failure takes the code of its cause: the first error beneath it that is more precise.
pub fn of(error: &Error) -> u8 {
    let mut code = of_kind(error.kind());
    let mut cause = error.source();
    while let Some(beneath) = cause
        && code == 1
        && error.kind() != Kind::Internal
    {
        if let Some(beneath) = beneath.downcast_ref::<Error>() {
            code = of_kind(beneath.kind());
        }
        cause = beneath.source();
    }
    code
}

/// The exit code that belongs to a kind of error.
pub fn of_kind(kind: Kind) -> u8 {
    match kind {
        Kind::TaskFailed | Kind::Storage | Kind::Internal => 1,
        Kind::Config => 2,
        Kind::Syntax | Kind::Semantic | Kind::Unsupported => 3,
        Kind::NotFound | Kind::AccessDenied => 4,
        Kind::Data => 5,
        Kind::Commit => 6,
        Kind::ResourceLimit => RESOURCE_LIMIT,
        Kind::Cancelled => INTERRUPTED,
    }
}

#[cfg(test)]
mod tests {
    use logq_engine::error::codes;

    use super::*;

    #[test]
    fn the_kind_decides() {
        let check = |code, expected| assert_eq!(of(&Error::new(code, "x")), expected, "{code}");
        check(codes::SYNTAX, 3);
        check(codes::UNKNOWN_COLUMN, 3);
        check(codes::UNSUPPORTED_SCHEME, 3);
        check(codes::USAGE, 2);
        check(codes::OUTPUT_OVERLAPS_INPUT, 2);
        check(codes::NOT_FOUND, 4);
        check(codes::ACCESS_DENIED, 4);
        check(codes::STORAGE, 1);
        check(codes::TRUNCATED_FILE, 5);
        check(codes::MEMORY_LIMIT, 7);
        check(codes::COMMIT, 6);
        check(codes::TASK_FAILED, 1);
        check(codes::CANCELLED, 130);
        check(codes::INTERNAL, 1);
    }

    #[test]
    fn a_tasks_failure_takes_the_code_of_its_cause() {
        let cause = Error::new(codes::TRUNCATED_FILE, "the file ends early");
        let middle = Error::new(codes::TASK_FAILED, "attempt 3 failed").with_source(cause);
        assert_eq!(of(&Error::new(codes::TASK_FAILED, "task 7 failed").with_source(middle)), 5);
        assert_eq!(of(&Error::internal("x").with_source(Error::new(codes::NOT_FOUND, "y"))), 1);
    }
}
