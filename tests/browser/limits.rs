//! Rate limits: explained to the visitor, and nothing that was typed or chosen is lost.

use crate::support::{BOX, Line, LiveModel, OnDisk, Server, Site, visit, with_tag};

#[tokio::test]
async fn a_rate_limited_question_is_kept_and_sent_after_the_wait() {
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let line = Line::to(server.address).await;
    let site = Site::of(with_tag(&line.base, "")).await;
    visit(async |visitor| {
        visitor.expects("429");
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;

        // The session is requested again without any action by the visitor.
        line.refuse("POST /api/sessions/create", 4);
        visitor.ask("What is smoky?").await;
        visitor.sees("#notice-text", "Please wait 4 seconds.").await;
        model.turn().await.answers("The blend.");
        visitor.reads_answer("The blend.").await;
        visitor.sees_no("#error-modal").await;

        line.refuse("POST /api/chat/stream", 7);
        visitor.ask("What is green?").await;
        visitor.sees("#notice-text", "Please wait 7 seconds.").await;
        visitor.sees(".message.user .note", "Not answered").await;
        let state = visitor
            .eval(
                "return ['#notice-action', '.retry'].map((one) =>
                   [$(one).disabled, $(one).querySelector('[aria-hidden=true]') !== null])",
            )
            .await;
        assert_eq!(state, serde_json::json!([[true, true], [true, true]]));
        visitor.is_accessible("a question has to wait").await;
        visitor.types(BOX, "And black?").await;
        visitor.sees("#notice-text", "You can try again now.").await;
        visitor.click("#notice-action").await;
        model.turn().await.answers("Sencha.");
        visitor.reads_answer("Sencha.").await;
        visitor.sees_no("#error-modal").await;
        assert_eq!(visitor.count(".retry").await, 0);
        assert_eq!(visitor.eval("return $('#message-input').value").await, "And black?");
        assert_eq!(
            visitor.conversation().await,
            ["user: What is smoky?", "bot: The blend.", "user: What is green?", "bot: Sencha."]
        );
        assert_eq!(model.waiting().await, 0, "asked once each");
    })
    .await;
}

#[tokio::test]
async fn a_rate_limited_file_is_kept_and_sent_after_the_wait() {
    let file = OnDisk::new("fruit.csv", "fruit,price\nplum,2\n");
    let server = Server::start().await;
    let line = Line::to(server.address).await;
    let site = Site::of(with_tag(&line.base, "")).await;
    visit(async |visitor| {
        visitor.expects("429");
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        line.refuse("POST /api/files/upload", 7);
        visitor.chooses(&file).await;
        visitor.sees("#notice-text", "Please wait 7 seconds.").await;
        visitor.sees(".file-refused .file-name", "fruit.csv").await;
        visitor.is_accessible("a file has to wait").await;
        // It is kept whatever happens to the notice.
        visitor.click("#notice-dismiss").await;
        visitor.sees(".file-refused .file-name", "fruit.csv").await;
        visitor.until("!$('.file-refused .link-btn').disabled").await;
        visitor.click(".file-refused .link-btn").await;
        visitor.sees(".file-chip .file-name", "fruit.csv").await;
        assert_eq!(visitor.count(".file-refused").await, 0);
    })
    .await;
}
