//! The faults of providers, and how HTTP statuses and error bodies map to them.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::parameter::{Parameter, Refused};

/// A kind of failure, from the table of provider faults. It decides what the visitor sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too many requests (429).
    Busy,
    /// The quota, credit or spending limit is used up (402, or a 429 or 400 that says so).
    Exhausted,
    /// Overloaded or failing (500, 503, 529).
    Overloaded,
    /// A gateway error, a conflict or a broken connection (502, 408, 409, reset, refused).
    Unreachable,
    /// No connection or no first token in time (also 504).
    Timeout,
    /// A wrong key, address or account: only the operator can fix it (401, 403, 404, 3xx).
    Misconfigured,
    /// The requested model does not exist, or the key may not use it (a 404, 403 or 400 that says
    /// so). The policy turns it into [`Misconfigured`](Self::Misconfigured) if the model is the
    /// provider's default, so that what remains is the caller's mistake.
    UnknownModel,
    /// The prompt is too long (413, or a 400 that says so).
    TooLong,
    /// The request was refused for another reason (other 4xx).
    Rejected,
    /// A 200 that cannot be parsed (HTML, broken JSON), or an empty answer.
    Malformed,
    /// The answer was interrupted after its first word, for whatever reason.
    Interrupted,
}

/// A failed call. `Display` is for logs, never for visitors: it may contain the provider's own words.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{fault:?}: {detail}")]
pub struct ProviderError {
    /// The kind of failure.
    pub fault: Fault,
    /// The provider's words or the transport's, cut to [`MAX_DETAIL`] characters.
    pub detail: String,
    /// The provider's id of the request, if it sent one.
    pub request_id: Option<String>,
    /// The HTTP status, or the one that an error inside a 200 stands for.
    pub status: Option<u16>,
    /// How long to wait before the next call, if the server said so.
    pub retry_after: Option<Duration>,
    /// Whether to try again, if the server said so (`x-should-retry`).
    pub should_retry: Option<bool>,
    /// The parameter because of which the request was refused.
    pub refused: Option<Refused>,
}

impl ProviderError {
    /// A failure without a request id. `detail` is shortened and put on one line, for the log.
    pub fn new(fault: Fault, detail: impl AsRef<str>) -> Self {
        Self {
            fault,
            detail: excerpt(detail.as_ref()),
            request_id: None,
            status: None,
            retry_after: None,
            should_retry: None,
            refused: None,
        }
    }
}

/// Maximum length of [`ProviderError::detail`], in characters.
pub const MAX_DETAIL: usize = 500;

/// `text` on one line, shortened, and without anything that looks like a key: some servers repeat
/// the key that they refuse.
fn excerpt(text: &str) -> String {
    let mut short = String::new();
    for (at, word) in text.split_whitespace().enumerate() {
        if at > 0 {
            short.push(' ');
        }
        let word: String = word.chars().filter(|c| !c.is_control()).collect();
        push_masked(&mut short, &word);
        // A character has at most 4 bytes, so this is enough to cut from.
        if short.len() > 4 * MAX_DETAIL {
            break;
        }
    }
    if let Some((cut, _)) = short.char_indices().nth(MAX_DETAIL) {
        short.truncate(cut);
    }
    short
}

/// Minimum length of a key after its `sk-`, in bytes. Providers' keys are far longer, those of
/// self-hosted gateways often not.
const MIN_KEY: usize = 8;

/// Appends `word`, with every key in it replaced by `sk-***`. A key starts with `sk-` at the start
/// of a word, so "task-oriented" is not one.
fn push_masked(line: &mut String, word: &str) {
    let is_key_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.*".contains(byte);
    let mut copied = 0;
    for (at, prefix) in word.match_indices("sk-") {
        let secret = at + prefix.len();
        let length = word[secret..].bytes().take_while(|byte| is_key_byte(byte)).count();
        let is_inside = at < copied || word[..at].ends_with(char::is_alphanumeric);
        if !is_inside && length >= MIN_KEY {
            line.push_str(&word[copied..secret]);
            line.push_str("***");
            copied = secret + length;
        }
    }
    line.push_str(&word[copied..]);
}

/// The failure that a response without success stands for. Parses the error bodies of both APIs and
/// of the servers that speak OpenAI's; any other body is quoted as it is.
pub fn classify(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ProviderError {
    let retry_after = retry_after(headers, SystemTime::now());
    let error = Report::read(body).error(status.as_u16(), retry_after, status.as_str());
    ProviderError {
        request_id: request_id(headers).or(error.request_id),
        should_retry: match headers.get("x-should-retry").map(|value| value.as_bytes()) {
            Some(b"true") => Some(true),
            Some(b"false") => Some(false),
            _ => None,
        },
        ..error
    }
}

/// The failure that an error inside a 200 stands for; `body` is the JSON of the event or answer.
pub fn classify_event(body: &[u8]) -> ProviderError {
    let report = Report::read(body);
    let status = report.status();
    report.error(status, None, "error event")
}

/// Whether the request was refused for its content, by Azure's filter or by OpenAI: the visitor asked
/// for something that the provider will not talk about, and nothing is broken.
pub fn is_content_filter(status: StatusCode, body: &[u8]) -> bool {
    status == StatusCode::BAD_REQUEST && Report::read(body).is_declined()
}

/// The same for an error inside a 200.
pub fn is_declined(body: &[u8]) -> bool {
    Report::read(body).is_declined()
}

/// The provider's id of a request: `request-id` of Anthropic, `x-request-id` of OpenAI.
pub fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("request-id").or_else(|| headers.get("x-request-id"))?;
    value.to_str().ok().filter(|id| !id.is_empty()).map(excerpt)
}

/// How long the server asks us to wait: `retry-after-ms`, or `retry-after` in seconds or as a date
/// (RFC 9110, 10.2.3). A date is compared with the server's own `date`, or else with `now`.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |text: &str| text.parse::<f64>().ok();
    if let Some(millis) = text("retry-after-ms").and_then(number) {
        return Duration::try_from_secs_f64(millis / 1000.0).ok();
    }
    let wait = text(header::RETRY_AFTER.as_str())?;
    if let Some(seconds) = number(wait) {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = |text| httpdate::parse_http_date(text).ok();
    let until = date(wait)?;
    let from = text(header::DATE.as_str()).and_then(date).unwrap_or(now);
    Some(until.duration_since(from).unwrap_or(Duration::ZERO))
}

/// The contents of an error body.
#[derive(Debug, Default)]
struct Report {
    /// `type`, such as `rate_limit_error`.
    kind: String,
    /// `code`, a word or a number, such as `context_length_exceeded`.
    code: String,
    /// The refused parameter, as OpenAI names it.
    param: String,
    message: String,
    /// `details.error_code`, by which Anthropic tells one limit from another.
    detail_code: String,
    request_id: Option<String>,
}

impl Report {
    /// Parses `{"error": {"type", "code", "message"}}` (both APIs), `{"error": "…"}` (Ollama),
    /// the same without the envelope (vLLM), `{"detail": …}` (FastAPI), and all of these in an
    /// array (Google).
    fn read(body: &[u8]) -> Self {
        let json = serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
        let outer = json.get(0).unwrap_or(&json);
        let error = outer.get("error").filter(|error| !error.is_null()).unwrap_or(outer);
        let field = |name| match error.get(name) {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        };
        let message = match error {
            Value::String(text) => text.clone(),
            _ => ["message", "detail"]
                .into_iter()
                .map(field)
                .find(|text| !text.is_empty())
                .unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()),
        };
        Self {
            kind: if error.is_object() { field("type") } else { String::new() },
            code: field("code"),
            param: field("param"),
            detail_code: error
                .pointer("/details/error_code")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            message,
            request_id: outer.get("request_id").and_then(Value::as_str).map(excerpt),
        }
    }

    /// The failure, if it was reported with `status`; `origin` starts the detail.
    fn error(self, status: u16, retry_after: Option<Duration>, origin: &str) -> ProviderError {
        let detail = match &self.kind[..] {
            "" => format!("{origin}: {}", self.message),
            kind => format!("{origin} {kind}: {}", self.message),
        };
        let fault = self.fault(status);
        let is_refused = fault == Fault::Rejected && matches!(status, 400 | 404 | 422 | 500);
        ProviderError {
            refused: is_refused.then(|| Refused::read(&self.param, &self.message)).flatten(),
            status: Some(status),
            retry_after,
            request_id: self.request_id,
            ..ProviderError::new(fault, detail)
        }
    }

    /// The HTTP status that the error would have had before the headers.
    fn status(&self) -> u16 {
        if let Some(status) = self.code.parse().ok().filter(|code| (300..600).contains(code)) {
            return status;
        }
        let words = [self.kind.as_str(), self.code.as_str()];
        let status = words.into_iter().find_map(|word| {
            Some(match word {
                "invalid_request_error" | "BadRequestError" => 400,
                "authentication_error" | "invalid_api_key" => 401,
                "billing_error" => 402,
                "permission_error" | "data_residency_mismatch" => 403,
                "not_found_error" | "model_not_found" | "NotFoundError" => 404,
                "conflict_error" => 409,
                "request_too_large" => 413,
                "rate_limit_error"
                | "rate_limit_exceeded"
                | "insufficient_quota"
                | "credit_balance_exhausted"
                | "organization_spend_limit_exceeded"
                | "organization_usage_limit_exceeded"
                | "project_spend_limit_exceeded"
                | "slow_down"
                | "requests"
                | "tokens" => 429,
                "server_is_overloaded" | "service_unavailable_error" => 503,
                "timeout_error" => 504,
                "overloaded_error" => 529,
                _ => return None,
            })
        });
        status.unwrap_or(500)
    }

    fn fault(&self, status: u16) -> Fault {
        match status {
            402 => Fault::Exhausted,
            400 | 403 | 422 | 429 if self.is_about_money() => Fault::Exhausted,
            413 => Fault::TooLong,
            // llama.cpp has been seen to answer 500 to a prompt that is too long.
            400 | 422 | 500 if self.is_about_length() => Fault::TooLong,
            429 => Fault::Busy,
            // OpenAI's "not in this API" and "no such item" are reported as 404 too.
            400 | 404 if self.is_about_api() => Fault::Rejected,
            400 | 401 | 403 | 404 | 422 if self.is_about_model(status) => Fault::UnknownModel,
            300..=399 | 401 | 403 | 404 => Fault::Misconfigured,
            400 if self.is_about_key() => Fault::Misconfigured,
            500 if self.is_about_tools() => Fault::Rejected,
            // 522 and 524 are Cloudflare's timeouts; the other 52x are its problems with the origin.
            504 | 522 | 524 => Fault::Timeout,
            408 | 409 | 502 | 520..=527 | 530 => Fault::Unreachable,
            400..=499 => Fault::Rejected,
            500..=599 => Fault::Overloaded,
            _ => Fault::Malformed,
        }
    }

    /// Quota, credit, spending limit. The word "billing" alone proves nothing: OpenAI's plain rate
    /// limit mentions its billing page.
    fn is_about_money(&self) -> bool {
        self.names(&[
            "insufficient_quota",
            // OpenAI, with whatever type.
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
            "project_spend_limit_exceeded",
            "billing_error",
            "billing_hard_limit_reached",
            "billing_not_active",
            "budget_exceeded",
            "enforced_spend_limit_reached",
        ]) || self.says(&[
            "exceeded your current quota",
            "credit balance",
            "insufficient credit",
            "insufficient balance",
            "out of credit",
            "billing hard limit",
            "api usage limits",
            "spend limit",
            "spending limit",
            "budget has been exceeded",
        ])
    }

    fn is_about_length(&self) -> bool {
        // "max_tokens is too large … maximum context length" is about the answer, not the prompt.
        if self.says(&["max_tokens"]) && self.says(&["is too large"]) {
            return false;
        }
        self.names(&["context_length_exceeded", "exceed_context_size_error"])
            || self.says(&[
                "prompt is too long",
                "maximum context length",
                "exceed context limit",
                "exceeds the context window",
                "exceeds the available context size",
                "context_length_exceeded",
                "contextwindowexceedederror",
            ])
    }

    /// A model that is served over the other API, or an item that the API has not stored.
    fn is_about_api(&self) -> bool {
        let refused = Refused::read(&self.param, &self.message);
        refused.is_some_and(|it| matches!(it.parameter, Parameter::Api | Parameter::Include))
    }

    /// Codes of Azure's content filter and of OpenAI's policies.
    fn is_declined(&self) -> bool {
        self.names(&["content_filter", "invalid_prompt", "bio_policy"])
    }

    /// llama.cpp's reply to tools when it was started without templates.
    fn is_about_tools(&self) -> bool {
        self.says(&["tools param requires"])
    }

    /// A wrong key, where it is reported with 400: by Google and by LiteLLM, which looks for unknown
    /// keys in a database even if it has none.
    fn is_about_key(&self) -> bool {
        self.names(&["invalid_api_key", "authentication_error", "no_db_connection"])
            || self.says(&[
                "api key not valid",
                "invalid api key",
                "incorrect api key",
                "no connected db",
            ])
    }

    /// A model that does not exist or that the key may not use. A 404 without the word comes from a
    /// wrong address.
    fn is_about_model(&self, status: u16) -> bool {
        let is_page = self.message.trim_start().starts_with('<');
        // The field that is invalid, as OpenAI and Anthropic name it.
        if self.param == "model" || self.message.starts_with("model: ") {
            return true;
        }
        self.names(&[
            "model_not_found",
            // Azure.
            "DeploymentNotFound",
            // LiteLLM.
            "key_model_access_denied",
            "team_model_access_denied",
        ]) || self.says(&[
            "invalid model name",
            "invalid model id",
            "invalid model:",
            "model not exist",
            "not a valid model id",
            "does not have access to model",
        ]) || (status == 404 && !is_page && self.says(&["model"]))
    }

    fn names(&self, words: &[&str]) -> bool {
        words
            .iter()
            .any(|&word| [&self.kind, &self.code, &self.detail_code].iter().any(|it| *it == word))
    }

    fn says(&self, phrases: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }
}

#[cfg(test)]
mod tests;
