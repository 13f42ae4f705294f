//! Use cases of bots: which one a visitor talks to, and what is shown of it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::domain::{Bot, BotId, SessionConfig};

/// The bots that there are: the one of the server's settings, so far.
#[derive(Clone, Debug)]
pub struct Bots {
    default: Arc<Bot>,
}

impl Bots {
    /// The bot of the server's settings, alone.
    pub fn new(default: Bot) -> Self {
        Self { default: Arc::new(default) }
    }

    /// The bot where none is named.
    pub fn default_bot(&self) -> Arc<Bot> {
        Arc::clone(&self.default)
    }

    /// The bot `id`. A session whose bot does not exist any more goes on with the default one.
    pub fn of_session(&self, id: &BotId) -> Arc<Bot> {
        debug_assert_eq!(*id, self.default.id, "there is no other bot yet");
        Arc::clone(&self.default)
    }
}

/// A session's settings over its bot's. Null means unset, so it does not hide a bot's value.
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
