//! Single values as people write them: numbers, booleans, and words for "no value".

/// A number read from text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// Its value, always finite.
    pub value: f64,
    /// The same, if it is whole, within 64 bits and written without point and exponent.
    pub whole: Option<i64>,
    /// It has more digits than 64 bits hold: an identifier rather than an amount.
    pub long: bool,
    /// It is written with thousands separators.
    pub grouped: bool,
    /// It has a point or a comma, so that it may mean something else in another notation.
    pub marked: bool,
}

/// Maximum number of digits after a plus sign; longer ones are telephone numbers.
const MAX_PLUS_DIGITS: usize = 6;

/// Reads a number with a decimal point: `-1`, `2.50`, `.5`, `1e-3`, and with thousands separators
/// `1,234.56`, `12,34,567`. `None` for leading zeros (`007`), numbers beyond `f64`, and everything else.
pub fn number(text: &[u8]) -> Option<Number> {
    read(text, b'.', b',')
}

/// Reads a number with a decimal comma: `2,50`, `1.234,56`.
pub fn number_with_comma(text: &[u8]) -> Option<Number> {
    read(text, b',', b'.')
}

fn read(text: &[u8], point: u8, separator: u8) -> Option<Number> {
    let (sign, rest) = match text.first()? {
        b'-' => (b'-', &text[1..]),
        b'+' => (b'+', &text[1..]),
        _ => (b' ', text),
    };
    let mut mantissa = 0_u64;
    let mut digits = 0;
    for &byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        // Wrong from the twentieth digit on, but then it is not used.
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        digits += 1;
    }
    if digits > 1 && rest[0] == b'0' {
        return None;
    }
    let tail = &rest[digits..];
    if tail.is_empty() {
        return whole(rest, sign, mantissa, digits);
    }
    if tail[0] == separator {
        return grouped(rest, sign, point, separator);
    }
    let mut at = 0;
    let mut decimals = 0;
    if tail[0] == point {
        let fraction = tail[1..].iter().take_while(|byte| byte.is_ascii_digit());
        for byte in fraction {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            decimals += 1;
        }
        at = decimals + 1;
    }
    if digits + decimals == 0 {
        return None;
    }
    let mut exponent = 0_i32;
    if at < tail.len() {
        if tail[at] | 0x20 != b'e' {
            return None;
        }
        let power = &tail[at + 1..];
        let unsigned = power.strip_prefix(b"-").or(power.strip_prefix(b"+")).unwrap_or(power);
        if unsigned.is_empty() || !unsigned.iter().all(u8::is_ascii_digit) {
            return None;
        }
        exponent = std::str::from_utf8(power).ok()?.parse().ok()?;
    }
    let scale = exponent.checked_sub(i32::try_from(decimals).ok()?)?;
    let value = match exact(mantissa, digits + decimals, scale) {
        Some(value) if sign == b'-' => -value,
        Some(value) => value,
        None => {
            let plain = std::str::from_utf8(text).ok()?;
            if point == b'.' { plain.parse() } else { plain.replace(',', ".").parse() }.ok()?
        }
    };
    let marked = at > 0;
    value.is_finite().then_some(Number { value, whole: None, long: false, grouped: false, marked })
}

/// `mantissa` · 10^`scale` if both factors are exact, so that one rounding yields the nearest `f64`.
fn exact(mantissa: u64, digits: usize, scale: i32) -> Option<f64> {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ];
    if digits > 19 || mantissa > 1 << 53 {
        return None;
    }
    let power = POWERS.get(scale.unsigned_abs() as usize)?;
    Some(if scale < 0 { mantissa as f64 / power } else { mantissa as f64 * power })
}

fn whole(rest: &[u8], sign: u8, mantissa: u64, digits: usize) -> Option<Number> {
    if digits == 0 || (sign == b'+' && digits > MAX_PLUS_DIGITS) {
        return None;
    }
    let whole = if digits > 19 {
        None
    } else if sign == b'-' {
        0_i64.checked_sub_unsigned(mantissa)
    } else {
        i64::try_from(mantissa).ok()
    };
    let value = match whole {
        Some(whole) => whole as f64,
        None => {
            let value: f64 = std::str::from_utf8(rest).ok()?.parse().ok()?;
            if sign == b'-' { -value } else { value }
        }
    };
    let long = whole.is_none();
    let number = Number { value, whole, long, grouped: false, marked: false };
    value.is_finite().then_some(number)
}

/// A number with separators: groups of exactly three digits after the first one or, between commas
/// as in India, of two digits but for the last (`12,34,567`).
fn grouped(rest: &[u8], sign: u8, point: u8, separator: u8) -> Option<Number> {
    let end = rest.iter().position(|&byte| byte == point).unwrap_or(rest.len());
    let mut groups = rest[..end].split(|&byte| byte == separator).peekable();
    let first = groups.next()?;
    if !(1..=3).contains(&first.len()) || first[0] == b'0' {
        return None;
    }
    let is_indian =
        separator == b',' && first.len() < 3 && groups.peek().is_some_and(|group| group.len() == 2);
    let mut plain = Vec::with_capacity(rest.len() + 1);
    plain.push(if sign == b'-' { b'-' } else { b' ' });
    plain.extend_from_slice(first);
    while let Some(group) = groups.next() {
        let is_last = groups.peek().is_none();
        if group.len() != if is_indian && !is_last { 2 } else { 3 } {
            return None;
        }
        plain.extend_from_slice(group);
    }
    plain.extend_from_slice(&rest[end..]);
    // The separators are gone, so this does not recurse again.
    if plain.contains(&separator) {
        return None;
    }
    let number = read(plain.trim_ascii(), point, separator)?;
    Some(Number { grouped: true, marked: true, ..number })
}

/// Reads `true`, `yes`, `false`, `no` in any case. `1` and `0` are numbers.
pub fn boolean(text: &[u8]) -> Option<bool> {
    match text.len() {
        2 if text.eq_ignore_ascii_case(b"no") => Some(false),
        3 if text.eq_ignore_ascii_case(b"yes") => Some(true),
        4 if text.eq_ignore_ascii_case(b"true") => Some(true),
        5 if text.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

/// Whether this means "no value" among numbers, dates or booleans. In a column of text it is text:
/// `NA` may be Namibia.
pub fn is_missing(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 11] =
        [b"", b"-", b"--", b"?", b"na", b"n/a", b"#n/a", b"nan", b"null", b"nil", b"none"];
    text.len() <= 4 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
