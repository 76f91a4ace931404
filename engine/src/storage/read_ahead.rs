//! Opening what a task reads, in the order in which it reads it.
//!
//! Local files are opened as they come: the kernel reads ahead. Objects of S3 are asked for ahead of their reader, the
//! small ones whole and the large ones in ranges.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::file::open_local;
use super::s3::{ObjectFile, Pieces};
use super::{FileMeta, ReadAt, Storage};
use crate::error::Result;

/// Opens the files of one task. Requests start when the first of them is opened.
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
    pub(super) fn new(storage: Storage, ranges: Vec<(Arc<FileMeta>, Range<u64>)>) -> Self {
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
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Planned(ranges) = &*state {
            let ranges: Vec<_> = ranges.iter().filter(|(file, _)| file.path.as_object().is_some()).cloned().collect();
            let (coming, requests) = Pieces::start(&self.storage.s3, &ranges, self.storage.window_bytes)?;
            *state = State::Started { coming: coming.into(), _requests: requests };
        }
        let coming = match &mut *state {
            State::Started { coming, .. } => coming.pop_front().unwrap_or_default(),
            State::Planned(_) => Default::default(),
        };
        Ok(Arc::new(ObjectFile::open(&self.storage.s3, file, coming)?))
    }
}
