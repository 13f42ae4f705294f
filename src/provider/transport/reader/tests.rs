use std::borrow::Cow;

use proptest::prelude::*;

use super::testing::{Outcome, read, read_split_everywhere};
use super::*;
use crate::provider::ToolCall;
use crate::provider::transport::tool_calls::Piece;

/// An API whose events are plain text, except for a few words.
#[derive(Debug, Default)]
struct Words {
    finish: Option<Finish>,
}

impl Mapper for Words {
    fn event(
        &mut self,
        event: sse::SseEvent<'_>,
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError> {
        match (event.name, event.data) {
            ("model", name) => draft.model(name),
            ("call", name) => {
                return draft.call(Piece { name, is_first: true, ..Piece::default() });
            }
            (_, "CUT") => return draft.finish(Finish::Length),
            (_, "STOP") => self.finish = Some(Finish::Complete),
            (_, "END") => return draft.finish(Finish::Complete),
            (_, "FAIL") => return Err(ProviderError::new(Fault::Overloaded, "failed")),
            (_, text) => return draft.text(Cow::Borrowed(text)),
        }
        Ok(())
    }

    fn whole(&mut self, _: &[u8], draft: &mut AnswerDraft) -> Result<(), ProviderError> {
        draft.text(Cow::Borrowed("whole"))?;
        draft.finish(Finish::Complete)
    }

    fn finish(&self) -> Option<Finish> {
        self.finish
    }
}

fn outcome(stream: &str) -> Outcome {
    read(Words::default(), std::iter::once(stream.as_bytes()))
}

fn events(stream: &str) -> Vec<ModelEvent> {
    let (events, failure) = outcome(stream);
    assert_eq!(failure, None);
    events
}

fn text(text: &str) -> ModelEvent {
    ModelEvent::Text(text.to_owned())
}

const END: ModelEvent = ModelEvent::Finished(Finish::Complete);

#[test]
fn white_space_is_held_back_until_the_first_word() {
    let stream = "data:  \n\ndata\ndata\n\ndata: a\n\ndata:  \n\ndata: END\n\n";
    assert_eq!(events(stream), [text(" \na"), text(" "), END]);
    let spaces = "data:   \n\ndata:  b\n\ndata:   \n\ndata: END\n\n";
    assert_eq!(events(spaces), [text("   b"), text("  "), END]);
}

#[test]
fn white_space_alone_is_not_a_first_word() {
    assert_eq!(outcome("data:   \n\ndata: FAIL\n\n").1.unwrap().0, Fault::Overloaded);
    assert_eq!(outcome("data:   \n\ndata: END\n\n").1.unwrap().0, Fault::Malformed);
}

#[test]
fn the_model_is_named_once_and_before_the_text() {
    let model = |name: &str| format!("event: model\ndata: {name}\n\n");
    let stream = [&model(""), &model("m"), &model("n"), "data: a\n\ndata: END\n\n"].concat();
    assert_eq!(events(&stream), [ModelEvent::Started { model: "m".to_owned() }, text("a"), END]);
    let late = ["data: a\n\n", &model("m"), "data: END\n\n"].concat();
    assert_eq!(events(&late), [text("a"), END]);
}

#[test]
fn a_name_that_is_blank_or_a_path_is_ignored() {
    let stream = |name: &str| format!("event: model\ndata:{name}\n\ndata: a\n\ndata: END\n\n");
    for name in ["", "  ", "/models/a.gguf", "models/a.GGUF", "C:\\models\\a.bin", ".\\a"] {
        assert_eq!(events(&stream(name)), [text("a"), END], "{name}");
    }
    for name in ["a.gguf", "meta-llama/Llama-3.1-8B", "hf.co/me/x-GGUF:Q4", "gpt-5"] {
        let started = ModelEvent::Started { model: name.to_owned() };
        assert_eq!(events(&stream(name)), [started, text("a"), END], "{name}");
    }
}

#[test]
fn events_before_a_failure_are_returned_first() {
    let (events, failure) = outcome("data: a\n\ndata: b\n\ndata: FAIL\n\ndata: c\n\n");
    assert_eq!(events, [text("a"), text("b")]);
    assert_eq!(failure, Some((Fault::Interrupted, "failed".to_owned())));
}

#[test]
fn nothing_is_read_after_the_end() {
    assert_eq!(events("data: a\n\ndata: END\n\ndata: FAIL\n\ndata: b\n\n"), [text("a"), END]);
}

#[test]
fn an_answer_that_has_stopped_may_lack_its_end_mark() {
    assert_eq!(events("data: a\n\ndata: STOP\n\n"), [text("a"), END]);
    assert_eq!(outcome("data: STOP\n\n").1.unwrap().0, Fault::Malformed);
    assert_eq!(outcome("data: a\n\n").1.unwrap().0, Fault::Interrupted);
}

#[test]
fn an_object_instead_of_a_stream_is_read_whole() {
    assert_eq!(events("\u{FEFF} \r\n{}"), [text("whole"), END]);
}

#[test]
fn an_endless_answer_is_interrupted() {
    let mebibyte = format!("data: {}\n\n", "x".repeat(1 << 20));
    let (events, failure) = outcome(&mebibyte.repeat(5));
    assert_eq!(events.len(), 4);
    assert_eq!(failure.unwrap().0, Fault::Interrupted);

    let whole = ["{", &"x".repeat(MAX_WHOLE)].concat();
    assert_eq!(outcome(&whole).1.unwrap().0, Fault::Malformed);
}

#[test]
fn calls_come_last_and_decide_how_the_answer_ends() {
    let call = |n: usize| {
        let (id, arguments) = (format!("call_{n}"), "{}".to_owned());
        ModelEvent::ToolCall(ToolCall { id, name: "f".to_owned(), arguments })
    };
    let waits = ModelEvent::Finished(Finish::ToolUse);
    let stream = "event: call\ndata: f\n\ndata: a\n\nevent: call\ndata: f\n\n";
    let ended = [stream, "data: END\n\n"].concat();
    assert_eq!(events(&ended), [text("a"), call(0), call(1), waits.clone()]);
    let stopped = [stream, "data: STOP\n\n"].concat();
    assert_eq!(events(&stopped), [text("a"), call(0), call(1), waits.clone()]);
    let alone = "data:  \n\nevent: call\ndata: f\n\ndata: END\n\n";
    assert_eq!(events(alone), [call(0), waits]);
}

#[test]
fn calls_of_a_truncated_answer_are_left_out() {
    let stream = "data: a\n\nevent: call\ndata: f\n\ndata: CUT\n\n";
    assert_eq!(events(stream), [text("a"), ModelEvent::Finished(Finish::Length)]);
    assert_eq!(outcome("event: call\ndata: f\n\ndata: CUT\n\n").1.unwrap().0, Fault::Malformed);
    assert_eq!(outcome("event: call\ndata: f\n\ndata: FAIL\n\n").1.unwrap().0, Fault::Overloaded);
    let failed = outcome("data: a\n\nevent: call\ndata: f\n\ndata: FAIL\n\n");
    assert_eq!((failed.0, failed.1.unwrap().0), (vec![text("a")], Fault::Interrupted));
}

const SPENT: &str = "the length limit was reached before the first word";

#[test]
fn thoughts_are_announced_once_and_left_out() {
    let stream = "data: <think>pl\n\ndata: an</th\n\ndata: ink>\n\ndata: Hello\n\ndata: END\n\n";
    let (events, failure) = read_split_everywhere(Words::default, stream);
    assert_eq!((events, failure), (vec![ModelEvent::Thinking, text("Hello"), END], None));
}

#[test]
fn thoughts_without_an_answer_are_no_answer() {
    for (stream, fault) in [
        ("data: <think>plan\n\ndata: CUT\n\n", (Fault::Malformed, SPENT)),
        ("data: <think>plan</think>\n\ndata: CUT\n\n", (Fault::Malformed, SPENT)),
        ("data: <think>plan\n\ndata: END\n\n", (Fault::Malformed, "the answer is empty")),
        ("data: <think>plan\n\ndata: FAIL\n\n", (Fault::Overloaded, "failed")),
    ] {
        let (events, failure) = read_split_everywhere(Words::default, stream);
        assert_eq!(events, [ModelEvent::Thinking], "{stream}");
        assert_eq!(failure, Some((fault.0, fault.1.to_owned())), "{stream}");
    }
    let call = "data: <think>plan\n\nevent: call\ndata: f\n\ndata: END\n\n";
    assert_eq!(events(call).last(), Some(&ModelEvent::Finished(Finish::ToolUse)));
}

/// Reads `stream` event by event, with what is known about the models.
fn with_habits(habits: &Arc<Learned<Habit>>, stream: &str) -> Vec<ModelEvent> {
    let mut reader = Reader::new(Words::default(), Arc::clone(habits));
    let mut events = Vec::new();
    for piece in stream.split_inclusive("\n\n") {
        reader.feed(piece.as_bytes());
        events.extend(std::iter::from_fn(|| reader.pop()).map(Result::unwrap));
    }
    events
}

#[test]
fn a_model_that_leaks_thoughts_is_learned() {
    let habits = Arc::default();
    let stream = |name: &str| {
        format!(
            "event: model\ndata: {name}\n\ndata: A plan.\n\ndata: </think>\n\n\
             data: \ndata: Hello\n\ndata: END\n\n"
        )
    };
    let started = |name: &str| ModelEvent::Started { model: name.to_owned() };
    let first = with_habits(&habits, &stream("m"));
    let taken_back = [ModelEvent::TakenBack, ModelEvent::Thinking, text("Hello"), END];
    assert_eq!(first, [vec![started("m"), text("A plan.")], taken_back.to_vec()].concat());
    let held_back = [ModelEvent::Thinking, text("Hello"), END];
    for name in ["m", "qwq"] {
        let events = with_habits(&habits, &stream(name));
        assert_eq!(events, [vec![started(name)], held_back.to_vec()].concat());
    }
    // An answer without the tag is passed on at its end, the next one as it arrives.
    let plain = "event: model\ndata: m\n\ndata: a\n\ndata: b\n\ndata: END\n\n";
    assert_eq!(with_habits(&habits, plain), [started("m"), ModelEvent::Thinking, text("ab"), END]);
    assert_eq!(with_habits(&habits, plain), [started("m"), text("a"), text("b"), END]);
}

#[test]
fn text_that_nobody_has_read_is_taken_back_silently() {
    let stream = "data: A plan.\n\ndata: </think>\n\ndata: \ndata: Hello\n\ndata: END\n\n";
    assert_eq!(events(stream), [ModelEvent::Thinking, text("Hello"), END]);
}

#[test]
fn a_half_at_the_end_is_replaced() {
    let half = |end: &str| {
        let mut draft = AnswerDraft::default();
        for json in [r#""Hi \ud83d""#, end] {
            let piece: crate::provider::transport::wire::Str<'_> =
                serde_json::from_str(json).unwrap();
            draft.text(piece.0).unwrap();
        }
        draft.finish(Finish::Complete).unwrap();
        let events: Vec<_> = std::iter::from_fn(|| draft.pop()).collect();
        super::testing::text(&events)
    };
    assert_eq!(half(r#""\ude00!""#), "Hi 😀!");
    assert_eq!(half(r#""!""#), "Hi \u{FFFD}!");
    assert_eq!(half(r#""""#), "Hi \u{FFFD}");
}

proptest! {
    #[test]
    fn any_text_passes_unless_it_has_tags(parts in prop::collection::vec("[^\\s<\\[◁]{1,4}[ \n]?", 1..8)) {
        let mut draft = AnswerDraft::default();
        for part in &parts {
            draft.text(Cow::Borrowed(part)).unwrap();
        }
        draft.finish(Finish::Complete).unwrap();
        let events: Vec<_> = std::iter::from_fn(|| draft.pop()).collect();
        prop_assert_eq!(super::testing::text(&events), parts.concat());
    }
}
