//! Questions and answers.

use serde_json::json;

use crate::support::server::model::{Script, claude_says};
use crate::support::{BOX, Key, LiveModel, Model, Server, Site, stage, visit, with_tag};

#[tokio::test]
async fn an_answer_can_be_read_as_it_streams_in() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("What is smoky?").await;
        visitor.until("seen('#typing-bubble') && seen('#stop-btn') && !seen('#send-btn')").await;
        let turn = model.turn().await;
        turn.says("The **blend** is smoky. It has ");
        visitor.sees(".message.bot.streaming .bubble", "The blend is smoky. It has").await;
        visitor.sees_no("#typing-bubble").await;
        // Whole sentences are announced, and nothing twice.
        visitor.until("$('#announcer').textContent.includes('smoky.')").await;
        let announced = visitor.eval("return $('#announcer').textContent").await;
        assert!(!announced.as_str().unwrap().contains("It has"), "{announced}");
        assert_eq!(visitor.attribute("#messages-list", "role").await.unwrap(), "log");

        turn.answers("a long finish.");
        visitor.reads_answer("The blend is smoky. It has a long finish.").await;
        visitor.until("$('#announcer').textContent.includes('It has a long finish.')").await;
        assert_eq!(visitor.text("#messages-list .bot strong").await, "blend");
        visitor.until("seen('#send-btn') && !seen('#stop-btn')").await;
        assert_eq!(
            visitor.conversation().await,
            ["user: What is smoky?", "bot: The blend is smoky. It has a long finish."]
        );
    })
    .await;
}

#[tokio::test]
async fn finished_blocks_stay_and_no_sign_of_markdown_is_ever_shown() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor
            .eval(
                "window.shown = [];
                 new MutationObserver(() => shown.push($('.message.bot .bubble')?.innerText ?? ''))
                   .observe($('#messages-list'), { subtree: true, childList: true });",
            )
            .await;
        visitor.ask("Which teas?").await;
        let turn = model.turn().await;
        for piece in
            ["## Te", "as\n\n| Tea | Pri", "ce |\n|---|---|\n| **Sen", "cha** | 7 |\n\nAnd ["]
        {
            turn.says(piece);
            visitor.until("shown.length > 0").await;
        }
        turn.says("more](https://teas.exa");
        visitor.sees(".streaming .tail", "And more").await;
        visitor
            .eval("window.kept = $('.streaming table'); window.tall = $('.bot .rich').offsetHeight")
            .await;
        turn.answers("mple/more) of **them**.");
        visitor.sees(".message.bot:not(.streaming) a", "more").await;
        let end = "[$('.bot .rich table') === kept, $('.bot .rich').offsetHeight, tall]";
        let end = visitor.eval(&format!("return {end}")).await;
        assert_eq!(end[0], true, "the table is another element");
        assert_eq!(end[1], end[2], "the end is a jump");
        let signs = "shown.filter((text) => /[|#\\[\\]]|\\*\\*|exa/.test(text))";
        assert_eq!(visitor.eval(&format!("return {signs}")).await, json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_model_that_thinks_is_shown_to_think_until_its_first_word() {
    for (attributes, words) in [("", "Thinking…"), ("data-language=\"de\"", "Denkt nach …")] {
        let (model, _server, site) = stage(attributes).await;
        visit(async |visitor| {
            visitor.goto(&site.url("/")).await;
            visitor.open_chat().await;
            visitor.ask("What is smoky?").await;
            let turn = model.turn().await;
            turn.says("<think>A secret plan.");
            visitor.sees("#typing-words", words).await;
            visitor.sees("#bot-status", words).await;
            assert_eq!(visitor.attribute("#typing-indicator", "role").await.unwrap(), "status");
            // A change of the words would be announced again.
            visitor
                .eval(
                    "window.changes = 0;
                     new MutationObserver(() => window.changes++)
                       .observe($('#typing-words'), { childList: true, characterData: true })",
                )
                .await;
            turn.says(" It goes on.");
            // Someone who reloads the page is told as well.
            assert_eq!(visitor.eval("return window.changes").await, 0);
            visitor.reload().await;
            visitor.open_chat().await;
            visitor.sees("#typing-words", words).await;
            turn.says("</think>\n\nThe blend");
            visitor.sees(".message.bot.streaming .bubble", "The blend").await;
            visitor.sees_no("#typing-bubble").await;
            turn.answers(" is.");
            visitor.reads_answer("The blend is.").await;
            let page = visitor.eval("return document.body.textContent").await;
            assert!(!page.as_str().unwrap().contains("secret"));
        })
        .await;
    }
}

#[tokio::test]
async fn the_view_follows_the_end_unless_the_visitor_has_scrolled_up() {
    const FROM_END: &str = "const all = $('#messages-container');
         return all.scrollHeight - all.scrollTop - all.clientHeight";
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("Count").await;
        let turn = model.turn().await;
        for n in 0..40 {
            turn.says(&format!("Line {n}.\n\n"));
        }
        visitor.sees(".message.bot .bubble", "Line 39.").await;
        assert!(visitor.eval(FROM_END).await.as_f64().unwrap() < 2.0, "the end is followed");
        visitor.eval("$('#messages-container').scrollTop = 40").await;
        turn.says("Above the fold.\n\n");
        visitor.sees(".message.bot .bubble", "Above the fold.").await;
        assert_eq!(visitor.eval("return $('#messages-container').scrollTop").await, 40);
        turn.answers("The end.");
        visitor.reads_answer("The end.").await;
        assert_eq!(visitor.eval("return $('#messages-container').scrollTop").await, 40);
        // The visitor's own messages are always scrolled into view.
        visitor.ask("And now?").await;
        model.turn().await.answers("Now.");
        visitor.reads_answer("Now.").await;
        assert!(
            visitor.eval(FROM_END).await.as_f64().unwrap() < 2.0,
            "one's own question is shown"
        );
    })
    .await;
}

#[tokio::test]
async fn an_answer_can_be_stopped() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("Tell me all").await;
        let turn = model.turn().await;
        turn.says("The first half ");
        visitor.sees(".message.bot .bubble", "The first half").await;
        visitor.click("#stop-btn").await;
        visitor.reads_answer("The first half").await;
        visitor.sees(".message.bot .note", "Stopped").await;
        visitor.sees_no("#stop-btn").await;
        turn.says("that nobody reads");
        visitor.ask("Something else").await;
        model.turn().await.answers("Gladly.");
        visitor.reads_answer("Gladly.").await;
        let expected =
            ["user: Tell me all", "bot: The first half", "user: Something else", "bot: Gladly."];
        assert_eq!(visitor.conversation().await, expected);
        visitor.reload().await;
        visitor.open_chat().await;
        visitor.reads_answer("Gladly.").await;
        assert_eq!(visitor.conversation().await, expected);
        visitor.sees(".message.bot .note", "Stopped").await;
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_answer_can_be_retried() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("Does it rain?").await;
        let turn = model.turn().await;
        turn.says("It might ");
        visitor.sees(".message.bot .bubble", "It might").await;
        turn.breaks();
        visitor.sees(".message.bot .note", "Interrupted").await;
        visitor.sees("#error-modal", "").await;
        assert!(!visitor.text("#notice-text").await.is_empty(), "told in words");
        visitor.sees("#notice-action", "Send again").await;
        assert!(
            !visitor.eval("return seen('button.retry')").await.as_bool().unwrap(),
            "one way on"
        );
        visitor.click("#notice-action").await;
        model.turn().await.answers("It rains.");
        visitor.reads_answer("It rains.").await;
        visitor.sees_no("#error-modal").await;
        assert_eq!(visitor.conversation().await, ["user: Does it rain?", "bot: It rains."]);
        assert_eq!(visitor.count("button.retry").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_refused_question_goes_back_into_the_box() {
    let refusal = Script::Status(413, &[], json!({"error": {"type": "x"}}).to_string());
    let model = Model::start([refusal, claude_says("That I know.")]).await;
    let flags = model.flags();
    let server = Server::with(&flags).await;
    let site = Site::of(with_tag(&server.base, "")).await;
    visit(async |visitor| {
        visitor.expects("413");
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("What?").await;
        visitor.until("$('#message-input').value === 'What?' && seen('#error-modal')").await;
        assert!(visitor.text("#notice-text").await.len() > 10, "told in words");
        visitor.click("#notice-dismiss").await;
        visitor.sees_no("#error-modal").await;
        visitor.types(BOX, " Really" + Key::Return).await;
        visitor.reads_answer("That I know.").await;
        assert_eq!(visitor.conversation().await, ["user: What? Really", "bot: That I know."]);
    })
    .await;
}

#[tokio::test]
async fn welcome_suggestions_and_character_count() {
    let flags = [
        "--bot-welcome",
        "Welcome to the harbour!",
        "--bot-suggestions",
        r#"["When do you open?", "Where are you?"]"#,
        "--max-message-chars",
        "50",
        "--bot-powered-by",
        "Tea",
    ];
    let model = LiveModel::start().await;
    let server = Server::with(&[&flags[..], &model.flags()].concat()).await;
    let site = Site::of(with_tag(&server.base, "")).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.sees("#welcome-text", "Welcome to the harbour!").await;
        visitor.sees("#powered-by", "Tea").await;
        visitor.until("$$('button.suggestion').length === 2").await;

        visitor.sees_no("#char-count").await;
        visitor.types(BOX, "x".repeat(39)).await;
        visitor.sees_no("#char-count").await;
        visitor.types(BOX, "x").await;
        visitor.sees("#char-count", "40").await;
        visitor.types(BOX, "x".repeat(12)).await;
        visitor.sees("#char-count", "2 characters over the limit").await;
        assert_eq!(visitor.eval("return $('#send-btn').disabled").await, true);
        visitor.types(BOX, Key::Return).await;
        assert_eq!(visitor.count("#messages-list .message").await, 0, "nothing is sent");
        visitor.types(BOX, Key::Backspace + Key::Backspace).await;
        visitor.until("!$('#send-btn').disabled").await;
        visitor.types(BOX, Key::Control + "a").await;
        visitor.types(BOX, Key::Delete).await;

        visitor.click("button.suggestion:nth-child(2)").await;
        model.turn().await.answers("By the sea.");
        visitor.reads_answer("By the sea.").await;
        assert_eq!(visitor.conversation().await, ["user: Where are you?", "bot: By the sea."]);
        visitor.sees_no("#suggestions").await;
    })
    .await;
}

#[tokio::test]
async fn a_new_chat_replaces_the_conversation() {
    let (model, _server, site) = stage("data-suggestions='[\"Hello?\"]'").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.click("button.suggestion").await;
        model.turn().await.answers("Hello!");
        visitor.reads_answer("Hello!").await;

        visitor.click("#reset-btn").await;
        visitor.click("#notice-dismiss").await;
        visitor.sees_no("#error-modal").await;
        assert_eq!(visitor.count("#messages-list .message").await, 2, "kept");

        // Also in the middle of an answer.
        visitor.ask("And you?").await;
        let turn = model.turn().await;
        turn.says("I am ");
        visitor.sees(".message.bot.streaming .bubble", "I am").await;
        visitor.click("#reset-btn").await;
        visitor.click("#notice-action").await;
        visitor.until("!$$('#messages-list .message').length && seen('#suggestions')").await;
        turn.answers("late.");
        visitor.ask("Again?").await;
        let again = model.turn().await;
        assert!(!again.body["messages"].to_string().contains("Hello"), "{}", again.body);
        again.answers("Again!");
        visitor.reads_answer("Again!").await;
        assert_eq!(visitor.conversation().await, ["user: Again?", "bot: Again!"]);
        visitor.reload().await;
        visitor.open_chat().await;
        visitor.reads_answer("Again!").await;
        assert_eq!(visitor.conversation().await, ["user: Again?", "bot: Again!"]);
    })
    .await;
}

#[tokio::test]
async fn answers_and_code_can_be_copied() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        // On a secure origin and on an insecure one, where browsers withhold the clipboard API.
        for address in [site.url("/"), site.plain_url("/")] {
            visitor.goto(&address).await;
            visitor.open_chat().await;
            visitor.ask("Code?").await;
            model.turn().await.answers("Run *this*:\n\n```sh\nbrew tea\n```\n");
            visitor.reads_answer("Run this:").await;
            visitor.click(".message.bot button.copy-code").await;
            visitor.sees("button.copy-code", "Copied").await;
            visitor.types(BOX, Key::Control + "v").await;
            visitor.until("$('#message-input').value.trim() === 'brew tea'").await;
            visitor.click(".message.bot .meta button.copy").await;
            visitor.until("$('.meta button.copy').innerText.includes('Copied')").await;
            visitor.types(BOX, Key::Control + "v").await;
            visitor.until("$('#message-input').value.includes('Run *this*:')").await;
        }
    })
    .await;
}
