//! OpenAI's Responses API, with a stand-in that enforces its rules.

use serde_json::{Value, json};

use crate::files::upload;
use crate::support::Server;
use crate::support::model::{Call, Model, Script, gpt_says};
use crate::support::responses::{LUNA, Rules, SOL, calls, flags, says, strict_model};

async fn asking(model: &Model, name: &str) -> Server {
    let base = format!("{}/v1", model.base);
    Server::with(&flags(&base, name)).await
}

const SQL: &str = "SELECT fruit, price FROM data ORDER BY price";

/// A conversation about a file: two rounds of queries, a chart, and a second question.
async fn talk_about_a_file(model: &Model, name: &str) -> Value {
    let server = asking(model, name).await;
    let id = server.session(json!({"temperature": 0.2, "maxTokens": 5})).await;
    upload(&server, &id, "fruit.csv", b"fruit,price\napple,2\npear,3\nplum,4\n").await.expect(200);
    let answer = server.say(&id, "Chart the prices").await.expect(200);
    assert_eq!(answer["response"], "Plums cost most.");
    assert_eq!((&answer["provider"], &answer["model"]), (&json!("openai"), &json!("gpt-served")));
    assert_eq!(answer["chart"]["type"], "bar");
    let statuses = answer["tools"].as_array().unwrap().iter().map(|tool| &tool["status"]);
    assert_eq!(statuses.collect::<Vec<_>>(), ["done", "done", "done"]);
    let again = server.say(&id, "And the cheapest?").await.expect(200);
    assert_eq!(again["response"], "Apples.");
    assert_eq!(server.history(&id).await.len(), 4);
    answer["usage"].clone()
}

fn scripts(thought: Option<&str>) -> Vec<Script> {
    let count = json!({"sql": "SELECT count(*) FROM data"});
    let sum = json!({"sql": "SELECT sum(price) FROM data"});
    let chart = json!({"sql": SQL, "chart": "bar"});
    vec![
        calls(thought, &[("call_a", count), ("call_b", sum)]),
        calls(thought, &[("call_c", chart)]),
        says("Plums cost most."),
        says("Apples."),
    ]
}

fn kinds(call: &Call) -> Vec<&str> {
    let items = call.body["input"].as_array().unwrap().iter();
    items.map(|item| item["type"].as_str().unwrap_or("message")).collect()
}

#[tokio::test]
async fn a_conversation_about_a_file_with_a_model_that_need_not_think() {
    let model = strict_model(LUNA, scripts(None)).await;
    let usage = talk_about_a_file(&model, "gpt-6-luna").await;
    let expected = json!({"inputTokens": 60, "outputTokens": 36, "totalTokens": 96,
        "cachedInputTokens": 24, "cacheWriteTokens": 12, "reasoningTokens": 6});
    assert_eq!(usage, expected, "all three calls count");
    let sent = model.calls();
    assert_eq!(sent.len(), 4, "nothing was refused");
    for call in &sent {
        let body = &call.body;
        assert_eq!(body["reasoning"], json!({"effort": "none"}));
        assert_eq!((&body["temperature"], &body["max_output_tokens"]), (&json!(0.2), &json!(16)));
        assert_eq!(body["tools"][0]["name"], "query_data");
        assert!(body["instructions"].as_str().unwrap().contains("fruit.csv"));
    }
    let (call, output) = ("function_call", "function_call_output");
    assert_eq!(kinds(&sent[2]), ["message", call, call, output, output, call, output]);
    assert_eq!(kinds(&sent[3]), ["message"; 3], "earlier turns are plain text");
}

#[tokio::test]
async fn a_conversation_about_a_file_with_a_model_that_always_thinks() {
    let model = strict_model(SOL, scripts(Some("gAAAAABz"))).await;
    talk_about_a_file(&model, "gpt-6.1-sol").await;
    let sent = model.calls();
    assert_eq!(sent.len(), 5, "one refused call, to learn the lowest effort");
    assert_eq!(sent[0].body["reasoning"], json!({"effort": "none"}));
    for call in &sent[1..] {
        let body = &call.body;
        assert_eq!(body["reasoning"], json!({"effort": "low"}));
        assert_eq!((body.get("temperature"), &body["max_output_tokens"]), (None, &json!(2016)));
    }
    let (thought, call, output) = ("reasoning", "function_call", "function_call_output");
    assert_eq!(
        kinds(&sent[3]),
        ["message", thought, call, call, output, output, thought, call, output]
    );
    assert_eq!(sent[3].body["input"][1]["encrypted_content"], "gAAAAABz");
    assert_eq!(kinds(&sent[4]), ["message"; 3], "earlier turns are plain text");
}

#[tokio::test]
async fn the_tool_stays_listed_after_the_last_round() {
    let again = calls(None, &[("call_a", json!({"sql": "SELECT 1"}))]);
    let mut rounds: Vec<Script> = std::iter::repeat_n(again, 5).collect();
    rounds.push(says("Enough."));
    let model = strict_model(LUNA, rounds).await;
    let server = asking(&model, "gpt-6-luna").await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "fruit.csv", b"fruit,price\napple,2\n").await.expect(200);
    assert_eq!(server.say(&id, "Loop!").await.expect(200)["response"], "Enough.");
    let sent = model.calls();
    assert_eq!((sent.len(), &sent[5].body["tool_choice"]), (6, &json!("none")));
    assert_eq!(sent[5].body["tools"].as_array().unwrap().len(), 1);
    assert_eq!(sent[4].body.get("tool_choice"), None);
}

#[tokio::test]
async fn a_local_server_is_asked_over_chat_completions_by_default() {
    let model = Model::start([gpt_says("Hi.")]).await;
    let base = format!("{}/v1", model.base);
    let server = Server::with(&["--openai-base-url", &base, "--openai-model", "gpt-6-luna"]).await;
    let id = server.session(json!({})).await;
    assert_eq!(server.say(&id, "Hi").await.expect(200)["response"], "Hi.");
    let call = &model.calls()[0];
    assert!(call.head.starts_with("post /v1/chat/completions "), "{}", call.head);
    assert_eq!(call.body.get("reasoning_effort"), None);
}

/// Rows of the table of provider faults.
#[tokio::test]
async fn faults_get_their_status_and_leave_the_question_unanswered() {
    let error = |code: &str, message: &str| {
        json!({"error": {"type": "x", "code": code, "param": null, "message": message}}).to_string()
    };
    let status = |code, body: String| Script::Status(code, &[("x-should-retry", "false")], body);
    let failed = |code: &str| {
        let error = json!({"code": code, "message": "m"});
        Script::Responses(vec![
            json!({"type": "response.failed", "response": {"status": "failed", "error": error}}),
        ])
    };
    let rows: Vec<(Script, u16, &str)> = vec![
        (status(429, error("rate_limit_exceeded", "slow down")), 503, "provider_busy"),
        (status(429, error("insufficient_quota", "pay")), 503, "provider_unavailable"),
        (status(503, error("server_is_overloaded", "busy")), 503, "provider_overloaded"),
        (status(500, error("server_error", "oops")), 503, "provider_overloaded"),
        (status(502, "<html>bad gateway</html>".to_owned()), 502, "provider_error"),
        (status(504, String::new()), 504, "provider_timeout"),
        (status(401, error("invalid_api_key", "bad key")), 502, "provider_misconfigured"),
        (status(403, error("unsupported_country", "no")), 502, "provider_misconfigured"),
        (status(404, error("model_not_found", "The model")), 502, "provider_misconfigured"),
        (status(404, "404 page not found".to_owned()), 502, "provider_misconfigured"),
        (status(400, error("invalid_value", "bad field")), 502, "provider_rejected"),
        (
            status(400, error("context_length_exceeded", "exceeds the context window")),
            422,
            "context_too_long",
        ),
        (status(413, error("", "too large")), 413, "context_too_long"),
        (
            Script::Status(200, &[("content-type", "text/html")], "<h1>Login</h1>".to_owned()),
            502,
            "provider_error",
        ),
        (Script::Broken("data: {broken\n\n".to_owned()), 502, "provider_error"),
        (says(""), 502, "provider_error"),
        (failed("server_error"), 503, "provider_overloaded"),
        (failed("rate_limit_exceeded"), 503, "provider_busy"),
        (failed("context_length_exceeded"), 422, "context_too_long"),
        (
            Script::Responses(vec![json!({"type": "error", "code": "server_error"})]),
            503,
            "provider_overloaded",
        ),
    ];
    let row = async |row: usize, script: Script, status: u16, code: &str| {
        let model = Model::start([script]).await;
        let server = asking(&model, "gpt-6-luna").await;
        let id = server.session(json!({})).await;
        let answer = server.say(&id, "Hm?").await;
        let sentence = answer.expect_error(status, code);
        assert_eq!(answer.header("retry-after").is_some(), status == 503, "row {row}");
        for secret in ["slow down", "bad key", "html", "Login"] {
            assert!(!sentence.contains(secret), "row {row}: {sentence}");
        }
        let messages = server.history(&id).await;
        let kept = (messages.len(), &messages[0]["status"]);
        assert_eq!(kept, (1, &json!("unanswered")), "row {row}");
    };
    let rows = rows.into_iter().enumerate();
    futures_util::future::join_all(
        rows.map(|(n, (script, status, code))| row(n, script, status, code)),
    )
    .await;
}

#[tokio::test]
async fn a_declined_question_gets_the_fixed_sentence() {
    let body = json!({"error": {"code": "invalid_prompt", "message": "no"}}).to_string();
    let model = Model::start([Script::Status(400, &[], body)]).await;
    let server = asking(&model, "gpt-6-luna").await;
    let id = server.session(json!({})).await;
    let answer = server.say(&id, "Secrets!").await.expect(200);
    assert_eq!(answer["status"], "refused");
    assert_eq!(answer["response"], "I'm sorry, I can't help with that.");
}

/// The stand-in's own rules: each of these bodies breaks one.
#[test]
fn the_stand_in_refuses_what_the_api_refuses() {
    let user = json!({"role": "user", "content": "Hi"});
    let call = json!({"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"});
    let output = json!({"type": "function_call_output", "call_id": "a", "output": "1"});
    let thought = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "g"});
    let mut own = call.clone();
    own["id"] = json!("fc_1");
    let good = json!({"store": false, "stream": true, "max_output_tokens": 16,
        "reasoning": {"effort": "none"}, "input": [user, call, output],
        "tools": [{"type": "function", "name": "f", "strict": false}]});
    let thinking = |input: Value| {
        json!({"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"],
            "input": input})
    };
    let refused = |rules: Rules, changes: Value| {
        let mut body = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        let call = Call { head: "post /v1/responses http/1.1".to_owned(), body };
        rules.violation(&call).map(|(param, _)| param)
    };
    assert_eq!(refused(LUNA, json!({})), None);
    assert_eq!(refused(SOL, thinking(json!([user, thought, own, output]))), None);
    for (rules, changes, param) in [
        (LUNA, json!({"store": true}), "store"),
        (LUNA, json!({"store": null}), "store"),
        (LUNA, json!({"max_output_tokens": 15}), "max_output_tokens"),
        (LUNA, json!({"tools": [{"type": "function", "name": "f"}]}), "tools[0]"),
        (LUNA, json!({"stream_options": {}}), ""),
        (LUNA, json!({"reasoning": {"effort": "minimal"}}), "reasoning.effort"),
        (SOL, json!({}), "reasoning.effort"),
        (LUNA, json!({"include": []}), "include"),
        (LUNA, json!({"input": [user, own, output]}), "input"),
        (LUNA, json!({"input": [user, call]}), "input"),
        (LUNA, json!({"input": [user, output]}), "input"),
        (LUNA, json!({"input": [{"role": "tool", "content": "1"}]}), "input"),
        (SOL, thinking(json!([user, call, output])), "input"),
        (SOL, thinking(json!([{"type": "reasoning", "id": "rs_1"}, own, output])), "input"),
    ] {
        assert_eq!(refused(rules, changes.clone()), Some(param), "{changes}");
    }
}
