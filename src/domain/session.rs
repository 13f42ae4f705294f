//! Sessions and whom they may ask.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{SessionConfig, Timestamp};

/// A session's id, a random UUIDv4. Whoever knows it may use the session, so `Debug` and
/// [`SessionId::short`], which logs use, show only its first 8 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub Uuid);

impl SessionId {
    /// A new random id.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The first 8 characters, enough to find a session in a log and not enough to use it.
    pub fn short(self) -> String {
        let mut text = self.0.simple().to_string();
        text.truncate(8);
        text
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({}…)", self.short())
    }
}

/// A kind of model provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// Anthropic's Messages API.
    Claude,
    /// OpenAI's Chat Completions API, or a server that speaks it.
    OpenAi,
    /// The offline demo.
    Demo,
}

impl ProviderKind {
    /// All of them, in the order in which the first configured one is chosen.
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

/// A session without its messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last used.
    pub last_activity: Timestamp,
    /// How many messages it holds.
    pub message_count: u64,
    /// The caller's settings; what is absent comes from the operator's.
    pub config: SessionConfig,
}

/// How many sessions there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sessions that have not expired.
    pub total: u64,
    /// Those used in the last 5 minutes.
    pub recent: u64,
}
