//! The tag on a site's page: its attributes, settings and modes.

use serde_json::json;

use crate::support::{
    BOX, FRAME, Key, LAUNCHER, LiveModel, PANEL, Page, Server, Site, visit, with_head, with_tag,
};

#[tokio::test]
async fn the_launcher_opens_and_closes_the_chat() {
    let server = Server::with(&["--bot-name", "Tilda"]).await;
    let site = Site::of(with_tag(&server.base, "")).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        let launcher = visitor.element(LAUNCHER).await;
        assert_eq!(launcher.tag_name().await.unwrap(), "button");
        let named = async |name: &str, expanded: &str| {
            assert_eq!(visitor.attribute(LAUNCHER, "aria-label").await.unwrap(), name);
            assert_eq!(visitor.attribute(LAUNCHER, "aria-expanded").await.unwrap(), expanded);
        };
        named("Open chat", "false").await;
        assert_eq!(
            visitor.count(FRAME).await,
            0,
            "nothing is loaded before the visitor shows interest"
        );

        visitor.driver().action_chain().move_to_element_center(&launcher).perform().await.unwrap();
        visitor.until(&format!("$('{FRAME}')")).await;
        assert_eq!(visitor.eval(&format!("return seen('{PANEL}')")).await, false);

        visitor.open_chat().await;
        visitor.until(&format!("document.activeElement === $('{BOX}')")).await;
        visitor.types(BOX, "A draft").await;
        visitor.leave_frame().await;
        named("Close chat", "true").await;
        assert_eq!(visitor.attribute(PANEL, "role").await.unwrap(), "dialog");
        assert_eq!(visitor.attribute(PANEL, "aria-label").await.unwrap(), "Tilda");
        assert_eq!(visitor.attribute(FRAME, "title").await.unwrap(), "Tilda");
        let [x, y, width, height] = visitor.place(PANEL).await;
        assert_eq!((x + width, width), (1260.0, 384.0), "in its corner");
        assert!(y > 0.0 && y + height < 740.0, "{y} {height}");

        visitor.enter_chat().await;
        visitor.sees("#bot-name", "Tilda").await;
        visitor.click("#minimize-btn").await;
        visitor.leave_frame().await;
        visitor.sees_no(PANEL).await;
        named("Open chat", "false").await;
        visitor
            .until(&format!("$('chatbot-widget').shadowRoot.activeElement === $('{LAUNCHER}')"))
            .await;

        visitor.open_chat().await;
        assert_eq!(visitor.eval(&format!("return $('{BOX}').value")).await, "A draft");
        visitor.leave_frame().await;
        visitor.click(LAUNCHER).await;
        visitor.sees_no(PANEL).await;
    })
    .await;
}

#[tokio::test]
async fn every_attribute_of_the_tag_has_an_effect() {
    let server = Server::start().await;
    let loader = String::from_utf8(server.get("/embed.js").await.body).unwrap();
    let head = format!(
        "<script>window.sessions = [];
           addEventListener('chatbot:session', ({{ detail }}) => sessions.push(detail.sessionId));
         </script>
         <script src=\"/copied/embed.js\" async data-api-url=\"{}\" data-position=\"top-left\"
           data-theme=\"dark\" data-language=\"de\" data-bot-name=\"Tilda\" data-greeting=\"Moin!\"
           data-suggestions='[\"Was ist Assam?\", \"Wo seid ihr?\"]' data-primary-color=\"#0a7d4f\"
           data-open-on-load=\"true\" data-user-id=\"visitor-17\" data-z-index=\"77\"></script>",
        server.base
    );
    let pages = vec![Page::new("/", with_head(&head)), Page::new("/copied/embed.js", loader)];
    let site = Site::with(pages).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.enter_chat().await;
        visitor.sees("#bot-name", "Tilda").await;
        visitor.sees("#welcome-text", "Moin!").await;
        visitor.sees("#suggestions", "Was ist Assam?").await;
        visitor.until("document.documentElement.lang === 'de'").await;
        assert!(visitor.attribute(BOX, "placeholder").await.unwrap().starts_with("Nachricht"));
        assert!(visitor.lightness("#messages-container").await < 0.25, "dark");
        visitor.click("button.suggestion").await;
        visitor.until("$('#messages-list .message.bot:not(.streaming)')").await;
        assert_eq!(visitor.text(".message.user .bubble").await, "Was ist Assam?");

        visitor.leave_frame().await;
        assert_eq!(visitor.attribute(LAUNCHER, "aria-label").await.unwrap(), "Chat schließen");
        assert_eq!(visitor.style(LAUNCHER, "backgroundColor").await, "rgb(10, 125, 79)");
        assert_eq!(visitor.style("chatbot-widget", "zIndex").await, "77");
        let [x, y, ..] = visitor.place(LAUNCHER).await;
        assert_eq!((x, y), (20.0, 20.0), "top left");
        let [x, y, ..] = visitor.place(PANEL).await;
        assert!(x == 20.0 && y > 80.0 && y < 100.0, "below the launcher: {x} {y}");
        let session = visitor.until("sessions[0]").await;
        let stored = server.get(&format!("/api/sessions/{}", session.as_str().unwrap())).await;
        assert_eq!(stored.expect(200)["config"]["userIdentifier"], "visitor-17");
    })
    .await;
}

#[tokio::test]
async fn the_script_wins_over_the_tag_and_both_over_the_server() {
    const ICON: &str =
        "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
    let flags = [
        ["--bot-name", "Server"],
        ["--bot-color", "#aa0000"],
        ["--bot-welcome", "From the server"],
        ["--bot-powered-by", "Server"],
        ["--bot-suggestions", "[\"From the server\"]"],
    ];
    let server = Server::with(&flags.concat()).await;
    let config = json!({"botName": "Script", "botColor": "#005f73", "botMsgBgColor": "#7d0a4f",
        "poweredBy": "The script", "botIcon": ICON, "language": "fr", "theme": "light",
        "strings": {"placeholder": "À vous !", "open": "Parlons thé"}});
    let head = format!(
        "<script>window.ChatbotConfig = {config}</script>
         <script src=\"{}/embed.js\" async data-bot-name=\"Tag\" data-primary-color=\"#00aa00\"
           data-greeting=\"From the tag\" data-language=\"de\" data-theme=\"dark\"></script>",
        server.base
    );
    let site = Site::of(with_head(&head)).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.element(LAUNCHER).await;
        assert_eq!(visitor.attribute(LAUNCHER, "aria-label").await.unwrap(), "Parlons thé");
        assert_eq!(visitor.style(LAUNCHER, "backgroundColor").await, "rgb(0, 95, 115)");
        visitor.open_chat().await;
        visitor.sees("#bot-name", "Script").await;
        visitor.sees("#welcome-text", "From the tag").await;
        visitor.sees("#suggestions", "From the server").await;
        visitor.sees("#powered-by", "The script").await;
        visitor.until(&format!("$('{BOX}').placeholder === 'À vous !'")).await;
        visitor.until("document.documentElement.lang === 'fr'").await;
        visitor.until("seen('#bot-icon')").await;
        assert_eq!(visitor.attribute("#bot-icon", "src").await.unwrap(), ICON);
        assert!(visitor.lightness("#messages-container").await > 0.9, "light");
        visitor.click("button.suggestion").await;
        visitor.until("$('#messages-list .message.bot:not(.streaming)')").await;
        assert_eq!(
            visitor.style("#messages-list .bot .bubble", "backgroundColor").await,
            "rgb(125, 10, 79)"
        );
    })
    .await;
}

#[tokio::test]
async fn the_window_can_be_inline_or_fill_the_page() {
    let server = Server::start().await;
    let inline = with_tag(&server.base, "data-mode=\"inline\" data-target=\"#help\"").replace(
        "</main>",
        "</main><p style=\"height: 3000px\">A long way</p>
         <div id=\"help\" style=\"width: 500px; height: 600px\"></div>",
    );
    let full = with_tag(&server.base, "data-mode=\"fullscreen\"");
    let site = Site::with(vec![Page::new("/inline", inline), Page::new("/full", full)]).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/inline")).await;
        visitor.until("$('#help chatbot-widget')").await;
        assert_eq!(visitor.count(FRAME).await, 0, "it is far away");
        assert_eq!(visitor.eval(&format!("return seen('{LAUNCHER}')")).await, false);
        visitor.eval("$('#help').scrollIntoView({ behavior: 'instant' })").await;
        visitor.until(&format!("$('{FRAME}')")).await;
        assert_eq!(visitor.attribute(PANEL, "role").await.unwrap(), "region");
        assert!(!visitor.attribute(PANEL, "aria-label").await.unwrap().is_empty());
        assert_eq!(visitor.place(PANEL).await, visitor.place("#help").await, "it fills its place");
        assert_eq!(visitor.eval("return document.activeElement === document.body").await, true);
        visitor.enter_chat().await;
        visitor.ask("help").await;
        visitor.until("$('#messages-list .message.bot:not(.streaming)')").await;
        visitor.types(BOX, Key::Escape).await;
        assert_eq!(
            visitor.eval("return seen('#chatbot-container') && !seen('#minimize-btn')").await,
            true
        );

        visitor.goto(&site.url("/full")).await;
        visitor.enter_chat().await;
        assert_eq!(visitor.eval("return seen('#minimize-btn')").await, false);
        visitor.leave_frame().await;
        assert_eq!(visitor.eval(&format!("return seen('{LAUNCHER}')")).await, false);
        assert_eq!(visitor.place(PANEL).await, [0.0, 0.0, 1280.0, 800.0]);
    })
    .await;
}

#[tokio::test]
async fn unusual_pages_and_tags() {
    let server = Server::start().await;
    let chat = &server.base;
    let script = format!("<script src=\"{chat}/embed.js\" async></script>");
    // Twice; and added late by a tag manager, in which case there is no `currentScript`.
    let twice = with_head(&format!("{script}{script}<script src=\"{chat}/embed.js\"></script>"));
    let managed = with_head(&format!(
        "<script>addEventListener('load', () => setTimeout(() => {{
           const made = document.createElement('script');
           made.src = '{chat}/embed.js';
           made.dataset.botName = 'Managed';
           document.head.append(made);
         }}))</script>"
    ));
    let bad = with_tag(chat, "data-suggestions=\"not JSON\" data-z-index=\"high\"");
    // Elements and frames with such names become properties of the page's `window`.
    let named = with_tag(chat, "").replace(
        "</main>",
        "</main><form name=\"ChatbotWidget\"><input name=\"open\"></form>
         <iframe name=\"ChatbotWidget\" srcdoc=\"\"></iframe><a id=\"ChatbotConfig\"></a>",
    );
    let pages = [("/twice", twice), ("/managed", managed), ("/bad", bad), ("/named", named)];
    let site = Site::with(pages.map(|(path, html)| Page::new(path, html)).into()).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/twice")).await;
        visitor.open_chat().await;
        visitor.leave_frame().await;
        assert_eq!(visitor.count("chatbot-widget").await, 1);

        visitor.goto(&site.url("/managed")).await;
        visitor.open_chat().await;
        visitor.sees("#bot-name", "Managed").await;

        visitor.goto(&site.url("/named")).await;
        visitor.open_chat().await;
        visitor.leave_frame().await;
        visitor.console_says("replacing something else").await;
        visitor.until("typeof window.ChatbotWidget.toggle === 'function'").await;

        visitor.goto(&site.url("/bad")).await;
        visitor.open_chat().await;
        assert_eq!(visitor.count("button.suggestion").await, 0);
        assert!(visitor.console().await.iter().any(|line| line.contains("data-suggestions")));

        // A page that replaces its body, as some sites do instead of loading the next page.
        visitor.leave_frame().await;
        visitor
            .eval(
                "const body = document.createElement('body');
                 body.innerHTML = '<main>The next page</main>';
                 document.body.replaceWith(body)",
            )
            .await;
        visitor
            .until("seen('chatbot-widget >>> .panel') || seen('chatbot-widget >>> .launcher')")
            .await;
        assert_eq!(visitor.count("chatbot-widget").await, 1);
        visitor.eval("ChatbotWidget.close(); ChatbotWidget.open()").await;
        visitor.enter_chat().await;
        visitor.ask("help").await;
        visitor.until("$('#messages-list .message.bot:not(.streaming)')").await;
    })
    .await;
}

#[tokio::test]
async fn css_properties_of_the_page_apply() {
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let page = with_tag(&server.base, "").replace(
        "</head>",
        "<style>:root { --bot-primary-color: #8a2be2; --bot-msg-bg-color: #14532d;
           --chat-font: Georgia, serif; --chat-width: 420px; --chat-height: 500px;
           --chat-radius: 3px; --chat-z-index: 12 }</style></head>",
    );
    let site = Site::of(page).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("Hello").await;
        model.turn().await.answers("Hello!");
        visitor.reads_answer("Hello!").await;
        assert!(visitor.style("#message-input", "fontFamily").await.starts_with("Georgia"));
        assert_eq!(
            visitor.style("#messages-list .bot .bubble", "backgroundColor").await,
            "rgb(20, 83, 45)"
        );
        visitor.leave_frame().await;
        assert_eq!(visitor.style(LAUNCHER, "backgroundColor").await, "rgb(138, 43, 226)");
        let [_, _, width, height] = visitor.place(PANEL).await;
        assert_eq!((width, height), (420.0, 500.0));
        assert_eq!(visitor.style(PANEL, "borderTopLeftRadius").await, "3px");
        assert_eq!(visitor.style("chatbot-widget", "zIndex").await, "12");
    })
    .await;
}
