//! Rows in the format of Amazon's EMR tutorial: 11 fields, CRLF.

use std::io::{self, Write};

use jiff::civil::{Date, date};

use crate::random::Weighted;
use crate::world::{EDGES, HOST, World};

pub const START: Date = date(2014, 7, 5);
pub const DAYS: usize = 32;

/// The tutorial's operating systems with the requests that Amazon published for each; other sizes keep the shares.
pub const SYSTEMS: [(&str, u64); 6] =
    [("Android", 855), ("Linux", 813), ("MacOS", 852), ("OSX", 799), ("Windows", 883), ("iOS", 794)];

const BROWSERS: [&str; 6] =
    ["Chrome/36.0.1985", "Firefox/31.0", "Safari/537.78", "IE/11.0", "Opera/12.17", "Lynx/2.8.8"];

impl World {
    pub fn tutorial_row(&mut self, row: u64, line: &mut Vec<u8>) -> io::Result<()> {
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
        let (date, time) = (time.date(), time.time());
        let (edge, address, uri) = (EDGES[viewer.edge].0, &viewer.address, &object.path);
        let edge_number = viewer.edge % 4 + 1;
        let method = if random.per_mille(20) { "HEAD" } else { "GET" };
        let referrer = if random.per_mille(700) { "-" } else { "http://www.example.com/" };
        let (system, browser) = (SYSTEMS[system].0, random.pick(&BROWSERS));
        write!(line, "{date}\t{time}\t{edge}{edge_number}\t{bytes}\t{address}\t{method}\t{HOST}\t{uri}\t{status}\t")?;
        write!(line, "{referrer}\tMozilla/5.0%20({system};%20U;%20en-GB)%20Gecko/20140701%20{browser}\r\n")
    }
}

/// Splits the rows over [`SYSTEMS`] in the published proportion; what rounding leaves goes to the first ones.
pub fn shares(rows: u64) -> [u64; SYSTEMS.len()] {
    let total: u64 = SYSTEMS.iter().map(|(_, published)| published).sum();
    let mut shares = SYSTEMS.map(|(_, published)| rows * published / total);
    let left = (rows - shares.iter().sum::<u64>()) as usize;
    shares.iter_mut().take(left).for_each(|share| *share += 1);
    shares
}
