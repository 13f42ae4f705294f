//! WCAG 2.2 AA in every state, light and dark, as far as a program can check it.

use serde_json::json;

use crate::support::server::model::{Script, claude_calls, claude_says};
use crate::support::{
    BOX, LAUNCHER, Line, LiveModel, Model, OnDisk, Server, Site, Visitor, visit, with_tag,
};

const THEMES: [&str; 2] = ["light", "dark"];

impl Visitor {
    /// Checks the chat's frame in both themes.
    async fn chat_is_accessible(&self, state: &str) {
        for theme in THEMES {
            self.leave_frame().await;
            self.eval(&format!("ChatbotWidget.setTheme('{theme}')")).await;
            self.enter_chat().await;
            self.until(&format!("document.documentElement.dataset.theme === '{theme}'")).await;
            self.is_accessible(&format!("{state}, {theme}")).await;
        }
    }
}

#[tokio::test]
async fn the_host_page_the_empty_window_and_a_conversation() {
    let teas = OnDisk::new("teas.csv", "tea,price\nAssam,9\nSencha,12\n");
    let query = json!({"sql": "SELECT tea, price FROM data", "chart": "bar"});
    let answer = "## Prices\n\nA [list](https://teas.example/) with `code`:\n\n- one\n- two\n\n\
        | tea | price |\n|---|---:|\n| Assam | 9 |\n\n```sh\nbrew --long-option tea\n```\n\n> Quoted.";
    let model = Model::start([claude_calls("", &[("t1", query)]), claude_says(answer)]).await;
    let flags = model.flags();
    let more = ["--bot-suggestions", "[\"When do you open?\"]", "--bot-powered-by", "Tea"];
    let server = Server::with(&[&flags[..], &more].concat()).await;
    let site = Site::of(with_tag(&server.base, "")).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.element(LAUNCHER).await;
        visitor.is_accessible("the page, closed").await;
        visitor.open_chat().await;
        visitor.leave_frame().await;
        visitor.is_accessible("the page, open").await;
        visitor.chat_is_accessible("empty").await;
        visitor.chooses(&teas).await;
        visitor.sees(".file-chip", "2 rows").await;
        visitor.ask("What do they cost?").await;
        visitor.reads_answer("Quoted.").await;
        visitor.click(".computed").await;
        visitor.types(BOX, "Another").await;
        visitor.chat_is_accessible("in conversation").await;
    })
    .await;
}

#[tokio::test]
async fn uploads_answers_in_progress_and_errors() {
    let model = LiveModel::start().await;
    let server = Server::with(&[&model.flags()[..], &["--max-message-chars", "20"]].concat()).await;
    let teas = OnDisk::new("teas.csv", "a row, and another\n".repeat(40_000));
    let line = Line::to(server.address).await;
    let site = Site::of(with_tag(&line.base, "")).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        line.hold_uploads(true);
        visitor.chooses(&teas).await;
        visitor.until("seen('progress.file-progress')").await;
        visitor.chat_is_accessible("uploading").await;
        visitor.click("button.file-cancel").await;
        line.hold_uploads(false);
        visitor.ask("Well?").await;
        let turn = model.turn().await;
        visitor.chat_is_accessible("waiting").await;
        turn.says("It ");
        visitor.sees(".streaming", "It").await;
        visitor.chat_is_accessible("being written").await;
        turn.breaks();
        visitor.until("seen('#error-modal') && $('.retry')").await;
        visitor.types(BOX, "x".repeat(21)).await;
        visitor.sees("#char-count", "1 character over the limit").await;
        visitor.chat_is_accessible("failed, and a text too long").await;
        visitor.click("#reset-btn").await;
        visitor.chat_is_accessible("a question of the window's own").await;
    })
    .await;
}

#[tokio::test]
async fn phones_other_languages_and_refusals() {
    let refusal = Script::Status(413, &[], "{}".to_owned());
    let model = Model::start([claude_says("نعم. Yes."), refusal]).await;
    let flags = model.flags();
    let server = Server::with(&flags).await;
    let attributes = "data-language=\"ar\" data-primary-color=\"#facc15\"";
    let site = Site::of(with_tag(&server.base, attributes)).await;
    visit(async |visitor| {
        visitor.expects("413");
        visitor.is_on_a_phone().await;
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("سؤال").await;
        visitor.reads_answer("نعم. Yes.").await;
        visitor.chat_is_accessible("Arabic on a phone").await;
        visitor.ask("سؤال").await;
        visitor.until("seen('#error-modal')").await;
        visitor.chat_is_accessible("refused").await;
        visitor.leave_frame().await;
        visitor.is_accessible("the page around").await;
    })
    .await;
}
