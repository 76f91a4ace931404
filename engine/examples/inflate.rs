//! Only inflates the gzipped files of a folder, on a thread for each core: the floor below every query over them.
//!
//! ```text
//! inflate DIR         prints the number of bytes inflated
//! inflate --version
//! ```
//!
//! It inflates with what logq inflates with, in chunks and steps of the same size, and checks the same checksums, so that
//! what a query takes longer is what logq does besides. The files are taken in the order of their names, each by whichever
//! thread is free.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flate2::bufread::MultiGzDecoder;

const CHUNK_BYTES: usize = 128 << 10;
const STEP_BYTES: usize = 256 << 10;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--version"] => Ok(format!("inflate version {}", env!("CARGO_PKG_VERSION"))),
        [folder] => inflate_folder(Path::new(folder)).map(|n_bytes| n_bytes.to_string()),
        _ => Err(io::Error::other("usage: inflate DIR")),
    };
    match done {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("inflate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn inflate_folder(folder: &Path) -> io::Result<u64> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort_unstable();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let n_threads = thread::available_parallelism().map_or(1, |n| n.get());
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(|| inflate_files(&paths, &next))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).sum()
    })
}

/// Inflates the files that no other thread has taken, to their ends.
fn inflate_files(paths: &[PathBuf], next: &AtomicUsize) -> io::Result<u64> {
    let mut step = vec![0; STEP_BYTES];
    let mut n_bytes = 0;
    while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut text = MultiGzDecoder::new(BufReader::with_capacity(CHUNK_BYTES, File::open(path)?));
        loop {
            match text.read(&mut step)? {
                0 => break,
                n_read => n_bytes += n_read as u64,
            }
        }
    }
    Ok(n_bytes)
}
