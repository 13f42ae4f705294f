//! Which parameters a call may contain: known in advance by model, or learned from refusals.

use crate::provider::parameter::{Objection, Parameter};
use crate::provider::{ModelRequest, Refused};

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
    /// How the model is kept from thinking.
    pub thinking: Thinking,
    /// Tokens for thoughts on top of the answer's, which the API counts together.
    pub room: u32,
}

impl MessagesDialect {
    /// What is known in advance about `model`. Gateways put their own words before its name.
    ///
    /// Source: Anthropic's documentation of each model, "What's new" and "Migration guide".
    pub fn of(model: &str) -> Self {
        let name = model.find("claude-").map_or(model, |at| &model[at + "claude-".len()..]);
        let is = |family: &str| {
            // `sonnet-5` is also how the name `sonnet-5-5` begins; a snapshot's date is longer.
            name.strip_prefix(family).is_some_and(|rest| {
                let version: String =
                    rest.chars().skip(1).take_while(char::is_ascii_digit).collect();
                !rest.starts_with(|c: char| c.is_ascii_digit())
                    && (!rest.starts_with('-') || version.is_empty() || version.len() > 2)
            })
        };
        let thinking = if is("haiku-5-5") || is("sonnet-5") || is("opus-5") {
            Thinking::Disabled
        } else if is("sonnet-5-5") {
            Thinking::BetweenTools
        } else if is("opus-5-5") || name.starts_with("fable-") || name.starts_with("mythos-") {
            Thinking::LowEffort
        } else {
            Thinking::Unspecified
        };
        let refuses_temperature =
            thinking != Thinking::Unspecified || is("opus-4-7") || is("opus-4-8");
        Self {
            temperature: !refuses_temperature,
            max_tokens: u32::MAX,
            cache: true,
            thinking,
            room: match thinking {
                Thinking::BetweenTools | Thinking::LowEffort => ROOM,
                Thinking::Disabled | Thinking::Unspecified => 0,
            },
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

    /// This dialect without what was refused in `request`; `None` if that is impossible.
    pub fn without(mut self, refused: Refused, request: &ModelRequest) -> Option<Self> {
        match (refused.parameter, refused.objection) {
            (Parameter::Temperature, _) if request.temperature.is_some() => {
                self.temperature = false;
            }
            // The API requires a limit, so it can be lowered but not left out.
            (Parameter::MaxTokens, Objection::TooLarge(Some(most)))
                if most < self.limit(request.max_tokens) =>
            {
                self.max_tokens = self.max_tokens.min(most);
            }
            (Parameter::CacheControl, _) => self.cache = false,
            (Parameter::Thinking, objection) => match (self.thinking, objection) {
                (Thinking::Disabled, Objection::OnlyBetweenTools) => {
                    self.set_thinking(Thinking::BetweenTools);
                }
                (Thinking::Disabled | Thinking::BetweenTools, _) => {
                    self.set_thinking(Thinking::LowEffort);
                }
                _ => return None,
            },
            (Parameter::OutputConfig, _) if self.thinking == Thinking::LowEffort => {
                self.thinking = Thinking::Unspecified;
            }
            (Parameter::ThinkingRoom, _) => match self.thinking {
                // It thinks although its name did not tell.
                Thinking::Unspecified if self.room == 0 => self.set_thinking(Thinking::Disabled),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> ModelRequest {
        ModelRequest {
            model: String::new(),
            system: String::new(),
            entries: Vec::new(),
            tools: Vec::new(),
            tool_choice: crate::provider::ToolChoice::Auto,
            max_tokens: 1000,
            temperature: Some(0.5),
        }
    }

    fn without(
        dialect: MessagesDialect,
        parameter: Parameter,
        objection: Objection,
    ) -> Option<MessagesDialect> {
        dialect.without(Refused { parameter, objection }, &request())
    }

    #[test]
    fn thinking_depends_on_the_family() {
        use Thinking::{BetweenTools, Disabled, LowEffort, Unspecified};
        for (model, thinking, temperature) in [
            ("claude-haiku-5-5", Disabled, false),
            ("claude-haiku-5-5-20261007", Disabled, false),
            ("claude-sonnet-5", Disabled, false),
            ("claude-sonnet-5-20260630", Disabled, false),
            ("claude-opus-5", Disabled, false),
            ("claude-sonnet-5-5", BetweenTools, false),
            ("anthropic/claude-sonnet-5-5", BetweenTools, false),
            ("us.anthropic.claude-opus-5-5-v1:0", LowEffort, false),
            ("claude-fable-5-1", LowEffort, false),
            ("claude-mythos-1", LowEffort, false),
            ("claude-opus-4-7", Unspecified, false),
            ("claude-haiku-4-5", Unspecified, true),
            ("claude-haiku-4-5-20251001", Unspecified, true),
            ("claude-sonnet-4-6", Unspecified, true),
            ("claude-opus-55", Unspecified, true),
            ("claude-next", Unspecified, true),
            ("llama3.2", Unspecified, true),
        ] {
            let dialect = MessagesDialect::of(model);
            assert_eq!((dialect.thinking, dialect.temperature), (thinking, temperature), "{model}");
            let has_room = matches!(thinking, BetweenTools | LowEffort);
            assert_eq!(dialect.limit(1000), if has_room { 5000 } else { 1000 }, "{model}");
        }
    }

    #[test]
    fn thinking_is_learned_from_refusals() {
        let plain = MessagesDialect::of("claude-haiku-5-5");
        let between = without(plain, Parameter::Thinking, Objection::OnlyBetweenTools).unwrap();
        assert_eq!((between.thinking, between.room), (Thinking::BetweenTools, ROOM));
        let low = without(plain, Parameter::Thinking, Objection::NotTaken).unwrap();
        assert_eq!((low.thinking, low.room), (Thinking::LowEffort, ROOM));
        assert_eq!(without(between, Parameter::Thinking, Objection::OnlyBetweenTools), Some(low));
        assert_eq!(without(low, Parameter::Thinking, Objection::NotTaken), None);
        let silent = without(low, Parameter::OutputConfig, Objection::NotTaken).unwrap();
        assert_eq!((silent.thinking, silent.room), (Thinking::Unspecified, ROOM));
        assert_eq!(without(silent, Parameter::OutputConfig, Objection::NotTaken), None);
    }

    #[test]
    fn a_length_without_a_word_turns_thinking_off_or_makes_room() {
        let small = Objection::TooSmall(None);
        let unknown = MessagesDialect::of("claude-next");
        let off = without(unknown, Parameter::ThinkingRoom, small).unwrap();
        assert_eq!((off.thinking, off.room), (Thinking::Disabled, 0));
        let mut dialect = off;
        let mut rooms = Vec::new();
        while let Some(more) = without(dialect, Parameter::ThinkingRoom, small) {
            rooms.push(more.room);
            dialect = more;
        }
        assert_eq!(rooms, [4_000, 8_000, 16_000, 32_000]);
    }

    #[test]
    fn what_is_refused_is_left_out_or_lowered() {
        let old = MessagesDialect::of("claude-haiku-4-5");
        let cold = without(old, Parameter::Temperature, Objection::NotTaken);
        assert_eq!(cold, Some(MessagesDialect { temperature: false, ..old }));
        let uncached = without(old, Parameter::CacheControl, Objection::NotTaken);
        assert_eq!(uncached, Some(MessagesDialect { cache: false, ..old }));
        let lower = without(old, Parameter::MaxTokens, Objection::TooLarge(Some(500))).unwrap();
        assert_eq!(lower.limit(1000), 500);
        for objection in [Objection::TooLarge(Some(1000)), Objection::TooLarge(None)] {
            assert_eq!(without(old, Parameter::MaxTokens, objection), None);
        }
        assert_eq!(without(old, Parameter::Thinking, Objection::NotTaken), None);
        assert_eq!(without(old, Parameter::Tools, Objection::NotTaken), None);
    }
}
