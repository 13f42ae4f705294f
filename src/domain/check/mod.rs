//! Validation of the settings that callers of the public API may give a session.

use serde_json::{Map, Value};

use super::ProviderKind;
use super::block::narrow;
use super::config::whole_number;
use super::look::{is_colour, is_icon};

/// Maximum length of a name in characters: bot, powered-by line, model.
pub const MAX_NAME: usize = 200;

/// What the operator allows callers to request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigLimits {
    /// The highest `maxTokens`.
    pub max_tokens: u32,
    /// The models that may be named; empty means any.
    pub allowed_models: Vec<String>,
}

/// Why settings are refused. Each text is a sentence that a visitor may read; it names the key and
/// never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// `botName` or `poweredBy`.
    #[error("{0} must be text of at most {MAX_NAME} characters, without control characters.")]
    Name(&'static str),
    /// `botColor` or `botMsgBgColor`.
    #[error("{0} must be a CSS colour such as #667eea.")]
    Colour(&'static str),
    /// `botIcon`.
    #[error("botIcon must be an http(s) address, a relative path or a data:image address.")]
    Icon,
    /// `aiProvider`.
    #[error("aiProvider must be claude, openai or demo.")]
    Provider,
    /// `model` is not a valid name.
    #[error("model must be text of at most {MAX_NAME} characters, without control characters.")]
    Model,
    /// `model` is not one that the operator allows.
    #[error("This model is not available here.")]
    ModelNotAllowed,
    /// `maxTokens`.
    #[error("maxTokens must be a whole number from 1 to {0}.")]
    MaxTokens(u32),
    /// `temperature`.
    #[error("temperature must be a number from 0 to 2.")]
    Temperature,
    /// `customInstructions`.
    #[error("customInstructions must be text.")]
    Instructions,
    /// `pageContext` or `pageData`.
    #[error("{0} must be an object.")]
    Object(&'static str),
    /// A NUL character anywhere, which not every store can hold.
    #[error("Settings must not contain NUL characters.")]
    Nul,
    /// A key, password or endpoint: only the operator sets these.
    #[error("Keys, passwords and provider addresses cannot be set here.")]
    Credentials,
}

/// Checks settings that a caller wants to merge into a session's: known keys must have valid types
/// and values, and credentials are refused. `null` unsets a key, and so does empty text for a name
/// or an icon. Unknown keys are the caller's own.
pub fn check_patch(patch: &Map<String, Value>, limits: &ConfigLimits) -> Result<(), ConfigError> {
    if patch.keys().any(|key| names_credentials(key)) {
        return Err(ConfigError::Credentials);
    }
    for (key, value) in patch.iter().filter(|(_, value)| !value.is_null()) {
        check_known(key, value, limits)?;
    }
    if has_nul(patch) { Err(ConfigError::Nul) } else { Ok(()) }
}

fn check_known(key: &str, value: &Value, limits: &ConfigLimits) -> Result<(), ConfigError> {
    let text = value.as_str();
    let (valid, error) = match key {
        "botName" => (text.is_some_and(is_name), ConfigError::Name("botName")),
        "poweredBy" => (text.is_some_and(is_name), ConfigError::Name("poweredBy")),
        "botColor" => (text.is_some_and(is_colour), ConfigError::Colour("botColor")),
        "botMsgBgColor" => (text.is_some_and(is_colour), ConfigError::Colour("botMsgBgColor")),
        "botIcon" => (text.is_some_and(|text| text.is_empty() || is_icon(text)), ConfigError::Icon),
        "aiProvider" => (
            text.is_some_and(|text| text.is_empty() || text.parse::<ProviderKind>().is_ok()),
            ConfigError::Provider,
        ),
        "model" => return check_model(text, limits),
        "maxTokens" => (
            whole_number(value)
                .is_some_and(|count| (1..=u64::from(limits.max_tokens)).contains(&count)),
            ConfigError::MaxTokens(limits.max_tokens),
        ),
        "temperature" => (
            value.as_f64().is_some_and(|degree| (0.0..=2.0).contains(&degree)),
            ConfigError::Temperature,
        ),
        "customInstructions" => (text.is_some(), ConfigError::Instructions),
        "pageContext" => (value.is_object(), ConfigError::Object("pageContext")),
        "pageData" => (value.is_object(), ConfigError::Object("pageData")),
        _ => return Ok(()),
    };
    if valid { Ok(()) } else { Err(error) }
}

fn check_model(model: Option<&str>, limits: &ConfigLimits) -> Result<(), ConfigError> {
    let Some(model) = model.filter(|model| is_name(model)) else {
        return Err(ConfigError::Model);
    };
    let allowed = &limits.allowed_models;
    if model.trim().is_empty() || allowed.is_empty() || allowed.iter().any(|name| name == model) {
        Ok(())
    } else {
        Err(ConfigError::ModelNotAllowed)
    }
}

/// Whether `text` is a valid name: at most [`MAX_NAME`] characters and no control characters.
pub fn is_name(text: &str) -> bool {
    text.chars().nth(MAX_NAME).is_none() && !text.contains(char::is_control)
}

/// Whether a key names a credential or a provider's address, in any spelling: `apiKey`,
/// `OPENAI_API_KEY`, `x-api-key`. `apiUrl` and the like are allowed: pages use them for the address
/// of this server.
fn names_credentials(key: &str) -> bool {
    const NAMES: [&str; 12] = [
        "endpoint",
        "auth",
        "bearer",
        "claudekey",
        "anthropickey",
        "openaikey",
        "databaseurl",
        "passwd",
        "proxyauthorization",
        "secret",
        "token",
        "xapikey",
    ];
    const ENDINGS: [&str; 16] = [
        "apibase",
        "apiendpoint",
        "accesskey",
        "accesstoken",
        "apikey",
        "apisecret",
        "apitoken",
        "authorization",
        "authtoken",
        "baseurl",
        "bearertoken",
        "clientsecret",
        "credentials",
        "password",
        "privatekey",
        "secretkey",
    ];
    let key: String = key.chars().map(narrow).filter(char::is_ascii_alphanumeric).collect();
    NAMES.contains(&key.as_str()) || ENDINGS.iter().any(|ending| key.ends_with(ending))
}

/// Whether any key or text in `map` contains NUL. Not recursive, so that deep nesting cannot
/// overflow the stack.
fn has_nul(map: &Map<String, Value>) -> bool {
    let nul = |text: &str| text.contains('\0');
    let mut objects = vec![map];
    let mut values: Vec<&Value> = Vec::new();
    loop {
        if let Some(object) = objects.pop() {
            if object.keys().any(|key| nul(key)) {
                return true;
            }
            values.extend(object.values());
        } else {
            match values.pop() {
                Some(Value::String(text)) if nul(text) => return true,
                Some(Value::Array(items)) => values.extend(items),
                Some(Value::Object(object)) => objects.push(object),
                Some(_) => {}
                None => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests;
