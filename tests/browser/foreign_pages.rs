//! Pages that would have lost the chat: their styles, scripts, headers, dialogs and small screens.

use serde_json::json;

use crate::support::{
    BOX, FRAME, Key, LAUNCHER, Line, LiveModel, PANEL, Page, Server, Site, stage, visit, with_head,
    with_tag,
};

#[tokio::test]
async fn no_style_or_dialog_of_the_page_reaches_the_chat() {
    let server = Server::start().await;
    let page = with_tag(&server.base, "")
        .replace("</main>", "</main><p style=\"height: 3000px\"></p><dialog>Cookies?</dialog>");
    let site = Site::of(page).await;
    visit(async |visitor| {
        for style in [
            "filter: grayscale(1)",
            "transform: translateX(0)",
            "will-change: transform; container-type: inline-size; overflow: hidden",
        ] {
            visitor.goto(&site.url("/")).await;
            visitor.eval(&format!("document.body.style = '{style}'")).await;
            assert_eq!(visitor.place_of(LAUNCHER).await, [1200.0, 720.0, 60.0, 60.0], "{style}");
        }
        visitor.open_chat().await;
        visitor.leave_frame().await;
        visitor.eval("$('dialog').showModal()").await;
        visitor.until("$('dialog').matches(':modal')").await;
        // The dialog's `toggle` event follows in a task of its own, before this one.
        visitor.eval_async("await new Promise((done) => setTimeout(done)); return true").await;
        visitor.cdp("DOM.getDocument", json!({})).await;
        let layer = visitor.cdp("DOM.getTopLayerElements", json!({})).await;
        let uppermost = json!({"nodeId": layer["nodeIds"].as_array().unwrap().last().unwrap()});
        let uppermost = visitor.cdp("DOM.describeNode", uppermost).await;
        assert_eq!(uppermost["node"]["localName"], "chatbot-widget");
        visitor.eval("$('dialog').close()").await;
        visitor.enter_chat().await;
        visitor.ask("help").await;
        visitor.until("$('#messages-list .message.bot:not(.streaming)')").await;
    })
    .await;
}

#[tokio::test]
async fn the_widget_comes_back_when_the_page_removes_it() {
    let server = Server::start().await;
    let site = Site::of(with_tag(&server.base, "")).await;
    visit(async |visitor| {
        for change in [
            "document.body.innerHTML = '<main>new</main>'",
            "document.body.replaceChildren('new')",
            "document.body.replaceWith(document.createElement('body'))",
            "document.querySelector('chatbot-widget').remove()",
            "document.documentElement.replaceChildren(document.head, document.body)",
        ] {
            visitor.goto(&site.url("/")).await;
            visitor.element(LAUNCHER).await;
            visitor.eval(change).await;
            visitor.until("$$('html > chatbot-widget').length === 1").await;
            visitor.open_chat().await;
        }
        visitor.leave_frame().await;
        // At once, and also for the tag of the next page.
        let shown = visitor
            .eval(
                "$('chatbot-widget').remove(); ChatbotWidget.open();
                 return $$('html > chatbot-widget').length",
            )
            .await;
        assert_eq!(shown, 1);
        let again = format!(
            "$('chatbot-widget').remove();
             const tag = document.createElement('script');
             tag.src = '{}/embed.js';
             tag.onload = () => (window.ran = $$('html > chatbot-widget').length);
             document.head.append(tag)",
            server.base
        );
        visitor.eval(&again).await;
        visitor.until("window.ran === 1").await;
    })
    .await;
}

/// Prototype.js adds a `toJSON` that makes arrays texts.
#[tokio::test]
async fn settings_pass_pages_that_change_json() {
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let head = format!(
        "<script>Array.prototype.toJSON = () => 'broken';
           const loop = {{}}; loop.self = loop;
           window.ChatbotConfig = {{ jsonData: [{{ item: 'Assam', price: 7, fn() {{}} }}], pageData: loop }}
         </script>
         <script src=\"{}/embed.js\" async data-suggestions='[\"One?\", \"Two?\"]'></script>",
        server.base
    );
    let site = Site::of(with_head(&head)).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.sees("#suggestions", "One? Two?").await;
        visitor.ask("Price?").await;
        let turn = model.turn().await;
        assert!(turn.body["system"].to_string().contains("item,price"), "{}", turn.body["system"]);
        turn.answers("Seven.");
        visitor.reads_answer("Seven.").await;
    })
    .await;
}

#[tokio::test]
async fn isolated_pages_can_open_the_chat() {
    let server = Server::start().await;
    let page = |path, coep| Page {
        coep: Some(coep),
        ..Page::new(path, with_tag(&server.base, "").replace("<script ", "<script crossorigin "))
    };
    let pages = vec![page("/required", "require-corp"), page("/less", "credentialless")];
    let site = Site::with(pages).await;
    visit(async |visitor| {
        for path in ["/required", "/less"] {
            visitor.goto(&site.url(path)).await;
            assert_eq!(visitor.eval("return crossOriginIsolated").await, true);
            visitor.open_chat().await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_server_can_be_below_a_path() {
    let server = Server::start().await;
    let line = Line::below("/chat", server.address).await;
    let site = Site::of(with_tag(&line.base, "")).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("help").await;
        visitor.until("$('#messages-list .message.bot:not(.streaming)')").await;
    })
    .await;
}

#[tokio::test]
async fn offsets_make_room_for_other_buttons() {
    let server = Server::start().await;
    let tag = with_tag(&server.base, "data-offset-x=\"30\" data-offset-y=\"100\"");
    let css = tag.replace("</head>", "<style>:root { --chat-offset-y: 200px }</style></head>");
    let site = Site::with(vec![Page::new("/tag", tag), Page::new("/css", css)]).await;
    visit(async |visitor| {
        for (path, y) in [("/tag", 640.0), ("/css", 540.0)] {
            visitor.goto(&site.url(path)).await;
            assert_eq!(visitor.place_of(LAUNCHER).await, [1190.0, y, 60.0, 60.0]);
            visitor.open_chat().await;
            visitor.leave_frame().await;
            visitor.until(&format!("$('{PANEL}').getAnimations().length === 0")).await;
            let [x, top, width, height] = visitor.place(PANEL).await;
            assert_eq!((x + width, top + height, top >= 20.0), (1250.0, y - 12.0, true));
        }
    })
    .await;
}

#[tokio::test]
async fn the_theme_follows_the_page_then_the_system() {
    let server = Server::start().await;
    let styled = |css: &str| {
        with_tag(&server.base, "")
            .replace("</head>", &format!("<style>html {{ {css} }}</style></head>"))
    };
    let pages = vec![
        Page::new("/scheme", styled("color-scheme: dark")),
        Page::new("/ground", styled("background: #10131c")),
        Page::new("/plain", styled("")),
        Page::new("/both", styled("color-scheme: light dark; background: #fff")),
    ];
    let site = Site::with(pages).await;
    visit(async |visitor| {
        let is_dark = async |path: &str| {
            visitor.goto(&site.url(path)).await;
            visitor.open_chat().await;
            visitor.lightness("#messages-container").await < 0.3
        };
        visitor.prefers("prefers-color-scheme", "light").await;
        assert!(is_dark("/scheme").await && is_dark("/ground").await);
        assert!(!is_dark("/plain").await && !is_dark("/both").await);
        // The page has a switch of its own.
        visitor.leave_frame().await;
        visitor.eval("document.documentElement.style.colorScheme = 'dark'").await;
        visitor.enter_chat().await;
        visitor.until("document.documentElement.dataset.theme !== 'light' && ground($('#messages-container'))[0] < 0.3").await;
        visitor.prefers("prefers-color-scheme", "dark").await;
        assert!(is_dark("/plain").await && is_dark("/both").await);
    })
    .await;
}

#[tokio::test]
async fn small_screens_are_filled_and_the_page_behind_waits() {
    let server = Server::start().await;
    let tagged = with_tag(&server.base, "");
    let bare = tagged.replace("<meta name=\"viewport\"", "<meta name=\"none\"");
    let site = Site::with(vec![Page::new("/", tagged), Page::new("/bare", bare)]).await;
    visit(async |visitor| {
        let screen = async |width: u32, height: u32, mobile: bool| {
            let screen = json!({"width": width, "height": height, "deviceScaleFactor": 2,
                "mobile": mobile, "screenWidth": width, "screenHeight": height});
            visitor.cdp("Emulation.setDeviceMetricsOverride", screen).await;
        };
        // Portrait, landscape, and 1280 pixels at 200 %.
        for (width, height, mobile) in [(390, 844, true), (844, 390, true), (640, 400, false)] {
            screen(width, height, mobile).await;
            visitor.goto(&site.url("/")).await;
            visitor.open_chat().await;
            visitor.leave_frame().await;
            let place = [0.0, 0.0, f64::from(width), f64::from(height)];
            visitor.until("document.body.inert").await;
            visitor.until(&format!("$('{PANEL}').getAnimations().length === 0")).await;
            assert_eq!(visitor.place(PANEL).await, place);
            assert_eq!(visitor.attribute(PANEL, "aria-modal").await.as_deref(), Some("true"));
            assert_eq!(visitor.style("html", "overflow").await, "hidden");
            assert_eq!(visitor.eval(&format!("return seen('{LAUNCHER}')")).await, false);
            visitor.driver().back().await.unwrap();
            visitor.sees_no(PANEL).await;
            let page = "location.pathname === '/' && !document.body.inert
                && document.documentElement.style.overflow === ''";
            visitor.until(page).await;
            // Closing it otherwise leaves no entry behind.
            visitor.open_chat().await;
            visitor.click("#minimize-btn").await;
            visitor.leave_frame().await;
            visitor.until(&format!("{page} && !history.state?.chatbotWidget")).await;
        }

        screen(390, 844, true).await;
        visitor.goto(&site.url("/bare")).await;
        assert!(visitor.eval("return innerWidth").await.as_f64().unwrap() > 900.0);
        visitor.open_chat().await;
        visitor.until("Math.abs(innerWidth - 390) < 2").await;
    })
    .await;
}

#[tokio::test]
async fn an_unreachable_server_is_told_within_three_seconds() {
    let server = Server::start().await;
    let mut line = Line::to(server.address).await;
    let head =
        format!("<script src=\"{}/embed.js\" async data-bot-name=\"Tilda\"></script>", line.base);
    let site = Site::of(with_head(&head)).await;
    visit(async |visitor| {
        visitor.expects("ERR_CONNECTION_REFUSED");
        visitor.expects("chrome-error");
        visitor.goto(&site.url("/")).await;
        visitor.element(LAUNCHER).await;
        line.cut();
        visitor.eval("window.begun = performance.now(); addEventListener('chatbot:error', () => (window.told = performance.now() - begun))").await;
        visitor.click(LAUNCHER).await;
        visitor.sees("chatbot-widget >>> .head", "Tilda").await;
        visitor.sees("chatbot-widget >>> .wait", "can’t be reached").await;
        assert!(visitor.until("told").await.as_f64().unwrap() < 3000.0);
        line.mend();
        visitor.click("chatbot-widget >>> .wait button").await;
        visitor.enter_chat().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_to_a_closed_chat_makes_a_badge() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("Tea?").await;
        let turn = model.turn().await;
        visitor.leave_frame().await;
        visitor.click(LAUNCHER).await;
        turn.answers("**Assam**.");
        visitor.sees("chatbot-widget >>> .badge", "1").await;
        assert_eq!(visitor.attribute(LAUNCHER, "aria-label").await.unwrap(), "Open chat (1)");
        assert!(visitor.text("chatbot-widget >>> .news").await.ends_with(": Assam."));
        visitor.open_chat().await;
        visitor.leave_frame().await;
        visitor.sees_no("chatbot-widget >>> .badge").await;
        assert_eq!(visitor.attribute(LAUNCHER, "aria-label").await.unwrap(), "Close chat");
        assert_eq!(visitor.count(FRAME).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_half_written_text_survives_navigation_and_escape_dismisses_only_a_question() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("Tea?").await;
        model.turn().await.answers("Assam.");
        visitor.reads_answer("Assam.").await;
        visitor.types(BOX, "And cof").await;
        visitor.click("#reset-btn").await;
        visitor.sees("#notice-text", "Delete this conversation").await;
        visitor.press(&[Key::Escape]).await;
        visitor.sees_no("#error-modal").await;
        visitor.leave_frame().await;
        visitor.element(PANEL).await;
        visitor.goto(&site.url("/?next")).await;
        visitor.open_chat().await;
        visitor.until(&format!("$('{BOX}').value === 'And cof'")).await;
        visitor.types(BOX, Key::Return).await;
        model.turn().await.answers("No coffee.");
        visitor.reads_answer("No coffee.").await;
        visitor.reload().await;
        visitor.open_chat().await;
        visitor.reads_answer("No coffee.").await;
        assert_eq!(visitor.eval(&format!("return $('{BOX}').value")).await, "");
    })
    .await;
}
