//! The OpenAPI document: reviewed, complete, and true of what the server answers.

use std::time::Duration;

use chatbot_widget::domain::ConfigError;
use chatbot_widget::error::AppError;
use chatbot_widget::http::DocumentLimits;
use chatbot_widget::provider::{Fault, ProviderError};
use chatbot_widget::quota::QuotaError;
use chatbot_widget::store::StoreError;
use chatbot_widget::tables::ingest::IngestError;
use chatbot_widget::tables::search::SearchError;
use serde_json::{Value, json};

use crate::support::Server;

const REVIEWED: &str = include_str!("../../openapi/openapi.json");

#[test]
fn the_reviewed_document_is_the_current_one() {
    assert!(
        REVIEWED == chatbot_widget::http::spec(&DocumentLimits::default()),
        "openapi/openapi.json is not what the handlers say; look at the difference after\n  \
         cargo run -- openapi > openapi/openapi.json"
    );
}

#[tokio::test]
async fn it_is_served_as_it_was_reviewed() {
    let server = Server::start().await;
    let answer = server.get("/openapi.json").await;
    assert_eq!(String::from_utf8_lossy(&answer.body), REVIEWED);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let docs = server.get("/docs").await;
    let page = String::from_utf8_lossy(&docs.body);
    assert!(page.contains("SwaggerUIBundle") && page.contains("\"createSession\""));
    assert!(page.contains("\"openapi\": \"3.1.0\"") && !page.contains("\"3.0.0\""));
    assert!(page.contains("<title>API of chatbot-widget</title>") && page.contains("href=\"/\""));
    let policy = docs.header("content-security-policy").unwrap();
    assert_eq!(policy.matches("'sha256-").count(), 2, "{policy}");
    assert!(!policy.contains("script-src 'unsafe-inline'"), "{policy}");
}

/// Every call of the API, and a worked example for every body.
#[test]
fn every_call_is_described_with_examples() {
    let spec: Value = serde_json::from_str(REVIEWED).unwrap();
    let calls = [
        ("/health", "get"),
        ("/health/ready", "get"),
        ("/api/sessions/create", "post"),
        ("/api/sessions/{sessionId}", "get"),
        ("/api/sessions/{sessionId}/config", "put"),
        ("/api/sessions/stats/summary", "get"),
        ("/api/sessions/bot-config", "get"),
        ("/api/chat/message", "post"),
        ("/api/chat/history/{sessionId}", "get"),
        ("/api/chat/history/{sessionId}", "delete"),
        ("/api/chat/stream", "post"),
        ("/api/chat/stream/{sessionId}", "get"),
        ("/api/chat/stop/{sessionId}", "post"),
        ("/api/files/upload", "post"),
        ("/api/files/info/{sessionId}", "get"),
        ("/api/files/query/{sessionId}", "post"),
        ("/api/files/{sessionId}", "delete"),
    ];
    let mut count = 0;
    for (path, operations) in spec["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            count += 1;
            assert!(calls.contains(&(path, method)), "{method} {path} is new: list it here");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{path}");
            assert!(operation["operationId"].is_string(), "{path}");
            let bodies = operation["responses"].as_object().unwrap().values();
            for body in bodies.chain(operation.get("requestBody")) {
                // An answer of 204 has none.
                for content in body["content"].as_object().into_iter().flat_map(|c| c.values()) {
                    let name = content["schema"]["$ref"].as_str().unwrap();
                    let name = name.rsplit('/').next().unwrap();
                    let example = &spec["components"]["schemas"][name]["examples"][0];
                    assert!(example.is_object(), "{method} {path}: {name}");
                    conforms(&spec, &json!({"$ref": format!("/{name}")}), example, name);
                }
            }
        }
    }
    assert_eq!(count, calls.len());
}

/// What the server really answers is what the document says it does.
#[tokio::test]
async fn answers_conform() {
    let server = Server::start().await;
    let spec: Value = serde_json::from_str(REVIEWED).unwrap();
    let body = json!({"config": {"botName": "Ada", "own": [1]}});
    let created = server.post("/api/sessions/create", body).await;
    let id = created.json()["sessionId"].as_str().unwrap().to_owned();
    let session = format!("/api/sessions/{id}");
    let history = format!("/api/chat/history/{id}");
    let file = format!("/api/files/query/{id}");
    let answers = [
        (
            "/api/files/upload",
            "post",
            crate::files::upload(&server, &id, "a.csv", b"a,b\n1,2\n2,3\n").await,
        ),
        ("/api/files/upload", "post", crate::files::upload(&server, &id, "a.txt", b"x").await),
        ("/api/files/info/{sessionId}", "get", server.get(&format!("/api/files/info/{id}")).await),
        ("/api/files/query/{sessionId}", "post", server.post(&file, json!({"query": "1"})).await),
        (
            "/api/files/query/{sessionId}",
            "post",
            server.post(&file, json!({"sql": "SELECT sum(a) FROM data"})).await,
        ),
        ("/api/chat/message", "post", server.say(&id, "sum of a by b").await),
        ("/api/chat/history/{sessionId}", "get", server.get(&history).await),
        ("/api/files/{sessionId}", "delete", server.delete(&format!("/api/files/{id}")).await),
        ("/api/files/{sessionId}", "delete", server.delete(&format!("/api/files/{id}")).await),
        ("/api/sessions/create", "post", created),
        ("/api/chat/message", "post", server.say(&id, "Hello").await),
        ("/api/chat/message", "post", server.say(&id, "").await),
        ("/api/sessions/{sessionId}", "get", server.get(&session).await),
        ("/api/sessions/{sessionId}", "get", server.get("/api/sessions/x").await),
        (
            "/api/sessions/{sessionId}/config",
            "put",
            server.put(&format!("{session}/config"), json!({"config": {"model": "m"}})).await,
        ),
        ("/api/chat/history/{sessionId}", "get", server.get(&history).await),
        ("/api/chat/history/{sessionId}", "delete", server.delete(&history).await),
        ("/api/sessions/stats/summary", "get", server.get("/api/sessions/stats/summary").await),
        ("/api/sessions/bot-config", "get", server.get("/api/sessions/bot-config").await),
        ("/health", "get", server.get("/health").await),
        ("/health/ready", "get", server.get("/health/ready").await),
    ];
    for (path, method, answer) in answers {
        let status = answer.status.as_u16().to_string();
        let response = &spec["paths"][path][method]["responses"][&status];
        assert!(response.is_object(), "{method} {path} returns {status}, undocumented");
        let kind = answer.header("content-type").unwrap();
        let content = &response["content"][kind.split(';').next().unwrap()];
        let body = answer.json();
        conforms(&spec, &content["schema"], &body, &format!("{method} {path} {status}"));
        if let Some(code) = body.get("code") {
            let code = code.as_str().unwrap();
            assert!(content["examples"][code].is_object(), "{method} {path} {status}: {code}");
        }
    }
}

/// Every example of an error stands under the status that it says, and reads as the server writes it.
#[test]
fn errors_are_documented_in_the_servers_own_words() {
    let spec: Value = serde_json::from_str(REVIEWED).unwrap();
    let examples = &spec["components"]["examples"];
    let mut wrong = Vec::new();
    for error in [
        AppError::SessionNotFound,
        AppError::NoFile,
        AppError::EmptyMessage,
        AppError::NulInMessage,
        AppError::MessageTooLong { limit: 10_000 },
        AppError::Config(ConfigError::MaxTokens(4096)),
        AppError::Config(ConfigError::Credentials),
        AppError::Search(SearchError::UnknownColumn),
        AppError::Upload(IngestError::Empty),
        AppError::Upload(IngestError::Json { line: 1, column: 10 }),
        AppError::Upload(IngestError::Name),
        AppError::Upload(IngestError::NotText),
        AppError::Upload(IngestError::TooDeep(64)),
        AppError::Upload(IngestError::TooLarge(10_485_760)),
        AppError::Upload(IngestError::TooManyColumns(1000)),
        AppError::Quota(QuotaError::Busy),
        AppError::Quota(QuotaError::OwnShare),
        AppError::Quota(QuotaError::RateLimited { retry_after: Duration::from_secs(1) }),
        AppError::TooManyQuestions,
        AppError::TurnInProgress,
        AppError::Stopping,
        AppError::Store(StoreError::Conflict),
        AppError::Store(StoreError::ConfigTooLarge(1)),
        AppError::Store(StoreError::Full("".into())),
        AppError::Store(StoreError::Unavailable("".into())),
    ] {
        let example = &examples[error.code()]["value"];
        if example["error"] != error.to_string() || example["code"] != error.code() {
            wrong.push((error.code(), error.to_string()));
        }
    }
    for fault in [
        Fault::Busy,
        Fault::Exhausted,
        Fault::Interrupted,
        Fault::Malformed,
        Fault::Misconfigured,
        Fault::Overloaded,
        Fault::Rejected,
        Fault::Timeout,
        Fault::TooLong,
        Fault::UnknownModel,
    ] {
        let error = AppError::Provider(ProviderError::new(fault, ""));
        if examples[error.code()]["value"]["error"] != error.to_string() {
            wrong.push((error.code(), error.to_string()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn the_document_names_the_operators_limits() {
    let server = Server::with(&["--max-tokens-limit", "77", "--max-message-chars", "88"]).await;
    let spec = server.get("/openapi.json").await.expect(200);
    let schemas = &spec["components"]["schemas"];
    assert_eq!(schemas["SessionConfig"]["properties"]["maxTokens"]["maximum"], 77);
    assert_eq!(schemas["MessageRequest"]["properties"]["message"]["maxLength"], 88);
}

#[tokio::test]
async fn a_whole_number_may_be_written_as_a_fraction() {
    let server = Server::start().await;
    let tokens = async |number: f64| {
        let body = json!({"config": {"maxTokens": number}});
        server.post("/api/sessions/create", body).await
    };
    tokens(4096.0).await.expect(201);
    tokens(4097.0).await.expect_error(400, "invalid_config");
    tokens(0.5).await.expect_error(400, "invalid_config");
    let id = server.session(json!({})).await;
    crate::files::upload(&server, &id, "a.csv", b"a,b\n1,2\n").await.expect(200);
    for (limit, status) in [(1.0, 200), (1000.0, 200), (1001.0, 400), (0.0, 400), (1.5, 400)] {
        let query = json!({"query": "1", "limit": limit, "offset": 0.0});
        crate::files::query(&server, &id, query).await.expect(status);
    }
}

/// Checks `value` against the parts of JSON Schema that the document uses. Objects may have no
/// keys that their schema does not name, but for a session's settings, which are open.
fn conforms(spec: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let schema = &spec["components"]["schemas"][name];
        assert!(schema.is_object(), "{at}: no schema {name}");
        return conforms(spec, schema, value, at);
    }
    if let Some(parts) = schema["anyOf"].as_array() {
        let null = parts.contains(&json!({"type": "null"}));
        if !(null && value.is_null()) {
            conforms(spec, &parts[0], value, at);
        }
        return;
    }
    if let Some(only) = schema.get("const") {
        assert_eq!(value, only, "{at}");
    }
    if let Some(options) = schema["enum"].as_array() {
        assert!(options.contains(value), "{at}: {value}");
    }
    let kind = match &schema["type"] {
        Value::Array(_) if value.is_null() => return,
        Value::Array(kinds) => kinds[0].as_str(),
        kind => kind.as_str(),
    };
    match kind {
        None => {}
        Some("object") => {
            let fields = value.as_object().unwrap_or_else(|| panic!("{at}: not an object"));
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(fields.contains_key(name.as_str().unwrap()), "{at}: no {name}");
            }
            let open = schema["properties"]["botName"].is_object()
                && schema["properties"]["customInstructions"].is_object();
            for (name, field) in fields {
                let schema = &schema["properties"][name];
                assert!(open || schema.is_object(), "{at}: {name} is not described");
                if schema.is_object() {
                    conforms(spec, schema, field, &format!("{at}.{name}"));
                }
            }
        }
        Some("array") => {
            for (n, item) in value.as_array().expect(at).iter().enumerate() {
                conforms(spec, &schema["items"], item, &format!("{at}[{n}]"));
            }
        }
        Some("string") => {
            assert!(value.is_string(), "{at}: {value} is not a string");
        }
        Some("integer") => assert!(value.is_i64() || value.is_u64(), "{at}: {value}"),
        Some("number") => assert!(value.is_number(), "{at}: {value}"),
        Some("boolean") => assert!(value.is_boolean(), "{at}: {value}"),
        Some(other) => panic!("{at}: unknown type {other}"),
    }
}
