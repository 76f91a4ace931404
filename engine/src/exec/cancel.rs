//! The flag that stops a job.

use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use futures::{Stream, StreamExt};

use crate::error::{Error, Result, codes};

/// The same plan with pauses above its joins: one batch of input can make millions of rows.
pub(super) fn interruptible(plan: Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        Ok(match node.children().len() {
            0 | 1 => Transformed::no(node),
            _ => Transformed::yes(Arc::new(CooperativeExec::new(node)) as _),
        })
    })
    .data()
}

/// Set from any thread; tasks look at it between batches.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag {
    /// When somebody asked.
    own: Arc<OnceLock<Instant>>,
    /// Whoever stops this one stops that one too; not the reverse.
    parent: Option<Arc<OnceLock<Instant>>>,
}

impl CancelFlag {
    /// A flag for a part of what this one stops.
    pub fn child(&self) -> Self {
        CancelFlag { own: Arc::default(), parent: Some(Arc::clone(&self.own)) }
    }

    /// Asks for a stop. It stays asked for.
    pub fn cancel(&self) {
        self.own.get_or_init(Instant::now);
    }

    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        self.asked_at().is_some()
    }

    /// How long ago somebody asked.
    pub fn cancelled_for(&self) -> Option<Duration> {
        self.asked_at().map(Instant::elapsed)
    }

    fn asked_at(&self) -> Option<&Instant> {
        self.own.get().or_else(|| self.parent.as_ref()?.get())
    }

    /// The next item of `stream`, or an error as soon as the stream pauses after somebody asked.
    ///
    /// A stream may work long before it has an item: an aggregation reads all its input first. Scans, readers and
    /// joins pause now and then (see `interruptible`), and that is when this looks.
    pub async fn next<S: Stream + Unpin>(&self, stream: &mut S) -> Result<Option<S::Item>> {
        poll_fn(|context| match self.check() {
            Err(error) => Poll::Ready(Err(error)),
            Ok(()) => stream.poll_next_unpin(context).map(Ok),
        })
        .await
    }

    /// An error if somebody asked.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::new(codes::CANCELLED, "the job was stopped")) } else { Ok(()) }
    }
}
