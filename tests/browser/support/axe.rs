//! The rules of WCAG 2.2, levels A and AA, as axe-core checks them.

use std::sync::LazyLock;

use super::visitor::{Visitor, target_folder};

static SOURCE: LazyLock<String> = LazyLock::new(|| {
    let file = target_folder().join("node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!("{}: {error}. Run tests/run, which installs what the tests need", file.display())
    })
});

impl Visitor {
    /// Checks the page or the frame where the visitor is, without the frames in it.
    pub async fn is_accessible(&self, state: &str) {
        // Colours on their way from one to another are nobody's last word.
        self.until("document.getAnimations().every((one) => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)").await;
        if self.eval("return typeof axe === 'undefined'").await == true {
            self.driver().execute(SOURCE.as_str(), Vec::new()).await.unwrap();
        }
        let found = self
            .eval_async(
                "const { violations } = await axe.run(document, {
                   runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
                   resultTypes: ['violations'], iframes: false });
                 return violations.flatMap(({ id, nodes }) => nodes.map((node) =>
                   `${id}: ${node.target.flat().join(' >>> ')}: ${node.failureSummary}`));",
            )
            .await;
        let found: Vec<String> = serde_json::from_value(found).unwrap();
        assert!(found.is_empty(), "{state}:\n{}", found.join("\n"));
    }
}
