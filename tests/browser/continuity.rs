//! Reloads, broken connections, expired sessions, several pages: nothing is lost or duplicated.

use std::time::Duration;

use serde_json::json;

use crate::support::{LAUNCHER, Line, LiveModel, Server, Site, stage, visit, with_head, with_tag};

#[tokio::test]
async fn a_reload_in_the_middle_of_an_answer_loses_nothing() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("First?").await;
        model.turn().await.answers("An earlier answer.");
        visitor.reads_answer("An earlier answer.").await;
        visitor.ask("Count!").await;
        let turn = model.turn().await;
        turn.says("One two ");
        visitor.sees(".message.bot.streaming .bubble", "One two").await;
        visitor.reload().await;
        turn.says("three ");
        visitor.open_chat().await;
        visitor.sees(".message.bot.streaming .bubble", "One two three").await;
        visitor.until("seen('#stop-btn')").await;
        turn.answers("four.");
        visitor.reads_answer("One two three four.").await;
        let expected =
            ["user: First?", "bot: An earlier answer.", "user: Count!", "bot: One two three four."];
        assert_eq!(visitor.conversation().await, expected);
        assert_eq!(model.waiting().await, 0, "asked once");
        // The same if it ends while the page is closed.
        visitor.ask("More!").await;
        let turn = model.turn().await;
        turn.says("Five ");
        visitor.sees(".message.bot.streaming .bubble", "Five").await;
        visitor.goto("about:blank").await;
        turn.answers("six.");
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.reads_answer("Five six.").await;
        let all = [&expected[..], &["user: More!", "bot: Five six."]].concat();
        assert_eq!(visitor.conversation().await, all);
    })
    .await;
}

#[tokio::test]
async fn a_broken_connection_is_resumed_where_it_broke() {
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let line = Line::to(server.address).await;
    let site = Site::of(with_tag(&line.base, "")).await;
    visit(async |visitor| {
        visitor.expects("net::ERR_");
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("Count!").await;
        let turn = model.turn().await;
        turn.says("One two ");
        visitor.sees(".message.bot.streaming .bubble", "One two").await;
        line.hiccup();
        turn.says("three ");
        visitor.sees(".message.bot.streaming .bubble", "One two three").await;
        line.hiccup();
        turn.answers("four.");
        visitor.reads_answer("One two three four.").await;
        assert_eq!(visitor.conversation().await, ["user: Count!", "bot: One two three four."]);
        assert_eq!(model.waiting().await, 0, "asked once");
    })
    .await;
}

#[tokio::test]
async fn an_unreachable_server_is_reported_and_the_question_retried() {
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let mut line = Line::to(server.address).await;
    let site = Site::of(with_tag(&line.base, "")).await;
    visit(async |visitor| {
        visitor.expects("net::ERR_");
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        line.cut();
        visitor.ask("Anyone?").await;
        visitor.sees("#notice-text", "can’t be reached right now").await;
        visitor.sees(".message.user .note", "Not answered").await;
        line.mend();
        visitor.click("#notice-action").await;
        model.turn().await.answers("I am back.");
        visitor.reads_answer("I am back.").await;
        assert_eq!(visitor.conversation().await, ["user: Anyone?", "bot: I am back."]);
        visitor.sees_no("#error-modal").await;
        assert_eq!(model.waiting().await, 0, "asked once");
    })
    .await;
}

#[tokio::test]
async fn being_offline_is_shown_and_typed_text_is_kept() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.expects("net::ERR_INTERNET_DISCONNECTED");
        let line = async |offline: bool| {
            let none = json!({"offline": offline, "latency": 0,
                "downloadThroughput": -1, "uploadThroughput": -1});
            visitor.cdp("Network.emulateNetworkConditions", none).await;
        };
        visitor.cdp("Network.enable", json!({})).await;
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        line(true).await;
        visitor.sees("#connection-status", "You’re offline").await;
        visitor.sees("#bot-status", "Offline").await;
        visitor.ask("Anyone?").await;
        visitor.sees("#notice-text", "You’re offline").await;
        visitor.sees(".message.user", "Anyone?").await;
        line(false).await;
        visitor.until("!text('#connection-status')").await;
        visitor.click("#notice-dismiss").await;
        visitor.click(".message.user button.retry").await;
        model.turn().await.answers("I am.");
        visitor.reads_answer("I am.").await;
        assert_eq!(visitor.conversation().await, ["user: Anyone?", "bot: I am."]);
    })
    .await;
}

#[tokio::test]
async fn a_window_that_cannot_load_says_so_and_offers_a_retry() {
    // The page's clock runs faster, since the loader waits long before it gives up.
    const CLOCK: &str = "<script>{ const later = setTimeout; window.hurry = true;
        window.setTimeout = (fn, ms) => later(fn, window.hurry ? Math.min(ms, 500) : ms); }</script>";
    let server = Server::start().await;
    let mut line = Line::to(server.address).await;
    let tag = format!("{CLOCK}<script src=\"{}/embed.js\" async></script>", line.base);
    let site = Site::of(with_head(&tag)).await;
    visit(async |visitor| {
        visitor.expects("net::ERR_");
        visitor.goto(&site.url("/")).await;
        visitor.element(LAUNCHER).await;
        line.cut();
        visitor.click(LAUNCHER).await;
        visitor.sees("chatbot-widget >>> .wait", "can’t be reached right now").await;
        line.mend();
        visitor.eval("window.hurry = false").await;
        visitor.click("chatbot-widget >>> .wait button").await;
        visitor.enter_chat().await;
        visitor.ask("help").await;
        visitor.until("$('#messages-list .message.bot:not(.streaming)')").await;
    })
    .await;
}

#[tokio::test]
async fn an_expired_session_is_renewed_silently() {
    let model = LiveModel::start().await;
    let server =
        Server::with(&[&model.flags()[..], &["--chat-session-timeout", "60"]].concat()).await;
    let site = Site::of(with_tag(&server.base, "")).await;
    visit(async |visitor| {
        visitor.expects("404");
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("First?").await;
        model.turn().await.answers("First.");
        visitor.reads_answer("First.").await;
        server.clock.advance(Duration::from_secs(61));
        visitor.ask("Second?").await;
        let turn = model.turn().await;
        assert!(!turn.body["messages"].to_string().contains("First"), "a new conversation");
        turn.answers("Second.");
        visitor.reads_answer("Second.").await;
        assert_eq!(visitor.eval("return seen('#error-modal')").await, false);
        assert_eq!(visitor.eval("return $$('.note, .retry').length").await, 0);
        // The new session is remembered.
        visitor.reload().await;
        visitor.open_chat().await;
        visitor.reads_answer("Second.").await;
        // If the session expires before the visitor returns, the conversation starts empty.
        server.clock.advance(Duration::from_secs(61));
        visitor.reload().await;
        visitor.open_chat().await;
        visitor.until("seen('#welcome-text') && !$('#messages-list .message')").await;
        assert_eq!(visitor.eval("return seen('#error-modal')").await, false);
    })
    .await;
}

#[tokio::test]
async fn all_pages_of_a_site_show_one_conversation() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("One?").await;
        model.turn().await.answers("One.");
        visitor.reads_answer("One.").await;

        let driver = visitor.driver();
        let first = driver.window().await.unwrap();
        let second = driver.new_tab().await.unwrap();
        driver.switch_to_window(second).await.unwrap();
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.reads_answer("One.").await;
        visitor.ask("Two?").await;
        model.turn().await.answers("Two.");
        visitor.reads_answer("Two.").await;

        driver.switch_to_window(first).await.unwrap();
        visitor.enter_chat().await;
        visitor.reads_answer("Two.").await;
        assert_eq!(
            visitor.conversation().await,
            ["user: One?", "bot: One.", "user: Two?", "bot: Two."]
        );
    })
    .await;
}

/// The page took the server's count of messages for what it showed.
#[tokio::test]
async fn messages_asked_elsewhere_in_the_meantime_are_shown() {
    let (model, server, site) = stage("").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor
            .eval("addEventListener('chatbot:session', (event) => (window.id = event.detail.sessionId))")
            .await;
        visitor.open_chat().await;
        visitor.ask("Zero?").await;
        model.turn().await.answers("Zero.");
        visitor.reads_answer("Zero.").await;
        visitor.leave_frame().await;
        let session = visitor.until("window.id").await;

        // As a page in another window would, before this one hears of it.
        let elsewhere = json!({"sessionId": session, "message": "From A?"});
        let elsewhere = server.post("/api/chat/message", elsewhere);
        let (answer, ()) = tokio::join!(elsewhere, async { model.turn().await.answers("A.") });
        answer.expect(200);
        visitor.enter_chat().await;
        visitor.ask("From B?").await;
        model.turn().await.answers("B.");
        visitor.reads_answer("A.").await;
        visitor.reads_answer("B.").await;
        assert_eq!(
            visitor.conversation().await,
            ["user: Zero?", "bot: Zero.", "user: From A?", "bot: A.", "user: From B?", "bot: B."]
        );
    })
    .await;
}
