//! `/setup.json`: what the home page says about the state of this server.

use poem::http::{Method, header};
use poem::{Request, Response};
use serde_json::json;

use crate::config::{AppEnv, Config};

/// The address.
pub const PATH: &str = "/setup.json";

/// The response to GET and HEAD. In production visitors may read it, so it says no more than that;
/// otherwise it names the provider and the model that answer, and never a key or an address.
pub fn respond(config: &Config, request: &Request) -> Response {
    let providers = &config.providers;
    let state = if config.app_env == AppEnv::Production {
        json!({"production": true})
    } else {
        json!({
            "production": false,
            "provider": providers.chosen().to_string(),
            "model": providers.chosen_model(),
        })
    };
    let body = format!("{state}\n");
    let response = Response::builder()
        .content_type("application/json; charset=utf-8")
        .header(header::CONTENT_LENGTH, body.len());
    if request.method() == Method::HEAD { response.finish() } else { response.body(body) }
}
