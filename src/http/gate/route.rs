//! What a path leads to, looked up once per request.

use poem::http::Method;

use super::methods::AllowedMethods;
use crate::domain::SessionId;
use crate::http::assets::{self, Served};
use crate::http::docs::Docs;
use crate::http::setup;
use crate::quota::RateBucket;

/// What a request's path leads to.
pub enum Route<'a> {
    /// A path of the API, whose operation depends on the method.
    Api(&'a AllowedMethods),
    /// A file of the executable.
    Asset(Served),
    /// The OpenAPI document or the page that shows it.
    Document,
    /// What the home page says about this server.
    Setup,
    /// Nothing.
    Unknown,
}

impl<'a> Route<'a> {
    /// The route of `path`.
    pub fn find(path: &str, api: &'a [AllowedMethods]) -> Self {
        if let Some(asset) = assets::find(path) {
            return Self::Asset(asset);
        }
        if Docs::has(path) {
            return Self::Document;
        }
        if path == setup::PATH {
            return Self::Setup;
        }
        match api.iter().find(|entry| entry.matches(path)) {
            Some(entry) => Self::Api(entry),
            None => Self::Unknown,
        }
    }

    /// The route's pattern, for logs and metrics: never part of the request, which may contain a
    /// session's id in some spelling.
    pub fn pattern(&self) -> &'a str {
        match self {
            Self::Api(entry) => &entry.pattern,
            Self::Asset(asset) => asset.path(),
            Self::Document => "/docs",
            Self::Setup => setup::PATH,
            Self::Unknown => "unknown",
        }
    }

    /// The bucket in which a request with this method is counted, if its rate is limited.
    pub fn bucket(&self, method: &Method) -> Option<RateBucket> {
        let Self::Api(entry) = self else { return None };
        if *method != Method::POST {
            return None;
        }
        match entry.pattern.as_str() {
            "/api/chat/message" | "/api/chat/stream" => Some(RateBucket::Messages),
            "/api/sessions/create" => Some(RateBucket::Sessions),
            UPLOAD => Some(RateBucket::Uploads),
            "/api/files/query/{id}" => Some(RateBucket::FileQueries),
            _ => None,
        }
    }

    /// Whether it is the address for uploads.
    pub fn is_upload(&self) -> bool {
        matches!(self, Self::Api(entry) if entry.pattern == UPLOAD)
    }

    /// The part of the session id in `path` that may be logged: its first characters.
    pub fn session(&self, path: &str) -> Option<String> {
        let Self::Api(entry) = self else { return None };
        let id = entry.parameter(path)?.parse().ok()?;
        Some(SessionId(id).short())
    }
}

const UPLOAD: &str = "/api/files/upload";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api_methods;

    const ID: &str = "0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58";

    /// A path with one character too many was once logged as it was, including the whole id.
    #[test]
    fn no_spelling_of_an_id_reaches_the_log() {
        let api = api_methods();
        for id in [
            ID.to_owned(),
            format!("{ID},"),
            format!("{ID}."),
            format!("{ID};a"),
            format!("{ID}%20"),
            format!("{ID}%00"),
            format!("%7B{ID}"),
            format!("%7B{ID}%7D"),
            format!("urn:uuid:{ID}"),
            ID.to_uppercase(),
            ID.replace('-', ""),
            format!("%30{}", &ID[1..]),
        ] {
            for path in [
                format!("/api/chat/history/{id}"),
                format!("/api/sessions/{id}"),
                format!("/api/files/{id}"),
                format!("/{id}"),
                format!("/api/nothing/{id}"),
            ] {
                let route = Route::find(&path, &api);
                let logged = format!("{} {:?}", route.pattern(), route.session(&path));
                assert!(!logged.to_lowercase().contains("5d3c"), "{path}: {logged}");
            }
        }
    }

    #[test]
    fn each_costly_operation_has_its_bucket() {
        let api = api_methods();
        let bucket = |method: Method, path: &str| Route::find(path, &api).bucket(&method);
        let query = format!("/api/files/query/{ID}");
        for (path, expected) in [
            ("/api/chat/message", Some(RateBucket::Messages)),
            ("/api/chat/stream", Some(RateBucket::Messages)),
            ("/api/sessions/create", Some(RateBucket::Sessions)),
            ("/api/files/upload", Some(RateBucket::Uploads)),
            (&query, Some(RateBucket::FileQueries)),
            (&format!("/api/chat/stop/{ID}"), None),
            ("/health", None),
            ("/embed.js", None),
        ] {
            assert_eq!(bucket(Method::POST, path), expected, "{path}");
            assert_eq!(bucket(Method::GET, path), None, "{path}");
        }
        assert!(Route::find("/api/files/upload", &api).is_upload());
    }
}
