//! Whether somebody wants a commit to stop, as its steps ask.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result, codes};

/// How long a commit that can only go forward may still go on when it is asked to stop. A scheduler kills after ten
/// seconds or more; what is left of them is for the request under way and for the lock.
const GRACE: Duration = Duration::from_secs(3);

/// Tells for how long a stop has been asked for.
#[derive(Clone)]
pub struct Stop(Arc<dyn Fn() -> Option<Duration> + Send + Sync>);

impl Stop {
    /// `asked_for` is asked between steps; `None` as long as nobody wants a stop.
    pub fn new(asked_for: impl Fn() -> Option<Duration> + Send + Sync + 'static) -> Stop {
        Stop(Arc::new(asked_for))
    }

    /// Nobody will ask.
    pub fn never() -> Stop {
        Stop::new(|| None)
    }

    pub fn is_asked(&self) -> bool {
        (self.0)().is_some()
    }

    /// Whether the time is over in which what has begun may be finished.
    pub fn is_due(&self) -> bool {
        (self.0)().is_some_and(|asked_for| asked_for >= GRACE)
    }

    /// Errors: `CANCELLED` once somebody asked.
    pub fn check(&self) -> Result<()> {
        if self.is_asked() { Err(stopped("stopped before the commit")) } else { Ok(()) }
    }

    /// Errors: `CANCELLED` once what has begun may not go on either.
    pub fn check_due(&self) -> Result<()> {
        if self.is_due() { Err(stopped("stopped in the middle of the commit")) } else { Ok(()) }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&(self.0)()).finish()
    }
}

fn stopped(when: &str) -> Error {
    Error::new(codes::CANCELLED, when)
}
