//! `BOT_*`.

use clap::Args;

use super::values::{self, List, Parsed};
use crate::domain::ProviderKind;
use crate::domain::check::{MAX_NAME, is_name};
use crate::domain::look::{is_colour, is_icon};

/// How the bot looks and speaks unless a session says otherwise.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(next_help_heading = "Bot")]
pub struct BotConfig {
    /// The bot's name [default: Claude Assistant if claude is the provider, else Assistant]
    #[arg(long = "bot-name", value_name = "NAME", default_value = "", value_parser = values::name)]
    pub name: String,
    /// Shown as "Powered by …" [default: Claude if claude is the provider, else nothing]
    #[arg(long = "bot-powered-by", value_name = "NAME", default_value = "", value_parser = values::name)]
    pub powered_by: String,
    /// Main colour, as in CSS
    #[arg(long = "bot-color", value_name = "COLOUR", default_value = "#667eea", value_parser = colour)]
    pub color: String,
    /// Background colour of the bot's messages, as in CSS
    #[arg(long = "bot-msg-bg-color", value_name = "COLOUR", default_value = "#667eea", value_parser = colour)]
    pub msg_bg_color: String,
    /// Picture: http(s) address, relative path or data:image
    #[arg(long = "bot-icon", value_name = "URL", value_parser = icon)]
    pub icon: Option<String>,
    /// Greeting shown to visitors [default: the widget's own, in the visitor's language]
    #[arg(long = "bot-welcome", value_name = "TEXT", value_parser = values::text)]
    pub welcome: Option<String>,
    /// Questions to suggest, as a JSON array of texts
    #[arg(long = "bot-suggestions", value_name = "JSON", default_value = "[]", value_parser = suggestions)]
    pub suggestions: List<String>,
    /// Instructions for the model: the operator's system text
    #[arg(long = "bot-instructions", value_name = "TEXT", value_parser = values::text)]
    pub instructions: Option<String>,
}

impl BotConfig {
    /// With the names that were not given, which depend on the provider: visitors must not be
    /// told that another model is Claude.
    pub fn complete(mut self, provider: ProviderKind) -> Self {
        let (name, powered_by) = match provider {
            ProviderKind::Claude => ("Claude Assistant", "Claude"),
            ProviderKind::OpenAi | ProviderKind::Demo => ("Assistant", ""),
        };
        if self.name.is_empty() {
            name.clone_into(&mut self.name);
        }
        if self.powered_by.is_empty() {
            powered_by.clone_into(&mut self.powered_by);
        }
        self
    }
}

fn colour(text: &str) -> Parsed<String> {
    let text = text.trim();
    if is_colour(text) {
        Ok(text.to_owned())
    } else {
        Err("must be a CSS colour such as #667eea".to_owned())
    }
}

fn icon(text: &str) -> Parsed<String> {
    let text = text.trim();
    if is_icon(text) {
        Ok(text.to_owned())
    } else {
        Err("must be an http(s) address, a relative path or a data:image address".to_owned())
    }
}

/// Parses a JSON array of texts, none of them blank.
fn suggestions(text: &str) -> Parsed<List<String>> {
    serde_json::from_str::<Vec<String>>(text)
        .ok()
        .filter(|all| all.iter().all(|one| !one.trim().is_empty() && is_name(one)))
        .ok_or_else(|| {
            format!("must be a JSON array of texts of at most {MAX_NAME} characters each")
        })
}
