//! Websites that embed the chat, on another origin.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use poem::http::{StatusCode, header};
use poem::listener::TcpAcceptor;
use poem::{EndpointExt, Response};
use tokio::net::TcpListener;

/// A running website. Dropping it stops it.
pub struct Site {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A page of a site.
pub struct Page {
    pub path: &'static str,
    pub html: String,
    pub csp: Option<String>,
    /// Its cross-origin embedder policy.
    pub coep: Option<&'static str>,
}

impl Page {
    pub fn new(path: &'static str, html: impl Into<String>) -> Self {
        Self { path, html: html.into(), csp: None, coep: None }
    }
}

/// A shop's page with the chat's tag, which has these attributes.
pub fn with_tag(chat: &str, attributes: &str) -> String {
    with_head(&format!("<script src=\"{chat}/embed.js\" async {attributes}></script>"))
}

/// A shop's page with something in its head.
pub fn with_head(head: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
         <title>Harbour Teas</title>
         <meta name=\"description\" content=\"Loose teas from a harbour town.\">
         <link rel=\"icon\" href=\"data:,\">
         {head}</head><body>
         <nav><a href=\"/\">Menu of the site</a></nav>
         <main><h1>Harbour Teas</h1><p id=\"price\">The smoky blend costs 7 euros.</p>
         <label>Password <input id=\"secret\" type=\"password\" value=\"hunter2\"></label></main>
         </body></html>"
    )
}

impl Site {
    /// A site with one page, `/`.
    pub async fn of(html: String) -> Self {
        Self::with(vec![Page::new("/", html)]).await
    }

    pub async fn with(pages: Vec<Page>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let pages: HashMap<_, _> =
            pages.into_iter().map(|page| (page.path, (page.html, page.csp, page.coep))).collect();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let answer = poem::endpoint::make_sync(move |request| {
            let path = request.uri().path().to_owned();
            let page = pages.get(path.as_str());
            log.lock().unwrap().push(path.clone());
            match page {
                None => Response::builder().status(StatusCode::NOT_FOUND).finish(),
                Some((html, csp, coep)) => {
                    let kind = if path.ends_with(".js") { "javascript" } else { "html" };
                    let kind = format!("text/{kind}; charset=utf-8");
                    let mut response = Response::builder().content_type(kind);
                    if let Some(csp) = csp {
                        response = response.header(header::CONTENT_SECURITY_POLICY, csp);
                    }
                    if let Some(coep) = coep {
                        response = response
                            .header("cross-origin-embedder-policy", *coep)
                            .header("cross-origin-opener-policy", "same-origin");
                    }
                    response.body(html.clone())
                }
            }
        })
        .map_to_response();
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        let task = tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(answer));
        Self { port, asked, task }
    }

    /// An address on a different site than the chat's, as in reality.
    pub fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// An address that is not a secure context: browsers withhold some APIs there.
    pub fn plain_url(&self, path: &str) -> String {
        format!("http://teas.example:{}{path}", self.port)
    }

    /// The paths requested so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
