//! Anthropic's models, with and without thoughts, with a stand-in that enforces the API's rules.

use serde_json::{Value, json};

use crate::files::upload;
use crate::support::Server;
use crate::support::claude::{
    ClaudeRules, HAIKU, OLD_HAIKU, OPUS, SONNET, claude_thinks_and_calls, strict_claude,
};
use crate::support::model::{
    Call, Model, Script, claude_calls, claude_end, claude_says, claude_start, claude_words,
};

const SQL: &str = "SELECT fruit, price FROM data ORDER BY price";

async fn asking(model: &Model, name: &str) -> Server {
    let key = ["--anthropic-api-key", "k", "--anthropic-base-url", &model.base];
    Server::with(&[&key[..], &["--claude-model", name]].concat()).await
}

/// A conversation about a file: two rounds of queries, a chart, and a second question.
async fn talk_about_a_file(rules: ClaudeRules, name: &str) -> Vec<Call> {
    let count = json!({"sql": "SELECT count(*) FROM data"});
    let sum = json!({"sql": "SELECT sum(price) FROM data"});
    let chart = json!({"sql": SQL, "chart": "bar"});
    let scripts = [
        claude_thinks_and_calls(rules.signature, &[("toolu_a", count), ("toolu_b", sum)]),
        claude_thinks_and_calls(rules.signature, &[("toolu_c", chart)]),
        claude_says("Plums cost most."),
        claude_says("Apples."),
    ];
    let model = strict_claude(rules, scripts).await;
    let server = asking(&model, name).await;
    let id = server.session(json!({"temperature": 0.2})).await;
    upload(&server, &id, "fruit.csv", b"fruit,price\napple,2\npear,3\nplum,4\n").await.expect(200);
    let answer = server.say(&id, "Chart the prices").await.expect(200);
    assert_eq!(answer["response"], "Plums cost most.");
    assert_eq!(answer["chart"]["type"], "bar");
    let statuses = answer["tools"].as_array().unwrap().iter().map(|tool| &tool["status"]);
    assert_eq!(statuses.collect::<Vec<_>>(), ["done", "done", "done"]);
    let again = server.say(&id, "And the cheapest?").await.expect(200);
    assert_eq!(again["response"], "Apples.");
    model.calls()
}

fn thinking(call: &Call) -> &Value {
    &call.body["thinking"]["type"]
}

#[tokio::test]
async fn models_that_can_do_without_thoughts_are_told_so() {
    let calls = talk_about_a_file(HAIKU, "claude-haiku-5-5").await;
    assert_eq!(calls.len(), 4, "nothing was refused");
    assert!(calls.iter().all(|call| thinking(call) == "disabled"));
    assert!(calls.iter().all(|call| call.body["max_tokens"] == 1000));
}

#[tokio::test]
async fn models_that_think_between_tools_get_their_thoughts_back() {
    let calls = talk_about_a_file(SONNET, "claude-sonnet-5-5").await;
    assert_eq!(calls.len(), 4, "nothing was refused");
    assert!(calls.iter().all(|call| thinking(call) == "between_tools"));
    let content = &calls[2].body["messages"][1]["content"];
    let thought = json!({"type": "thinking", "thinking": "", "signature": "c2ln"});
    assert_eq!(content[0], thought);
    assert_eq!(calls[3].body["messages"].as_array().unwrap().len(), 3, "earlier turns are text");
}

#[tokio::test]
async fn models_that_always_think_get_room_and_a_low_effort() {
    let calls = talk_about_a_file(OPUS, "claude-opus-5-5").await;
    assert_eq!(calls.len(), 4, "nothing was refused");
    for call in &calls {
        assert_eq!(call.body["output_config"], json!({"effort": "low"}));
        assert_eq!((&call.body["max_tokens"], call.body.get("thinking")), (&json!(5000), None));
    }
}

#[tokio::test]
async fn models_that_know_nothing_of_thoughts_are_told_nothing() {
    let calls = talk_about_a_file(OLD_HAIKU, "claude-haiku-4-5").await;
    assert_eq!(calls.len(), 4, "nothing was refused");
    for call in &calls {
        assert_eq!((call.body.get("thinking"), call.body.get("output_config")), (None, None));
        assert_eq!(call.body["temperature"], 0.2);
    }
}

#[tokio::test]
async fn what_a_model_refuses_is_learned_within_the_first_question() {
    // Names that promise other rules than the model's.
    for (rules, name, refused) in [
        (SONNET, "claude-haiku-5-5", 1),
        (OPUS, "claude-haiku-5-5", 1),
        (OLD_HAIKU, "claude-opus-5-5", 1),
        (HAIKU, "claude-next", 1),
        // `thinking`, then the effort.
        (OLD_HAIKU, "claude-haiku-5-5", 2),
    ] {
        let calls = talk_about_a_file(rules, name).await;
        assert_eq!(calls.len(), 4 + refused, "{name} {rules:?}");
    }
}

#[tokio::test]
async fn a_length_limit_before_the_first_word_turns_thoughts_off() {
    let mut events = vec![claude_start().remove(0)];
    events.push(json!({"type": "content_block_start", "index": 0,
        "content_block": {"type": "thinking", "thinking": "", "signature": ""}}));
    events.extend(claude_end("max_tokens"));
    let model = Model::start([Script::Anthropic(events), claude_says("Hi.")]).await;
    let server = asking(&model, "claude-next").await;
    let id = server.session(json!({})).await;
    assert_eq!(server.say(&id, "Hello").await.expect(200)["response"], "Hi.");
    let calls = model.calls();
    assert_eq!((calls.len(), thinking(&calls[1])), (2, &json!("disabled")));
}

/// An answer that ends without a word, after a thought if that is asked for.
fn wordless(reason: &str, has_thought: bool) -> Script {
    let mut events = vec![claude_start().remove(0)];
    let kind = if has_thought { "thinking" } else { "text" };
    events
        .push(json!({"type": "content_block_start", "index": 0, "content_block": {"type": kind}}));
    events.extend(claude_end(reason));
    Script::Anthropic(events)
}

fn refusal(message: &str) -> Script {
    let error = json!({"type": "invalid_request_error", "message": message});
    Script::Status(400, &[], json!({"type": "error", "error": error}).to_string())
}

async fn with_file(server: &Server, config: Value) -> String {
    let id = server.session(config).await;
    upload(server, &id, "fruit.csv", b"fruit,price\napple,2\npear,3\n").await.expect(200);
    id
}

fn limits(calls: &[Call]) -> Vec<u64> {
    calls.iter().map(|call| call.body["max_tokens"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn thoughts_that_use_up_the_limit_get_more_room_and_are_never_just_repeated() {
    let model = Model::start([wordless("max_tokens", true)]).await;
    let server = asking(&model, "claude-opus-5-5").await;
    let id = server.session(json!({})).await;
    for _ in 0..4 {
        server.say(&id, "Hello").await.expect_error(502, "provider_error");
    }
    let limits = limits(&model.calls());
    assert_eq!(limits, [5_000, 9_000, 9_000, 17_000, 17_000, 33_000, 33_000]);
}

#[tokio::test]
async fn a_call_of_a_tool_that_the_limit_cuts_gets_room_and_other_answers_do_not() {
    let sum = [("toolu_a", json!({"sql": "SELECT sum(price) FROM data"}))];
    let Script::Anthropic(mut cut) = claude_calls("", &sum) else { unreachable!() };
    cut.truncate(3);
    cut.extend(claude_end("max_tokens").split_off(1));
    let model =
        Model::start([Script::Anthropic(cut), claude_calls("", &sum), claude_says("Five.")]).await;
    let server = asking(&model, "claude-haiku-5-5").await;
    let id = with_file(&server, json!({"maxTokens": 20})).await;
    assert_eq!(server.say(&id, "Sum?").await.expect(200)["response"], "Five.");
    let other = server.session(json!({"maxTokens": 30})).await;
    server.say(&other, "Hello").await.expect(200);
    assert_eq!(limits(&model.calls()), [20, 1000, 1000, 30]);
}

#[tokio::test]
async fn a_model_with_nothing_to_say_about_its_results_is_asked_to_go_on() {
    let sum = [("toolu_a", json!({"sql": "SELECT sum(price) FROM data"}))];
    let scripts = [claude_calls("", &sum), wordless("end_turn", false), claude_says("Five.")];
    let model = Model::start(scripts).await;
    let server = asking(&model, "claude-haiku-5-5").await;
    let id = with_file(&server, json!({})).await;
    let answer = server.say(&id, "Sum?").await.expect(200);
    assert_eq!(answer["response"], "Five.");
    assert_eq!(answer["usage"]["outputTokens"], 45, "all three calls count");
    let calls = model.calls();
    let messages = |call: usize| calls[call].body["messages"].as_array().unwrap();
    assert_eq!(messages(1)[2]["content"].as_array().unwrap().len(), 1, "no text behind results");
    assert_eq!(messages(2)[..3], messages(1)[..]);
    assert_eq!(messages(2)[3], json!({"role": "user", "content": "Please continue."}));

    let scripts = [claude_calls("", &sum), wordless("end_turn", false)];
    let model = Model::start(scripts).await;
    let server = asking(&model, "claude-haiku-5-5").await;
    let id = with_file(&server, json!({})).await;
    server.say(&id, "Sum?").await.expect_error(502, "provider_error");
}

#[tokio::test]
async fn thoughts_that_the_api_does_not_take_back_are_left_out() {
    let refuse = |call: &Call| {
        let has_thoughts = call.body["messages"].to_string().contains("\"thinking\"");
        has_thoughts
            .then(|| refusal("messages.1.content.0: Invalid `signature` in `thinking` block"))
    };
    let call = |id| claude_thinks_and_calls(Some("c2ln"), &[(id, json!({"sql": "SELECT 1"}))]);
    let scripts = [call("toolu_a"), call("toolu_b"), claude_says("One.")];
    let model = Model::start_checked(refuse, scripts).await;
    let server = asking(&model, "claude-opus-5-5").await;
    let id = with_file(&server, json!({})).await;
    assert_eq!(server.say(&id, "One?").await.expect(200)["response"], "One.");
    let calls = model.calls();
    assert_eq!(calls.len(), 4, "one refused call");
    assert!(calls.iter().all(|call| call.body["output_config"]["effort"] == "low"));
}

/// Regression test: all but the first of the calls that were refused together used to fail.
#[tokio::test]
async fn visitors_who_ask_at_once_share_what_the_first_refusal_teaches() {
    let model = strict_claude(SONNET, [claude_says("Hi.")]).await;
    let server = asking(&model, "claude-haiku-5-5").await;
    let ask = async || {
        let id = server.session(json!({})).await;
        server.say(&id, "Hello").await.expect(200)["response"].clone()
    };
    let answers = futures_util::future::join_all((0..8).map(|_| ask())).await;
    assert!(answers.iter().all(|answer| answer == "Hi."));
    ask().await;
    assert_eq!(thinking(model.calls().last().unwrap()), "between_tools");
}

#[tokio::test]
async fn text_before_a_refusal_is_not_shown() {
    let mut events = claude_start();
    events.extend(claude_words("First you take"));
    let mut end = claude_end("refusal");
    end[1]["delta"]["stop_details"] = json!({"category": "bio", "explanation": "why"});
    events.extend(end);
    let model = Model::start([Script::Anthropic(events), claude_says("Hi.")]).await;
    let server = asking(&model, "claude-haiku-5-5").await;
    let id = server.session(json!({})).await;
    let answer = server.say(&id, "How?").await.expect(200);
    assert_eq!(answer["status"], "refused");
    assert_eq!(answer["response"], "I'm sorry, I can't help with that.");
    server.say(&id, "Hello").await.expect(200);
    let messages = json!([{"role": "user", "content": "Hello"}]);
    assert_eq!(model.calls()[1].body["messages"], messages, "the exchange is left out");
}

#[tokio::test]
async fn a_gateway_that_knows_only_marks_of_parts_still_caches_the_instructions() {
    let refuse = |call: &Call| {
        let message = "cache_control: Extra inputs are not permitted";
        call.body.get("cache_control").map(|_| refusal(message))
    };
    let model = Model::start_checked(refuse, [claude_says("Hi.")]).await;
    let server = asking(&model, "claude-haiku-5-5").await;
    let id = server.session(json!({})).await;
    server.say(&id, "Hello").await.expect(200);
    let calls = model.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].body["system"][0]["cache_control"], json!({"type": "ephemeral"}));
}

#[tokio::test]
async fn a_monthly_cap_is_not_retried() {
    let body = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "a limit",
        "details": {"error_code": "enforced_spend_limit_reached"}}});
    let model = Model::start([Script::Status(429, &[], body.to_string())]).await;
    let server = asking(&model, "claude-haiku-5-5").await;
    let id = server.session(json!({})).await;
    server.say(&id, "Hello").await.expect_error(503, "provider_unavailable");
    assert_eq!(model.calls().len(), 1);
}
