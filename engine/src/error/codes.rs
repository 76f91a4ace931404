//! The stable names of errors: `LQ0102` and its kin, each with its kind and its long explanation.
//!
//! A code is never used again for something else. Ranges: 00xx syntax, 01xx meaning, 02xx unsupported, 03xx
//! configuration, 04xx storage, 05xx data, 06xx limits, 07xx tasks, 08xx commit, 09xx cancelled and internal.

use std::fmt;

use super::Kind;

/// The stable name of one error.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LQ{:04}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! codes {
    ($( $(#[doc = $doc:literal])+ $name:ident = $number:literal, $kind:ident; )+) => {
        $( $(#[doc = $doc])+ pub const $name: Code = Code($number); )+

        impl Code {
            /// Every code there is, ascending.
            pub const ALL: &'static [Code] = &[$($name),+];

            /// Whose move it is.
            pub fn kind(self) -> Kind {
                match self.0 {
                    $( $number => Kind::$kind, )+
                    _ => Kind::Internal,
                }
            }

            /// The long text that `logq explain-error` prints.
            pub fn explanation(self) -> &'static str {
                match self.0 {
                    $( $number => concat!($($doc, "\n"),+), )+
                    _ => "",
                }
            }
        }
    };
}

codes! {
    /// The text is not a HiveQL statement: a word or sign stands where another was expected.
    SYNTAX = 1, Syntax;
    /// A string, a back-quoted name or a comment is opened and never closed.
    UNTERMINATED = 2, Syntax;
    /// A literal cannot be read: a number out of range, a wrong date.
    BAD_LITERAL = 3, Syntax;
    /// Variable substitution did not come to an end after 40 rounds, as in Hive.
    SUBSTITUTION_DEPTH = 4, Syntax;
    /// A statement is nested deeper than the limit.
    NESTING_DEPTH = 5, Syntax;

    /// The statement means nothing here.
    SEMANTIC = 100, Semantic;
    /// There is no table or view of this name in this database.
    UNKNOWN_TABLE = 101, Semantic;
    /// No table of the query has a column of this name.
    UNKNOWN_COLUMN = 102, Semantic;
    /// There is no function of this name.
    UNKNOWN_FUNCTION = 103, Semantic;
    /// There is no database of this name.
    UNKNOWN_DATABASE = 104, Semantic;
    /// A table or view of this name exists already.
    TABLE_EXISTS = 105, Semantic;
    /// A database of this name exists already.
    DATABASE_EXISTS = 106, Semantic;
    /// A function was called with arguments that it does not take.
    WRONG_ARGUMENTS = 107, Semantic;
    /// Types that do not go together.
    TYPE_MISMATCH = 108, Semantic;
    /// A column name fits more than one table of the query.
    AMBIGUOUS_COLUMN = 109, Semantic;
    /// A SerDe property is missing or cannot be used.
    BAD_SERDE_PROPERTY = 110, Semantic;
    /// The regular expression of a RegexSerDe, or of a function, does not compile.
    BAD_REGEX = 111, Semantic;
    /// The database still holds tables; CASCADE drops them with it.
    DATABASE_NOT_EMPTY = 112, Semantic;
    /// A table has the same column twice.
    DUPLICATE_COLUMN = 113, Semantic;

    /// HiveQL that logq reads and does not execute yet.
    UNSUPPORTED = 200, Unsupported;
    /// A SerDe or file format that logq does not read or write yet.
    UNSUPPORTED_SERDE = 201, Unsupported;
    /// A type that logq does not read or write in this place yet.
    UNSUPPORTED_TYPE = 202, Unsupported;
    /// A function of Hive that logq does not have yet.
    UNSUPPORTED_FUNCTION = 203, Unsupported;
    /// A path whose scheme logq does not read or write yet.
    UNSUPPORTED_SCHEME = 204, Unsupported;

    /// A setting has a value that it cannot have.
    BAD_SETTING = 300, Config;
    /// The output lies on, in or around one of the inputs, or of the other outputs.
    OUTPUT_OVERLAPS_INPUT = 301, Config;
    /// A flag or an argument cannot be used as given.
    USAGE = 302, Config;

    /// A file or directory of the input does not exist.
    NOT_FOUND = 400, NotFound;
    /// The input may not be read, or the output not be written, with the rights of this process.
    ACCESS_DENIED = 401, AccessDenied;
    /// Reading, writing or listing failed.
    STORAGE = 402, Storage;
    /// A table's location holds no file to read.
    NO_INPUT_FILES = 403, NotFound;

    /// A compressed file is corrupt: wrong checksum, bits flipped, or bytes after its end.
    CORRUPT_FILE = 500, Data;
    /// A file ends before its data does.
    TRUNCATED_FILE = 501, Data;
    /// A file changed while it was read.
    FILE_CHANGED = 502, Data;
    /// A file's name says that it is compressed, and its bytes say otherwise.
    NOT_COMPRESSED = 503, Data;
    /// A record could not be read and the settings say that this is an error.
    MALFORMED_RECORD = 504, Data;
    /// A record holds bytes that are not UTF-8 and the settings say that this is an error.
    INVALID_UTF8 = 505, Data;
    /// The number of groups of the regular expression is not the number of columns.
    GROUPS_DO_NOT_MATCH = 506, Data;

    /// The memory limit does not suffice and the operator cannot spill.
    MEMORY_LIMIT = 600, ResourceLimit;
    /// The disk is full, or the limit of temporary files is reached.
    DISK_LIMIT = 601, ResourceLimit;
    /// A regular expression took more steps than the limit on one record.
    REGEX_LIMIT = 602, ResourceLimit;
    /// A record is longer than the limit.
    RECORD_TOO_LONG = 603, ResourceLimit;
    /// The run took longer than the time that it was given.
    TIME_LIMIT = 604, ResourceLimit;

    /// A task failed.
    TASK_FAILED = 700, TaskFailed;
    /// A task panicked; the job failed, the process did not.
    TASK_PANICKED = 701, TaskFailed;
    /// An expression failed on a row.
    EXECUTION = 702, TaskFailed;

    /// The output could not be made final.
    COMMIT = 800, Commit;
    /// Another run is writing the same output.
    OUTPUT_LOCKED = 801, Commit;

    /// The job was stopped by the user.
    CANCELLED = 900, Cancelled;
    /// A bug of logq.
    INTERNAL = 901, Internal;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_explain_themselves() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(Code::ALL.iter().all(|code| !code.explanation().trim().is_empty()));
        assert_eq!(UNKNOWN_COLUMN.to_string(), "LQ0102");
    }
}
