//! The model of a provider that is asked when a session names none.

use std::sync::atomic::{AtomicBool, Ordering};

/// The default model, and the one that takes its place if the API does not know it: a server may
/// lag behind the default of a new version.
#[derive(Debug)]
pub struct DefaultModel {
    model: String,
    former: Option<String>,
    is_replaced: AtomicBool,
}

impl DefaultModel {
    /// `model`, and `former` unless the operator has chosen `model`.
    pub fn new(model: String, former: Option<String>) -> Self {
        Self { model, former, is_replaced: AtomicBool::new(false) }
    }

    /// The model to ask.
    pub fn name(&self) -> &str {
        match &self.former {
            Some(former) if self.is_replaced.load(Ordering::Relaxed) => former,
            _ => &self.model,
        }
    }

    /// From now on the former default takes the place of `unknown`. Returns whether there is one and
    /// `unknown` is the model that it replaces.
    pub fn replace(&self, unknown: &str) -> bool {
        let is_replaceable = self.former.is_some() && unknown == self.model;
        if is_replaceable {
            self.is_replaced.store(true, Ordering::Relaxed);
        }
        is_replaceable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_default_that_nobody_chose_is_replaced() {
        let chosen = DefaultModel::new("new".to_owned(), None);
        assert!(!chosen.replace("new"));
        assert_eq!(chosen.name(), "new");
        let preset = DefaultModel::new("new".to_owned(), Some("old".to_owned()));
        assert!(!preset.replace("other"));
        assert_eq!(preset.name(), "new");
        assert!(preset.replace("new"));
        assert_eq!(preset.name(), "old");
        assert!(preset.replace("new"), "a call that began before the switch");
        assert!(!preset.replace("old"));
    }
}
