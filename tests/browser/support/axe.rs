//! WCAG 2.2, levels A and AA, checked with axe-core.

use std::path::Path;
use std::sync::LazyLock;

use super::visitor::Visitor;

static SOURCE: LazyLock<String> = LazyLock::new(|| {
    // In the target folder, one or two levels up, depending on whether a build target is set.
    let folders = Path::new(env!("CARGO_TARGET_TMPDIR")).ancestors();
    let mut files = folders.map(|folder| folder.join("node_modules/axe-core/axe.min.js"));
    let file = files
        .find(|file| file.exists())
        .expect("axe-core is there; tests/run installs what the tests need");
    std::fs::read_to_string(file).unwrap()
});

impl Visitor {
    /// Checks the page or frame where the visitor is, without nested frames.
    pub async fn is_accessible(&self, state: &str) {
        // Colours in the middle of a transition are not final.
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
