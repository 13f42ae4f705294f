//! What matters most, in the engines of Firefox and Safari.

use serde_json::json;

use crate::support::{Engine, OnDisk, stage, visit_in};

#[tokio::test]
async fn firefox_talks_reloads_and_charts() {
    talks_reloads_and_charts(Engine::Gecko).await;
}

#[tokio::test]
async fn webkit_talks_reloads_and_charts() {
    talks_reloads_and_charts(Engine::WebKit).await;
}

async fn talks_reloads_and_charts(engine: Engine) {
    let fruit = OnDisk::new("fruit.csv", "fruit,price\napple,2\npear,3\nplum,4\n");
    let (model, _server, site) = stage("").await;
    visit_in(engine, async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("Count!").await;
        let turn = model.turn().await;
        turn.says("One two ");
        visitor.sees(".message.bot.streaming .bubble", "One two").await;
        visitor.reload().await;
        turn.says("three ");
        visitor.open_chat().await;
        visitor.sees(".message.bot.streaming .bubble", "One two three").await;
        turn.answers("four.");
        visitor.reads_answer("One two three four.").await;

        visitor.chooses(&fruit).await;
        visitor.sees(".file-chip .file-facts", "3 rows").await;
        visitor.ask("What costs what?").await;
        let query = json!({"sql": "SELECT fruit, price FROM data", "chart": "bar"});
        model.turn().await.queries(&query);
        model.turn().await.answers("| fruit | price |\n|---|---|\n| plum | **4** |\n");
        visitor.sees(".message.bot td strong", "4").await;
        visitor.until("seen('svg.chart[role=img]')").await;
        let [_, _, width, height] = visitor.place("svg.chart").await;
        assert!(width > 200.0 && height > 100.0, "{width} × {height}");
        assert_eq!(model.waiting().await, 0, "asked once each");
    })
    .await;
}
