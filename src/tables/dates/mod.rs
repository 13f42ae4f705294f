//! Dates as people write them, with or without a time of day.
//!
//! `2012-01-31`, `2012/1/31`, `2012.01.31`; `1/31/2012`, `31/1/2012`, `31-01-2012`, `31.01.2012`
//! and, between slashes, years of two digits; `31.01.12` with two digits each, which no version is
//! likely to have; `Jan 31 2012`, `January 31, 2012`, `31 Jan 2012`,
//! `31-Jan-12`. A time of day may follow after `T` or a blank: `12:30`, `12:30:59.5`, `1:30 PM`,
//! optionally with `Z`, `UTC`, `GMT` or an offset such as `+02:00`.

use std::fmt;

/// A date, and a time of day if one was given. Orders by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
    time: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Time {
    hour: u8,
    minute: u8,
    second: u8,
    nano: u32,
    utc: bool,
}

/// `2012-01-31` or `2012-01-31T12:00:00`, with a fraction if there is one, and with `Z` if an
/// offset was given: the time is then in UTC.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)?;
        let Some(Time { hour, minute, second, nano, utc }) = self.time else { return Ok(()) };
        write!(f, "T{hour:02}:{minute:02}:{second:02}")?;
        if nano > 0 {
            write!(f, ".{}", format!("{nano:09}").trim_end_matches('0'))?;
        }
        if utc { f.write_str("Z") } else { Ok(()) }
    }
}

/// The possible meanings of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meanings {
    /// If the month comes first.
    pub month_first: Option<Date>,
    /// If the day comes first.
    pub day_first: Option<Date>,
    /// It is written with points, as is usual with the day first.
    pub points: bool,
}

impl Meanings {
    /// The date in that order.
    pub fn date(self, day_first: bool) -> Option<Date> {
        if day_first { self.day_first } else { self.month_first }
    }
}

/// Reads a date. `None` if it is not a date in either order.
pub fn read(text: &[u8]) -> Option<Meanings> {
    if !(6..=48).contains(&text.len()) {
        return None;
    }
    let mut rest = Scanner(text);
    let (a, b, points) = if text[0].is_ascii_digit() {
        let (first, digits) = rest.digits()?;
        let mark = rest.next()?;
        match (digits, mark) {
            (4, b'-' | b'/' | b'.') => {
                let month = rest.short()?;
                rest.expect(mark)?;
                let date = civil(first, month, rest.short()?);
                (date, date, false)
            }
            (1 | 2, b'-' | b'/' | b'.') if rest.at_digit() => {
                let second = rest.short()?;
                rest.expect(mark)?;
                if let (b'.', true, [b'.', _, _, b'.', _, _]) = (mark, digits == 2, &text[2..]) {
                    // Only the day comes first between points.
                    let date = civil(rest.year(true)?, second, first)?;
                    return Some(Meanings {
                        month_first: None,
                        day_first: Some(date),
                        points: true,
                    });
                }
                let year = rest.year(mark == b'/')?;
                (civil(year, first, second), civil(year, second, first), mark == b'.')
            }
            (1 | 2, b'-' | b' ' | b'.' | b'/') => {
                rest.blanks();
                let month = rest.month()?;
                let hyphen = rest.skip(b'-') || rest.skip(b'/');
                rest.skip(b',');
                rest.blanks();
                let date = civil(rest.year(hyphen)?, month, first);
                (date, date, false)
            }
            _ => return None,
        }
    } else {
        let month = rest.month()?;
        rest.blanks();
        let day = rest.short()?;
        if !rest.skip(b',') && !rest.at_blank() {
            return None;
        }
        rest.blanks();
        let date = civil(rest.year(false)?, month, day);
        (date, date, false)
    };
    if rest.0.is_empty() {
        return (a.is_some() || b.is_some()).then_some(Meanings {
            month_first: a,
            day_first: b,
            points,
        });
    }
    let (time, offset) = rest.time()?;
    let at = |date: Option<Date>| at_time(date?, time, offset);
    let (month_first, day_first) = (at(a), at(b));
    (month_first.is_some() || day_first.is_some()).then_some(Meanings {
        month_first,
        day_first,
        points,
    })
}

fn civil(year: u16, month: u16, day: u16) -> Option<Date> {
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    ((1..=days).contains(&day) && year > 0).then_some(Date {
        year,
        month: month as u8,
        day: day as u8,
        time: None,
    })
}

/// `date` at `time`, moved to UTC by `offset` minutes.
fn at_time(date: Date, time: Time, offset: i32) -> Option<Date> {
    if offset == 0 {
        return Some(Date { time: Some(time), ..date });
    }
    let local = jiff::civil::DateTime::new(
        date.year.try_into().ok()?,
        date.month.try_into().ok()?,
        date.day.try_into().ok()?,
        time.hour.try_into().ok()?,
        time.minute.try_into().ok()?,
        time.second.try_into().ok()?,
        0,
    );
    let utc = local.ok()?.checked_sub(jiff::SignedDuration::from_mins(offset.into())).ok()?;
    Some(Date {
        year: utc.year().try_into().ok().filter(|year| *year > 0)?,
        month: utc.month().try_into().ok()?,
        day: utc.day().try_into().ok()?,
        time: Some(Time {
            hour: utc.hour().try_into().ok()?,
            minute: utc.minute().try_into().ok()?,
            ..time
        }),
    })
}

const MONTHS: [&[u8]; 12] = [
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
];

/// The unread rest of a text.
struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip(byte).then_some(())
    }

    fn at_digit(&self) -> bool {
        self.0.first().is_some_and(u8::is_ascii_digit)
    }

    fn at_blank(&self) -> bool {
        self.0.first() == Some(&b' ')
    }

    fn blanks(&mut self) {
        while self.skip(b' ') {}
    }

    /// One to four digits, and their number.
    fn digits(&mut self) -> Option<(u16, usize)> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=4).contains(&count) {
            return None;
        }
        let value = self.0[..count].iter().fold(0, |sum, byte| sum * 10 + u16::from(byte - b'0'));
        self.0 = &self.0[count..];
        Some((value, count))
    }

    /// One or two digits.
    fn short(&mut self) -> Option<u16> {
        self.digits().filter(|(_, count)| *count <= 2).map(|(value, _)| value)
    }

    /// Four digits, or two if `short` years are accepted: 69 to 99 are in the 20th century, as in
    /// POSIX.
    fn year(&mut self, short: bool) -> Option<u16> {
        match self.digits()? {
            (year, 4) => Some(year),
            (year, 2) if short => Some(if year < 69 { 2000 + year } else { 1900 + year }),
            _ => None,
        }
    }

    /// An English month, in full or by its first three letters (`Sept` too), with or without a
    /// point.
    fn month(&mut self) -> Option<u16> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = &self.0[..count];
        let month = MONTHS.iter().position(|month| {
            (count == 3 || count == month.len() || (count == 4 && month.len() == 9))
                && month.get(..count).is_some_and(|start| start.eq_ignore_ascii_case(word))
        })?;
        self.0 = &self.0[count..];
        self.skip(b'.');
        u16::try_from(month + 1).ok()
    }

    /// A time of day to the end of the text, and its offset from UTC in minutes.
    fn time(&mut self) -> Option<(Time, i32)> {
        if !self.skip(b'T') && !self.skip(b't') {
            self.skip(b',');
            self.expect(b' ')?;
            self.blanks();
        }
        let mut hour = self.short()?;
        self.expect(b':')?;
        let minute = self.two()?;
        let second = if self.skip(b':') { self.two()? } else { 0 };
        let mut nano = 0;
        if second_has_fraction(self.0) {
            self.next();
            let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let mut unit = 100_000_000;
            for byte in &self.0[..count.min(9)] {
                nano += u32::from(byte - b'0') * unit;
                unit /= 10;
            }
            self.0 = &self.0[count..];
        }
        self.blanks();
        if let [letter @ (b'A' | b'P' | b'a' | b'p'), b'M' | b'm', ..] = *self.0 {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if letter | 0x20 == b'p' { 12 } else { 0 };
            self.0 = &self.0[2..];
            self.blanks();
        }
        let offset = self.offset()?;
        (hour < 24 && minute < 60 && second < 60).then(|| {
            let (hour, minute, second) = (hour as u8, minute as u8, second as u8);
            let time = Time { hour, minute, second, nano, utc: offset.is_some() };
            (time, offset.unwrap_or(0))
        })
    }

    fn two(&mut self) -> Option<u16> {
        self.digits().filter(|(_, count)| *count == 2).map(|(value, _)| value)
    }

    /// The offset in minutes, or `Some(None)` without one.
    fn offset(&mut self) -> Option<Option<i32>> {
        let sign = match self.0 {
            b"" => return Some(None),
            b"Z" | b"z" | b"UTC" | b"GMT" => return Some(Some(0)),
            [b'+', ..] => 1,
            [b'-', ..] => -1,
            _ => return None,
        };
        self.next();
        let (hours, minutes) = match self.digits()? {
            (value, 4) => (value / 100, value % 100),
            (value, 2) if self.skip(b':') => (value, self.two()?),
            (value, 2) => (value, 0),
            _ => return None,
        };
        let minutes_total = i32::from(hours) * 60 + i32::from(minutes);
        (self.0.is_empty() && hours <= 15 && minutes < 60).then_some(Some(sign * minutes_total))
    }
}

fn second_has_fraction(rest: &[u8]) -> bool {
    matches!(rest, [b'.' | b',', digit, ..] if digit.is_ascii_digit())
}

#[cfg(test)]
mod tests;
