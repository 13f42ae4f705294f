//! Use cases of sessions: create, read, configure, clear, count, expire.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::bots::{self, Bots};
use crate::domain::{
    Clock, Dataset, Message, Session, SessionConfig, SessionId, Stats, Timestamp, check_patch,
};
use crate::error::AppError;
use crate::store::{ConfigPatch, Store, StoreError};

/// Number of sessions deleted per call of the store: few enough that other writers never wait long.
const SWEEP_SLICE: usize = 200;

/// The use cases of sessions.
pub struct Sessions {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    bots: Bots,
    max_config_bytes: usize,
}

/// A session with everything that its visitor may see.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last used.
    pub last_activity: Timestamp,
    /// Its settings merged over its bot's.
    pub config: Map<String, Value>,
    /// Its messages, oldest first; empty if they were not requested.
    pub messages: Vec<Message>,
    /// Its file.
    pub file: Option<Dataset>,
}

impl Sessions {
    /// Sessions of `bots` in `store`, each with settings of at most `max_config_bytes` of JSON.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        bots: Bots,
        max_config_bytes: usize,
    ) -> Self {
        Self { store, clock, bots, max_config_bytes }
    }

    /// Creates a session of the default bot with the caller's settings.
    ///
    /// # Errors
    /// Invalid or too large settings; a store failure.
    pub async fn create(&self, config: Map<String, Value>) -> Result<SessionView, AppError> {
        let bot = self.bots.default_bot();
        check_patch(&config, &bot.limits)?;
        let config = SessionConfig::new(config);
        if config.json_bytes() > self.max_config_bytes {
            return Err(StoreError::ConfigTooLarge(self.max_config_bytes).into());
        }
        let session = Session::new(bot.id.clone(), config, self.clock.now());
        self.store.create_session(session.clone()).await?;
        Ok(self.view(session))
    }

    /// A session with its messages and the description of its file. Counts as activity.
    ///
    /// # Errors
    /// An unknown session; a store failure.
    pub async fn transcript(&self, id: SessionId) -> Result<SessionView, AppError> {
        let transcript = self.store.transcript(id, self.clock.now()).await?;
        Ok(SessionView {
            messages: transcript.messages,
            file: transcript.file.map(|file| file.dataset),
            ..self.view(transcript.session)
        })
    }

    /// Replaces the top-level settings that `patch` names.
    ///
    /// # Errors
    /// Invalid or too large settings; an unknown session; a store failure.
    pub async fn configure(
        &self,
        id: SessionId,
        keys: Map<String, Value>,
    ) -> Result<SessionView, AppError> {
        let session = self.store.session(id, self.clock.now()).await?;
        check_patch(&keys, &self.bots.of_session(&session.bot).limits)?;
        let patch = ConfigPatch { keys, max_bytes: self.max_config_bytes };
        let session = self.store.merge_config(id, patch, self.clock.now()).await?;
        Ok(self.view(session))
    }

    /// Deletes a session's messages and returns how many there were.
    ///
    /// # Errors
    /// An unknown session; a store failure.
    pub async fn clear_history(&self, id: SessionId) -> Result<u64, AppError> {
        Ok(self.store.clear_history(id, self.clock.now()).await?)
    }

    /// Counts the sessions that have not expired.
    ///
    /// # Errors
    /// A store failure.
    pub async fn stats(&self) -> Result<Stats, AppError> {
        Ok(self.store.stats(self.clock.now()).await?)
    }

    /// Deletes all expired sessions, in slices that let others write in between, and returns their
    /// ids.
    ///
    /// # Errors
    /// A store failure.
    pub async fn sweep(&self) -> Result<Vec<SessionId>, AppError> {
        let mut deleted = Vec::new();
        loop {
            let slice = self.store.expire(self.clock.now(), SWEEP_SLICE).await?;
            let is_last = slice.len() < SWEEP_SLICE;
            deleted.extend(slice);
            if is_last {
                return Ok(deleted);
            }
        }
    }

    fn view(&self, session: Session) -> SessionView {
        let bot = self.bots.of_session(&session.bot);
        SessionView {
            id: session.id,
            created: session.created,
            last_activity: session.last_activity,
            config: bots::effective_config(&bot, session.config),
            messages: Vec::new(),
            file: None,
        }
    }
}
