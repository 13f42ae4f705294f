//! Which parameters a call may contain: known in advance by host and model, or learned from refusals.

use url::Url;

use crate::provider::parameter::{Objection, Parameter};
use crate::provider::{ModelRequest, Refused};

/// The kind of server behind the base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// OpenAI itself.
    OpenAi,
    /// Azure's OpenAI service.
    Azure,
    /// A server that speaks OpenAI's API.
    Compatible,
}

impl Host {
    /// Decides by the host name.
    pub fn of(base_url: &Url) -> Self {
        match base_url.host_str().unwrap_or("") {
            "api.openai.com" => Self::OpenAi,
            host if host.ends_with(".openai.azure.com")
                || host.ends_with(".services.ai.azure.com")
                || host.ends_with(".cognitiveservices.azure.com") =>
            {
                Self::Azure
            }
            _ => Self::Compatible,
        }
    }
}

/// The name of the parameter that limits an answer's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitName {
    /// `max_tokens`.
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
    /// None is sent, so the server's own limit applies.
    Unlimited,
}

/// Which parameters a call may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatDialect {
    /// The name of the limit.
    pub limit: LimitName,
    /// The limit had the other name before, which was refused.
    pub renamed: bool,
    /// Maximum length of an answer that the model accepts, in tokens.
    pub max_tokens: u32,
    /// Whether it may be sent.
    pub temperature: bool,
    /// Without it, a stream does not report usage. It is sent to compatible servers too: most support
    /// or ignore it, and operators need the counts. Some refuse it.
    pub stream_options: bool,
    /// Whether tools may be offered. Without them, the model knows only the profile of a file.
    pub tools: bool,
}

impl ChatDialect {
    /// What is known in advance about a host and its model.
    pub fn of(host: Host, model: &str) -> Self {
        let own = host != Host::Compatible;
        Self {
            limit: if own { LimitName::MaxCompletionTokens } else { LimitName::MaxTokens },
            renamed: false,
            max_tokens: u32::MAX,
            temperature: !(own && is_reasoning(model)),
            stream_options: true,
            tools: true,
        }
    }

    /// This dialect without what was refused in `request`; `None` if that is impossible. It may be
    /// unchanged, if another call has learned the same in the meantime.
    pub fn without(mut self, refused: Refused, request: &ModelRequest) -> Option<Self> {
        let name = match refused.parameter {
            Parameter::MaxTokens => LimitName::MaxTokens,
            Parameter::MaxCompletionTokens => LimitName::MaxCompletionTokens,
            Parameter::Temperature if request.temperature.is_some() => {
                self.temperature = false;
                return Some(self);
            }
            Parameter::StreamOptions => {
                self.stream_options = false;
                return Some(self);
            }
            Parameter::Tools if !request.tools.is_empty() => {
                self.tools = false;
                return Some(self);
            }
            _ => return None,
        };
        match refused.objection {
            Objection::TooLarge(Some(most)) if most < request.max_tokens => {
                self.max_tokens = self.max_tokens.min(most);
            }
            Objection::TooLarge(_) => self.limit = LimitName::Unlimited,
            Objection::TooSmall(_) => return None,
            Objection::NotTaken if self.limit == name && !self.renamed => {
                self.renamed = true;
                self.limit = match name {
                    LimitName::MaxTokens => LimitName::MaxCompletionTokens,
                    _ => LimitName::MaxTokens,
                };
            }
            Objection::NotTaken if self.limit == name => self.limit = LimitName::Unlimited,
            Objection::NotTaken => {}
        }
        Some(self)
    }
}

/// Whether it is one of OpenAI's reasoning models: `o1`, `o3`, `o4-mini` …, `gpt-5` and later, and
/// their fine-tunes. They refuse any temperature but the default. (`gpt-35` is Azure's spelling of
/// 3.5.)
fn is_reasoning(model: &str) -> bool {
    let model = model.strip_prefix("ft:").unwrap_or(model);
    let version = |rest: &str| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse::<u32>().ok()
    };
    model.strip_prefix("gpt-").and_then(version).is_some_and(|version| (5..30).contains(&version))
        || model.strip_prefix('o').and_then(version).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Entry, ToolChoice, ToolSpec};

    #[test]
    fn models_that_refuse_a_temperature_are_recognised_by_name() {
        for model in
            ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5.4-mini", "ft:gpt-5:me::x"]
        {
            assert!(is_reasoning(model), "{model}");
        }
        for model in
            ["gpt-4o", "gpt-4.1", "gpt-3.5-turbo", "gpt-35-turbo", "omni", "gpt-oss:20b", ""]
        {
            assert!(!is_reasoning(model), "{model}");
        }
    }

    #[test]
    fn refused_parameters_are_renamed_lowered_or_left_out() {
        use LimitName::*;
        let request = ModelRequest {
            model: "m".to_owned(),
            system: String::new(),
            entries: vec![Entry::user("?")],
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            max_tokens: 1000,
            temperature: Some(0.5),
        };
        let without = |dialect: ChatDialect, parameter, objection| {
            dialect.without(Refused { parameter, objection }, &request)
        };
        let local = ChatDialect::of(Host::Compatible, "m");
        let renamed = without(local, Parameter::MaxTokens, Objection::NotTaken).unwrap();
        assert_eq!(renamed, ChatDialect { limit: MaxCompletionTokens, renamed: true, ..local });
        // Another call was refused for the same reason before it could know.
        assert_eq!(without(renamed, Parameter::MaxTokens, Objection::NotTaken), Some(renamed));
        let neither = without(renamed, Parameter::MaxCompletionTokens, Objection::NotTaken);
        assert_eq!(neither, Some(ChatDialect { limit: Unlimited, ..renamed }));
        let own = ChatDialect::of(Host::OpenAi, "gpt-4o");
        let renamed = without(own, Parameter::MaxCompletionTokens, Objection::NotTaken).unwrap();
        assert_eq!(renamed, ChatDialect { limit: MaxTokens, renamed: true, ..own });

        let lowered = without(own, Parameter::MaxTokens, Objection::TooLarge(Some(500)));
        assert_eq!(lowered, Some(ChatDialect { max_tokens: 500, ..own }));
        for more_than_asked in [Objection::TooLarge(None), Objection::TooLarge(Some(2000))] {
            let dialect = without(local, Parameter::MaxTokens, more_than_asked);
            assert_eq!(dialect, Some(ChatDialect { limit: Unlimited, ..local }));
        }
        let cold = without(own, Parameter::Temperature, Objection::NotTaken);
        assert_eq!(cold, Some(ChatDialect { temperature: false, ..own }));
        let uncounted = without(own, Parameter::StreamOptions, Objection::NotTaken);
        assert_eq!(uncounted, Some(ChatDialect { stream_options: false, ..own }));

        let parameters = serde_json::json!({"type": "object"});
        let tools = vec![ToolSpec { name: "t", description: String::new(), parameters }];
        let with_tools = ModelRequest { tools, ..request.clone() };
        let refused = Refused { parameter: Parameter::Tools, objection: Objection::NotTaken };
        assert_eq!(own.without(refused, &with_tools), Some(ChatDialect { tools: false, ..own }));

        // What was not sent cannot be left out.
        for parameter in [Parameter::TopP, Parameter::CacheControl, Parameter::Tools] {
            assert_eq!(without(own, parameter, Objection::NotTaken), None);
        }
        let refused = Refused { parameter: Parameter::Temperature, objection: Objection::NotTaken };
        assert_eq!(own.without(refused, &ModelRequest { temperature: None, ..request }), None);
    }
}
