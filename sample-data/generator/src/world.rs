//! Who asks for what: viewers, objects, and how often each comes up.

use jiff::civil::DateTime;

use crate::clock::{Clock, PARTS};
use crate::files::{Format, Job};
use crate::random::{Random, Weighted, mix};
use crate::{standard, tutorial};

pub const SEED: u64 = 20_140_705;
pub const HOST: &str = "d111111abcdef8.cloudfront.net";

/// Places of CloudFront with the share of viewers near to each.
#[rustfmt::skip]
pub const EDGES: [(&str, u64); 16] = [
    ("FRA", 14), ("LHR", 12), ("IAD", 12), ("AMS", 8), ("CDG", 8), ("DFW", 7), ("LAX", 7), ("NRT", 6),
    ("SIN", 5), ("GRU", 4), ("SYD", 4), ("BOM", 4), ("MAD", 3), ("ARN", 3), ("YUL", 2), ("CPT", 1),
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Client {
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

pub const SCANNED: [&str; 6] = ["/wp-login.php", "/.env", "/xmlrpc.php", "/.git/config", "/admin.php", "/phpmyadmin/"];

pub const REFERRERS: [&str; 8] = [
    "https://www.google.com/",
    "https://www.google.com/",
    "https://www.google.com/",
    "https://www.bing.com/",
    "https://duckduckgo.com/",
    "https://news.example.org/",
    "https://social.example.net/t/4711",
    "https://partner.example.net/links.html?from=logq",
];

pub struct Viewer {
    pub address: String,
    pub client: Client,
    pub agent: &'static str,
    pub edge: usize,
}

/// What an object is: folder, ending, content type, smallest and largest size, share.
pub struct Kind(pub &'static str, pub &'static str, pub &'static str, pub u64, pub u64, pub u64);

pub const PAGE: usize = 0;

pub const API: usize = 5;

pub const VIDEO: usize = 6;

pub const KINDS: [Kind; 8] = [
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

pub struct Object {
    pub path: String,
    pub kind: usize,
    pub bytes: u64,
    /// How far down the list of the most wanted, in percent.
    pub percentile: u64,
}

pub struct World {
    pub random: Random,
    pub clock: Clock,
    pub viewers: Vec<Viewer>,
    viewer: Weighted,
    /// Viewers in the middle of a visit, who go on asking.
    present: [usize; 16],
    pub objects: Vec<Object>,
    pub object: Weighted,
    /// Rows that each of [`tutorial::SYSTEMS`] still has to get: drawn without putting back, so that the sums come out exactly.
    pub systems_left: [u64; tutorial::SYSTEMS.len()],
}

impl World {
    pub fn new(job: &Job) -> Self {
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
            Format::Tutorial => (tutorial::START, tutorial::DAYS),
            Format::Standard => (standard::START, standard::DAYS),
        };
        World {
            random: Random(SEED),
            clock: Clock::new(start, days, job.rows),
            viewers: viewers(n_viewers),
            viewer: Weighted::zipf(n_viewers, flat_viewers),
            present: [0; 16],
            objects: (0..n_objects).map(|rank| object(rank, n_objects)).collect(),
            object: Weighted::zipf(n_objects, flat_objects),
            systems_left: tutorial::shares(job.rows),
        }
    }

    /// The time of a row. Lines of a log are only nearly in order: servers write when a response is through.
    pub fn time(&mut self, row: u64) -> DateTime {
        let late = self.random.skewed(0, 6);
        let part = self.random.below(PARTS);
        self.clock.at(row.saturating_sub(late), part)
    }

    /// Who asks: mostly somebody who is there already, so that visits have several requests.
    pub fn next_viewer(&mut self) -> usize {
        let place = self.random.below(self.present.len() as u64) as usize;
        if self.random.per_mille(230) {
            self.present[place] = self.viewer.draw(&mut self.random);
        }
        self.present[place]
    }
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
