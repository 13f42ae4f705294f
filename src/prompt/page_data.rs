//! Renders `jsonData` in the form models read best: arrays of objects as CSV tables, the rest as
//! JSON.

use std::io;

use serde_json::{Map, Value};

use super::csv_record::record;
use super::tokens::{clip_end, estimate};
use crate::domain::text::thousands;

/// Maximum number of arrays that become tables; the others stay JSON. More tables than this would
/// fill a prompt with titles.
const MAX_TABLES: usize = 50;

/// Maximum length of a table's name, in characters. The name is a path of keys, and keys can be as
/// long as the whole data.
const MAX_PATH_CHARS: usize = 80;

/// Tokens reserved for the note on JSON that was cut.
const CUT_TOKENS: usize = 30;

/// Tokens reserved for the note on tables that were left out.
const REMARK_TOKENS: usize = 16;

/// Bytes of JSON kept per token of the budget: more than any realistic text has, since only runs of
/// white space and repeated punctuation are this cheap.
const BYTES_PER_TOKEN: usize = 32;

/// Writes `data` in at most `budget` tokens, by [`estimate`]. Tables share the budget evenly, and
/// what one does not need goes to those after it; they are cut between rows. The text says what was
/// cut.
pub fn render(data: &Value, budget: usize) -> String {
    let mut tables = Vec::new();
    let rest = take_tables(data, &mut Path::default(), &mut tables);
    let mut text = String::new();
    if !matches!(&rest, Value::Object(map) if map.is_empty()) && !rest.is_null() {
        let share = if tables.is_empty() { budget } else { budget / 2 };
        write_json(&rest, share.saturating_sub(CUT_TOKENS), &mut text);
    }
    let mut left = budget.saturating_sub(estimate(&text));
    let count = tables.len();
    for (written, (path, rows)) in tables.into_iter().enumerate() {
        let remaining = count - written;
        // The longer of the title's two forms.
        let title = estimate(&title(&path, rows.len() - 1, rows.len()));
        if left < title + REMARK_TOKENS {
            text.push_str(&format!("(and {remaining} more tables)\n"));
            break;
        }
        let share = (left - REMARK_TOKENS) / remaining;
        let table = DataTable::new(rows, share.saturating_sub(title));
        let before = text.len();
        table.write(&path, rows.len(), &mut text);
        left = left.saturating_sub(estimate(&text[before..]));
    }
    // Titles may cost more than their share, and estimates do not add up exactly at the seams.
    let kept = clip_end(&text, budget).len();
    text.truncate(kept);
    text
}

/// Writes `value` as JSON in about `budget` tokens.
fn write_json(value: &Value, budget: usize, text: &mut String) {
    let mut json = Head::new(budget.saturating_mul(BYTES_PER_TOKEN));
    // Neither `Head` nor the serialisation of a `Value` can fail.
    let _ = serde_json::to_writer(&mut json, value);
    let kept = json.text();
    let shown = clip_end(kept, budget);
    text.push_str(shown);
    text.push('\n');
    if shown.len() < json.total_bytes {
        text.push_str(&format!(
            "(cut: {} of {} characters)\n",
            thousands(shown.chars().count() as u64),
            thousands(json.total_chars as u64)
        ));
    }
}

/// A writer that keeps the beginning of what is written and counts all of it.
struct Head {
    kept: Vec<u8>,
    limit: usize,
    total_bytes: usize,
    total_chars: usize,
}

impl Head {
    fn new(limit: usize) -> Self {
        Self { kept: Vec::new(), limit, total_bytes: 0, total_chars: 0 }
    }

    fn text(&self) -> &str {
        match std::str::from_utf8(&self.kept) {
            Ok(text) => text,
            // The limit may lie inside a character.
            Err(error) => std::str::from_utf8(&self.kept[..error.valid_up_to()]).unwrap_or(""),
        }
    }
}

impl io::Write for Head {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.limit.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..room]);
        self.total_bytes += bytes.len();
        let continues = |byte: &&u8| **byte & 0xC0 == 0x80;
        self.total_chars += bytes.len() - bytes.iter().filter(continues).count();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The keys that lead to a value. The name is built only when it is needed.
#[derive(Default)]
struct Path<'a>(Vec<&'a str>);

impl Path<'_> {
    fn name(&self) -> String {
        if self.0.is_empty() {
            return "data".to_owned();
        }
        let mut name = String::new();
        let mut chars = 0;
        for (place, key) in self.0.iter().enumerate() {
            let dot = if place > 0 { "." } else { "" };
            for c in dot.chars().chain(key.chars()) {
                if chars == MAX_PATH_CHARS {
                    name.push('…');
                    return name;
                }
                name.push(c);
                chars += 1;
            }
        }
        name
    }
}

/// Moves arrays of objects out of `value` into `tables`, leaving a reference in their place.
fn take_tables<'a>(
    value: &'a Value,
    path: &mut Path<'a>,
    tables: &mut Vec<(String, &'a [Value])>,
) -> Value {
    match value {
        Value::Array(rows)
            if tables.len() < MAX_TABLES
                && !rows.is_empty()
                && rows.iter().all(Value::is_object) =>
        {
            let name = path.name();
            let remark =
                if path.0.is_empty() { Value::Null } else { format!("see table {name}").into() };
            tables.push((name, rows));
            remark
        }
        Value::Object(map) => {
            let mut rest = Map::new();
            for (key, inner) in map {
                path.0.push(key);
                rest.insert(key.clone(), take_tables(inner, path, tables));
                path.0.pop();
            }
            Value::Object(rest)
        }
        other => other.clone(),
    }
}

/// The first rows of a table as CSV.
struct DataTable {
    csv: String,
    shown: usize,
}

impl DataTable {
    /// As many of `rows` as fit into `budget` tokens. The columns are the keys of all rows, in
    /// order of first appearance.
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
            // Not even the header fits: show as much of it as does, as a hint at the contents.
            csv = format!("{}\n", clip_end(&csv, budget));
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
        text.push_str(&title(path, self.shown, total));
        text.push_str(&self.csv);
    }
}

/// The line above a table of `total` rows, `shown` of which follow.
fn title(path: &str, shown: usize, total: usize) -> String {
    let all = thousands(total as u64);
    let rows = if shown == total { all } else { format!("{} of {all}", thousands(shown as u64)) };
    format!("Table {path} ({rows} rows, CSV):\n")
}

/// A cell's text: empty for null or a missing key, strings as they are, the rest as JSON.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn tables_have_all_keys_empty_cells_for_null_and_minimal_quoting() {
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
        assert_eq!(records.len(), shown, "the title counts the rows shown");
        assert_eq!(&records[shown - 1][1], format!("Product, {}", shown - 1));
    }

    /// A value of any shape, with keys and texts of any length.
    fn any_json() -> impl Strategy<Value = Value> {
        let key = prop_oneof!["\\PC{0,8}", "[a-z]{1,3}", "k{200,5000}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,300}".prop_map(Value::from),
            " {0,3000}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 300, 60, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..60)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn data_of_any_shape_stays_within_any_budget(data in any_json(), budget in 0usize..3000) {
            let text = render(&data, budget);
            let spent = estimate(&text);
            prop_assert!(spent <= budget, "{} of {}", spent, budget);
        }
    }

    /// 433 KiB of such data once took 5.4 GB and 38 s, because every table copied its whole path.
    #[test]
    fn thousands_of_tables_under_a_long_key_cost_no_more_than_their_budget() {
        let tables: Map<String, Value> =
            (0..30_000).map(|n| (format!("a{n}"), json!([{}]))).collect();
        let data = json!({ "k".repeat(600_000): tables });
        let text = render(&data, 4000);
        assert!(estimate(&text) <= 4000, "{}", estimate(&text));
        assert!(text.len() < 64 * 1024, "{}", text.len());
        let many: Map<String, Value> =
            (0..20_000).map(|n| (format!("t{n}"), json!([{"id": n}]))).collect();
        let text = render(&Value::from(many), 4000);
        assert!(
            estimate(&text) <= 4000 && text.contains("Table t0 (1 rows, CSV):\nid\n0\n"),
            "{text}"
        );
    }
}
