//! How much memory there is: the smallest of the machine's and of every cgroup that this process is in. And how much
//! of it, and of the processors, this process has used.
//!
//! Follows the kernel's documentation of cgroup v1 and v2. Inside a container the process's own group is usually
//! mounted as the root, so the path of `/proc/self/cgroup` need not exist; then the root's limit is the one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What this process has used so far; `None` where the system does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of all threads, those that ended included; in user and system mode.
    pub cpu_time: Option<Duration>,
    /// The most memory that was resident at any time.
    pub peak_memory_bytes: Option<u64>,
}

/// Reads what this process has used from `/proc`. `root` is `/` but in tests.
pub fn usage(root: &Path) -> Usage {
    let status = fs::read_to_string(root.join("proc/self/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(kib_bytes);
    let stat = fs::read_to_string(root.join("proc/self/stat")).unwrap_or_default();
    Usage { cpu_time: cpu_time(&stat), peak_memory_bytes: peak }
}

/// `utime` and `stime` of `/proc/self/stat`, in ticks of 10 ms: what Linux calls USER_HZ is 100 for every program.
fn cpu_time(stat: &str) -> Option<Duration> {
    // The second field is the program's name in parentheses, which may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: Vec<u64> = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    match ticks.as_slice() {
        [user, system] => Some(Duration::from_millis((user + system) * 10)),
        _ => None,
    }
}

/// Bytes of memory that this process may use; `None` where nothing says so. `root` is `/` but in tests.
pub fn memory_bytes(root: &Path) -> Option<u64> {
    let cgroups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = limit_files(root, &cgroups).into_iter().filter_map(|file| read_limit(&file));
    limits.chain(machine_bytes(root)).min()
}

fn machine_bytes(root: &Path) -> Option<u64> {
    let meminfo = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    kib_bytes(total)
}

/// `  1000 kB` in bytes.
fn kib_bytes(text: &str) -> Option<u64> {
    let kib: u64 = text.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Every file that may hold a limit: of the process's group and of all groups above it, for v2 and v1.
fn limit_files(root: &Path, cgroups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in cgroups.lines() {
        // hierarchy-ID:controller-list:cgroup-path; v2 has the ID 0 and no controllers.
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(group)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let (mount, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let group = Path::new(group.trim_start_matches('/'));
        files.extend(group.ancestors().map(|ancestor| root.join(mount).join(ancestor).join(file)));
    }
    files
}

/// The limit in a file. v2 says `max` and v1 a number near 2^63 where there is none.
fn read_limit(file: &Path) -> Option<u64> {
    let bytes: u64 = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    (bytes < 1 << 60).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: Option<u64>) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(memory_bytes(root.path()), expected);
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:        1000 kB\nMemFree:  10 kB\n");

    #[test]
    fn the_machine_alone() {
        check(&[MEMINFO], Some(1_024_000));
        check(&[], None);
    }

    #[test]
    fn cgroup_v2_takes_the_smallest_of_all_groups_above() {
        let own = ("proc/self/cgroup", "0::/a/b\n");
        let (outer, inner) = ("sys/fs/cgroup/a/memory.max", "sys/fs/cgroup/a/b/memory.max");
        check(&[MEMINFO, own, (inner, "max\n")], Some(1_024_000));
        check(&[MEMINFO, own, (inner, "600000\n"), (outer, "500000\n")], Some(500_000));
    }

    #[test]
    fn in_a_container_the_mounted_root_counts() {
        check(&[MEMINFO, ("proc/self/cgroup", "0::/../x\n"), ("sys/fs/cgroup/memory.max", "7000\n")], Some(7000));
    }

    #[test]
    fn what_the_process_used() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(usage(root.path()), Usage::default());
        fs::create_dir_all(root.path().join("proc/self")).unwrap();
        fs::write(root.path().join("proc/self/status"), "Name:\tx\nVmHWM:\t    2000 kB\n").unwrap();
        let stat = "17 (a ) b) S 1 17 17 0 -1 4194304 100 0 0 0 25 17 0 0 20 0 8 0 100\n";
        fs::write(root.path().join("proc/self/stat"), stat).unwrap();
        let used = Usage { cpu_time: Some(Duration::from_millis(420)), peak_memory_bytes: Some(2_048_000) };
        assert_eq!(usage(root.path()), used);
    }

    #[test]
    fn cgroup_v1() {
        let own = ("proc/self/cgroup", "9:cpu,cpuacct:/j\n4:memory:/j\n");
        check(&[MEMINFO, own, ("sys/fs/cgroup/memory/j/memory.limit_in_bytes", "4096\n")], Some(4096));
        let unlimited = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        check(&[MEMINFO, own, unlimited], Some(1_024_000));
    }
}
