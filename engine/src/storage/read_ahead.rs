//! Opening what a task reads, in the order in which it reads it.
//!
//! Local files are opened as they come: the kernel reads ahead. Objects of S3 are asked for ahead of their reader, the
//! small ones whole and the large ones in ranges, and so are the objects of the next tasks: a split is decoded sooner than
//! its first bytes come over a network. Each task has a window of its own, so that none waits for room that another holds.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file::open_local;
use super::s3::{ObjectFile, Pieces};
use super::{FileMeta, ReadAt, Storage};
use crate::error::Result;

/// Opens the files of one task. Requests start when the first of them is opened, or sooner if somebody says so.
#[derive(Debug)]
pub struct ReadAhead {
    storage: Storage,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Planned(Vec<(Arc<FileMeta>, Range<u64>)>),
    Started {
        coming: VecDeque<super::s3::Coming>,
        /// Ends the requests when it is dropped.
        _requests: Option<Pieces>,
    },
}

impl ReadAhead {
    pub(super) fn new(storage: Storage, mut ranges: Vec<(Arc<FileMeta>, Range<u64>)>) -> Self {
        ranges.retain(|(file, _)| file.path.as_object().is_some());
        ReadAhead { storage, state: Mutex::new(State::Planned(ranges)) }
    }

    /// Opens the next of the files that were announced. Called once for each, in order; a file that was not announced
    /// is read without looking ahead.
    ///
    /// Errors: those of [`ReadAt`], where a local file shows them at once.
    pub fn open(&self, file: &Arc<FileMeta>) -> Result<Arc<dyn ReadAt>> {
        if let Some(path) = file.path.as_local() {
            return open_local(path, file);
        }
        let coming = match &mut *self.started()? {
            State::Started { coming, .. } => coming.pop_front().unwrap_or_default(),
            State::Planned(_) => Default::default(),
        };
        Ok(Arc::new(ObjectFile::open(&self.storage.s3, file, coming)?))
    }

    /// Asks for the first bytes now.
    ///
    /// Errors: `BAD_SETTING` for an endpoint that is none.
    pub fn start(&self) -> Result<()> {
        self.started().map(drop)
    }

    /// Requests that reading all of it takes.
    pub fn n_requests(&self) -> u64 {
        match &*self.lock() {
            State::Planned(ranges) => {
                ranges.iter().map(|(_, range)| Pieces::n_requests(range, self.storage.window_bytes)).sum()
            }
            State::Started { .. } => 0,
        }
    }

    fn started(&self) -> Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        if let State::Planned(ranges) = &*state {
            let (coming, requests) = Pieces::start(&self.storage.s3, ranges, self.storage.window_bytes)?;
            *state = State::Started { coming: coming.into(), _requests: requests };
        }
        Ok(state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The read-ahead of tasks that start in order: it is a few tasks ahead of those that run.
#[derive(Debug, Default)]
pub struct TasksAhead(Mutex<Ahead>);

#[derive(Debug, Default)]
struct Ahead {
    /// Of the first task that nothing was asked for.
    next_task: usize,
    /// Of tasks that have not started.
    ready: BTreeMap<usize, ReadAhead>,
}

impl TasksAhead {
    /// What `task` reads with. `plan` gives the read-ahead of a task, or `None` where there is none to look ahead for. A
    /// task that is tried again asks anew.
    pub fn of_task(&self, task: usize, n_ahead: usize, plan: impl Fn(usize) -> Option<ReadAhead>) -> Option<ReadAhead> {
        let mut ahead = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = ahead.ready.remove(&task).or_else(|| plan(task));
        ahead.next_task = ahead.next_task.max(task + 1);
        // Its own first: what is asked for later is answered later.
        if own.as_ref().is_some_and(|own| own.start().is_ok()) {
            while ahead.next_task <= task + n_ahead {
                let Some(next) = plan(ahead.next_task) else { break };
                // What is wrong shows when the task opens its first file.
                let _ = next.start();
                let next_task = ahead.next_task;
                ahead.ready.insert(next_task, next);
                ahead.next_task += 1;
            }
        }
        own
    }
}
