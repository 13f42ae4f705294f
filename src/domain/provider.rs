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
    /// OpenAI's Chat Completions API, or a compatible server.
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
