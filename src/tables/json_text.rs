//! JSON: one value or, with a line each, objects (NDJSON), read item by item without building a
//! tree of the whole.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::profile::JsonTag;
use super::refusal::IngestError;
use super::values;
use crate::domain::dataset::Layout;

/// The keys of an object and the JSON of their values, in the order of the file.
pub type Fields<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// The value of a key; the last one if the key is duplicated.
pub fn last<'a>(fields: &Fields<'a>, key: &str) -> Option<&'a str> {
    fields.iter().rev().find(|(name, _)| name == key).map(|(_, value)| *value)
}

/// The length of a non-empty array of objects only; `None` for anything else.
pub fn table_rows(json: &str) -> Option<u64> {
    let mut rows = 0;
    let mut all = json.starts_with('[');
    let parsed = all.then(|| {
        each_item(json, &mut |item| {
            rows += 1;
            all &= item.starts_with('{');
            if all { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    });
    (rows > 0 && all && matches!(parsed, Some(Ok(())))).then_some(rows)
}

/// Calls `f` with the JSON of every row until it breaks. Ends early if the text has changed since
/// it was ingested.
pub fn each_row<'a>(layout: &Layout, text: &'a str, f: &mut dyn FnMut(&'a str) -> ControlFlow<()>) {
    match layout {
        Layout::JsonArray { .. } => {
            let _ = each_item(text, f);
        }
        Layout::JsonLines { .. } => {
            let _ = lines(text).try_for_each(f);
        }
        Layout::JsonObject { table: Some(key), within, .. } => {
            let value = |object, key| last(&fields(object).unwrap_or_default(), key);
            let object = within.iter().try_fold(text, |object, key| value(object, key));
            if let Some(items) = object.and_then(|object| value(object, key)) {
                let _ = each_item(items, f);
            }
        }
        Layout::JsonObject { table: None, .. } | Layout::JsonScalar { .. } => {
            let _ = f(text.trim_ascii());
        }
        Layout::Csv { .. } => {}
    }
}

/// Lines with something in them. A line break within a JSON string is escaped, so this is safe.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    // Only JSON's own white space, which does not include the form feed.
    let lines = text.split(['\n', '\r']).map(|line| line.trim_matches([' ', '\t']));
    lines.filter(|line| !line.is_empty())
}

/// Whether there are several lines and the first is a complete object.
pub fn is_lines(text: &str) -> bool {
    let mut lines = lines(text);
    let first = lines.next();
    lines.next().is_some() && first.is_some_and(|line| fields(line).is_ok())
}

/// The fields of a JSON object. Duplicate keys are kept.
pub fn fields(json: &str) -> Result<Fields<'_>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let fields = reader.deserialize_map(FieldsVisitor)?;
    reader.end()?;
    Ok(fields)
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            fields.push((key, value.get()));
        }
        Ok(fields)
    }
}

/// A key, borrowed unless something in it is escaped.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Calls `f` with the JSON of every item of an array until it breaks. The result is then
/// meaningless, because the reader misses the end of the array.
pub fn each_item<'a>(
    json: &'a str,
    f: &mut dyn FnMut(&'a str) -> ControlFlow<()>,
) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_seq(ItemsVisitor(f))?;
    reader.end()
}

struct ItemsVisitor<'f, 'a>(&'f mut dyn FnMut(&'a str) -> ControlFlow<()>);

impl<'de> Visitor<'de> for ItemsVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<&'de RawValue>()? {
            if (self.0)(item.get()).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// What a value is, and its text: the content of a string, compact JSON of objects and arrays, the
/// rest as it stands. None for null.
pub fn leaf(json: &str) -> Result<Option<(JsonTag, Cow<'_, str>)>, serde_json::Error> {
    Ok(match json.as_bytes().first() {
        Some(b'"') => {
            let text = match json.get(1..json.len().saturating_sub(1)) {
                Some(plain) if memchr::memchr(b'\\', plain.as_bytes()).is_none() => plain.into(),
                _ => Cow::Owned(serde_json::from_str(json)?),
            };
            Some((JsonTag::Text, text))
        }
        Some(b'{' | b'[') => {
            serde_json::from_str::<CheckedJson>(json)?;
            let tag = if json.starts_with('{') { JsonTag::Object } else { JsonTag::Array };
            Some((tag, compact(json)))
        }
        Some(b't' | b'f') => Some((JsonTag::Boolean, json.into())),
        Some(b'n') => None,
        _ => {
            if values::number(json.as_bytes()).is_none() {
                serde_json::from_str::<serde_json::Number>(json)?;
            }
            Some((JsonTag::Number, json.into()))
        }
    })
}

/// Validates a value without keeping it. Unlike serde's `IgnoredAny`, it checks escapes and the
/// ranges of numbers.
struct CheckedJson;

impl<'de> Deserialize<'de> for CheckedJson {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for CheckedJson {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// Removes white space between the tokens.
fn compact(json: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = memchr::memchr3(b'"', b' ', b'\n', rest.as_bytes()) {
        let (before, token) = rest.split_at(at);
        out.extend(before.split(['\t', '\r']));
        let end = if token.starts_with('"') { string_end(token.as_bytes()) } else { 1 };
        let (token, after) = token.split_at(end);
        if token.len() > 1 {
            out.push_str(token);
        }
        rest = after;
    }
    out.extend(rest.split(['\t', '\r']));
    if out.len() == json.len() { Cow::Borrowed(json) } else { Cow::Owned(out) }
}

/// The length of the string that `json` begins with, quotes included.
fn string_end(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(next) = json.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += next;
        if json[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}

/// Refuses more than `max` levels of nesting before anything recursive sees the text.
pub fn check_depth(text: &str, max: usize) -> Result<(), IngestError> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += string_end(&bytes[at..]);
                continue;
            }
            b'[' | b'{' => {
                depth += 1;
                if depth > max {
                    return Err(IngestError::TooDeep(max));
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// The refusal of `part`, a slice of `text`, with the position of the fault in `text`.
pub fn invalid(text: &str, part: &str, error: &serde_json::Error) -> IngestError {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let before = text.as_bytes().get(..start).unwrap_or_default();
    let lines = memchr::memchr_iter(b'\n', before).count();
    let last = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let (line, column) = match error.line() {
        0 | 1 => (lines + 1, error.column() + before.len() - last),
        line => (lines + line, error.column()),
    };
    IngestError::Json { line, column }
}
