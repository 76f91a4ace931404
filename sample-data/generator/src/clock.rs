//! When each row was written.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

/// How busy each hour of a day is.
const HOURS: [u64; 24] = [3, 2, 2, 2, 2, 3, 4, 6, 8, 9, 9, 10, 11, 10, 10, 10, 11, 12, 14, 15, 14, 11, 8, 5];

/// The parts of the time between two rows.
pub const PARTS: u64 = 64;

/// Spreads the rows over days of which each has its quiet and its busy hours.
pub struct Clock {
    days: Vec<Date>,
    rows: u64,
}

impl Clock {
    /// A clock for so many rows, from midnight of `start` on.
    pub fn new(start: Date, days: usize, rows: u64) -> Self {
        Clock { days: start.series(1.day()).take(days).collect(), rows: rows.max(1) }
    }

    /// The time of a row, or so many [`PARTS`] later.
    pub fn at(&self, row: u64, part: u64) -> DateTime {
        let day_units = HOURS.iter().sum::<u64>() * 3600;
        let place = row.min(self.rows - 1) * PARTS + part;
        let unit = place * (self.days.len() as u64 * day_units) / (self.rows * PARTS);
        let (day, mut unit) = (unit / day_units, unit % day_units);
        let mut hour = 0;
        while unit >= HOURS[hour] * 3600 {
            unit -= HOURS[hour] * 3600;
            hour += 1;
        }
        let second = unit / HOURS[hour];
        self.days[day as usize].at(hour as i8, (second / 60) as i8, (second % 60) as i8, 0)
    }
}
