//! What cells look like, as far as telling a header from data needs it.

/// The shape that a table's records should have.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Cells of a record.
    pub width: usize,
    /// Which columns hold numbers or dates in nearly all records; empty if there are no records to
    /// learn it from.
    pub numeric: Vec<bool>,
}

impl Expected {
    /// Whether `cells` have numbers in all columns of numbers.
    pub fn fits<'a>(&self, cells: impl Iterator<Item = &'a [u8]>) -> bool {
        self.numeric.iter().zip(cells).all(|(numeric, cell)| !numeric || is_numeric(cell))
    }
}

/// Maximum length of a number, in bytes.
const MAX_NUMBER: usize = 40;

/// Whether a cell is a number, an amount, a date in digits or a time.
pub fn is_numeric(cell: &[u8]) -> bool {
    let cell = cell.trim_ascii();
    if cell.len() > MAX_NUMBER {
        return false;
    }
    let digits = cell.iter().filter(|byte| byte.is_ascii_digit()).count();
    let other = |byte: &u8| !byte.is_ascii_digit() && !b" .,:/+-'%$()eETZ".contains(byte);
    digits > 0
        && matches!(cell.first(), Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'(' | b'$' | 0x80..))
        // The euro and pound signs, a Unicode minus and no-break spaces are not ASCII.
        && !cell.iter().any(|byte| other(byte) && byte.is_ascii())
        && cell.iter().filter(|byte| !byte.is_ascii()).count() <= 6
}

/// Whether a cell could be a year at the head of a column.
pub fn is_year(cell: &[u8]) -> bool {
    let year = std::str::from_utf8(cell.trim_ascii()).ok().and_then(|text| text.parse().ok());
    matches!(year, Some(1800_u16..=2200))
}
