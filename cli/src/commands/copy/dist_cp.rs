//! The arguments of s3-dist-cp, and what they do with names.
//!
//! Source: the S3DistCp page of EMR's release guide. What it leaves open is decided here: a group lies in the folder of its
//! first file by name, its parts are made in the order of names, and a file that is there already is replaced, so that a
//! step that is run again makes the same files.

use std::collections::BTreeMap;

use clap::{ArgAction, Parser, ValueEnum};
use logq_engine::error::{Error, Result, codes};
use logq_engine::{Files, FoundFile};
use regex::Regex;

use super::recode::{Codec, Suffix};
use super::{Copy, CopyPlan, Usage, below};

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
    /// Copies only files whose whole location matches, and puts those together for which the groups of the pattern give the
    /// same text, which is the new file's name
    #[arg(long, value_name = "REGEX", value_parser = group_pattern)]
    group_by: Option<Regex>,
    /// Ends a file of a group when it is made of as many MiB, as they lie at --src, and begins the next one
    #[arg(long, value_name = "MIB", requires = "group_by", value_parser = clap::value_parser!(u64).range(1..))]
    target_size: Option<u64>,
    /// Compresses or inflates what is copied, and changes the ends of names
    #[arg(long, value_name = "CODEC", default_value = "keep", ignore_case = true)]
    output_codec: OutputCodec,
    /// Removes the sources once all is copied
    #[arg(long, value_name = "BOOLEAN", action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true", default_value_t = false)]
    delete_on_success: bool,
    /// Changes nothing: how uploads are cut is not seen
    #[arg(long, hide = true, value_name = "MIB")]
    multipart_upload_chunk_size: Option<u64>,
    /// Changes nothing either
    #[arg(long, hide = true)]
    disable_multipart_upload: bool,
    /// Changes nothing if it is Amazon's: where a bucket lies is found
    #[arg(long, hide = true, value_name = "HOST", value_parser = amazons_endpoint)]
    s3_endpoint: Option<String>,
    /// Changes nothing: S3 encrypts all new objects with its own keys
    #[arg(long, hide = true)]
    s3_server_side_encryption: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputCodec {
    Keep,
    None,
    #[value(alias = "gz")]
    Gzip,
}

/// Reads the arguments.
pub fn read(args: &[String]) -> Result<DistCp, Usage> {
    DistCp::try_parse_from(args)
}

/// A pattern that matches whole locations, as Java's `Matcher.matches` does.
fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(&format!("(?s)^(?:{text})$")).map_err(|error| error.to_string())
}

fn group_pattern(text: &str) -> Result<Regex, String> {
    let regex = pattern(text)?;
    match regex.captures_len() {
        0 | 1 => Err("it has no group: parentheses say which part of a location names the new file".to_owned()),
        _ => Ok(regex),
    }
}

fn amazons_endpoint(host: &str) -> Result<String, String> {
    let is_amazons =
        host.starts_with("s3") && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"));
    match is_amazons {
        true => Ok(host.to_owned()),
        false => Err("another server than Amazon's is set by `AWS_ENDPOINT_URL_S3` or in logq.toml".to_owned()),
    }
}

impl DistCp {
    /// Finds what is to be copied.
    ///
    /// Errors: those of listing; `UNSUPPORTED` for files that cannot be inflated or that do not fit into one, `USAGE` for a
    /// group that names no file.
    pub(super) fn plan(&self, files: &Files) -> Result<CopyPlan> {
        let mut found = files.list(&self.src)?;
        found.retain(|file| self.src_pattern.as_ref().is_none_or(|regex| regex.is_match(&file.location)));
        let copies = match &self.group_by {
            Some(regex) => self.groups(regex, found)?,
            None => found.into_iter().map(|file| self.single(file)).collect::<Result<_>>()?,
        };
        let removals = match self.delete_on_success {
            true => copies.iter().flat_map(|copy| copy.from.iter().cloned()).collect(),
            false => Vec::new(),
        };
        Ok(CopyPlan { copies, removals, ..CopyPlan::default() })
    }

    fn single(&self, file: FoundFile) -> Result<Copy> {
        let codec = self.codec([&file])?;
        let name = self.name(&file.name, "", Suffix::of(&file.name));
        Ok(Copy { codec, ..Copy::of_file(file.location, below(&self.dest, &name)) })
    }

    /// Files that are made of several.
    fn groups(&self, regex: &Regex, found: Vec<FoundFile>) -> Result<Vec<Copy>> {
        let mut groups: BTreeMap<String, Vec<FoundFile>> = BTreeMap::new();
        for file in found {
            let Some(captures) = regex.captures(&file.location) else { continue };
            let group: String = captures.iter().skip(1).flatten().map(|part| part.as_str()).collect();
            if group.is_empty() || group.contains('/') || matches!(&*group, "." | "..") {
                let message = format!("--groupBy gives {} the name `{group}`, which no file can have", file.location);
                return Err(Error::new(codes::USAGE, message));
            }
            groups.entry(group).or_default().push(file);
        }
        let mut copies = Vec::new();
        for (group, files) in groups {
            let codec = self.codec(&files)?;
            let suffix = files.first().map_or(Suffix::Plain, |file| Suffix::of(&file.name));
            let folder = files.first().and_then(|file| file.name.rsplit_once('/')).map(|(folder, _)| folder.to_owned());
            let parts = self.parts(files);
            let n_parts = parts.len();
            for (idx, part) in parts.into_iter().enumerate() {
                let number = if n_parts == 1 { String::new() } else { idx.to_string() };
                let name = self.name(&group, &number, suffix);
                let name = match &folder {
                    Some(folder) => format!("{folder}/{name}"),
                    None => name,
                };
                let from = part.into_iter().map(|file| file.location).collect();
                copies.push(Copy { from, to: below(&self.dest, &name), codec, modified: None });
            }
        }
        Ok(copies)
    }

    /// The files of a group, cut where --targetSize is reached.
    fn parts(&self, files: Vec<FoundFile>) -> Vec<Vec<FoundFile>> {
        let target_bytes = self.target_size.map_or(u64::MAX, |mebibytes| mebibytes.saturating_mul(1 << 20));
        let mut parts = Vec::new();
        let (mut part, mut bytes) = (Vec::new(), 0_u64);
        for file in files {
            bytes = bytes.saturating_add(file.bytes);
            part.push(file);
            if bytes >= target_bytes {
                parts.push(std::mem::take(&mut part));
                bytes = 0;
            }
        }
        if !part.is_empty() {
            parts.push(part);
        }
        parts
    }

    /// How these files become one.
    fn codec<'a>(&self, files: impl IntoIterator<Item = &'a FoundFile>) -> Result<Codec> {
        let codec = match self.output_codec {
            OutputCodec::Keep => Codec::Keep,
            OutputCodec::None => Codec::None,
            OutputCodec::Gzip => Codec::Gzip,
        };
        let mut first = None;
        for file in files {
            let suffix = Suffix::of(&file.name);
            if let (Suffix::Other(name), Codec::None | Codec::Gzip) = (suffix, codec) {
                let message = format!("{} is compressed with {name}, which logq cannot change", file.location);
                return Err(Error::new(codes::UNSUPPORTED, message));
            }
            if codec == Codec::Keep && *first.get_or_insert(suffix) != suffix {
                let message = format!("{} is compressed in another way than the rest of its group", file.location);
                return Err(
                    Error::new(codes::UNSUPPORTED, message).with_hint("`--outputCodec=gzip` or `none` makes them one")
                );
            }
        }
        Ok(codec)
    }

    /// The name of a file that is made of such with the suffix.
    fn name(&self, name: &str, number: &str, suffix: Suffix) -> String {
        let of_files = match suffix {
            Suffix::Gzip => ".gz",
            Suffix::Other("LZO") => ".lzo",
            Suffix::Other(_) => ".snappy",
            Suffix::Plain => "",
        };
        let end = match self.output_codec {
            OutputCodec::Keep if self.group_by.is_none() => return name.to_owned(),
            OutputCodec::Keep => of_files,
            OutputCodec::None => "",
            OutputCodec::Gzip => ".gz",
        };
        let stem = match (Suffix::of(name), name.rsplit_once('.')) {
            (Suffix::Gzip | Suffix::Other(_), Some((stem, _))) => stem,
            _ => name,
        };
        format!("{stem}{number}{end}")
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
            let to: Vec<_> = plan.copies.into_iter().map(|copy| copy.to).collect();
            (to.join(" "), plan.removals.len())
        };
        assert_eq!(plan(&["--src=in", "--dest=out/"]), ("out/a.gz out/b/c.gz out/b/d.txt".into(), 0));
        assert_eq!(
            plan(&["--src", "in", "--dest", "out", "--srcPattern", ".*\\.gz", "--deleteOnSuccess"]),
            ("out/a.gz out/b/c.gz".into(), 2)
        );
        assert_eq!(plan(&["--src", "in", "--dest", "out", "--srcPattern", "b"]), (String::new(), 0));
        assert!(read(&["--src".into(), "in".into()]).is_err());
        assert_eq!(plan(&["--src=in", "--dest=out", "--outputCodec=none"]).0, "out/a out/b/c out/b/d.txt");
        assert_eq!(plan(&["--src=in", "--dest=out", "--outputCodec=GZ"]).0, "out/a.gz out/b/c.gz out/b/d.txt.gz");
    }

    #[test]
    fn groups() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(&EngineConfig { working_dir: dir.path().to_owned(), ..EngineConfig::default() });
        for name in
            ["E1.2014-07-05-01.a.gz", "E1.2014-07-05-02.b.gz", "E1.2014-07-06-01.c.gz", "x/E1.2014-07-06-02.d.gz"]
        {
            files.write(&format!("in/{name}"), &[b'x'; 700 << 10]).unwrap();
        }
        files.write("in/other", b"").unwrap();
        let plan = |args: &str| {
            let args: Vec<_> = format!("--src in --dest out {args}").split_whitespace().map(str::to_owned).collect();
            let plan = read(&args).unwrap().plan(&files);
            plan.map(|plan| {
                let copies = plan.copies.iter().map(|copy| format!("{}={}", copy.to, copy.from.len()));
                (copies.collect::<Vec<_>>().join(" "), plan.removals.len())
            })
        };
        let by_day = r"--groupBy .*/E1\.(\d+-\d+-\d+)-.*";
        assert_eq!(plan(by_day).unwrap(), ("out/2014-07-05.gz=2 out/2014-07-06.gz=2".into(), 0));
        assert_eq!(plan(&format!("{by_day} --outputCodec none")).unwrap().0, "out/2014-07-05=2 out/2014-07-06=2");
        assert_eq!(
            plan(&format!("{by_day} --targetSize 1 --srcPattern .*/in/[^/]* --deleteOnSuccess")).unwrap(),
            ("out/2014-07-05.gz=2 out/2014-07-06.gz=1".into(), 3)
        );
        assert_eq!(plan(r"--groupBy .*/(E1)\.(2014).*").unwrap().0, "out/E12014.gz=4");
        assert_eq!(plan(r"--groupBy .*/(E1)\..* --targetSize 1").unwrap().0, "out/E10.gz=2 out/E11.gz=2");
        assert_eq!(plan(r"--groupBy .*/(x)/.*").unwrap().0, "out/x/x.gz=1");
        assert_eq!(plan("--groupBy .*(nothing).*").unwrap().0, "");
        assert_eq!(plan("--groupBy .*(i)n/.*").unwrap_err().code(), codes::UNSUPPORTED);
        assert_eq!(plan("--groupBy .*/(in/).*").unwrap_err().code(), codes::USAGE);
        files.write("in/y.lzo", b"").unwrap();
        assert_eq!(plan("--outputCodec gzip").unwrap_err().code(), codes::UNSUPPORTED);
    }

    #[test]
    fn what_is_refused_by_its_name() {
        for (args, name) in [
            ("--groupBy .*", "no group"),
            ("--groupBy (.*", "--groupBy"),
            ("--targetSize 1", "--groupBy"),
            ("--groupBy (.*) --targetSize 0", "--targetSize"),
            ("--outputCodec lzo", "lzo"),
            ("--outputCodec snappy", "snappy"),
            ("--appendToLastFile", "--appendToLastFile"),
            ("--numberFiles", "--numberFiles"),
            ("--outputManifest=x", "--outputManifest"),
            ("--copyFromManifest", "--copyFromManifest"),
            ("--storageClass STANDARD_IA", "--storageClass"),
            ("--srcPrefixesFile x", "--srcPrefixesFile"),
            ("--s3Endpoint minio.example.org", "--s3Endpoint"),
        ] {
            let args: Vec<_> = format!("--src a --dest b {args}").split_whitespace().map(str::to_owned).collect();
            let error = read(&args).unwrap_err().to_string();
            assert!(error.contains(name), "{name}: {error}");
        }
        let fine = ["--src=a", "--dest=b", "--s3Endpoint=s3.amazonaws.com", "--s3ServerSideEncryption"];
        read(&fine.map(str::to_owned)).unwrap();
    }
}
