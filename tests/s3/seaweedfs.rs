//! SeaweedFS, a server of S3 that others wrote: it checks signatures, and keeps its objects on disk.
//!
//! `.ci/run` installs the one that `tests/servers/requirements.txt` pins, and names the program in `LOGQ_TEST_WEED`. Each
//! server has ten ports of loopback and a directory of its own, and tells nobody of itself. Its parent is a shell that
//! waits for the tests to end in whatever way, and then kills it and removes what it left.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use logq_s3_server::Client;
use tempfile::TempDir;

use crate::sandbox::from_environment;

/// Whom the server knows. Who signs nothing may do everything, too: that is how tests look at what is stored.
pub const KEY_ID: &str = "AKIATEST";
pub const SECRET: &str = "canary-secret";

/// Ports of one server, and where they are sought: below those that the system gives to connections.
const PORTS: [&str; 10] = [
    "s3.port",
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "admin.port",
    "admin.port.grpc",
];
const PORT_MIN: u16 = 12_000;
const PORT_MAX: u16 = 32_000;

/// A bucket that shows whether the server serves.
const PROBE: &str = "probe";
const SERVES_WITHIN: Duration = Duration::from_secs(60);
/// Somebody else may take a port between its choice and its use.
const STARTS_MAX: usize = 3;

/// Starts what follows `$2`. When standard input ends, kills it and removes `$1`, its directory, and `$2`, the sockets
/// that it makes beside.
const KEEPER: &str = "directory=$1 sockets=$2; shift 2; \"$@\" </dev/null & server=$!; cat >/dev/null; \
                      kill -9 \"$server\"; rm -rf \"$directory\"; rm -f $sockets";

/// A server, which ends with this or with the process of the tests.
pub struct SeaweedFs {
    program: PathBuf,
    dir: TempDir,
    first_port: u16,
    /// The shell that keeps it.
    keeper: Mutex<Option<Child>>,
}

impl SeaweedFs {
    /// The program, if there is one to test against.
    pub fn program() -> Option<PathBuf> {
        from_environment("LOGQ_TEST_WEED").map(PathBuf::from).filter(|path| path.is_file())
    }

    /// Starts a server without objects.
    pub fn start() -> SeaweedFs {
        let program = SeaweedFs::program().unwrap();
        for _ in 0..STARTS_MAX {
            let dir = tempfile::Builder::new().prefix("logq-test-weed-").tempdir().unwrap();
            let first_port = free_ports();
            let server = SeaweedFs { program: program.clone(), dir, first_port, keeper: Mutex::new(None) };
            fs::create_dir(server.dir.path().join("tmp")).unwrap();
            fs::write(server.dir.path().join("s3.json"), identities()).unwrap();
            if server.try_start() {
                return server;
            }
            eprintln!("SeaweedFS did not start at port {first_port}; once more");
        }
        panic!("SeaweedFS does not start");
    }

    /// Where it speaks S3.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.first_port).into()
    }

    /// Kills the server and its keeper by their group, as the end of a container does.
    pub fn kill(&self) {
        let Some(mut keeper) = self.keeper().take() else { return };
        let group = format!("kill -s KILL -- -{}", keeper.id());
        assert!(Command::new("sh").args(["-c", &group]).status().unwrap().success());
        keeper.wait().unwrap();
        let _ = Command::new("sh").args(["-c", &format!("rm -f {}", self.sockets())]).status();
    }

    /// Starts it again, with the objects that it had.
    pub fn restart(&self) {
        assert!(self.try_start(), "SeaweedFS does not start again: {}", self.log());
    }

    /// Waits until it serves; `false` if it ended instead.
    fn try_start(&self) -> bool {
        let dir = self.dir.path();
        let log = || File::options().create(true).append(true).open(dir.join("log")).unwrap();
        let mut command = Command::new("sh");
        command.env_clear().env("HOME", dir).env("TMPDIR", dir.join("tmp")).current_dir(dir);
        if let Some(path) = from_environment("PATH") {
            command.env("PATH", path);
        }
        command.args(["-c", KEEPER, "sh"]).arg(dir).arg(self.sockets()).arg(&self.program).arg("mini").args([
            "-dir=.",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-master.telemetry=false",
            "-master.volumeSizeLimitMB=64",
            "-admin.ui=false",
            "-webdav=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.autoCreateBucket=false",
            "-s3.config=s3.json",
        ]);
        command.arg(format!("-bucket={PROBE}"));
        command.args(PORTS.iter().zip(self.first_port..).map(|(name, port)| format!("-{name}={port}")));
        command.stdin(Stdio::piped()).stdout(log()).stderr(log()).process_group(0);
        *self.keeper() = Some(command.spawn().unwrap());

        let (client, deadline) = (Client::new(self.address()), Instant::now() + SERVES_WITHIN);
        while !client.is_served(PROBE) {
            if Instant::now() > deadline || self.log().contains("bind: address already in use") {
                self.kill();
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// As the shell expands it.
    fn sockets(&self) -> String {
        let ports = (self.first_port..).take(PORTS.len()).map(|port| format!("/tmp/seaweedfs-*-{port}.sock"));
        ports.collect::<Vec<_>>().join(" ")
    }

    fn log(&self) -> String {
        fs::read(self.dir.path().join("log"))
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .unwrap_or_default()
    }

    fn keeper(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SeaweedFs {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper().take() {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
    }
}

fn identities() -> String {
    let actions = ["Admin", "Read", "Write", "List"];
    let credentials = serde_json::json!([{"accessKey": KEY_ID, "secretKey": SECRET}]);
    serde_json::json!({"identities": [
        {"name": "logq", "credentials": credentials, "actions": actions},
        {"name": "anonymous", "actions": actions},
    ]})
    .to_string()
}

/// The first of as many free ports as a server needs. Processes begin to seek at places of their own.
fn free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let n_ports = PORTS.len() as u16;
    let n_places = (PORT_MAX - PORT_MIN) / n_ports;
    loop {
        let place = (std::process::id() as u16).wrapping_mul(37).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let first = PORT_MIN + place % n_places * n_ports;
        if (first..first + n_ports).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()) {
            return first;
        }
    }
}
