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
use super::assets::{self, accepts_gzip, not_modified};
use super::wire::types::EXAMPLE_ID;

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
        if request.uri().path() == "/docs/" {
            // The page's addresses are relative to `/docs`.
            return Response::builder()
                .status(StatusCode::PERMANENT_REDIRECT)
                .header(header::LOCATION, "../docs")
                .finish();
        }
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

/// The page `docs.html` with Swagger UI and the document in it.
fn page(spec: &str) -> String {
    let framework = super::describe(super::Described).swagger_ui_html();
    let styles = between(&framework, "<style charset=\"UTF-8\">", "</style>");
    let code = between(&framework, "<script charset=\"UTF-8\">", "</script>");
    // No text of the document may end the script that it stands in.
    let spec = spec.trim_end().replace("</", "<\\/");
    let start = START.replacen("EXAMPLE_ID", EXAMPLE_ID, 1).replacen("SPEC", &spec, 1);
    assets::page("docs.html")
        .replacen("<!-- swagger -->", &format!("<style>{styles}</style>"), 1)
        .replacen(
            "<!-- start -->",
            &format!("<script>{code}</script>\n<script>{start}</script>"),
            1,
        )
}

/// The text between two marks; empty if there is none.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let after = text.split_once(start).map_or("", |(_, after)| after);
    after.split_once(end).map_or("", |(inside, _)| inside)
}

/// Starts Swagger UI. The examples' session does not exist: one that this page creates when it is
/// first needed takes its place in every request.
const START: &str = r#"
const example = 'EXAMPLE_ID';
let session;
const create = async () => {
  const response = await fetch('/api/sessions/create', { method: 'POST' });
  return response.ok ? (await response.json()).sessionId : undefined;
};
const isExample = (text) => typeof text === 'string' && text.includes(example);
SwaggerUIBundle({
  dom_id: '#ui',
  spec: SPEC,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  async requestInterceptor(request) {
    const form = request.body instanceof FormData ? request.body : undefined;
    const isInForm = isExample(form?.get('sessionId'));
    if (isInForm || isExample(request.url) || isExample(request.body)) {
      session ??= await create();
      if (session) {
        request.url = request.url.replaceAll(example, session);
        if (isInForm) form.set('sessionId', session);
        else if (isExample(request.body)) request.body = request.body.replaceAll(example, session);
      }
    }
    return request;
  },
  responseInterceptor(response) {
    const created = response.obj?.status === 'created' && response.obj.sessionId;
    if (created) session = created;
    return response;
  },
});
"#;

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
        "default-src 'none'; script-src{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
