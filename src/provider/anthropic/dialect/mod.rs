//! Which parameters a call may contain: known in advance by model, or learned from refusals.

use super::API;
use super::claude_name::ClaudeName;
use crate::provider::parameter::{Objection, Parameter};
use crate::provider::tool::CALL;
use crate::provider::{Entry, ModelRequest, Refused, Verbatim};

/// Tokens for thoughts on top of an answer's, for models that cannot do without thoughts.
const ROOM: u32 = 4_000;

/// Maximum number of tokens for thoughts.
const MAX_ROOM: u32 = 32_000;

/// What a call says about thinking. Visitors wait for the first word and the operator pays for
/// thoughts, so models are kept from thinking as far as they allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinking {
    /// Nothing: the model does not think unless it is told to.
    Unspecified,
    /// `thinking.type` is `disabled`.
    Disabled,
    /// `thinking.type` is `between_tools`: the least that the model accepts.
    BetweenTools,
    /// The model always thinks; `output_config.effort` is `low`.
    LowEffort,
}

/// Which parameters a call may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessagesDialect {
    /// Whether it may be sent. The newest models refuse it.
    pub temperature: bool,
    /// Maximum length of an answer that the model accepts, in tokens.
    pub max_tokens: u32,
    /// Whether `cache_control` may be sent. Compatible servers may not know it.
    pub cache: bool,
    /// Whether it may mark the request as a whole, as well as its parts.
    pub automatic_cache: bool,
    /// How the model is kept from thinking.
    pub thinking: Thinking,
    /// Tokens for thoughts on top of the answer's, which the API counts together.
    pub room: u32,
    /// Whether thoughts are sent back with the results of tools.
    pub thoughts_back: bool,
    /// Minimum length of an answer that may call tools, in tokens: a shorter one was cut within a call.
    pub least_with_tools: u32,
}

impl MessagesDialect {
    /// What is known in advance about `model`. Models to come are expected to think unless they are
    /// told not to, as all have done since version 5: one refused call costs less than thoughts that
    /// nobody wants.
    ///
    /// Source: Anthropic's documentation of each model, "What's new" and "Migration guide".
    pub fn of(model: &str) -> Self {
        let name = ClaudeName::read(model);
        let version = name.as_ref().and_then(|name| name.version);
        let thinking = match (name.as_ref().map_or("", |name| &name.family), version) {
            ("fable" | "mythos", _) | ("opus", Some((5, 5))) => Thinking::LowEffort,
            ("sonnet", Some((5, 5))) => Thinking::BetweenTools,
            (_, Some((5.., _))) => Thinking::Disabled,
            _ => Thinking::Unspecified,
        };
        let refuses_temperature =
            thinking != Thinking::Unspecified || version.is_some_and(|version| version >= (4, 7));
        Self {
            temperature: !refuses_temperature,
            max_tokens: u32::MAX,
            cache: true,
            automatic_cache: true,
            thinking,
            room: match thinking {
                Thinking::BetweenTools | Thinking::LowEffort => ROOM,
                Thinking::Disabled | Thinking::Unspecified => 0,
            },
            thoughts_back: true,
            least_with_tools: 0,
        }
    }

    /// Whether the model may think before its first word.
    pub fn may_think(&self) -> bool {
        self.room > 0
    }

    /// The limit of a call whose answer may have `wanted` tokens.
    pub fn limit(&self, wanted: u32) -> u32 {
        wanted.saturating_add(self.room).min(self.max_tokens)
    }

    /// The limit of the call for `request`.
    pub fn limit_of(&self, request: &ModelRequest) -> u32 {
        self.limit(self.wanted(request))
    }

    fn wanted(&self, request: &ModelRequest) -> u32 {
        let least = if request.tools.is_empty() { 0 } else { self.least_with_tools };
        request.max_tokens.max(least)
    }

    /// Whether `message` goes back to `model` in the API's own words. The rounds of an answer must
    /// agree about thinking, so a model that was told not to think gets no thoughts either.
    pub fn carries(&self, message: &Verbatim, model: &str) -> bool {
        self.thoughts_back && self.thinking != Thinking::Disabled && message.is_by(API, model)
    }

    /// This dialect without what was refused in `request`; `None` if that is impossible. What is not
    /// sent any more was refused in a call that began before another one learned it; that call is
    /// worth repeating too.
    pub fn without(mut self, refused: Refused, request: &ModelRequest) -> Option<Self> {
        match (refused.parameter, refused.objection) {
            (Parameter::Temperature, _) if request.temperature.is_some() => {
                self.temperature = false;
            }
            // The API requires a limit, so it can be lowered but not left out.
            (Parameter::MaxTokens, Objection::TooLarge(Some(most)))
                if most < self.wanted(request).saturating_add(self.room) =>
            {
                self.max_tokens = self.max_tokens.min(most);
            }
            (Parameter::MaxTokens, Objection::TooSmall(None)) => {
                let before = self.limit_of(request);
                self.least_with_tools = CALL;
                if self.limit_of(request) <= before {
                    return None;
                }
            }
            (Parameter::AutomaticCache, _) if self.automatic_cache => self.automatic_cache = false,
            (Parameter::AutomaticCache | Parameter::CacheControl, _) => self.cache = false,
            (Parameter::Thinking, objection) => match (self.thinking, objection) {
                (Thinking::Disabled, Objection::OnlyBetweenTools) => {
                    self.set_thinking(Thinking::BetweenTools);
                }
                (Thinking::BetweenTools, Objection::OnlyBetweenTools) => {}
                (Thinking::Disabled | Thinking::BetweenTools, _) => {
                    self.set_thinking(Thinking::LowEffort);
                }
                (Thinking::LowEffort | Thinking::Unspecified, _) => {}
            },
            (Parameter::ThinkingBlocks, _) => self.thoughts_back = false,
            (Parameter::OutputConfig, _) => {
                if self.thinking == Thinking::LowEffort {
                    self.thinking = Thinking::Unspecified;
                }
            }
            (Parameter::ThinkingRoom, _) => match self.thinking {
                // It thinks although its name did not tell.
                Thinking::Unspecified if self.room == 0 && !has_results(request) => {
                    self.set_thinking(Thinking::Disabled);
                }
                _ if self.room < MAX_ROOM => self.room = (self.room * 2).clamp(ROOM, MAX_ROOM),
                _ => return None,
            },
            _ => return None,
        }
        Some(self)
    }

    fn set_thinking(&mut self, thinking: Thinking) {
        self.thinking = thinking;
        if matches!(thinking, Thinking::BetweenTools | Thinking::LowEffort) {
            self.room = self.room.max(ROOM);
        }
    }
}

/// Whether `request` continues an answer with the results of tools.
pub fn has_results(request: &ModelRequest) -> bool {
    matches!(request.entries.last(), Some(Entry::ToolResults(_)))
}

#[cfg(test)]
mod tests;
