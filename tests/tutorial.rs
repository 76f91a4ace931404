//! Amazon's tutorial script over the tutorial's own data, where somebody has it beside the repository.

use std::os::unix::fs::symlink;
use std::path::Path;

use libtest_mimic::Trial;

use crate::golden::MODES;
use crate::sandbox::{Sandbox, run};
use crate::{repository, trial};

/// The six published counts, as Hive writes them.
const PUBLISHED: &str = "Android\u{1}855\nLinux\u{1}813\nMacOS\u{1}852\nOSX\u{1}799\nWindows\u{1}883\niOS\u{1}794\n";

/// A test for each mode, or one that says why there is none.
pub fn trials() -> Vec<Trial> {
    let data = repository().join("../shared/data/cloudfront-tutorial");
    if !data.join("log6").is_file() {
        eprintln!("skipped: the tutorial's data is not beside the repository");
        return Vec::new();
    }
    MODES
        .iter()
        .map(|(mode, settings)| {
            let data = data.clone();
            trial(format!("tutorial/published_counts/{mode}"), move || check(&data, mode, settings))
        })
        .collect()
}

fn check(data: &Path, mode: &str, settings: &[&str]) {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path("in/cloudfront/data")).unwrap();
    for number in 1..=6 {
        let log = format!("log{number}");
        symlink(data.join(&log).canonicalize().unwrap(), sandbox.path(&format!("in/cloudfront/data/{log}"))).unwrap();
    }
    let script = repository().join("queries/os_requests.sql");
    let mut command = sandbox.logq();
    command.arg("run").arg(script).args(["-d", "INPUT=in", "-d", "OUTPUT=out"]);
    for setting in settings {
        // A million bytes in pieces of 64 would be a test of patience.
        let setting =
            if mode == "tiny_splits" { setting.replace("bytes=64", "bytes=4096") } else { setting.to_string() };
        command.args(["--hiveconf", &setting]);
    }
    let finished = run(&mut command);
    finished.assert_code(0);
    assert_eq!(sandbox.tree("out"), ["out/os_requests/000000_0", "out/os_requests/_SUCCESS"]);
    assert_eq!(sandbox.read("out/os_requests/000000_0"), PUBLISHED);
    let read = "read    cloudfront_logs: 6 files, 4,996 rows, 1.0 MB; 0 malformed rows";
    assert!(finished.stderr().contains(read), "{}", finished.stderr());
    sandbox.assert_no_scratch();
}
