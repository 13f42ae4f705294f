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

use super::DocumentLimits;
use super::assets::{accepts_gzip, not_modified};

/// The OpenAPI document and the page that shows it. Both are made on the first request for them: the
/// page holds all of Swagger UI.
#[derive(Debug)]
pub struct Docs {
    limits: DocumentLimits,
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
    /// Documents of a server with these limits.
    pub fn new(limits: DocumentLimits) -> Self {
        Self { limits, spec: OnceLock::new(), page: OnceLock::new() }
    }

    /// Whether `path` is one of the documents'.
    pub fn has(path: &str) -> bool {
        matches!(path, "/openapi.json" | "/docs" | "/docs/")
    }

    /// The response to GET and HEAD of one of the documents.
    pub fn respond(&self, request: &Request) -> Response {
        let document = match request.uri().path() {
            "/openapi.json" => self.spec.get_or_init(|| {
                Document::new(super::spec(&self.limits), "application/json; charset=utf-8", None)
            }),
            _ => self.page.get_or_init(|| {
                let page = page(&super::spec(&self.limits));
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
        let etag = format!("\"{}{suffix}\"", self.hash);
        let mut response = Response::builder()
            .header(header::ETAG, &etag)
            .header(header::CACHE_CONTROL, "public, max-age=0, must-revalidate")
            .header(header::VARY, "Accept-Encoding");
        // Also on a 304: browsers put its headers in the place of those that they have cached.
        if let Some(policy) = &self.policy {
            response = response.header(header::CONTENT_SECURITY_POLICY, policy);
        }
        if not_modified(request.headers(), &etag) {
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

/// Swagger UI with the document inside, a title, a way home, and the width of a phone's screen.
fn page(spec: &str) -> String {
    let page = super::describe(super::Described).swagger_ui_html();
    let page = page.replacen("<html charset=\"UTF-8\">", "<!doctype html>\n<html lang=\"en\">", 1);
    let page = page.replacen("<title>Swagger UI</title>", HEAD, 1);
    let page = page.replacen("<div id=\"ui\">", HOME, 1);
    // The framework's own document stands between these; ours takes its place.
    let (before, rest) = page.split_once("let spec = ").unwrap_or((&page, ""));
    let (_, after) = rest.split_once("let oauth2RedirectUrl;").unwrap_or(("", rest));
    // No text of the document may end the script that it stands in.
    let spec = spec.trim_end().replace("</", "<\\/");
    format!("{before}let spec = {spec};\n    let oauth2RedirectUrl;{after}")
}

const HEAD: &str = "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
    <title>API of chatbot-widget</title>
    <style>
    body { margin: 0 }
    .home { display: block; padding: 12px 20px; font: 16px sans-serif }
    @media (max-width: 640px) {
      .swagger-ui .wrapper { padding: 0 8px }
      .swagger-ui .opblock .opblock-summary-path { max-width: calc(100% - 90px) }
      .swagger-ui .opblock .opblock-summary-description { display: none }
      .swagger-ui .opblock-body { overflow-x: auto }
    }
    </style>";

const HOME: &str = "<a class=\"home\" href=\"/\">\u{2190} Home</a>
<div id=\"ui\">";

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
