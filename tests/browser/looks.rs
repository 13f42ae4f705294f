//! Themes, motion, forced colours, languages.

use std::collections::HashSet;

use serde_json::json;

use crate::support::{
    BOX, LAUNCHER, LiveModel, PANEL, Server, Site, stage, visit, with_head, with_tag,
};

#[tokio::test]
async fn the_theme_follows_the_system_unless_the_site_sets_it() {
    let server = Server::start().await;
    let site = Site::of(with_tag(&server.base, "")).await;
    visit(async |visitor| {
        for (preferred, dark) in [("dark", true), ("light", false)] {
            visitor.prefers("prefers-color-scheme", preferred).await;
            visitor.goto(&site.url("/")).await;
            visitor.open_chat().await;
            for part in ["#messages-container", "header", BOX] {
                let lightness = visitor.lightness(part).await;
                assert_eq!(lightness < 0.25, dark, "{part} at {preferred}: {lightness}");
                assert_eq!(lightness > 0.85, !dark, "{part} at {preferred}: {lightness}");
            }
            visitor.leave_frame().await;
            assert_eq!(visitor.lightness(PANEL).await < 0.25, dark, "no flash before the frame");
        }
        // The site's setting wins, even if the system's preference changes.
        visitor.eval("ChatbotWidget.setTheme('dark')").await;
        visitor.enter_chat().await;
        visitor.until("document.documentElement.dataset.theme === 'dark'").await;
        assert!(visitor.lightness("#messages-container").await < 0.25);
        visitor.leave_frame().await;
        visitor.eval("ChatbotWidget.setTheme('auto')").await;
        visitor.enter_chat().await;
        visitor.until("!document.documentElement.dataset.theme").await;
        assert!(visitor.lightness("#messages-container").await > 0.85);
        visitor.prefers("prefers-color-scheme", "dark").await;
        assert!(visitor.lightness("#messages-container").await < 0.25, "at once");
    })
    .await;
}

#[tokio::test]
async fn reduced_motion_and_forced_colours_are_respected() {
    const MOVES: &str = "return document.getAnimations().filter((one) =>
        one.playState === 'running' && one.effect.getComputedTiming().duration > 1).length";
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.prefers("prefers-reduced-motion", "no-preference").await;
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("Well?").await;
        visitor.until("seen('#typing-bubble')").await;
        assert!(visitor.eval(MOVES).await.as_u64().unwrap() > 0, "three dots move");
        visitor.prefers("prefers-reduced-motion", "reduce").await;
        assert_eq!(visitor.eval(MOVES).await, 0);
        visitor.leave_frame().await;
        assert_eq!(visitor.eval(&format!(
            "return ['{LAUNCHER}', '{PANEL}'].map((one) => getComputedStyle($(one)).transitionProperty
               + parseFloat(getComputedStyle($(one)).transitionDuration))")).await,
            json!(["none0", "none0"]));
        model.turn().await.answers("Well, `yes`.");

        visitor.prefers("forced-colors", "active").await;
        visitor.enter_chat().await;
        visitor.reads_answer("Well, yes.").await;
        visitor.types(BOX, "More").await;
        for part in ["#send-btn", ".message.user .bubble", "#messages-list .bot .bubble"] {
            let shown = visitor
                .eval(&format!(
                    "const {{ borderTopWidth: width, borderTopStyle: line, borderTopColor: color }} =
                       getComputedStyle($('{part}'));
                     return parseFloat(width) > 0 && line !== 'none' && color !== 'rgba(0, 0, 0, 0)'"
                ))
                .await;
            assert_eq!(shown, true, "{part} has an edge");
        }
        visitor.leave_frame().await;
        for part in [LAUNCHER, PANEL] {
            let (edge, ground) = (
                visitor.style(part, "borderTopColor").await,
                visitor.style(part, "backgroundColor").await,
            );
            assert_ne!(edge, ground, "{part} has an edge");
            assert_ne!(visitor.style(part, "borderTopWidth").await, "0px");
        }
        let icon = visitor.style(&format!("{LAUNCHER} path"), "stroke").await;
        assert_ne!(icon, visitor.style(LAUNCHER, "backgroundColor").await);
    })
    .await;
}

#[tokio::test]
async fn everything_stays_usable_when_zoomed() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        // A window of 1280 × 800 at 200 % and at 400 %.
        for (width, height) in [(640.0, 400.0), (320.0, 200.0)] {
            let screen = json!({"width": width, "height": height, "deviceScaleFactor": 2,
                "mobile": false});
            visitor.cdp("Emulation.setDeviceMetricsOverride", screen).await;
            visitor.goto(&site.url("/")).await;
            visitor.open_chat().await;
            visitor.ask("Well?").await;
            model.turn().await.answers("| a | b |\n|---|---|\n| longer words | 2 |\n");
            visitor.reads_answer("longer words").await;
            let room = visitor.eval("return [innerWidth, innerHeight]").await;
            for part in [BOX, "#send-btn", "#minimize-btn", "#reset-btn"] {
                let [x, y, wide, high] = visitor.place_of(part).await;
                let inside = x >= 0.0
                    && y >= 0.0
                    && x + wide <= room[0].as_f64().unwrap()
                    && y + high <= room[1].as_f64().unwrap();
                assert!(inside, "{part} at {x} {y} {wide} {high} in {room}");
            }
            assert_eq!(
                visitor.eval("return document.documentElement.scrollWidth - innerWidth").await,
                0
            );
            let list = visitor.place("#messages-container").await;
            assert!(list[3] > 40.0, "room to read: {list:?}");
            visitor.leave_frame().await;
            let [x, y, wide, high] = visitor.place(PANEL).await;
            assert!(x >= 0.0 && y >= 0.0 && x + wide <= width && y + high <= height);
            visitor.enter_chat().await;
            visitor.click("#minimize-btn").await;
            visitor.leave_frame().await;
            visitor.sees_no(PANEL).await;
        }
    })
    .await;
}

#[tokio::test]
async fn all_nine_languages_are_used() {
    let server = Server::start().await;
    let page = with_tag(&server.base, "").replace("lang=\"en\"", "lang=\"pt-BR\"");
    let site = Site::of(page).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.until("document.documentElement.lang.startsWith('pt')").await;
        let mut seen = HashSet::new();
        let tags =
            ["en", "de-AT", "fr", "es-MX", "pt", "ar", "he", "zh-Hant-TW", "ja", "tlh", "en-GB"];
        for tag in tags {
            visitor.leave_frame().await;
            visitor.eval(&format!("ChatbotWidget.setLocale('{tag}')")).await;
            let launcher = visitor.attribute(LAUNCHER, "aria-label").await.unwrap();
            let language = if tag == "tlh" { "en" } else { &tag[..2] };
            visitor.enter_chat().await;
            visitor.until(&format!("document.documentElement.lang.startsWith('{language}')")).await;
            let right_to_left = ["ar", "he"].contains(&language);
            assert_eq!(
                visitor.eval("return document.documentElement.dir === 'rtl'").await,
                right_to_left,
                "{tag}"
            );
            let words = [
                launcher,
                visitor.attribute(BOX, "placeholder").await.unwrap(),
                visitor.attribute("#reset-btn", "aria-label").await.unwrap(),
                visitor.attribute("#attach-btn", "aria-label").await.unwrap(),
                visitor.text("#bot-status").await,
            ];
            assert!(words.iter().all(|text| !text.is_empty()), "{tag}: {words:?}");
            seen.insert(words[1..4].to_vec());
        }
        assert_eq!(seen.len(), 9, "{seen:?}");
    })
    .await;
}

#[tokio::test]
async fn arabic_is_right_to_left_and_complete() {
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let site =
        Site::of(with_tag(&server.base, "data-language=\"ar\" data-bot-name=\"ليلى\"")).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.element(LAUNCHER).await;
        assert_eq!(visitor.attribute(LAUNCHER, "aria-label").await.unwrap(), "فتح الدردشة");
        visitor.open_chat().await;
        visitor.ask("ما هو الشاي؟").await;
        model.turn().await.answers("مشروب. Tea.\n\n```\nboil(water)\n```\n");
        visitor.reads_answer("boil(water)").await;
        assert_eq!(visitor.eval("return document.documentElement.dir").await, "rtl");
        // The visitor's messages are on the left, the answers on the right.
        let [mine, _, my_width, _] = visitor.place(".message.user .bubble").await;
        let [theirs, _, their_width, _] = visitor.place("#messages-list .bot .bubble").await;
        assert!(mine < theirs && mine + my_width < theirs + their_width, "{mine} {theirs}");
        assert_eq!(
            visitor.style("#messages-list .bot code", "direction").await,
            "ltr",
            "code stays"
        );
        let [send, ..] = visitor.place("#send-btn").await;
        let [attach, ..] = visitor.place("#attach-btn").await;
        assert!(send < attach, "{send} {attach}");
        let foreign = visitor
            .eval(
                "return $$('[aria-label], [placeholder], [title], button').filter((one) =>
                     one.checkVisibility()).flatMap((one) =>
                   [one.ariaLabel, one.placeholder, one.title, one.innerText]
                     .filter((text) => text && !/\\p{Script=Arabic}/u.test(text)))",
            )
            .await;
        assert_eq!(foreign, json!([]));
        assert_eq!(
            visitor.eval("return document.documentElement.scrollWidth - innerWidth").await,
            0
        );
    })
    .await;
}

#[tokio::test]
async fn any_colour_of_a_site_stays_readable() {
    const CONTRAST: &str = "
        const light = (color) => color.slice(0, 3)
          .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
          .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
        const contrast = (a, b) => {
          const [dark, bright] = [light(a), light(b)].sort((a, b) => a - b);
          return (bright + 0.05) / (dark + 0.05);
        };";
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let site = Site::of(with_head("")).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        for (color, theme) in
            [("#ffee00", "light"), ("#000000", "dark"), ("hsl(0 0% 55%)", "light"), ("#fff", "dark")]
        {
            visitor.leave_frame().await;
            visitor
                .eval(&format!(
                    "window.ChatbotWidget?.destroy?.();
                     const made = document.createElement('script');
                     Object.assign(made.dataset, {{ primaryColor: '{color}', theme: '{theme}' }});
                     made.src = '{}/embed.js?' + Math.random();
                     document.querySelectorAll('script[src]').forEach((old) => old.remove());
                     document.head.append(made)",
                    server.base
                ))
                .await;
            visitor.open_chat().await;
            visitor.ask(color).await;
            model.turn().await.answers("See [the list](https://teas.example/).");
            visitor.until("!$('.streaming') && seen('.message.bot a')").await;
            visitor.types(BOX, "x").await;
            let weak = visitor
                .eval(&format!(
                    "{CONTRAST}
                     const ratio = (name) =>
                       contrast(rgba(getComputedStyle($(name)).color), ground($(name)));
                     return ['.message.user .bubble', '#messages-list .bot .bubble', '.bot a',
                         '.bot .meta .copy', '#powered-by', '#bot-status']
                       .map((name) => [name, ratio(name)]).filter(([, ratio]) => ratio < 4.5)
                       .concat(['#send-btn'].filter((name) => ratio(name) < 3))"
                ))
                .await;
            assert_eq!(weak, json!([]), "{color}, {theme}");
            visitor.leave_frame().await;
            let icon = visitor
                .eval(&format!(
                    "{CONTRAST} const {{ color, backgroundColor }} = getComputedStyle($('{LAUNCHER}'));
                     return contrast(rgba(color), rgba(backgroundColor))"
                ))
                .await;
            assert!(icon.as_f64().unwrap() >= 3.0, "the launcher's icon on {color}: {icon}");
        }
    })
    .await;
}
