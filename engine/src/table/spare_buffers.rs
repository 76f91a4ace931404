//! Memory that a map task leaves to the next one of its scan, so that the number of tasks costs little.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::input::ReadBuffers;

/// As many buffers as tasks ran side by side, until the last task has begun.
pub(super) struct SpareBuffers {
    waiting: Mutex<Waiting>,
}

struct Waiting {
    buffers: Vec<ReadBuffers>,
    /// Tasks that have not asked yet. Another attempt counts as one more, which only gives up memory early.
    tasks_left: usize,
}

impl SpareBuffers {
    /// None yet, for a scan of `n_tasks`.
    pub fn new(n_tasks: usize) -> Self {
        SpareBuffers { waiting: Mutex::new(Waiting { buffers: Vec::new(), tasks_left: n_tasks }) }
    }

    /// What another task has left, for one that begins.
    pub fn take(&self) -> ReadBuffers {
        let mut waiting = self.lock();
        waiting.tasks_left = waiting.tasks_left.saturating_sub(1);
        waiting.buffers.pop().unwrap_or_default()
    }

    /// Keeps what a task had, if there is another one to come.
    pub fn give_back(&self, buffers: ReadBuffers) {
        let mut waiting = self.lock();
        waiting.buffers.push(buffers);
        let tasks_left = waiting.tasks_left;
        waiting.buffers.truncate(tasks_left);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_waiting(spare: &SpareBuffers) -> usize {
        spare.lock().buffers.len()
    }

    #[test]
    fn nothing_is_kept_once_the_last_task_has_begun() {
        let spare = SpareBuffers::new(3);
        let (first, second) = (spare.take(), spare.take());
        spare.give_back(first);
        assert_eq!(n_waiting(&spare), 1);
        spare.give_back(second);
        assert_eq!(n_waiting(&spare), 1, "for one task only");
        let third = spare.take();
        assert_eq!(n_waiting(&spare), 0);
        spare.give_back(third);
        let another_attempt = spare.take();
        spare.give_back(another_attempt);
        assert_eq!(n_waiting(&spare), 0);
    }
}
