//! Parameters that a model refuses, and what is remembered about them.
//!
//! No list of models and their parameters stays correct for long, so we believe the servers: a
//! parameter that one refuses by name is left out, renamed or lowered in all later calls of that
//! model.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A parameter that a call can do without, or send under another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// `max_completion_tokens`.
    MaxCompletionTokens,
    /// `max_tokens`.
    MaxTokens,
    /// `temperature`.
    Temperature,
    /// `top_p`, which we never send; a server may mention it together with another one.
    TopP,
    /// `stream_options`.
    StreamOptions,
    /// `cache_control`.
    CacheControl,
    /// `tools`, which many self-hosted models do not support.
    Tools,
    /// `reasoning_effort`, or `reasoning.effort` of the Responses API.
    ReasoningEffort,
    /// `thinking`, of Anthropic's API.
    Thinking,
    /// `output_config`, of Anthropic's API, which contains the effort.
    OutputConfig,
    /// `include`, of the Responses API.
    Include,
    /// The API itself: the model is served by the provider's other one.
    Api,
    /// The tokens for thoughts on top of the answer's: they were used up before the first word.
    ThinkingRoom,
}

/// A server's objection to a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// It is not accepted, or not with this value.
    NotTaken,
    /// Its value is too large; holds the maximum, if the server says it.
    TooLarge(Option<u32>),
    /// Its value is too small; holds the minimum, if the server says it.
    TooSmall(Option<u32>),
}

/// A parameter that a server has refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The parameter.
    pub parameter: Parameter,
    /// The reason.
    pub objection: Objection,
}

impl Parameter {
    const ALL: [Self; 11] = [
        Self::MaxCompletionTokens,
        Self::MaxTokens,
        Self::Temperature,
        Self::TopP,
        Self::StreamOptions,
        Self::CacheControl,
        Self::Tools,
        Self::ReasoningEffort,
        Self::Thinking,
        Self::OutputConfig,
        Self::Include,
    ];

    /// Its name in requests; `None` for what is no field of one.
    fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::MaxCompletionTokens => "max_completion_tokens",
            Self::MaxTokens => "max_tokens",
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::StreamOptions => "stream_options",
            Self::CacheControl => "cache_control",
            Self::Tools => "tools",
            Self::ReasoningEffort => "reasoning_effort",
            Self::Thinking => "thinking",
            Self::OutputConfig => "output_config",
            Self::Include => "include",
            Self::Api | Self::ThinkingRoom => return None,
        })
    }

    /// Where `text` mentions it.
    fn position(self, text: &str) -> Option<usize> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = self.name()?;
        text.match_indices(name).map(|(at, _)| at).find(|&at| {
            !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part)
        })
    }
}

impl Refused {
    /// Finds the parameter in a refusal: the one in `param`, or else the first one in the message.
    /// (If the server wants another one instead, it mentions that second.)
    pub fn read(param: &str, message: &str) -> Option<Self> {
        let named = |text: &str| {
            let found = Parameter::ALL.into_iter().filter_map(|p| Some((p.position(text)?, p)));
            found.min_by_key(|&(at, _)| at).map(|(_, parameter)| parameter)
        };
        // vLLM objects to the automatic choice of a tool.
        let tools = || message.contains("tool choice requires").then_some(Parameter::Tools);
        let parameter = named(param).or_else(|| named(message)).or_else(tools)?;
        let is_limit = matches!(parameter, Parameter::MaxTokens | Parameter::MaxCompletionTokens);
        let lower = message.to_ascii_lowercase();
        // Anthropic: "max_tokens: 9000 > 4096, which is the maximum". OpenAI: "max_tokens is too
        // large: 9000. This model supports at most 4096 completion tokens".
        let at_most = number_after(&lower, " > ").or_else(|| number_after(&lower, "at most "));
        let objection = match at_most {
            Some(_) if is_limit => Objection::TooLarge(at_most),
            None if is_limit && lower.contains("too large") => Objection::TooLarge(None),
            _ => Objection::NotTaken,
        };
        Some(Self { parameter, objection })
    }
}

fn number_after(text: &str, mark: &str) -> Option<u32> {
    let (_, rest) = text.split_once(mark)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok().filter(|&number| number > 0)
}

/// What has been learned about models: `D` says which parameters a call may contain.
#[derive(Debug)]
pub struct Learned<D>(Mutex<HashMap<String, D>>);

/// Maximum number of models that are remembered. Callers may name models, so a server that refuses a
/// parameter of every one of them must not fill the memory.
const MAX_MODELS: usize = 256;

impl<D> Default for Learned<D> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<D: Copy> Learned<D> {
    /// What is known about `model`.
    pub fn of(&self, model: &str) -> Option<D> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied()
    }

    /// Remembers what `model` accepts.
    pub fn remember(&self, model: &str, dialect: D) {
        let mut models = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if models.len() >= MAX_MODELS && !models.contains_key(model) {
            // Everything is learned again, at the cost of one refused call each.
            models.clear();
        }
        models.insert(model.to_owned(), dialect);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refused_parameter_is_found_in_its_field_or_in_the_message() {
        use Objection::{NotTaken, TooLarge};
        use Parameter::*;
        for (param, message, parameter, objection) in [
            // OpenAI.
            (
                "max_tokens",
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                 'max_completion_tokens' instead.",
                MaxTokens,
                NotTaken,
            ),
            ("temperature", "Unsupported value: 'temperature' does not", Temperature, NotTaken),
            (
                "max_tokens",
                "max_tokens is too large: 9000. This model supports at most 4096 completion tokens",
                MaxTokens,
                TooLarge(Some(4096)),
            ),
            ("", "Unknown parameter: 'stream_options'.", StreamOptions, NotTaken),
            ("", "Unsupported parameter: max_completion_tokens", MaxCompletionTokens, NotTaken),
            // Anthropic.
            ("", "`temperature` is deprecated for this model.", Temperature, NotTaken),
            ("", "`temperature` and `top_p` cannot both be specified", Temperature, NotTaken),
            (
                "",
                "max_tokens: 9000 > 4096, which is the maximum allowed number of output tokens",
                MaxTokens,
                TooLarge(Some(4096)),
            ),
            ("", "system.0.cache_control: Extra inputs are not permitted", CacheControl, NotTaken),
            // vLLM, FastAPI.
            (
                "",
                "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum \
                 context length is 4096 tokens",
                MaxTokens,
                TooLarge(None),
            ),
            ("", r#"[{"loc":["body","top_p"],"msg":"no"}]"#, TopP, NotTaken),
            (
                "",
                "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to \
                 be set",
                Tools,
                NotTaken,
            ),
            // Ollama, llama.cpp.
            ("", "registry.ollama.ai/library/gemma:2b does not support tools", Tools, NotTaken),
            ("", "tools param requires --jinja flag", Tools, NotTaken),
        ] {
            let expected = Some(Refused { parameter, objection });
            assert_eq!(Refused::read(param, message), expected, "{message}");
        }
        for message in ["", "The temperatures are high", "my_max_tokens", "messages: too many"] {
            assert_eq!(Refused::read("messages", message), None, "{message}");
        }
    }

    #[test]
    fn the_number_of_remembered_models_is_limited() {
        let learned = Learned::default();
        learned.remember("a", 1);
        learned.remember("a", 2);
        assert_eq!((learned.of("a"), learned.of("b")), (Some(2), None));
        for number in 0..10_000 {
            learned.remember(&number.to_string(), 0);
        }
        assert!(learned.0.lock().unwrap().len() <= MAX_MODELS);
        assert_eq!(learned.of("9999"), Some(0));
    }
}
