mod faults;

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::*;
use crate::domain::model::{Entry, Finish, ModelEvent, ToolChoice, ToolSpec};
use crate::provider::policy::{Backoff, Policy, PolicySettings};
use crate::provider::transport::tests::settings;
use crate::provider::transport::tests::stand_in::{StandIn, Step, chunk, end, ok, whole};
use crate::provider::transport::{Proxies, TimeLimits};

fn request(model: &str) -> ModelRequest {
    ModelRequest {
        model: model.to_owned(),
        system: String::new(),
        entries: vec![Entry::user("Hi")],
        tools: vec![ToolSpec {
            name: "query_data",
            description: String::new(),
            parameters: json!({"type": "object"}),
        }],
        tool_choice: ToolChoice::Auto,
        max_tokens: 100,
        temperature: Some(0.5),
    }
}

fn refuse(status: &str, error: &Value) -> Vec<Step> {
    whole(status, "application/json", &json!({ "error": error }).to_string())
}

fn over_chat() -> Vec<Step> {
    let text =
        "data: {\"choices\":[{\"delta\":{\"content\":\"Chat\"},\"finish_reason\":\"stop\"}]}";
    vec![ok(), chunk(format!("{text}\n\ndata: [DONE]\n\n")), end()]
}

fn over_responses() -> Vec<Step> {
    let text = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"Responses\"}";
    let done = "data: {\"type\":\"response.completed\",\"response\":{}}";
    vec![ok(), chunk(format!("{text}\n\n{done}\n\n")), end()]
}

fn transport() -> Transport {
    Transport::new(&Proxies::default(), TimeLimits::default()).unwrap()
}

fn provider(choice: OpenAiApi, url: &str, transport: &Transport) -> Arc<dyn Provider> {
    let openai = OpenAi::new(settings(&format!("{url}/v1"), None), transport.clone()).unwrap();
    Arc::new(openai.over(choice))
}

fn quick() -> PolicySettings {
    let backoff = Backoff { first: Duration::from_millis(1), ..Backoff::default() };
    PolicySettings { backoff, ..PolicySettings::default() }
}

/// The paths and bodies of the requests that two equal questions lead to, and what they have led to.
async fn asked(
    choice: OpenAiApi,
    model: &str,
    scripts: Vec<Vec<Step>>,
) -> (Vec<(String, Value)>, Vec<Result<String, Fault>>) {
    let server = StandIn::start_scripts(scripts).await;
    let provider = provider(choice, &server.url, &transport());
    let policy = Policy::new(&[Arc::clone(&provider)], None, quick());
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let mut calls = policy.calls_from(&provider);
        outcomes.push(match calls.stream(&mut request(model)).await {
            Err(error) => Err(error.fault),
            Ok(events) => {
                let events: Vec<_> = events.map(Result::unwrap).collect().await;
                assert_eq!(events.last(), Some(&ModelEvent::Finished(Finish::Complete)));
                Ok(crate::provider::transport::reader::testing::text(&events))
            }
        });
    }
    let parsed = |request: String| {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        (path, serde_json::from_str(body).unwrap())
    };
    (server.seen().concat().into_iter().map(parsed).collect(), outcomes)
}

fn paths(calls: &[(String, Value)]) -> Vec<&str> {
    calls.iter().map(|(path, _)| path.trim_start_matches("/v1/")).collect()
}

fn use_responses() -> Vec<Step> {
    refuse(
        "400 Bad",
        &json!({
        "message": "Function tools with reasoning_effort are not supported for gpt-6-luna in \
            /v1/chat/completions. To use function tools, use /v1/responses or set \
            reasoning_effort to 'none'.",
        "type": "invalid_request_error", "param": "reasoning_effort", "code": null}),
    )
}

fn no_such_path() -> Vec<Step> {
    whole("404 Not Found", "text/plain", "404 page not found")
}

const AUTO: OpenAiApi = OpenAiApi::Auto;

/// Regression: the call was repeated without its tools, and so were all later ones.
#[tokio::test]
async fn a_refusal_that_points_to_responses_is_followed_with_the_tools() {
    let scripts = vec![use_responses(), over_responses()];
    let (calls, said) = asked(AUTO, "gpt-6-luna", scripts).await;
    assert_eq!(paths(&calls), ["chat/completions", "responses", "responses"]);
    assert_eq!(said, [Ok("Responses".to_owned()), Ok("Responses".to_owned())]);
    for (_, body) in &calls {
        assert_eq!(body["tools"].as_array().unwrap().len(), 1, "{body}");
    }
    assert_eq!(calls[1].1["reasoning"], json!({"effort": "none"}));
    assert_eq!(calls[0].1.get("reasoning_effort"), None);
}

#[tokio::test]
async fn without_responses_chat_completions_is_asked_again_without_thoughts() {
    for missing in [
        no_such_path(),
        whole("405 No", "application/json", "{}"),
        whole("501 No", "application/json", "{}"),
        whole("200 OK", "text/html", "<h1>Welcome</h1>"),
    ] {
        let scripts = vec![use_responses(), missing, over_chat()];
        let (calls, said) = asked(AUTO, "my-model", scripts).await;
        assert_eq!(
            paths(&calls),
            ["chat/completions", "responses", "chat/completions", "chat/completions"]
        );
        assert_eq!(said[1], Ok("Chat".to_owned()));
        assert_eq!(calls[2].1["reasoning_effort"], "none");
        assert_eq!(calls[3].1["tools"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_api_that_the_operator_has_chosen_is_not_switched() {
    let (calls, said) = asked(OpenAiApi::Chat, "m", vec![use_responses(), over_chat()]).await;
    assert_eq!(paths(&calls), ["chat/completions"; 3]);
    assert_eq!((&calls[1].1["reasoning_effort"], &said[0]), (&json!("none"), &Ok("Chat".into())));
    let (calls, said) = asked(OpenAiApi::Chat, "m", vec![use_responses()]).await;
    assert_eq!((calls.len(), &said[1]), (3, &Err(Fault::Rejected)));

    let (calls, said) = asked(OpenAiApi::Responses, "m", vec![no_such_path()]).await;
    assert_eq!(paths(&calls), ["responses"; 2]);
    assert_eq!(said, [Err(Fault::Misconfigured), Err(Fault::Misconfigured)]);
}

#[tokio::test]
async fn other_refusals_of_either_api_switch_nothing() {
    let error = |message: &str, code: &str| json!({"message": message, "code": code});
    for (status, error, fault) in [
        ("401 Who", error("Use /v1/responses", "invalid_api_key"), Fault::Misconfigured),
        ("403 No", error("no", ""), Fault::Misconfigured),
        ("400 Bad", error("The prompt mentions /v1/responses", ""), Fault::Rejected),
        ("404 Where", error("no such model", "model_not_found"), Fault::Misconfigured),
    ] {
        let (calls, said) = asked(AUTO, "model", vec![refuse(status, &error)]).await;
        assert_eq!(paths(&calls), ["chat/completions"; 2], "{status}");
        assert_eq!(said, [Err(fault), Err(fault)], "{status}");
    }
}

#[tokio::test]
async fn the_lowest_effort_is_learned_at_the_cost_of_one_refused_call() {
    let refusal = refuse(
        "400 Bad",
        &json!({
        "message": "Unsupported value: 'none' is not supported with the 'gpt-6-astra' model. \
            Supported values are: 'low', 'medium', 'high', 'xhigh', and 'max'.",
        "type": "invalid_request_error", "param": "reasoning.effort",
        "code": "unsupported_value"}),
    );
    let scripts = vec![refusal, over_responses()];
    let (calls, said) = asked(OpenAiApi::Responses, "gpt-6-astra", scripts).await;
    assert_eq!((calls.len(), &said[1]), (3, &Ok("Responses".to_owned())));
    let sent = |(_, body): &(String, Value)| {
        (body["reasoning"]["effort"].clone(), body.get("temperature").is_some())
    };
    let low = || (json!("low"), false);
    assert_eq!(calls.iter().map(sent).collect::<Vec<_>>(), [(json!("none"), true), low(), low()]);
    assert_eq!(calls[1].1["max_output_tokens"], 2100);
}

/// Regression: the same call was made once more, and the visitor got an error.
#[tokio::test]
async fn thoughts_that_use_up_the_limit_get_more_room() {
    let cut = "data: {\"type\":\"response.incomplete\",\"response\":{\"incomplete_details\":\
               {\"reason\":\"max_output_tokens\"},\"usage\":{\"output_tokens\":100,\
               \"output_tokens_details\":{\"reasoning_tokens\":100}}}}\n\n";
    let scripts = vec![vec![ok(), chunk(cut), end()], over_responses()];
    let (calls, said) = asked(OpenAiApi::Responses, "qwen3", scripts).await;
    let limit = |(_, body): &(String, Value)| body["max_output_tokens"].as_u64();
    assert_eq!(calls.iter().filter_map(limit).collect::<Vec<_>>(), [100, 2100, 2100]);
    assert_eq!(said, [Ok("Responses".to_owned()), Ok("Responses".to_owned())]);
}

/// Regression: the limit was left out for all sessions of the model.
#[tokio::test]
async fn a_limit_below_the_minimum_is_raised_and_not_left_out() {
    let refusal = refuse(
        "400 Bad",
        &json!({
        "message": "Invalid 'max_tokens': integer below minimum value. Expected a value >= 128, \
            but got 100 instead.",
        "type": "invalid_request_error", "param": "max_tokens",
        "code": "integer_below_min_value"}),
    );
    let (calls, said) = asked(AUTO, "m", vec![refusal, over_chat()]).await;
    let limit = |(_, body): &(String, Value)| body["max_tokens"].as_u64();
    assert_eq!(calls.iter().filter_map(limit).collect::<Vec<_>>(), [100, 128, 128]);
    assert_eq!(said[0], Ok("Chat".to_owned()));
}

#[test]
fn a_switch_of_the_api_and_the_loss_of_tools_are_logged_once_for_a_model() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let writer =
        tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(log.reopen().unwrap()));
    let _guard = tracing::subscriber::set_default(writer.finish());
    let transport = Transport::new(&Proxies::default(), TimeLimits::default()).unwrap();
    let openai = OpenAi::new(settings("http://127.0.0.1:9/v1", None), transport).unwrap();
    for parameter in [Parameter::Api, Parameter::Tools] {
        for _ in 0..2 {
            let refused = Refused { parameter, objection: Objection::NotTaken };
            assert!(openai.adapt(&request("m"), refused));
        }
    }
    let log = std::fs::read_to_string(log.path()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines[0].contains("INFO") && lines[0].contains("provider.api=\"responses\""), "{log}");
    assert!(lines[1].contains("WARN") && lines[1].contains("does not support tools"), "{log}");
}
