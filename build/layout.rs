//! What all pages share: the header, with a mark at the link to the page itself, and the footer.

/// The pages in the header: file among the assets, address, and text of the link.
const PAGES: [(&str, &str, &str); 5] = [
    ("index.html", "/", "Home"),
    ("demo/inline.html", "/demo/inline", "Inline"),
    ("guide.html", "/guide", "Guide"),
    ("docs.html", "/docs", "API"),
    ("readme.html", "/readme", "README"),
];

/// Stands in a page for the header.
const HEADER: &str = "<!-- header -->";

/// Stands in a page for the footer.
const FOOTER: &str = "<!-- footer -->";

/// Fills in the header and the footer of the page `file`, where it has marks for them.
pub fn fill(page: &str, file: &str, version: &str) -> String {
    page.replace(HEADER, &header(file)).replace(FOOTER, &footer(version))
}

fn header(file: &str) -> String {
    let links: String = PAGES
        .iter()
        .map(|(page, address, text)| {
            let current = if *page == file { " aria-current=\"page\"" } else { "" };
            format!("\n      <a href=\"{address}\"{current}>{text}</a>")
        })
        .collect();
    format!(
        "<header class=\"top\">
    <a class=\"skip\" href=\"#content\">Skip to content</a>
    <a class=\"brand\" href=\"/\"><img src=\"/favicon.svg\" alt=\"\" width=\"28\" height=\"28\"> chatbot-widget</a>
    <nav aria-label=\"Main\">{links}
    </nav>
  </header>"
    )
}

fn footer(version: &str) -> String {
    format!(
        "<footer class=\"bottom\">
    <p>chatbot-widget {version}, MIT license. This page is served by your own server and loads nothing
      from anywhere else.</p>
    <p><a href=\"/openapi.json\">openapi.json</a> <a href=\"/health/ready\">Health</a></p>
  </footer>"
    )
}
