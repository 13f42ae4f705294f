use serde_json::{Value, json};

use super::*;
use crate::domain::Role;
use crate::provider::transport::reader::testing::{Outcome, read_cut_everywhere, text};
use crate::provider::{Event, Turn};

macro_rules! transcript {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/provider/anthropic/", $name))
    };
}

fn read(transcript: &str) -> Outcome {
    read_cut_everywhere(Messages::default, transcript)
}

fn usage(input_tokens: u32, output_tokens: u32) -> Event {
    Event::Usage(Usage { input_tokens, output_tokens })
}

fn started() -> Event {
    Event::Started { model: "claude-haiku-4-5-20251001".to_owned() }
}

#[test]
fn an_answer_is_read_event_by_event() {
    let (events, failure) = read(transcript!("text.sse"));
    assert_eq!(failure, None);
    let expected = [
        started(),
        usage(25, 1),
        Event::Text("Zażółć".to_owned()),
        Event::Text(" gęślą \"jaźń\"\n".to_owned()),
        Event::Text("🦀!".to_owned()),
        usage(25, 15),
        Event::Finished(Finish::Complete),
    ];
    assert_eq!(events, expected);
}

#[test]
fn transcripts_give_their_text_usage_and_end() {
    let cases = [
        ("thinking", transcript!("thinking.sse"), "27 × 453 = 12,231", (40, 60), Finish::Complete),
        ("cached", transcript!("cached.sse"), "Yes.", (3210, 7), Finish::Complete),
        ("length", transcript!("length.sse"), "Once upon", (9, 2), Finish::Length),
        ("refusal", transcript!("refusal.sse"), "I can", (9, 4), Finish::Refused),
        ("refused at once", transcript!("refusal_at_once.sse"), "", (9, 0), Finish::Refused),
        ("news", transcript!("news.sse"), "The sky.", (5, 4), Finish::Complete),
        ("whole", transcript!("whole.json"), "Hi! I am “Claude”.", (42, 6), Finish::Complete),
    ];
    for (name, transcript, expected, (input, output), finish) in cases {
        let (events, failure) = read(transcript);
        assert_eq!(failure, None, "{name}");
        assert_eq!(events[0], started(), "{name}");
        assert_eq!(text(&events), expected, "{name}");
        let end = [usage(input, output), Event::Finished(finish)];
        assert_eq!(events[events.len() - 2..], end, "{name}");
    }
}

#[test]
fn every_stop_reason_has_its_end() {
    let cases = [
        ("\"end_turn\"", Finish::Complete),
        ("\"stop_sequence\"", Finish::Complete),
        ("\"tool_use\"", Finish::Complete),
        ("\"pause_turn\"", Finish::Complete),
        ("\"something_new\"", Finish::Complete),
        ("null", Finish::Complete),
        ("\"max_tokens\"", Finish::Length),
        ("\"model_context_window_exceeded\"", Finish::Length),
        ("\"refusal\"", Finish::Refused),
    ];
    for (reason, finish) in cases {
        let transcript = transcript!("length.sse").replace("\"max_tokens\"", reason);
        let (events, failure) = read(&transcript);
        assert_eq!((events.last(), failure), (Some(&Event::Finished(finish)), None), "{reason}");
    }
}

#[test]
fn failures_are_told_apart_by_whether_text_has_come() {
    let cut_short = transcript!("no_end.sse");
    let broken = cut_short.replace("\"text\":\"Half", "\"text\":Half");
    let cases = [
        ("error first", transcript!("error_first.sse"), "", Fault::Overloaded),
        ("error late", transcript!("error_late.sse"), "Half an ans", Fault::Interrupted),
        ("no end", cut_short, "Half an ans", Fault::Interrupted),
        ("broken JSON", broken.as_str(), "", Fault::Malformed),
        ("blank", transcript!("empty.sse"), "", Fault::Malformed),
        ("nothing", "", "", Fault::Malformed),
        ("HTML", "\n<!doctype html><p>Sign in</p>", "", Fault::Malformed),
        ("other JSON", "{\"hello\": 1}", "", Fault::Malformed),
    ];
    for (name, transcript, expected, fault) in cases {
        let (events, failure) = read(transcript);
        assert_eq!(text(&events), expected, "{name}");
        assert_eq!(failure.map(|(fault, _)| fault), Some(fault), "{name}");
        assert!(!events.iter().any(|event| matches!(event, Event::Finished(_))), "{name}");
    }
}

#[test]
fn an_error_in_place_of_an_answer_is_read_as_its_type_says() {
    for (kind, fault) in [
        ("rate_limit_error", Fault::Busy { retry_after: None }),
        ("overloaded_error", Fault::Overloaded),
        ("api_error", Fault::Overloaded),
        ("timeout_error", Fault::Timeout),
        ("authentication_error", Fault::Misconfigured),
        ("billing_error", Fault::Exhausted),
        ("request_too_large", Fault::TooLong),
        ("invalid_request_error", Fault::Rejected),
    ] {
        let body = json!({"type": "error", "error": {"type": kind, "message": "why"}}).to_string();
        for transcript in [body.clone(), format!("event: error\ndata: {body}\n\n")] {
            let (events, failure) = read(&transcript);
            assert_eq!(events, []);
            assert_eq!(failure, Some((fault.clone(), format!("error event {kind}: why"))));
        }
    }
}

fn request() -> Request {
    let turn = |role, text: &str| Turn { role, text: text.to_owned() };
    Request {
        model: "claude-haiku-4-5".to_owned(),
        system: "Be brief.".to_owned(),
        turns: vec![
            turn(Role::User, "Hi"),
            turn(Role::Assistant, "Hello!"),
            turn(Role::User, "\"1 + 1\"?"),
        ],
        max_tokens: 1000,
        temperature: None,
    }
}

fn written(request: &Request) -> Value {
    serde_json::from_slice(&body(request).unwrap()).unwrap()
}

#[test]
fn the_body_holds_what_the_api_asks_for() {
    let expected = json!({
        "model": "claude-haiku-4-5",
        "max_tokens": 1000,
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "\"1 + 1\"?"},
        ],
        "stream": true,
    });
    assert_eq!(written(&request()), expected);
}

#[test]
fn what_is_not_set_is_left_out_and_temperature_ends_at_1() {
    let empty = written(&Request { system: String::new(), ..request() });
    assert_eq!(empty.get("system"), None);
    assert_eq!(empty.get("temperature"), None);
    for (given, sent) in [(0.0, 0.0), (0.7, 0.7), (2.0, 1.0)] {
        let body = written(&Request { temperature: Some(given), ..request() });
        assert_eq!(body["temperature"], json!(sent));
    }
}
