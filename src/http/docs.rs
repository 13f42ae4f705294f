//! `/docs` and `/openapi.json`.

use std::io::Write as _;
use std::sync::OnceLock;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use poem::http::{Method, StatusCode, header};
use poem::{Request, Response};
use sha2::{Digest, Sha256};

use super::assets::{accepts_gzip, not_modified};

/// The OpenAPI document and the page that shows it. Both are the same for every server of one
/// build, and are made when they are first asked for: the page holds all of Swagger UI.
#[derive(Debug)]
pub struct Docs {
    spec: OnceLock<Document>,
    page: OnceLock<Document>,
}

/// A text that is made once and served compressed.
#[derive(Debug)]
struct Document {
    plain: Bytes,
    gzip: Bytes,
    hash: String,
    content_type: &'static str,
    /// The page's own content security policy.
    policy: Option<String>,
}

impl Docs {
    /// Documents that nobody has asked for yet.
    pub fn new() -> Self {
        Self { spec: OnceLock::new(), page: OnceLock::new() }
    }

    /// Whether `path` is one of the documents'.
    pub fn has(path: &str) -> bool {
        matches!(path, "/openapi.json" | "/docs" | "/docs/")
    }

    /// The response to GET and HEAD of one of the documents.
    pub fn respond(&self, request: &Request) -> Response {
        let document = match request.uri().path() {
            "/openapi.json" => self.spec.get_or_init(|| {
                Document::new(super::spec(), "application/json; charset=utf-8", None)
            }),
            _ => self.page.get_or_init(|| {
                let page = super::service_for_docs().swagger_ui_html().replacen(
                    "<html charset=\"UTF-8\">",
                    "<!doctype html>\n<html lang=\"en\">",
                    1,
                );
                let policy = policy(&page);
                Document::new(page, "text/html; charset=utf-8", Some(policy))
            }),
        };
        document.respond(request)
    }
}

impl Document {
    fn new(text: String, content_type: &'static str, policy: Option<String>) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        // Writing to memory cannot fail; should it ever, the plain text is sent.
        let gzip = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
        let hash = hex(&Sha256::digest(text.as_bytes())[..8]);
        let gzip = gzip.unwrap_or_default().into();
        Self { plain: text.into(), gzip, hash, content_type, policy }
    }

    fn respond(&self, request: &Request) -> Response {
        let gzip = !self.gzip.is_empty() && accepts_gzip(request.headers());
        let suffix = if gzip { "-gzip" } else { "" };
        let mut response = Response::builder()
            .header(header::ETAG, format!("\"{}{suffix}\"", self.hash))
            .header(header::CACHE_CONTROL, "public, max-age=0, must-revalidate")
            .header(header::VARY, "Accept-Encoding");
        // Also on a 304: browsers put its headers in the place of those that they have cached.
        if let Some(policy) = &self.policy {
            response = response.header(header::CONTENT_SECURITY_POLICY, policy);
        }
        if not_modified(request.headers(), &self.hash) {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        response = response.content_type(self.content_type);
        let body = if gzip { &self.gzip } else { &self.plain };
        if gzip {
            response = response.header(header::CONTENT_ENCODING, "gzip");
        }
        if request.method() == Method::HEAD {
            return response.header(header::CONTENT_LENGTH, body.len()).finish();
        }
        response.body(body.clone())
    }
}

/// Swagger UI comes as one page with its scripts inside: they are allowed by their digests, so
/// that no other script ever runs there. Its styles are set from script, so they are allowed.
fn policy(page: &str) -> String {
    let mut scripts = String::new();
    let mut rest = page;
    while let Some(start) = rest.find("<script") {
        let Some(open) = rest[start..].find('>') else { break };
        let body = &rest[start + open + 1..];
        let Some(end) = body.find("</script>") else { break };
        scripts.push_str(" 'sha256-");
        scripts.push_str(&BASE64_STANDARD.encode(Sha256::digest(&body.as_bytes()[..end])));
        scripts.push('\'');
        rest = &body[end..];
    }
    format!(
        "default-src 'none'; script-src{scripts}; style-src 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
