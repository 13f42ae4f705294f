//! From the bytes of a response to [`ModelEvent`]s, without I/O and without time.
//!
//! The rules here are the same for every API: the order of events, what counts as an empty answer,
//! what a failure after the first word means. A [`Mapper`] knows one API's format.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::tool_calls::{Piece, ToolCallParts};
use crate::domain::Usage;
use crate::domain::model::Verbatim;
use crate::provider::parameter::{Objection, Parameter, Refused};
use crate::provider::{Fault, Finish, ModelEvent, ProviderError, sse};

/// Maximum length of an answer's text, in bytes.
pub const MAX_TEXT: usize = 4 * 1024 * 1024;

/// Maximum size of an answer that arrives as one JSON object, in bytes.
const MAX_WHOLE: usize = 8 * 1024 * 1024;

/// The format of one API's answers.
pub trait Mapper: Send {
    /// Reads an event of a streamed answer into `draft`.
    fn event(
        &mut self,
        event: sse::SseEvent<'_>,
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError>;

    /// Reads an answer that arrived as one JSON object although a stream was requested.
    fn whole(&mut self, body: &[u8], draft: &mut AnswerDraft) -> Result<(), ProviderError>;

    /// Number of tool calls that the conversation already contains; made-up ids count on from it.
    fn earlier_calls(&self) -> usize {
        0
    }

    /// How the answer has ended, if that is known before the end mark. The stream may then stop.
    fn finish(&self) -> Option<Finish> {
        None
    }
}

/// The answer as far as a [`Mapper`] has read it.
#[derive(Debug, Default)]
pub struct AnswerDraft {
    ready: VecDeque<ModelEvent>,
    /// White space at the start of the answer. It is held back until the first word, so that an
    /// answer of white space alone can still be retried.
    indent: String,
    text_len: usize,
    named: bool,
    calls: ToolCallParts,
    verbatim: Option<Verbatim>,
    is_thinking: bool,
    earlier_calls: usize,
    tokens: u64,
    finished: bool,
}

impl AnswerDraft {
    /// The name of the model that answers. Only the first one counts, and only before any text.
    /// Blank names and the paths of model files, as llama.cpp reports them, are ignored: the name
    /// that was asked for tells visitors more, and shows nothing of the server.
    pub fn model(&mut self, name: &str) {
        let name = name.trim();
        let is_usable = !name.is_empty() && !is_path(name);
        if !self.named && self.text_len == 0 && is_usable {
            self.named = true;
            self.ready.push_back(ModelEvent::Started { model: name.to_owned() });
        }
    }

    /// The next piece of text.
    pub fn text(&mut self, text: Cow<'_, str>) -> Result<(), ProviderError> {
        if text.is_empty() {
            return Ok(());
        }
        self.tokens += 1;
        if self.text_len + self.indent.len() + text.len() > MAX_TEXT {
            return Err(ProviderError::new(Fault::Malformed, "the answer is endless"));
        }
        if self.text_len == 0 && text.trim_start().is_empty() {
            self.indent.push_str(&text);
            return Ok(());
        }
        let mut text = text.into_owned();
        if !self.indent.is_empty() {
            text.insert_str(0, &std::mem::take(&mut self.indent));
        }
        self.text_len += text.len();
        self.is_thinking = false;
        self.ready.push_back(ModelEvent::Text(text));
        Ok(())
    }

    /// A thought has begun or goes on. It counts as a token.
    pub fn thinking(&mut self) {
        self.tokens += 1;
        if !self.is_thinking {
            self.is_thinking = true;
            self.ready.push_back(ModelEvent::Thinking);
        }
    }

    /// The whole message in the API's own form, if it must be sent back with the results of its tool
    /// calls.
    pub fn verbatim(&mut self, message: Verbatim) {
        self.verbatim = Some(message);
    }

    /// A token that is neither text nor a thought: a sign that the model is working.
    pub fn token(&mut self) {
        self.tokens += 1;
    }

    /// The next piece of a tool call.
    pub fn call(&mut self, piece: Piece<'_>) -> Result<(), ProviderError> {
        self.tokens += 1;
        self.calls.add(piece)
    }

    /// Whether the call with this number has started.
    pub fn has_call(&self, index: u32) -> bool {
        self.calls.numbered(index).is_some()
    }

    /// Tokens counted so far.
    pub fn usage(&mut self, usage: Usage) {
        self.ready.push_back(ModelEvent::Usage(usage));
    }

    /// The end of the answer; nothing after it is read. Whether the model expects results depends on
    /// whether it has made calls: some servers end such an answer like any other. The calls of a
    /// truncated answer may be truncated themselves, so they are left out.
    pub fn finish(&mut self, finish: Finish) -> Result<(), ProviderError> {
        let calls = self.calls.take(self.earlier_calls);
        let finish = match finish {
            Finish::Complete | Finish::ToolUse if calls.is_empty() => Finish::Complete,
            Finish::Complete | Finish::ToolUse => Finish::ToolUse,
            cut => cut,
        };
        if self.text_len == 0 && !matches!(finish, Finish::Refused | Finish::ToolUse) {
            return Err(match finish {
                Finish::Length => ProviderError {
                    refused: Some(Refused {
                        parameter: Parameter::ThinkingRoom,
                        objection: Objection::TooSmall(None),
                    }),
                    ..ProviderError::new(
                        Fault::Malformed,
                        "the length limit was reached before the first word",
                    )
                },
                _ => ProviderError::new(Fault::Malformed, "the answer is empty"),
            });
        }
        if finish == Finish::ToolUse {
            self.ready.extend(self.verbatim.take().map(ModelEvent::Verbatim));
            self.ready.extend(calls.into_iter().map(ModelEvent::ToolCall));
        }
        self.finished = true;
        self.ready.push_back(ModelEvent::Finished(finish));
        Ok(())
    }
}

/// Whether a model's name is the path of its file. Slashes alone prove nothing: many names start
/// with that of their maker.
fn is_path(name: &str) -> bool {
    name.contains('\\') || (name.contains('/') && name.to_ascii_lowercase().ends_with(".gguf"))
}

/// The kind of body, judged by its first byte: content types are often wrong.
#[derive(Debug)]
enum Shape {
    Unknown,
    Events(sse::Decoder),
    Whole(Vec<u8>),
}

/// Reads one response. Its input is bytes, split anywhere; its output is events, and possibly an
/// error as the last item.
#[derive(Debug)]
pub struct Reader<M> {
    mapper: M,
    shape: Shape,
    draft: AnswerDraft,
    error: Option<ProviderError>,
    failed: bool,
}

impl<M: Mapper> Reader<M> {
    /// A reader of an answer in `mapper`'s format.
    pub fn new(mapper: M) -> Self {
        let draft = AnswerDraft { earlier_calls: mapper.earlier_calls(), ..AnswerDraft::default() };
        Self { mapper, shape: Shape::Unknown, draft, error: None, failed: false }
    }

    /// Reads what has arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.is_done() {
            return;
        }
        if let Err(error) = self.read(bytes) {
            self.fail(error);
        }
    }

    fn read(&mut self, mut bytes: &[u8]) -> Result<(), ProviderError> {
        if matches!(self.shape, Shape::Unknown) {
            let is_lead = |byte: &u8| byte.is_ascii_whitespace() || b"\xEF\xBB\xBF".contains(byte);
            let Some(at) = bytes.iter().position(|byte| !is_lead(byte)) else { return Ok(()) };
            bytes = &bytes[at..];
            self.shape = match bytes[0] {
                b'{' => Shape::Whole(Vec::new()),
                b'<' => return Err(ProviderError::new(Fault::Malformed, "a page of HTML or XML")),
                _ => Shape::Events(sse::Decoder::default()),
            };
        }
        match &mut self.shape {
            Shape::Events(decoder) => {
                decoder.feed(bytes);
                while !self.draft.finished {
                    match decoder.next_event() {
                        Ok(Some(event)) => self.mapper.event(event, &mut self.draft)?,
                        Ok(None) => break,
                        Err(error) => {
                            return Err(ProviderError::new(Fault::Malformed, error.to_string()));
                        }
                    }
                }
            }
            Shape::Whole(body) if body.len() + bytes.len() <= MAX_WHOLE => {
                body.extend_from_slice(bytes);
            }
            Shape::Whole(_) => {
                return Err(ProviderError::new(Fault::Malformed, "the answer is endless"));
            }
            Shape::Unknown => {}
        }
        Ok(())
    }

    /// The body has ended properly, by the rules of HTTP.
    pub fn end(&mut self) {
        if self.is_done() {
            return;
        }
        if let Shape::Whole(body) = &self.shape
            && let Err(error) = self.mapper.whole(body, &mut self.draft)
        {
            self.fail(error);
        }
        if !self.is_done() {
            self.fail(ProviderError::new(Fault::Malformed, "the answer has no end mark"));
        }
    }

    /// Ends the answer with `error`, which becomes [`Fault::Interrupted`] after the first word. An
    /// answer that lacks only its end mark counts as complete.
    pub fn fail(&mut self, error: ProviderError) {
        if self.is_done() {
            return;
        }
        self.failed = true;
        self.error = match self.mapper.finish().map(|finish| self.draft.finish(finish)) {
            Some(result) => result.err(),
            None if self.draft.text_len > 0 => {
                Some(ProviderError { fault: Fault::Interrupted, ..error })
            }
            None => Some(error),
        };
    }

    /// The next event or the error. `None` means that more bytes are needed, or that the answer
    /// [is done](Self::is_done).
    pub fn pop(&mut self) -> Option<Result<ModelEvent, ProviderError>> {
        self.draft.ready.pop_front().map(Ok).or_else(|| self.error.take().map(Err))
    }

    /// Whether nothing more will be read.
    pub fn is_done(&self) -> bool {
        self.failed || self.draft.finished
    }

    /// Number of pieces of text, thoughts or tool calls so far: the sign that the model is working.
    pub fn tokens(&self) -> u64 {
        self.draft.tokens
    }

    /// Whether the answer is complete except for its end mark.
    pub fn is_closing(&self) -> bool {
        self.mapper.finish().is_some()
    }
}

#[cfg(test)]
pub mod testing {
    //! For the tests of mappers: transcripts, read whole and split everywhere.

    use super::*;

    /// The outcome of an answer: its events, and its failure.
    pub type Outcome = (Vec<ModelEvent>, Option<(Fault, String)>);

    /// Reads a transcript that arrives in `pieces`.
    pub fn read<'a, M: Mapper>(mapper: M, pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
        let mut reader = Reader::new(mapper);
        let (mut events, mut failure) = (Vec::new(), None);
        let mut take = |reader: &mut Reader<M>| {
            while let Some(item) = reader.pop() {
                match item {
                    Ok(event) => events.push(event),
                    Err(error) => failure = Some((error.fault, error.detail)),
                }
            }
        };
        for piece in pieces {
            reader.feed(piece);
            take(&mut reader);
        }
        reader.end();
        take(&mut reader);
        assert!(reader.is_done());
        (events, failure)
    }

    /// Reads a transcript whole, in two pieces split at every byte, and byte by byte. The outcome must
    /// be the same.
    pub fn read_split_everywhere<M: Mapper>(mapper: impl Fn() -> M, transcript: &str) -> Outcome {
        let bytes = transcript.as_bytes();
        let whole = read(mapper(), [bytes].into_iter());
        assert_eq!(read(mapper(), bytes.chunks(1)), whole, "byte by byte");
        for at in 1..bytes.len() {
            let (left, right) = bytes.split_at(at);
            assert_eq!(read(mapper(), [left, right].into_iter()), whole, "split at {at}");
        }
        whole
    }

    /// The text of all events together.
    pub fn text(events: &[ModelEvent]) -> String {
        let texts = events.iter().filter_map(|event| match event {
            ModelEvent::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }
}

#[cfg(test)]
mod tests;
