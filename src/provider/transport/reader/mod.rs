//! From the bytes of a response to [`ModelEvent`]s, without I/O and without time.
//!
//! The rules here are the same for every API: the order of events, what counts as an empty answer,
//! what a failure after the first word means. A [`Mapper`] knows one API's format.

mod draft;

use std::sync::Arc;

use super::thoughts::Habit;
use crate::provider::parameter::Learned;
use crate::provider::{Fault, Finish, ModelEvent, ProviderError, sse};
pub use draft::{AnswerDraft, MAX_TEXT};

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

    /// Whether the model may think before its first word, by its name and the request. It may then
    /// take longer to say it.
    fn may_think(&self) -> bool {
        false
    }

    /// Whether the server sends something, such as pings, while its model thinks.
    fn sends_pings(&self) -> bool {
        true
    }

    /// How the answer has ended, if that is known before the end mark. The stream may then stop.
    fn finish(&self) -> Option<Finish> {
        None
    }
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
    /// A reader of an answer in `mapper`'s format. `habits` is what is known about the server's
    /// models.
    pub fn new(mapper: M, habits: Arc<Learned<Habit>>) -> Self {
        let draft = AnswerDraft::new(mapper.earlier_calls(), mapper.may_think(), habits);
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
                while !self.draft.is_finished() {
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
            None if self.draft.has_text() => {
                Some(ProviderError { fault: Fault::Interrupted, ..error })
            }
            None => Some(error),
        };
    }

    /// The next event or the error. `None` means that more bytes are needed, or that the answer
    /// [is done](Self::is_done).
    pub fn pop(&mut self) -> Option<Result<ModelEvent, ProviderError>> {
        self.draft.pop().map(Ok).or_else(|| self.error.take().map(Err))
    }

    /// Whether nothing more will be read.
    pub fn is_done(&self) -> bool {
        self.failed || self.draft.is_finished()
    }

    /// Number of pieces of text and tool calls so far.
    pub fn words(&self) -> u64 {
        self.draft.words()
    }

    /// Whether the model is thinking, or may be.
    pub fn is_thinking(&self) -> bool {
        self.draft.is_thinking() || (self.draft.words() == 0 && self.mapper.may_think())
    }

    /// Whether the server sends something while its model thinks.
    pub fn sends_pings(&self) -> bool {
        self.mapper.sends_pings()
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
        let mut reader = Reader::new(mapper, Arc::default());
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

    /// Reads transcripts that fail: each by its name, with the text that arrives first, and the fault.
    pub fn assert_failures(
        read: impl Fn(&str) -> Outcome,
        transcripts: &[(&str, &str, &str, Fault)],
    ) {
        for (name, transcript, expected, fault) in transcripts {
            let (events, failure) = read(transcript);
            assert_eq!(text(&events), *expected, "{name}");
            assert_eq!(failure.map(|(fault, _)| fault), Some(*fault), "{name}");
            assert!(!events.iter().any(|event| matches!(event, ModelEvent::Finished(_))), "{name}");
        }
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
