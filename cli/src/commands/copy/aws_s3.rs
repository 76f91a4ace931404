//! The arguments of `aws s3 cp` and `aws s3 sync`.

use std::collections::BTreeMap;

use clap::{ArgMatches, Args as ClapArgs, CommandFactory, FromArgMatches, Parser, Subcommand};
use logq_engine::error::{Error, Kind, Result, codes};
use logq_engine::{Files, FoundFile, Place};

use super::glob::{Filters, Verdict};
use super::{Copy, CopyPlan, Usage, below, is_not_there};

/// The part of the command `aws` that log jobs use.
#[derive(Debug, Parser)]
#[command(name = "aws", no_binary_name = true, disable_version_flag = true, max_term_width = 100)]
struct Aws {
    #[command(subcommand)]
    service: Service,
}

#[derive(Debug, Subcommand)]
enum Service {
    /// Copies files
    S3 {
        #[command(subcommand)]
        command: S3Command,
    },
}

#[derive(Debug, Subcommand)]
enum S3Command {
    /// Copies a file, or all files below a location
    Cp {
        #[command(flatten)]
        common: Common,
        /// Copies every file below SRC
        #[arg(long)]
        recursive: bool,
    },
    /// Copies the files below SRC that DEST has not, or has in another size or out of date
    Sync {
        #[command(flatten)]
        common: Common,
        /// Removes files of DEST that SRC has not
        #[arg(long)]
        delete: bool,
        /// A file of the same size is the same
        #[arg(long, conflicts_with = "exact_timestamps")]
        size_only: bool,
        /// From S3 to this machine: a file of the same size is the same only if its time is
        #[arg(long)]
        exact_timestamps: bool,
    },
}

#[derive(Debug, ClapArgs)]
struct Common {
    #[arg(value_name = "SRC")]
    src: String,
    #[arg(value_name = "DEST")]
    dest: String,
    /// Leaves out files whose name below SRC matches
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Takes such files in again; of all patterns the last one that matches decides
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// Says nothing
    #[arg(long)]
    quiet: bool,
    /// Says nothing but errors
    #[arg(long)]
    only_show_errors: bool,
    /// Shows no progress; there is none
    #[arg(long)]
    no_progress: bool,
    /// Says what would be done
    #[arg(long)]
    dryrun: bool,
}

/// A command with its filters in order.
#[derive(Debug)]
pub struct AwsS3 {
    command: S3Command,
    filters: Filters,
}

/// Reads the arguments.
pub fn read(args: &[String]) -> Result<AwsS3, Usage> {
    let matches = Aws::command().try_get_matches_from(args)?;
    let Aws { service: Service::S3 { command } } = Aws::from_arg_matches(&matches)?;
    let (S3Command::Cp { common, .. } | S3Command::Sync { common, .. }) = &command;
    let of_command = matches.subcommand().and_then(|(_, s3)| s3.subcommand()).map(|(_, command)| command);
    let mut patterns: Vec<(usize, Verdict, &str)> = Vec::new();
    for (id, verdict, texts) in
        [("exclude", Verdict::Exclude, &common.exclude), ("include", Verdict::Include, &common.include)]
    {
        let places = of_command.and_then(|matches: &ArgMatches| matches.indices_of(id)).into_iter().flatten();
        patterns.extend(places.zip(texts).map(|(place, text)| (place, verdict, text.as_str())));
    }
    patterns.sort_by_key(|(place, ..)| *place);
    let filters = Filters::new(patterns.into_iter().map(|(_, verdict, text)| (verdict, text)))
        .map_err(|what| Aws::command().error(clap::error::ErrorKind::InvalidValue, what))?;
    Ok(AwsS3 { command, filters })
}

impl AwsS3 {
    /// Finds what is to be copied and removed.
    pub(super) fn plan(&self, files: &Files) -> Result<CopyPlan> {
        let (S3Command::Cp { common, .. } | S3Command::Sync { common, .. }) = &self.command;
        let (copies, removals) = match &self.command {
            S3Command::Cp { recursive: false, .. } => (vec![one(common, files)?], Vec::new()),
            S3Command::Cp { .. } => (self.all(common, files, |_| true)?, Vec::new()),
            S3Command::Sync { delete, size_only, exact_timestamps, .. } => {
                let times = match (size_only, exact_timestamps, is_local(&common.dest) && !is_local(&common.src)) {
                    (true, ..) => Times::Ignored,
                    (false, true, true) => Times::Exact,
                    (false, false, true) => Times::Download,
                    (false, _, false) => Times::Upload,
                };
                self.sync(common, *delete, times, files)?
            }
        };
        let is_quiet = common.quiet || common.only_show_errors;
        Ok(CopyPlan { copies, removals, is_quiet, is_dry_run: common.dryrun })
    }

    fn all(&self, common: &Common, files: &Files, is_wanted: impl Fn(&FoundFile) -> bool) -> Result<Vec<Copy>> {
        let found = files.list(&common.src)?.into_iter();
        let wanted = found.filter(|file| self.filters.takes(&file.name) && is_wanted(file));
        // aws-cli gives what it fetched the time of the object; only so can the next sync tell.
        let modified = |file: &FoundFile| file.modified.filter(|_| !is_local(&common.src));
        Ok(wanted
            .map(|file| Copy {
                modified: modified(&file),
                ..Copy::of_file(file.location, below(&common.dest, &file.name))
            })
            .collect())
    }

    /// What is missing, differs in size, or is out of date; and, to be removed, what the source has not.
    fn sync(&self, common: &Common, delete: bool, times: Times, files: &Files) -> Result<(Vec<Copy>, Vec<String>)> {
        if files.place(&common.src)? == Place::File {
            return Err(Error::new(codes::USAGE, format!("`{}` is a file, and sync copies folders", common.src)));
        }
        let there = match files.list(&common.dest) {
            Err(error) if error.kind() == Kind::NotFound => Vec::new(),
            found => found?,
        };
        let there: BTreeMap<&str, &FoundFile> = there.iter().map(|file| (file.name.as_str(), file)).collect();
        let copies = self.all(common, files, |file| match there.get(file.name.as_str()) {
            None => true,
            Some(old) => old.bytes != file.bytes || !times.agree(file, old),
        })?;
        let mut removals = Vec::new();
        if delete {
            let here = files.list(&common.src)?;
            let here: std::collections::BTreeSet<&str> = here.iter().map(|file| file.name.as_str()).collect();
            let gone =
                there.values().filter(|file| !here.contains(file.name.as_str()) && self.filters.takes(&file.name));
            removals.extend(gone.map(|file| file.location.clone()));
        }
        Ok((copies, removals))
    }
}

/// What the times of two files of one size say.
///
/// Source: aws-cli's `s3/syncstrategy/base.py` and `exacttimestamps.py`. What was fetched has the time of its object, so a
/// file of this machine that is newer was changed here, and sync fetches it again; an object that is newer is not noticed
/// unless times have to be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    Ignored,
    /// To S3, from S3 to S3, and on this machine: a source that is newer is another file.
    Upload,
    /// From S3: a target that is newer is another file.
    Download,
    Exact,
}

impl Times {
    /// Whether a file at the source and one at the target may be the same. Without times nobody knows.
    fn agree(self, source: &FoundFile, target: &FoundFile) -> bool {
        match (self, source.modified, target.modified) {
            (Times::Ignored, ..) => true,
            (Times::Upload, Some(source), Some(target)) => source <= target,
            (Times::Download, Some(source), Some(target)) => target <= source,
            (Times::Exact, Some(source), Some(target)) => source == target,
            _ => false,
        }
    }
}

/// One file, to a folder or to a name.
fn one(common: &Common, files: &Files) -> Result<Copy> {
    match files.place(&common.src)? {
        Place::File => {}
        Place::Missing => return Err(is_not_there(&common.src)),
        Place::Folder => {
            return Err(is_not_there(&common.src).with_hint("`--recursive` copies all files below a folder"));
        }
    }
    let is_folder = common.dest.ends_with('/') || is_local(&common.dest) && files.place(&common.dest)? == Place::Folder;
    let name = common.src.rsplit('/').next().unwrap_or_default();
    let to = if is_folder { below(&common.dest, name) } else { common.dest.clone() };
    Ok(Copy::of_file(common.src.clone(), to))
}

/// Whether the location is of this machine, where a folder is more than a prefix.
fn is_local(location: &str) -> bool {
    !location.contains("://") || location.starts_with("file:")
}

#[cfg(test)]
mod tests {
    use logq_engine::config::EngineConfig;

    use super::*;

    fn files(dir: &tempfile::TempDir) -> Files {
        let files = Files::new(&EngineConfig { working_dir: dir.path().to_owned(), ..EngineConfig::default() });
        for name in ["in/a.gz", "in/b/c.gz", "in/b/d.txt"] {
            files.write(name, b"x").unwrap();
        }
        files
    }

    fn plan(files: &Files, args: &str) -> Result<String> {
        let args: Vec<_> = args.split(' ').map(str::to_owned).collect();
        let plan = read(&args).unwrap_or_else(|error| panic!("{error}")).plan(files)?;
        let removals =
            plan.removals.iter().map(|location| format!("-{}", location.rsplit('/').next().unwrap_or_default()));
        Ok(plan.copies.into_iter().map(|copy| copy.to).chain(removals).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn clap_accepts_its_own_definition() {
        Aws::command().debug_assert();
    }

    #[test]
    fn cp() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(&dir);
        assert_eq!(plan(&files, "s3 cp in/a.gz out").unwrap(), "out");
        assert_eq!(plan(&files, "s3 cp in/a.gz out/").unwrap(), "out/a.gz");
        assert_eq!(plan(&files, "s3 cp in/a.gz in/b").unwrap(), "in/b/a.gz");
        assert_eq!(plan(&files, "s3 cp in out --recursive").unwrap(), "out/a.gz out/b/c.gz out/b/d.txt");
        let filtered = "s3 cp --recursive in out --exclude * --include *.gz --exclude b/*";
        assert_eq!(plan(&files, filtered).unwrap(), "out/a.gz");
        assert_eq!(plan(&files, "s3 cp in out").unwrap_err().code(), codes::NOT_FOUND);
        assert_eq!(plan(&files, "s3 cp missing out").unwrap_err().code(), codes::NOT_FOUND);
    }

    #[test]
    fn sync() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(&dir);
        files.write("out/a.gz", b"x").unwrap();
        files.write("out/b/c.gz", b"longer").unwrap();
        files.write("out/old", b"x").unwrap();
        assert_eq!(plan(&files, "s3 sync in out").unwrap(), "out/b/c.gz out/b/d.txt");
        assert_eq!(plan(&files, "s3 sync in out --delete").unwrap(), "out/b/c.gz out/b/d.txt -old");
        assert_eq!(plan(&files, "s3 sync in out --delete --exclude old --exclude *.gz").unwrap(), "out/b/d.txt");
        files.write("in/a.gz", b"y").unwrap();
        assert!(plan(&files, "s3 sync in out").unwrap().starts_with("out/a.gz"));
        assert!(!plan(&files, "s3 sync in out --size-only").unwrap().contains("a.gz"));
        assert_eq!(plan(&files, "s3 sync in new").unwrap(), "new/a.gz new/b/c.gz new/b/d.txt");
        assert_eq!(plan(&files, "s3 sync in/a.gz new").unwrap_err().code(), codes::USAGE);
    }

    #[test]
    fn times() {
        use std::time::{Duration, SystemTime};
        let file = |seconds: Option<u64>| FoundFile {
            location: "x".into(),
            name: "x".into(),
            bytes: 1,
            modified: seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
        };
        let agree = |times: Times| {
            [(1, 2), (2, 2), (3, 2)].map(|(source, target)| times.agree(&file(Some(source)), &file(Some(target))))
        };
        assert_eq!(agree(Times::Upload), [true, true, false]);
        assert_eq!(agree(Times::Download), [false, true, true]);
        assert_eq!(agree(Times::Exact), [false, true, false]);
        assert_eq!(agree(Times::Ignored), [true; 3]);
        assert!(!Times::Upload.agree(&file(None), &file(Some(1))));
    }

    #[test]
    fn what_is_refused() {
        for args in ["s3 rm x", "s3 cp x", "ec2 x", "s3 cp a b --sse aws:kms", "s3 sync a b --recursive"] {
            assert!(read(&args.split(' ').map(str::to_owned).collect::<Vec<_>>()).is_err(), "{args}");
        }
    }
}
