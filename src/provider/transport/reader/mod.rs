//! From the bytes of a response to [`ModelEvent`]s, without I/O and without time.
//!
//! What holds for every API stands here, once: the order of events, what an empty answer is, what a
//! failure after the first word is. A [`Mapper`] knows one API's words.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::tool_calls::{Piece, ToolCallParts};
use crate::domain::Usage;
use crate::provider::{Fault, Finish, ModelEvent, ProviderError, sse};

/// The longest text of an answer, in bytes.
pub const MAX_TEXT: usize = 4 * 1024 * 1024;

/// The longest answer that comes whole, as one JSON object, in bytes.
const MAX_WHOLE: usize = 8 * 1024 * 1024;

/// One API's way of answering.
pub trait Mapper: Send {
    /// Reads an event of a streamed answer into `draft`.
    fn event(
        &mut self,
        event: sse::SseEvent<'_>,
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError>;

    /// Reads an answer that came as one JSON object though a stream was asked for.
    fn whole(&mut self, body: &[u8], draft: &mut AnswerDraft) -> Result<(), ProviderError>;

    /// How many calls the conversation holds already: made-up ids count from there.
    fn earlier_calls(&self) -> usize {
        0
    }

    /// How the answer has ended, where that is known before the end mark. A stream may then stop.
    fn finish(&self) -> Option<Finish> {
        None
    }
}

/// The answer as far as a [`Mapper`] has read it.
#[derive(Debug, Default)]
pub struct AnswerDraft {
    ready: VecDeque<ModelEvent>,
    /// White space that the answer begins with. It waits for the first word, so that an answer of
    /// white space only can still be tried again.
    indent: String,
    text_len: usize,
    named: bool,
    calls: ToolCallParts,
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
        self.ready.push_back(ModelEvent::Text(text));
        Ok(())
    }

    /// A token that is not text, such as a thought: the model is at work.
    pub fn token(&mut self) {
        self.tokens += 1;
    }

    /// The next piece of a tool call.
    pub fn call(&mut self, piece: Piece<'_>) -> Result<(), ProviderError> {
        self.tokens += 1;
        self.calls.add(piece)
    }

    /// Whether the call with this number has begun.
    pub fn has_call(&self, index: u32) -> bool {
        self.calls.numbered(index).is_some()
    }

    /// Tokens counted so far.
    pub fn usage(&mut self, usage: Usage) {
        self.ready.push_back(ModelEvent::Usage(usage));
    }

    /// The answer's end. What comes after it is not read. Whether the model waits for results is
    /// judged by its calls: some servers end such an answer like any other. The calls of an answer
    /// that was cut may be cut themselves, and are left out.
    pub fn finish(&mut self, finish: Finish) -> Result<(), ProviderError> {
        let calls = self.calls.take(self.earlier_calls);
        let finish = match finish {
            Finish::Complete | Finish::ToolUse if calls.is_empty() => Finish::Complete,
            Finish::Complete | Finish::ToolUse => Finish::ToolUse,
            cut => cut,
        };
        if self.text_len == 0 && !matches!(finish, Finish::Refused | Finish::ToolUse) {
            let detail = match finish {
                Finish::Length => "the length limit was reached before the first word",
                _ => "the answer is empty",
            };
            return Err(ProviderError::new(Fault::Malformed, detail));
        }
        if finish == Finish::ToolUse {
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

/// Reads one response. Bytes go in, cut anywhere; events come out, then possibly one error.
#[derive(Debug)]
pub struct Reader<M> {
    mapper: M,
    shape: Shape,
    draft: AnswerDraft,
    error: Option<ProviderError>,
    failed: bool,
}

impl<M: Mapper> Reader<M> {
    /// A reader of an answer in `mapper`'s words.
    pub fn new(mapper: M) -> Self {
        let draft = AnswerDraft { earlier_calls: mapper.earlier_calls(), ..AnswerDraft::default() };
        Self { mapper, shape: Shape::Unknown, draft, error: None, failed: false }
    }

    /// Takes in what has arrived.
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

    /// The body has ended as it should, by the rules of HTTP.
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

    /// Ends the answer with `error`; after its first word it is [`Fault::Interrupted`]. An answer
    /// that lacks nothing but its end mark is taken as it is.
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

    /// The next event or the error. `None` means that more bytes are needed, or that
    /// [it is done](Self::is_done).
    pub fn pop(&mut self) -> Option<Result<ModelEvent, ProviderError>> {
        self.draft.ready.pop_front().map(Ok).or_else(|| self.error.take().map(Err))
    }

    /// Whether nothing more will be read.
    pub fn is_done(&self) -> bool {
        self.failed || self.draft.finished
    }

    /// How many pieces of text, thought or tool calls have come: what shows that the model is at work.
    pub fn tokens(&self) -> u64 {
        self.draft.tokens
    }

    /// Whether the answer is there but for its end mark.
    pub fn is_closing(&self) -> bool {
        self.mapper.finish().is_some()
    }
}

#[cfg(test)]
pub mod testing {
    //! For the tests of mappers: transcripts, read whole and cut everywhere.

    use super::*;

    /// What came of an answer: its events, and how it failed.
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

    /// Reads a transcript whole, in two pieces cut at every byte, and byte by byte; the outcome
    /// must be the same.
    pub fn read_cut_everywhere<M: Mapper>(mapper: impl Fn() -> M, transcript: &str) -> Outcome {
        let bytes = transcript.as_bytes();
        let whole = read(mapper(), [bytes].into_iter());
        assert_eq!(read(mapper(), bytes.chunks(1)), whole, "byte by byte");
        for at in 1..bytes.len() {
            let (left, right) = bytes.split_at(at);
            assert_eq!(read(mapper(), [left, right].into_iter()), whole, "cut at {at}");
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
