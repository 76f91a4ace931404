//! `logq gc`: settles what runs and copies that died left at an output, as the next run on it would.

use std::io::Write;

use clap::Args;
use logq_engine::error::Result;
use logq_engine::{Session, Storage, StoragePath};

use crate::args::Options;
use crate::settings::{self, Environment};

/// Finishes or undoes what runs and copies that died left at an output
#[derive(Debug, Args)]
pub struct GcArgs {
    /// The outputs: directories, or places in S3
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<String>,
    #[command(flatten)]
    pub options: Options,
}

/// Settles one output after the other, and says on standard error what was found.
///
/// Errors: `OUTPUT_LOCKED` if a run is writing there.
pub fn run(options: &Options, paths: &[String], environment: &Environment) -> Result<()> {
    let settings = settings::load(options, environment)?;
    let storage = Storage::new(&settings.engine);
    for text in paths {
        let path = StoragePath::parse(text, &environment.working_dir)?;
        let n_settled = Session::collect_garbage(&storage, &path, &settings.engine)?;
        if !options.silent {
            let found = match n_settled {
                0 => "nothing was left behind".to_owned(),
                1 => "settled what 1 run or copy left behind".to_owned(),
                n => format!("settled what {n} runs and copies left behind"),
            };
            let _ = writeln!(std::io::stderr(), "{}: {found}", path.display());
        }
    }
    Ok(())
}
