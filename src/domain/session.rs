//! Sessions.

use std::fmt;

use uuid::Uuid;

use super::{BotId, SessionConfig, Timestamp};

/// A session's id, a random UUIDv4. Knowing it is enough to use the session, so `Debug` and
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

/// Who a session's visitor is talking to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionState {
    /// The bot answers.
    #[default]
    Bot,
    /// The visitor waits for a person; the bot still answers.
    Waiting,
    /// A person answers.
    Human,
    /// The conversation is over; a new message reopens it.
    Closed,
}

/// A session without its messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The bot it belongs to; never changes.
    pub bot: BotId,
    /// Who its visitor is talking to.
    pub state: SessionState,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last used.
    pub last_activity: Timestamp,
    /// How many messages it holds.
    pub message_count: u64,
    /// The caller's settings; missing ones are taken from the bot.
    pub config: SessionConfig,
}

impl Session {
    /// A new session of `bot` with the caller's `config`.
    pub fn new(bot: BotId, config: SessionConfig, now: Timestamp) -> Self {
        Self {
            id: SessionId::random(),
            bot,
            state: SessionState::default(),
            created: now,
            last_activity: now,
            message_count: 0,
            config,
        }
    }
}

/// Numbers of sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sessions that have not expired.
    pub total: u64,
    /// Sessions used in the last 5 minutes.
    pub recent: u64,
}
