//! Future → value: the one place where a thread waits for async work.
//!
//! DataFusion's plans are streams and its planner is async, and so is S3; logq's tasks are plain calls on rayon workers.
//! `disallowed methods` in `clippy.toml` keep `block_on` out of every other file.

use std::future::Future;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

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

/// The runtime for requests over a network. One of its own: a worker of the other may wait for these.
pub fn network_runtime(threads: usize) -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads.max(1))
        .thread_name("logq-net")
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| Error::internal("the runtime for network requests cannot start").with_source(error))
}

/// A value that a task of a runtime is making.
#[derive(Debug)]
pub struct Awaited<T>(Receiver<T>);

/// Where that task puts it.
#[derive(Debug)]
pub struct Promise<T>(SyncSender<T>);

/// Both ends of one value.
pub fn promise<T>() -> (Promise<T>, Awaited<T>) {
    let (sender, receiver) = sync_channel(1);
    (Promise(sender), Awaited(receiver))
}

impl<T> Promise<T> {
    /// Hands the value over; it is dropped if nobody waits any more.
    pub fn keep(self, value: T) {
        let _ = self.0.send(value);
    }
}

impl<T> Awaited<T> {
    /// Parks this thread until the value is there. Not for threads of the runtime that makes it.
    pub fn wait(self) -> Result<T> {
        self.0.recv().map_err(|_| Error::internal("a network request ended without an answer"))
    }
}

/// Runs `future` on `runtime` and parks this thread until it is done. Unlike [`drive`], this works on a thread that
/// drives another runtime.
pub fn wait_for<T: Send + 'static>(runtime: &Handle, future: impl Future<Output = T> + Send + 'static) -> Result<T> {
    let (promise, awaited) = promise();
    runtime.spawn(async move { promise.keep(future.await) });
    awaited.wait()
}

/// How often somebody who waits looks whether to go on.
const LOOKS_EVERY: Duration = Duration::from_millis(100);

/// As [`wait_for`], but gives up, and the future with it, when `proceed` says so.
///
/// Errors: those of `proceed`.
pub fn wait_while<T: Send + 'static>(
    runtime: &Handle,
    future: impl Future<Output = T> + Send + 'static,
    proceed: &dyn Fn() -> Result<()>,
) -> Result<T> {
    let (promise, awaited) = promise();
    let task = runtime.spawn(async move { promise.keep(future.await) });
    loop {
        match awaited.0.recv_timeout(LOOKS_EVERY) {
            Ok(value) => return Ok(value),
            Err(RecvTimeoutError::Disconnected) => return awaited.wait(),
            Err(RecvTimeoutError::Timeout) => proceed().inspect_err(|_| task.abort())?,
        }
    }
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
