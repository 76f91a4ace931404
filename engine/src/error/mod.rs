//! The one error of the engine: a code, a message, a place, hints and a cause.
//!
//! A [`Kind`] says whose move it is; retry policy and exit codes look at the kind, never at the text. A [`Code`] is
//! the stable name of one error (`LQ0102`) and decides the kind. The place is added at doorways: `hiveql` knows a
//! span, `input` a byte offset, `table` the file, `exec` the attempt.

pub mod codes;
mod foreign;
mod suggestion;

use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use codes::Code;
pub use suggestion::nearest;

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The text is not HiveQL.
    Syntax,
    /// The text is HiveQL and does not mean anything here: unknown table, wrong type.
    Semantic,
    /// HiveQL that logq does not execute (yet).
    Unsupported,
    /// A flag, a setting or a plan that cannot be used as asked, found before anything ran.
    Config,
    /// Input that is not there.
    NotFound,
    /// Input or output that may not be touched with these rights.
    AccessDenied,
    /// The storage failed otherwise.
    Storage,
    /// Input that is there and is corrupt, changed while it was read, or beyond the policy set.
    Data,
    /// Memory, disk, time, nesting.
    ResourceLimit,
    /// A task failed with no more precise cause.
    TaskFailed,
    /// The output could not be made final.
    Commit,
    /// The user asked to stop.
    Cancelled,
    /// A bug of logq.
    Internal,
}

/// Half-open range of byte offsets into a script's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// Makes the span of `range`.
    pub fn new(range: Range<usize>) -> Self {
        Span { start: range.start as u32, end: range.end as u32 }
    }

    /// The span as a range of `usize`.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest span that holds both.
    pub fn union(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// The text that a span points into: a script file, or the text of `-e`.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    /// As the user named it: a path, or `<command line>`.
    pub name: String,
    /// The whole text as it was read, before variable substitution.
    pub text: String,
}

/// Where an error happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Location {
    /// A place in a script. `source` is filled in by whoever holds the text.
    Script { span: Span, source: Option<Arc<SourceText>> },
    /// A place in a file of data.
    Data {
        path: String,
        /// Bytes from the file's start, after decompression.
        byte_offset: Option<u64>,
        /// Counted from 1 in the file, where that is known.
        record: Option<u64>,
    },
}

/// The engine's error: one pointer wide.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    message: String,
    location: Option<Location>,
    hints: Vec<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Makes an error. The message is lower case, without a full stop: what was found, what was expected.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { code, message: message.into(), location: None, hints: Vec::new(), source: None }))
    }

    /// Makes the error that says that logq itself is wrong.
    pub fn internal(message: impl Into<String>) -> Self {
        Error::new(codes::INTERNAL, message).with_hint("this is a bug in logq; please report it with the script")
    }

    /// Places the error in a script, unless it has a place already.
    pub fn at(mut self, span: Span) -> Self {
        if self.0.location.is_none() {
            self.0.location = Some(Location::Script { span, source: None });
        }
        self
    }

    /// Gives the text that the error's span points into, unless it is known already.
    pub fn in_source(mut self, text: &Arc<SourceText>) -> Self {
        if let Some(Location::Script { source, .. }) = &mut self.0.location
            && source.is_none()
        {
            *source = Some(Arc::clone(text));
        }
        self
    }

    /// Places the error in a data file, unless it has a place already.
    pub fn in_file(mut self, path: impl Into<String>, byte_offset: Option<u64>, record: Option<u64>) -> Self {
        if self.0.location.is_none() {
            self.0.location = Some(Location::Data { path: path.into(), byte_offset, record });
        }
        self
    }

    /// Says the same in other words, where more is known about it.
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Adds advice: a line of its own, and only if it is probably right.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Chains the cause.
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error once more, its cause as text: several tasks may wait for one thing that failed.
    pub(crate) fn copy(&self) -> Self {
        let source = self.0.source.as_ref().map(|source| source.to_string().into());
        Error(Box::new(Inner {
            code: self.0.code,
            message: self.0.message.clone(),
            location: self.0.location.clone(),
            hints: self.0.hints.clone(),
            source,
        }))
    }

    /// Whose move it is.
    pub fn kind(&self) -> Kind {
        self.0.code.kind()
    }

    /// The stable name of this error.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What happened, without place, cause or advice.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened.
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// Advice, one line each.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("location", &self.0.location)
            .field("hints", &self.0.hints)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn the_first_place_wins() {
        let error = Error::new(codes::SYNTAX, "x").at(Span::new(1..2)).in_file("a", None, None);
        assert!(matches!(error.location(), Some(Location::Script { span: Span { start: 1, end: 2 }, .. })));
    }
}
