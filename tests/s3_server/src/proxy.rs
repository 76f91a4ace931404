//! A proxy between the command and a server of S3, which disturbs requests by a seed and can hold one of them.
//!
//! Requests are read whole and passed on with every header as it was, since signatures cover `Host`; answers come back
//! whole, unless a disturbance is in the way. What happens to a request follows from the seed, what is asked for, and how
//! often that was asked for before, not from the order of requests that are under way at once; what is random in names,
//! as ids of runs, is left out. So a seed disturbs a run each time in the same way.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::answer::{self, Answer};
use crate::client::exchange;
use crate::faults::mix;

mod line;

use line::{Control, Line};

/// How a request is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disturbance {
    /// It is late by some tenths of a second.
    Late,
    /// The connection is reset, and nothing was done.
    Reset,
    /// Nobody says anything for a while; then the connection is closed, and nothing was done.
    BlackHole,
    /// 503 `SlowDown`, to this request and the next ones of the same kind.
    SlowDown,
    /// 500 `InternalError`.
    InternalError,
    /// 200, with an error in the body. What does not complete an upload gets a 500 instead.
    ErrorInSuccess,
    /// All was done, and the connection is reset.
    LostAnswer,
    /// All was done, and the answer ends after some bytes, its headers included.
    Cut,
    /// The server gets it twice; the answer is that to the second one.
    Duplicate,
}

const DISTURBANCES: [Disturbance; 9] = [
    Disturbance::Late,
    Disturbance::Reset,
    Disturbance::BlackHole,
    Disturbance::SlowDown,
    Disturbance::InternalError,
    Disturbance::ErrorInSuccess,
    Disturbance::LostAnswer,
    Disturbance::Cut,
    Disturbance::Duplicate,
];

/// Requests that a burst of `SlowDown` lasts.
const BURST: u64 = 3;
/// Every request takes up to this longer.
const JITTER_MILLIS: u64 = 4;
const LATE_MILLIS: u64 = 400;
const BLACK_HOLE: Duration = Duration::from_millis(600);
/// Answers are cut below this.
const CUT_BYTES_MAX: u64 = 4 << 10;
/// How long a test waits for a request that it wants to hold.
const HELD_WITHIN: Duration = Duration::from_secs(60);

/// A running proxy; it ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    _runtime: Runtime,
}

#[derive(Debug)]
struct State {
    server: SocketAddr,
    schedule: Option<Schedule>,
    /// How often each thing was asked for.
    n_asked: HashMap<String, u64>,
    disturbed: Vec<String>,
    hold: Option<Hold>,
}

/// One request in `one_in` is disturbed.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    seed: u64,
    one_in: u64,
}

#[derive(Debug)]
struct Hold {
    what: String,
    /// Requests of this kind that pass.
    n_before: usize,
    came: mpsc::Sender<()>,
    go_on: oneshot::Receiver<()>,
}

/// A request that the proxy does not pass on as long as this lives.
#[derive(Debug)]
pub struct Held {
    came: mpsc::Receiver<()>,
    _go_on: oneshot::Sender<()>,
}

impl Hold {
    fn is_next(&mut self, asked: &str) -> bool {
        let is_meant = asked.contains(&self.what);
        let is_next = is_meant && self.n_before == 0;
        self.n_before -= usize::from(is_meant && !is_next);
        is_next
    }
}

impl Held {
    /// Waits for the request to come.
    pub fn wait(&self) {
        match self.came.recv_timeout(HELD_WITHIN) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => panic!("the request does not come"),
        }
    }
}

impl Proxy {
    /// Starts a proxy in front of a server, which disturbs nothing.
    pub fn start(server: SocketAddr) -> Proxy {
        let (runtime, listener, address) = crate::listen();
        let state = State { server, schedule: None, n_asked: HashMap::new(), disturbed: Vec::new(), hold: None };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("the runtime has I/O");
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(Arc::clone(&shared), socket));
            }
        });
        Proxy { state, address, _runtime: runtime }
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on disturbs one request in `one_in`, by this seed.
    pub fn disturb(&self, seed: u64, one_in: u64) {
        self.state().schedule = Some(Schedule { seed, one_in });
    }

    /// Holds the `nth` request from now on that has this in it, counted from 0: `PUT bucket/key`, `?delete`.
    pub fn hold(&self, what: &str, nth: usize) -> Held {
        let (came, comes) = mpsc::channel();
        let (goes_on, go_on) = oneshot::channel();
        self.state().hold = Some(Hold { what: what.to_owned(), n_before: nth, came, go_on });
        Held { came: comes, _go_on: goes_on }
    }

    /// What was disturbed so far, and how: `Reset PUT bucket/key`.
    pub fn disturbed(&self) -> Vec<String> {
        self.state().disturbed.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Schedule {
    /// What happens to the `nth` request for `asked`, and a number for its details.
    fn draw(self, asked: &str, nth: u64) -> (Option<Disturbance>, u64) {
        let of_text = asked.bytes().fold(self.seed, |hash, byte| mix(hash ^ u64::from(byte)));
        let kind = |nth: u64| {
            let random = mix(of_text ^ mix(nth));
            let which = (random >> 32) as usize % DISTURBANCES.len();
            (random.is_multiple_of(self.one_in.max(1)).then_some(DISTURBANCES[which]), mix(random))
        };
        let begun = nth.saturating_sub(BURST - 1);
        if (begun..nth).any(|nth| kind(nth).0 == Some(Disturbance::SlowDown)) {
            return (Some(Disturbance::SlowDown), 0);
        }
        kind(nth)
    }
}

impl State {
    fn meet(&mut self, asked: &str, completes: bool) -> (Option<Disturbance>, u64) {
        let n_asked = self.n_asked.entry(without_ids(asked)).or_default();
        let nth = *n_asked;
        *n_asked += 1;
        let Some(schedule) = self.schedule else { return (None, 0) };
        let (disturbance, random) = schedule.draw(&without_ids(asked), nth);
        let disturbance = match disturbance {
            Some(Disturbance::ErrorInSuccess) if !completes => Some(Disturbance::InternalError),
            disturbance => disturbance,
        };
        if let Some(disturbance) = disturbance {
            self.disturbed.push(format!("{disturbance:?} {asked}"));
        }
        (disturbance, random)
    }
}

/// A request's text with `#` for what no two runs have in common: eight hexadecimal digits and more.
fn without_ids(asked: &str) -> String {
    let is_of_id = |c: char| c == '-' || c.is_ascii_hexdigit();
    let mut text = String::new();
    let mut rest = asked;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_of_id(c) != is_of_id(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let is_id = is_of_id(first) && run.len() >= 8 && run.contains(|c: char| c.is_ascii_alphabetic());
        text.push_str(if is_id { "#" } else { run });
        rest = after;
    }
    text
}

async fn serve(state: Arc<Mutex<State>>, socket: TcpStream) {
    let control = Arc::new(Control::default());
    let line = Line::new(socket, Arc::clone(&control));
    let service = service_fn(move |request| pass_on(Arc::clone(&state), Arc::clone(&control), request));
    // What a client or a disturbance breaks off is not this proxy's failure.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(line), service).await;
}

async fn pass_on(state: Arc<Mutex<State>>, control: Arc<Control>, request: Request<Incoming>) -> io::Result<Answer> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let asked = format!("{} {}", head.method, head.uri.to_string().trim_start_matches('/'));
    let completes = head.method == Method::POST && asked.contains("uploadId=");
    let (server, disturbance, random, hold) = {
        let mut state = lock(&state);
        let (disturbance, random) = state.meet(&asked, completes);
        let hold = state.hold.take_if(|hold| hold.is_next(&asked));
        (state.server, disturbance, random, hold)
    };
    if let Some(Hold { came, go_on, .. }) = hold {
        let _ = came.send(());
        let _ = go_on.await;
    }
    let late = if disturbance == Some(Disturbance::Late) { LATE_MILLIS } else { JITTER_MILLIS };
    tokio::time::sleep(Duration::from_millis(random % late)).await;

    let ask = || exchange(server, Request::from_parts(head.clone(), Full::new(body.clone())));
    match disturbance {
        Some(Disturbance::Reset) => return Err(control.reset()),
        Some(Disturbance::BlackHole) => {
            tokio::time::sleep(BLACK_HOLE).await;
            return Err(broken());
        }
        Some(Disturbance::SlowDown) => return Ok(answer::error(503, "SlowDown")),
        Some(Disturbance::InternalError) => return Ok(answer::error(500, "InternalError")),
        Some(Disturbance::ErrorInSuccess) => {
            let mut answer = answer::error(500, "InternalError");
            *answer.status_mut() = StatusCode::OK;
            return Ok(answer);
        }
        Some(Disturbance::Duplicate) => drop(ask().await),
        _ => {}
    }
    // A server that is not there is one that has just broken off.
    let answer = ask().await.map_err(|_| control.reset())?;
    match disturbance {
        Some(Disturbance::LostAnswer) => return Err(control.reset()),
        Some(Disturbance::Cut) => control.cut_after(random % CUT_BYTES_MAX.min(1 + 2 * answer.body().len() as u64)),
        _ => {}
    }
    Ok(answer.map(whole))
}

fn whole(bytes: Bytes) -> answer::Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the proxy breaks the connection")
}
