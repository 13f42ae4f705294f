use super::*;
use proptest::prelude::*;
use serde_json::json;

fn limits() -> ConfigLimits {
    ConfigLimits { max_tokens: 4096, allowed_models: Vec::new() }
}

fn check(value: &Value) -> Result<(), ConfigError> {
    check_patch(value.as_object().unwrap(), &limits())
}

#[test]
fn valid_settings_are_accepted() {
    let name = "ñ".repeat(200);
    for patch in [
        json!({}),
        json!({"botName": "Ada 🤖", "poweredBy": "", "botColor": "#667eea"}),
        json!({"botName": name, "model": name}),
        json!({"botMsgBgColor": "rgb(1 2 3 / 50%)", "botIcon": ""}),
        json!({"botIcon": "/static/bot.svg"}),
        json!({"botIcon": "data:image/png;base64,AAAA"}),
        json!({"aiProvider": "claude"}),
        json!({"aiProvider": "openai", "model": "llama3.2:3b-instruct/q4"}),
        json!({"aiProvider": "demo", "model": ""}),
        json!({"aiProvider": ""}),
        json!({"maxTokens": 1, "temperature": 0}),
        json!({"maxTokens": 4096, "temperature": 2.0}),
        json!({"maxTokens": 1000.0, "temperature": 0.7}),
        json!({"customInstructions": "line\nline\t"}),
        json!({"pageContext": {"url": "x"}, "pageData": {}}),
        json!({"jsonData": [1, null, {"apiKey": "inside data it is data"}]}),
        json!({"jsonData": "text"}),
        json!({"userIdentifier": "u-1", "theme": {"dark": true}, "apiUrl": "https://e.test"}),
        json!({"maxTokensPerDay": "odd", "monkey": 1, "tokens": 3, "author": "x"}),
    ] {
        assert_eq!(check(&patch), Ok(()), "{patch}");
    }
}

#[test]
fn null_unsets_every_known_key() {
    for key in [
        "botName",
        "poweredBy",
        "botColor",
        "botIcon",
        "botMsgBgColor",
        "aiProvider",
        "model",
        "maxTokens",
        "temperature",
        "customInstructions",
        "pageContext",
        "pageData",
        "jsonData",
    ] {
        assert_eq!(check(&json!({ key: null })), Ok(()), "{key}");
    }
}

#[test]
fn wrong_values_are_refused_by_key() {
    use ConfigError::*;
    let long = "x".repeat(201);
    for (patch, error) in [
        (json!({"botName": 1}), Name("botName")),
        (json!({"botName": long}), Name("botName")),
        (json!({"botName": "a\nb"}), Name("botName")),
        (json!({"poweredBy": ["x"]}), Name("poweredBy")),
        (json!({"poweredBy": "\u{7f}"}), Name("poweredBy")),
        (json!({"botColor": "redd"}), Colour("botColor")),
        (json!({"botColor": ""}), Colour("botColor")),
        (json!({"botColor": 255}), Colour("botColor")),
        (json!({"botMsgBgColor": "red;x:y"}), Colour("botMsgBgColor")),
        (json!({"botIcon": "javascript:alert(1)"}), Icon),
        (json!({"botIcon": "//e.test/x.png"}), Icon),
        (json!({"botIcon": true}), Icon),
        (json!({"aiProvider": "gemini"}), Provider),
        (json!({"aiProvider": "Claude"}), Provider),
        (json!({"aiProvider": {}}), Provider),
        (json!({"model": 5}), Model),
        (json!({"model": "gpt\r\nX: y"}), Model),
        (json!({"model": long}), Model),
        (json!({"maxTokens": 0}), MaxTokens(4096)),
        (json!({"maxTokens": -1}), MaxTokens(4096)),
        (json!({"maxTokens": 4097}), MaxTokens(4096)),
        (json!({"maxTokens": 1.5}), MaxTokens(4096)),
        (json!({"maxTokens": 4096.5}), MaxTokens(4096)),
        (json!({"maxTokens": 4097.0}), MaxTokens(4096)),
        (json!({"maxTokens": 1e300}), MaxTokens(4096)),
        (json!({"maxTokens": "100"}), MaxTokens(4096)),
        (json!({"maxTokens": u64::MAX}), MaxTokens(4096)),
        (json!({"temperature": -0.1}), Temperature),
        (json!({"temperature": 2.1}), Temperature),
        (json!({"temperature": "1"}), Temperature),
        (json!({"temperature": 1e300}), Temperature),
        (json!({"customInstructions": {}}), Instructions),
        (json!({"pageContext": "x"}), Object("pageContext")),
        (json!({"pageData": []}), Object("pageData")),
        (json!({"customInstructions": "a\0"}), Nul),
        (json!({"own": [{"deep": ["\0"]}]}), Nul),
        (json!({"own": {"a\0": 1}}), Nul),
        (json!({"\0": 1}), Nul),
    ] {
        assert_eq!(check(&patch), Err(error.clone()), "{patch}");
    }
}

#[test]
fn credentials_are_refused_in_every_spelling() {
    for key in [
        "apiKey",
        "api_key",
        "API-KEY",
        "x-api-key",
        "baseUrl",
        "base_url",
        "openaiBaseUrl",
        "anthropicApiKey",
        "OPENAI_API_KEY",
        "claudeKey",
        "authorization",
        "Proxy-Authorization",
        "secretKey",
        "SECRET_KEY",
        "password",
        "adminPassword",
        "token",
        "access_token",
        "authToken",
        "client.secret",
        "credentials",
        "aws_secret_access_key",
        "DATABASE_URL",
        "api\u{200B}Key",
        "\u{FF41}piKey",
        "api\u{FF2B}ey",
        "endpoint",
        "OPENAI_API_BASE",
    ] {
        for value in [json!("secret-value"), json!({}), Value::Null] {
            let error = check(&json!({"botName": "x", key: value})).unwrap_err();
            assert_eq!(error, ConfigError::Credentials, "{key}");
            assert!(!error.to_string().contains("secret-value"));
        }
    }
}

#[test]
fn only_models_that_the_operator_allows_are_accepted() {
    let limits = ConfigLimits { max_tokens: 10, allowed_models: vec!["a-1".into(), "b-2".into()] };
    let check = |value: &Value| check_patch(value.as_object().unwrap(), &limits);
    assert_eq!(check(&json!({"model": "b-2"})), Ok(()));
    assert_eq!(check(&json!({"model": null})), Ok(()));
    assert_eq!(check(&json!({"model": ""})), Ok(()));
    assert_eq!(check(&json!({"model": "B-2"})), Err(ConfigError::ModelNotAllowed));
    assert_eq!(check(&json!({"maxTokens": 11})), Err(ConfigError::MaxTokens(10)));
    assert_eq!(
        ConfigError::MaxTokens(10).to_string(),
        "maxTokens must be a whole number from 1 to 10."
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".*", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_settings_are_checked_without_a_panic(
        key in prop_oneof![
            ".*",
            prop::sample::select(vec![
                "botName", "botColor", "botIcon", "aiProvider", "model", "maxTokens",
                "temperature", "customInstructions", "pageContext", "pageData", "jsonData",
            ]).prop_map(str::to_owned),
        ],
        value in any_json(),
    ) {
        let patch: Map<String, Value> = [(key, value)].into_iter().collect();
        if let Err(error) = check_patch(&patch, &limits()) {
            prop_assert!(error.to_string().ends_with('.'));
        }
    }
}
