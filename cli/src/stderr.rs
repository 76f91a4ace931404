//! Standard error: everything that is said there passes through here, so that no secret does.

use std::io::Write;

use crate::secrets;

/// Writes a text. A closed standard error is no reason to stop.
pub fn say(text: &str) {
    let _ = std::io::stderr().write_all(secrets::mask(text).as_bytes());
}
