//! What the home page is told about the server.

use serde_json::json;

use crate::support::Server;

const KEY: &str = "sk-ant-hidden";

#[tokio::test]
async fn the_home_page_learns_which_model_answers() {
    let demo = Server::start().await.get("/setup.json").await;
    assert_eq!(demo.status, 200);
    assert_eq!(demo.json(), json!({"production": false, "provider": "demo", "model": null}));
    assert_eq!(demo.header("cache-control"), Some("no-store"));
    let flags = ["--anthropic-api-key", KEY, "--claude-model", "model-a"];
    let claude = Server::with(&flags).await.get("/setup.json").await;
    assert_eq!(
        claude.json(),
        json!({"production": false, "provider": "claude", "model": "model-a"})
    );
    assert!(!String::from_utf8_lossy(&claude.body).contains("hidden"));
}

#[tokio::test]
async fn in_production_visitors_learn_nothing_about_the_model() {
    let flags = ["--app-env", "production", "--anthropic-api-key", KEY];
    let server = Server::with(&flags).await;
    assert_eq!(server.get("/setup.json").await.json(), json!({"production": true}));
    let request = server.request(reqwest::Method::POST, "/setup.json");
    server.send(request).await.expect_error(405, "method_not_allowed");
}
