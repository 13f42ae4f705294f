//! Models that think: visitors are told that they do, and never what.

use serde_json::{Value, json};

use super::reader::{Event, Reader, ask, attach, names, text};
use crate::files::upload;
use crate::support::Server;
use crate::support::model::{
    Model, Script, claude_end, claude_says, claude_start, claude_words, gpt_calls, gpt_says,
};

/// A server that asks `model` over Chat Completions.
async fn compatible(model: &Model) -> Server {
    let base = format!("{}/v1", model.base);
    Server::with(&["--openai-base-url", &base, "--openai-model", "local"]).await
}

/// What a reader has on its screen in the end.
fn shown(events: &[Event]) -> String {
    let mut shown = String::new();
    for event in events {
        let text = || event.data["text"].as_str().unwrap();
        match &*event.name {
            "delta" => shown.push_str(text()),
            "replace" => text().clone_into(&mut shown),
            _ => {}
        }
    }
    shown
}

#[tokio::test]
async fn a_visitor_is_told_that_the_model_thinks_and_a_failure_is_still_retried() {
    let thought = [claude_start(), claude_words("<think>The visitor says hi.")].concat();
    let model = Model::start([Script::Stalled(thought), claude_says("Hello!")]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let mut reader = Reader::open(ask(&server, &id, "Hi")).await;
    let first = reader.next().await.unwrap();
    assert_eq!((&*first.name, &first.data), ("thinking", &json!({})));
    // One who comes back is told too.
    let other = Reader::open(attach(&server, &id, None)).await;
    model.release();
    let events = reader.rest().await;
    assert_eq!(names(&events), ["start", "delta", "done"]);
    let all = other.rest().await;
    assert_eq!(all[0], first);
    assert_eq!(all[1..], events);
    assert_eq!(events[2].data["response"], "Hello!");
}

#[tokio::test]
async fn a_failure_after_the_visitor_was_told_is_an_event() {
    let thought = [claude_start(), claude_words("<think>Hm.")].concat();
    let model = Model::start([Script::Stalled(thought), Script::Status(401, &[], "{}".into())]);
    let model = model.await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let mut reader = Reader::open(ask(&server, &id, "Hi")).await;
    assert_eq!(reader.next().await.unwrap().name, "thinking");
    model.release();
    let events = reader.rest().await;
    assert_eq!(names(&events), ["error"]);
    assert_eq!(events[0].data["code"], "provider_misconfigured");
    assert_eq!(server.history(&id).await[0]["status"], "unanswered");
}

#[tokio::test]
async fn thoughts_in_the_text_are_neither_shown_nor_stored_nor_sent_back() {
    for said in [
        "<think>\nThe plan is secret.\n</think>\n\nHello!",
        "[THINK]The plan is secret.[/THINK]Hello!",
        "<|channel|>analysis<|message|>The plan is secret.<|end|><|start|>assistant\
         <|channel|>final<|message|>Hello!",
        "The plan is secret.\n</think>\n\nHello!",
    ] {
        for is_claude in [false, true] {
            let says = if is_claude { claude_says } else { gpt_says };
            let model = Model::start([says(said)]).await;
            let server = match is_claude {
                true => Server::asking(&model).await,
                false => compatible(&model).await,
            };
            let id = server.session(json!({})).await;
            let events = Reader::open(ask(&server, &id, "Hi")).await.rest().await;
            assert_eq!(shown(&events), "Hello!", "{said}");
            assert_eq!(events.last().unwrap().data["response"], "Hello!", "{said}");
            let answer = server.say(&id, "Again").await.expect(200);
            assert_eq!(answer["response"], "Hello!", "{said}");
            for message in server.history(&id).await {
                assert!(!message.to_string().contains("secret"), "{message}");
            }
            let sent = model.calls()[1].body.to_string();
            assert!(sent.contains("Hello!") && !sent.contains("secret"), "{sent}");
        }
    }
}

#[tokio::test]
async fn a_model_whose_thoughts_were_taken_for_an_answer_is_held_back_the_next_time() {
    let model = Model::start([gpt_says("The plan is secret.\n</think>\n\nHello!")]).await;
    let server = compatible(&model).await;
    let id = server.session(json!({})).await;
    for _ in 0..2 {
        let events = Reader::open(ask(&server, &id, "Hi")).await.rest().await;
        assert_eq!(shown(&events), "Hello!");
        let is_second = model.calls().len() == 2;
        assert!(!(is_second && text(&events).contains("secret")), "{events:?}");
    }
}

#[tokio::test]
async fn thoughts_before_a_tool_call_are_left_out_of_the_next_call() {
    let sql = json!({ "sql": "SELECT count(*) AS n FROM data" });
    let Script::OpenAi(mut chunks) = gpt_calls(&[("t", sql)]) else { unreachable!() };
    let thought = json!({"model": "gpt-served", "choices": [{"index": 0,
        "delta": {"content": "<think>A secret plan."}, "finish_reason": null}]});
    chunks.insert(1, thought);
    let model = Model::start([Script::OpenAi(chunks), gpt_says("Two.")]).await;
    let server = compatible(&model).await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "a.csv", b"a\n1\n2\n").await.expect(200);
    let answer = server.say(&id, "How many?").await.expect(200);
    assert_eq!(answer["response"], "Two.");
    assert!(!model.calls()[1].body.to_string().contains("secret"));
}

#[tokio::test]
async fn a_character_cut_in_two_is_whole_again() {
    let claude = |pieces: [&str; 2]| {
        let delta = |piece| {
            format!(
                "data: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":\
                 {{\"type\":\"text_delta\",\"text\":\"{piece}\"}}}}\n\n"
            )
        };
        let start = "data: {\"type\":\"message_start\",\"message\":{}}\n\n".to_owned();
        let end = "data: {\"type\":\"message_stop\"}\n\n".to_owned();
        Script::Broken([start, delta(pieces[0]), delta(pieces[1]), end].concat())
    };
    let gpt = |pieces: [&str; 2]| {
        let chunk = |piece| {
            format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{piece}\"}}}}]}}\n\n")
        };
        let end = "data: [DONE]\n\n".to_owned();
        Script::Broken([chunk(pieces[0]), chunk(pieces[1]), end].concat())
    };
    for (pieces, expected) in [
        (["Hi \\ud83d", "\\ude00"], "Hi 😀"),
        (["Hi \\ud83d", "!"], "Hi \u{FFFD}!"),
        (["Hi", "\\ude00 \\ud83d"], "Hi\u{FFFD} \u{FFFD}"),
    ] {
        let model = Model::start([claude(pieces)]).await;
        let server = Server::asking(&model).await;
        let id = server.session(json!({})).await;
        assert_eq!(server.say(&id, "Hi").await.expect(200)["response"], expected);
        let model = Model::start([gpt(pieces)]).await;
        let server = compatible(&model).await;
        let id = server.session(json!({})).await;
        assert_eq!(server.say(&id, "Hi").await.expect(200)["response"], expected);
    }
}

#[tokio::test]
async fn content_may_be_a_list_of_parts() {
    let list = |content: Value| json!({"choices": [{"index": 0, "delta": {"content": content}}]});
    let thought = json!([{"type": "thinking", "thinking": [{"type": "text", "text": "secret"}]}]);
    let model = Model::start([Script::OpenAi(vec![
        list(thought),
        list(json!([{"type": "text", "text": "Hello"}, {"type": "new", "text": "secret"}])),
        list(json!("!")),
    ])]);
    let model = model.await;
    let server = compatible(&model).await;
    let id = server.session(json!({})).await;
    assert_eq!(server.say(&id, "Hi").await.expect(200)["response"], "Hello!");
}

#[tokio::test]
async fn a_refused_answer_is_replaced_by_a_sentence_even_if_it_had_begun() {
    let events = [claude_start(), claude_words("First, you take"), claude_end("refusal")].concat();
    let model = Model::start([Script::Anthropic(events)]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let refusal = "I'm sorry, I can't help with that.";
    let events = Reader::open(ask(&server, &id, "How?")).await.rest().await;
    let done = &events.last().unwrap().data;
    assert_eq!((&done["response"], &done["status"]), (&json!(refusal), &json!("refused")));
    assert!(!done["html"].as_str().unwrap().contains("First"));
    let answer = server.say(&id, "How?").await.expect(200);
    assert_eq!(answer["response"], refusal);
    for message in server.history(&id).await {
        assert!(!message.to_string().contains("First"), "{message}");
    }
    assert!(!model.calls()[1].body.to_string().contains("First"));
}
