//! An uploaded table: its layout, its columns and statistics of their values.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Timestamp;

/// A file's type, by its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// Delimited text with a header line.
    Csv,
    /// JSON, or one JSON object per line (NDJSON).
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

/// The type of all values in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Numbers; [`Reading::integer`] says whether all are whole.
    Number,
    /// `true`, `false`, `yes`, `no` in any case.
    Boolean,
    /// Dates, with or without a time of day.
    Date,
    /// Text, and columns of mixed types.
    String,
    /// No values at all.
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

/// How a column's texts are to be parsed, decided by all of its values together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Every number is an integer of at most 64 bits, written without decimal point or exponent.
    pub integer: bool,
    /// `1.234,5` rather than `1,234.5`.
    pub decimal_comma: bool,
    /// `31/1/2012` rather than `1/31/2012`.
    pub day_first: bool,
    /// The type that the file itself gives the values, if the column is of another: JSON strings
    /// that hold amounts, JSON numbers that are kept as text because of their length.
    #[serde(default)]
    pub written: Option<ColumnType>,
}

/// Statistics of a column's values over every row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnStats {
    /// Rows without a value.
    pub nulls: u64,
    /// Distinct values, compared as written.
    pub distinct: u64,
    /// Whether `distinct` is exact; otherwise it is an estimate (standard error 1.6 %).
    pub distinct_is_exact: bool,
    /// The smallest value: numbers are compared by value, dates as ISO text, strings by code point.
    /// `None` for other types.
    pub min: Option<String>,
    /// The largest value, likewise.
    pub max: Option<String>,
    /// The mean of a number column.
    pub mean: Option<f64>,
    /// The most frequent values and their counts, at most five; only if `distinct` is exact and
    /// some value occurs more than once.
    pub top: Vec<(String, u64)>,
    /// The unit of every value of a number column, as written: `$`, `%`, `kg`. Values are without
    /// it.
    #[serde(default)]
    pub unit: Option<String>,
}

/// One column of table `data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name: never blank, without control characters, and unique even ignoring ASCII case, as
    /// SQL requires.
    pub name: String,
    /// The key in the JSON file, if it differs from `name`; of a path, its keys joined by dots.
    pub key: Option<String>,
    /// The keys that lead to it in a JSON item, if it is a field of an object within the item.
    #[serde(default)]
    pub path: Vec<String>,
    /// The type of its values.
    pub kind: ColumnType,
    /// How they are parsed.
    pub reading: Reading,
    /// Their statistics.
    pub stats: ColumnStats,
}

impl Column {
    /// Its name in the file itself.
    pub fn source_name(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.name)
    }

    /// The keys that lead to it in a JSON item; at least one.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let key = self.path.is_empty().then(|| self.source_name());
        key.into_iter().chain(self.path.iter().map(String::as_str))
    }

    /// The field of a JSON item that it is, or is in.
    pub fn field(&self) -> &str {
        self.path.first().map_or(self.source_name(), String::as_str)
    }
}

/// The fields of the file's rows as they were uploaded, and their types: columns within an object
/// are one field.
pub fn fields(columns: &[Column]) -> Vec<(String, ColumnType)> {
    let mut fields: Vec<(String, ColumnType)> = Vec::with_capacity(columns.len());
    for column in columns {
        let kind = if column.path.is_empty() {
            column.reading.written.unwrap_or(column.kind)
        } else {
            ColumnType::Object
        };
        match fields.last_mut() {
            // The columns of a field follow each other.
            Some((field, known)) if field == column.field() => {
                *known = if *known == kind { kind } else { ColumnType::String };
            }
            _ => fields.push((column.field().to_owned(), kind)),
        }
    }
    fields
}

/// The structure of a file's text, and which part of it is the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Layout {
    /// Delimited text; the first record is the header.
    Csv {
        /// One of `,` `;` tab `|`.
        delimiter: u8,
        /// Every record is one line that ends in a line feed: none has a line break within quotes.
        line_rows: bool,
    },
    /// A JSON array: each item is a row. An item that is not an object is read as
    /// `{"value": item}`.
    JsonArray {
        /// The keys of the first item.
        first_keys: Vec<String>,
    },
    /// One JSON object per line (NDJSON): each is a row.
    JsonLines {
        /// The keys of the first object.
        first_keys: Vec<String>,
    },
    /// A JSON object.
    JsonObject {
        /// Its keys and the types of their values.
        keys: Vec<(String, ColumnType)>,
        /// The key of a non-empty array of objects, which are the rows. Without one, the object
        /// itself is the only row.
        table: Option<String>,
        /// The keys of the objects within each other in which the array is.
        #[serde(default)]
        within: Vec<String>,
    },
    /// A bare JSON value: one row, column `value`.
    JsonScalar {
        /// The value as JSON; a long string is shortened.
        value: String,
    },
}

/// An ingested file. Table `data` is `columns` × `rows`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// A printable name of at most 255 characters, without folders.
    pub file_name: String,
    /// Its type, by its extension.
    pub kind: FileKind,
    /// Size of the upload, in bytes.
    pub size: u64,
    /// When it was uploaded.
    #[serde(with = "millis")]
    pub uploaded: Timestamp,
    /// The structure of the text.
    pub layout: Layout,
    /// The columns; empty only for JSON without any key, such as `[]` or `[{}]`.
    pub columns: Vec<Column>,
    /// Number of rows, without the header.
    pub rows: u64,
    /// The cells of the first three rows, long ones shortened; `None` for a missing cell or JSON
    /// null.
    pub sample: Vec<Vec<Option<String>>>,
    /// Sentences on what was guessed or passed over while reading the file; few and short. Absent
    /// in files stored before there were notes.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A file as kept by the store, apart from its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Distinguishes this upload from every other one of the session.
    pub version: u64,
    /// Size of the text in bytes: UTF-8, whatever the upload's encoding.
    pub text_bytes: u64,
    /// Its description.
    pub dataset: Dataset,
}

impl Dataset {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The API's `summary`, whose shape depends on the layout.
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
        let fields = fields(&self.columns).into_iter();
        fields.map(|(field, kind)| (field, kind.as_str().into())).collect()
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
    /// An entry of `stats` in the API; `min` and `max` of a number column are numbers.
    fn summary(&self) -> Value {
        let ColumnStats { nulls, distinct, distinct_is_exact, min, max, mean, top, unit } =
            &self.stats;
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
        if let Some(unit) = unit {
            entry.insert("unit".to_owned(), unit.as_str().into());
        }
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
