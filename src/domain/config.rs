//! A session's settings: the caller's, key by key, over the operator's defaults.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::ProviderKind;

/// A session's settings as sent by the caller: a JSON object in which unknown keys are kept. The
/// methods read the known keys and return `None` for a value that is absent, null or of a type that
/// [`check_patch`](super::check_patch) does not accept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionConfig(Map<String, Value>);

impl SessionConfig {
    /// The settings in `map`.
    pub fn new(map: Map<String, Value>) -> Self {
        Self(map)
    }

    /// All keys.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All keys, by value.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// The size of the settings as JSON, in bytes.
    pub fn json_bytes(&self) -> usize {
        let mut count = ByteCount(0);
        // Neither counting nor the serialisation of JSON can fail.
        let _ = serde_json::to_writer(&mut count, &self.0);
        count.0
    }

    /// Replaces the top-level keys that `patch` names and keeps the others. Returns whether
    /// anything has changed.
    pub fn merge(&mut self, patch: Map<String, Value>) -> bool {
        let mut changed = false;
        for (key, value) in patch {
            if self.0.get(&key) != Some(&value) {
                self.0.insert(key, value);
                changed = true;
            }
        }
        changed
    }

    /// The provider to ask.
    pub fn ai_provider(&self) -> Option<ProviderKind> {
        self.text("aiProvider")?.parse().ok()
    }

    /// The model to ask.
    pub fn model(&self) -> Option<&str> {
        self.text("model")
    }

    /// Maximum length of an answer, in tokens.
    pub fn max_tokens(&self) -> Option<u32> {
        whole_number(self.0.get("maxTokens")?)?.try_into().ok()
    }

    /// Randomness, 0 to 2.
    pub fn temperature(&self) -> Option<f64> {
        self.0.get("temperature")?.as_f64()
    }

    /// The bot's name on this page.
    pub fn bot_name(&self) -> Option<&str> {
        self.text("botName")
    }

    /// The page's own instructions, which are untrusted.
    pub fn custom_instructions(&self) -> Option<&str> {
        self.text("customInstructions")
    }

    /// A field of the visitor's page, from `pageContext` or else `pageData`.
    pub fn page(&self, field: PageField) -> Option<&str> {
        let (context, data) = field.keys();
        [("pageContext", context), ("pageData", data)].into_iter().find_map(|(object, key)| {
            let text = self.0.get(object)?.get(key?)?.as_str()?.trim();
            (!text.is_empty()).then_some(text)
        })
    }

    /// The page's additional fields by key, as text or JSON.
    pub fn page_extras(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let object = |name| self.0.get(name).and_then(Value::as_object).into_iter().flatten();
        let context = object("pageContext").filter(|(key, _)| !PageField::is_key(key, |k| k.0));
        let data = object("pageData").filter(|(key, _)| !PageField::is_key(key, |k| k.1));
        context.chain(data).filter_map(|(key, value)| {
            let text = match value {
                Value::Null => return None,
                Value::String(text) => Cow::Borrowed(text.trim()),
                other => Cow::Owned(other.to_string()),
            };
            (!text.is_empty()).then_some((key.as_str(), text))
        })
    }

    /// Data provided by the page.
    pub fn json_data(&self) -> Option<&Value> {
        self.0.get("jsonData").filter(|value| !value.is_null())
    }

    /// A rough estimate of the bytes that a prompt is built from. JSON is counted at its maximum
    /// size, since measuring it would mean walking it.
    pub fn prompt_bytes(&self) -> usize {
        const JSON: usize = 1 << 20;
        let text = |value: &Value| match value {
            Value::String(text) => text.len(),
            Value::Object(_) | Value::Array(_) => JSON,
            _ => 8,
        };
        let fields = |name| self.0.get(name).and_then(Value::as_object).into_iter().flatten();
        let page = fields("pageContext").chain(fields("pageData"));
        page.map(|(key, value)| key.len() + text(value)).sum::<usize>()
            + self.custom_instructions().map_or(0, str::len)
            + self.json_data().map_or(0, |_| JSON)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str().filter(|text| !text.trim().is_empty())
    }
}

/// A writer that counts.
struct ByteCount(usize);

impl std::io::Write for ByteCount {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A field's key in `pageContext` and in `pageData`, an earlier widget's object.
type FieldKeys = (Option<&'static str>, Option<&'static str>);

/// A known field of the visitor's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageField {
    /// Its address.
    Url,
    /// Its title.
    Title,
    /// Its description.
    Description,
    /// Its main text.
    Content,
    /// Its host.
    Hostname,
    /// Its language, such as `en`.
    Language,
}

impl PageField {
    const ALL: [Self; 6] =
        [Self::Url, Self::Title, Self::Description, Self::Content, Self::Hostname, Self::Language];

    /// Whether `key` is that of a known field in the object selected by `of`.
    fn is_key(key: &str, of: impl Fn(FieldKeys) -> Option<&'static str>) -> bool {
        Self::ALL.into_iter().any(|field| of(field.keys()) == Some(key))
    }

    fn keys(self) -> FieldKeys {
        match self {
            Self::Url => (Some("url"), Some("url")),
            Self::Title => (Some("title"), Some("title")),
            Self::Description => (Some("description"), None),
            Self::Content => (Some("content"), Some("pageContent")),
            Self::Hostname => (None, Some("hostname")),
            Self::Language => (Some("language"), Some("language")),
        }
    }
}

/// A whole number that is not negative, also one written with a fraction of zero, as JSON Schema
/// defines integers: `1000.0`, `1e3`. Beyond [`u64::MAX`] it is that.
pub fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
        (number >= 0.0 && number.fract() == 0.0).then_some(number as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config(value: Value) -> SessionConfig {
        let Value::Object(map) = value else { panic!("not an object") };
        SessionConfig::new(map)
    }

    #[test]
    fn whole_numbers_may_be_written_as_fractions() {
        for (json, number) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("1000.0", Some(1000)),
            ("1e3", Some(1000)),
            ("1e30", Some(u64::MAX)),
            ("1.5", None),
            ("-1", None),
            ("-1.0", None),
            ("\"1\"", None),
            ("null", None),
        ] {
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(whole_number(&value), number, "{json}");
        }
    }

    #[test]
    fn merging_replaces_top_level_keys_whole_and_keeps_the_others() {
        let mut settings = config(json!({"a": {"x": 1, "y": 2}, "own": true}));
        let patch = json!({"a": {"x": 3}}).as_object().cloned().unwrap();
        assert!(settings.merge(patch.clone()));
        assert_eq!(settings, config(json!({"a": {"x": 3}, "own": true})));
        assert!(!settings.merge(patch), "merging the same keys again changes nothing");
    }

    #[test]
    fn a_page_is_read_from_either_object_and_blank_fields_count_as_absent() {
        let both = config(json!({
            "pageContext": {"title": " ", "content": "new text"},
            "pageData": {"title": "Old title", "pageContent": "old text", "hostname": "e.test"},
        }));
        assert_eq!(both.page(PageField::Title), Some("Old title"));
        assert_eq!(both.page(PageField::Content), Some("new text"));
        assert_eq!(both.page(PageField::Hostname), Some("e.test"));
        assert_eq!(both.page(PageField::Url), None);
    }

    #[test]
    fn additional_page_fields_are_kept_by_key() {
        let page = config(json!({
            "pageContext": {"title": "T", "basket": ["cup", 2], "step": " two ", "none": null},
            "pageData": {"pageContent": "text", "description": "of the earlier widget", "blank": " "},
        }));
        let extras: Vec<_> = page.page_extras().collect();
        let expected =
            [("basket", "[\"cup\",2]"), ("step", "two"), ("description", "of the earlier widget")];
        assert_eq!(extras, expected.map(|(key, text)| (key, text.into())));
    }
}
