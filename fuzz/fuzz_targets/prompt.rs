//! Any session's data in a prompt: it keeps to its budget, what strangers wrote stays inside its
//! blocks, and the roles alternate. Input, with a NUL byte between the parts: a byte for the budget
//! and the question; the session's settings in JSON; the operator's instructions; the visitor's
//! CSV file; the messages so far.
#![no_main]

use chatbot_widget::domain::{
    Author, Message, MessageId, NewMessage, SessionConfig, Status, Timestamp, model::Entry,
};
use chatbot_widget::prompt::tokens::estimate;
use chatbot_widget::prompt::{Operator, Prompt, draft};
use chatbot_widget_fuzz::table::ingest_checked;

/// The smallest `CONTEXT_TOKENS`.
const MIN_BUDGET: usize = 1_000;
/// What the APIs add around each message.
const ENTRY_TOKENS: usize = 6;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut parts = data.split(|byte| *byte == 0);
    let mut next = || parts.next().unwrap_or_default();
    let [size, question @ ..] = next() else { return };
    let budget = MIN_BUDGET + usize::from(*size) * 64;
    let config = SessionConfig::new(serde_json::from_slice(next()).unwrap_or_default());
    let instructions = String::from_utf8_lossy(next());
    let file = ingest_checked("a.csv", next()).ok().map(|ingested| ingested.dataset);

    let operator = Operator { bot_name: "Ada", instructions: Some(&instructions) };
    let question = String::from_utf8_lossy(question);
    let draft = draft(budget, operator, &config, file.as_ref(), &question);
    let mut filling = draft.with_history();
    filling.add(parts.enumerate().map(message).collect());
    let prompt = filling.finish();

    let tokens = tokens(&prompt);
    assert!(tokens <= budget, "{tokens} tokens of {budget}");
    for (place, entry) in prompt.entries.iter().enumerate() {
        assert_eq!(matches!(entry, Entry::User(_)), place % 2 == 0, "roles alternate");
    }
    // The operator may write marks, and a bare one explains them in the system text.
    if !instructions.contains("untrusted") {
        let opened = prompt.system.matches("<untrusted name=\"").count() - 1;
        assert_eq!(prompt.system.matches("</untrusted>").count(), opened);
    }
});

/// Questions and answers in turn.
fn message((place, text): (usize, &[u8])) -> Message {
    let text = String::from_utf8_lossy(text).into_owned();
    let question = NewMessage::question(text, Timestamp(0));
    let id = MessageId(place as u64);
    if place.is_multiple_of(2) {
        return Message { id, body: question };
    }
    let (author, answers) = (Author::Bot, Some(MessageId(id.0 - 1)));
    let body = NewMessage { author, answers, status: Status::Complete, ..question };
    Message { id, body }
}

fn tokens(prompt: &Prompt) -> usize {
    let entries = prompt.entries.iter().map(|entry| match entry {
        Entry::User(text) | Entry::Assistant { text, .. } => estimate(text) + ENTRY_TOKENS,
        Entry::ToolResults(_) => panic!("no tool was called"),
    });
    estimate(&prompt.system) + entries.sum::<usize>()
}
