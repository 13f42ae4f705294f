//! The OpenAPI document: what the framework derives from the handlers' types, completed and raised
//! to OpenAPI 3.1, in which a schema can say that a value may be null.
//!
//! The framework writes 3.0 without nullable properties, wraps described references in `allOf`
//! (which some generators drop), and knows errors only as types. Everything that it cannot say is
//! in the tables of [`operations`] and [`schemas`].

mod operations;
mod schemas;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::config::LimitsConfig;
use operations::{ERRORS, OPERATIONS, Operation, meaning};

const JSON: &str = "application/json";

/// The operator's limits that the document names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentLimits {
    /// The highest `maxTokens`.
    pub max_tokens: u32,
    /// The longest message, in characters.
    pub max_message_chars: usize,
}

/// Those of a server with the default settings.
impl Default for DocumentLimits {
    fn default() -> Self {
        Self { max_tokens: 4096, max_message_chars: 10_000 }
    }
}

impl From<&LimitsConfig> for DocumentLimits {
    fn from(limits: &LimitsConfig) -> Self {
        Self { max_tokens: limits.max_tokens, max_message_chars: limits.max_message_chars }
    }
}

/// The document made from the `derived` one. Schemas of `errors` are those that only errors use.
pub fn document(mut derived: Value, errors: &Value, limits: &DocumentLimits) -> Value {
    let mut schemas = derived["components"]["schemas"].take();
    schemas["ErrorBody"] = errors.clone();
    for (name, schema) in object(&mut schemas) {
        complete_schema(name, schema, limits);
    }
    let paths = paths(derived["paths"].take());
    json!({
        "openapi": "3.1.0",
        "info": derived["info"].take(),
        "servers": [{"url": "/", "description": "The server that this document comes from."}],
        "security": [],
        "tags": tags(&derived["tags"]),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "examples": examples(),
            "headers": headers(),
        },
    })
}

/// The tags in the order in which a client needs them.
fn tags(derived: &Value) -> Vec<Value> {
    ["Sessions", "Chat", "Files", "Health"]
        .iter()
        .filter_map(|name| derived.as_array()?.iter().find(|tag| tag["name"] == **name))
        .cloned()
        .collect()
}

fn paths(mut derived: Value) -> Map<String, Value> {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let found = object(&mut derived).find_map(|(path, methods)| {
            let mut methods = object(methods);
            let (method, body) = methods.find(|(_, body)| body["operationId"] == operation.id)?;
            Some((path.clone(), method.clone(), body.take()))
        });
        if let Some((path, method, mut body)) = found {
            complete_operation(operation, &mut body);
            // `id` is clear from the route, but not in generated clients.
            let path = path.replace("{id}", "{sessionId}");
            let methods = paths.entry(path).or_insert_with(|| json!({}));
            methods[method] = body;
        }
    }
    paths
}

fn complete_operation(operation: &Operation, body: &mut Value) {
    let parameters = body.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        // The framework writes defaults out explicitly.
        remove(parameter, "deprecated");
        remove(parameter, "explode");
        if parameter["name"] == "id" {
            parameter["name"] = json!("sessionId");
        }
        let more = schemas::parameter(parameter["name"].as_str().unwrap_or_default());
        merge(parameter, &more);
    }
    let responses = &mut body["responses"];
    for (status, description) in operation.successes {
        let response = &mut responses[status.to_string()];
        if response.is_null() {
            *response = json!({});
        }
        response["description"] = json!(description);
        response["headers"] = json!({"X-Request-Id": {"$ref": "#/components/headers/RequestId"}});
    }
    for (status, codes) in errors_by_status(operation) {
        responses[status.to_string()] = error_response(status, &codes);
    }
}

/// The codes that an operation may fail with.
fn errors_by_status(operation: &Operation) -> BTreeMap<u16, Vec<&'static str>> {
    let named = |code: &str| operation.errors.iter().any(|group| group.contains(&code));
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for error in ERRORS.iter().filter(|error| named(error.code)) {
        by_status.entry(error.status).or_default().push(error.code);
    }
    by_status
}

fn error_response(status: u16, codes: &[&str]) -> Value {
    let examples: Map<String, Value> = codes
        .iter()
        .map(|code| (code.to_string(), json!({"$ref": format!("#/components/examples/{code}")})))
        .collect();
    let names: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/RequestId"}});
    if matches!(status, 429 | 503) {
        headers["Retry-After"] = json!({"$ref": "#/components/headers/RetryAfter"});
    }
    json!({
        "description": format!("{} Codes: {}.", meaning(status), names.join(", ")),
        "headers": headers,
        "content": {
            JSON: {"schema": {"$ref": "#/components/schemas/ErrorBody"}, "examples": examples},
        },
    })
}

/// One example of every error, by its code.
fn examples() -> Map<String, Value> {
    ERRORS
        .iter()
        .map(|error| {
            let value = json!({
                "error": error.sentence,
                "code": error.code,
                "requestId": "5f0c2a9e6b7d4c31",
            });
            (error.code.to_owned(), json!({"summary": error.code, "value": value}))
        })
        .collect()
}

fn headers() -> Value {
    json!({
        "RequestId": {
            "description": "The id under which the server logs the request.",
            "required": true,
            "schema": {"type": "string"},
            "example": "5f0c2a9e6b7d4c31",
        },
        "RetryAfter": {
            "description": "Seconds after which it is worth trying again.",
            "required": true,
            "schema": {"type": "integer", "minimum": 1},
            "example": 5,
        },
    })
}

fn complete_schema(name: &str, schema: &mut Value, limits: &DocumentLimits) {
    remove(schema, "title");
    if let Some(mut example) = remove(schema, "example") {
        if schemas::NULLABLE.contains(&(name, "*")) {
            without_nulls(&mut example);
        }
        schema["examples"] = json!([example]);
    }
    let keywords = schemas::keywords(limits);
    for (property, shape) in schema.get_mut("properties").into_iter().flat_map(object) {
        complete_property(shape);
        merge(shape, &keywords[name][property]);
        if schemas::UNTYPED.contains(&name) {
            remove(shape, "type");
        }
        let nullable = |(schema, key): &(&str, &str)| {
            *schema == name && (*key == "*" || *key == property.as_str())
        };
        if schemas::NULLABLE.iter().any(nullable) {
            make_nullable(shape);
        }
    }
    for (_, property) in schemas::ALSO_REQUIRED.iter().filter(|(schema, _)| *schema == name) {
        if let Some(required) = schema["required"].as_array_mut() {
            required.push(json!(property));
        }
    }
    if name == "SessionConfig" {
        schema["additionalProperties"] = json!(true);
    }
}

/// A described reference as OpenAPI 3.1 has it, numbers that cannot be negative as such.
fn complete_property(shape: &mut Value) {
    if let Some(Value::Array(parts)) = remove(shape, "allOf")
        && let Some(reference) = parts.first().and_then(|part| part.get("$ref"))
    {
        shape["$ref"] = reference.clone();
    }
    if shape["format"].as_str().is_some_and(|format| format.starts_with("uint")) {
        remove(shape, "format");
        shape["minimum"] = json!(0);
    }
}

/// Drops what an example leaves out, which the framework writes as null.
fn without_nulls(value: &mut Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, field| !field.is_null());
        fields.values_mut().for_each(without_nulls);
    }
}

fn make_nullable(shape: &mut Value) {
    if let Some(reference) = remove(shape, "$ref") {
        shape["anyOf"] = json!([{"$ref": reference}, {"type": "null"}]);
    } else if let Some(Value::String(kind)) = shape.get("type") {
        shape["type"] = json!([kind, "null"]);
        if let Some(options) = shape.get_mut("enum").and_then(Value::as_array_mut) {
            options.push(Value::Null);
        }
    }
}

/// Sets the keywords of `more` in `value`, inside of objects too.
fn merge(value: &mut Value, more: &Value) {
    for (key, keyword) in more.as_object().into_iter().flatten() {
        match keyword {
            Value::Object(_) if value.get(key).is_some_and(Value::is_object) => {
                merge(&mut value[key], keyword);
            }
            _ => value[key] = keyword.clone(),
        }
    }
}

fn remove(value: &mut Value, key: &str) -> Option<Value> {
    value.as_object_mut()?.shift_remove(key)
}

fn object(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}
