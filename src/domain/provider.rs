//! Kinds of model providers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of model provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// Anthropic's Messages API.
    Claude,
    /// OpenAI's API, or a compatible server.
    OpenAi,
    /// The offline demo.
    Demo,
}

impl ProviderKind {
    /// All of them; the first configured one in this order is the default.
    pub const ALL: [Self; 3] = [Self::Claude, Self::OpenAi, Self::Demo];

    /// Its name in settings and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::OpenAi => "openai",
            Self::Demo => "demo",
        }
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ProviderKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| "must be claude, openai or demo".to_owned())
    }
}

/// The API that OpenAI's models are asked over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OpenAiApi {
    /// Responses for OpenAI's and Azure's own addresses, Chat Completions for all others; the other
    /// one if a server asks for it.
    #[default]
    Auto,
    /// Responses.
    Responses,
    /// Chat Completions.
    Chat,
}

impl FromStr for OpenAiApi {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "responses" => Ok(Self::Responses),
            "chat" => Ok(Self::Chat),
            _ => Err("must be auto, responses or chat".to_owned()),
        }
    }
}
