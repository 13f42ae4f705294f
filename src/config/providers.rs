//! The providers: keys, addresses, models, and which of them to ask.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use url::Url;

use super::Secret;
use super::exit::Exit;
use super::values::{self, Parsed};
use crate::domain::{OpenAiApi, ProviderKind};
use crate::models::ModelTable;

/// OpenAI's own API.
const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// The providers, and which of them to ask.
#[derive(Clone, Debug)]
pub struct ProvidersConfig {
    /// The provider that the operator named, configured or not (`AI_PROVIDER`).
    pub preferred: Option<ProviderKind>,
    /// The provider to try when the first one fails (`AI_FALLBACK`).
    pub fallback: Option<ProviderKind>,
    /// Anthropic's API, if it is configured.
    pub anthropic: Option<ProviderSettings>,
    /// OpenAI's API or a compatible one, if it is configured.
    pub openai: Option<ProviderSettings>,
    /// The API that openai is asked over (`OPENAI_API`).
    pub openai_api: OpenAiApi,
    /// Prices and retirements of models, those of `PRICES` over the built-in ones.
    pub models: Arc<ModelTable>,
}

/// A provider's API.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Its address: http(s), without credentials, query or fragment.
    pub base_url: Url,
    /// Its key, printable ASCII; Anthropic always has one.
    pub key: Option<Secret>,
    /// The model to use when a session names none.
    pub model: String,
    /// The default of earlier versions, which is used instead if the API does not know `model`;
    /// `None` if the operator has chosen `model`.
    pub former_model: Option<&'static str>,
    /// The bot name shown with its answers.
    pub bot_name: String,
}

impl ProvidersConfig {
    /// Whether a provider is configured. The demo always is.
    pub fn is_configured(&self, kind: ProviderKind) -> bool {
        match kind {
            ProviderKind::Claude => self.anthropic.is_some(),
            ProviderKind::OpenAi => self.openai.is_some(),
            ProviderKind::Demo => true,
        }
    }

    /// The provider of a session that names none: the preferred one if it is configured, else the
    /// first that is.
    pub fn chosen(&self) -> ProviderKind {
        let order = [ProviderKind::Claude, ProviderKind::OpenAi];
        self.preferred
            .into_iter()
            .chain(order)
            .find(|kind| self.is_configured(*kind))
            .unwrap_or(ProviderKind::Demo)
    }

    /// The model of a session that names none; `None` for the demo.
    pub fn chosen_model(&self) -> Option<&str> {
        let settings = match self.chosen() {
            ProviderKind::Claude => self.anthropic.as_ref(),
            ProviderKind::OpenAi => self.openai.as_ref(),
            ProviderKind::Demo => None,
        };
        settings.map(|settings| settings.model.as_str())
    }
}

/// The settings of all providers.
#[derive(Args)]
#[command(next_help_heading = "Models")]
pub struct ProviderFlags {
    /// Provider to use: claude, openai or demo [default: claude, else the first configured one]
    #[arg(long, value_name = "NAME", value_parser = provider)]
    ai_provider: Option<ProviderKind>,
    /// Provider to try when the first one fails before its first word
    #[arg(long, value_name = "NAME", value_parser = provider)]
    ai_fallback: Option<ProviderKind>,
    /// Key for Anthropic's API; configures claude
    #[arg(long, value_name = "SECRET", value_parser = api_key)]
    anthropic_api_key: Option<Secret>,
    /// Address of Anthropic's API
    #[arg(long, value_name = "URL", default_value = "https://api.anthropic.com", value_parser = base_url)]
    anthropic_base_url: Url,
    /// Model of claude [default: claude-haiku-5-5]
    #[arg(long, value_name = "NAME", value_parser = values::name)]
    claude_model: Option<String>,
    /// Bot name shown with claude's answers
    #[arg(long, value_name = "NAME", default_value = "Claude Assistant", value_parser = values::name)]
    claude_bot_name: String,
    /// Key for OpenAI's API; configures openai
    #[arg(long, value_name = "SECRET", value_parser = api_key)]
    openai_api_key: Option<Secret>,
    /// Address of an OpenAI-compatible API, ending in /v1; configures openai even without a key [default: OpenAI's own]
    #[arg(long, value_name = "URL", value_parser = base_url)]
    openai_base_url: Option<Url>,
    /// API of openai: responses, chat (Chat Completions) or auto: responses at OpenAI's and Azure's own addresses, chat elsewhere
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = api)]
    openai_api: OpenAiApi,
    /// Model of openai [default: gpt-6-luna]
    #[arg(long, value_name = "NAME", value_parser = values::name)]
    openai_model: Option<String>,
    /// Bot name shown with openai's answers
    #[arg(long, value_name = "NAME", default_value = "GPT Assistant", value_parser = values::name)]
    openai_bot_name: String,
    /// JSON file of prices of models, over the built-in ones
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

impl ProviderFlags {
    /// The providers that are configured: Anthropic by its key, OpenAI by a key or an address.
    pub fn complete(self) -> Result<ProvidersConfig, Exit> {
        let openai_base_url = match self.openai_base_url {
            None if self.openai_api_key.is_some() => Some(
                base_url(OPENAI_BASE_URL)
                    .map_err(|reason| Exit::setting("OPENAI_BASE_URL", &reason))?,
            ),
            given => given,
        };
        Ok(ProvidersConfig {
            preferred: self.ai_provider,
            fallback: self.ai_fallback,
            anthropic: self.anthropic_api_key.map(|key| ProviderSettings {
                base_url: self.anthropic_base_url,
                key: Some(key),
                former_model: self.claude_model.is_none().then_some("claude-haiku-4-5"),
                model: self.claude_model.unwrap_or_else(|| "claude-haiku-5-5".to_owned()),
                bot_name: self.claude_bot_name,
            }),
            openai: openai_base_url.map(|base_url| ProviderSettings {
                base_url,
                key: self.openai_api_key,
                former_model: self.openai_model.is_none().then_some("gpt-5.4-mini"),
                model: self.openai_model.unwrap_or_else(|| "gpt-6-luna".to_owned()),
                bot_name: self.openai_bot_name,
            }),
            openai_api: self.openai_api,
            models: Arc::new(models(self.prices.as_deref())?),
        })
    }
}

/// The built-in table of models, with the file's entries over it.
fn models(prices: Option<&Path>) -> Result<ModelTable, Exit> {
    let refused = |reason: String| Exit::setting("PRICES", &reason);
    let table = ModelTable::built_in().map_err(|error| refused(error.to_string()))?;
    let Some(path) = prices else { return Ok(table) };
    let json = std::fs::read_to_string(path)
        .map_err(|error| refused(format!("{} cannot be read: {error}", path.display())))?;
    let own =
        ModelTable::parse(&json).map_err(|error| refused(format!("{} {error}", path.display())))?;
    Ok(table.overlaid_with(own))
}

fn provider(text: &str) -> Parsed<ProviderKind> {
    text.trim().parse()
}

fn api(text: &str) -> Parsed<OpenAiApi> {
    text.trim().parse()
}

/// Parses a key that goes into a header: printable ASCII. Surrounding white space, such as the
/// newline of the file that it was read from, is dropped.
fn api_key(text: &str) -> Parsed<Secret> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.into())
    } else {
        Err("must be printable ASCII without spaces".to_owned())
    }
}

/// Parses the address of an API.
fn base_url(text: &str) -> Parsed<Url> {
    let wrong = || "must be an http:// or https:// address, without password, ? or #".to_owned();
    let text = text.trim();
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
    if is_http && is_plain { Ok(url) } else { Err(wrong()) }
}
