//! The rules of WCAG 2.2, levels A and AA, as axe-core checks them.

use std::path::Path;
use std::sync::LazyLock;

use super::visitor::Visitor;

static SOURCE: LazyLock<String> = LazyLock::new(|| {
    // In the target folder, which is one or two above this, as there is a target or not.
    let folders = Path::new(env!("CARGO_TARGET_TMPDIR")).ancestors();
    let mut files = folders.map(|folder| folder.join("node_modules/axe-core/axe.min.js"));
    let file = files
        .find(|file| file.exists())
        .expect("axe-core is there; tests/run installs what the tests need");
    std::fs::read_to_string(file).unwrap()
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
