//! The flag that stops a job.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result, codes};

/// Set from any thread; tasks look at it between batches.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag {
    own: Arc<AtomicBool>,
    /// Whoever stops this one stops that one too; not the reverse.
    parent: Option<Arc<AtomicBool>>,
}

impl CancelFlag {
    /// A flag for a part of what this one stops.
    pub fn child(&self) -> Self {
        CancelFlag { own: Arc::default(), parent: Some(Arc::clone(&self.own)) }
    }

    /// Asks for a stop. It stays asked for.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        self.own.load(Ordering::Relaxed) || self.parent.as_ref().is_some_and(|parent| parent.load(Ordering::Relaxed))
    }

    /// An error if somebody asked.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::new(codes::CANCELLED, "the job was stopped")) } else { Ok(()) }
    }
}
