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
    /// `max_output_tokens`, of the Responses API.
    MaxOutputTokens,
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
    /// The thoughts of earlier rounds that were sent back to Anthropic's API.
    ThinkingBlocks,
    /// `output_config`, of Anthropic's API, which contains the effort.
    OutputConfig,
    /// `cache_control` of a request as a whole, not of one of its parts.
    AutomaticCache,
    /// The results of tools at the end of the conversation: the model had nothing to say about them.
    ToolResults,
    /// `include`, of the Responses API, and the encrypted thoughts that it asks for.
    Include,
    /// `prompt_cache_key`.
    PromptCacheKey,
    /// The API itself: Chat Completions does not do for this model what Responses does.
    Api,
    /// The API's path: the server has no Responses API.
    Path,
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
    /// It is not accepted with this value; holds the lowest effort that is.
    Lowest(Effort),
    /// It is accepted only as `between_tools`, the least thinking that some Claude models do.
    OnlyBetweenTools,
}

/// How much a model of OpenAI's thinks before it answers, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// It answers at once.
    None,
    /// `minimal`, of the first GPT-5 models.
    Minimal,
    /// `low`.
    Low,
    /// `medium`, the default of most models.
    Medium,
    /// `high`.
    High,
    /// `xhigh`.
    ExtraHigh,
    /// `max`.
    Max,
}

impl Effort {
    const ALL: [Self; 7] = [
        Self::None,
        Self::Minimal,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::ExtraHigh,
        Self::Max,
    ];

    /// Its name in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::ExtraHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The lowest effort in a refusal that lists those accepted: "Supported values are: 'low',
    /// 'medium', and 'high'."
    fn lowest_supported(lower: &str) -> Option<Self> {
        let (_, list) = lower.split_once("supported values are")?;
        let is_part = |c: char| c.is_ascii_alphanumeric();
        let is_listed = |effort: &Self| list.split(|c| !is_part(c)).any(|it| it == effort.as_str());
        Self::ALL.into_iter().find(is_listed)
    }
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
    /// Those that a message names as they are spelt in a request. The words `tools` and `include`
    /// occur in sentences about other things, so these two are recognised by whole phrases.
    const ALL: [Self; 11] = [
        Self::MaxCompletionTokens,
        Self::MaxTokens,
        Self::MaxOutputTokens,
        Self::Temperature,
        Self::TopP,
        Self::StreamOptions,
        Self::CacheControl,
        Self::ReasoningEffort,
        Self::Thinking,
        Self::OutputConfig,
        Self::PromptCacheKey,
    ];

    /// Its names in requests; none for what is no field of one.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::MaxCompletionTokens => &["max_completion_tokens"],
            Self::MaxTokens => &["max_tokens"],
            Self::MaxOutputTokens => &["max_output_tokens"],
            Self::Temperature => &["temperature"],
            Self::TopP => &["top_p"],
            Self::StreamOptions => &["stream_options"],
            Self::CacheControl => &["cache_control"],
            Self::Tools => &["tools"],
            Self::ReasoningEffort => &["reasoning_effort", "reasoning.effort"],
            Self::Thinking => &["thinking"],
            Self::OutputConfig => &["output_config", "effort parameter"],
            Self::Include => &["include"],
            Self::PromptCacheKey => &["prompt_cache_key"],
            Self::ThinkingBlocks
            | Self::AutomaticCache
            | Self::ToolResults
            | Self::Api
            | Self::Path
            | Self::ThinkingRoom => &[],
        }
    }

    /// Where `text` mentions it.
    fn position(self, text: &str) -> Option<usize> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mentioned = |name: &&str| {
            let is_whole = |at: &usize| {
                !text[..*at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part)
            };
            text.match_indices(*name).map(|(at, _)| at).find(is_whole)
        };
        self.names().iter().filter_map(mentioned).min()
    }

    fn is_limit(self) -> bool {
        matches!(self, Self::MaxTokens | Self::MaxCompletionTokens | Self::MaxOutputTokens)
    }
}

impl Refused {
    /// Finds the parameter in a refusal: the one in `param`, or else the first one in the message.
    /// (If the server wants another one instead, it mentions that second.)
    pub fn read(param: &str, message: &str) -> Option<Self> {
        let lower = message.to_ascii_lowercase();
        let named = |text: &str| {
            let found = Parameter::ALL.into_iter().filter_map(|p| Some((p.position(text)?, p)));
            found.min_by_key(|&(at, _)| at).map(|(_, parameter)| parameter)
        };
        let in_param = match param {
            "reasoning" => Some(Parameter::ReasoningEffort),
            _ if param.starts_with("include") => Some(Parameter::Include),
            _ => named(param),
        };
        // This one mentions tools and the effort, but wants neither left out.
        let parameter = if wants_responses(in_param, &lower) {
            Parameter::Api
        } else {
            in_param
                .or_else(|| refuses_thoughts(&lower).then_some(Parameter::Include))
                .or_else(|| of_anthropic(&lower))
                .or_else(|| named(message))
                .or_else(|| refuses_tools(param, &lower).then_some(Parameter::Tools))?
        };
        Some(Self { parameter, objection: objection(parameter, &lower) })
    }
}

fn objection(parameter: Parameter, lower: &str) -> Objection {
    if parameter == Parameter::ReasoningEffort {
        return Effort::lowest_supported(lower).map_or(Objection::NotTaken, Objection::Lowest);
    }
    // Anthropic: "\"thinking.type.disabled\" is not supported for this model. Use
    // \"thinking.type.between_tools\"". The other way round, it is `between_tools` that is refused.
    let offered = lower.split_once("disabled").map_or("", |(_, rest)| rest);
    if parameter == Parameter::Thinking && offered.contains("between_tools") {
        return Objection::OnlyBetweenTools;
    }
    if !parameter.is_limit() {
        return Objection::NotTaken;
    }
    // OpenAI: "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16".
    if lower.contains("below minimum value") {
        return Objection::TooSmall(number_after(lower, ">= "));
    }
    // Anthropic: "max_tokens: 9000 > 4096, which is the maximum". OpenAI: "max_tokens is too
    // large: 9000. This model supports at most 4096 completion tokens".
    let marks = [" > ", "at most ", "<= "];
    match marks.into_iter().find_map(|mark| number_after(lower, mark)) {
        Some(most) => Objection::TooLarge(Some(most)),
        None if lower.contains("too large") || lower.contains("above maximum value") => {
            Objection::TooLarge(None)
        }
        None => Objection::NotTaken,
    }
}

/// Whether Chat Completions points to Responses. OpenAI: "Function tools with reasoning_effort are
/// not supported for gpt-6-luna in /v1/chat/completions. To use function tools, use /v1/responses
/// or set reasoning_effort to 'none'", or "This model is only supported in v1/responses and not in
/// v1/chat/completions". Gateways drop the field's name.
fn wants_responses(in_param: Option<Parameter>, lower: &str) -> bool {
    let is_about_effort = match in_param {
        Some(parameter) => parameter == Parameter::ReasoningEffort,
        None => Parameter::ReasoningEffort.position(lower).is_some(),
    };
    (is_about_effort && lower.contains("/v1/responses"))
        || (lower.contains("only supported in") && lower.contains("v1/responses"))
}

/// Whether encrypted thoughts are refused, or those that were sent back.
fn refuses_thoughts(lower: &str) -> bool {
    lower.contains("encrypted content is not supported") || lower.contains("item with id 'rs_")
}

/// What Anthropic's API names by more than a field of the request: thoughts that have been sent back
/// ("messages.1.content.0: Invalid `signature` in `thinking` block", "`thinking` or
/// `redacted_thinking` blocks in the latest assistant message cannot be modified"), and
/// "cache_control: Extra inputs are not permitted", where a part's mark would be
/// `system.0.cache_control`.
fn of_anthropic(lower: &str) -> Option<Parameter> {
    let is_about_thoughts = lower.contains("thinking")
        && (lower.starts_with("messages.")
            || ["`signature`", "redacted_thinking", "thinking block"]
                .into_iter()
                .any(|mark| lower.contains(mark)));
    if is_about_thoughts {
        return Some(Parameter::ThinkingBlocks);
    }
    lower.starts_with("cache_control").then_some(Parameter::AutomaticCache)
}

/// Whether a self-hosted server cannot call tools: the phrases of Ollama, llama.cpp and vLLM. Tools
/// are what answers about files depend on, so nothing vaguer counts.
fn refuses_tools(param: &str, lower: &str) -> bool {
    (param.is_empty() || param.starts_with("tool"))
        && ["does not support tools", "tools param requires", "tool choice requires"]
            .into_iter()
            .any(|phrase| lower.contains(phrase))
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
        use Objection::{Lowest, NotTaken, OnlyBetweenTools, TooLarge, TooSmall};
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
            ("", "cache_control: Extra inputs are not permitted", AutomaticCache, NotTaken),
            (
                "",
                "\"thinking.type.disabled\" is not supported for this model. Use \
                 \"thinking.type.between_tools\" or leave it out.",
                Thinking,
                OnlyBetweenTools,
            ),
            (
                "",
                "\"thinking.type.between_tools\" is not supported for this model.",
                Thinking,
                NotTaken,
            ),
            ("", "thinking: Extra inputs are not permitted", Thinking, NotTaken),
            ("", "This model does not support the effort parameter.", OutputConfig, NotTaken),
            ("", "output_config.effort: Extra inputs are not permitted", OutputConfig, NotTaken),
            (
                "",
                "messages.1.content.0: Invalid `signature` in `thinking` block",
                ThinkingBlocks,
                NotTaken,
            ),
            (
                "",
                "messages.3.content.0.type: Expected `thinking` or `redacted_thinking`, but found \
                 `tool_use`. When `thinking` is enabled, a final `assistant` message must start with \
                 a thinking block",
                ThinkingBlocks,
                NotTaken,
            ),
            (
                "",
                "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be \
                 modified.",
                ThinkingBlocks,
                NotTaken,
            ),
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
            // Efforts, over Responses, Chat Completions, and with no list of those accepted.
            (
                "reasoning.effort",
                "Unsupported value: 'none' is not supported with the 'gpt-6-astra' model. \
                 Supported values are: 'low', 'medium', 'high', 'xhigh', and 'max'.",
                ReasoningEffort,
                Lowest(Effort::Low),
            ),
            (
                "reasoning_effort",
                "Unsupported value: 'none' is not supported with this model. Supported values are: \
                 'high', 'medium', 'low', 'minimal'.",
                ReasoningEffort,
                Lowest(Effort::Minimal),
            ),
            (
                "reasoning.effort",
                "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
                ReasoningEffort,
                NotTaken,
            ),
            (
                "",
                "Unrecognized request argument supplied: reasoning_effort",
                ReasoningEffort,
                NotTaken,
            ),
            ("reasoning", "Unknown parameter: 'reasoning'.", ReasoningEffort, NotTaken),
            ("include", "Encrypted content is not supported with this model.", Include, NotTaken),
            (
                "input",
                "Item with id 'rs_68' not found. Items are not persisted when `store` is set to false.",
                Include,
                NotTaken,
            ),
            ("", "Unknown parameter: 'prompt_cache_key'.", PromptCacheKey, NotTaken),
            // Too small or too large, in the words of newer models.
            (
                "max_output_tokens",
                "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, \
                 but got 5 instead.",
                MaxOutputTokens,
                TooSmall(Some(16)),
            ),
            (
                "max_tokens",
                "Invalid 'max_tokens': integer above maximum value. Expected a value <= 4096, but \
                 got 9000 instead.",
                MaxTokens,
                TooLarge(Some(4096)),
            ),
        ] {
            let expected = Some(Refused { parameter, objection });
            assert_eq!(Refused::read(param, message), expected, "{message}");
        }
        for message in [
            "",
            "The tools are fine",
            "Messages must include one",
            "The temperatures are high",
            "my_max_tokens",
            "messages: too many",
        ] {
            assert_eq!(Refused::read("messages", message), None, "{message}");
        }
    }

    /// Regression: the first of these was read as a refusal of tools, and the call repeated without.
    #[test]
    fn a_refusal_that_points_to_responses_is_not_about_tools() {
        let api = Refused { parameter: Parameter::Api, objection: Objection::NotTaken };
        let tools = "Function tools with reasoning_effort are not supported for gpt-6-luna in \
                     /v1/chat/completions. To use function tools, use /v1/responses or set \
                     reasoning_effort to 'none'.";
        let only = "This model is only supported in v1/responses and not in v1/chat/completions.";
        for (param, message) in [
            ("reasoning_effort", tools),
            ("", &format!("litellm.BadRequestError: OpenAIException - {tools}")),
            ("model", only),
            ("", only),
        ] {
            assert_eq!(Refused::read(param, message), Some(api), "{message}");
        }
        assert_eq!(Refused::read("", "See /v1/responses."), None);
        let effort = Refused::read("reasoning_effort", "Function tools are not supported").unwrap();
        assert_eq!(effort.parameter, Parameter::ReasoningEffort);
    }

    /// Regression: the word alone was enough.
    #[test]
    fn tools_are_refused_only_in_the_words_of_self_hosted_servers() {
        for (param, message) in [
            ("tools[0].function.name", "Invalid 'tools[0].function.name': string too long."),
            ("tools", "Invalid type for 'tools': expected an array."),
            ("messages", "registry.ollama.ai/library/gemma:2b does not support tools"),
            ("", "An assistant message with 'tool_calls' must be followed by tools"),
        ] {
            assert_eq!(Refused::read(param, message), None, "{message}");
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
