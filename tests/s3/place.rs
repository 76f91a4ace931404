//! Where a case runs: a bucket of its own on one of the servers, a directory, and the command as a user runs it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use logq_s3_server::{Client, Held, Proxy, Server};

use super::seaweedfs::{KEY_ID, SECRET, SeaweedFs};
use crate::sandbox::{Finished, Running, Sandbox, from_environment, run, start};

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The server of tests/s3_server.
    Ours,
    SeaweedFs,
    /// SeaweedFS behind a proxy that disturbs requests by a seed.
    Proxied,
}

/// One request in so many is disturbed.
const DISTURBED_ONE_IN: u64 = 7;

/// Servers of the cases' own, and one for all of them.
enum Stored {
    Ours(Server),
    SeaweedFs,
    /// For cases that kill it.
    Mortal(Arc<SeaweedFs>),
}

/// See the module. In texts and arguments, `://b` is the bucket.
pub struct Place {
    pub kind: Kind,
    pub sandbox: Sandbox,
    pub bucket: String,
    stored: Stored,
    client: Client,
    /// Which disturbances there are.
    seed: Option<u64>,
    /// Between the command and the server from the start if it disturbs, and else once a request is to be held.
    proxy: OnceCell<Proxy>,
}

impl Place {
    /// An empty bucket, which is called like the case.
    pub fn new(kind: Kind, case: &str) -> Place {
        let seed = (kind == Kind::Proxied).then(|| seed_to_replay().unwrap_or(1));
        Place::with_seed(kind, case, seed)
    }

    pub fn with_seed(kind: Kind, case: &str, seed: Option<u64>) -> Place {
        let stored = if kind == Kind::Ours { Stored::Ours(Server::start()) } else { Stored::SeaweedFs };
        Place::of(kind, stored, case, seed)
    }

    /// A bucket of a server that may be killed.
    pub fn on(server: &Arc<SeaweedFs>, case: &str) -> Place {
        Place::of(Kind::SeaweedFs, Stored::Mortal(Arc::clone(server)), case, None)
    }

    fn of(kind: Kind, stored: Stored, case: &str, seed: Option<u64>) -> Place {
        let name = case.replace(['_', '/'], "-");
        let end = seed.map(|seed| format!("-{seed}")).unwrap_or_default();
        let bucket = format!("{name}{end}");
        let client = Client::new(stored.address());
        client.make_bucket(&bucket);
        let place = Place { kind, sandbox: Sandbox::new(), bucket, stored, client, seed, proxy: OnceCell::new() };
        if let Some(seed) = seed {
            place.proxy().disturb(seed, DISTURBED_ONE_IN);
        }
        place
    }

    /// The server, if it is one of ours, which can be asked for more.
    pub fn server(&self) -> &Server {
        match &self.stored {
            Stored::Ours(server) => server,
            _ => panic!("this server cannot be told what to do"),
        }
    }

    pub fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.client.put(&self.bucket, key, bytes);
    }

    /// A text in which `://b` becomes this bucket.
    pub fn put_text(&self, key: &str, text: &str) {
        self.put(key, self.text(text));
    }

    /// Removes every object whose key starts with `prefix`.
    pub fn clear(&self, prefix: &str) {
        self.client.delete(&self.bucket, &self.keys(prefix));
    }

    pub fn get(&self, key: &str) -> Vec<u8> {
        self.client.get(&self.bucket, key)
    }

    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.client.keys(&self.bucket, prefix)
    }

    pub fn objects(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        self.client.objects(&self.bucket, prefix)
    }

    pub fn pending_uploads(&self) -> Vec<String> {
        self.client.pending_uploads(&self.bucket)
    }

    /// Holds the `nth` request from now on that has this in it, counted from 0: `PUT b/out/_logq/lock`, `?delete`.
    pub fn hold(&self, what: &str, nth: usize) -> Held {
        self.proxy().hold(&what.replace(" b/", &format!(" {}/", self.bucket)), nth)
    }

    /// Requests that were disturbed so far.
    pub fn n_disturbed(&self) -> usize {
        self.proxy().disturbed().len()
    }

    pub fn text(&self, text: &str) -> String {
        text.replace("://b", &format!("://{}", self.bucket))
    }

    /// `logq` with credentials for this server, in the case's directory.
    pub fn command(&self, args: &[&str]) -> Command {
        self.command_in(&self.sandbox, args)
    }

    /// In another directory, as on another machine.
    pub fn command_in(&self, sandbox: &Sandbox, args: &[&str]) -> Command {
        let mut command = sandbox.logq();
        let url = self.proxy.get().map_or_else(|| format!("http://{}", self.stored.address()), Proxy::url);
        command.env("AWS_ENDPOINT_URL", url).env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command.args(args.iter().map(|arg| self.text(arg)));
        command
    }

    pub fn logq(&self, args: &[&str]) -> Finished {
        run(&mut self.command(args))
    }

    pub fn start(&self, args: &[&str]) -> Running {
        start(&mut self.command(args))
    }

    fn proxy(&self) -> &Proxy {
        self.proxy.get_or_init(|| Proxy::start(self.stored.address()))
    }
}

/// A failure says how to see it again.
impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(seed) = self.seed
        {
            let disturbed = self.proxy().disturbed().join("\n  ");
            eprintln!("in bucket {}, LOGQ_TEST_SEED={seed}, were disturbed:\n  {disturbed}", self.bucket);
        }
    }
}

impl Stored {
    fn address(&self) -> SocketAddr {
        match self {
            Stored::Ours(server) => server.address(),
            Stored::SeaweedFs => {
                // It ends with the tests.
                static SHARED: OnceLock<SeaweedFs> = OnceLock::new();
                SHARED.get_or_init(SeaweedFs::start).address()
            }
            Stored::Mortal(server) => server.address(),
        }
    }
}

/// The seed that is to be run again.
pub fn seed_to_replay() -> Option<u64> {
    from_environment("LOGQ_TEST_SEED")?.into_string().ok()?.parse().ok()
}
