//! An S3 server in memory, for tests: the requests that logq makes, answered as S3 answers them, and faults.
//!
//! It speaks path style over plain HTTP on a loopback port of its own. Conditional writes are atomic. Whether a
//! signature is right is not checked, only whose and for which region it says to be; versions and ACLs are left out. [`Faults`] says which requests go wrong and how; [`identity`] plays the
//! services that hand out credentials. [`Proxy`] disturbs the requests to any server, as one that is a program of its own,
//! and [`Client`] looks at what is stored there.

mod answer;
mod client;
mod faults;
mod identity;
mod proxy;
mod service;
mod store;

pub use client::Client;
pub use faults::{Fault, Faults};
pub use identity::{KEY_ID, ROLE_KEY_ID};
pub use proxy::{Held, Proxy};

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::store::Store;

/// A running server; it ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    _runtime: Runtime,
}

/// What the server knows and how it behaves.
#[derive(Debug, Default)]
struct State {
    store: Store,
    faults: Faults,
    /// Added to every request.
    latency: Duration,
    /// Requests under way, more than which are answered `SlowDown`.
    capacity: Option<usize>,
    /// Where all buckets lie, if that matters.
    region: Option<String>,
    /// Whether whoever asks has to pay.
    requester_pays: bool,
    /// Whose signatures are good, if not everybody's.
    key_ids: Option<Vec<String>>,
    /// `GET bucket/key?query`, in the order in which they came.
    requests: Vec<String>,
    /// The headers of each of them.
    headers: Vec<HeaderMap>,
    /// Requests that are being answered, and the most there were.
    under_way: usize,
    under_way_max: usize,
}

/// A socket on a free port of this machine, and a runtime that can listen to it.
fn listen() -> (Runtime, std::net::TcpListener, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_io()
        .enable_time()
        .build()
        .expect("a runtime can be started");
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    listener.set_nonblocking(true).expect("a socket can be told not to block");
    let address = listener.local_addr().expect("it is bound");
    (runtime, listener, address)
}

impl Server {
    /// Starts a server that holds nothing.
    pub fn start() -> Server {
        let (runtime, listener, address) = listen();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("the runtime has I/O");
            while let Ok((socket, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(move |request| service::answer(Arc::clone(&state), request));
                    // What a client or a fault breaks off is not this server's failure.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Server { state, address, _runtime: runtime }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a bucket; one that exists is fine.
    pub fn make_bucket(&self, bucket: &str) {
        self.state().store.make_bucket(bucket);
    }

    /// Puts an object into a bucket, which is made if need be.
    pub fn put(&self, bucket: &str, key: &str, bytes: impl Into<Vec<u8>>) {
        let mut state = self.state();
        state.store.make_bucket(bucket);
        state.store.put(bucket, key, bytes.into().into());
    }

    /// Every object of a bucket.
    pub fn objects(&self, bucket: &str) -> BTreeMap<String, Vec<u8>> {
        self.state().store.objects(bucket)
    }

    /// The entity tag of an object, in quotes.
    pub fn etag(&self, bucket: &str, key: &str) -> Option<String> {
        self.state().store.get(bucket, key).map(|object| object.etag.clone())
    }

    /// Keys of the uploads that were neither completed nor aborted.
    pub fn pending_uploads(&self, bucket: &str) -> Vec<String> {
        self.state().store.uploads(bucket, "").into_iter().map(|(key, _)| key).collect()
    }

    /// Aborts all uploads, as a bucket's rule may do with old ones.
    pub fn expire_uploads(&self, bucket: &str) {
        let store = &mut self.state().store;
        for (_, id) in store.uploads(bucket, "") {
            store.abort_upload(bucket, &id);
        }
    }

    /// What was asked for so far: `GET bucket/key?query`.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// What each request had in a header.
    pub fn headers(&self, name: &str) -> Vec<Option<String>> {
        let text = |headers: &HeaderMap| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        self.state().headers.iter().map(text).collect()
    }

    /// The most requests that were under way at one time.
    pub fn requests_at_once(&self) -> usize {
        self.state().under_way_max
    }

    /// Says which requests go wrong from now on. Requests are counted from here.
    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// How many of the faults have come true.
    pub fn faults_seen(&self) -> usize {
        self.state().faults.n_seen()
    }

    /// Makes every request wait.
    pub fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// Answers `SlowDown` while more requests than this are under way.
    pub fn set_capacity(&self, n_requests: usize) {
        self.state().capacity = Some(n_requests);
    }

    /// Refuses signatures for other regions, and says in a header where the buckets lie.
    pub fn set_region(&self, region: &str) {
        self.state().region = Some(region.to_owned());
    }

    /// Refuses whoever does not say that they pay.
    pub fn want_payment(&self) {
        self.state().requester_pays = true;
    }

    /// Accepts only the signatures of these keys.
    pub fn accept_only(&self, key_ids: &[&str]) {
        self.state().key_ids = Some(key_ids.iter().map(|&key_id| key_id.to_owned()).collect());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
