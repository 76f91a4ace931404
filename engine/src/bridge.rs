//! Future → value: the one place where a thread waits for async work.
//!
//! DataFusion's plans are streams and its planner is async; logq's tasks are plain calls on rayon workers. `disallowed
//! methods` in `clippy.toml` keep `block_on` out of every other file.

use std::future::Future;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::{Error, Result};

/// The runtime for what insists on one: timers, and operators that spawn. CPU work stays on the caller's thread.
pub fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("logq-io")
        .build()
        .map_err(|error| Error::internal("the runtime for asynchronous work cannot start").with_source(error))
}

/// Drives `future` on this thread until it is done, with `runtime` for what it spawns.
#[expect(clippy::disallowed_methods, reason = "this file is where block_on belongs")]
pub fn drive<T>(runtime: &Handle, future: impl Future<Output = T>) -> T {
    runtime.block_on(future)
}
