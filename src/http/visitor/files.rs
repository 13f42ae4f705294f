//! `/api/files`.

use std::sync::Arc;

use poem_openapi::param::Path;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::domain::{Dataset, FileKind, whole_number};
use crate::error::AppError;
use crate::http::ApiTag;
use crate::http::wire::body::{FromJson, JsonBody};
use crate::http::wire::client::Client;
use crate::http::wire::refusal::Refusal;
use crate::http::wire::reply::Reply;
use crate::http::wire::types::{EXAMPLE_ID, EXAMPLE_TIME, IdParam, iso, millis};
use crate::http::wire::upload::Upload;
use crate::quota::Caller;

/// Number of rows that a keyword search returns by default, as the earlier backends did.
const SEARCH_ROWS: usize = 10;

/// Maximum number of rows of one response.
pub const MAX_ROWS: usize = 1000;

/// Maximum length of a keyword in characters, and of a statement.
pub const MAX_QUERY_CHARS: usize = 1000;
pub const MAX_SQL_CHARS: usize = 20_000;

/// Files.
pub struct FilesApi {
    pub(in crate::http) app: Arc<App>,
}

/// A file after its upload.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
struct UploadedFile {
    /// Always true.
    success: bool,
    /// Its name.
    file_name: String,
    /// `csv` or `json`.
    file_type: String,
    /// Its size in bytes.
    file_size: u64,
    /// Number of rows of table `data`.
    row_count: u64,
    /// Number of columns of table `data`.
    column_count: u64,
    /// What is in it: columns, types, the first rows as uploaded, and `stats` over all values, with
    /// the `unit` of amounts such as `€4.90`.
    summary: Value,
    /// Sentences on what was guessed or passed over while reading it; none for a plain file.
    notes: Vec<String>,
    /// The session's id.
    session_id: String,
    /// A sentence that names the file.
    message: String,
}

const EXAMPLE_NOTE: &str = "2 lines above the header were passed over.";

fn example_summary() -> Value {
    json!({
        "columnCount": 2,
        "rowCount": 3,
        "columns": ["product", "price"],
        "sampleData": [{"product": "Sencha", "price": "€4.90"}],
        "columnTypes": {"product": "string", "price": "number"},
        "stats": {
            "price": {"nulls": 0, "distinct": 3, "distinctIsExact": true, "min": 3.2, "max": 4.9,
                "mean": 4.1, "top": [], "unit": "€"},
        },
    })
}

impl Example for UploadedFile {
    fn example() -> Self {
        Self {
            success: true,
            file_name: "products.csv".to_owned(),
            file_type: "csv".to_owned(),
            file_size: 48,
            row_count: 3,
            column_count: 2,
            summary: example_summary(),
            notes: vec![EXAMPLE_NOTE.to_owned()],
            session_id: EXAMPLE_ID.to_owned(),
            message: "products.csv was uploaded.".to_owned(),
        }
    }
}

/// A file's description.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
struct FileInfo {
    /// Its name.
    file_name: String,
    /// `csv` or `json`.
    file_type: String,
    /// Its size in bytes.
    file_size: u64,
    /// When it was uploaded.
    uploaded_at: String,
    /// What is in it: columns, types, the first rows as uploaded, and `stats` over all values, with
    /// the `unit` of amounts such as `€4.90`.
    summary: Value,
    /// Sentences on what was guessed or passed over while reading it; none for a plain file.
    notes: Vec<String>,
}

impl Example for FileInfo {
    fn example() -> Self {
        Self {
            file_name: "products.csv".to_owned(),
            file_type: "csv".to_owned(),
            file_size: 48,
            uploaded_at: EXAMPLE_TIME.to_owned(),
            summary: example_summary(),
            notes: vec![EXAMPLE_NOTE.to_owned()],
        }
    }
}

/// Either `query` or `sql`.
#[derive(Debug, Default, Object)]
#[oai(example)]
struct QueryRequest {
    /// Text to find in any value, ignoring case.
    query: Option<String>,
    /// One SELECT over table `data`, in SQLite's dialect. Empty cells are NULL, booleans 1 and 0,
    /// dates ISO text, nested JSON its JSON text.
    sql: Option<String>,
    /// Maximum number of rows, up to 1,000. The default is 10 for a search and 1,000 for SQL.
    limit: Option<u64>,
    /// Number of rows to skip (search only).
    offset: Option<u64>,
    /// The columns to search, all by default (search only).
    columns: Option<Vec<String>>,
}

impl Example for QueryRequest {
    fn example() -> Self {
        let sql = "SELECT product, avg(price) AS average FROM data GROUP BY product";
        Self { sql: Some(sql.to_owned()), limit: Some(100), ..Self::default() }
    }
}

impl FromJson for QueryRequest {
    fn from_json(mut fields: Map<String, Value>) -> Result<Self, Refusal> {
        let request = Self {
            query: text(fields.remove("query"), "`query` must be text.")?,
            sql: text(fields.remove("sql"), "`sql` must be text.")?,
            limit: count(fields.remove("limit"), "`limit` must be a number from 1 to 1000.")?,
            offset: count(
                fields.remove("offset"),
                "`offset` must be a whole number, 0 or greater.",
            )?,
            columns: match fields.remove("columns") {
                None | Some(Value::Null) => None,
                Some(columns) => Some(
                    serde_json::from_value(columns)
                        .map_err(|_| Refusal::BadField("`columns` must be an array of names."))?,
                ),
            },
        };
        if request.limit.is_some_and(|limit| limit == 0 || limit > MAX_ROWS as u64) {
            return Err(Refusal::BadField("`limit` must be a number from 1 to 1000."));
        }
        let long = |text: &Option<String>, most| {
            text.as_ref().is_some_and(|text| text.chars().nth(most).is_some())
        };
        if long(&request.query, MAX_QUERY_CHARS) || long(&request.sql, MAX_SQL_CHARS) {
            return Err(Refusal::BadField("The query is too long."));
        }
        Ok(request)
    }
}

fn text(value: Option<Value>, refusal: &'static str) -> Result<Option<String>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::BadField(refusal)),
    }
}

fn count(value: Option<Value>, refusal: &'static str) -> Result<Option<u64>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => whole_number(&value).map(Some).ok_or(Refusal::BadField(refusal)),
    }
}

/// The result of a query.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none, example)]
#[serde(rename_all = "camelCase")]
struct FileQueryResult {
    /// The text that was searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    /// The statement that was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    sql: Option<String>,
    /// For a search of a CSV file `{matchingRows, totalMatches, searchedColumns}`, of a JSON file
    /// `{matchingItems, totalMatches}`; for SQL `{columns, rows, rowCount, truncated, elapsedMs}`.
    results: Value,
    /// The file's name.
    file_name: String,
    /// `csv` or `json`.
    file_type: String,
}

impl Example for FileQueryResult {
    fn example() -> Self {
        Self {
            query: None,
            sql: Some("SELECT product, price FROM data WHERE price > 4".to_owned()),
            results: json!({
                "columns": ["product", "price"],
                "rows": [["Sencha", 4.9]],
                "rowCount": 1,
                "truncated": false,
                "elapsedMs": 0.21,
            }),
            file_name: "products.csv".to_owned(),
            file_type: "csv".to_owned(),
        }
    }
}

/// A file that has been deleted.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
struct DeletedFile {
    /// Always true.
    success: bool,
    /// A sentence for the visitor.
    message: String,
}

impl Example for DeletedFile {
    fn example() -> Self {
        Self { success: true, message: "The file was deleted.".to_owned() }
    }
}

#[OpenApi(prefix_path = "/api/files", tag = "ApiTag::Files")]
impl FilesApi {
    /// Upload a file
    ///
    /// A CSV or JSON file for the session, which replaces an earlier one. From then on answers can
    /// be computed over all of its rows.
    #[oai(path = "/upload", method = "post", operation_id = "uploadFile")]
    async fn upload(
        &self,
        Client(client): Client,
        upload: Upload,
    ) -> poem::Result<Reply<UploadedFile>> {
        let Upload { session, name, bytes } = upload;
        let dataset = self.app.files.upload(Caller { session, client }, name, bytes).await?;
        Ok(Reply(UploadedFile {
            success: true,
            message: format!("{} was uploaded.", dataset.file_name),
            summary: dataset.summary(),
            notes: dataset.notes,
            row_count: dataset.rows,
            column_count: dataset.columns.len() as u64,
            file_type: dataset.kind.as_str().to_owned(),
            file_size: dataset.size,
            file_name: dataset.file_name,
            session_id: session.to_string(),
        }))
    }

    /// Describe the session's file
    #[oai(path = "/info/:id", method = "get", operation_id = "fileInfo")]
    async fn info(&self, id: Path<IdParam>) -> poem::Result<Reply<FileInfo>> {
        let dataset = self.app.files.info(id.0.0).await?;
        Ok(Reply(FileInfo {
            summary: dataset.summary(),
            notes: dataset.notes,
            file_type: dataset.kind.as_str().to_owned(),
            file_size: dataset.size,
            uploaded_at: iso(dataset.uploaded),
            file_name: dataset.file_name,
        }))
    }

    /// Query the session's file
    ///
    /// Either a keyword search (`query`) or one read-only SQL statement over all rows (`sql`).
    #[oai(path = "/query/:id", method = "post", operation_id = "queryFile")]
    async fn query(
        &self,
        id: Path<IdParam>,
        Client(client): Client,
        body: JsonBody<QueryRequest>,
    ) -> poem::Result<Reply<FileQueryResult>> {
        let caller = Caller { session: id.0.0, client };
        let (dataset, query, sql, results) = match (body.0.query.clone(), body.0.sql.clone()) {
            (Some(query), None) if !query.trim().is_empty() => {
                let (dataset, results) = self.search(caller, query.clone(), body.0).await?;
                (dataset, Some(query), None, results)
            }
            (None, Some(sql)) => {
                let (dataset, results) = self.sql(caller, sql.clone(), body.0.limit).await?;
                (dataset, None, Some(sql), results)
            }
            (Some(_), Some(_)) => {
                return Err(Refusal::BadField("Please give either `query` or `sql`.").into());
            }
            _ => return Err(Refusal::BadField("`query` is missing or empty.").into()),
        };
        Ok(Reply(FileQueryResult {
            query,
            sql,
            results,
            file_type: dataset.kind.as_str().to_owned(),
            file_name: dataset.file_name,
        }))
    }

    /// Delete the session's file
    #[oai(path = "/:id", method = "delete", operation_id = "deleteFile")]
    async fn delete(&self, id: Path<IdParam>) -> poem::Result<Reply<DeletedFile>> {
        self.app.files.delete(id.0.0).await?;
        Ok(Reply(DeletedFile { success: true, message: "The file was deleted.".to_owned() }))
    }
}

impl FilesApi {
    async fn search(
        &self,
        caller: Caller,
        query: String,
        request: QueryRequest,
    ) -> Result<(Dataset, Value), AppError> {
        let rows = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let limit = request.limit.map_or(SEARCH_ROWS, rows);
        let offset = request.offset.map_or(0, rows);
        let (dataset, found) =
            self.app.files.search(caller, query, request.columns, offset, limit).await?;
        let results = match dataset.kind {
            FileKind::Csv => json!({
                "matchingRows": found.rows,
                "totalMatches": found.total,
                "searchedColumns": found.searched,
            }),
            FileKind::Json => json!({ "matchingItems": found.rows, "totalMatches": found.total }),
        };
        Ok((dataset, results))
    }

    async fn sql(
        &self,
        caller: Caller,
        sql: String,
        limit: Option<u64>,
    ) -> Result<(Dataset, Value), AppError> {
        let limit = limit.map_or(MAX_ROWS, |n| usize::try_from(n).unwrap_or(MAX_ROWS));
        let (dataset, result) = self.app.files.query(caller, sql, limit).await?;
        let results = json!({
            "columns": result.columns,
            "rows": result.rows,
            "rowCount": result.row_count,
            "truncated": result.truncated,
            "elapsedMs": millis(result.elapsed_ms),
        });
        Ok((dataset, results))
    }
}
