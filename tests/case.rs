//! How a golden case is written down: a Hive script whose comments say what it needs.
//!
//! The first line says what the script shows. Then, each in column 0, where Hive drops comments:
//!
//! ```text
//! -- MODES default one_thread: why it cannot run in the others
//! -- SORT_QUERY_RESULTS            lines of standard output are sorted, as in Hive's own tests
//! -- ARGS --format csv             more arguments; blanks separate, there are no quotes
//! -- ENV NAME=value
//! -- DIR data/empty                an empty directory
//! -- FILE data/a.log               a file, made of the lines that follow:
//! -- |text                         a line, ended by LF
//! -- >text\x0d\x0a                 no line end; \xNN is a byte
//! -- *3 >text                      the same three times
//! -- +                             a new gzip member starts here
//! -- CUT data/a.log.gz 8           removes the last bytes of a file
//! -- FLIP data/a.log.gz 12         inverts the byte at this place, from the end if negative
//! -- APPEND data/a.log.gz text\x0a  adds bytes to a file
//! -- COPY data/a.log.gz data/b.gz  the bytes as they are
//! ```
//!
//! A FILE whose name ends in `.gz`, `.bz2` or `.zst` is compressed; FILE! writes the bytes as they are whatever the
//! name. What is under `tests/data/` is found under `data/`.

use std::fs;
use std::io::Write;

use crate::sandbox::Sandbox;

/// What the comments of a script ask for.
#[derive(Debug, Default)]
pub struct Case {
    /// Empty: all modes.
    pub modes: Vec<String>,
    pub sort: bool,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Dir(String),
    File { name: String, compress: bool, members: Vec<Vec<u8>> },
    Cut(String, usize),
    Flip(String, i64),
    Append(String, Vec<u8>),
    Copy(String, String),
}

impl Case {
    /// Reads the comments of a script.
    pub fn parse(script: &str) -> Result<Case, String> {
        let first = script.lines().next().unwrap_or_default();
        if !first.starts_with("-- ") {
            return Err("the first line must be a comment that says what the script shows".to_owned());
        }
        let mut case = Case::default();
        for line in script.lines().skip(1) {
            if let Some(comment) = line.strip_prefix("-- ") {
                case.read(comment).map_err(|reason| format!("{reason} in `{line}`"))?;
            }
        }
        Ok(case)
    }

    fn read(&mut self, comment: &str) -> Result<(), String> {
        let (word, rest) = comment.split_once(' ').unwrap_or((comment, ""));
        let rest = rest.trim();
        let two = || rest.split_once(' ').ok_or("expected two words".to_owned());
        match word {
            "MODES" => {
                let (modes, reason) = rest.split_once(':').ok_or("expected `: reason`")?;
                if reason.trim().is_empty() {
                    return Err("expected a reason".to_owned());
                }
                self.modes = modes.split_whitespace().map(str::to_owned).collect();
            }
            "SORT_QUERY_RESULTS" => self.sort = true,
            "ARGS" => self.args.extend(rest.split_whitespace().map(str::to_owned)),
            "ENV" => {
                let (name, value) = rest.split_once('=').ok_or("expected NAME=value")?;
                self.env.push((name.to_owned(), value.to_owned()));
            }
            "DIR" => self.steps.push(Step::Dir(rest.to_owned())),
            "FILE" | "FILE!" => {
                let members = vec![Vec::new()];
                self.steps.push(Step::File { name: rest.to_owned(), compress: word == "FILE", members });
            }
            "CUT" => {
                let (name, bytes) = two()?;
                self.steps.push(Step::Cut(name.to_owned(), bytes.parse().map_err(|_| "expected a number")?));
            }
            "FLIP" => {
                let (name, at) = two()?;
                self.steps.push(Step::Flip(name.to_owned(), at.parse().map_err(|_| "expected a number")?));
            }
            "APPEND" => {
                let (name, text) = two()?;
                self.steps.push(Step::Append(name.to_owned(), unescape(text)?));
            }
            "COPY" => {
                let (from, to) = two()?;
                self.steps.push(Step::Copy(from.to_owned(), to.to_owned()));
            }
            "+" => self.members()?.push(Vec::new()),
            _ => return self.read_content(comment),
        }
        Ok(())
    }

    fn read_content(&mut self, comment: &str) -> Result<(), String> {
        let (times, content) = match comment.strip_prefix('*') {
            Some(rest) => {
                let (times, content) = rest.split_once(' ').ok_or("expected a number and content")?;
                (times.parse().map_err(|_| "expected a number")?, content)
            }
            None => (1, comment),
        };
        let bytes = match (content.strip_prefix('|'), content.strip_prefix('>')) {
            (Some(line), _) => format!("{line}\n").into_bytes(),
            (_, Some(text)) => unescape(text)?,
            // An ordinary comment.
            _ => return Ok(()),
        };
        let member = self.members()?.last_mut().expect("a file has a member");
        for _ in 0..times {
            member.extend_from_slice(&bytes);
        }
        Ok(())
    }

    fn members(&mut self) -> Result<&mut Vec<Vec<u8>>, String> {
        match self.steps.last_mut() {
            Some(Step::File { members, .. }) => Ok(members),
            _ => Err("content without a FILE".to_owned()),
        }
    }

    /// Makes the inputs.
    pub fn prepare(&self, sandbox: &Sandbox) {
        let change = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = fs::read(sandbox.path(name)).unwrap();
            change(&mut bytes);
            sandbox.write(name, bytes);
        };
        for step in &self.steps {
            match step {
                Step::Dir(name) => fs::create_dir_all(sandbox.path(name)).unwrap(),
                Step::File { name, compress: true, members } => sandbox.write(name, compress(name, members)),
                Step::File { name, members, .. } => sandbox.write(name, members.concat()),
                Step::Cut(name, n_bytes) => change(name, &|bytes| bytes.truncate(bytes.len() - n_bytes)),
                Step::Flip(name, at) => change(name, &|bytes| {
                    let at = if *at < 0 { bytes.len() as i64 + at } else { *at };
                    bytes[at as usize] ^= 0xff;
                }),
                Step::Append(name, more) => change(name, &|bytes| bytes.extend_from_slice(more)),
                Step::Copy(from, to) => {
                    let bytes = fs::read(sandbox.path(from)).unwrap();
                    sandbox.write(to, bytes);
                }
            }
        }
    }
}

fn compress(name: &str, members: &[Vec<u8>]) -> Vec<u8> {
    match name.rsplit('.').next() {
        Some("gz") => members.iter().flat_map(|member| gzip(member)).collect(),
        Some("bz2") => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
            encoder.write_all(&members.concat()).unwrap();
            encoder.finish().unwrap()
        }
        Some("zst") => zstd::encode_all(members.concat().as_slice(), 3).unwrap(),
        _ => members.concat(),
    }
}

/// One gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, escaped)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        let digits = escaped.get(..2).ok_or("expected two digits after \\x")?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| "expected two digits after \\x")?);
        rest = &escaped[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}
