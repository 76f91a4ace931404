//! Ctrl-C, SIGTERM and the time limit: the first cancels the running job, the second ends the process at once.
//!
//! A job stops within a batch. Should it not, the process ends anyway, so that a scheduler's SIGTERM is never followed
//! by its SIGKILL; what that leaves behind is removed by the next run. SIGHUP is left alone, so that `nohup logq …`
//! works.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use logq_engine::CancelHandle;
use logq_engine::error::{Error, Result, codes};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exit_code;

/// How long a cancelled job may take to end. Schedulers kill after ten seconds or more.
const PATIENCE: Duration = Duration::from_secs(9);

/// Knows whether the user asked to stop. Clones share what they know.
#[derive(Clone, Default)]
pub struct Interrupt {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// 0 until something stops the run, then the exit code that it stands for.
    exit_code: AtomicU8,
    cancel: Mutex<Option<CancelHandle>>,
}

impl Interrupt {
    /// Starts to listen. To be called once in a process.
    pub fn install() -> Result<Self> {
        let interrupt = Interrupt::default();
        let listener = interrupt.clone();
        let mut signals = Signals::new([SIGINT, SIGTERM])
            .map_err(|error| Error::internal("cannot listen for signals").with_source(error))?;
        std::thread::spawn(move || {
            for signal in signals.forever() {
                // A shell's convention: 130 and 143.
                listener.stop(128 + signal as u8);
            }
        });
        Ok(interrupt)
    }

    /// From now on the first signal cancels through `handle` instead of ending the process.
    pub fn cancels(&self, handle: CancelHandle) {
        *self.state.cancel.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
    }

    /// Stops the run as a signal does, unless it ends within `limit` from now.
    pub fn limit_time(&self, limit: Duration) {
        let timer = self.clone();
        std::thread::spawn(move || {
            std::thread::sleep(limit);
            if timer.exit_code().is_none() {
                timer.stop(exit_code::RESOURCE_LIMIT);
            }
        });
    }

    /// The exit code of what stopped the run, if something did.
    pub fn exit_code(&self) -> Option<u8> {
        match self.state.exit_code.load(Ordering::SeqCst) {
            0 => None,
            code => Some(code),
        }
    }

    /// Fails if the run is to stop: between statements and between batches of rows there is no job to cancel.
    pub fn check(&self) -> Result<()> {
        match self.exit_code() {
            Some(_) => Err(Error::new(codes::CANCELLED, "stopped by the user")),
            None => Ok(()),
        }
    }

    /// Runs on the listener's thread, which is an ordinary one.
    fn stop(&self, code: u8) {
        let is_first = self.state.exit_code.swap(code, Ordering::SeqCst) == 0;
        let cancel = self.state.cancel.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match cancel {
            Some(cancel) if is_first => {
                cancel.cancel();
                std::thread::spawn(move || {
                    std::thread::sleep(PATIENCE);
                    std::process::exit(i32::from(code));
                });
            }
            _ => std::process::exit(i32::from(code)),
        }
    }
}
