//! Any body sent to the calls that accept JSON. Input: a byte that selects the call, then the body.
#![no_main]

use chatbot_widget_fuzz::server::{SESSION, send};
use poem::http::Method;
use serde_json::{Map, Value};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [call, body @ ..] = data else { return };
    let (method, path) = match call % 4 {
        0 => (Method::POST, "/api/sessions/create".to_owned()),
        1 => (Method::POST, "/api/chat/message".to_owned()),
        2 => (Method::PUT, format!("/api/sessions/{SESSION}/config")),
        _ => (Method::POST, format!("/api/files/query/{SESSION}")),
    };
    let (status, _) = send(method, &path, "application/json", body);
    if status.is_success() && !body.is_empty() {
        let text = str::from_utf8(body).expect("UTF-8").trim_start_matches('\u{feff}');
        serde_json::from_str::<Map<String, Value>>(text).expect("an object");
    }
});
