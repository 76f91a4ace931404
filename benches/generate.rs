//! Inputs of any size, the same on every machine: lines in the tutorial's format and in CloudFront's standard format.
//!
//! Made in memory and plainer than what `sample-data/generator/` writes: the widths of fields and the number of distinct
//! values are like those of real logs, the stories in them are not.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use logq_engine::config::EngineConfig;
use logq_engine::storage::{FileMeta, Storage, StoragePath};

/// Lines to generate.
#[expect(clippy::disallowed_methods, reason = "a benchmark has no other way to be told its size")]
pub fn rows() -> u64 {
    let default = if cfg!(debug_assertions) { 2_000 } else { 20_000 };
    match std::env::var("LOGQ_BENCH_ROWS") {
        Ok(text) => text.parse().expect("LOGQ_BENCH_ROWS is a number"),
        Err(_) => default,
    }
}

const SYSTEMS: [&str; 6] = ["Android", "Linux", "MacOS", "OSX", "Windows", "iOS"];
const BROWSERS: [&str; 4] = ["IE/3.0.9", "Firefox/3.0.9", "Chrome/35.0.1916", "Safari/3.0.9"];
const EDGES: [&str; 8] = ["LHR3", "FRA6", "SEA4", "DUB2", "NRT12", "SIN3", "IAD53", "GRU1"];
const RESULTS: [&str; 4] = ["Hit", "Hit", "RefreshHit", "Miss"];

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let n = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (n ^ (n >> 31)) % bound
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// One of many objects, some asked for much more than others.
    fn uri(&mut self) -> String {
        let bound = self.below(5_000) + 1;
        format!("/images/holiday/test-image-{}.jpeg", self.below(bound))
    }
}

/// Lines picked from some.
pub fn picked(lines: &[&'static str], rows: u64) -> Vec<u8> {
    let mut random = Random(4);
    (0..rows).flat_map(|_| [random.pick(lines), "\n"]).flat_map(str::bytes).collect()
}

/// Lines of 11 fields between tabs, as Amazon's EMR tutorial has them.
pub fn tutorial(rows: u64) -> Vec<u8> {
    let mut random = Random(1);
    let mut text = String::new();
    for row in 0..rows {
        let (day, second) = (5 + row * 20 / rows, row * 86_400 / rows);
        let (edge, bytes, client) = (random.pick(&EDGES), random.below(90_000), random.below(250));
        let (uri, system, browser) = (random.uri(), random.pick(&SYSTEMS), random.pick(&BROWSERS));
        writeln!(
            text,
            "2014-07-{day:02}\t{:02}:{:02}:{:02}\t{edge}\t{bytes}\t203.0.113.{client}\tGET\t\
             eabcd12345678.cloudfront.net\t{uri}\t200\t-\tMozilla/5.0%20({system};%20U;%20Windows%20NT%205.1;%20en-US;\
             %20rv:1.9.0.9)%20Gecko/2009040821%20{browser}",
            second / 3600,
            second / 60 % 60,
            second % 60,
        )
        .expect("a string takes all");
    }
    text.into_bytes()
}

/// Lines in Apache's combined format.
pub fn apache(rows: u64) -> Vec<u8> {
    let mut random = Random(3);
    let mut text = String::new();
    for row in 0..rows {
        let (day, second) = (1 + row * 28 / rows, row * 86_400 / rows);
        let (client, bytes) = (random.below(250), random.below(90_000));
        let (uri, system, browser) = (random.uri(), random.pick(&SYSTEMS), random.pick(&BROWSERS));
        writeln!(
            text,
            "203.0.113.{client} - - [{day:02}/Jul/2014:{:02}:{:02}:{:02} +0000] \"GET {uri} HTTP/1.1\" 200 {bytes} \
             \"http://www.example.com/start.html\" \"Mozilla/5.0 ({system}; U; en-US; rv:1.9.0.9) Gecko/2009040821 {browser}\"",
            second / 3600,
            second / 60 % 60,
            second % 60,
        )
        .expect("a string takes all");
    }
    text.into_bytes()
}

/// Lines of 33 fields between tabs, without the two header lines.
pub fn standard(rows: u64) -> Vec<u8> {
    let mut random = Random(2);
    let mut text = String::new();
    for row in 0..rows {
        let (day, second) = (1 + row * 28 / rows, row * 86_400 / rows);
        let (edge, bytes, client) = (random.pick(&EDGES), random.below(900_000), random.below(250));
        let (uri, result, port) = (random.uri(), random.pick(&RESULTS), 1024 + random.below(60_000));
        let (id, milliseconds) = (random.below(u64::MAX), random.below(1000));
        writeln!(
            text,
            "2026-03-{day:02}\t{:02}:{:02}:{:02}\t{edge}-P1\t{bytes}\t203.0.113.{client}\tGET\td111111abcdef8.cloudfront.net\t\
             {uri}\t200\t-\tMozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/537.36%20(KHTML,%20like%20\
             Gecko)%20Chrome/145.0.0.0%20Safari/537.36\t-\t-\t{result}\t{id:020}{id:020}{id:014}==\twww.example.com\t\
             https\t389\t0.{milliseconds:03}\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\t{result}\tHTTP/2.0\t-\t-\t{port}\t\
             0.{milliseconds:03}\t{result}\timage/jpeg\t{bytes}\t-\t-",
            second / 3600,
            second / 60 % 60,
            second % 60,
        )
        .expect("a string takes all");
    }
    text.into_bytes()
}

/// The column of each field of [`standard`] and its Hive type, for a CREATE TABLE or a schema.
pub const STANDARD_COLUMNS: &str = "date_ date, time_ string, x_edge_location string, sc_bytes bigint, c_ip string, \
    cs_method string, cs_host string, cs_uri_stem string, sc_status int, cs_referer string, cs_user_agent string, \
    cs_uri_query string, cs_cookie string, x_edge_result_type string, x_edge_request_id string, x_host_header string, \
    cs_protocol string, cs_bytes bigint, time_taken double, x_forwarded_for string, ssl_protocol string, \
    ssl_cipher string, x_edge_response_result_type string, cs_protocol_version string, fle_status string, \
    fle_encrypted_fields string, c_port int, time_to_first_byte double, x_edge_detailed_result_type string, \
    sc_content_type string, sc_content_len bigint, sc_range_start bigint, sc_range_end bigint";

/// Cuts whole lines into `n_files` files of about the same size, each after `header`; returns their bytes as stored.
pub fn write_files(folder: &Path, lines: &[u8], n_files: usize, header: &str, gzip: bool) -> u64 {
    fs::create_dir_all(folder).expect("a temporary folder can be written");
    let mut rest = lines;
    let mut n_bytes = 0;
    for file in 0..n_files {
        let wanted = rest.len() / (n_files - file);
        let end = rest.iter().skip(wanted).position(|byte| *byte == b'\n').map_or(rest.len(), |at| wanted + at + 1);
        let text = [header.as_bytes(), &rest[..end]].concat();
        rest = &rest[end..];
        let (name, content) = if gzip {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&text).expect("memory takes all");
            (format!("log{file:04}.gz"), encoder.finish().expect("memory takes all"))
        } else {
            (format!("log{file:04}"), text)
        };
        n_bytes += content.len() as u64;
        fs::write(folder.join(name), content).expect("a temporary folder can be written");
    }
    n_bytes
}

/// Where the folders are.
pub fn storage() -> Storage {
    Storage::new(&EngineConfig::default())
}

/// What the engine sees of a folder.
pub fn list(folder: &Path) -> Vec<Arc<FileMeta>> {
    let path = StoragePath::from_local(folder).expect("a temporary folder has a plain name");
    storage().list(&path).expect("it can be listed").files.into_iter().map(Arc::new).collect()
}
