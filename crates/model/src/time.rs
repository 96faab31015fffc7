//! Time: instants, windows, and the one way timestamps are read and written.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds in one second.
pub const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// Nanoseconds in one day.
pub const NANOS_PER_DAY: i64 = 86_400 * NANOS_PER_SECOND;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z.
///
/// Range: 1677-09-21 to 2262-04-11, which is what 64 bits hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixNanos(pub i64);

impl UnixNanos {
    /// The earliest instant that can be named.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant that can be named.
    pub const MAX: Self = Self(i64::MAX);

    /// Reads the system clock.
    pub fn now() -> Self {
        Self::from_system_time(SystemTime::now())
    }

    /// Converts a [`SystemTime`], saturating at the ends of the range.
    pub fn from_system_time(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(i64::try_from(after.as_nanos()).unwrap_or(i64::MAX)),
            Err(before) => {
                Self(i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |n| -n))
            }
        }
    }

    /// Converts seconds since the epoch, as Python's `time.time()` gives them.
    ///
    /// Rounds to the microsecond, which is what such a float carries.
    /// `None` for a non-finite value or one outside the range.
    pub fn from_epoch_seconds(seconds: f64) -> Option<Self> {
        let micros = (seconds * 1e6).round();
        if !micros.is_finite() || micros.abs() >= 9.223_372_036e15 {
            return None;
        }
        Some(Self(micros as i64 * 1_000))
    }

    /// Returns seconds since the epoch.
    pub fn as_epoch_seconds(self) -> f64 {
        (self.0 / 1_000) as f64 / 1e6
    }

    /// Adds `duration`, saturating.
    pub fn saturating_add(self, duration: Duration) -> Self {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// Subtracts `duration`, saturating.
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(nanos))
    }

    /// Returns the days since the epoch, in UTC; negative before 1970.
    pub fn day(self) -> i64 {
        self.0.div_euclid(NANOS_PER_DAY)
    }

    /// Returns the hour of the day in UTC, 0 to 23.
    pub fn hour_of_day(self) -> u8 {
        (self.0.rem_euclid(NANOS_PER_DAY) / (3_600 * NANOS_PER_SECOND)) as u8
    }

    /// Returns the day of the week in UTC: 0 is Monday, 6 is Sunday.
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        (self.day() + 3).rem_euclid(7) as u8
    }

    /// Returns the date in UTC, as `2025-11-20`.
    pub fn date(self) -> String {
        date_of_day(self.day())
    }

    /// Reads a timestamp: RFC 3339, or any other ISO 8601 form that Python's
    /// `datetime.fromisoformat` takes and that names an offset.
    ///
    /// A timestamp without an offset is read as UTC when `naive_is_utc`.
    ///
    /// # Errors
    /// Says what is wrong with it in a few words.
    pub fn parse(text: &str, naive_is_utc: bool) -> Result<Self, TimeError> {
        parse(text.as_bytes(), naive_is_utc)
    }

    /// Appends the timestamp as Python's `isoformat()` writes it in UTC:
    /// `2025-11-20T11:00:00.123456+00:00`, no fraction where it is zero, nine
    /// digits only where there is more than a microsecond to tell.
    pub fn write(self, out: &mut Vec<u8>) {
        let day = self.day();
        let nanos_of_day = self.0.rem_euclid(NANOS_PER_DAY);
        let (year, month, dom) = civil_from_days(day);
        let seconds = nanos_of_day / NANOS_PER_SECOND;
        let fraction = nanos_of_day % NANOS_PER_SECOND;
        put_year(out, year);
        out.push(b'-');
        put2(out, month);
        out.push(b'-');
        put2(out, dom);
        out.push(b'T');
        put2(out, (seconds / 3_600) as u32);
        out.push(b':');
        put2(out, (seconds / 60 % 60) as u32);
        out.push(b':');
        put2(out, (seconds % 60) as u32);
        if fraction != 0 {
            out.push(b'.');
            if fraction % 1_000 == 0 {
                put_digits(out, (fraction / 1_000) as u32, 6);
            } else {
                put_digits(out, fraction as u32, 9);
            }
        }
        out.extend_from_slice(b"+00:00");
    }
}

impl fmt::Display for UnixNanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(35);
        self.write(&mut out);
        f.write_str(std::str::from_utf8(&out).unwrap_or_default())
    }
}

/// Returns the date of a day counted from 1970-01-01, as `2025-11-20`.
pub fn date_of_day(day: i64) -> String {
    let (year, month, dom) = civil_from_days(day);
    let mut out = Vec::with_capacity(10);
    put_year(&mut out, year);
    format!("{}-{month:02}-{dom:02}", String::from_utf8_lossy(&out))
}

/// Returns year, month (1 to 12) and day of the month (1 to 31) in UTC of a
/// day counted from 1970-01-01.
pub fn calendar_of_day(day: i64) -> (i64, u32, u32) {
    civil_from_days(day)
}

/// A half-open stretch of time, `[from, to)`, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant inside.
    pub from: UnixNanos,
    /// The first instant after it.
    pub to: UnixNanos,
}

impl Window {
    /// Everything.
    pub const ALL: Self = Self {
        from: UnixNanos::MIN,
        to: UnixNanos::MAX,
    };

    /// Returns the window of `length` that ends at `to`.
    pub fn last(length: Duration, to: UnixNanos) -> Self {
        Self {
            from: to.saturating_sub(length),
            to,
        }
    }

    /// Tells whether `at` lies inside.
    pub fn contains(&self, at: UnixNanos) -> bool {
        self.from <= at && at < self.to
    }

    /// Returns its length; zero for an empty or reversed window.
    pub fn length(&self) -> Duration {
        let nanos = i128::from(self.to.0) - i128::from(self.from.0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }
}

/// Why a timestamp could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not of an ISO 8601 form.
    #[error("not an ISO 8601 date and time")]
    Malformed,
    /// A field is outside its range (month 13, hour 25, …).
    #[error("a field is outside its range")]
    OutOfRange,
    /// No offset, where one is demanded.
    #[error("no offset from UTC")]
    Naive,
    /// A year that 64 bits of nanoseconds cannot hold (1678 to 2261 fit).
    #[error("outside the years 1678 to 2261")]
    Unrepresentable,
}

fn parse(text: &[u8], naive_is_utc: bool) -> Result<UnixNanos, TimeError> {
    match parse_usual(text) {
        Some(time) => Ok(time),
        None => parse_any(text, naive_is_utc),
    }
}

/// The form in which logs are written, `2025-11-20T11:00:00.123456+00:00`, with
/// six digits of a second or none, in UTC. `None` for any other and for
/// whatever may be wrong: [`parse_any`] has the word on those.
fn parse_usual(text: &[u8]) -> Option<UnixNanos> {
    let (fixed, rest) = text.split_first_chunk::<19>()?;
    let fraction = match rest {
        [b'.', digits @ .., b'+', b'0', b'0', b':', b'0', b'0'] => digits,
        [b'.', digits @ .., b'Z'] => digits,
        b"+00:00" | b"Z" => b"000000",
        _ => return None,
    };
    let fraction: &[u8; 6] = fraction.try_into().ok()?;
    let mut odd = 0;
    let mut pair = |tens: u8, ones: u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        odd |= u8::from(tens > 9) | u8::from(ones > 9);
        u32::from(tens) * 10 + u32::from(ones)
    };
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        _,
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
    ] = *fixed
    else {
        return None;
    };
    let year = pair(y1, y2) * 100 + pair(y3, y4);
    let (month, dom) = (pair(m1, m2), pair(d1, d2));
    let (hour, minute, second) = (pair(h1, h2), pair(n1, n2), pair(s1, s2));
    let [f1, f2, f3, f4, f5, f6] = *fraction;
    let micros = (pair(f1, f2) * 100 + pair(f3, f4)) * 100 + pair(f5, f6);
    let separated = fixed[10].is_ascii();
    // Far enough inside the range that nothing overflows.
    if odd != 0 || !separated || !(1700..2200).contains(&year) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_from_civil(i64::from(year), month, dom).ok()?;
    let seconds = days * 86_400 + i64::from(hour * 3_600 + minute * 60 + second);
    Some(UnixNanos(
        seconds * NANOS_PER_SECOND + i64::from(micros) * 1_000,
    ))
}

fn parse_any(text: &[u8], naive_is_utc: bool) -> Result<UnixNanos, TimeError> {
    let mut cursor = Cursor { text, at: 0 };
    let year = cursor.digits(4)?;
    let extended = cursor.eat(b'-');
    let month = cursor.digits(2)?;
    if extended && !cursor.eat(b'-') {
        return Err(TimeError::Malformed);
    }
    let dom = cursor.digits(2)?;
    let days = days_from_civil(i64::from(year), month, dom)?;
    let mut nanos = i128::from(days) * i128::from(NANOS_PER_DAY);
    let mut offset = None;
    if cursor.at < text.len() {
        // Python takes any one character between date and time.
        cursor.skip_char();
        nanos += i128::from(cursor.time_of_day()?);
        offset = cursor.offset()?;
    }
    match offset {
        Some(seconds) => nanos -= i128::from(seconds) * i128::from(NANOS_PER_SECOND),
        None if naive_is_utc => {}
        None => return Err(TimeError::Naive),
    }
    i64::try_from(nanos)
        .map(UnixNanos)
        .map_err(|_| TimeError::Unrepresentable)
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn skip_char(&mut self) {
        self.at += 1;
        while self.peek().is_some_and(|b| b & 0xC0 == 0x80) {
            self.at += 1;
        }
    }

    fn digits(&mut self, count: usize) -> Result<u32, TimeError> {
        let end = self.at + count;
        let digits = self.text.get(self.at..end).ok_or(TimeError::Malformed)?;
        let mut value = 0;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return Err(TimeError::Malformed);
            }
            value = value * 10 + u32::from(digit - b'0');
        }
        self.at = end;
        Ok(value)
    }

    /// Hours, with minutes and seconds as far as they are given.
    fn time_of_day(&mut self) -> Result<i64, TimeError> {
        let hour = self.digits(2)?;
        let (mut minute, mut second, mut fraction) = (0, 0, 0);
        if matches!(self.peek(), Some(b':' | b'0'..=b'9')) {
            let extended = self.eat(b':');
            minute = self.digits(2)?;
            let more = if extended {
                self.eat(b':')
            } else {
                self.peek().is_some_and(|b| b.is_ascii_digit())
            };
            if more {
                second = self.digits(2)?;
                if self.eat(b'.') || self.eat(b',') {
                    fraction = self.fraction()?;
                }
            }
        }
        if hour > 23 || minute > 59 || second > 59 {
            return Err(TimeError::OutOfRange);
        }
        let seconds = i64::from(hour * 3_600 + minute * 60 + second);
        Ok(seconds * NANOS_PER_SECOND + fraction)
    }

    /// Any number of digits; what is finer than a nanosecond is cut off.
    fn fraction(&mut self) -> Result<i64, TimeError> {
        let start = self.at;
        let (mut value, mut scale) = (0, NANOS_PER_SECOND / 10);
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value += i64::from(digit - b'0') * scale;
            scale /= 10;
            self.at += 1;
        }
        if self.at == start {
            return Err(TimeError::Malformed);
        }
        Ok(value)
    }

    fn offset(&mut self) -> Result<Option<i64>, TimeError> {
        let sign = match self.peek() {
            None => return Ok(None),
            Some(b'Z' | b'z') => {
                self.at += 1;
                return if self.at == self.text.len() {
                    Ok(Some(0))
                } else {
                    Err(TimeError::Malformed)
                };
            }
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return Err(TimeError::Malformed),
        };
        self.at += 1;
        let nanos = self.time_of_day()?;
        if self.at != self.text.len() {
            return Err(TimeError::Malformed);
        }
        Ok(Some(sign * (nanos / NANOS_PER_SECOND)))
    }
}

// Both conversions: Howard Hinnant, "chrono-Compatible Low-Level Date
// Algorithms", https://howardhinnant.github.io/date_algorithms.html
fn days_from_civil(year: i64, month: u32, dom: u32) -> Result<i64, TimeError> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return Err(TimeError::OutOfRange),
    };
    if year == 0 || dom == 0 || dom > length {
        return Err(TimeError::OutOfRange);
    }
    let y = year - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let shifted = i64::from((month + 9) % 12);
    let doy = (153 * shifted + 2) / 5 + i64::from(dom) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    Ok(era * 146_097 + doe - 719_468)
}

fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let dom = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    (yoe + era * 400 + i64::from(month <= 2), month, dom)
}

fn put_year(out: &mut Vec<u8>, year: i64) {
    // The range of 64 bits is 1677 to 2262: always four digits.
    put_digits(out, year as u32, 4);
}

fn put2(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&[b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
}

fn put_digits(out: &mut Vec<u8>, value: u32, width: usize) {
    let mut digits = [b'0'; 9];
    let mut rest = value;
    for digit in digits.iter_mut().take(width).rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&digits[..width]);
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
