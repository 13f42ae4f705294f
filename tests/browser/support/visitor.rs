//! What a visitor does. Tests wait for conditions, never for a fixed time.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{Key, TypingData};

use super::engine::{Browser, Engine};

/// How long a condition may take to become true.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a whole scenario may take.
const ALL: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(25);

/// Helpers for every script: `$` finds an element, `$$` all of them, `a >>> b` looks for `b` in the
/// shadow root of `a`, `text` is the visible text with white space collapsed, `ground` the colour
/// behind an element.
const PRELUDE: &str = "
const $$ = (selector) => selector.split('>>>').reduce(
  (roots, part, level) => roots.flatMap((root) =>
    [...((level ? root.shadowRoot : root)?.querySelectorAll(part) ?? [])]), [document]);
const $ = (selector) => $$(selector)[0] ?? null;
const text = (selector) => ($(selector)?.innerText ?? '').replace(/\\s+/g, ' ').trim();
const seen = (selector) => $$(selector).some((one) =>
  one.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && one.getBoundingClientRect().width > 0);
const rgba = (color) => {
  const parts = color.match(/[\\d.]+/g).map(Number);
  const [r, g, b] = parts.map((part) => (color.startsWith('rgb') ? part / 255 : part));
  return [r, g, b, parts[3] ?? 1];
};
const ground = (one) => {
  for (; one; one = one.parentElement) {
    const color = rgba(getComputedStyle(one).backgroundColor);
    if (color[3] > 0) return color;
  }
  return [1, 1, 1, 1];
};
";

pub const LAUNCHER: &str = "chatbot-widget >>> .launcher";
pub const PANEL: &str = "chatbot-widget >>> .panel";
pub const FRAME: &str = "chatbot-widget >>> iframe";
pub const BOX: &str = "#message-input";

/// A person using a browser.
pub struct Visitor {
    browser: Browser,
    /// The steps so far, for the failure message.
    steps: Mutex<Vec<String>>,
    /// Parts of console messages that are expected.
    expected: Mutex<Vec<String>>,
    console: Mutex<Vec<String>>,
}

/// Runs a scenario in its own Chromium. It also fails if the console shows errors that the scenario
/// does not expect. A failure leaves a screenshot and the console output behind.
pub async fn visit<S: AsyncFnOnce(&Visitor)>(scenario: S) {
    visit_in(Engine::Chromium, scenario).await;
}

/// Runs a scenario in its own browser. Only Chromium's driver tells what the console shows.
pub async fn visit_in<S: AsyncFnOnce(&Visitor)>(engine: Engine, scenario: S) {
    let name = std::any::type_name::<S>().replace("::{{closure}}", "");
    let name = name.trim_start_matches("browser::").replace("::", ".");
    let visitor = Visitor {
        browser: Browser::start(engine).await,
        steps: Mutex::default(),
        expected: Mutex::default(),
        console: Mutex::default(),
    };
    visitor.is_at_a_desk().await;
    let scenario = AssertUnwindSafe(scenario(&visitor)).catch_unwind();
    let fault = match tokio::time::timeout(ALL, scenario).await {
        Err(_) => format!("not over after {ALL:?}"),
        Ok(Err(panic)) => panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a panic without a message".to_owned()),
        Ok(Ok(())) => {
            let errors = visitor.unexpected_errors().await;
            if errors.is_empty() {
                return;
            }
            format!("the console shows errors:\n  {}", errors.join("\n  "))
        }
    };
    let kept = tokio::time::timeout(PATIENCE, visitor.keep_evidence(&name)).await;
    let kept = kept.unwrap_or_else(|_| "the browser does not respond".to_owned());
    let steps = visitor.steps.lock().unwrap().join("\n  ");
    panic!("{fault}\nafter\n  {steps}\n{kept}");
}

impl Visitor {
    fn step(&self, what: impl Into<String>) {
        self.steps.lock().unwrap().push(what.into());
    }

    pub fn driver(&self) -> &WebDriver {
        &self.browser.driver
    }

    /// Expects console errors that contain this.
    pub fn expects(&self, part: &str) {
        self.expected.lock().unwrap().push(part.to_owned());
    }

    /// All console messages so far, one per line, starting with the level.
    pub async fn console(&self) -> Vec<String> {
        if self.browser.engine == Engine::Chromium
            && let Ok(entries) = self.driver().browser_log().await
        {
            let lines =
                entries.into_iter().map(|entry| format!("{} {}", entry.level, entry.message));
            self.console.lock().unwrap().extend(lines);
        }
        self.console.lock().unwrap().clone()
    }

    /// Waits until the console shows a message that contains this.
    pub async fn console_says(&self, part: &str) {
        let begun = Instant::now();
        while !self.console().await.iter().any(|line| line.contains(part)) {
            assert!(begun.elapsed() < PATIENCE, "the console never said {part}");
            tokio::time::sleep(POLL).await;
        }
    }

    async fn unexpected_errors(&self) -> Vec<String> {
        let mut lines = self.console().await;
        let expected = self.expected.lock().unwrap();
        lines.retain(|line| {
            line.starts_with("SEVERE") && !expected.iter().any(|part| line.contains(part))
        });
        lines
    }

    /// Saves a screenshot and the console, and returns where.
    async fn keep_evidence(&self, name: &str) -> String {
        let folder = target_folder().join("browser-failures");
        std::fs::create_dir_all(&folder).unwrap();
        let picture = folder.join(format!("{name}.png"));
        let console = folder.join(format!("{name}.log"));
        std::fs::write(&console, self.console().await.join("\n")).unwrap();
        // WebKit's driver never answers.
        if self.browser.engine == Engine::WebKit {
            return "no screenshot".to_owned();
        }
        match self.driver().screenshot(&picture).await {
            Ok(()) => format!("screenshot: {}\nconsole: {}", picture.display(), console.display()),
            Err(error) => format!("no screenshot: {error}\nconsole: {}", console.display()),
        }
    }

    /// A window of a common size, and a mouse.
    async fn is_at_a_desk(&self) {
        if self.browser.engine != Engine::Chromium {
            return self.has_a_window(1280, 800).await;
        }
        let screen = json!({"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.cdp("Emulation.setDeviceMetricsOverride", screen).await;
    }

    /// A phone in portrait orientation, and touch input.
    pub async fn is_on_a_phone(&self) {
        let screen = json!({"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true});
        self.cdp("Emulation.setDeviceMetricsOverride", screen).await;
        let touch = json!({"enabled": true, "maxTouchPoints": 5});
        self.cdp("Emulation.setTouchEmulationEnabled", touch).await;
    }

    /// A window whose content has this size, or as near as the browser allows.
    pub async fn has_a_window(&self, width: u32, height: u32) {
        self.step(format!("window of {width} × {height}"));
        // The first size tells how much of the window is not content.
        let (mut outer_width, mut outer_height) = (width, height);
        for _ in 0..2 {
            self.driver().set_window_rect(0, 0, outer_width, outer_height).await.unwrap();
            let inner = self.eval("return [innerWidth, innerHeight]").await;
            let inner = |at: usize| u32::try_from(inner[at].as_u64().unwrap()).unwrap();
            outer_width += width.saturating_sub(inner(0));
            outer_height += height.saturating_sub(inner(1));
        }
    }

    /// Sets a system preference, such as `prefers-color-scheme`.
    pub async fn prefers(&self, feature: &str, value: &str) {
        let features = json!({"features": [{"name": feature, "value": value}]});
        self.cdp("Emulation.setEmulatedMedia", features).await;
    }

    /// Opens an address and leaves any frame.
    pub async fn goto(&self, url: &str) {
        self.step(format!("go to {url}"));
        self.driver().goto(url).await.unwrap();
    }

    /// Reloads the page.
    pub async fn reload(&self) {
        self.step("reload");
        self.leave_frame().await;
        self.driver().refresh().await.unwrap();
    }

    /// Runs a function body in the current page or frame and returns its result.
    pub async fn eval(&self, body: &str) -> Value {
        self.try_eval(body).await.unwrap_or_else(|error| panic!("{error}\nin {body}"))
    }

    async fn try_eval(&self, body: &str) -> WebDriverResult<Value> {
        let answer = self.driver().execute(format!("{PRELUDE}{body}"), Vec::new()).await?;
        Ok(answer.json().clone())
    }

    /// Runs an async function body and returns its result.
    pub async fn eval_async(&self, body: &str) -> Value {
        let script = format!(
            "{PRELUDE}const tell = arguments[arguments.length - 1];
             (async () => {{ {body} }})().then(tell, (fault) => tell({{ fault: `${{fault}}` }}));"
        );
        let answer = self.driver().execute_async(script, Vec::new()).await.unwrap().json().clone();
        assert!(answer.get("fault").is_none(), "{answer}\nin {body}");
        answer
    }

    /// Waits until an expression is truthy and returns its value.
    pub async fn until(&self, expression: &str) -> Value {
        self.step(format!("wait until {expression}"));
        let begun = Instant::now();
        let mut last;
        loop {
            last = self.try_eval(&format!("return ({expression})")).await;
            match &last {
                Ok(Value::Null | Value::Bool(false)) | Err(_) => {}
                Ok(Value::String(text)) if text.is_empty() => {}
                Ok(Value::Number(number)) if number.as_f64() == Some(0.0) => {}
                Ok(value) => return value.clone(),
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "after {PATIENCE:?} still not: {expression}\nlast: {last:?}"
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// The first such element, once it is visible.
    pub async fn element(&self, selector: &str) -> WebElement {
        let selector = json!(selector);
        self.until(&format!("seen({selector})")).await;
        let script = format!("{PRELUDE}return $$({selector}).find((one) => one.checkVisibility())");
        self.driver().execute(script, Vec::new()).await.unwrap().element().unwrap()
    }

    /// Clicks the element as soon as nothing covers it.
    pub async fn click(&self, selector: &str) {
        self.step(format!("click {selector}"));
        let begun = Instant::now();
        loop {
            let fault = match self.element(selector).await.click().await {
                Ok(()) => return,
                Err(fault) => fault,
            };
            assert!(begun.elapsed() < PATIENCE, "{selector} cannot be clicked: {fault}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Types into an element.
    pub async fn types(&self, selector: &str, text: impl Into<TypingData>) {
        self.step(format!("type into {selector}"));
        // A frame of another site gets the focus in WebKit only by a click.
        if self.browser.engine == Engine::WebKit {
            self.click(selector).await;
        }
        self.element(selector).await.send_keys(text).await.unwrap();
    }

    /// Presses keys one after another, wherever the focus is.
    pub async fn press(&self, keys: &[Key]) {
        for key in keys {
            self.strike(key, false).await;
        }
    }

    /// Presses a key with Shift held.
    pub async fn press_with_shift(&self, key: Key) {
        self.strike(&key, true).await;
    }

    /// WebDriver's own Enter key does not activate buttons.
    async fn strike(&self, key: &Key, shift: bool) {
        let (name, code, text) = match key {
            Key::Escape => ("Escape", 27, ""),
            Key::Return => ("Enter", 13, "\r"),
            Key::Space => (" ", 32, " "),
            Key::Tab => ("Tab", 9, ""),
            other => panic!("what does {other:?} send?"),
        };
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        for kind in [down, "keyUp"] {
            let event = json!({"type": kind, "key": name, "windowsVirtualKeyCode": code,
                "code": if code == 32 { "Space" } else { name }, "modifiers": u8::from(shift) * 8,
                "text": if kind == down { text } else { "" }});
            self.cdp("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Sends a DevTools protocol command.
    pub async fn cdp(&self, method: &str, parameters: Value) -> Value {
        self.step(format!("{method} {parameters}"));
        self.driver().cdp().send_raw(method, parameters).await.unwrap()
    }

    pub async fn leave_frame(&self) {
        self.driver().enter_default_frame().await.unwrap();
    }

    /// Enters the chat's frame once the chat is visible.
    pub async fn enter_chat(&self) {
        self.enter(FRAME).await;
        self.until("seen('#chatbot-container')").await;
    }

    /// Enters a frame of the page.
    pub async fn enter(&self, selector: &str) {
        self.leave_frame().await;
        let begun = Instant::now();
        loop {
            let frame = self.element(selector).await;
            match frame.enter_frame().await {
                Ok(()) => break,
                Err(fault) => assert!(begun.elapsed() < PATIENCE, "{selector}: {fault}"),
            }
            tokio::time::sleep(POLL).await;
        }
        self.step(format!("enter {selector}"));
    }

    /// Opens the chat with its button and enters its frame.
    pub async fn open_chat(&self) {
        self.click(LAUNCHER).await;
        self.enter_chat().await;
    }

    /// Types a question and sends it.
    pub async fn ask(&self, question: &str) {
        self.types(BOX, question).await;
        self.until("!$('#send-btn').disabled").await;
        self.types(BOX, Key::Return).await;
    }
}

/// The folder that Cargo builds into.
fn target_folder() -> PathBuf {
    let inside = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let marked = inside.ancestors().filter(|folder| folder.join("CACHEDIR.TAG").exists());
    marked.last().unwrap_or(inside).to_owned()
}
