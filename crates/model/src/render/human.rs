//! Figures for people.

use crate::time::UnixNanos;

/// Rounds as Python's `round(value, digits)`: on the exact binary value, ties
/// to even. What is not finite stays as it is.
pub fn round(value: f64, digits: usize) -> f64 {
    if !value.is_finite() {
        return value;
    }
    format!("{value:.digits$}").parse().unwrap_or(value)
}

/// A whole number with separators: `21,150`.
pub fn thousands(value: i128) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0 {
        out.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A figure with one digit after the point below 100, and none above.
fn short(value: f64) -> String {
    if value.abs() < 99.95 {
        format!("{value:.1}")
    } else {
        thousands(value.round_ties_even() as i128)
    }
}

/// The last unit that the figure reaches; rounded, it stays below the next.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let size = value.abs();
    let at = units
        .windows(2)
        .position(|pair| size < pair[1].0 - pair[0].0 * 0.5)
        .unwrap_or(units.len() - 1);
    let (factor, unit) = units[at];
    let scaled = value / factor;
    if scaled.abs() >= 1e6 {
        return format!("{scaled:.1e} {unit}");
    }
    format!("{} {unit}", short(scaled))
}

/// A duration in ms: `850 ns`, `1.2 ms`, `12.3 s`, `5.0 min`, `3.4 h`, `2.1 d`,
/// `3.2 y` (of 365.25 days). Minutes begin at 90 s, hours at 90 min, days at
/// 48 h, years at 730 d, so that small figures keep their digits. What is below
/// a nanosecond, and not 0, is `<1 ns`; a dash for what is not finite.
pub fn duration(ms: f64) -> String {
    const MINUTE: f64 = 60e3;
    const DAY: f64 = 24.0 * 60.0 * MINUTE;
    if !ms.is_finite() {
        return "–".to_owned();
    }
    match ms.abs() {
        0.0 => "0 ms".to_owned(),
        size if size < 0.95e-6 => "<1 ns".to_owned(),
        size if size < MINUTE * 1.5 => {
            scaled(ms, &[(1e-6, "ns"), (1e-3, "µs"), (1.0, "ms"), (1e3, "s")])
        }
        size if size < MINUTE * 90.0 => format!("{} min", short(ms / MINUTE)),
        size if size < DAY * 2.0 => format!("{} h", short(ms / MINUTE / 60.0)),
        size if size < DAY * 730.0 => format!("{} d", short(ms / DAY)),
        _ => scaled(ms, &[(DAY * 365.25, "y")]),
    }
}

/// A duration in ms in the words of a seed system, which knows ms alone:
/// `7.25ms` with two digits, `7ms` with none. What would take more than nine
/// digits is scaled as [`duration`] scales it.
pub fn plain_ms(ms: f64, digits: usize) -> String {
    if ms.abs() < 1e9 {
        format!("{ms:.digits$}ms")
    } else {
        duration(ms)
    }
}

/// A size: `312 B`, `3.4 MB` (powers of 1000).
pub fn bytes(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    scaled(
        bytes as f64,
        &[
            (1e3, "kB"),
            (1e6, "MB"),
            (1e9, "GB"),
            (1e12, "TB"),
            (1e15, "PB"),
            (1e18, "EB"),
        ],
    )
}

/// A count with its noun: `1 segment`, `1,234 segments`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{} {noun}", thousands(i128::from(count)))
}

/// How many times as fast: `12.5x`, `0.04x`; two digits are always told.
pub fn times(factor: f64) -> String {
    match factor {
        factor if !factor.is_finite() => "–".to_owned(),
        factor if factor >= 1e6 => format!("{factor:.1e}x"),
        factor if factor >= 0.95 || factor == 0.0 => format!("{factor:.1}x"),
        factor if factor >= 0.001 => {
            let digits = 1 - factor.abs().log10().floor() as i32;
            format!("{factor:.*}x", usize::try_from(digits).unwrap_or(1))
        }
        factor => format!("{factor:.1e}x"),
    }
}

/// A ratio of 0..=1 as a percentage: `87.2%`; what is not quite none or all is
/// `<0.1%` or `>99.9%`. A dash for what is not finite.
pub fn percent(ratio: f64) -> String {
    if !ratio.is_finite() {
        return "–".to_owned();
    }
    if ratio > 0.0 && ratio < 0.000_5 {
        return "<0.1%".to_owned();
    }
    if ratio > 0.999_5 && ratio < 1.0 {
        return ">99.9%".to_owned();
    }
    format!("{:.1}%", ratio * 100.0)
}

/// US dollars: `$1,234.56`; below 10 cents `$0.0012`.
pub fn usd(value: f64) -> String {
    let size = value.abs();
    let sign = if value < 0.0 { "-" } else { "" };
    if !value.is_finite() {
        return "–".to_owned();
    }
    if size >= 1e15 {
        return format!("{sign}${size:.1e}");
    }
    if size != 0.0 && size < 0.000_05 {
        return format!("{sign}<$0.0001");
    }
    if size != 0.0 && size < 0.1 {
        return format!("{sign}${size:.4}");
    }
    let cents = format!("{size:.2}");
    let (whole, fraction) = cents.split_once('.').unwrap_or((&cents, "00"));
    match whole.parse::<i128>() {
        Ok(whole) => format!("{sign}${}.{fraction}", thousands(whole)),
        Err(_) => format!("{sign}${cents}"),
    }
}

/// Any figure: whole ones with separators, others with up to four significant
/// digits after the point's noise.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value.fract() == 0.0 && size < 1e15 {
        return thousands(value as i128);
    }
    match size {
        size if size >= 1e15 => format!("{value:.3e}"),
        size if size >= 1000.0 => thousands(value.round_ties_even() as i128),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 1e-3 => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

/// How long ago, in the first seed's words, and in days from a day on.
pub fn ago(then: UnixNanos, now: UnixNanos) -> String {
    let seconds = (i128::from(now.0) - i128::from(then.0)) / 1_000_000_000;
    match seconds {
        ..0 => "in the future".to_owned(),
        0..60 => format!("{seconds} seconds ago"),
        60..3_600 => format!("{} minutes ago", seconds / 60),
        3_600..86_400 => format!("{} hours ago", seconds / 3_600),
        86_400..172_800 => "1 day ago".to_owned(),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// Counts as a row of bars, the highest for the largest: `▁▃█`.
pub fn bars(counts: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    counts
        .iter()
        .map(|&count| match count {
            0 => '·',
            _ => BARS[(u128::from(count) * 7 / u128::from(most)) as usize],
        })
        .collect()
}

#[cfg(test)]
#[path = "human_tests.rs"]
mod tests;
