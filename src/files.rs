//! Use cases of uploaded files: ingest, describe, search, query, draw, delete.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::domain::{
    Chart, ChartKind, Clock, Dataset, QueryResult, SessionId, StoredFile, Timestamp,
};
use crate::error::AppError;
use crate::quota::{Caller, Quota};
use crate::store::Store;
use crate::tables::chart;
use crate::tables::ingest::{self, IngestLimits, Ingested};
use crate::tables::search::{self, SearchResult};
use crate::tables::sql::{Interrupt, Request, Source, TableKey, Tables};

/// The use cases of files. Cheap to clone.
#[derive(Clone)]
pub struct Files(Arc<FilesInner>);

struct FilesInner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    quota: Quota,
    tables: Tables,
    limits: IngestLimits,
}

impl Files {
    /// Files in `store`, each of at most `max_bytes`, processed within `quota`.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        quota: Quota,
        max_bytes: usize,
    ) -> Self {
        Self(Arc::new(FilesInner {
            store,
            clock,
            quota,
            tables: Tables::default(),
            limits: IngestLimits { max_bytes, ..IngestLimits::default() },
        }))
    }

    /// Ingests `bytes` and stores them in place of the session's previous file, which is kept if
    /// they are refused.
    ///
    /// # Errors
    /// A file that cannot be read; an unknown session; a full queue; a store failure.
    pub async fn upload(
        &self,
        caller: Caller,
        name: String,
        bytes: Bytes,
    ) -> Result<Dataset, AppError> {
        let id = caller.session;
        // First, so that no work is done for a session that does not exist.
        self.0.store.session(id, self.now()).await?;
        let uploaded = self.now();
        let limits = self.0.limits;
        let place = self.0.quota.place(caller).await?;
        let ingested = place.run(move || ingest::ingest(&name, &bytes, uploaded, &limits)).await?;
        let Ingested { dataset, text } = ingested?;
        let file = StoredFile {
            version: uuid::Uuid::new_v4().as_u64_pair().0,
            text_bytes: text.len() as u64,
            dataset,
        };
        let dataset = file.dataset.clone();
        self.0.store.put_file(id, file, text, self.now()).await?;
        self.forget(id);
        Ok(dataset)
    }

    /// The session's file without its text, if it has one.
    pub async fn find(&self, id: SessionId) -> Result<Option<StoredFile>, AppError> {
        Ok(self.0.store.file(id, self.now()).await?)
    }

    /// The description of the session's file.
    pub async fn info(&self, id: SessionId) -> Result<Dataset, AppError> {
        Ok(self.find(id).await?.ok_or(AppError::NoFile)?.dataset)
    }

    /// The rows that contain `query` in any value, or in one of `columns`: at most `limit`, after
    /// skipping `offset`.
    pub async fn search(
        &self,
        caller: Caller,
        query: String,
        columns: Option<Vec<String>>,
        offset: usize,
        limit: usize,
    ) -> Result<(Dataset, SearchResult), AppError> {
        // The place first: otherwise files would take up memory while waiting for one.
        let place = self.0.quota.place(caller).await?;
        let file = self.0.store.file_text(caller.session, self.now()).await?;
        let (file, text) = file.ok_or(AppError::NoFile)?;
        let search = move || {
            let columns = columns.as_deref();
            let found = search::search(&file.dataset, &text, &query, columns, offset, limit)?;
            Ok((file.dataset, found))
        };
        place.run(search).await?
    }

    /// Runs one read-only statement over table `data`, which holds the whole file.
    pub async fn query(
        &self,
        caller: Caller,
        sql: String,
        limit: usize,
    ) -> Result<(Dataset, QueryResult), AppError> {
        let id = caller.session;
        let file = self.find(id).await?.ok_or(AppError::NoFile)?;
        let key = TableKey { session: *id.0.as_bytes(), version: file.version };
        let interrupt = Interrupt::default();
        let _interrupted = interrupt.on_drop();
        let mut place = self.0.quota.place(caller).await?;
        // The statement's time starts here; waiting for a place has its own limit.
        let deadline = Instant::now() + self.0.tables.limits().time;
        let mut text = None;
        if !self.0.tables.has(key) {
            text = Some(self.text(id, key).await?);
        }
        loop {
            let (this, dataset) = (self.clone(), file.dataset.clone());
            let (sql, interrupt, source) = (sql.clone(), interrupt.clone(), text.clone());
            let run = move || {
                let request = Request { sql: &sql, limit, deadline, interrupt: &interrupt };
                let source = source.as_ref().map(|text| Source { dataset: &dataset, text });
                this.0.tables.query(key, source, &request)
            };
            let result;
            (place, result) = place.lend(run).await?;
            if let Some(result) = result.map_err(AppError::Sql)? {
                return Ok((file.dataset, result));
            }
            // The table was evicted after the check above.
            text = Some(self.text(id, key).await?);
        }
    }

    /// The text of the session's file if it is still the one of `key`.
    async fn text(&self, id: SessionId, key: TableKey) -> Result<Bytes, AppError> {
        match self.0.store.file_text(id, self.now()).await? {
            Some((stored, text)) if stored.version == key.version => Ok(text),
            // Another version has just replaced the file that the statement was meant for.
            _ => Err(AppError::NoFile),
        }
    }

    /// Draws a result. A result that cannot be drawn is not the visitor's error; `Err` says why.
    pub fn draw(
        &self,
        result: &QueryResult,
        kind: ChartKind,
        title: &str,
    ) -> Result<Chart, String> {
        chart::draw(result, kind, title).map_err(|error| error.to_string())
    }

    /// Deletes the session's file.
    pub async fn delete(&self, id: SessionId) -> Result<(), AppError> {
        let deleted = self.0.store.delete_file(id, self.now()).await?;
        self.forget(id);
        if deleted { Ok(()) } else { Err(AppError::NoFile) }
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Drops what is kept in memory of the session's file; also for a deleted session.
    pub fn forget(&self, id: SessionId) {
        self.0.tables.forget(*id.0.as_bytes());
    }

    /// Drops the tables that were not used for as long as `idle`. With the lifetime of a session,
    /// also those that a statement loaded while its session expired.
    pub fn forget_idle(&self, idle: Duration) {
        self.0.tables.forget_idle(idle);
    }

    /// Size of the tables that are kept in memory for further statements, in bytes.
    pub fn cached_table_bytes(&self) -> usize {
        self.0.tables.bytes()
    }
}
