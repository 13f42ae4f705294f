//! Use cases of sessions: create, read, configure, clear, count, expire.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::domain::{
    Clock, Limits, Message, Session, SessionConfig, SessionId, Stats, Timestamp, check_patch,
};
use crate::error::AppError;
use crate::store::Store;

/// How many sessions one sweep transaction deletes; short enough that writers never wait long.
const SWEEP_SLICE: usize = 200;

/// The use cases of sessions.
pub struct Sessions {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    defaults: Map<String, Value>,
}

impl Sessions {
    /// Sessions in `store`, whose settings keep to `limits` and lie over the operator's
    /// `defaults`.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        limits: Limits,
        defaults: Map<String, Value>,
    ) -> Self {
        Self { store, clock, limits, defaults }
    }

    /// A session's settings over the operator's defaults. Null means unset, so it does not hide a
    /// default.
    pub fn effective_config(&self, config: SessionConfig) -> Map<String, Value> {
        let mut effective = self.defaults.clone();
        for (key, value) in config.into_map() {
            if !(value.is_null() && effective.contains_key(&key)) {
                effective.insert(key, value);
            }
        }
        effective
    }

    /// The time now, for answers that carry one.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Makes a session with the caller's settings.
    pub async fn create(&self, config: Map<String, Value>) -> Result<Session, AppError> {
        check_patch(&config, &self.limits)?;
        let now = self.clock.now();
        let session = Session {
            id: SessionId::random(),
            created: now,
            last_activity: now,
            message_count: 0,
            config: SessionConfig::new(config),
        };
        self.store.create_session(session.clone()).await?;
        Ok(session)
    }

    /// A session with its messages, oldest first. Counts as activity.
    pub async fn transcript(&self, id: SessionId) -> Result<(Session, Vec<Message>), AppError> {
        Ok(self.store.transcript(id, self.clock.now()).await?)
    }

    /// Replaces the top-level settings that `patch` names.
    pub async fn configure(
        &self,
        id: SessionId,
        patch: Map<String, Value>,
    ) -> Result<Session, AppError> {
        check_patch(&patch, &self.limits)?;
        Ok(self.store.merge_config(id, patch, self.clock.now()).await?)
    }

    /// Deletes a session's messages and answers how many there were.
    pub async fn clear_history(&self, id: SessionId) -> Result<u64, AppError> {
        Ok(self.store.clear_history(id, self.clock.now()).await?)
    }

    /// Counts the sessions that have not expired.
    pub async fn stats(&self) -> Result<Stats, AppError> {
        Ok(self.store.stats(self.clock.now()).await?)
    }

    /// Whether sessions can be read and written.
    pub async fn ready(&self) -> Result<(), AppError> {
        Ok(self.store.ready().await?)
    }

    /// Deletes expired sessions until none is left, in slices that let others write in between.
    pub async fn sweep(&self) -> Result<usize, AppError> {
        let mut deleted = 0;
        loop {
            let slice = self.store.expire(self.clock.now(), SWEEP_SLICE).await?;
            deleted += slice;
            if slice < SWEEP_SLICE {
                return Ok(deleted);
            }
        }
    }

    /// Sweeps every `every`, for ever. A failed sweep is logged and tried again the next time.
    pub async fn sweep_regularly(&self, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.sweep().await {
                Ok(0) => {}
                Ok(deleted) => tracing::info!(sweep.sessions = deleted, "expired sessions deleted"),
                Err(error) => tracing::warn!(error = ?error, "sweep failed"),
            }
        }
    }
}
