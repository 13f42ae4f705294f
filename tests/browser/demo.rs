//! The server's own demo pages.

use crate::support::{BOX, FRAME, Key, LAUNCHER, Server, Visitor, visit};

impl Visitor {
    async fn chooses_in(&self, select: &str, label: &str) {
        self.click(select).await;
        self.types(select, label).await;
        self.press(&[Key::Return]).await;
    }
}

#[tokio::test]
async fn the_home_page_shows_the_tag_and_controls_change_the_widget() {
    let server = Server::start().await;
    visit(async |visitor| {
        visitor.goto(&format!("{}/", server.base)).await;
        let source = format!("{}/embed.js", server.base);
        visitor.sees("#tag", &source).await;
        visitor.element(LAUNCHER).await;
        visitor.is_accessible("the home page").await;

        visitor.click("input[value='#0f766e']").await;
        visitor.sees("#tag", "data-primary-color=\"#0f766e\"").await;
        let teal = "rgb(15, 118, 110)";
        visitor
            .until(&format!(
                "seen('{LAUNCHER}')
                && getComputedStyle($('{LAUNCHER}')).backgroundColor === '{teal}'"
            ))
            .await;
        visitor.chooses_in("select[name=position]", "Top left").await;
        visitor.sees("#tag", "data-position=\"top-left\"").await;
        visitor
            .until(&format!(
                "seen('{LAUNCHER}') && $('{LAUNCHER}').getBoundingClientRect().x === 20"
            ))
            .await;
        assert_eq!(visitor.style(LAUNCHER, "backgroundColor").await, teal, "kept");
        visitor.chooses_in("select[name=position]", "Bottom right").await;
        visitor
            .until(&format!(
                "seen('{LAUNCHER}') && $('{LAUNCHER}').getBoundingClientRect().x > 1000"
            ))
            .await;
        visitor.chooses_in("select[name=language]", "Deutsch").await;
        visitor.sees("#tag", "data-language=\"de\"").await;
        visitor.until(&format!("$('{LAUNCHER}').ariaLabel === 'Chat öffnen'")).await;
        visitor.chooses_in("select[name=theme]", "Dark").await;
        visitor.sees("#tag", "data-theme=\"dark\"").await;
        assert!(visitor.lightness("body").await < 0.25);
        visitor.is_accessible("the home page, dark").await;

        let shown = visitor.text("#tag").await;
        visitor.click("#copy").await;
        visitor.until("$('#copied').innerText").await;
        visitor.open_chat().await;
        visitor.until("document.documentElement.lang === 'de'").await;
        assert!(visitor.lightness("#messages-container").await < 0.25);
        visitor.types(BOX, Key::Control + "v").await;
        let pasted = visitor.until(&format!("$('{BOX}').value")).await;
        let words = pasted.as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words, shown);
    })
    .await;
}

#[tokio::test]
async fn the_home_page_answers_about_its_shop_and_its_file() {
    let server = Server::start().await;
    visit(async |visitor| {
        visitor.goto(&format!("{}/", server.base)).await;
        visitor.element(LAUNCHER).await;
        visitor.click(".card [data-ask]").await;
        visitor.enter_chat().await;
        visitor.reads_answer("9:00 to 16:00").await;
        visitor.leave_frame().await;
        visitor.click(".card [data-ask-file]").await;
        visitor.enter_chat().await;
        visitor.sees(".file-chip .file-facts", "400 rows").await;
        visitor.sees(".computed", "400 rows").await;
        visitor.leave_frame().await;
        let file = visitor.attribute("#download", "download").await.unwrap();
        assert!(file.ends_with(".csv"), "{file}");

        // The picture shows what is answered. The open chat would cover its button.
        visitor.goto(&format!("{}/", server.base)).await;
        visitor.element(LAUNCHER).await;
        visitor.click(".shown [data-ask-file]").await;
        visitor.enter_chat().await;
        visitor.sees("#messages-list .bot:last-child", "Espresso cup").await;
        let answer = visitor.text("#messages-list .bot:last-child").await;
        let sql = "return $('#messages-list .bot:last-child .computed ~ pre').textContent";
        let sql = visitor.eval(sql).await;
        visitor.leave_frame().await;
        let figures =
            visitor.eval("return $$('.shown .figure').map((one) => one.textContent)").await;
        assert_eq!(visitor.eval("return $('.shown code').textContent").await, sql);
        assert_eq!(figures.as_array().unwrap().len(), 5);
        for figure in figures.as_array().unwrap() {
            assert!(answer.contains(figure.as_str().unwrap()), "{figure} in {answer}");
        }

        visitor.is_on_a_phone().await;
        visitor.goto(&format!("{}/", server.base)).await;
        visitor.element(LAUNCHER).await;
        assert_eq!(
            visitor.eval("return document.documentElement.scrollWidth").await,
            390,
            "nothing overflows on a phone"
        );
        visitor.is_accessible("on a phone").await;
    })
    .await;
}

#[tokio::test]
async fn the_home_page_says_what_is_left_to_set_up() {
    let key = ["--anthropic-api-key", "sk-ant-x", "--claude-model", "model-a"];
    let production = [&key[..], &["--app-env", "production"]].concat();
    for (flags, shown) in [
        (&[][..], "Next: connect a model"),
        (&key[..], "Answers come from model-a (claude)."),
        (&production[..], "This server runs in production."),
    ] {
        let server = Server::with(flags).await;
        visit(async |visitor| {
            visitor.goto(&format!("{}/", server.base)).await;
            visitor.sees("#setup", shown).await;
            assert_eq!(visitor.eval("return $$('#setup > :not([hidden])').length").await, 1);
            visitor.is_accessible(shown).await;
        })
        .await;
    }
}

#[tokio::test]
async fn the_documents_can_be_read_on_a_phone() {
    let server = Server::start().await;
    visit(async |visitor| {
        visitor.is_on_a_phone().await;
        for path in ["/readme", "/guide"] {
            visitor.goto(&format!("{}{path}", server.base)).await;
            visitor.is_accessible(path).await;
            assert_eq!(visitor.eval("return document.documentElement.scrollWidth").await, 390);
        }
        visitor.click(".contents a[href='#events']").await;
        visitor.until("location.hash === '#events'").await;
    })
    .await;
}

#[tokio::test]
async fn the_inline_page_shows_the_chat_as_part_of_it() {
    let server = Server::start().await;
    visit(async |visitor| {
        visitor.goto(&format!("{}/demo/inline", server.base)).await;
        visitor.sees("#tag", &format!("{}/embed.js", server.base)).await;
        visitor.sees("#tag", "data-mode=\"inline\"").await;
        visitor.eval("$('#help').scrollIntoView()").await;
        visitor.until(&format!("$('#help').contains($('chatbot-widget')) && $('{FRAME}')")).await;
        assert_eq!(visitor.eval(&format!("return seen('{LAUNCHER}')")).await, false);
        visitor.is_accessible("the host page").await;
        visitor.enter_chat().await;
        visitor.is_accessible("the inline chat").await;
        visitor.click("button.suggestion").await;
        visitor.reads_answer("dishwasher").await;
        visitor.leave_frame().await;
        visitor.click("a[href='/']").await;
        visitor.until("location.pathname === '/'").await;
    })
    .await;
}
