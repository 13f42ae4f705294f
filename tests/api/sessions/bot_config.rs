//! The bot's looks.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn the_bots_looks_can_be_read() {
    let server = Server::start().await;
    let bot = server.get("/api/sessions/bot-config").await.expect(200);
    assert_eq!(bot["botName"], "Assistant");
    assert_eq!(bot["poweredBy"], "");
    assert_eq!(bot["botColor"], "#667eea");
    assert_eq!(bot["botMsgBgColor"], "#667eea");
    assert!(bot.as_object().unwrap().contains_key("botIcon") && bot["botIcon"].is_null());
    assert!(bot["welcome"].is_null(), "the widget has one in every language");

    let server = Server::with(&["--bot-suggestions", "[\"Prices?\"]", "--bot-welcome", "Hi"]).await;
    let bot = server.get("/api/sessions/bot-config").await.expect(200);
    assert_eq!((&bot["welcome"], &bot["suggestions"]), (&json!("Hi"), &json!(["Prices?"])));
}
