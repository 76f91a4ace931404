//! What each map task reads.
//!
//! Source: Hive's `CombineHiveInputFormat`, in that small files share a task and large plain files are cut; but the
//! order of files is kept and nothing depends on hosts, racks or threads.

use std::ops::Range;
use std::sync::Arc;

use super::Codec;
use crate::config::InputConfig;
use crate::storage::FileMeta;

const MIB: u64 = 1 << 20;
/// What a task gets of an input that is not small. Until each gets the most, about so many share an input: every task of a
/// GROUP BY has groups of its own, which wait in memory for the others and cost time to put together.
const DEFAULT_SPLIT_BYTES: Range<u64> = 32 * MIB..256 * MIB;
const DEFAULT_SPLITS_MAX: u64 = 32;

/// A smaller input is divided into so many, so that the last task to end is not much of the whole; but none gets less
/// than what takes twenty times as long as to begin a task, which is half a millisecond.
const SMALL_SPLIT_BYTES_MIN: u64 = 16 * MIB;
const SMALL_SPLITS: u64 = 16;

/// A compressed byte costs about as much as this many plain ones: measured with gzip, where logs shrink to a fifth. Some
/// shrink more, and other codecs are slower or faster.
const COMPRESSED_WEIGHT: u64 = 8;

/// To open a file costs about as much as to read this many bytes. A guess; with splits of 32 MiB, 512 files share one
/// at most.
const OPEN_WEIGHT: u64 = 64 << 10;

/// A piece of one file that one map task reads: the records whose first byte lies in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSplit {
    pub file: Arc<FileMeta>,
    /// Half-open, in bytes as stored. `None`: the whole file. Only plain files have ranges.
    pub range: Option<Range<u64>>,
}

/// What decides how files are cut.
#[derive(Debug, Clone, Copy)]
pub struct SplitOptions<'a> {
    /// `skip.header.line.count`
    pub header_lines: u32,
    /// `skip.footer.line.count`
    pub footer_lines: u32,
    pub config: &'a InputConfig,
}

/// Groups pieces of `files` so that one map task reads one group.
///
/// Shape: no group is empty; groups and the pieces in them follow the order of `files`; files of 0 bytes are left
/// out. A pure function of its arguments, so that results do not depend on the machine. A plain file is cut into
/// pieces of one length, at most a tenth longer than the split size, unless lines are to be dropped at its start or end;
/// a compressed one is never cut.
pub fn plan_splits(files: &[Arc<FileMeta>], options: &SplitOptions<'_>) -> Vec<Vec<InputSplit>> {
    let is_plain = |file: &FileMeta| Codec::is_plain_name(&file.path);
    let weight = |file: &FileMeta| if is_plain(file) { file.len } else { file.len.saturating_mul(COMPRESSED_WEIGHT) };
    let total_weight = files.iter().map(|file| weight(file)).fold(0, u64::saturating_add);
    let split_bytes = options.config.split_bytes.unwrap_or_else(|| default_split_bytes(total_weight)).max(1);
    let open_weight = OPEN_WEIGHT.min(split_bytes / 512);
    let drops_lines = options.header_lines > 0 || options.footer_lines > 0;

    let mut groups: Vec<Vec<InputSplit>> = Vec::new();
    let mut group_weight = u64::MAX;
    let mut add = |file: &Arc<FileMeta>, range: Option<Range<u64>>, weight: u64| {
        group_weight = group_weight.saturating_add(weight).saturating_add(open_weight);
        // Without the weight of opening it, or pieces of just the split size would never share a group with nothing.
        if group_weight > split_bytes.saturating_add(open_weight) {
            groups.push(Vec::new());
            group_weight = weight.saturating_add(open_weight);
        }
        let group = groups.last_mut().expect("the first weight is over any limit");
        group.push(InputSplit { file: Arc::clone(file), range });
    };
    for file in files.iter().filter(|file| file.len > 0) {
        let n_pieces = file.len.div_ceil(split_bytes.saturating_add(split_bytes / 10));
        if !is_plain(file) || drops_lines || n_pieces <= 1 {
            add(file, None, weight(file));
        } else {
            let piece_bytes = file.len.div_ceil(n_pieces);
            let mut start = 0;
            while start < file.len {
                let end = start.saturating_add(piece_bytes).min(file.len);
                add(file, Some(start..end), end - start);
                start = end;
            }
        }
    }
    groups
}

fn default_split_bytes(total_weight: u64) -> u64 {
    let share = |n_splits| total_weight.div_ceil(n_splits).next_multiple_of(MIB);
    let of_small_input = share(SMALL_SPLITS).clamp(SMALL_SPLIT_BYTES_MIN, DEFAULT_SPLIT_BYTES.start);
    share(DEFAULT_SPLITS_MAX).clamp(of_small_input, DEFAULT_SPLIT_BYTES.end)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::storage::{FileVersion, StoragePath};

    /// Groups as text: `a b[0..3] | b[3..5]`.
    fn plan(files: &[(&str, u64)], header_lines: u32, split_bytes: Option<u64>) -> String {
        let files: Vec<Arc<FileMeta>> = files
            .iter()
            .map(|&(name, len)| {
                let path = StoragePath::parse(name, Path::new("/")).unwrap();
                let version = FileVersion::Local { dev: 0, inode: 0, mtime_ns: 0 };
                Arc::new(FileMeta { path, len, version })
            })
            .collect();
        let config = InputConfig { split_bytes, ..InputConfig::default() };
        let show_split = |split: &InputSplit| {
            let name = String::from_utf8(split.file.path.file_name().to_owned()).unwrap();
            name + &split.range.as_ref().map_or(String::new(), |range| format!("[{}..{}]", range.start, range.end))
        };
        let groups = plan_splits(&files, &SplitOptions { header_lines, footer_lines: 0, config: &config });
        assert!(groups.iter().all(|group| !group.is_empty()));
        let groups: Vec<String> =
            groups.iter().map(|group| group.iter().map(show_split).collect::<Vec<_>>().join(" ")).collect();
        groups.join(" | ")
    }

    #[test]
    fn small_files_share_a_group_in_order() {
        assert_eq!(plan(&[("a", 3), ("b", 4), ("c", 3), ("d", 1)], 0, Some(10)), "a b c | d");
        assert_eq!(plan(&[("a", 6), ("b", 6), ("c", 4)], 0, Some(10)), "a | b c");
        assert_eq!(plan(&[("a", 0), ("b", 1), ("c", 0)], 0, Some(10)), "b");
        assert_eq!(plan(&[], 0, None), "");
        assert_eq!(plan(&[("a", 0)], 0, None), "");
    }

    #[test]
    fn large_plain_files_are_cut() {
        assert_eq!(plan(&[("a", 2), ("b", 25), ("c", 3)], 0, Some(10)), "a | b[0..9] | b[9..18] | b[18..25] c");
        assert_eq!(plan(&[("a", 10)], 0, Some(10)), "a");
        assert_eq!(plan(&[("a", 11), ("b", 1)], 0, Some(10)), "a | b");
        assert_eq!(plan(&[("a", 15)], 0, Some(10)), "a[0..8] | a[8..15]");
        assert_eq!(plan(&[("a", 202)], 0, Some(10)).matches(" | ").count(), 18);
        assert_eq!(plan(&[("a", 3)], 0, Some(1)), "a[0..1] | a[1..2] | a[2..3]");
        assert_eq!(plan(&[("a", 2)], 0, Some(0)), "a[0..1] | a[1..2]");
    }

    #[test]
    fn compressed_files_and_those_with_headers_are_whole() {
        assert_eq!(plan(&[("a.gz", 100), ("b", 1)], 0, Some(10)), "a.gz | b");
        assert_eq!(plan(&[("a.gz", 1), ("b.gz", 1), ("c.gz", 1)], 0, Some(20)), "a.gz b.gz | c.gz");
        assert_eq!(plan(&[("a", 100), ("b", 1)], 1, Some(10)), "a | b");
    }

    #[test]
    fn defaults() {
        let names: Vec<String> = (0..100).map(|i| format!("f{i:03}")).collect();
        let small: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 10_000)).collect();
        assert_eq!(plan(&small, 0, None).matches(" | ").count(), 0);
        let n_pieces = |len: u64| plan(&[("a", len)], 0, None).split(" | ").count();
        assert_eq!([16, 100, 300, 500].map(|mib| n_pieces(mib * MIB)), [1, 6, 15, 15]);
        assert_eq!([1, 2, 8, 9, 64].map(|gib| n_pieces(gib << 30)), [30, 30, 30, 33, 233]);
        let many: Vec<(&str, u64)> = (0..10_000).map(|_| ("x.gz", 100)).collect();
        assert_eq!(plan(&many, 0, None).matches(" | ").count(), 10_000 / 500 - 1);
        let compressed: Vec<(&str, u64)> = (0..100).map(|_| ("x.gz", MIB / 2)).collect();
        assert_eq!(plan(&compressed, 0, None).matches(" | ").count(), 16);
    }
}
