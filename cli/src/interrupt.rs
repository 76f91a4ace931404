//! Ctrl-C, SIGTERM and the time limit: the first cancels the running job, the second ends the process at once.
//!
//! A job stops within a batch. Should it not, the process ends anyway, so that a scheduler's SIGTERM is never followed
//! by its SIGKILL; what that leaves behind is removed by the next run. SIGHUP is left alone, so that `nohup logq …`
//! works.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use logq_engine::CancelHandle;
use logq_engine::error::{Error, Result, codes};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exit_code;

/// How long a cancelled job may take to end. Schedulers kill after ten seconds or more.
const PATIENCE: Duration = Duration::from_secs(9);

/// The same for a process that another one of ours waits for.
const PATIENCE_OF_STEP: Duration = Duration::from_secs(7);

/// Knows whether the user asked to stop. Clones share what they know.
#[derive(Clone, Default)]
pub struct Interrupt {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// 0 until something stops the run, then the exit code that it stands for.
    exit_code: AtomicU8,
    /// Called when something stops the run.
    on_stop: Mutex<Option<Arc<OnStop>>>,
    /// Called when the process ends although the run did not.
    on_forced_end: Mutex<Option<Arc<OnStop>>>,
    is_step: AtomicBool,
}

type OnStop = dyn Fn() + Send + Sync;

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
        self.on_stop(move || handle.cancel());
    }

    /// From now on the first signal is for whoever asks for [`exit_code`](Interrupt::exit_code) now and then.
    pub fn waits(&self) {
        self.on_stop(|| ());
    }

    /// What is to be said should the run not end in time.
    pub fn last_words(&self, say: impl Fn() + Send + Sync + 'static) {
        *self.state.on_forced_end.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(say));
    }

    fn on_stop(&self, act: impl Fn() + Send + Sync + 'static) {
        *self.state.on_stop.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(act));
    }

    /// Stops the run, as SIGTERM does, when standard input is closed: then whoever started it is gone or wants its end.
    pub fn stop_with_stdin(&self) {
        self.state.is_step.store(true, Ordering::SeqCst);
        let listener = self.clone();
        std::thread::spawn(move || {
            // Nobody writes; whatever comes is not for us.
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            listener.stop(128 + SIGTERM as u8);
        });
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
        let on_stop = self.state.on_stop.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match on_stop {
            Some(act) if is_first => {
                act();
                let on_forced_end = self.state.on_forced_end.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let patience = if self.state.is_step.load(Ordering::SeqCst) { PATIENCE_OF_STEP } else { PATIENCE };
                std::thread::spawn(move || {
                    std::thread::sleep(patience);
                    if let Some(say) = on_forced_end {
                        say();
                    }
                    std::process::exit(i32::from(code));
                });
            }
            _ => std::process::exit(i32::from(code)),
        }
    }
}
