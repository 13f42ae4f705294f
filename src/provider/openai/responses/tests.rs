use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::domain::Usage;
use crate::provider::openai::dialect::ModelDialect;
use crate::provider::openai::host::{Api, Host};
use crate::provider::parameter::Effort;
use crate::provider::transport::reader::testing::{
    Outcome, assert_failures, read_split_everywhere, text,
};
use crate::provider::{Entry, Fault, ModelEvent, ToolCall, ToolChoice, ToolResult, ToolSpec};

macro_rules! transcript {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/provider/openai/responses/", $name))
    };
}

fn read(transcript: &str) -> Outcome {
    let request = request("gpt-6.1-sol", vec![Entry::user("Average?")]);
    read_split_everywhere(|| ResponseReader::new(&request), transcript)
}

fn request(model: &str, entries: Vec<Entry>) -> ModelRequest {
    ModelRequest {
        model: model.to_owned(),
        system: "Be brief.".to_owned(),
        entries,
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        max_tokens: 1000,
        temperature: Some(0.5),
    }
}

const ARGUMENTS: &str = "{\"sql\": \"SELECT avg(\\\"größe\\\") FROM data\", \"chart\": \"bar\"}";

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

fn started(model: &str) -> ModelEvent {
    ModelEvent::Started { model: model.to_owned() }
}

const LUNA: &str = "gpt-6-luna-2026-09-22";
const SOL: &str = "gpt-6.1-sol-2026-09-29";

#[test]
fn an_answer_is_read_event_by_event() {
    let (events, failure) = read(transcript!("text.sse"));
    assert_eq!(failure, None);
    let expected = [
        started(LUNA),
        ModelEvent::Text("Zażółć".to_owned()),
        ModelEvent::Text(" gęślą \"jaźń\"\n".to_owned()),
        ModelEvent::Text("🦀!".to_owned()),
        ModelEvent::Usage(Usage {
            input_tokens: 1200,
            output_tokens: 10,
            cached_input_tokens: 1024,
            cache_write_tokens: 128,
            reasoning_tokens: 0,
        }),
        ModelEvent::Finished(Finish::Complete),
    ];
    assert_eq!(events, expected);
}

#[test]
fn transcripts_are_read_with_text_and_end() {
    for (transcript, model, expected, finish) in [
        (transcript!("length.sse"), LUNA, "It goes on and", Finish::Length),
        (transcript!("filtered.sse"), LUNA, "First, you", Finish::Refused),
        (transcript!("refusal.sse"), LUNA, "", Finish::Refused),
        (transcript!("gateway.sse"), "gpt-6-luna", "By proxy.", Finish::Complete),
        (transcript!("two_messages.sse"), LUNA, "First.\n\nSecond.", Finish::Complete),
        (transcript!("tools_cut.sse"), LUNA, "Let me look.", Finish::Length),
    ] {
        let (events, failure) = read(transcript);
        assert_eq!(failure, None, "{transcript}");
        assert_eq!(events[0], started(model));
        assert_eq!(text(&events), expected);
        assert_eq!(events.last(), Some(&ModelEvent::Finished(finish)), "{transcript}");
        assert!(!events.iter().any(|event| matches!(event, ModelEvent::ToolCall(_))));
        let counted = |event: &&ModelEvent| matches!(event, ModelEvent::Usage(_));
        assert_eq!(events.iter().filter(counted).count(), 1, "{transcript}");
    }
}

#[test]
fn calls_arrive_complete_and_last() {
    let (events, failure) = read(transcript!("tools.sse"));
    assert_eq!(failure, None);
    assert_eq!(text(&events), "Let me look.");
    let expected = [
        ModelEvent::ToolCall(call("call_A", "query_data", ARGUMENTS)),
        ModelEvent::ToolCall(call("call_B", "list_tables", "{}")),
        ModelEvent::Finished(Finish::ToolUse),
    ];
    assert_eq!(events[events.len() - 3..], expected);
    let verbatim = |event: &ModelEvent| matches!(event, ModelEvent::Verbatim(_));
    assert!(!events.iter().any(verbatim), "without thoughts there is nothing to carry");
}

fn kinds(message: &Verbatim) -> Vec<String> {
    let kind = |item: &String| {
        let item: Value = serde_json::from_str(item).unwrap();
        item["type"].as_str().unwrap().to_owned()
    };
    message.items.iter().map(kind).collect()
}

#[test]
fn thoughts_are_announced_and_kept_beside_their_calls_but_never_shown() {
    let (events, failure) = read(transcript!("thinking_tools.sse"));
    assert_eq!(failure, None);
    assert_eq!(events[..2], [started(SOL), ModelEvent::Thinking]);
    let usage = Usage {
        input_tokens: 300,
        output_tokens: 210,
        cache_write_tokens: 256,
        reasoning_tokens: 192,
        ..Usage::default()
    };
    assert_eq!(events[2], ModelEvent::Usage(usage));
    let ModelEvent::Verbatim(message) = &events[3] else { panic!("{events:?}") };
    assert_eq!((message.api, message.model.as_str()), ("responses", "gpt-6.1-sol"));
    assert_eq!(kinds(message), ["reasoning", "function_call"]);
    // From the event that ends the item; the one that begins it has less.
    assert!(message.items[0].contains("\"gAAAAABz-1\""), "{message:?}");
    assert_eq!(events[4], ModelEvent::ToolCall(call("call_A", "query_data", ARGUMENTS)));
    assert_eq!(events[5..], [ModelEvent::Finished(Finish::ToolUse)]);
    assert!(!format!("{events:?}").contains("secret"));
}

#[test]
fn an_answer_in_one_piece_is_read_like_a_stream() {
    let (events, failure) = read(transcript!("whole.json"));
    assert_eq!(failure, None);
    assert_eq!(text(&events), "Let me look.");
    let Some(ModelEvent::Verbatim(message)) = events.iter().rev().nth(2) else {
        panic!("{events:?}");
    };
    assert_eq!(kinds(message), ["reasoning", "message", "function_call"]);
    assert_eq!(events.last(), Some(&ModelEvent::Finished(Finish::ToolUse)));
}

/// They could not be found again, because nothing is stored.
#[test]
fn thoughts_without_their_encrypted_form_are_not_kept() {
    for with in ["null", "\"\""] {
        let transcript = transcript!("thinking_tools.sse").replace("\"gAAAAABz-1\"", with);
        let (events, failure) = read(&transcript);
        assert_eq!(failure, None);
        assert!(!events.iter().any(|event| matches!(event, ModelEvent::Verbatim(_))));
        assert_eq!(events.last(), Some(&ModelEvent::Finished(Finish::ToolUse)));
    }
}

#[test]
fn a_message_too_large_to_keep_is_sent_back_without_its_thoughts() {
    for (length, is_kept) in [(MAX_VERBATIM - 500, true), (MAX_VERBATIM, false)] {
        let thought = "x".repeat(length);
        let transcript = transcript!("thinking_tools.sse").replace("gAAAAABz-1", &thought);
        let mut reader = crate::provider::transport::reader::Reader::new(
            ResponseReader::default(),
            Arc::default(),
        );
        reader.feed(transcript.as_bytes());
        let events: Vec<_> = std::iter::from_fn(|| reader.pop()).map(Result::unwrap).collect();
        let verbatim = |event: &ModelEvent| matches!(event, ModelEvent::Verbatim(_));
        assert_eq!(events.iter().any(verbatim), is_kept);
        assert_eq!(events.last(), Some(&ModelEvent::Finished(Finish::ToolUse)));
    }
}

#[test]
fn failures_are_distinguished_by_whether_text_has_arrived() {
    let cut_short = transcript!("no_end.sse");
    let broken = cut_short.replace("\"delta\": \"Half", "\"delta\": Half");
    let with_done = format!("{cut_short}data: [DONE]\n\n");
    assert_failures(
        read,
        &[
            ("failed first", transcript!("failed_first.sse"), "", Fault::Busy),
            ("failed late", transcript!("failed_late.sse"), "Half an ans", Fault::Interrupted),
            ("no end", cut_short, "Half an ans", Fault::Interrupted),
            ("only [DONE]", &with_done, "Half an ans", Fault::Interrupted),
            ("broken JSON", &broken, "", Fault::Malformed),
            ("empty", transcript!("empty.sse"), "", Fault::Malformed),
            ("thoughts only", transcript!("thoughts_only.sse"), "", Fault::Malformed),
            ("nothing", "", "", Fault::Malformed),
            ("HTML", "<html>", "", Fault::Malformed),
            ("other JSON", "{\"hello\": 1}", "", Fault::Malformed),
            ("half a JSON object", "{\"output\": [", "", Fault::Malformed),
        ],
    );
}

/// Regression: the error was not found inside the response, and all of the event became the detail.
#[test]
fn a_failed_response_is_reported_by_its_own_error() {
    let (_, failure) = read(transcript!("failed_first.sse"));
    assert_eq!(failure, Some((Fault::Busy, "error event: Slow down, please.".to_owned())));
}

#[test]
fn errors_are_recognised_in_all_their_shapes() {
    for (transcript, fault) in [
        // As documented, and as seen.
        (
            r#"data: {"type":"error","code":"server_error","message":"m","param":null}"#,
            Fault::Overloaded,
        ),
        (
            r#"data: {"type":"error","error":{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"m"}}"#,
            Fault::Busy,
        ),
        (
            "event: error\ndata: {\"code\":\"context_length_exceeded\",\"message\":\"m\"}",
            Fault::TooLong,
        ),
        (r#"data: {"error":{"message":"m","code":400}}"#, Fault::Rejected),
        (r#"data: {"type":"response.failed","response":{"error":null}}"#, Fault::Overloaded),
        (r#"data: {"type":"response.failed"}"#, Fault::Overloaded),
        (r#"{"error":{"message":"m","type":"insufficient_quota"}}"#, Fault::Exhausted),
        (
            r#"{"object":"response","status":"failed","error":{"code":"server_error"}}"#,
            Fault::Overloaded,
        ),
    ] {
        let (events, failure) = read(&format!("{transcript}\n\n"));
        let failure = failure.map(|(fault, _)| fault);
        assert_eq!((events.len(), failure), (0, Some(fault)), "{transcript}");
    }
}

#[test]
fn a_question_that_is_declined_by_an_error_is_refused() {
    for transcript in [
        r#"data: {"type":"response.failed","response":{"error":{"code":"invalid_prompt"}}}"#,
        r#"data: {"type":"error","code":"bio_policy","message":"m"}"#,
        r#"{"status":"failed","error":{"code":"invalid_prompt","message":"m"}}"#,
    ] {
        let (events, failure) = read(&format!("{transcript}\n\n"));
        assert_eq!((events, failure), (vec![ModelEvent::Finished(Finish::Refused)], None));
    }
}

fn written(request: &ModelRequest, dialect: ModelDialect) -> Value {
    serde_json::from_slice(&body::write(request, dialect).unwrap()).unwrap()
}

fn dialect(host: Host, model: &str) -> ModelDialect {
    ModelDialect::of(host, Api::Responses, model)
}

#[test]
fn the_body_for_openai_stores_nothing_and_asks_for_no_thoughts() {
    let request = request(
        "gpt-6-luna",
        vec![
            Entry::user("1 + 1?"),
            Entry::assistant("2."),
            Entry::assistant(""),
            Entry::user("And 2 + 2?"),
        ],
    );
    let mut body = written(&request, dialect(Host::OpenAi, "gpt-6-luna"));
    let key = body.as_object_mut().unwrap().remove("prompt_cache_key").unwrap();
    assert_eq!(key.as_str().unwrap().len(), 32);
    let expected = json!({
        "model": "gpt-6-luna",
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": "1 + 1?"},
            {"role": "assistant", "content": "2."},
            {"role": "user", "content": "And 2 + 2?"},
        ],
        "max_output_tokens": 1000,
        "reasoning": {"effort": "none"},
        "temperature": 0.5,
        "store": false,
        "stream": true,
    });
    assert_eq!(body, expected);
}

#[test]
fn the_body_leaves_out_what_a_model_does_not_know() {
    let older = written(&request("gpt-4.1", vec![]), dialect(Host::OpenAi, "gpt-4.1"));
    assert_eq!((older.get("reasoning"), &older["temperature"]), (None, &json!(0.5)));
    let local = written(&request("qwen3", vec![]), dialect(Host::Compatible, "qwen3"));
    for name in ["reasoning", "include", "prompt_cache_key", "tools", "stream_options"] {
        assert_eq!(local.get(name), None, "{name}");
    }
    let effort = Some(Effort::Low);
    let thinking = ModelDialect { effort, ..dialect(Host::OpenAi, "gpt-6.1-sol") };
    let body = written(&request("gpt-6.1-sol", vec![]), thinking);
    assert_eq!(body["reasoning"], json!({"effort": "low"}));
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!((body.get("temperature"), &body["max_output_tokens"]), (None, &json!(3000)));
    let body = written(&request("m", vec![]), ModelDialect { include: false, ..thinking });
    assert_eq!(body.get("include"), None);
}

#[test]
fn the_cache_key_depends_on_the_part_of_the_system_text_that_stays() {
    let key = |system: &str| {
        let request = ModelRequest { system: system.to_owned(), ..request("m", vec![]) };
        written(&request, dialect(Host::OpenAi, "m"))["prompt_cache_key"].clone()
    };
    let page = |text: &str| {
        let mut system = "You are Ada.\n".to_owned();
        crate::domain::block::write_block(&mut system, "page", text);
        system
    };
    assert_eq!(key(&page("One")), key(&page("Two")));
    assert_ne!(key(&page("One")), key("You are Bob.\n"));
}

fn tool_round(verbatim: Option<Verbatim>) -> ModelRequest {
    let result = |id: &str, content: &str, is_error| ToolResult {
        call_id: id.to_owned(),
        content: content.to_owned(),
        is_error,
    };
    let round = Entry::Assistant {
        text: "Let me look.".to_owned(),
        calls: vec![
            call("call_A", "query_data", "{\"sql\": \"SELECT 1\"}"),
            call("call_B", "query data", "{\"sql\":"),
        ],
        verbatim,
    };
    let results =
        Entry::ToolResults(vec![result("call_A", "[1]", false), result("call_B", "bad", true)]);
    ModelRequest {
        tools: vec![ToolSpec {
            name: "query_data",
            description: "Runs SQL.".to_owned(),
            parameters: json!({"type": "object"}),
        }],
        ..request("gpt-6.1-sol", vec![Entry::user("Average?"), round, results])
    }
}

#[test]
fn the_body_shows_tools_calls_and_results() {
    let request = ModelRequest { tool_choice: ToolChoice::None, ..tool_round(None) };
    let body = written(&request, dialect(Host::OpenAi, "gpt-6-luna"));
    let tools = json!([{
        "type": "function",
        "name": "query_data",
        "description": "Runs SQL.",
        "parameters": {"type": "object"},
        "strict": false,
    }]);
    assert_eq!((&body["tools"], &body["tool_choice"]), (&tools, &json!("none")));
    let input = json!([
        {"role": "user", "content": "Average?"},
        {"role": "assistant", "content": "Let me look."},
        {"type": "function_call", "call_id": "call_A", "name": "query_data",
            "arguments": "{\"sql\": \"SELECT 1\"}"},
        {"type": "function_call", "call_id": "call_B", "name": "query_data",
            "arguments": "{\"INVALID_JSON\":\"{\\\"sql\\\":\"}"},
        {"type": "function_call_output", "call_id": "call_A", "output": "[1]"},
        {"type": "function_call_output", "call_id": "call_B", "output": "Error: bad"},
    ]);
    assert_eq!(body["input"], input);
    let free = written(&tool_round(None), dialect(Host::OpenAi, "gpt-6-luna"));
    assert_eq!(free.get("tool_choice"), None);
}

#[test]
fn thoughts_go_back_only_to_the_model_and_api_that_had_them() {
    let items = [
        json!({"type": "reasoning", "id": "rs_0", "summary": [], "encrypted_content": "gAAAA"}),
        json!({"type": "function_call", "id": "fc_1", "call_id": "call_A", "name": "query_data",
            "arguments": "{\"sql\": \"SELECT 1\"}"}),
        json!({"type": "function_call", "id": "fc_2", "call_id": "call_B", "name": "query data",
            "arguments": "{\"sql\":"}),
    ];
    let verbatim = Verbatim {
        api: API,
        model: "gpt-6.1-sol".to_owned(),
        items: items.iter().map(Value::to_string).collect(),
    };
    let effort = Some(Effort::Low);
    let thinking = ModelDialect { effort, ..dialect(Host::OpenAi, "gpt-6.1-sol") };
    let input = |verbatim: &Verbatim, dialect| {
        written(&tool_round(Some(verbatim.clone())), dialect)["input"].clone()
    };
    let carried = input(&verbatim, thinking);
    assert_eq!(carried.as_array().unwrap()[1..4], items);
    assert_eq!(carried[4]["type"], "function_call_output");

    let plain = written(&tool_round(None), thinking)["input"].clone();
    let without_last = verbatim.items[..2].to_vec();
    let swapped =
        vec![verbatim.items[0].clone(), verbatim.items[2].clone(), verbatim.items[1].clone()];
    for (name, other) in [
        ("API", Verbatim { api: "messages", ..verbatim.clone() }),
        ("model", Verbatim { model: "gpt-6-luna".to_owned(), ..verbatim.clone() }),
        ("calls missing", Verbatim { items: without_last, ..verbatim.clone() }),
        ("calls in another order", Verbatim { items: swapped, ..verbatim.clone() }),
        ("not JSON", Verbatim { items: vec!["{".to_owned()], ..verbatim.clone() }),
    ] {
        assert_eq!(input(&other, thinking), plain, "{name}");
    }
    assert_eq!(input(&verbatim, ModelDialect { include: false, ..thinking }), plain);
    assert_eq!(input(&verbatim, ModelDialect { effort: Some(Effort::None), ..thinking }), plain);
}

#[test]
fn made_up_ids_count_on_from_earlier_calls() {
    let transcript = transcript!("tools.sse").replace("\"call_A\"", "\"\"");
    let reader = ResponseReader::new(&tool_round(None));
    let pieces = [transcript.as_bytes()];
    let (events, _) = crate::provider::transport::reader::testing::read(reader, pieces.into_iter());
    assert!(events.contains(&ModelEvent::ToolCall(call("call_2", "query_data", ARGUMENTS))));
}

#[test]
fn characters_cut_in_two_are_joined_and_thoughts_in_the_text_left_out() {
    let delta = |text: &str| {
        format!("data: {{\"type\":\"response.output_text.delta\",\"delta\":\"{text}\"}}\n\n")
    };
    let end = "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n";
    for (pieces, expected) in [
        (["Hi \\ud83d", "\\ude00"], "Hi 😀"),
        (["Hi \\ud83d", "!"], "Hi \u{FFFD}!"),
        (["<think>pl", "an</think>\\n\\nHi"], "Hi"),
        (["plan\\n", "</think>\\n\\nHi"], "Hi"),
    ] {
        let transcript = [&delta(pieces[0]), &delta(pieces[1]), end].concat();
        let request = request("local", vec![Entry::user("Hi?")]);
        let reader = ResponseReader::new(&request);
        let transcript = [transcript.as_bytes()];
        let read = crate::provider::transport::reader::testing::read;
        let (events, failure) = read(reader, transcript.into_iter());
        assert_eq!((text(&events).as_str(), failure), (expected, None));
    }
}
