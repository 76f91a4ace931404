//! How many requests to one bucket may be under way: fewer once S3 says `SlowDown`, slowly more again.
//!
//! Additive increase, multiplicative decrease, as TCP does (Chiu, Jain 1989). S3's limits hold for a prefix; a job reads
//! and writes few of them, and a limit for the bucket needs no guess about where a prefix ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests that may be under way to begin with. The windows of read-ahead allow about as many.
const LIMIT_MAX: usize = 256;

/// By how much the limit grows once as many requests as it allows have been answered well.
const RAISED_BY: usize = 4;

/// The limit of one bucket.
#[derive(Debug)]
pub(super) struct Throttle {
    free: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Requests under way beyond the limit: their places are not free when they end.
    excess: usize,
    /// Good answers since the limit changed.
    n_good: usize,
    /// How often the limit was lowered.
    n_lowered: u64,
}

/// One request's place. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    throttle: Arc<Throttle>,
    permit: Option<OwnedSemaphorePermit>,
    /// When the limit had been lowered as often, the request was sent.
    n_lowered: u64,
}

impl Throttle {
    pub fn new() -> Self {
        let state = State { limit: LIMIT_MAX, excess: 0, n_good: 0, n_lowered: 0 };
        Throttle { free: Arc::new(Semaphore::new(LIMIT_MAX)), state: Mutex::new(state) }
    }

    /// Waits for a place, first come, first served.
    pub async fn pass(self: &Arc<Self>) -> Pass {
        let permit = Arc::clone(&self.free).acquire_owned().await.ok();
        let n_lowered = self.state().n_lowered;
        Pass { throttle: Arc::clone(self), permit, n_lowered }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The server did what it was asked.
    pub fn went_well(&self) {
        let mut state = self.throttle.state();
        state.n_good += 1;
        if state.n_good >= state.limit && state.limit < LIMIT_MAX {
            let raised = (state.limit + RAISED_BY).min(LIMIT_MAX);
            let more = raised - state.limit;
            let taken_back = more.min(state.excess);
            state.excess -= taken_back;
            state.limit = raised;
            state.n_good = 0;
            self.throttle.free.add_permits(more - taken_back);
        }
    }

    /// The server asks for fewer requests. What was sent before the limit was lowered last says nothing new.
    pub fn was_too_much(&self) {
        let mut state = self.throttle.state();
        if state.n_lowered == self.n_lowered {
            let lowered = (state.limit / 2).max(1);
            let fewer = state.limit - lowered;
            state.excess += fewer - self.throttle.free.forget_permits(fewer);
            state.limit = lowered;
            state.n_good = 0;
            state.n_lowered += 1;
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.throttle.state();
        if state.excess > 0
            && let Some(permit) = self.permit.take()
        {
            state.excess -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    /// Takes all the places there are.
    fn fill(throttle: &Arc<Throttle>) -> Vec<Pass> {
        std::iter::from_fn(|| throttle.pass().now_or_never()).collect()
    }

    #[test]
    fn half_as_many_once_for_all_that_were_under_way() {
        let throttle = Arc::new(Throttle::new());
        let passes = fill(&throttle);
        assert_eq!(passes.len(), LIMIT_MAX);
        passes.iter().for_each(Pass::was_too_much);
        drop(passes);
        assert_eq!(fill(&throttle).len(), LIMIT_MAX / 2);
        for _ in 0..20 {
            fill(&throttle)[0].was_too_much();
        }
        assert_eq!(fill(&throttle).len(), 1);
    }

    #[test]
    fn good_answers_raise_the_limit() {
        let throttle = Arc::new(Throttle::new());
        let passes = fill(&throttle);
        passes[0].was_too_much();
        // Still under way are all of them, and the places that come back are counted against the limit.
        passes.iter().take(LIMIT_MAX / 2).for_each(Pass::went_well);
        drop(passes);
        assert_eq!(fill(&throttle).len(), LIMIT_MAX / 2 + RAISED_BY);
        for _ in 0..LIMIT_MAX {
            fill(&throttle).iter().for_each(Pass::went_well);
        }
        assert_eq!(fill(&throttle).len(), LIMIT_MAX);
    }
}
