//! Black-box tests of the command `logq`, one binary: golden scripts, the command line, Hive's
//! arguments, steps of EMR, what schedulers need, the commands of the documentation, disks that fail, kills, the
//! tutorial.
//!
//! `golden` finds the cases and gives each of them a test per mode; `case` knows how a case is written down; `sandbox`
//! runs the command in a fresh directory with a cleared environment. CONTRIBUTING has the loop: write the `.q`, run
//! with `LOGQ_UPDATE=1`, read the diff, commit both files.

mod case;
mod cli;
mod disk_faults;
mod docs;
mod golden;
mod hive;
mod kill;
mod s3;
mod sandbox;
mod steps;
mod tutorial;
mod unattended;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut trials = golden::trials();
    trials.extend(cli::trials());
    trials.extend(disk_faults::trials());
    trials.extend(hive::trials());
    trials.extend(kill::trials());
    trials.extend(s3::trials());
    trials.extend(steps::trials());
    trials.extend(tutorial::trials());
    trials.extend(unattended::trials());
    let known = trials.iter().map(|trial| trial.name().to_owned()).collect();
    trials.extend(docs::trials(known));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The root of the repository.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

/// A test of its own; a panic is its failure.
fn trial(name: impl Into<String>, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}
