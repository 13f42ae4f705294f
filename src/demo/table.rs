//! What the prompt says about the visitor's file.

use super::words::words;
use crate::domain::block::read_block;

/// The file, as described by its block in the prompt.
#[derive(Debug, Default)]
pub struct TableProfile {
    /// Its name.
    pub file: String,
    /// Its number of rows.
    pub rows: Option<u64>,
    /// Its columns, in order.
    pub columns: Vec<ColumnProfile>,
}

/// A column of the file.
#[derive(Debug)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// The name's words, in lower case.
    pub words: Vec<String>,
    /// The type of its values.
    pub kind: ColumnKind,
    /// Its number of different values.
    pub distinct: Option<u64>,
    /// The unit of its numbers.
    pub unit: Option<String>,
    /// The least and the greatest value of numbers and dates.
    pub range: Option<(String, String)>,
    /// Its most frequent values.
    pub top: Vec<String>,
}

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Truth values, 1 and 0 in SQL.
    Boolean,
    /// Dates, ISO text in SQL.
    Date,
    /// Text, or anything else.
    Text,
    /// Nothing.
    Empty,
}

impl ColumnKind {
    /// Whether sums and averages make sense.
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Number | Self::Boolean)
    }
}

impl ColumnProfile {
    /// Whether its values identify something rather than measure it: ids, codes, years, places.
    pub fn is_code(&self) -> bool {
        const CODES: &str = "id ids no nr number code zip plz postal postcode postleitzahl phone telefon tel \
                             telephone year jahr année año ano lat latitude lon lng longitude sku isbn ean uuid \
                             key index month day week hour fax line row nummer";
        self.kind == ColumnKind::Number
            && self.words.last().zip(self.words.first()).is_some_and(|(last, first)| {
                [last, first].iter().any(|word| CODES.split(' ').any(|code| code == word.as_str()))
            })
    }
}

impl TableProfile {
    /// The first column of amounts.
    pub fn amount(&self) -> Option<usize> {
        self.columns.iter().position(|column| {
            column.kind == ColumnKind::Number && !column.is_code() && !column.words.is_empty()
        })
    }

    /// Parses the block `data` of a system text; `None` if there is none.
    pub fn read(system: &str) -> Option<Self> {
        let block = read_block(system, "data")?;
        let (head, rest) = block.split_once('\n').unwrap_or((block, ""));
        let head = head.strip_prefix("File: ").unwrap_or(head);
        let head = head.rsplit_once("; query it").map_or(head, |(facts, _)| facts);
        let mut facts = head.rsplitn(3, ", ");
        let (_, rows, name) = (facts.next(), facts.next(), facts.next().unwrap_or(head));
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        Some(Self {
            file: name.rsplit_once(" (").map_or(name, |(name, _)| name).to_owned(),
            rows: rows.and_then(|rows| digits(rows).parse().ok()),
            columns: read_columns(rest),
        })
    }

    /// The first column of this kind.
    pub fn first(&self, kind: ColumnKind) -> Option<usize> {
        self.columns.iter().position(|column| column.kind == kind && !column.words.is_empty())
    }

    /// The column that is best to group by: text with few different values.
    pub fn category(&self) -> Option<usize> {
        let columns = self.columns.iter().enumerate();
        let few = |distinct: &u64| (2..=50).contains(distinct);
        columns
            .filter(|(_, column)| column.kind == ColumnKind::Text && !column.words.is_empty())
            .filter_map(|(at, column)| column.distinct.filter(few).map(|distinct| (distinct, at)))
            .min()
            .map(|(_, at)| at)
    }

    /// The column that identifies the rows, other than `but`: a name or title, else a date, else any
    /// text.
    pub fn label(&self, but: usize) -> Option<usize> {
        let named = |column: &ColumnProfile| {
            column.kind == ColumnKind::Text
                && column.words.iter().any(|word| matches!(word.as_str(), "name" | "title"))
        };
        let find = |fits: &dyn Fn(&ColumnProfile) -> bool| {
            (0..self.columns.len()).find(|&at| at != but && fits(&self.columns[at]))
        };
        find(&named)
            .or_else(|| find(&|column| column.kind == ColumnKind::Date))
            .or_else(|| find(&|column| column.kind == ColumnKind::Text))
    }
}

/// Parses the lines `- "name" (type): details`. A name may contain line breaks, so it extends to its
/// closing quotation mark.
fn read_columns(mut text: &str) -> Vec<ColumnProfile> {
    let mut columns = Vec::new();
    while !text.is_empty() && !text.starts_with("Sample rows") {
        let read = text.strip_prefix("- \"").and_then(read_column);
        let rest = if let Some((column, rest)) = read {
            columns.push(column);
            rest
        } else {
            text
        };
        text = rest.split_once('\n').map_or("", |(_, next)| next);
    }
    columns
}

/// Parses a column, from after its opening quotation mark to the end of its line.
fn read_column(text: &str) -> Option<(ColumnProfile, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        rest = after;
        let Some(after) = after.strip_prefix('"') else { break };
        name.push('"');
        rest = after;
    }
    let line = rest.lines().next().unwrap_or("");
    let (kind, details) = line.strip_prefix(" (")?.split_once(')')?;
    let details = details.strip_prefix(": ").unwrap_or("");
    let (plain, top) = details.split_once("top: ").unwrap_or((details, ""));
    let facts = || plain.split(", ");
    let column = ColumnProfile {
        words: words(&name),
        kind: match kind {
            "number" => ColumnKind::Number,
            "boolean" => ColumnKind::Boolean,
            "date" => ColumnKind::Date,
            "empty" => ColumnKind::Empty,
            _ => ColumnKind::Text,
        },
        distinct: facts()
            .find_map(|fact| fact.strip_suffix(" distinct"))
            .and_then(|count| count.trim_start_matches("about ").replace(',', "").parse().ok()),
        unit: facts().find_map(|fact| fact.strip_prefix("unit ")).map(str::to_owned),
        range: facts()
            .find_map(|fact| fact.split_once(" to "))
            .map(|(low, high)| (low.to_owned(), high.to_owned())),
        top: top
            .split(", ")
            .filter_map(|value| value.rsplit_once(" ("))
            .map(|(value, _)| value.to_owned())
            // A truncated value cannot be searched for.
            .filter(|value| !value.ends_with('…'))
            .collect(),
        name,
    };
    Some((column, rest))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{WEATHER, system};
    use super::*;

    #[test]
    fn the_block_is_parsed() {
        let table = TableProfile::read(&system(WEATHER)).unwrap();
        assert_eq!((table.file.as_str(), table.rows), ("seattle-weather.csv", Some(1461)));
        let kinds: Vec<(&str, ColumnKind, Option<u64>)> = table
            .columns
            .iter()
            .map(|column| (column.name.as_str(), column.kind, column.distinct))
            .collect();
        let expected = [
            ("date", ColumnKind::Date, Some(1461)),
            ("precipitation", ColumnKind::Number, Some(111)),
            ("temp_max", ColumnKind::Number, Some(67)),
            ("temp_min", ColumnKind::Number, Some(55)),
            ("wind", ColumnKind::Number, Some(79)),
            ("weather", ColumnKind::Text, Some(5)),
            ("note", ColumnKind::Empty, None),
        ];
        assert_eq!(kinds, expected);
        let range = ("2012-01-01".to_owned(), "2015-12-31".to_owned());
        assert_eq!(table.columns[0].range, Some(range));
        assert_eq!(table.columns[5].top, ["rain", "sun", "fog"]);
    }

    #[test]
    fn names_may_contain_anything() {
        let block = "File: a, b; (1).json (json, 3 KB), 1 row, 2 columns; query it as table `data`\n\
                     Columns:\n- \"say \"\"hi\"\" (x)\ny\" (string): 1 distinct, top: a (1)\nnoise\n\
                     - \"Größe\" (string): about 1,200 distinct, 3 empty, top: a (2), lo… (2)\nSample rows (CSV):\n- \"no\" (number)";
        let table = TableProfile::read(&system(block)).unwrap();
        assert_eq!((table.file.as_str(), table.rows), ("a, b; (1).json", Some(1)));
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["say \"hi\" (x)\ny", "Größe"]);
        assert_eq!(table.columns[1].distinct, Some(1200));
        assert_eq!(table.columns[1].top, ["a"]);
    }

    #[test]
    fn malformed_blocks_lead_to_an_empty_table() {
        for block in ["", "x", "File: ", "- \"a", "File: x\n- \"a\" (", "- \"a\""] {
            let table = TableProfile::read(&system(block)).unwrap();
            assert!(table.columns.is_empty() && table.rows.is_none());
        }
        assert!(TableProfile::read("no block").is_none());
    }
}
