//! Both providers, with a stand-in that speaks their wire formats.

use serde_json::{Value, json};

use crate::support::Server;
use crate::support::model::{
    Model, Script, claude_end, claude_says, claude_start, claude_words, gpt_says,
};

async fn claude(model: &Model) -> Server {
    Server::with(&["--anthropic-api-key", "sk-secret", "--anthropic-base-url", &model.base]).await
}

async fn gpt(model: &Model) -> Server {
    let base = format!("{}/v1", model.base);
    Server::with(&["--openai-api-key", "sk-secret", "--openai-base-url", &base]).await
}

const SPOKEN: &str = "Grüße, 世界 😀 and **Markdown**.";

#[tokio::test]
async fn claude_answers_in_a_stream_that_is_split_anywhere() {
    let model = Model::start([claude_says(SPOKEN)]).await;
    let server = claude(&model).await;
    let id = server.session(json!({})).await;
    let answer = server.say(&id, "Hello").await.expect(200);
    assert_eq!(answer["response"], SPOKEN);
    assert_eq!(answer["provider"], "claude");
    assert_eq!(answer["providerName"], "Claude Assistant");
    assert_eq!(answer["model"], "claude-served");
    assert_eq!(
        answer["usage"],
        json!({"inputTokens": 25, "outputTokens": 15, "totalTokens": 40, "cachedInputTokens": 5, "cacheWriteTokens": 0, "reasoningTokens": 0})
    );
    let call = &model.calls()[0];
    assert!(call.head.starts_with("post /v1/messages http/1.1"), "{}", call.head);
    for header in
        ["x-api-key: sk-secret", "anthropic-version: 2023-06-01", "accept: text/event-stream"]
    {
        assert!(call.head.contains(header), "{}", call.head);
    }
    assert!(!call.head.contains("authorization"));
    assert_eq!(call.body["model"], "claude-haiku-5-5");
    assert_eq!(call.body["max_tokens"], 1000);
    assert_eq!(call.body["messages"], json!([{"role": "user", "content": "Hello"}]));
    assert_eq!(call.body.get("temperature"), None);
}

#[tokio::test]
async fn a_compatible_server_answers_in_a_stream_that_is_split_anywhere() {
    let model = Model::start([gpt_says(SPOKEN)]).await;
    let server = gpt(&model).await;
    let id = server.session(json!({"temperature": 0.2})).await;
    let answer = server.say(&id, "Hello").await.expect(200);
    assert_eq!(answer["response"], SPOKEN);
    assert_eq!(answer["provider"], "openai");
    assert_eq!(answer["providerName"], "GPT Assistant");
    assert_eq!(answer["model"], "gpt-served");
    assert_eq!(
        answer["usage"],
        json!({"inputTokens": 20, "outputTokens": 12, "totalTokens": 32, "cachedInputTokens": 8, "cacheWriteTokens": 0, "reasoningTokens": 0})
    );
    let call = &model.calls()[0];
    assert!(call.head.starts_with("post /v1/chat/completions http/1.1"), "{}", call.head);
    assert!(call.head.contains("authorization: bearer sk-secret"), "{}", call.head);
    assert!(!call.head.contains("x-api-key"));
    assert_eq!(call.body["model"], "gpt-6-luna");
    assert_eq!(call.body["max_tokens"], 1000, "compatible servers know only this name");
    assert_eq!(call.body.get("max_completion_tokens"), None);
    let messages = call.body["messages"].as_array().unwrap();
    assert_eq!((&messages[0]["role"], messages.len()), (&json!("system"), 2));
    assert_eq!(messages[1], json!({"role": "user", "content": "Hello"}));
}

#[tokio::test]
async fn a_local_server_needs_no_key() {
    let model = Model::start([gpt_says("Hi.")]).await;
    let base = format!("{}/v1/", model.base);
    let server = Server::with(&["--openai-base-url", &base, "--openai-model", "llama3.2"]).await;
    let id = server.session(json!({})).await;
    assert_eq!(server.say(&id, "Hello").await.expect(200)["response"], "Hi.");
    let call = &model.calls()[0];
    assert!(!call.head.contains("authorization"), "{}", call.head);
    assert_eq!(call.body["model"], "llama3.2");
}

#[tokio::test]
async fn a_model_that_is_reported_as_a_path_goes_by_its_configured_name() {
    let transcript = include_str!("../fixtures/provider/openai/llama_cpp_path.sse");
    let model = Model::start([Script::Broken(transcript.to_owned())]).await;
    let base = format!("{}/v1", model.base);
    let server = Server::with(&["--openai-base-url", &base, "--openai-model", "smollm2"]).await;
    let id = server.session(json!({})).await;
    let answer = server.say(&id, "Hello").await.expect(200);
    assert_eq!(
        (&answer["response"], &answer["model"]),
        (&json!("Tea is served."), &json!("smollm2"))
    );
    assert_eq!(server.history(&id).await[1]["model"], "smollm2");
}

#[tokio::test]
async fn a_session_chooses_its_provider() {
    let (anthropic, openai) = (
        Model::start([claude_says("I am Claude.")]).await,
        Model::start([gpt_says("I am GPT.")]).await,
    );
    let base = format!("{}/v1", openai.base);
    let server = Server::with(&[
        "--anthropic-api-key",
        "k",
        "--anthropic-base-url",
        &anthropic.base,
        "--openai-api-key",
        "k",
        "--openai-base-url",
        &base,
        "--openai-bot-name",
        "My GPT",
    ])
    .await;
    let id = server.session(json!({})).await;
    assert_eq!(server.say(&id, "Who?").await.expect(200)["provider"], "claude");
    let body = json!({"sessionId": id, "message": "Who?", "config": {"aiProvider": "openai"}});
    let answer = server.post("/api/chat/message", body).await.expect(200);
    assert_eq!(
        (&answer["response"], &answer["providerName"]),
        (&json!("I am GPT."), &json!("My GPT"))
    );
    assert_eq!(
        server.say(&id, "And now?").await.expect(200)["provider"],
        "openai",
        "it keeps that one"
    );
    let path = format!("/api/sessions/{id}/config");
    server.put(&path, json!({"config": {"aiProvider": "demo"}})).await.expect(200);
    assert_eq!(server.say(&id, "And now?").await.expect(200)["provider"], "demo");
    server.put(&path, json!({"config": {"aiProvider": null}})).await.expect(200);
    assert_eq!(server.say(&id, "And now?").await.expect(200)["provider"], "claude");
}

#[tokio::test]
async fn a_provider_without_a_key_is_refused_with_a_list_of_the_others() {
    let model = Model::start([gpt_says("Hi.")]).await;
    let server = gpt(&model).await;
    let id = server.session(json!({})).await;
    let body =
        json!({"sessionId": id, "message": "Hi", "config": {"aiProvider": "claude", "x": 1}});
    let refused = server.post("/api/chat/message", body).await;
    let sentence = refused.expect_error(400, "provider_not_configured");
    assert_eq!(sentence, "The provider claude is not configured. Available: openai, demo.");
    assert_eq!(server.history(&id).await.len(), 0);
    let session = server.get(&format!("/api/sessions/{id}")).await.expect(200);
    assert_eq!(session["config"].get("x"), None, "nothing has changed");
    assert!(model.calls().is_empty());
}

#[tokio::test]
async fn the_first_configured_provider_answers_when_the_preferred_has_no_key() {
    let model = Model::start([gpt_says("Hi.")]).await;
    let server = gpt(&model).await;
    let id = server.session(json!({})).await;
    assert_eq!(server.say(&id, "Hi").await.expect(200)["provider"], "openai");
}

#[tokio::test]
async fn truncated_and_refused_answers_are_marked() {
    let script = |text: &str, reason: &str| {
        let mut events = claude_start();
        events.extend(claude_words(text));
        events.extend(claude_end(reason));
        Script::Anthropic(events)
    };
    let model = Model::start([script("It goes on and", "max_tokens"), script("", "refusal")]).await;
    let server = claude(&model).await;
    let id = server.session(json!({})).await;
    let cut = server.say(&id, "Tell me all").await.expect(200);
    assert_eq!((&cut["response"], &cut["status"]), (&json!("It goes on and"), &json!("truncated")));
    let refused = server.say(&id, "Tell me secrets").await.expect(200);
    assert_eq!(refused["status"], "refused");
    assert_eq!(refused["response"], "I'm sorry, I can't help with that.");
    let statuses: Vec<Value> =
        server.history(&id).await.iter().map(|message| message["status"].clone()).collect();
    assert_eq!(statuses, [Value::Null, json!("truncated"), Value::Null, json!("refused")]);
}

/// Rows of the table of provider faults: what the provider does, and what the visitor gets.
#[tokio::test]
async fn faults_get_their_status_and_leave_the_question_unanswered() {
    let error = |kind: &str, message: &str| {
        json!({"type": "error", "error": {"type": kind, "message": message}}).to_string()
    };
    // Retries and their times have tests of their own in the policy.
    let status = |code, body: String| {
        Script::Status(code, &[("request-id", "req_1"), ("x-should-retry", "false")], body)
    };
    let rows: Vec<(Script, u16, &str)> = vec![
        (status(429, error("rate_limit_error", "slow down")), 503, "provider_busy"),
        (status(402, error("billing_error", "pay")), 503, "provider_unavailable"),
        (
            status(400, error("invalid_request_error", "Your credit balance is too low")),
            503,
            "provider_unavailable",
        ),
        (status(529, error("overloaded_error", "Overloaded")), 503, "provider_overloaded"),
        (status(500, error("api_error", "oops")), 503, "provider_overloaded"),
        (status(503, "busy".to_owned()), 503, "provider_overloaded"),
        (status(502, "<html>bad gateway</html>".to_owned()), 502, "provider_error"),
        (status(408, String::new()), 502, "provider_error"),
        (status(504, String::new()), 504, "provider_timeout"),
        (status(401, error("authentication_error", "bad key")), 502, "provider_misconfigured"),
        (status(403, error("permission_error", "no")), 502, "provider_misconfigured"),
        (status(404, error("not_found_error", "model: x")), 502, "provider_misconfigured"),
        (
            Script::Status(302, &[("location", "http://127.0.0.1:1/steal")], String::new()),
            502,
            "provider_misconfigured",
        ),
        (status(400, error("invalid_request_error", "bad field")), 502, "provider_rejected"),
        (
            status(400, error("invalid_request_error", "prompt is too long: 210000 tokens")),
            422,
            "context_too_long",
        ),
        (status(413, error("request_too_large", "too large")), 413, "context_too_long"),
        (
            Script::Status(200, &[("content-type", "text/html")], "<h1>Login</h1>".to_owned()),
            502,
            "provider_error",
        ),
        (
            Script::Broken("event: message_start\ndata: {broken\n\n".to_owned()),
            502,
            "provider_error",
        ),
        (
            Script::Anthropic([claude_start(), claude_end("end_turn")].concat()),
            502,
            "provider_error",
        ),
        (
            Script::Anthropic(vec![
                json!({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}),
            ]),
            503,
            "provider_overloaded",
        ),
    ];
    // Each has its own server, because a model that keeps failing is left alone for a while.
    let row = async |row: usize, script: Script, status: u16, code: &str| {
        let model = Model::start([script]).await;
        let server = claude(&model).await;
        let id = server.session(json!({})).await;
        let answer = server.say(&id, "Hm?").await;
        let sentence = answer.expect_error(status, code);
        assert_eq!(answer.header("retry-after").is_some(), status == 503, "row {row}");
        for secret in ["slow down", "credit", "bad key", "html", "sk-secret", "Login"] {
            assert!(!sentence.contains(secret), "row {row}: {sentence}");
        }
        let messages = server.history(&id).await;
        assert_eq!(
            (messages.len(), &messages[0]["status"]),
            (1, &json!("unanswered")),
            "row {row}"
        );
    };
    let rows = rows.into_iter().enumerate();
    futures_util::future::join_all(
        rows.map(|(n, (script, status, code))| row(n, script, status, code)),
    )
    .await;
}

/// Regression test: this used to be a 502, and to raise the operator's alarm.
#[tokio::test]
async fn an_unknown_model_that_a_caller_named_is_the_callers_error() {
    let unknown = r#"{"type":"error","error":{"type":"not_found_error","message":"model: nope"}}"#;
    let model = Model::start([
        Script::Status(404, &[], unknown.to_owned()),
        claude_says("That one exists."),
        Script::Status(404, &[], unknown.to_owned()),
    ])
    .await;
    let server = claude(&model).await;
    let id = server.session(json!({"model": "nope"})).await;
    let refused = server.say(&id, "Hm?").await;
    let sentence = refused.expect_error(400, "unknown_model");
    assert_eq!(sentence, "This model is not available here.");
    assert_eq!(refused.header("retry-after"), None);
    assert_eq!(model.calls()[0].body["model"], "nope");
    let path = format!("/api/sessions/{id}/config");
    server.put(&path, json!({"config": {"model": null}})).await.expect(200);
    assert_eq!(server.say(&id, "Hm?").await.expect(200)["response"], "That one exists.");
    server.say(&id, "Hm?").await.expect_error(502, "provider_misconfigured");
}

#[tokio::test]
async fn a_session_goes_on_after_a_fault() {
    let fault = Script::Status(400, &[], "{}".to_owned());
    let model = Model::start([fault, claude_says("All is well again.")]).await;
    let server = claude(&model).await;
    let id = server.session(json!({})).await;
    server.say(&id, "Hm?").await.expect_error(502, "provider_rejected");
    assert_eq!(server.say(&id, "Hm?").await.expect(200)["response"], "All is well again.");
    let statuses: Vec<Value> =
        server.history(&id).await.iter().map(|message| message["status"].clone()).collect();
    assert_eq!(statuses, [json!("unanswered"), Value::Null, Value::Null]);
}

#[tokio::test]
async fn a_transient_fault_is_not_visible_to_the_visitor() {
    let busy = Script::Status(503, &[("retry-after-ms", "1")], "busy".to_owned());
    let model = Model::start([busy.clone(), busy, claude_says("Here I am.")]).await;
    let server = claude(&model).await;
    let id = server.session(json!({})).await;
    assert_eq!(server.say(&id, "Hm?").await.expect(200)["response"], "Here I am.");
    assert_eq!(model.calls().len(), 3);
    assert_eq!(server.history(&id).await.len(), 2);
}

#[tokio::test]
async fn the_fallback_answers_if_the_first_provider_cannot() {
    let busy = Script::Status(529, &[("retry-after-ms", "1")], "busy".to_owned());
    let (first, second) =
        (Model::start([busy]).await, Model::start([gpt_says("I step in.")]).await);
    let base = format!("{}/v1", second.base);
    let server = Server::with(&[
        "--anthropic-api-key",
        "k",
        "--anthropic-base-url",
        &first.base,
        "--openai-base-url",
        &base,
        "--ai-fallback",
        "openai",
    ])
    .await;
    let id = server.session(json!({})).await;
    let answer = server.say(&id, "Hm?").await.expect(200);
    assert_eq!(answer["response"], "I step in.");
    assert_eq!((&answer["provider"], &answer["model"]), (&json!("openai"), &json!("gpt-served")));
    assert_eq!(answer["providerName"], "GPT Assistant");
    assert_eq!(server.history(&id).await[1]["provider"], "openai");
    assert_eq!((first.calls().len(), second.calls().len()), (3, 1));
}

#[tokio::test]
async fn a_refused_connection_is_a_gateway_error() {
    // A port that was free just now, so nothing listens on it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let server = Server::with(&["--anthropic-api-key", "k", "--anthropic-base-url", &base]).await;
    let id = server.session(json!({})).await;
    server.say(&id, "Hi").await.expect_error(502, "provider_error");
}

#[tokio::test]
async fn the_wait_that_a_busy_provider_asks_for_is_passed_on() {
    let model =
        Model::start([Script::Status(429, &[("retry-after-ms", "12500")], String::new())]).await;
    let server = claude(&model).await;
    let id = server.session(json!({})).await;
    let answer = server.say(&id, "Hi").await;
    answer.expect_error(503, "provider_busy");
    assert_eq!(answer.header("retry-after"), Some("13"));
}

#[tokio::test]
async fn an_unknown_default_model_is_replaced_by_the_former_one_once() {
    let unknown = r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-haiku-5-5"}}"#;
    let model = Model::start([
        Script::Status(404, &[], unknown.to_owned()),
        claude_says("One."),
        claude_says("Two."),
    ])
    .await;
    let server = claude(&model).await;
    let id = server.session(json!({})).await;
    assert_eq!(server.say(&id, "First?").await.expect(200)["response"], "One.");
    assert_eq!(server.say(&id, "Second?").await.expect(200)["response"], "Two.");
    let asked: Vec<_> = model.calls().into_iter().map(|call| call.body["model"].clone()).collect();
    assert_eq!(asked, ["claude-haiku-5-5", "claude-haiku-4-5", "claude-haiku-4-5"]);
}

#[tokio::test]
async fn a_model_that_the_operator_chose_is_not_replaced() {
    let unknown = r#"{"error":{"message":"model not found","code":"model_not_found"}}"#;
    let model = Model::start([Script::Status(404, &[], unknown.to_owned())]).await;
    let base = format!("{}/v1", model.base);
    let flags = ["--openai-model", "gpt-6-luna", "--openai-base-url", &base];
    let server = Server::with(&flags).await;
    let id = server.session(json!({})).await;
    server.say(&id, "Hello").await.expect_error(502, "provider_misconfigured");
    assert_eq!(model.calls().len(), 1);
}
