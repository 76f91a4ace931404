//! Writes CloudFront logs: those of `sample-data/`, and as many more as a measurement wants.
//!
//! ```text
//! generate_logs tutorial ROWS DIR [OPTIONS]   11 fields, CRLF: the format of Amazon's EMR tutorial
//! generate_logs standard ROWS DIR [OPTIONS]   33 fields, two header lines: CloudFront's standard log
//! generate_logs sample [DIR]                  both, as `sample-data/` holds them
//! generate_logs check [DIR]                   fails unless DIR holds what `sample` would write
//!
//! OPTIONS: --files N (default 6), --gz, --viewers N, --objects N
//! ```
//!
//! Without `--viewers` and `--objects`, a few viewers and a few objects make up most of the rows, as in a log from the
//! field. With them there are N, the first wanted only twice as often as the last, for queries with many groups.
//!
//! The same arguments give the same rows everywhere: one seed, no clock, no floating point. How gzip packs them may
//! change with the version of the compressor, so `check` compares what is inside. Rows are made one at a time, in the
//! order of time; a gigabyte needs no more memory than a megabyte.
//!
//! Everybody in these logs is made up. Addresses are of the ranges kept for documentation, hosts are of `example.com`.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

const USAGE: &str = "usage: generate_logs tutorial|standard ROWS DIR [--files N] [--gz] [--viewers N] [--objects N]
       generate_logs sample|check [DIR]";

/// What is committed: format, rows, files, folder.
const SAMPLE: [(Job, &str); 2] = [
    (
        Job { format: Format::Tutorial, rows: 4996, files: 6, gzip: false, viewers: None, objects: None },
        "cloudfront/data",
    ),
    (Job { format: Format::Standard, rows: 5000, files: 24, gzip: true, viewers: None, objects: None }, "standard"),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(done) => {
            eprintln!("{done}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("generate_logs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> io::Result<String> {
    let folder = |given: Option<&&str>| PathBuf::from(given.unwrap_or(&"sample-data"));
    match args {
        ["sample", rest @ ..] if rest.len() < 2 => {
            let folder = folder(rest.first());
            for (job, below) in &SAMPLE {
                write_logs(job, &folder.join(below))?;
            }
            Ok(format!("wrote the sample logs to {}", folder.display()))
        }
        ["check", rest @ ..] if rest.len() < 2 => {
            let folder = folder(rest.first());
            for (job, below) in &SAMPLE {
                check_logs(job, &folder.join(below))?;
            }
            Ok(format!("{} holds what is generated", folder.display()))
        }
        [format @ ("tutorial" | "standard"), rows, folder, options @ ..] => {
            let format = if *format == "tutorial" { Format::Tutorial } else { Format::Standard };
            let mut job = Job { format, rows: number(rows)?, files: 6, gzip: false, viewers: None, objects: None };
            let mut options = options.iter();
            while let Some(option) = options.next() {
                match *option {
                    "--gz" => job.gzip = true,
                    "--files" => job.files = at_least_one(options.next())?,
                    "--viewers" => job.viewers = Some(at_least_one(options.next())?),
                    "--objects" => job.objects = Some(at_least_one(options.next())?),
                    _ => return Err(usage()),
                }
            }
            write_logs(&job, Path::new(folder))?;
            Ok(format!("wrote {} rows in {} files to {folder}", job.rows, job.files))
        }
        _ => Err(usage()),
    }
}

fn usage() -> io::Error {
    io::Error::other(USAGE)
}

fn number(text: &str) -> io::Result<u64> {
    text.parse().map_err(|_| io::Error::other(format!("`{text}` is not a number\n{USAGE}")))
}

fn at_least_one(given: Option<&&str>) -> io::Result<u64> {
    Ok(number(given.ok_or_else(usage)?)?.max(1))
}

// ---- Files -------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Tutorial,
    Standard,
}

struct Job {
    format: Format,
    rows: u64,
    files: u64,
    gzip: bool,
    /// How many viewers and objects, if not as many as the rows suggest.
    viewers: Option<u64>,
    objects: Option<u64>,
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

fn write_logs(job: &Job, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    generate(job, &mut |name| {
        let file = BufWriter::with_capacity(1 << 18, File::create(folder.join(name))?);
        Ok(match job.gzip {
            true => Box::new(GzBuilder::new().mtime(0).write(file, Compression::new(9))),
            false => Box::new(file),
        })
    })
}

fn check_logs(job: &Job, folder: &Path) -> io::Result<()> {
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
            write!(sink, "#Version: 1.0\n#Fields: {STANDARD_FIELDS}\n")?;
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

// ---- Chance and time ---------------------------------------------------------------------------------------------

/// SplitMix64 (Steele, Lea and Flood, 2014), for its five lines.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number of `0..bound`, each as likely as the other.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number of `low..high`, small ones much more often.
    fn skewed(&mut self, low: u64, high: u64) -> u64 {
        let bound = self.below(high - low) + 1;
        let bound = self.below(bound) + 1;
        low + self.below(bound)
    }

    /// True `n` times in a thousand.
    fn per_mille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// A number that looks like chance and is always the same for `n`.
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// Draws positions, each as often as its weight says.
struct Weighted {
    ends: Vec<u64>,
}

impl Weighted {
    fn new(weights: impl Iterator<Item = u64>) -> Self {
        let add = |sum: &mut u64, weight| {
            *sum += weight;
            Some(*sum)
        };
        Weighted { ends: weights.scan(0, add).collect() }
    }

    /// Zipf's law: the n-th is drawn about 1/n as often as the first; `flat` evens out the head.
    fn zipf(n: u64, flat: u64) -> Self {
        Weighted::new((0..n).map(|rank| 1_000_000_000 / (rank + flat)))
    }

    fn draw(&self, random: &mut Random) -> usize {
        let at = random.below(self.ends[self.ends.len() - 1]);
        self.ends.partition_point(|end| *end <= at)
    }
}

/// A second since 1970 in UTC.
#[derive(Clone, Copy)]
struct Time(u64);

impl Time {
    /// The date, by Howard Hinnant's `civil_from_days` for years after 1970.
    fn date(self) -> impl fmt::Display {
        let days = self.0 / 86_400 + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
        let year = era * 400 + year + u64::from(month < 3);
        fmt::from_fn(move |f| write!(f, "{year:04}-{month:02}-{day:02}"))
    }

    fn hour(self) -> u64 {
        self.0 / 3600 % 24
    }

    fn time_of_day(self) -> impl fmt::Display {
        let (hour, minute, second) = (self.hour(), self.0 / 60 % 60, self.0 % 60);
        fmt::from_fn(move |f| write!(f, "{hour:02}:{minute:02}:{second:02}"))
    }
}

/// How busy each hour of a day is.
const HOURS: [u64; 24] = [3, 2, 2, 2, 2, 3, 4, 6, 8, 9, 9, 10, 11, 10, 10, 10, 11, 12, 14, 15, 14, 11, 8, 5];

/// The parts of the time between two rows.
const PARTS: u64 = 64;

/// Spreads the rows over days of which each has its quiet and its busy hours.
struct Clock {
    start: u64,
    days: u64,
    rows: u64,
}

impl Clock {
    fn at(&self, row: u64, part: u64) -> Time {
        let day_units = HOURS.iter().sum::<u64>() * 3600;
        let place = row.min(self.rows - 1) * PARTS + part;
        let unit = place * (self.days * day_units) / (self.rows * PARTS);
        let (day, mut unit) = (unit / day_units, unit % day_units);
        let mut hour = 0;
        while unit >= HOURS[hour] * 3600 {
            unit -= HOURS[hour] * 3600;
            hour += 1;
        }
        Time(self.start + day * 86_400 + hour as u64 * 3600 + unit / HOURS[hour])
    }
}

// ---- Who asks for what -------------------------------------------------------------------------------------------

const DISTRIBUTION: &str = "E2EXAMPLE1";
const HOST: &str = "d111111abcdef8.cloudfront.net";
const SEED: u64 = 20_140_705;

/// 2014-07-05, in seconds since 1970.
const TUTORIAL_START: u64 = 1_404_518_400;
/// 2026-03-01, in seconds since 1970.
const STANDARD_START: u64 = 1_772_323_200;
/// When the origin was ill, for an hour: 14:00 on the second day of the standard logs.
const OUTAGE: std::ops::Range<u64> = STANDARD_START + 38 * 3600..STANDARD_START + 39 * 3600;

const STANDARD_FIELDS: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status \
    cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol \
    cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version \
    fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type \
    sc-content-len sc-range-start sc-range-end";

/// The tutorial's operating systems with the requests that Amazon published for each; other sizes keep the shares.
const SYSTEMS: [(&str, u64); 6] =
    [("Android", 855), ("Linux", 813), ("MacOS", 852), ("OSX", 799), ("Windows", 883), ("iOS", 794)];

const TUTORIAL_BROWSERS: [&str; 6] =
    ["Chrome/36.0.1985", "Firefox/31.0", "Safari/537.78", "IE/11.0", "Opera/12.17", "Lynx/2.8.8"];

/// Places of CloudFront with the share of viewers near to each.
#[rustfmt::skip]
const EDGES: [(&str, u64); 16] = [
    ("FRA", 14), ("LHR", 12), ("IAD", 12), ("AMS", 8), ("CDG", 8), ("DFW", 7), ("LAX", 7), ("NRT", 6),
    ("SIN", 5), ("GRU", 4), ("SYD", 4), ("BOM", 4), ("MAD", 3), ("ARN", 3), ("YUL", 2), ("CPT", 1),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    Browser,
    Bot,
    /// Looks for holes: asks for files that are not there.
    Scanner,
}

/// User agents as CloudFront writes them, with their shares.
#[rustfmt::skip]
const AGENTS: [(&str, Client, u64); 16] = [
    ("Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/145.0.0.0%20Safari/537.36", Client::Browser, 250),
    ("Mozilla/5.0%20(iPhone;%20CPU%20iPhone%20OS%2018_6%20like%20Mac%20OS%20X)%20AppleWebKit/605.1.15%20(KHTML,%20like%20Gecko)%20Version/26.2%20Mobile/15E148%20Safari/604.1", Client::Browser, 190),
    ("Mozilla/5.0%20(Linux;%20Android%2010;%20K)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/145.0.0.0%20Mobile%20Safari/537.36", Client::Browser, 170),
    ("Mozilla/5.0%20(Macintosh;%20Intel%20Mac%20OS%20X%2010_15_7)%20AppleWebKit/605.1.15%20(KHTML,%20like%20Gecko)%20Version/26.2%20Safari/605.1.15", Client::Browser, 90),
    ("Mozilla/5.0%20(X11;%20Linux%20x86_64;%20rv:147.0)%20Gecko/20100101%20Firefox/147.0", Client::Browser, 60),
    ("Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64;%20rv:147.0)%20Gecko/20100101%20Firefox/147.0", Client::Browser, 50),
    ("Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/145.0.0.0%20Safari/537.36%20Edg/145.0.0.0", Client::Browser, 60),
    ("Mozilla/5.0%20(compatible;%20Googlebot/2.1;%20+http://www.google.com/bot.html)", Client::Bot, 35),
    ("Mozilla/5.0%20(compatible;%20bingbot/2.0;%20+http://www.bing.com/bingbot.htm)", Client::Bot, 20),
    ("Mozilla/5.0%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko;%20compatible;%20GPTBot/1.3;%20+https://openai.com/gptbot)", Client::Bot, 18),
    ("Mozilla/5.0%20(compatible;%20AhrefsBot/7.0;%20+http://ahrefs.com/robot/)", Client::Bot, 12),
    ("facebookexternalhit/1.1%20(+http://www.facebook.com/externalhit_uatext.php)", Client::Bot, 8),
    ("curl/8.17.0", Client::Bot, 10),
    ("python-requests/2.32.5", Client::Bot, 12),
    ("Mozilla/5.0%20zgrab/0.x", Client::Scanner, 8),
    ("-", Client::Scanner, 7),
];

const SCANNED: [&str; 6] = ["/wp-login.php", "/.env", "/xmlrpc.php", "/.git/config", "/admin.php", "/phpmyadmin/"];

const REFERRERS: [&str; 8] = [
    "https://www.google.com/",
    "https://www.google.com/",
    "https://www.google.com/",
    "https://www.bing.com/",
    "https://duckduckgo.com/",
    "https://news.example.org/",
    "https://social.example.net/t/4711",
    "https://partner.example.net/links.html?from=logq",
];

struct Viewer {
    address: String,
    client: Client,
    agent: &'static str,
    edge: usize,
}

/// What an object is: folder, ending, content type, smallest and largest size, share.
struct Kind(&'static str, &'static str, &'static str, u64, u64, u64);

const PAGE: usize = 0;
const API: usize = 5;
const VIDEO: usize = 6;
const KINDS: [Kind; 8] = [
    Kind("articles", "html", "text/html", 6_000, 90_000, 22),
    Kind("img", "webp", "image/webp", 4_000, 220_000, 34),
    Kind("img", "jpg", "image/jpeg", 9_000, 900_000, 18),
    Kind("assets", "js", "application/javascript", 1_200, 400_000, 8),
    Kind("assets", "css", "text/css", 900, 80_000, 5),
    Kind("api/v1", "json", "application/json", 150, 24_000, 6),
    Kind("video", "mp4", "video/mp4", 4_000_000, 180_000_000, 4),
    Kind("downloads", "zip", "application/zip", 1_000_000, 700_000_000, 3),
];

const WORDS: [&str; 24] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbour", "island", "jasper", "kelp", "lantern",
    "meadow", "north", "orchard", "pebble", "quarry", "river", "sable", "thistle", "upland", "violet", "willow",
    "yarrow",
];

/// What everybody asks for, most wanted first, with its kind.
const FRONT: [(&str, usize); 7] = [
    ("/", PAGE),
    ("/assets/site.css", 4),
    ("/assets/app.js", 3),
    ("/img/logo.webp", 1),
    ("/index.html", PAGE),
    ("/api/v1/session.json", API),
    ("/img/header.jpg", 2),
];

struct Object {
    path: String,
    kind: usize,
    bytes: u64,
    /// How far down the list of the most wanted, in percent.
    percentile: u64,
}

struct World {
    random: Random,
    clock: Clock,
    viewers: Vec<Viewer>,
    viewer: Weighted,
    /// Viewers in the middle of a visit, who go on asking.
    present: [usize; 16],
    objects: Vec<Object>,
    object: Weighted,
    /// Rows that each of [`SYSTEMS`] still has to get: drawn without putting back, so that the sums come out exactly.
    systems_left: [u64; SYSTEMS.len()],
}

impl World {
    fn new(job: &Job) -> Self {
        // Zipf's law that starts at the n-th place is nearly flat.
        let (n_viewers, flat_viewers) = match job.viewers {
            Some(n) => (n, n),
            None => ((job.rows / 8).clamp(50, 200_000), 40),
        };
        let (n_objects, flat_objects) = match job.objects {
            Some(n) => (n, n),
            None => ((job.rows / 10).clamp(50, 100_000), 3),
        };
        let (start, days) = match job.format {
            Format::Tutorial => (TUTORIAL_START, 32),
            Format::Standard => (STANDARD_START, 3),
        };
        World {
            random: Random(SEED),
            clock: Clock { start, days, rows: job.rows.max(1) },
            viewers: viewers(n_viewers),
            viewer: Weighted::zipf(n_viewers, flat_viewers),
            present: [0; 16],
            objects: (0..n_objects).map(|rank| object(rank, n_objects)).collect(),
            object: Weighted::zipf(n_objects, flat_objects),
            systems_left: shares(job.rows),
        }
    }

    /// The time of a row. Lines of a log are only nearly in order: servers write when a response is through.
    fn time(&mut self, row: u64) -> Time {
        let late = self.random.skewed(0, 6);
        let part = self.random.below(PARTS);
        self.clock.at(row.saturating_sub(late), part)
    }

    /// Who asks: mostly somebody who is there already, so that visits have several requests.
    fn next_viewer(&mut self) -> usize {
        let place = self.random.below(self.present.len() as u64) as usize;
        if self.random.per_mille(230) {
            self.present[place] = self.viewer.draw(&mut self.random);
        }
        self.present[place]
    }

    fn tutorial_row(&mut self, row: u64, line: &mut Vec<u8>) -> io::Result<()> {
        let time = self.time(row);
        let viewer = self.next_viewer();
        let random = &mut self.random;
        let system = Weighted::new(self.systems_left.into_iter()).draw(random);
        self.systems_left[system] -= 1;
        let (viewer, object) = (&self.viewers[viewer], &self.objects[self.object.draw(random)]);
        let (status, bytes) = match random.below(1000) {
            0..840 => (200, 300 + object.bytes),
            840..950 => (304, 0),
            950..975 => (206, random.below(object.bytes)),
            975..990 => (404, 562),
            990..996 => (403, 587),
            _ => (500, 612),
        };
        let (date, time) = (time.date(), time.time_of_day());
        let (edge, address, uri) = (EDGES[viewer.edge].0, &viewer.address, &object.path);
        let edge_number = viewer.edge % 4 + 1;
        let method = if random.per_mille(20) { "HEAD" } else { "GET" };
        let referrer = if random.per_mille(700) { "-" } else { "http://www.example.com/" };
        let (system, browser) = (SYSTEMS[system].0, random.pick(&TUTORIAL_BROWSERS));
        write!(line, "{date}\t{time}\t{edge}{edge_number}\t{bytes}\t{address}\t{method}\t{HOST}\t{uri}\t{status}\t")?;
        write!(line, "{referrer}\tMozilla/5.0%20({system};%20U;%20en-GB)%20Gecko/20140701%20{browser}\r\n")
    }

    fn standard_row(&mut self, row: u64, line: &mut Vec<u8>) -> io::Result<()> {
        let time = self.time(row);
        let viewer = self.next_viewer();
        let random = &mut self.random;
        let (viewer, object) = (&self.viewers[viewer], &self.objects[self.object.draw(random)]);
        let (is_browser, is_scanner) = (viewer.client == Client::Browser, viewer.client == Client::Scanner);
        let is_api = object.kind == API;
        let Kind(_, _, content_type, ..) = KINDS[object.kind];

        // How it went.
        let n_ill = if OUTAGE.contains(&time.0) { 260 } else { 6 };
        let is_https = !random.per_mille(25);
        let n_hit = if is_api { 0 } else { 980 - object.percentile * 7 };
        let (status, result, detailed) = if !is_https {
            (301, "Redirect", "Redirect")
        } else if is_scanner || random.per_mille(9) {
            if random.per_mille(250) { (403, "Error", "Error") } else { (404, "Error", "Error") }
        } else if random.per_mille(n_ill) {
            (random.pick(&[500, 502, 502, 503, 504]), "Error", random.pick(&["Error", "OriginCommError"]))
        } else if random.per_mille(3) {
            (0, "Error", "ClientCommError")
        } else if random.per_mille(n_hit) {
            (200, "Hit", "Hit")
        } else if !is_api && random.per_mille(180) {
            (200, "RefreshHit", "RefreshHit")
        } else {
            (200, "Miss", "Miss")
        };
        let method = match random.below(1000) {
            0..120 if is_api => "POST",
            120..150 if is_api => "OPTIONS",
            980.. if !is_browser => "HEAD",
            _ => "GET",
        };
        let large = object.kind >= VIDEO;
        let in_part = status == 200 && large && method == "GET" && random.per_mille(650);
        let known = status == 200 && !large && !is_api && is_browser && random.per_mille(90);
        let status = if in_part {
            206
        } else if known {
            304
        } else {
            status
        };

        // How much and how long, in bytes and milliseconds.
        let range = in_part.then(|| {
            let start = random.below(object.bytes) & !0xffff;
            (start, (start + 0x20_0000).min(object.bytes) - 1)
        });
        let content = match (status, range) {
            (206, Some((start, end))) => end - start + 1,
            (200, _) => object.bytes,
            (0 | 304, _) => 0,
            _ => 150 + status,
        };
        let body = if method == "HEAD" { 0 } else { content };
        let bytes = body + random.skewed(310, 640);
        let first_byte = match result {
            "Hit" | "Redirect" => random.skewed(1, 30),
            "RefreshHit" => random.skewed(25, 180),
            "Miss" => random.skewed(45, 900),
            _ if status == 504 => 30_000 + random.below(60),
            _ => random.skewed(20, 2500),
        };
        let taken = first_byte + body / random.skewed(1_500, 14_000);

        // What was asked, and how it looks in the log.
        let path = if is_scanner { random.pick(&SCANNED) } else { &object.path };
        let is_page = object.kind == PAGE;
        let referrer = match random.below(10) {
            0..4 if is_page && is_browser => random.pick(&REFERRERS),
            0..8 if !is_page && is_browser => "https://www.example.com/",
            _ => "-",
        };
        let query = match random.below(10) {
            0 if is_page => "utm_source=newsletter&utm_medium=email",
            0..6 if is_api => "page=1&sort=new",
            0..2 if KINDS[object.kind].0 == "img" => "w=640",
            _ => "-",
        };
        let version = match random.below(10) {
            _ if !is_https || !is_browser => "HTTP/1.1",
            0 => "HTTP/1.1",
            1..4 => "HTTP/3.0",
            _ => "HTTP/2.0",
        };
        let (protocol, tls, cipher) = match (is_https, version) {
            (false, _) => ("http", "-", "-"),
            (true, "HTTP/1.1") => ("https", "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"),
            (true, _) => ("https", "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
        };
        let content_type = match status {
            0 | 304 => "-",
            200 | 206 => content_type,
            _ => "text/html",
        };
        // Pages come in chunks, and nobody knows their length beforehand.
        let content_length = text_or_dash((status != 0 && status != 304 && !is_page).then_some(content));
        let (range_start, range_end) = (text_or_dash(range.map(|r| r.0)), text_or_dash(range.map(|r| r.1)));
        let forwarded = if random.per_mille(15) { "203.0.113.80" } else { "-" };
        let (date, time) = (time.date(), time.time_of_day());
        let (address, agent) = (&viewer.address, viewer.agent);
        let edge = edge_name(viewer.edge, random.below(2));
        let (first_byte, taken) = (seconds(first_byte), seconds(taken));
        let request_bytes = random.skewed(90, 900);
        let port = 1024 + random.below(64_512);
        let id = request_id(random.next(), random.next(), viewer.edge as u64);
        write!(
            line,
            "{date}\t{time}\t{edge}\t{bytes}\t{address}\t{method}\t{HOST}\t{path}\t{status:03}\t{referrer}\t"
        )?;
        write!(line, "{agent}\t{query}\t-\t{result}\t{id}\twww.example.com\t{protocol}\t{request_bytes}\t{taken}\t")?;
        write!(line, "{forwarded}\t{tls}\t{cipher}\t{result}\t{version}\t-\t-\t{port}\t{first_byte}\t{detailed}\t")?;
        writeln!(line, "{content_type}\t{content_length}\t{range_start}\t{range_end}")
    }
}

/// Splits the rows over [`SYSTEMS`] in the published proportion; what rounding leaves goes to the first ones.
fn shares(rows: u64) -> [u64; SYSTEMS.len()] {
    let total: u64 = SYSTEMS.iter().map(|(_, published)| published).sum();
    let mut shares = SYSTEMS.map(|(_, published)| rows * published / total);
    let left = (rows - shares.iter().sum::<u64>()) as usize;
    shares.iter_mut().take(left).for_each(|share| *share += 1);
    shares
}

/// The viewers, most active first: each has one address, one browser and one edge nearby.
fn viewers(n: u64) -> Vec<Viewer> {
    let edges = Weighted::new(EDGES.iter().map(|(_, share)| *share));
    let agents = Weighted::new(AGENTS.iter().map(|(_, _, share)| *share));
    let viewer = |rank: u64| {
        let mut random = Random(mix(rank));
        let edge = edges.draw(&mut random);
        let (agent, client, _) = AGENTS[agents.draw(&mut random)];
        let host = random.below(254) + 1;
        let address = match random.below(8) {
            0..2 => format!("192.0.2.{host}"),
            2..4 => format!("198.51.100.{host}"),
            4..6 => format!("203.0.113.{host}"),
            _ => format!("2001:db8:{edge:x}:{:x}::{host:x}", random.below(65_536)),
        };
        Viewer { address, client, agent, edge }
    };
    (0..n).map(viewer).collect()
}

/// The object at `rank` of `n`, most wanted first.
fn object(rank: u64, n: u64) -> Object {
    let mut random = Random(mix(!rank));
    let percentile = rank * 100 / n;
    if let Some((path, kind)) = FRONT.get(rank as usize) {
        return Object { path: (*path).to_owned(), kind: *kind, bytes: random.skewed(900, 60_000), percentile };
    }
    let kind = Weighted::new(KINDS.iter().map(|kind| kind.5)).draw(&mut random);
    let Kind(folder, ending, _, smallest, largest, _) = KINDS[kind];
    let (one, two) = (random.pick(&WORDS), random.pick(&WORDS));
    let path = format!("/{folder}/{one}-{two}-{rank}.{ending}");
    Object { path, kind, bytes: random.skewed(smallest, largest), percentile }
}

fn edge_name(edge: usize, pop: u64) -> impl fmt::Display {
    let code = EDGES[edge].0;
    fmt::from_fn(move |f| write!(f, "{code}{}-P{}", 50 + edge, 1 + pop))
}

fn text_or_dash(value: Option<u64>) -> impl fmt::Display {
    fmt::from_fn(move |f| match value {
        Some(value) => write!(f, "{value}"),
        None => f.write_str("-"),
    })
}

fn seconds(milliseconds: u64) -> impl fmt::Display {
    fmt::from_fn(move |f| write!(f, "{}.{:03}", milliseconds / 1000, milliseconds % 1000))
}

/// An id of 56 characters as CloudFront's are; two thirds of it depend on the edge only, which compresses well.
fn request_id(high: u64, low: u64, edge: u64) -> impl fmt::Display {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let words =
        [(high, 11), (low, 7), (mix(edge + 1), 11), (mix(edge + 100), 11), (mix(edge + 200), 11), (mix(edge + 300), 3)];
    let mut id = [b'='; 56];
    let mut at = 0;
    for (word, n) in words {
        for digit in 0..n {
            id[at] = DIGITS[(word >> (digit * 5)) as usize % 64];
            at += 1;
        }
    }
    fmt::from_fn(move |f| f.write_str(std::str::from_utf8(&id).expect("the digits are ASCII")))
}
