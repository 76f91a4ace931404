//! Counts what is asked of S3, and how long readers wait for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Method;
use object_store::client::HttpRequest;

/// What was asked of S3 so far. Requests that say who we are go elsewhere and are not in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Pages of listings.
    pub list: u64,
    /// GET and HEAD.
    pub get: u64,
    /// PUT and POST, without those that delete.
    pub put: u64,
    /// Answers, or lost ones, after which a request is made again.
    pub retries: u64,
    /// How long threads that read were parked for bytes to come, in sum.
    pub waited: Duration,
}

impl RequestCounts {
    /// What came since `earlier`, a count of the same session.
    pub fn since(self, earlier: RequestCounts) -> RequestCounts {
        RequestCounts {
            list: self.list.saturating_sub(earlier.list),
            get: self.get.saturating_sub(earlier.get),
            put: self.put.saturating_sub(earlier.put),
            retries: self.retries.saturating_sub(earlier.retries),
            waited: self.waited.saturating_sub(earlier.waited),
        }
    }
}

/// The counters of one session.
#[derive(Debug, Default)]
pub(super) struct Meter {
    list: AtomicU64,
    get: AtomicU64,
    put: AtomicU64,
    retries: AtomicU64,
    waited_ns: AtomicU64,
}

impl Meter {
    /// Counts a request by what S3 takes for it.
    pub fn count(&self, request: &HttpRequest) {
        let asks_for = |name: &str| {
            let query = request.uri().query().unwrap_or_default();
            query.split('&').any(|pair| pair.split('=').next() == Some(name))
        };
        let counter = match *request.method() {
            Method::GET if asks_for("list-type") || asks_for("uploads") => &self.list,
            Method::GET | Method::HEAD => &self.get,
            Method::POST if asks_for("delete") => return,
            Method::PUT | Method::POST => &self.put,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub fn add_wait(&self, waited: Duration) {
        self.waited_ns.fetch_add(u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn counts(&self) -> RequestCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RequestCounts {
            list: read(&self.list),
            get: read(&self.get),
            put: read(&self.put),
            retries: read(&self.retries),
            waited: Duration::from_nanos(read(&self.waited_ns)),
        }
    }
}
