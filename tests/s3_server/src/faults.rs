//! Which requests go wrong, and how. A schedule is a seed or a number, so that what failed can be run again.

/// How a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 503 `SlowDown`.
    SlowDown,
    /// 500 `InternalError`.
    InternalError,
    /// The connection is closed without an answer, and nothing was done.
    NoAnswer,
    /// The connection is closed without an answer, and everything was done.
    LostAnswer,
    /// The answer's body ends halfway.
    CutBody,
    /// 400 `ExpiredToken`.
    ExpiredToken,
    /// 403 `AccessDenied`.
    AccessDenied,
    /// 409 `OperationAborted`.
    Conflict,
}

/// What may happen to any request without changing what a job gives.
const PASSING: [Fault; 5] = [Fault::SlowDown, Fault::InternalError, Fault::NoAnswer, Fault::LostAnswer, Fault::CutBody];

/// A schedule of faults.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    plan: Plan,
    n_requests: u64,
    n_seen: usize,
}

#[derive(Debug, Clone, Default)]
enum Plan {
    #[default]
    None,
    Seeded {
        seed: u64,
        one_in: u64,
    },
    At {
        request: u64,
        fault: Fault,
    },
    From {
        request: u64,
        fault: Fault,
    },
    Of {
        kind: String,
        fault: Fault,
    },
}

impl Faults {
    /// No faults.
    pub fn none() -> Self {
        Faults::default()
    }

    /// One request in `one_in` meets a fault that a client can get over.
    pub fn seeded(seed: u64, one_in: u64) -> Self {
        Faults { plan: Plan::Seeded { seed, one_in }, ..Faults::default() }
    }

    /// One request, counted from 0, meets this fault.
    pub fn at(request: u64, fault: Fault) -> Self {
        Faults { plan: Plan::At { request, fault }, ..Faults::default() }
    }

    /// From this request on, counted from 0, all are refused and nothing is done: what the server sees of a client that
    /// was killed.
    pub fn cut_off_at(request: u64) -> Self {
        Faults { plan: Plan::From { request, fault: Fault::AccessDenied }, ..Faults::default() }
    }

    /// Every request meets this fault.
    pub fn always(fault: Fault) -> Self {
        Faults { plan: Plan::From { request: 0, fault }, ..Faults::default() }
    }

    /// Every request meets this fault that reads so, or has this in it: `PUT`, `GET b/?uploads`.
    pub fn to_each(kind: &str, fault: Fault) -> Self {
        Faults { plan: Plan::Of { kind: kind.to_owned(), fault }, ..Faults::default() }
    }

    pub(crate) fn n_seen(&self) -> usize {
        self.n_seen
    }

    /// What happens to the next request, which reads `asked`.
    pub(crate) fn next(&mut self, asked: &str) -> Option<Fault> {
        let n = self.n_requests;
        self.n_requests += 1;
        let fault = match &self.plan {
            Plan::None => None,
            &Plan::Seeded { seed, one_in } => {
                let random = mix(seed ^ mix(n));
                let which = (random >> 32) as usize % PASSING.len();
                random.is_multiple_of(one_in.max(1)).then_some(PASSING[which])
            }
            &Plan::At { request, fault } => (n == request).then_some(fault),
            &Plan::From { request, fault } => (n >= request).then_some(fault),
            Plan::Of { kind, fault } => asked.contains(kind).then_some(*fault),
        };
        self.n_seen += usize::from(fault.is_some());
        fault
    }
}

/// SplitMix64's finalizer (Steele, Lea, Flood 2014).
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
