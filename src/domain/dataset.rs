//! An uploaded table: how its text reads, its columns and what is known of their values.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Timestamp;

/// What a file is by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// Delimited text with a header line.
    Csv,
    /// JSON, or one JSON object a line (NDJSON).
    Json,
}

impl FileKind {
    /// The word for it in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// What all values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Numbers; [`Reading::integer`] says whether all are whole.
    Number,
    /// `true`, `false`, `yes`, `no` in any case.
    Boolean,
    /// Dates, with or without a time of day.
    Date,
    /// Text, and whatever mixes types.
    String,
    /// No value at all.
    Empty,
    /// JSON objects (JSON files only).
    Object,
    /// JSON arrays (JSON files only).
    Array,
}

impl ColumnType {
    /// The word for it in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::String => "string",
            Self::Empty => "empty",
            Self::Object => "object",
            Self::Array => "array",
        }
    }
}

/// How the texts of a column are to be read again. Decided by all of its values together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Every number is a whole one within 64 bits, written without point and exponent.
    pub integer: bool,
    /// `1.234,5` rather than `1,234.5`.
    pub decimal_comma: bool,
    /// `31/1/2012` rather than `1/31/2012`.
    pub day_first: bool,
}

/// What is known of a column's values, counted over every row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnStats {
    /// Rows without a value.
    pub nulls: u64,
    /// Different values, as they are written.
    pub distinct: u64,
    /// Whether `distinct` is counted; else it is an estimate (standard error 1.6 %).
    pub distinct_is_exact: bool,
    /// The least value: of numbers as a number, dates as ISO text, strings by code point. None for
    /// the other types.
    pub min: Option<String>,
    /// The greatest value, likewise.
    pub max: Option<String>,
    /// The mean of a number column.
    pub mean: Option<f64>,
    /// The most frequent values and their counts, at most five, only where `distinct` is exact and
    /// something comes twice.
    pub top: Vec<(String, u64)>,
}

/// One column of table `data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name: never blank, no control characters, and unlike every other one even without
    /// regard to ASCII case, as SQL wants it.
    pub name: String,
    /// The key in the JSON file where it differs from `name`.
    pub key: Option<String>,
    /// What its values are.
    pub kind: ColumnType,
    /// How they are read again.
    pub reading: Reading,
    /// What is known of them.
    pub stats: ColumnStats,
}

impl Column {
    /// What the file itself calls it.
    pub fn source_name(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.name)
    }
}

/// What the text of a file is, and which part of it is the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Layout {
    /// Delimited text; the first record is the header.
    Csv {
        /// One of `,` `;` tab `|`.
        delimiter: u8,
        /// Every record stands on one line that ends in a line feed: none breaks within quotes.
        line_rows: bool,
    },
    /// A JSON array: each item is a row. An item that is no object is read as `{"value": item}`.
    JsonArray {
        /// The keys of the first item.
        first_keys: Vec<String>,
    },
    /// One JSON object a line (NDJSON): each is a row.
    JsonLines {
        /// The keys of the first one.
        first_keys: Vec<String>,
    },
    /// A JSON object.
    JsonObject {
        /// Its keys, and what their values are.
        keys: Vec<(String, ColumnType)>,
        /// The only key whose value is a filled array of objects: these are the rows then.
        /// Otherwise the object is the one row.
        table: Option<String>,
    },
    /// A bare JSON value: one row, column `value`.
    JsonScalar {
        /// The value as JSON, a long string cut.
        value: String,
    },
}

/// A file as it was taken in. Table `data` is `columns` × `rows`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// A printable name of at most 255 characters, without folders.
    pub file_name: String,
    /// What it is by its ending.
    pub kind: FileKind,
    /// Bytes as uploaded.
    pub size: u64,
    /// When it was uploaded.
    #[serde(with = "millis")]
    pub uploaded: Timestamp,
    /// How the text reads.
    pub layout: Layout,
    /// The columns. None only where JSON has no key at all, such as `[]` or `[{}]`.
    pub columns: Vec<Column>,
    /// Rows, the header not counted.
    pub rows: u64,
    /// The texts of the first three rows, long ones cut; `None` where a row has no such cell or
    /// JSON has null.
    pub sample: Vec<Vec<Option<String>>>,
}

/// A file as the store keeps it, beside its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Tells this upload from every other one of the session.
    pub version: u64,
    /// Bytes of the text: UTF-8, whatever the upload was.
    pub text_bytes: u64,
    /// What is known of it.
    pub dataset: Dataset,
}

impl Dataset {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The `summary` of the API: its shape depends on what the file is.
    pub fn summary(&self) -> Value {
        let stats: Map<String, Value> = self
            .columns
            .iter()
            .map(|column| (column.source_name().to_owned(), column.summary()))
            .collect();
        match &self.layout {
            Layout::Csv { .. } => json!({
                "columnCount": self.columns.len(),
                "rowCount": self.rows,
                "columns": self.columns.iter().map(|column| &column.name).collect::<Vec<_>>(),
                "sampleData": self.sample_rows(),
                "columnTypes": self.types(),
                "stats": stats,
            }),
            Layout::JsonArray { first_keys } | Layout::JsonLines { first_keys } => json!({
                "type": "array",
                "length": self.rows,
                "firstItemKeys": first_keys,
                "dataTypes": self.types(),
                "stats": stats,
            }),
            Layout::JsonObject { keys, .. } => json!({
                "type": "object",
                "keys": keys.iter().map(|(key, _)| key).collect::<Vec<_>>(),
                "dataTypes": keys.iter().map(|(key, kind)| (key.clone(), kind.as_str().into()))
                    .collect::<Map<String, Value>>(),
                "stats": stats,
            }),
            Layout::JsonScalar { value } => {
                let value: Value = serde_json::from_str(value).unwrap_or_default();
                let kind = match &value {
                    Value::String(_) => "string",
                    Value::Number(_) => "number",
                    Value::Bool(_) => "boolean",
                    _ => "null",
                };
                json!({ "type": kind, "value": value, "stats": stats })
            }
        }
    }

    fn types(&self) -> Map<String, Value> {
        self.columns
            .iter()
            .map(|column| (column.source_name().to_owned(), column.kind.as_str().into()))
            .collect()
    }

    fn sample_rows(&self) -> Vec<Value> {
        self.sample
            .iter()
            .map(|row| {
                let cells = self.columns.iter().enumerate().map(|(at, column)| {
                    (column.name.clone(), row.get(at).cloned().flatten().into())
                });
                Value::Object(cells.collect())
            })
            .collect()
    }
}

impl Column {
    /// One entry of `stats` in the API; least and greatest number as numbers.
    fn summary(&self) -> Value {
        let ColumnStats { nulls, distinct, distinct_is_exact, min, max, mean, top } = &self.stats;
        let mut entry = Map::new();
        entry.insert("nulls".to_owned(), (*nulls).into());
        entry.insert("distinct".to_owned(), (*distinct).into());
        entry.insert("distinctIsExact".to_owned(), (*distinct_is_exact).into());
        for (key, text) in [("min", min), ("max", max)] {
            if let Some(text) = text {
                let number = (self.kind == ColumnType::Number)
                    .then(|| serde_json::from_str::<serde_json::Number>(text).ok())
                    .flatten();
                let value = number.map_or_else(|| text.as_str().into(), Value::Number);
                entry.insert(key.to_owned(), value);
            }
        }
        if let Some(mean) = mean {
            entry.insert("mean".to_owned(), (*mean).into());
        }
        let top: Vec<Value> =
            top.iter().map(|(value, count)| json!({ "value": value, "count": count })).collect();
        entry.insert("top".to_owned(), top.into());
        Value::Object(entry)
    }
}

/// A [`Timestamp`] as milliseconds since 1970.
mod millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Timestamp;

    pub fn serialize<S: Serializer>(time: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
        time.0.serialize(out)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(input).map(Timestamp)
    }
}
