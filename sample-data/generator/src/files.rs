//! The files of a job: written, or compared with those that are there.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use crate::random::mix;
use crate::standard;
use crate::world::{SEED, World};

const DISTRIBUTION: &str = "E2EXAMPLE1";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Tutorial,
    Standard,
}

pub struct Job {
    pub format: Format,
    pub rows: u64,
    pub files: u64,
    pub gzip: bool,
    /// How many viewers and objects, if not as many as the rows suggest.
    pub viewers: Option<u64>,
    pub objects: Option<u64>,
}

/// Where the bytes of one file go.
trait Sink: Write {
    fn finish(self: Box<Self>) -> io::Result<()>;
}

impl Sink for BufWriter<File> {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.flush()
    }
}

impl Sink for GzEncoder<BufWriter<File>> {
    fn finish(self: Box<Self>) -> io::Result<()> {
        GzEncoder::finish(*self)?.flush()
    }
}

/// Compares what is written with the file that is there.
struct Comparison {
    path: PathBuf,
    found: Box<dyn BufRead>,
    n_lines: u64,
}

impl Comparison {
    fn different(&self) -> io::Error {
        io::Error::other(format!("{} differs from line {} on", self.path.display(), self.n_lines + 1))
    }
}

impl Write for Comparison {
    fn write(&mut self, expected: &[u8]) -> io::Result<usize> {
        let found = self.found.fill_buf()?;
        let n = found.len().min(expected.len());
        if n == 0 || found[..n] != expected[..n] {
            return Err(self.different());
        }
        self.found.consume(n);
        self.n_lines += expected[..n].iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Comparison {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.found.fill_buf()?.is_empty() { Ok(()) } else { Err(self.different()) }
    }
}

pub fn write_logs(job: &Job, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    generate(job, &mut |name| {
        let file = BufWriter::with_capacity(1 << 18, File::create(folder.join(name))?);
        Ok(match job.gzip {
            true => Box::new(GzBuilder::new().mtime(0).write(file, Compression::new(9))),
            false => Box::new(file),
        })
    })
}

pub fn check_logs(job: &Job, folder: &Path) -> io::Result<()> {
    let mut expected = Vec::new();
    generate(job, &mut |name| {
        let path = folder.join(name);
        let named = |e| io::Error::other(format!("{}: {e}", path.display()));
        let file = BufReader::new(File::open(&path).map_err(named)?);
        let found: Box<dyn BufRead> =
            if job.gzip { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) };
        expected.push(path.clone());
        Ok(Box::new(Comparison { path, found, n_lines: 0 }))
    })?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !expected.contains(&path) {
            return Err(io::Error::other(format!("{} is not one of the generated files", path.display())));
        }
    }
    Ok(())
}

/// Makes the rows of `job` and writes them to the files that `open` opens, one after the other.
fn generate(job: &Job, open: &mut dyn FnMut(&str) -> io::Result<Box<dyn Sink>>) -> io::Result<()> {
    let mut world = World::new(job);
    let mut line = Vec::with_capacity(2048);
    let mut row = 0;
    for file in 0..job.files {
        let rows = job.rows / job.files + u64::from(file < job.rows % job.files);
        let name = match job.format {
            Format::Tutorial => format!("log{}", file + 1),
            Format::Standard => {
                let start = world.clock.at(row, 0);
                format!("{DISTRIBUTION}.{}-{:02}.{:08x}", start.date(), start.hour(), mix(SEED + file) >> 32)
            }
        };
        let mut sink = open(&(name + if job.gzip { ".gz" } else { "" }))?;
        if job.format == Format::Standard {
            write!(sink, "#Version: 1.0\n#Fields: {}\n", standard::FIELDS)?;
        }
        for _ in 0..rows {
            line.clear();
            match job.format {
                Format::Tutorial => world.tutorial_row(row, &mut line)?,
                Format::Standard => world.standard_row(row, &mut line)?,
            }
            sink.write_all(&line)?;
            row += 1;
        }
        sink.finish()?;
    }
    Ok(())
}
