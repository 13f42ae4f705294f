//! Keyboard, input methods and touch.

use serde_json::json;

use crate::support::{BOX, Key, LAUNCHER, PANEL, Visitor, stage, visit};

/// The focused element of the page, through shadow roots; in the frame, the frame's own.
const FOCUS: &str = "let one = document.activeElement;
    while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    return one.id || one.className || one.tagName";

impl Visitor {
    /// Presses Tab, or Shift+Tab, until this element has the focus.
    async fn tabs_to(&self, name: &str, back: bool) {
        let mut passed = Vec::new();
        for _ in 0..20 {
            if back {
                self.press_with_shift(Key::Tab).await;
            } else {
                self.press(&[Key::Tab]).await;
            }
            let focused = self.eval(FOCUS).await;
            if focused == name {
                return;
            }
            passed.push(focused);
        }
        panic!("Tab never comes to {name}, but to {passed:?}");
    }
}

#[tokio::test]
async fn everything_can_be_done_with_the_keyboard_alone() {
    let (model, _server, site) = stage("").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.element(LAUNCHER).await;
        visitor.tabs_to("launcher", false).await;
        visitor.press(&[Key::Return]).await;
        visitor.enter_chat().await;
        visitor.until(&format!("document.activeElement === $('{BOX}')")).await;
        visitor.cdp("Input.insertText", json!({"text": "One"})).await;
        visitor.press_with_shift(Key::Return).await;
        visitor.cdp("Input.insertText", json!({"text": "two"})).await;
        assert_eq!(visitor.eval(&format!("return $('{BOX}').value")).await, "One\ntwo");
        visitor.press(&[Key::Return]).await;
        model.turn().await.answers("Three.");
        visitor.reads_answer("Three.").await;
        assert_eq!(visitor.conversation().await, ["user: One two", "bot: Three."]);
        assert_eq!(visitor.eval(FOCUS).await, BOX[1..], "ready for the next question");

        // The buttons are reachable, and the focus is visible.
        for name in ["attach-btn", "copy", "messages-container", "minimize-btn", "reset-btn"] {
            visitor.tabs_to(name, true).await;
            let outline = visitor
                .eval(
                    "const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
                     return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0",
                )
                .await;
            assert_eq!(outline, true, "{name} shows its focus");
        }
        visitor.press(&[Key::Return]).await;
        visitor.until("seen('#error-modal')").await;
        visitor.tabs_to("notice-action", false).await;
        visitor.press(&[Key::Return]).await;
        visitor.until("!$$('#messages-list .message').length").await;

        visitor.press(&[Key::Escape]).await;
        visitor.leave_frame().await;
        visitor.sees_no(PANEL).await;
        visitor.until(&format!("$('chatbot-widget').shadowRoot.activeElement === $('{LAUNCHER}')")).await;
        // When closed, the window is skipped by Tab.
        visitor.press(&[Key::Tab]).await;
        assert_ne!(visitor.eval(FOCUS).await, "IFRAME");
        visitor.tabs_to("launcher", true).await;
        visitor.press(&[Key::Space]).await;
        visitor.until(&format!("seen('{PANEL}')")).await;
        visitor.enter_chat().await;
        visitor.until(&format!("document.activeElement === $('{BOX}')")).await;
    })
    .await;
}

#[tokio::test]
async fn enter_sends_nothing_during_composition() {
    let (model, _server, site) = stage("data-language=\"ja\"").await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.click(BOX).await;
        let composing = json!({"text": "にほん", "selectionStart": 3, "selectionEnd": 3});
        visitor.cdp("Input.imeSetComposition", composing).await;
        visitor.until(&format!("$('{BOX}').value === 'にほん'")).await;
        // Safari reports composition only by the key code 229, and only after its end.
        for code in [13, 229] {
            let enter = json!({"type": "rawKeyDown", "key": "Enter", "code": "Enter",
                "windowsVirtualKeyCode": code});
            visitor.cdp("Input.dispatchKeyEvent", enter).await;
        }
        let escape = json!({"type": "rawKeyDown", "key": "Escape", "code": "Escape",
            "windowsVirtualKeyCode": 27});
        visitor.cdp("Input.dispatchKeyEvent", escape).await;
        assert_eq!(visitor.count("#messages-list .message").await, 0, "nothing is sent");
        assert_eq!(visitor.eval("return seen('#chatbot-container')").await, true);
        visitor.cdp("Input.insertText", json!({"text": "日本"})).await;
        visitor.until(&format!("$('{BOX}').value === '日本'")).await;
        visitor.press(&[Key::Return]).await;
        model.turn().await.answers("はい。");
        visitor.reads_answer("はい。").await;
        assert_eq!(visitor.conversation().await, ["user: 日本", "bot: はい。"]);
    })
    .await;
}

#[tokio::test]
async fn on_a_phone_the_chat_fills_the_screen_and_opens_no_keyboard() {
    let (model, _server, site) = stage("data-suggestions='[\"Hello?\"]'").await;
    visit(async |visitor| {
        visitor.is_on_a_phone().await;
        visitor.goto(&site.url("/")).await;
        assert_eq!(visitor.eval("return matchMedia('(pointer: coarse)').matches").await, true);
        let [x, y, width, height] = visitor.place(LAUNCHER).await;
        assert!(x + width <= 390.0 && y + height <= 844.0, "{x} {y} {width} {height}");
        visitor.open_chat().await;
        visitor.leave_frame().await;
        visitor.until(&format!("!seen('{LAUNCHER}')")).await;
        visitor.until(&format!("$('{PANEL}').getAnimations().length === 0")).await;
        assert_eq!(visitor.place(PANEL).await, [0.0, 0.0, 390.0, 844.0]);
        visitor.enter_chat().await;
        visitor.until("document.hasFocus()").await;
        assert_ne!(visitor.eval(FOCUS).await, BOX[1..], "the box is not focused by itself");
        visitor.click("button.suggestion").await;
        model.turn().await.answers("| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nlong code\n```\n");
        visitor.reads_answer("long code").await;
        assert_ne!(visitor.eval(FOCUS).await, BOX[1..], "nor after a suggestion");
        // Touch targets need room, and text below 16 px makes phones zoom in.
        let small = visitor
            .eval(
                "return $$('header button, form button').filter((one) => one.checkVisibility())
                   .filter((one) => { const { width, height } = one.getBoundingClientRect();
                     return Math.min(width, height) < 44 }).map((one) => one.id)",
            )
            .await;
        assert_eq!(small, json!([]), "smaller than 44 px");
        let size = visitor.style(BOX, "fontSize").await;
        assert!(size.trim_end_matches("px").parse::<f64>().unwrap() >= 16.0, "{size}");
        assert_eq!(
            visitor.eval("return document.documentElement.scrollWidth").await,
            390,
            "nothing sticks out"
        );
        visitor.click("#minimize-btn").await;
        visitor.leave_frame().await;
        visitor.sees_no(PANEL).await;
        visitor.element(LAUNCHER).await;
    })
    .await;
}
