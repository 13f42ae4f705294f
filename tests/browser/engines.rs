//! What matters most, in the engines of Firefox and Safari.

use serde_json::json;

use crate::support::{
    Engine, FRAME, LAUNCHER, OnDisk, PANEL, Page, Site, Visitor, stage, visit_in, with_head,
    with_tag,
};

#[tokio::test]
async fn firefox_talks_reloads_and_charts() {
    talks_reloads_and_charts(Engine::Gecko).await;
}

#[tokio::test]
async fn webkit_talks_reloads_and_charts() {
    talks_reloads_and_charts(Engine::WebKit).await;
}

#[tokio::test]
async fn firefox_is_not_lost_on_odd_pages_and_small_screens() {
    is_not_lost_on_odd_pages_and_small_screens(Engine::Gecko).await;
}

#[tokio::test]
async fn webkit_is_not_lost_on_odd_pages_and_small_screens() {
    is_not_lost_on_odd_pages_and_small_screens(Engine::WebKit).await;
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

async fn is_not_lost_on_odd_pages_and_small_screens(engine: Engine) {
    let (_model, server, _site) = stage("").await;
    let tag = format!("<script src=\"{}/embed.js\" async></script>", server.base);
    let odd = "<style>body { filter: grayscale(1); transform: translateX(0); min-height: 3000px }
                iframe, button { display: none !important; width: 1px !important }</style>";
    let site = Site::with(vec![
        Page::new("/odd", with_head(&format!("{odd}{tag}"))),
        Page::new("/plain", with_tag(&server.base, "")),
    ])
    .await;
    visit_in(engine, async |visitor| {
        visitor.goto(&site.url("/odd")).await;
        shows_the_launcher(visitor).await;
        visitor.eval("document.body.innerHTML = '<main>The next page</main>'").await;
        shows_the_launcher(visitor).await;
        visitor.open_chat().await;
        visitor.leave_frame().await;

        visitor.has_a_window(390, 844).await;
        visitor.goto(&site.url("/plain")).await;
        visitor.open_chat().await;

        visitor.leave_frame().await;
        // Browsers do not make their windows as narrow as a phone; this is narrow enough.
        visitor
            .until(&format!(
                "(() => {{ const at = $('{FRAME}').getBoundingClientRect();
                   return innerWidth < 640 && Math.abs(at.width - innerWidth) < 2
                     && Math.abs(at.height - innerHeight) < 2 && Math.abs(at.x) < 1; }})()"
            ))
            .await;
        visitor.enter_chat().await;
        visitor.click("#minimize-btn").await;
        visitor.leave_frame().await;
        visitor.sees_no(PANEL).await;
    })
    .await;
}

/// The launcher is in the corner of the window, whatever the page has scrolled to.
async fn shows_the_launcher(visitor: &Visitor) {
    visitor
        .until(&format!(
            "seen('{LAUNCHER}') && (() => {{
               const at = $('{LAUNCHER}').getBoundingClientRect();
               return at.right <= innerWidth && at.bottom <= innerHeight
                 && at.bottom > innerHeight - 120 && at.right > innerWidth - 120; }})()"
        ))
        .await;
}
