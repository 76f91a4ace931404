//! Packs the relocations of the command, where the system that builds it can load them.
//!
//! The command is 46 MB of position-independent code with 160,000 addresses to adjust when it starts. As a plain table
//! these are 4 MB, all of which is read at each start; packed (`DT_RELR`) they are 44 KB. glibc reads the packed form since
//! 2.36, so it is used where the command is built for the system that builds it, and that has such a glibc. Linkers that do
//! not know the option pass over it with a warning.

use std::env;
use std::process::Command;

/// The first glibc that loads packed relocations.
const GLIBC_MIN: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if is_native_glibc() && glibc_version().is_some_and(|version| version >= GLIBC_MIN) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the command is to run on a system like this one, and with glibc.
#[expect(clippy::disallowed_methods, reason = "cargo tells a build script by the environment what is built")]
fn is_native_glibc() -> bool {
    let variable = |name| env::var(name).unwrap_or_default();
    variable("HOST") == variable("TARGET")
        && variable("CARGO_CFG_TARGET_OS") == "linux"
        && variable("CARGO_CFG_TARGET_ENV") == "gnu"
}

/// As `getconf` of POSIX tells it: `glibc 2.36`.
fn glibc_version() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
