//! Model calls: the request, and the events of the answer. Providers translate them to and from
//! their wire formats; prompts are built from them.

use serde_json::Value;

use super::Usage;

/// One call of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRequest {
    /// The model's name as its provider knows it.
    pub model: String,
    /// System text: instructions and context.
    pub system: String,
    /// The conversation, oldest first; the last entry is the question or the results of tools.
    /// Users and assistants alternate, and the first entry is a user's: both APIs require it. Tool
    /// calls are answered in the very next entry.
    pub entries: Vec<Entry>,
    /// The tools that the model may call. They must be listed as long as an entry contains calls,
    /// or Anthropic's API rejects the request.
    pub tools: Vec<ToolSpec>,
    /// Whether it may call them now.
    pub tool_choice: ToolChoice,
    /// Maximum length of the answer, in tokens.
    pub max_tokens: u32,
    /// Randomness, 0 to 2; the provider's default when absent.
    pub temperature: Option<f64>,
}

impl ModelRequest {
    /// Drops the older half of the conversation before the question, in whole exchanges, so that
    /// the rest begins with a user's entry. The question stays, and so do the tool calls and
    /// results that follow it. Returns whether anything was dropped.
    pub fn drop_older_half(&mut self) -> bool {
        let is_user = |entry: &Entry| matches!(entry, Entry::User(_));
        let Some(question) = self.entries.iter().rposition(is_user) else { return false };
        let half = question.div_ceil(2);
        let rest = self.entries.iter().skip(half).position(is_user);
        let cut = rest.map_or(question, |further| half + further);
        self.entries.drain(..cut);
        if cut > 0 {
            self.forget_verbatim();
        }
        cut > 0
    }

    /// Drops what is valid only for an unchanged prompt.
    pub fn forget_verbatim(&mut self) {
        for entry in &mut self.entries {
            if let Entry::Assistant { verbatim, .. } = entry {
                *verbatim = None;
            }
        }
    }
}

/// One entry of the conversation in a [`ModelRequest`].
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// The user's message.
    User(String),
    /// The model's message.
    Assistant {
        /// Its text, empty if it only called tools.
        text: String,
        /// Its tool calls.
        calls: Vec<ToolCall>,
        /// The same message as its API wrote it, if that API wants it back unchanged.
        verbatim: Option<Verbatim>,
    },
    /// The results of all calls in the previous entry, in the same order.
    ToolResults(Vec<ToolResult>),
}

impl Entry {
    /// A user's message.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User(text.into())
    }

    /// A model's message without tool calls.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::Assistant { text: text.into(), calls: Vec::new(), verbatim: None }
    }
}

/// A model's message as its API wrote it, for the next rounds of the same turn. It contains what a
/// model that thinks wants back unchanged beside its tool calls: reasoning items, or thinking blocks
/// with their signatures. It is valid for the API and the model that made it and for an unchanged
/// prompt before it; everywhere else the message's text and calls stand for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verbatim {
    /// The API, by a name of the provider's own.
    pub api: &'static str,
    /// The model, as it was requested.
    pub model: String,
    /// JSON objects in the order of the answer: content blocks or output items.
    pub items: Vec<String>,
}

impl Verbatim {
    /// Whether `model` wrote it over `api`.
    pub fn is_by(&self, api: &str, model: &str) -> bool {
        self.api == api && self.model == model
    }
}

/// A function that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// Its name: at most 64 letters, digits, `_` and `-`.
    pub name: &'static str,
    /// What it does and when to call it, for the model.
    pub description: String,
    /// The JSON Schema of its arguments, an object.
    pub parameters: Value,
}

/// Whether the model may call the tools of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// The model must not call tools, although they are still listed for the calls in earlier
    /// entries. Some compatible servers ignore this, so callers must handle a call anyway.
    None,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The provider's id; `call_0`, `call_1` … if it sends none.
    pub id: String,
    /// The tool's name as the model wrote it, possibly one that was never offered.
    pub name: String,
    /// JSON as the model wrote it, possibly malformed; `{}` if it wrote nothing.
    pub arguments: String,
}

/// The result of a tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    /// The [`ToolCall::id`] that this belongs to.
    pub call_id: String,
    /// The text for the model: the result, or why there is none.
    pub content: String,
    /// Whether the call failed.
    pub is_error: bool,
}

/// An event in a model's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelEvent {
    /// The model that serves the call, as the provider names it. At most once, before any text.
    Started {
        /// The model's name.
        model: String,
    },
    /// The model has begun to think, so that the next word may take long. Thoughts themselves are
    /// never passed on.
    Thinking,
    /// The next piece of the answer, never empty.
    Text(String),
    /// The text so far was thoughts, which the server had not marked as such at first. What follows
    /// replaces it.
    TakenBack,
    /// The message as its API wrote it; right before the first tool call, and only if the API wants
    /// it back.
    Verbatim(Verbatim),
    /// A complete tool call. All of an answer's calls come right before its end, and only with
    /// [`Finish::ToolUse`]: those of an interrupted answer are never emitted.
    ToolCall(ToolCall),
    /// Tokens counted so far; a later one replaces an earlier one.
    Usage(Usage),
    /// The answer has ended; nothing follows.
    Finished(Finish),
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Complete,
    /// The length limit was reached.
    Length,
    /// The model has called tools and waits for their results. Text may have come before.
    ToolUse,
    /// The model declined, or a content filter stepped in.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trimmed(entries: Vec<Entry>) -> (bool, Vec<Entry>) {
        let mut request = ModelRequest {
            model: String::new(),
            system: String::new(),
            entries,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            max_tokens: 1,
            temperature: None,
        };
        (request.drop_older_half(), request.entries)
    }

    fn exchanges(from: usize, to: usize) -> Vec<Entry> {
        let exchange = |n| [Entry::user(format!("q{n}")), Entry::assistant(format!("a{n}"))];
        (from..to).flat_map(exchange).chain([Entry::user("question")]).collect()
    }

    #[test]
    fn the_older_half_is_dropped_and_the_question_stays() {
        for (before, after) in [(1, 0), (2, 1), (3, 1), (4, 2), (7, 3)] {
            let left = exchanges(before - after, before);
            assert_eq!(trimmed(exchanges(0, before)), (true, left), "{before}");
        }
        assert_eq!(trimmed(exchanges(0, 0)), (false, exchanges(0, 0)));
        assert_eq!(trimmed(Vec::new()), (false, Vec::new()));
    }

    #[test]
    fn calls_stay_with_their_results() {
        let call = ToolCall { id: "1".into(), name: "f".into(), arguments: "{}".into() };
        let result = ToolResult { call_id: "1".into(), content: "2".into(), is_error: false };
        let round = [
            Entry::Assistant { text: String::new(), calls: vec![call], verbatim: None },
            Entry::ToolResults(vec![result]),
        ];
        let with_round = |mut entries: Vec<Entry>| {
            entries.extend(round.clone());
            entries
        };
        let (has_changed, entries) = trimmed(with_round(exchanges(0, 2)));
        assert_eq!((has_changed, entries), (true, with_round(exchanges(1, 2))));
        // An earlier question is dropped together with its calls.
        let mut earlier = with_round(vec![Entry::user("q")]);
        earlier.extend([Entry::assistant("a"), Entry::user("question")]);
        assert_eq!(trimmed(earlier), (true, vec![Entry::user("question")]));
    }
}
