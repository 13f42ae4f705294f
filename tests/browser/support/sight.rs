//! What a visitor sees.

use serde_json::json;

use super::visitor::Visitor;

impl Visitor {
    /// Waits until a visible element contains these words.
    pub async fn sees(&self, selector: &str, words: &str) {
        let (selector, words) = (json!(selector), json!(words));
        self.until(&format!(
            "$$({selector}).some((one) => one.checkVisibility()
               && one.innerText.replace(/\\s+/g, ' ').includes({words}))"
        ))
        .await;
    }

    /// Waits until no such element is visible.
    pub async fn sees_no(&self, selector: &str) {
        self.until(&format!("!seen({})", json!(selector))).await;
    }

    /// The visible text of the first element, with white space collapsed.
    pub async fn text(&self, selector: &str) -> String {
        let text = self.eval(&format!("return text({})", json!(selector))).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    pub async fn count(&self, selector: &str) -> u64 {
        self.eval(&format!("return $$({}).length", json!(selector))).await.as_u64().unwrap()
    }

    /// An attribute of the first element, once it exists.
    pub async fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let selector = json!(selector);
        self.until(&format!("$({selector})")).await;
        let value = self.eval(&format!("return $({selector}).getAttribute('{name}')")).await;
        value.as_str().map(str::to_owned)
    }

    /// A computed style of the first element.
    pub async fn style(&self, selector: &str, name: &str) -> String {
        let script = format!("return getComputedStyle($({})).{name}", json!(selector));
        self.eval(&script).await.as_str().unwrap().to_owned()
    }

    /// Waits for a complete answer that contains these words.
    pub async fn reads_answer(&self, words: &str) {
        let words = json!(words);
        self.until(&format!(
            "$$('#messages-list .message.bot:not(.streaming) .bubble').some((one) =>
               one.innerText.replace(/\\s+/g, ' ').includes({words}))"
        ))
        .await;
    }

    /// The lightness of an element's background, from 0 to 1.
    pub async fn lightness(&self, selector: &str) -> f64 {
        let script = format!(
            "const [r, g, b] = ground($({}));
             return 0.21 * r + 0.72 * g + 0.07 * b",
            json!(selector)
        );
        self.eval(&script).await.as_f64().unwrap()
    }

    /// An element's position in its window: left, top, width, height.
    pub async fn place(&self, selector: &str) -> [f64; 4] {
        let script = format!(
            "const {{ x, y, width, height }} = $({}).getBoundingClientRect();
             return [x, y, width, height]",
            json!(selector)
        );
        serde_json::from_value(self.eval(&script).await).unwrap()
    }

    /// An element's position, once it is visible.
    pub async fn place_of(&self, selector: &str) -> [f64; 4] {
        self.element(selector).await;
        self.place(selector).await
    }

    /// The conversation as shown: `user: …`, `bot: …`.
    pub async fn conversation(&self) -> Vec<String> {
        let lines = self
            .eval(
                "return $$('#messages-list .message').map((one) =>
                   (one.matches('.user') ? 'user: ' : 'bot: ')
                   + one.querySelector('.bubble').innerText.replace(/\\s+/g, ' ').trim())",
            )
            .await;
        serde_json::from_value(lines).unwrap()
    }
}
