//! The redb store's tables, and its operations inside a write transaction.

use redb::{ReadableTable, Table, TableDefinition, TableError, WriteTransaction};

use super::activity::{Front, Move, Removed, SessionActivity};
use super::fault::{OpFailure, RedbFault};
use super::record::{self, Header};
use crate::domain::{
    IdempotencyKey, Message, MessageId, NewMessage, Session, SessionConfig, SessionId, Status,
    Timestamp,
};
use crate::store::{ConfigPatch, FinishedTurn, StoreError};

pub(super) type Id = &'static [u8; 16];
pub(super) type Bytes = &'static [u8];

/// What the file is, and its schema version.
pub(super) const META: TableDefinition<Bytes, Bytes> = TableDefinition::new("meta");
/// Session → its header.
pub(super) const SESSIONS: TableDefinition<Id, Bytes> = TableDefinition::new("sessions");
/// Session → its settings, kept apart because they can be large and rarely change.
pub(super) const CONFIGS: TableDefinition<Id, Bytes> = TableDefinition::new("configs");
/// Session and place → message.
pub(super) const MESSAGES: TableDefinition<(Id, u64), Bytes> = TableDefinition::new("messages");
/// Session and digest of an idempotency key → the place of the question sent with it.
pub(super) const KEYS: TableDefinition<(Id, Id), u64> = TableDefinition::new("idempotency");
/// Last activity in milliseconds and session, ordered by expiry.
pub(super) const ACTIVITY: TableDefinition<(i64, Id), ()> = TableDefinition::new("activity");
/// Session → its file, without the text.
pub(super) const FILES: TableDefinition<Id, Bytes> = TableDefinition::new("files");
/// Session and chunk number → a chunk of its file's text.
pub(super) const FILE_CHUNKS: TableDefinition<(Id, u32), Bytes> =
    TableDefinition::new("file_chunks");
/// Name → value kept for the program itself.
pub(super) const SETTINGS: TableDefinition<Bytes, Bytes> = TableDefinition::new("settings");

/// Size of a file's chunks: small enough that no value needs much contiguous space, large enough
/// that a file is only a handful of them.
///
/// A page less than 1 MiB: redb gives a value a power of two of pages, its key and header
/// included, so that a chunk of exactly 1 MiB would take 2.
const CHUNK_BYTES: usize = 1024 * 1024 - 4096;

/// Maximum number of messages in a slice of expired sessions, beyond its first session: deleting
/// them takes tens of milliseconds, during which other writers wait.
const SLICE_MESSAGES: u64 = 10_000;

pub(super) fn key(id: &SessionId) -> &[u8; 16] {
    id.0.as_bytes()
}

pub(super) fn id(key: &[u8; 16]) -> SessionId {
    SessionId(uuid::Uuid::from_bytes(*key))
}

/// What a transaction changes in memory: `created` is applied once it is committed, the rest undone
/// if it is not.
#[derive(Default)]
pub(super) struct Effects {
    pub created: Vec<(SessionId, Timestamp)>,
    pub moves: Vec<Move>,
    pub removed: Vec<Removed>,
}

/// A write transaction shared by the operations of several callers. Each operation checks before it
/// changes anything, so that a refused one leaves the others' work intact.
pub(super) struct Batch<'t> {
    meta: Table<'t, Bytes, Bytes>,
    sessions: Table<'t, Id, Bytes>,
    configs: Table<'t, Id, Bytes>,
    messages: Table<'t, (Id, u64), Bytes>,
    keys: Table<'t, (Id, Id), u64>,
    activity: Table<'t, (i64, Id), ()>,
    files: Table<'t, Id, Bytes>,
    file_chunks: Table<'t, (Id, u32), Bytes>,
    settings: Table<'t, Bytes, Bytes>,
    memory: &'t SessionActivity,
    effects: &'t mut Effects,
    dirty: bool,
}

/// A session's settings after an operation: still bytes if nothing was merged, so that the caller
/// decodes them and not the one thread that all writers wait for.
pub(super) enum MergedConfig {
    Bytes(Vec<u8>),
    Decoded(SessionConfig),
}

impl MergedConfig {
    pub fn decode(self) -> Result<SessionConfig, StoreError> {
        match self {
            Self::Bytes(bytes) => {
                record::decode_config(&bytes).map_err(|e| StoreError::Unavailable(e.into()))
            }
            Self::Decoded(config) => Ok(config),
        }
    }
}

impl<'t> Batch<'t> {
    /// Opens the tables of `transaction`, creating those that are missing.
    pub fn open(
        transaction: &'t WriteTransaction,
        memory: &'t SessionActivity,
        effects: &'t mut Effects,
    ) -> Result<Self, TableError> {
        Ok(Self {
            meta: transaction.open_table(META)?,
            sessions: transaction.open_table(SESSIONS)?,
            configs: transaction.open_table(CONFIGS)?,
            messages: transaction.open_table(MESSAGES)?,
            keys: transaction.open_table(KEYS)?,
            activity: transaction.open_table(ACTIVITY)?,
            files: transaction.open_table(FILES)?,
            file_chunks: transaction.open_table(FILE_CHUNKS)?,
            settings: transaction.open_table(SETTINGS)?,
            memory,
            effects,
            dirty: false,
        })
    }

    /// Ends the batch, writing pending activity with it unless it changed nothing. Returns whether
    /// there is anything to commit.
    pub fn finish(mut self) -> Result<bool, RedbFault> {
        if self.dirty {
            self.write_activity()?;
        }
        Ok(self.dirty)
    }

    /// Moves the rows of sessions that were active since their row was written.
    pub fn write_activity(&mut self) -> Result<(), RedbFault> {
        let moves = self.memory.take_moves();
        let new = self.effects.moves.len();
        self.effects.moves.extend(moves);
        for Move { id, from, to } in &self.effects.moves[new..] {
            self.activity.remove((from.0, key(id)))?;
            self.activity.insert((to.0, key(id)), ())?;
            self.dirty = true;
        }
        Ok(())
    }

    pub fn create_session(&mut self, session: &Session) -> Result<(), OpFailure> {
        let key = key(&session.id);
        let header = record::encode_header(&Header::new(session))?;
        let config = record::encode_config(&session.config)?;
        if self.sessions.get(key)?.is_some() {
            return Err(StoreError::Unavailable("the session's id is taken".into()).into());
        }
        self.dirty = true;
        self.sessions.insert(key, header.as_slice())?;
        self.configs.insert(key, config.as_slice())?;
        self.activity.insert((session.last_activity.0, key), ())?;
        self.effects.created.push((session.id, session.last_activity));
        Ok(())
    }

    pub fn merge_config(
        &mut self,
        id: SessionId,
        patch: ConfigPatch,
    ) -> Result<(Header, MergedConfig), OpFailure> {
        let header = self.header(id)?;
        if patch.keys.is_empty() {
            let bytes = self.configs.get(key(&id))?.ok_or(StoreError::NotFound)?;
            return Ok((header, MergedConfig::Bytes(bytes.value().to_vec())));
        }
        let (config, bytes) = self.merged(id, patch)?;
        self.put_config(id, bytes)?;
        Ok((header, MergedConfig::Decoded(config)))
    }

    /// Appends the question, replacing an earlier attempt with the same key. If that attempt has
    /// been answered, changes nothing and returns it with its answer.
    pub fn begin_turn(
        &mut self,
        id: SessionId,
        patch: ConfigPatch,
        question: &NewMessage,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<(MessageId, Option<Message>), OpFailure> {
        let mut header = self.header(id)?;
        let earlier = match &idempotency {
            Some(IdempotencyKey(digest)) => self.keys.get((key(&id), digest))?.map(|v| v.value()),
            None => None,
        };
        let mut replaced = Vec::new();
        if let Some(place) = earlier.map(MessageId)
            && self.message(id, place)?.is_some()
        {
            replaced.push(place);
            match self.answer_to(id, place)? {
                Some(answer) if answer.body.status == Status::Incomplete => {
                    replaced.push(answer.id);
                }
                Some(answer) => return Ok((place, Some(answer))),
                None => {}
            }
        }
        let config = match patch.keys.is_empty() {
            true => None,
            false => self.merged(id, patch)?.1,
        };
        let question = record::encode_message(question)?;
        for MessageId(place) in replaced {
            self.messages.remove((key(&id), place))?;
            header.message_count -= 1;
        }
        let (_, place) = self.append(id, header, &question)?;
        if let Some(IdempotencyKey(digest)) = &idempotency {
            self.keys.insert((key(&id), digest), place.0)?;
        }
        self.put_config(id, config)?;
        Ok((place, None))
    }

    pub fn finish_turn(
        &mut self,
        id: SessionId,
        question: MessageId,
        status: Status,
        answer: Option<&NewMessage>,
    ) -> Result<FinishedTurn, OpFailure> {
        let header = self.header(id)?;
        let Some(mut asked) = self.message(id, question)? else {
            return Ok(FinishedTurn { message_count: header.message_count, answer: None });
        };
        let answer = answer.map(record::encode_message).transpose()?;
        if asked.status != status {
            asked.status = status;
            let bytes = record::encode_message(&asked)?;
            self.dirty = true;
            self.messages.insert((key(&id), question.0), bytes.as_slice())?;
        }
        match answer {
            Some(answer) => {
                let (header, place) = self.append(id, header, &answer)?;
                Ok(FinishedTurn { message_count: header.message_count, answer: Some(place) })
            }
            None => Ok(FinishedTurn { message_count: header.message_count, answer: None }),
        }
    }

    /// Deletes all messages in one transaction, however many: clearing must not leave some behind.
    /// Returns how many there were.
    pub fn clear_history(&mut self, id: SessionId) -> Result<u64, OpFailure> {
        let header = self.header(id)?;
        if header.message_count > 0 {
            let cleared = Header { message_count: 0, ..header };
            let bytes = record::encode_header(&cleared)?;
            self.dirty = true;
            self.delete_messages(id)?;
            self.sessions.insert(key(&id), bytes.as_slice())?;
        }
        Ok(header.message_count)
    }

    /// Deletes sessions that have expired at `now`, at most `limit` of them and about
    /// [`SLICE_MESSAGES`] messages. Returns their ids, and whether there may be more.
    pub fn expire(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<(Vec<SessionId>, bool), OpFailure> {
        self.write_activity()?;
        let cutoff = self.memory.cutoff(now);
        let mut expired = Vec::new();
        let mut messages = 0;
        let mut more = false;
        for row in self.activity.range(..=(cutoff.0, &[u8::MAX; 16]))? {
            if expired.len() == limit || messages > SLICE_MESSAGES {
                more = true;
                break;
            }
            let (row, _) = row?;
            let (at, key) = row.value();
            let id = id(key);
            match self.memory.take_expired(id, now) {
                Front::Live => continue,
                Front::Expired(removed) => self.effects.removed.push(removed),
                // Possibly created in this very transaction, with an old time.
                Front::Unknown => self.effects.created.retain(|(created, _)| *created != id),
            }
            expired.push((at, id));
            let header = self.sessions.get(key)?;
            // A header that cannot be read is deleted like any other.
            messages += header
                .and_then(|bytes| record::decode_header(bytes.value()).ok())
                .map_or(0, |header| header.message_count);
        }
        for (at, id) in &expired {
            self.dirty = true;
            self.activity.remove((*at, key(id)))?;
            self.sessions.remove(key(id))?;
            self.configs.remove(key(id))?;
            self.delete_messages(*id)?;
            self.drop_file(*id)?;
        }
        Ok((expired.into_iter().map(|(_, id)| id).collect(), more))
    }

    /// Stores a file, replacing the session's previous one.
    pub fn put_file(&mut self, id: SessionId, file: &[u8], text: &[u8]) -> Result<(), OpFailure> {
        self.header(id)?;
        self.dirty = true;
        self.drop_file(id)?;
        self.files.insert(key(&id), file)?;
        for (n, chunk) in (0..).zip(text.chunks(CHUNK_BYTES)) {
            self.file_chunks.insert((key(&id), n), chunk)?;
        }
        Ok(())
    }

    /// Deletes the session's file and returns whether there was one.
    pub fn delete_file(&mut self, id: SessionId) -> Result<bool, OpFailure> {
        self.header(id)?;
        Ok(self.drop_file(id)?)
    }

    fn drop_file(&mut self, id: SessionId) -> Result<bool, RedbFault> {
        let key = key(&id);
        if self.files.remove(key)?.is_none() {
            return Ok(false);
        }
        self.dirty = true;
        self.file_chunks.retain_in((key, 0)..=(key, u32::MAX), |_, _| false)?;
        Ok(true)
    }

    pub fn setting_or_insert(&mut self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, OpFailure> {
        if let Some(kept) = self.settings.get(name.as_bytes())? {
            return Ok(kept.value().to_vec());
        }
        self.dirty = true;
        self.settings.insert(name.as_bytes(), value.as_slice())?;
        Ok(value)
    }

    /// Writes an entry of the `meta` table.
    pub fn put_meta(&mut self, name: &[u8], value: &[u8]) -> Result<(), RedbFault> {
        self.dirty = true;
        self.meta.insert(name, value)?;
        Ok(())
    }

    fn header(&self, id: SessionId) -> Result<Header, OpFailure> {
        let bytes = self.sessions.get(key(&id))?.ok_or(StoreError::NotFound)?;
        Ok(record::decode_header(bytes.value())?)
    }

    fn message(&self, id: SessionId, place: MessageId) -> Result<Option<NewMessage>, OpFailure> {
        let stored = self.messages.get((key(&id), place.0))?;
        Ok(stored.map(|bytes| record::decode_message(place, bytes.value())).transpose()?)
    }

    /// The first message after the question that answers it.
    fn answer_to(&self, id: SessionId, question: MessageId) -> Result<Option<Message>, OpFailure> {
        let key = key(&id);
        for row in self.messages.range((key, question.0 + 1)..(key, u64::MAX))? {
            let (place, bytes) = row?;
            let id = MessageId(place.value().1);
            let body = record::decode_message(id, bytes.value())?;
            if body.answers == Some(question) {
                return Ok(Some(Message { id, body }));
            }
        }
        Ok(None)
    }

    /// The session's settings with `patch` merged, and their encoding if they have changed.
    fn merged(
        &self,
        id: SessionId,
        patch: ConfigPatch,
    ) -> Result<(SessionConfig, Option<Vec<u8>>), OpFailure> {
        let bytes = self.configs.get(key(&id))?.ok_or(StoreError::NotFound)?;
        let mut config = record::decode_config(bytes.value())?;
        if !config.merge(patch.keys) {
            return Ok((config, None));
        }
        let merged = record::encode_config(&config)?;
        // The version byte does not count.
        if merged.len() - 1 > patch.max_bytes {
            return Err(StoreError::ConfigTooLarge(patch.max_bytes).into());
        }
        Ok((config, Some(merged)))
    }

    fn put_config(&mut self, id: SessionId, bytes: Option<Vec<u8>>) -> Result<(), RedbFault> {
        if let Some(bytes) = bytes {
            self.dirty = true;
            self.configs.insert(key(&id), bytes.as_slice())?;
        }
        Ok(())
    }

    fn append(
        &mut self,
        id: SessionId,
        mut header: Header,
        message: &[u8],
    ) -> Result<(Header, MessageId), OpFailure> {
        let place = MessageId(header.next_id);
        header.next_id += 1;
        header.message_count += 1;
        let bytes = record::encode_header(&header)?;
        self.dirty = true;
        self.messages.insert((key(&id), place.0), message)?;
        self.sessions.insert(key(&id), bytes.as_slice())?;
        Ok((header, place))
    }

    fn delete_messages(&mut self, id: SessionId) -> Result<(), RedbFault> {
        let key = key(&id);
        self.keys.retain_in((key, &[0; 16])..=(key, &[u8::MAX; 16]), |_, _| false)?;
        Ok(self.messages.retain_in((key, 0)..=(key, u64::MAX), |_, _| false)?)
    }
}
