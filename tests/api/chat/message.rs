//! Questions and whole answers.

use serde_json::json;

use crate::support::Server;
use crate::support::model::{Model, claude_says};

#[tokio::test]
async fn the_demo_answers_from_the_page() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let page = json!({"title": "Corner Shop", "url": "https://shop.test/",
        "content": "We open at 9. Delivery costs 4.90 euros. Returns are free."});
    let body = json!({"sessionId": id, "message": "What does delivery cost?",
        "config": {"pageContext": page}});
    let answer = server.post("/api/chat/message", body).await.expect(200);
    assert!(answer["response"].as_str().unwrap().contains("Delivery costs 4.90 euros."));
    assert_eq!(answer["sessionId"], id);
    assert_eq!(answer["messageCount"], 2);
    assert_eq!(answer["provider"], "demo");
    assert_eq!(answer["model"], "demo");
    assert_eq!(answer["timestamp"], "2026-01-31T12:00:00.000Z");
    let usage = &answer["usage"];
    let [input, output, total] = ["inputTokens", "outputTokens", "totalTokens"]
        .map(|field| usage[field].as_u64().expect(field));
    assert!(input > 0 && output > 0 && input + output == total);

    let read = server.get(&format!("/api/sessions/{id}")).await.expect(200);
    assert_eq!(read["config"]["pageContext"], page, "settings of a message stay");
    assert_eq!(read["messages"].as_array().unwrap().len(), 2);
    let again = server.say(&id, "And returns?").await.expect(200);
    assert!(again["response"].as_str().unwrap().contains("Returns are free."));
    assert_eq!(again["messageCount"], 4);
}

#[tokio::test]
async fn answers_are_also_sent_as_safe_html() {
    let spoken = "**Bold**\n\n| a | b |\n|---|---|\n| 1 | <script>alert(1)</script> |\n\n\
                  [x](javascript:alert(1)) [y](https://e.test) ![z](https://e.test/z.png)";
    let model = Model::start([claude_says(spoken)]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let answer = server.say(&id, "Hm?").await.expect(200);
    assert_eq!(answer["response"], spoken);
    let html = answer["html"].as_str().unwrap();
    assert!(html.contains("<strong>Bold</strong>") && html.contains("<table>"), "{html}");
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
    assert!(!html.contains("javascript:") && !html.contains("<img"), "{html}");
    assert!(html.contains("rel=\"noopener noreferrer nofollow\""), "{html}");
    let messages = server.history(&id).await;
    assert_eq!(messages[1]["html"], html);
    assert_eq!(messages[0].get("html"), None, "a question is shown as it was typed");
}
