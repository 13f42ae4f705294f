//! Use cases of uploaded files: take in, describe, search, query, draw, delete.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::domain::{
    Chart, ChartKind, Clock, Dataset, QueryResult, SessionId, StoredFile, Timestamp,
};
use crate::error::AppError;
use crate::store::Store;
use crate::tables::chart;
use crate::tables::ingest::{self, IngestLimits, Ingested};
use crate::tables::search::{self, SearchResult};
use crate::tables::sql::{Interrupt, Request, Source, TableKey, Tables};

/// The use cases of files. Cheap to clone.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    tables: Tables,
    limits: IngestLimits,
    /// Places for work that computes: more at a time would only take time from each other.
    places: Arc<Semaphore>,
}

impl Files {
    /// Files in `store`, of at most `max_bytes`.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, max_bytes: usize) -> Self {
        let places = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
        Self(Arc::new(Inner {
            store,
            clock,
            tables: Tables::default(),
            limits: IngestLimits { max_bytes, ..IngestLimits::default() },
            places: Arc::new(Semaphore::new(places)),
        }))
    }

    /// Takes in `bytes` in the place of the session's earlier file, which stays if they are
    /// refused.
    pub async fn upload(
        &self,
        id: SessionId,
        name: String,
        bytes: Bytes,
    ) -> Result<Dataset, AppError> {
        // Before any work is done for a session that does not exist.
        self.0.store.session(id, self.now()).await?;
        let uploaded = self.now();
        let limits = self.0.limits;
        let Ingested { dataset, text } =
            self.compute(move || ingest::ingest(&name, &bytes, uploaded, &limits)).await??;
        let file = StoredFile {
            version: uuid::Uuid::new_v4().as_u64_pair().0,
            text_bytes: text.len() as u64,
            dataset,
        };
        let dataset = file.dataset.clone();
        self.0.store.put_file(id, file, text, self.now()).await?;
        self.0.tables.forget(*id.0.as_bytes());
        Ok(dataset)
    }

    /// What is known of the session's file, if it has one.
    pub async fn find(&self, id: SessionId) -> Result<Option<StoredFile>, AppError> {
        Ok(self.0.store.file(id, self.now()).await?)
    }

    /// What is known of the session's file.
    pub async fn info(&self, id: SessionId) -> Result<Dataset, AppError> {
        Ok(self.find(id).await?.ok_or(AppError::NoFile)?.dataset)
    }

    /// The rows that contain `query` in any value, or in one of `columns`: `limit` of them from
    /// the `offset`th on.
    pub async fn search(
        &self,
        id: SessionId,
        query: String,
        columns: Option<Vec<String>>,
        offset: usize,
        limit: usize,
    ) -> Result<(Dataset, SearchResult), AppError> {
        let (file, text) = self.0.store.file_text(id, self.now()).await?.ok_or(AppError::NoFile)?;
        self.compute(move || {
            let columns = columns.as_deref();
            let found = search::search(&file.dataset, &text, &query, columns, offset, limit)?;
            Ok((file.dataset, found))
        })
        .await?
    }

    /// Runs one read-only statement over table `data`, which is the whole file.
    pub async fn query(
        &self,
        id: SessionId,
        sql: String,
        limit: usize,
    ) -> Result<(Dataset, QueryResult), AppError> {
        let file = self.find(id).await?.ok_or(AppError::NoFile)?;
        let key = TableKey { session: *id.0.as_bytes(), version: file.version };
        let deadline = Instant::now() + self.0.tables.limits().time;
        let interrupt = Interrupt::default();
        let _interrupted = interrupt.on_drop();
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
            if let Some(result) = self.compute(run).await?.map_err(AppError::Sql)? {
                return Ok((file.dataset, result));
            }
            // The table was dropped since it was asked for.
            text = Some(self.text(id, key).await?);
        }
    }

    /// The text of the session's file if it is still the one of `key`.
    async fn text(&self, id: SessionId, key: TableKey) -> Result<Bytes, AppError> {
        match self.0.store.file_text(id, self.now()).await? {
            Some((stored, text)) if stored.version == key.version => Ok(text),
            _ => Err(AppError::NoFile),
        }
    }

    /// Draws a result. A result that cannot be drawn is no fault of the visitor's; `Err` says why.
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
        self.0.tables.forget(*id.0.as_bytes());
        if deleted { Ok(()) } else { Err(AppError::NoFile) }
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Runs `work` off the async threads, when there is a place for it.
    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let internal = |error: Box<dyn std::error::Error + Send + Sync>| AppError::Internal(error);
        let place = Arc::clone(&self.0.places).acquire_owned().await;
        let place = place.map_err(|error| internal(error.into()))?;
        // The place is the work's, not the caller's: work goes on when its caller leaves.
        let work = move || {
            let _place = place;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| internal(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::domain::SystemClock;
    use crate::store::redb::{Options, RedbStore};

    fn files() -> (Files, usize) {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            cache_bytes: 1 << 20,
            session_timeout: Duration::from_secs(60),
            now: Timestamp(0),
        };
        let store = RedbStore::open(&folder.path().join("files.redb"), options).unwrap();
        let files = Files::new(Arc::new(store), Arc::new(SystemClock), 1 << 20);
        let places = files.0.places.available_permits();
        (files, places)
    }

    /// Callers that left freed their places while their work went on, until no thread was left.
    #[tokio::test]
    async fn work_keeps_its_place_when_its_caller_leaves() {
        let (files, places) = files();
        let running = Arc::new(AtomicUsize::new(0));
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        for _ in 0..places {
            let (began, has_begun) = tokio::sync::oneshot::channel();
            let (running, wait) = (Arc::clone(&running), Arc::clone(&wait));
            let files = files.clone();
            let caller = tokio::spawn(async move {
                files
                    .compute(move || {
                        running.fetch_add(1, Ordering::SeqCst);
                        let _ = began.send(());
                        let _ = wait.lock().unwrap().recv();
                    })
                    .await
            });
            has_begun.await.unwrap();
            caller.abort();
            assert!(caller.await.unwrap_err().is_cancelled());
        }
        assert_eq!(running.load(Ordering::SeqCst), places);
        assert_eq!(files.0.places.available_permits(), 0, "the work goes on");
        for _ in 0..places {
            release.send(()).unwrap();
        }
        files.compute(|| ()).await.unwrap();
    }
}
