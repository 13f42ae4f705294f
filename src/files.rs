//! Use cases of uploaded files: ingest, describe, search, query, draw, delete.

use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::domain::{
    Chart, ChartKind, Clock, Dataset, QueryResult, SessionId, StoredFile, Timestamp,
};
use crate::error::AppError;
use crate::quota::{Cancelled, Quota};
use crate::store::Store;
use crate::tables::chart;
use crate::tables::ingest::{self, IngestLimits, Ingested};
use crate::tables::search::{self, SearchResult};
use crate::tables::sql::{Key, QueryError, Tables};

/// The use cases of files. Cheap to clone.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

struct Inner {
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
        Self(Arc::new(Inner {
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
        id: SessionId,
        name: String,
        bytes: Bytes,
    ) -> Result<Dataset, AppError> {
        // First, so that no work is done for a session that does not exist.
        self.0.store.session(id, self.now()).await?;
        let uploaded = self.now();
        let limits = self.0.limits;
        let Ingested { dataset, text } =
            self.work(id, move |_| ingest::ingest(&name, &bytes, uploaded, &limits)).await??;
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
        id: SessionId,
        query: String,
        columns: Option<Vec<String>>,
        offset: usize,
        limit: usize,
    ) -> Result<(Dataset, SearchResult), AppError> {
        let (file, text) = self.0.store.file_text(id, self.now()).await?.ok_or(AppError::NoFile)?;
        self.work(id, move |_| {
            let columns = columns.as_deref();
            let found = search::search(&file.dataset, &text, &query, columns, offset, limit)?;
            Ok((file.dataset, found))
        })
        .await?
    }

    /// Runs one read-only statement over table `data`, which holds the whole file.
    pub async fn query(
        &self,
        id: SessionId,
        sql: String,
        limit: usize,
    ) -> Result<(Dataset, QueryResult), AppError> {
        let file = self.find(id).await?.ok_or(AppError::NoFile)?;
        let key = Key { session: *id.0.as_bytes(), version: file.version };
        let this = self.clone();
        let runtime = Handle::current();
        self.work(id, move |_| {
            let load = || {
                let now = this.now();
                match runtime.block_on(this.0.store.file_text(id, now))? {
                    // Another version has just replaced the file that the statement was meant for.
                    Some((stored, text)) if stored.version == key.version => {
                        Ok((stored.dataset, text))
                    }
                    _ => Err(AppError::NoFile),
                }
            };
            match this.0.tables.query(key, load, &sql, limit) {
                Ok(result) => Ok((file.dataset, result)),
                Err(QueryError::Load(error)) => Err(error),
                Err(QueryError::Sql(error)) => Err(AppError::Sql(error)),
            }
        })
        .await?
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

    async fn work<T: Send + 'static>(
        &self,
        id: SessionId,
        job: impl FnOnce(&Cancelled) -> T + Send + 'static,
    ) -> Result<T, AppError> {
        Ok(self.0.quota.work(id, job).await?)
    }
}
