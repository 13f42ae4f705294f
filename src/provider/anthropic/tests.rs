use serde_json::{Value, json};

use super::*;
use crate::domain::Usage;
use crate::provider::parameter::{Objection, Parameter};
use crate::provider::transport::reader::Reader;
use crate::provider::transport::reader::testing::{
    Outcome, assert_failures, read_split_everywhere, text,
};
use crate::provider::{
    Entry, Fault, Finish, ModelEvent, ToolCall, ToolChoice, ToolResult, ToolSpec, Verbatim,
};

macro_rules! transcript {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/provider/anthropic/", $name))
    };
}

fn read(transcript: &str) -> Outcome {
    read_split_everywhere(Messages::default, transcript)
}

fn usage(input_tokens: u32, output_tokens: u32) -> ModelEvent {
    ModelEvent::Usage(Usage { input_tokens, output_tokens, ..Usage::default() })
}

fn started() -> ModelEvent {
    ModelEvent::Started { model: "claude-haiku-4-5-20251001".to_owned() }
}

#[test]
fn an_answer_is_read_event_by_event() {
    let (events, failure) = read(transcript!("text.sse"));
    assert_eq!(failure, None);
    let expected = [
        started(),
        usage(25, 1),
        ModelEvent::Text("Zażółć".to_owned()),
        ModelEvent::Text(" gęślą \"jaźń\"\n".to_owned()),
        ModelEvent::Text("🦀!".to_owned()),
        usage(25, 15),
        ModelEvent::Finished(Finish::Complete),
    ];
    assert_eq!(events, expected);
}

#[test]
fn cached_tokens_count_as_input_tokens() {
    for (
        transcript,
        expected,
        [input_tokens, output_tokens, cached_input_tokens, cache_write_tokens],
    ) in [
        (transcript!("cached.sse"), "Yes.", [3210, 7, 3000, 200]),
        (transcript!("whole.json"), "Hi! I am “Claude”.", [42, 6, 30, 0]),
    ] {
        let (events, failure) = read(transcript);
        assert_eq!((failure, text(&events)), (None, expected.to_owned()));
        let usage = Usage {
            input_tokens,
            output_tokens,
            cached_input_tokens,
            cache_write_tokens,
            ..Usage::default()
        };
        let end = [ModelEvent::Usage(usage), ModelEvent::Finished(Finish::Complete)];
        assert_eq!(events[events.len() - 2..], end);
    }
}

#[test]
fn transcripts_are_read_with_text_usage_and_end() {
    let cases = [
        ("thinking", transcript!("thinking.sse"), "27 × 453 = 12,231", (40, 60), Finish::Complete),
        ("length", transcript!("length.sse"), "Once upon", (9, 2), Finish::Length),
        ("refusal", transcript!("refusal.sse"), "I can", (9, 4), Finish::Refused),
        ("refused at once", transcript!("refusal_at_once.sse"), "", (9, 0), Finish::Refused),
        ("news", transcript!("news.sse"), "The sky.", (5, 4), Finish::Complete),
    ];
    for (name, transcript, expected, (input, output), finish) in cases {
        let (events, failure) = read(transcript);
        assert_eq!(failure, None, "{name}");
        assert_eq!(events[0], started(), "{name}");
        assert_eq!(text(&events), expected, "{name}");
        let end = [usage(input, output), ModelEvent::Finished(finish)];
        assert_eq!(events[events.len() - 2..], end, "{name}");
    }
}

#[test]
fn every_stop_reason_stands_for_an_end() {
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
        assert_eq!(
            (events.last(), failure),
            (Some(&ModelEvent::Finished(finish)), None),
            "{reason}"
        );
    }
}

#[test]
fn failures_are_distinguished_by_whether_text_has_arrived() {
    let cut_short = transcript!("no_end.sse");
    let broken = cut_short.replace("\"text\":\"Half", "\"text\":Half");
    assert_failures(
        read,
        &[
            ("error first", transcript!("error_first.sse"), "", Fault::Overloaded),
            ("error late", transcript!("error_late.sse"), "Half an ans", Fault::Interrupted),
            ("no end", cut_short, "Half an ans", Fault::Interrupted),
            ("broken JSON", broken.as_str(), "", Fault::Malformed),
            ("blank", transcript!("empty.sse"), "", Fault::Malformed),
            ("nothing", "", "", Fault::Malformed),
            ("HTML", "\n<!doctype html><p>Sign in</p>", "", Fault::Malformed),
            ("other JSON", "{\"hello\": 1}", "", Fault::Malformed),
        ],
    );
}

#[test]
fn an_error_instead_of_an_answer_is_classified_by_its_type() {
    for (kind, fault) in [
        ("rate_limit_error", Fault::Busy),
        ("overloaded_error", Fault::Overloaded),
        ("api_error", Fault::Overloaded),
        ("timeout_error", Fault::Timeout),
        ("conflict_error", Fault::Unreachable),
        ("authentication_error", Fault::Misconfigured),
        ("billing_error", Fault::Exhausted),
        ("request_too_large", Fault::TooLong),
        ("invalid_request_error", Fault::Rejected),
    ] {
        let body = json!({"type": "error", "error": {"type": kind, "message": "why"}}).to_string();
        for transcript in [body.clone(), format!("event: error\ndata: {body}\n\n")] {
            let (events, failure) = read(&transcript);
            assert_eq!(events, []);
            assert_eq!(failure, Some((fault, format!("error event {kind}: why"))));
        }
    }
}

fn request() -> ModelRequest {
    ModelRequest {
        model: "claude-haiku-4-5".to_owned(),
        system: "Be brief.".to_owned(),
        entries: vec![Entry::user("Hi"), Entry::assistant("Hello!"), Entry::user("\"1 + 1\"?")],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        max_tokens: 1000,
        temperature: None,
    }
}

fn written(request: &ModelRequest) -> Value {
    written_in(request, MessagesDialect::of(&request.model))
}

fn written_in(request: &ModelRequest, dialect: MessagesDialect) -> Value {
    serde_json::from_slice(&body::write(request, dialect).unwrap()).unwrap()
}

#[test]
fn the_body_contains_what_the_api_requires() {
    let expected = json!({
        "model": "claude-haiku-4-5",
        "max_tokens": 1000,
        "system": [
            {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
        ],
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "\"1 + 1\"?"},
        ],
        "cache_control": {"type": "ephemeral"},
        "stream": true,
    });
    assert_eq!(written(&request()), expected);
}

#[test]
fn the_system_text_and_the_conversation_are_marked_for_the_cache() {
    let ephemeral = json!({"type": "ephemeral"});
    let body = written(&request());
    assert_eq!(
        body["system"],
        json!([{"type": "text", "text": "Be brief.", "cache_control": ephemeral}])
    );
    assert_eq!(body["cache_control"], ephemeral);
    let uncached = MessagesDialect { cache: false, ..MessagesDialect::of("claude-haiku-4-5") };
    let plain = written_in(&request(), uncached);
    assert_eq!((&plain["system"], plain.get("cache_control")), (&json!("Be brief."), None));
}

#[test]
fn thinking_is_kept_as_small_as_the_model_allows() {
    for (model, thinking, effort, limit) in [
        ("claude-haiku-4-5", None, None, 1000),
        ("claude-haiku-5-5", Some("disabled"), None, 1000),
        ("claude-sonnet-5-5", Some("between_tools"), None, 5000),
        ("claude-opus-5-5", None, Some("low"), 5000),
    ] {
        let asked = ModelRequest { model: model.to_owned(), temperature: Some(0.5), ..request() };
        let body = written(&asked);
        assert_eq!(body.get("thinking"), thinking.map(|kind| json!({"type": kind})).as_ref());
        let config = effort.map(|effort| json!({"effort": effort}));
        assert_eq!(body.get("output_config"), config.as_ref(), "{model}");
        assert_eq!(body["max_tokens"], limit, "{model}");
        assert_eq!(body.get("temperature").is_some(), limit == 1000 && thinking.is_none());
    }
}

#[test]
fn a_message_goes_back_as_the_api_wrote_it() {
    let mut request = with_tools();
    let items = [
        r#"{"type":"thinking","thinking":"Hm.","signature":"c2ln"}"#,
        r#"{"type":"tool_use","id":"toolu_1","name":"query_data","input":{"sql":"SELECT 1.50"}}"#,
    ];
    let Entry::Assistant { calls, verbatim, .. } = &mut request.entries[1] else { unreachable!() };
    calls.truncate(1);
    *verbatim = Some(Verbatim {
        api: API,
        model: "claude-haiku-4-5".to_owned(),
        items: items.map(str::to_owned).to_vec(),
    });
    let text =
        String::from_utf8(body::write(&request, MessagesDialect::of("claude-haiku-4-5")).unwrap())
            .unwrap();
    assert!(text.contains(&format!("[{}]", items.join(","))), "{text}");
    // Neither another model nor a changed prompt can use them.
    for stale in [ModelRequest { model: "claude-opus-5-5".to_owned(), ..request.clone() }, {
        request.forget_verbatim();
        request
    }] {
        let content = &written(&stale)["messages"][1]["content"];
        assert_eq!(content[0], json!({"type": "text", "text": "Let me look."}));
    }
}

#[test]
fn thoughts_come_with_the_calls_that_follow_them() {
    let transcript = transcript!("tool_use.sse").replacen(
        "event: content_block_start",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":7,\
         \"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n\
         event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":7,\
         \"delta\":{\"type\":\"signature_delta\",\"signature\":\"c2ln\"}}\n\n\
         event: content_block_start",
        1,
    );
    let (events, failure) = read(&transcript);
    assert_eq!(failure, None);
    assert_eq!(events.iter().filter(|event| **event == ModelEvent::Thinking).count(), 1);
    let at = events.iter().position(|event| matches!(event, ModelEvent::Verbatim(_))).unwrap();
    assert!(matches!(events[at + 1], ModelEvent::ToolCall(_)));
    let ModelEvent::Verbatim(message) = &events[at] else { unreachable!() };
    let items: Vec<Value> =
        message.items.iter().map(|item| serde_json::from_str(item).unwrap()).collect();
    assert_eq!(items[0], json!({"type": "thinking", "thinking": "", "signature": "c2ln"}));
    let kinds: Vec<&Value> = items.iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds, ["thinking", "text", "tool_use"]);
    assert_eq!(items[2]["input"], serde_json::from_str::<Value>(ARGUMENTS).unwrap());
}

#[test]
fn thoughts_and_cache_writes_are_counted() {
    let counts = "\"output_tokens\":60,\"output_tokens_details\":{\"thinking_tokens\":40},\
                  \"cache_creation_input_tokens\":7";
    let transcript = transcript!("thinking.sse").replace("\"output_tokens\":60", counts);
    let (events, _) = read(&transcript);
    let usage = Usage {
        input_tokens: 47,
        output_tokens: 60,
        cache_write_tokens: 7,
        reasoning_tokens: 40,
        ..Usage::default()
    };
    assert_eq!(events[events.len() - 2], ModelEvent::Usage(usage));
}

#[test]
fn a_message_with_thoughts_is_kept_as_it_came() {
    let transcript = transcript!("thinking_tools.sse");
    let (events, failure) = read(transcript);
    assert_eq!((failure, text(&events).as_str()), (None, "Two looks."));
    let thoughts = events.iter().filter(|event| **event == ModelEvent::Thinking).count();
    assert_eq!(thoughts, 1, "reported once");
    let usage = Usage {
        input_tokens: 472,
        output_tokens: 95,
        cached_input_tokens: 160,
        cache_write_tokens: 300,
        reasoning_tokens: 30,
    };
    assert!(events.contains(&ModelEvent::Usage(usage)));
    let [ModelEvent::Verbatim(message), first, second, ModelEvent::Finished(Finish::ToolUse)] =
        &events[events.len() - 4..]
    else {
        panic!("{events:?}")
    };
    let sql = "{\"sql\": \"SELECT max(größe) FROM data\"}";
    assert_eq!(*first, ModelEvent::ToolCall(call("toolu_01A", "query_data", sql)));
    assert_eq!(*second, ModelEvent::ToolCall(call("toolu_01B", "list_tables", "{}")));
    let items: Vec<Value> =
        message.items.iter().map(|item| serde_json::from_str(item).unwrap()).collect();
    let signature = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds";
    let expected = json!([
        {"type": "thinking", "thinking": "The größte, then 🦀.\n", "signature": signature,
         "origin": {"turn": 1}},
        {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"},
        {"type": "text", "text": "Two looks."},
        {"type": "tool_use", "id": "toolu_01A", "name": "query_data",
         "input": {"sql": "SELECT max(größe) FROM data"}, "caller": {"type": "direct"}},
        {"type": "tool_use", "id": "toolu_01B", "name": "list_tables", "input": {}},
    ]);
    assert_eq!(Value::from(items), expected);

    // A piece that we do not understand would be missing.
    let new = transcript.replace("signature_delta", "tomorrow_delta");
    assert!(!read(&new).0.iter().any(|event| matches!(event, ModelEvent::Verbatim(_))));
}

/// The failure of an answer that has ended without a word.
fn failure_of(transcript: &str) -> ProviderError {
    let mut reader = Reader::new(Messages::default(), Arc::default());
    reader.feed(transcript.as_bytes());
    std::iter::from_fn(|| reader.pop()).find_map(Result::err).unwrap()
}

#[test]
fn an_answer_cut_before_its_first_word_says_what_it_lacked() {
    let thoughts = transcript!("thoughts_only.sse");
    // Thoughts that are only counted.
    let hidden = thoughts.replace("\"type\":\"thinking\"", "\"type\":\"text\"");
    let call = thoughts.replace("\"type\":\"thinking\"", "\"type\":\"tool_use\"");
    let call = call.replace("thinking_tokens\":1000", "thinking_tokens\":0");
    for (transcript, parameter) in [
        (thoughts, Parameter::ThinkingRoom),
        (&hidden, Parameter::ThinkingRoom),
        (&call, Parameter::MaxTokens),
    ] {
        assert_eq!(read(transcript).1.unwrap().0, Fault::Malformed);
        let error = failure_of(transcript);
        let refused = Refused { parameter, objection: Objection::TooSmall(None) };
        assert_eq!((error.refused, error.should_retry), (Some(refused), Some(false)));
    }
    let ended = failure_of(&thoughts.replace("max_tokens", "end_turn"));
    let refused = Refused { parameter: Parameter::ToolResults, objection: Objection::NotTaken };
    assert_eq!((ended.refused, ended.should_retry), (Some(refused), None));
}

#[test]
fn thoughts_stay_out_if_their_calls_have_been_renamed() {
    let thinks_first = |called: [&str; 2], kept: &[&str]| {
        let mut request = with_tools();
        request.model = "claude-opus-5-5".to_owned();
        let item = |id: &&str| json!({"type": "tool_use", "id": id, "name": "f", "input": {}});
        let thought = json!({"type": "thinking", "thinking": "", "signature": "s"});
        let items = std::iter::once(thought).chain(kept.iter().map(item));
        let items = items.map(|item| item.to_string()).collect();
        let model = request.model.clone();
        let Entry::Assistant { calls, verbatim, .. } = &mut request.entries[1] else {
            unreachable!()
        };
        *verbatim = Some(Verbatim { api: API, model, items });
        for (call, id) in calls.iter_mut().zip(called) {
            call.id = id.to_owned();
        }
        written(&request)["messages"][1]["content"][0]["type"] == "thinking"
    };
    let called = ["toolu_1", "toolu_2"];
    assert!(thinks_first(called, &called));
    for kept in [&["toolu_2", "toolu_1"][..], &["toolu_1"], &[], &["toolu_1", "toolu_2", "x"]] {
        assert!(!thinks_first(called, kept), "{kept:?}");
    }
    let odd = ["toolu_1", "functions.x:1"];
    assert!(!thinks_first(odd, &odd), "the results name a plainer id");
}

#[test]
fn a_request_to_go_on_is_a_message_of_its_own() {
    let request = with_tools();
    let dialect = MessagesDialect::of(&request.model);
    let body = body::write_with(&request, dialect, Some(REQUEST_TO_GO_ON)).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["messages"][3], json!({"role": "user", "content": "Please continue."}));
    let results = body["messages"][2]["content"].as_array().unwrap();
    assert!(results.iter().all(|block| block["type"] == "tool_result"));
}

#[test]
fn unset_parameters_are_left_out_and_temperature_ends_at_1() {
    let empty = written(&ModelRequest { system: String::new(), ..request() });
    assert_eq!(empty.get("system"), None);
    assert_eq!(empty.get("temperature"), None);
    for (given, sent) in [(0.0, 0.0), (0.7, 0.7), (2.0, 1.0)] {
        let body = written(&ModelRequest { temperature: Some(given), ..request() });
        assert_eq!(body["temperature"], json!(sent));
    }
}

const ARGUMENTS: &str = "{\"sql\": \"SELECT avg(\\\"größe\\\") FROM data\", \"chart\": \"bar\"}";

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

#[test]
fn tool_calls_arrive_complete_and_last() {
    let query = call("toolu_01T1x1fJ34qAmk2tNTrN7Up6", "query_data", ARGUMENTS);
    let first = call("toolu_01A", "query_data", "{\"sql\":\"SELECT 1\"}");
    let second = call("toolu_01B", "list_tables", "{}");
    let whole = call(
        "toolu_01A",
        "query_data",
        "{\n        \"sql\": \"SELECT 1\",\n        \"chart\": \"pie\"\n      }",
    );
    for (transcript, expected, output, calls) in [
        (transcript!("tool_use.sse"), "Let me look.", 89, vec![query]),
        (transcript!("tool_use_two.sse"), "", 61, vec![first, second.clone()]),
        (transcript!("tool_use_whole.json"), "Let me look.", 61, vec![whole, second]),
    ] {
        let (events, failure) = read(transcript);
        assert_eq!(failure, None);
        assert_eq!((&events[0], text(&events).as_str()), (&started(), expected));
        let mut end = vec![usage(472, output)];
        end.extend(calls.into_iter().map(ModelEvent::ToolCall));
        end.push(ModelEvent::Finished(Finish::ToolUse));
        // Thoughts, which some of them contain, are sent back.
        let is_message = |event: &ModelEvent| matches!(event, ModelEvent::Verbatim(_));
        let events: Vec<_> = events.into_iter().filter(|event| !is_message(event)).collect();
        assert_eq!(events[events.len() - end.len()..], end);
    }
}

#[test]
fn calls_count_whatever_the_stop_reason_is_unless_they_are_truncated() {
    let is_call = |event: &ModelEvent| matches!(event, ModelEvent::ToolCall(_));
    let transcript =
        transcript!("tool_use.sse").replace("\"tool_use\",\"stop_seq", "null,\"stop_seq");
    let (events, _) = read(&transcript);
    assert_eq!(events.last(), Some(&ModelEvent::Finished(Finish::ToolUse)));
    assert!(events.iter().any(is_call));

    let (events, _) = read(transcript!("tool_use_cut.sse"));
    assert_eq!(events.last(), Some(&ModelEvent::Finished(Finish::Length)));
    assert!(!events.iter().any(is_call));

    // Interrupted among its pieces: no call has been returned, so the request can be retried.
    let two = transcript!("tool_use_two.sse");
    let (events, failure) = read(&two[..two.find("message_delta").unwrap()]);
    assert!(!events.iter().any(is_call));
    assert_eq!(failure.unwrap().0, Fault::Malformed);
}

fn with_tools() -> ModelRequest {
    let result = |id: &str, content: &str, is_error| ToolResult {
        call_id: id.to_owned(),
        content: content.to_owned(),
        is_error,
    };
    ModelRequest {
        entries: vec![
            Entry::user("Average?"),
            Entry::Assistant {
                text: "Let me look.".to_owned(),
                calls: vec![
                    call("toolu_1", "query_data", "{\"sql\": \"SELECT 1.50\"}"),
                    call("functions.x:1", "query data", "{\"sql\":"),
                ],
                verbatim: None,
            },
            Entry::ToolResults(vec![
                result("toolu_1", "[1.5]", false),
                result("functions.x:1", "broken JSON", true),
            ]),
        ],
        tools: vec![ToolSpec {
            name: "query_data",
            description: "Runs SQL.".to_owned(),
            parameters: json!({"type": "object", "properties": {"sql": {"type": "string"}}}),
        }],
        ..request()
    }
}

#[test]
fn the_body_shows_tools_calls_and_results() {
    let body = written(&with_tools());
    let tools = json!([{
        "name": "query_data",
        "description": "Runs SQL.",
        "input_schema": {"type": "object", "properties": {"sql": {"type": "string"}}},
    }]);
    assert_eq!((&body["tools"], body.get("tool_choice")), (&tools, None));
    let messages = json!([
        {"role": "user", "content": "Average?"},
        {"role": "assistant", "content": [
            {"type": "text", "text": "Let me look."},
            {"type": "tool_use", "id": "toolu_1", "name": "query_data", "input": {"sql": "SELECT 1.50"}},
            {"type": "tool_use", "id": "functions_x_1", "name": "query_data",
             "input": {"INVALID_JSON": "{\"sql\":"}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "[1.5]"},
            {"type": "tool_result", "tool_use_id": "functions_x_1", "content": "broken JSON",
             "is_error": true},
        ]},
    ]);
    assert_eq!(body["messages"], messages);
}

#[test]
fn tools_are_still_listed_when_they_are_switched_off() {
    let off = ModelRequest { tool_choice: ToolChoice::None, ..with_tools() };
    assert_eq!(written(&off)["tool_choice"], json!({"type": "none"}));
    assert_eq!(written(&off)["tools"].as_array().unwrap().len(), 1);
    let none = written(&ModelRequest { tools: Vec::new(), ..off });
    assert_eq!((none.get("tools"), none.get("tool_choice")), (None, None));
}

#[test]
fn roles_alternate_whatever_the_entries_are() {
    let mut request = with_tools();
    request.entries.push(Entry::user("Well?"));
    request.entries.push(Entry::assistant(""));
    request.entries.push(Entry::user("Please."));
    request.entries.insert(1, Entry::user("Say."));
    let body = written(&request);
    let roles: Vec<&Value> =
        body["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    assert_eq!(body["messages"][0]["content"][1], json!({"type": "text", "text": "Say."}));
    let last = body["messages"][2]["content"].as_array().unwrap();
    let kinds: Vec<&Value> = last.iter().map(|block| &block["type"]).collect();
    assert_eq!(kinds, ["tool_result", "tool_result", "text", "text"]);
}
