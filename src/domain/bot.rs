//! Bots: their appearance, instructions and providers.

use std::fmt;

use super::{ConfigLimits, ProviderKind};

/// A bot's id: a slug that appears in web pages, so it is not a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BotId(String);

impl BotId {
    /// Maximum length of an id, in bytes.
    pub const MAX_BYTES: usize = 40;

    /// Parses an id: 1 to [`Self::MAX_BYTES`] characters of `a-z`, `0-9` and `-`.
    pub fn new(text: &str) -> Option<Self> {
        let is_slug = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = !text.is_empty() && text.len() <= Self::MAX_BYTES && text.bytes().all(is_slug);
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of the bot that always exists, made from the server's settings.
impl Default for BotId {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl fmt::Display for BotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A bot.
#[derive(Clone, Debug, PartialEq)]
pub struct Bot {
    /// Its id.
    pub id: BotId,
    /// How it looks.
    pub look: BotLook,
    /// The greeting; the widget's own if absent.
    pub welcome: Option<String>,
    /// Questions that the widget offers.
    pub suggestions: Vec<String>,
    /// The operator's instructions, part of the system text.
    pub instructions: Option<String>,
    /// The provider for sessions that name none; if it is not configured, the first one that is.
    pub provider: ProviderKind,
    /// The names that visitors see beside answers, by provider.
    pub provider_names: ProviderNames,
    /// What a session may set.
    pub limits: ConfigLimits,
}

/// A bot's appearance in the widget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotLook {
    /// Its name.
    pub name: String,
    /// The line at the widget's foot; empty for none.
    pub powered_by: String,
    /// The accent colour, CSS.
    pub color: String,
    /// The colour of its messages, CSS.
    pub msg_bg_color: String,
    /// The address of its icon.
    pub icon: Option<String>,
}

/// The name shown beside the answers of each provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderNames {
    /// Claude's.
    pub claude: String,
    /// OpenAI's.
    pub openai: String,
    /// The demo's.
    pub demo: String,
}

impl ProviderNames {
    /// The name for `kind`.
    pub fn of(&self, kind: ProviderKind) -> &str {
        match kind {
            ProviderKind::Claude => &self.claude,
            ProviderKind::OpenAi => &self.openai,
            ProviderKind::Demo => &self.demo,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BotId;

    #[test]
    fn ids_are_slugs() {
        let longest = "a".repeat(BotId::MAX_BYTES);
        for text in ["default", "shop-2", "-", &longest] {
            assert_eq!(BotId::new(text).unwrap().as_str(), text);
        }
        for text in ["", "Shop", "a b", "a/b", "ä", &(longest + "a")] {
            assert!(BotId::new(text).is_none(), "{text}");
        }
        assert_eq!(BotId::new("default"), Some(BotId::default()));
    }
}
