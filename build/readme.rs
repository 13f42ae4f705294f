//! The project's documents as pages, for users who only have the executable.

use std::error::Error;
use std::fs;
use std::path::Path;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A document of the project and the page that shows it.
pub struct Page {
    /// The document's path in the project.
    pub file: &'static str,
    /// The page's path among the assets.
    pub page: &'static str,
    /// The page's address.
    address: &'static str,
    title: &'static str,
    /// The text of links to it.
    name: &'static str,
}

/// All documents that are served.
pub const PAGES: [Page; 2] = [
    Page {
        file: "README.md",
        page: "readme.html",
        address: "/readme",
        title: "README",
        name: "README",
    },
    Page {
        file: "docs/widget.md",
        page: "guide.html",
        address: "/guide",
        title: "The widget on your site",
        name: "Widget guide",
    },
];

/// The page around each document, with marks for the `title`, links to `other` pages and the
/// `document`.
const SHELL: &str = include_str!("document.html");

/// Renders the page of a document of the project at `root`. Links to other documents lead to their
/// pages or, if they have none, become plain text; images are left out.
pub fn page(root: &Path, own: &Page) -> Result<String> {
    let others: Vec<String> = PAGES
        .iter()
        .filter(|other| other.file != own.file)
        .map(|other| format!("<a href=\"{}\">{}</a>", other.address, other.name))
        .collect();
    let shell = SHELL
        .replace("<!-- title -->", own.title)
        .replace("<!-- other -->", &others.join("\n      "));
    let (before, after) =
        shell.split_once("<!-- document -->").ok_or("the shell has no mark for the document")?;
    let text = fs::read_to_string(root.join(own.file))?;
    let mut images = 0;
    let mut dead = Vec::new();
    let events = Parser::new_ext(&text, Options::ENABLE_TABLES).filter_map(|event| {
        match &event {
            Event::Start(Tag::Image { .. }) => images += 1,
            Event::End(TagEnd::Image) => {
                images -= 1;
                return None;
            }
            _ => {}
        }
        if images > 0 {
            return None;
        }
        match event {
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest = address(&dest_url);
                dead.push(dest.is_none());
                let dest_url = CowStr::from(dest?);
                Some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
            }
            Event::End(TagEnd::Link) if dead.pop() == Some(true) => None,
            event => Some(event),
        }
    });
    let mut filled = before.to_owned();
    html::push_html(&mut filled, events);
    filled.push_str(after);
    Ok(filled)
}

/// The address that a document's link has in the executable; `None` if it has none.
fn address(link: &str) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("http://") || link.starts_with('#') {
        return Some(link.to_owned());
    }
    let file = link.trim_start_matches("../");
    if file == "openapi/openapi.json" {
        return Some("/openapi.json".to_owned());
    }
    let page = PAGES.iter().find(|page| page.file == file);
    page.map(|page| page.address.to_owned())
}
