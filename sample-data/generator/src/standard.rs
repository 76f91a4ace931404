//! Rows in the format of CloudFront's standard log: 33 fields, after two header lines.

use std::fmt;
use std::io::{self, Write};
use std::ops::Range;

use jiff::civil::{Date, DateTime, date};

use crate::random::mix;
use crate::world::{API, Client, EDGES, HOST, KINDS, Kind, PAGE, REFERRERS, SCANNED, VIDEO, World};

pub const START: Date = date(2026, 3, 1);
pub const DAYS: usize = 3;
/// When the origin was ill.
const OUTAGE: Range<DateTime> = date(2026, 3, 2).at(14, 0, 0, 0)..date(2026, 3, 2).at(15, 0, 0, 0);

pub const FIELDS: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status \
    cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol \
    cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version \
    fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type \
    sc-content-len sc-range-start sc-range-end";

impl World {
    pub fn standard_row(&mut self, row: u64, line: &mut Vec<u8>) -> io::Result<()> {
        let time = self.time(row);
        let viewer = self.next_viewer();
        let random = &mut self.random;
        let (viewer, object) = (&self.viewers[viewer], &self.objects[self.object.draw(random)]);
        let (is_browser, is_scanner) = (viewer.client == Client::Browser, viewer.client == Client::Scanner);
        let is_api = object.kind == API;
        let Kind(_, _, content_type, ..) = KINDS[object.kind];

        // How it went.
        let n_ill = if OUTAGE.contains(&time) { 260 } else { 6 };
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
        let (date, time) = (time.date(), time.time());
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
