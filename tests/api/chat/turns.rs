//! Turns of one session: one at a time, stored as they go, finished without a reader.

use std::sync::Arc;

use serde_json::json;

use crate::support::Server;
use crate::support::model::{Model, Script, claude_says, claude_start, claude_words};

#[tokio::test]
async fn turns_of_a_session_never_interleave() {
    let model = Model::start([claude_says("Done.")]).await;
    let server = Arc::new(Server::asking(&model).await);
    let id = server.session(json!({})).await;
    let mut tasks = Vec::new();
    // One is answered, and as many wait as may.
    for n in 0..5 {
        let (server, id) = (Arc::clone(&server), id.clone());
        tasks.push(tokio::spawn(async move {
            server.say(&id, &format!("question {n}!")).await.expect(200)["messageCount"]
                .as_u64()
                .unwrap()
        }));
    }
    let mut counts = Vec::new();
    for task in tasks {
        counts.push(task.await.unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=5).map(|n| n * 2).collect::<Vec<u64>>());
    let roles: Vec<String> =
        server.history(&id).await.iter().map(|m| m["role"].as_str().unwrap().to_owned()).collect();
    assert_eq!(roles, ["user", "assistant"].repeat(5));
    // Each call saw all turns before it, and its question once.
    let mut lengths: Vec<usize> = Vec::new();
    for call in model.calls() {
        let turns = call.body["messages"].as_array().unwrap();
        let question = turns.last().unwrap()["content"].to_string();
        assert_eq!(call.body.to_string().matches(question.trim_matches('"')).count(), 1);
        lengths.push(turns.len());
    }
    lengths.sort_unstable();
    assert_eq!(lengths, (0..5).map(|n| n * 2 + 1).collect::<Vec<usize>>());
}

#[tokio::test]
async fn other_sessions_do_not_wait() {
    let model =
        Model::start([Script::Held(Box::new(claude_says("Late."))), claude_says("Now.")]).await;
    let server = Arc::new(Server::asking(&model).await);
    let (slow, quick) = (server.session(json!({})).await, server.session(json!({})).await);
    let waiting = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.say(&slow, "Slow").await.expect(200) }
    });
    model.next_call().await;
    assert_eq!(server.say(&quick, "Quick").await.expect(200)["response"], "Now.");
    model.release();
    assert_eq!(waiting.await.unwrap()["response"], "Late.");
}

#[tokio::test]
async fn the_question_is_stored_before_the_model_is_called() {
    let model = Model::start([Script::Held(Box::new(claude_says("Yes.")))]).await;
    let server = Arc::new(Server::asking(&model).await);
    let id = server.session(json!({})).await;
    let asking = tokio::spawn({
        let (server, id) = (Arc::clone(&server), id.clone());
        async move { server.say(&id, "Are you there?").await.expect(200) }
    });
    model.next_call().await;
    let messages = server.history(&id).await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["content"], "Are you there?");
    assert_eq!(messages[0]["status"], "unanswered");
    model.release();
    asking.await.unwrap();
    let messages = server.history(&id).await;
    assert_eq!(messages[0].get("status"), None, "answered now");
    assert_eq!(messages[1]["content"], "Yes.");
}

#[tokio::test]
async fn a_visitor_who_leaves_still_gets_the_answer_stored() {
    let model = Model::start([Script::Held(Box::new(claude_says("Still here.")))]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let asked = server.say(&id, "Anyone?");
    tokio::select! {
        _ = asked => panic!("answered too early"),
        () = model.next_call() => {}
    }
    // The request was dropped, and its connection with it.
    model.release();
    loop {
        let messages = server.history(&id).await;
        if messages.len() == 2 {
            assert_eq!(messages[1]["content"], "Still here.");
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_broken_answer_keeps_its_part_and_stays_out_of_later_prompts() {
    let mut events = claude_start();
    events.extend(claude_words("The answer is forty"));
    let broken = Script::Anthropic(events);
    // Asked once more, since nobody has seen any of it.
    let model = Model::start([broken.clone(), broken, claude_says("42.")]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    server.say(&id, "What is it?").await.expect_error(502, "answer_interrupted");
    let messages = server.history(&id).await;
    assert_eq!(messages[1]["content"], "The answer is forty");
    assert_eq!(messages[1]["status"], "incomplete");
    assert_eq!(server.say(&id, "What is it?").await.expect(200)["response"], "42.");
    let turns = &model.calls()[2].body["messages"];
    assert_eq!(turns.as_array().unwrap().len(), 1, "{turns}");
}

#[tokio::test]
async fn an_answer_that_broke_off_is_asked_for_once_more() {
    let events = [claude_start(), claude_words("The answer is forty")].concat();
    let model = Model::start([Script::Anthropic(events), claude_says("It is 42.")]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    assert_eq!(server.say(&id, "What is it?").await.expect(200)["response"], "It is 42.");
    let messages = server.history(&id).await;
    assert_eq!((messages.len(), &messages[1]["content"]), (2, &json!("It is 42.")));
}
