//! Future → value: the one place where a thread waits for async work.
//!
//! DataFusion's plans are streams and its planner is async; logq's tasks are plain calls on rayon workers. `disallowed
//! methods` in `clippy.toml` keep `block_on` out of every other file.

use std::future::Future;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::{Error, Result};

/// The runtime for what insists on one: timers, and operators that spawn. CPU work stays on the caller's thread.
pub fn runtime(threads: usize) -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads.max(1))
        .thread_name("logq-io")
        .enable_time()
        .build()
        .map_err(|error| Error::internal("the runtime for asynchronous work cannot start").with_source(error))
}

/// Stack for parsing and planning: both recurse over a statement, whose nesting `hiveql` limits.
const DEEP_STACK_BYTES: usize = 256 << 20;

/// Runs `work` on a thread with a stack for deep recursion. The memory is only touched if it is needed.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("logq-plan".to_string())
            .stack_size(DEEP_STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|error| Error::internal("the planning thread cannot start").with_source(error))?;
        thread.join().unwrap_or_else(|_| Err(Error::internal("planning the statement panicked")))
    })
}

/// Drives `future` on this thread until it is done, with `runtime` for what it spawns.
#[expect(clippy::disallowed_methods, reason = "this file is where block_on belongs")]
pub fn drive<T>(runtime: &Handle, future: impl Future<Output = T>) -> T {
    runtime.block_on(future)
}
