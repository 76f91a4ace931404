//! `credential_process` of a profile: a program that prints credentials.
//!
//! Source: the SDKs and Tools reference of AWS on process credentials, and botocore's `ProcessProvider`, which cuts the
//! command into words as a POSIX shell does and starts it without one. What it says on standard error is not shown, since
//! it may hold secrets, and a program that does not end is stopped.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use logq_engine::config::{Secret, SuppliedKeys};
use serde::Deserialize;

use crate::secrets;

/// How long the program may take: it may ask somebody for a second factor. As in Amazon's SDK for Go.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Time between two looks at the running program.
const POLL: Duration = Duration::from_millis(20);

/// More than the document can have.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;

/// The command of a profile.
#[derive(Debug)]
pub struct CredentialProcess {
    program: String,
    args: Vec<String>,
    working_dir: PathBuf,
    time_limit: Duration,
}

/// What it prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<Timestamp>,
}

impl CredentialProcess {
    /// `None` if the text has no words or quotes that do not match.
    pub fn new(command: &str, working_dir: &Path) -> Option<CredentialProcess> {
        let mut words = shlex::split(command)?.into_iter();
        let program = words.next()?;
        let working_dir = working_dir.to_owned();
        Some(CredentialProcess { program, args: words.collect(), working_dir, time_limit: TIME_LIMIT })
    }

    /// Runs the program to its end and gives what it printed.
    ///
    /// Errors: why there are no credentials; nothing of what was printed is in it.
    pub fn run(&self) -> Result<SuppliedKeys, String> {
        let failed = |what: &str| format!("the credential_process `{}` {what}", self.program);
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.working_dir);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|cause| failed(&format!("cannot be started: {cause}")))?;
        let (sender, printed) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                let read = stdout.take(OUTPUT_BYTES_MAX).read_to_end(&mut text);
                // Nobody may wait any more.
                let _ = sender.send(read.map(|_| text));
            });
        }
        let started = Instant::now();
        let Some(status) = wait(&mut child, self.time_limit) else {
            return Err(failed(&format!("did not end within {} seconds", self.time_limit.as_secs())));
        };
        if !status.success() {
            return Err(failed(&format!("ended with {status}")));
        }
        // Something that it left behind may hold the pipe open.
        let text = printed.recv_timeout(self.time_limit.saturating_sub(started.elapsed()));
        let text = text.ok().and_then(Result::ok).ok_or_else(|| failed("did not close its output"))?;
        let document: Document = serde_json::from_slice(&text)
            .map_err(|_| failed("did not print JSON with Version, AccessKeyId and SecretAccessKey"))?;
        if document.version != 1 {
            return Err(failed(&format!("printed version {}, and only 1 is known", document.version)));
        }
        secrets::learn("secret_access_key", &document.secret_access_key);
        if let Some(token) = &document.session_token {
            secrets::learn("session_token", token);
        }
        Ok(SuppliedKeys {
            key_id: document.access_key_id,
            secret: Secret::new(document.secret_access_key),
            session_token: document.session_token.map(Secret::new),
            expires: document.expiration.map(Into::into),
        })
    }
}

/// `None` if it had to be stopped.
fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if started.elapsed() < limit => std::thread::sleep(POLL),
            _ => {
                let _ = child.kill().and_then(|()| child.wait());
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(command: &str) -> Result<SuppliedKeys, String> {
        run_within(command, TIME_LIMIT)
    }

    fn run_within(command: &str, time_limit: Duration) -> Result<SuppliedKeys, String> {
        let process = CredentialProcess::new(command, Path::new("/")).unwrap();
        CredentialProcess { time_limit, ..process }.run()
    }

    #[test]
    fn what_is_printed_is_used() {
        let keys = run(r#"echo '{"Version": 1, "AccessKeyId": "K", "SecretAccessKey": "process-secret"}'"#).unwrap();
        assert_eq!((keys.key_id.as_str(), keys.secret.expose(), keys.expires), ("K", "process-secret", None));
        assert!(!secrets::mask("x process-secret y").contains("process-secret"));
        let keys = run(r#"echo '{"Version": 1, "AccessKeyId": "K", "SecretAccessKey": "S",
            "SessionToken": "T", "Expiration": "2014-07-05T20:00:00Z", "More": 1}'"#)
        .unwrap();
        assert_eq!(keys.session_token.unwrap().expose(), "T");
        assert_eq!(keys.expires, Some("2014-07-05T20:00:00Z".parse::<Timestamp>().unwrap().into()));
    }

    #[test]
    fn what_goes_wrong_shows_nothing_that_was_printed() {
        let check = |command: &str, expect: &str| {
            let why = run(command).unwrap_err();
            assert!(why.contains(expect) && !why.contains("canary"), "{why}");
        };
        check("/no/such/program", "cannot be started");
        check("sh -c 'echo canary; echo canary >&2; exit 3'", "ended with exit status: 3");
        check("sh -c 'echo canary'", "did not print JSON");
        check(r#"echo '{"Version": 2, "AccessKeyId": "canary", "SecretAccessKey": "S"}'"#, "printed version 2");
        // No shell reads it: these are words.
        check("echo canary && echo $HOME", "did not print JSON");
        let why = run_within("sleep 10", Duration::from_millis(100)).unwrap_err();
        assert!(why.contains("did not end within 0 seconds"), "{why}");
        let why = run_within("sh -c 'sleep 10 &'", Duration::from_secs(3)).unwrap_err();
        assert!(why.contains("did not close its output"), "{why}");
        assert!(CredentialProcess::new("", Path::new("/")).is_none());
        assert!(CredentialProcess::new("'x", Path::new("/")).is_none());
    }
}
