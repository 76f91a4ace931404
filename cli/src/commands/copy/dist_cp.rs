//! The arguments of s3-dist-cp.

use clap::{ArgAction, Parser};
use logq_engine::Files;
use logq_engine::error::Result;
use regex::Regex;

use super::{CopyPlan, Usage, below};

/// Copies every file below --src to --dest, over what is there.
#[derive(Debug, Parser)]
#[command(name = "s3-dist-cp", no_binary_name = true, disable_version_flag = true, max_term_width = 100)]
#[command(rename_all = "camelCase")]
pub struct DistCp {
    /// From where
    #[arg(long, value_name = "LOCATION")]
    src: String,
    /// To where
    #[arg(long, value_name = "LOCATION")]
    dest: String,
    /// Copies only files whose whole location matches
    #[arg(long, value_name = "REGEX", value_parser = pattern)]
    src_pattern: Option<Regex>,
    /// Removes the sources once all is copied
    #[arg(long, value_name = "BOOLEAN", action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true", default_value_t = false)]
    delete_on_success: bool,
    /// Changes nothing: how uploads are cut is not seen
    #[arg(long, hide = true, value_name = "MIB")]
    multipart_upload_chunk_size: Option<u64>,
    /// Changes nothing either
    #[arg(long, hide = true)]
    disable_multipart_upload: bool,
}

/// Reads the arguments.
pub fn read(args: &[String]) -> Result<DistCp, Usage> {
    DistCp::try_parse_from(args)
}

/// A pattern that matches whole locations, as Java's `Matcher.matches` does.
fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(&format!("(?s)^(?:{text})$")).map_err(|error| error.to_string())
}

impl DistCp {
    /// Finds what is to be copied.
    pub(super) fn plan(&self, files: &Files) -> Result<CopyPlan> {
        let found = files.list(&self.src)?;
        let taken =
            found.iter().filter(|file| self.src_pattern.as_ref().is_none_or(|regex| regex.is_match(&file.location)));
        let copies: Vec<_> = taken.map(|file| (file.location.clone(), below(&self.dest, &file.name))).collect();
        let removals = match self.delete_on_success {
            true => copies.iter().map(|(from, _)| from.clone()).collect(),
            false => Vec::new(),
        };
        Ok(CopyPlan { copies, removals, ..CopyPlan::default() })
    }
}

#[cfg(test)]
mod tests {
    use logq_engine::config::EngineConfig;

    use super::*;

    #[test]
    fn clap_accepts_its_own_definition() {
        use clap::CommandFactory;
        DistCp::command().debug_assert();
    }

    #[test]
    fn which_files_go_where() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(&EngineConfig { working_dir: dir.path().to_owned(), ..EngineConfig::default() });
        for name in ["in/a.gz", "in/b/c.gz", "in/b/d.txt"] {
            files.write(name, b"x").unwrap();
        }
        let plan = |args: &[&str]| {
            let args: Vec<_> = args.iter().map(|arg| arg.to_string()).collect();
            let plan = read(&args).unwrap().plan(&files).unwrap();
            let to: Vec<_> = plan.copies.into_iter().map(|(_, to)| to).collect();
            (to.join(" "), plan.removals.len())
        };
        assert_eq!(plan(&["--src=in", "--dest=out/"]), ("out/a.gz out/b/c.gz out/b/d.txt".into(), 0));
        assert_eq!(
            plan(&["--src", "in", "--dest", "out", "--srcPattern", ".*\\.gz", "--deleteOnSuccess"]),
            ("out/a.gz out/b/c.gz".into(), 2)
        );
        assert_eq!(plan(&["--src", "in", "--dest", "out", "--srcPattern", "b"]), (String::new(), 0));
        assert!(read(&["--src".into(), "in".into()]).is_err());
        assert!(read(&["--src=a".into(), "--dest=b".into(), "--outputCodec=gzip".into()]).is_err());
    }
}
