//! The project's own documents as pages, for those who have the executable only.

use std::error::Error;
use std::fs;
use std::path::Path;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Documents, the pages that show them, and the addresses of both.
pub const PAGES: &[(&str, &str, &str)] =
    &[("README.md", "readme.html", "/readme"), ("docs/widget.md", "guide.html", "/guide")];

/// What stands in a page for its document.
const MARK: &str = "<!-- document -->";

/// `page` with the document `file` of the project at `root` in it. Links to other documents lead
/// to their pages, or nowhere if they have none; pictures are left out.
pub fn fill(page: &str, root: &Path, file: &str) -> Result<String> {
    let (before, after) = page.split_once(MARK).ok_or(format!("no {MARK}"))?;
    let text = fs::read_to_string(root.join(file))?;
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

/// Where a link of a document leads to in the executable.
fn address(link: &str) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("http://") || link.starts_with('#') {
        return Some(link.to_owned());
    }
    let file = link.trim_start_matches("../");
    if file == "openapi/openapi.json" {
        return Some("/openapi.json".to_owned());
    }
    let page = PAGES.iter().find(|(document, ..)| *document == file);
    page.map(|&(_, _, address)| address.to_owned())
}
