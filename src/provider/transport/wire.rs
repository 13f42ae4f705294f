//! Pieces of JSON that both APIs use, parsed leniently, and without copying where possible.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::halves;
use crate::provider::{Fault, ProviderError};

/// A JSON string, borrowed from the input if it has no escapes. (`Option<Cow<str>>` would always
/// copy: serde borrows a `Cow` only if it is a field itself.)
///
/// A list of content parts, which some servers send where a string is expected, is read as the text
/// of its parts. A surrogate half at the string's start or end is kept as a [mark](halves).
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Str<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        MessageContent::deserialize(deserializer).map(|content| Self(content.text))
    }
}

/// The content of a message or of a piece of one: a string, or a list of parts.
#[derive(Debug, Default)]
pub struct MessageContent<'a> {
    /// Its text.
    pub text: Cow<'a, str>,
    /// It contains thoughts, which are left out.
    pub has_thoughts: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for MessageContent<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, because strings with surrogate halves are refused.
        deserializer.deserialize_bytes(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = MessageContent<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of content parts")
    }

    fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<MessageContent<'de>, E> {
        Ok(MessageContent { text: halves::decode(bytes), has_thoughts: false })
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<MessageContent<'de>, E> {
        Ok(MessageContent { text: halves::decode(bytes).into_owned().into(), has_thoughts: false })
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<MessageContent<'de>, E> {
        self.visit_borrowed_bytes(text.as_bytes())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<MessageContent<'de>, E> {
        self.visit_bytes(text.as_bytes())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<MessageContent<'de>, A::Error> {
        let mut content = MessageContent::default();
        while let Some(part) = parts.next_element::<&RawValue>()? {
            match text_of_part(part) {
                Some(text) if content.text.is_empty() => content.text = text,
                Some(text) => halves::append(content.text.to_mut(), &text),
                None => content.has_thoughts |= is_thought(part),
            }
        }
        Ok(content)
    }
}

/// The text of a field; empty if it is missing.
pub fn word<'a>(field: &'a Option<Str<'_>>) -> &'a str {
    field.as_ref().map_or("", |text| &text.0)
}

/// The text of a JSON string, such as the arguments of a tool call; of anything else, the JSON
/// itself, which some servers send instead. Empty for `null`.
pub fn text_of(json: &RawValue) -> Cow<'_, str> {
    match json.get() {
        "null" => Cow::Borrowed(""),
        json => serde_json::from_str(json).map_or(Cow::Borrowed(json), |Str(text)| text),
    }
}

/// Reads what a provider has sent.
///
/// # Errors
/// [`Fault::Malformed`] if it has another shape.
pub fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(json)
        .map_err(|error| ProviderError::new(Fault::Malformed, error.to_string()))
}

/// A part of a content list. Its fields are strings, but for those of parts that we do not know.
#[derive(Deserialize)]
struct ContentPart<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    /// Of `text`, where that is an object.
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

/// The string in `json`, unless it is something else.
fn string(json: &RawValue) -> Option<Cow<'_, str>> {
    // A list would be read part by part, to any depth.
    json.get()
        .starts_with('"')
        .then(|| serde_json::from_str::<Str<'_>>(json.get()).ok())?
        .map(|s| s.0)
}

/// The text of a part; `None` if it is something else, such as a thought or a reference.
fn text_of_part(part: &RawValue) -> Option<Cow<'_, str>> {
    if let Some(text) = string(part) {
        return Some(text);
    }
    let part: ContentPart<'_> = serde_json::from_str(part.get()).ok()?;
    let kind = part.kind.and_then(string);
    if !matches!(kind.as_deref(), None | Some("text" | "output_text" | "text_delta")) {
        return None;
    }
    let text = part.text?;
    string(text).or_else(|| {
        let inner: ContentPart<'_> = serde_json::from_str(text.get()).ok()?;
        inner.value.and_then(string)
    })
}

fn is_thought(part: &RawValue) -> bool {
    let part = serde_json::from_str::<ContentPart<'_>>(part.get()).ok();
    let kind = part.and_then(|part| part.kind).and_then(string);
    kind.is_some_and(|kind| kind.contains("thinking") || kind.contains("reasoning"))
}

/// A number of tokens. Some servers write `12.0` or `"12"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count(pub u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of tokens")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Count, E> {
        Ok(Count(u32::try_from(value).unwrap_or(u32::MAX)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Count, E> {
        Ok(Count(u32::try_from(value.max(0)).unwrap_or(u32::MAX)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Count, E> {
        // `as` saturates, and turns NaN into zero.
        Ok(Count(value as u32))
    }

    /// An answer is worth more than its count.
    fn visit_str<E: Error>(self, value: &str) -> Result<Count, E> {
        Ok(Count(value.trim().parse().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_without_escapes_are_borrowed() {
        let plain: Option<Str<'_>> = serde_json::from_str(r#""zażółć""#).unwrap();
        assert!(matches!(plain, Some(Str(Cow::Borrowed("zażółć")))));
        let escaped: Option<Str<'_>> = serde_json::from_str(r#""a\nb""#).unwrap();
        assert!(matches!(escaped, Some(Str(Cow::Owned(text))) if text == "a\nb"));
    }

    #[test]
    fn a_list_of_parts_is_read_as_its_text() {
        let text = |json: &str| {
            let content: MessageContent<'_> = serde_json::from_str(json).unwrap();
            let Str(text) = serde_json::from_str(json).unwrap();
            assert_eq!(text, content.text);
            (text.into_owned(), content.has_thoughts)
        };
        for (json, expected, has_thoughts) in [
            (r#""Hi""#, "Hi", false),
            ("[]", "", false),
            (r#"[{"type":"text","text":"Hi "},{"text":"you"},"!"]"#, "Hi you!", false),
            (r#"[{"text":"Hi \ud83d"},{"text":"\ude00"}]"#, "Hi 😀", false),
            (r#"[{"type":"output_text","text":{"value":"Hi","annotations":[]}}]"#, "Hi", false),
            (
                r#"[{"type":"thinking","thinking":[{"type":"text","text":"x"}]},{"type":"text","text":"Hi"}]"#,
                "Hi",
                true,
            ),
            (r#"[{"type":"reasoning","text":"x"}]"#, "", true),
            (
                r#"[{"type":"reference","text":"x"},{"type":7},null,1,[["x"]],{"text":null}]"#,
                "",
                false,
            ),
        ] {
            assert_eq!(text(json), (expected.to_owned(), has_thoughts), "{json}");
        }
        let deep =
            format!(r#"[{{"type":{0}{1},"text":{0}{1}}}]"#, "[".repeat(9000), "]".repeat(9000));
        assert_eq!(text(&deep), (String::new(), false));
        assert!(serde_json::from_str::<Str<'_>>("7").is_err());
    }

    /// Regression: a count in quotes cost the whole answer.
    #[test]
    fn counts_are_read_however_they_are_written() {
        let counts = r#"[7, 7.0, -1, 1e30, 99999999999, "7", " 8 ", "many"]"#;
        let counts: Vec<Count> = serde_json::from_str(counts).unwrap();
        let counts: Vec<u32> = counts.into_iter().map(|count| count.0).collect();
        assert_eq!(counts, [7, 7, 0, u32::MAX, u32::MAX, 7, 8, 0]);
    }
}
