//! `/api/files`: tables that visitors upload and query.

mod delete;
mod query;
mod upload;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, Server};

pub const WEATHER: &[u8] = include_bytes!("../../fixtures/data/seattle-weather.csv");
pub const CARS: &[u8] = include_bytes!("../../fixtures/data/cars.json");

/// A form's part: name, file name, content.
pub type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

pub fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend_from_slice(
            format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n")
                .as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--xyz--\r\n");
    body
}

pub async fn send(server: &Server, body: Vec<u8>) -> Answer {
    let request = server
        .request(Method::POST, "/api/files/upload")
        .header("content-type", "multipart/form-data; boundary=xyz")
        .body(body);
    server.send(request).await
}

pub async fn upload(server: &Server, id: &str, name: &str, content: &[u8]) -> Answer {
    let parts: [Part<'_>; 2] = [("sessionId", None, id.as_bytes()), ("file", Some(name), content)];
    send(server, form(&parts)).await
}

pub async fn query(server: &Server, id: &str, body: Value) -> Answer {
    server.post(&format!("/api/files/query/{id}"), body).await
}
