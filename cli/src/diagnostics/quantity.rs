//! Numbers as people read them: `4,996`, `1.0 MB`, `0.12 s`.

use std::time::Duration;

/// A number with its thousands apart: `4,996`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 file`, `6 files`.
pub fn plural(n: u64, singular: &str) -> String {
    format!("{} {singular}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A number of bytes in powers of 1000: `66 B`, `1.0 MB`.
pub fn bytes(n: u64) -> String {
    scaled(n as f64, &["B", "kB", "MB", "GB", "TB", "PB"])
}

/// Things a second: `1.2 M`.
pub fn rate(n: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    scaled(n as f64 / seconds, &["", "k", "M", "G", "T"]).trim_end().to_owned()
}

/// How long something took: `0.12 s`, `2 min 5 s`.
pub fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0..10 => format!("{:.2} s", elapsed.as_secs_f64()),
        10..60 => format!("{:.1} s", elapsed.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

fn scaled(mut value: f64, units: &[&str]) -> String {
    let mut unit = 0;
    // 999.95 would be printed as 1000.0.
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{value:.0} {}", units[0]) } else { format!("{value:.1} {}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!([0, 999, 1000, 4996, 1234567].map(count), ["0", "999", "1,000", "4,996", "1,234,567"]);
        assert_eq!([plural(1, "file"), plural(6, "file")], ["1 file", "6 files"]);
        assert_eq!([66, 999, 1000, 1_040_000, 999_999].map(bytes), ["66 B", "999 B", "1.0 kB", "1.0 MB", "1.0 MB"]);
        let times = [0, 120, 12_340, 125_000, 3_725_000].map(Duration::from_millis).map(duration);
        assert_eq!(times, ["0.00 s", "0.12 s", "12.3 s", "2 min 5 s", "1 h 2 min"]);
        assert_eq!(rate(3_000_000, Duration::from_secs(2)), "1.5 M");
        assert_eq!(rate(10, Duration::from_secs(2)), "5");
    }
}
