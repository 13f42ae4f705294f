//! `/api/files`.

use serde_json::json;

use super::{TEA, UNKNOWN, assert_response};
use crate::files::{query, upload as send};
use crate::support::Server;

#[tokio::test]
async fn upload() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    assert_response!(send(&server, &id, "tea.csv", TEA).await, 200, @r##"
    {
      "success": true,
      "fileName": "tea.csv",
      "fileType": "csv",
      "fileSize": 37,
      "rowCount": 2,
      "columnCount": 2,
      "summary": {
        "columnCount": 2,
        "rowCount": 2,
        "columns": [
          "product",
          "price"
        ],
        "sampleData": [
          {
            "product": "Sencha",
            "price": "4.90"
          },
          {
            "product": "Assam",
            "price": "3.20"
          }
        ],
        "columnTypes": {
          "product": "string",
          "price": "number"
        },
        "stats": {
          "product": {
            "nulls": 0,
            "distinct": 2,
            "distinctIsExact": true,
            "min": "Assam",
            "max": "Sencha",
            "top": []
          },
          "price": {
            "nulls": 0,
            "distinct": 2,
            "distinctIsExact": true,
            "min": 3.2,
            "max": 4.9,
            "mean": 4.050000000000001,
            "top": []
          }
        }
      },
      "notes": [],
      "sessionId": "[session]",
      "message": "tea.csv was uploaded."
    }
    "##);
    assert_response!(send(&server, &id, "tea.json", b"[{\"a\": {\"b\": 1}}]").await, 200, @r##"
    {
      "success": true,
      "fileName": "tea.json",
      "fileType": "json",
      "fileSize": 17,
      "rowCount": 1,
      "columnCount": 1,
      "summary": {
        "type": "array",
        "length": 1,
        "firstItemKeys": [
          "a"
        ],
        "dataTypes": {
          "a": "object"
        },
        "stats": {
          "a.b": {
            "nulls": 0,
            "distinct": 1,
            "distinctIsExact": true,
            "min": 1,
            "max": 1,
            "mean": 1.0,
            "top": []
          }
        }
      },
      "notes": [],
      "sessionId": "[session]",
      "message": "tea.json was uploaded."
    }
    "##);
    assert_response!(send(&server, &id, "tea.txt", TEA).await, 415, @r##"
    {
      "error": "Only .csv and .json files can be uploaded.",
      "code": "unsupported_file_type",
      "requestId": "[request]"
    }
    "##);
    assert_response!(send(&server, &id, "tea.json", b"{\"a\": ").await, 400, @r##"
    {
      "error": "The file is not valid JSON (line 1, column 6).",
      "code": "invalid_json_file",
      "requestId": "[request]"
    }
    "##);
    assert_response!(send(&server, UNKNOWN, "tea.csv", TEA).await, 404, @r##"
    {
      "error": "Session not found.",
      "code": "session_not_found",
      "requestId": "[request]"
    }
    "##);
}

#[tokio::test]
async fn info() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let path = format!("/api/files/info/{id}");
    assert_response!(server.get(&path).await, 404, @r##"
    {
      "error": "This session has no file.",
      "code": "file_not_found",
      "requestId": "[request]"
    }
    "##);
    send(&server, &id, "tea.csv", TEA).await.expect(200);
    assert_response!(server.get(&path).await, 200, @r##"
    {
      "fileName": "tea.csv",
      "fileType": "csv",
      "fileSize": 37,
      "uploadedAt": "2026-01-31T12:00:00.000Z",
      "summary": {
        "columnCount": 2,
        "rowCount": 2,
        "columns": [
          "product",
          "price"
        ],
        "sampleData": [
          {
            "product": "Sencha",
            "price": "4.90"
          },
          {
            "product": "Assam",
            "price": "3.20"
          }
        ],
        "columnTypes": {
          "product": "string",
          "price": "number"
        },
        "stats": {
          "product": {
            "nulls": 0,
            "distinct": 2,
            "distinctIsExact": true,
            "min": "Assam",
            "max": "Sencha",
            "top": []
          },
          "price": {
            "nulls": 0,
            "distinct": 2,
            "distinctIsExact": true,
            "min": 3.2,
            "max": 4.9,
            "mean": 4.050000000000001,
            "top": []
          }
        }
      },
      "notes": []
    }
    "##);
}

#[tokio::test]
async fn search() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    send(&server, &id, "tea.csv", TEA).await.expect(200);
    assert_response!(query(&server, &id, json!({"query": "sencha"})).await, 200, @r##"
    {
      "query": "sencha",
      "results": {
        "matchingRows": [
          {
            "product": "Sencha",
            "price": "4.90"
          }
        ],
        "totalMatches": 1,
        "searchedColumns": [
          "product",
          "price"
        ]
      },
      "fileName": "tea.csv",
      "fileType": "csv"
    }
    "##);
    let unknown = json!({"query": "sencha", "columns": ["colour"]});
    assert_response!(query(&server, &id, unknown).await, 400, @r##"
    {
      "error": "The file has no such column.",
      "code": "unknown_column",
      "requestId": "[request]"
    }
    "##);
    send(&server, &id, "tea.json", b"[{\"a\": 1}, {\"a\": 2}]").await.expect(200);
    assert_response!(query(&server, &id, json!({"query": "2"})).await, 200, @r##"
    {
      "query": "2",
      "results": {
        "matchingItems": [
          {
            "a": 2
          }
        ],
        "totalMatches": 1
      },
      "fileName": "tea.json",
      "fileType": "json"
    }
    "##);
}

#[tokio::test]
async fn sql() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    send(&server, &id, "tea.csv", TEA).await.expect(200);
    let sql = json!({"sql": "SELECT product, price FROM data WHERE price > 4"});
    assert_response!(query(&server, &id, sql).await, 200, @r##"
    {
      "sql": "SELECT product, price FROM data WHERE price > 4",
      "results": {
        "columns": [
          "product",
          "price"
        ],
        "rows": [
          [
            "Sencha",
            4.9
          ]
        ],
        "rowCount": 1,
        "truncated": false,
        "elapsedMs": "[elapsed]"
      },
      "fileName": "tea.csv",
      "fileType": "csv"
    }
    "##);
    let sql = json!({"sql": "SELECT prise FROM data"});
    assert_response!(query(&server, &id, sql).await, 400, @r##"
    {
      "error": "no such column: prise",
      "code": "invalid_sql",
      "requestId": "[request]",
      "details": "no such column: prise"
    }
    "##);
    let sql = json!({"sql": "DELETE FROM data"});
    assert_response!(query(&server, &id, sql).await, 400, @r##"
    {
      "error": "only a SELECT over the table `data` is allowed",
      "code": "sql_not_allowed",
      "requestId": "[request]",
      "details": "only a SELECT over the table `data` is allowed"
    }
    "##);
}

#[tokio::test]
async fn delete() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    send(&server, &id, "tea.csv", TEA).await.expect(200);
    let path = format!("/api/files/{id}");
    assert_response!(server.delete(&path).await, 200, @r##"
    {
      "success": true,
      "message": "The file was deleted."
    }
    "##);
    assert_response!(server.delete(&path).await, 404, @r##"
    {
      "error": "This session has no file.",
      "code": "file_not_found",
      "requestId": "[request]"
    }
    "##);
}
