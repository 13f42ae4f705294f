//! Reads of the redb store.

use redb::{Key, ReadTransaction, ReadableTable, TableDefinition, Value as Stored};

use super::fault::OpFailure;
use super::ops::{
    ACTIVITY, Bytes, CONFIGS, FILE_CHUNKS, FILES, MESSAGES, META, SESSIONS, SETTINGS, id, key,
};
use super::record::{self, RecordError};
use crate::domain::{Message, MessageId, Session, SessionId, StoredFile, Timestamp};
use crate::store::StoreError;

/// A consistent view of the store for reading.
pub(super) struct Snapshot<'t>(pub &'t ReadTransaction);

impl Snapshot<'_> {
    pub fn session(&self, id: SessionId, last_activity: Timestamp) -> Result<Session, OpFailure> {
        let header = self.bytes(SESSIONS, key(&id), record::decode_header)?;
        let config = self.bytes(CONFIGS, key(&id), record::decode_config)?;
        let (header, config) = header.zip(config).ok_or(StoreError::NotFound)?;
        Ok(header.session(id, last_activity, config))
    }

    /// The last `limit` messages before `before`, oldest first.
    pub fn messages(
        &self,
        id: SessionId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Message>, OpFailure> {
        let key = key(&id);
        let table = self.0.open_table(MESSAGES)?;
        let mut messages = Vec::new();
        for row in ReadableTable::range(&table, (key, 0)..(key, before))?.rev().take(limit) {
            let (place, bytes) = row?;
            let id = MessageId(place.value().1);
            messages.push(Message { id, body: record::decode_message(id, bytes.value())? });
        }
        messages.reverse();
        Ok(messages)
    }

    pub fn file(&self, id: SessionId) -> Result<Option<StoredFile>, OpFailure> {
        self.bytes(FILES, key(&id), record::decode_file)
    }

    /// The session's file with its text.
    pub fn file_text(&self, id: SessionId) -> Result<Option<(StoredFile, Vec<u8>)>, OpFailure> {
        let Some(file) = self.file(id)? else { return Ok(None) };
        let table = self.0.open_table(FILE_CHUNKS)?;
        let mut text = Vec::with_capacity(usize::try_from(file.text_bytes).unwrap_or(0));
        for row in ReadableTable::range(&table, (key(&id), 0)..=(key(&id), u32::MAX))? {
            text.extend_from_slice(row?.1.value());
        }
        Ok(Some((file, text)))
    }

    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, OpFailure> {
        self.bytes(SETTINGS, name.as_bytes(), |bytes| Ok(bytes.to_vec()))
    }

    pub fn meta(&self, name: &[u8]) -> Result<Option<Vec<u8>>, OpFailure> {
        self.bytes(META, name, |bytes| Ok(bytes.to_vec()))
    }

    /// All rows of the `activity` table, earliest expiry first.
    pub fn activity(&self) -> Result<Vec<(Timestamp, SessionId)>, OpFailure> {
        let table = self.0.open_table(ACTIVITY)?;
        let mut rows = Vec::new();
        for row in ReadableTable::range::<(i64, &[u8; 16])>(&table, ..)? {
            let (row, ()) = row.map(|(row, _)| (row, ()))?;
            let (at, key) = row.value();
            rows.push((Timestamp(at), id(key)));
        }
        Ok(rows)
    }

    fn bytes<'k, K: Key + 'static, T>(
        &self,
        table: TableDefinition<K, Bytes>,
        key: <K as Stored>::SelfType<'k>,
        decode: impl Fn(&[u8]) -> Result<T, RecordError>,
    ) -> Result<Option<T>, OpFailure> {
        let table = self.0.open_table(table)?;
        let bytes = ReadableTable::get(&table, key)?;
        Ok(bytes.map(|bytes| decode(bytes.value())).transpose()?)
    }
}
