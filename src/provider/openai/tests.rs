use serde_json::{Value, json};

use super::*;
use crate::domain::Role;
use crate::provider::transport::reader::testing::{Outcome, read_cut_everywhere, text};
use crate::provider::{Event, Turn};

macro_rules! transcript {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/provider/openai/", $name))
    };
}

fn read(transcript: &str) -> Outcome {
    read_cut_everywhere(Completions::default, transcript)
}

fn usage(input_tokens: u32, output_tokens: u32) -> Event {
    Event::Usage(Usage { input_tokens, output_tokens })
}

#[test]
fn an_answer_is_read_event_by_event() {
    let (events, failure) = read(transcript!("openai.sse"));
    assert_eq!(failure, None);
    let expected = [
        Event::Started { model: "gpt-5.4-mini-2026-01-15".to_owned() },
        Event::Text("Zażółć".to_owned()),
        Event::Text(" gęślą \"jaźń\"\n".to_owned()),
        Event::Text("🦀!".to_owned()),
        usage(19, 10),
        Event::Finished(Finish::Complete),
    ];
    assert_eq!(events, expected);
}

#[test]
fn transcripts_of_all_servers_give_their_model_text_usage_and_end() {
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
        (transcript!("tools.sse"), OWN, "Let me look.", None, Complete),
        (transcript!("whole.json"), "local", "Hi! I am “local”.", Some((19, 10)), Length),
    ];
    for (transcript, model, expected, counted, finish) in cases {
        let (mut events, failure) = read(transcript);
        assert_eq!(failure, None, "{transcript}");
        assert_eq!(events.remove(0), Event::Started { model: model.to_owned() });
        assert_eq!(events.pop(), Some(Event::Finished(finish)), "{transcript}");
        if let Some((input, output)) = counted {
            assert_eq!(events.pop(), Some(usage(input, output)), "{transcript}");
        }
        assert!(events.iter().all(|event| matches!(event, Event::Text(_))), "{transcript}");
        assert_eq!(text(&events), expected);
    }
}

#[test]
fn failures_are_told_apart_by_whether_text_has_come() {
    let cut_short = transcript!("no_end.sse");
    let broken = cut_short.replace("\"content\":\"Half", "\"content\":Half");
    let cases = [
        ("error first", transcript!("error_first.sse"), "", Fault::Busy { retry_after: None }),
        ("error late", transcript!("error_late.sse"), "Half an ans", Fault::Interrupted),
        ("no end", cut_short, "Half an ans", Fault::Interrupted),
        ("broken JSON", broken.as_str(), "", Fault::Malformed),
        ("empty", transcript!("empty.sse"), "", Fault::Malformed),
        ("only the end mark", "data: [DONE]\n\n", "", Fault::Malformed),
        ("nothing", "", "", Fault::Malformed),
        ("HTML", "<html>", "", Fault::Malformed),
        ("other JSON", "{\"hello\": 1}", "", Fault::Malformed),
        ("half a JSON object", "{\"choices\": [", "", Fault::Malformed),
    ];
    for (name, transcript, expected, fault) in cases {
        let (events, failure) = read(transcript);
        assert_eq!(text(&events), expected, "{name}");
        assert_eq!(failure.map(|(fault, _)| fault), Some(fault), "{name}");
        assert!(!events.iter().any(|event| matches!(event, Event::Finished(_))), "{name}");
    }
}

#[test]
fn errors_in_a_stream_are_read_in_all_their_shapes() {
    for (transcript, fault) in [
        // vLLM, before and after it took over the envelope.
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
        ("event: error\ndata: {\"message\":\"m\",\"code\":429}", Fault::Busy { retry_after: None }),
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

fn request(model: &str) -> Request {
    Request {
        model: model.to_owned(),
        system: "Be brief.".to_owned(),
        turns: vec![Turn { role: Role::User, text: "1 + 1?".to_owned() }],
        max_tokens: 1000,
        temperature: Some(0.5),
    }
}

fn written(request: &Request, base_url: &str) -> Value {
    let host = Host::of(&Url::parse(base_url).unwrap());
    let body = body(request, Dialect::of(host, &request.model)).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn the_body_for_openai_itself_names_what_its_newer_models_take() {
    let expected = json!({
        "model": "gpt-5.4-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "1 + 1?"},
        ],
        "max_completion_tokens": 1000,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    assert_eq!(written(&request("gpt-5.4-mini"), DEFAULT_BASE_URL), expected);
    let older = written(&request("gpt-4.1"), DEFAULT_BASE_URL);
    assert_eq!(
        (&older["temperature"], &older["max_completion_tokens"]),
        (&json!(0.5), &json!(1000))
    );
}

#[test]
fn the_body_for_compatible_servers_names_what_they_all_know() {
    let expected = json!({
        "model": "gpt-5-tiny",
        "messages": [{"role": "user", "content": "1 + 1?"}],
        "max_tokens": 1000,
        "temperature": 0.5,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    let request = Request { system: String::new(), ..request("gpt-5-tiny") };
    assert_eq!(written(&request, "http://127.0.0.1:11434/v1"), expected);
}

#[test]
fn models_that_refuse_a_temperature_are_known_by_their_names() {
    for model in ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5.4-mini", "ft:gpt-5:me::x"]
    {
        assert!(is_reasoning(model), "{model}");
    }
    for model in ["gpt-4o", "gpt-4.1", "gpt-3.5-turbo", "gpt-35-turbo", "omni", "gpt-oss:20b", ""] {
        assert!(!is_reasoning(model), "{model}");
    }
}
