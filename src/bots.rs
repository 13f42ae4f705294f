//! Use cases of bots: which one a visitor talks to, and how it is shown.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::domain::{Bot, BotId, SessionConfig};

/// The bots; so far only the one from the server's settings.
#[derive(Clone, Debug)]
pub struct Bots {
    default: Arc<Bot>,
}

impl Bots {
    /// Only the bot from the server's settings.
    pub fn new(default: Bot) -> Self {
        Self { default: Arc::new(default) }
    }

    /// The bot used if none is named.
    pub fn default_bot(&self) -> Arc<Bot> {
        Arc::clone(&self.default)
    }

    /// The bot `id`. A session whose bot no longer exists continues with the default one.
    pub fn of_session(&self, id: &BotId) -> Arc<Bot> {
        if *id != self.default.id {
            tracing::debug!(bot = %id, "the session's bot does not exist; using the default one");
        }
        Arc::clone(&self.default)
    }
}

/// A session's settings merged over its bot's. Null means unset, so it does not hide a bot's value.
pub fn effective_config(bot: &Bot, config: SessionConfig) -> Map<String, Value> {
    let look = &bot.look;
    let defaults = json!({
        "botName": look.name,
        "poweredBy": look.powered_by,
        "botColor": look.color,
        "botIcon": look.icon,
        "botMsgBgColor": look.msg_bg_color,
    });
    let Value::Object(mut effective) = defaults else { return config.into_map() };
    for (key, value) in config.into_map() {
        if !(value.is_null() && effective.contains_key(&key)) {
            effective.insert(key, value);
        }
    }
    effective
}
