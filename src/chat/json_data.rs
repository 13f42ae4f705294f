//! `jsonData` as a model reads it best: every array of objects as a CSV table, the rest as JSON.

use serde_json::{Map, Value};

use super::tokens::estimate;

/// Tokens kept free for a table's title line.
const TITLE_TOKENS: usize = 30;

/// Writes `data` in at most about `budget` tokens. Tables share the budget evenly, and what one
/// does not need goes to those after it; they are cut between rows. The text says what is cut.
pub fn render(data: &Value, budget: usize) -> String {
    let mut tables = Vec::new();
    let rest = take_tables(data, &mut String::new(), &mut tables);
    let mut text = String::new();
    let mut left = budget;
    if !matches!(&rest, Value::Object(map) if map.is_empty()) && !rest.is_null() {
        let share = if tables.is_empty() { left } else { left / 2 };
        let json = rest.to_string();
        let shown = super::tokens::clip_end(&json, share.saturating_sub(TITLE_TOKENS));
        text.push_str(shown);
        text.push('\n');
        if shown.len() < json.len() {
            text.push_str(&format!(
                "(cut: {} of {} characters)\n",
                thousands(shown.chars().count()),
                thousands(json.chars().count())
            ));
        }
        left = left.saturating_sub(estimate(&text));
    }
    let mut remaining = tables.len();
    for (path, rows) in tables {
        let share = left / remaining.max(1);
        remaining -= 1;
        let table = Table::new(rows, share.saturating_sub(TITLE_TOKENS));
        let before = text.len();
        table.write(&path, rows.len(), &mut text);
        left = left.saturating_sub(estimate(&text[before..]));
    }
    text
}

/// Moves the arrays of objects out of `value` into `tables`, and puts a remark in their places.
fn take_tables<'a>(
    value: &'a Value,
    path: &mut String,
    tables: &mut Vec<(String, &'a [Value])>,
) -> Value {
    match value {
        Value::Array(rows) if !rows.is_empty() && rows.iter().all(Value::is_object) => {
            let name = if path.is_empty() { "data" } else { path.as_str() };
            tables.push((name.to_owned(), rows));
            if path.is_empty() { Value::Null } else { Value::from(format!("see table {name}")) }
        }
        Value::Object(map) => {
            let mut rest = Map::new();
            for (key, inner) in map {
                let length = path.len();
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                rest.insert(key.clone(), take_tables(inner, path, tables));
                path.truncate(length);
            }
            Value::Object(rest)
        }
        other => other.clone(),
    }
}

/// The first rows of a table as CSV.
struct Table {
    csv: String,
    shown: usize,
}

impl Table {
    /// As many of `rows` as `budget` tokens hold, under all keys of all rows in the order in which
    /// they first appear.
    fn new(rows: &[Value], budget: usize) -> Self {
        let mut columns: Vec<&str> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for key in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
            if seen.insert(key.as_str()) {
                columns.push(key);
            }
        }
        let mut csv = record(columns.iter().map(|column| (*column).to_owned()));
        let mut tokens = estimate(&csv);
        if tokens > budget {
            // Not even the names fit: as much of them as does, so that it is known what there is.
            csv = format!("{}\n", super::tokens::clip_end(&csv, budget));
            return Self { csv, shown: 0 };
        }
        let mut shown = 0;
        for row in rows {
            let line = record(columns.iter().map(|column| cell(row.get(column))));
            tokens += estimate(&line);
            if tokens > budget {
                break;
            }
            csv.push_str(&line);
            shown += 1;
        }
        Self { csv, shown }
    }

    fn write(&self, path: &str, total: usize, text: &mut String) {
        let rows = if self.shown == total {
            format!("{} rows", thousands(total))
        } else {
            format!("{} of {} rows", thousands(self.shown), thousands(total))
        };
        text.push_str(&format!("Table {path} ({rows}, CSV):\n{}", self.csv));
    }
}

/// A cell's text: nothing for null or absent, strings as they are, the rest as JSON.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// One record after RFC 4180, but ended by a bare line feed: a carriage return would only cost
/// tokens.
pub fn record(fields: impl Iterator<Item = String>) -> String {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Necessary)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    // Writing to memory cannot fail, and every field is UTF-8.
    let _ = writer.write_record(fields.map(String::into_bytes));
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// `1200` as `1,200`.
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_keys_of_all_rows_null_empty_and_quoted_where_needed() {
        let data = json!([
            {"name": "Tea, green", "price": 4.5},
            {"name": "Say \"hi\"", "stock": null, "tags": ["a", "b"]},
            {"price": 3, "note": "two\nlines"},
        ]);
        let rendered = render(&data, 1000);
        assert_eq!(
            rendered,
            "Table data (3 rows, CSV):\nname,price,stock,tags,note\n\"Tea, green\",4.5,,,\n\
             \"Say \"\"hi\"\"\",,,\"[\"\"a\"\",\"\"b\"\"]\",\n,3,,,\"two\nlines\"\n"
        );
    }

    #[test]
    fn tables_are_found_at_every_depth_and_the_rest_stays_json() {
        let data = json!({
            "shop": {"name": "Corner", "products": [{"id": 1}, {"id": 2}]},
            "empty": [], "mixed": [1, {"a": 2}], "reviews": [{"stars": 5}],
        });
        let text = render(&data, 1000);
        assert_eq!(
            text,
            "{\"shop\":{\"name\":\"Corner\",\"products\":\"see table shop.products\"},\"empty\":[],\
             \"mixed\":[1,{\"a\":2}],\"reviews\":\"see table reviews\"}\n\
             Table shop.products (2 rows, CSV):\nid\n1\n2\nTable reviews (1 rows, CSV):\nstars\n5\n"
        );
    }

    #[test]
    fn a_long_table_is_cut_between_rows_and_says_so() {
        let rows: Vec<Value> =
            (0..1200).map(|n| json!({"id": n, "name": format!("Product, {n}")})).collect();
        let rendered = render(&Value::from(rows), 600);
        assert!(estimate(&rendered) <= 600);
        let title = rendered.lines().next().unwrap();
        assert!(title.ends_with(" of 1,200 rows, CSV):"), "{title}");
        let shown: usize =
            title["Table data (".len()..].split(' ').next().unwrap().parse().unwrap();
        assert!(shown > 20);
        let mut reader = csv::Reader::from_reader(&rendered.as_bytes()[title.len() + 1..]);
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), shown, "as many whole rows as it says");
        assert_eq!(&records[shown - 1][1], format!("Product, {}", shown - 1));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1200, 1_234_567].map(thousands), ["0", "999", "1,200", "1,234,567"]);
    }
}
