//! What is kept of a provider from call to call: whether it is worth asking, and what the
//! administrator has been told of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::{Breaker, Leave};
use super::rules::rule;
use crate::provider::{Fault, Provider, ProviderError};

/// How long the administrator is not told of the same provider again.
const QUIET: Duration = Duration::from_secs(60);

/// A provider and how it has fared.
pub struct Seat {
    /// The provider.
    pub provider: Arc<dyn Provider>,
    health: Mutex<Health>,
}

#[derive(Default)]
struct Health {
    breaker: Breaker,
    /// The failure that opened the breaker, or a later one.
    last: Option<ProviderError>,
    alerted: Option<Instant>,
}

impl Seat {
    /// A provider of which nothing bad is known.
    pub fn new(provider: Arc<dyn Provider>) -> Arc<Self> {
        Arc::new(Self { provider, health: Mutex::default() })
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leave to call the provider. Without it, the failure that it was last known by.
    pub fn admit(self: &Arc<Self>) -> Result<Pass, ProviderError> {
        let mut health = self.health();
        match health.breaker.admit(Instant::now()) {
            Ok(leave) => Ok(Pass { seat: Arc::clone(self), leave, used: false }),
            Err(wait) => {
                let last = health
                    .last
                    .clone()
                    .unwrap_or_else(|| ProviderError::new(Fault::Overloaded, "it keeps failing"));
                Err(ProviderError { retry_after: Some(wait), ..last })
            }
        }
    }

    /// Tells the administrator of what only they can change, once a minute at most.
    fn alert(&self, word: &'static str, error: &ProviderError) {
        let now = Instant::now();
        let mut health = self.health();
        if health.alerted.is_some_and(|last| now - last < QUIET) {
            return;
        }
        health.alerted = Some(now);
        drop(health);
        tracing::error!(
            alert = word,
            provider = %self.provider.kind(),
            provider.detail = error.detail,
            "the provider refuses to work for us: see to its key, model, address or account"
        );
    }
}

/// Leave to make one call. Dropped unused, as when the caller goes away, it makes room for another.
pub struct Pass {
    seat: Arc<Seat>,
    leave: Leave,
    used: bool,
}

impl Pass {
    /// The call was answered.
    pub fn succeed(mut self) {
        self.used = true;
        self.seat.health().breaker.succeed();
    }

    /// The call failed. Answers whether the provider is not to be asked again for now. A provider
    /// that refuses a call is there, whatever it has against it.
    pub fn fail(mut self, error: &ProviderError) -> bool {
        self.used = true;
        let rule = rule(error);
        if let Some(word) = rule.alert {
            self.seat.alert(word, error);
        }
        let mut health = self.seat.health();
        if !rule.fall_back {
            health.breaker.succeed();
            return false;
        }
        health.last = Some(error.clone());
        health.breaker.fail(self.leave, Instant::now())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.used {
            self.seat.health().breaker.abandon(self.leave, Instant::now());
        }
    }
}
