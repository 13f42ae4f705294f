//! Any settings merged into a session's: refused with a sentence, or merged key by key and read
//! within their limits. Input: JSON objects with a NUL byte between them, one for each merge.
#![no_main]

use chatbot_widget::domain::{ConfigLimits, PageField, SessionConfig, check_patch};
use serde_json::{Map, Value};

const MAX_TOKENS: u32 = 4096;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let limits = ConfigLimits {
        max_tokens: MAX_TOKENS,
        allowed_models: vec!["a-1".to_owned(), "b-2".to_owned()],
    };
    let mut config = SessionConfig::default();
    for part in data.split(|byte| *byte == 0) {
        let Ok(patch) = serde_json::from_slice::<Map<String, Value>>(part) else { continue };
        match check_patch(&patch, &limits) {
            Ok(()) => merge(&mut config, &patch),
            Err(error) => assert!(error.to_string().ends_with('.'), "{error}"),
        }
        read(&config, &limits);
    }
});

fn merge(config: &mut SessionConfig, patch: &Map<String, Value>) {
    let before = config.clone();
    let changed = config.merge(patch.clone());
    assert_eq!(changed, *config != before);
    for (key, value) in config.as_map() {
        assert_eq!(Some(value), patch.get(key).or(before.as_map().get(key)));
    }
    for key in before.as_map().keys().chain(patch.keys()) {
        assert!(config.as_map().contains_key(key), "{key}");
    }
    assert!(!config.merge(patch.clone()), "merging again changes nothing");
}

/// Reads every setting, as answering a question does.
fn read(config: &SessionConfig, limits: &ConfigLimits) {
    assert!(config.max_tokens().is_none_or(|tokens| (1..=MAX_TOKENS).contains(&tokens)));
    assert!(config.temperature().is_none_or(|degree| (0.0..=2.0).contains(&degree)));
    assert!(config.bot_name().is_none_or(|name| !name.contains(char::is_control)));
    assert!(config.model().is_none_or(|model| limits.allowed_models.iter().any(|m| m == model)));
    assert!(config.custom_instructions().is_none_or(|text| !text.contains('\0')));
    assert!(config.json_data().is_none_or(|value| !value.is_null()));
    config.ai_provider();
    let fields = [PageField::Url, PageField::Title, PageField::Content, PageField::Hostname];
    assert!(fields.iter().filter_map(|field| config.page(*field)).all(|text| !text.is_empty()));
    assert!(config.page_extras().all(|(_, text)| !text.is_empty()));
}
