use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::domain::Usage;
use crate::provider::openai::DEFAULT_BASE_URL;
use crate::provider::openai::dialect::ModelDialect;
use crate::provider::openai::host::{Api, Host};
use crate::provider::transport::reader::testing::{
    Outcome, assert_failures, read_split_everywhere, text,
};
use crate::provider::{Entry, ModelEvent, ToolCall, ToolChoice, ToolResult, ToolSpec};

macro_rules! transcript {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/provider/openai/", $name))
    };
}

fn read(transcript: &str) -> Outcome {
    read_split_everywhere(Completions::default, transcript)
}

fn usage(input_tokens: u32, output_tokens: u32) -> ModelEvent {
    ModelEvent::Usage(Usage { input_tokens, output_tokens, ..Usage::default() })
}

#[test]
fn an_answer_is_read_event_by_event() {
    let (events, failure) = read(transcript!("openai.sse"));
    assert_eq!(failure, None);
    let expected = [
        ModelEvent::Started { model: "gpt-5.4-mini-2026-01-15".to_owned() },
        ModelEvent::Text("Zażółć".to_owned()),
        ModelEvent::Text(" gęślą \"jaźń\"\n".to_owned()),
        ModelEvent::Text("🦀!".to_owned()),
        ModelEvent::Usage(Usage {
            input_tokens: 19,
            output_tokens: 10,
            cached_input_tokens: 16,
            ..Usage::default()
        }),
        ModelEvent::Finished(Finish::Complete),
    ];
    assert_eq!(events, expected);
}

#[test]
fn transcripts_of_all_servers_are_read_with_model_text_usage_and_end() {
    use Finish::{Complete, Length, Refused};
    const OWN: &str = "gpt-5.4-mini-2026-01-15";
    const LLAMA: &str = "meta-llama/Llama-3.1-8B-Instruct";
    let cases = [
        (transcript!("refusal.sse"), OWN, "", Some((8, 11)), Refused),
        (transcript!("azure.sse"), "gpt-4.1-mini-2025-04-14", "All safe.", Some((12, 3)), Complete),
        (transcript!("azure_filtered.sse"), OWN, "First, you", None, Refused),
        (transcript!("ollama.sse"), "qwen3:4b", "\n\nHello there.", Some((14, 22)), Complete),
        (transcript!("vllm.sse"), LLAMA, "Four.", Some((30, 5)), Length),
        (transcript!("llama_cpp.sse"), "gpt-3.5-turbo", "Tea is served.", Some((11, 4)), Complete),
        (transcript!("litellm.sse"), "claude", "By proxy.", Some((7, 3)), Complete),
        (transcript!("no_done.sse"), OWN, "Short.", None, Complete),
        (transcript!("no_finish_reason.sse"), OWN, "Short.", None, Complete),
        (transcript!("whole.json"), "local", "Hi! I am “local”.", Some((19, 10)), Length),
    ];
    for (transcript, model, expected, counted, finish) in cases {
        let (mut events, failure) = read(transcript);
        assert_eq!(failure, None, "{transcript}");
        assert_eq!(events.remove(0), ModelEvent::Started { model: model.to_owned() });
        assert_eq!(events.pop(), Some(ModelEvent::Finished(finish)), "{transcript}");
        if let Some((input, output)) = counted {
            assert_eq!(events.pop(), Some(usage(input, output)), "{transcript}");
        }
        // Thoughts are announced, not passed on.
        let thinks = transcript.contains("\"reasoning");
        assert_eq!(events.first() == Some(&ModelEvent::Thinking), thinks, "{transcript}");
        let words = &events[usize::from(thinks)..];
        assert!(words.iter().all(|event| matches!(event, ModelEvent::Text(_))), "{transcript}");
        assert_eq!(text(&events), expected);
    }
}

#[test]
fn a_model_name_that_is_a_path_is_ignored() {
    let (events, failure) = read(transcript!("llama_cpp_path.sse"));
    assert_eq!(failure, None);
    let started = |event: &ModelEvent| matches!(event, ModelEvent::Started { .. });
    assert!(!events.iter().any(started), "{events:?}");
    assert_eq!(text(&events), "Tea is served.");
}

#[test]
fn failures_are_distinguished_by_whether_text_has_arrived() {
    let cut_short = transcript!("no_end.sse");
    let broken = cut_short.replace("\"content\":\"Half", "\"content\":Half");
    assert_failures(
        read,
        &[
            ("error first", transcript!("error_first.sse"), "", Fault::Busy),
            ("error late", transcript!("error_late.sse"), "Half an ans", Fault::Interrupted),
            ("no end", cut_short, "Half an ans", Fault::Interrupted),
            ("broken JSON", broken.as_str(), "", Fault::Malformed),
            ("empty", transcript!("empty.sse"), "", Fault::Malformed),
            ("only the end mark", "data: [DONE]\n\n", "", Fault::Malformed),
            ("nothing", "", "", Fault::Malformed),
            ("HTML", "<html>", "", Fault::Malformed),
            ("other JSON", "{\"hello\": 1}", "", Fault::Malformed),
            ("half a JSON object", "{\"choices\": [", "", Fault::Malformed),
        ],
    );
}

#[test]
fn errors_in_a_stream_are_recognised_in_all_their_shapes() {
    for (transcript, fault) in [
        // vLLM, before and after it adopted the envelope.
        (r#"data: {"object":"error","message":"m","code":400}"#, Fault::Rejected),
        (r#"data: {"error":{"message":"m","type":"BadRequestError","code":400}}"#, Fault::Rejected),
        // OpenRouter.
        (r#"data: {"id":"g","error":{"code":502,"message":"m"},"choices":[]}"#, Fault::Unreachable),
        (
            r#"data: {"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#,
            Fault::Overloaded,
        ),
        // Ollama.
        (r#"data: {"error":"m"}"#, Fault::Overloaded),
        // A gateway that names the event.
        ("event: error\ndata: {\"message\":\"m\",\"code\":429}", Fault::Busy),
        (r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#, Fault::TooLong),
        (r#"{"error":{"message":"m","type":"insufficient_quota"}}"#, Fault::Exhausted),
    ] {
        let (events, failure) = read(&format!("{transcript}\n\n"));
        assert_eq!(
            (events.len(), failure.map(|(fault, _)| fault)),
            (0, Some(fault)),
            "{transcript}"
        );
    }
}

#[test]
fn all_token_counts_are_read() {
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
        "completion_tokens_details": {"reasoning_tokens": 40}});
    let whole = json!({"model": "m", "usage": usage,
        "choices": [{"message": {"content": "Hi", "reasoning_content": ""}, "finish_reason": "stop"}]});
    let (events, failure) = read(&whole.to_string());
    assert_eq!(failure, None);
    let counts = Usage {
        input_tokens: 100,
        output_tokens: 50,
        cached_input_tokens: 60,
        cache_write_tokens: 30,
        reasoning_tokens: 40,
    };
    assert!(events.contains(&ModelEvent::Usage(counts)), "{events:?}");
    assert!(!events.contains(&ModelEvent::Thinking), "an empty thought is none");
}

fn request(model: &str) -> ModelRequest {
    ModelRequest {
        model: model.to_owned(),
        system: "Be brief.".to_owned(),
        entries: vec![Entry::user("1 + 1?")],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        max_tokens: 1000,
        temperature: Some(0.5),
    }
}

fn written(request: &ModelRequest, base_url: &str) -> Value {
    let host = Host::of(&Url::parse(base_url).unwrap());
    let body = body::write(request, ModelDialect::of(host, Api::Chat, &request.model)).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn the_body_for_openai_has_the_parameters_of_its_newer_models() {
    let expected = json!({
        "model": "gpt-5.4-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "1 + 1?"},
        ],
        "max_completion_tokens": 1000,
        "reasoning_effort": "none",
        "temperature": 0.5,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    assert_eq!(written(&request("gpt-5.4-mini"), DEFAULT_BASE_URL), expected);
    let older = written(&request("gpt-4.1"), DEFAULT_BASE_URL);
    assert_eq!(
        (&older["temperature"], &older["max_completion_tokens"], older.get("reasoning_effort")),
        (&json!(0.5), &json!(1000), None)
    );
}

#[test]
fn the_body_for_compatible_servers_has_the_parameters_that_all_know() {
    let expected = json!({
        "model": "gpt-5-tiny",
        "messages": [{"role": "user", "content": "1 + 1?"}],
        "max_tokens": 1000,
        "temperature": 0.5,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    let request = ModelRequest { system: String::new(), ..request("gpt-5-tiny") };
    assert_eq!(written(&request, "http://127.0.0.1:11434/v1"), expected);
}

const ARGUMENTS: &str = "{\"sql\": \"SELECT avg(\\\"größe\\\") FROM data\", \"chart\": \"bar\"}";

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

#[test]
fn tool_calls_of_all_servers_arrive_complete_and_last() {
    let query = |id| call(id, "query_data", ARGUMENTS);
    let tables = |id| call(id, "list_tables", "{}");
    let one = |id| call(id, "query_data", "{\"sql\":\"SELECT 1\"}");
    let cases = [
        (
            transcript!("tools.sse"),
            "Let me look.",
            Some((82, 27)),
            vec![query("call_DdmO9pD3xa9XTPNJ32zg2hcA")],
        ),
        (transcript!("tools_two.sse"), "", Some((82, 40)), vec![one("call_A"), tables("call_B")]),
        (
            transcript!("ollama_tools.sse"),
            "",
            Some((190, 31)),
            vec![query("call_9l3p6iwv"), tables("call_x2k8qz0m")],
        ),
        (transcript!("vllm_tools.sse"), "", Some((201, 30)), vec![query("chatcmpl-tool-7d3f0a")]),
        (
            transcript!("llama_cpp_tools.sse"),
            "",
            Some((180, 33)),
            vec![query("Vw7cK1nDqJtXo3eYbLhR5uPz2sGm8aFi")],
        ),
        (transcript!("litellm_tools.sse"), "By proxy.", Some((300, 44)), vec![query("toolu_01A")]),
        (
            transcript!("bare_tools.sse"),
            "",
            None,
            vec![query("call_0"), call("call_1", "query_data", "{\"sql\":\"SELECT 2\"}")],
        ),
        (
            transcript!("tools_whole.json"),
            "",
            Some((90, 25)),
            vec![one("call_A"), call("call_1", "query_data", "{}")],
        ),
    ];
    for (transcript, expected, counted, calls) in cases {
        let (events, failure) = read(transcript);
        assert_eq!(failure, None, "{transcript}");
        assert_eq!(text(&events), expected);
        let mut end: Vec<ModelEvent> = counted.into_iter().map(|(i, o)| usage(i, o)).collect();
        end.extend(calls.into_iter().map(ModelEvent::ToolCall));
        end.push(ModelEvent::Finished(Finish::ToolUse));
        assert_eq!(events[events.len() - end.len()..], end);
    }
}

#[test]
fn truncated_or_missing_calls_are_not_calls() {
    let (events, _) = read(transcript!("tools_cut.sse"));
    assert_eq!(events.last(), Some(&ModelEvent::Finished(Finish::Length)));
    assert!(!events.iter().any(|event| matches!(event, ModelEvent::ToolCall(_))));

    let said_only = transcript!("no_done.sse").replace("\"stop\"", "\"tool_calls\"");
    assert_eq!(read(&said_only).0.last(), Some(&ModelEvent::Finished(Finish::Complete)));

    let two = transcript!("tools_two.sse");
    let without_end: Vec<&str> = two.split_inclusive("\n\n").take(7).collect();
    let (events, failure) = read(&without_end.concat());
    assert_eq!((events.len(), failure.unwrap().0), (1, Fault::Malformed));
}

fn with_tools() -> ModelRequest {
    let result = |id: &str, content: &str, is_error| ToolResult {
        call_id: id.to_owned(),
        content: content.to_owned(),
        is_error,
    };
    ModelRequest {
        system: String::new(),
        entries: vec![
            Entry::user("Average?"),
            Entry::Assistant {
                text: String::new(),
                calls: vec![
                    call("call_1", "query_data", "{\"sql\": \"SELECT 1\"}"),
                    call("call:2", "query data", "{\"sql\":"),
                ],
                verbatim: None,
            },
            Entry::ToolResults(vec![
                result("call_1", "[1]", false),
                result("call:2", "broken JSON", true),
            ]),
        ],
        tools: vec![ToolSpec {
            name: "query_data",
            description: "Runs SQL.".to_owned(),
            parameters: json!({"type": "object"}),
        }],
        ..request("gpt-4.1")
    }
}

#[test]
fn the_body_shows_tools_calls_and_results() {
    let body = written(&with_tools(), DEFAULT_BASE_URL);
    let tools = json!([{
        "type": "function",
        "function": {
            "name": "query_data",
            "description": "Runs SQL.",
            "parameters": {"type": "object"},
        },
    }]);
    assert_eq!((&body["tools"], body.get("tool_choice")), (&tools, None));
    let called = |id: &str, arguments: &str| {
        json!({
            "id": id,
            "type": "function",
            "function": {"name": "query_data", "arguments": arguments},
        })
    };
    let messages = json!([
        {"role": "user", "content": "Average?"},
        {"role": "assistant", "content": null, "tool_calls": [
            called("call_1", "{\"sql\": \"SELECT 1\"}"),
            called("call_2", "{\"INVALID_JSON\":\"{\\\"sql\\\":\"}"),
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "[1]"},
        {"role": "tool", "tool_call_id": "call_2", "content": "Error: broken JSON"},
    ]);
    assert_eq!(body["messages"], messages);
}

#[test]
fn tools_are_still_listed_when_they_are_switched_off() {
    let off = ModelRequest { tool_choice: ToolChoice::None, ..with_tools() };
    let body = written(&off, DEFAULT_BASE_URL);
    assert_eq!(
        (&body["tool_choice"], body["tools"].as_array().unwrap().len()),
        (&json!("none"), 1)
    );
    let none = written(&ModelRequest { tools: Vec::new(), ..off }, DEFAULT_BASE_URL);
    assert_eq!((none.get("tools"), none.get("tool_choice")), (None, None));
}

#[test]
fn made_up_ids_count_on_from_earlier_calls() {
    let events = crate::provider::transport::reader::testing::read(
        Completions::new(&with_tools()),
        [transcript!("bare_tools.sse").as_bytes()].into_iter(),
    );
    let ids: Vec<String> = events
        .0
        .into_iter()
        .filter_map(|event| match event {
            ModelEvent::ToolCall(call) => Some(call.id),
            _ => None,
        })
        .collect();
    assert_eq!(ids, ["call_2", "call_3"]);
}
