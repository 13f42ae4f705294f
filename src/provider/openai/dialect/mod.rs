//! Which parameters a call may contain: known in advance by host and model, or learned from refusals.

use super::host::{Api, Host};
use crate::provider::parameter::{Effort, Objection, Parameter};
use crate::provider::tool::CALL;
use crate::provider::{ModelRequest, Refused};

/// The name of the parameter that limits an answer's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitName {
    /// `max_tokens`.
    MaxTokens,
    /// `max_completion_tokens`; in the Responses API `max_output_tokens`.
    MaxCompletionTokens,
    /// None is sent, so the server's own limit applies.
    Unlimited,
}

/// The least that OpenAI accepts as the length of an answer, in tokens.
const MIN_ANSWER: u32 = 16;

/// Tokens for thoughts on top of the answer's: with a low effort, with a higher one, and the most
/// that is tried if the answer still does not begin.
const ROOMS: [u32; 3] = [2_000, 8_000, 25_000];

/// Length of an answer in which every model that does not think says something, in tokens.
const SURE_OF_A_WORD: u32 = 100;

/// Which parameters a call may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelDialect {
    /// The API that the model is asked over.
    pub api: Api,
    /// The server has turned out not to have the Responses API.
    pub responses_missing: bool,
    /// The name of the limit.
    pub limit: LimitName,
    /// The limit had the other name before, which was refused.
    pub renamed: bool,
    /// Maximum length of an answer that the model accepts, in tokens.
    pub max_tokens: u32,
    /// Minimum length of an answer that the model accepts, in tokens.
    pub min_tokens: u32,
    /// Minimum length of an answer that may call tools, in tokens: a shorter one was cut within a call.
    pub least_with_tools: u32,
    /// Tokens for thoughts that have turned out to be needed.
    pub room: u32,
    /// Whether it may be sent.
    pub temperature: bool,
    /// Without it, a stream of Chat Completions does not report usage. It is sent to compatible
    /// servers too: most support or ignore it, and operators need the counts. Some refuse it.
    pub stream_options: bool,
    /// Whether tools may be offered. Without them, the model knows only the profile of a file.
    pub tools: bool,
    /// How much the model is asked to think; `None` leaves that to the model, or it does not know
    /// the parameter.
    pub effort: Option<Effort>,
    /// Whether encrypted thoughts may be requested and sent back.
    pub include: bool,
    /// Whether prompts may be marked for OpenAI's cache.
    pub cache_key: bool,
}

impl ModelDialect {
    /// What is known in advance about a host and its model.
    pub fn of(host: Host, api: Api, model: &str) -> Self {
        let own = host != Host::Compatible;
        // Other servers may run something else under OpenAI's names, but hardly over this API.
        let may_think = match api {
            _ if own => !never_thinks(model),
            Api::Responses => always_knows_effort(model),
            Api::Chat => false,
        };
        Self {
            api,
            responses_missing: false,
            limit: if own || api == Api::Responses {
                LimitName::MaxCompletionTokens
            } else {
                LimitName::MaxTokens
            },
            renamed: false,
            max_tokens: u32::MAX,
            min_tokens: if own || api == Api::Responses { MIN_ANSWER } else { 1 },
            least_with_tools: 0,
            room: 0,
            temperature: true,
            stream_options: true,
            tools: true,
            effort: may_think.then_some(Effort::None),
            include: true,
            cache_key: own,
        }
    }

    /// The limit of an answer to `request`, thoughts included, in tokens.
    pub fn answer_limit(&self, request: &ModelRequest) -> u32 {
        let call = if request.tools.is_empty() { 0 } else { self.least_with_tools };
        let wanted = request.max_tokens.max(self.min_tokens).max(call);
        wanted.saturating_add(self.room()).min(self.max_tokens)
    }

    fn room(&self) -> u32 {
        let usual = match self.effort {
            None | Some(Effort::None) => 0,
            Some(Effort::Minimal | Effort::Low) => ROOMS[0],
            Some(_) => ROOMS[1],
        };
        self.room.max(usual)
    }

    /// Whether a temperature may be sent. OpenAI's models refuse it while they think.
    pub fn has_temperature(&self) -> bool {
        self.temperature && !self.thinks()
    }

    /// Whether the model is known to think.
    pub fn thinks(&self) -> bool {
        self.effort.is_some_and(|effort| effort != Effort::None)
    }

    /// This dialect without what was refused in `request`; `None` if that is impossible. It may be
    /// unchanged, if another call has learned the same in the meantime.
    pub fn without(mut self, refused: Refused, host: Host, request: &ModelRequest) -> Option<Self> {
        match refused.parameter {
            Parameter::MaxTokens | Parameter::MaxCompletionTokens | Parameter::MaxOutputTokens => {
                return self.with_other_limit(refused, request);
            }
            Parameter::ThinkingRoom => return self.with_more_room(request),
            Parameter::Temperature if request.temperature.is_some() => self.temperature = false,
            Parameter::StreamOptions if self.api == Api::Chat => self.stream_options = false,
            // OpenAI's and Azure's models can all call tools. A refusal that sounds as if they could
            // not means something else, and without tools an answer about a file is a guess.
            Parameter::Tools if !request.tools.is_empty() && host == Host::Compatible => {
                self.tools = false;
            }
            Parameter::ReasoningEffort => match refused.objection {
                Objection::Lowest(effort) => self.effort = Some(effort),
                _ if self.effort.is_some() => self.effort = None,
                // It was not sent: a model that thinks by default calls tools only without thoughts.
                _ if self.api == Api::Chat && !request.tools.is_empty() => {
                    self.effort = Some(Effort::None);
                }
                _ => return None,
            },
            Parameter::Include if self.api == Api::Responses => self.include = false,
            Parameter::PromptCacheKey => self.cache_key = false,
            _ => return None,
        }
        Some(self)
    }

    fn with_other_limit(mut self, refused: Refused, request: &ModelRequest) -> Option<Self> {
        let name = match refused.parameter {
            Parameter::MaxTokens => LimitName::MaxTokens,
            _ => LimitName::MaxCompletionTokens,
        };
        let limit = self.answer_limit(request);
        match refused.objection {
            Objection::TooLarge(Some(most)) if most < limit => {
                self.max_tokens = self.max_tokens.min(most);
            }
            Objection::TooLarge(_) => self.limit = LimitName::Unlimited,
            Objection::TooSmall(Some(least)) if least > limit => {
                self.min_tokens = self.min_tokens.max(least);
            }
            Objection::TooSmall(None) => return self.with_room_for_a_word(request),
            Objection::TooSmall(_) | Objection::Lowest(_) | Objection::OnlyBetweenTools => {
                return None;
            }
            Objection::NotTaken if self.limit != name => {}
            Objection::NotTaken if self.api == Api::Chat && !self.renamed => {
                self.renamed = true;
                self.limit = match name {
                    LimitName::MaxTokens => LimitName::MaxCompletionTokens,
                    _ => LimitName::MaxTokens,
                };
            }
            Objection::NotTaken => self.limit = LimitName::Unlimited,
        }
        Some(self)
    }

    /// More tokens for an answer that was cut before its first word without a sign of thoughts: those
    /// of a tool's call, or of thoughts that the server keeps to itself. A visitor's low limit alone
    /// teaches nothing about the model.
    fn with_room_for_a_word(mut self, request: &ModelRequest) -> Option<Self> {
        let before = self.answer_limit(request);
        if self.limit == LimitName::Unlimited {
            return None;
        }
        if !request.tools.is_empty() {
            self.least_with_tools = CALL;
            if self.answer_limit(request) > before {
                return Some(self);
            }
        }
        (before >= SURE_OF_A_WORD).then(|| self.with_more_room(request))?
    }

    /// More tokens for thoughts that have used up the limit of an answer.
    fn with_more_room(mut self, request: &ModelRequest) -> Option<Self> {
        let before = self.answer_limit(request);
        let steps = if self.effort == Some(Effort::None) { &ROOMS[..1] } else { &ROOMS[..] };
        self.room = steps.iter().copied().find(|&room| room > self.room())?;
        (self.limit != LimitName::Unlimited && self.answer_limit(request) > before).then_some(self)
    }

    /// The dialect for Responses, after Chat Completions has pointed there; if Responses must not or
    /// cannot be used, Chat Completions without thoughts. `None` if that has been tried.
    pub fn over_responses(self, host: Host, is_fixed: bool, model: &str) -> Option<Self> {
        if self.api == Api::Responses {
            return Some(self);
        }
        if is_fixed || self.responses_missing {
            let effort = Some(Effort::None);
            return (self.effort.is_none()).then_some(Self { effort, ..self });
        }
        let responses = Self::of(host, Api::Responses, model);
        // What points to Responses knows the parameter, whatever it is called.
        let effort = responses.effort.or(self.effort).or(Some(Effort::None));
        Some(Self { effort, ..responses })
    }

    /// The dialect for Chat Completions, after Responses has turned out to be missing. The effort
    /// stays only where Chat Completions has pointed to Responses before.
    pub fn over_chat(self, host: Host, was_asked_for: bool, model: &str) -> Self {
        if self.api == Api::Chat {
            return self;
        }
        let chat = Self { responses_missing: true, ..Self::of(host, Api::Chat, model) };
        match was_asked_for {
            true => Self { effort: self.effort, ..chat },
            false => chat,
        }
    }
}

/// The version in `model`'s name after `prefix`.
fn version(model: &str, prefix: &str) -> Option<u32> {
    let rest = model.strip_prefix(prefix)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

fn base_name(model: &str) -> &str {
    model.strip_prefix("ft:").unwrap_or(model)
}

/// Whether it is one of OpenAI's models that know no reasoning effort: GPT-3.5 and 4. (`gpt-35` is
/// Azure's spelling of 3.5.) All others are asked not to think, and refuse that if they cannot.
fn never_thinks(model: &str) -> bool {
    let model = base_name(model);
    version(model, "gpt-").is_some_and(|version| matches!(version, 3 | 4 | 30..=49))
        || model.starts_with("chatgpt-")
}

/// Whether it is the name of one of OpenAI's reasoning models: `o1`, `o3`, `o4-mini` …, `gpt-5` and
/// later, and their fine-tunes.
fn always_knows_effort(model: &str) -> bool {
    let model = base_name(model);
    version(model, "gpt-").is_some_and(|version| (5..30).contains(&version))
        || version(model, "o").is_some()
}

#[cfg(test)]
mod tests;
