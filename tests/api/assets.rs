//! The files that browsers load.

use std::io::Read;

use reqwest::Method;

use crate::support::Server;

const ADDRESSES: &[(&str, &str)] = &[
    ("/", "text/html; charset=utf-8"),
    ("/demo/inline", "text/html; charset=utf-8"),
    ("/readme", "text/html; charset=utf-8"),
    ("/guide", "text/html; charset=utf-8"),
    ("/embed.js", "text/javascript; charset=utf-8"),
    ("/widget/chatbot.html", "text/html; charset=utf-8"),
    ("/static/widget/chatbot.html", "text/html; charset=utf-8"),
    ("/static/widget/chatbot.js", "text/javascript; charset=utf-8"),
    ("/static/widget/styles.css", "text/css; charset=utf-8"),
    ("/favicon.svg", "image/svg+xml; charset=utf-8"),
    ("/favicon.ico", "image/svg+xml; charset=utf-8"),
];

/// The pages that people read.
const PAGES: [&str; 4] = ["/", "/demo/inline", "/readme", "/guide"];

#[tokio::test]
async fn every_address_of_the_widget_is_served() {
    let server = Server::start().await;
    for (path, kind) in ADDRESSES {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(*kind), "{path}");
        assert!(!answer.body.is_empty(), "{path}");
        let length: usize = answer.header("content-length").unwrap().parse().unwrap();
        assert_eq!(length, answer.body.len(), "{path}");
        assert!(answer.header("cache-control").unwrap().contains("max-age=0"), "{path}");
    }
    let config = server.get("/widget/chatbot.html?config=%7B%7D").await;
    assert_eq!(config.status, 200);
}

#[tokio::test]
async fn addresses_with_a_version_are_cached_forever() {
    let server = Server::start().await;
    let page = String::from_utf8(server.get("/widget/chatbot.html").await.body).unwrap();
    let (_, script) = page.split_once("type=\"module\" src=\"").unwrap();
    let script = script.split('"').next().unwrap();
    let version = script.strip_prefix("../static/").unwrap().split('/').next().unwrap();
    assert_eq!(script, format!("../static/{version}/widget/chatbot.js"), "works below a path");
    let script = script.strip_prefix("..").unwrap();
    let kept = server.get(script).await;
    assert_eq!(kept.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(kept.body, server.get("/static/widget/chatbot.js").await.body);
    let earlier = server.get("/static/0123456789abcdef/widget/chatbot.js").await;
    assert_eq!(earlier.body, kept.body, "for a page that was open while the server was replaced");
    assert!(earlier.header("cache-control").unwrap().contains("max-age=0"));
    for path in ["/static/0123456789abcdeg/widget/chatbot.js", "/static/0123456789abcdef/nothing"] {
        server.get(path).await.expect_error(404, "not_found");
    }
}

/// The loader has at most 5 KB, and everything that one visitor loads at most 30 KB, gzipped.
#[tokio::test]
async fn the_widget_is_small() {
    let server = Server::start().await;
    let mut loaded = vec!["/embed.js".to_owned(), "/widget/chatbot.html".to_owned()];
    let page = String::from_utf8(server.get("/widget/chatbot.html").await.body).unwrap();
    for attribute in ["src=\"", "href=\""] {
        let addresses = page.match_indices(attribute).map(|(at, _)| &page[at + attribute.len()..]);
        let addresses = addresses.filter_map(|rest| rest.split('"').next());
        loaded.extend(addresses.filter_map(|at| at.strip_prefix("..")).map(str::to_owned));
    }
    loaded.push("/static/loader/page.js".to_owned());
    let mut total = 0;
    for path in &loaded {
        let size = taking_gzip(&server, path).await.1.len();
        match &**path {
            "/embed.js" => assert!(size <= 5 * 1024, "the loader has {size} bytes"),
            _ => total += size,
        }
    }
    let languages = std::fs::read_dir("assets/static/widget/lang").into_iter().flatten();
    let mut largest = 0;
    for language in languages {
        let name = language.unwrap().file_name().into_string().unwrap();
        largest =
            largest.max(taking_gzip(&server, &format!("/static/widget/lang/{name}")).await.1.len());
    }
    total += largest;
    assert!(total <= 30 * 1024, "{total} bytes: {loaded:?} and a language of {largest}");
}

/// The head, in lower case, and the body as sent to a client that accepts gzip. Read raw, because
/// an HTTP client would decompress it.
async fn taking_gzip(server: &Server, path: &str) -> (String, Vec<u8>) {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    );
    let bytes = exchange_bytes(server.address, request.as_bytes()).await;
    assert!(bytes.starts_with(b"HTTP/1.1 200"), "{path}");
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8_lossy(&bytes[..end]).to_lowercase(), bytes[end + 4..].to_vec())
}

#[tokio::test]
async fn cached_assets_are_not_sent_again() {
    let server = Server::start().await;
    for (path, _) in ADDRESSES {
        let first = server.get(path).await;
        let etag = first.header("etag").unwrap();
        assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
        let again = server.request(Method::GET, path).header("if-none-match", etag);
        let again = server.send(again).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), Some(etag));
        let other = server.request(Method::GET, path).header("if-none-match", "\"other\"");
        assert_eq!(server.send(other).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn text_is_compressed_for_clients_that_accept_gzip() {
    let server = Server::start().await;
    for path in ["/", "/embed.js", "/static/widget/chatbot.js", "/docs", "/openapi.json"] {
        let plain = server.get(path).await;
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        let (head, body) = taking_gzip(&server, path).await;
        assert!(head.contains("content-encoding: gzip"), "{path}: {head}");
        assert!(head.contains("vary: accept-encoding"), "{path}: {head}");
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut text).unwrap();
        assert!(text == plain.body, "{path}");
        assert!(body.len() + 4 < text.len(), "{path}");
    }
}

async fn exchange_bytes(address: std::net::SocketAddr, request: &[u8]) -> Vec<u8> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

/// No page refers to anything that the server does not have, or loads from another host.
#[tokio::test]
async fn pages_refer_only_to_what_is_there() {
    let server = Server::start().await;
    for page in PAGES.iter().chain(&["/widget/chatbot.html"]).copied() {
        let html = String::from_utf8(server.get(page).await.body).unwrap();
        assert!(!html.contains(" style=") && !html.contains("<style"), "{page}");
        for attribute in ["src=\"", "href=\""] {
            for (at, _) in html.match_indices(attribute) {
                // Text that a document shows as code is not a tag.
                if html[..at].rfind('<') < html[..at].rfind('>') {
                    continue;
                }
                let address = html[at + attribute.len()..].split('"').next().unwrap();
                let outward = attribute == "href=\"" && address.starts_with("http");
                if address.starts_with('#') || outward {
                    continue;
                }
                let address = address.split('?').next().unwrap();
                // Relative, so that pages work below a path.
                let base = url::Url::parse("http://host").unwrap().join(page).unwrap();
                let address = base.join(address).unwrap();
                assert_eq!(server.get(address.path()).await.status, 200, "{page}: {address}");
            }
        }
        for script in html.split("<script").skip(1) {
            let (attributes, body) = script.split_once('>').unwrap();
            assert!(attributes.contains("src=\""), "{page}: inline script");
            assert!(body.trim_start().starts_with("</script>"), "{page}: inline script");
        }
    }
}

/// Every page has the same header, which marks the page itself, and the same footer.
#[tokio::test]
async fn all_pages_share_the_header_and_the_footer() {
    let server = Server::start().await;
    let mut headers = std::collections::HashSet::new();
    let mut footers = std::collections::HashSet::new();
    for page in PAGES.into_iter().chain(["/docs"]) {
        let html = String::from_utf8(server.get(page).await.body).unwrap();
        let part = |start: &str, end: &str| {
            let (_, rest) = html.split_once(start).expect(page);
            rest.split_once(end).expect(page).0.to_owned()
        };
        let header = part("<header class=\"top\">", "</header>");
        assert_eq!(header.matches("aria-current").count(), 1, "{page}");
        assert!(header.contains(&format!("<a href=\"{page}\" aria-current=\"page\">")), "{page}");
        assert!(html.contains("id=\"content\""), "{page}: what the skip link leads to");
        // Files have addresses relative to the page's.
        headers.insert(header.replace(" aria-current=\"page\"", "").replace("\"../", "\""));
        footers.insert(part("<footer class=\"bottom\">", "</footer>"));
    }
    assert_eq!((headers.len(), footers.len()), (1, 1), "{headers:?}");
}

/// A link to a section leads there.
#[tokio::test]
async fn links_to_sections_of_other_pages_find_them() {
    let server = Server::start().await;
    let mut found = 0;
    for page in PAGES.into_iter().chain(["/docs"]) {
        let html = String::from_utf8(server.get(page).await.body).unwrap();
        for (link, section) in html
            .match_indices("<a href=\"/")
            .filter_map(|(at, mark)| html[at + mark.len() - 1..].split('"').next()?.split_once('#'))
        {
            let target = String::from_utf8(server.get(link).await.body).unwrap();
            assert!(target.contains(&format!("id=\"{section}\"")), "{page}: {link}#{section}");
            found += 1;
        }
    }
    assert!(found >= 2, "{found}");
}

/// Relative to `/docs/`, the page's styles would be in a folder that does not exist.
#[tokio::test]
async fn docs_with_a_slash_leads_to_docs() {
    let server = Server::start().await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let request = client.build().unwrap().get(format!("{}/docs/", server.base));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 308);
    assert_eq!(answer.headers()["location"], "../docs");
}

/// The contents of a document lead to its sections, and the keyboard reaches what scrolls.
#[tokio::test]
async fn documents_have_a_table_of_contents_and_named_tables() {
    let server = Server::start().await;
    for page in ["/readme", "/guide"] {
        let html = String::from_utf8(server.get(page).await.body).unwrap();
        let (_, contents) = html.split_once("<nav class=\"contents\"").unwrap();
        let contents = contents.split_once("</nav>").unwrap().0;
        let sections: Vec<&str> =
            contents.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(sections.len() >= 7, "{page}: {sections:?}");
        for section in sections {
            assert_eq!(html.matches(&format!("<h2 id=\"{section}\">")).count(), 1, "{section}");
        }
        let scrolled = html.matches("role=\"group\" tabindex=\"0\" aria-label=\"").count();
        assert_eq!(scrolled, html.matches("<table>").count() + html.matches("<pre>").count());
        assert!(!html.contains("<th></th>"), "{page}");
    }
}

/// Browsers replace cached headers with those of a 304. When that carried the API's policy, Swagger
/// UI stayed blank from the second visit on.
#[tokio::test]
async fn a_304_has_the_headers_of_the_200_that_it_stands_for() {
    let server = Server::start().await;
    let pages =
        ["/docs", "/openapi.json"].into_iter().chain(ADDRESSES.iter().map(|(path, _)| *path));
    for path in pages {
        let first = server.get(path).await;
        assert_eq!(first.status, 200, "{path}");
        let known = first.header("etag").unwrap();
        let request = server.request(Method::GET, path).header("if-none-match", known);
        let again = server.send(request).await;
        assert_eq!(again.status, 304, "{path}");
        for name in ["content-security-policy", "cache-control", "etag", "vary"] {
            assert_eq!(again.header(name), first.header(name), "{path}: {name}");
        }
    }
}

/// A cache keeps the two encodings apart by their tags, and a 304 must name the one it has stored.
#[tokio::test]
async fn each_encoding_has_a_tag_of_its_own() {
    let server = Server::start().await;
    for path in ["/embed.js", "/docs", "/openapi.json"] {
        let fetch = async |encoding: &str, known: &str| {
            let request = server.request(Method::GET, path).header("accept-encoding", encoding);
            server.send(request.header("if-none-match", known)).await
        };
        let plain = fetch("identity", "\"other\"").await;
        let gzip = fetch("gzip", "\"other\"").await;
        assert_eq!(gzip.header("content-encoding"), Some("gzip"), "{path}");
        let [plain, gzip] = [&plain, &gzip].map(|answer| answer.header("etag").unwrap());
        assert_ne!(plain, gzip, "{path}");
        for (encoding, tag, other) in [("identity", plain, gzip), ("gzip", gzip, plain)] {
            for known in [tag, "*", &format!("{other}, W/{tag}")] {
                let answer = fetch(encoding, known).await;
                assert_eq!(answer.status, 304, "{path}: {encoding}, {known}");
                assert_eq!(answer.header("etag"), Some(tag), "{path}");
            }
            assert_eq!(fetch(encoding, other).await.status, 200, "{path}: {encoding}");
        }
    }
}

/// The tag changes with the content: it is the digest of what is sent.
#[tokio::test]
async fn tags_are_digests_of_the_content() {
    use sha2::Digest;
    let server = Server::start().await;
    let other = Server::with(&["--max-tokens-limit", "77"]).await;
    let mut tags = std::collections::HashSet::new();
    for (server, path) in
        [(&server, "/openapi.json"), (&other, "/openapi.json"), (&server, "/docs")]
    {
        let answer = server.get(path).await;
        let digest = sha2::Sha256::digest(&answer.body);
        let hex: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(answer.header("etag"), Some(&*format!("\"{hex}\"")), "{path}");
        assert!(tags.insert(hex), "{path}");
    }
}
