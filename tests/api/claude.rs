//! Anthropic's models, with and without thoughts, with a stand-in that enforces the API's rules.

use serde_json::{Value, json};

use crate::files::upload;
use crate::support::Server;
use crate::support::claude::{
    ClaudeRules, HAIKU, OLD_HAIKU, OPUS, SONNET, claude_thinks_and_calls, strict_claude,
};
use crate::support::model::{Call, Model, Script, claude_end, claude_says, claude_start};

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
