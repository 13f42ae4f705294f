//! What is remembered of a provider between calls: which of its models are worth asking, and what
//! the administrator has been told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::{Breaker, Grant};
use super::rules::rule;
use crate::provider::{Fault, Provider, ProviderError};

/// Minimum time between two alerts of the same kind about one provider.
const QUIET: Duration = Duration::from_secs(60);

/// Maximum number of failing models that are remembered, besides the default one. Callers may name
/// models, so the names must not fill the memory.
const MAX_MODELS: usize = 64;

/// A provider and its recent failures.
pub struct Monitored {
    /// The provider.
    pub provider: Arc<dyn Provider>,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    /// The health of the provider's default model, which is never forgotten.
    default: ModelHealth,
    /// The health of the models that callers have named and that have failed since they last answered.
    named: HashMap<String, ModelHealth>,
    /// When each kind of alert was last raised.
    alerts: Vec<(&'static str, Instant)>,
}

/// The health of one model. Each model has its own breaker: one that a caller has chosen, and that
/// keeps failing, must not take the provider away from the others.
#[derive(Default)]
struct ModelHealth {
    breaker: Breaker,
    /// The last failure that counted for the breaker, and when it happened.
    last: Option<(ProviderError, Instant)>,
}

impl Monitored {
    /// A provider without known failures.
    pub fn new(provider: Arc<dyn Provider>) -> Arc<Self> {
        Arc::new(Self { provider, record: Mutex::default() })
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `model` is the operator's choice rather than a caller's.
    fn is_default(&self, model: &str) -> bool {
        model == self.provider.default_model()
    }

    /// Permission to ask `model`; while its breaker is open, the model's last failure instead.
    pub fn admit(self: &Arc<Self>, model: &str) -> Result<Permit, ProviderError> {
        let mut record = self.record();
        let health = match self.is_default(model) {
            true => Some(&mut record.default),
            false => record.named.get_mut(model),
        };
        let admitted = match health {
            None => Ok(Grant::Call),
            Some(health) => health.breaker.admit(Instant::now()).map_err(|wait| {
                let last = health.last.as_ref().map(|(error, _)| error.clone());
                let error = last
                    .unwrap_or_else(|| ProviderError::new(Fault::Overloaded, "it keeps failing"));
                ProviderError { retry_after: Some(wait), ..error }
            }),
        };
        let grant = admitted?;
        Ok(Permit { monitored: Arc::clone(self), model: model.to_owned(), grant, used: false })
    }

    /// Attributes an unknown model to the one that chose it: if it is the default, the operator has
    /// misconfigured it; otherwise it is the caller's mistake, and `error` is returned unchanged.
    pub fn attribute(&self, model: &str, error: ProviderError) -> ProviderError {
        match error.fault {
            Fault::UnknownModel if self.is_default(model) => {
                ProviderError { fault: Fault::Misconfigured, ..error }
            }
            _ => error,
        }
    }

    /// Reports what only the administrator can change, at most once a minute for each kind.
    fn alert(&self, word: &'static str, model: &str, error: &ProviderError) {
        // A key may lack permission for the one model that a caller has named.
        if error.status == Some(403) && !self.is_default(model) {
            return;
        }
        let now = Instant::now();
        let mut record = self.record();
        record.alerts.retain(|&(_, raised)| now - raised < QUIET);
        if record.alerts.iter().any(|&(raised, _)| raised == word) {
            return;
        }
        record.alerts.push((word, now));
        drop(record);
        tracing::error!(
            alert = word,
            provider = %self.provider.kind(),
            provider.detail = error.detail,
            "the provider refuses our calls: check its key, model, address and account"
        );
    }
}

impl Record {
    /// The health of a model, created if nothing is known of it.
    fn health(&mut self, model: &str, is_default: bool) -> &mut ModelHealth {
        if is_default {
            return &mut self.default;
        }
        if self.named.len() >= MAX_MODELS && !self.named.contains_key(model) {
            let age = |health: &ModelHealth| health.last.as_ref().map(|&(_, failed)| failed);
            let oldest = self.named.iter().min_by_key(|(_, health)| age(health));
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                self.named.remove(&oldest);
            }
        }
        self.named.entry(model.to_owned()).or_default()
    }
}

/// Permission to make one call. If it is dropped unused, because its caller has disconnected, the
/// next call may be made in its place.
pub struct Permit {
    monitored: Arc<Monitored>,
    model: String,
    grant: Grant,
    used: bool,
}

impl Permit {
    fn is_default(&self) -> bool {
        self.monitored.is_default(&self.model)
    }

    /// Records that the model has answered.
    pub fn succeed(mut self) {
        self.used = true;
        self.clear();
    }

    fn clear(&self) {
        let mut record = self.monitored.record();
        if self.is_default() {
            record.default.breaker.succeed();
        } else {
            record.named.remove(&self.model);
        }
    }

    /// Records that the call has failed. Returns whether the model must not be asked again for now.
    /// A refusal, whatever its reason, counts as a sign of life.
    pub fn fail(mut self, error: &ProviderError) -> bool {
        self.used = true;
        let rule = rule(error);
        if let Some(word) = rule.alert {
            self.monitored.alert(word, &self.model, error);
        }
        if !rule.fall_back {
            self.clear();
            return false;
        }
        let now = Instant::now();
        let is_default = self.is_default();
        let mut record = self.monitored.record();
        let health = record.health(&self.model, is_default);
        health.last = Some((error.clone(), now));
        health.breaker.fail(self.grant, now)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.used {
            return;
        }
        let is_default = self.is_default();
        let mut record = self.monitored.record();
        let health = match is_default {
            true => Some(&mut record.default),
            false => record.named.get_mut(&self.model),
        };
        if let Some(health) = health {
            health.breaker.abandon(self.grant, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::offline::Offline;

    fn failing(monitored: &Arc<Monitored>, model: &str, times: usize) -> bool {
        let error = ProviderError::new(Fault::Overloaded, "down");
        (0..times).any(|_| monitored.admit(model).is_ok_and(|permit| permit.fail(&error)))
    }

    fn monitored() -> Arc<Monitored> {
        Monitored::new(Arc::new(Offline::new("default", |_| Vec::new())))
    }

    #[tokio::test(start_paused = true)]
    async fn failing_models_are_remembered_up_to_a_limit_and_the_default_always() {
        let monitored = monitored();
        assert!(failing(&monitored, "default", 5));
        assert!(failing(&monitored, "first", 5));
        let is_open = |model: &str| monitored.admit(model).is_err();
        for number in 1..MAX_MODELS {
            tokio::time::advance(Duration::from_millis(1)).await;
            failing(&monitored, &number.to_string(), 1);
        }
        let remembered = || monitored.record().named.len();
        assert_eq!(remembered(), MAX_MODELS);
        assert!(is_open("first"));
        for number in MAX_MODELS..10 * MAX_MODELS {
            tokio::time::advance(Duration::from_millis(1)).await;
            failing(&monitored, &number.to_string(), 1);
            assert_eq!(remembered(), MAX_MODELS);
        }
        assert!(!is_open("first"), "the one that failed longest ago is forgotten");
        assert!(is_open("default"));
    }

    #[test]
    fn models_that_answer_or_are_only_asked_take_no_memory() {
        let monitored = monitored();
        let refused = ProviderError::new(Fault::UnknownModel, "no such model");
        for number in 0..1000 {
            let permit = || monitored.admit(&number.to_string()).unwrap();
            permit().succeed();
            permit().fail(&refused);
            drop(permit());
        }
        assert!(monitored.record().named.is_empty());
        failing(&monitored, "back", 1);
        monitored.admit("back").unwrap().succeed();
        assert!(monitored.record().named.is_empty());
    }
}
