//! The OpenAPI document: reviewed, complete, and true of what the server answers.

use serde_json::{Value, json};

use crate::support::Server;

const REVIEWED: &str = include_str!("../../openapi/openapi.json");

#[test]
fn the_reviewed_document_is_the_current_one() {
    assert!(
        REVIEWED == chatbot_widget::http::spec(),
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
        ("/api/sessions/{id}", "get"),
        ("/api/sessions/{id}/config", "put"),
        ("/api/sessions/stats/summary", "get"),
        ("/api/sessions/bot-config", "get"),
        ("/api/chat/message", "post"),
        ("/api/chat/history/{id}", "get"),
        ("/api/chat/history/{id}", "delete"),
        ("/api/chat/stream", "post"),
        ("/api/chat/stream/{id}", "get"),
        ("/api/chat/stop/{id}", "post"),
        ("/api/files/upload", "post"),
        ("/api/files/info/{id}", "get"),
        ("/api/files/query/{id}", "post"),
        ("/api/files/{id}", "delete"),
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
                    let schema = &spec["components"]["schemas"][name];
                    assert!(schema["example"].is_object(), "{method} {path}: {name}");
                    conforms(&spec, &json!({"$ref": format!("/{name}")}), &schema["example"], name);
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
        ("/api/files/info/{id}", "get", server.get(&format!("/api/files/info/{id}")).await),
        ("/api/files/query/{id}", "post", server.post(&file, json!({"query": "1"})).await),
        (
            "/api/files/query/{id}",
            "post",
            server.post(&file, json!({"sql": "SELECT sum(a) FROM data"})).await,
        ),
        ("/api/chat/message", "post", server.say(&id, "sum of a by b").await),
        ("/api/chat/history/{id}", "get", server.get(&history).await),
        ("/api/files/{id}", "delete", server.delete(&format!("/api/files/{id}")).await),
        ("/api/files/{id}", "delete", server.delete(&format!("/api/files/{id}")).await),
        ("/api/sessions/create", "post", created),
        ("/api/chat/message", "post", server.say(&id, "Hello").await),
        ("/api/chat/message", "post", server.say(&id, "").await),
        ("/api/sessions/{id}", "get", server.get(&session).await),
        ("/api/sessions/{id}", "get", server.get("/api/sessions/x").await),
        (
            "/api/sessions/{id}/config",
            "put",
            server.put(&format!("{session}/config"), json!({"config": {"model": "m"}})).await,
        ),
        ("/api/chat/history/{id}", "get", server.get(&history).await),
        ("/api/chat/history/{id}", "delete", server.delete(&history).await),
        ("/api/sessions/stats/summary", "get", server.get("/api/sessions/stats/summary").await),
        ("/api/sessions/bot-config", "get", server.get("/api/sessions/bot-config").await),
        ("/health", "get", server.get("/health").await),
        ("/health/ready", "get", server.get("/health/ready").await),
    ];
    for (path, method, answer) in answers {
        let status = answer.status.as_u16().to_string();
        let response = &spec["paths"][path][method]["responses"][&status];
        assert!(response.is_object(), "{method} {path} answers {status}, undocumented");
        let kind = answer.header("content-type").unwrap();
        let schema = &response["content"][kind]["schema"];
        conforms(&spec, schema, &answer.json(), &format!("{method} {path} {status}"));
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
    if let Some(parts) = schema["allOf"].as_array().or(schema["anyOf"].as_array()) {
        return conforms(spec, &parts[0], value, at);
    }
    match schema["type"].as_str() {
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
                // Absent and null are the same to optional fields.
                if schema.is_object() && !field.is_null() {
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
            let text = value.as_str().unwrap_or_else(|| panic!("{at}: {value} is no string"));
            if let Some(options) = schema["enum"].as_array() {
                assert!(options.contains(&json!(text)), "{at}: {text}");
            }
        }
        Some("integer") => assert!(value.is_i64() || value.is_u64(), "{at}: {value}"),
        Some("number") => assert!(value.is_number(), "{at}: {value}"),
        Some("boolean") => assert!(value.is_boolean(), "{at}: {value}"),
        Some(other) => panic!("{at}: unknown type {other}"),
    }
}
