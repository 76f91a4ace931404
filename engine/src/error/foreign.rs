//! Other people's errors as ours: the only place where DataFusion's and Arrow's are read.

use std::error::Error as StdError;

use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, SchemaError};

use super::{Code, Error, codes};

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        DataFusionError::External(Box::new(error))
    }
}

impl Error {
    /// Reads an error that came out of DataFusion: one of ours that only passed through is itself again.
    pub fn from_datafusion(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(inner) => match inner.downcast::<DataFusionError>() {
                    Ok(nested) => Error::from_datafusion(*nested),
                    Err(inner) => Error::new(codes::EXECUTION, inner.to_string()),
                },
            },
            DataFusionError::ArrowError(inner, _) => match *inner {
                ArrowError::ExternalError(inner) => Error::from_datafusion(DataFusionError::External(inner)),
                ArrowError::IoError(message, io) => Error::new(io_code(&io), clean(&message)).with_source(io),
                other => Error::new(codes::EXECUTION, clean(&other.to_string())),
            },
            DataFusionError::Shared(inner) => match shared(inner.as_ref()) {
                Some(ours) => ours,
                None => Error::new(codes::EXECUTION, clean(&inner.to_string())),
            },
            DataFusionError::Context(_, inner) => Error::from_datafusion(*inner),
            DataFusionError::Diagnostic(_, inner) => Error::from_datafusion(*inner),
            DataFusionError::Collection(mut errors) if !errors.is_empty() => {
                Error::from_datafusion(errors.swap_remove(0))
            }
            DataFusionError::IoError(io) => Error::new(io_code(&io), clean(&io.to_string())).with_source(io),
            DataFusionError::ResourcesExhausted(message) => {
                Error::new(codes::MEMORY_LIMIT, clean(&message)).with_hint("a higher --memory-limit may help")
            }
            DataFusionError::NotImplemented(message) => Error::new(codes::UNSUPPORTED, clean(&message)),
            DataFusionError::Plan(message) => Error::new(codes::SEMANTIC, clean(&message)),
            DataFusionError::SchemaError(inner, _) => Error::new(schema_code(&inner), clean(&inner.to_string())),
            DataFusionError::Execution(message) => Error::new(codes::EXECUTION, clean(&message)),
            DataFusionError::Internal(message) => Error::internal(clean(&message)),
            other => Error::new(codes::EXECUTION, clean(&other.to_string())),
        }
    }
}

fn schema_code(error: &SchemaError) -> Code {
    match error {
        SchemaError::FieldNotFound { .. } => codes::UNKNOWN_COLUMN,
        SchemaError::AmbiguousReference { .. } => codes::AMBIGUOUS_COLUMN,
        SchemaError::DuplicateQualifiedField { .. } | SchemaError::DuplicateUnqualifiedField { .. } => {
            codes::DUPLICATE_COLUMN
        }
    }
}

fn io_code(error: &std::io::Error) -> Code {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => codes::DISK_LIMIT,
        _ => codes::STORAGE,
    }
}

/// An error of ours behind a shared one, as a copy: several tasks may wait for one build side.
fn shared(error: &(dyn StdError + 'static)) -> Option<Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(ours) = error.downcast_ref::<Error>() {
            return Some(ours.copy());
        }
        if let Some(DataFusionError::External(inner)) = error.downcast_ref::<DataFusionError>()
            && let Some(ours) = inner.downcast_ref::<Error>()
        {
            return Some(ours.copy());
        }
        next = error.source();
    }
    None
}

/// A foreign message in the shape of ours: no type of error in front, lower case, no full stop.
fn clean(message: &str) -> String {
    let mut text = message.trim();
    // Around what a function says of its arguments, DataFusion puts what it knows of signatures.
    if let Some((_, said)) = text.split_once("coercion failed with: ") {
        text = said.split_once(" No function matches").map_or(said, |(said, _)| said);
    }
    for prefix in ["Error during planning: ", "Execution error: ", "Arrow error: ", "External error: "] {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    let text = text.trim_end_matches('.');
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_string(),
    }
}
